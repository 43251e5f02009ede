# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The resource `address`: IP addresses of a link; shared by veth and bridge."""

from __future__ import annotations

import dataclasses
import functools
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils import fields, ownership, rules
from ansible_collections.linuxnet.lab.plugins.module_utils.commands import (
    add_address,
    address_words,
    delete_address,
    enter,
)
from ansible_collections.linuxnet.lab.plugins.module_utils.errors import LabError
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.actions import Operation
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.addresses import AddAddress, DeleteAddress
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.objects import KERNEL_PROTOCOL, Address, Link
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.routes import put_back
from ansible_collections.linuxnet.lab.plugins.module_utils.plan import Plan, Stage
from ansible_collections.linuxnet.lab.plugins.module_utils.resources import adopted
from ansible_collections.linuxnet.lab.plugins.module_utils.snapshot import Namespace


@dataclasses.dataclass
class Addresses:
    """Addresses of a link.

    :ivar cidrs: the addresses; None keeps the existing ones.
    :ivar options: their common attributes, by the names of :data:`.fields.ADDRESS`.
    :ivar exclusive: whether to remove other addresses from the link. Link-local IPv6 addresses, and those that the
        kernel derived from router advertisements, always stay.
    """

    cidrs: list[str] | None = None
    options: dict[str, t.Any] = dataclasses.field(default_factory=dict)
    exclusive: bool = True

    @classmethod
    def of(cls, values: list[t.Any] | None, item: t.Mapping[str, t.Any], exclusive: bool = True) -> Addresses:
        """The addresses that the options of a module describe: each a text, or a mapping with options of its own."""
        texts = None if values is None else [_read(value) for value in values]
        return cls(texts, fields.given(fields.ADDRESS, item), exclusive)

    def check(self, place: str, mtu: int | None = None, loopback: bool = False) -> list[str]:
        """Errors in each address, in combination with the link's MTU, and in the options. `place` is the place of their
        link.

        :arg loopback: whether the link may have loopback addresses. The kernel accepts packets to them only on `lo`.
        """
        errors = []
        for number, cidr in enumerate(self.cidrs or []):
            at = "{0}addresses[{1}]".format(place, number)
            wrong = rules.check_cidr(at, cidr)
            if isinstance(cidr, rules.Cidr):
                wrong = wrong or _check_own(at + ".", cidr, self.options)
            if not wrong and not loopback and rules.interface_of(cidr).is_loopback:
                wrong = ["{0}: {1!r} is a loopback address, which lo alone can have".format(at, cidr)]
            errors += wrong
        errors = errors or self.check_mtu(place + "addresses", mtu)
        return errors + fields.check(fields.ADDRESS, self.options, place) + _check_lifetimes(self.options, place)

    def check_mtu(self, place: str, mtu: int | None) -> list[str]:
        """An error if the MTU of a link is too small for IPv6. The kernel's own message is only "Invalid argument"."""
        if mtu and mtu < rules.IPV6_MIN_MTU and any(one.version == 6 for one in self.wanted()):
            return ["{0}: IPv6 needs an MTU of {1} or more, not {2}".format(place, rules.IPV6_MIN_MTU, mtu)]
        return []

    def claims(self, place: str) -> list[tuple[str, str, str]]:
        """Each address without its prefix length, except link-local ones, which every link may have."""
        return [
            ("address", _claimed(cidr), "{0}[{1}]".format(place, number))
            for number, cidr in enumerate(self.cidrs or [])
            if ":" not in cidr or not rules.interface_of(cidr).is_link_local
        ]

    def wanted(self) -> list[Address]:
        """The addresses as the kernel reports them."""
        options = tuple(self.options.items())
        return [
            _as_reported(cidr, (*options, *cidr.options.items()) if isinstance(cidr, rules.Cidr) else options)
            for cidr in self.cidrs or []
        ]

    def wanted_on(self, link: Link) -> list[Address]:
        """The same, with the lifetimes that the addresses of the link have left of those asked for."""
        return [_counted_down(one, link) if one.unusual else one for one in self.wanted()]


