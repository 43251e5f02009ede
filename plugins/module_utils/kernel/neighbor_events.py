# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Receive the kernel's notifications about the neighbour table of a namespace.

Sources: rtnetlink(7), linux/neighbour.h, linux/rtnetlink.h (RTNLGRP_NEIGH).
"""

from __future__ import annotations

import errno
import fcntl
import struct
import time
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils.fields import NEIGHBOR_STATE, NEIGHBOR_STATES
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import attributes, neighbor_table, rtnetlink
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.netlink import Netlink, readable

_RTMGRP_NEIGH = 0x4
_SIOCGIFNAME = 0x8910
_IFREQ = struct.Struct("=16si20x")


class Change(t.NamedTuple):
    """A neighbour has got another MAC address. `old_lladdr` is its last known one, empty for none.

    `time` is the time of the notification, in seconds since 1970.
    """

    time: float
    dev: str
    dst: str
    old_lladdr: str
    new_lladdr: str
    state: str


class NeighborEvents:
    """The neighbour table of the calling thread's network namespace at the time of creation.

    It starts with the entries in the table at that time. If an entry disappears and comes again, it is compared with
    its old state.
    """

    def __init__(self) -> None:
        self._socket = Netlink()
        self.lost = 0
        # First listen, then read, so that no change in between is lost.
        self._socket.listen(_RTMGRP_NEIGH)
        self._known: dict[tuple[str, str], str] = {}
        reader = Netlink()
        try:
            names = {link.index: link.name for link in rtnetlink.links(reader).values()}
            for neighbor in neighbor_table.neighbors(reader, names):
                if neighbor.lladdr and not neighbor.proxy:
                    self._known[neighbor.dev, neighbor.dst] = neighbor.lladdr
        finally:
            reader.close()
        for dummy in self.changes():
            pass  # notifications during the read belong to the initial state

    def fileno(self) -> int:
        """The descriptor to wait for."""
        return self._socket.fileno()

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def changes(self) -> t.Iterator[Change]:
        """The changes since the last call. `lost` counts how often the kernel reported lost notifications.

        In a flood the result is incomplete, and the descriptor stays ready.
        """
        try:
            for kind, body in self._socket.events():
                change = self._change(body) if kind == neighbor_table.NEW else None
                if change is not None:
                    yield change
        except OSError as exc:
            if exc.errno != errno.ENOBUFS:
                raise
            self.lost += 1

    def _change(self, body: bytes) -> Change | None:
        with readable:
            entry = neighbor_table.read(body)
            dst, lladdr = entry.dst, entry.lladdr
        if not entry.is_ip or entry.is_proxy or not lladdr:
            return None
        if entry.state & (NEIGHBOR_STATES["NOARP"] | NEIGHBOR_STATES["FAILED"] | NEIGHBOR_STATES["INCOMPLETE"]):
            return None
        dev = self._name(entry.index)
        old = self._known.get((dev, dst), "")
        if lladdr == old:
            return None
        self._known[dev, dst] = lladdr
        return Change(time.time(), dev, dst, old, lladdr, NEIGHBOR_STATE.read(entry.state))

    def _name(self, index: int) -> str:
        """The name of a link in the socket's namespace. Empty if it no longer exists."""
        try:
            answer = fcntl.ioctl(self._socket.fileno(), _SIOCGIFNAME, _IFREQ.pack(b"", index))
        except OSError:
            return ""
        return attributes.to_text(_IFREQ.unpack(answer)[0])
