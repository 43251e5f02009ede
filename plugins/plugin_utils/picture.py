# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Draw a topology as boxes and lines, independent of a diagram language."""

from __future__ import annotations

import collections
import dataclasses
import enum
import ipaddress
import re
import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.linuxnet.lab.plugins.module_utils.topology import layout, schema
from ansible_collections.linuxnet.lab.plugins.module_utils.topology.model import Bridge, End, Lab, Link

LABELS = ("none", "names", "addresses", "all")

# A longer label has one line for each end.
_WIDTH = 44

_NUMBERED = re.compile(r"(.*?)(\d+)\Z", re.DOTALL)


class Kind(enum.Enum):
    """What a box represents."""

    NAMESPACE = "namespace"
    HOST = "host"
    NETWORK = "network"
    OUTSIDE = "outside"


@dataclasses.dataclass
class Box:
    """A box with lines of text in it.

    :ivar key: the unique name of the box, in letters, digits and underscores. :ivar router: whether it forwards.
    """

    key: str
    kind: Kind
    text: list[str]
    router: bool = False


@dataclasses.dataclass
class Line:
    """A line between two boxes, which are given by their keys, with lines of text beside it."""

    start: str
    end: str
    text: list[str]
    dashed: bool = False


@dataclasses.dataclass
class Picture:
    """Boxes and lines. The same topology always gives the same order."""

    boxes: list[Box]
    lines: list[Line]


def draw(data: t.Any, labels: str = "addresses", expand: bool = False, limit: int = 24) -> Picture:
    """The picture of a topology. AnsibleFilterError with all errors in the topology.

    :arg labels: the text beside the lines, one of LABELS.
    :arg expand: whether each namespace gets its own box, even if many of them are alike.
    :arg limit: up to how many namespaces that are alike get their own boxes otherwise.
    """
    if labels not in LABELS:
        raise AnsibleFilterError("labels: {0!r} is not one of {1}".format(labels, ", ".join(LABELS)))
    lab, errors = layout.read(data)
    if errors:
        raise AnsibleFilterError("this topology cannot be drawn:\n{0}".format("\n".join(errors)))
    return _Artist(lab, labels, None if expand else limit).picture()


