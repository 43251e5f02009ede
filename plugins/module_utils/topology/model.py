# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A lab with every name, address and cable in its place: what a topology comes to, before it is made resources of."""

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
class Switch:
    """A bridge. `label` is how the topology calls it, `name` and `altname` how the kernel does.

    :ivar addresses: as CIDR strings. :ivar options: by the names of :data:`.fields.BRIDGE`.
    """

    label: str
    place: str
    netns: str
    name: str = ""
    altname: str | None = None
    addresses: list[str] = dataclasses.field(default_factory=list)
    broadcast: bool = False
    dad: bool = False
    mac: str | None = None
    mtu: int | None = None
    options: dict[str, t.Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class Plug:
    """One end of a cable: a link in a namespace, on a bridge there where `switch` is one.

    :ivar addresses: as CIDR strings; None until it is known whether they come by themselves.
    :ivar more: further settings, by the names of :data:`.fields.LINK`.
    """

    netns: str
    place: str
    switch: Switch | None = None
    name: str = ""
    altname: str | None = None
    addresses: list[str] | None = None
    broadcast: bool = False
    dad: bool = False
    mac: str | None = None
    mtu: int | None = None
    up: bool = True
    more: dict[str, t.Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class Cable:
    """A veth pair. `segment` is the label of the segment that it belongs to, empty for none."""

    ends: tuple[Plug, Plug]
    place: str
    segment: str = ""

    @property
    def mtu(self) -> int | None:
        """That of both ends, also where one alone says it; None where neither does."""
        return self.ends[1].mtu if self.ends[0].mtu is None else self.ends[0].mtu


@dataclasses.dataclass
class Network:
    """A segment: its prefixes and who is on it.

    :ivar prefixes: in CIDR form, at most one of each family. :ivar gateways: the gateway's addresses.
    :ivar refs: the namespaces of the members. :ivar followers: the members that get a default route by the gateway.
    """

    label: str
    place: str
    switch: Switch
    prefixes: list[str] = dataclasses.field(default_factory=list)
    gateway: str | None = None
    gateways: list[str] = dataclasses.field(default_factory=list)
    members: list[Plug] = dataclasses.field(default_factory=list)
    refs: set[str] = dataclasses.field(default_factory=set)
    followers: list[Plug] = dataclasses.field(default_factory=list)

    def link_of(self, netns: str) -> str | None:
        """The name of the link by which a namespace is on it; None where it is not."""
        if netns == self.switch.netns:
            return self.switch.name
        return next((plug.name for plug in self.members if plug.netns == netns), None)


class Way(t.NamedTuple):
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

    :ivar nodes: by the name that the topology gives them. :ivar switches: by label, segments' ones included.
    :ivar strangers: names of namespaces that it refers to and does not have.
    :ivar neighbors: :ivar masquerades: :ivar checks: as (place, values of the shape of that name).
    :ivar host_firewall: what happens where somebody else's firewall is in the way: ``allow`` or ``leave``.
    """

    name: str
    nodes: dict[str, Node] = dataclasses.field(default_factory=dict)
    strangers: set[str] = dataclasses.field(default_factory=set)
    switches: dict[str, Switch] = dataclasses.field(default_factory=dict)
    networks: dict[str, Network] = dataclasses.field(default_factory=dict)
    cables: list[Cable] = dataclasses.field(default_factory=list)
    ways: list[Way] = dataclasses.field(default_factory=list)
    neighbors: list[tuple[str, dict[str, t.Any]]] = dataclasses.field(default_factory=list)
    masquerades: list[tuple[str, dict[str, t.Any]]] = dataclasses.field(default_factory=list)
    checks: list[tuple[str, dict[str, t.Any]]] = dataclasses.field(default_factory=list)
    host_firewall: str = "allow"

    def plugs(self) -> t.Iterator[Plug]:
        """The ends of all cables."""
        for cable in self.cables:
            yield from cable.ends

    def links(self) -> list[Switch | Plug]:
        """The bridges, and the ends of all links."""
        found: list[Switch | Plug] = list(self.switches.values())
        return [*found, *self.plugs()]

    def addresses(self) -> dict[str, list[str]]:
        """The addresses of each namespace, as CIDR strings: those of its `lo` first."""
        found = {node.ref: list(node.lo) for node in self.nodes.values()}
        for one in self.links():
            found.setdefault(one.netns, []).extend(one.addresses or [])
        return found

    def own_addresses(self) -> dict[str, list[str]]:
        """By which addresses others reach each namespace: those of its `lo`, or else of all its links."""
        everything = self.addresses()
        for node in self.nodes.values():
            if node.lo:
                everything[node.ref] = list(node.lo)
        return everything
