# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module `masquerade`: its options, and the resources that they ask for."""

from __future__ import annotations

from ansible_collections.linuxnet.lab.plugins.module_utils.resources.masquerade import Masquerade, Match
from ansible_collections.linuxnet.lab.plugins.module_utils.run_module import (
    HOST_FIREWALL,
    STATE,
    Item,
    Options,
    Resources,
    items,
    one_or_many,
    run_module,
)

MATCH = {
    "src": {"type": "str"},
    "dst": {"type": "str"},
    "iif": {"type": "str"},
    "oif": {"type": "str"},
    "not_oif": {"type": "str"},
}
OPTIONS: Options = {
    "netns": {"type": "str", "default": ""},
    "forward": {"type": "str", "choices": ["restricted", "open"], "default": "restricted"},
    **HOST_FIREWALL,
    **STATE,
}


def build(params: Item) -> Resources:
    """The lab's table."""
    present = params["state"] == "present"
    matches = [Match(**item, place=place) for place, item in items(params, MATCH, "rules")] if present else []
    restricted = params["forward"] == "restricted"
    return [Masquerade(params["netns"], matches, restricted, present, host_firewall=params["host_firewall"])]


def main() -> None:
    """Be the module."""
    run_module({**OPTIONS, **one_or_many(MATCH, "rules", required=[])}, build)
