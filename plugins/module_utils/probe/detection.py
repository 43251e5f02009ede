# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Duplicate address detection: IPv6 addresses that the kernel does not yet use, or does not use at all.

For one or two seconds after a link comes up, the kernel looks for another owner of the link-local address that it
created. It does the same for addresses that somebody set without `nodad`. Until then it neither sends from such an
address nor answers for it. Source: RFC 4862, if_inet6 of proc(5), linux/if_addr.h, netdevice(7).
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import socket
import struct
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils.errors import LabError
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import held, namespaces
from ansible_collections.linuxnet.lab.plugins.module_utils.probe import reasons
from ansible_collections.linuxnet.lab.plugins.module_utils.probe.checks import Check

_DADFAILED, _TENTATIVE = 0x08, 0x40
_IFREQ = struct.Struct("=16sH22x")
_SIOCGIFFLAGS = 0x8913
_IFF_RUNNING = 0x40
_NO_SOURCE = errno.errorcode[errno.EADDRNOTAVAIL]

_RETRANS_TIMER = 1.0  # seconds; RFC 4861, section 10
# Detection takes at most 2 seconds: a delay of up to one second (RFC 4862, 5.4.2), and the retransmission timer.
_LONGEST = 3.0  # seconds
_INTERVAL = 0.05  # seconds between two reads of the kernel's addresses


class _Address(t.NamedTuple):
    """An IPv6 address in the kernel's spelling. `state` is empty if the address is in use."""

    ip: str
    dev: str
    state: str


class Detection:
    """Tells whether the checks of a run must wait for duplicate address detection.

    It reads nothing until a check gets no answer.
    """

    def __init__(self) -> None:
        self._places: list[str] | None = None
        self._limit = 0.0
        self._due = 0.0
        self._over = 0.0

    def is_running(self, now: float) -> bool:
        """Whether the kernel looks for duplicates in a namespace of this machine, or has just finished.

        "Just" is a second: a host that sent a neighbour solicitation in the meantime repeats it after that time.
        """
        if self._places is None:
            self._places = everywhere()
            self._limit = now + _LONGEST
        if self._places and now >= self._due:
            self._due = now + _INTERVAL
            self._places = [ref for ref in self._places if now < self._limit and _read(ref, _is_running)]
            if self._places:
                self._over = now + _RETRANS_TIMER
        return now < self._over


class States:
    """The state of all IPv6 addresses of this machine's namespaces."""

    def __init__(self) -> None:
        self._places = {ref: _read(ref, list) for ref in everywhere()}
        self._by_ip: dict[str, list[_Address]] = {}
        for addresses in self._places.values():
            for address in addresses:
                self._by_ip.setdefault(address.ip, []).append(address)

    def reason(self, check: Check, refusal: str) -> str:
        """The word for the state of an address because of which a check got no answer. Empty for another cause.

        :arg refusal: the error with which the sender's own kernel refused to send.
        """
        if refusal != _NO_SOURCE:
            return _common(self._by_ip.get(check.address, []))
        if check.netns not in self._places:
            self._places[check.netns] = _read(check.netns, list)
        own = [address for address in self._places[check.netns] if address.dev != "lo"]
        return _common([address for address in own if check.src in ("", address.ip)])


def _common(addresses: list[_Address]) -> str:
    """The state because of which none of these addresses is in use. Empty if one of them is in use."""
    states = {address.state for address in addresses}
    if not states or "" in states:
        return ""
    return reasons.TENTATIVE if reasons.TENTATIVE in states else reasons.DUPLICATE


def everywhere() -> list[str]:
    """References of the host and of all namespaces that a lab may have."""
    with contextlib.suppress(OSError, LabError):  # only root can find the processes that hold namespaces
        return ["", *namespaces.named(), *(holder.name for holder in held.holders())]
    return [""]


def _is_running(addresses: t.Iterable[_Address]) -> list[_Address]:
    """The addresses for which the kernel is looking for duplicates. It does not look on a link without a carrier."""
    return [address for address in addresses if address.state == reasons.TENTATIVE and _has_carrier(address.dev)]


def _has_carrier(dev: str) -> bool:
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        request = _IFREQ.pack(dev.encode(errors="surrogateescape"), 0)
        return bool(_IFREQ.unpack(fcntl.ioctl(sock, _SIOCGIFFLAGS, request))[1] & _IFF_RUNNING)
    return False


def _read(ref: str, choose: t.Callable[[t.Iterable[_Address]], list[_Address]]) -> list[_Address]:
    """The IPv6 addresses of a namespace that *choose* selects, called inside it. None if nobody can enter it."""
    with contextlib.suppress(OSError, LabError), namespaces.inside_ref(ref):
        with open("/proc/thread-self/net/if_inet6", encoding="utf-8", errors="surrogateescape") as stream:
            return choose([_address(line.split()) for line in stream])
    return []


def _address(fields: list[str]) -> _Address:
    flags = int(fields[4], 16)
    state = reasons.DUPLICATE if flags & _DADFAILED else reasons.TENTATIVE if flags & _TENTATIVE else ""
    return _Address(socket.inet_ntop(socket.AF_INET6, bytes.fromhex(fields[0])), fields[5], state)
