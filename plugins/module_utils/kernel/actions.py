# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The interface of an operation: one change of the kernel or of a file.

The operations themselves are in the files with the messages that they send, one file for each kind of object. They name
namespaces and links. The :class:`Context`, which is the :class:`.operations.Operator`, resolves these names.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.netlink import Netlink

if t.TYPE_CHECKING:
    from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.sockets import Sockets


class Context(t.Protocol):
    """What operations are told and ask while they are carried out.

    :ivar sockets: of the run. :ivar sign: the group that links are born in, and leave with the message that marks them
        as a lab's.
    """

    sockets: Sockets
    sign: int

    def index(self, netns: str, name: str) -> int:
        """The index of a link; 0 for an empty name. OSError(ENODEV) where there is no such link."""

    def settled(self, name: str) -> str:
        """The name, once no message waits that gives a link this name.

        Were such a message refused, what follows would hit another link.
        """

    def descriptor(self, ref: str) -> int:
        """A descriptor of a namespace that stays open until the message that names it is sent."""

    def born(self, netns: str, name: str) -> None:
        """A message that makes a link of this name is about to wait."""

    def renamed(self, netns: str, name: str, new: str) -> None:
        """A message that renames a link is about to wait."""

    def gone(self, netns: str, name: str) -> None:
        """A message that deletes a link, or moves it to another namespace, is about to wait."""

    def is_marked_now(self, netns: str, name: str) -> bool:
        """Whether this run made the link, and marks it for the first time."""

    def at_end(self, call: t.Callable[[], None]) -> None:
        """Call this once, after all operations, or after the one that was refused."""


@dataclasses.dataclass(eq=False)
class Operation:
    """One change.

    :ivar netns: reference of the namespace that it happens in; empty for the host.
    :cvar if_gone: the numbers of the errors that say that what is to be removed is gone already: with another thing, or
        by itself, a moment before.
    :cvar in_steps: whether it may be half done when it fails, and can be undone all the same.
    :cvar makes: whether what it makes carries the lab's mark, and is found by it as soon as its namespace is.
    """

    __slots__ = ("netns",)

    netns: str

    if_gone: t.ClassVar[t.Container[int]] = ()
    in_steps: t.ClassVar[bool] = False
    makes: t.ClassVar[bool] = False

    def carry_out(self, context: Context) -> None:
        """Do it; KernelError, LabError or OSError where it is refused."""
        raise NotImplementedError

    def homes(self) -> tuple[str, ...]:
        """References of the namespaces in which it makes something of the lab's."""
        return (self.netns,) if self.makes else ()


class Message(Operation):
    """An operation that is one rtnetlink message, and goes out in one send with others of its namespace."""

    __slots__ = ()

    def message(self, context: Context) -> t.Any:
        """The message, for :meth:`.netlink.Netlink.request`; or a :class:`Together`.

        To find out what it refers to, the messages that wait may be sent.
        """
        raise NotImplementedError


Batch = list[tuple[int, t.Any]]  # an operation's number, and its message


class Together:
    """Stands in a batch for a message that is another one when several of its class follow each other."""

    @classmethod
    def messages(cls, batch: Batch, socket: Netlink) -> t.Iterator[tuple[int, t.Any]]:
        """The messages of a batch of such, which the socket is about to send."""
        raise NotImplementedError
