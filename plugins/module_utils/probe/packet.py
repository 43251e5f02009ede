# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ICMP echo as bytes: requests, replies, and the errors that quote a request.

Sources: RFC 792, RFC 1071, RFC 4443; raw(7) and ip(7) for the headers and control data that the kernel adds.
"""

from __future__ import annotations

import errno
import socket
import struct
import typing as t

ECHO_REQUEST: dict[int, int] = {socket.AF_INET: 8, socket.AF_INET6: 128}
ECHO_REPLY: dict[int, int] = {socket.AF_INET: 0, socket.AF_INET6: 129}

_ECHO = struct.Struct("!BBHHH")
_EXTENDED_ERROR = struct.Struct("=IBBBBII")  # struct sock_extended_err of linux/errqueue.h
_ORIGIN = {2: socket.AF_INET, 3: socket.AF_INET6}  # SO_EE_ORIGIN_ICMP, SO_EE_ORIGIN_ICMP6
_LOCAL_ORIGIN = 1  # SO_EE_ORIGIN_LOCAL


class Echo(t.NamedTuple):
    """An echo request or reply. `payload` is everything after the sequence number, and may be empty."""

    type: int
    ident: int
    sequence: int
    payload: bytes


class IcmpError(t.NamedTuple):
    """An ICMP error as the kernel reports it.

    :ivar by: the address of its sender; empty if unknown. :ivar mtu: the MTU that it reports; 0 for none.
    """

    family: int
    type: int
    code: int
    by: str
    mtu: int = 0


# Reasons by (type, code). None stands for all codes of the type that are not listed.
_REASONS: dict[int, dict[tuple[int, int | None], str]] = {
    socket.AF_INET: {
        (3, 0): "net_unreachable",
        (3, 1): "host_unreachable",
        (3, 2): "protocol_unreachable",
        (3, 3): "port_unreachable",
        (3, 4): "packet_too_big",
        (3, 6): "net_unreachable",
        (3, 7): "host_unreachable",
        (3, 9): "prohibited",
        (3, 10): "prohibited",
        (3, 11): "net_unreachable",
        (3, 12): "host_unreachable",
        (3, 13): "prohibited",
        (11, 0): "ttl_exceeded",
    },
    socket.AF_INET6: {
        (1, 0): "net_unreachable",
        (1, 1): "prohibited",
        (1, 2): "beyond_scope",
        (1, 3): "host_unreachable",
        (1, 4): "port_unreachable",
        (1, 5): "prohibited",
        (1, 6): "prohibited",
        (2, None): "packet_too_big",
        (3, 0): "ttl_exceeded",
    },
}


def checksum(data: bytes) -> int:
    """The Internet checksum of RFC 1071."""
    if len(data) % 2:
        data += b"\0"
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF


def echo_request(family: int, ident: int, sequence: int, payload: bytes) -> bytes:
    """An echo request. For ICMPv6, the kernel computes the checksum, because it covers the addresses."""
    kind = ECHO_REQUEST[family]
    total = 0
    if family == socket.AF_INET:
        total = checksum(_ECHO.pack(kind, 0, 0, ident, sequence) + payload)
    return _ECHO.pack(kind, 0, total, ident, sequence) + payload


def echo(data: bytes) -> Echo | None:
    """The echo request or reply in the bytes of an ICMP message. None if they are too short."""
    if len(data) < _ECHO.size:
        return None
    kind, dummy, dummy, ident, sequence = _ECHO.unpack_from(data)
    return Echo(kind, ident, sequence, data[_ECHO.size :])


def icmp_part(family: int, data: bytes) -> bytes:
    """The ICMP message in data that a raw socket received. For IPv4, the data begins with the IP header."""
    if family == socket.AF_INET6 or not data:
        return data
    return data[(data[0] & 0x0F) * 4 :]


def icmp_error(data: bytes) -> IcmpError | None:
    """The ICMP error in the control data of a socket's error queue. None if the error has another origin."""
    if len(data) < _EXTENDED_ERROR.size:
        return None
    number, origin, kind, code, dummy, info, dummy = _EXTENDED_ERROR.unpack_from(data)
    if origin not in _ORIGIN:
        return None
    mtu = info if number == errno.EMSGSIZE else 0
    return IcmpError(_ORIGIN[origin], kind, code, _address(data[_EXTENDED_ERROR.size :]), mtu)


def local_mtu(data: bytes) -> int:
    """The MTU in the control data of an error queue, if the sender's own kernel refused a packet as too big. Else 0."""
    if len(data) < _EXTENDED_ERROR.size:
        return 0
    number, origin, dummy, dummy, dummy, info, dummy = _EXTENDED_ERROR.unpack_from(data)
    return info if (origin, number) == (_LOCAL_ORIGIN, errno.EMSGSIZE) else 0


def _address(sockaddr: bytes) -> str:
    """The address in a C sockaddr. Empty if it has none."""
    family = struct.unpack_from("=H", sockaddr)[0] if len(sockaddr) >= 2 else socket.AF_UNSPEC
    if family == socket.AF_INET and len(sockaddr) >= 8:
        return socket.inet_ntop(family, sockaddr[4:8])
    if family == socket.AF_INET6 and len(sockaddr) >= 24:
        return socket.inet_ntop(family, sockaddr[8:24])
    return ""


def reason(error: IcmpError) -> str:
    """The word for an ICMP error, such as `host_unreachable`. Rare errors have the form `icmp_<type>_<code>`."""
    words = _REASONS[error.family]
    word = words.get((error.type, error.code)) or words.get((error.type, None))
    return word or f"icmp_{error.type}_{error.code}"


def refusal(error: IcmpError) -> str:
    """As :func:`reason`, for a request to a port. A port without a listener has the word `refused`."""
    word = reason(error)
    return "refused" if word == "port_unreachable" else word
