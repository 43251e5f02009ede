# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The resource `veth`: a veth pair."""

from __future__ import annotations

import dataclasses
import os
import shlex
import typing as t
from functools import partial

from ansible_collections.linuxnet.lab.plugins.module_utils import rules
from ansible_collections.linuxnet.lab.plugins.module_utils.commands import enter, netns_word, set_command
from ansible_collections.linuxnet.lab.plugins.module_utils.errors import LabError, each
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.actions import Operation
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.addresses import AddAddress
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.links import CreateVeth, DeleteVeth, SetLink
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.objects import Link
from ansible_collections.linuxnet.lab.plugins.module_utils.plan import Plan, Stage
from ansible_collections.linuxnet.lab.plugins.module_utils.resources import address, link
from ansible_collections.linuxnet.lab.plugins.module_utils.snapshot import Namespace


@dataclasses.dataclass
class End:
    """One end of a pair."""

    netns: str
    name: str
    settings: link.Settings = dataclasses.field(default_factory=link.Settings)
    addresses: address.Addresses = dataclasses.field(default_factory=address.Addresses)
    place: str = ""

    def check(self) -> list[str]:
        """Names, values, addresses."""
        return (
            rules.check_netns(self.place + "netns", self.netns)
            + rules.check_link_name(self.place + "name", self.name)
            + self.settings.check(self.place)
            + self.addresses.check(self.place, self.settings.mtu)
        )

    def claims(self) -> list[tuple[str, str, str]]:
        """The link, its addresses, its MAC."""
        own = link.link_claim(self.netns, self.name, self.place + "name")
        addresses = self.addresses.claims(self.place + "addresses")
        return [own, *addresses, *self.settings.claims(self.place)]


class _Found(t.NamedTuple):
    """An end in the kernel."""

    namespace: Namespace
    link: Link


