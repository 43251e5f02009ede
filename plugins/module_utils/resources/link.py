# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The resource `link`: settings of an existing link; and code that veth and bridge share with it."""

from __future__ import annotations

import dataclasses
import shlex
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils import fields, rules
from ansible_collections.linuxnet.lab.plugins.module_utils.commands import enter, set_command
from ansible_collections.linuxnet.lab.plugins.module_utils.errors import LabError
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.actions import Operation
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.addresses import AddAddress
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.links import (
    GROUPS,
    AddAltname,
    DeleteAltname,
    DeleteLink,
    DeleteVeth,
    SetLink,
)
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.objects import KERNEL_PROTOCOL, Link
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.routes import AddRoute, put_back
from ansible_collections.linuxnet.lab.plugins.module_utils.plan import Plan, Stage
from ansible_collections.linuxnet.lab.plugins.module_utils.resources import adopted, crossing, guard
from ansible_collections.linuxnet.lab.plugins.module_utils.snapshot import Namespace, mark

# The names in the diff, where they differ.
_SHOWN = {"alias": "owner"}

# ip-link(8)'s word for a change of altnames, what makes the change, and what takes it back.
_AltnameWords = tuple[str, type[t.Union[AddAltname, DeleteAltname]], type[t.Union[AddAltname, DeleteAltname]]]


@dataclasses.dataclass
class Settings:
    """The desired settings of a link. None keeps a setting. An empty `master` removes the link from its bridge.

    :ivar altname: an alternative name, which may be longer; existing ones stay.
    :ivar more: further settings, by the names of :data:`.fields.LINK` and :data:`.fields.PORT`.
    """

    up: bool | None = None
    mtu: int | None = None
    mac: str | None = None
    master: str | None = None
    altname: str | None = None
    more: dict[str, t.Any] = dataclasses.field(default_factory=dict)

    @classmethod
    def of(cls, item: t.Mapping[str, t.Any], **others: t.Any) -> Settings:
        """The settings in the options of a module or the keys of a topology. *others* take precedence."""
        named = {name: item.get(name) for name in ("up", "mtu", "mac", "master")}
        named["mac"] = named["mac"].lower() if named["mac"] else None
        return cls(**{**named, **others}, more=fields.given(fields.usual(fields.LINK), item))

    def check(self, place: str) -> list[str]:
        """MTU, MAC and names; `place` ends in a dot, or is empty."""
        errors = rules.check_mtu(place + "mtu", self.mtu) + rules.check_mac(place + "mac", self.mac)
        if self.master:
            errors += rules.check_link_name(place + "master", self.master)
        if self.altname is not None:
            errors += rules.check_altname(place + "altname", self.altname)
        return errors

    def claims(self, place: str) -> list[tuple[str, str, str]]:
        """The MAC address, because two links with the same one do not reach each other."""
        return [("MAC", self.mac, place + "mac")] if self.mac else []

    def given(self) -> dict[str, t.Any]:
        """The settings that are not None, by name, without the altname, of which a link may have several."""
        named = (("up", self.up), ("mtu", self.mtu), ("mac", self.mac), ("master", self.master))
        return {**{name: value for name, value in named if value is not None}, **self.more}


@dataclasses.dataclass
class LinkSettings:
    """Settings of an existing link. With `present` false, its removal."""

    netns: str
    name: str
    settings: Settings
    present: bool = True
    place: str = ""

    def check(self) -> list[str]:
        """Names and values."""
        return (
            rules.check_netns(self.place + "netns", self.netns)
            + rules.check_link_name(self.place + "name", self.name)
            + self.settings.check(self.place)
        )

    def claims(self) -> list[tuple[str, str, str]]:
        """The link, its MAC."""
        return [link_claim(self.netns, self.name, self.place + "name"), *self.settings.claims(self.place)]

    def plan(self, plan: Plan) -> None:
        """Change the settings that differ, or delete the link."""
        if not self.present:
            namespace = plan.snapshot.namespace(self.netns)
            link = namespace.links.get(self.name) if namespace else None
            if namespace and link:
                plan.demand(namespace, link, self.place + "name", "be deleted")
                end(plan, namespace, link)
            return
        namespace = plan.namespace(self.netns, self.place + "netns")
        link = plan.link(namespace, self.name, self.place + "name")
        plan.demand(namespace, link, self.place + "name")
        configure(plan, namespace, link, self.settings, self.place)


