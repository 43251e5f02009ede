# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""TCP probes: connections, closed as soon as they are established. Sources: tcp(7), connect(2), ip(7) (IP_RECVERR)."""

from __future__ import annotations

import errno
import os
import selectors
import socket
import time

from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import namespaces
from ansible_collections.linuxnet.lab.plugins.module_utils.probe import base, packet, reasons, sockopts
from ansible_collections.linuxnet.lab.plugins.module_utils.probe.checks import Check

_WORDS = {
    **reasons.LOCAL,
    errno.EHOSTUNREACH: reasons.HOST_UNREACHABLE,
    errno.ECONNREFUSED: "refused",
    errno.ECONNRESET: "refused",
    errno.ETIMEDOUT: reasons.NO_REPLY,
}


class Dialer:
    """Opens connections from one namespace, for the probes with the same source and device."""

    def __init__(self, family: int, src: str, dev: str, zone: str, selector: selectors.BaseSelector) -> None:
        """Keep the thread's namespace. OSError if the device does not exist."""
        self.selector = selector
        self._family, self._src, self._dev = family, src, dev
        self._scope = sockopts.index(zone or dev)
        sockopts.index(dev)
        self._netns = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)

    def close(self) -> None:
        """Close the descriptor of the namespace."""
        os.close(self._netns)

    def dial(self, address: str, port: int) -> socket.socket:
        """A socket that is connecting. OSError if the sender's own kernel refuses."""
        with namespaces.inside(self._netns):
            sock = socket.socket(self._family, socket.SOCK_STREAM)
        try:
            sock.setblocking(False)
            sockopts.queue_errors(sock)
            if self._dev:
                sockopts.bind_to_device(sock, self._dev)
            if self._src:
                sock.bind(sockopts.sockaddr(self._family, self._src, 0, self._scope))
            sock.connect(sockopts.sockaddr(self._family, address, port, self._scope))
        except BlockingIOError:
            pass
        except OSError:
            sock.close()
            raise
        return sock


# Seconds after which a probe opens a new connection. The kernel repeats its request after the same time (RFC 6298), but
# from the same source address. On an IPv6 link that has just come up, a better source address may be available by then.
_PATIENCE = 1.0


class Probe(base.Probe):
    """A check by TCP. It opens a new connection if the last one failed, or took longer than a limit, which doubles."""

    blind = True

    def __init__(self, check: Check, dialer: Dialer) -> None:
        super().__init__(check)
        self._dialer = dialer
        self._socket: socket.socket | None = None
        self._patience = _PATIENCE
        self._dialled = 0.0

    def ask(self) -> None:
        """Open a connection, unless one is still being opened."""
        if self._socket is not None and time.monotonic() - self._dialled > self._patience:
            self._patience *= 2
            self.close()
        if self._socket is None:
            super().ask()

    def transmit(self, sequence: int) -> None:
        """Open a connection."""
        self._dialled = time.monotonic()
        self._socket = self._dialer.dial(self.check.address, self.check.port)
        self._dialer.selector.register(self._socket, selectors.EVENT_WRITE, self.ready)

    def ready(self) -> None:
        """Record whether the connection was established or failed."""
        if self._socket is None:
            return
        now = time.monotonic()
        code = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        error = self._icmp_error(self._socket)
        if code == 0 and not self._connected(self._socket):
            return
        self.close()
        if self.decided:
            return
        if code == 0:
            self.answered(self.latest, now, self.check.address)
        elif error is not None:
            self.refused(packet.refusal(error), "", error.by)
        else:
            by = self.check.address if code in (errno.ECONNREFUSED, errno.ECONNRESET) else ""
            self.refused(_WORDS.get(code, errno.errorcode.get(code, str(code)).lower()), "", by)

    @staticmethod
    def _connected(sock: socket.socket) -> bool:
        try:
            sock.getpeername()
        except OSError:
            return False
        return True

    @staticmethod
    def _icmp_error(sock: socket.socket) -> packet.IcmpError | None:
        """The latest ICMP error about the connection."""
        latest = None
        for dummy in range(sockopts.MOST_AT_ONCE):
            try:
                control = sockopts.control_of(sock.recvmsg(512, 512, socket.MSG_ERRQUEUE)[1])
            except OSError:
                break
            latest = packet.icmp_error(control.get(sockopts.RECVERR[sock.family], b"")) or latest
        return latest

    def close(self) -> None:
        """Close the connection."""
        if self._socket is not None:
            self._dialer.selector.unregister(self._socket)
            self._socket.close()
            self._socket = None
