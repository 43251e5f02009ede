# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Topologies that are valid, but probably a mistake."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.linuxnet.lab.plugins.module_utils.topology import layout

# Three routers on one network. The segment office is behind r1.
ROUTERS: dict[str, t.Any] = {
    "name": "x",
    "namespaces": {"r[1:3]": {"forwarding": True}, "pc[1:3]": None, "host": {"forwarding": True}},
    "segments": {
        "office": {"prefix": ["10.1.0.0/24", "fd01::/64"], "gateway": "r1", "members": "pc1"},
        "dmz": {"prefix": "10.2.0.0/24", "gateway": "r2", "members": "pc2"},
        "core": {"prefix": ["10.3.0.0/24", "fd03::/64"], "members": {"r[1:3]": {}, "pc3": {}}},
    },
}
R1_TO_R2 = {"netns": "r1", "dst": "default", "via": "r2"}
R2_TO_R3 = {"netns": "r2", "dst": "default", "via": "r3"}
R1_TO_HOST = {"netns": "r1", "dst": "default", "via": "10.4.0.1"}
TO_HOST = {"ends": ["host", "r1"], "prefix": "10.4.0.0/30"}

# By case: the value of masquerade, the rest of the topology, the networks from which no packets arrive, and the
# namespace.
CASES: dict[str, tuple[t.Any, dict[str, t.Any], str, str]] = {
    "the host, which is on none of the networks": ("office", {}, "10.1.0.0/24 and fd01::/64", "host"),
    "the same, with static routes": ("office", {"routing": "static"}, "10.1.0.0/24 and fd01::/64", "host"),
    "the gateway": ({"src": "office", "netns": "r1"}, {}, "", ""),
    "perhaps the next router": ({"src": "office", "netns": "r3"}, {}, "", ""),
    "another router than the next": ({"src": "10.1.0.0/24", "netns": "r3"}, {"routes": [R1_TO_R2, R2_TO_R3]}, "", ""),
    "a router beside the way": (
        {"src": "10.1.0.0/24", "netns": "r3"},
        {"routes": [R1_TO_R2, {"netns": "r2", "dst": "default", "via": "10.2.0.99"}]},
        "10.1.0.0/24",
        "r3",
    ),
    "one family alone": (
        {"src": "office", "netns": "host"},
        {"links": [TO_HOST], "routes": [R1_TO_HOST]},
        "fd01::/64",
        "host",
    ),
    "a network that is not the lab's": ({"src": "192.0.2.0/24", "iif": "br9"}, {}, "", ""),
    "everything that leaves by a link": ({"oif": "eth0", "forward": "open"}, {}, "", ""),
}


@pytest.mark.parametrize("name", CASES)
def test_masquerading_where_no_packet_comes_through(name: str) -> None:
    masquerade, more, sources, netns = CASES[name]
    lab, errors = layout.read({**ROUTERS, "masquerade": masquerade, **more})
    assert errors == []
    text = "masquerade: no route leads packets from {0} through {1!r}, so that nothing is masqueraded there"
    assert lab.warnings == ([text.format(sources, netns)] if sources else [])
