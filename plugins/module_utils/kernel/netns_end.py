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
    """Return when the kernel has destroyed all removed namespaces, at the latest after a minute. Return at once if the
    kernel creates no more namespaces.

    The kernel destroys namespaces in the background, in batches of all that wait. All links of a batch disappear
    together. Therefore, when the link of a namespace that was removed last has disappeared, so have all others. The
    kernel does not report when the rest of its work is done, but changes of links wait for it.
    """
    deadline = time.monotonic() + _PATIENCE
    with contextlib.suppress(OSError), namespaces.inside_new():  # in a namespace where nobody sees these links
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
    """Create and remove a namespace that has a link with its other end in the namespace *home*."""
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
