# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find entries of a topology that are valid alone, but conflict with each other."""

from __future__ import annotations

import collections
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils import rules
from ansible_collections.linuxnet.lab.plugins.module_utils.topology import schema
from ansible_collections.linuxnet.lab.plugins.module_utils.topology.draft import Draft
from ansible_collections.linuxnet.lab.plugins.module_utils.topology.model import Lab
from ansible_collections.linuxnet.lab.plugins.module_utils.topology.routing import Subnet, subnets

# BR_PORT_BITS of net/bridge/br_private.h: ports are numbered with ten bits, from 1.
MOST_PORTS = 1023


def check_bridges(draft: Draft) -> None:
    """An error for each bridge with too many ports, and for each port that does not fit its bridge."""
    ports: dict[str, int] = {}
    for end in draft.lab.ends():
        if end.bridge is None:
            continue
        ports[end.bridge.label] = ports.get(end.bridge.label, 0) + 1
        mtu = end.bridge.mtu
        if mtu and end.mtu and end.mtu != mtu:
            draft.errors.append(
                "{0}.mtu: {1} on bridge {2!r}, whose MTU is {3}, would lose packets of the sizes in between".format(
                    end.place, end.mtu, end.bridge.label, mtu
                )
            )
        if end.addresses:
            draft.errors.append(
                "{0}.addresses: a port has no addresses; bridge {1!r} can have them".format(end.place, end.bridge.label)
            )
    for label, count in ports.items():
        if count > MOST_PORTS:
            draft.errors.append(
                "{0}: {1} ports, a bridge has at most {2}".format(draft.lab.bridges[label].place, count, MOST_PORTS)
            )


def check_overlaps(draft: Draft, pool: list[str]) -> None:
    """An error for each pair of prefixes that overlap. Explicit addresses are not checked."""
    known = draft.known + [
        (rules.network_of(text), segment.place + ".prefix")
        for segment in draft.lab.segments.values()
        for text in segment.prefixes
    ]
    known += [(rules.network_of(text), "pool") for text in pool if not rules.check_prefix("pool", text)]
    for version in (4, 6):
        last: tuple[t.Any, str] | None = None
        for prefix, place in sorted(
            ((prefix, place) for prefix, place in known if prefix.version == version),
            key=lambda one: (int(one[0].network_address), one[0].prefixlen),
        ):
            if last and prefix.overlaps(last[0]):
                draft.errors.append("{0}: {1} overlaps {2} of {3}".format(place, prefix, last[0], last[1]))
            if last is None or prefix.broadcast_address > last[0].broadcast_address:
                last = (prefix, place)


def doubt_masquerades(lab: Lab) -> None:
    """A warning for each entry of `masquerade` in a namespace that no packet from its source passes."""
    missed: dict[tuple[str, str], list[str]] = {}
    for place, values in lab.masquerades:
        if values["src"] and not _leads_through(lab, values["netns"], rules.network_of(values["src"])):
            missed.setdefault((place, values["netns"]), []).append(values["src"])
    for (place, netns), sources in missed.items():
        lab.warnings.append(
            "{0}: no route leads packets from {1} through {2!r}, so that nothing is masqueraded there".format(
                place, " and ".join(sources), netns or schema.HOST
            )
        )


def _leads_through(lab: Lab, netns: str, source: rules.Network) -> bool:
    """Whether packets from a network may pass a namespace. True if no namespace of the lab is in that network."""
    addresses = lab.addresses()
    own = {str(ip) for ip in _ips(addresses.get(netns, [])) if ip.version == source.version}
    # In most labs the first routes are enough: they lead from the senders to their gateway.
    for route in lab.routes:
        if not own.isdisjoint(route.gateways) and any(ip in source for ip in _ips(addresses.get(route.netns, []))):
            return True
    owners: dict[str, set[str]] = collections.defaultdict(set)
    senders = set()
    for ref, texts in addresses.items():
        for ip in _ips(texts):
            owners[str(ip)].add(ref)
            if ip in source:
                senders.add(ref)
    senders.discard(netns)
    return not senders or netns in _reached(lab, senders, owners, source.version)


def _ips(texts: list[str]) -> list[rules.Address]:
    return [rules.interface_of(text).ip for text in texts]


def _reached(lab: Lab, senders: set[str], owners: dict[str, set[str]], version: int) -> set[str]:
    """The namespaces that packets of some senders may reach.

    The topology may not contain all routes, for example those of a routing daemon. Therefore a namespace without a
    default route may send packets to every namespace in its networks.
    """
    gateways: dict[str, set[str]] = collections.defaultdict(set)
    default = set()
    for route in lab.routes:
        ways = [rules.normal_ip(via) for via in route.gateways if _version(via) == version]
        if route.present and ways:
            gateways[route.netns].update(ways)
            if route.dst == "default" or not rules.network_of(route.dst).prefixlen:
                default.add(route.netns)
    networks: dict[str, list[Subnet]] = collections.defaultdict(list)
    for subnet in subnets(lab):
        if _version(subnet.prefix) == version:
            for ref in subnet.addresses:
                networks[ref].append(subnet)
    found, waiting = set(senders), list(senders)
    done: set[int] = set()
    while waiting:
        here = waiting.pop()
        after = {ref for ip in gateways[here] for ref in owners[ip]}
        for subnet in networks[here] if here not in default else ():
            if id(subnet) not in done:
                done.add(id(subnet))
                after |= subnet.addresses.keys()
        waiting += after - found
        found |= after
    return found


def _version(address: str) -> int:
    return 6 if ":" in address else 4
