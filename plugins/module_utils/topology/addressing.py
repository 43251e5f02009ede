# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Automatic addresses: from a prefix, by the name of the member.

An address depends only on names, not on their order or number, so that it stays when members come or go. The number at
the end of a name is the place in the prefix (web7 is the seventh after the gateway). A name without a number gets a
place by a hash. If two names would get the same place, the first one gets it, and the other one gets another place by a
hash.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
import typing as t

Network = t.Union[ipaddress.IPv4Network, ipaddress.IPv6Network]
Address = t.Union[ipaddress.IPv4Address, ipaddress.IPv6Address]

# Enough places for different names, and few enough to enumerate.
_MOST_PLACES = 1 << 24

_NUMBER = re.compile(r"\d{1,9}\Z")


def places(network: Network) -> int:
    """The number of usable addresses of a prefix. Of a huge prefix, only the beginning counts."""
    return min(network.num_addresses - _first(network) - _reserved_at_end(network), _MOST_PLACES)


def address(network: Network, place: int) -> str:
    """The address at a place of a prefix, in CIDR form."""
    return "{0}/{1}".format(network[_first(network) + place], network.prefixlen)


def place_of(network: Network, ip: Address) -> int:
    """The place of an address in a prefix."""
    return int(ip) - int(network.network_address) - _first(network)


def _first(network: Network) -> int:
    """RFC 3021, RFC 6164: a prefix of two addresses uses both. Otherwise the first one is the network's, or the anycast
    address of routers.
    """
    return 1 if network.num_addresses > 2 else 0


def _reserved_at_end(network: Network) -> int:
    return 1 if network.version == 4 and network.num_addresses > 2 else 0


def assign(names: t.Sequence[str], size: int, taken: t.Iterable[int]) -> dict[str, int]:
    """A place for each name, out of *size* places without those *taken*. ValueError if there are not enough."""
    used = set(taken)
    if len(names) > size - len(used):
        raise ValueError("{0} more addresses are needed, but it has only {1} left".format(len(names), size - len(used)))
    found: dict[str, int] = {}
    others = []
    for name in names:
        match = _NUMBER.search(name)
        place = int(match.group()) or size - 1 if match else size
        if place < size and place not in used:
            found[name] = place
            used.add(place)
        else:
            others.append(name)
    # Numbers are mostly small, so names with a hash get the upper half.
    found.update(_by_hash(others, size // 2, size, used))
    return found


def _by_hash(names: t.Iterable[str], start: int, end: int, used: set[int]) -> dict[str, int]:
    """The first free place for each name, from its hash to *end*, then from *start*.

    If all of these are taken, a name gets a place before *start*.
    """
    chosen: dict[str, int] = {}
    occupied = set(used)
    free = end - start - sum(start <= place < end for place in occupied)
    onward: dict[int, int] = {}  # maps an occupied place to a later one, with no free place between them
    for name in names:
        if not free:  # the remaining names get places of the lower half
            start, end, onward = 0, start, {}
            free = end - sum(place < end for place in occupied)
        place = start + _hash(name) % (end - start)
        free -= 1
        passed = []
        while place in occupied:
            passed.append(place)
            place = onward.get(place, place + 1 if place + 1 < end else start)
        onward.update(dict.fromkeys(passed, place))
        occupied.add(place)
        chosen[name] = place
    return chosen


def carve(keys: t.Sequence[str], pool: Network, taken: t.Iterable[Address]) -> dict[str, Network]:
    """A prefix of two free addresses from a pool for each key. ValueError if the pool is too small."""
    used = {(int(ip) - int(pool.network_address)) // 2 for ip in taken if ip in pool}
    count = min(pool.num_addresses // 2, _MOST_PLACES)
    left = count - sum(place < count for place in used)
    if len(keys) > left:
        raise ValueError("{0} links need addresses, but it has enough for only {1}".format(len(keys), left))
    chosen = _by_hash(keys, 0, count, used) if keys else {}
    length = pool.max_prefixlen - 1
    start = int(pool.network_address)
    family = ipaddress.IPv4Network if pool.version == 4 else ipaddress.IPv6Network
    return {key: family((start + 2 * place, length)) for key, place in chosen.items()}


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
