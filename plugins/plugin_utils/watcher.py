# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Print the progress of a module while it works on a host."""

from __future__ import annotations

import copy
import shlex
import threading
import typing as t


class Watcher:
    """Reads a file on a host about once a second through a connection of Ansible, and shows what is new in it.

    It begins only after a while, so that short tasks cost nothing. It ignores errors, because no task may fail for lack
    of a progress line.
    """

    def __init__(
        self, connection: t.Any, path: str, show: t.Callable[[str], None], first: float = 1.5, interval: float = 1.0
    ) -> None:
        # The connection of the module is in use, and both it and the become plugin have a state.
        self._connection = copy.copy(connection)
        self._become = copy.copy(getattr(connection, "become", None))
        self._command = "cat {0}".format(shlex.quote(path))
        self._show = show
        self._waits = (first, interval)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Watcher:
        self._thread.start()
        return self

    def __exit__(self, *dummy: t.Any) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        last, wait = "", self._waits[0]
        while not self._ended.wait(wait):
            wait = self._waits[1]
            line = self._read()
            if line and line != last:
                last = line
                self._show(line)

    def _read(self) -> str:
        try:
            command = self._command
            if self._become:  # only root can read the file
                self._connection.become = self._become
                command = self._become.build_become_command(command, getattr(self._connection, "_shell", None))
            code, output, dummy = self._connection.exec_command(command, sudoable=bool(self._become))
        except Exception:  # of any connection plugin
            return ""
        lines = [line for line in output.decode(errors="replace").splitlines() if "BECOME-SUCCESS" not in line]
        return "" if code else "\n".join(lines).strip()
