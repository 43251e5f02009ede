# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The attributes of each kind of object, one line each.

From a line follow how the code reads and packs the attribute, when it has drifted, how a diff and a command of ip(8)
show it, how an export writes it, the option of the modules, and the key of a topology. Source: linux/if_link.h.
"""

from __future__ import annotations

import functools
import shlex
import socket
import struct
import sys
import typing as t

# What users write: true or false, a number, a string.
FLAG, NUMBER, TEXT = "flag", "number", "text"
_TYPES = {FLAG: "bool", NUMBER: "int", TEXT: "str"}

# In place of an attribute's number: a bit of the flags in the message's header.
HEADER = 0


class Codec(t.NamedTuple):
    """How a value is encoded.

    :ivar kind: what users write. :ivar pack: the value as the kernel has it. :ivar read: the other way round.
    :ivar word: the value as ip(8) takes it. :ivar size: how many bytes of the attribute are the value; None for all.
    """

    kind: str
    pack: t.Callable[[t.Any], t.Any]
    read: t.Callable[[t.Any], t.Any]
    word: t.Callable[[t.Any], str] = str
    size: int | None = None


def _on_off(value: t.Any) -> str:
    return "on" if value else "off"


def _number(size: int, kind: str = NUMBER) -> Codec:
    """A number of so many bytes, in the machine's byte order."""
    read = functools.partial(int.from_bytes, byteorder=sys.byteorder)
    return Codec(kind, struct.Struct({1: "=B", 2: "=H", 4: "=I"}[size]).pack, read)


def _bit(mask: int) -> Codec:
    """A bit in the flags of the header, set for true."""
    return Codec(FLAG, lambda value: mask if value else 0, lambda flags: bool(flags & mask), _on_off)


def _clear_bit(mask: int) -> Codec:
    """A bit in the flags of the header, set for false."""
    return Codec(FLAG, lambda value: 0 if value else mask, lambda flags: not flags & mask, _on_off)


def _alone(codec: Codec) -> Codec:
    """The same for an attribute that ip(8) takes as a single word, which a new object does without."""
    return codec._replace(word=lambda value: "")


_CACHEINFO = struct.Struct("=II8x")  # seconds preferred, seconds valid, two time stamps of the kernel's
_FOREVER = 0xFFFFFFFF


def _pack_lifetimes(text: str) -> bytes:
    valid, dummy, preferred = text.split()
    return _CACHEINFO.pack(*(_FOREVER if word == "forever" else int(word) for word in (preferred, valid)))


def _read_lifetimes(raw: bytes) -> str:
    preferred, valid = ("forever" if number == _FOREVER else str(number) for number in struct.unpack("=II", raw))
    return "{0} preferred_lft {1}".format(valid, preferred)


@functools.lru_cache(maxsize=4096)
def pack_ip(ip: str) -> bytes:
    """An address as bytes."""
    return socket.inet_pton(socket.AF_INET6 if ":" in ip else socket.AF_INET, ip)


_GROUPS = struct.Struct("!8H")
_IPV6 = ":" + "{:x}:" * 8
_ZEROS = [":" + "0:" * count for count in range(8, 1, -1)]


@functools.lru_cache(maxsize=4096)
def read_ip(raw: bytes) -> str:
    """An address as text. IPv6 addresses follow RFC 5952, without dotted ends.

    C libraries differ in how they write some IPv6 addresses, and the module ipaddress takes four times as long.
    """
    if len(raw) == 4:
        return socket.inet_ntop(socket.AF_INET, raw)
    text = _IPV6.format(*_GROUPS.unpack(raw))
    for zeros in _ZEROS:  # RFC 5952 shortens the first one of the longest
        before, found, after = text.partition(zeros)
        if found:
            return before[1:] + "::" + after[:-1]
    return text[1:-1]


def _chosen(numbers: t.Mapping[str, int]) -> Codec:
    """One of several words, or a number without a word."""
    words = {number: word for word, number in numbers.items()}
    return Codec(
        TEXT,
        lambda word: numbers[word] if word in numbers else int(word),
        lambda number: words.get(number) or str(number),
    )


