# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files of the collection: their only reader, their only writer, and the lock that all runs on a host share.

Only root can access /run/linuxnet.lab. A small file for each lab holds what the kernel's objects cannot store, such as
the old values of sysctls. Like the sysctls themselves, the file does not survive a reboot.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import random
import time
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils import private_files, rules
from ansible_collections.linuxnet.lab.plugins.module_utils.errors import LabError
from ansible_collections.linuxnet.lab.plugins.module_utils.private_files import CODE, check_folder, open_private

STORE_DIR = private_files.STORE_DIR
# The other folder of a host in which the collection writes files: descriptions for the boot.
LAB_DIR = "/etc/linuxnet.lab"
UNIT_DIR = "/etc/systemd/system"
CODE_DIR = "/usr/local/lib/linuxnet.lab"
SYSCTL_DIR = "/etc/sysctl.d"  # sysctl.d(5)
FOLDERS = (LAB_DIR, UNIT_DIR, CODE_DIR, SYSCTL_DIR)

# How long a run waits for another one to end, in seconds. A removal of thousands of links takes a minute.
PATIENCE = 300
# The maximum size of a file of the collection: a description of 65,536 objects, or a record of packets.
LIMIT = 1 << 28

_LOCK = "lock"
# Only the holder of the lock writes, so that a folder never has more than one. The next run removes that of a killed
# run.
_TEMPORARY = ".linuxnet.lab.new"


def path_of(lab: str, suffix: str) -> str:
    """The path of a lab's file with this suffix. LabError if the name of the lab is invalid."""
    errors = rules.check_lab("lab", lab)
    if errors:
        raise LabError(errors)
    return os.path.join(STORE_DIR, lab + suffix)


def recall(lab: str) -> dict[str, t.Any]:
    """The records of a lab, by key."""
    return read_json(path_of(lab, ".json")) or {}


def labs() -> list[str]:
    """The labs that have records, sorted."""
    return names(STORE_DIR, ".json")


Record = tuple[str, str, t.Any]  # lab, key, value


def remember(records: t.Sequence[Record]) -> list[Record]:
    """Write records of labs. None deletes one. A lab's file disappears with its last record.

    :returns: the old records, None for those that did not exist.
    """
    if not records:
        return []
    before = []
    with locked():
        known = {lab: recall(lab) for lab in {lab for lab, dummy, dummy in records}}
        for lab, key, value in records:
            before.append((lab, key, known[lab].pop(key, None)))
            if value is not None:
                known[lab][key] = value
        for lab, values in known.items():
            write_file(path_of(lab, ".json"), json.dumps(values) + "\n" if values else None)
    return before


# -- the folder and its lock ------------------------------------------------------------------------------------------


# Where the collection writes files.
_FOLDERS = (STORE_DIR, "/etc/linuxnet.lab", "/etc/sysctl.d", "/etc/systemd/system", "/usr/local/lib/linuxnet.lab")


class _Lock:
    """This process's hold on the lock: its descriptor, and the number of bodies that hold it."""

    descriptor = -1
    depth = 0


@contextlib.contextmanager
def locked(lab: str = "") -> t.Iterator[None]:
    """Keep other processes from changing anything for any lab while the body runs. Bodies may be nested.

    The folder exists meanwhile. It disappears afterwards if it is empty.

    :arg lab: the lab of the run, for the messages of runs that wait.
    :raises LabError: another process has held the lock for more than :data:`PATIENCE` seconds. The message names it.
    """
    if not _Lock.depth:
        _Lock.descriptor = _acquire(lab)
    _Lock.depth += 1
    try:
        yield
    finally:
        _Lock.depth -= 1
        if not _Lock.depth:
            _release(_Lock.descriptor)


def _acquire(lab: str) -> int:
    path = os.path.join(STORE_DIR, _LOCK)
    deadline = time.monotonic() + PATIENCE
    while True:
        _make_folder()
        try:
            descriptor = open_private(path, os.O_RDWR | os.O_CREAT, 0o600)
        except FileNotFoundError:
            continue  # the last holder of the lock has just removed the folder
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.pread(descriptor, 4096, 0).decode(errors="replace")
            os.close(descriptor)
            if time.monotonic() >= deadline:
                text = "another run on this host has held {0} for more than {1} seconds: {2}"
                raise LabError(text.format(path, PATIENCE, owner or "nothing is known about it")) from None
            time.sleep(random.uniform(0.005, 0.025))
            continue
        if _is_at(path, descriptor):
            break
        os.close(descriptor)  # the last holder has removed it
    with contextlib.suppress(OSError):  # a full /run must not stop the run
        who = "process {0}, lab {1!r}, since {2}".format(os.getpid(), lab, time.strftime("%Y-%m-%d %H:%M:%S"))
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, who.encode(), 0)
    for folder in _FOLDERS:
        clear(folder)
    return descriptor


