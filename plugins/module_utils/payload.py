# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module `payload`: runs one of the modules, whose code is in its arguments."""

from __future__ import annotations

import importlib
import typing as t

from ansible.module_utils import basic
from ansible.module_utils.basic import AnsibleModule

from ansible_collections.linuxnet.lab.plugins.module_utils import carried

if t.TYPE_CHECKING:
    # The carried code imports it. Ansible packs what this statement names, although Python does not execute it.
    from ansible.module_utils.common import respawn  # noqa: F401

NAMES = (
    "address",
    "bridge",
    "capture",
    "connectivity",
    "lab_info",
    "link",
    "masquerade",
    "neighbor",
    "neighbor_watch",
    "netns",
    "netns_info",
    "persist",
    "route",
    "rule",
    "sysctl",
    "topology",
    "veth",
)


def main() -> None:
    """Run the module that the arguments name."""
    options = {
        "module": {"type": "str", "choices": list(NAMES), "required": True},
        "arguments": {"type": "dict", "required": True},
        "code": {"type": "str", "required": True, "no_log": True},  # it is long
    }
    asked = AnsibleModule(argument_spec=options, supports_check_mode=True, no_log=True).params
    carried.begin(asked["code"])
    # Ansible's own settings stay, except for the name of the module, which is part of messages.
    told = {name: value for name, value in basic._load_params().items() if name.startswith("_ansible_")}
    told["_ansible_module_name"] = "linuxnet.lab." + asked["module"]
    # The original arguments stay in place: if the module respawns with another Python, this module reads them again.
    basic._load_params = lambda: {**asked["arguments"], **told}
    importlib.import_module("{0}.modules.{1}".format(__package__, asked["module"])).main()
