# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the kernel has found out about neighbours by itself, forgotten. Source: linux/neighbour.h."""

from __future__ import annotations

import contextlib
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils.fields import NEIGHBOR_STATES, pack_ip, read_ip
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import neighbor_table
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.netlink import Netlink, readable

_SETTLED = sum(NEIGHBOR_STATES[state] for state in ("REACHABLE", "STALE", "DELAY", "PROBE"))


def forget(family: int, addresses: t.Collection[str]) -> int:
    """Forget these neighbours in the thread's namespace, as `ip neigh flush` would; how many there were.

    Only what is in use or was. What is being resolved stays, and so does what an administrator has set. KernelError
    where the kernel does not tell what there is.
    """
    wanted = {read_ip(pack_ip(address)) for address in addresses}
    with contextlib.closing(Netlink()) as netlink, readable:
        entries = neighbor_table.dump(netlink, family)
        found = [one for one in entries if one.dst in wanted and one.state & _SETTLED and not one.flags]
        netlink.request([neighbor_table.delete(one) for one in found])  # what the kernel refuses is gone already
        return len(found)
