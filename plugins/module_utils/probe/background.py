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

# A recorder looks after so many bytes whether there is room for so many more.
_STEP = 1 << 16


class Recorded(t.NamedTuple):
    """What a recorder was told, what it recorded, and how that ended: `ended`, `dropped`."""

    job: Job
    records: list[Record]
    end: Record


def start(recorder: Recorder, source: t.Callable[[Job], Source], job: Job) -> bool:
    """Start a recorder unless it runs already. Nothing that happens after the return is missed.

    A record that is left of an earlier one of that name, and that nobody has fetched, goes.

    :param source: a class; what is made of it by the job records. The job also has `duration`, `count`, `max_bytes`.
    :returns: whether it was started.
    :raises LabError: where one with another job runs, or where the source says why it cannot record.
    """
    with recorders.alone():
        there = recorders.find(*recorder[:3])
        if there and there.pid:
            running = _read(there.path).job
            other = sorted(name for name in {*running, *job} if running.get(name) != job.get(name))
            if other:
                raise LabError(
                    "{0} is running with another {1}: stop it first, or choose another name".format(
                        recorder.title, ", ".join(other)
                    )
                )
            return False
        task = {"source": [source.__module__, getattr(source, "__name__", "")], "job": job}
        recorders.start(recorder, __name__, task)
        return True


def stop(recorder: Recorder, take: t.Callable[[Recorded], t.Any]) -> t.Any:
    """End a recorder and hand what it has recorded to *take*; only when that succeeds, the record goes.

    :returns: what *take* returns; None where there is neither a recorder of that name nor its record.
    """
    with recorders.alone():
        there = recorders.find(*recorder[:3])
        if there is None:
            return None
        recorders.stop(there)
        taken = take(_read(there.path))
        recorders.discard(there)
        return taken


def _read(path: str) -> Recorded:
    """What a record holds; where its writer was killed, as far as that came."""
    lines = []
    stream = lab_files.open_file(path)
    if stream:
        with stream:
            lines = [json.loads(line) for line in stream if line.endswith("\n")]
    job = lines.pop(0)["job"] if lines else {}
    end = lines.pop() if lines and "ended" in lines[-1] else {"ended": "died", "dropped": 0}
    return Recorded(job, lines, end)


def main(task: dict[str, t.Any]) -> None:
    """Be the recorder process, as :func:`.recorders.start` wants it."""
    module, name = task["source"]
    job = task["job"]
    # A signal becomes something to read, so that it is noticed between two records and nowhere else.
    stop_here, wakeup = socket.socketpair()
    wakeup.setblocking(False)
    signal.set_wakeup_fd(wakeup.fileno())
    signal.signal(signal.SIGTERM, lambda *dummy: None)
    try:
        source = getattr(importlib.import_module(module), name)(job)
    except LabError as exc:
        _say({"errors": exc.errors})
        raise SystemExit(1) from None
    if os.fork():
        os._exit(0)  # whoever started it has waited for this
    processes.drop_privileges()
    _say({"pid": os.getpid()})
    if not sys.stdin.readline():
        raise SystemExit(1)  # there is no record, and nobody who would find this process
    paper = os.open(task["record"], os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC)
    _leave()
    keep = _writing(paper, job["max_bytes"])
    end = record(source, keep, job["duration"], job["count"], stop_here)
    _append(paper, _line(end))


def _say(answer: dict[str, t.Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def _writing(paper: int, most: int) -> Keep:
    """What writes records to a file until that would be larger than *most* bytes, or than the room that is left.

    So each of several recorders leaves as much as it takes.
    """
    size = os.fstat(paper).st_size
    looked = 0

    def keep(made: Record) -> str:
        nonlocal size, looked
        line = _line(made)
        if size + len(line) > most:
            return "max_bytes"
        if size + len(line) > looked:
            looked = size + _STEP
            if _room(paper) < looked:
                return "space"
        if not _append(paper, line):
            return "space"
        size += len(line)
        return ""

    return keep


def _room(paper: int) -> float:
    """The bytes that are free where a file is; a tmpfs of any size has no number for it."""
    found = os.fstatvfs(paper)
    return found.f_bavail * found.f_frsize if found.f_blocks else math.inf


def _line(made: Record) -> bytes:
    return json.dumps(made).encode() + b"\n"


def _append(paper: int, line: bytes) -> bool:
    """Append a line at once, so that it outlives this process; nothing of it where there is no room for all of it."""
    before = os.fstat(paper).st_size
    with contextlib.suppress(OSError):
        if os.write(paper, line) == len(line):
            return True
    os.ftruncate(paper, before)
    return False


def _leave() -> None:
    """Give back what would keep the starter waiting."""
    null = os.open("/dev/null", os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    os.close(null)
