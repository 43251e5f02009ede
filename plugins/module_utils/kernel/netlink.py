# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A netlink socket: requests with acknowledgements in batches, and dumps. Source: netlink(7)."""

from __future__ import annotations

import errno
import socket
import struct
import sys
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils.errors import KernelError

NLM_F_REQUEST = 0x1
NLM_F_ACK = 0x4
NLM_F_REPLACE = 0x100
NLM_F_EXCL = 0x200
NLM_F_CREATE = 0x400
NLM_F_DUMP = 0x300

_NLM_F_DUMP_INTR = 0x10
_NLM_F_CAPPED = 0x100
_NLM_F_ACK_TLVS = 0x200
_NLMSG_ERROR = 2
_NLMSG_DONE = 3
_NLMSGERR_ATTR_MSG = 1

_TIMEOUT = struct.pack("@ll", 60, 0)  # struct timeval
_SOL_NETLINK = 270
_NETLINK_CAP_ACK = 10
_NETLINK_EXT_ACK = 11
_NETLINK_GET_STRICT_CHK = 12
_SO_NETNS_COOKIE = 71
_SO_RCVBUFFORCE = 33

_HEADER = struct.Struct("=IHHII")
# Refusals wait in the socket's receive buffer until the whole send is done: 256 fit into the default one, and those
# that do not fit are lost.
_MOST_AT_ONCE = 200
# The kernel makes no part of a dump larger than 32 KiB.
_ROOM = 1 << 16
_DUMP_TRIES = 5
# Events come whether or not somebody reads them.
_EVENTS_BUFFER = 8 << 20


class Packed(t.NamedTuple):
    """A message packed by hand: what follows the header; see :mod:`.attributes`."""

    kind: int
    flags: int
    body: bytes


Answer = tuple[int, int, int, bytes]  # type, flags, sequence number, what follows the header


def message(cls: t.Any, kind: int, flags: int, fields: dict[str, t.Any], attributes: t.Sequence[t.Any] = ()) -> t.Any:
    """A message of one of pyroute2's classes; a request is acknowledged when *flags* holds NLM_F_ACK."""
    made = cls()
    for name, value in fields.items():
        made[name] = value
    made["attrs"] = [(name, value) for name, value in attributes if value is not None]
    made["header"]["type"] = kind
    made["header"]["flags"] = flags | NLM_F_REQUEST
    made["header"]["pid"] = 0
    return made


