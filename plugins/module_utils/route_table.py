# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The routes of a namespace in the snapshot. A router of a large lab has hundreds, and plans look up each of them."""

from __future__ import annotations

import itertools
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.objects import Route
from ansible_collections.linuxnet.lab.plugins.module_utils.rules import Address, network_of

Key = tuple[int, int, str, int]


def key(route: Route) -> Key:
    """What identifies a route in the kernel."""
    return (route.family, route.table, route.dst, route.metric)


class RouteTable:
    """Routes of one IP version, in the kernel's order. Equal routes are separate objects."""

    def __init__(self, routes: t.Iterable[Route] = ()) -> None:
        self._routes: dict[Key, tuple[Route, ...]] = {}  # those with one key, which the kernel keeps together
        self._groups: dict[t.Hashable, dict[int, Route]] = {}  # by what some have in common, and by the object
        for route in routes:
            self.add(route)

    def __iter__(self) -> t.Iterator[Route]:
        return itertools.chain.from_iterable(self._routes.values())

    def add(self, route: Route) -> None:
        """Add a route after the others with its key."""
        self._routes[key(route)] = (*self._routes.get(key(route), ()), route)
        for group in _groups(route):
            self._groups.setdefault(group, {})[id(route)] = route

    def discard(self, route: Route) -> None:
        """Remove a route."""
        others = tuple(one for one in self._routes[key(route)] if one is not route)
        if others:
            self._routes[key(route)] = others
        else:
            del self._routes[key(route)]
        for group in _groups(route):
            del self._groups[group][id(route)]

    def like(self, route: Route) -> list[Route]:
        """The routes that the kernel treats as the same as this one, or as alternatives to it."""
        return list(self._routes.get(key(route), ()))

    def of_link(self, dev: str) -> list[Route]:
        """The routes through a link."""
        return self._group(dev)

    def direct(self) -> list[Route]:
        """The routes without a gateway."""
        return self._group(_DIRECT)

    def direct_to(self, ip: Address) -> list[Route]:
        """The routes without a gateway that lead to an address."""
        number, bits = int(ip), ip.max_prefixlen
        lengths = [length for length in range(bits + 1) if self._groups.get(length)]
        return [
            route for length in lengths for route in self._group((length, number >> (bits - length) << (bits - length)))
        ]

    def _group(self, group: t.Hashable) -> list[Route]:
        return list(self._groups.get(group, {}).values())


_DIRECT = None


def _groups(route: Route) -> t.Iterator[t.Hashable]:
    """The search keys of a route, in addition to its own key."""
    if route.dev:
        yield route.dev
    elif route.nexthops:
        yield from {hop.dev for hop in route.nexthops}
    if not route.via and not route.nexthops:
        network = network_of(route.dst)
        yield _DIRECT
        yield network.prefixlen  # of which only few are in use
        yield (network.prefixlen, int(network.network_address))
