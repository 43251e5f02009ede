# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Listeners that exist during a run: TCP listeners close connections, UDP listeners return this run's datagrams."""

from __future__ import annotations

import ipaddress
import socket
import struct
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils.probe import sockopts, udp

_IP_PKTINFO = 8
_IPV6_PKTINFO = 50  # the control message, which the option IPV6_RECVPKTINFO requests
_BACKLOG = 4096


class Hangup:
    """Accepts connections to all addresses of the thread's namespace, and closes them."""

    def __init__(self, family: int, port: int, token: bytes) -> None:
        """Listen. OSError if the port is in use."""
        self._socket = _bound(family, socket.SOCK_STREAM, port)
        self._socket.listen(_BACKLOG)

    def fileno(self) -> int:
        """The descriptor, as selectors wants it."""
        return self._socket.fileno()

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def ready(self) -> None:
        """Accept and close the waiting connections."""
        for dummy in range(_BACKLOG):
            try:
                self._socket.accept()[0].close()
            except BlockingIOError:
                return
            except OSError:
                continue  # the client has already aborted the connection


class Echo:
    """Returns datagrams of this run, from the address to which they were sent."""

    def __init__(self, family: int, port: int, token: bytes) -> None:
        """Listen. OSError if the port is in use."""
        self._token = token
        self._socket = _bound(family, socket.SOCK_DGRAM, port)
        sockopts.stamp_and_buffer(self._socket)
        if family == socket.AF_INET:
            self._socket.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
        else:
            self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)

    def fileno(self) -> int:
        """The descriptor, as selectors wants it."""
        return self._socket.fileno()

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def ready(self) -> None:
        """Return the waiting datagrams."""
        for dummy in range(sockopts.MOST_AT_ONCE):
            try:
                data, control, dummy_flags, sender = self._socket.recvmsg(sockopts.WHOLE, 512)
            except BlockingIOError:
                return
            if data[udp.NUMBERS.size :] == self._token:
                try:
                    self._socket.sendmsg([data], _from_its_target(sockopts.control_of(control)), 0, sender)
                except OSError:
                    continue  # there is no way back to the sender, which the check then reports


def open_listener(protocol: str, family: int, port: int, token: bytes) -> Hangup | Echo:
    """A listener in the thread's namespace. OSError if the port is in use."""
    return (Hangup if protocol == "tcp" else Echo)(family, port, token)


def _bound(family: int, kind: int, port: int) -> socket.socket:
    sock = socket.socket(family, kind)
    try:
        sock.setblocking(False)
        if kind == socket.SOCK_STREAM:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind(("", port))
    except OSError:
        sock.close()
        raise
    return sock


def _from_its_target(control: sockopts.Control) -> list[tuple[int, int, bytes]]:
    """The control messages that give an answer the request's target address as its source."""
    answer: list[tuple[t.Any, ...]] = []
    for (level, kind), value in control.items():
        if (level, kind) == (socket.IPPROTO_IP, _IP_PKTINFO):
            answer.append((level, kind, struct.pack("=I", 0) + value[4:8] + bytes(4)))
        elif (level, kind) == (socket.IPPROTO_IPV6, _IPV6_PKTINFO):
            scoped = ipaddress.IPv6Address(value[:16]).is_link_local
            answer.append((level, kind, value[:16] + (value[16:20] if scoped else bytes(4))))
    return t.cast("list[tuple[int, int, bytes]]", answer)
