# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The two kinds of errors in work on a lab."""

from __future__ import annotations

import os
import typing as t

_T = t.TypeVar("_T")


# A message quotes wrong values, which may be large. Its beginning contains the place, its end the problem.
_BEGINNING, _END = 600, 200
_MOST_ERRORS = 200


def shortened(sentence: str) -> str:
    """The message, shortened in the middle if it is very long."""
    left_out = len(sentence) - _BEGINNING - _END
    if left_out <= 0:
        return sentence
    return "{0} [... {1} characters ...] {2}".format(sentence[:_BEGINNING], left_out, sentence[-_END:])


class LabError(Exception):
    """The arguments are wrong, or the kernel refused a change. Contains all reasons, not only the first one.

    :ivar errors: one sentence each, which begins with its place in the data, if there is one.
    """

    def __init__(self, errors: str | list[str]) -> None:
        found = [errors] if isinstance(errors, str) else list(errors)
        self.errors = [shortened(error) for error in found[:_MOST_ERRORS]]
        if len(found) > _MOST_ERRORS:
            self.errors.append("and {0} more errors".format(len(found) - _MOST_ERRORS))
        super().__init__("\n".join(self.errors))


def each(calls: t.Iterable[t.Callable[[], _T]]) -> list[_T]:
    """The results of the calls. If some raise LabError, the other ones still run, and one LabError contains all
    reasons.
    """
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
    :ivar text: the kernel's own message (extended acknowledgement), or strerror without one.
    """

    def __init__(self, errno: int, text: str = "") -> None:
        self.errno = errno
        self.text = text or os.strerror(errno)
        super().__init__(self.text)