def link_claim(netns: str, name: str, place: str) -> tuple[str, str, str]:
    """The claim of a resource on a link's name."""
    return ("link", "{0!r} in {1}".format(name, netns or "the host"), place)


def master_of(plan: Plan, namespace: Namespace, name: str, place: str) -> None:
    """LabError if there is no bridge with that name for a port."""
    master = plan.link(namespace, name, place + "master")
    if master.kind not in ("bridge", "") or (not master.kind and not plan.is_assumed(namespace, name)):
        raise LabError(
            "{0}master: {1!r} in {2} is a {3}, not a bridge".format(
                place, name, namespace.title, master.kind or "link of its own"
            )
        )


def configure(
    plan: Plan,
    namespace: Namespace,
    link: Link,
    settings: Settings,
    place: str,
    marked: bool = False,
    stage: Stage = Stage.CONFIGURE,
) -> None:
    """Plan the settings that differ, in one message. A bridge comes up later. *marked* adds the lab's mark."""
    guard.follow(plan, namespace)
    if settings.altname is not None and settings.altname not in (link.name, *link.altnames):
        add_altname(plan, namespace, link, settings.altname)
    if settings.master:
        master_of(plan, namespace, settings.master, place)
    given = settings.given()
    differing = {
        name: value for name, value in given.items() if name not in fields.PORT and getattr(link, name) != value
    }
    if differing.get("mtu"):
        _check_ipv6(namespace, link, differing["mtu"], place)
    if link.kind == "bridge" and differing.get("up"):
        _change(plan, Stage.BRIDGE_UP, namespace, link, {"up": differing.pop("up")})
    if marked and not plan.owns(link):
        adopted.take_over(plan, namespace, link)
    elif marked and link.alias != mark(plan.lab):
        differing["alias"] = mark(plan.lab)
    if marked and link.group in GROUPS:  # a removal was killed
        differing["group"] = 0
    if differing:
        _change(plan, stage, namespace, link, differing)
    # The kernel accepts them only for a link that is already a port.
    more = settings.more
    port = {name: value for name, value in more.items() if name in fields.PORT and getattr(link, name) != value}
    if port:
        _change(plan, stage, namespace, link, port)


def _check_ipv6(namespace: Namespace, link: Link, mtu: int, place: str) -> None:
    """LabError if an MTU would remove IPv6 from a link that has addresses (addrconf_notify() of addrconf.c)."""
    lost = [one.cidr for one in link.addresses if one.version == 6 and not one.is_link_local]
    if mtu < rules.IPV6_MIN_MTU and lost:
        raise LabError(
            "{0}mtu: IPv6 needs an MTU of {1} or more; with {2}, {3!r} in {4} would lose {5}: delete it first".format(
                place, rules.IPV6_MIN_MTU, mtu, link.name, namespace.title, ", ".join(lost)
            )
        )


def _change(plan: Plan, stage: Stage, namespace: Namespace, link: Link, values: dict[str, t.Any]) -> None:
    before = {name: getattr(link, name) for name in values}
    undo: list[Operation] = [SetLink(namespace.ref, link.name, before)]
    note, forget = adopted.note_settings(plan, namespace, link, before, values)
    if "master" in values:  # a port loses its settings when it leaves its bridge
        of_port = {name: value for name, value in link.unusual.items() if name in fields.PORT}
        undo += [SetLink(namespace.ref, link.name, of_port)] if of_port else []
        for name in of_port:
            del link.unusual[name]
    if values.get("up") is False:
        lost = what_going_down_takes(namespace, link)
        undo += lost
        for one in [one.address for one in lost if isinstance(one, AddAddress)]:
            adopted.note_address(plan, namespace, link, one, added=False)
        adopted.note_routes(plan, namespace, link, [one.route for one in lost if isinstance(one, AddRoute)])
    for name, value in values.items():
        link.put(name, value)
    if "up" in values:
        namespace.set_up(link, values["up"])
    shown = [name for name in values if name != "alias"]
    plan.add(
        stage,
        namespace.ref,
        [*note, SetLink(namespace.ref, link.name, values)],
        [*undo, *forget],
        ("links", link.name),
        {_SHOWN.get(name, name): before[name] for name in values if not (link.born and name == "alias")},
        {_SHOWN.get(name, name): values[name] for name in values if not (link.born and name == "alias")},
        [enter(namespace, set_command(link.name, {name: values[name] for name in shown}))] if shown else [],
    )


