# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Convert a lab to resources for the engine."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.sysctl import FORWARDING
from ansible_collections.linuxnet.lab.plugins.module_utils.plan import Many, Plan, Unclaimed
from ansible_collections.linuxnet.lab.plugins.module_utils.resources import link
from ansible_collections.linuxnet.lab.plugins.module_utils.resources.address import Addresses, LinkAddresses
from ansible_collections.linuxnet.lab.plugins.module_utils.resources.bridge import Bridge
from ansible_collections.linuxnet.lab.plugins.module_utils.resources.masquerade import Masquerade, Match
from ansible_collections.linuxnet.lab.plugins.module_utils.resources.neighbor import NeighborWanted
from ansible_collections.linuxnet.lab.plugins.module_utils.resources.netns import Netns
from ansible_collections.linuxnet.lab.plugins.module_utils.resources.route import RouteWanted
from ansible_collections.linuxnet.lab.plugins.module_utils.resources.rule import RuleWanted
from ansible_collections.linuxnet.lab.plugins.module_utils.resources.sysctl import Sysctl, in_order
from ansible_collections.linuxnet.lab.plugins.module_utils.resources.veth import End, Veth
from ansible_collections.linuxnet.lab.plugins.module_utils.topology import model
from ansible_collections.linuxnet.lab.plugins.module_utils.topology.defaults import USUAL_MTU, Defaults
from ansible_collections.linuxnet.lab.plugins.module_utils.topology.model import Lab, Node
from ansible_collections.linuxnet.lab.plugins.module_utils.topology.neighbor_space import NeighborSpace
from ansible_collections.linuxnet.lab.plugins.module_utils.topology.rebuilt import Rebuilt


@dataclasses.dataclass
class Mistakes(Unclaimed):
    """The errors of a topology, which the engine reports together with those of its resources."""

    errors: list[str]
    warnings: list[str] = dataclasses.field(default_factory=list)

    def check(self) -> list[str]:
        """The errors."""
        return self.errors

    def plan(self, plan: Plan) -> None:
        """Add the warnings. There are no errors any more when the plan begins."""
        plan.warnings += self.warnings


class _Lo(LinkAddresses):
    """Addresses of a `lo`, which have this key in a topology."""

    def claims(self) -> list[tuple[str, str, str]]:
        """The addresses."""
        return self.addresses.claims(self.place + "lo")


def resources(lab: Lab, before: Lab | None = None) -> list[t.Any]:
    """The desired resources in dependency order. *before* is the lab of the last applied topology."""
    found: list[t.Any] = [_netns(node) for node in lab.nodes.values() if node.ref]
    usual = _usual_mtus(lab)
    found += [_bridge(bridge, usual.get(bridge.label, USUAL_MTU), lab.host_firewall) for bridge in lab.bridges.values()]
    found += [Veth(_end(one.ends[0]), _end(one.ends[1])) for one in lab.links]
    found.append(Defaults(lab, before))
    found += [
        _Lo(node.ref, "lo", Addresses(node.lo, exclusive=False), place=node.place + ".")
        for node in lab.nodes.values()
        if node.lo
    ]
    # Removed routes come first. Routes without a gateway come before those whose gateway they lead to.
    found.append(Many(lambda: routes(lab)))
    found += policy_rules(lab)
    return [*found, *neighbors(lab), Rebuilt(before), *sysctls(lab), *_masquerades(lab), NeighborSpace(lab)]


def _netns(node: Node) -> Netns:
    return Netns(node.ref, node.held, node.hostname, place=node.place, hostname_place=node.place + ".hostname")


def _usual_mtus(lab: Lab) -> dict[str, int]:
    """The MTU of each bridge without one, by label: the smallest of its ports (br_mtu_min() of br_if.c)."""
    found: dict[str, int] = {}
    for pair in lab.links:
        for end in pair.ends:
            if end.bridge:
                mtu = pair.mtu or USUAL_MTU
                found[end.bridge.label] = min(mtu, found.get(end.bridge.label, mtu))
    return found


