# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""rtnetlink messages: what each change of links, addresses, routes looks like, and what dumps say.

Nothing here decides anything. Every builder returns one message for :meth:`.netlink.Netlink.request`; every reader
returns the plain values of :mod:`.objects`. Links, addresses and routes are packed and read by hand
(:mod:`.attributes` says why); what is in the tables of :mod:`.fields` by them.
Source: rtnetlink(7), linux/rtnetlink.h, linux/if_link.h, linux/if_addr.h, linux/net_namespace.h; of the settings for
IPv4, inet_fill_link_af() of net/ipv4/devinet.c.
"""

from __future__ import annotations

import errno
import fcntl
import functools
import struct
import sys
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils import fields
from ansible_collections.linuxnet.lab.plugins.module_utils.errors import KernelError
from ansible_collections.linuxnet.lab.plugins.module_utils.fields import (
    pack_ip,
    read_ip,
)
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import attributes, link_info
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.attributes import number, pack, text
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.netlink import (
    NLM_F_APPEND,
    NLM_F_CREATE,
    NLM_F_DUMP,
    NLM_F_EXCL,
    NLM_F_REPLACE,
    Netlink,
    Packed,
    readable,
)
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.objects import (
    DEFAULT_TABLE,
    KERNEL_PROTOCOL,
    LOCAL_TABLE,
    MAIN_TABLE,
    Address,
    Hop,
    Link,
    Qdisc,
    Route,
    Rule,
)

_NEWLINK, _DELLINK, _GETLINK, _SETLINK = 16, 17, 18, 19
_NEWADDR, _DELADDR, _GETADDR = 20, 21, 22
_NEWROUTE, _DELROUTE, _GETROUTE = 24, 25, 26
_NEWRULE, _DELRULE, _GETRULE = 32, 33, 34
_DELQDISC, _GETQDISC = 37, 38
_GETNETCONF, _GETNSID = 82, 90
_NEWLINKPROP, _DELLINKPROP = 108, 109

_IFLA_ADDRESS, _IFLA_IFNAME, _IFLA_MTU, _IFLA_LINK, _IFLA_MASTER = 1, 3, 4, 5, 10
_IFLA_LINKINFO, _IFLA_IFALIAS, _IFLA_AF_SPEC, _IFLA_GROUP, _IFLA_NET_NS_FD, _IFLA_EXT_MASK = 18, 20, 26, 27, 28, 29
_IFLA_LINK_NETNSID, _IFLA_PROP_LIST, _IFLA_ALT_IFNAME, _IFLA_INET_CONF = 37, 52, 53, 1
_IFLA_INFO_KIND, _IFLA_INFO_DATA, _IFLA_INFO_SLAVE_KIND, _IFLA_INFO_SLAVE_DATA, _VETH_INFO_PEER = 1, 2, 4, 5, 1
_IFA_ADDRESS, _IFA_LOCAL, _IFA_FLAGS = 1, 2, 8
_IFA_F_TEMPORARY, _IFA_F_DADFAILED, _IFA_F_DEPRECATED, _IFA_F_PERMANENT, _IFA_F_MANAGETEMPADDR = 1, 8, 0x20, 0x80, 0x100
_RTA_DST, _RTA_OIF, _RTA_GATEWAY, _RTA_METRICS, _RTA_MULTIPATH, _RTA_CACHEINFO, _RTA_VIA = 1, 4, 5, 8, 9, 12, 18
_FRA_DST, _FRA_SRC, _FRA_GOTO, _FRA_PRIORITY, _FRA_FWMARK, _FRA_TABLE, _FRA_FWMASK, _FRA_PROTOCOL = (
    1, 2, 4, 6, 10, 15, 16, 21,
)  # fmt: skip
_FIB_RULE_INVERT = 2
# Family, priority and table of the rules of a new namespace. fib_default_rules_init() of the kernel's file
# net/ipv4/fib_rules.c, fib6_rules_net_init() of net/ipv6/fib6_rules.c.
_USUAL = (
    (4, 0, LOCAL_TABLE),
    (4, 32766, MAIN_TABLE),
    (4, 32767, DEFAULT_TABLE),
    (6, 0, LOCAL_TABLE),
    (6, 32766, MAIN_TABLE),
)
_TCA_KIND, _TC_H_ROOT, _TC_H_INGRESS = 1, 0xFFFFFFFF, 0xFFFFFFF1
_NETNSA_NSID, _NETNSA_FD = 1, 3
_NESTED = 0x8000

_IFINFOMSG = struct.Struct("=BxHiII")  # family, hardware type, index, flags, which flags are meant
_IFADDRMSG = struct.Struct("=BBBBI")  # family, prefix length, flags, scope, link's index
_RTMSG = struct.Struct("=BBBBBBBBI")  # family, lengths of dst and src, tos, table, protocol, scope, type, flags
_RTNEXTHOP = struct.Struct("=HBBi")  # length with the attributes that follow, flags, weight - 1, link's index
_RTVIA = struct.Struct("=H")  # family; the address follows
_TCMSG = struct.Struct("=BxxxiIII")  # family, link's index, handle, parent, and what only answers use
_RTGENMSG = b"\0\0\0\0"
_NETCONFMSG = b"\2\0\0\0"  # of IPv4
_NETCONFA_IFINDEX, _NETCONFA_FORWARDING, _NETCONFA_IFINDEX_ALL = 1, 2, -1
# Attributes for IPv4, in them those of its settings, and the first of these, IPV4_DEVCONF_FORWARDING.
_IPV4_FIRST = struct.Struct("=HHHHi")
_IFREQ = struct.Struct("=16si20x")
_SIOCGIFINDEX = 0x8933

_IFF_UP = 1
_AF_INET, _AF_INET6 = 2, 10
_RTM_F_CLONED = 0x200
_SKIP_STATISTICS = 1 << 3  # RTEXT_FILTER_SKIP_STATS

_PORT_OF_BRIDGE = b"bridge\0"

# The tables of :mod:`.fields` as reading needs them. A bit of the header that differs from a new link's is unusual, and
# so is a port of which any attribute does.
_LINK_BITS = [field for field in fields.LINK.values() if field.attribute == fields.HEADER and field.new is not None]
_USUAL_BITS = sum(field.codec.pack(field.new) for field in _LINK_BITS)
_KNOWN_BITS = sum(field.codec.pack(True) | field.codec.pack(False) for field in _LINK_BITS)
_LINK_ATTRIBUTES = [
    (field.attribute, field.codec.pack(field.new), field)
    for field in fields.LINK.values()
    if field.attribute != fields.HEADER and field.new is not None
]
_PORT_ATTRIBUTES = {field.attribute for field in fields.PORT.values()}
# By the length of a port's attributes a mask that leaves the headers of all and the values of those in the table, and
# what it leaves of a port with the usual settings. One comparison then saves the reading of forty attributes.
_usual_ports: dict[int, tuple[int, int]] = {}
_BROADCAST = fields.ADDRESS["broadcast"].attribute
_NODAD = fields.ADDRESS["dad"].codec.pack(False)
_UNUSUAL_ADDRESS = [field for field in fields.ADDRESS.values() if field.new is not None]
_ADDRESS_BITS = [field for field in _UNUSUAL_ADDRESS if field.attribute == fields.HEADER]
_ADDRESS_ATTRIBUTES = [
    (field.attribute, field.codec.pack(field.new)[: field.codec.size], field.codec.size)
    for field in _UNUSUAL_ADDRESS
    if field.attribute != fields.HEADER
]
_SCOPE, _TYPE, _ONLINK = (fields.ROUTE[name].codec for name in ("scope", "type", "onlink"))
_IN_ROUTE = [field for field in fields.ROUTE.values() if field.attribute != fields.HEADER]
_PACKED_OF_ROUTE = [(field.name, field.attribute, field.codec.pack) for field in _IN_ROUTE]
_READ_OF_ROUTE = [(field.name, field.attribute, field.codec.read) for field in _IN_ROUTE]
_IN_RULE = [
    (name, field.attribute, field) for name, field in fields.RULE.items() if field.attribute != fields.HEADER
]
_NHID, _PREF, _EXPIRES = (fields.ROUTE_EXTRAS[name] for name in ("nhid", "pref", "expires"))
_USUAL_PREF, _NO_EXPIRY = _PREF.codec.pack(_PREF.new), bytes(4)
# What nearly every route of a lab has nothing beside, what the others may have, and what a next hop may have.
_IN_MOST_ROUTES = frozenset(
    [*(field.attribute for field in _IN_ROUTE), _RTA_DST, _RTA_METRICS, _RTA_CACHEINFO, _PREF.attribute]
)
_IN_LABS_ROUTE = _IN_MOST_ROUTES | {_RTA_MULTIPATH, _RTA_VIA}
_IN_HOP = frozenset([_RTA_GATEWAY, _RTA_VIA])


def _family(version: int) -> int:
    return _AF_INET if version == 4 else _AF_INET6


def _raw_mac(mac: str) -> bytes:
    return bytes.fromhex(mac.replace(":", ""))


# -- links ------------------------------------------------------------------------------------------------------


def _link(kind: int, flags: int, index: int, up: bool | None, *parts: bytes) -> Packed:
    header = _IFINFOMSG.pack(0, 0, index, int(bool(up)), 0 if up is None else _IFF_UP)
    return Packed(kind, flags, header + b"".join(parts))


def _settings(name: str | None, mtu: int | None, mac: str | None) -> bytes:
    return (
        (text(_IFLA_IFNAME, name) if name else b"")
        + (number(_IFLA_MTU, mtu) if mtu else b"")
        + (pack(_IFLA_ADDRESS, _raw_mac(mac)) if mac else b"")
    )


def veth_new(
    name: str,
    peer: str,
    peer_netns: int,
    up: bool = False,
    mtu: int | None = None,
    mac: str | None = None,
    master: int | None = None,
    peer_mtu: int | None = None,
    peer_mac: str | None = None,
    group: int = 0,
) -> Packed:
    """Create a veth pair: this end in the socket's namespace, the peer in the namespace with descriptor *peer_netns*.

    Both are in the *group*.

    The kernel refuses a peer that is up, and ignores aliases and the peer's master here.
    """
    header = _IFINFOMSG.pack(0, 0, 0, 0, 0)
    member = number(_IFLA_GROUP, group)
    other = _settings(peer, peer_mtu, peer_mac) + member + number(_IFLA_NET_NS_FD, peer_netns)
    data = pack(_IFLA_INFO_DATA, pack(_VETH_INFO_PEER, header + other))
    info = pack(_IFLA_LINKINFO, text(_IFLA_INFO_KIND, "veth") + data)
    port = number(_IFLA_MASTER, master) if master else b""
    return _link(_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0, up, _settings(name, mtu, mac), member, port, info)


def bridge_new(
    name: str, mac: str | None = None, mtu: int | None = None, options: dict[str, t.Any] | None = None, group: int = 0
) -> Packed:
    """Create a bridge, down, in the *group*. *options* as in :attr:`.objects.Link.options`."""
    info = link_info.encode_bridge(options or {})
    return _link(
        _NEWLINK,
        NLM_F_CREATE | NLM_F_EXCL,
        0,
        False,
        _settings(name, mtu, mac),
        number(_IFLA_GROUP, group),
        info,
    )


def bridge_set(index: int, options: dict[str, t.Any]) -> Packed:
    """Change options of a bridge."""
    return _link(_NEWLINK, 0, index, None, link_info.encode_bridge(options))


def link_set(
    index: int,
    name: str | None = None,
    alias: str | None = None,
    netns: int | None = None,
    group: int | None = None,
    **settings: t.Any,
) -> Packed:
    """Change an existing link. None keeps a setting.

    The *index* 0 stands for the link with the *name*.
    :arg settings: by the names of :data:`.fields.LINK` and, for an existing port, :data:`.fields.PORT`. `master` is an
        index; 0 removes the link from its bridge.
    """
    flags, mask = 0, 0
    parts = [text(_IFLA_IFNAME, name)] if name else []
    port = []
    for setting, value in settings.items():
        if value is None or value == "":
            continue
        if setting in fields.PORT:
            field = fields.PORT[setting]
            port.append(pack(field.attribute, field.codec.pack(value)))
            continue
        field = fields.LINK[setting]
        if field.attribute == fields.HEADER:
            flags |= field.codec.pack(value)
            mask |= field.codec.pack(True) | field.codec.pack(False)
        else:
            parts.append(pack(field.attribute, field.codec.pack(value)))
    for kind, number_of in ((_IFLA_NET_NS_FD, netns), (_IFLA_GROUP, group)):
        if number_of is not None:
            parts.append(number(kind, number_of))
    if alias is not None:
        # An empty one, without its zero byte, takes the alias off.
        parts.append(pack(_IFLA_IFALIAS, attributes.to_bytes(alias)))
    if port:
        slave = pack(_IFLA_INFO_SLAVE_KIND, _PORT_OF_BRIDGE) + pack(_IFLA_INFO_SLAVE_DATA, b"".join(port))
        parts.append(pack(_IFLA_LINKINFO, slave))
    # Only RTM_NEWLINK takes what is in IFLA_LINKINFO (rtnl_changelink() of net/core/rtnetlink.c).
    kind = _NEWLINK if port else _SETLINK
    return Packed(kind, 0, _IFINFOMSG.pack(0, 0, index, flags, mask) + b"".join(parts))


def altname_new(name: str, altname: str) -> Packed:
    """Add an alternative name to the link with the *name*."""
    return _altname(_NEWLINKPROP, NLM_F_CREATE | NLM_F_EXCL, name, altname)


def altname_del(name: str, altname: str) -> Packed:
    """Delete an alternative name of the link with the *name*."""
    return _altname(_DELLINKPROP, 0, name, altname)


def _altname(kind: int, flags: int, name: str, altname: str) -> Packed:
    properties = pack(_IFLA_PROP_LIST | _NESTED, text(_IFLA_ALT_IFNAME, altname))
    return _link(kind, flags, 0, None, text(_IFLA_IFNAME, name), properties)


def link_del(index: int) -> Packed:
    """Delete a link, and the other end of a veth."""
    return _link(_DELLINK, 0, index, None)


def group_del(group: int) -> Packed:
    """Delete all links of a group in the socket's namespace, which takes hardly longer than deleting one."""
    return _link(_DELLINK, 0, 0, None, number(_IFLA_GROUP, group))


