# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which names and addresses of a lab are valid. Each check returns the errors that it finds, one sentence each.

Filters on the controller use this file too, and the controller may not run Linux. Therefore nothing here imports code
that uses the kernel.
"""

from __future__ import annotations

import difflib
import functools
import ipaddress
import re
import typing as t

# The alias of a lab's link begins with this prefix; the name of the lab follows.
MARK = "linuxnet.lab:"

# IFNAMSIZ of linux/if.h, without the closing zero byte.
LINK_NAME_LIMIT = 15
# ALTIFNAMSIZ of linux/if.h, likewise.
ALTNAME_LIMIT = 127
# HOST_NAME_MAX of limits.h.
HOSTNAME_LIMIT = 64
# RFC 8200, section 5.
IPV6_MIN_MTU = 1280

_MOST_WORDS, _LONGEST_WORD = 500, 200

_LAB = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}\Z")
_NETNS = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+:@-]{0,62}\Z")
_RECORDER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}\Z")
_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}\Z")

Address = t.Union[ipaddress.IPv4Address, ipaddress.IPv6Address]
Network = t.Union[ipaddress.IPv4Network, ipaddress.IPv6Network]
Interface = t.Union[ipaddress.IPv4Interface, ipaddress.IPv6Interface]


class Cidr(str):
    """An address of a link with its prefix length, and with options of its own, by the names of `fields.ADDRESS`.

    :ivar options: among them `peer`, to which the prefix length then belongs.
    """

    options: dict[str, t.Any]

    def __new__(cls, text: str, options: dict[str, t.Any]) -> Cidr:
        """The text, with options."""
        made = super().__new__(cls, text)
        made.options = options
        return made

    def of(self, text: str) -> Cidr:
        """Another form of the text, with the same options."""
        return Cidr(text, self.options)


def reached(cidr: str) -> Network:
    """The network that an address is in: with a peer, that of the peer."""
    peer = cidr.options.get("peer") if isinstance(cidr, Cidr) else None
    return network_of("{0}/{1}".format(peer, cidr.split("/")[1])) if peer else interface_of(cidr).network


# To create an object of ipaddress takes longer than to add an address in the kernel, and many calls need the same one.
_memory = functools.lru_cache(maxsize=8192)


@_memory
def network_of(prefix: str) -> Network:
    """The network of a prefix: 172.18.0.0/12 is 172.16.0.0/12. ValueError if it is invalid."""
    return ipaddress.ip_network(prefix, strict=False)


@_memory
def interface_of(cidr: str) -> Interface:
    """An address with its prefix length. ValueError if it is invalid."""
    return ipaddress.ip_interface(cidr)


@_memory
def normal_prefix(prefix: str) -> str:
    """A prefix in the kernel's notation: 172.16.0.0/12 for 172.18.0.0/12. ValueError if it is invalid."""
    return str(network_of(prefix))


@_memory
def normal_ip(ip: str) -> str:
    """An address in the kernel's notation: fd00::1 for FD00:0::1. ValueError if it is invalid."""
    return str(ip_of(ip))


@_memory
def ip_of(ip: str) -> Address:
    """An address. ValueError if it is invalid."""
    return ipaddress.ip_address(ip)


def check_lab(place: str, name: str) -> list[str]:
    """Errors in the name of a lab, which becomes part of link aliases, of an nftables table's name and of a file name.
    """
    if _LAB.match(name):
        return []
    return ["{0}: {1!r} is not a lab name: letters, digits, '_', '.', '-', at most 63".format(place, name)]


def check_link_name(place: str, name: str) -> list[str]:
    """dev_valid_name() of the kernel: at most 15 bytes, no slash, colon or blank, neither `.` nor `..`.

    It also has no percent sign, which dev_alloc_name() replaces by a number, and is not a name that stands for several
    links in /proc/sys/net, see sysctl_dev_name_is_allowed().
    """
    size = len(name.encode(errors="surrogatepass"))
    if name in ("all", "default"):
        return ["{0}: {1!r} is not a link name: sysctls use that name for several links".format(place, name)]
    if size > LINK_NAME_LIMIT:
        return ["{0}: {1!r} has {2} characters, a link name has at most 15".format(place, name, size)]
    if "%" in name:
        return ["{0}: {1!r} is not a link name: the kernel replaces % by a number".format(place, name)]
    if not name or name in (".", "..") or re.search(r"[/:\s]", name) or not name.isprintable():
        return ["{0}: {1!r} is not a link name".format(place, name)]
    return []


def check_altname(place: str, name: str) -> list[str]:
    """The alternative name of a link: as :func:`check_link_name`, but at most 127 bytes."""
    size = len(name.encode(errors="surrogatepass"))
    if size > ALTNAME_LIMIT:
        return ["{0}: {1!r} has {2} characters, an altname has at most 127".format(place, name, size)]
    if not name or re.search(r"[/\s]", name) or not name.isprintable():
        return ["{0}: {1!r} is not an altname of a link".format(place, name)]
    return []


def check_netns_name(place: str, name: str) -> list[str]:
    """A name for a new namespace: neither a path nor a PID."""
    if _NETNS.match(name) and not name.isdigit():
        return []
    return ["{0}: {1!r} is not a namespace name".format(place, name)]


