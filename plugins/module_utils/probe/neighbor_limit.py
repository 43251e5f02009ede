# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Room in the neighbour table, which all namespaces of a machine share.

It holds 1024 entries unless the machine's administrator says otherwise, and the kernel frees none that is younger
than 5 seconds. All pairs of 33 namespaces need more.
"""

from __future__ import annotations

import contextlib
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils.errors import KernelError
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import namespaces, neighbor_cache
from ansible_collections.linuxnet.lab.plugins.module_utils.probe.base import Probe


def make_room(probes: t.Sequence[Probe]) -> bool:
    """Forget the neighbours that these probes ask, but for those that are being asked; whether there were any.

    They are resolved again when somebody needs them. What an administrator has set stays.
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
