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
import shutil
import signal
import time
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import syscalls
from ansible_collections.linuxnet.lab.plugins.module_utils.lab import is_name

NETNS_DIR = "/run/netns"

# A holder process carries who it is in its environment: readable by root alone, and gone with the process.
_LAB_KEY = "LINUXNET_LAB"
_NAME_KEY = "LINUXNET_NETNS"


class Holder(t.NamedTuple):
    """A process that keeps an unnamed namespace alive."""

    pid: int
    name: str
    lab: str


@functools.cache
def _nsfs_device() -> int:
    return os.stat("/proc/thread-self/ns/net").st_dev


def _is_namespace(path: str) -> bool:
    """Whether the path is a namespace file; a leftover plain file in /run/netns is not one."""
    try:
        return os.stat(path).st_dev == _nsfs_device()
    except OSError:
        return False


def named() -> list[str]:
    """The names in /run/netns that really are namespaces, sorted."""
    try:
        entries = sorted(os.listdir(NETNS_DIR))
    except OSError:
        return []
    return [entry for entry in entries if _is_namespace(os.path.join(NETNS_DIR, entry))]


def holders() -> list[Holder]:
    """The processes that hold unnamed namespaces for a lab, by name.

    Only those that share our mount namespace count: names are as private as /run is.
    """
    found = [_holder(int(entry)) for entry in os.listdir("/proc") if entry.isdigit()]
    return sorted([holder for holder in found if holder], key=lambda holder: holder.name)


def _holder(pid: int) -> Holder | None:
    """What a process holds; None where it holds nothing, or is gone."""
    try:
        with open("/proc/{0}/environ".format(pid), "rb") as stream:
            raw = stream.read()
        if _LAB_KEY.encode() not in raw:
            return None
        if os.stat("/proc/{0}/ns/mnt".format(pid)).st_ino != os.stat("/proc/thread-self/ns/mnt").st_ino:
            return None
    except OSError:
        return None
    variables = dict(item.split("=", 1) for item in os.fsdecode(raw).split("\0") if "=" in item)
    name = variables.get(_NAME_KEY)
    return Holder(pid, name, variables.get(_LAB_KEY, "")) if name else None


def find_file(ref: str) -> str | None:
    """As :func:`find`, without those that only a process holds."""
    if not ref:
        return "/proc/thread-self/ns/net"
    if ref.isdigit():
        path = "/proc/{0}/ns/net".format(ref)
        return path if os.path.exists(path) else None
    path = ref if "/" in ref else "{0}/{1}".format(NETNS_DIR, ref)
    return path if _is_namespace(path) else None


def file_of(holder: Holder) -> str:
    """The path of the namespace file of what a process holds."""
    return "/proc/{0}/ns/net".format(holder.pid)


def find(ref: str) -> str | None:
    """The path of the namespace file that a reference means; None where there is no such namespace."""
    path = find_file(ref)
    if path is None and is_name(ref):
        return next((file_of(holder) for holder in holders() if holder.name == ref), None)
    return path


def open_file(path: str | None, ref: str) -> int:
    """A descriptor of the namespace file that *ref* led to; FileNotFoundError where there is none."""
    if path is None:
        raise FileNotFoundError(errno.ENOENT, "no such network namespace", ref)
    return os.open(path, os.O_RDONLY | os.O_CLOEXEC)


def open_netns(ref: str) -> int:
    """A descriptor of the namespace; FileNotFoundError where there is none. The caller closes it."""
    return open_file(find(ref), ref)


@contextlib.contextmanager
def _coming_back(*kinds: str) -> t.Iterator[None]:
    """Whatever the body does to the thread's namespaces of these kinds (net, uts), they are as before after it."""
    flags = {"net": syscalls.CLONE_NEWNET, "uts": syscalls.CLONE_NEWUTS}
    homes = []
    try:
        for kind in kinds:
            homes.append((os.open("/proc/thread-self/ns/" + kind, os.O_RDONLY | os.O_CLOEXEC), flags[kind]))
        yield
    finally:
        for home, flag in homes:
            try:
                syscalls.setns(home, flag)
            except OSError:
                # In a namespace not our own every later step would hit the wrong network.
                os._exit(70)
            os.close(home)


@contextlib.contextmanager
def inside(fd: int) -> t.Iterator[None]:
    """The body runs with the calling thread in the network namespace *fd*. About 5 us; threads do not share it."""
    with _coming_back("net"):
        syscalls.setns(fd, syscalls.CLONE_NEWNET)
        yield


@contextlib.contextmanager
def inside_file(path: str | None, ref: str) -> t.Iterator[None]:
    """As :func:`inside`, in the namespace file that *ref* led to; FileNotFoundError where there is none."""
    if not ref:  # the thread's own is not entered
        yield
        return
    fd = open_file(path, ref)
    try:
        with inside(fd):
            yield
    finally:
        os.close(fd)


def inside_ref(ref: str) -> contextlib.AbstractContextManager[None]:
    """As :func:`inside`, by reference; the host is the thread's own namespace and is not entered."""
    return inside_file(find(ref), ref)


@contextlib.contextmanager
def inside_new() -> t.Iterator[None]:
    """The body runs with the calling thread in a new network namespace, which is gone after it."""
    with _coming_back("net"):
        syscalls.unshare(syscalls.CLONE_NEWNET)
        yield


