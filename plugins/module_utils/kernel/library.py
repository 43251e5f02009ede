# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The only file that imports pyroute2: its message classes encode and decode netlink messages.

The collection uses only these classes, and its own sockets (:mod:`.netlink`). The sockets of pyroute2 differ between
the versions in distributions: threads up to 0.8, asyncio from 0.9 on.
"""

from __future__ import annotations

import functools
import importlib
import importlib.machinery
import importlib.util
import os
import re
import sys
import traceback
import types
import typing as t

MINIMUM = "0.7.2"
# The folder in which the role `prepare` unpacks a wheel.
PREPARED = "/usr/local/lib/linuxnet.lab/python"


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version)))


def version_in(folder: str) -> str:
    """The version of pyroute2 in a folder of packages, from the name of its metadata. "" if unknown."""
    for name in os.listdir(folder) if os.path.isdir(folder) else ():
        found = re.match(r"pyroute2-(\d+(?:\.\d+)*).*\.(?:dist|egg)-info$", name)
        if found:
            return found[1]
    return ""


@functools.cache
def place() -> str:
    """The folder of packages that contains pyroute2: one of `sys.path`, otherwise that of the role `prepare`.

    :raises ImportError: neither contains it, or it is too old.
    """
    old = ""
    for search in (importlib.util.find_spec, lambda name: importlib.machinery.PathFinder.find_spec(name, [PREPARED])):
        spec = search("pyroute2")
        for location in (spec and spec.submodule_search_locations) or ():
            folder = os.path.dirname(location)
            version = version_in(folder)
            if not version or _numbers(version) >= _numbers(MINIMUM):
                return folder
            old = " but {0}, which is too old".format(version)
    raise ImportError("{0} has no pyroute2{1}".format(sys.executable, old))


def _load(name: str) -> t.Any:
    """Import a module of pyroute2 by its relative name, without running pyroute2's __init__.

    The __init__ imports everything, which takes longer than all other work of a module. The loaded modules do not stay
    in `sys.modules`, so that other code in this process can import pyroute2 as usual.
    """
    if "pyroute2" in sys.modules:
        return importlib.import_module("pyroute2." + name)
    package = types.ModuleType("pyroute2")
    package.__path__ = [os.path.join(place(), "pyroute2")]
    sys.modules["pyroute2"] = package
    try:
        return importlib.import_module("pyroute2." + name)
    finally:
        for loaded in [loaded for loaded in sys.modules if loaded.split(".")[0] == "pyroute2"]:
            del sys.modules[loaded]


@functools.cache
def ifinfmsg() -> t.Any:
    """The class of messages about links; loading it takes 25 ms."""
    return _load("netlink.rtnl.ifinfmsg").ifinfmsg


# Why pyroute2 is not usable, in one line, and the exception.
PROBLEM = ""
IMPORT_ERROR: str | None = None
try:
    place()
except ImportError as exc:
    PROBLEM = str(exc)
    IMPORT_ERROR = traceback.format_exc()
