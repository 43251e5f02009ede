# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The routes of a namespace in the picture: a router of a large lab has hundreds, and each is looked for by itself."""

from __future__ import annotations

import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.objects import Route
from ansible_collections.linuxnet.lab.plugins.module_utils.lab import Address, network_of

Key = tuple[int, int, str, int]


def key(route: Route) -> Key:
    """What the kernel tells routes apart by."""
    return (route.family, route.table, route.dst, route.metric)


class RouteTable:
    """Routes of one family, in the kernel's order.

    :ivar direct: those among them that need no gateway.
    """

    def __init__(self, routes: t.Iterable[Route] = ()) -> None:
        self.direct: list[Route] = []
        self._direct: dict[int, dict[int, list[Route]]] = {}  # by the prefix length and the prefix as a number
        self._routes: list[Route] = []
        self._by_key: dict[Key, list[Route]] = {}
        for route in routes:
            self.add(route)

    def __iter__(self) -> t.Iterator[Route]:
        return iter(self._routes)

    def add(self, route: Route) -> None:
        """Add a route after the others."""
        self._routes.append(route)
        self._by_key.setdefault(key(route), []).append(route)
        if not route.via and not route.nexthops:
            self.direct.append(route)
            network = network_of(route.dst)
            prefixes = self._direct.setdefault(network.prefixlen, {})
            prefixes.setdefault(int(network.network_address), []).append(route)

    def like(self, route: Route) -> list[Route]:
        """The routes that the kernel takes for the same as this one, or for alternatives to it."""
        return list(self._by_key.get(key(route), ()))

    def direct_to(self, ip: Address) -> list[Route]:
        """The routes that an address is reached by without a gateway."""
        number, bits = int(ip), ip.max_prefixlen
        return [
            route
            for length, prefixes in self._direct.items()
            for route in prefixes.get(number >> (bits - length) << (bits - length), ())
        ]
