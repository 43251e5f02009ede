# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Flush the neighbour entries for MAC addresses of links that the plan rebuilds."""

from __future__ import annotations

import dataclasses

from ansible_collections.linuxnet.lab.plugins.module_utils.plan import Plan, Unclaimed
from ansible_collections.linuxnet.lab.plugins.module_utils.resources import neighbor
from ansible_collections.linuxnet.lab.plugins.module_utils.snapshot import Namespace
from ansible_collections.linuxnet.lab.plugins.module_utils.topology.model import Lab


@dataclasses.dataclass
class Rebuilt(Unclaimed):
    """Flush learnt neighbour entries on the lab's own links for addresses that move to a new link.

    Otherwise the kernel would use such an entry for half a minute and longer (base_reachable_time and
    delay_first_probe_time).

    :ivar before: the lab before the run. Neighbour tables contain only addresses that it had.
    """

    before: Lab | None

    def plan(self, plan: Plan) -> None:
        """Plan the flushing for the links that the plan creates. The resources have already planned their addresses."""
        places = plan.snapshot.read_so_far()
        macs: dict[str, set[str]] = {}
        for namespace in places:
            for link in namespace.links.values():
                for address in link.addresses if link.born else ():
                    macs.setdefault(address.ip, set()).add(link.mac)
        if self.before:
            former = {cidr.split("/")[0] for found in self.before.addresses().values() for cidr in found}
            macs = {ip: found for ip, found in macs.items() if ip in former}
        for namespace in places if macs else ():
            if _stays(plan, namespace):
                _forget(plan, namespace, macs)


def _stays(plan: Plan, namespace: Namespace) -> bool:
    """Whether a namespace has existing links of the lab with addresses."""
    links = namespace.links.values()
    return not namespace.new and any(
        one.addresses and not one.born and one.name != "lo" and plan.owns(one) for one in links
    )


def _forget(plan: Plan, namespace: Namespace, macs: dict[str, set[str]]) -> None:
    for entry in list(plan.snapshot.neighbors(namespace).values()):
        link = namespace.links.get(entry.dev)
        if link is None or link.born or link.moved or not plan.owns(link):
            continue
        learnt = not entry.proxy and entry.state != "PERMANENT" and entry.lladdr
        if learnt and entry.dst in macs and entry.lladdr not in macs[entry.dst]:
            neighbor.remove(plan, namespace, entry)
