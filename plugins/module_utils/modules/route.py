# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module `route`: its options, and the resources that they ask for."""

from __future__ import annotations

from ansible_collections.linuxnet.lab.plugins.module_utils import fields
from ansible_collections.linuxnet.lab.plugins.module_utils.resources.route import RouteWanted
from ansible_collections.linuxnet.lab.plugins.module_utils.run_module import (
    STATE,
    Item,
    Resources,
    items,
    one_or_many,
    run_module,
)

ROUTE = {
    "dst": {"type": "str"},
    "netns": {"type": "str"},
    **fields.arguments(fields.ROUTE),
    **fields.arguments(fields.METRICS),
    "nexthops": {"type": "list", "elements": "dict", "options": fields.arguments(fields.NEXTHOP)},
}


def build(params: Item) -> Resources:
    """The routes asked for."""
    return [
        RouteWanted.of(
            item, netns=item["netns"] or "", dst=item["dst"], present=params["state"] == "present", place=place
        )
        for place, item in items(params, ROUTE, "routes")
    ]


def main() -> None:
    """Be the module."""
    run_module(
        {**one_or_many(ROUTE, "routes", required=["dst"]), **STATE},
        build,
        mutually_exclusive=[("dst", "routes")],
        required_one_of=[("dst", "routes")],
    )
