# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Limit the size of one topology, because a few bytes of text can stand for any number of objects.

A topology has one budget. The code checks it before it creates objects, so that a small text never takes much time or
memory. A lab that somebody writes by hand stays far below it.
"""

from __future__ import annotations

import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils.errors import LabError

# Namespaces, bridges, segments, both ends of each link, routes, neighbours and entries of `masquerade`.
OBJECTS = 65_536
# Single checks, and automatic routes.
PAIRS = 1_000_000
# Single values in the data, after ranges are expanded.
VALUES = 262_144
# Characters of one text in the data, and of a file in another format.
TEXT = 1_024
IMPORT = 1 << 20
# Nested lists and mappings.
DEPTH = 32
# The reader stops after so many errors.
ERRORS = 200


class Exceeded(LabError):
    """A topology exceeds the budget. No part of it is usable."""


class Budget:
    """The remaining budget of one topology.

    :arg errors: the list of its errors, which grows meanwhile.
    """

    def __init__(self, errors: list[str]) -> None:
        self._errors = errors
        self._objects = OBJECTS
        self._pairs = PAIRS
        self._values = VALUES

    def objects(self, place: str, count: int, more: int = 0) -> None:
        """Count the objects that a place in the data stands for. The caller will count *more* one by one; they must
        also fit.
        """
        self._objects -= count
        if self._objects < more:
            text = "{0}: this makes more than {1} namespaces, bridges, ends of links and routes in one topology"
            raise Exceeded(text.format(place, OBJECTS))
        if len(self._errors) > ERRORS:
            cut = "there are more errors; what comes after {0} was not read".format(place)
            raise Exceeded([*self._errors[: ERRORS - 1], cut])

    def pairs(self, place: str, what: str, count: int) -> None:
        """Count checks or routes, one for each sender and target."""
        self._pairs -= count
        if self._pairs < 0:
            text = "{0}: this makes more than {1} single {2} in one topology"
            raise Exceeded(text.format(place, PAIRS, what))

    def values(self, place: str, count: int) -> None:
        """Count single values."""
        self._values -= count
        if self._values < 0:
            raise Exceeded("{0}: there are more than {1} values in one topology".format(place, VALUES))

    def data(self, place: str, data: t.Any, longest: int = TEXT) -> None:
        """Count the values of data, a repeated part as often as it occurs, and limit the length of texts.

        If this returns, recursion through the data is safe.
        """
        count = 0
        waiting = [(data, DEPTH)]
        while waiting:
            value, depth = waiting.pop()
            count += 1
            if count + len(waiting) > VALUES:
                self.values(place, count + len(waiting))
            if isinstance(value, str):
                if len(value) > longest:
                    text = "{0}: a text of {1} characters that begins with {2!r}; at most {3} are allowed"
                    raise Exceeded(text.format(place, len(value), value[:40], longest))
            elif isinstance(value, (dict, list, tuple)):
                if not depth:
                    text = "{0}: more than {1} nested lists and mappings"
                    raise Exceeded(text.format(place, DEPTH))
                waiting += [(one, depth - 1) for one in value]
                if isinstance(value, dict):
                    waiting += [(one, depth - 1) for one in value.values()]
        self.values(place, count)


def size(data: t.Any) -> int:
    """The number of values in data that :meth:`Budget.data` has checked."""
    if isinstance(data, dict):
        return 1 + sum(map(size, data.values()))
    return 1 + sum(map(size, data)) if isinstance(data, (list, tuple)) else 1
