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

# By default, modules return the commands of so many changes, because the controller also keeps them in memory.
MOST_SHOWN = 1000

_INTERVAL = 1.0  # seconds between two reports


class Resource(t.Protocol):
    """The desired state of one kernel object, or its absence."""

    def check(self) -> list[str]:
        """Errors in its own values, one sentence each. This does not read the kernel."""

    def claims(self) -> Claims:
        """Its unique properties, as (kind, value, place). Two resources of one task cannot have the same."""

    def plan(self, plan: Plan) -> None:
        """Add the changes that it needs. LabError if it is impossible."""


class Outcome(t.NamedTuple):
    """What a run found or did. It computes texts that are long in a large lab only on demand.

    :ivar changes: the changes, made or planned. :ivar warnings: the warnings for the user.
    :ivar assumed: the objects that check mode expects earlier tasks to create.
    """

    changes: t.Sequence[Planned]
    warnings: list[str]
    assumed: list[str]

    @property
    def changed(self) -> bool:
        """Whether there are changes, made or planned."""
        return bool(self.changes)

    @property
    def commands(self) -> list[str]:
        """The changes as shell commands."""
        return [command for change in self.changes for command in change.commands]

    def shown(self, everything: bool) -> list[str]:
        """The commands of the first :data:`MOST_SHOWN` changes, and a comment that counts the other changes."""
        first = self.changes if everything else self.changes[:MOST_SHOWN]
        left = len(self.changes) - len(first)
        found = [command for change in first for command in change.commands]
        return [*found, "# and {0} more changes; all_commands shows them".format(left)] if left else found

    @property
    def diff(self) -> dict[str, t.Any]:
        """``before`` and ``after``, with the differences only."""
        return difference(self.changes)


def run(
    resources: Resources,
    lab: str,
    force: bool = False,
    check: bool = False,
    progress: Progress | None = None,
    recheck: bool = False,
) -> Outcome:
    """Make the kernel match the resources. With *check*, only plan the changes.

    LabError, with all reasons, if the resources have errors. In that case nothing has changed. LabError also if the
    kernel refuses a change. In that case the run has undone the changes before it.
    :arg progress: the run calls it about once a second with a word for the current change, the number of completed
        changes, and the number of all changes.
    :arg recheck: whether to read the kernel again after changes. LabError names what still differs.
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
    """Switch garbage collection off: the objects of a run live until its end, and to search them takes time."""
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
    """One warning for each other program that manages links of the lab, if the snapshot contains the host."""
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
    """Apply changes. Write records before and after them."""
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
        if stuck:  # the next run finds it by its record
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
    if not failed.commands:  # the user does not type records
        return "the lab's records: {0}".format(refusals.words(error))
    return "`{0}` failed: {1}".format("; ".join(failed.commands), refusals.words(error))


def _watch(changes: list[Planned], owners: t.Sequence[int], progress: Progress) -> t.Callable[[int], None]:
    """A function for the operator, which reports the change that an operation belongs to, about once a second."""
    due = time.monotonic() + _INTERVAL

    def watch(number: int) -> None:
        nonlocal due
        if time.monotonic() >= due:
            due = time.monotonic() + _INTERVAL
            progress(changes[owners[number]].stage.name.lower().replace("_", " "), owners[number], len(changes))

    return watch


def _roll_back(changes: list[Planned], operator: Operator) -> dict[int, str]:
    """Undo changes in reverse order. Return messages for those that cannot be undone, by their numbers."""
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
    """The differences as two trees, for Ansible's diff."""
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
    """Put a value into a tree, and merge trees. With *keep*, existing values stay."""
    for step in path[:-1]:
        tree = tree.setdefault(step, {})
    known = tree.get(path[-1])
    if isinstance(known, dict) and isinstance(value, dict):
        tree[path[-1]] = {**value, **known} if keep else {**known, **value}
    elif known is None or not keep:
        tree[path[-1]] = value
