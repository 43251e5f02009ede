# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The two kinds of errors in work on a lab."""

from __future__ import annotations

import os
import typing as t

_T = t.TypeVar("_T")


# A message quotes what is wrong, and that may be large. Its beginning tells the place, its end what is wrong with it.
_BEGINNING, _END = 600, 200
_MOST_ERRORS = 200


def shortened(sentence: str) -> str:
    """The sentence, without its middle where it is longer than anybody would read."""
    left_out = len(sentence) - _BEGINNING - _END
    if left_out <= 0:
        return sentence
    return "{0} [... {1} characters ...] {2}".format(sentence[:_BEGINNING], left_out, sentence[-_END:])


class LabError(Exception):
    """What was asked for is wrong or refused. Holds the reasons that were found, not only the first.

    :ivar errors: one sentence each, beginning with the place in the data where there is one.
    """

    def __init__(self, errors: str | list[str]) -> None:
        found = [errors] if isinstance(errors, str) else list(errors)
        self.errors = [shortened(error) for error in found[:_MOST_ERRORS]]
        if len(found) > _MOST_ERRORS:
            self.errors.append("and {0} more errors".format(len(found) - _MOST_ERRORS))
        super().__init__("\n".join(self.errors))


def each(calls: t.Iterable[t.Callable[[], _T]]) -> list[_T]:
    """What the calls return; where some raise LabError, all are made, and one with all their reasons is raised."""
    results, errors = [], []
    for call in calls:
        try:
            results.append(call())
        except LabError as exc:
            errors += exc.errors
    if errors:
        raise LabError(errors)
    return results


class KernelError(Exception):
    """The kernel refused a request.

    :ivar errno: positive errno.
    :ivar text: the kernel's own message (extended acknowledgement), or strerror where it gave none.
    """

    def __init__(self, errno: int, text: str = "") -> None:
        self.errno = errno
        self.text = text or os.strerror(errno)
        super().__init__(self.text)
