# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module `veth`: its options, and the resources that they ask for."""

from __future__ import annotations

from ansible_collections.linuxnet.lab.plugins.module_utils import fields
from ansible_collections.linuxnet.lab.plugins.module_utils.resources.address import Addresses
from ansible_collections.linuxnet.lab.plugins.module_utils.resources.link import Settings
from ansible_collections.linuxnet.lab.plugins.module_utils.resources.veth import End, Veth
from ansible_collections.linuxnet.lab.plugins.module_utils.run_module import (
    STATE,
    Item,
    Resources,
    items,
    one_or_many,
    run_module,
)

END = {
    "name": {"type": "str"},
    "netns": {"type": "str"},
    **fields.arguments(fields.LINK, "mac", "mtu", "master", "up"),
    "addresses": {"type": "list", "elements": "raw"},
    **fields.arguments(fields.ADDRESS),
}
PAIR = {**END, "peer": {"type": "dict", "options": {**END, "name": {"type": "str", "required": True}}}}


def end(item: Item, place: str) -> End:
    """One end as it was asked for."""
    return End(
        netns=item.get("netns") or "",
        name=item.get("name") or "",
        settings=Settings.of(item, up=item.get("up") is not False),
        addresses=Addresses.of(item.get("addresses"), item),
        place=place,
    )


def build(params: Item) -> Resources:
    """The pairs asked for."""
    return [
        Veth(end(item, place), end(item["peer"] or {}, place + "peer."), present=params["state"] == "present")
        for place, item in items(params, PAIR, "pairs")
    ]


def main() -> None:
    """Be the module."""
    run_module(
        {**one_or_many(PAIR, "pairs", required=["name"]), **STATE},
        build,
        mutually_exclusive=[("name", "pairs"), ("peer", "pairs")],
        required_one_of=[("name", "pairs")],
    )