def _prepare_directory() -> None:
    """Make /run/netns a shared mount, as ip-netns(8) does, so that every mount namespace sees what is bound there."""
    os.makedirs(NETNS_DIR, 0o755, exist_ok=True)
    lock = os.open(NETNS_DIR, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two first users at once would mount it twice
        try:
            syscalls.mount("", NETNS_DIR, "none", syscalls.MS_SHARED | syscalls.MS_REC)
        except OSError as exc:
            if exc.errno != errno.EINVAL:
                raise
            syscalls.mount(NETNS_DIR, NETNS_DIR, "none", syscalls.MS_BIND | syscalls.MS_REC)
            syscalls.mount("", NETNS_DIR, "none", syscalls.MS_SHARED | syscalls.MS_REC)
    finally:
        os.close(lock)


def create(name: str, then: t.Callable[[], None] | None = None, first: bool = True) -> None:
    """Create the named namespace, with `lo` down as the kernel makes it; FileExistsError where the name is taken.

    :arg then: is called in it. :arg first: whether it may be the first one, so that the directory has to be prepared.
    """
    if first:
        _prepare_directory()
    path = os.path.join(NETNS_DIR, name)
    if os.path.exists(path) and not _is_namespace(path):
        os.unlink(path)  # what is left when somebody's mount did not reach us or did not survive
    os.close(os.open(path, os.O_RDONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0))
    try:
        with _coming_back("net"):
            syscalls.unshare(syscalls.CLONE_NEWNET)
            # thread-self, not self: in a thread the latter is the main thread's namespace
            syscalls.mount("/proc/thread-self/ns/net", path, "none", syscalls.MS_BIND)
            if then:
                then()
    except BaseException:
        remove(name)
        raise


def remove(name: str) -> None:
    """Remove the named namespace; it ends when nothing else holds it. No error where it is gone already."""
    path = os.path.join(NETNS_DIR, name)
    try:
        syscalls.umount(path, syscalls.MNT_DETACH)
    except OSError as exc:
        if exc.errno not in (errno.EINVAL, errno.ENOENT):
            raise
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)


def hold(name: str, lab: str, hostname: str) -> int:
    """Start a process that holds a new network and a new UTS namespace, and return its PID."""
    sleep = shutil.which("sleep", path="/usr/bin:/bin")
    if sleep is None:
        raise FileNotFoundError(errno.ENOENT, "no sleep(1) to hold a namespace with", name)
    environment = {_LAB_KEY: lab, _NAME_KEY: name}
    result, child_end = os.pipe2(os.O_CLOEXEC)
    first = os.fork()
    if first == 0:
        _become_holder(child_end, sleep, environment, hostname)
    os.close(child_end)
    with os.fdopen(result, "rb") as stream:
        answer = stream.read().decode()
    os.waitpid(first, 0)
    pid, dummy, problem = answer.partition(" ")
    if problem or not pid:
        raise OSError(errno.EIO, "cannot hold a namespace: {0}".format(problem or "the process died"), name)
    return int(pid)


def _become_holder(report: int, sleep: str, environment: dict[str, str], hostname: str) -> t.NoReturn:
    """In the forked child: leave the caller's session and files behind, enter new namespaces, and sleep for good."""
    try:
        os.setsid()
        second = os.fork()
        if second:
            os.write(report, str(second).encode())
            os._exit(0)
        null = os.open("/dev/null", os.O_RDWR)
        for fd in (0, 1, 2):
            os.dup2(null, fd)
        os.chdir("/")
        syscalls.unshare(syscalls.CLONE_NEWNET | syscalls.CLONE_NEWUTS)
        syscalls.sethostname(hostname)
        for entry in os.listdir("/proc/self/fd"):
            if int(entry) > 2 and int(entry) != report:
                with contextlib.suppress(OSError):
                    os.close(int(entry))
        # 68 years: not every sleep(1) knows "infinity". `report` closes on exec, which is the parent's signal.
        os.execve(sleep, ["sleep", "2147483647"], environment)
    except BaseException as exc:  # nothing may ever return from here into the caller's code
        os.write(report, " {0}".format(exc).encode())
    os._exit(1)


def release(holder: Holder) -> None:
    """End a holder process and wait until it is gone. No error where it is gone already."""
    if _holder(holder.pid) != holder:
        return
    with contextlib.suppress(ProcessLookupError):
        os.kill(holder.pid, signal.SIGKILL)
    for dummy in range(500):
        with contextlib.suppress(ChildProcessError):
            os.waitpid(holder.pid, os.WNOHANG)
        if _holder(holder.pid) != holder:
            return
        time.sleep(0.01)
    raise OSError(errno.EBUSY, "process {0} does not end".format(holder.pid), holder.name)


def hostname(pid: int) -> str:
    """The hostname in the UTS namespace of a process."""
    with _in_uts(pid):
        return os.uname().nodename


def set_hostname(pid: int, name: str) -> None:
    """Set the hostname in the UTS namespace of a process."""
    with _in_uts(pid):
        syscalls.sethostname(name)


@contextlib.contextmanager
def _in_uts(pid: int) -> t.Iterator[None]:
    fd = os.open("/proc/{0}/ns/uts".format(pid), os.O_RDONLY | os.O_CLOEXEC)
    try:
        with _coming_back("uts"):
            syscalls.setns(fd, syscalls.CLONE_NEWUTS)
            yield
    finally:
        os.close(fd)
