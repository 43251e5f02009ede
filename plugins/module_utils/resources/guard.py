# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guard: it prevents a host that forwards only for labs from becoming a router between its other links.

The guard is a table that all labs of a host share. No resource describes it. At the end of planning, it follows from
the records of the sysctls that labs have switched on, and from the links on the host with a lab's mark.
"""

from __future__ import annotations

from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.sysctl import FORWARDING
from ansible_collections.linuxnet.lab.plugins.module_utils.plan import Plan, Stage
from ansible_collections.linuxnet.lab.plugins.module_utils.resources import remembered
from ansible_collections.linuxnet.lab.plugins.module_utils.snapshot import Namespace, lab_of

# The kind of records with old values of sysctls.
SYSCTL = "sysctl"


def follow(plan: Plan, namespace: Namespace) -> None:
    """Plan the guard after everything else, if the namespace is the host and its links, sysctls or tables may change.
    """
    if not namespace.ref:
        plan.at_end(_keep)


def _keep(plan: Plan) -> None:
    """Plan the guard that the host needs after the plan, or its removal."""
    concerned = "" in plan.with_tables
    if not concerned and not plan.kept and not plan.snapshot.remembering():
        return
    families = []
    for family, name in FORWARDING.items():
        key = remembered.key(plan, SYSCTL, "", name)
        records = [remembered.recall(plan, key), *remembered.recall_others(plan, key)]
        concerned = concerned or key in plan.kept or any(records)
        if any(record and record["old"] == "0" != record["value"] for record in records):
            families.append(family)
    host = plan.snapshot.namespace("")
    if concerned and host:
        _plan(plan, host, families)


def _plan(plan: Plan, host: Namespace, families: list[int]) -> None:
    # The import is here because most runs do not need this file.
    from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import nftables
    from ansible_collections.linuxnet.lab.plugins.module_utils.resources import tables

    found = [link for link in host.links.values() if link.name != "lo"]
    # Packets through a port of a bridge pass the bridge, whoever owns it.
    links = {link.master or link.name for link in found if link.born or lab_of(link.alias)}
    bridges = {link.name for link in found if link.kind == "bridge"} - links
    rules = nftables.guarded_forward(families, sorted(links), sorted(bridges))
    wanted = nftables.Ruleset({"forward": nftables.forward(rules)}) if families else None
    tables.change(plan, host, nftables.SHARED, tables.there(plan, "", nftables.SHARED), wanted, Stage.GUARD)
