# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module `netns`: its options, and the resources that they ask for."""

from __future__ import annotations

from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import namespaces
from ansible_collections.linuxnet.lab.plugins.module_utils.resources.netns import Netns
from ansible_collections.linuxnet.lab.plugins.module_utils.run_module import STATE, Item, Options, Resources, run_module

OPTIONS: Options = {
    "name": {"type": "list", "elements": "str", "required": True},
    "held": {"type": "bool", "default": False},
    "hostname": {"type": "str"},
    "lo": {"type": "str", "choices": ["up", "down"], "default": "up"},
    **STATE,
}


def build(params: Item) -> Resources:
    """The namespaces asked for."""
    return [
        Netns(
            name,
            held=params["held"],
            hostname=params["hostname"],
            lo_up=params["lo"] == "up",
            present=params["state"] == "present",
            place="name[{0}]".format(number),
        )
        for number, name in enumerate(params["name"])
    ]


def result(params: Item) -> Item:
    """Where they are."""
    if params["state"] == "absent":
        return {}
    return {"namespaces": [{"name": name, "path": namespaces.find(name)} for name in params["name"]]}


def main() -> None:
    """Be the module."""
    run_module(OPTIONS, build, result)
