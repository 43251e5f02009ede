# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Messages about neighbours: requests, dumps and notifications.

Sources: rtnetlink(7), linux/neighbour.h.
"""

from __future__ import annotations

import struct
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils import fields
from ansible_collections.linuxnet.lab.plugins.module_utils.fields import (
    IP,
    NEIGHBOR,
    NEIGHBOR_STATE,
    NEIGHBOR_STATES,
)
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import attributes
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.netlink import (
    NLM_F_CREATE,
    NLM_F_DUMP,
    NLM_F_REPLACE,
    Netlink,
    Packed,
    readable,
)
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.objects import Forwarding, Neighbor

NEW = 28
_DELETE, _GET = 29, 30
_DST, _VLAN, _MASTER = 1, 5, 9  # NDA_*
_LLADDR, _IS_PROXY = NEIGHBOR["lladdr"], NEIGHBOR["proxy"].codec
_PROXY = _IS_PROXY.pack(True)
_AF_INET, _AF_INET6, _AF_BRIDGE = 2, 10, 7
_NDMSG = struct.Struct("=BxxxiHBB")  # family, link's index, state, flags, type


class Entry(t.NamedTuple):
    """An entry as the kernel reports it: `index` is that of its link, `there` its attributes."""

    family: int
    index: int  # type: ignore[assignment]  # instead of the method of tuples
    state: int
    flags: int
    kind: int
    there: dict[int, bytes]

    @property
    def dst(self) -> str:
        """The neighbour's address; empty for none."""
        return str(IP.read(self.there[_DST])) if _DST in self.there else ""

    @property
    def lladdr(self) -> str:
        """Its hardware address; empty where it is not known."""
        return str(_LLADDR.codec.read(self.there.get(_LLADDR.attribute, b"")))

    def values(self) -> dict[str, t.Any]:
        """What it has, by the names of :data:`.fields.NEIGHBOR`."""
        found = {}
        for name, field in NEIGHBOR.items():
            raw = self.flags if field.attribute == fields.HEADER else self.there.get(field.attribute)
            found[name] = field.new if raw is None else field.codec.read(raw)
        return found

    @property
    def is_ip(self) -> bool:
        """Whether it is of IPv4 or IPv6; a bridge's table of MAC addresses is told of by the same messages."""
        return self.family in (_AF_INET, _AF_INET6)

    @property
    def is_proxy(self) -> bool:
        """Whether it is an address that the namespace answers for."""
        return bool(_IS_PROXY.read(self.flags))


def read(body: bytes) -> Entry:
    """The entry that a message is about."""
    family, index, state, flags, kind = _NDMSG.unpack_from(body)
    return Entry(family, index, state, flags, kind, attributes.walk(body, _NDMSG.size))


def dump(socket: Netlink, family: int, flags: int = 0) -> list[Entry]:
    """The entries of one family."""
    return [read(body) for body in socket.dump(Packed(_GET, NLM_F_DUMP, _NDMSG.pack(family, 0, 0, flags, 0)))]


def delete(entry: Entry) -> Packed:
    """Take an entry out that the kernel has reported."""
    header = _NDMSG.pack(entry.family, entry.index, 0, entry.flags, entry.kind)
    return Packed(_DELETE, 0, header + attributes.pack(_DST, entry.there[_DST]))


def _change(kind: int, flags: int, index: int, neighbor: Neighbor) -> Packed:
    state = NEIGHBOR_STATE.pack("PERMANENT" if neighbor.proxy else neighbor.state)
    family = _AF_INET6 if ":" in neighbor.dst else _AF_INET
    own_flags = 0
    body = attributes.pack(_DST, IP.pack(neighbor.dst))
    for name, field in NEIGHBOR.items():
        value = getattr(neighbor, name)
        if field.attribute == fields.HEADER:
            own_flags |= field.codec.pack(value)
        elif value != field.new:
            body += attributes.pack(field.attribute, field.codec.pack(value))
    return Packed(kind, flags, _NDMSG.pack(family, index, state, own_flags, 0) + body)


def neighbor_new(index: int, neighbor: Neighbor) -> Packed:
    """Put an entry into the neighbour table of a link, in the place of one with the same address."""
    return _change(NEW, NLM_F_CREATE | NLM_F_REPLACE, index, neighbor)


def neighbor_del(index: int, neighbor: Neighbor) -> Packed:
    """Take an entry out of the neighbour table of a link."""
    return _change(_DELETE, 0, index, neighbor)


@readable
def neighbors(socket: Netlink, names: dict[int, str]) -> list[Neighbor]:
    """The IPv4 and IPv6 neighbour tables of the socket's namespace, and what it answers for as a proxy.

    Without the kernel's own entries for multicast and loopback.
    """
    return [
        Neighbor(entry.dst, names.get(entry.index, ""), NEIGHBOR_STATE.read(entry.state), **entry.values())
        for family in (_AF_INET, _AF_INET6)
        for flags in (0, _PROXY)  # the kernel tells of the one kind or of the other
        for entry in dump(socket, family, flags)
        if entry.state != NEIGHBOR_STATES["NOARP"]
    ]


@readable
def forwarding(socket: Netlink, names: dict[int, str]) -> list[Forwarding]:
    """The forwarding databases of the bridges in the socket's namespace; of VXLAN links as well."""
    return [
        Forwarding(
            mac=entry.lladdr,
            dev=names.get(entry.index, ""),
            master=names.get(attributes.to_number(entry.there.get(_MASTER)), ""),
            vlan=attributes.to_number(entry.there.get(_VLAN)),
            permanent=bool(entry.state & NEIGHBOR_STATES["PERMANENT"]),
        )
        for entry in dump(socket, _AF_BRIDGE)
    ]
