# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Flush the entries of neighbour tables that the kernel has learnt. Source: linux/neighbour.h."""

from __future__ import annotations

import contextlib
import struct
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils import rules
from ansible_collections.linuxnet.lab.plugins.module_utils.fields import NEIGHBOR_STATES, pack_ip, read_ip
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import attributes, neighbor_table
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.netlink import NLM_F_DUMP, Netlink, Packed, readable

_SETTLED = sum(NEIGHBOR_STATES[state] for state in ("REACHABLE", "STALE", "DELAY", "PROBE"))


_GETLINK = 18
_IFINFOMSG = struct.Struct("=BxHiII")  # family, type, index, flags, change
_IFALIAS = 20  # IFLA_IFALIAS


def forget(family: int, addresses: t.Collection[str]) -> int:
    """Flush these neighbours in the thread's namespace, as `ip neigh flush` does, and return their number.

    Entries that the kernel is resolving stay, and so do permanent ones. KernelError if the kernel does not return the
    table.
    """
    wanted = {read_ip(pack_ip(address)) for address in addresses}
    with readable, contextlib.closing(Netlink()) as netlink:
        return _forget(netlink, family, lambda entry: entry.dst in wanted)


def forget_of_labs(family: int) -> int:
    """Flush, as :func:`forget`, all neighbours on links of labs in the thread's namespace."""
    with readable, contextlib.closing(Netlink()) as netlink:
        marked = set()
        for body in netlink.dump(Packed(_GETLINK, NLM_F_DUMP, _IFINFOMSG.pack(0, 0, 0, 0, 0))):
            alias = attributes.walk(body, _IFINFOMSG.size).get(_IFALIAS, b"")
            if attributes.to_text(alias).startswith(rules.MARK):
                marked.add(_IFINFOMSG.unpack_from(body)[2])
        return _forget(netlink, family, lambda entry: entry.index in marked)


def _forget(netlink: Netlink, family: int, chosen: t.Callable[[neighbor_table.Entry], bool]) -> int:
    entries = neighbor_table.dump(netlink, family)
    found = [one for one in entries if one.state & _SETTLED and not one.flags and chosen(one)]
    netlink.request([neighbor_table.delete(one) for one in found])  # a refused entry no longer exists
    return len(found)
