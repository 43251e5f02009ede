# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The data classes of a lab, with all names, addresses and links: the result of the layout."""

from __future__ import annotations

import dataclasses
import typing as t


@dataclasses.dataclass
class Node:
    """A namespace. The host's has an empty `ref`.

    :ivar forwarding: None if the topology does not set it. The namespace then has the kernel's default.
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
    """A bridge. `label` is its name in the topology, `name` and `altname` are its names in the kernel.

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
    """One end of a link. If `bridge` is set, it is a port of that bridge.

    :ivar addresses: as CIDR strings; None if the topology does not set them, until the layout chooses them.
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
    """A veth pair. `segment` is the label of its segment, empty for none."""

    ends: tuple[End, End]
    place: str
    segment: str = ""

    @property
    def mtu(self) -> int | None:
        """The MTU of both ends, from either of them. None if neither sets it."""
        return self.ends[1].mtu if self.ends[0].mtu is None else self.ends[0].mtu


@dataclasses.dataclass
class Segment:
    """A segment: its prefixes and members.

    :ivar prefixes: in CIDR form, at most one of each family. :ivar gateways: the gateway's addresses.
    :ivar refs: the namespaces of the members. :ivar followers: the members that get a default route through the
        gateway.
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
        """The name of the link of a namespace to the segment. None if it has none."""
        if netns == self.bridge.netns:
            return self.bridge.name
        return next((end.name for end in self.members if end.netns == netns), None)


class Route(t.NamedTuple):
    """A route. The fields are those of ip-route(8), None if not set. `nexthops` as in `resources/route.py`."""

    netns: str
    dst: str
    place: str
    via: str | None = None
    dev: str | None = None
    options: t.Mapping[str, t.Any] = {}
    present: bool = True
    nexthops: list[dict[str, t.Any]] | None = None

    @property
    def gateways(self) -> list[str]:
        """Its gateways: several of a multipath route."""
        return [via for via in [self.via, *(hop.get("via") for hop in self.nexthops or ())] if via]


@dataclasses.dataclass
class Lab:
    """A whole lab.

    :ivar nodes: by name in the topology. :ivar bridges: by label, including those of segments.
    :ivar strangers: names of namespaces that the topology refers to but does not declare.
    :ivar rules: :ivar neighbors: :ivar masquerades: :ivar checks: as (place, values of the shape of that name).
    :ivar warnings: probable mistakes.
    :ivar host_firewall: what to do if another program's firewall drops the lab's packets: ``allow`` or ``leave``.
    :ivar foreign: what to do with objects that somebody else added to its namespaces: ``keep`` or ``remove``.
    """

    name: str
    nodes: dict[str, Node] = dataclasses.field(default_factory=dict)
    strangers: set[str] = dataclasses.field(default_factory=set)
    bridges: dict[str, Bridge] = dataclasses.field(default_factory=dict)
    segments: dict[str, Segment] = dataclasses.field(default_factory=dict)
    links: list[Link] = dataclasses.field(default_factory=list)
    routes: list[Route] = dataclasses.field(default_factory=list)
    rules: list[tuple[str, dict[str, t.Any]]] = dataclasses.field(default_factory=list)
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
        """The addresses at which others reach each namespace: those of its `lo`, or else of all its links."""
        everything = self.addresses()
        for node in self.nodes.values():
            if node.lo:
                everything[node.ref] = list(node.lo)
        return everything
