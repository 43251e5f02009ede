# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Automatic static routes."""

from __future__ import annotations

import collections
import ipaddress
import random
import typing as t

import pytest

from ansible_collections.linuxnet.lab.plugins.module_utils.topology import layout

Routes = dict[tuple[str, str], str]


def routes(data: dict[str, t.Any]) -> Routes:
    """The routes of a lab with static routing: the gateways by namespace and destination."""
    lab, errors = layout.read({"name": "demo", "routing": "static", **data})
    assert errors == []
    assert len({(route.netns, route.dst) for route in lab.routes}) == len(lab.routes)
    return {(route.netns, route.dst): route.via or "" for route in lab.routes}


def ring(count: int, *more: tuple[int, int], lo: bool = True) -> dict[str, t.Any]:
    """Routers r0, r1, ... in a ring, with further links."""
    pairs = [(number, (number + 1) % count) for number in range(count)] + list(more)
    nodes = {f"r{number}": {"forwarding": True} for number in range(count)}
    if lo:
        for number, node in enumerate(nodes.values()):
            node["lo"] = [f"10.255.0.{number + 1}", f"fd00::{number + 1}"]
    links = [{"ends": [f"r{one}", f"r{other}"]} for one, other in pairs]
    return {"namespaces": nodes, "links": links, "pool": ["10.9.0.0/16", "fd09::/64"]}


def owners(data: dict[str, t.Any]) -> dict[str, str]:
    """The namespace of each address."""
    lab = layout.read({"name": "demo", **data})[0]
    return {one.split("/")[0]: ref for ref, addresses in lab.addresses().items() for one in addresses}


def distances(pairs: set[tuple[str, str]], start: str) -> dict[str, int]:
    """The number of links to each namespace."""
    found, waiting = {start: 0}, collections.deque([start])
    while waiting:
        here = waiting.popleft()
        for one, other in pairs | {pair[::-1] for pair in pairs}:
            if one == here and other not in found:
                found[other] = found[here] + 1
                waiting.append(other)
    return found


@pytest.mark.parametrize("seed", range(10))
def test_every_router_reaches_every_other_by_the_fewest_links(seed: int) -> None:
    """The test follows the hops in both directions, for both IP versions. Each hop is one link nearer."""
    chance = random.Random(seed)
    count = chance.randint(4, 14)
    more = [tuple(sorted(chance.sample(range(count), 2))) for dummy in range(chance.randint(0, 5))]
    data = ring(count, *more)
    found, owner = routes(data), owners(data)
    pairs = {tuple(link["ends"]) for link in data["links"]}
    for node, values in data["namespaces"].items():
        away = distances(pairs, node)
        for lo in values["lo"]:
            dst = str(ipaddress.ip_network(lo))
            for other in data["namespaces"]:
                here, hops = other, 0
                while here != node:
                    here, hops = owner[found[here, dst]], hops + 1
                    assert away[here] == away[other] - hops
                assert hops == away[other]


def test_the_choice_among_equals_is_always_the_same() -> None:
    found, owner = routes(ring(4)), owners(ring(4))
    assert found == routes(ring(4))
    assert (owner[found["r0", "10.255.0.3/32"]], owner[found["r2", "10.255.0.1/32"]]) == ("r1", "r1"), "the first link"


def test_packets_carry_the_routers_own_address() -> None:
    lab = layout.read({"name": "demo", "routing": "static", **ring(3)})[0]
    four = [route for route in lab.routes if route.netns == "r0" and ":" not in route.dst]
    assert {route.options["src"] for route in four} == {"10.255.0.1"}
    assert {route.dst for route in four} == {"10.255.0.2/32", "10.255.0.3/32"}, "links between them need no route"


def test_without_addresses_of_their_own_routers_reach_every_link() -> None:
    found = routes(ring(4, lo=False))
    assert all(sum(netns == f"r{number}" and ":" not in dst for netns, dst in found) == 2 for number in range(4))


LEFT = {"prefix": "10.1.0.0/24", "netns": "r1", "gateway": "r1"}
RIGHT = {"prefix": "10.2.0.0/24", "netns": "r2", "gateway": "r2"}
MIDDLE = [{"ends": ["r1", "r2"], "prefix": "10.3.0.0/30"}]
NODES = {"r[1:2]": {"forwarding": True}, "h": None}


