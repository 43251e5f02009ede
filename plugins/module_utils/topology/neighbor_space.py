# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Warns where the machine's neighbour table is too small for a lab: a full one loses packets without a word."""

from __future__ import annotations

import contextlib
import dataclasses
import socket

from ansible_collections.linuxnet.lab.plugins.module_utils.errors import KernelError
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import neighbor_limits, sysctl
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.sockets import Sockets
from ansible_collections.linuxnet.lab.plugins.module_utils.plan import Plan, Unclaimed
from ansible_collections.linuxnet.lab.plugins.module_utils.topology import schema
from ansible_collections.linuxnet.lab.plugins.module_utils.topology.model import Lab

_WARNING = (
    "the {0} links of this lab take {1} entries of the {2} neighbour table once they are all in use. All network "
    "namespaces of the machine share this table, it has room for {3}, and packets are lost when it is full. "
    "`sysctls: {{{4}: {5}}}` of the namespace {6!r} makes it larger for as long as the lab is there"
)


@dataclasses.dataclass
class NeighborSpace(Unclaimed):
    """The entries that a lab needs: at each link, each of the two ends learns who is at the other one."""

    lab: Lab

    def plan(self, plan: Plan) -> None:
        """Compare them with what the kernel, or the topology's own sysctl, has room for."""
        host = [node.sysctls for node in self.lab.nodes.values() if not node.ref]
        wanted = {sysctl.name_of(sysctl.parts_of(name)): value for one in host for name, value in one.items()}
        needed = 2 * len(self.lab.links)
        for family in (socket.AF_INET, socket.AF_INET6) if needed else ():
            name = neighbor_limits.SYSCTL[family]
            most = int(wanted[name]) if wanted.get(name, "").isdigit() else plan.snapshot.once(_most, family)
            if needed > most and self._has_addresses(family):
                enough = 2 << needed.bit_length()  # twice as many: others need some as well
                ip = "IPv6" if family == socket.AF_INET6 else "IPv4"
                plan.warnings.append(_WARNING.format(len(self.lab.links), needed, ip, most, name, enough, schema.HOST))

    def _has_addresses(self, family: int) -> bool:
        """Whether the lab has addresses of a family."""
        found = (address for addresses in self.lab.addresses().values() for address in addresses)
        return any((":" in address) is (family == socket.AF_INET6) for address in found)


def _most(sockets: Sockets, family: int) -> float:
    """How many entries there may be; any number where the kernel does not tell."""
    with contextlib.suppress(KernelError):
        return neighbor_limits.read(sockets.get(""), family).most
    return float("inf")
