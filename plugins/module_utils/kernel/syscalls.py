# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""System calls that Python provides only from 3.12 on, or not at all.

Sources: setns(2), unshare(2), mount(2), umount2(2), sethostname(2), prctl(2), capset(2).
"""

from __future__ import annotations

import ctypes
import errno
import os

CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWNET = 0x40000000

MS_BIND = 0x1000
MS_REC = 0x4000
MS_PRIVATE = 0x40000
MS_SHARED = 0x100000
MNT_DETACH = 2

PR_CAPBSET_DROP = 24
PR_SET_NO_NEW_PRIVS = 38

_CAPABILITY_VERSION_3 = 0x20080522

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mount.argtypes = (ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_ulong, ctypes.c_char_p)
_libc.umount2.argtypes = (ctypes.c_char_p, ctypes.c_int)
_libc.setns.argtypes = (ctypes.c_int, ctypes.c_int)
_libc.unshare.argtypes = (ctypes.c_int,)
_libc.sethostname.argtypes = (ctypes.c_char_p, ctypes.c_size_t)
_libc.prctl.argtypes = (ctypes.c_int, *[ctypes.c_ulong] * 4)


def _checked(result: int, what: str) -> None:
    if result:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), what)


def setns(fd: int, kind: int) -> None:
    """Move the calling thread into the namespace that *fd* refers to; OSError where the kernel refuses."""
    _checked(_libc.setns(fd, kind), "setns")


def unshare(kinds: int) -> None:
    """Give the calling thread new namespaces of the given CLONE_NEW* kinds; OSError where the kernel refuses."""
    try:
        _checked(_libc.unshare(kinds), "unshare")
    except OSError as exc:
        if exc.errno != errno.ENOSPC:
            raise
        text = "the kernel creates no more namespaces (the limits are the sysctls user.max_*_namespaces)"
        raise OSError(exc.errno, text, "unshare") from exc


def mount(source: str, target: str, fstype: str, flags: int, data: str = "") -> None:
    """mount(2) with the same five arguments."""
    _checked(
        _libc.mount(source.encode(), os.fsencode(target), fstype.encode(), flags, data.encode()),
        "mount {0}".format(target),
    )


def umount(target: str, flags: int = 0) -> None:
    """umount2(2)."""
    _checked(_libc.umount2(os.fsencode(target), flags), "umount {0}".format(target))


def sethostname(name: str) -> None:
    """Set the hostname of the calling thread's UTS namespace."""
    _checked(_libc.sethostname(name.encode(), len(name.encode())), "sethostname {0}".format(name))


def prctl(option: int, argument: int) -> None:
    """prctl(2) of the options that take one argument."""
    _checked(_libc.prctl(option, argument, 0, 0, 0), "prctl")


def no_capabilities() -> None:
    """Give up all capabilities of the calling thread: effective, permitted and inheritable ones."""
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    _checked(_libc.capset(header, (ctypes.c_uint32 * 6)()), "capset")
