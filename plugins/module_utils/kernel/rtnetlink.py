# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""rtnetlink messages: what each change of links, addresses, routes looks like, and what dumps say.

Nothing here decides anything. Every builder returns one message for :meth:`.netlink.Netlink.request`; every reader
returns the plain values of :mod:`.objects`. Source: rtnetlink(7), linux/rtnetlink.h, linux/if_link.h.
"""

from __future__ import annotations

import errno
import ipaddress
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils.errors import KernelError
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import library
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.netlink import (
    NLM_F_ACK,
    NLM_F_CREATE,
    NLM_F_DUMP,
    NLM_F_EXCL,
    NLM_F_REPLACE,
    Netlink,
    message,
)
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.objects import (
    NEIGHBOR_STATES,
    ROUTE_TYPES,
    SCOPES,
    Address,
    Forwarding,
    Link,
    Neighbor,
    Route,
    word,
)

_NEWLINK, _DELLINK, _GETLINK, _SETLINK = 16, 17, 18, 19
_NEWADDR, _DELADDR, _GETADDR = 20, 21, 22
_NEWROUTE, _DELROUTE, _GETROUTE = 24, 25, 26
_NEWNEIGH, _DELNEIGH, _GETNEIGH = 28, 29, 30
_GETNSID = 90

_IFF_UP = 1
_AF_INET, _AF_INET6, _AF_BRIDGE = 2, 10, 7
_RTM_F_CLONED = 0x200
_RTNH_F_ONLINK = 4
_NTF_PROXY = 0x08
_SKIP_STATISTICS = 1 << 3  # RTEXT_FILTER_SKIP_STATS

_BRIDGE_PREFIX = "IFLA_BR_"


def _family(version: int) -> int:
    return _AF_INET if version == 4 else _AF_INET6


# -- links ------------------------------------------------------------------------------------------------------


def _link(kind: int, flags: int, index: int, up: bool | None, attributes: list[t.Any]) -> t.Any:
    fields = {"family": 0, "index": index, "flags": int(bool(up)), "change": 0 if up is None else _IFF_UP}
    return message(library.ifinfmsg, kind, flags | NLM_F_ACK, fields, attributes)


def _info(kind: str, data: list[t.Any]) -> dict[str, t.Any]:
    attributes: list[t.Any] = [("IFLA_INFO_KIND", kind)]
    if data:
        attributes.append(("IFLA_INFO_DATA", {"attrs": data}))
    return {"attrs": attributes}


def veth_new(
    name: str,
    peer: str,
    peer_netns: int | None,
    up: bool = False,
    mtu: int | None = None,
    mac: str | None = None,
    master: int | None = None,
    peer_mtu: int | None = None,
    peer_mac: str | None = None,
) -> t.Any:
    """A veth pair: this end in the socket's namespace, the peer born in the namespace with descriptor *peer_netns*.

    The kernel refuses a peer that is born up, and ignores aliases and the peer's master here.
    """
    ends = [("IFLA_IFNAME", peer), ("IFLA_NET_NS_FD", peer_netns), ("IFLA_MTU", peer_mtu), ("IFLA_ADDRESS", peer_mac)]
    header = {"index": 0, "flags": 0, "change": 0, "attrs": [pair for pair in ends if pair[1] is not None]}
    info = _info("veth", [("VETH_INFO_PEER", header)])
    attributes = [
        ("IFLA_IFNAME", name),
        ("IFLA_MTU", mtu),
        ("IFLA_ADDRESS", mac),
        ("IFLA_MASTER", master),
        ("IFLA_LINKINFO", info),
    ]
    return _link(_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0, up, attributes)


def bridge_new(
    name: str, mac: str | None = None, mtu: int | None = None, options: dict[str, int] | None = None
) -> t.Any:
    """A bridge, down. *options* as in :attr:`.objects.Link.options`; times in hundredths of a second."""
    info = _info("bridge", [(_BRIDGE_PREFIX + key, value) for key, value in (options or {}).items()])
    attributes = [("IFLA_IFNAME", name), ("IFLA_ADDRESS", mac), ("IFLA_MTU", mtu), ("IFLA_LINKINFO", info)]
    return _link(_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0, False, attributes)


def link_set(
    index: int,
    up: bool | None = None,
    name: str | None = None,
    mtu: int | None = None,
    mac: str | None = None,
    master: int | None = None,
    alias: str | None = None,
    netns: int | None = None,
    kind: str | None = None,
    options: dict[str, int] | None = None,
) -> t.Any:
    """Change an existing link; None leaves a thing as it is. *master* 0 takes it off its bridge."""
    info = _info(kind, [(_BRIDGE_PREFIX + key, value) for key, value in options.items()]) if kind and options else None
    attributes = [
        ("IFLA_IFNAME", name),
        ("IFLA_MTU", mtu),
        ("IFLA_ADDRESS", mac),
        ("IFLA_MASTER", master),
        ("IFLA_IFALIAS", alias),
        ("IFLA_NET_NS_FD", netns),
        ("IFLA_LINKINFO", info),
    ]
    # Options of a kind are changed by NEWLINK alone.
    return _link(_NEWLINK if info or not alias else _SETLINK, 0, index, up, attributes)


def link_del(index: int) -> t.Any:
    """Delete a link; the other end of a veth goes with it."""
    return _link(_DELLINK, 0, index, None, [])


def link_index(socket: Netlink, name: str) -> int:
    """The index of a link by its name; KernelError(ENODEV) where there is none."""
    request = message(library.ifinfmsg, _GETLINK, 0, {"family": 0, "index": 0}, [("IFLA_IFNAME", name)])
    return socket.get(request)["index"]


def links(socket: Netlink) -> dict[str, Link]:
    """All links of the socket's namespace with their addresses, by name, in the kernel's order."""
    request = message(library.ifinfmsg, _GETLINK, NLM_F_DUMP, {"family": 0}, [("IFLA_EXT_MASK", _SKIP_STATISTICS)])
    found: dict[int, Link] = {}
    masters: dict[int, int] = {}
    for answer in socket.dump(request):
        link = _read_link(answer)
        found[link.index] = link
        masters[link.index] = answer.get_attr("IFLA_MASTER") or 0
    for index, master in masters.items():
        if master in found:
            found[index].master = found[master].name
    for answer in socket.dump(message(library.ifaddrmsg, _GETADDR, NLM_F_DUMP, {"family": 0})):
        if answer["index"] in found:
            found[answer["index"]].addresses.append(_read_address(answer))
    return {link.name: link for link in found.values()}


def _read_link(answer: t.Any) -> Link:
    info = answer.get_attr("IFLA_LINKINFO")
    kind = (info.get_attr("IFLA_INFO_KIND") if info else None) or ""
    link = Link(
        name=answer.get_attr("IFLA_IFNAME"),
        index=answer["index"],
        kind=kind,
        up=bool(answer["flags"] & _IFF_UP),
        mtu=answer.get_attr("IFLA_MTU") or 0,
        mac=answer.get_attr("IFLA_ADDRESS") or "",
        alias=answer.get_attr("IFLA_IFALIAS") or "",
    )
    if kind == "veth":
        link.peer = answer.get_attr("IFLA_LINK") or 0
        link.peer_nsid = answer.get_attr("IFLA_LINK_NETNSID")
    data = info.get_attr("IFLA_INFO_DATA") if kind == "bridge" else None
    if data:
        link.options = {
            name[len(_BRIDGE_PREFIX) :]: value
            for name, value in data["attrs"]
            if name.startswith(_BRIDGE_PREFIX) and isinstance(value, int)
        }
    return link


def nsid(socket: Netlink, netns: int) -> int | None:
    """The number by which the socket's namespace knows the namespace of descriptor *netns*; None where it has none."""
    try:
        answer = socket.get(message(library.nsidmsg, _GETNSID, 0, {}, [("NETNSA_FD", netns)]))
    except KernelError as exc:
        if exc.errno == errno.ENOENT:
            return None
        raise
    number = answer.get_attr("NETNSA_NSID")
    return None if number is None or number in (-1, 0xFFFFFFFF) else number


