# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is in a network namespace, as plain values: what the kernel reports, by names instead of indexes."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils import fields
from ansible_collections.linuxnet.lab.plugins.module_utils.rules import Network, network_of

# Routing tables by their numbers, RT_TABLE_*.
DEFAULT_TABLE, MAIN_TABLE, LOCAL_TABLE = 253, 254, 255
_TABLE_NAMES = {DEFAULT_TABLE: "default", MAIN_TABLE: "main", LOCAL_TABLE: "local"}
# rtm_protocol of routes that the kernel adds by itself, RTPROT_KERNEL.
KERNEL_PROTOCOL = 2
# Settings of a new link for which :class:`Link` has no field.
_NEW_LINK = fields.usual({**fields.LINK, **fields.PORT})
# The same of a new address.
_NEW_ADDRESS = fields.usual(fields.ADDRESS)


@dataclasses.dataclass(frozen=True)
class Address:
    """An IP address of a link.

    :ivar cidr: address and prefix length, ``10.0.0.1/24``.
    :ivar broadcast: the broadcast address; empty for none.
    :ivar remote: the peer address, to which the prefix length then belongs; empty for none.
    :ivar scope: as iproute2 writes it: ``global``, ``site``, ``link``, ``host``, or a number.
    :ivar unusual: further attributes of :data:`.fields.ADDRESS` that differ from those of a new address, in the order
        of that table. Each can be read as an attribute.
    :ivar nodad: whether an IPv6 address is usable at once, without duplicate address detection (RFC 4862).
    :ivar failed: whether the detection found another owner, so that the kernel does not use the address.
    :ivar learnt: whether the kernel derived an IPv6 address from a router advertisement.
    """

    cidr: str
    broadcast: str = ""
    scope: str = "global"
    remote: str = ""
    unusual: tuple[tuple[str, t.Any], ...] = ()
    nodad: bool = dataclasses.field(default=False, compare=False)
    failed: bool = dataclasses.field(default=False, compare=False)
    learnt: bool = dataclasses.field(default=False, compare=False)

    def __getattr__(self, name: str) -> t.Any:
        """A further attribute."""
        if name not in _NEW_ADDRESS:
            raise AttributeError(name)
        return dict(self.unusual).get(name, _NEW_ADDRESS[name])

    @classmethod
    def of(cls, record: t.Mapping[str, t.Any]) -> Address:
        """The address in a record, which :func:`dataclasses.asdict` converted for JSON."""
        return cls(**{**record, "unusual": tuple((name, value) for name, value in record.get("unusual", ()))})

    @property
    def ip(self) -> str:
        """The address without its prefix length."""
        return self.cidr.split("/")[0]

    @property
    def is_link_local(self) -> bool:
        """Whether it is a link-local IPv6 address, which every link has that is up (RFC 4291)."""
        return self.cidr.startswith("fe80:")

    @property
    def version(self) -> int:
        """4 or 6."""
        return 6 if ":" in self.cidr else 4

    @property
    def network(self) -> Network:
        """The network of the address. Of two IPv4 addresses of a link in one network, the later one is secondary."""
        if not self.remote:
            return network_of(self.cidr)
        return network_of("{0}/{1}".format(self.remote, self.cidr.split("/")[1]))


@dataclasses.dataclass
class Link:
    """A network interface.

    :ivar kind: ``veth``, ``bridge`` and so on as the kernel names it; empty for hardware and `lo`.
    :ivar master: name of the bridge (or other master) it is a port of; empty for none.
    :ivar alias: the alias of ip-link(8), which contains the lab of the link.
    :ivar peer: index of the other end of a veth, in the peer's own namespace.
    :ivar peer_nsid: the number of the peer's namespace in this namespace; None for this one.
    :ivar born: the plan creates it. :ivar moved: the plan moves or renames it.
    :ivar forwards: whether the kernel forwards IPv4 packets that arrive on it; None if unknown.
    :ivar altnames: its alternative names, which may be longer. :ivar group: its link group.
    :ivar options: those of a bridge, by the names of :data:`.fields.BRIDGE`, in the kernel's units.
    :ivar unusual: further settings of :data:`.fields.LINK` and :data:`.fields.PORT` that differ from those of a new
        link. Each can be read as an attribute, and changed by :meth:`put`.
    """

    name: str
    index: int = 0
    kind: str = ""
    up: bool = False
    mtu: int = 1500
    mac: str = ""
    master: str = ""
    alias: str = ""
    peer: int = 0
    peer_nsid: int | None = None
    born: bool = False
    moved: bool = False
    forwards: bool | None = None
    altnames: tuple[str, ...] = ()
    group: int = 0
    options: dict[str, t.Any] = dataclasses.field(default_factory=dict)
    addresses: list[Address] = dataclasses.field(default_factory=list)
    unusual: dict[str, t.Any] = dataclasses.field(default_factory=dict)

    def __getattr__(self, name: str) -> t.Any:
        """A further setting."""
        if name not in _NEW_LINK:
            raise AttributeError(name)
        return self.unusual.get(name, _NEW_LINK[name])

    def put(self, name: str, value: t.Any) -> None:
        """Change a setting by its name."""
        if name not in _NEW_LINK:
            setattr(self, name, value)
        elif value != _NEW_LINK[name]:
            self.unusual[name] = value
        else:
            self.unusual.pop(name, None)


class Hop(t.NamedTuple):
    """One of the next hops of a multipath route, as ip-route(8) describes it."""

    via: str = ""
    dev: str = ""
    weight: int = 1
    onlink: bool = False