class _Artist:
    def __init__(self, lab: Lab, labels: str, limit: int | None) -> None:
        self._lab = lab
        self._names = labels in ("names", "all")
        self._addresses = labels in ("addresses", "all")
        self._limit = limit
        self._lines: list[Line] = []
        self._prefixes = {segment.bridge.label: segment.prefixes for segment in lab.segments.values()}

    def picture(self) -> Picture:
        """All boxes and lines."""
        crowds = self._crowds()
        together = {ref: crowd[0] for crowd in crowds for ref in crowd}
        for bridge in self._lab.bridges.values():
            if bridge.addresses:
                self._line(_network(bridge), _place(bridge.netns), [self._at(bridge, bridge)])
        for link in self._lab.links:
            if not any(end.netns in together for end in link.ends):
                self._link(link)
        for crowd in crowds:
            self._crowd(crowd)
        self._masquerades()
        seen = {key for line in self._lines for key in (line.start, line.end)}
        return Picture([box for box in self._boxes(crowds, together) if self._matters(box, seen)], self._lines)

    # -- boxes --------------------------------------------------------------------------------------------------------

    def _boxes(self, crowds: list[list[str]], together: dict[str, str]) -> t.Iterator[Box]:
        sizes = {crowd[0]: crowd for crowd in crowds}
        for node in self._lab.nodes.values():
            if together.get(node.ref, node.ref) == node.ref and node.ref:
                text = [_title(sizes[node.ref])] if node.ref in sizes else [node.ref, *node.lo]
                yield Box(_place(node.ref), Kind.NAMESPACE, text, node.forwarding)
        for bridge in self._lab.bridges.values():
            inside = ["in {0}".format(bridge.netns)] if bridge.netns and not bridge.addresses else []
            text = [bridge.label, *self._prefixes.get(bridge.label, []), *inside]
            yield Box(_network(bridge), Kind.NETWORK, text)
        host = self._lab.nodes.get(schema.HOST)
        yield Box(_place(""), Kind.HOST, [schema.HOST, *(host.lo if host else [])], bool(host and host.forwarding))
        yield Box("outside", Kind.OUTSIDE, ["outside"])

    def _matters(self, box: Box, seen: set[str]) -> bool:
        """Whether to draw a box that no line leads to. A namespace that only contains a bridge is not drawn."""
        if box.key in seen or box.kind is Kind.NETWORK:
            return True
        if box.kind is Kind.NAMESPACE:
            homes = {bridge.netns for bridge in self._lab.bridges.values()}
            return box.text[0] not in homes or len(box.text) > 1
        return box.kind is Kind.HOST and schema.HOST in self._lab.nodes

    # -- namespaces that are alike ------------------------------------------------------------------------------------

    def _crowds(self) -> list[list[str]]:
        """Groups of many namespaces that differ only in the number at the end of their names."""
        if self._limit is None:
            return []
        special = {bridge.netns for bridge in self._lab.bridges.values()}
        special |= {values["netns"] for dummy, values in self._lab.masquerades}
        wires: dict[str, list[str]] = collections.defaultdict(list)
        for link in self._lab.links:
            one, other = _from_namespace(link)
            if other.bridge and not one.bridge:
                wires[one.netns].append(other.bridge.label)
            else:
                special |= {one.netns, other.netns}
        alike: dict[tuple[t.Any, ...], list[str]] = collections.defaultdict(list)
        for node in self._lab.nodes.values():
            match = _NUMBERED.match(node.ref)
            if match and node.ref in wires and node.ref not in special and not node.lo and not node.forwarding:
                alike[(match.group(1), *sorted(wires[node.ref]))].append(node.ref)
        return [sorted(refs, key=_number) for refs in alike.values() if len(refs) > self._limit]

    def _crowd(self, crowd: list[str]) -> None:
        """Draw one line for each network that all namespaces of a crowd are in."""
        members = set(crowd)
        found: dict[str, list[End]] = {}
        for link in self._lab.links:
            one, other = _from_namespace(link)
            if one.netns in members and other.bridge:
                found.setdefault(other.bridge.label, []).append(one)
        for label, ends in found.items():
            bridge = self._lab.bridges[label]
            names = sorted({end.name for end in ends})
            text = names if self._names and len(names) == 1 else []
            ips = [ipaddress.ip_interface(one).ip for end in ends for one in end.addresses or []]
            for version in (4, 6) if self._addresses else ():
                family = sorted(ip for ip in ips if ip.version == version)
                if family:
                    text.append("{0} ... {1}".format(family[0], family[-1]))
            self._lines.append(Line(_place(crowd[0]), _network(bridge), text))

    # -- lines --------------------------------------------------------------------------------------------------------

    def _link(self, link: Link) -> None:
        one, other = _from_namespace(link)
        text = [self._at(one, other.bridge), self._at(other, one.bridge)]
        start, end = (_network(side.bridge) if side.bridge else _place(side.netns) for side in (one, other))
        segment = self._lab.segments.get(link.segment)
        if segment and segment.gateway == one.netns:
            # Then a picture from left to right leads from the members to the gateway.
            start, end, text = end, start, text[::-1]
        self._line(start, end, text)

    def _line(self, start: str, end: str, text: list[str]) -> None:
        said = [one for one in text if one]
        together = " \N{EM DASH} ".join(said)
        self._lines.append(Line(start, end, [together] if together and len(together) <= _WIDTH else said))

    def _at(self, link: End | Bridge, network: Bridge | None) -> str:
        """The label of one end. It has a prefix length only if the label of the network does not have it."""
        text = [link.name] if self._names else []
        known = {ipaddress.ip_network(one) for one in self._prefixes.get(network.label, [])} if network else set()
        for one in link.addresses or [] if self._addresses else []:
            interface = ipaddress.ip_interface(one)
            text.append(str(interface.ip) if interface.network in known else one)
        return " ".join(text)

    def _masquerades(self) -> None:
        """Draw a line from each router to the outside, or to the other end of its link if the lab has that link."""
        partners = {}
        for link in self._lab.links:
            for end, other in (link.ends, link.ends[::-1]):
                partners[end.netns, end.name] = _network(other.bridge) if other.bridge else _place(other.netns)
        found: dict[tuple[str, str], list[str]] = {}
        for dummy, values in self._lab.masquerades:
            netns = values["netns"]
            target = partners.get((netns, values.get("oif")), "outside")
            sources = found.setdefault((_place(netns), target), [])
            if values.get("src"):
                sources.append(values["src"])
        for (start, end), sources in found.items():
            text = ["masquerade", *(dict.fromkeys(sources) if self._addresses else [])]
            self._lines.append(Line(start, end, text, dashed=True))


def _from_namespace(link: Link) -> tuple[End, End]:
    """The ends of a link. An end on a bridge comes last."""
    one, other = link.ends
    return (other, one) if one.bridge and not other.bridge else (one, other)


def _place(ref: str) -> str:
    return "ns_" + _key(ref) if ref else "host"


def _network(bridge: Bridge) -> str:
    return "net_" + _key(bridge.label)


def _key(name: str) -> str:
    """A key in letters, digits and underscores. Different names have different keys."""
    return "".join(one if one.isascii() and one.isalnum() else "_{0:x}_".format(ord(one)) for one in name)


def _number(ref: str) -> int:
    match = _NUMBERED.match(ref)
    return int(match.group(2)) if match else 0


def _title(crowd: list[str]) -> str:
    """The title of the box of a crowd. The crowd is sorted by number."""
    first, last = (_NUMBERED.match(ref) for ref in (crowd[0], crowd[-1]))
    name = "{0}[{1}:{2}]".format(first.group(1), first.group(2), last.group(2)) if first and last else crowd[0]
    if _number(crowd[-1]) - _number(crowd[0]) == len(crowd) - 1:
        return "{0} ({1})".format(name, len(crowd))
    return "{0} of {1}".format(len(crowd), name)
