# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How many neighbours a machine's table holds, and how often it was full.

All network namespaces share one table of each family. When it is full and the kernel finds nothing to free, packets to
further neighbours are lost. Only the machine's own namespace has the sysctl that says how many entries there may be.
Sources: linux/neighbour.h, `neigh_alloc()` and `neightbl_fill_info()` of net/core/neighbour.c, arp(7).
"""

from __future__ import annotations

import errno
import socket
import struct
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils.errors import KernelError
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import attributes
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.netlink import NLM_F_DUMP, Netlink, Packed, readable

# The sysctl that says how many entries the table of a family may have.
SYSCTL: dict[int, str] = {
    socket.AF_INET: "net.ipv4.neigh.default.gc_thresh3",
    socket.AF_INET6: "net.ipv6.neigh.default.gc_thresh3",
}

_GET = 66  # RTM_GETNEIGHTBL
_NDTMSG = struct.Struct("=Bxxx")
_THRESH3, _STATS = 4, 7  # NDTA_*
_TABLE_FULLS = struct.Struct("=80xQ")  # the eleventh number of struct ndt_stats


class Limit(t.NamedTuple):
    """`most` is how many entries the table may have, `fulls` how often it had no room since the machine's start."""

    most: int
    fulls: int


@readable
def read(netlink: Netlink, family: int) -> Limit:
    """The limit of the table of a family; KernelError where the kernel does not tell."""
    for body in netlink.dump(Packed(_GET, NLM_F_DUMP, _NDTMSG.pack(family))):
        there = attributes.walk(body, _NDTMSG.size)
        if _STATS in there:  # the other answers are about single links
            return Limit(attributes.to_number(there.get(_THRESH3)), *_TABLE_FULLS.unpack_from(there[_STATS]))
    raise KernelError(errno.ENODATA)