def _range(size: int) -> Codec:
    """The first and the last of some numbers of so many bytes, in the machine's byte order, as 80-90, or 80 for one."""
    both = struct.Struct({2: "=HH", 4: "=II"}[size])

    def pack(text: str) -> bytes:
        first, dummy, last = text.partition("-")
        return both.pack(int(first), int(last or first))

    def read(raw: bytes) -> str:
        first, last = both.unpack(raw)
        return str(first) if first == last and size == 2 else "{0}-{1}".format(first, last)

    return Codec(TEXT, pack, read)


def _byte(numbers: t.Mapping[str, int]) -> Codec:
    """As :func:`_chosen`, in one byte."""
    chosen = _chosen(numbers)
    return Codec(TEXT, lambda word: bytes([chosen.pack(word)]), lambda raw: chosen.read(raw[0]))


SCOPES: t.Mapping[str, int] = {"global": 0, "site": 200, "link": 253, "host": 254, "nowhere": 255}
# IPPROTO_*, by their names in /etc/protocols.
IP_PROTOCOLS: t.Mapping[str, int] = {"icmp": 1, "tcp": 6, "udp": 17, "gre": 47, "ipv6-icmp": 58, "sctp": 132}
# FR_ACT_*, by their words in ip-rule(8).
RULE_ACTIONS: t.Mapping[str, int] = {"lookup": 1, "goto": 2, "nop": 3, "blackhole": 6, "unreachable": 7, "prohibit": 8}
ROUTE_TYPES: t.Mapping[str, int] = {
    "unicast": 1,
    "local": 2,
    "broadcast": 3,
    "anycast": 4,
    "multicast": 5,
    "blackhole": 6,
    "unreachable": 7,
    "prohibit": 8,
    "throw": 9,
}

NEIGHBOR_STATES: t.Mapping[str, int] = {
    "NONE": 0,
    "INCOMPLETE": 0x01,
    "REACHABLE": 0x02,
    "STALE": 0x04,
    "DELAY": 0x08,
    "PROBE": 0x10,
    "FAILED": 0x20,
    "NOARP": 0x40,
    "PERMANENT": 0x80,
}

RULE_ACTION = _chosen(RULE_ACTIONS)
NEIGHBOR_STATE = _chosen(NEIGHBOR_STATES)
IP = Codec(TEXT, pack_ip, read_ip)
BROADCAST = Codec(FLAG, pack_ip, read_ip)  # users write whether there is one; which one follows from the prefix
U16, U32 = _number(2), _number(4)
NAME = Codec(
    TEXT,
    lambda name: name.encode(errors="surrogateescape") + b"\0",
    lambda raw: raw.rstrip(b"\0").decode(errors="surrogateescape"),
    shlex.quote,
)
BIG_ENDIAN = Codec(NUMBER, lambda value: value.to_bytes(8, "big"), lambda raw: int.from_bytes(raw, "big"))
TOS = Codec(NUMBER, int, int, hex)  # ip(8) takes it for hexadecimal anyway
U8_FLAG = Codec(FLAG, lambda value: bytes([bool(value)]), lambda raw: bool(raw[0]), _on_off)
# The seconds that an address has left, as ip(8) takes them behind valid_lft. struct ifa_cacheinfo of linux/if_addr.h.
LIFETIMES = Codec(TEXT, _pack_lifetimes, _read_lifetimes, size=8)
MAC = Codec(TEXT, lambda mac: bytes.fromhex(mac.replace(":", "")), lambda raw: raw.hex(":"))
LINK_INDEX = _number(4, TEXT)  # users write the name
# What pyroute2 encodes: it knows the width.
OPTION = Codec(NUMBER, int, int)
OPTION_FLAG = Codec(FLAG, int, bool, lambda value: str(int(value)))


class Field(t.NamedTuple):
    """An attribute.

    :ivar name: its name for users. :ivar attribute: its number in netlink, or its name in pyroute2's classes.
    :ivar new: its value in a new object; None if that differs from object to object.
    :ivar text: its meaning, for the tables of the topology format; empty if users cannot set it.
    :ivar word: its keyword in ip(8); empty if that is the name.
    :ivar unit: the number of the kernel's units in one of the user's.
    :ivar lowest: :ivar highest: the range in the user's units; unlimited if both are 0.
    :ivar choices: the allowed values; empty for any.
    """

    name: str
    attribute: t.Any
    codec: Codec
    new: t.Any = None
    text: str = ""
    word: str = ""
    unit: int = 1
    lowest: int = 0
    highest: int = 0
    choices: tuple[str, ...] = ()


