# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The resource `neighbor`: an entry of a neighbour table, and the flushing of entries."""

from __future__ import annotations

import dataclasses
import ipaddress
import shlex
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils import fields, rules
from ansible_collections.linuxnet.lab.plugins.module_utils.commands import enter
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.actions import Operation
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.addresses import AddAddress, DeleteAddress
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.links import SetLink
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.neighbors import AddNeighbor, DeleteNeighbor
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.objects import Neighbor
from ansible_collections.linuxnet.lab.plugins.module_utils.plan import Plan, Stage
from ansible_collections.linuxnet.lab.plugins.module_utils.snapshot import Namespace

_USUAL_FLAGS = [(name, new) for name, new in fields.usual(fields.NEIGHBOR).items() if name not in ("lladdr", "proxy")]


@dataclasses.dataclass
class NeighborWanted:
    """A permanent entry or, with *proxy*, an address that the namespace answers for.

    :ivar values: by the names of :data:`.fields.NEIGHBOR`.
    :ivar complete: whether only this run creates the lab's links, so that check mode knows all of them.
    """

    netns: str
    dev: str
    dst: str
    values: dict[str, t.Any] = dataclasses.field(default_factory=dict)
    present: bool = True
    place: str = ""
    complete: bool = False

    @classmethod
    def of(cls, values: t.Mapping[str, t.Any], **others: t.Any) -> NeighborWanted:
        """The entry that the options of a module, or the keys of a topology, describe; *others* are where it is."""
        named = fields.given(fields.NEIGHBOR, values)
        if "lladdr" in named:
            named["lladdr"] = named["lladdr"].lower()
        return cls(values=named, **others)

    def check(self) -> list[str]:
        """Errors in names and addresses. A permanent entry has a MAC address, a proxy entry has none."""
        errors = rules.check_netns(self.place + "netns", self.netns)
        errors += rules.check_link_name(self.place + "dev", self.dev)
        wrong = rules.check_ip(self.place + "dst", self.dst)
        if not wrong and (not rules.is_unicast(rules.ip_of(self.dst)) or rules.ip_of(self.dst).is_loopback):
            wrong = ["{0}dst: {1} is not the address of a neighbour".format(self.place, self.dst)]
        errors += wrong
        if self.present and self.dev == "lo":  # for all IPv4 addresses there it has one entry: arp_constructor()
            errors.append(
                "{0}dev: lo leads to no neighbour; give the link that leads to {1}".format(self.place, self.dst)
            )
        lladdr, proxy = self.values.get("lladdr"), self.values.get("proxy")
        errors += rules.check_mac(self.place + "lladdr", lladdr)
        if proxy and lladdr:
            errors.append("{0}lladdr: a proxy uses its own MAC address, not {1}".format(self.place, lladdr))
        if self.present and not proxy and not lladdr:
            errors.append("{0}lladdr: an entry for {1} needs the MAC address".format(self.place, self.dst))
        return errors

    def claims(self) -> list[tuple[str, str, str]]:
        """The address on the link."""
        kind = "proxy entry" if self.values.get("proxy") else "neighbor"
        value = "{0} dev {1} in {2}".format(self._ip(), self.dev, self.netns or "the host")
        return [(kind, value, self.place + "dst")]

    def plan(self, plan: Plan) -> None:
        """Add or remove the entry."""
        if not self.present:
            found = plan.snapshot.namespace(self.netns)
            there = self._there(plan, found) if found else None
            if found and there:
                plan.demand(found, found.links[self.dev], self.place + "dev", "lose an entry")
                remove(plan, found, there)
            return
        namespace = plan.namespace(self.netns, self.place + "netns")
        link = plan.link(namespace, self.dev, self.place + "dev", self.complete)
        plan.demand(namespace, link, self.place + "dev", "get an entry")
        state = "NONE" if self.values.get("proxy") else "PERMANENT"
        wanted = Neighbor(self._ip(), self.dev, state, **self.values)
        there = self._there(plan, namespace)
        if there is not None and _is_lost(plan, namespace, there):
            there = None
        if there != wanted:
            _put(plan, namespace, there, wanted)

    def _ip(self) -> str:
        return str(ipaddress.ip_address(self.dst))

    def _there(self, plan: Plan, namespace: Namespace) -> Neighbor | None:
        """The kernel's entry for the address."""
        if not _has_table(namespace, self.dev):
            return None
        return plan.snapshot.neighbors(namespace).get((self.dev, self._ip(), bool(self.values.get("proxy"))))


@dataclasses.dataclass
class Flush:
    """The removal of all entries of a namespace, or of one link, in certain states.

    :ivar states: as in iproute2, in lower case; empty for all except permanent ones.
    """

    netns: str
    dev: str | None = None
    states: list[str] = dataclasses.field(default_factory=list)
    place: str = ""

    def check(self) -> list[str]:
        """Names."""
        errors = rules.check_netns(self.place + "netns", self.netns)
        return errors + (rules.check_link_name(self.place + "dev", self.dev) if self.dev is not None else [])

    def claims(self) -> list[tuple[str, str, str]]:
        """The tables."""
        value = "{0} in {1}".format(self.dev or "all", self.netns or "the host")
        return [("neighbour table", value, self.place + "dev")]

    def plan(self, plan: Plan) -> None:
        """Remove the entries."""
        namespace = plan.namespace(self.netns, self.place + "netns")
        if self.dev is not None:
            plan.link(namespace, self.dev, self.place + "dev")
        for there in [] if namespace.new else plan.snapshot.neighbors(namespace).values():
            chosen = there.state.lower() in self.states if self.states else there.state != "PERMANENT"
            if chosen and not there.proxy and self.dev in (None, there.dev) and _has_table(namespace, there.dev):
                plan.demand(namespace, namespace.links[there.dev], self.place + "dev", "lose entries")
                remove(plan, namespace, there)


