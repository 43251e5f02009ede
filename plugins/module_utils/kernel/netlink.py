# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A netlink socket: requests with acknowledgements in batches, and dumps. Source: netlink(7).

The socket trusts only the kernel. Every process in a namespace can send to the netlink sockets there. Therefore each
socket connects to the kernel. The kernel then refuses messages of others, so that they cannot fill the receive buffer.
The socket still checks the sender's number (CVE-2009-1185), because the connection does not keep off messages to a
multicast group. If an answer is malformed or lost, the result is a :class:`.errors.KernelError`.
"""

from __future__ import annotations

import contextlib
import errno
import socket
import struct
import sys
import time
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils.errors import KernelError
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import attributes

NLM_F_REQUEST = 0x1
NLM_F_ACK = 0x4
NLM_F_REPLACE = 0x100
NLM_F_EXCL = 0x200
NLM_F_CREATE = 0x400
NLM_F_APPEND = 0x800
NLM_F_DUMP = 0x300

_NLM_F_DUMP_INTR = 0x10
_NLM_F_CAPPED = 0x100
_NLM_F_ACK_TLVS = 0x200
_NLMSG_ERROR = 2
_NLMSG_DONE = 3
_NLMSGERR_ATTR_MSG = 1
_MAX_ERRNO = 4095  # linux/err.h

_PATIENCE = 60  # seconds
_TIMEOUT = struct.pack("@ll", _PATIENCE, 0)  # struct timeval
_SOL_NETLINK = 270
_NETLINK_CAP_ACK = 10
_NETLINK_EXT_ACK = 11
_NETLINK_GET_STRICT_CHK = 12
_SO_NETNS_COOKIE = 71
_SO_RCVBUFFORCE = 33

_KERNEL = 0  # the kernel's port number
_HEADER = struct.Struct("=IHHII")
# Errors wait in the socket's receive buffer until the send is complete. The default buffer has room for 256, and others
# are lost.
_MOST_AT_ONCE = 200
# The kernel limits a part of a dump to 32 KiB. A larger datagram is not from the kernel.
_ROOM = 1 << 16
# Seconds between two attempts, if an answer was lost or interrupted. Others who create links interrupt a dump.
_PAUSES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, *[0.2] * 14)
_MOST_EVENTS = 1000  # datagrams in one go
# Notifications arrive even if nobody reads them.
_EVENTS_BUFFER = 8 << 20


class AnswerLost(KernelError):
    """The kernel's answer did not arrive, or cannot be read. The kernel may have carried out the request."""


class Packed(t.NamedTuple):
    """A message: its type, flags and body; see :mod:`.attributes`."""

    kind: int
    flags: int
    body: bytes


_T = t.TypeVar("_T")
Answer = tuple[int, int, int, bytes]  # type, flags, sequence number, what follows the header

_LOST = "the kernel had no room for its answer (ENOBUFS)"
_SILENT = "the kernel has not answered for {0} seconds (EAGAIN)".format(_PATIENCE)
_MALFORMED = "the kernel's answer cannot be read (EBADMSG)"
_RESTLESS = "the objects changed during each of {0} reads (EINTR)".format(len(_PAUSES) + 1)


