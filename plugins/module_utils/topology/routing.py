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
    routers = [node.ref for node in lab.nodes.values() if node.forwarding]
    for router in routers:
        first = _first_hops(router, by_node, set(routers))
        connected = {subnet.prefix for subnet in by_node[router]}
        for dst, holders in destinations:
            if router in holders or dst in connected:
                continue
            # The nearest of those that have it; `first` is in the order of the distance.
            version = 6 if ":" in dst else 4
            hop = next((hops[version] for ref, hops in first.items() if ref in holders and version in hops), None)
            if hop:
                src = next((one.split("/")[0] for one in own.get(router, []) if (":" in one) == (version == 6)), None)
                lab.ways.append(Way(router, dst, PLACE, via=hop, options={"src": src} if src else {}))


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


def _destinations(lab: Lab, subnets: list[_Subnet], own: dict[str, list[str]]) -> list[tuple[str, set[str]]]:
    """What routes lead to, each with the namespaces that have it."""
    found: dict[str, set[str]] = {}
    for subnet in subnets:
        prefix = ipaddress.ip_network(subnet.prefix)
        if not all(any((":" in one) == (prefix.version == 6) for one in own.get(ref, [])) for ref in subnet.addresses):
            found.setdefault(subnet.prefix, set()).update(subnet.addresses)
    for node in lab.nodes.values():
        for text in node.lo:
            found.setdefault(str(ipaddress.ip_interface(text).network), set()).add(node.ref)
    return list(found.items())


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