@readable
def groups(socket: Netlink) -> set[int]:
    """The groups of links in the socket's namespace."""
    bodies = socket.dump(_link(_GETLINK, NLM_F_DUMP, 0, None, number(_IFLA_EXT_MASK, _SKIP_STATISTICS)))
    return {attributes.to_number(attributes.walk(body, _IFINFOMSG.size).get(_IFLA_GROUP)) for body in bodies}


def link_index(socket: Netlink, name: str) -> int:
    """The index of a link by its name. OSError(ENODEV) if it does not exist."""
    # Not by netlink: this takes a tenth of the time.
    answer = fcntl.ioctl(socket.fileno(), _SIOCGIFINDEX, _IFREQ.pack(attributes.to_bytes(name), 0))
    return int(_IFREQ.unpack(answer)[1])


@readable
def links(socket: Netlink) -> dict[str, Link]:
    """All links of the socket's namespace with their addresses, by name, in the kernel's order."""
    found: dict[int, Link] = {}
    masters: dict[int, int] = {}
    for body in socket.dump(_link(_GETLINK, NLM_F_DUMP, 0, None, number(_IFLA_EXT_MASK, _SKIP_STATISTICS))):
        link, master = _read_link(body)
        found[link.index] = link
        if master:
            masters[link.index] = master
    for index, master in masters.items():
        if master in found:
            found[index].master = found[master].name
    for body in socket.dump(Packed(_GETADDR, NLM_F_DUMP, _IFADDRMSG.pack(0, 0, 0, 0, 0))):
        index = _IFADDRMSG.unpack_from(body)[4]
        if index in found:
            found[index].addresses.append(_read_address(body))
    return {link.name: link for link in found.values()}