# -- addresses --------------------------------------------------------------------------------------------------


def _address(kind: int, flags: int, index: int, address: Address) -> t.Any:
    interface = ipaddress.ip_interface(address.cidr)
    fields = {
        "family": _family(interface.version),
        "prefixlen": interface.network.prefixlen,
        "index": index,
        "scope": SCOPES.get(address.scope, 0),
    }
    attributes = [
        ("IFA_LOCAL", address.ip),
        ("IFA_ADDRESS", address.remote or address.ip),
        ("IFA_BROADCAST", address.broadcast or None),
    ]
    return message(library.ifaddrmsg, kind, flags | NLM_F_ACK, fields, attributes)


def address_new(index: int, address: Address) -> t.Any:
    """Add an address to a link, or bring one that is there in line."""
    return _address(_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, index, address)


def address_del(index: int, address: Address) -> t.Any:
    """Take an address from a link."""
    return _address(_DELADDR, 0, index, address)


def _read_address(answer: t.Any) -> Address:
    ip = answer.get_attr("IFA_LOCAL") or answer.get_attr("IFA_ADDRESS")
    other = answer.get_attr("IFA_ADDRESS")
    return Address(
        cidr="{0}/{1}".format(ip, answer["prefixlen"]),
        broadcast=answer.get_attr("IFA_BROADCAST") or "",
        scope=word(SCOPES, answer["scope"]),
        remote=other if other and other != ip else "",
    )


