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
    """The interface that operations use while they run.

    :ivar sockets: of the run. :ivar sign: the group of new links, which they leave with the message that marks them.
    """

    sockets: Sockets
    sign: int

    def index(self, netns: str, name: str) -> int:
        """The index of a link, 0 for an empty name. OSError(ENODEV) if it does not exist."""

    def settled(self, name: str) -> str:
        """The name, after sending waiting messages that give a link this name.

        If the kernel refused such a message, later messages would change another link.
        """

    def descriptor(self, ref: str) -> int:
        """A descriptor of a namespace, open until the message that contains it is sent."""

    def born(self, netns: str, name: str) -> None:
        """Note that a waiting message creates a link with this name."""

    def renamed(self, netns: str, name: str, new: str) -> None:
        """Note that a waiting message renames a link."""

    def gone(self, netns: str, name: str) -> None:
        """Note that a waiting message deletes a link, or moves it to another namespace."""

    def is_marked_now(self, netns: str, name: str) -> bool:
        """Whether this run has created the link, and marks it for the first time."""

    def at_end(self, call: t.Callable[[], None]) -> None:
        """Register a call after all operations, or after a refused one."""


@dataclasses.dataclass(eq=False)
class Operation:
    """One change.

    :ivar netns: reference of its namespace; empty for the host.
    :cvar if_gone: the error numbers of a removal which mean that the object no longer exists.
    :cvar in_steps: whether it may be incomplete after an error, and can still be undone.
    :cvar makes: whether it creates an object with the lab's mark, by which a later run finds it.
    """

    __slots__ = ("netns",)

    netns: str

    if_gone: t.ClassVar[t.Container[int]] = ()
    in_steps: t.ClassVar[bool] = False
    makes: t.ClassVar[bool] = False

    def carry_out(self, context: Context) -> None:
        """Run the operation. KernelError, LabError or OSError if the kernel refuses it."""
        raise NotImplementedError

    def homes(self) -> tuple[str, ...]:
        """References of the namespaces in which it creates objects of the lab."""
        return (self.netns,) if self.makes else ()


class Message(Operation):
    """An operation that is one rtnetlink message. One send contains many messages of a namespace."""

    __slots__ = ()

    def message(self, context: Context) -> t.Any:
        """The message, for :meth:`.netlink.Netlink.request`; or a :class:`Together`.

        This may send waiting messages, to resolve names.
        """
        raise NotImplementedError


Batch = list[tuple[int, t.Any]]  # an operation's number, and its message


class Together:
    """A placeholder in a batch for a message that depends on how many of its class follow each other."""

    @classmethod
    def messages(cls, batch: Batch, socket: Netlink) -> t.Iterator[tuple[int, t.Any]]:
        """The messages for a batch of these operations."""
        raise NotImplementedError
