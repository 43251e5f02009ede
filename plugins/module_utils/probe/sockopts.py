# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What all probe sockets share: options that Python does not name, addresses, time stamps.

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

# How errors reach a socket's error queue, and what their control message is called there.
RECVERR = {
    socket.AF_INET: (socket.IPPROTO_IP, _IP_RECVERR),
    socket.AF_INET6: (socket.IPPROTO_IPV6, _IPV6_RECVERR),
}

# Never fragment, and ask the path each time instead of a memory of it.
_DF = {
    socket.AF_INET: (socket.IPPROTO_IP, _IP_MTU_DISCOVER, _PMTUDISC_PROBE),
    socket.AF_INET6: (socket.IPPROTO_IPV6, _IPV6_MTU_DISCOVER, _PMTUDISC_PROBE),
}

_STAMP = (socket.SOL_SOCKET, _SO_TIMESTAMPNS)
_TIMESPEC = struct.Struct("@ll")

# A request that waits for an address resolution is charged to the socket until that fails: with the usual
# 200 kB some silent targets would keep the requests to all others from being sent. And the replies of a whole
# lab arrive at once.
_BUFFER = 8 << 20

# The largest datagram.
WHOLE = 1 << 16

# How many datagrams are taken from a socket in one go: more than wait in a buffer of that size, so that a flood keeps
# nobody here and nothing is judged before it was read.
MOST_AT_ONCE = 1 << 15

Control = dict[tuple[int, int], bytes]


def stamp_and_buffer(sock: socket.socket) -> None:
    """For a socket that many probes share: time stamps on what arrives, and room for all of it."""
    sock.setsockopt(*_STAMP, 1)
    buffer(sock, receive=_BUFFER, send=_BUFFER)


def buffer(sock: socket.socket, receive: int = 0, send: int = 0) -> None:
    """Room for so many octets. In a user namespace it is at most what net.core.rmem_max and wmem_max say."""
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
    """Keep ICMP errors, with who sent them, in the socket's error queue."""
    sock.setsockopt(*RECVERR[sock.family], 1)


def never_fragment(sock: socket.socket) -> None:
    """Send whole packets or none; what is too big for the link or the path is an error."""
    sock.setsockopt(*_DF[sock.family])


def bind_to_device(sock: socket.socket, dev: str) -> None:
    """Let packets leave and arrive by one device only."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, dev.encode() + b"\0")


def index(dev: str) -> int:
    """The number of a device in the thread's namespace, 0 for none; OSError where it is not there."""
    if not dev:
        return 0
    try:
        return socket.if_nametoindex(dev)
    except OSError:  # it says so without an errno
        raise OSError(errno.ENODEV, os.strerror(errno.ENODEV), dev) from None


def sockaddr(family: int, address: str, port: int, scope: int) -> tuple[t.Any, ...]:
    """An address as Python's sockets want it."""
    return (address, port) if family == socket.AF_INET else (address, port, 0, scope)


def control_of(control: list[tuple[int, int, bytes]]) -> Control:
    """Control messages by what they are."""
    return {(level, kind): value for level, kind, value in control}


def arrival(control: Control) -> float:
    """The kernel's time stamp of an arrival, which is on the wall clock, on time.monotonic's clock.

    That leaves out how long a packet waited while others were sent, and a wall clock that is set does no
    harm.
    """
    waited = 0.0
    stamp = control.get(_STAMP, b"")
    if len(stamp) == _TIMESPEC.size:
        seconds, nanoseconds = _TIMESPEC.unpack(stamp)
        waited = time.time() - seconds - nanoseconds / 1e9
    return time.monotonic() - waited
