# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs that end in the middle: killed after any single step, or refused at any single change."""

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

# System calls of which a change can need several: a run may end between any two of them.
_STEPS: list[tuple[t.Any, str]] = [
    *((os, name) for name in ("mkdir", "rmdir", "rename", "link", "symlink", "unlink", "kill", "fork")),
    *((syscalls, name) for name in ("mount", "umount", "sethostname")),
    (signal, "pidfd_send_signal"),
]


class Watch:
    """Counts the steps of a run, and acts at one of them.

    :ivar names: what has been done so far, in its order: changes of the operator, and system calls.
    """

    def __init__(self, act: t.Callable[[int], None] | None = None) -> None:
        self.names: list[str] = []
        self._act = act
        self._pid = os.getpid()

    def note(self, name: str) -> None:
        """A step was made. What a child of the run does is no step of the run."""
        if os.getpid() == self._pid:
            self.names.append(name)
            if self._act:
                self._act(len(self.names))

    def _change(self, operation: Operation, made: bool) -> None:
        if made:
            self.note("{0} {1}".format(type(operation).__name__, operation.netns).strip())

    @contextlib.contextmanager
    def watching(self) -> t.Iterator[Watch]:
        """The steps of the body are counted."""
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
    """Do a run in a process of its own, as every other here, and return the names of its steps."""
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
    """Do a run in a process of its own that is killed after so many steps.

    :returns: whether it came so far.
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
    """In a forked child: the body, and nothing of what the parent does after it."""
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        body()
    finally:
        os._exit(0)


class Refusal:
    """Refuses one change of a run, as the kernel would.

    :ivar count: how many changes there were. :ivar refused: the operation that was refused, once one was.
    """

    def __init__(self, at: int = 0, number: int = 0) -> None:
        self.count = 0
        self.refused: Operation | None = None
        self._at, self._number = at, number

    def _change(self, operation: Operation, made: bool) -> None:
        if made:
            return
        self.count += 1
        # What the kernel answers for a thing that is gone is no refusal to remove it.
        if self.count == self._at and self._number not in operation.if_gone:
            self.refused = operation
            if isinstance(operation, Message):
                raise KernelError(self._number)
            raise OSError(self._number, os.strerror(self._number))

    @contextlib.contextmanager
    def refusing(self) -> t.Iterator[Refusal]:
        """One change of the body is refused."""
        with unittest.mock.patch.object(operations, "fault", self._change):
            yield self
