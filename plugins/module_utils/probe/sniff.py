# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Packet sockets: every frame that links in namespaces receive or send, with the kernel's time stamp.

Sources: packet(7), socket(7) (SO_TIMESTAMPNS), linux/if_packet.h (PACKET_AUXDATA, PACKET_STATISTICS).
"""

from __future__ import annotations

import contextlib
import errno
import socket
import struct
import time
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils.errors import LabError
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import namespaces
from ansible_collections.linuxnet.lab.plugins.module_utils.probe import packet_filter, sockopts
from ansible_collections.linuxnet.lab.plugins.module_utils.probe.decode import decode
from ansible_collections.linuxnet.lab.plugins.module_utils.probe.recording import Record

ANY = "any"

# Constants of the kernel that Python's socket module does not have, or does not have in every version.
_ETH_P_ALL = 0x0003
_SOL_PACKET = 263
_PACKET_ADD_MEMBERSHIP = 1
_PACKET_STATISTICS = 6
_PACKET_AUXDATA = 8
_PACKET_MR_PROMISC = 1
_SO_TIMESTAMPNS = 35
_ARPHRD_ETHER, _ARPHRD_LOOPBACK = 1, 772

_TIMESPEC = struct.Struct("@ll")
_STATISTICS = struct.Struct("=II")  # struct tpacket_stats: packets, drops
_AUXDATA = struct.Struct("=IIIHHHH")  # struct tpacket_auxdata: status, len, snaplen, mac, net, vlan_tci, vlan_tpid
_VLAN_VALID = 1 << 4
_VLAN_TPID_VALID = 1 << 6

# The buffer keeps packets while the process is busy or has not yet started to read.
_BUFFER = 8 << 20


class Sniffer:
    """The packets of some links, a :class:`.recording.Source`.

    A record is a dict of `time_ns` (nanoseconds since 1970), `netns`, `dev`, `direction` (in or out), `length` (of the
    frame without its checksum) and `data` (at most `snaplen` bytes of it, in hex).
    """

    def __init__(self, job: dict[str, t.Any]) -> None:
        """Open the sockets.

        :param job: `links`, each a dict of `place` (for errors), `netns` and `dev` (a name, or "any"); `filter`, a list
            of expressions; `snaplen` in bytes; `promiscuous`.
        :raises LabError: with an error for each namespace and link that does not exist, or for an invalid filter.
        """
        self._matches = packet_filter.parse(job["filter"])
        self._buffer = bytearray(job["snaplen"])
        self._netns: dict[socket.socket, str] = {}
        self._nameless = 0
        errors = []
        for link in job["links"]:
            try:
                with namespaces.inside_ref(link["netns"]):
                    self._netns[_open(link["dev"], job["promiscuous"])] = link["netns"]
            except OSError as exc:
                errors.append(_why(link, exc))
        if errors:
            self.close()
            raise LabError(errors)

    def sockets(self) -> list[socket.socket]:
        """A socket for each link, or for each namespace with "any" link."""
        return list(self._netns)

    def receive(self, opened: socket.socket, until: float) -> t.Iterator[Record]:
        """The packets that wait in a socket and match the filter, up to the first one that arrived after *until*."""
        time_ns = 0
        for dummy in range(sockopts.MOST_AT_ONCE):
            if time_ns >= until * 1e9:
                return
            try:
                size, control, dummy_flags, address = opened.recvmsg_into([self._buffer], 256)
            except BlockingIOError:
                return
            except OSError as exc:
                if exc.errno not in (errno.ENETDOWN, errno.ENODEV):
                    raise
                continue  # the link went down, which the kernel reports once; it may come up again
            except UnicodeDecodeError:
                self._nameless += 1  # Python decodes the link's name, and loses the packet if the name is not UTF-8
                continue
            fields = {(level, kind): value for level, kind, value in control}
            time_ns = _time(fields)
            item = self._record(bytes(self._buffer[:size]), fields, address)
            if item is not None:
                item.update(time_ns=time_ns, netns=self._netns[opened])
                yield item

    def _record(self, data: bytes, fields: dict[tuple[int, int], bytes], address: t.Any) -> Record | None:
        dev, dummy, kind, hardware = address[:4]
        outgoing = kind == socket.PACKET_OUTGOING
        # `lo` shows each packet twice, when it leaves and when it arrives. Other hardware has no Ethernet header.
        if hardware != _ARPHRD_ETHER and (hardware != _ARPHRD_LOOPBACK or outgoing):
            return None
        length = len(data)
        auxdata = fields.get((_SOL_PACKET, _PACKET_AUXDATA))
        if auxdata is not None and len(auxdata) == _AUXDATA.size:
            status, length, dummy, dummy, dummy, tag, tag_kind = _AUXDATA.unpack(auxdata)
            if status & _VLAN_VALID:  # the kernel keeps the outermost tag beside the frame
                tag_kind = tag_kind if status & _VLAN_TPID_VALID else 0x8100
                data = data[:12] + struct.pack("!HH", tag_kind, tag) + data[12:]
                length += 4
        data = data[: len(self._buffer)]
        if self._matches is not None and not self._matches(decode(data)):
            return None
        return {"dev": dev, "direction": "out" if outgoing else "in", "length": length, "data": data.hex()}

    def dropped(self) -> int:
        """How many packets were lost since the last call, because the buffer was full or the link's name not UTF-8."""
        dropped, self._nameless = self._nameless, 0
        for opened in self._netns:
            statistics = opened.getsockopt(_SOL_PACKET, _PACKET_STATISTICS, _STATISTICS.size)
            dropped += _STATISTICS.unpack(statistics)[1]
        return dropped

    def close(self) -> None:
        """Close the sockets. That also ends the promiscuous mode of the links."""
        for opened in self._netns:
            opened.close()
        self._netns = {}


