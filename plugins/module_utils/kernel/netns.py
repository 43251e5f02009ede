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
    """Create a named namespace.

    :ivar lo: the settings of its `lo`, as arguments of :func:`.rtnetlink.link_set`, set before anybody can find it.
    """

    name: str
    lo: dict[str, t.Any]

    def carry_out(self, context: Context) -> None:
        """See the base class."""
        context.sockets.create(self.name, self.lo)


@dataclasses.dataclass(eq=False)
class RemoveNetns(Operation):
    """Remove a named namespace.

    :ivar leftover: whether it is only a file that a killed run has left.
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
    """Create a namespace that a process holds. *lo* as in :class:`CreateNetns`."""

    name: str
    lab: str
    hostname: str
    lo: dict[str, t.Any]

    def carry_out(self, context: Context) -> None:
        """See the base class."""
        context.sockets.hold(self.name, self.lab, self.hostname, self.lo)


@dataclasses.dataclass(eq=False)
class ReleaseNetns(Operation):
    """End the process that holds a namespace."""

    name: str

    def carry_out(self, context: Context) -> None:
        """See the base class."""
        context.sockets.forget(self.name)
        context.sockets.finder.release(self.name)
        context.at_end(netns_end.wait)


@dataclasses.dataclass(eq=False)
class SetHostname(Operation):
    """Set the hostname of a held namespace."""

    name: str
    hostname: str

    def carry_out(self, context: Context) -> None:
        """See the base class."""
        held.set_hostname(context.sockets.finder.holders()[self.name], self.hostname)