Table = dict[str, Field]


def _table(*rows: Field) -> Table:
    return {row.name: row for row in rows}


# -- the tables -----------------------------------------------------------------------------------------------------

# Settings of any link. IFLA_*, IFF_*; ether_setup() of net/ethernet/eth.c.
LINK = _table(
    Field("up", HEADER, _bit(0x1), text="Whether the link is up. Default: yes."),
    Field("mtu", 4, U32, text="The MTU, 68 to 65535."),
    Field("mac", 1, MAC, text="The MAC address. Default: a random one.", word="address"),
    Field("master", 10, LINK_INDEX, text="The bridge that the link is a port of."),
    Field("arp", HEADER, _clear_bit(0x80), True, "Whether the link resolves addresses by ARP. Default: yes."),
    Field("multicast", HEADER, _bit(0x1000), True),
    Field("txqueuelen", 13, U32, 1000),
)

# Settings of a link that is a port of a bridge. IFLA_BRPORT_*; new_nbp() of net/bridge/br_if.c.
PORT = _table(
    Field("hairpin", 4, U8_FLAG, False),
    Field("guard", 5, U8_FLAG, False),
    Field("root_block", 6, U8_FLAG, False),
    Field("fastleave", 7, U8_FLAG, False),
    Field("learning", 8, U8_FLAG, True),
    Field("flood", 9, U8_FLAG, True),
    Field("proxy_arp", 10, U8_FLAG, False),
    Field("proxy_arp_wifi", 12, U8_FLAG, False),
    Field("mcast_flood", 27, U8_FLAG, True),
    Field("mcast_to_unicast", 28, U8_FLAG, False),
    Field("vlan_tunnel", 29, U8_FLAG, False),
    Field("bcast_flood", 30, U8_FLAG, True),
    Field("group_fwd_mask", 31, U16, 0),
    Field("neigh_suppress", 32, U8_FLAG, False),
    Field("isolated", 33, U8_FLAG, False),
    Field("locked", 39, U8_FLAG, False),
)

# Options of a bridge. Times are seconds to users, and hundredths of a second (USER_HZ) to the kernel and to ip(8).
# IFLA_BR_*; br_dev_setup() of net/bridge/br_device.c.
BRIDGE = _table(
    Field("stp", "IFLA_BR_STP_STATE", OPTION_FLAG, False,
          "Whether the bridge runs the spanning tree protocol (STP). Default: no.", word="stp_state"),
    Field("forward_delay", "IFLA_BR_FORWARD_DELAY", OPTION, 1500,
          "With STP, how many seconds a port spends in each of the states listening and learning. Default: 15.",
          unit=100, highest=30),
    Field("ageing_time", "IFLA_BR_AGEING_TIME", OPTION, 30000,
          "How many seconds the bridge keeps a MAC address that sends no frames. Default: 300.",
          unit=100, highest=1000000),
    Field("mcast_snooping", "IFLA_BR_MCAST_SNOOPING", OPTION_FLAG, True,
          "Whether the bridge forwards multicast only to ports whose hosts asked for it. Default: yes."),
    Field("vlan_filtering", "IFLA_BR_VLAN_FILTERING", OPTION_FLAG, False,
          "Whether the bridge filters frames by VLAN. Default: no."),
)  # fmt: skip

