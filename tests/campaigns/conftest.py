# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Campaigns: long series of tests, by enumeration or with random labs.

`make test` runs a sample, which a seed determines. `make soak` runs all of them.
"""

from __future__ import annotations

import os
import random
import typing as t

import pytest

from ..integration.conftest import World, private_world, world

__all__ = ["world"]

# Every `make test` tries the same sample, so that a failure is due to a change of the code.
_SEED = 1

_summary: list[str] = []


class Campaign:
    """Selects the points of a series to try, and collects the failures.

    :ivar whole: whether to try all points. :ivar seed: the seed of the sample, from the variable SEED.
    """

    def __init__(self, name: str) -> None:
        self.whole = bool(os.environ.get("SOAK"))
        self.seed = int(os.environ.get("SEED") or _SEED)
        self._name = name
        self._failures: list[str] = []

    def holds(self, attempt: t.Callable[..., None], *arguments: t.Any) -> bool:
        """Try one point, which the arguments name. A failure is reported at the end.

        :returns: whether it succeeded.
        """
        try:
            attempt(*arguments)
        except Exception as exc:  # try the other points after any failure
            point = " ".join(["point", *(str(one) for one in arguments if not isinstance(one, World))])
            self._failures.append("{0}: {1}: {2}".format(point, type(exc).__name__, exc))
            return False
        return True

    def hold(self, attempt: t.Callable[..., None], points: t.Sequence[t.Any]) -> None:
        """Try each point in a private world, with a new world after each failure. Fail if one of them failed."""
        waiting = list(points)
        while waiting:
            with private_world() as world_here:
                world_here.sh("ip netns add first; ip netns del first")  # creates /run/netns before the first lab
                while waiting and self.holds(attempt, world_here, waiting.pop(0)):
                    pass
        self.end()

    def end(self) -> None:
        """Fail with all failures."""
        count = "{0}: {1} points failed".format(self._name, len(self._failures))
        _summary.extend([count] if self._failures else [])
        assert not self._failures, "\n\n".join([count, *self._failures])

    def chosen(self, points: t.Sequence[t.Any], sample: int) -> list[t.Any]:
        """All points, or a sample of them. Their number appears in pytest's summary."""
        selected = list(points)
        if not self.whole:
            selected = sorted(random.Random(self.seed).sample(selected, min(sample, len(selected))))
        _summary.append("{0}: {1} of {2} points (SEED={3})".format(self._name, len(selected), len(points), self.seed))
        return selected


@pytest.fixture
def campaign(request: pytest.FixtureRequest) -> Campaign:
    """The campaign of the test."""
    return Campaign(request.node.name)


def pytest_terminal_summary(terminalreporter: t.Any) -> None:
    """Print how many points were tried, and the seed with which to try them again."""
    if _summary:
        terminalreporter.section("campaigns")
        for line in _summary:
            terminalreporter.line(line)
