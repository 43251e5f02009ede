# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module `lab_info`: its options and its result."""

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.linuxnet.lab.plugins.module_utils import answer
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.refusals import NET_ADMIN, SYS_ADMIN
from ansible_collections.linuxnet.lab.plugins.module_utils.lab_info import describe
from ansible_collections.linuxnet.lab.plugins.module_utils.respawn import require_library


def main() -> None:
    """Be the module."""
    options = {"name": {"type": "list", "elements": "str"}, "all_commands": {"type": "bool", "default": False}}
    module = AnsibleModule(argument_spec=options, supports_check_mode=True)
    require_library(module)
    with answer.failing(module, SYS_ADMIN, NET_ADMIN):
        found = describe(module.params["name"], module.params["all_commands"])
    answer.give(module, changed=False, labs=found)
