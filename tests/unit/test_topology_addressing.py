# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The addresses of names without a number, and members that cannot also be the gateway."""

from __future__ import annotations

from ansible_collections.linuxnet.lab.plugins.module_utils.topology import addressing, layout


def test_no_name_wraps_to_the_places_of_numbers() -> None:
    """The upper half has room for 100 names. None of them gets an address in the lower half, whatever their hashes are.
    """
    names = ["host-{0}".format(chr(97 + number // 26) + chr(97 + number % 26)) for number in range(100)]
    for size in (200, 254):
        found = addressing.assign(names, size, {0})
        assert min(found.values()) >= size // 2
        assert len(set(found.values())) == 100
    found = addressing.assign(names, 150, {0})
    assert sorted(found.values())[-75:] == list(range(75, 150)), "only what finds the upper half full"
    assert len(set(found.values())) == 100 and 0 not in found.values()


def test_a_place_does_not_follow_from_who_comes_later() -> None:
    names = ["a", "b", "c", "web7", "web1"]
    found = addressing.assign(names, 254, {0})
    assert addressing.assign(names[:3], 254, {0}) == {name: found[name] for name in names[:3]}
    assert (found["web7"], found["web1"]) == (7, 1)


def test_the_gateway_by_its_own_bridge_is_no_member() -> None:
    for netns in ("r1", "host"):
        lan = {"prefix": "10.0.0.0/24", "netns": netns, "gateway": netns, "members": [netns, "c1"]}
        dummy, errors = layout.read({"name": "x", "namespaces": ["r1", "c1"], "segments": {"lan": lan}})
        assert errors == [
            "segments.lan.gateway: {0!r} contains the bridge of lan and is therefore its gateway, so it cannot be a "
            "member".format(netns)
        ]