def _bridge(bridge: model.Bridge, usual_mtu: int, host_firewall: str) -> Bridge:
    return Bridge(
        bridge.netns,
        bridge.name,
        link.Settings(up=True, mtu=bridge.mtu, mac=_lower(bridge.mac), altname=bridge.altname),
        bridge.options,
        Addresses(bridge.addresses, bridge.address_options),
        place=bridge.place + ".",
        usual_mtu=usual_mtu,
        host_firewall=host_firewall,
    )


def _end(end: model.End) -> End:
    return End(
        end.netns,
        end.name,
        link.Settings(
            up=end.up,
            mtu=end.mtu,
            mac=_lower(end.mac),
            master=end.bridge.name if end.bridge else "",
            altname=end.altname,
            more=end.more,
        ),
        Addresses(end.addresses, end.address_options),
        place=end.place + ".",
    )


def _lower(mac: str | None) -> str | None:
    return mac.lower() if mac else None


def routes(lab: Lab) -> t.Iterator[RouteWanted]:
    """The routes: first those to remove, then those that lead to gateways."""
    for route in sorted(lab.routes, key=lambda route: (route.present, bool(route.via or route.nexthops))):
        yield RouteWanted.of(
            route.options,
            netns=route.netns,
            dst=route.dst,
            via=route.via,
            dev=route.dev,
            nexthops=route.nexthops,
            present=route.present,
            place=route.place + ".",
            complete=True,
        )


def policy_rules(lab: Lab) -> list[RuleWanted]:
    """The policy rules."""
    return [
        RuleWanted(
            values["netns"],
            {name: value for name, value in values.items() if name != "netns"},
            place=place + ".",
            complete=True,
        )
        for place, values in lab.rules
    ]


def neighbors(lab: Lab) -> list[NeighborWanted]:
    """The permanent entries of neighbour tables."""
    return [
        NeighborWanted.of(
            values,
            netns=values["netns"],
            dev=values["dev"],
            dst=values["dst"],
            place=place + ".",
            complete=True,
        )
        for place, values in lab.neighbors
    ]


def sysctls(lab: Lab, usual: bool = True) -> list[Sysctl]:
    """The sysctls of a lab, and those that follow from `forwarding`.

    :arg usual: whether to add those of namespaces for which the topology does not set `forwarding`.
    """
    ipv6 = any(":" in one for addresses in lab.addresses().values() for one in addresses)
    found = []
    for node in lab.nodes.values():
        wanted = {}
        # On the host, `forwarding: false` means that the lab needs no forwarding, but others may.
        if node.forwarding or (node.ref and node.forwarding is False):
            wanted[FORWARDING[4]] = str(int(node.forwarding))
            if ipv6:
                wanted[FORWARDING[6]] = str(int(node.forwarding))
        for name, value in {**wanted, **node.sysctls}.items():
            place = "{0}.sysctls.{1}".format(node.place, name)
            found.append(Sysctl(node.ref, name, value, place=place, remembered=not node.ref, net_only=True))
        if usual and node.ref and node.forwarding is None and FORWARDING[4] not in node.sysctls:
            # A new namespace forwards IPv4 if its host does (devconf_inherit_init_net in the kernel's documentation).
            found.append(Sysctl(node.ref, FORWARDING[4], "0", place=node.place, remembered=False, usual=True))
    return in_order(found)


def _masquerades(lab: Lab) -> list[Masquerade]:
    """One table for each namespace."""
    matches: dict[str, list[Match]] = {}
    opened = set()
    for place, values in lab.masquerades:
        told = {key: values.get(key) for key in ("src", "dst", "iif", "oif", "not_oif")}
        match = Match(**told, place=place + ".")
        matches.setdefault(values["netns"], []).append(match)
        if values.get("forward") == "open":
            opened.add(values["netns"])
    return [
        Masquerade(netns, found, netns not in opened, complete=True, host_firewall=lab.host_firewall)
        for netns, found in matches.items()
    ]
