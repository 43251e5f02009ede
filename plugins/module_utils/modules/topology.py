# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module `topology`: its options, and the resources that they ask for."""

from __future__ import annotations

from ansible_collections.linuxnet.lab.plugins.module_utils.host.progress import reporting
from ansible_collections.linuxnet.lab.plugins.module_utils.run_module import STATE, Item, Options, Resources, run_module
from ansible_collections.linuxnet.lab.plugins.module_utils.topology import build as topology

OPTIONS: Options = {
    "lab": {"type": "str", "aliases": ["name"]},
    "topology": {"type": "dict"},
    "persist": {"type": "bool"},
    "all_commands": {"type": "bool", "default": False},
    "recheck": {"type": "bool", "default": False},
    **STATE,
}


def lab_of(params: Item) -> str:
    """The lab's name, from either of the two places."""
    return params["lab"] or str((params["topology"] or {}).get("name") or "")


def build(params: Item) -> Resources:
    """The lab as resources, or its end."""
    # The resources for what most tasks do not ask for are not imported above.
    if params["state"] == "absent":
        from ansible_collections.linuxnet.lab.plugins.module_utils.resources.topology import WholeLab

        return [WholeLab()]
    found = topology.build(params["topology"], params["lab"])
    if params["persist"] is not None:
        from ansible_collections.linuxnet.lab.plugins.module_utils.resources.persist import Persist

        found.append(Persist(lambda plan: params["topology"], present=params["persist"]))
    return found


def result(params: Item) -> Item:
    """The addresses of what is there now."""
    if params["state"] == "absent":
        return {}
    return {"addresses": topology.addresses(params["topology"])}


def main() -> None:
    """Be the module."""
    run_module(
        OPTIONS,
        build,
        result,
        lab_of,
        reporting=reporting,
        required_if=[("state", "present", ["topology"]), ("state", "absent", ["lab", "topology"], True)],
    )