def _has_table(namespace: Namespace, dev: str) -> bool:
    """Whether a link has entries in the kernel that it still has when the plan runs."""
    found = namespace.links.get(dev)
    return not namespace.new and found is not None and not found.born and not found.moved


def _is_lost(plan: Plan, namespace: Namespace, entry: Neighbor) -> bool:
    """Whether the plan changes the link of an entry in a way that makes the kernel delete even a permanent entry."""
    if plan.forgotten is None:
        plan.forgotten = _forgotten(plan)
    family = "IPv6" if ":" in entry.dst else "IPv4"
    return not plan.forgotten.isdisjoint(
        (namespace.ref, entry.dev, what) for what in ("all", family, "" if entry.proxy else "not proxies")
    )


def _forgotten(plan: Plan) -> set[tuple[str, str, str]]:
    """The entries that the kernel deletes because of the plan: (namespace, link, a word for the entries).

    arp_ifdown() and neigh_changeaddr(): when the link goes down, loses its last IPv4 address, or gets another MAC.
    """
    found = set()
    addresses: dict[tuple[str, str], set[str]] = {}  # of IPv4, at the moment that the walk backwards has come to
    for change in reversed(plan.changes()):
        for operation in reversed(change.operations):
            if isinstance(operation, SetLink):
                if operation.values.get("up") is False:
                    found.add((operation.netns, operation.dev, "all"))
                elif operation.values.get("mac"):
                    found.add((operation.netns, operation.dev, "not proxies"))
            elif isinstance(operation, (AddAddress, DeleteAddress)) and operation.address.version == 4:
                place = (operation.netns, operation.dev)
                if place not in addresses:
                    addresses[place] = _ipv4_at_the_end(plan, *place)
                if isinstance(operation, AddAddress):
                    addresses[place].discard(operation.address.cidr)
                else:
                    if not addresses[place]:
                        found.add((*place, "IPv4"))
                    addresses[place].add(operation.address.cidr)
    return found


def _ipv4_at_the_end(plan: Plan, ref: str, dev: str) -> set[str]:
    namespace = plan.snapshot.namespace(ref)
    link = namespace.links.get(dev) if namespace else None
    return {one.cidr for one in link.addresses if one.version == 4} if link else set()


def _put(plan: Plan, namespace: Namespace, there: Neighbor | None, wanted: Neighbor) -> None:
    if there is not None and (there.proxy or there.state == "PERMANENT"):
        undo: Operation = AddNeighbor(namespace.ref, there)
    else:  # the kernel can learn these entries again
        undo = DeleteNeighbor(namespace.ref, wanted)
    plan.add(
        Stage.NEIGHBOR,
        namespace.ref,
        [AddNeighbor(namespace.ref, wanted)],
        [undo],
        _where(wanted),
        _text(there) if there else None,
        _text(wanted),
        [enter(namespace, "ip neigh replace " + _words(wanted))],
    )


def remove(plan: Plan, namespace: Namespace, there: Neighbor) -> None:
    plan.add(
        Stage.REMOVE_NEIGHBOR,
        namespace.ref,
        [DeleteNeighbor(namespace.ref, there)],
        [AddNeighbor(namespace.ref, there)] if there.lladdr or there.proxy else [],
        _where(there),
        _text(there),
        None,
        [enter(namespace, "ip neigh del {0} dev {1}".format(_address(there), shlex.quote(there.dev)))],
    )


def _where(neighbor: Neighbor) -> tuple[str, ...]:
    return ("links", neighbor.dev, "proxies" if neighbor.proxy else "neighbors", neighbor.dst)


def _text(neighbor: Neighbor) -> str:
    found = ["proxy"] if neighbor.proxy else [neighbor.lladdr, neighbor.state.lower()]
    return " ".join(word for word in [*found, *fields.words(fields.NEIGHBOR, _flags(neighbor))] if word)


def _words(neighbor: Neighbor) -> str:
    lladdr = fields.words(fields.NEIGHBOR, {"lladdr": neighbor.lladdr}) if neighbor.lladdr else []
    state = [] if neighbor.proxy else ["nud", neighbor.state.lower()]
    flags = fields.words(fields.NEIGHBOR, _flags(neighbor))
    return " ".join([_address(neighbor), *lladdr, "dev", shlex.quote(neighbor.dev), *state, *flags])


def _address(neighbor: Neighbor) -> str:
    """The address as an argument of ip-neighbour(8)."""
    return ("proxy " if neighbor.proxy else "") + neighbor.dst


def _flags(neighbor: Neighbor) -> dict[str, bool]:
    """What else an entry has that a new one has not."""
    return {name: getattr(neighbor, name) for name, new in _USUAL_FLAGS if getattr(neighbor, name) != new}