def test_who_does_not_forward_carries_nothing() -> None:
    """A host is in both networks, and nearer than the other router, but does not forward."""
    both = {"left": {**LEFT, "members": ["h"]}, "right": {**RIGHT, "members": [{"h": {"default_route": False}}]}}
    found = routes({"namespaces": NODES, "segments": both, "links": MIDDLE})
    assert found["r1", "10.2.0.0/24"] == "10.3.0.2"
    assert found["r2", "10.1.0.0/24"] == "10.3.0.1"
    assert not any(netns == "h" for netns, dst in found if dst != "0.0.0.0/0")


def test_its_own_address_is_reached_where_it_is() -> None:
    nodes = {**NODES, "h": {"lo": "10.255.0.1"}}
    found = routes({"namespaces": nodes, "segments": {"left": {**LEFT, "members": ["h"]}}, "links": MIDDLE})
    (address,) = layout.read({"name": "d", "namespaces": nodes, "segments": {"left": {**LEFT, "members": ["h"]}}})[
        0
    ].segments["left"].members[0].addresses
    assert found["r1", "10.255.0.1/32"] == address.split("/")[0]
    assert found["r2", "10.255.0.1/32"] == "10.3.0.1"


def test_each_family_goes_its_own_way() -> None:
    """IPv4 has a shorter way than IPv6. Both reach the networks behind it."""
    data = {
        "namespaces": {"r[1:5]": {"forwarding": True}},
        "links": [
            {"ends": ["r1", "r2"], "prefix": "10.1.0.0/30"},
            {"ends": ["r1", "r3"], "prefix": ["10.2.0.0/30", "fd02::/64"]},
            {"ends": ["r3", "r2"], "prefix": ["10.3.0.0/30", "fd03::/64"]},
            {"ends": ["r2", "r4"], "prefix": ["10.4.0.0/30", "fd04::/64"]},
            {"ends": ["r4", "r5"], "prefix": ["10.5.0.0/30", "fd05::/64"]},
        ],
    }
    found = routes(data)
    assert (found["r1", "10.5.0.0/30"], found["r1", "fd05::/64"]) == ("10.1.0.2", "fd02::2")


def test_connected_bridges_are_one_wire() -> None:
    nodes = {"r[1:2]": {"forwarding": True}, "a[1:2]": None}
    links = [
        {"ends": [{"netns": "r1", "addresses": "10.1.0.1/24"}, "left"]},
        {"ends": [{"netns": "r2", "addresses": "10.1.0.2/24"}, "right"]},
        {"ends": ["left", "right"]},
        {"ends": ["r[1:2]", "a[1:2]"], "prefix": "10.2.[1:2].0/30"},
    ]
    data = {"namespaces": nodes, "bridges": ["left", "right"], "links": links}
    assert routes(data)["r1", "10.2.2.0/30"] == "10.1.0.2"
    links.pop(2)
    assert routes(data) == {}


@pytest.mark.parametrize("end", [0, 1])
def test_a_link_that_is_down_leads_nowhere(end: int) -> None:
    data = ring(4, lo=False)
    data["links"][0]["ends"][end] = {"netns": f"r{end}", "up": False}
    found, owner = routes(data), owners(data)
    assert {owner[via] for (netns, dst), via in found.items() if netns == "r0"} == {"r3"}


def test_a_route_that_somebody_wrote_wins() -> None:
    data = {**ring(4), "routes": [{"netns": "r0", "dst": "10.255.0.3/32", "via": "r3"}]}
    assert owners(data)[routes(data)["r0", "10.255.0.3/32"]] == "r3"
    data["routes"][0]["dst"] = "10.255.0.3"
    assert ("r0", "10.255.0.3/32") not in routes(data)


def test_a_segment_of_a_gateway_alone_is_a_network_too() -> None:
    data = {"namespaces": {"r[1:2]": {"forwarding": True}}, "segments": {"left": LEFT, "right": RIGHT}, "links": MIDDLE}
    assert routes(data)["r1", "10.2.0.0/24"] == "10.3.0.2"
