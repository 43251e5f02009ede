# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The hosts that this host talks to at this moment: its resolvers, its proxies, the peers of its TCP connections.

Names are resolved by /etc/hosts only, because a query to a resolver would leave the host.
Sources: resolv.conf(5), hosts(5), systemd-resolved(8), curl(1) for the names of the variables.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import typing as t
import urllib.parse

from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.tcp_connections import Connection

RESOLVERS = ("/etc/resolv.conf", "/run/systemd/resolve/resolv.conf")
HOSTS = "/etc/hosts"
_PROXIES = ("http_proxy", "https_proxy", "ftp_proxy", "all_proxy")


class Use(t.NamedTuple):
    """An address that the host uses, and its use: ``this host's resolver (/etc/resolv.conf)``."""

    address: str
    what: str


def uses(connections: t.Iterable[Connection]) -> list[Use]:
    """Resolvers, proxies and peers of connections, each once for each use, without loopback addresses."""
    found = [*_resolvers(), *_proxies()]
    text = "the other end of a TCP connection of this host (port {0})"
    found += [Use(one.remote, text.format(one.remote_port)) for one in connections]
    return [one for one in dict.fromkeys(found) if not ipaddress.ip_address(one.address).is_loopback]


def _resolvers() -> t.Iterator[Use]:
    for path in RESOLVERS:
        for words in _lines(path):
            address = _address(words[1]) if words[0] == "nameserver" and len(words) > 1 else ""
            if address:
                yield Use(address, "this host's resolver ({0})".format(path))


def _proxies() -> t.Iterator[Use]:
    for name in (*_PROXIES, *(name.upper() for name in _PROXIES)):
        value = os.environ.get(name, "")
        with contextlib.suppress(ValueError):  # an invalid URL has no address
            host = urllib.parse.urlsplit(value if "://" in value else "//" + value).hostname or ""
            own = _address(host)
            for address in [own] if own else _by_name(host):
                yield Use(address, "this host's proxy ({0})".format(name))


def _by_name(host: str) -> list[str]:
    found = [words[0] for words in _lines(HOSTS) if host and host in [word.lower() for word in words[1:]]]
    return [address for address in map(_address, found) if address]


def _address(text: str) -> str:
    """An address in its usual form, without a zone. Empty if it is invalid."""
    with contextlib.suppress(ValueError):
        return str(ipaddress.ip_address(text.partition("%")[0]))
    return ""


def _lines(path: str) -> t.Iterator[list[str]]:
    """The words of each line of a file that is neither empty nor a comment. None if the file cannot be read."""
    with contextlib.suppress(OSError):
        with open(path, encoding="utf-8", errors="replace") as stream:
            for line in stream:
                words = line.partition("#")[0].partition(";")[0].split()
                if words:
                    yield words
