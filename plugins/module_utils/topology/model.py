# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The data classes of a lab, with all names, addresses and links: the result of the layout."""

from __future__ import annotations

import dataclasses
import typing as t


@dataclasses.dataclass
class Node:
    """A namespace; the host's has an empty `ref`.

    :ivar forwarding: None where nothing was said: it then forwards nothing unless the kernel lets new ones do so.
    """

    ref: str
    place: str
    held: bool = False
    hostname: str | None = None
    forwarding: bool | None = None
    sysctls: dict[str, str] = dataclasses.field(default_factory=dict)
    lo: list[str] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Bridge:
    """A bridge. `label` is how the topology calls it, `name` and `altname` how the kernel does.

    :ivar addresses: as CIDR strings. :ivar address_options: by the names of :data:`.fields.ADDRESS`.
    :ivar options: by the names of :data:`.fields.BRIDGE`.
    """

    label: str
    place: str
    netns: str
    name: str = ""
    altname: str | None = None
    addresses: list[str] = dataclasses.field(default_factory=list)
    address_options: dict[str, t.Any] = dataclasses.field(default_factory=dict)
    mac: str | None = None
    mtu: int | None = None
    options: dict[str, t.Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class End:
    """One end of a link: what a namespace sees of it. Where `bridge` is set, it is a port of that bridge.

    :ivar addresses: as CIDR strings; None until it is known whether they come by themselves.
    :ivar address_options: by the names of :data:`.fields.ADDRESS`.
    :ivar more: further settings, by the names of :data:`.fields.LINK`.
    """

    netns: str
    place: str
    bridge: Bridge | None = None
    name: str = ""
    altname: str | None = None
    addresses: list[str] | None = None
    address_options: dict[str, t.Any] = dataclasses.field(default_factory=dict)
    mac: str | None = None
    mtu: int | None = None
    up: bool = True
    more: dict[str, t.Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class Link:
    """A veth pair. `segment` is the label of the segment that it belongs to, empty for none."""

    ends: tuple[End, End]
    place: str
    segment: str = ""

    @property
    def mtu(self) -> int | None:
        """That of both ends, also where one alone says it; None where neither does."""
        return self.ends[1].mtu if self.ends[0].mtu is None else self.ends[0].mtu


@dataclasses.dataclass
class Segment:
    """A segment: its prefixes and who is on it.

    :ivar prefixes: in CIDR form, at most one of each family. :ivar gateways: the gateway's addresses.
    :ivar refs: the namespaces of the members. :ivar followers: the members that get a default route by the gateway.
    """

    label: str
    place: str
    bridge: Bridge
    prefixes: list[str] = dataclasses.field(default_factory=list)
    gateway: str | None = None
    gateways: list[str] = dataclasses.field(default_factory=list)
    members: list[End] = dataclasses.field(default_factory=list)
    refs: set[str] = dataclasses.field(default_factory=set)
    followers: list[End] = dataclasses.field(default_factory=list)

    def link_of(self, netns: str) -> str | None:
        """The name of the link by which a namespace is on it; None where it is not."""
        if netns == self.bridge.netns:
            return self.bridge.name
        return next((end.name for end in self.members if end.netns == netns), None)


class Route(t.NamedTuple):
    """A route; the fields are ip-route(8)'s, None where they were not said."""

    netns: str
    dst: str
    place: str
    via: str | None = None
    dev: str | None = None
    options: t.Mapping[str, t.Any] = {}
    present: bool = True


@dataclasses.dataclass
class Lab:
    """A whole lab.

    :ivar nodes: by the name that the topology gives them. :ivar bridges: by label, segments' ones included.
    :ivar strangers: names of namespaces that it refers to and does not have.
    :ivar neighbors: :ivar masquerades: :ivar checks: as (place, values of the shape of that name).
    :ivar warnings: what is probably not meant.
    :ivar host_firewall: what happens where somebody else's firewall is in the way: ``allow`` or ``leave``.
    :ivar foreign: what happens to what somebody else added to its namespaces: ``keep`` or ``remove``.
    """

    name: str
    nodes: dict[str, Node] = dataclasses.field(default_factory=dict)
    strangers: set[str] = dataclasses.field(default_factory=set)
    bridges: dict[str, Bridge] = dataclasses.field(default_factory=dict)
    segments: dict[str, Segment] = dataclasses.field(default_factory=dict)
    links: list[Link] = dataclasses.field(default_factory=list)
    routes: list[Route] = dataclasses.field(default_factory=list)
    neighbors: list[tuple[str, dict[str, t.Any]]] = dataclasses.field(default_factory=list)
    masquerades: list[tuple[str, dict[str, t.Any]]] = dataclasses.field(default_factory=list)
    checks: list[tuple[str, dict[str, t.Any]]] = dataclasses.field(default_factory=list)
    warnings: list[str] = dataclasses.field(default_factory=list)
    host_firewall: str = "allow"
    foreign: str = "keep"

    def ends(self) -> t.Iterator[End]:
        """The ends of all links."""
        for link in self.links:
            yield from link.ends

    def bridges_and_ends(self) -> list[Bridge | End]:
        """The bridges, and the ends of all links."""
        found: list[Bridge | End] = list(self.bridges.values())
        return [*found, *self.ends()]

    def addresses(self) -> dict[str, list[str]]:
        """The addresses of each namespace, as CIDR strings: those of its `lo` first."""
        found = {node.ref: list(node.lo) for node in self.nodes.values()}
        for one in self.bridges_and_ends():
            found.setdefault(one.netns, []).extend(one.addresses or [])
        return found

    def own_addresses(self) -> dict[str, list[str]]:
        """By which addresses others reach each namespace: those of its `lo`, or else of all its links."""
        everything = self.addresses()
        for node in self.nodes.values():
            if node.lo:
                everything[node.ref] = list(node.lo)
        return everything
