# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find, create and remove network namespaces in a run, and cache results that take long."""

from __future__ import annotations

import contextlib
import os
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import excursion, held, namespaces


class Finder:
    """Finds namespaces, and caches the processes that hold some of them, because reading them takes long.

    It does not see processes that others start or end meanwhile, only its own.
    """

    def __init__(self) -> None:
        self._holders: dict[str, held.Holder] | None = None
        self._files: dict[str, str] = {}
        self._prepared = False
        self._home = excursion.Home()

    def close(self) -> None:
        """Close what is open."""
        self._home.close()

    def holders(self) -> dict[str, held.Holder]:
        """The processes that hold namespaces for a lab, by name."""
        if self._holders is None:
            self._holders = {holder.name: holder for holder in held.holders()}
        return self._holders

    def find(self, ref: str) -> str | None:
        """The path of the namespace file of a reference. None if there is no such namespace."""
        path = namespaces.find_file(ref)
        if path:
            self._files[ref] = path
            return path
        holder = self.holders().get(ref)
        return held.file_of(holder) if holder else None

    def holder(self, ref: str) -> held.Holder | None:
        """The process that holds the namespace. None if none does, or if a file has this name."""
        holder = self.holders().get(ref)
        return None if holder is None or namespaces.find_file(ref) else holder

    def open(self, ref: str) -> int:
        """A descriptor of the namespace, which the caller closes. FileNotFoundError if it does not exist."""
        if ref in self._files:
            # Another process may hold a namespace with this name now.
            with contextlib.suppress(FileNotFoundError):
                return os.open(self._files[ref], os.O_RDONLY | os.O_CLOEXEC)
        return namespaces.open_netns(ref, self.holders().get)

    def inside(self, ref: str) -> contextlib.AbstractContextManager[None]:
        """Run the body with the calling thread in the namespace. The host's is the thread's own."""
        return namespaces.inside_ref(ref, self.open, self._home.away)

    def create(self, name: str, then: t.Callable[[], None]) -> None:
        """Create the named namespace, and call *then* in it."""
        namespaces.create(name, then, first=not self._prepared)
        self._prepared = True

    def hold(self, name: str, lab: str, hostname: str, then: t.Callable[[], int | None]) -> None:
        """Start a process that holds a new namespace, and call *then* in it."""
        self.holders()[name] = held.hold(name, lab, hostname, then)

    def release(self, name: str) -> None:
        """End the process that holds a namespace. No error if there is none."""
        holder = self.holders().pop(name, None)
        if holder:
            held.release(holder)