@dataclasses.dataclass(frozen=True)
class Route:
    """A route. The fields are those of ip-route(8).

    :ivar family: 4 or 6.
    :ivar dst: a prefix in CIDR form; ``0.0.0.0/0`` and ``::/0`` for the default route.
    :ivar via: gateway, which is an IPv6 address for some IPv4 routes (RFC 8950); empty for none.
    :ivar dev: name of the link; empty for none. :ivar nexthops: those of a multipath route; empty for other routes.
    :ivar metrics: what else it has, by the names of :data:`.fields.METRICS` and :data:`.fields.ROUTE_EXTRAS`, in the
        order of these tables.
    :ivar raw: the body of the kernel's message as hexadecimal digits, for a route that has something that no lab's
        route has, and that the other fields have no room for; else empty.
    """

    family: int
    dst: str
    via: str = ""
    dev: str = ""
    src: str = ""
    metric: int = 0
    table: int = MAIN_TABLE
    scope: str = "global"
    type: str = "unicast"
    protocol: int = 0
    onlink: bool = False
    nexthops: tuple[Hop, ...] = ()
    metrics: tuple[tuple[str, t.Any], ...] = ()
    raw: str = ""

    @classmethod
    def of(cls, record: t.Mapping[str, t.Any]) -> Route:
        """The route in a record, which :func:`dataclasses.asdict` converted for JSON."""
        values = {name: record[name] for name in cls.__dataclass_fields__ if name in record}
        values["metrics"] = tuple((name, value) for name, value in record.get("metrics", ()))
        hops = record.get("nexthops")
        # Version 0.1.0 wrote the number of next hops, and only `raw` said which they are.
        values["nexthops"] = tuple(Hop(*hop) for hop in hops) if isinstance(hops, list) else ()
        return cls(**values)

    @property
    def hops(self) -> tuple[Hop, ...]:
        """The ways that its packets can take: one for an ordinary route."""
        return self.nexthops or (Hop(self.via, self.dev, onlink=self.onlink),)


@dataclasses.dataclass(frozen=True)
class Rule:
    """A rule of ip-rule(8).

    :ivar family: 4 or 6. :ivar action: a word of :data:`.fields.RULE_ACTIONS`.
    :ivar table: with ``lookup``, the table; with ``goto``, the priority of the rule that comes next.
    :ivar inverted: whether it is about all packets but these. :ivar src: :ivar dst: empty for any.
    :ivar protocol: who added it, as for routes. :ivar more: by the names of :data:`.fields.RULE`.
    :ivar raw: the body of the kernel's message.
    """

    family: int
    priority: int
    action: str
    table: int
    src: str = ""
    dst: str = ""
    fwmark: str = ""
    inverted: bool = False
    protocol: int = 0
    more: tuple[tuple[str, t.Any], ...] = ()
    raw: bytes = dataclasses.field(default=b"", compare=False)

    def packets(self) -> str:
        """Which packets it is about, in the words of ip-rule(8)."""
        words = ["not"] if self.inverted else []
        words += ["from", self.src or "all"]
        words += ["to", self.dst] if self.dst else []
        words += ["fwmark", self.fwmark] if self.fwmark else []
        return " ".join(words + fields.words(fields.RULE, dict(self.more)))

    def what(self) -> str:
        """What becomes of them, in the same words."""
        if self.action not in ("lookup", "goto"):
            return self.action
        return "{0} {1}".format(self.action, _TABLE_NAMES.get(self.table, self.table))

    def text(self) -> str:
        """The rule as ip-rule(8) prints it."""
        return "{0}: {1} {2}".format(self.priority, self.packets(), self.what())

    def options(self) -> dict[str, t.Any]:
        """What it has, by the names of :data:`.fields.RULE_WORDS` and :data:`.fields.RULE`."""
        prefixes = {"from": self.src, "to": self.dst, "fwmark": self.fwmark}
        found: dict[str, t.Any] = {"family": self.family, "priority": self.priority}
        if self.inverted:
            found["not"] = True
        found.update((name, value) for name, value in prefixes.items() if value)
        if self.action == "lookup":
            found["table"] = str(_TABLE_NAMES.get(self.table, self.table))
        else:
            found["type"] = self.action
        return {**found, **dict(self.more)}


class Qdisc(t.NamedTuple):
    """A queueing discipline of a link.

    :ivar handle: the number that tc(8) writes before a colon. :ivar place: ``root``, ``ingress`` or ``clsact``.
    """

    dev: str
    kind: str
    handle: int
    place: str


@dataclasses.dataclass(frozen=True)
class Neighbor:
    """An entry of the neighbour table; from `lladdr` on by the names of :data:`.fields.NEIGHBOR`.

    :ivar state: as iproute2 writes it: ``REACHABLE``, ``STALE``, ``PERMANENT``; ``NONE`` for a proxy's.
    """

    dst: str
    dev: str
    state: str
    lladdr: str = ""
    proxy: bool = False
    router: bool = False
    extern_learn: bool = False


@dataclasses.dataclass(frozen=True)
class Forwarding:
    """An entry of a bridge's forwarding database: behind which port a MAC address is.

    :ivar dev: the port. :ivar master: the bridge. :ivar vlan: 0 for none. :ivar permanent: not learnt from packets.
    """

    mac: str
    dev: str
    master: str = ""
    vlan: int = 0
    permanent: bool = False
