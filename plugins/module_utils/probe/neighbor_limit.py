# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Room in the neighbour table, which all namespaces of a machine share.

By default, it holds 1024 entries for each IP version. The kernel frees no entry that is younger than 5 seconds, or
reachable, which lasts about half a minute. Checks between all pairs of 33 namespaces need more entries than that.
"""

from __future__ import annotations

import contextlib
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils.errors import KernelError, LabError
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import namespaces, neighbor_cache, neighbor_limits
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.netlink import Netlink
from ansible_collections.linuxnet.lab.plugins.module_utils.probe import detection
from ansible_collections.linuxnet.lab.plugins.module_utils.probe.base import Probe


class Watch:
    """Tells by the kernel's counters whether the neighbour tables of some families were full."""

    def __init__(self, families: t.Iterable[int]) -> None:
        self._families = sorted(families)
        self._seen = self._read()

    def full(self) -> set[int]:
        """The families whose table had no room for an entry since the last call."""
        before, self._seen = self._seen, self._read() or self._seen
        return {family for family, limit in self._seen.items() if limit.fulls > before.get(family, limit).fulls}

    def sysctl(self, family: int) -> str:
        """The sysctl that limits the table of a family, and its value."""
        return f"{neighbor_limits.SYSCTL[family]} = {self._seen[family].most}"

    def _read(self) -> dict[int, neighbor_limits.Limit]:
        with contextlib.suppress(KernelError), contextlib.closing(Netlink()) as netlink:
            return {family: neighbor_limits.read(netlink, family) for family in self._families}
        return {}


def clear(probes: t.Sequence[Probe]) -> None:
    """Flush the neighbours on the links of all labs, so that there is room on every hop of these probes.

    None of the probes may be waiting for an answer.
    """
    make_room(probes)
    for ref in detection.everywhere():
        with contextlib.suppress(OSError, LabError, KernelError), namespaces.inside_ref(ref):
            for family in {probe.check.family for probe in probes}:
                neighbor_cache.forget_of_labs(family)


def make_room(probes: t.Sequence[Probe]) -> bool:
    """Flush the target neighbours of these probes, except of those that wait for an answer.

    The kernel resolves them again when somebody needs them. Permanent entries stay.

    :returns: whether there were any.
    """
    idle: dict[tuple[str, int], set[str]] = {}
    for probe in probes:
        if not probe.waiting:
            idle.setdefault((probe.check.netns, probe.check.family), set()).add(probe.check.address)
    forgotten = 0
    for (netns, family), addresses in idle.items():
        with contextlib.suppress(OSError, KernelError), namespaces.inside_ref(netns):  # the namespace may be gone
            forgotten += neighbor_cache.forget(family, addresses)
    return forgotten > 0
