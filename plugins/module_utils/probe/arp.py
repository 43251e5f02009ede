# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ARP probes: who has an address on a link. Sources: RFC 826, packet(7), and the kernel's linux/filter.h."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import socket
import struct
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import namespaces
from ansible_collections.linuxnet.lab.plugins.module_utils.probe import base, sockopts
from ansible_collections.linuxnet.lab.plugins.module_utils.probe.checks import Check

_ETH_P_ARP = 0x0806
_BROADCAST = b"\xff" * 6
_ARP = struct.Struct("!HHBBH6s4s6s4s")
_REQUEST, _REPLY = 1, 2
_NOBODY = bytes(4)

# "Is the half word at offset 6, the operation, a reply?" Without this filter, every socket would receive the requests
# of all others.
_SO_ATTACH_FILTER = 26
_REPLIES_ONLY = b"".join(
    struct.pack("=HBBI", *instruction)
    for instruction in ((0x28, 0, 0, 6), (0x15, 0, 1, _REPLY), (0x06, 0, 0, 0xFFFF), (0x06, 0, 0, 0))
)


def request(mac: bytes, src: bytes, target: bytes) -> bytes:
    """The ARP request "who has *target*, tell *src*", from the MAC address *mac*."""
    return _ARP.pack(1, 0x0800, 6, 4, _REQUEST, mac, src, bytes(6), target)


def reply(data: bytes) -> tuple[str, str] | None:
    """The sender's IP address and MAC address in an ARP reply. None if the data is anything else."""
    if len(data) < _ARP.size:
        return None
    dummy, protocol, hardware_size, size, operation, mac, address, dummy, dummy = _ARP.unpack_from(data)
    if (protocol, hardware_size, size, operation) != (0x0800, 6, 4, _REPLY):
        return None
    return socket.inet_ntoa(address), mac.hex(":")


class Endpoint:
    """A packet socket for ARP on one link.

    :ivar probes: the probes that share it.
    """

    def __init__(self, dev: str) -> None:
        """Open the socket in the thread's namespace. OSError if the link does not exist."""
        self.probes: list[Probe] = []
        self._dev = dev
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0)
        try:
            self._socket.setblocking(False)
            sockopts.stamp_and_buffer(self._socket)
            code = ctypes.create_string_buffer(_REPLIES_ONLY)
            program = struct.pack("@HP", len(_REPLIES_ONLY) // 8, ctypes.addressof(code))
            self._socket.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)
            self._socket.bind((dev, _ETH_P_ARP))
            self._netns = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            self._socket.close()
            raise

    def fileno(self) -> int:
        """The descriptor, as selectors wants it."""
        return self._socket.fileno()

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()
        os.close(self._netns)

    def ask(self, address: str, src: str) -> None:
        """Broadcast a request. OSError if the kernel refuses."""
        try:
            mac = self._socket.getsockname()[4]
        except UnicodeDecodeError:  # Python decodes the link's name, which somebody has changed to one without UTF-8
            raise OSError(errno.ENODEV, os.strerror(errno.ENODEV), self._dev) from None
        source = socket.inet_aton(src) if src else self._source(address)
        self._socket.sendto(request(mac, source, socket.inet_aton(address)), (self._dev, _ETH_P_ARP, 0, 0, _BROADCAST))

    def _source(self, address: str) -> bytes:
        """The source address that the kernel would use. 0.0.0.0 if it has none; hosts answer that too."""
        with namespaces.inside(self._netns), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            with contextlib.suppress(OSError):
                sockopts.bind_to_device(sock, self._dev)
                sock.connect((address, 1))
                return socket.inet_aton(sock.getsockname()[0])
        return _NOBODY

    def ready(self) -> None:
        """Pass the replies that have arrived to the probes."""
        for dummy in range(sockopts.MOST_AT_ONCE):
            try:
                data, control, dummy_flags, dummy_sender = self._socket.recvmsg(512, 512)
            except BlockingIOError:
                return
            except (OSError, UnicodeDecodeError):
                continue  # the link went down meanwhile, or got a name that is not UTF-8
            sender = reply(data)
            if sender is not None:
                at = sockopts.arrival(sockopts.control_of(control))
                for probe in self.probes:
                    probe.hear(*sender, at)


class Probe(base.Probe):
    """A check by ARP. It listens until the next request is due, because more than one host may answer."""

    # ARP causes no ICMP errors, and its packets need no entry in the neighbour table.
    unrefused = starved = False

    def __init__(self, check: Check, endpoint: Endpoint) -> None:
        super().__init__(check)
        self._endpoint = endpoint
        self._lladdrs: list[str] = []
        endpoint.probes.append(self)

    def step(self, now: float) -> float:
        """As the base class, but enough answers decide only when the interval after the last one is over."""
        if self._trips and (self.complete or self.check.expect != "reachable"):
            self.decided = True
            return now
        return super().step(now)

    def transmit(self, sequence: int) -> None:
        """Ask who has the address."""
        self._endpoint.ask(self.check.address, self.check.src)

    def hear(self, address: str, lladdr: str, at: float) -> None:
        """Record a reply if it is about the target."""
        if address != self.check.address or not self.asked(self.latest):
            return
        self.answered(self.latest, at, address)
        self.decided = False
        if lladdr not in self._lladdrs:
            self._lladdrs.append(lladdr)

    def extra(self) -> dict[str, t.Any]:
        """The MAC addresses that answered."""
        return {"lladdrs": self._lladdrs}
