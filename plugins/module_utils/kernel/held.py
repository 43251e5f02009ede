# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Namespaces without a name in /run/netns. A process with its own hostname holds each of them.

A file that only root can write, /run/linuxnet.lab/held/NAME, records the process. Nothing here trusts what a process
says about itself. A holder waits until its record exists, and ends if nobody is left to write it.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import signal
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils import rules
from ansible_collections.linuxnet.lab.plugins.module_utils.errors import LabError
from ansible_collections.linuxnet.lab.plugins.module_utils.host import lab_files, processes
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import excursion, syscalls

_FOLDER = "held"
_PATIENCE = 5  # seconds


class Holder(t.NamedTuple):
    """A process that keeps a namespace alive.

    :ivar start: its start time, in ticks since the boot. :ivar net: the inode of its network namespace, :ivar uts: and
        of its UTS namespace. :ivar cookie: the kernel's unique number of its network namespace; None before Linux 5.14.
    """

    pid: int
    name: str
    lab: str
    start: int
    net: int
    uts: int
    cookie: int | None


def _folder() -> str:
    return os.path.join(lab_files.STORE_DIR, _FOLDER)


def _path(name: str) -> str:
    return os.path.join(_folder(), name)


def _recorded() -> list[str]:
    """The names of the recorded namespaces."""
    with contextlib.suppress(FileNotFoundError):
        return sorted(name for name in os.listdir(_folder()) if not rules.check_netns_name("", name))
    return []


def holders() -> list[Holder]:
    """The processes that hold namespaces, sorted by name."""
    return [holder for holder in map(find, _recorded()) if holder]


def find(name: str) -> Holder | None:
    """The process that holds the namespace with this name. None if none does."""
    if rules.check_netns_name("", name):
        return None
    data = lab_files.read_json(_path(name))
    if data is None:
        return None
    processes.check_proc()
    try:
        holder = Holder(**data)
    except TypeError as exc:
        raise LabError("{0} is not a record of a held namespace; remove it".format(_path(name))) from exc
    return holder if _holds(holder) else None


def _holds(holder: Holder) -> bool:
    """Whether the process is the recorded one, and is in the recorded namespaces."""
    if processes.start_time(holder.pid) != holder.start:
        return False
    try:
        return _namespaces(holder.pid) == (holder.net, holder.uts)
    except OSError:
        return False


def _namespaces(pid: t.Any) -> tuple[int, int]:
    """The inodes of a process's network and UTS namespaces."""
    net, uts = (os.stat("/proc/{0}/ns/{1}".format(pid, kind)).st_ino for kind in ("net", "uts"))
    return net, uts


def file_of(holder: Holder) -> str:
    """The path of the namespace file of a process."""
    return "/proc/{0}/ns/net".format(holder.pid)


def open_netns(holder: Holder) -> int:
    """A descriptor of the network namespace that a process holds. FileNotFoundError if it no longer exists.

    Another process may have the PID now, so the code checks the opened namespace.
    """
    fd = os.open(file_of(holder), os.O_RDONLY | os.O_CLOEXEC)
    if os.fstat(fd).st_ino == holder.net:
        return fd
    os.close(fd)
    raise FileNotFoundError(errno.ENOENT, "no such network namespace", holder.name)


def forget_gone() -> None:
    """Remove the records of processes that have ended. Call it with :func:`.lab_files.locked`."""
    for name in _recorded():
        if find(name) is None:
            lab_files.write_file(_path(name), None)


