# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Network namespaces: finding, entering, creating and removing them.

A namespace is named by a reference, a string:

* ``""``: the host, the namespace that the caller itself runs in;
* digits: the namespace of the process with that PID;
* a string with a slash: a path to a namespace file;
* anything else: a name, either of a file in /run/netns as ip-netns(8) makes it, or of a namespace that this
  collection holds by a process.

Nothing here forks a helper to look into a namespace: a thread enters it, opens what it needs, and leaves. What
was opened goes on belonging to the namespace.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import functools
import os
import time
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils.host import processes
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import excursion, held, syscalls
from ansible_collections.linuxnet.lab.plugins.module_utils.rules import check_netns_name, is_name

NETNS_DIR = "/run/netns"

_PATIENCE = 1  # seconds


@functools.cache
def _nsfs_device() -> int:
    return os.stat("/proc/thread-self/ns/net").st_dev


def _is_namespace(path: str) -> bool:
    """Whether the path is a namespace file, and not a plain file that is left in /run/netns."""
    try:
        return os.stat(path).st_dev == _nsfs_device()
    except OSError:
        return False


def named() -> list[str]:
    """The names in /run/netns that are namespaces, sorted, without invalid names."""
    try:
        entries = sorted(os.listdir(NETNS_DIR))
    except OSError:
        return []
    names = [entry for entry in entries if not check_netns_name("", entry)]
    return [name for name in names if _is_namespace(os.path.join(NETNS_DIR, name))]


def find_file(ref: str) -> str | None:
    """As :func:`find`, without namespaces that only a process holds."""
    if not ref:
        return "/proc/thread-self/ns/net"
    if ref.isdigit():
        processes.check_proc()
        path = "/proc/{0}/ns/net".format(ref)
        return path if os.path.exists(path) else None
    path = ref if "/" in ref else "{0}/{1}".format(NETNS_DIR, ref)
    return path if _is_namespace(path) else None


def find(ref: str) -> str | None:
    """The path of the namespace file of a reference. None if there is no such namespace."""
    path = find_file(ref)
    if path is None and is_name(ref):
        holder = held.find(ref)
        return held.file_of(holder) if holder else None
    return path


def open_netns(ref: str, find_holder: t.Callable[[str], held.Holder | None] = held.find) -> int:
    """A descriptor of the namespace, which the caller closes. FileNotFoundError if it does not exist.

    :arg find_holder: returns the process that holds a namespace with this name.
    """
    path = find_file(ref)
    if path is not None:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    holder = find_holder(ref) if is_name(ref) else None
    if holder is None:
        raise FileNotFoundError(errno.ENOENT, "no such network namespace", ref)
    return held.open_netns(holder)


def inside(fd: int) -> contextlib.AbstractContextManager[None]:
    """Run the body with the calling thread in the network namespace *fd*. It takes about 5 us, and affects no other
    thread.
    """
    return excursion.coming_back("net", fd)


@contextlib.contextmanager
def inside_ref(
    ref: str,
    open_ref: t.Callable[[str], int] = open_netns,
    enter: t.Callable[[int], contextlib.AbstractContextManager[None]] = inside,
) -> t.Iterator[None]:
    """As :func:`inside`, by reference, see :func:`open_netns`. The host is the thread's own namespace."""
    if not ref:
        yield
        return
    fd = open_ref(ref)
    try:
        with enter(fd):
            yield
    finally:
        os.close(fd)


@contextlib.contextmanager
def inside_new() -> t.Iterator[None]:
    """Run the body with the calling thread in a new network namespace, which ends with the body."""
    with excursion.coming_back("net"):
        syscalls.unshare(syscalls.CLONE_NEWNET)
        yield


def _prepare_directory() -> None:
    """Make /run/netns a shared mount, as ip-netns(8) does, so that every mount namespace sees its files."""
    with contextlib.suppress(FileExistsError):
        os.mkdir(NETNS_DIR)
        os.chmod(NETNS_DIR, 0o755)
    lock = os.open(NETNS_DIR, os.O_RDONLY | os.O_CLOEXEC)
    try:
        _lock(lock)
        try:
            syscalls.mount("", NETNS_DIR, "none", syscalls.MS_SHARED | syscalls.MS_REC)
        except OSError as exc:
            if exc.errno != errno.EINVAL:
                raise
            syscalls.mount(NETNS_DIR, NETNS_DIR, "none", syscalls.MS_BIND | syscalls.MS_REC)
            syscalls.mount("", NETNS_DIR, "none", syscalls.MS_SHARED | syscalls.MS_REC)
    finally:
        os.close(lock)


def _lock(descriptor: int) -> None:
    """Take the lock of ip-netns(8), which prevents two first users from mounting the directory twice.

    Any user can take and keep this lock. A second mount does no harm, so the wait ends after a second.
    """
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        time.sleep(0.01)


def create(name: str, then: t.Callable[[], None] = lambda: None, first: bool = True) -> None:
    """Create the named namespace, with `lo` down as in the kernel. FileExistsError if the name is in use.

    :arg then: a function that runs in it before anybody can find it. :arg first: whether it may be the first one, so
        that the directory needs preparation.
    """
    if first:
        _prepare_directory()
    path = os.path.join(NETNS_DIR, name)
    with inside_new():
        then()
        try:
            os.close(os.open(path, os.O_RDONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0))
        except FileExistsError as exc:
            raise FileExistsError(errno.EEXIST, taken(name) or "File exists", path) from exc
        try:
            # thread-self, because self is the main thread's namespace
            syscalls.mount("/proc/thread-self/ns/net", path, "none", syscalls.MS_BIND)
        except BaseException:
            os.unlink(path)
            raise


def taken(name: str) -> str:
    """Why no namespace can get this name, although no namespace has it. Empty if one can.

    A namespace of another mount namespace looks like a plain file here, and ends if the file is removed.
    """
    path = os.path.join(NETNS_DIR, name)
    if not os.path.lexists(path) or _is_namespace(path):
        return ""
    text = "{0} exists and is no namespace here, but may be one in another mount namespace"
    return "{0}; `ip netns del {1}` removes it".format(text.format(path), name)


def remove(name: str, leftover: bool = False) -> None:
    """Remove the named namespace, which ends when nothing else holds it. No error if it does not exist.

    :arg leftover: whether a plain file with this name is known to come from a killed run. Otherwise it stays, see
        :func:`taken`.
    """
    path = os.path.join(NETNS_DIR, name)
    ours, mounted = leftover, True
    while mounted:
        try:
            syscalls.umount(path, syscalls.MNT_DETACH)
            ours = True
        except OSError as exc:
            if exc.errno not in (errno.EINVAL, errno.ENOENT):
                raise
            mounted = False
        try:
            if ours:
                os.unlink(path)
            return
        except FileNotFoundError:
            return
        except OSError as exc:
            if exc.errno != errno.EBUSY or not mounted:
                raise  # otherwise another one was mounted below it
