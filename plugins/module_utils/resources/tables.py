# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The nftables tables of labs in a plan, and changes of them."""

from __future__ import annotations

from ansible_collections.linuxnet.lab.plugins.module_utils.commands import enter
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import nftables
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.actions import Operation
from ansible_collections.linuxnet.lab.plugins.module_utils.plan import Plan, Stage
from ansible_collections.linuxnet.lab.plugins.module_utils.snapshot import Namespace


def there(plan: Plan, ref: str, lab: str) -> nftables.Ruleset | None:
    """The content of a lab's table in a namespace. None if it has none."""
    plan.with_tables.add(ref)
    return plan.snapshot.once(nftables.of_namespace, ref, lab)


def change(
    plan: Plan,
    namespace: Namespace,
    lab: str,
    before: nftables.Ruleset | None,
    wanted: nftables.Ruleset | None,
    stage: Stage | None = None,
) -> None:
    """Plan a change or the removal of a lab's table, if it differs, in the given *stage*."""
    if before == wanted:
        return
    plan.add(
        stage or (Stage.NAT if wanted else Stage.REMOVE_NAT),
        namespace.ref,
        [_operation(namespace, lab, wanted)],
        [_operation(namespace, lab, before)],
        ("nftables", nftables.table_name(lab)),
        before.show() if before else None,
        wanted.show() if wanted else None,
        [enter(namespace, command) for command in nftables.commands(lab, before, wanted)],
    )


def _operation(namespace: Namespace, lab: str, ruleset: nftables.Ruleset | None) -> Operation:
    if ruleset is None:
        return nftables.DeleteTable(namespace.ref, lab)
    return nftables.ReplaceTable(namespace.ref, lab, ruleset)