def _release(descriptor: int) -> None:
    with contextlib.suppress(OSError):  # somebody may have removed all of it by hand
        os.unlink(os.path.join(STORE_DIR, _LOCK))
        for name in os.listdir(STORE_DIR):
            with contextlib.suppress(OSError):
                clear(os.path.join(STORE_DIR, name))
                os.rmdir(os.path.join(STORE_DIR, name))
        if os.listdir(STORE_DIR) == [CODE]:  # there is no lab any more
            code = os.path.join(STORE_DIR, CODE)
            for name in os.listdir(code):
                os.unlink(os.path.join(code, name))
            os.rmdir(code)
        os.rmdir(STORE_DIR)
    os.close(descriptor)


def _is_at(path: str, descriptor: int) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), os.lstat(path))
    except FileNotFoundError:
        return False


def _make_folder() -> None:
    try:
        os.mkdir(STORE_DIR, 0o700)
    except FileExistsError:
        pass
    except OSError as exc:
        if isinstance(exc, PermissionError):
            raise
        raise LabError("{0} cannot be created: {1}".format(STORE_DIR, exc.strerror)) from exc
    check_folder(STORE_DIR, narrow=True)


# -- files ------------------------------------------------------------------------------------------------------------


def names(folder: str, suffix: str) -> list[str]:
    """The labs that have a file with this suffix in a folder, sorted.

    Files with a name that no lab can have are ignored.
    """
    if folder == STORE_DIR:
        check_folder(STORE_DIR)
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        found = [name[: -len(suffix)] for name in os.listdir(folder) if name.endswith(suffix)]
        return sorted(name for name in found if not rules.check_lab("", name))
    return []


def open_file(path: str) -> t.TextIO | None:
    """A file, opened for reading. None if it does not exist.

    :raises LabError: it is not a regular file of root. The call never opens a file that blocks, such as a pipe.
    """
    if os.path.dirname(path).startswith(STORE_DIR):
        check_folder(STORE_DIR)
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        return open(open_private(path, os.O_RDONLY), encoding="utf-8")
    return None


def read_bytes(path: str) -> bytes | None:
    """The content of a file. None if it does not exist. LabError if the collection cannot have written it."""
    stream = open_file(path)
    if stream is None:
        return None
    with stream:
        data = stream.buffer.read(LIMIT + 1)
    if len(data) > LIMIT:
        raise LabError("{0} is larger than {1} bytes".format(path, LIMIT))
    return data


def read_file(path: str) -> str | None:
    """The text of a file, as :func:`read_bytes`. LabError also if it is not text."""
    data = read_bytes(path)
    try:
        return None if data is None else data.decode()
    except UnicodeDecodeError as exc:
        raise LabError("{0} is not text: {1}".format(path, exc)) from exc


def read_json(path: str) -> t.Any:
    """The content of a JSON file. None if it does not exist. LabError as :func:`read_file`, and if it is not JSON."""
    text = read_file(path)
    try:
        return None if text is None else json.loads(text)
    except ValueError as exc:
        raise LabError("{0} is not JSON: {1}".format(path, exc)) from exc


def write_file(path: str, text: str | bytes | None, mode: int = 0o600) -> None:
    """Replace the content of a file in one step, durably. None removes the file.

    :arg mode: the permissions of the file, whatever the caller's umask is.
    :raises OSError: the file cannot be written, and stays as it was. The reason names the path.
    """
    if text is None:
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            os.unlink(path)
        return
    folder = os.path.dirname(path)
    with locked():
        clear(folder)
        try:
            _replace(os.path.join(folder, _TEMPORARY), path, text.encode() if isinstance(text, str) else text, mode)
        except BaseException as exc:
            clear(folder)
            if isinstance(exc, OSError):
                raise OSError(exc.errno, "{0} cannot be written: {1}".format(path, exc.strerror)) from exc
            raise


def _replace(temporary: str, path: str, data: bytes, mode: int) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with open(os.open(temporary, flags, 0o600), "wb") as stream:
        os.fchmod(stream.fileno(), mode)
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    os.rename(temporary, path)
    folder = os.open(os.path.dirname(path), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def clear(folder: str) -> None:
    """Remove unfinished files of killed runs in a folder."""
    with contextlib.suppress(OSError):
        os.unlink(os.path.join(folder, _TEMPORARY))
