# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Netlink attributes, packed and read without pyroute2.

Links, addresses, routes and neighbours use this code, because pyroute2's classes take ten times as long. Attributes of
single kinds of links use those classes (:mod:`.link_info`). Source: netlink(7), linux/netlink.h.

For the kernel, a name is any sequence of bytes. Bytes that are not UTF-8 become surrogates in Python, and the same
bytes again when they are packed (PEP 383).
"""

from __future__ import annotations

import struct
import sys
import typing as t

_HEADER = struct.Struct("=HH")
_NUMBER = struct.Struct("=HHI")
_PADDING = (b"", b"\0\0\0", b"\0\0", b"\0")  # by the length modulo 4
_KIND = 0x3FFF  # without the flags for nested ones and for the byte order


def pack(kind: int, value: bytes) -> bytes:
    """An attribute."""
    return _HEADER.pack(4 + len(value), kind) + value + _PADDING[len(value) & 3]


def text(kind: int, value: str) -> bytes:
    """An attribute that is a string."""
    return pack(kind, to_bytes(value) + b"\0")


def number(kind: int, value: int) -> bytes:
    """An attribute that is a 32-bit number, in the machine's byte order."""
    return _NUMBER.pack(8, kind, value & 0xFFFFFFFF)


def items(data: bytes, offset: int = 0) -> t.Iterator[tuple[int, bytes]]:
    """The attributes in *data* from *offset* on, as (kind, value), in their order."""
    end = len(data) - 4
    unpack = _HEADER.unpack_from
    while offset <= end:
        length, kind = unpack(data, offset)
        if length < 4:
            break
        yield kind & _KIND, data[offset + 4 : offset + length]
        offset += (length + 3) & ~3


def walk(data: bytes, offset: int = 0) -> dict[int, bytes]:
    """The attributes in *data* from *offset* on, by kind, the last one of each kind."""
    # The same as :func:`items` in half the time, because reading a large lab spends most of its time here.
    found = {}
    end = len(data) - 4
    unpack = _HEADER.unpack_from
    while offset <= end:
        length, kind = unpack(data, offset)
        if length < 4:
            break
        found[kind & _KIND] = data[offset + 4 : offset + length]
        offset += (length + 3) & ~3
    return found


def to_bytes(value: str) -> bytes:
    """A string as bytes, without a closing zero byte."""
    return value.encode(errors="surrogateescape")


def to_text(value: bytes) -> str:
    """The string in an attribute."""
    return value.split(b"\0", 1)[0].decode(errors="surrogateescape")


def to_number(value: bytes | None) -> int:
    """The number in an attribute, 0 if it is missing."""
    return int.from_bytes(value, sys.byteorder) if value else 0
