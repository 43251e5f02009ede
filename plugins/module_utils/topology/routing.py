# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Automatic static routes: from every router to every network of the lab, along the fewest links."""

from __future__ import annotations

import collections
import ipaddress
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils import rules
from ansible_collections.linuxnet.lab.plugins.module_utils.topology.budget import Budget
from ansible_collections.linuxnet.lab.plugins.module_utils.topology.model import Bridge, End, Lab, Route

PLACE = "routing"


class Subnet(t.NamedTuple):
    """A prefix that several namespaces share, with their addresses in it, by namespace."""

    prefix: str
    addresses: dict[str, str]


def add_routes(lab: Lab, budget: Budget) -> None:
    """Add a route to each router for every prefix that it has no address in, and for every address of a `lo`.

    If all routers of a link have an address on `lo`, the prefix of the link needs no route, because packets of the
    routers have these addresses as their source. An explicit route replaces an automatic one.
    """
    everywhere = subnets(lab)
    routers = {node.ref for node in lab.nodes.values() if node.forwarding}
    connected: dict[str, set[str]] = collections.defaultdict(set)
    for subnet in everywhere:
        for ref in subnet.addresses:
            connected[ref].add(subnet.prefix)
    written = {
        (route.netns, _normal(route.dst)) for route in lab.routes if not {"table", "metric"} & set(route.options)
    }
    for version in (4, 6):
        by_node: dict[str, list[Subnet]] = collections.defaultdict(list)
        of_version = [subnet for subnet in everywhere if _version(subnet.prefix) == version]
        for subnet in of_version:
            for ref in subnet.addresses:
                by_node[ref].append(subnet)
        own = {node.ref: [one for one in node.lo if _version(one) == version] for node in lab.nodes.values()}
        destinations = _destinations(of_version, own)
        held = _held(destinations, own, routers)
        ends = sum(len(subnet.addresses) for subnet in of_version)
        budget.pairs(PLACE, "routes", len(routers) * max(len(destinations), ends))
        for router in [node.ref for node in lab.nodes.values() if node.forwarding]:
            hops = _hops(_first_hops(router, by_node, routers), held)
            options = {"src": own[router][0].split("/")[0]} if own[router] else {}
            for dst, holders in destinations.items():
                if dst in hops and router not in holders and dst not in connected[router]:
                    if (router, dst) not in written:
                        lab.routes.append(Route(router, dst, PLACE, via=hops[dst], options=options))


def _version(address: str) -> int:
    return 6 if ":" in address else 4


def _normal(dst: str) -> str:
    return dst if dst == "default" else str(ipaddress.ip_network(dst, strict=False))


def _hops(first: dict[str, str], held: dict[str, list[str]]) -> dict[str, str]:
    """The gateway of a router to each destination, that is to the nearest namespace that has it. `first` has the
    nearest ones first.
    """
    found: dict[str, str] = {}
    for ref, hop in first.items():
        for dst in held.get(ref, ()):
            found.setdefault(dst, hop)
    return found


def subnets(lab: Lab) -> list[Subnet]:
    """The prefixes of segments, bridges and links, each with all namespaces that have an address in it."""
    found: dict[tuple[str, str], Subnet] = {}
    wires = _wires(lab)
    ends: list[tuple[str, End | Bridge]] = [(wires[bridge.label], bridge) for bridge in lab.bridges.values()]
    for link in lab.links:
        if all(end.up for end in link.ends):
            bridge = link.ends[0].bridge or link.ends[1].bridge
            alone = "{0} {1}".format(*(end.netns + ":" + end.name for end in link.ends))
            ends += [(wires[bridge.label] if bridge else alone, end) for end in link.ends]
    for wire, one in ends:
        for text in one.addresses or []:
            interface = ipaddress.ip_interface(text)
            networks = {str(interface.network), str(rules.reached(text))}  # two with a peer
            for network in networks:
                found.setdefault((wire, network), Subnet(network, {})).addresses[one.netns] = str(interface.ip)
    return list(found.values())


def _wires(lab: Lab) -> dict[str, str]:
    """A representative label for each bridge, the same for all bridges that are connected."""
    found: dict[str, str] = {}

    def last(label: str) -> str:
        passed = []
        while label in found:
            passed.append(label)
            label = found[label]
        found.update(dict.fromkeys(passed, label))
        return label

    for link in lab.links:
        one, other = (end.bridge for end in link.ends)
        if one and other and all(end.up for end in link.ends) and last(one.label) != last(other.label):
            found[last(one.label)] = last(other.label)
    return {label: last(label) for label in lab.bridges}


def _destinations(subnets: list[Subnet], own: dict[str, list[str]]) -> dict[str, set[str]]:
    """The destinations of routes, each with the namespaces that have it."""
    found: dict[str, set[str]] = {}
    for subnet in subnets:
        if not all(own.get(ref) for ref in subnet.addresses):
            found.setdefault(subnet.prefix, set()).update(subnet.addresses)
    for ref, texts in own.items():
        for text in texts:
            found.setdefault(_normal(text), set()).add(ref)
    return found


def _held(destinations: dict[str, set[str]], own: dict[str, list[str]], routers: set[str]) -> dict[str, list[str]]:
    """The destinations that each namespace leads to. A namespace without forwarding leads only to its own `lo`."""
    found: dict[str, list[str]] = collections.defaultdict(list)
    for dst, holders in destinations.items():
        for ref in holders:
            if ref in routers or dst in map(_normal, own.get(ref, [])):
                found[ref].append(dst)
    return found


def _first_hops(router: str, by_node: dict[str, list[Subnet]], routers: set[str]) -> dict[str, str]:
    """The first gateway of a router to every other namespace, the nearest ones first."""
    found = {router: ""}
    done: set[int] = set()
    waiting = collections.deque([router])
    while waiting:
        here = waiting.popleft()
        if here not in routers:
            continue  # it is reachable, but does not forward
        for subnet in by_node.get(here, ()):
            if id(subnet) in done:
                continue
            done.add(id(subnet))
            for ref, address in subnet.addresses.items():
                if ref not in found:
                    found[ref] = found[here] or address
                    waiting.append(ref)
    del found[router]
    return found