# An address of a link. IFA_*, IFA_F_*. The kernel counts lifetimes down. Users write both of them as options.
ADDRESS = _table(
    Field("broadcast", 4, BROADCAST, text="Whether IPv4 addresses get the broadcast address of their prefix. Default: "
          "no.", word="brd"),
    Field("metric", 9, U32, 0, "The metric of the kernel's routes to the prefixes of the addresses. Default: 0 "
          "for IPv4, 256 for IPv6.", highest=0xFFFFFFFF),
    Field("scope", HEADER, _chosen(SCOPES), text="The scope of IPv4 addresses. Default: V(global).",
          choices=("global", "site", "link", "host")),
    Field("noprefixroute", HEADER, _alone(_bit(0x200)), False,
          "Whether the kernel makes no routes to the prefixes of the addresses. Default: no, it makes them."),
    Field("home", HEADER, _alone(_bit(0x10)), False),
    Field("mngtmpaddr", HEADER, _alone(_bit(0x100)), False),
    Field("lifetimes", 6, LIFETIMES, "forever preferred_lft forever", word="valid_lft"),
    Field("valid_lft", 6, NAME, text="How many seconds the addresses exist. Default: V(forever)."),
    Field("preferred_lft", 6, NAME, text="How many seconds they are used for new connections. Default: the value of "
          "C(valid_lft)."),
    Field("dad", HEADER, _alone(_clear_bit(0x2)),
          text="Whether IPv6 addresses wait for duplicate address detection. Default: no, they are usable at once.",
          word="nodad"),
)  # fmt: skip

# An entry of a neighbour table, beside the address. NDA_*, NTF_*. The link and the state are in the header, too.
NEIGHBOR = _table(
    Field("lladdr", 2, MAC, "", "The MAC address of the neighbour."),
    Field("proxy", HEADER, _alone(_bit(0x08)), False,
          "Whether the namespace answers requests for the address on the neighbour's behalf."),
    Field("router", HEADER, _alone(_bit(0x80)), False),
    Field("extern_learn", HEADER, _alone(_bit(0x10)), False),
)  # fmt: skip

# A route, beside its destination. RTA_*, RTNH_F_*. The table is a number to the kernel, and has names for users.
ROUTE = _table(
    Field("via", 5, IP, text="The gateway: an address, or a namespace that shares a network with this one."),
    Field("dev", 4, LINK_INDEX, text="The link."),
    Field("src", 7, IP, text="The preferred source address of packets that take the route."),
    Field("metric", 6, U32, text="The metric. The kernel prefers the route with the lowest metric."),
    Field("table", 15, _number(4, TEXT), text="The routing table: a number, C(main) or C(default). Default: C(main)."),
    Field("scope", HEADER, _chosen(SCOPES), text="The scope of the destination.",
          choices=("global", "site", "link", "host")),
    Field("type", HEADER, _chosen(ROUTE_TYPES), text="The type. Default: V(unicast).",
          choices=("unicast", "local", "blackhole", "unreachable", "prohibit", "throw")),
    Field("onlink", HEADER, _bit(0x4), text="Whether the gateway is on the link whatever its address."),
)  # fmt: skip

# One of the next hops of a multipath route. The weight is in the header of `struct rtnexthop`, less one.
NEXTHOP = _table(
    ROUTE["via"],
    ROUTE["dev"],
    Field("weight", HEADER, U32, 1, "How many packets take this hop in comparison with the others. Default: 1.",
          lowest=1, highest=256),
    ROUTE["onlink"],
)  # fmt: skip

# What else a route can have, most of it in its RTA_METRICS: RTAX_*.
METRICS = _table(
    Field("mtu", 2, U32, 0, "The path MTU, if it is smaller than the MTU of the link.", lowest=68, highest=65535),
    Field("advmss", 8, U32, 0, "The maximum segment size that TCP advertises.", lowest=1, highest=65535),
    Field("window", 3, U32, 0),
    Field("ssthresh", 6, U32, 0),
    Field("cwnd", 7, U32, 0),
    Field("reordering", 9, U32, 0),
    Field("hoplimit", 10, U32, 0),
    Field("initcwnd", 11, U32, 0),
    Field("initrwnd", 14, U32, 0),
    Field("quickack", 15, U32, 0),
)

# What a route can have that users cannot set, and that no route of a lab has. RTA_*. The kernel takes the seconds of
# `expires`, and tells the hundredths of a second that are left in RTA_CACHEINFO.
ROUTE_EXTRAS = _table(
    Field("tos", HEADER, TOS, 0),
    Field("nhid", 30, U32, 0),
    Field("pref", 20, _byte({"medium": 0, "high": 1, "low": 3}), "medium"),
    Field("expires", 23, U32, 0),
)

