# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Processes that outlive a run: how to identify them, drop their privileges, and end them.

A PID alone does not identify a process, because the kernel reuses it. The PID and the start time together do.
Sources: proc(5), pidfd_open(2), capabilities(7), PR_SET_NO_NEW_PRIVS of prctl(2).
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import signal
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils.errors import LabError
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import syscalls


def check_proc() -> None:
    """LabError if /proc belongs to another PID namespace, in which every PID means another process."""
    try:
        ours = os.readlink("/proc/self") == str(os.getpid())
    except OSError:
        ours = False
    if not ours:
        raise LabError(
            "/proc belongs to another PID namespace, so that its processes cannot be identified:"
            " `mount -t proc proc /proc` in it first"
        )


def start_time(pid: int) -> int | None:
    """The start time of a process, in ticks since the boot. None if it does not exist or has ended."""
    try:
        with open("/proc/{0}/stat".format(pid), "rb") as stream:
            fields = stream.read().rpartition(b")")[2].split()  # the process's name before it may contain anything
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in (b"Z", b"X") else int(fields[19])


def end(pid: int, start: int, number: int, patience: float) -> bool:
    """Send a signal to the process with this start time, and wait for its end, at most *patience* seconds.

    :returns: whether it has ended, also before the call. No other process gets the signal.
    """
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        if start_time(pid) != start:
            return True
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(descriptor, number)
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        return bool(poll.poll(patience * 1000))
    finally:
        os.close(descriptor)


def drop_privileges() -> None:
    """Give up all capabilities for this process and all programs that it executes, even as user 0."""
    syscalls.prctl(syscalls.PR_SET_NO_NEW_PRIVS, 1)
    with open("/proc/sys/kernel/cap_last_cap", encoding="ascii") as stream:
        last = int(stream.read())
    with contextlib.suppress(PermissionError):  # a process that cannot do even that has few of them
        for capability in range(last + 1):
            syscalls.prctl(syscalls.PR_CAPBSET_DROP, capability)
    syscalls.no_capabilities()


def close_all_but(*kept: int) -> None:
    """Close all descriptors. Standard input, output and error become /dev/null."""
    null = os.open("/dev/null", os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    for entry in os.listdir("/proc/self/fd"):
        if int(entry) > 2 and int(entry) not in kept:
            with contextlib.suppress(OSError):
                os.close(int(entry))


def in_child(function: t.Callable[[], str]) -> str:
    """The result of a function, called in a child process. OSError if the function raised one."""
    result, end_of_child = os.pipe2(os.O_CLOEXEC)
    child = os.fork()
    if not child:
        try:
            try:
                os.write(end_of_child, b"=" + function().encode())
            except OSError as exc:
                os.write(end_of_child, "{0} {1}".format(exc.errno, exc).encode())
        finally:
            os._exit(0)  # nothing may ever return from here into the caller's code
    os.close(end_of_child)
    with os.fdopen(result, "rb") as stream:
        answer = stream.read().decode()
    os.waitpid(child, 0)
    if answer.startswith("="):
        return answer[1:]
    code, dummy, text = answer.partition(" ")
    raise OSError(int(code or errno.EIO), text or "the child process died")
