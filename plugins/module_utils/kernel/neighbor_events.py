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
    """A neighbour has another hardware address; `old_lladdr` is the last one known of it, empty where none was.

    `time` is when it was heard of, in seconds since 1970.
    """

    time: float
    dev: str
    dst: str
    old_lladdr: str
    new_lladdr: str
    state: str


class NeighborEvents:
    """The neighbour table of the network namespace in which the calling thread is when this is made.

    What is in the table by then is known; an entry that goes and comes again is compared with what it was before.
    """

    def __init__(self) -> None:
        self._socket = Netlink()
        self.lost = 0
        # First listen, then read: nothing can happen between the two that is not heard of.
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
            pass  # what was heard while reading is part of how it was at the beginning

    def fileno(self) -> int:
        """The descriptor to wait for."""
        return self._socket.fileno()

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def changes(self) -> t.Iterator[Change]:
        """What has changed since the last call. `lost` counts how often the kernel said that some of it was lost.

        In a flood it is not all that has: the descriptor then stays ready.
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
        """The name of a link of the socket's namespace; empty where it is gone already."""
        try:
            answer = fcntl.ioctl(self._socket.fileno(), _SIOCGIFNAME, _IFREQ.pack(b"", index))
        except OSError:
            return ""
        return attributes.to_text(_IFREQ.unpack(answer)[0])
