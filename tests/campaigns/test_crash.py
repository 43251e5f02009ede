# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""After a run was killed at any step, the next run completes the lab, and its removal restores the state before it."""

from __future__ import annotations

import signal

import pytest

from ..integration.conftest import World, assert_same, private_world
from .conftest import Campaign
from .faults import kill, steps
from .lives import LIVES, PHASES, Life, Trial, lab_state, machine, machine_state


class Killer(Trial):
    """Kills runs of one phase of a lab's life, and compares the states after the next runs."""

    def __init__(self, world: World, life: Life, phase: str) -> None:
        super().__init__(world, life, phase)
        self.names = steps(lambda: getattr(life, phase)(world))
        # After an interrupted removal, build the lab again. Repeat any other run.
        self.again = life.build if phase == "absent" else getattr(life, phase)
        self.again(world)
        self.full = lab_state(world, life)
        self.end("without a fault")

    def end(self, where: str) -> None:
        """Remove the lab, and compare the machine with its state before the lab."""
        self.life.absent(self.world)
        assert_same(self.empty, machine_state(self.world), "absent leaves something, " + where)

    def killed(self, after: int, number: int) -> str:
        """Run the phase, and kill it after a step.

        :returns: a description of the step.
        """
        self.prepare()
        kill(lambda: getattr(self.life, self.phase)(self.world), after, number)
        return "killed after step {0}, {1!r}".format(after, self.names[after - 1])

    def try_one(self, after: int, number: int) -> None:
        """Kill a run at a step, repeat the run and remove the lab. Kill it there again, and remove the lab at once."""
        where = self.killed(after, number)
        self.again(self.world)
        assert_same(self.full, lab_state(self.world, self.life), "the next run does not repair it, " + where)
        self.end("after a repair, " + where)
        self.end(self.killed(after, number))


@pytest.mark.timeout(7200)
@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("name", LIVES)
def test_a_run_that_is_killed(campaign: Campaign, name: str, phase: str) -> None:
    """The next run repairs a run that was killed at any step, by SIGTERM at every tenth step, by SIGKILL at others."""
    waiting: list[int] | None = None
    while waiting is None or waiting:
        with private_world() as world, machine(world):
            killer = Killer(world, LIVES[name], phase)
            if waiting is None:
                waiting = campaign.chosen(range(1, len(killer.names) + 1), 5)
            while waiting:
                after = waiting.pop(0)
                if not campaign.holds(killer.try_one, after, signal.SIGKILL if after % 10 else signal.SIGTERM):
                    break  # the next step needs a new world, without what this one has left
    campaign.end()
