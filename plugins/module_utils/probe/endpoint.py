# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A socket that many probes share. It sends their requests, and receives the answers and the errors that quote them.

Sources: raw(7), udp(7), ip(7) (IP_RECVERR), ipv6(7).
"""

from __future__ import annotations

import socket
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils.probe import packet, sockopts
from ansible_collections.linuxnet.lab.plugins.module_utils.probe.base import Probe
from ansible_collections.linuxnet.lab.plugins.module_utils.probe.checks import Check


class Heard(t.NamedTuple):
    """An answer to a request, or an error about one.

    :ivar address, port: the sender of the answer, or the target of the request that the error quotes.
    :ivar error: None for an answer. :ivar at: the time of arrival, on the clock of time.monotonic.
    """

    address: str
    port: int
    echo: packet.Echo
    error: packet.IcmpError | None
    at: float


class Endpoint:
    """A socket of one protocol and family in one namespace, shared by the probes with the same source and device.

    :ivar probes: the probes that share it, by the identifier in their requests and in the answers.
    :ivar mtus: the path MTU, by target address, if the sender's own kernel refused a packet as too big.
    """

    def __init__(self, sock: socket.socket, src: str = "", dev: str = "", zone: str = "", df: bool = False) -> None:
        """Configure a socket in the thread's namespace. OSError if the kernel refuses.

        :param dev: the device through which packets leave and arrive; empty for any.
        :param zone: the device of link-local addresses; if empty, *dev*.
        :param df: whether packets must not be fragmented.
        """
        self.family = sock.family
        self.probes: dict[int, EchoProbe] = {}
        self.mtus: dict[str, int] = {}
        self._unbound_src = src
        self._socket = sock
        try:
            self._scope = sockopts.index(zone or dev)
            sock.setblocking(False)
            sockopts.queue_errors(sock)
            sockopts.stamp_and_buffer(sock)
            if df:
                sockopts.never_fragment(sock)
            if dev:
                sockopts.bind_to_device(sock, dev)
        except OSError:
            sock.close()
            raise

    def fileno(self) -> int:
        """The descriptor, as selectors wants it."""
        return self._socket.fileno()

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def send(self, address: str, port: int, data: bytes) -> None:
        """Send bytes to an address. OSError if the sender's own kernel refuses."""
        if self._unbound_src:
            # Not earlier, because a socket cannot bind an IPv6 address before its duplicate address detection is over.
            self._socket.bind(sockopts.sockaddr(self.family, self._unbound_src, 0, self._scope))
            self._unbound_src = ""
        target = sockopts.sockaddr(self.family, address, port, self._scope)
        try:
            self._socket.sendto(data, target)
        except OSError:
            # The error may be the ICMP error about an earlier request. In that case, the kernel sent nothing.
            self._socket.sendto(data, target)

    def ready(self) -> None:
        """Pass everything that has arrived to the probes that it may concern."""
        for heard in self.receive():
            for probe in self.whose(heard):
                probe.hear(heard)

    def whose(self, heard: Heard) -> t.Iterable[EchoProbe]:
        """The probes that may have sent the request."""
        probe = self.probes.get(heard.echo.ident)
        return [probe] if probe is not None else []

    def receive(self) -> t.Iterator[Heard]:
        """Everything that has arrived, first errors, then answers. It may belong to other processes."""
        for flags in (socket.MSG_ERRQUEUE, 0):
            for dummy in range(sockopts.MOST_AT_ONCE):
                try:
                    data, control, dummy_flags, sender = self._socket.recvmsg(sockopts.WHOLE, 512, flags)
                except BlockingIOError:
                    break
                except OSError:
                    continue  # an ICMP error that has just arrived, and that is also in the error queue
                heard = self._heard(data, sockopts.control_of(control), sender or ("", 0), bool(flags))
                if heard is not None:
                    yield heard

    def _heard(self, data: bytes, control: sockopts.Control, sender: tuple[t.Any, ...], queued: bool) -> Heard | None:
        raw = control.get(sockopts.RECVERR[self.family], b"")
        mtu = packet.local_mtu(raw)
        if mtu:
            self.mtus[sender[0]] = mtu
        error = packet.icmp_error(raw)
        echo = self.decode(data, queued)
        if echo is None or queued != (error is not None):
            return None
        return Heard(sender[0], sender[1], echo, error, sockopts.arrival(control))

    def decode(self, data: bytes, quoted: bool) -> packet.Echo | None:
        """The echo in received data, or in a request that an error quotes. None for data of another kind."""
        raise NotImplementedError


class EchoProbe(Probe):
    """A check whose answers repeat the request: its identifier, sequence number and payload."""

    def __init__(self, check: Check, endpoint: Endpoint, ident: int, token: bytes) -> None:
        super().__init__(check)
        self.ident = ident
        self.payload = token
        self.endpoint = endpoint
        endpoint.probes[ident] = self

    def hear(self, heard: Heard) -> None:
        """Record an answer or an error if it belongs to a request of this probe."""
        sequence, check = heard.echo.sequence, self.check
        if not self.asked(sequence):
            return
        if heard.error is not None:
            # The error may quote only the beginning of the request.
            if heard.address == check.address and self.payload.startswith(heard.echo.payload[: len(self.payload)]):
                self.refused(self.why(heard.error), "", heard.error.by, heard.error.mtu)
        elif heard.echo.payload == self.payload and (check.multicast or heard.address == check.address):
            self.answered(sequence, heard.at, heard.address)

    def why(self, error: packet.IcmpError) -> str:
        """The word for an ICMP error about a request of this protocol."""
        return packet.reason(error)

    def extra(self) -> dict[str, t.Any]:
        """The MTU that the packets exceeded."""
        mtu = self._mtu or self.endpoint.mtus.get(self.check.address, 0)
        return {"mtu": mtu} if self._reason == "packet_too_big" and mtu else {}
