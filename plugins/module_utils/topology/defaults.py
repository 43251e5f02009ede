# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reset link settings that the topology no longer has to those of a new link."""

from __future__ import annotations

import dataclasses
import hashlib
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils import fields, rules
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import rtnetlink
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import sysctl as sysctls
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.objects import KERNEL_PROTOCOL, Address, Link
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.sockets import Sockets
from ansible_collections.linuxnet.lab.plugins.module_utils.plan import Plan, Unclaimed
from ansible_collections.linuxnet.lab.plugins.module_utils.resources import link, route, sysctl
from ansible_collections.linuxnet.lab.plugins.module_utils.resources.address import renew
from ansible_collections.linuxnet.lab.plugins.module_utils.snapshot import Namespace, connected, connects
from ansible_collections.linuxnet.lab.plugins.module_utils.topology.model import Bridge, End, Lab, Node

# ETH_DATA_LEN: of a new veth or bridge.
USUAL_MTU = 1500


@dataclasses.dataclass
class Defaults(Unclaimed):
    """Reset settings that the topology does not have to the value of a new link.

    This undoes changes by others, and values of an earlier topology. It removes MAC addresses and alternative names
    only if an earlier topology set them.

    :ivar before: the lab of the last applied topology. None if there is none.
    """

    lab: Lab
    before: Lab | None

    def plan(self, plan: Plan) -> None:
        """Plan the changes of links that existed before the run. The resources have moved them to their places."""
        former = self.before.bridges_and_ends() if self.before else []
        altnames = {one.altname for one in former if one.altname}
        macs = {one.mac.lower() for one in former if one.mac}
        bridges = {(one.netns, one.name): one.mac.lower() for one in former if isinstance(one, Bridge) and one.mac}
        free = {id(end) for pair in self.lab.links if pair.mtu is None for end in pair.ends}
        there = list(_found(plan, self.lab))
        for one, namespace, found in there:
            if id(one) in free and found.mtu != USUAL_MTU:
                self._set(plan, one, namespace, found, mtu=USUAL_MTU)
        for one, namespace, found in there:
            if found.unusual and plan.owns(found):
                said = one.more if isinstance(one, End) else {}
                usual = _usual(name for name in found.unusual if name not in said)
                self._set(plan, one, namespace, found, more=usual)
        self._connect(plan, [(namespace, found) for dummy, namespace, found in there])
        self._forward(plan)
        for one, namespace, found in there if altnames or macs else ():
            # A bridge without its own MAC address has that of a port.
            chosen = [bridges.get((one.netns, one.name))] if found.kind == "bridge" else macs
            if one.mac is None and found.mac in chosen:
                self._set(plan, one, namespace, found, mac=self._mac(one))
            for altname in sorted(altnames.intersection(found.altnames) - {one.altname}):
                link.remove_altname(plan, namespace, found, altname)

    def _connect(self, plan: Plan, everything: list[tuple[Namespace, Link]]) -> None:
        """Restore connected routes of links that somebody has deleted."""
        unwanted = {
            (one.netns, rules.normal_prefix(one.dst), one.dev)
            for one in self.lab.routes
            if not one.present and not one.via and one.dst != "default"
        }
        links = []
        lacking = {}  # in a fixed order
        for namespace, found in everything:
            if not (found.up and plan.owns(found)) or found.born or found.moved:
                continue
            links.append((namespace, found))
            for address in _cut_off(namespace, found):
                network = str(address.network)
                if unwanted.isdisjoint((namespace.ref, network, dev) for dev in (None, found.name)):
                    lacking[namespace, network] = True
        for namespace, network in lacking:
            routes = []
            for home, found in links:
                there = [one for one in found.addresses if connects(one) and str(one.network) == network]
                if home is namespace and there and (namespace.ref, network, found.name) not in unwanted:
                    own = plan.snapshot.once(_own_addresses, namespace.ref, there[0].version)
                    renew(plan, namespace, found, [one for one in there if one.ip not in own])
                    routes.append(connected(found, there[0]))
            route.connect(plan, namespace, routes)

    def _forward(self, plan: Plan) -> None:
        """Set IPv4 forwarding of each link as in its namespace, because somebody may have set it for one link only.

        If forwarding of the namespace itself is wrong, its correction also sets the links.
        """
        for node in self.lab.nodes.values():
            namespace = plan.snapshot.namespace(node.ref) if links_forward_alike(node) else None
            if namespace is None:
                continue
            wanted = str(int(bool(node.forwarding)))
            said = _settings(node)
            for found in namespace.links.values():
                name = sysctls.forwarding_of(found.name)
                if found.forwards in (None, bool(node.forwarding)) or name in said or not plan.owns(found):
                    continue
                if plan.snapshot.once(sysctls.value, node.ref, sysctls.FORWARDING[4]) == wanted:
                    current = plan.moved_sysctls.get((node.ref, name), str(int(not node.forwarding)))
                    sysctl.change(plan, namespace, name, current, wanted)

    @staticmethod
    def _set(plan: Plan, one: End | Bridge, namespace: Namespace, found: Link, **settings: t.Any) -> None:
        if not found.born:
            link.configure(plan, namespace, found, link.Settings(**settings), one.place + ".")

    def _mac(self, one: End | Bridge) -> str:
        """A MAC address that replaces one from an earlier topology. It looks random, but is reproducible."""
        raw = bytearray(hashlib.sha256(" ".join((self.lab.name, one.netns, one.name)).encode()).digest()[:6])
        raw[0] = raw[0] & 0xFC | 0x02
        return raw.hex(":")


def _own_addresses(sockets: Sockets, ref: str, version: int) -> set[str]:
    return rtnetlink.own_addresses(sockets.get(ref), version)


def links_forward_alike(node: Node) -> bool:
    """Whether the topology sets IPv4 forwarding of a namespace, and not differently for its links."""
    said = node.forwarding is not None if node.ref else node.forwarding  # the host may forward for other purposes
    return bool(said) and _settings(node).isdisjoint(map(sysctls.forwarding_of, ("all", "default")))


def _settings(node: Node) -> set[str]:
    return {sysctls.name_of(sysctls.parts_of(name)) for name in node.sysctls}


def _cut_off(namespace: Namespace, found: Link) -> list[Address]:
    """The addresses of a link whose connected routes are missing."""
    addresses = [one for one in found.addresses if not (one.learnt or one.is_link_local)]
    there = {
        one.dst
        for version in {one.version for one in addresses}
        for one in namespace.table(version).of_link(found.name)
        if one.protocol == KERNEL_PROTOCOL
    }
    return [one for one in addresses if rules.normal_prefix(one.cidr) not in there and _is_cut_off(one, there)]


def _is_cut_off(address: Address, there: set[str]) -> bool:
    return connects(address) and str(address.network) not in there


def _usual(names: t.Iterable[str]) -> dict[str, t.Any]:
    """These settings with the values of a new link."""
    everything = {**fields.LINK, **fields.PORT}
    return {name: everything[name].new for name in names}


def _found(plan: Plan, lab: Lab) -> t.Iterator[tuple[End | Bridge, Namespace, Link]]:
    """The bridges and ends of a lab, each with its namespace and link in the picture; without those that are not."""
    for one in lab.bridges_and_ends():
        namespace = plan.snapshot.namespace(one.netns)
        found = namespace.links.get(one.name) if namespace else None
        if namespace and found:
            yield one, namespace, found
