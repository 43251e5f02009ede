# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module `address`: its options, and the resources that they ask for."""

from __future__ import annotations

from ansible_collections.linuxnet.lab.plugins.module_utils import fields
from ansible_collections.linuxnet.lab.plugins.module_utils.resources.address import Addresses, LinkAddresses
from ansible_collections.linuxnet.lab.plugins.module_utils.run_module import (
    STATE,
    Item,
    Resources,
    items,
    one_or_many,
    run_module,
)

LINK = {
    "dev": {"type": "str"},
    "netns": {"type": "str"},
    "addresses": {"type": "list", "elements": "raw"},
    **fields.arguments(fields.ADDRESS),
    "exclusive": {"type": "bool"},
}


def build(params: Item) -> Resources:
    """The addresses asked for, link by link."""
    return [
        LinkAddresses(
            netns=item["netns"] or "",
            dev=item["dev"],
            addresses=Addresses.of(item["addresses"] or [], item, bool(item["exclusive"])),
            present=params["state"] == "present",
            place=place,
        )
        for place, item in items(params, LINK, "links")
    ]


def main() -> None:
    """Be the module."""
    run_module(
        {**one_or_many(LINK, "links", required=["dev"]), **STATE},
        build,
        mutually_exclusive=[("dev", "links")],
        required_one_of=[("dev", "links"), ("addresses", "links")],
    )
