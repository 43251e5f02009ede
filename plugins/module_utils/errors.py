# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The two ways in which work on a lab fails."""

from __future__ import annotations

import os
import typing as t

_T = t.TypeVar("_T")


class LabError(Exception):
    """What was asked for is wrong or refused. Holds every reason that was found, not only the first.

    :ivar errors: one sentence each, beginning with the place in the data where there is one.
    """

    def __init__(self, errors: str | list[str]) -> None:
        self.errors = [errors] if isinstance(errors, str) else list(errors)
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
