# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Netlink sockets in many namespaces: opened when first needed, bounded in number, closed together."""

from __future__ import annotations

import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import namespaces, nftables
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.netlink import Netlink

# Well below the usual limit of 1024 open files; opening one again costs a few microseconds.
_MOST_OPEN = 200


class Sockets:
    """One socket of each kind for each namespace in use, by the namespace's reference."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, type[Netlink]], Netlink] = {}

    def __enter__(self) -> Sockets:
        return self

    def __exit__(self, *dummy: t.Any) -> None:
        for socket in self._open.values():
            socket.close()
        self._open = {}

    def get(self, ref: str) -> Netlink:
        """The rtnetlink socket in a namespace; FileNotFoundError where there is no such namespace."""
        return self._get(ref, Netlink)

    def nft(self, ref: str) -> nftables.Socket:
        """The nftables socket in a namespace; FileNotFoundError where there is no such namespace."""
        return t.cast("nftables.Socket", self._get(ref, nftables.Socket))

    def _get(self, ref: str, kind: type[Netlink]) -> Netlink:
        if (ref, kind) not in self._open:
            if len(self._open) >= _MOST_OPEN:
                self._open.pop(next(iter(self._open))).close()
            with namespaces.inside_ref(ref):
                self._open[ref, kind] = kind()
        return self._open[ref, kind]

    def forget(self, ref: str) -> None:
        """Close the sockets in a namespace: an open one keeps a removed namespace alive."""
        for key in [key for key in self._open if key[0] == ref]:
            self._open.pop(key).close()