def _read_link(body: bytes) -> tuple[Link, int]:
    """A link, and the index of its master, 0 for none."""
    dummy, dummy, index, flags, dummy = _IFINFOMSG.unpack_from(body)
    there = attributes.walk(body, _IFINFOMSG.size)
    info = attributes.walk(there.get(_IFLA_LINKINFO, b""))
    kind = attributes.to_text(info.get(_IFLA_INFO_KIND, b""))
    link = Link(
        name=attributes.to_text(there[_IFLA_IFNAME]),
        index=index,
        kind=kind,
        up=bool(flags & _IFF_UP),
        mtu=attributes.to_number(there.get(_IFLA_MTU)),
        mac=there.get(_IFLA_ADDRESS, b"").hex(":"),
        alias=attributes.to_text(there.get(_IFLA_IFALIAS, b"")),
        group=attributes.to_number(there.get(_IFLA_GROUP)),
        forwards=_forwards(there.get(_IFLA_AF_SPEC, b"")),
    )
    if _IFLA_PROP_LIST in there:
        link.altnames = tuple(
            attributes.to_text(value)
            for kind_of, value in attributes.items(there[_IFLA_PROP_LIST])
            if kind_of == _IFLA_ALT_IFNAME
        )
    if kind == "veth":
        link.peer = attributes.to_number(there.get(_IFLA_LINK))
        if _IFLA_LINK_NETNSID in there:
            link.peer_nsid = attributes.to_number(there[_IFLA_LINK_NETNSID])
    elif kind == "bridge":
        link.options = link_info.decode_bridge(there[_IFLA_LINKINFO])
    if (flags ^ _USUAL_BITS) & _KNOWN_BITS:
        for field in _LINK_BITS:
            link.put(field.name, field.codec.read(flags))
    for attribute, usual, field in _LINK_ATTRIBUTES:
        if there.get(attribute, usual) != usual:
            link.put(field.name, field.codec.read(there[attribute]))
    if info.get(_IFLA_INFO_SLAVE_KIND) == _PORT_OF_BRIDGE:
        _read_port(link, info.get(_IFLA_INFO_SLAVE_DATA, b""))
    return link, attributes.to_number(there.get(_IFLA_MASTER))


