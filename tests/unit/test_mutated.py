# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decoders end with any bytes, and raise only the collection's own errors.

`make test` tries a sample. `make soak` (SOAK=1) tries a hundred thousand inputs for each decoder. A failure shows the
seed, and SEED repeats it.
"""

from __future__ import annotations

import json
import os
import random
import struct
import typing as t

import pytest

from ansible_collections.linuxnet.lab.plugins.module_utils.errors import KernelError
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import attributes, neighbor_table, netlink, rtnetlink
from ansible_collections.linuxnet.lab.plugins.module_utils.probe import arp, packet
from ansible_collections.linuxnet.lab.plugins.module_utils.probe.decode import decode

_COUNT = 100_000 if os.environ.get("SOAK") else 1_000
_SEED = int(os.environ.get("SEED") or random.randrange(1 << 32))

# A frame of each kind, from which the mutations start.
_ETHERNET = bytes.fromhex("020000000002020000000001")
_FRAMES = [
    _ETHERNET + bytes.fromhex(text)
    for text in (
        "0806000108000604000102000000000a0a0000010000000000000a000002",
        "08004500001c000100004001000" + "00a0000010a0000020800f7fe00010002",
        "810000640800450000280001000040060000" + "0a0000010a0000020016c0000000000000000000501220000000" + "0000",
        "86dd6000000000203a" + "ff" + "fe80" + "00" * 13 + "01" + "fe80" + "00" * 13 + "02"
        "8700000000000000" + "fe80" + "00" * 13 + "02" + "0101020000000001",
        "86dd60000000002000" + "40" + "fe80" + "00" * 13 + "01" + "fe80" + "00" * 13 + "02"
        "2c00000000000000" + "3c00000100000000" + "1100000000000000" + "0035c00000080000",
    )
]


def _attribute(kind: int, value: bytes) -> bytes:
    return attributes.pack(kind, value)


_LINK = struct.pack("=BxHiII", 0, 1, 7, 1, 0) + b"".join(
    (
        _attribute(3, b"eth0\xff\0"),
        _attribute(4, struct.pack("=I", 1500)),
        _attribute(1, b"\2\0\0\0\0\1"),
        _attribute(20, b"linuxnet.lab:demo\0"),
        _attribute(18, _attribute(1, b"bridge\0") + _attribute(2, _attribute(1, struct.pack("=I", 200)))),
        _attribute(52, _attribute(53, b"another\0")),
    )
)
_ADDRESS = struct.pack("=BBBBI", 2, 24, 0, 0, 7) + _attribute(1, b"\x0a\0\0\1") + _attribute(2, b"\x0a\0\0\1")
_ROUTE = struct.pack("=BBBBBBBBI", 2, 24, 0, 0, 254, 3, 0, 1, 0) + b"".join(
    (_attribute(1, b"\x0a\0\0\0"), _attribute(5, b"\x0a\0\0\1"), _attribute(9, struct.pack("=HBBI", 8, 0, 0, 7) * 2))
)
_NEIGHBOR = struct.pack("=BxxxiHBB", 2, 7, 2, 0, 1) + _attribute(1, b"\x0a\0\0\1") + _attribute(2, b"\2\0\0\0\0\2")
_REFUSAL = struct.pack("=iIHHII", -1, 20, 16, 5, 1, 0) + _attribute(1, b"no\0")
_IMPOSSIBLE = struct.pack("=iI", -1 << 31, 0)  # an invalid errno


class _Fed(netlink.Netlink):
    """A socket that returns the same body for every request."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def _dump_once(self, made: t.Any) -> list[bytes]:
        return [self._body]

    def _get_once(self, made: t.Any) -> netlink.Answer:
        return 0, 0, 0, self._body


def _message(body: bytes) -> bytes:
    return struct.pack("=IHHII", 16 + len(body), 16, 2, 1, 0) + body + bytes(-len(body) % 4)


_DECODERS: dict[str, tuple[t.Callable[[bytes], t.Any], list[bytes]]] = {
    "frames": (decode, _FRAMES),
    "datagrams": (netlink.answers_in, [_message(_LINK) + _message(_ROUTE), _message(b"")]),
    "refusals": (lambda data: netlink._error(0x300, data), [_REFUSAL, _IMPOSSIBLE]),
    "attributes": (lambda data: [attributes.walk(data), list(attributes.items(data))], [_LINK[16:]]),
    "links": (netlink.readable(rtnetlink._read_link), [_LINK]),
    "addresses": (netlink.readable(rtnetlink._read_address), [_ADDRESS]),
    "groups": (lambda data: rtnetlink.groups(_Fed(data)), [_LINK]),
    "routes": (lambda data: rtnetlink.routes(_Fed(data), {7: "eth0"}, 4), [_ROUTE]),
    "neighbours": (lambda data: neighbor_table.neighbors(_Fed(data), {7: "eth0"}), [_NEIGHBOR]),
    "forwarding": (lambda data: neighbor_table.forwarding(_Fed(data), {7: "eth0"}), [b"\7" + _NEIGHBOR[1:]]),
    "numbers": (lambda data: rtnetlink.nsid(_Fed(data), 0), [bytes(4) + _attribute(1, struct.pack("=I", 3))]),
    "arp": (arp.reply, [_FRAMES[0][14:]]),
    "echo": (packet.echo, [bytes(16)]),
    "icmp": (lambda data: packet.icmp_part(2, data), [_FRAMES[1][14:]]),
    "errors": (packet.icmp_error, [struct.pack("=IBBBBIIH", 113, 2, 3, 1, 0, 0, 0, 2) + bytes(30)]),
}


def mutated(chance: random.Random, data: bytes) -> bytes:
    """The data with some octets changed, removed, duplicated or added."""
    made = bytearray(data)
    for dummy in range(chance.randint(1, 8)):
        at = chance.randrange(len(made) + 1)
        what = chance.randrange(5)
        if what == 0:
            made[at : at + 1] = bytes([chance.choice((0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)))])
        elif what == 1:
            del made[at : at + chance.randint(1, 8)]
        elif what == 2:
            made[at:at] = chance.randbytes(chance.randint(1, 8))
        elif what == 3:
            made[at:at] = made[at : at + chance.randint(1, 32)]
        else:
            del made[at:]
    return bytes(made)


@pytest.mark.timeout(3600 if os.environ.get("SOAK") else 60)
@pytest.mark.parametrize("name", _DECODERS)
def test_mutated_bytes(name: str) -> None:
    """A decoder returns a result, or raises one of the collection's errors."""
    read, examples = _DECODERS[name]
    chance = random.Random(f"{_SEED} {name}")
    for example in examples:
        read(example)  # without a mutation, the decoder accepts it
    print(f"seed {_SEED}, {_COUNT} inputs")
    for dummy in range(_COUNT):
        data = mutated(chance, chance.choice(examples))
        try:
            found = read(data)
        except KernelError:
            continue
        except Exception as exc:
            raise AssertionError(f"{name}: {data.hex()}") from exc
        if name == "frames":
            json.dumps(found)


@pytest.mark.timeout(100)
def test_ipv6_extension_headers_take_linear_time() -> None:
    """Two million headers, and as many options. In quadratic time, each would move 16 TB of memory."""
    headers = _ETHERNET + bytes.fromhex("86dd60000000000000" + "40" + "00" * 32) + bytes(8) * 2_000_000
    options = _FRAMES[3][:-8] + bytes.fromhex("0e01000000000000") * 2_000_000
    assert decode(headers)["summary"].endswith("(cut short)")
    assert decode(options)["lladdr"] == ""
