# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Recorders: processes that continue to record after the task that started them, and their records.

A record is a file that only root can write, /run/linuxnet.lab/KIND/LAB:NAME, with JSON lines. The first line names the
process that writes the record, and contains its arguments. The file stays when the recorder ends by itself. Nothing
here trusts what a process says about itself.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import signal
import subprocess
import sys
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils import carried, rules
from ansible_collections.linuxnet.lab.plugins.module_utils.errors import LabError
from ansible_collections.linuxnet.lab.plugins.module_utils.host import lab_files, processes

KINDS = ("capture", "neighbor_watch")

# A new interpreter with the caller's modules. It reads the task from its input, and writes the result to its output.
_CODE = "import importlib, json, sys; t = json.loads(sys.stdin.readline()); sys.path[:] = t['path'];"
_CODE += " t['code'] and importlib.import_module(t['carried']).begin(t['code']);"
_CODE += " importlib.import_module(t['run']).main(t)"

# Seconds to wait for the end of a recorder that finishes its record, and of one that is killed.
_PATIENCE = ((signal.SIGTERM, 10), (signal.SIGKILL, 2))


class Recorder(t.NamedTuple):
    """A recorder of a lab.

    :ivar pid: its process, 0 if it has ended and only its record is left. :ivar start: the start time of the process,
        in ticks since the boot.
    """

    kind: str
    lab: str
    name: str
    pid: int = 0
    start: int = 0

    @property
    def path(self) -> str:
        """The file of its record."""
        return os.path.join(lab_files.STORE_DIR, self.kind, "{0}:{1}".format(self.lab, self.name))

    @property
    def title(self) -> str:
        """Its name in errors."""
        return "{0} {1!r} of lab {2!r}".format(self.kind, self.name, self.lab)


def recorders(lab: str | None = None) -> list[Recorder]:
    """The recorders of a lab, or of all labs for None: running ones, and those that have left a record."""
    found = []
    for kind in KINDS:
        with contextlib.suppress(FileNotFoundError):
            for entry in os.listdir(os.path.join(lab_files.STORE_DIR, kind)):
                owner, dummy, name = entry.partition(":")
                if lab in (None, owner) and not rules.check_lab("", owner) and not rules.check_recorder("", name):
                    found.append(find(kind, owner, name))
    return sorted(one for one in found if one)


def find(kind: str, lab: str, name: str) -> Recorder | None:
    """The recorder with this name. None if it has no record."""
    ended = Recorder(kind, lab, name)
    stream = lab_files.open_file(ended.path)
    if stream is None:
        return None
    with stream:
        first = stream.readline(lab_files.LIMIT)
    try:
        task = json.loads(first)
        running = ended._replace(pid=task["pid"], start=task["start"])
    except (ValueError, TypeError, KeyError):
        return ended
    return running if _is_running(running) else ended


def _is_running(recorder: Recorder) -> bool:
    processes.check_proc()
    return processes.start_time(recorder.pid) == recorder.start


@contextlib.contextmanager
def alone() -> t.Iterator[None]:
    """Keep others from starting or removing recorders while the body runs."""
    with lab_files.locked():
        yield


def start(recorder: Recorder, run: str, task: dict[str, t.Any]) -> None:
    """Start a recorder, which listens when this returns. Call it within :func:`alone`, if the name is free.

    :param run: name of the module whose `main` is the recorder. It gets the task and opens its sockets. Then it forks,
        and reports the PID of the child, or the errors. The child waits until its record exists, and ends if nobody is
        left to create it.
    :raises LabError: with these errors.
    """
    processes.check_proc()
    os.makedirs(os.path.dirname(recorder.path), 0o700, exist_ok=True)
    # The program does not use the last arguments. They show users of ps(1) what the process is.
    command = [sys.executable, "-I", "-c", _CODE, "linuxnet.lab", *recorder[:3]]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, text=True, env={}, cwd="/", start_new_session=True, stdin=pipe, stdout=pipe, stderr=pipe
    ) as process:
        pipes = (process.stdin, process.stdout, process.stderr)
        stdin, stdout, stderr = (t.cast("t.IO[str]", one) for one in pipes)
        with contextlib.suppress(BrokenPipeError):  # the process has ended; its standard error then contains the reason
            code = carried.importer.text if carried.importer else ""
            imports = {"path": sys.path, "carried": carried.__name__, "code": code, "run": run}
            stdin.write(json.dumps({**task, **imports, "record": recorder.path}) + "\n")
            stdin.flush()
        answer = json.loads(stdout.readline() or "{}")
        if "errors" in answer:
            raise LabError(answer["errors"])
        start_time = processes.start_time(answer["pid"]) if "pid" in answer else None
        if start_time is None:
            why = (stderr.read().strip().splitlines() or ["it ended with {0}".format(process.wait())])[-1]
            raise LabError("{0} cannot be started: {1}".format(recorder.title, why))
        record = {"job": task["job"], "pid": answer["pid"], "start": start_time}
        lab_files.write_file(recorder.path, json.dumps(record) + "\n")
        stdin.write("go\n")


def stop(recorder: Recorder) -> None:
    """Make a recorder finish its record, and wait for its end. No error if it has already ended."""
    if not recorder.pid:
        return
    for number, patience in _PATIENCE:
        if processes.end(recorder.pid, recorder.start, number, patience):
            return
    raise OSError(errno.EBUSY, "process {0} does not end".format(recorder.pid), recorder.name)


def discard(recorder: Recorder) -> None:
    """Remove a recorder's record. Call it within :func:`alone`."""
    lab_files.write_file(recorder.path, None)


def end(recorder: Recorder) -> None:
    """Stop a recorder, and remove its record."""
    with alone():
        stop(recorder)
        discard(recorder)