def _forwards(settings: bytes) -> bool | None:
    """The sysctl net.ipv4.conf.LINK.forwarding, which the kernel reports with a link, first of its IPv4 settings."""
    if len(settings) < _IPV4_FIRST.size:
        return None
    dummy, family, dummy, kind, forwarding = _IPV4_FIRST.unpack_from(settings)
    known = (family & ~_NESTED, kind & ~_NESTED) == (_AF_INET, _IFLA_INET_CONF)
    return bool(forwarding) if known else None


def _read_port(link: Link, data: bytes) -> None:
    mask, usual = _usual_ports.get(len(data), (0, None))
    if int.from_bytes(data, sys.byteorder) & mask == usual:
        return
    there = attributes.walk(data)
    known = [field for field in fields.PORT.values() if field.attribute in there]  # an older kernel has fewer
    for field in known:
        link.put(field.name, field.codec.read(there[field.attribute]))
    if all(getattr(link, field.name) == field.new for field in known):
        mask = _mask(data)
        _usual_ports[len(data)] = mask, int.from_bytes(data, sys.byteorder) & mask


def _mask(data: bytes) -> int:
    mask = bytearray()
    for kind, value in attributes.items(data):
        mask += b"\xff" * 4 + (b"\xff" if kind in _PORT_ATTRIBUTES else b"\0") * len(value) + bytes(-len(value) & 3)
    return int.from_bytes(mask.ljust(len(data), b"\0")[: len(data)], sys.byteorder)