def add_altname(plan: Plan, namespace: Namespace, link: Link, altname: str) -> None:
    """Plan an alternative name of a link."""
    _set_altnames(plan, namespace, link, (*link.altnames, altname), ("add", AddAltname, DeleteAltname), altname)


def remove_altname(plan: Plan, namespace: Namespace, link: Link, altname: str) -> None:
    """Plan the removal of an alternative name of a link."""
    left = tuple(one for one in link.altnames if one != altname)
    _set_altnames(plan, namespace, link, left, ("del", DeleteAltname, AddAltname), altname)


def _set_altnames(
    plan: Plan, namespace: Namespace, link: Link, altnames: tuple[str, ...], how: _AltnameWords, altname: str
) -> None:
    """Plan changes of alternative names."""
    word, action, back = how
    before, link.altnames = link.altnames, altnames
    names = (word, *map(shlex.quote, (link.name, altname)))
    note, forget = adopted.note_settings(plan, namespace, link, {}, {"altnames": [*set(altnames) - set(before)]})
    plan.add(
        Stage.CONFIGURE,
        namespace.ref,
        [*note, action(namespace.ref, link.name, altname)],
        [back(namespace.ref, link.name, altname), *forget],
        ("links", link.name, "altnames"),
        list(before),
        list(link.altnames),
        [enter(namespace, "ip link property {0} dev {1} altname {2}".format(*names))],
    )


def what_going_down_takes(namespace: Namespace, link: Link) -> list[Operation]:
    """The operations that restore what the kernel removes from a link when it goes down, and does not restore itself.
    """
    addresses = [one for one in link.addresses if one.version == 6 and not one.is_link_local]
    routes = [one for family in (4, 6) for one in namespace.table(family).of_link(link.name)]
    return [
        *(AddAddress(namespace.ref, link.name, one) for one in addresses),
        *(put_back(namespace.ref, one) for one in routes if one.protocol != KERNEL_PROTOCOL),
    ]


def end(plan: Plan, namespace: Namespace, link: Link) -> None:
    """Plan the removal of a link. If the lab has only changed a link of somebody else, plan to restore it."""
    if adopted.is_known(plan, namespace, link):
        adopted.release(plan, namespace, link)
    else:
        remove(plan, namespace, link)


def remove(plan: Plan, namespace: Namespace, link: Link) -> None:
    """Plan the removal of a link, and of the other end of a veth."""
    other = plan.snapshot.peer(namespace, link) if link.kind == "veth" and link.index else None
    delete = DeleteVeth if link.kind == "veth" else DeleteLink
    plan.add(
        Stage.REMOVE_BRIDGE if link.kind == "bridge" else Stage.REMOVE_LINK,
        namespace.ref,
        [delete(namespace.ref, link.name)],
        [],
        ("links", link.name),
        shape(link),
        None,
        [enter(namespace, "ip link del dev {0}".format(shlex.quote(link.name)))],
    )
    host = next((one for one in (namespace, other[0] if other else namespace) if not one.ref), None)
    if host:  # its firewalls may have exceptions for the link
        crossing.cross(plan, host)
        guard.follow(plan, host)
    namespace.drop_link(link.name)
    if other:
        other[0].drop_link(other[1].name)


def shape(link: Link) -> dict[str, t.Any]:
    """A link in the diff."""
    shown: dict[str, t.Any] = {"kind": link.kind, "mtu": link.mtu, "up": link.up}
    if link.master:
        shown["master"] = link.master
    addresses = [address.cidr for address in link.addresses if not address.is_link_local]
    if addresses:
        shown["addresses"] = addresses
    return shown