class Netlink:
    """A netlink socket in the calling thread's network namespace at the time of creation.

    It stays in that namespace, wherever the thread goes.
    """

    def __init__(self, protocol: int = socket.NETLINK_ROUTE) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC, protocol)
        # The kernel's own timeout, because Python's needs an extra system call before each message.
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _TIMEOUT)
        self._sequence = 0
        for option in (_NETLINK_EXT_ACK, _NETLINK_CAP_ACK, _NETLINK_GET_STRICT_CHK):
            try:
                self._socket.setsockopt(_SOL_NETLINK, option, 1)
            except OSError:
                pass  # an older kernel: errors have no text, and dumps are not filtered
        self._socket.connect((0, 0))

    def netns_cookie(self) -> int | None:
        """The kernel's unique number of the socket's namespace. None before Linux 5.14."""
        try:
            return int.from_bytes(self._socket.getsockopt(socket.SOL_SOCKET, _SO_NETNS_COOKIE, 8), sys.byteorder)
        except OSError:
            return None

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def request(self, messages: t.Sequence[Packed]) -> list[KernelError | None]:
        """Send messages, at most 200 at once, and return None or the kernel's error for each.

        The kernel carries them out in order, and continues after an error. It reports errors in any case, so that only
        the last message of a send requests an acknowledgement. If that is lost, its error is AnswerLost. Later messages
        are not sent, and have the same error.
        """
        results: list[KernelError | None] = []
        for start in range(0, len(messages), _MOST_AT_ONCE):
            part = list(messages[start : start + _MOST_AT_ONCE])
            part[-1] = part[-1]._replace(flags=part[-1].flags | NLM_F_ACK)
            try:
                results += self._send(part)
                last = results[-1]
                stop: KernelError | None = last if isinstance(last, AnswerLost) else None
            except OSError as exc:  # the kernel refused the whole send
                stop = KernelError(exc.errno or errno.EIO)
            if stop:
                return results + [stop] * (len(messages) - len(results))
        return results

    def _send(self, messages: t.Sequence[Packed], framed: bool = False) -> list[KernelError | None]:
        """Send all messages at once. If *framed*, the kernel answers nothing more after an error of the frame itself.
        """
        results: list[KernelError | None] = [None] * len(messages)
        first = self._sequence + 1
        waiting = {position for position, made in enumerate(messages) if made.flags & NLM_F_ACK}
        last, lost = max(waiting), None
        self._socket.send(b"".join([self._encode(made) for made in messages]))
        while waiting:
            try:
                # The kernel has processed all messages now. If one answer is lost, the other ones have arrived.
                answers = self._receive(socket.MSG_DONTWAIT if lost else 0)
            except AnswerLost as exc:
                first_loss, lost = lost is None, lost or exc
                if first_loss and exc.errno == errno.ENOBUFS:
                    continue
                self._drain()
                break
            for kind, flags, sequence, body in answers:
                position = sequence - first
                if kind != _NLMSG_ERROR or not 0 <= position < len(messages):
                    continue
                error = _error(flags, body)
                results[position] = results[position] or error
                if position in waiting:
                    waiting.remove(position)
                elif error and framed:
                    return results
        results[last] = results[last] or lost
        return results

    def _drain(self) -> None:
        """Discard waiting answers that nobody needs any more.

        They are complete, because the kernel processes messages before the send returns.
        """
        try:
            while True:
                try:
                    self._socket.recv(1, socket.MSG_DONTWAIT)
                except OSError as exc:
                    if exc.errno != errno.ENOBUFS:
                        raise
        except BlockingIOError:
            return

    def dump(self, made: Packed) -> list[bytes]:
        """The bodies of the answers to a dump request."""
        return self._again(lambda: self._dump_once(made))

    def get(self, made: Packed) -> bytes:
        """The body of the answer to a request for one object. KernelError if the kernel refuses it."""
        return self._again(lambda: self._get_once(made))[-1]

    def _again(self, ask: t.Callable[[], _T]) -> _T:
        """The result of a read request, repeated if the answer was lost or interrupted."""
        for pause in _PAUSES:
            try:
                return ask()
            except AnswerLost as exc:
                if exc.errno not in (errno.ENOBUFS, errno.EINTR):
                    raise
                self._drain()
                time.sleep(pause)
        return ask()

    def listen(self, groups: int) -> None:
        """Receive notifications from now on. *groups* is a sum of RTMGRP_*. Requests then need another socket."""
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _EVENTS_BUFFER)
        except PermissionError:  # in a user namespace
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _EVENTS_BUFFER)
        self._socket.setblocking(False)
        self._socket.bind((self._socket.getsockname()[0], groups))

    def events(self) -> t.Iterator[tuple[int, bytes]]:
        """The (type, body) of waiting notifications, without waiting for more.

        The number is limited, so that a flood does not block the caller. OSError(ENOBUFS) if some were lost.
        """
        for dummy in range(_MOST_EVENTS):
            try:
                answers = self._read()
            except BlockingIOError:
                return
            for kind, dummy, dummy, body in answers:
                yield kind, body

    def fileno(self) -> int:
        """The socket's descriptor, to wait for events."""
        return self._socket.fileno()

    def _get_once(self, made: Packed) -> Answer:
        sequence = self._write(made)
        while True:
            for answer in self._receive():
                kind, flags, number, body = answer
                if number == sequence:
                    if kind == _NLMSG_ERROR:
                        raise _error(flags, body) or KernelError(errno.ENOMSG)
                    return answer

    def _dump_once(self, made: Packed) -> list[bytes]:
        sequence = self._write(made)
        bodies: list[bytes] = []
        interrupted = False
        while True:
            for kind, flags, number, body in self._receive():
                if number != sequence:
                    continue
                interrupted = interrupted or bool(flags & _NLM_F_DUMP_INTR)
                if kind == _NLMSG_ERROR:
                    raise _error(flags, body) or KernelError(errno.ENOMSG)
                if kind == _NLMSG_DONE:
                    if interrupted:
                        raise AnswerLost(errno.EINTR, _RESTLESS)
                    return bodies
                bodies.append(body)

    def _encode(self, made: Packed) -> bytes:
        self._sequence += 1
        kind, flags, body = made
        return _HEADER.pack(_HEADER.size + len(body), kind, flags | NLM_F_REQUEST, self._sequence, 0) + body

    def _write(self, made: Packed) -> int:
        self._socket.send(self._encode(made))
        return self._sequence

    def _receive(self, flags: int = 0) -> list[Answer]:
        """The messages of the next datagram of an answer. AnswerLost if it is lost or does not arrive."""
        try:
            return self._read(flags)
        except BlockingIOError:
            raise AnswerLost(errno.EAGAIN, _SILENT) from None
        except OSError as exc:
            if exc.errno != errno.ENOBUFS:
                raise
            raise AnswerLost(errno.ENOBUFS, _LOST) from None

    def _read(self, how: int = 0) -> list[Answer]:
        """The messages of the next datagram. None if it is not from the kernel."""
        data, sender = self._socket.recvfrom(_ROOM, how)
        if sender[0] != _KERNEL:
            return []
        if len(data) == _ROOM:  # longer ones are cut
            raise AnswerLost(errno.EBADMSG, _MALFORMED)
        return answers_in(data)


