# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Record in the background: start a recorder, fetch its record, and the recorder process itself.

A record is a file of JSON lines: the process and its arguments, then the recorded items, and last how it ended.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import math
import os
import signal
import socket
import sys
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils.errors import LabError
from ansible_collections.linuxnet.lab.plugins.module_utils.host import lab_files, processes, recorders
from ansible_collections.linuxnet.lab.plugins.module_utils.host.recorders import Recorder
from ansible_collections.linuxnet.lab.plugins.module_utils.probe.recording import Keep, Record, Source, record

Job = dict[str, t.Any]

# A recorder checks the free space each time it has written that many bytes. There must be room for as many more.
_STEP = 1 << 16


class Recorded(t.NamedTuple):
    """The arguments of a recorder, the items that it recorded, and how it ended: a dict of `ended` and `dropped`."""

    job: Job
    records: list[Record]
    end: Record


def start(recorder: Recorder, source: t.Callable[[Job], Source], job: Job) -> bool:
    """Start a recorder unless it is already running. It misses nothing that happens after the return.

    It replaces the record of an earlier recorder of that name.

    :param source: the class of the source. Its argument is the job, which also has `duration`, `count` and `max_bytes`.
    :returns: whether the recorder was started.
    :raises LabError: a recorder of that name is running with other arguments, or the source cannot record.
    """
    with recorders.alone():
        known = recorders.find(*recorder[:3])
        if known and known.pid:
            running = _read(known.path).job
            differing = sorted(name for name in {*running, *job} if running.get(name) != job.get(name))
            if differing:
                raise LabError(
                    "{0} is running with another {1}: stop it first, or choose another name".format(
                        recorder.title, ", ".join(differing)
                    )
                )
            return False
        task = {"source": [source.__module__, getattr(source, "__name__", "")], "job": job}
        recorders.start(recorder, __name__, task)
        return True


def stop(recorder: Recorder, take: t.Callable[[Recorded], t.Any]) -> t.Any:
    """Stop a recorder, and pass its record to *take*. The record is removed only if *take* succeeds.

    :returns: the result of *take*. None if there is neither a recorder of that name nor its record.
    """
    with recorders.alone():
        known = recorders.find(*recorder[:3])
        if known is None:
            return None
        recorders.stop(known)
        result = take(_read(known.path))
        recorders.discard(known)
        return result


def _read(path: str) -> Recorded:
    """The content of a record. If its writer was killed, everything that it had written."""
    lines = []
    stream = lab_files.open_file(path)
    if stream:
        with stream:
            lines = [json.loads(line) for line in stream if line.endswith("\n")]
    job = lines.pop(0)["job"] if lines else {}
    end = lines.pop() if lines and "ended" in lines[-1] else {"ended": "died", "dropped": 0}
    return Recorded(job, lines, end)


def main(task: dict[str, t.Any]) -> None:
    """Run the recorder process, which :func:`.recorders.start` starts."""
    module, name = task["source"]
    job = task["job"]
    # A signal makes a socket readable, so that the process handles it between two records and nowhere else.
    stop_here, wakeup = socket.socketpair()
    wakeup.setblocking(False)
    signal.set_wakeup_fd(wakeup.fileno())
    signal.signal(signal.SIGTERM, lambda *dummy: None)
    try:
        source = getattr(importlib.import_module(module), name)(job)
    except LabError as exc:
        _report({"errors": exc.errors})
        raise SystemExit(1) from None
    if os.fork():
        os._exit(0)  # the starter waits for the end of this process
    processes.drop_privileges()
    _report({"pid": os.getpid()})
    if not sys.stdin.readline():
        raise SystemExit(1)  # the starter has created no record, without which nobody would find this process
    output = os.open(task["record"], os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC)
    _close_standard_streams()
    keep = _writing(output, job["max_bytes"])
    end = record(source, keep, job["duration"], job["count"], stop_here)
    _append(output, _line(end))


def _report(answer: dict[str, t.Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def _writing(output: int, most: int) -> Keep:
    """A function that appends records to a file while it stays below *most* bytes and below the free space.

    So each recorder leaves as much space for others as it takes.
    """
    size = os.fstat(output).st_size
    checked = 0  # the size up to which the free space is known to be enough

    def keep(item: Record) -> str:
        nonlocal size, checked
        line = _line(item)
        if size + len(line) > most:
            return "max_bytes"
        if size + len(line) > checked:
            checked = size + _STEP
            if _free_bytes(output) < checked:
                return "space"
        if not _append(output, line):
            return "space"
        size += len(line)
        return ""

    return keep


def _free_bytes(output: int) -> float:
    """The free bytes of the file system of a file. Infinite for a tmpfs without a limit, which reports 0 blocks."""
    status = os.fstatvfs(output)
    return status.f_bavail * status.f_frsize if status.f_blocks else math.inf


def _line(item: Record) -> bytes:
    return json.dumps(item).encode() + b"\n"


def _append(output: int, line: bytes) -> bool:
    """Append a line without a buffer, so that it survives the end of this process. Append all of it or nothing."""
    before = os.fstat(output).st_size
    with contextlib.suppress(OSError):
        if os.write(output, line) == len(line):
            return True
    os.ftruncate(output, before)
    return False


def _close_standard_streams() -> None:
    """Close the pipes to the starter, which waits for their end."""
    null = os.open("/dev/null", os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    os.close(null)
