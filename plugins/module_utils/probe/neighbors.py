# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Watch the neighbour tables of several namespaces."""

from __future__ import annotations

import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils.errors import KernelError, LabError
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import namespaces
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.neighbor_events import NeighborEvents
from ansible_collections.linuxnet.lab.plugins.module_utils.probe.recording import Record


class Watch:
    """The neighbour tables of some namespaces, a :class:`.recording.Source`.

    A record is a dict of `netns` and the fields of :class:`.neighbor_events.Change`.
    """

    def __init__(self, job: dict[str, t.Any]) -> None:
        """Listen, then read the tables.

        :param job: `netns`, a list of references; `report`, "changed", or "all" to report new entries as well.
        :raises LabError: with an error for each namespace that does not exist.
        """
        self._new_too = job["report"] == "all"
        self._netns: dict[NeighborEvents, str] = {}
        errors = []
        for number, netns in enumerate(job["netns"]):
            try:
                with namespaces.inside_ref(netns):
                    self._netns[NeighborEvents()] = netns
            except FileNotFoundError:
                errors.append("netns[{0}]: there is no network namespace {1!r}".format(number, netns))
            except (OSError, KernelError) as exc:
                errors.append("netns[{0}]: {1!r} cannot be watched: {2}".format(number, netns, exc))
        if errors:
            self.close()
            raise LabError(errors)

    def sockets(self) -> list[NeighborEvents]:
        """One for each namespace."""
        return list(self._netns)

    def receive(self, ready: NeighborEvents, until: float) -> t.Iterator[Record]:
        """The changes in a namespace. They are too few for *until* to matter."""
        for change in ready.changes():
            if change.old_lladdr or self._new_too:
                yield {"netns": self._netns[ready], **change._asdict()}

    def dropped(self) -> int:
        """How often the kernel reported that changes were lost."""
        return sum(events.lost for events in self._netns)

    def close(self) -> None:
        """Close the sockets."""
        for events in self._netns:
            events.close()
        self._netns = {}