# -- routes -----------------------------------------------------------------------------------------------------


def _route(kind: int, flags: int, index: int, route: Route) -> t.Any:
    network = ipaddress.ip_network(route.dst)
    fields = {
        "family": _family(route.family),
        "dst_len": network.prefixlen,
        "src_len": 0,
        "tos": 0,
        "table": route.table if route.table < 256 else 0,
        "proto": route.protocol,
        "scope": SCOPES.get(route.scope, 0) if route.family == 4 else 0,
        "type": ROUTE_TYPES[route.type],
        "flags": _RTNH_F_ONLINK if route.onlink else 0,
    }
    attributes = [
        ("RTA_DST", str(network.network_address) if network.prefixlen else None),
        ("RTA_GATEWAY", route.via or None),
        ("RTA_OIF", index or None),
        ("RTA_PREFSRC", route.src or None),
        ("RTA_PRIORITY", route.metric or None),
        ("RTA_TABLE", route.table),
    ]
    return message(library.rtmsg, kind, flags | NLM_F_ACK, fields, attributes)


def route_new(index: int, route: Route) -> t.Any:
    """Add a route; *index* is its link's, 0 for none. The kernel refuses one with the same destination and metric."""
    return _route(_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, index, route)


def route_del(index: int, route: Route) -> t.Any:
    """Delete exactly this route."""
    return _route(_DELROUTE, 0, index, route)


def routes(socket: Netlink, names: dict[int, str]) -> list[Route]:
    """The routes of the socket's namespace, all tables but the kernel's own `local`, in the kernel's order.

    :arg names: names of the links by index.
    """
    found = []
    for version in (4, 6):
        request = message(library.rtmsg, _GETROUTE, NLM_F_DUMP, {"family": _family(version)})
        try:
            answers = socket.dump(request)
        except KernelError as exc:
            if version == 6 and exc.errno in (errno.EOPNOTSUPP, errno.EAFNOSUPPORT):
                continue  # a kernel without IPv6
            raise
        for answer in answers:
            route = _read_route(answer, version, names)
            if route is not None:
                found.append(route)
    return found


