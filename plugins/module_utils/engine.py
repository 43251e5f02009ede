# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the kernel, plan, and then apply or only show the changes: what every module does."""

from __future__ import annotations

import array
import contextlib
import gc
import time
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils import rules
from ansible_collections.linuxnet.lab.plugins.module_utils.errors import LabError
from ansible_collections.linuxnet.lab.plugins.module_utils.host import managers
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import refusals
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.actions import Operation
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.operations import OperationError, Operator
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.sockets import Sockets
from ansible_collections.linuxnet.lab.plugins.module_utils.plan import Many, Plan, Planned
from ansible_collections.linuxnet.lab.plugins.module_utils.resources import remembered
from ansible_collections.linuxnet.lab.plugins.module_utils.snapshot import Snapshot, mark

Claims = list[tuple[str, str, str]]
Resources = t.Sequence[t.Union["Resource", Many]]
Progress = t.Callable[[str, int, int], None]

# Modules return the commands of so many changes unless they are asked for all: the controller holds these, too.
MOST_SHOWN = 1000

_INTERVAL = 1.0  # seconds between two calls of it


class Resource(t.Protocol):
    """One wanted kernel object, or one that must not be there."""

    def check(self) -> list[str]:
        """What is wrong with it in itself, before the kernel is looked at; a sentence each."""

    def claims(self) -> Claims:
        """What it takes for itself, as (kind, value, place): two resources of one task cannot claim the same."""

    def plan(self, plan: Plan) -> None:
        """Add the changes that it needs; LabError where it cannot be had."""


class Outcome(t.NamedTuple):
    """What a run found or did. What is long in a large lab is made when it is asked for.

    :ivar changes: what was (or would be) changed. :ivar warnings: what the user should know.
    :ivar assumed: what check mode took to be made by earlier tasks.
    """

    changes: t.Sequence[Planned]
    warnings: list[str]
    assumed: list[str]

    @property
    def changed(self) -> bool:
        """Whether anything was (or would be) changed."""
        return bool(self.changes)

    @property
    def commands(self) -> list[str]:
        """The changes as shell commands."""
        return [command for change in self.changes for command in change.commands]

    def shown(self, everything: bool) -> list[str]:
        """The first commands, those of :data:`MOST_SHOWN` changes, and a comment that counts the other changes."""
        first = self.changes if everything else self.changes[:MOST_SHOWN]
        left = len(self.changes) - len(first)
        found = [command for change in first for command in change.commands]
        return [*found, "# and {0} more changes; all_commands shows them".format(left)] if left else found

    @property
    def diff(self) -> dict[str, t.Any]:
        """``before`` and ``after``, of what differs only."""
        return difference(self.changes)


def run(
    resources: Resources,
    lab: str,
    force: bool = False,
    check: bool = False,
    progress: Progress | None = None,
    recheck: bool = False,
) -> Outcome:
    """Make the kernel match the resources; with *check* only say what that would take.

    LabError, with every reason found, where something is wrong with them: then nothing was changed. LabError too
    where the kernel refuses a change: those made before it in this run have then been taken back.
    :arg progress: is called about once a second while changes are made, with a word for what is being made, how many
        changes have been, and how many there are.
    :arg recheck: whether to read the kernel again after changes; LabError then names what still differs.
    """
    with _collecting_no_garbage():
        outcome = _run(resources, lab, force, check, progress)
        if recheck and outcome.changed and not check:
            _demand_nothing_left(_run(resources, lab, force, True, None))
        return outcome


def _demand_nothing_left(again: Outcome) -> None:
    if again.changed:
        left = ["`{0}` is still necessary".format(command) for command in again.commands]
        raise LabError(["the kernel still differs from the topology after all changes", *(left or [str(again.diff)])])