def nsid(socket: Netlink, netns: int) -> int | None:
    """The number of the namespace of descriptor *netns* in the socket's namespace. None if it has none."""
    try:
        body = socket.get(Packed(_GETNSID, 0, _RTGENMSG + number(_NETNSA_FD, netns)))
    except KernelError as exc:
        if exc.errno == errno.ENOENT:
            return None
        raise
    with readable:
        found = attributes.walk(body, len(_RTGENMSG)).get(_NETNSA_NSID)
    known_as = attributes.to_number(found)
    return None if found is None or known_as == 0xFFFFFFFF else known_as


@readable
def forwarding(socket: Netlink) -> int:
    """The sysctl net.ipv4.ip_forward of the socket's namespace. It takes a quarter of the time of reading /proc/sys."""
    body = socket.get(Packed(_GETNETCONF, 0, _NETCONFMSG + number(_NETCONFA_IFINDEX, _NETCONFA_IFINDEX_ALL)))
    found = attributes.walk(body, len(_NETCONFMSG))[_NETCONFA_FORWARDING]
    return int.from_bytes(found, sys.byteorder, signed=True)


# -- addresses --------------------------------------------------------------------------------------------------


def _address(kind: int, flags: int, index: int, address: Address) -> Packed:
    ip, length = address.cidr.split("/")
    raw = pack_ip(ip)
    remote = pack_ip(address.remote) if address.remote else raw
    body = pack(_IFA_LOCAL, raw) + pack(_IFA_ADDRESS, remote)
    if address.broadcast:
        body += pack(_BROADCAST, pack_ip(address.broadcast))
    own_flags = _NODAD if address.nodad else 0
    for name, value in address.unusual:
        field = fields.ADDRESS[name]
        if field.attribute == fields.HEADER:
            own_flags |= field.codec.pack(value)
        else:
            body += pack(field.attribute, field.codec.pack(value))
    if own_flags > 0xFF:  # more than the header has room for
        body += number(_IFA_FLAGS, own_flags)
    header = _IFADDRMSG.pack(_family(address.version), int(length), own_flags & 0xFF, _SCOPE.pack(address.scope), index)
    return Packed(kind, flags, header + body)


def address_new(index: int, address: Address) -> Packed:
    """Add an address to a link, or change an existing one."""
    return _address(_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, index, address)


def address_del(index: int, address: Address) -> Packed:
    """Delete an address of a link."""
    return _address(_DELADDR, 0, index, address)


def _read_address(body: bytes) -> Address:
    family, length, flags, scope, dummy = _IFADDRMSG.unpack_from(body)
    there = attributes.walk(body, _IFADDRMSG.size)
    remote = there.get(_IFA_ADDRESS, b"")
    local = there.get(_IFA_LOCAL) or remote
    rest = [there.get(kind, usual)[:size] for kind, usual, size in _ADDRESS_ATTRIBUTES]
    unusual, nodad, failed, learnt = _further(family, flags, there.get(_IFA_FLAGS), *rest)
    return Address(
        f"{read_ip(local)}/{length}",
        read_ip(there[_BROADCAST]) if _BROADCAST in there else "",
        _SCOPE.read(scope),
        read_ip(remote) if remote and remote != local else "",
        unusual,
        nodad,
        failed,
        learnt,
    )


@functools.lru_cache(maxsize=1024)  # nearly all addresses are alike in this
def _further(
    family: int, header: int, raw_flags: bytes | None, *rest: bytes
) -> tuple[tuple[tuple[str, t.Any], ...], bool, bool, bool]:
    """The unusual attributes of an address, and whether it is `nodad`, `failed`, `learnt`.

    Some flags have another meaning for IPv4.
    """
    flags = header | attributes.to_number(raw_flags)
    found = {field.name: field.codec.read(flags) for field in _ADDRESS_BITS}
    by_attribute = {attribute: value for (attribute, *dummies), value in zip(_ADDRESS_ATTRIBUTES, rest)}
    for field in _UNUSUAL_ADDRESS:
        if field.attribute in by_attribute:
            found[field.name] = field.codec.read(by_attribute[field.attribute])
    if flags & _IFA_F_DEPRECATED:  # which IPv4 addresses can be for ever
        found["lifetimes"] = found["lifetimes"].replace("preferred_lft forever", "preferred_lft 0")
    unusual = tuple(
        (field.name, found[field.name]) for field in _UNUSUAL_ADDRESS if found[field.name] != field.new
    )
    if family == _AF_INET:
        return unusual, False, False, False
    # addrconf_prefix_rcv_add_addr() of net/ipv6/addrconf.c: the kernel keeps what a router's advertisement says.
    learnt = flags & (_IFA_F_MANAGETEMPADDR | _IFA_F_TEMPORARY) and not flags & _IFA_F_PERMANENT
    return () if learnt else unusual, bool(flags & _NODAD), bool(flags & _IFA_F_DADFAILED), bool(learnt)


