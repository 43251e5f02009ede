# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the kernel has found out about neighbours by itself, forgotten.

Packed and read by hand: what needs it does without pyroute2, and is in a hurry. Sources: rtnetlink(7),
linux/neighbour.h.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import attributes
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.netlink import NLM_F_DUMP, Netlink, Packed, readable

_DELNEIGH, _GETNEIGH = 29, 30
_NDA_DST = 1
_SETTLED = 0x02 | 0x04 | 0x08 | 0x10  # reachable, stale, delay, probe

_NEIGHBOR = struct.Struct("=BxxxiHBB")


def forget(family: int, addresses: t.Collection[str]) -> int:
    """Forget these neighbours in the thread's namespace, as `ip neigh flush` would; how many there were.

    Only what is in use or was. What is being resolved stays, and so does what an administrator has set. KernelError
    where the kernel does not tell what there is.
    """
    wanted = {socket.inet_pton(family, address) for address in addresses}
    with contextlib.closing(Netlink()) as netlink, readable():
        messages = []
        for body in netlink.dump(Packed(_GETNEIGH, NLM_F_DUMP, _NEIGHBOR.pack(family, 0, 0, 0, 0))):
            dummy, index, state, flags, kind = _NEIGHBOR.unpack_from(body)
            address = attributes.walk(body, _NEIGHBOR.size).get(_NDA_DST, b"")
            if address in wanted and state & _SETTLED and not flags:
                neighbor = _NEIGHBOR.pack(family, index, 0, 0, kind)
                messages.append(Packed(_DELNEIGH, 0, neighbor + attributes.pack(_NDA_DST, address)))
        netlink.request(messages)  # what the kernel refuses is gone already
        return len(messages)
