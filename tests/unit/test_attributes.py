# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import ipaddress
import random
import struct

import pytest

from ansible_collections.linuxnet.lab.plugins.module_utils.fields import read_ip
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import attributes
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.objects import Route
from ansible_collections.linuxnet.lab.plugins.module_utils.route_table import RouteTable


@pytest.mark.parametrize("size", range(9))
def test_read_as_packed(size: int) -> None:
    """Values of every length, with others around them, are read as they were packed, at multiples of four bytes."""
    values = [(1, b"x"), (2, b"y" * size), (3, b"z")]
    packed = b"".join(attributes.pack(*value) for value in values)
    assert len(packed) % 4 == 0
    assert list(attributes.items(b"head" + packed, 4)) == values
    assert attributes.walk(b"head" + packed, 4) == dict(values)


def test_text_and_numbers() -> None:
    found = attributes.walk(attributes.text(3, "eth0") + attributes.number(4, 1500) + attributes.number(5, -1))
    assert attributes.to_text(found[3]) == "eth0"
    assert attributes.to_number(found[4]) == 1500
    assert attributes.to_number(found[5]) == 0xFFFFFFFF
    assert attributes.to_number(None) == 0
    assert found[3] == b"eth0\0"


def test_addresses_as_the_standard_library_writes_them() -> None:
    """RFC 5952: the first of the longest runs of zeros is shortened, but not a single zero."""
    chance = random.Random(1)
    groups = [b"\0\0", b"\0\0", b"\0\1", b"\xab\xcd"]
    for dummy in range(5000):
        raw = b"".join(chance.choice(groups) for dummy in range(8))
        assert read_ip(raw) == str(ipaddress.IPv6Address(raw))
    assert [read_ip(bytes(16)), read_ip(bytes([10, 0, 0, 1]))] == ["::", "10.0.0.1"]


def test_flags_are_no_part_of_the_kind() -> None:
    """The flags are NLA_F_NESTED and NLA_F_NET_BYTEORDER."""
    assert attributes.walk(attributes.pack(0x8000 | 52, b"") + attributes.pack(0x4000 | 53, b"")) == {52: b"", 53: b""}


@pytest.mark.parametrize("rest", [b"", b"\0", struct.pack("=HH", 0, 7), struct.pack("=HH", 3, 7), b"\0" * 9])
def test_what_is_no_attribute_ends_the_walk(rest: bytes) -> None:
    assert attributes.walk(attributes.pack(1, b"1234") + rest) == {1: b"1234"}


def test_routes_are_found_by_what_the_kernel_tells_them_apart_by() -> None:
    first, other = Route(4, "10.0.0.0/8", dev="a"), Route(4, "10.0.0.0/8", dev="a", metric=5)
    second, far = Route(4, "10.0.0.0/8", dev="b"), Route(4, "0.0.0.0/0", via="10.0.0.1")
    table = RouteTable([first, other, far])
    table.add(second)
    assert list(table) == [first, second, other, far], "as the kernel has them"
    assert table.like(Route(4, "10.0.0.0/8", via="10.9.9.9")) == [first, second]
    assert table.like(Route(4, "10.1.0.0/16")) == []
    assert table.direct() == [first, other, second]
