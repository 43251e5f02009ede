# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From where the host is managed, so that a lab does not cut that line. Sources: ssh(1), proc(5)."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import sys
import typing as t

_VARIABLE = "SSH_CONNECTION"
_ESTABLISHED = "01"


def clients() -> list[str]:
    """The addresses from which somebody runs this process by SSH, in the caller's network namespace."""
    found = []
    for text in _connections():
        words = text.split()
        if len(words) == 4 and all(word.isdecimal() for word in (words[1], words[3])):
            client = words[0].partition("%")[0]
            if (client, int(words[1]), int(words[3])) in _established():
                found.append(client)
    return list(dict.fromkeys(found))


def _connections() -> t.Iterator[str]:
    """What sshd(8) told this process and its ancestors; sudo(8) keeps it from those that it starts."""
    if _VARIABLE in os.environ:
        yield os.environ[_VARIABLE]
    pid = os.getppid()
    while pid > 1:
        with contextlib.suppress(OSError):
            with open("/proc/{0}/environ".format(pid), "rb") as stream:
                for item in os.fsdecode(stream.read()).split("\0"):
                    if item.startswith(_VARIABLE + "="):
                        yield item[len(_VARIABLE) + 1 :]
        pid = _parent(pid)


def _parent(pid: int) -> int:
    try:
        with open("/proc/{0}/status".format(pid), encoding="utf-8", errors="replace") as stream:
            match = re.search(r"^PPid:\s*(\d+)", stream.read(), re.MULTILINE)
    except OSError:
        return 0
    return int(match.group(1)) if match else 0


def _established() -> set[tuple[str, int, int]]:
    """The TCP connections of the namespace, as (remote address, remote port, local port)."""
    found = set()
    for name in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):
            with open("/proc/thread-self/net/" + name, encoding="ascii") as stream:
                for line in stream.readlines()[1:]:
                    words = line.split()
                    if words[3] == _ESTABLISHED:
                        address, port = words[2].split(":")
                        found.add((_address(address), int(port, 16), int(words[1].split(":")[1], 16)))
    return found


def _address(digits: str) -> str:
    """An address as the kernel prints it there: words of four bytes in the machine's order."""
    words = [int(digits[at : at + 8], 16).to_bytes(4, sys.byteorder) for at in range(0, len(digits), 8)]
    raw = b"".join(words)
    if len(raw) == 16 and raw[:12] == bytes(10) + b"\xff\xff":
        raw = raw[12:]  # IPv4 by a socket of IPv6
    return socket.inet_ntop(socket.AF_INET if len(raw) == 4 else socket.AF_INET6, raw)
