# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Campaigns: enumerations and labs by chance. `make test` runs a sample by a seed, `make soak` all of them."""

from __future__ import annotations

import os
import random
import typing as t

import pytest

from ..integration.conftest import World, private_world, world

__all__ = ["world"]

# What everybody's `make test` tries is the same sample, so that a failure is that of a change.
_SEED = 1

_told: list[str] = []


class Campaign:
    """How much of an enumeration is tried, by what seed (variable SEED), and how much it was.

    :ivar whole: whether everything is to be tried.
    """

    def __init__(self, name: str) -> None:
        self.whole = bool(os.environ.get("SOAK"))
        self.seed = int(os.environ.get("SEED") or _SEED)
        self._name = name
        self._failures: list[str] = []

    def holds(self, attempt: t.Callable[..., None], *arguments: t.Any) -> bool:
        """Try one point, which the arguments name; what goes wrong is told at the end."""
        try:
            attempt(*arguments)
        except Exception as exc:  # whatever it is, the other points are tried, too
            point = " ".join(["point", *(str(one) for one in arguments if not isinstance(one, World))])
            self._failures.append("{0}: {1}: {2}".format(point, type(exc).__name__, exc))
            return False
        return True

    def hold(self, attempt: t.Callable[..., None], points: t.Sequence[t.Any]) -> None:
        """Try each point in a private world, with a new world after each failure, and fail if one went wrong."""
        waiting = list(points)
        while waiting:
            with private_world() as one:
                one.sh("ip netns add first; ip netns del first")  # so that /run/netns is there before a lab is
                while waiting and self.holds(attempt, one, waiting.pop(0)):
                    pass
        self.end()

    def end(self) -> None:
        """Fail with everything that went wrong."""
        count = "{0}: {1} went wrong".format(self._name, len(self._failures))
        _told.extend([count] if self._failures else [])
        assert not self._failures, "\n\n".join([count, *self._failures])

    def chosen(self, points: t.Sequence[t.Any], sample: int) -> list[t.Any]:
        """All points, or a sample of them; says how many."""
        found = list(points)
        if not self.whole:
            found = sorted(random.Random(self.seed).sample(found, min(sample, len(found))))
        _told.append("{0}: {1} of {2} points (SEED={3})".format(self._name, len(found), len(points), self.seed))
        return found


@pytest.fixture
def campaign(request: pytest.FixtureRequest) -> Campaign:
    """The campaign that the test is."""
    return Campaign(request.node.name)


def pytest_terminal_summary(terminalreporter: t.Any) -> None:
    """Say how many points were tried, and by what seed they can be tried again."""
    if _told:
        terminalreporter.section("campaigns")
        for line in _told:
            terminalreporter.line(line)
