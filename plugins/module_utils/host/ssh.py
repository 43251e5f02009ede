# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The address that manages the host by SSH, so that a lab does not cut the connection. Sources: ssh(1), proc(5)."""

from __future__ import annotations

import contextlib
import os
import re
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.tcp_connections import Connection, established

_VARIABLE = "SSH_CONNECTION"


def clients(connections: t.Iterable[Connection] | None = None) -> list[str]:
    """The addresses of the SSH clients that run this process, in the caller's network namespace.

    :arg connections: the established ones there, if the caller knows them.
    """
    found = []
    if connections is None:
        connections = established()
    peers = {(one.remote, one.remote_port, one.local_port) for one in connections}
    for text in _connections():
        words = text.split()
        if len(words) == 4 and all(word.isdecimal() for word in (words[1], words[3])):
            client = words[0].partition("%")[0]
            if (client, int(words[1]), int(words[3])) in peers:
                found.append(client)
    return list(dict.fromkeys(found))


def _connections() -> t.Iterator[str]:
    """The values of SSH_CONNECTION in this process and its ancestors, because sudo(8) removes the variable."""
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
