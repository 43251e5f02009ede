# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Explain the kernel's errors to the user of a module: a missing capability, or a limit.

Sources: capabilities(7), getrlimit(2), unshare(2), namespaces(7).
"""

from __future__ import annotations

import errno
import os
import resource
import typing as t

SYS_ADMIN, NET_ADMIN, NET_RAW = "CAP_SYS_ADMIN", "CAP_NET_ADMIN", "CAP_NET_RAW"

_BITS = {NET_ADMIN: 12, NET_RAW: 13, SYS_ADMIN: 21}


def missing(rights: t.Iterable[str]) -> str:
    """A message about the capabilities that this process lacks. Empty if it has all of them."""
    held = _effective()
    lacking = [name for name in rights if not held >> _BITS[name] & 1]
    if not lacking:
        return ""
    return (
        "{0} {1} missing: this needs root on the host, so use become: true; a container has to be granted what root "
        "lacks in it".format(" and ".join(lacking), "is" if len(lacking) == 1 else "are")
    )


def _effective() -> int:
    """The effective capabilities of this thread in its user namespace, as a bit mask."""
    with open("/proc/thread-self/status", encoding="ascii", errors="replace") as stream:
        found = [line.split()[1] for line in stream if line.startswith("CapEff:")]
    return int(found[0], 16)


def words(error: BaseException) -> str:
    """An error with the kernel's text, and a cure if a limit is reached."""
    text = getattr(error, "text", "") or getattr(error, "strerror", "") or str(error)
    hint = _hint(error, getattr(error, "errno", 0), getattr(error, "filename", None))
    return "{0} ({1})".format(text, hint) if hint else text


def with_place(error: BaseException) -> str:
    """As :func:`words`, preceded by the file or the system call."""
    where, text = getattr(error, "filename", None), words(error)
    name = os.fsdecode(where) if isinstance(where, (str, bytes)) else ""
    return "{0}: {1}".format(name, text) if name and name not in text else text


def _hint(error: BaseException, code: int, where: t.Any) -> str:
    if code == errno.EMFILE:
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        return "this process can open only {0} files; raise RLIMIT_NOFILE, as with `ulimit -n 1024`".format(limit)
    if isinstance(error, BlockingIOError) and not where:
        limit = resource.getrlimit(resource.RLIMIT_NPROC)[0]
        return "this user can have only {0} processes; raise RLIMIT_NPROC, as with `ulimit -u`".format(limit)
    if code == errno.ENOSPC and where == "unshare":
        return "the number of namespaces has reached its limit; raise the sysctl user.max_net_namespaces"
    if code in (errno.ENOSPC, errno.EDQUOT, errno.EROFS) and str(where).startswith("/run/"):
        return str(where)
    if code in (errno.EPERM, errno.EACCES):
        return missing((SYS_ADMIN, NET_ADMIN)) or _of_others()
    return ""


def _of_others() -> str:
    """The meaning of an error in a user namespace, whose root owns only objects created in it: user_namespaces(7)."""
    with open("/proc/thread-self/uid_map", encoding="ascii") as stream:
        if stream.read().split() == ["0", "0", "4294967295"]:
            return ""
    return "this user namespace does not own it: this needs root on the host, so use become: true"
