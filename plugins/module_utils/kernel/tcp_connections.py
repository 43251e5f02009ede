# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The TCP connections of the caller's network namespace.

The kernel looks through a hash table whose size follows from the memory of the machine. For /proc/net/tcp that takes
milliseconds, for a sock_diag(7) socket a tenth of one. Sources: linux/inet_diag.h, proc(5).
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import struct
import sys
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils.errors import KernelError
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.netlink import NLM_F_DUMP, Netlink, Packed, readable

_NETLINK_SOCK_DIAG = 4
_SOCK_DIAG_BY_FAMILY = 20
_ESTABLISHED = 1  # TCP_ESTABLISHED of net/tcp_states.h
# struct inet_diag_req_v2: family, protocol, extensions, a mask of states, and the ends, which do not matter in a dump.
_REQUEST = struct.Struct("=BBBxI48x")
# struct inet_diag_msg: two numbers of four bytes each, two ports, two addresses.
_ANSWER = struct.Struct("!4xHH16s16s")


class Connection(t.NamedTuple):
    """An established TCP connection. IPv4 over an IPv6 socket counts as IPv4."""

    local: str
    local_port: int
    remote: str
    remote_port: int


def established() -> list[Connection]:
    """The established TCP connections of the caller's network namespace."""
    try:
        return _by_netlink()
    except (KernelError, OSError):  # a kernel without inet_diag or tcp_diag
        return _by_proc()


def _by_netlink() -> list[Connection]:
    connection = Netlink(_NETLINK_SOCK_DIAG)
    try:
        found = []
        for family in (socket.AF_INET, socket.AF_INET6):
            request = _REQUEST.pack(family, socket.IPPROTO_TCP, 0, 1 << _ESTABLISHED)
            bodies = connection.dump(Packed(_SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, request))
            found += [_read(family, body) for body in bodies]
        return found
    finally:
        connection.close()


@readable
def _read(family: int, body: bytes) -> Connection:
    local_port, remote_port, local, remote = _ANSWER.unpack_from(body)
    size = 4 if family == socket.AF_INET else 16
    return Connection(_text(local[:size]), local_port, _text(remote[:size]), remote_port)


def _by_proc() -> list[Connection]:
    found = []
    for name in ("tcp", "tcp6"):
        with contextlib.suppress(FileNotFoundError):  # a kernel without IPv6
            with open("/proc/thread-self/net/" + name, encoding="ascii") as stream:
                next(stream)
                for line in stream:
                    words = line.split(None, 4)
                    if int(words[3], 16) == _ESTABLISHED:
                        found.append(Connection(*_end(words[1]), *_end(words[2])))
    return found


def _end(text: str) -> tuple[str, int]:
    """One end in the notation of /proc: the address in words of four bytes in the machine's byte order, and the port.
    """
    digits, port = text.split(":")
    raw = b"".join(int(digits[at : at + 8], 16).to_bytes(4, sys.byteorder) for at in range(0, len(digits), 8))
    return _text(raw), int(port, 16)


def _text(raw: bytes) -> str:
    if len(raw) == 16 and raw[:12] == bytes(10) + b"\xff\xff":
        raw = raw[12:]
    return str(ipaddress.ip_address(raw))
