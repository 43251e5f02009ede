# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The resource `address`: IP addresses of a link; shared by veth and bridge."""

from __future__ import annotations

import dataclasses
import ipaddress

from ansible_collections.linuxnet.lab.plugins.module_utils import lab as rules
from ansible_collections.linuxnet.lab.plugins.module_utils.commands import enter
from ansible_collections.linuxnet.lab.plugins.module_utils.errors import LabError
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.objects import Address, Link
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.operations import Operation
from ansible_collections.linuxnet.lab.plugins.module_utils.plan import Plan, Stage
from ansible_collections.linuxnet.lab.plugins.module_utils.resources.route import PROTOCOL
from ansible_collections.linuxnet.lab.plugins.module_utils.snapshot import MARK, Namespace


@dataclasses.dataclass
class Addresses:
    """Addresses of a link.

    :ivar cidrs: the addresses; None leaves the link's as they are.
    :ivar broadcast: whether IPv4 ones carry the broadcast address of their prefix, as `ip addr add ... brd +` does.
    :ivar exclusive: whether other addresses are taken from the link; link-local IPv6 ones always stay.
    """

    cidrs: list[str] | None = None
    broadcast: bool = False
    exclusive: bool = True

    def check(self, place: str) -> list[str]:
        """Each address by itself; `place` is that of the list."""
        return [
            error
            for number, cidr in enumerate(self.cidrs or [])
            for error in rules.check_cidr("{0}[{1}]".format(place, number), cidr)
        ]

    def claims(self, place: str) -> list[tuple[str, str, str]]:
        """Each address, without its prefix length."""
        return [
            ("address", str(ipaddress.ip_interface(cidr).ip), "{0}[{1}]".format(place, number))
            for number, cidr in enumerate(self.cidrs or [])
        ]

    def wanted(self) -> list[Address]:
        """The addresses as the kernel reports them."""
        found = []
        for cidr in self.cidrs or []:
            interface = ipaddress.ip_interface(cidr)
            brd = str(interface.network.broadcast_address) if self.broadcast and interface.version == 4 else ""
            scope = "link" if interface.version == 6 and interface.is_link_local else "global"
            found.append(Address(str(interface), brd, scope))
        return found


@dataclasses.dataclass
class LinkAddresses:
    """Addresses of an existing link; with `present` false, those that it must not have."""

    netns: str
    dev: str
    addresses: Addresses
    present: bool = True
    place: str = ""

    def check(self) -> list[str]:
        """Names and addresses."""
        return (
            rules.check_netns(self.place + "netns", self.netns)
            + rules.check_link_name(self.place + "dev", self.dev)
            + self.addresses.check(self.place + "addresses")
        )

    def claims(self) -> list[tuple[str, str, str]]:
        """The addresses."""
        return self.addresses.claims(self.place + "addresses")

    def plan(self, plan: Plan) -> None:
        """Add those that are missing, or delete those that are there."""
        if self.present:
            namespace = plan.namespace(self.netns, self.place + "netns")
            link = plan.link(namespace, self.dev, self.place + "dev")
            plan.demand(namespace, link, self.place + "dev", "get an address")
            configure(plan, namespace, link, self.addresses, self.place + "addresses")
            return
        found = plan.snapshot.namespace(self.netns)
        link_there = found.links.get(self.dev) if found else None
        if not found or not link_there:
            return
        unwanted = {address.cidr for address in self.addresses.wanted()}
        for address in [one for one in link_there.addresses if one.cidr in unwanted]:
            plan.demand(found, link_there, self.place + "dev", "lose an address")
            kept = [one for one in link_there.addresses if one.cidr not in unwanted]
            _remove(plan, found, link_there, address)
            for one in kept:  # secondaries that went with it
                if one not in link_there.addresses:
                    _add(plan, found, link_there, one)


def configure(plan: Plan, namespace: Namespace, link: Link, addresses: Addresses, place: str) -> None:
    """Plan a link's addresses."""
    if addresses.cidrs is None:
        return
    wanted = addresses.wanted()
    unwanted = {one.cidr: one for one in wanted}
    for address in list(link.addresses):
        if address not in link.addresses or address in wanted:
            continue  # gone with its primary already, or right
        if address.cidr in unwanted or (addresses.exclusive and not address.cidr.startswith("fe80:")):
            _remove(plan, namespace, link, address)
    errors = []
    for number, address in enumerate(wanted):
        if address not in link.addresses:
            if not plan.force:
                errors += _conflicts(plan, namespace, link, address, "{0}[{1}]".format(place, number))
            _add(plan, namespace, link, address)
    if errors:
        raise LabError(errors)


def _conflicts(plan: Plan, namespace: Namespace, link: Link, address: Address, place: str) -> list[str]:
    """Why an address would hurt what is there: the same one on another link, or a prefix that hides a host's network."""
    for other in namespace.links.values():
        if other is not link and any(one.ip == address.ip for one in other.addresses):
            return ["{0}: {1} is already on {2} in {3}".format(place, address.ip, other.name, namespace.title)]
    if namespace.ref:
        return []
    network = ipaddress.ip_interface(address.cidr).network
    if network.is_link_local:
        return []
    for route in namespace.routes:
        there = ipaddress.ip_network(route.dst)
        dev = namespace.links.get(route.dev)
        ours = route.protocol == PROTOCOL or (dev is not None and dev.alias.startswith(MARK))
        if route.table != 254 or there.prefixlen == 0 or there.is_multicast or ours or there.version != network.version:
            continue
        if network.overlaps(there):
            return [
                "{0}: {1} overlaps the host's route to {2} dev {3}; it is not added unless force is true".format(
                    place, network, there, route.dev or "(none)"
                )
            ]
    return []


def _text(address: Address) -> str:
    return address.cidr + (" brd " + address.broadcast if address.broadcast else "")


def _record(plan: Plan, stage: Stage, namespace: Namespace, link: Link, before: list[Address], change: tuple) -> None:
    operation, undo, command = change
    plan.add(
        stage,
        namespace.ref,
        [operation],
        undo,
        ("links", link.name, "addresses"),
        [_text(one) for one in before],
        [_text(one) for one in link.addresses],
        [enter(namespace, command)],
    )


def _operation(namespace: Namespace, action: str, link: Link, address: Address) -> Operation:
    return Operation(namespace.ref, action, {"dev": link.name, "address": address})


def _add(plan: Plan, namespace: Namespace, link: Link, address: Address) -> None:
    before = list(link.addresses)
    namespace.add_address(link, address)
    command = "ip addr add {0} dev {1}".format(_text(address), link.name)
    operation = _operation(namespace, "address_new", link, address)
    undo = [_operation(namespace, "address_del", link, address)]
    _record(plan, Stage.CONFIGURE, namespace, link, before, (operation, undo, command))


def _remove(plan: Plan, namespace: Namespace, link: Link, address: Address) -> None:
    before = list(link.addresses)
    routes = list(namespace.routes)
    namespace.drop_address(link, address)
    command = "ip addr del {0} dev {1}".format(address.cidr, link.name)
    operation = _operation(namespace, "address_del", link, address)
    lost = [one for one in before if one not in link.addresses]
    undo = [_operation(namespace, "address_new", link, one) for one in lost]
    # Routes that the kernel drops with the address, and does not make again with it.
    undo += [
        Operation(namespace.ref, "route_new", {"route": route})
        for route in routes
        if route not in namespace.routes and route.protocol != 2
    ]
    _record(plan, Stage.REMOVE_ADDRESS, namespace, link, before, (operation, undo, command))
