# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module `neighbor`: its options, and the resources that they ask for."""

from __future__ import annotations

from ansible_collections.linuxnet.lab.plugins.module_utils import fields
from ansible_collections.linuxnet.lab.plugins.module_utils.resources.neighbor import Flush, NeighborWanted
from ansible_collections.linuxnet.lab.plugins.module_utils.run_module import (
    Item,
    Resources,
    items,
    one_or_many,
    run_module,
)

NUD = ["incomplete", "reachable", "stale", "delay", "probe", "failed", "permanent"]
ENTRY = {
    "dst": {"type": "str"},
    "dev": {"type": "str"},
    "netns": {"type": "str"},
    **fields.arguments(fields.NEIGHBOR),
}
OPTIONS = {
    "nud": {"type": "list", "elements": "str", "choices": NUD},
    "state": {"type": "str", "choices": ["present", "absent", "flushed"], "default": "present"},
}


def build(params: Item) -> Resources:
    """The entries asked for, or the tables to flush."""
    if params["state"] == "flushed":
        return [Flush(params["netns"] or "", params["dev"], params["nud"] or [])]
    return [
        NeighborWanted.of(
            item,
            netns=item["netns"] or "",
            dev=item["dev"] or "",
            dst=item["dst"],
            present=params["state"] == "present",
            place=place,
        )
        for place, item in items(params, ENTRY, "entries")
    ]


def main() -> None:
    """Be the module."""
    run_module(
        {**one_or_many(ENTRY, "entries", required=["dst"]), **OPTIONS},
        build,
        mutually_exclusive=[("dst", "entries")],
        required_if=[("state", state, ("dst", "entries"), True) for state in ("present", "absent")],
    )
