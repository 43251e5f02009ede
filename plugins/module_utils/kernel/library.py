# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one place where pyroute2 is imported: its message classes, as encoder and decoder of netlink messages.

Only the classes are used. The sockets are our own (:mod:`.netlink`), because pyroute2's differ between the
versions that distributions ship: threads up to 0.8, asyncio from 0.9 on.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import sys
import traceback
import types
import typing as t


def _load(*names: str) -> list[t.Any]:
    """Import modules of pyroute2 by their names below it, without what its own __init__ would import.

    That is everything that pyroute2 has, and takes longer than all else that a module of the collection does. What
    is loaded here is not left in `sys.modules`, so that anybody else in this process imports pyroute2 as usual.
    """
    spec = importlib.util.find_spec("pyroute2") if "pyroute2" not in sys.modules else None
    if spec is None:
        return [importlib.import_module("pyroute2." + name) for name in names]
    package = types.ModuleType("pyroute2")
    package.__path__ = list(spec.submodule_search_locations or ())
    sys.modules["pyroute2"] = package
    try:
        return [importlib.import_module("pyroute2." + name) for name in names]
    finally:
        for name in [name for name in sys.modules if name.split(".")[0] == "pyroute2"]:
            del sys.modules[name]


_CLASSES = ("ifinfmsg", "ndmsg")

IMPORT_ERROR: str | None = None
ifinfmsg: t.Any = None
ndmsg: t.Any = None
try:
    ifinfmsg, ndmsg = (
        getattr(module, name) for module, name in zip(_load(*("netlink.rtnl." + name for name in _CLASSES)), _CLASSES)
    )
except ImportError:
    IMPORT_ERROR = traceback.format_exc()


@functools.cache
def nftsocket() -> t.Any:
    """pyroute2's module of nftables messages; only what filters packets needs it, so it is loaded when asked for."""
    return _load("netlink.nfnetlink.nftsocket")[0]
