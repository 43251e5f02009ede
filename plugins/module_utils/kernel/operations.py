# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run operations in order, and send many rtnetlink messages of a namespace at once.

The operations themselves are beside the messages that they send (:mod:`.actions`). This file resolves the names in an
operation to indexes and descriptors when its turn comes.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils.errors import KernelError, LabError
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import rtnetlink
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.actions import Batch, Message, Operation, Together
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.netlink import AnswerLost, Netlink
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.sockets import Sockets, most_open

# For tests only. The operator calls it before each single change (False), when it can raise an error of the kernel, and
# after it (True). While it is set, messages are sent one by one.
fault: t.Callable[[Operation, bool], None] | None = None


@contextlib.contextmanager
def _single(operation: Operation) -> t.Iterator[None]:
    """The body runs one change."""
    if fault:
        fault(operation, False)
    yield
    if fault:
        fault(operation, True)


class OperationError(Exception):
    """The kernel refused an operation. Those in `done` were carried out before, or in the same send."""

    def __init__(self, failed: int, error: Exception, done: list[int]) -> None:
        super().__init__(str(error))
        self.failed = failed
        self.error = error
        self.done = done


def _together(batch: Batch, socket: Netlink) -> t.Iterator[tuple[int, t.Any]]:
    """The batch, with placeholders replaced by their messages."""
    for kind, found in itertools.groupby(batch, lambda part: type(part[1])):
        parts = list(found)
        yield from kind.messages(parts, socket) if issubclass(kind, Together) else parts


class Operator:
    """Runs operations with the sockets of a run. It is their :class:`.actions.Context`."""

    def __init__(self, sockets: Sockets, sign: int = 0) -> None:
        self.sockets = sockets
        self.sign = sign
        self._indexes: dict[tuple[str, str], int] = {}
        self._batch: Batch = []
        self._batch_netns = ""
        self._names: set[str] = set()
        self._descriptors: list[int] = []
        self._most = most_open(0.1)
        self._at_end: list[t.Callable[[], None]] = []
        self._operations: t.Sequence[Operation] = ()
        self._done: list[int] = []
        self._unmarked: set[tuple[str, str]] = set()

    def apply(self, operations: t.Sequence[Operation], watch: t.Callable[[int], None] | None = None) -> None:
        """Run operations in order. OperationError at the first one that the kernel refuses.

        If it removed namespaces, it returns when the kernel has destroyed them.
        :arg watch: a function that gets the number of each operation before it runs.
        """
        self._operations, self._done, self._at_end = operations, [], []
        try:
            self._apply(watch)
        finally:
            for call in self._at_end:
                call()

    def _apply(self, watch: t.Callable[[int], None] | None) -> None:
        for number, operation in enumerate(self._operations):
            if watch:
                watch(number)
            try:
                self._take(number, operation)
            except (KernelError, LabError, OSError) as exc:
                if getattr(exc, "errno", None) in operation.if_gone:
                    self._done.append(number)
                    continue
                self._abandon()
                perhaps = operation.in_steps or isinstance(exc, AnswerLost)
                raise OperationError(number, exc, [*self._done, *([number] if perhaps else [])]) from exc
        self._flush()

    def _take(self, number: int, operation: Operation) -> None:
        """Queue the message of an operation, or run an operation that is not a message."""
        if not isinstance(operation, Message):
            self._flush()
            with _single(operation):
                operation.carry_out(self)
            self._done.append(number)
            return
        if operation.netns != self._batch_netns:
            self._flush()
            self._batch_netns = operation.netns
        made = operation.message(self)  # this may send queued messages
        self._batch.append((number, made))

    def _flush(self) -> None:
        """Send the waiting messages."""
        batch, self._batch, self._names = self._batch, [], set()
        if not batch:
            return
        try:
            socket = self.sockets.get(self._batch_netns)
            batch = list(_together(batch, socket))
            results = self._send(socket, batch)
        except (KernelError, OSError) as exc:  # before the batch was sent
            raise OperationError(batch[0][0], exc, self._done) from exc
        finally:
            self._close_descriptors()
        failed = None
        for (number, dummy), error in zip(batch, results):
            if error is None or error.errno in self._operations[number].if_gone:
                self._done.append(number)
                continue
            if isinstance(error, AnswerLost):
                self._done.append(number)  # perhaps
            failed = failed or (number, error)
        if failed:
            raise OperationError(failed[0], failed[1], self._done)

    def _send(self, socket: Netlink, batch: Batch) -> list[KernelError | None]:
        """Send a batch, and return None or the kernel's error for each of its messages."""
        if fault is None:
            return socket.request([made for dummy, made in batch])
        results: list[KernelError | None] = []
        for number, made in batch:
            try:
                with _single(self._operations[number]):
                    results += socket.request([made])
            except KernelError as exc:
                results.append(exc)
        return results

    def _abandon(self) -> None:
        """Drop the queued messages."""
        self._batch = []
        self._close_descriptors()

    def _close_descriptors(self) -> None:
        for fd in self._descriptors:
            os.close(fd)
        self._descriptors = []

    # -- what operations ask and tell: see actions.Context ------------------------------------------------------------

    def index(self, netns: str, name: str) -> int:
        """The index of a link, 0 for an empty name."""
        if not name:
            return 0
        if (netns, name) not in self._indexes:
            self._indexes[netns, name] = rtnetlink.link_index(self.sockets.get(netns), self.settled(name))
        return self._indexes[netns, name]

    def settled(self, name: str) -> str:
        """The name, after sending waiting messages that give a link this name."""
        if name in self._names:
            self._flush()
        return name

    def descriptor(self, ref: str) -> int:
        """A descriptor of a namespace, open until the message that contains it is sent."""
        if len(self._descriptors) >= self._most:
            self._flush()
        fd = self.sockets.finder.open(ref)
        self._descriptors.append(fd)
        return fd

    def born(self, netns: str, name: str) -> None:
        """A message creates a link. An older link with its name may have disappeared before."""
        self._names.add(name)
        self._unmarked.add((netns, name))
        self.gone(netns, name)

    def renamed(self, netns: str, name: str, new: str) -> None:
        """A link gets another name."""
        self._names.add(new)
        self.gone(netns, name)

    def gone(self, netns: str, name: str) -> None:
        """A link with this name no longer exists."""
        self._indexes.pop((netns, name), None)

    def is_marked_now(self, netns: str, name: str) -> bool:
        """Whether this run has created the link, and marks it for the first time."""
        is_new = (netns, name) in self._unmarked
        self._unmarked.discard((netns, name))
        return is_new

    def at_end(self, call: t.Callable[[], None]) -> None:
        """Register a call after all operations, or after a refused one."""
        if call not in self._at_end:
            self._at_end.append(call)
