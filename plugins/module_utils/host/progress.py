# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Report the progress of a long run in a file, because a module cannot print anything before its end."""

from __future__ import annotations

import contextlib
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils.host import lab_files


def path(lab: str) -> str:
    """The file of a lab's progress; it is there while there is some to tell of."""
    return lab_files.path_of(lab, ".progress")


@contextlib.contextmanager
def reporting(lab: str) -> t.Iterator[t.Callable[[str, int, int], None]]:
    """What the engine calls with what it makes, how much is done, and of how much; the file is gone after the body."""

    def report(what: str, done: int, total: int) -> None:
        with contextlib.suppress(OSError):  # nobody's work fails for want of a line
            lab_files.write_file(path(lab), "{0}, {1} of {2} changes\n".format(what, done, total))

    with lab_files.locked(lab):
        try:
            yield report
        finally:
            lab_files.write_file(path(lab), None)
