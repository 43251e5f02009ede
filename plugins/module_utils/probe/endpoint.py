# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Raw ICMP sockets: sends echo requests, and hears the replies and the errors that quote a request.

Sources: raw(7), ip(7) (IP_RECVERR), ipv6(7), socket(7); linux/icmp.h and linux/icmpv6.h for the filters.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
import time
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils.probe import packet

# Numbers of the kernel's interface that Python's socket module does not name.
_ICMP_FILTER = 1
_ICMP6_FILTER = 1
_SOL_RAW = 255
_IP_RECVERR = 11
_IPV6_RECVERR = 25
_SO_SNDBUFFORCE = 32
_SO_RCVBUFFORCE = 33
_SO_TIMESTAMPNS = 35

_RECVERR = {
    socket.AF_INET: (socket.IPPROTO_IP, _IP_RECVERR),
    socket.AF_INET6: (socket.IPPROTO_IPV6, _IPV6_RECVERR),
}
_TIMESPEC = struct.Struct("@ll")

# A request that waits for an address resolution is charged to the socket until that fails: with the usual
# 200 kB some silent targets would keep the requests to all others from being sent. And the replies of a whole
# lab arrive at once.
_BUFFER = 8 << 20


class Heard(t.NamedTuple):
    """A reply (`error` is None) or an error about a request.

    `address` is who replied, or whom the quoted request was for; `at` is the arrival on time.monotonic's
    clock.
    """

    address: str
    echo: packet.Echo
    error: packet.IcmpError | None
    at: float


class Endpoint:
    """A raw socket of one family in one namespace, shared by the probes with the same source and device."""

    def __init__(self, family: int, src: str = "", dev: str = "", zone: str = "") -> None:
        """Open the socket in the calling thread's network namespace; OSError where the kernel refuses.

        :param dev: the device that packets leave and arrive by (SO_BINDTODEVICE), empty for any.
        :param zone: the device that link-local addresses belong to, `dev` where empty.
        """
        self.family = family
        self._scope = _index(zone or dev) if zone or dev else 0
        self._unbound_src = src
        protocol = socket.IPPROTO_ICMP if family == socket.AF_INET else socket.IPPROTO_ICMPV6
        self._socket = socket.socket(family, socket.SOCK_RAW | socket.SOCK_NONBLOCK, protocol)
        try:
            self._configure(dev)
        except OSError:
            self._socket.close()
            raise

    def _configure(self, dev: str) -> None:
        self._socket.setsockopt(*_RECVERR[self.family], 1)
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_SNDBUFFORCE, _BUFFER)
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _BUFFER)
        # A set bit keeps messages of that type out.
        blocked = ~(1 << packet.ECHO_REPLY[self.family])
        if self.family == socket.AF_INET:
            self._socket.setsockopt(_SOL_RAW, _ICMP_FILTER, struct.pack("=I", blocked & 0xFFFFFFFF))
        else:
            words = [(blocked >> shift) & 0xFFFFFFFF for shift in range(0, 256, 32)]
            self._socket.setsockopt(socket.IPPROTO_ICMPV6, _ICMP6_FILTER, struct.pack("=8I", *words))
        if dev:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, dev.encode() + b"\0")

    def fileno(self) -> int:
        """The descriptor, as selectors wants it."""
        return self._socket.fileno()

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def send(self, address: str, data: bytes) -> None:
        """Send ICMP bytes to an address; OSError where the sender's own kernel refuses."""
        if self._unbound_src:
            # Not at opening: an IPv6 address cannot be bound before its duplicate address detection is over.
            self._socket.bind(self._sockaddr(self._unbound_src))
            self._unbound_src = ""
        self._socket.sendto(data, self._sockaddr(address))

    def _sockaddr(self, address: str) -> tuple[t.Any, ...]:
        return (address, 0) if self.family == socket.AF_INET else (address, 0, 0, self._scope)

    def receive(self) -> t.Iterator[Heard]:
        """Everything that has arrived: errors first, then replies; other processes' as well."""
        for flags in (socket.MSG_ERRQUEUE, 0):
            while True:
                try:
                    data, control, dummy, sender = self._socket.recvmsg(4096, 512, flags)
                except BlockingIOError:
                    break
                except OSError:
                    continue  # an ICMP error that came meanwhile, and that is in the queue too
                heard = self._heard(data, control, sender[0] if sender else "", bool(flags))
                if heard is not None:
                    yield heard

    def _heard(self, data: bytes, control: list[tuple[int, int, bytes]], address: str, queued: bool) -> Heard | None:
        # The error queue quotes from the ICMP header on, for both families.
        echo = packet.echo(data if queued else packet.icmp_part(self.family, data))
        fields = {(level, kind): value for level, kind, value in control}
        error = packet.icmp_error(fields.get(_RECVERR[self.family], b""))
        expected = packet.ECHO_REQUEST if queued else packet.ECHO_REPLY
        if echo is None or echo.type != expected[self.family] or queued != (error is not None):
            return None
        return Heard(address, echo, error, _monotonic(fields.get((socket.SOL_SOCKET, _SO_TIMESTAMPNS))))


def _index(dev: str) -> int:
    try:
        return socket.if_nametoindex(dev)
    except OSError:  # it says so without an errno
        raise OSError(errno.ENODEV, os.strerror(errno.ENODEV), dev) from None


def _monotonic(stamp: bytes | None) -> float:
    """The kernel's time stamp of an arrival, which is on the wall clock, on time.monotonic's clock.

    That leaves out how long a packet waited while others were sent, and a wall clock that is set does no
    harm.
    """
    waited = 0.0
    if stamp is not None and len(stamp) == _TIMESPEC.size:
        seconds, nanoseconds = _TIMESPEC.unpack(stamp)
        waited = time.time() - seconds - nanoseconds / 1e9
    return time.monotonic() - waited
