# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""If the kernel refuses any change, all is as before, or the error names what is not. The next run succeeds."""

from __future__ import annotations

import errno
import os
import typing as t
import unittest.mock

import pytest

from ..integration.conftest import World, assert_same, private_world
from .conftest import Campaign
from .faults import Refusal
from .lives import LIVES, PHASES, Life, Trial, lab_state, machine, machine_state

ERRORS = (errno.EBUSY, errno.EEXIST, errno.ENOBUFS, errno.EPERM, errno.ENOMEM, errno.ENODEV)


class _Refused(Exception):
    """A module failed.

    :ivar before: the state of the machine before the run. :ivar errors: its error messages.
    """

    def __init__(self, before: t.Any, errors: list[str]) -> None:
        super().__init__("\n".join(errors))
        self.before = before
        self.errors = errors


class Refuser(Trial):
    """Refuses one change of one phase of a lab's life, and checks the errors and the state after it."""

    def __init__(self, world: World, life: Life, phase: str) -> None:
        super().__init__(world, life, phase)
        self.starts: list[int] = []  # how many changes there had been when each module began
        refusal = Refusal()

        def run(name: str, /, **arguments: t.Any) -> dict[str, t.Any]:
            self.starts.append(refusal.count)
            return World.run(world, name, **arguments)

        with refusal.refusing(), unittest.mock.patch.object(world, "run", run):
            getattr(life, phase)(world)
        self.count = refusal.count
        self.full = lab_state(world, life)
        life.absent(world)

    def try_one(self, at: int, number: int) -> None:
        """Refuse one change with an errno."""
        refusal = Refusal(at, number)
        self.prepare()
        try:
            with refusal.refusing(), unittest.mock.patch.object(self.world, "run", self._stopping(refusal, at)):
                getattr(self.life, self.phase)(self.world)
            refused = None
        except _Refused as exc:
            refused = exc
        if refusal.refused is None:
            assert refused is None, refused
        else:
            where = "{0} refused with {1}".format(refusal.refused, errno.errorcode[number])
            assert refused, where + ", but no module failed"
            self._judge(refused, number, where)
        getattr(self.life, self.phase)(self.world)
        assert_same(self.full, lab_state(self.world, self.life), "the next run does not complete the lab")
        self.life.absent(self.world)
        assert_same(self.empty, machine_state(self.world), "absent leaves something")

    def _stopping(self, refusal: Refusal, at: int) -> t.Callable[..., t.Any]:
        """A replacement for `run` that raises :class:`_Refused`, with the state before the run, if a module fails."""
        last = max(start for start in self.starts if start < at)

        def run(name: str, /, **arguments: t.Any) -> dict[str, t.Any]:
            before = machine_state(self.world) if refusal.count == last else None
            result = self.world.module(name, **arguments)
            if result.get("failed"):
                raise _Refused(before, result.get("errors") or [result["msg"]])
            return result

        return run

    def _judge(self, refused: _Refused, number: int, where: str) -> None:
        first, *rest = refused.errors
        assert os.strerror(number) in first, where + ": " + first
        assert first.startswith(("`", "the lab's records: ")), where + ": " + first
        # Settings of a deleted link cannot be restored.
        endings = ("was done and cannot be undone", "could not be undone: No such file or directory")
        not_undone = [text for text in rest if text.endswith(endings)]
        all_undone = ["the changes before it were undone"]
        assert rest in ([], all_undone, not_undone), "{0}: {1}".format(where, rest)
        if not not_undone:
            after = machine_state(self.world)
            assert_same(_settled(refused.before), _settled(after), where + ", and not everything was undone")


def _settled(state: t.Any) -> t.Any:
    """A state without the attributes of a bridge that stay changed after a port has left it."""
    if isinstance(state, dict):
        bridge = state.get("linkinfo", {}).get("info_kind") == "bridge" if "ifname" in state else False
        gone = {"tso_max_size", *(("address",) if bridge else ())}
        return {key: _settled(value) for key, value in state.items() if key not in gone}
    return [_settled(one) for one in state] if isinstance(state, list) else state


@pytest.mark.timeout(7200)
@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("name", LIVES)
def test_a_change_that_is_refused(campaign: Campaign, name: str, phase: str) -> None:
    """The kernel refuses each change with each of some errors."""
    waiting: list[tuple[int, int]] | None = None
    while waiting is None or waiting:
        with private_world() as world, machine(world):
            refuser = Refuser(world, LIVES[name], phase)
            if waiting is None:
                every = [(at, number) for at in range(1, refuser.count + 1) for number in ERRORS]
                waiting = campaign.chosen(every, 5)
            while waiting:
                if not campaign.holds(refuser.try_one, *waiting.pop(0)):
                    break  # the next refusal needs a new world, without what this one has left
    campaign.end()