@contextlib.contextmanager
def _collecting_no_garbage() -> t.Iterator[None]:
    """What a run makes lives until its end; looking for garbage in it would take the longer, the more there is."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _run(resources: Resources, lab: str, force: bool, check: bool, progress: Progress | None) -> Outcome:
    errors = rules.check_lab("lab", lab) + _errors(resources)
    if errors:
        raise LabError(list(dict.fromkeys(errors)))
    with Sockets() as sockets:
        plan = Plan(Snapshot(sockets), lab, force, check)
        remembered.recover(plan)
        for resource in each(resources):
            try:
                resource.plan(plan)
            except LabError as exc:
                errors += exc.errors
        if errors:
            raise LabError(list(dict.fromkeys(errors)))
        for step in plan.last_steps:
            step(plan)
        first, changes, last = remembered.around(plan, plan.changes())
        if not check:
            _apply(first, changes, last, Operator(sockets, plan.sign), progress)
    warnings = list(dict.fromkeys([*plan.warnings, *_managed_by_others(plan)]))
    return Outcome(changes, warnings, plan.assumed)


def _managed_by_others(plan: Plan) -> list[str]:
    """Who else manages links of the lab on the host, as far as the host was looked at, a sentence each."""
    host = next((one for one in plan.snapshot.read_so_far() if not one.ref), None)
    links = host.links.values() if host else ()
    return managers.of_links({link.index: link.name for link in links if link.index and link.alias == mark(plan.lab)})


def each(resources: Resources) -> t.Iterator[Resource]:
    """The single resources, in their order."""
    for resource in resources:
        if isinstance(resource, Many):
            yield from resource.make()
        else:
            yield resource


def _errors(resources: Resources) -> list[str]:
    errors: list[str] = []
    seen: dict[tuple[str, str], str] = {}
    for resource in each(resources):
        found = resource.check()
        errors += found
        for kind, value, place in [] if found else resource.claims():
            if (kind, value) in seen:
                errors.append("{0}: {1} {2} is already that of {3}".format(place, kind, value, seen[kind, value]))
            else:
                seen[kind, value] = place
    return errors


def _apply(
    first: list[Planned], changes: list[Planned], last: list[Planned], operator: Operator, progress: Progress | None
) -> None:
    """Carry out changes, between what is remembered before and after them."""
    everything = [*first, *changes, *last]
    operations: list[Operation] = []
    owners = array.array("l")
    for number, change in enumerate(everything):
        operations += change.operations
        owners.extend([number] * (len(operations) - len(owners)))
    watch = _watch(everything, owners, progress) if progress else None
    try:
        operator.apply(operations, watch)
    except OperationError as exc:
        touched = {owners[number] for number in exc.done}
        begun = [change for number, change in enumerate(everything) if number in touched and change not in first]
        stuck = _roll_back(begun, operator)
        if stuck:  # what is remembered of it leads to it
            with contextlib.suppress(OperationError):
                operator.apply(remembered.without(changes, [begun[number] for number in stuck]))
        else:
            stuck = _roll_back([change for change in first if 0 in touched], operator)
        left = [stuck[number] for number in sorted(stuck, reverse=True)]
        failed = everything[owners[exc.failed]]
        if not left and begun not in ([], [failed]):
            left = ["the changes before it were undone"]
        raise LabError([_refusal(failed, exc.error), *left]) from exc


def _refusal(failed: Planned, error: Exception) -> str:
    if not failed.commands:  # not for the user to type
        return "the lab's records: {0}".format(refusals.words(error))
    return "`{0}` failed: {1}".format("; ".join(failed.commands), refusals.words(error))


def _watch(changes: list[Planned], owners: t.Sequence[int], progress: Progress) -> t.Callable[[int], None]:
    """What the operator is to call: it tells of the change that an operation belongs to, but not more than need be."""
    due = time.monotonic() + _INTERVAL

    def watch(number: int) -> None:
        nonlocal due
        if time.monotonic() >= due:
            due = time.monotonic() + _INTERVAL
            progress(changes[owners[number]].stage.name.lower().replace("_", " "), owners[number], len(changes))

    return watch


def _roll_back(changes: list[Planned], operator: Operator) -> dict[int, str]:
    """Take back changes, the last one first, and say which could not be, by their numbers."""
    left = {
        number: "`{0}` was done and cannot be undone".format("; ".join(change.commands))
        for number, change in enumerate(changes)
        if not change.undo
    }
    waiting = [(number, operation) for number in reversed(range(len(changes))) for operation in changes[number].undo]
    while waiting:
        try:
            operator.apply([operation for dummy, operation in waiting])
            break
        except OperationError as exc:
            failed, done = waiting[exc.failed][0], {exc.failed, *exc.done}
            left[failed] = "`{0}` could not be undone: {1}".format(
                "; ".join(changes[failed].commands), refusals.words(exc.error)
            )
            waiting = [one for place, one in enumerate(waiting) if place not in done and one[0] != failed]
    return left


def difference(changes: t.Sequence[Planned]) -> dict[str, t.Any]:
    """The changes as two trees of what differs only, for Ansible's diff."""
    before: dict[str, t.Any] = {}
    after: dict[str, t.Any] = {}
    born: set[tuple[str, ...]] = set()
    for change in changes:
        within_new = any(change.where[:length] in born for length in range(1, len(change.where) + 1))
        if change.before is None and change.after is not None:
            born.add(change.where)
        elif not within_new:
            _put(before, change.where, change.before, keep=True)
        if change.after is not None:
            _put(after, change.where, change.after)
    return {"before": before, "after": after}


def _put(tree: dict[str, t.Any], path: tuple[str, ...], value: t.Any, keep: bool = False) -> None:
    """Put a value into a tree; with *keep* what is there already stays. Trees are merged."""
    for step in path[:-1]:
        tree = tree.setdefault(step, {})
    known = tree.get(path[-1])
    if isinstance(known, dict) and isinstance(value, dict):
        tree[path[-1]] = {**value, **known} if keep else {**known, **value}
    elif known is None or not keep:
        tree[path[-1]] = value
