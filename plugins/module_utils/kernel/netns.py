# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Operations that create and remove network namespaces, and set the hostname of a held one."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import held, namespaces, netns_end
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.actions import Context, Operation


@dataclasses.dataclass(eq=False)
class CreateNetns(Operation):
    """A named namespace.

    :ivar lo: what its `lo` is to be before anybody can find it, as :func:`.rtnetlink.link_set` takes it.
    """

    name: str
    lo: dict[str, t.Any]

    def carry_out(self, context: Context) -> None:
        """See the base class."""
        context.sockets.create(self.name, self.lo)


@dataclasses.dataclass(eq=False)
class RemoveNetns(Operation):
    """The end of a named namespace.

    :ivar leftover: whether it is only what a killed run has left in its place.
    """

    name: str
    leftover: bool = False

    def carry_out(self, context: Context) -> None:
        """See the base class."""
        context.sockets.forget(self.name)
        namespaces.remove(self.name, self.leftover)
        context.at_end(netns_end.wait)


@dataclasses.dataclass(eq=False)
class HoldNetns(Operation):
    """A namespace that a process holds; *lo* as in :class:`CreateNetns`."""

    name: str
    lab: str
    hostname: str
    lo: dict[str, t.Any]

    def carry_out(self, context: Context) -> None:
        """See the base class."""
        context.sockets.hold(self.name, self.lab, self.hostname, self.lo)


@dataclasses.dataclass(eq=False)
class ReleaseNetns(Operation):
    """The end of the process that holds a namespace."""

    name: str

    def carry_out(self, context: Context) -> None:
        """See the base class."""
        context.sockets.forget(self.name)
        context.sockets.finder.release(self.name)
        context.at_end(netns_end.wait)


@dataclasses.dataclass(eq=False)
class SetHostname(Operation):
    """Another hostname beside a held namespace."""

    name: str
    hostname: str

    def carry_out(self, context: Context) -> None:
        """See the base class."""
        held.set_hostname(context.sockets.finder.holders()[self.name], self.hostname)