@dataclasses.dataclass
class LinkAddresses:
    """Addresses of an existing link. With `present` false, addresses to remove."""

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
            + self.addresses.check(self.place, loopback=self.dev == "lo" or not self.present)
        )

    def claims(self) -> list[tuple[str, str, str]]:
        """The addresses."""
        return self.addresses.claims(self.place + "addresses")

    def plan(self, plan: Plan) -> None:
        """Add missing addresses, or delete existing ones."""
        if self.present:
            namespace = plan.namespace(self.netns, self.place + "netns")
            link = plan.link(namespace, self.dev, self.place + "dev")
            plan.demand(namespace, link, self.place + "dev", "get an address")
            back = take_away(plan, namespace, link, self.addresses, everybodys=True)
            add(plan, namespace, link, self.addresses, self.place + "addresses", back)
            return
        found = plan.snapshot.namespace(self.netns)
        link_there = found.links.get(self.dev) if found else None
        if not found or not link_there:
            return
        wanted = self.addresses.wanted()
        named = {address.cidr for address in wanted}
        unwanted = [
            one
            for one in link_there.addresses
            if any(one.cidr == asked.cidr and asked.remote in ("", one.remote) for asked in wanted)
        ]
        if unwanted:
            plan.demand(found, link_there, self.place + "dev", "lose an address")
            for address in _take_away(plan, found, link_there, unwanted, named):
                _add(plan, found, link_there, address, named)


@functools.lru_cache(maxsize=8192)
def _as_reported(cidr: str, options: tuple[tuple[str, t.Any], ...] = ()) -> Address:
    """An address as the kernel reports it."""
    interface = rules.interface_of(cidr)
    wanted = dict(options)
    remote = rules.normal_ip(wanted["peer"]) if wanted.get("peer") else ""
    valid = str(wanted.get("valid_lft", "forever"))
    wanted["lifetimes"] = "{0} preferred_lft {1}".format(valid, wanted.get("preferred_lft", valid))
    # A prefix of one or two addresses has no broadcast address (RFC 3021); `brd +` sets none either.
    broad = interface.version == 4 and interface.network.prefixlen < 31 and not remote
    has_broadcast = wanted.get("broadcast") and broad
    brd = str(interface.network.broadcast_address) if has_broadcast else ""
    usual = fields.usual(fields.ADDRESS)
    unusual = tuple((name, wanted[name]) for name, new in usual.items() if wanted.get(name, new) != new)
    nodad = interface.version == 6 and not wanted.get("dad")
    scope = wanted.get("scope") if interface.version == 4 else None  # the kernel knows IPv6's
    return Address(str(interface), brd, scope or rules.scope_of(interface), remote, unusual, nodad)


def _read(value: t.Any) -> str:
    """An address of a list: a text, or a mapping, whose values :func:`_check_own` checks."""
    if not isinstance(value, dict):
        return str(value)
    options = {name: one for name, one in value.items() if name != "address" and one is not None}
    for name, one in options.items():
        kind = fields.ADDRESS[name].codec.kind if name in fields.ADDRESS else fields.TEXT
        if kind == fields.TEXT and isinstance(one, int) and not isinstance(one, bool):
            options[name] = str(one)
    return rules.Cidr(str(value.get("address", "")), options)


def _own(cidr: str) -> dict[str, t.Any]:
    return cidr.options if isinstance(cidr, rules.Cidr) else {}


def _claimed(cidr: str) -> str:
    """What only one link of a lab can have. With a peer, several links can have an address."""
    ip, peer = _as_reported(cidr).ip, _own(cidr).get("peer")
    return "{0} peer {1}".format(ip, peer) if peer else ip


def _check_own(place: str, cidr: rules.Cidr, common: dict[str, t.Any]) -> list[str]:
    """Errors in the options of a single address."""
    offered = fields.arguments(fields.ADDRESS)
    kinds = {"bool": bool, "int": int, "str": str}
    errors = []
    for name, value in cidr.options.items():
        option = {"type": "str"} if name == "peer" else offered.get(name)
        if option is None:
            near = rules.nearest(str(name), ["address", "peer", *offered])
            errors.append("{0}{1}: there is no such option{2}".format(place, name, near))
        elif not isinstance(value, kinds[option["type"]]) or (option["type"] == "int" and isinstance(value, bool)):
            errors.append("{0}{1}: {2!r} is not of the type {3}".format(place, name, value, option["type"]))
        elif value not in option.get("choices", [value]):
            errors.append("{0}{1}: {2!r} is not one of {3}".format(place, name, value, ", ".join(option["choices"])))
    if errors:
        return errors
    peer = cidr.options.get("peer")
    if peer is not None:
        errors += rules.check_ip(place + "peer", peer)
        ip = rules.interface_of(cidr).ip
        if not errors and (rules.ip_of(peer).version != ip.version or rules.ip_of(peer) == ip):
            errors.append("{0}peer: {1} cannot be the peer of {2}".format(place, peer, ip))
    errors += fields.check(fields.ADDRESS, {name: one for name, one in cidr.options.items() if name != "peer"}, place)
    return errors + _check_lifetimes({**common, **cidr.options}, place)