def answers_in(data: bytes) -> list[Answer]:
    """The messages of a datagram. AnswerLost if it is incomplete or malformed."""
    found = []
    offset, end = 0, len(data)
    size, unpack = _HEADER.size, _HEADER.unpack_from
    while offset < end:
        if end - offset < size:
            raise AnswerLost(errno.EBADMSG, _MALFORMED)
        length, kind, flags, sequence, dummy = unpack(data, offset)
        if not size <= length <= end - offset:
            raise AnswerLost(errno.EBADMSG, _MALFORMED)
        found.append((kind, flags, sequence, data[offset + size : offset + length]))
        offset += (length + 3) & ~3
    return found


class _Readable(contextlib.ContextDecorator):
    """See :data:`readable`. Not a generator, which would take longer than reading a short answer."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, traceback: t.Any) -> None:
        # Each version of pyroute2 has exceptions of its own.
        if isinstance(exc, Exception) and not isinstance(exc, (KernelError, OSError, ImportError)):
            raise KernelError(errno.EBADMSG, _MALFORMED) from exc


readable: t.Final = _Readable()
"""Around the reading of an answer, by hand or by pyroute2's classes: KernelError where it cannot be read."""


def _error(flags: int, body: bytes) -> KernelError | None:
    """The error in a NLMSG_ERROR message, with the kernel's own text if it has one."""
    if len(body) < 4:
        return AnswerLost(errno.EBADMSG, _MALFORMED)
    code = -struct.unpack_from("=i", body)[0]
    if not code:
        return None
    if not 0 < code <= _MAX_ERRNO:
        return AnswerLost(errno.EBADMSG, _MALFORMED)
    text = ""
    if flags & _NLM_F_ACK_TLVS and len(body) >= 8:
        inner = struct.unpack_from("=I", body, 4)[0]
        offset = 4 + (_HEADER.size if flags & _NLM_F_CAPPED else (inner + 3) & ~3)
        text = attributes.walk(body, offset).get(_NLMSGERR_ATTR_MSG, b"").split(b"\0")[0].decode(errors="replace")
    return KernelError(code, text)
