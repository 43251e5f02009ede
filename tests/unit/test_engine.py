# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import errno
import typing as t

import pytest

from ansible_collections.linuxnet.lab.plugins.module_utils import engine
from ansible_collections.linuxnet.lab.plugins.module_utils.errors import KernelError, LabError
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.actions import Operation
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.operations import OperationError
from ansible_collections.linuxnet.lab.plugins.module_utils.plan import Change, Plan, Stage

if t.TYPE_CHECKING:
    from .conftest import Drawing


@dataclasses.dataclass(eq=False)
class Told(Operation):
    """An operation that nobody runs."""

    what: str
    name: str


class Thing:
    """A resource with given answers."""

    def __init__(
        self, name: str, wrong: str = "", misfit: str = "", claims: str = "", undo: bool = True, steps: int = 1
    ) -> None:
        self.name, self.wrong, self.misfit, self.claimed = name, wrong, misfit, claims
        self.undo, self.steps = undo, steps

    def check(self) -> list[str]:
        return [self.wrong] if self.wrong else []

    def claims(self) -> list[tuple[str, str, str]]:
        return [("thing", self.claimed, self.name)] if self.claimed else []

    def plan(self, plan: Plan) -> None:
        if self.misfit:
            raise LabError([self.misfit, "common"])
        make = [Told("", "make", self.name + "'" * step) for step in range(self.steps)]
        undo = [Told("", "undo", self.name)] if self.undo else []
        plan.add(Stage.LINK, "", make, undo, (self.name,), None, self.name, ["make " + self.name])


