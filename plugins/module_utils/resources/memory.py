# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a lab has to remember, because the kernel has no mark for it: values of sysctls, routes on foreign links.

A record is about one thing in one namespace, and knows how the lab referred to that namespace.
"""

from __future__ import annotations

import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils import lab as rules
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.operations import Operation
from ansible_collections.linuxnet.lab.plugins.module_utils.plan import Change, Plan, Stage
from ansible_collections.linuxnet.lab.plugins.module_utils.snapshot import Namespace, Snapshot

Record = dict[str, t.Any]

_PLACE = "netns"
# What is made in these stages carries the lab's mark, and is found by it once its namespace is.
_MARKED = (Stage.BRIDGE, Stage.LINK, Stage.NAT)


def key(plan: Plan, kind: str, netns: str, what: str) -> str:
    """The key of a record: the same for every way to refer to a namespace, and for no other namespace."""
    return "{0} {1} {2}".format(kind, plan.snapshot.identity(netns), what)


def recall(plan: Plan, known_by: str) -> Record | None:
    """The lab's record with this key, as it will be after what was planned."""
    if known_by in plan.kept:
        return plan.kept[known_by]
    return plan.snapshot.remembered(plan.lab).get(known_by)


def recall_others(plan: Plan, known_by: str) -> list[Record]:
    """What other labs remember of the same thing."""
    labs = [lab for lab in plan.snapshot.remembering() if lab != plan.lab]
    return [record for record in (plan.snapshot.remembered(lab).get(known_by) for lab in labs) if record]


def everything(plan: Plan, kind: str) -> list[tuple[str, Record]]:
    """The lab's records of a kind, as (key, record)."""
    return _of_kind(plan.snapshot.remembered(plan.lab), kind)


def records(snapshot: Snapshot, lab: str, kind: str) -> list[Record]:
    """The records of a kind that a lab has, for those who only look."""
    return [record for dummy, record in _of_kind(snapshot.remembered(lab), kind)]


def _of_kind(remembered: dict[str, Record], kind: str) -> list[tuple[str, Record]]:
    return [(known_by, record) for known_by, record in remembered.items() if known_by.startswith(kind + " ")]


def write(plan: Plan, known_by: str, record: Record | None) -> Operation:
    """The operation that makes the lab remember a record, or forget it."""
    return Operation("", "remember", {"lab": plan.lab, "key": known_by, "value": record})


def keep(plan: Plan, known_by: str, record: Record | None) -> Operation:
    """As :func:`write`, and the plan knows from now on."""
    plan.kept[known_by] = record
    return write(plan, known_by, record)


def forget(plan: Plan, known_by: str, record: Record) -> None:
    """Plan the end of a record of what is gone already."""
    operations, undo = [keep(plan, known_by, None)], [write(plan, known_by, record)]
    plan.add(Stage.REMOVE_NETNS, "", operations, undo, ("remembered", known_by), record, None, [])


def keep_places(plan: Plan, changes: t.Iterable[Change]) -> None:
    """Let the lab remember namespaces without a name in which it makes something: nothing else leads back to them."""
    kept = set()
    for change in changes:
        ref = change.netns
        if not ref or rules.is_name(ref) or change.stage not in _MARKED or ref in kept:
            continue
        kept.add(ref)
        known_by = key(plan, _PLACE, ref, "")
        if not recall(plan, known_by):
            change.operations.insert(0, write(plan, known_by, {"netns": ref}))
            change.undo.append(write(plan, known_by, None))


def places(plan: Plan, others: t.Iterable[Namespace]) -> list[Namespace]:
    """The namespaces that were kept so and are none of the others; plan that they are forgotten."""
    records = everything(plan, _PLACE)
    known = {plan.snapshot.identity(namespace.ref) for namespace in others} if records else set()
    found = []
    for known_by, record in records:
        forget(plan, known_by, record)
        namespace = plan.snapshot.namespace(record["netns"])
        if namespace and known_by == key(plan, _PLACE, namespace.ref, ""):
            if plan.snapshot.identity(namespace.ref) not in known:
                found.append(namespace)
    return found
