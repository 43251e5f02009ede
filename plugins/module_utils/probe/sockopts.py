# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Functions for all probe sockets: options for which Python has no constants, addresses, time stamps.

Sources: socket(7), ip(7), ipv6(7), and the kernel's linux/in.h and linux/in6.h.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
import time
import typing as t

_IP_MTU_DISCOVER = 10
_IP_RECVERR = 11
_IPV6_MTU_DISCOVER = 23
_IPV6_RECVERR = 25
_PMTUDISC_PROBE = 3
_SO_SNDBUFFORCE = 32
_SO_RCVBUFFORCE = 33
_SO_TIMESTAMPNS = 35

# The option that makes errors go to a socket's error queue. Their control message has the same level and type.
RECVERR = {
    socket.AF_INET: (socket.IPPROTO_IP, _IP_RECVERR),
    socket.AF_INET6: (socket.IPPROTO_IPV6, _IPV6_RECVERR),
}

# Never fragment, and ignore a path MTU that the kernel has learnt from earlier packets.
_DF = {
    socket.AF_INET: (socket.IPPROTO_IP, _IP_MTU_DISCOVER, _PMTUDISC_PROBE),
    socket.AF_INET6: (socket.IPPROTO_IPV6, _IPV6_MTU_DISCOVER, _PMTUDISC_PROBE),
}

_STAMP = (socket.SOL_SOCKET, _SO_TIMESTAMPNS)
_TIMESPEC = struct.Struct("@ll")

# A request that waits for address resolution occupies the socket's send buffer until that fails. With the usual 200 kB,
# some silent targets would block the requests to all others. The receive buffer must hold the replies of a whole lab,
# which arrive at the same time.
_BUFFER = 8 << 20

# The largest datagram.
WHOLE = 1 << 16

# How many datagrams to read from a socket at once. It is more than fit into the buffer, so that all waiting datagrams
# are read before a probe decides. It is limited, so that a flood of datagrams does not stop everything else.
MOST_AT_ONCE = 1 << 15

Control = dict[tuple[int, int], bytes]


def stamp_and_buffer(sock: socket.socket) -> None:
    """Prepare a socket that many probes share: enable time stamps, and enlarge its buffers."""
    sock.setsockopt(*_STAMP, 1)
    buffer(sock, receive=_BUFFER, send=_BUFFER)


def buffer(sock: socket.socket, receive: int = 0, send: int = 0) -> None:
    """Set the sizes of a socket's buffers, in bytes. In a user namespace, net.core.rmem_max and wmem_max limit them."""
    for forced, usual, size in (
        (_SO_RCVBUFFORCE, socket.SO_RCVBUF, receive),
        (_SO_SNDBUFFORCE, socket.SO_SNDBUF, send),
    ):
        if size:
            try:
                sock.setsockopt(socket.SOL_SOCKET, forced, size)
            except PermissionError:
                sock.setsockopt(socket.SOL_SOCKET, usual, size)


def queue_errors(sock: socket.socket) -> None:
    """Keep ICMP errors, with the addresses of their senders, in the socket's error queue."""
    sock.setsockopt(*RECVERR[sock.family], 1)


def never_fragment(sock: socket.socket) -> None:
    """Never fragment packets. A packet that is too big for the link or the path causes an error."""
    sock.setsockopt(*_DF[sock.family])


def bind_to_device(sock: socket.socket, dev: str) -> None:
    """Let packets leave and arrive only through one device."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, dev.encode() + b"\0")


def index(dev: str) -> int:
    """The index of a device in the thread's namespace. 0 for an empty name. OSError if the device does not exist."""
    if not dev:
        return 0
    try:
        return socket.if_nametoindex(dev)
    except OSError:  # Python's exception has no errno
        raise OSError(errno.ENODEV, os.strerror(errno.ENODEV), dev) from None


def sockaddr(family: int, address: str, port: int, scope: int) -> tuple[t.Any, ...]:
    """An address in the form that Python's sockets take."""
    return (address, port) if family == socket.AF_INET else (address, port, 0, scope)


def control_of(control: list[tuple[int, int, bytes]]) -> Control:
    """Control messages, by level and type."""
    return {(level, kind): value for level, kind, value in control}


def arrival(control: Control) -> float:
    """The time of arrival, on the clock of time.monotonic, from the kernel's time stamp, which uses the wall clock.

    So the time does not include how long the packet waited while this process was busy, and a run does not suffer if
    somebody sets the wall clock.
    """
    waited = 0.0
    stamp = control.get(_STAMP, b"")
    if len(stamp) == _TIMESPEC.size:
        seconds, nanoseconds = _TIMESPEC.unpack(stamp)
        waited = time.time() - seconds - nanoseconds / 1e9
    return time.monotonic() - waited
