# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the kernel has found out about neighbours by itself, forgotten.

Encoded by hand: what needs it does without pyroute2, and is in a hurry. Sources: rtnetlink(7), linux/neighbour.h.
"""

from __future__ import annotations

import socket
import struct
import typing as t

_ERROR, _DONE = 2, 3
_DELNEIGH, _GETNEIGH = 29, 30
_REQUEST, _DUMP = 0x1, 0x300
_NDA_DST = 1
_SETTLED = 0x02 | 0x04 | 0x08 | 0x10  # reachable, stale, delay, probe

_HEADER = struct.Struct("=IHHII")
_NEIGHBOR = struct.Struct("=BBHiHBB")
_ATTRIBUTE = struct.Struct("=HH")


def forget(family: int, addresses: t.Collection[str]) -> int:
    """Forget these neighbours in the thread's namespace, as `ip neigh flush` would; how many there were.

    Only what is in use or was. What is being resolved stays, and so does what an administrator has set.
    """
    wanted = {socket.inet_pton(family, address) for address in addresses}
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE) as sock:
        sock.settimeout(10)
        sock.send(_message(_GETNEIGH, _DUMP, _NEIGHBOR.pack(family, 0, 0, 0, 0, 0, 0)))
        messages = []
        for body in _answers(sock):
            dummy, dummy, dummy, index, state, flags, kind = _NEIGHBOR.unpack_from(body)
            address = _destination(body)
            if address in wanted and state & _SETTLED and not flags:
                attribute = _ATTRIBUTE.pack(_ATTRIBUTE.size + len(address), _NDA_DST) + address
                neighbor = _NEIGHBOR.pack(family, 0, 0, index, 0, 0, kind)
                messages.append(_message(_DELNEIGH, 0, neighbor + attribute))
        if messages:
            sock.send(b"".join(messages))  # no acknowledgement: it is done when this returns, or it is gone already
        return len(messages)


def _message(kind: int, flags: int, body: bytes) -> bytes:
    return _HEADER.pack(_HEADER.size + len(body), kind, flags | _REQUEST, 1, 0) + body


def _answers(sock: socket.socket) -> t.Iterator[bytes]:
    """The messages of a dump, without their headers."""
    while True:
        data = sock.recv(1 << 16)
        offset = 0
        while offset + _HEADER.size <= len(data):
            length, kind, dummy, dummy, dummy = _HEADER.unpack_from(data, offset)
            if kind in (_DONE, _ERROR):
                return
            yield data[offset + _HEADER.size : offset + length]
            offset += (length + 3) & ~3


def _destination(body: bytes) -> bytes:
    offset = _NEIGHBOR.size
    while offset + _ATTRIBUTE.size <= len(body):
        length, kind = _ATTRIBUTE.unpack_from(body, offset)
        if length < _ATTRIBUTE.size:
            break
        if kind == _NDA_DST:
            return body[offset + _ATTRIBUTE.size : offset + length]
        offset += (length + 3) & ~3
    return b""
