# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files of the collection: their only reader, their only writer, and the lock that all runs on a host share.

Only root can access /run/linuxnet.lab. A small file for each lab holds what the kernel's objects cannot store, such as
the old values of sysctls. Like the sysctls themselves, the file does not survive a reboot.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import random
import stat
import time
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils import rules
from ansible_collections.linuxnet.lab.plugins.module_utils.errors import LabError

STORE_DIR = "/run/linuxnet.lab"
# The other folders of a host in which the collection writes files: what comes back after a reboot.
LAB_DIR = "/etc/linuxnet.lab"
UNIT_DIR = "/etc/systemd/system"
CODE_DIR = "/usr/local/lib/linuxnet.lab"
SYSCTL_DIR = "/etc/sysctl.d"  # sysctl.d(5)
FOLDERS = (LAB_DIR, UNIT_DIR, CODE_DIR, SYSCTL_DIR)

# How long a run waits for another one to end, in seconds. A removal of thousands of links takes a minute.
PATIENCE = 300
# No file of the collection is larger: a description of 65,536 objects, what a recorder has recorded.
LIMIT = 1 << 28

_LOCK = "lock"
# Only who holds the lock writes, so that no folder ever has more than one, and the next run clears a killed one's.
_TEMPORARY = ".linuxnet.lab.new"


def path_of(lab: str, suffix: str) -> str:
    """The path of a lab's file that ends so; LabError where the lab is not called as a lab may be."""
    errors = rules.check_lab("lab", lab)
    if errors:
        raise LabError(errors)
    return os.path.join(STORE_DIR, lab + suffix)


def recall(lab: str) -> dict[str, t.Any]:
    """What is remembered for a lab, by key; empty where there is nothing."""
    return read_json(path_of(lab, ".json")) or {}


def labs() -> list[str]:
    """The labs for which something is remembered, sorted."""
    return names(STORE_DIR, ".json")


Record = tuple[str, str, t.Any]  # lab, key, value


def remember(records: t.Sequence[Record]) -> list[Record]:
    """Remember values for labs; None forgets one. A lab's file goes with its last value.

    :returns: the records that were in their place before, None where there was none.
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
    """The lock as far as this process holds it: its descriptor, and by how many bodies."""

    descriptor = -1
    depth = 0


@contextlib.contextmanager
def locked(lab: str = "") -> t.Iterator[None]:
    """While the body runs, no other process changes anything for any lab; bodies may be nested.

    The folder is there meanwhile, and goes afterwards if nothing else is in it.

    :arg lab: the lab that is worked on, for those who wait.
    :raises LabError: another process holds the lock for longer than :data:`PATIENCE`; it says which.
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
            descriptor = _open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except FileNotFoundError:
            continue  # who held the lock has just removed the folder
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
        os.close(descriptor)  # who held it has removed it
    with contextlib.suppress(OSError):  # a full /run is no reason not to work
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
    _check_folder(narrow=True)


def _check_folder(narrow: bool = False) -> None:
    """LabError where /run/linuxnet.lab is there and somebody else than root could have written what it holds.

    :arg narrow: whether to take from others the right to read it, which they had under earlier versions.
    """
    try:
        descriptor = os.open(STORE_DIR, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    except OSError as exc:
        if exc.errno not in (errno.ENOTDIR, errno.ELOOP):
            raise
        raise LabError("{0} is not a folder; remove it".format(STORE_DIR)) from exc
    try:
        found = os.fstat(descriptor)
        if found.st_uid != os.geteuid() or found.st_mode & 0o022:
            text = "{0} belongs to user {1} and has mode {2:o}: others may have changed its files; remove it"
            raise LabError(text.format(STORE_DIR, found.st_uid, stat.S_IMODE(found.st_mode)))
        if narrow and stat.S_IMODE(found.st_mode) != 0o700:
            os.fchmod(descriptor, 0o700)
    finally:
        os.close(descriptor)


# -- files ------------------------------------------------------------------------------------------------------------


def names(folder: str, suffix: str) -> list[str]:
    """The labs that have a file in a folder, which is called as the lab, and ends so; sorted.

    What is not called as a lab may be is nobody's.
    """
    if folder == STORE_DIR:
        _check_folder()
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        found = [name[: -len(suffix)] for name in os.listdir(folder) if name.endswith(suffix)]
        return sorted(name for name in found if not rules.check_lab("", name))
    return []


def open_file(path: str) -> t.TextIO | None:
    """A file to be read; None where there is none.

    :raises LabError: it is no regular file of root's; nothing is opened that would keep who opens it waiting.
    """
    if os.path.dirname(path).startswith(STORE_DIR):
        _check_folder()
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        return open(_open(path, os.O_RDONLY), encoding="utf-8")
    return None


def _open(path: str, flags: int, mode: int = 0) -> int:
    try:
        descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC, mode)
    except OSError as exc:
        if exc.errno != errno.ELOOP:
            raise
        raise LabError("{0} is a symbolic link, not a file that the collection wrote".format(path)) from exc
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
        os.close(descriptor)
        raise LabError("{0} is not a regular file of user {1}'s".format(path, os.geteuid()))
    return descriptor


def read_bytes(path: str) -> bytes | None:
    """What a file holds; None where there is none. LabError where it is not one that the collection can have made."""
    stream = open_file(path)
    if stream is None:
        return None
    with stream:
        data = stream.buffer.read(LIMIT + 1)
    if len(data) > LIMIT:
        raise LabError("{0} is larger than {1} bytes".format(path, LIMIT))
    return data


def read_file(path: str) -> str | None:
    """The text of a file, as :func:`read_bytes`; LabError also where it is none."""
    data = read_bytes(path)
    try:
        return None if data is None else data.decode()
    except UnicodeDecodeError as exc:
        raise LabError("{0} is not text: {1}".format(path, exc)) from exc


def read_json(path: str) -> t.Any:
    """What a file of JSON holds; None where there is none. LabError as :func:`read_file`, and where it is none."""
    text = read_file(path)
    try:
        return None if text is None else json.loads(text)
    except ValueError as exc:
        raise LabError("{0} is not JSON: {1}".format(path, exc)) from exc


def write_file(path: str, text: str | bytes | None, mode: int = 0o600) -> None:
    """Replace what a file holds in one step, durably; None removes the file.

    :arg mode: what the file's permissions are then, whatever the caller's umask is.
    :raises OSError: it cannot be written, and is as it was; the reason names the path.
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
    """Remove what a killed run has left of a file that it was writing in a folder."""
    with contextlib.suppress(OSError):
        os.unlink(os.path.join(folder, _TEMPORARY))