def _open(dev: str, promiscuous: bool) -> socket.socket:
    """A packet socket in the thread's namespace, which receives packets from now on. OSError if that is impossible."""
    # With protocol 0, the socket receives nothing until it is bound to its link. "any" needs no binding.
    protocol = socket.htons(_ETH_P_ALL) if dev == ANY else 0
    opened = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC, protocol)
    with contextlib.ExitStack() as stack:
        stack.callback(opened.close)
        opened.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        sockopts.buffer(opened, receive=_BUFFER)
        opened.setsockopt(_SOL_PACKET, _PACKET_AUXDATA, 1)
        if dev != ANY:
            index = _index(dev)
            opened.bind((dev, _ETH_P_ALL))
            if opened.getsockname()[3] not in (_ARPHRD_ETHER, _ARPHRD_LOOPBACK):
                raise OSError(errno.EPFNOSUPPORT, "it is not an Ethernet link")
            if promiscuous:
                membership = struct.pack("=iHH8s", index, _PACKET_MR_PROMISC, 0, b"")
                opened.setsockopt(_SOL_PACKET, _PACKET_ADD_MEMBERSHIP, membership)
        stack.pop_all()
    return opened


def _index(dev: str) -> int:
    try:
        return socket.if_nametoindex(dev)
    except OSError:  # Python's exception has no errno
        raise OSError(errno.ENODEV, "no such interface", dev) from None


def _why(link: dict[str, t.Any], exc: OSError) -> str:
    netns, dev, place = link["netns"], link["dev"], link["place"]
    where = "namespace {0!r}".format(netns) if netns else "the host"
    if isinstance(exc, FileNotFoundError):
        return "{0}netns: there is no network namespace {1!r}".format(place, netns)
    if exc.errno == errno.ENODEV:
        return "{0}dev: there is no interface {1!r} in {2}".format(place, dev, where)
    return "{0}dev: {1!r} in {2} cannot be recorded: {3}".format(place, dev, where, exc.strerror or exc)


def _time(fields: dict[tuple[int, int], bytes]) -> int:
    """The kernel's time stamp of a packet, in nanoseconds since 1970."""
    stamp = fields.get((socket.SOL_SOCKET, _SO_TIMESTAMPNS))
    if stamp is None or len(stamp) != _TIMESPEC.size:
        return time.time_ns()
    seconds, nanoseconds = _TIMESPEC.unpack(stamp)
    return int(seconds * 10**9 + nanoseconds)
