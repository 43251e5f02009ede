# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The records of a lab, for what the kernel cannot mark, or cannot mark reliably.

They store old values of sysctls, routes on links of others, rules, and the lab's own namespaces. A record is about one
object in one namespace, and contains the lab's reference to that namespace.

A run writes records at two moments. Before its first change, it writes all that it will need. After its last change, it
deletes what it no longer needs. If a run is killed in between, the records contain everything that it may have done.
The record `pending` contains what the run was about to create: the names of its new namespaces, and the link group of
its new links. The links leave that group when they get the lab's mark. The next run of the lab first marks these
objects (:func:`recover`).
"""

from __future__ import annotations

import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils import rules
from ansible_collections.linuxnet.lab.plugins.module_utils.host import last_applied
from ansible_collections.linuxnet.lab.plugins.module_utils.host.records import (
    OWN,
    KeepDescription,
    Remember,
    WriteRecords,
)
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.actions import Operation
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.links import SetLink
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.netns import CreateNetns, RemoveNetns
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.objects import Link
from ansible_collections.linuxnet.lab.plugins.module_utils.plan import Change, Plan, Planned, Stage
from ansible_collections.linuxnet.lab.plugins.module_utils.snapshot import Namespace, Snapshot, mark

Record = dict[str, t.Any]

_PLACE = "netns"
# In a record that precedes an edit: the value that the edit replaces. A later write drops it.
REPLACED = "replaced"
_OWN = OWN.strip()
_PENDING = "pending"


def key(plan: Plan, kind: str, netns: str, what: str) -> str:
    """The key of a record. It is the same for every reference to a namespace, and differs from that of any other
    namespace.
    """
    return "{0} {1} {2}".format(kind, plan.snapshot.identity(netns), what)


def recall(plan: Plan, known_by: str) -> Record | None:
    """The lab's record with this key, after the changes planned so far."""
    if known_by in plan.kept:
        return plan.kept[known_by]
    return plan.snapshot.remembered(plan.lab).get(known_by)


def recall_others(plan: Plan, known_by: str) -> list[Record]:
    """The records of other labs about the same object."""
    labs = [lab for lab in plan.snapshot.remembering() if lab != plan.lab]
    return [record for record in (plan.snapshot.remembered(lab).get(known_by) for lab in labs) if record]


def everything(plan: Plan, kind: str) -> list[tuple[str, Record]]:
    """The lab's records of a kind, as (key, record)."""
    return _of_kind(plan.snapshot.remembered(plan.lab), kind)


def records(snapshot: Snapshot, lab: str, kind: str) -> list[Record]:
    """The records of a kind, for modules that only read."""
    return [record for dummy, record in _of_kind(snapshot.remembered(lab), kind)]


def _of_kind(remembered: dict[str, Record], kind: str) -> list[tuple[str, Record]]:
    return [(known_by, record) for known_by, record in remembered.items() if known_by.startswith(kind + " ")]


def write(plan: Plan, known_by: str, record: Record | None) -> Remember:
    """The operation that writes or deletes a record, as a part of a change.

    Its place among the operations does not matter. A run writes new records before its first change, and deletes old
    ones after its last one (:func:`around`).
    """
    return Remember("", plan.lab, known_by, record)


def keep(plan: Plan, known_by: str, record: Record | None) -> Remember:
    """As :func:`write`, and update the plan's records."""
    plan.kept[known_by] = record
    return write(plan, known_by, record)


def forget(plan: Plan, known_by: str, record: Record) -> None:
    """Plan the removal of a record about an object that no longer exists."""
    operations, undo = [keep(plan, known_by, None)], [write(plan, known_by, record)]
    plan.add(Stage.REMOVE_NETNS, "", operations, undo, ("remembered", known_by), record, None, [])


# -- the lab's own namespaces -----------------------------------------------------------------------------------------


def own(plan: Plan, namespace: Namespace) -> None:
    """Plan a record that an existing namespace belongs to the lab."""
    namespace.recorded = plan.lab
    if not namespace.held:  # the record of its holder contains it
        plan.notes.append(write(plan, _own_key(plan.snapshot.identity(namespace.ref)), {"netns": namespace.ref}))


def disown_all(plan: Plan) -> None:
    """Plan to delete the records of all namespaces of the lab after its removal."""
    plan.notes += [write(plan, known_by, None) for known_by, dummy in everything(plan, _OWN)]


def disown(plan: Plan, namespace: Namespace) -> None:
    """Plan to delete the record of a namespace of the lab after its removal."""
    if not namespace.new and not namespace.held:
        plan.notes.append(write(plan, _own_key(plan.snapshot.identity(namespace.ref)), None))


def _own_key(identity: str) -> str:
    return OWN + identity


def places(plan: Plan, others: t.Iterable[Namespace]) -> list[Namespace]:
    """The recorded namespaces without a name that are none of the others. Plan to delete their records."""
    found_records = everything(plan, _PLACE)
    known = {plan.snapshot.identity(namespace.ref) for namespace in others} if found_records else set()
    found = []
    for known_by, record in found_records:
        forget(plan, known_by, record)
        namespace = _place(plan, known_by, record)
        if namespace and plan.snapshot.identity(namespace.ref) not in known:
            found.append(namespace)
    return found


def _place(plan: Plan, known_by: str, record: Record) -> Namespace | None:
    """The namespace of a record. None if it no longer exists, even if another one has its name now."""
    namespace = plan.snapshot.namespace(record["netns"])
    return namespace if namespace and known_by == key(plan, _PLACE, namespace.ref, "") else None


# -- what a killed run has left ---------------------------------------------------------------------------------------


