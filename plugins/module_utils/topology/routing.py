# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Static routes that come by themselves: from every router to every network of the lab, by the fewest links."""

from __future__ import annotations

import collections
import ipaddress
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils.topology.model import Lab, Way

PLACE = "routing"


class _Subnet(t.NamedTuple):
    """A prefix that several namespaces are on: their addresses in it, by namespace."""

    prefix: str
    addresses: dict[str, str]


def add_routes(lab: Lab) -> None:
    """Add a route to each router for every prefix, and every address of a `lo`, that it is not on itself.

    Between routers whose every end has an address of its `lo`, links alone need none: nobody talks to them, since
    packets carry the routers' own addresses.
    """
    subnets = _subnets(lab)
    by_node: dict[str, list[_Subnet]] = collections.defaultdict(list)
    for subnet in subnets:
        for ref in subnet.addresses:
            by_node[ref].append(subnet)
    own = {node.ref: node.lo for node in lab.nodes.values()}
    destinations = _destinations(lab, subnets, own)
    held: dict[str, list[str]] = collections.defaultdict(list)
    for dst, holders in destinations.items():
        for ref in holders:
            held[ref].append(dst)
    routers = {node.ref for node in lab.nodes.values() if node.forwarding}
    for router in lab.nodes.values():
        if not router.forwarding:
            continue
        hops = _hops(_first_hops(router.ref, by_node, routers), held)
        src = {6 if ":" in one else 4: one.split("/")[0] for one in reversed(router.lo)}
        connected = {subnet.prefix for subnet in by_node[router.ref]}
        for dst, holders in destinations.items():
            if dst in hops and router.ref not in holders and dst not in connected:
                version = 6 if ":" in dst else 4
                options = {"src": src[version]} if version in src else {}
                lab.ways.append(Way(router.ref, dst, PLACE, via=hops[dst], options=options))


def _hops(first: dict[str, dict[int, str]], held: dict[str, list[str]]) -> dict[str, str]:
    """By which address a router reaches each destination: the nearest of those that have it; `first` begins with it."""
    found: dict[str, str] = {}
    for ref, hops in first.items():
        for dst in held.get(ref, ()):
            version = 6 if ":" in dst else 4
            if version in hops:
                found.setdefault(dst, hops[version])
    return found


def _subnets(lab: Lab) -> list[_Subnet]:
    """The prefixes of segments, bridges and cables, each with everybody who has an address in it."""
    found: dict[tuple[str, str], _Subnet] = {}
    for cable in lab.cables:
        switch = cable.ends[0].switch or cable.ends[1].switch
        wire = switch.label if switch else "{0} {1}".format(*(plug.netns + ":" + plug.name for plug in cable.ends))
        for one in (*cable.ends, *([switch] if switch else [])):
            for text in one.addresses or []:
                interface = ipaddress.ip_interface(text)
                key = (wire, str(interface.network))
                found.setdefault(key, _Subnet(key[1], {})).addresses[one.netns] = str(interface.ip)
    return list(found.values())


def _destinations(lab: Lab, subnets: list[_Subnet], own: dict[str, list[str]]) -> dict[str, set[str]]:
    """What routes lead to, each with the namespaces that have it."""
    found: dict[str, set[str]] = {}
    for subnet in subnets:
        prefix = ipaddress.ip_network(subnet.prefix)
        if not all(any((":" in one) == (prefix.version == 6) for one in own.get(ref, [])) for ref in subnet.addresses):
            found.setdefault(subnet.prefix, set()).update(subnet.addresses)
    for node in lab.nodes.values():
        for text in node.lo:
            found.setdefault(str(ipaddress.ip_interface(text).network), set()).add(node.ref)
    return found


def _first_hops(
    router: str, by_node: dict[str, list[_Subnet]], routers: set[str]
) -> dict[str, dict[int, str]]:
    """By which address, of each family, a router reaches every other namespace first; the nearest ones first."""
    found: dict[str, dict[int, str]] = {router: {}}
    waiting = collections.deque([router])
    while waiting:
        here = waiting.popleft()
        if here not in routers:
            continue  # it can be reached, and passes nothing on
        for subnet in by_node[here]:
            version = 6 if ":" in subnet.prefix else 4
            for ref, address in subnet.addresses.items():
                if ref == here:
                    continue
                hop = address if here == router else found[here].get(version, "")
                if ref not in found:
                    found[ref] = {}
                    waiting.append(ref)
                if hop:
                    found[ref].setdefault(version, hop)
    del found[router]
    return found
