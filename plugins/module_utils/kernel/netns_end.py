# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Wait until the kernel has destroyed the removed namespaces."""

from __future__ import annotations

import contextlib
import os
import time

from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import namespaces, rtnetlink
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.netlink import Netlink

_PATIENCE = 60  # seconds
_LINK = "waiting"


def wait() -> None:
    """Return when the kernel has worked off all namespaces whose end began before; after a minute in any case,
    and at once where it makes no more namespaces to tell by.

    It ends them in the background, in turns, each turn all that have come up until then. All links of a turn leave
    the kernel's lists together; so when the one of a namespace that was left last has gone, those of all others have.
    Nothing tells when what is left of them is done, but whoever changes links waits for it.
    """
    deadline = time.monotonic() + _PATIENCE
    with contextlib.suppress(OSError), namespaces.inside_new():  # where nobody sees what comes and goes
        watcher = Netlink()
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            _leave_a_namespace(home)
            while _is_there(watcher) and time.monotonic() < deadline:
                time.sleep(0.001)
            # Refused, after a wait for the kernel's lock (rtnl_lock() in rtnl_setlink()).
            watcher.request([rtnetlink.link_set(0, name=_LINK)])
        finally:
            os.close(home)
            watcher.close()


def _leave_a_namespace(home: int) -> None:
    """Begin the end of a new namespace, with a link that has its other end in the namespace *home*."""
    with namespaces.inside_new():
        socket = Netlink()
        try:
            socket.request([rtnetlink.veth_new("v", _LINK, home)])
        finally:
            socket.close()


def _is_there(watcher: Netlink) -> bool:
    try:
        return bool(rtnetlink.link_index(watcher, _LINK))
    except OSError:
        return False