class Kernel:
    """A replacement for the operator. It stores the operations that it gets, and refuses the chosen ones."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.refuses: dict[str, Exception] = {}

    def __call__(self, sockets: t.Any, sign: int) -> Kernel:
        return self

    def apply(self, operations: t.Sequence[Told], watch: t.Callable[[int], None] | None = None) -> None:
        done: list[int] = []
        for number, one in enumerate(operations):
            if watch:
                watch(number)
            words = "{0} {1}".format(one.what, one.name)
            if words in self.refuses:
                raise OperationError(number, self.refuses[words], done)
            self.told.append(words)
            done.append(number)


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch, draw: Drawing) -> Kernel:
    """The engine without a kernel."""
    stand_in = Kernel()
    monkeypatch.setattr(engine, "Operator", stand_in)
    monkeypatch.setattr(engine, "Snapshot", lambda sockets: draw.plan().snapshot)
    return stand_in


def reasons(*things: Thing, lab: str = "demo") -> list[str]:
    with pytest.raises(LabError) as caught:
        engine.run(things, lab)
    return caught.value.errors


def test_applied_in_order_and_told(kernel: Kernel) -> None:
    outcome = engine.run([Thing("a"), Thing("b")], "demo")
    assert kernel.told == ["make a", "make b"]
    assert (outcome.changed, outcome.commands) == (True, ["make a", "make b"])
    assert outcome.diff == {"before": {}, "after": {"host": {"a": "a", "b": "b"}}}
    assert (outcome.warnings, outcome.assumed) == ([], [])


def test_check_mode_tells_the_same_and_does_nothing(kernel: Kernel) -> None:
    predicted = engine.run([Thing("a"), Thing("b")], "demo", check=True)
    assert kernel.told == []
    done = engine.run([Thing("a"), Thing("b")], "demo")
    assert (predicted.commands, predicted.diff, *predicted[1:]) == (done.commands, done.diff, *done[1:])


def test_nothing_to_do_is_no_change(kernel: Kernel) -> None:
    outcome = engine.run([], "demo")
    assert outcome == ([], [], [])
    assert (outcome.changed, outcome.commands, outcome.diff) == (False, [], {"before": {}, "after": {}})


# All errors at once


def test_all_that_is_wrong_is_said_once_and_nothing_is_done(kernel: Kernel) -> None:
    things = [
        Thing("a", wrong="a is wrong"),
        Thing("b"),
        Thing("c", wrong="c is wrong"),
        Thing("d", wrong="a is wrong"),
    ]
    assert reasons(*things, lab="a/b") == [
        "lab: 'a/b' is not a lab name: letters, digits, '_', '.', '-', at most 63",
        "a is wrong",
        "c is wrong",
    ]
    assert kernel.told == []


def test_all_that_does_not_fit_the_kernel_is_said_once_and_nothing_is_done(kernel: Kernel) -> None:
    assert reasons(Thing("a", misfit="a"), Thing("b"), Thing("c", misfit="c")) == ["a", "common", "c"]
    assert kernel.told == []


def test_two_resources_cannot_claim_the_same(kernel: Kernel) -> None:
    """The error for each later resource names the first one. An invalid resource claims nothing."""
    things = [
        Thing("a", wrong="wrong", claims="x"),
        *(Thing(name, claims="x") for name in "bcd"),
        Thing("e", claims="y"),
    ]
    assert reasons(*things) == [
        "wrong",
        "c: thing x is already that of b",
        "d: thing x is already that of b",
    ]


# Refusals of the kernel


def test_a_refusal_takes_everything_back_in_reverse(kernel: Kernel) -> None:
    kernel.refuses["make c"] = KernelError(errno.EBUSY)
    assert reasons(Thing("a"), Thing("b"), Thing("c"), Thing("d")) == [
        "`make c` failed: Device or resource busy",
        "the changes before it were undone",
    ]
    assert kernel.told == ["make a", "make b", "undo b", "undo a"]


def test_a_change_that_was_half_made_is_taken_back_too(kernel: Kernel) -> None:
    kernel.refuses["make b'"] = KernelError(errno.EBUSY, "in the kernel's words")
    assert reasons(Thing("a"), Thing("b", steps=2)) == [
        "`make b` failed: in the kernel's words",
        "the changes before it were undone",
    ]
    assert kernel.told == ["make a", "make b", "undo b", "undo a"]


def test_a_refusal_of_the_first_change_leaves_nothing_to_take_back(kernel: Kernel) -> None:
    kernel.refuses["make a"] = OSError(errno.EINVAL, "Invalid argument", "/proc/x")
    assert reasons(Thing("a"), Thing("b")) == ["`make a` failed: Invalid argument"]
    assert kernel.told == []


def test_the_refused_change_itself_is_not_one_made_before_it(kernel: Kernel) -> None:
    kernel.refuses["make a'"] = KernelError(errno.EBUSY)
    assert reasons(Thing("a", steps=2)) == ["`make a` failed: Device or resource busy"]
    assert kernel.told == ["make a", "undo a"]


def test_what_cannot_be_taken_back_is_named(kernel: Kernel) -> None:
    """All other changes are still undone."""
    kernel.refuses = {"make d": KernelError(errno.EBUSY), "undo c": KernelError(errno.EPERM)}
    assert reasons(Thing("a"), Thing("b", undo=False), Thing("c"), Thing("d")) == [
        "`make d` failed: Device or resource busy",
        "`make c` could not be undone: Operation not permitted",
        "`make b` was done and cannot be undone",
    ]
    assert kernel.told[-1] == "undo a"


# The diff


def difference(*changes: tuple[tuple[str, ...], t.Any, t.Any]) -> tuple[t.Any, t.Any]:
    made = [Change(Stage.LINK, "", [], [], where, before, after, []) for where, before, after in changes]
    diff = engine.difference(made)
    return diff["before"], diff["after"]


def test_difference_of_what_comes_changes_and_goes() -> None:
    assert difference((("host", "a"), None, 1), (("host", "b"), 1, 2), (("c1", "c"), 1, None)) == (
        {"host": {"b": 1}, "c1": {"c": 1}},
        {"host": {"a": 1, "b": 2}},
    )


def test_difference_shows_the_first_before_and_the_last_after() -> None:
    assert difference((("a",), 1, 2), (("a",), 2, 3)) == ({"a": 1}, {"a": 3})


def test_difference_merges_settings_of_one_thing() -> None:
    link = ("host", "links", "a")
    assert difference((link, {"mtu": 1}, {"mtu": 2}), (link, {"up": False, "mtu": 2}, {"up": True, "mtu": 3})) == (
        {"host": {"links": {"a": {"mtu": 1, "up": False}}}},
        {"host": {"links": {"a": {"mtu": 3, "up": True}}}},
    )


def test_difference_does_not_tell_what_a_new_thing_was_before() -> None:
    """A setting of a link that the same plan creates has no old value in the diff."""
    link = ("host", "links", "a")
    assert difference((link, None, {"kind": "veth"}), (link, {"up": False}, {"up": True}), ((*link, "x"), [], [1])) == (
        {},
        {"host": {"links": {"a": {"kind": "veth", "up": True, "x": [1]}}}},
    )


def test_difference_of_a_thing_that_is_replaced() -> None:
    assert difference((("a",), "old", None), (("a",), None, "new")) == ({"a": "old"}, {"a": "new"})


# Progress


def test_progress_is_told_about_once_a_second(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    """A report has the current kind of change, the number of completed changes, and that of all changes."""
    clock = iter([0.0, 0.1, 1.1, 1.1, 1.2, 2.0, 2.3, 2.3])
    monkeypatch.setattr(engine.time, "monotonic", lambda: next(clock))
    told: list[tuple[str, int, int]] = []
    things = [Thing("a", steps=2), *(Thing(name) for name in "bcd")]
    engine.run(things, "demo", progress=lambda *words: told.append(words))
    assert told == [("link", 0, 4), ("link", 3, 4)]