# -- routes -----------------------------------------------------------------------------------------------------


def _route(kind: int, flags: int, index: int | list[int], route: Route) -> Packed:
    if route.raw:
        return Packed(kind, flags, _again(bytes.fromhex(route.raw)))
    dst, length = route.dst.split("/")
    body = _RTMSG.pack(
        _family(route.family),
        int(length),
        0,
        0,
        route.table if route.table < 256 else 0,
        route.protocol,
        _SCOPE.pack(route.scope) if route.family == 4 else 0,
        _TYPE.pack(route.type),
        _ONLINK.pack(route.onlink),
    )
    if length != "0":
        body += pack(_RTA_DST, pack_ip(dst))
    value: t.Any
    for name, attribute, encode in _PACKED_OF_ROUTE:
        value = index if name == "dev" else getattr(route, name)
        if not value:
            continue
        if name == "via":
            body += _gateway(route.family, value)
        elif name == "dev" and route.nexthops:
            body += pack(_RTA_MULTIPATH, b"".join(map(functools.partial(_hop, route.family), value, route.nexthops)))
        else:
            body += pack(attribute, encode(value))
    if route.metrics:
        table = fields.METRICS
        metrics = [pack(table[name].attribute, table[name].codec.pack(value)) for name, value in route.metrics]
        body += pack(_RTA_METRICS | _NESTED, b"".join(metrics))
    return Packed(kind, flags, body)


def _gateway(family: int, via: str) -> bytes:
    """The attribute for a gateway, which can be an IPv6 address for IPv4."""
    if family == 4 and ":" in via:
        return pack(_RTA_VIA, _RTVIA.pack(_AF_INET6) + pack_ip(via))
    return pack(_RTA_GATEWAY, pack_ip(via))


def _hop(family: int, index: int, hop: Hop) -> bytes:
    """A `struct rtnexthop` with its attributes."""
    gateway = _gateway(family, hop.via) if hop.via else b""
    flags = _ONLINK.pack(hop.onlink)
    return _RTNEXTHOP.pack(_RTNEXTHOP.size + len(gateway), flags, hop.weight - 1, index) + gateway


def _again(body: bytes) -> bytes:
    """The body of a message that adds or deletes the route that the kernel reported by *body*.

    The id of a next hop replaces the details of that next hop.
    """
    *header, flags = _RTMSG.unpack_from(body)
    there = attributes.walk(body, _RTMSG.size)
    left_out = {_RTA_CACHEINFO}
    if _NHID.attribute in there:
        left_out |= {_RTA_OIF, _RTA_GATEWAY, _RTA_MULTIPATH}
    found = [pack(kind, value) for kind, value in attributes.items(body, _RTMSG.size) if kind not in left_out]
    seconds = _seconds_left(there)
    if seconds:
        found.append(pack(_EXPIRES.attribute, _EXPIRES.codec.pack(seconds)))
    return _RTMSG.pack(*header, flags & _ONLINK.pack(True)) + b"".join(found)