def hold(name: str, lab: str, hostname: str, then: t.Callable[[], int | None] = lambda: None) -> Holder:
    """Start a process that holds a new network namespace and a new UTS namespace. FileExistsError if the name is in
    use.

    :arg then: a function that runs in the network namespace before anybody can find it, and returns its cookie.
    """
    sleep = shutil.which("sleep", path="/usr/bin:/bin")
    if sleep is None:
        raise FileNotFoundError(errno.ENOENT, "there is no sleep(1), which would hold the namespace", name)
    processes.check_proc()
    with lab_files.locked(lab):
        if find(name):
            raise FileExistsError(errno.EEXIST, "a process holds a namespace of that name already", name)
        os.makedirs(_folder(), 0o700, exist_ok=True)
        with contextlib.ExitStack() as stack:
            report, tell = os.pipe2(os.O_CLOEXEC)
            stack.callback(os.close, report)
            wait, go = os.pipe2(os.O_CLOEXEC)
            stack.callback(os.close, go)
            first = os.fork()
            if first == 0:
                os.close(go)  # so that it is open nowhere once this process is gone
                _become_holder(tell, wait, sleep, hostname, then)
            os.close(tell)
            os.close(wait)
            os.waitpid(first, 0)
            born = json.loads(os.read(report, 65536) or '{"problem": "the process died"}')
            start = None if "problem" in born else processes.start_time(born["pid"])
            if start is None:
                text = "cannot hold a namespace: {0}".format(born.get("problem", "the process died"))
                raise OSError(born.get("errno", errno.EIO), text, name)
            holder = Holder(name=name, lab=lab, start=start, **born)
            if holder.net in _namespaces("thread-self") or holder.uts in _namespaces("thread-self"):
                raise OSError(errno.EIO, "the process that is to hold a namespace is in the host's", name)
            lab_files.write_file(_path(name), json.dumps(holder._asdict()) + "\n")
            os.write(go, b"!")
            problem = os.read(report, 65536)  # ends when the process has become another program
            if problem:
                lab_files.write_file(_path(name), None)
                raise OSError(errno.EIO, "cannot hold a namespace: {0}".format(json.loads(problem)["problem"]), name)
    return holder


def _become_holder(tell: int, wait: int, sleep: str, hostname: str, then: t.Callable[[], int | None]) -> t.NoReturn:
    """In the forked child: leave the caller's session and files, enter new namespaces, and sleep forever."""
    try:
        os.setsid()
        if os.fork():
            os._exit(0)
        processes.close_all_but(tell, wait)
        os.chdir("/")
        syscalls.unshare(syscalls.CLONE_NEWNET | syscalls.CLONE_NEWUTS)
        syscalls.sethostname(hostname)
        cookie = then()
        processes.drop_privileges()
        net, uts = _namespaces("thread-self")
        os.write(tell, json.dumps({"pid": os.getpid(), "net": net, "uts": uts, "cookie": cookie}).encode())
        if os.read(wait, 1):
            # 68 years: not every sleep(1) knows "infinity". `tell` closes on exec, which is the parent's signal.
            os.execve(sleep, ["sleep", "2147483647"], {})
    except BaseException as exc:  # nothing may ever return from here into the caller's code
        problem = {"problem": str(exc), "errno": getattr(exc, "errno", None) or errno.EIO}
        os.write(tell, json.dumps(problem).encode())  # which fails if nobody is left to read it
    finally:
        os._exit(1)


def release(holder: Holder) -> None:
    """End a holder process, wait for its end, and remove its record. No error if it has already ended."""
    if not processes.end(holder.pid, holder.start, signal.SIGKILL, _PATIENCE):
        raise OSError(errno.EBUSY, "process {0} does not end".format(holder.pid), holder.name)
    with lab_files.locked(holder.lab):
        if find(holder.name) is None:
            lab_files.write_file(_path(holder.name), None)


def hostname(holder: Holder) -> str:
    """The hostname in the UTS namespace of a process."""
    return _in_uts(holder, lambda: os.uname().nodename)


def set_hostname(holder: Holder, name: str) -> None:
    """Set the hostname in the UTS namespace of a process."""

    def set_it() -> str:
        syscalls.sethostname(name)
        return name

    _in_uts(holder, set_it)


def _in_uts(holder: Holder, deed: t.Callable[[], str]) -> str:
    """The result of *deed*, which runs in the UTS namespace of a holder."""
    fd = os.open("/proc/{0}/ns/uts".format(holder.pid), os.O_RDONLY | os.O_CLOEXEC)
    try:
        if os.fstat(fd).st_ino != holder.uts:
            raise ProcessLookupError(errno.ESRCH, "process {0} is gone".format(holder.pid), holder.name)

        def there() -> str:
            syscalls.setns(fd, syscalls.CLONE_NEWUTS)
            return deed()

        try:
            with excursion.coming_back("uts"):
                return there()
        except PermissionError:  # in a user namespace, the thread may be able to enter it, but not to return
            return processes.in_child(there)
    finally:
        os.close(fd)
