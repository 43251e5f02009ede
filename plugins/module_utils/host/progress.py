# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Report the progress of a long run in a file, because a module cannot print anything before its end."""

from __future__ import annotations

import contextlib
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils.host import lab_files


def path(lab: str) -> str:
    """The file with a lab's progress, which exists during the body."""
    return lab_files.path_of(lab, ".progress")


@contextlib.contextmanager
def reporting(lab: str) -> t.Iterator[t.Callable[[str, int, int], None]]:
    """A function that writes the progress: the current kind of change, the number of completed changes, and of all
    changes. The file disappears after the body.
    """

    def report(what: str, done: int, total: int) -> None:
        with contextlib.suppress(OSError):  # a missing progress line must not stop the run
            lab_files.write_file(path(lab), "{0}, {1} of {2} changes\n".format(what, done, total))

    with lab_files.locked(lab):
        try:
            yield report
        finally:
            lab_files.write_file(path(lab), None)