def _check_lifetimes(options: dict[str, t.Any], place: str) -> list[str]:
    errors = []
    for name in ("valid_lft", "preferred_lft"):
        value = options.get(name, "forever")
        if value != "forever" and not (value.isdecimal() and value.isascii() and int(value) < 0xFFFFFFFF):
            errors.append("{0}{1}: {2!r} is neither a number of seconds nor forever".format(place, name, value))
    if errors:
        return errors
    valid, preferred = options.get("valid_lft", "forever"), options.get("preferred_lft")
    if valid == "0":
        errors.append("{0}valid_lft: an address for 0 seconds never exists".format(place))
    if preferred is not None and _seconds(preferred) > _seconds(valid):
        errors.append("{0}preferred_lft: {1} is more than valid_lft, {2}".format(place, preferred, valid))
    return errors


def _seconds(lifetime: str) -> float:
    return float("inf") if lifetime == "forever" else int(lifetime)


def _counted_down(wanted: Address, link: Link) -> Address:
    """An address as it is on a link, if that differs only by time that has passed."""
    ends = [_seconds(word) for word in wanted.lifetimes.split()[::2]]
    for there in link.addresses if min(ends) < float("inf") else ():
        left = [_seconds(word) for word in there.lifetimes.split()[::2]]
        counts = [one <= most and (one < float("inf")) == (most < float("inf")) for one, most in zip(left, ends)]
        if all(counts) and _but_for_time(there) == _but_for_time(wanted):
            return there
    return wanted


def _but_for_time(address: Address) -> Address:
    unusual = tuple(one for one in address.unusual if one[0] != "lifetimes")
    return dataclasses.replace(address, unusual=unusual)


def take_away(
    plan: Plan, namespace: Namespace, link: Link, addresses: Addresses, everybodys: bool = False
) -> list[Address]:
    """Plan the removal of addresses that a link must not have.

    A link that existed before the lab keeps addresses that the lab did not add, unless *everybodys*.
    :returns: the secondaries that the kernel removes with them, for :func:`add` to restore.
    """
    if addresses.cidrs is None:
        return []
    wanted = addresses.wanted_on(link)
    ours = None if everybodys or plan.owns(link) else adopted.added(plan, namespace, link)
    unwanted = [
        one
        for one in link.addresses
        if (one not in wanted or (one.failed and not addresses.options.get("dad")))
        and (ours is None or one.cidr in ours)
        and (_in_the_way(one, wanted) or (addresses.exclusive and not _is_kernels(one)))
    ]
    return _take_away(plan, namespace, link, unwanted, {one.cidr for one in wanted})


def add(plan: Plan, namespace: Namespace, link: Link, addresses: Addresses, place: str, back: list[Address]) -> None:
    """Plan the missing addresses of a link, and the restored ones (*back*)."""
    wanted = addresses.wanted_on(link)
    if not plan.owns(link):  # its addresses from before the lab stay
        there = {one.ip for one in link.addresses}
        wanted = [one for one in wanted if one.ip not in there]
    named = {one.cidr for one in wanted}
    missing = any(address not in link.addresses for address in wanted)
    errors = addresses.check_mtu(place, link.mtu) if missing else []
    for number, address in enumerate(wanted):
        if address not in link.addresses:
            if address not in back and not plan.force:
                errors += _conflicts(plan, namespace, link, address, "{0}[{1}]".format(place, number))
            _add(plan, namespace, link, address, named)
    for address in back:
        if address not in link.addresses:
            _add(plan, namespace, link, address, named)
    if errors:
        raise LabError(errors)


def _is_kernels(address: Address) -> bool:
    """Whether the kernel created an address by itself: a link-local one, or one from a router advertisement."""
    return address.learnt or address.is_link_local


def set_by_somebody(link: Link) -> list[Address]:
    """The addresses of a link that the kernel has not created by itself."""
    return [one for one in link.addresses if not _is_kernels(one)]


def _in_the_way(address: Address, wanted: list[Address]) -> bool:
    """Whether an address must go before a desired one can come: a link has an IPv6 address only once."""
    return any(address.cidr == one.cidr or (one.version == 6 and address.ip == one.ip) for one in wanted)


