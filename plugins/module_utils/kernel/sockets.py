# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Netlink sockets in many namespaces: opened when first needed, bounded in number, closed together."""

from __future__ import annotations

import os
import resource
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import rtnetlink
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.finder import Finder
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.netlink import Netlink

# Of one kind, where the process may have any number.
_MOST_OPEN = 2000
_T = t.TypeVar("_T")
_Kind = t.TypeVar("_Kind", bound=Netlink)


def unless_gone(look: t.Callable[[], _T], otherwise: _T) -> _T:
    """What *look* finds in a namespace; *otherwise* where that was removed, or its process ended, a moment before."""
    try:
        return look()
    except (FileNotFoundError, ProcessLookupError):
        return otherwise


def most_open(part: float) -> int:
    """How many descriptors make up a part of what the process may have, which is usually 1024."""
    return min(_MOST_OPEN, int(resource.getrlimit(resource.RLIMIT_NOFILE)[0] * part))


class Sockets:
    """One socket of each kind for each namespace in use, by the namespace's reference.

    :ivar finder: knows where the namespaces are.
    """

    def __init__(self) -> None:
        self.finder = Finder()
        self._open: dict[tuple[str, type[Netlink]], Netlink] = {}
        self._kinds: set[type[Netlink]] = set()
        self._most = most_open(0.4)

    def __enter__(self) -> Sockets:
        return self

    def __exit__(self, *dummy: t.Any) -> None:
        for socket in self._open.values():
            socket.close()
        self._open = {}
        self.finder.close()

    @t.overload
    def get(self, ref: str) -> Netlink: ...

    @t.overload
    def get(self, ref: str, kind: type[_Kind]) -> _Kind: ...

    def get(self, ref: str, kind: type[Netlink] = Netlink) -> Netlink:
        """The socket of a kind in a namespace; FileNotFoundError where there is no such namespace."""
        if (ref, kind) not in self._open:
            with self.finder.inside(ref):
                self._add(ref, kind)
        return self._open[ref, kind]

    def create(self, name: str, lo: dict[str, t.Any]) -> None:
        """Create the named namespace; its socket is opened while the thread is in it anyway.

        :arg lo: what its `lo` is to be before anybody can find it, as :func:`.rtnetlink.link_set` takes it.
        """

        def begin() -> None:
            self._add(name, Netlink)
            _set_lo(self._open[name, Netlink], lo)

        try:
            self.finder.create(name, begin)
        except BaseException:
            self.forget(name)
            raise

    def hold(self, name: str, lab: str, hostname: str, lo: dict[str, t.Any]) -> None:
        """Start a process that holds a new namespace, whose `lo` is to be so before anybody can find it."""

        def begin() -> int | None:
            socket = Netlink()
            try:
                _set_lo(socket, lo)
                return socket.netns_cookie()
            finally:
                socket.close()

        self.finder.hold(name, lab, hostname, begin)

    def identity(self, ref: str) -> str:
        """What tells a namespace from all others, however it is referred to; empty where there is none.

        Later ones of the same name included: the inode of a removed namespace is that of the next one, so it serves
        only where the kernel has nothing better.
        """
        try:
            cookie = self.get(ref).netns_cookie()
            return str(cookie or os.stat(self.finder.find(ref) or "").st_ino)
        except FileNotFoundError:
            return ""

    def _add(self, ref: str, kind: type[Netlink]) -> None:
        if len(self._open) >= self._most:
            # Stages go through the namespaces in one order: who came last will be needed again last.
            self._open.popitem()[1].close()
        self._kinds.add(kind)
        self._open[ref, kind] = kind()

    def forget(self, ref: str) -> None:
        """Close the sockets in a namespace: an open one keeps a removed namespace alive."""
        for kind in self._kinds:
            if (ref, kind) in self._open:
                self._open.pop((ref, kind)).close()


def _set_lo(socket: Netlink, lo: dict[str, t.Any]) -> None:
    for error in socket.request([rtnetlink.link_set(0, name="lo", **lo)]):
        if error:
            raise error