@dataclasses.dataclass
class Veth:
    """A veth pair, whose ends are equivalent."""

    end: End
    peer: End
    present: bool = True

    def __post_init__(self) -> None:
        """If only one end has an MTU, both ends get it."""
        mtu = self.end.settings.mtu or self.peer.settings.mtu
        for end in (self.end, self.peer):
            if end.settings.mtu != mtu and not end.settings.mtu:
                end.settings = dataclasses.replace(end.settings, mtu=mtu)

    def check(self) -> list[str]:
        """Errors in both ends, and in their combination."""
        errors = self.end.check()
        if self.present:
            nameless = "{0}name: the other end of the pair needs a name".format(self.peer.place)
            errors += self.peer.check() if self.peer.name else [nameless]
        mtus = {self.end.settings.mtu, self.peer.settings.mtu} - {None}
        if len(mtus) > 1:
            errors.append(
                "{0}mtu: {1} and {2} at the two ends would lose packets of the sizes in between".format(
                    self.peer.place, self.end.settings.mtu, self.peer.settings.mtu
                )
            )
        return errors

    def claims(self) -> list[tuple[str, str, str]]:
        """The claims of both ends."""
        return self.end.claims() + (self.peer.claims() if self.present else [])

    def plan(self, plan: Plan) -> None:
        """Create, correct or delete the pair."""
        if not self.present:
            self._remove(plan)
            return
        wanted = (self.end, self.peer)
        homes = each(partial(plan.namespace, end.netns, end.place + "netns") for end in wanted)
        ends = self._find(plan, homes) or self._create(plan, homes)
        each(partial(self._configure, plan, *one) for one in zip(wanted, homes, ends))

    def _configure(self, plan: Plan, wanted: End, home: Namespace, found: _Found) -> None:
        plan.demand(found.namespace, found.link, wanted.place + "name")
        # Where the pair says nothing of addresses they stay, whatever the way to the name or the place takes.
        stay = address.set_by_somebody(found.link) if wanted.addresses.cidrs is None else []
        self._move(plan, home, found, wanted.name, wanted.place + "name")
        back = stay + address.take_away(plan, home, found.link, wanted.addresses)
        link.configure(plan, home, found.link, wanted.settings, wanted.place, marked=True)
        address.add(plan, home, found.link, wanted.addresses, wanted.place + "addresses", back)

    def _remove(self, plan: Plan) -> None:
        """Delete the pair by either end."""
        for wanted in (self.end, self.peer):
            namespace = plan.snapshot.namespace(wanted.netns) if wanted.name else None
            found = namespace.links.get(wanted.name) if namespace else None
            if namespace and found:
                plan.demand(namespace, found, wanted.place + "name", "be deleted")
                if found.kind != "veth":
                    raise LabError(
                        "{0}name: {1!r} in {2} is not a veth".format(wanted.place, wanted.name, namespace.title)
                    )
                link.end(plan, namespace, found)

    def _find(self, plan: Plan, homes: list[Namespace]) -> tuple[_Found, _Found] | None:
        """The ends of the pair, wherever they are, if at least one of them has the right place and name."""
        there: list[_Found | None] = []
        for wanted, home in zip((self.end, self.peer), homes):
            found = home.links.get(wanted.name)
            if found is not None and not (plan.is_assumed(home, wanted.name) and not found.kind):
                plan.demand(home, found, wanted.place + "name")
                if found.kind != "veth":
                    raise LabError(
                        "{0}name: {1!r} in {2} is a {3}, not a veth".format(
                            wanted.place, wanted.name, home.title, found.kind or "link of its own"
                        )
                    )
                there.append(_Found(home, found))
            else:
                there.append(None)
        first, second = there
        known = first or second
        if known is None:
            return None
        if first and second and plan.snapshot.are_pair(*first, *second):
            return first, second
        other = plan.snapshot.peer(*known)
        if other is None:
            raise LabError(
                "{0}name: the peer of {1!r} in {2} is in a namespace that cannot be found".format(
                    self.end.place if first else self.peer.place, known.link.name, known.namespace.title
                )
            )
        if first and second:
            raise LabError(
                "{0}name: {1!r} in {2} is the peer of {3!r} in {4}, not of {5!r} in {6}".format(
                    self.end.place,
                    first.link.name,
                    first.namespace.title,
                    other[1].name,
                    other[0].title,
                    second.link.name,
                    second.namespace.title,
                )
            )
        return (known, _Found(*other)) if first else (_Found(*other), known)

    def _create(self, plan: Plan, homes: list[Namespace]) -> tuple[_Found, _Found]:
        """Plan the creation of the pair: each end in its namespace, the outer one with its master and up."""
        pairs = list(zip((self.end, self.peer), homes))
        # The message goes to the outer end's namespace. The host's end is the outer one, so that no descriptor of
        # the host is needed; else that with a master, which the kernel takes from the outer end alone.
        swapped = (bool(self.end.netns), not self.end.settings.master) > (
            bool(self.peer.netns),
            not self.peer.settings.master,
        )
        (outer, outer_home), (inner, inner_home) = reversed(pairs) if swapped else pairs
        if outer.settings.master:
            link.master_of(plan, outer_home, outer.settings.master, outer.place)
        up = bool(outer.settings.up)
        links = {}
        for wanted, home in pairs:
            links[wanted.place] = home.links[wanted.name] = Link(
                wanted.name,
                kind="veth",
                mtu=wanted.settings.mtu or 1500,
                # A random address from here, because udev replaces the kernel's random one a moment later.
                mac=wanted.settings.mac or _random_mac(),
                born=True,
            )
        mine, other = links[outer.place], links[inner.place]
        mine.up, mine.master = up, outer.settings.master or ""
        create = CreateVeth(
            outer_home.ref,
            name=mine.name,
            mtu=mine.mtu,
            mac=mine.mac,
            master=mine.master,
            up=up,
            peer=other.name,
            peer_netns=inner_home.ref,
            peer_mtu=other.mtu,
            peer_mac=other.mac,
        )
        command = "ip link add name {0} type veth peer name {1}{2}".format(
            _words(outer), _words(inner), "" if inner_home is outer_home else " netns " + netns_word(inner_home)
        )
        commands = [enter(outer_home, command)]
        later = {name: value for name, value in (("master", mine.master), ("up", up)) if value}
        if later:
            commands.append(enter(outer_home, set_command(mine.name, later)))
        plan.add(
            Stage.LINK,
            outer_home.ref,
            [create],
            [DeleteVeth(outer_home.ref, mine.name)],
            ("links", mine.name),
            None,
            {"kind": "veth", "peer": "{0} in {1}".format(other.name, inner_home.ref or "the host"), **later},
            commands,
        )
        # The other end's share of the same change, for the diff alone.
        shown = {"kind": "veth", "peer": "{0} in {1}".format(mine.name, outer_home.ref or "the host")}
        plan.add(Stage.LINK, inner_home.ref, [], [], ("links", other.name), None, shown, [])
        return tuple(_Found(home, links[wanted.place]) for wanted, home in pairs)  # type: ignore[return-value]

    def _move(self, plan: Plan, home: Namespace, found: _Found, name: str, place: str) -> None:
        """Plan the move of an end to its namespace and name. In another namespace it loses its addresses and master."""
        source, moving = found
        old_name = moving.name
        if source is home and old_name == name:
            return
        if name in home.links:
            raise LabError("{0}: {1!r} is already in {2}".format(place, name, home.title))
        if not plan.owns(moving):
            raise LabError(
                "{0}: {1!r} in {2} was there before lab {3!r}: by force its settings are changed, but neither its name"
                " nor its namespace".format(place, old_name, source.title, plan.lab)
            )
        if moving.up:  # a link that is up cannot be renamed by older kernels
            link.configure(plan, source, moving, link.Settings(up=False), place, stage=Stage.LINK)
        go = SetLink(source.ref, old_name, name=name)
        back = SetLink(home.ref, name, name=old_name)
        undo: list[Operation] = [back]
        words = ["ip link set dev", shlex.quote(old_name), *(["name", shlex.quote(name)] if name != old_name else [])]
        if source is not home:
            go.to_netns, back.to_netns = home.ref, source.ref
            undo.append(SetLink(source.ref, old_name, {"master": moving.master}))
            undo += [AddAddress(source.ref, old_name, one) for one in moving.addresses]
            moving.master, moving.addresses = "", []
            words += ["netns", netns_word(home)]
        source.drop_link(old_name)
        moving.name, moving.moved = name, True
        home.links[name] = moving
        plan.add(
            Stage.LINK,
            source.ref,
            [go],
            undo,
            ("links", old_name),
            {"name": old_name, "netns": source.ref or "host"},
            {"name": name, "netns": home.ref or "host"},
            [enter(source, " ".join(words))],
        )


def _words(end: End) -> str:
    """An end as arguments of `ip link add ... type veth`."""
    words = [shlex.quote(end.name)]
    words += ["mtu", str(end.settings.mtu)] if end.settings.mtu else []
    words += ["address", end.settings.mac] if end.settings.mac else []
    return " ".join(words)


def _random_mac() -> str:
    """A locally administered unicast address (IEEE 802)."""
    raw = bytearray(os.urandom(6))
    raw[0] = raw[0] & 0xFC | 0x02
    return ":".join("{0:02x}".format(byte) for byte in raw)
