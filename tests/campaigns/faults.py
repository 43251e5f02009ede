# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Kill a run after a step, or make the kernel refuse one of its changes."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import signal
import typing as t
import unittest.mock

from ansible_collections.linuxnet.lab.plugins.module_utils.errors import KernelError
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import operations, syscalls
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.actions import Message, Operation

Run = t.Callable[[], t.Any]

# A change may need several of these system calls. A run may end between any two of them.
_STEPS: list[tuple[t.Any, str]] = [
    *((os, name) for name in ("mkdir", "rmdir", "rename", "link", "symlink", "unlink", "kill", "fork")),
    *((syscalls, name) for name in ("mount", "umount", "sethostname")),
    (signal, "pidfd_send_signal"),
]


class Watch:
    """Counts the steps of a run, and acts at one of them.

    :ivar names: the steps so far, in order: changes and system calls.
    """

    def __init__(self, act: t.Callable[[int], None] | None = None) -> None:
        self.names: list[str] = []
        self._act = act
        self._pid = os.getpid()

    def note(self, name: str) -> None:
        """Count a step of the run. Steps of its child processes do not count."""
        if os.getpid() == self._pid:
            self.names.append(name)
            if self._act:
                self._act(len(self.names))

    def _change(self, operation: Operation, made: bool) -> None:
        if made:
            self.note("{0} {1}".format(type(operation).__name__, operation.netns).strip())

    @contextlib.contextmanager
    def watching(self) -> t.Iterator[Watch]:
        """Count the steps of the body."""
        with contextlib.ExitStack() as ends:
            ends.enter_context(unittest.mock.patch.object(operations, "fault", self._change))
            for place, name in _STEPS:
                wrapped = functools.partial(self._step, getattr(place, name), name)
                ends.enter_context(unittest.mock.patch.object(place, name, wrapped))
            yield self

    def _step(self, call: t.Callable[..., t.Any], name: str, *arguments: t.Any, **more: t.Any) -> t.Any:
        result = call(*arguments, **more)
        self.note(name)
        return result


def steps(run: Run) -> list[str]:
    """The names of a run's steps. Like all runs here, it runs in a child process."""
    reading, writing = os.pipe()
    with os.fdopen(reading) as stream:
        pid = os.fork()
        if pid == 0:
            _alone(lambda: os.write(writing, json.dumps(_counted(run)).encode()))
        os.close(writing)
        text = stream.read()
    os.waitpid(pid, 0)
    return json.loads(text)


def _counted(run: Run) -> list[str]:
    with Watch().watching() as watch:
        run()
    return watch.names


def kill(run: Run, after: int, number: int = signal.SIGKILL) -> bool:
    """Start a run in a child process that kills itself after that many steps.

    :returns: whether the run came that far.
    """

    def act(count: int) -> None:
        if count == after:
            os.kill(os.getpid(), number)

    def doomed() -> None:
        with Watch(act).watching():
            run()

    pid = os.fork()
    if pid == 0:
        _alone(doomed)
    return os.WIFSIGNALED(os.waitpid(pid, 0)[1])


def _alone(body: Run) -> t.NoReturn:
    """Run the body in a forked child, and then end the child without any code of the parent."""
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        body()
    finally:
        os._exit(0)


class Refusal:
    """Refuses one change of a run, as the kernel would.

    :ivar count: the number of changes so far. :ivar refused: the refused operation; None before the refusal.
    """

    def __init__(self, at: int = 0, number: int = 0) -> None:
        self.count = 0
        self.refused: Operation | None = None
        self._at, self._number = at, number

    def _change(self, operation: Operation, made: bool) -> None:
        if made:
            return
        self.count += 1
        # An error that only means that the object no longer exists is not a refusal to remove it.
        if self.count == self._at and self._number not in operation.if_gone:
            self.refused = operation
            if isinstance(operation, Message):
                raise KernelError(self._number)
            raise OSError(self._number, os.strerror(self._number))

    @contextlib.contextmanager
    def refusing(self) -> t.Iterator[Refusal]:
        """Refuse one change of the body."""
        with unittest.mock.patch.object(operations, "fault", self._change):
            yield self