def _seconds_left(there: dict[int, bytes]) -> int:
    """The remaining lifetime of an IPv6 route, 0 if unlimited. From rta_expires of `struct rta_cacheinfo`, in 1/USER_HZ
    s.
    """
    left = there.get(_RTA_CACHEINFO, b"")[8:12]
    return max(int.from_bytes(left, sys.byteorder, signed=True) // 100, 1) if left.strip(b"\0") else 0


def route_new(index: int | list[int], route: Route) -> Packed:
    """Add a route. *index* is that of its link, 0 for none; or those of the links of its next hops. The kernel refuses
    one with the destination and metric of another one.
    """
    return _route(_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, index, route)


def route_replace(index: int | list[int], route: Route) -> Packed:
    """Replace the route with the same destination, table and metric in one step, or add the route."""
    return _route(_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, index, route)


def route_put_back(index: int | list[int], route: Route, first: bool) -> Packed:
    """Add a route before the others with its destination and metric, or after them (fib_table_insert() of the kernel).

    IPv6 keeps those with a gateway as next hops of one route.
    """
    return _route(_NEWROUTE, NLM_F_CREATE | (0 if first else NLM_F_APPEND), index, route)


def route_del(index: int | list[int], route: Route) -> Packed:
    """Delete exactly this route."""
    return _route(_DELROUTE, 0, index, route)


@readable
def routes(socket: Netlink, names: dict[int, str], version: int) -> list[Route]:
    """The routes of the socket's namespace, in the kernel's order. Of the table `local`, only those that others added.

    :arg names: names of the links by index. :arg version: 4 or 6.
    """
    try:
        bodies = socket.dump(Packed(_GETROUTE, NLM_F_DUMP, _RTMSG.pack(_family(version), 0, 0, 0, 0, 0, 0, 0, 0)))
    except KernelError as exc:
        if version == 6 and exc.errno in (errno.EOPNOTSUPP, errno.EAFNOSUPPORT):
            return []  # a kernel without IPv6
        raise
    found = [
        _read_route(body, version, names) for body in bodies if body[4] != LOCAL_TABLE or body[5] != KERNEL_PROTOCOL
    ]
    return [route for route in found if route is not None]


@readable
def own_addresses(socket: Netlink, version: int) -> set[str]:
    """The local addresses of the socket's namespace, from its table `local`."""
    bodies = socket.dump(Packed(_GETROUTE, NLM_F_DUMP, _RTMSG.pack(_family(version), *(0,) * 8)))
    local = [body for body in bodies if (body[4], _TYPE.read(body[7])) == (LOCAL_TABLE, "local")]
    return {read_ip(attributes.walk(body, _RTMSG.size)[_RTA_DST]) for body in local}


def _read_route(body: bytes, version: int, names: dict[int, str]) -> Route | None:
    family, length, dummy, tos, table, protocol, scope, kind, flags = _RTMSG.unpack_from(body)
    if flags & _RTM_F_CLONED or family != _family(version):
        return None
    there = attributes.walk(body, _RTMSG.size)
    dst = read_ip(there[_RTA_DST]) if _RTA_DST in there else ("0.0.0.0" if version == 4 else "::")
    if table == LOCAL_TABLE and dst.startswith("ff"):
        return None  # the kernel's as well, under RTPROT_BOOT before Linux 5.8
    values = {name: read(there[attribute]) for name, attribute, read in _READ_OF_ROUTE if attribute in there}
    values["dev"] = names.get(values.get("dev", 0), "")
    values["table"] = values.get("table") or table
    if _RTA_METRICS in there:
        values["metrics"] = _read_metrics(attributes.walk(there[_RTA_METRICS]))
    is_simple = there.keys() <= _IN_MOST_ROUTES or _read_hops(there, names, values)
    if tos or not is_simple or (version == 6 and _differs(there)):
        values["metrics"] = (*values.get("metrics", ()), *_read_extras(tos, there))
        values["raw"] = body.hex()
    return Route(
        family=version,
        dst="{0}/{1}".format(dst, length),
        scope=_SCOPE.read(scope),
        type=_TYPE.read(kind),
        protocol=protocol,
        onlink=_ONLINK.read(flags),
        **values,
    )


def _read_metrics(there: dict[int, bytes]) -> tuple[tuple[str, int], ...]:
    found = [field for field in fields.METRICS.values() if field.attribute in there]
    return tuple((field.name, field.codec.read(there[field.attribute])) for field in found)


def _differs(there: dict[int, bytes]) -> bool:
    """Whether an IPv6 route has an unusual preference or a lifetime. The kernel always reports both."""
    left = there.get(_RTA_CACHEINFO, b"")[8:12]
    return there.get(_PREF.attribute, _USUAL_PREF) != _USUAL_PREF or left not in (b"", _NO_EXPIRY)


def _read_extras(tos: int, there: dict[int, bytes]) -> t.Iterator[tuple[str, t.Any]]:
    values = {"tos": tos, "expires": _seconds_left(there)}
    for name, field in fields.ROUTE_EXTRAS.items():
        if field.attribute in there:
            values[name] = field.codec.read(there[field.attribute])
        if values.get(name, field.new) != field.new:
            yield name, values[name]


def _read_hops(there: dict[int, bytes], names: dict[int, str], values: dict[str, t.Any]) -> bool:
    """Add the next hops of a route, or its gateway of another IP version, to its *values*.

    :returns: whether that is all that it has in addition to most routes.
    """
    known = there.keys() <= _IN_LABS_ROUTE
    if _RTA_VIA in there:
        values["via"] = _read_gateway(there)
    multipath, offset, hops = there.get(_RTA_MULTIPATH, b""), 0, []
    while offset + _RTNEXTHOP.size <= len(multipath):
        length, flags, weight, index = _RTNEXTHOP.unpack_from(multipath, offset)
        if length < _RTNEXTHOP.size:
            break
        inside = attributes.walk(multipath[offset : offset + length], _RTNEXTHOP.size)
        known = known and inside.keys() <= _IN_HOP
        hops.append(Hop(_read_gateway(inside), names.get(index, ""), weight + 1, _ONLINK.read(flags)))
        offset += (length + 3) & ~3
    values["nexthops"] = tuple(hops)
    return known


def _read_gateway(there: dict[int, bytes]) -> str:
    gateway = there[_RTA_VIA][_RTVIA.size :] if _RTA_VIA in there else there.get(_RTA_GATEWAY)
    return read_ip(gateway) if gateway else ""


def rules(socket: Netlink) -> list[Rule]:
    """The policy rules of the socket's namespace, in the kernel's order; IPv4 first."""
    found = []
    for version in (4, 6):
        try:
            bodies = socket.dump(Packed(_GETRULE, NLM_F_DUMP, _RTMSG.pack(_family(version), 0, 0, 0, 0, 0, 0, 0, 0)))
        except KernelError as exc:
            if exc.errno not in (errno.EOPNOTSUPP, errno.EAFNOSUPPORT):
                raise
            continue  # a kernel without rules, or without IPv6
        found += [_read_rule(body, version) for body in bodies]
    return found


@readable
def _read_rule(body: bytes, version: int) -> Rule:
    # struct fib_rule_hdr
    dummy, dst_length, src_length, tos, table, dummy, dummy, action, flags = _RTMSG.unpack_from(body)
    there = attributes.walk(body, _RTMSG.size)

    def prefix(attribute: int, length: int) -> str:
        return "{0}/{1}".format(read_ip(there[attribute]), length) if attribute in there else ""

    mark, mask = (attributes.to_number(there.get(kind)) for kind in (_FRA_FWMARK, _FRA_FWMASK))
    values = {"tos": tos}
    values.update((name, field.codec.read(there[kind])) for name, kind, field in _IN_RULE if kind in there)
    goto = attributes.to_number(there.get(_FRA_GOTO))
    return Rule(
        family=version,
        priority=attributes.to_number(there.get(_FRA_PRIORITY)),
        action=fields.RULE_ACTION.read(action),
        table=goto or attributes.to_number(there.get(_FRA_TABLE)) or table,
        src=prefix(_FRA_SRC, src_length),
        dst=prefix(_FRA_DST, dst_length),
        fwmark="{0:#x}/{1:#x}".format(mark, mask) if mask else "",
        inverted=bool(flags & _FIB_RULE_INVERT),
        protocol=there.get(_FRA_PROTOCOL, b"\0")[0],
        more=tuple((name, value) for name, value in values.items() if value != fields.RULE[name].new),
        raw=body,
    )


def usual_rules() -> list[Rule]:
    """The rules that the kernel creates in each new namespace."""
    return [Rule(version, priority, "lookup", table, protocol=KERNEL_PROTOCOL) for version, priority, table in _USUAL]


def _rule(rule: Rule) -> bytes:
    if rule.raw:
        return rule.raw
    more = dict(rule.more)
    src, dummy, src_length = rule.src.partition("/")
    dst, dummy, dst_length = rule.dst.partition("/")
    action, flags = fields.RULE_ACTIONS[rule.action], _FIB_RULE_INVERT if rule.inverted else 0
    lengths = (int(dst_length or 0), int(src_length or 0))
    table = rule.table if rule.table < 256 else 0
    body = _RTMSG.pack(_family(rule.family), *lengths, more.get("tos", 0), table, 0, 0, action, flags)
    body += number(_FRA_PRIORITY, rule.priority) + pack(_FRA_PROTOCOL, bytes([rule.protocol]))
    body += number(_FRA_TABLE, rule.table) if rule.table else b""
    body += pack(_FRA_SRC, pack_ip(src)) if src else b""
    body += pack(_FRA_DST, pack_ip(dst)) if dst else b""
    if rule.fwmark:
        mark, mask = (int(word, 16) for word in rule.fwmark.split("/"))
        body += number(_FRA_FWMARK, mark) + number(_FRA_FWMASK, mask)
    for name, attribute, field in _IN_RULE:
        if name in more:
            body += pack(attribute, field.codec.pack(more[name]))
    return body


def rule_new(rule: Rule) -> Packed:
    """Add a rule, after others with its priority."""
    return Packed(_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, _rule(rule))


def rule_del(rule: Rule) -> Packed:
    """Delete exactly this rule."""
    return Packed(_DELRULE, 0, _rule(rule))


# -- queueing disciplines -----------------------------------------------------------------------------------------


@readable
def qdiscs(socket: Netlink, names: dict[int, str]) -> list[Qdisc]:
    """The queueing disciplines of the links with these *names*, by index, that somebody added.

    A discipline of the kernel has no handle. The children of a deleted one disappear with it.
    """
    found = []
    for body in socket.dump(Packed(_GETQDISC, NLM_F_DUMP, _TCMSG.pack(0, 0, 0, 0, 0))):
        dummy, index, handle, parent, dummy = _TCMSG.unpack_from(body)
        if handle and parent >= _TC_H_INGRESS and index in names:
            kind = attributes.to_text(attributes.walk(body, _TCMSG.size).get(_TCA_KIND, b""))
            found.append(Qdisc(names[index], kind, handle >> 16, "root" if parent == _TC_H_ROOT else kind))
    return found


def qdisc_del(index: int, qdisc: Qdisc) -> Packed:
    """Delete a queueing discipline with all its children."""
    parent = _TC_H_ROOT if qdisc.place == "root" else _TC_H_INGRESS
    handle = 0 if qdisc.place == "root" else qdisc.handle << 16
    return Packed(_DELQDISC, 0, _TCMSG.pack(0, index, handle, parent, 0))
