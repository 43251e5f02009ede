# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Recorders: processes that go on recording after the task that started them, and the records that they write.

A recorder is found by its environment, like a process that holds a namespace (:mod:`.namespaces`). Its record is a
file of JSON lines that only root can read, /run/linuxnet.lab/KIND/LAB:NAME; it stays when the recorder ends by itself.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import signal
import subprocess
import sys
import time
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils.errors import LabError
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import store

KINDS = ("capture", "neighbor_watch")

_KIND_KEY = "LINUXNET_RECORDER"
_LAB_KEY = "LINUXNET_RECORDER_LAB"
_NAME_KEY = "LINUXNET_RECORDER_NAME"

# A new interpreter with the caller's modules. It reads the task from its input and says there what is wrong.
_CODE = "import importlib, json, sys; t = json.load(sys.stdin); sys.path[:] = t['path'];"
_CODE += " importlib.import_module(t['run']).main(t)"


class Recorder(t.NamedTuple):
    """A recorder of a lab; `pid` is 0 where it has ended and only its record is left."""

    kind: str
    lab: str
    name: str
    pid: int = 0

    @property
    def path(self) -> str:
        """The file of its record."""
        return os.path.join(store.STORE_DIR, self.kind, "{0}:{1}".format(self.lab, self.name))

    @property
    def title(self) -> str:
        """How an error calls it."""
        return "{0} {1!r} of lab {2!r}".format(self.kind, self.name, self.lab)


def recorders(lab: str | None = None) -> list[Recorder]:
    """The recorders of a lab, or of all labs for None: those that run, and those that have left a record."""
    found = {}
    for kind in KINDS:
        with contextlib.suppress(FileNotFoundError):
            for entry in os.listdir(os.path.join(store.STORE_DIR, kind)):
                owner, dummy, name = entry.partition(":")
                found[kind, owner, name] = Recorder(kind, owner, name)
    for entry in os.listdir("/proc"):
        running = _recorder(int(entry)) if entry.isdigit() else None
        if running:
            found[running[:3]] = running
    return sorted(one for one in found.values() if lab in (None, one.lab))


def find(kind: str, lab: str, name: str) -> Recorder | None:
    """The recorder with this name; None where neither it nor its record is there."""
    for one in recorders(lab):
        if (one.kind, one.name) == (kind, name):
            return one
    return None


def _recorder(pid: int) -> Recorder | None:
    """The recorder that a process is; None where it is none, or one of another mount namespace with another /run."""
    try:
        with open("/proc/{0}/environ".format(pid), "rb") as stream:
            raw = stream.read()
        if _KIND_KEY.encode() not in raw:
            return None
        if not os.path.samestat(os.stat("/proc/{0}/ns/mnt".format(pid)), os.stat("/proc/thread-self/ns/mnt")):
            return None
    except OSError:
        return None
    variables = dict(item.split("=", 1) for item in os.fsdecode(raw).split("\0") if "=" in item)
    if variables.get(_KIND_KEY) not in KINDS:
        return None
    return Recorder(variables[_KIND_KEY], variables.get(_LAB_KEY, ""), variables.get(_NAME_KEY, ""), pid)


@contextlib.contextmanager
def alone() -> t.Iterator[None]:
    """While the body runs, nobody else starts or removes a recorder."""
    with store.locked():
        yield


def start(recorder: Recorder, run: str, task: dict[str, t.Any]) -> None:
    """Start a recorder; it listens when this returns. To be called :func:`alone`, where there is none of that name.

    :param run: name of the module whose `main` is to be the recorder. It gets the task, opens what it needs, forks, and
        goes on in the child; or ends with code 1 and a JSON list of reasons on its output.
    :raises LabError: with those reasons.
    """
    discard(recorder)
    os.makedirs(os.path.dirname(recorder.path), 0o700, exist_ok=True)
    environment = {_KIND_KEY: recorder.kind, _LAB_KEY: recorder.lab, _NAME_KEY: recorder.name}
    done = subprocess.run(
        [sys.executable, "-I", "-c", _CODE],
        input=json.dumps({**task, "path": sys.path, "run": run, "record": recorder.path}),
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        start_new_session=True,
        check=False,
    )
    if done.returncode == 1 and done.stdout:
        raise LabError(json.loads(done.stdout))
    if done.returncode:
        why = (done.stderr.strip().splitlines() or ["it ended with {0}".format(done.returncode)])[-1]
        raise LabError("{0} cannot be started: {1}".format(recorder.title, why))


def stop(recorder: Recorder) -> None:
    """Tell a recorder to finish its record, and wait until it is gone. No error where it is gone already."""
    if not recorder.pid:
        return
    for number, tries in ((signal.SIGTERM, 1000), (signal.SIGKILL, 200)):
        if _recorder(recorder.pid) != recorder:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(recorder.pid, number)
        for dummy in range(tries):
            if _recorder(recorder.pid) != recorder:
                return
            time.sleep(0.01)
    raise OSError(errno.EBUSY, "process {0} does not end".format(recorder.pid), recorder.name)


def discard(recorder: Recorder) -> None:
    """Remove a recorder's record. To be called :func:`alone`."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(recorder.path)


def end(recorder: Recorder) -> None:
    """Stop a recorder and forget what it has recorded."""
    with alone():
        stop(recorder)
        discard(recorder)
