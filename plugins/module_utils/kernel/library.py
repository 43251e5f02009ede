# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one place where pyroute2 is imported: its message classes, as encoder and decoder of netlink messages.

Only the classes are used. The sockets are our own (:mod:`.netlink`), because pyroute2's differ between the
versions that distributions ship: threads up to 0.8, asyncio from 0.9 on.
"""

from __future__ import annotations

import traceback

IMPORT_ERROR: str | None
try:
    from pyroute2.netlink.nfnetlink import nftsocket
    from pyroute2.netlink.rtnl.ifaddrmsg import ifaddrmsg
    from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg
    from pyroute2.netlink.rtnl.ndmsg import ndmsg
    from pyroute2.netlink.rtnl.nsidmsg import nsidmsg
    from pyroute2.netlink.rtnl.rtmsg import rtmsg
except ImportError:
    IMPORT_ERROR = traceback.format_exc()
    nftsocket = ifaddrmsg = ifinfmsg = ndmsg = nsidmsg = rtmsg = None
else:
    IMPORT_ERROR = None

__all__ = ["IMPORT_ERROR", "ifaddrmsg", "ifinfmsg", "ndmsg", "nftsocket", "nsidmsg", "rtmsg"]