# What users say of a policy rule beside the rest: FRA_PRIORITY, FRA_SRC and others, of which some are in the header.
RULE_WORDS = _table(
    Field("family", HEADER, U32, text="The IP version, 4 or 6. Default: that of C(from) or C(to), else 4."),
    Field("priority", 6, U32, text="The priority. The kernel tries the rule with the lowest number first. Default: "
          "one before the second rule that is there.", highest=0xFFFFFFFF),
    Field("not", HEADER, U8_FLAG, text="Whether the rule is about all packets but these. Default: no."),
    Field("from", 2, IP, text="The source of the packets: a prefix, or the name of a segment."),
    Field("to", 1, IP, text="The destination of the packets: a prefix, or the name of a segment."),
    Field("fwmark", 10, IP, text="The mark of the packets, or mark and mask, as in C(0x1/0xff)."),
    Field("table", 15, IP, text="The routing table to look into: a number, C(main), C(default) or C(local)."),
    Field("type", HEADER, IP, text="What else becomes of the packets. Default: V(unicast), with a C(table).",
          choices=("unicast", "blackhole", "unreachable", "prohibit")),
)  # fmt: skip

# What else a policy rule can have. FRA_*.
RULE = _table(
    Field("tos", HEADER, TOS, 0, "The type of service of the packets.", highest=255),
    Field("iif", 3, NAME, "", "The link on which the packets arrive. C(lo) stands for packets of the namespace "
          "itself."),
    Field("oif", 17, NAME, "", "The link to which a socket is bound that sends the packets."),
    Field("l3mdev", 19, _number(1)._replace(word=lambda value: ""), 0),
    Field("uidrange", 20, _range(4), "", "The users whose packets they are, as in C(0-999)."),
    Field("ipproto", 22, _byte(IP_PROTOCOLS), "", "The protocol of the packets: C(tcp), C(udp) and others, or a "
          "number."),
    Field("sport", 23, _range(2), "", "The source port of the packets, or a range, as in C(80-90)."),
    Field("dport", 24, _range(2), "", "The destination port of the packets, or a range."),
    Field("tun_id", 12, BIG_ENDIAN, 0),
    Field("suppress_prefixlength", 14, U32, 0xFFFFFFFF, "Ignore routes of the table whose prefixes are this long or "
          "shorter. V(0) ignores the default route.", highest=128),
    Field("suppress_ifgroup", 13, U32, 0xFFFFFFFF),
)  # fmt: skip


# -- what follows from them -------------------------------------------------------------------------------------------


def arguments(table: Table, *names: str) -> dict[str, dict[str, t.Any]]:
    """The options of a module, as an argument spec: those with these *names*, or all that users can set."""
    chosen = names or [name for name, field in table.items() if field.text]
    return {
        name: {
            "type": _TYPES[table[name].codec.kind],
            **({"choices": list(table[name].choices)} if table[name].choices else {}),
        }
        for name in chosen
    }


def check(table: Table, values: t.Mapping[str, t.Any], place: str) -> list[str]:
    """An error for each value, in the user's units, that is out of its range."""
    return [
        "{0}{1}: {2} is not between {3} and {4}{5}".format(
            place, name, value, table[name].lowest, table[name].highest, " seconds" if table[name].unit > 1 else ""
        )
        for name, value in values.items()
        if table[name].highest and not table[name].lowest <= value <= table[name].highest
    ]


def to_kernel(table: Table, values: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Values in the kernel's units."""
    return {
        name: bool(value) if table[name].codec.kind == FLAG else value * table[name].unit
        for name, value in values.items()
    }


def to_user(table: Table, values: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Values in the user's units, in the order of the table."""
    return {
        name: values[name] if field.codec.kind != NUMBER else values[name] // field.unit
        for name, field in table.items()
        if name in values
    }


def words(table: Table, values: t.Mapping[str, t.Any]) -> list[str]:
    """Values as arguments of ip(8), in the order of the table."""
    return [
        word
        for name, field in table.items()
        if name in values
        for word in (field.word or name, field.codec.word(values[name]))
        if word
    ]


def given(names: t.Iterable[str], values: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """The values with these names that are not None."""
    return {name: values[name] for name in names if values.get(name) is not None} if values else {}


def usual(table: Table) -> dict[str, t.Any]:
    """The values of a new object."""
    return {name: field.new for name, field in table.items() if field.new is not None}