class Netlink:
    """A netlink socket in the network namespace in which the calling thread is when it is made.

    It goes on belonging to that namespace wherever the thread goes.
    """

    def __init__(self, protocol: int = socket.NETLINK_ROUTE) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC, protocol)
        # The kernel's own timeout: Python's would ask before each message whether there is one.
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _TIMEOUT)
        self._sequence = 0
        for option in (_NETLINK_EXT_ACK, _NETLINK_CAP_ACK, _NETLINK_GET_STRICT_CHK):
            try:
                self._socket.setsockopt(_SOL_NETLINK, option, 1)
            except OSError:
                pass  # an older kernel: errors then come without the kernel's words, dumps unfiltered

    def netns_cookie(self) -> int | None:
        """The kernel's number for the socket's namespace, which no later one gets; None before Linux 5.14."""
        try:
            return int.from_bytes(self._socket.getsockopt(socket.SOL_SOCKET, _SO_NETNS_COOKIE, 8), sys.byteorder)
        except OSError:
            return None

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def request(self, messages: t.Sequence[t.Any]) -> list[KernelError | None]:
        """Send messages, at most 200 in one go, and return for each None or the kernel's refusal.

        The kernel carries them out in order, and goes on after one that it refuses. It tells of a refusal unasked, so
        that only the last message of a send asks for an answer.
        """
        results: list[KernelError | None] = []
        for start in range(0, len(messages), _MOST_AT_ONCE):
            part = list(messages[start : start + _MOST_AT_ONCE])
            part[-1] = _acknowledged(part[-1])
            results += self._send(part)
        return results

    def _send(self, messages: t.Sequence[t.Any], framed: bool = False) -> list[KernelError | None]:
        """Send all messages in one go; in *framed* ones, nothing is answered after a refusal of the frame itself."""
        results: list[KernelError | None] = [None] * len(messages)
        first = self._sequence + 1
        waiting = {position for position, made in enumerate(messages) if _flags(made) & NLM_F_ACK}
        self._socket.send(b"".join([self._encode(made) for made in messages]))
        while waiting:
            for kind, flags, sequence, body in self._receive():
                position = sequence - first
                if kind != _NLMSG_ERROR or not 0 <= position < len(messages):
                    continue
                error = _error(flags, body)
                results[position] = results[position] or error
                if position in waiting:
                    waiting.remove(position)
                elif error and framed:
                    return results
        return results

    def dump(self, made: t.Any) -> list[t.Any]:
        """The answers to a dump request, decoded; to one packed by hand, the bodies of the messages."""
        answers = self._dump(made)
        if isinstance(made, Packed):
            return [body for dummy, dummy, dummy, body in answers]
        return [_decode(type(made), *answer) for answer in answers]

    def _dump(self, made: t.Any) -> list[Answer]:
        """The answers to a dump request; asked again while the kernel says that its tables have changed."""
        for dummy in range(_DUMP_TRIES):
            answers, interrupted = self._dump_once(made)
            if not interrupted:
                break
        return answers

    def get(self, made: t.Any) -> t.Any:
        """The answer to a request for one object, as :meth:`dump` gives it; KernelError where the kernel refuses."""
        sequence = self._write(made)
        for kind, flags, number, body in self._receive():
            if number == sequence:
                if kind == _NLMSG_ERROR:
                    raise _error(flags, body) or KernelError(errno.ENOMSG)
                return body if isinstance(made, Packed) else _decode(type(made), kind, flags, number, body)
        raise KernelError(errno.ENOMSG)

    def listen(self, groups: int) -> None:
        """Hear of changes from now on; *groups* is a sum of RTMGRP_*. Requests then need another socket."""
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _EVENTS_BUFFER)
        self._socket.setblocking(False)
        self._socket.bind((0, groups))

    def events(self, cls: t.Any) -> t.Iterator[tuple[int, t.Any]]:
        """The (type, decoded message) of every change that was heard of; OSError(ENOBUFS) where some were lost."""
        while True:
            try:
                for kind, flags, sequence, body in self._receive():
                    yield kind, _decode(cls, kind, flags, sequence, body)
            except BlockingIOError:
                return

    def fileno(self) -> int:
        """The socket's descriptor, to wait for events."""
        return self._socket.fileno()

    def _dump_once(self, made: t.Any) -> tuple[list[Answer], bool]:
        sequence = self._write(made)
        answers: list[Answer] = []
        interrupted = False
        while True:
            for kind, flags, number, body in self._receive():
                if number != sequence:
                    continue
                interrupted = interrupted or bool(flags & _NLM_F_DUMP_INTR)
                if kind == _NLMSG_ERROR:
                    raise _error(flags, body) or KernelError(errno.ENOMSG)
                if kind == _NLMSG_DONE:
                    return answers, interrupted
                answers.append((kind, flags, number, body))

    def _encode(self, made: t.Any) -> bytes:
        self._sequence += 1
        if isinstance(made, Packed):
            kind, flags, body = made
            return _HEADER.pack(_HEADER.size + len(body), kind, flags | NLM_F_REQUEST, self._sequence, 0) + body
        made["header"]["sequence_number"] = self._sequence
        made.reset()
        made.encode()
        return bytes(made.data)

    def _write(self, made: t.Any) -> int:
        self._socket.send(self._encode(made))
        return self._sequence

    def _receive(self) -> t.Iterator[Answer]:
        """The messages of one datagram."""
        data = self._socket.recv(_ROOM)
        offset = 0
        while offset + _HEADER.size <= len(data):
            length, kind, flags, sequence, dummy = _HEADER.unpack_from(data, offset)
            yield kind, flags, sequence, data[offset + _HEADER.size : offset + length]
            offset += (length + 3) & ~3


def _flags(made: t.Any) -> int:
    return made.flags if isinstance(made, Packed) else made["header"]["flags"]


def _acknowledged(made: t.Any) -> t.Any:
    """The message, now asking for an answer."""
    if isinstance(made, Packed):
        return made._replace(flags=made.flags | NLM_F_ACK)
    made["header"]["flags"] |= NLM_F_ACK
    return made


def decode(cls: t.Any, body: bytes) -> t.Any:
    """What follows a message's header, decoded by one of pyroute2's classes."""
    return _decode(cls, 0, 0, 0, body)


def _decode(cls: t.Any, kind: int, flags: int, sequence: int, body: bytes) -> t.Any:
    header = _HEADER.pack(_HEADER.size + len(body), kind, flags, sequence, 0)
    made = cls(bytearray(header + body))
    made.decode()
    return made


def _error(flags: int, body: bytes) -> KernelError | None:
    """The refusal that a NLMSG_ERROR message holds, in the kernel's own words where it has some."""
    code = -struct.unpack_from("=i", body)[0]
    if not code:
        return None
    text = ""
    if flags & _NLM_F_ACK_TLVS:
        inner = struct.unpack_from("=I", body, 4)[0]
        offset = 4 + (_HEADER.size if flags & _NLM_F_CAPPED else (inner + 3) & ~3)
        while offset + 4 <= len(body):
            length, kind = struct.unpack_from("=HH", body, offset)
            if length < 4:
                break
            if kind == _NLMSGERR_ATTR_MSG:
                text = body[offset + 4 : offset + length].split(b"\0")[0].decode(errors="replace")
            offset += (length + 3) & ~3
    return KernelError(code, text)