def recover(plan: Plan) -> None:
    """Plan to mark the objects that a killed run of the lab has created, but not yet marked."""
    pending = recall(plan, _PENDING) or {}
    if pending:
        plan.sign = pending["group"]
        everywhere = plan.snapshot.everywhere()
        kept = [_place(plan, *one) for one in everything(plan, _PLACE)]
        for namespace in dict.fromkeys([*everywhere, *(one for one in kept if one)]):
            if namespace.ref in pending["named"] and not namespace.recorded and namespace.is_marked(plan.lab):
                own(plan, namespace)
            _recover_links(plan, namespace, pending["group"])
    mine = {record["netns"]: known_by for known_by, record in everything(plan, _OWN)}
    for name in sorted({*pending.get("named", ()), *mine}):
        if plan.snapshot.name_taken(name):
            plan.add(Stage.RECOVER, name, [RemoveNetns("", name, leftover=True)], [], (), "a file", None, [])
            plan.snapshot.free_name(name)
            if name in mine:
                plan.notes.append(write(plan, mine[name], None))


def _recover_links(plan: Plan, namespace: Namespace, group: int) -> None:
    for link in namespace.links.values():
        if link.group == group and link.alias != mark(plan.lab):
            _mark(plan, namespace, link)


def _mark(plan: Plan, namespace: Namespace, link: Link) -> None:
    operations, undo = (
        [SetLink(namespace.ref, link.name, {"alias": alias, "group": group})]
        for alias, group in ((mark(plan.lab), 0), (link.alias, link.group))
    )
    where = ("links", link.name)
    plan.add(
        Stage.RECOVER, namespace.ref, operations, undo, where, {"owner": link.alias}, {"owner": mark(plan.lab)}, []
    )
    link.alias, link.group = mark(plan.lab), 0


# -- what is written, and when ----------------------------------------------------------------------------------------


def around(plan: Plan, changes: t.Sequence[Planned]) -> tuple[list[Planned], list[Planned], list[Planned]]:
    """The records to write before a plan's changes, these changes without record operations, and the records to write
    after them.
    """
    bare = []
    notes = list(plan.notes)
    for change in changes:
        found = [one for one in change.operations if isinstance(one, Remember)]
        former = [one for one in change.undo if isinstance(one, Remember)]
        notes += found
        bare.append(_without_notes(change, former) if found or former else change)
    ahead: dict[str, t.Any] = {}
    behind: dict[str, t.Any] = {}
    for note in notes:
        known_by, value = note.key, note.value
        if value is None:
            behind[known_by] = None
        else:
            ahead[known_by] = value
            behind.pop(known_by, None)
            if REPLACED in value:
                behind[known_by] = {name: one for name, one in value.items() if name != REPLACED}
    ahead.update(_places_of(plan, _operations(bare)))
    born = [one.name for one in _operations(bare) if isinstance(one, CreateNetns)]
    known = plan.snapshot.remembered(plan.lab)
    if born or any(one.makes for one in _operations(bare)):
        named = sorted({*born, *(known.get(_PENDING) or {"named": ()})["named"]})
        ahead[_PENDING] = {"group": plan.sign, "named": named}
    if _PENDING in {**ahead, **known}:
        behind[_PENDING] = None
    # Any older object with the name of a new one no longer exists.
    stale = [known_by for known_by, record in everything(plan, _OWN) if record["netns"] in born]
    behind = {**dict.fromkeys(stale), **behind}
    first = _writing(plan, [_record(plan, ahead)], [_record(plan, {one: known.get(one) for one in ahead})])
    last = _description(plan)
    if behind or born:
        last.operations.append(_record(plan, behind, born))
    return [first] if ahead else [], bare, [last] if last.operations else []


def without(changes: t.Sequence[Planned], left: t.Sequence[Planned]) -> list[Operation]:
    """The operations that delete the records of a failed run's changes, except of those that are *left*."""
    kept = {note.key for change in left for note in change.notes}
    former = {(note.lab, note.key): note.value for change in reversed(changes) for note in change.notes}
    return [WriteRecords("", lab, {key: value}) for (lab, key), value in former.items() if key not in kept]


def _operations(changes: t.Sequence[Planned]) -> t.Iterator[Operation]:
    return (one for change in changes for one in change.operations)


def _without_notes(change: Planned, former: list[Remember]) -> Change:
    operations, undo = _rest(change.operations), _rest(change.undo)
    shown = (change.where, change.before, change.after, change.commands)
    return Change(change.stage, change.netns, operations, undo, *shown, notes=former)


def _rest(operations: list[Operation]) -> list[Operation]:
    return [one for one in operations if not isinstance(one, Remember)]


def _places_of(plan: Plan, operations: t.Iterable[Operation]) -> dict[str, Record]:
    """The records of namespaces without a name in which the lab creates something, because nothing else leads to them.
    """
    refs = dict.fromkeys(ref for one in operations for ref in one.homes())
    found = {key(plan, _PLACE, ref, ""): {"netns": ref} for ref in refs if ref and not rules.is_name(ref)}
    return {known_by: record for known_by, record in found.items() if not recall(plan, known_by)}


def _record(plan: Plan, values: dict[str, t.Any], born: t.Sequence[str] = ()) -> WriteRecords:
    return WriteRecords("", plan.lab, values, born)


def _description(plan: Plan) -> Change:
    """The operation that stores the description, if it has changed."""
    former = last_applied.recall(plan.lab) if plan.description != "" else ""
    if former == plan.description:
        return _writing(plan, [], [])
    now, back = (KeepDescription("", plan.lab, text) for text in (plan.description, former))
    return _writing(plan, [now], [back])


def _writing(plan: Plan, operations: t.Sequence[Operation], undo: t.Sequence[Operation]) -> Change:
    return Change(Stage.PERSIST, "", [*operations], [*undo], ("remembered",), None, None, [])
