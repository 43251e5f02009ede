# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module `bridge`: its options, and the resources that they ask for."""

from __future__ import annotations

from ansible_collections.linuxnet.lab.plugins.module_utils import fields
from ansible_collections.linuxnet.lab.plugins.module_utils.resources import bridge
from ansible_collections.linuxnet.lab.plugins.module_utils.resources.address import Addresses
from ansible_collections.linuxnet.lab.plugins.module_utils.resources.link import Settings
from ansible_collections.linuxnet.lab.plugins.module_utils.run_module import (
    HOST_FIREWALL,
    STATE,
    Item,
    Resources,
    items,
    one_or_many,
    run_module,
)

BRIDGE = {
    "name": {"type": "str"},
    "netns": {"type": "str"},
    "addresses": {"type": "list", "elements": "raw"},
    **fields.arguments(fields.ADDRESS),
    "ports": {"type": "list", "elements": "str"},
    **fields.arguments(fields.LINK, "mac", "mtu", "up"),
    **fields.arguments(fields.BRIDGE),
}


def build(params: Item) -> Resources:
    """The bridges asked for."""
    return [
        bridge.Bridge(
            netns=item["netns"] or "",
            name=item["name"],
            settings=Settings.of(item, up=item["up"] is not False),
            options=fields.given(fields.BRIDGE, item),
            addresses=Addresses.of(item["addresses"], item),
            ports=item["ports"],
            present=params["state"] == "present",
            place=place,
            host_firewall=params["host_firewall"],
        )
        for place, item in items(params, BRIDGE, "bridges")
    ]


def main() -> None:
    """Be the module."""
    run_module(
        {**one_or_many(BRIDGE, "bridges", required=["name"]), **HOST_FIREWALL, **STATE},
        build,
        mutually_exclusive=[("name", "bridges")],
        required_one_of=[("name", "bridges")],
    )
