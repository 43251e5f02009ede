# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Operations on routes. :mod:`.rtnetlink` packs their messages."""

from __future__ import annotations

import dataclasses
import errno
import time
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import rtnetlink
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.actions import Context, Message, Operation
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.objects import Route

_MOST_LOOKS, _BETWEEN_LOOKS = 200, 0.005  # seconds


def _indexes(context: Context, netns: str, route: Route) -> int | list[int]:
    """The index of the route's link, or those of the links of its next hops."""
    if route.nexthops:
        return [context.index(netns, hop.dev) for hop in route.nexthops]
    return context.index(netns, route.dev)


@dataclasses.dataclass(eq=False)
class AddRoute(Message):
    """Add a route. The kernel refuses one with the same destination, table and metric as another one."""

    __slots__ = ("route",)  # there are hundreds of thousands in a large network

    route: Route

    def message(self, context: Context) -> t.Any:
        """See the base class."""
        return rtnetlink.route_new(_indexes(context, self.netns, self.route), self.route)


class ReplaceRoute(AddRoute):
    """Replace the route with the same destination, table and metric, without a gap."""

    __slots__ = ()

    def message(self, context: Context) -> t.Any:
        """See the base class."""
        return rtnetlink.route_replace(_indexes(context, self.netns, self.route), self.route)


class PutBackRoute(AddRoute):
    """Restore a route before the others with its destination, table and metric."""

    __slots__ = ()

    first: t.ClassVar[bool] = True

    def message(self, context: Context) -> t.Any:
        """See the base class."""
        return rtnetlink.route_put_back(_indexes(context, self.netns, self.route), self.route, self.first)


class PutBackLast(PutBackRoute):
    """Restore a route after the others."""

    __slots__ = ()

    first = False


def put_back(netns: str, route: Route) -> AddRoute:
    """The operation that restores a route which a link or an address took along.

    The kernel may have kept a multipath route with some of its next hops.
    """
    return (ReplaceRoute if route.nexthops else AddRoute)(netns, route)


@dataclasses.dataclass(eq=False)
class AwaitRoute(Operation):
    """Wait until the kernel has made its route to a destination.

    The kernel makes the route to the peer of an IPv6 address a moment after it has accepted the address
    (addrconf_dad_work() of net/ipv6/addrconf.c). If the route does not come, the next message tells why.
    """

    dst: str

    def carry_out(self, context: Context) -> None:
        """See the base class."""
        socket = context.sockets.get(self.netns)
        for dummy in range(_MOST_LOOKS):
            if any(route.dst == self.dst for route in rtnetlink.routes(socket, {}, 6)):
                return
            time.sleep(_BETWEEN_LOOKS)


@dataclasses.dataclass(eq=False)
class DeleteRoute(Message):
    """Delete a route."""

    __slots__ = ("route",)  # there are hundreds of thousands in a large network

    route: Route

    if_gone = (errno.ESRCH, errno.ENODEV)

    def message(self, context: Context) -> t.Any:
        """See the base class."""
        return rtnetlink.route_del(_indexes(context, self.netns, self.route), self.route)