def _take_away(plan: Plan, namespace: Namespace, link: Link, unwanted: list[Address], named: set[str]) -> list[Address]:
    """Plan the removal of addresses.

    A sysctl (promote_secondaries) decides whether IPv4 secondaries disappear with their primary. Therefore the plan
    removes them first, one by one.

    :returns: the secondaries among them to restore.
    """
    if not unwanted:
        return []
    there = list(link.addresses)
    back = []
    for address in there:
        primary = next(one for one in there if one.network == address.network)
        if address.version == 4 and primary in unwanted and address not in unwanted:
            back.append(address)
    for address in reversed(there):
        if address in unwanted or address in back:
            _remove(plan, namespace, link, address, named)
    return back


def renew(plan: Plan, namespace: Namespace, link: Link, addresses: list[Address]) -> None:
    """Plan that a link loses addresses and gets them again, so that the kernel creates their routes again."""
    named = {one.cidr for one in addresses}
    there = list(link.addresses)
    back = _take_away(plan, namespace, link, addresses, named)
    for address in there:
        if address in addresses or address in back:
            _add(plan, namespace, link, address, named)


def _conflicts(plan: Plan, namespace: Namespace, link: Link, address: Address, place: str) -> list[str]:
    """Why an address would do harm: another link has it, or its prefix diverts paths that the host uses."""
    network = address.network
    if network.version == 6 and network.is_link_local:
        return []
    for other in namespace.links_with(address.ip) if not address.remote else ():
        if other is not link:
            return ["{0}: {1} is already on {2} in {3}".format(place, address.ip, other.name, namespace.title)]
    if namespace.ref:
        return []
    # Not above: most addresses are in other namespaces.
    from ansible_collections.linuxnet.lab.plugins.module_utils.host_use import described, host_use

    found = host_use(plan.snapshot).why_not_address(address.ip, network)
    for there, route in host_use(plan.snapshot).networks if not found else ():
        if there.version == network.version and network.overlaps(there):
            found.append("{0} overlaps the host's route to {1}".format(network, described(there, route)))
            break
    return [ownership.unless_forced("{0}: {1}".format(place, one), "be added") for one in found]


def _record(
    plan: Plan,
    stage: Stage,
    namespace: Namespace,
    link: Link,
    before: list[Address],
    named: set[str],
    operations: list[Operation],
    undo: list[Operation],
    command: str,
) -> None:
    """Add a change. The diff omits the kernel's own addresses unless the task names them."""

    def shown(addresses: list[Address]) -> list[str]:
        return [address_words(one) for one in addresses if one.cidr in named or not _is_kernels(one)]

    where = ("links", link.name, "addresses")
    commands = [enter(namespace, command)]
    plan.add(stage, namespace.ref, operations, undo, where, shown(before), shown(link.addresses), commands)


def _add(plan: Plan, namespace: Namespace, link: Link, address: Address, named: set[str]) -> None:
    before = list(link.addresses)
    namespace.add_address(link, address)
    command = add_address(link.name, address)
    note, forget = adopted.note_address(plan, namespace, link, address, added=True)
    operations = [*note, AddAddress(namespace.ref, link.name, address)]
    undo = [DeleteAddress(namespace.ref, link.name, address), *forget]
    _record(plan, Stage.CONFIGURE, namespace, link, before, named, operations, undo, command)


def _remove(plan: Plan, namespace: Namespace, link: Link, address: Address, named: set[str]) -> None:
    before = list(link.addresses)
    routes = list(namespace.routes)
    namespace.drop_address(link, address)
    command = delete_address(link.name, address)
    note, forget = adopted.note_address(plan, namespace, link, address, added=False)
    operations = [*note, DeleteAddress(namespace.ref, link.name, address)]
    undo: list[Operation] = [AddAddress(namespace.ref, link.name, address)]
    # Routes that the kernel deletes with the address, and does not create again with it.
    lost = [route for route in routes if route not in namespace.routes and route.protocol != KERNEL_PROTOCOL]
    adopted.note_routes(plan, namespace, link, lost)
    undo += [put_back(namespace.ref, route) for route in lost]
    undo += forget
    # A link that the plan renames has its name from then on.
    stage = Stage.CONFIGURE if link.moved else Stage.REMOVE_ADDRESS
    _record(plan, stage, namespace, link, before, named, operations, undo, command)