def _read_route(answer: t.Any, version: int, names: dict[int, str]) -> Route | None:
    table = answer.get_attr("RTA_TABLE") or answer["table"]
    if table == 255 or answer["flags"] & _RTM_F_CLONED or answer["family"] != _family(version):
        return None
    dst = answer.get_attr("RTA_DST") or ("0.0.0.0" if version == 4 else "::")
    return Route(
        family=version,
        dst="{0}/{1}".format(dst, answer["dst_len"]),
        via=answer.get_attr("RTA_GATEWAY") or "",
        dev=names.get(answer.get_attr("RTA_OIF") or 0, ""),
        src=answer.get_attr("RTA_PREFSRC") or "",
        metric=answer.get_attr("RTA_PRIORITY") or 0,
        table=table,
        scope=word(SCOPES, answer["scope"]),
        type=word(ROUTE_TYPES, answer["type"]),
        protocol=answer["proto"],
        onlink=bool(answer["flags"] & _RTNH_F_ONLINK),
        nexthops=len(answer.get_attr("RTA_MULTIPATH") or ()),
    )


# -- neighbours -------------------------------------------------------------------------------------------------


def _neighbor(kind: int, flags: int, index: int, neighbor: Neighbor) -> t.Any:
    fields = {
        "family": _family(ipaddress.ip_address(neighbor.dst).version),
        "ifindex": index,
        "state": NEIGHBOR_STATES["PERMANENT" if neighbor.proxy else neighbor.state],
        "flags": _NTF_PROXY if neighbor.proxy else 0,
        "ndm_type": 0,
    }
    attributes = [("NDA_DST", neighbor.dst), ("NDA_LLADDR", neighbor.lladdr or None)]
    return message(library.ndmsg, kind, flags | NLM_F_ACK, fields, attributes)


def neighbor_new(index: int, neighbor: Neighbor) -> t.Any:
    """Put an entry into the neighbour table of a link, in the place of one with the same address."""
    return _neighbor(_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, index, neighbor)


def neighbor_del(index: int, neighbor: Neighbor) -> t.Any:
    """Take an entry out of the neighbour table of a link."""
    return _neighbor(_DELNEIGH, 0, index, neighbor)


def neighbors(socket: Netlink, names: dict[int, str]) -> list[Neighbor]:
    """The IPv4 and IPv6 neighbour tables of the socket's namespace, and what it answers for as a proxy.

    Without the kernel's own entries for multicast and loopback.
    """
    found = []
    for version in (4, 6):
        for flags in (0, _NTF_PROXY):  # the kernel tells of the one kind or of the other
            fields = {"family": _family(version), "flags": flags}
            for answer in socket.dump(message(library.ndmsg, _GETNEIGH, NLM_F_DUMP, fields)):
                if answer["state"] == NEIGHBOR_STATES["NOARP"]:
                    continue
                found.append(
                    Neighbor(
                        dst=answer.get_attr("NDA_DST"),
                        dev=names.get(answer["ifindex"], ""),
                        lladdr=answer.get_attr("NDA_LLADDR") or "",
                        state=word(NEIGHBOR_STATES, answer["state"]),
                        proxy=bool(answer["flags"] & _NTF_PROXY),
                    )
                )
    return found


def forwarding(socket: Netlink, names: dict[int, str]) -> list[Forwarding]:
    """The forwarding databases of the bridges in the socket's namespace; of VXLAN links as well."""
    found = []
    for answer in socket.dump(message(library.ndmsg, _GETNEIGH, NLM_F_DUMP, {"family": _AF_BRIDGE})):
        found.append(
            Forwarding(
                mac=answer.get_attr("NDA_LLADDR") or "",
                dev=names.get(answer["ifindex"], ""),
                master=names.get(answer.get_attr("NDA_MASTER") or 0, ""),
                vlan=answer.get_attr("NDA_VLAN") or 0,
                permanent=bool(answer["state"] & NEIGHBOR_STATES["PERMANENT"]),
            )
        )
    return found
