# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Operations on routes. :mod:`.rtnetlink` packs their messages."""

from __future__ import annotations

import dataclasses
import errno
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import rtnetlink
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.actions import Context, Message
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.objects import Route


@dataclasses.dataclass(eq=False)
class AddRoute(Message):
    """Add a route. The kernel refuses one with the same destination, table and metric as another one."""

    __slots__ = ("route",)  # there are hundreds of thousands in a large network

    route: Route

    def message(self, context: Context) -> t.Any:
        """See the base class."""
        return rtnetlink.route_new(context.index(self.netns, self.route.dev), self.route)


class ReplaceRoute(AddRoute):
    """Replace the route with the same destination, table and metric, without a gap."""

    __slots__ = ()

    def message(self, context: Context) -> t.Any:
        """See the base class."""
        return rtnetlink.route_replace(context.index(self.netns, self.route.dev), self.route)


class PutBackRoute(AddRoute):
    """Restore a route before the others with its destination, table and metric."""

    __slots__ = ()

    first: t.ClassVar[bool] = True

    def message(self, context: Context) -> t.Any:
        """See the base class."""
        return rtnetlink.route_put_back(context.index(self.netns, self.route.dev), self.route, self.first)


class PutBackLast(PutBackRoute):
    """Restore a route after the others."""

    __slots__ = ()

    first = False


@dataclasses.dataclass(eq=False)
class DeleteRoute(Message):
    """Delete a route."""

    __slots__ = ("route",)  # there are hundreds of thousands in a large network

    route: Route

    if_gone = (errno.ESRCH, errno.ENODEV)

    def message(self, context: Context) -> t.Any:
        """See the base class."""
        return rtnetlink.route_del(context.index(self.netns, self.route.dev), self.route)