def is_name(ref: str) -> bool:
    """Whether a reference to a namespace is a name, not the host, a PID or a path."""
    return bool(ref) and not ref.isdigit() and "/" not in ref


def check_netns(place: str, ref: str) -> list[str]:
    """A reference to a namespace: empty, a name, a PID or a path."""
    return check_netns_name(place, ref) if is_name(ref) else []


def check_hostname(place: str, name: str) -> list[str]:
    """hostname(7): at most 64 of letters, digits, dots and hyphens."""
    if re.match(r"[A-Za-z0-9_]([A-Za-z0-9_.-]{0,63})\Z", name) and len(name) <= HOSTNAME_LIMIT:
        return []
    return ["{0}: {1!r} is not a hostname".format(place, name)]


def check_mac(place: str, mac: str | None) -> list[str]:
    """A unicast hardware address, six bytes in lower-case hex."""
    if mac is None:
        return []
    if not _MAC.match(mac) or int(mac[:2], 16) & 1 or mac == "00:00:00:00:00:00":
        return ["{0}: {1!r} is not the MAC address of one link (like 02:00:00:00:00:01)".format(place, mac)]
    return []


def check_mtu(place: str, mtu: int | None) -> list[str]:
    """68 (RFC 791) to 65535, the range of veth and bridge."""
    if mtu is None or 68 <= mtu <= 65535:
        return []
    return ["{0}: {1} is not an MTU between 68 and 65535".format(place, mtu)]


def check_cidr(place: str, cidr: str) -> list[str]:
    """An address of a link with its prefix length. It is neither the address nor the broadcast address of its network.
    """
    try:
        interface = interface_of(cidr)
    except ValueError as exc:
        return ["{0}: {1!r} is not an address with a prefix length ({2})".format(place, cidr, exc)]
    if "/" not in cidr:
        length = 24 if interface.version == 4 else 64
        return ["{0}: {1!r} lacks the prefix length, as in {1}/{2}".format(place, cidr, length)]
    if "%" in cidr:
        return ["{0}: {1!r} names a link after %, which an address on a link has no need of".format(place, cidr)]
    network = interface.network
    ip = interface.ip
    if network.prefixlen == 0 and not ip.is_unspecified:
        return ["{0}: {1!r} would put every address on the link".format(place, cidr)]
    ends = (network.network_address, network.broadcast_address)
    if network.version == 4 and network.prefixlen < 31 and ip in ends:
        what = "network" if ip == ends[0] else "broadcast"
        return ["{0}: {1!r} is the {2} address of {3}, not one of a link".format(place, cidr, what, network)]
    if not is_unicast(ip):
        return ["{0}: {1!r} is not a link's own address".format(place, cidr)]
    return []


def scope_of(interface: Interface) -> str:
    """The scope of an address, which ip(8) chooses for IPv4 and the kernel for IPv6."""
    if interface.is_loopback:
        return "host"
    if interface.version == 4:
        return "global"
    if interface.is_link_local:
        return "link"
    return "site" if interface.is_site_local else "global"


def is_unicast(ip: Address) -> bool:
    """Whether an address can belong to one interface: it is neither unspecified nor multicast nor the IPv4 broadcast
    address.
    """
    return not (ip.is_unspecified or ip.is_multicast or str(ip) == "255.255.255.255")


def check_recorder(place: str, name: str) -> list[str]:
    """Errors in the name of a recorder, which becomes part of a file name."""
    if _RECORDER.match(name):
        return []
    return ["{0}: {1!r} is not a name: letters, digits, '_', '.', '-', at most 63".format(place, name)]


def check_ip(place: str, ip: str) -> list[str]:
    """An address without prefix length, and without the link that RFC 4007 writes after a percent sign."""
    try:
        ip_of(ip)
    except ValueError:
        return ["{0}: {1!r} is not an IP address".format(place, ip)]
    if "%" in ip:
        return ["{0}: {1!r} names a link after %; give the address alone".format(place, ip)]
    return []


def check_prefix(place: str, prefix: str) -> list[str]:
    """A network in CIDR form; bits beyond the prefix length do not matter (see :func:`network_of`)."""
    try:
        network_of(prefix)
    except ValueError as exc:
        return ["{0}: {1!r} is not a network ({2})".format(place, prefix, exc)]
    if "%" in prefix:
        return ["{0}: {1!r} names a link after %; give the prefix alone".format(place, prefix)]
    return []


def normal_cidr(cidr: str) -> str:
    """An address as the kernel writes it: IPv6 compressed and in lower case."""
    return str(interface_of(cidr))


def nearest(word: str, words: t.Collection[str]) -> str:
    """`` (did you mean ...?)`` with the known word that is most similar to an unknown one. Empty if none is similar.

    The comparison is slow, so it does not run for thousands of words or very long ones.
    """
    if len(words) > _MOST_WORDS or len(word) > _LONGEST_WORD:
        return ""
    found = difflib.get_close_matches(word, sorted(words), n=1)
    return " (did you mean {0!r}?)".format(found[0]) if found else ""
