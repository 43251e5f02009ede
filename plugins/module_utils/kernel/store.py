# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a lab has to remember outside the kernel's objects: the values that its sysctls had before.

One small file a lab under /run: gone at a reboot, like the sysctls themselves.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import typing as t

STORE_DIR = "/run/linuxnet.lab"


def _path(lab: str) -> str:
    return os.path.join(STORE_DIR, lab + ".json")


def recall(lab: str) -> dict[str, t.Any]:
    """What is remembered for a lab, by key; empty where there is nothing."""
    try:
        with open(_path(lab), encoding="utf-8") as stream:
            return json.load(stream)
    except FileNotFoundError:
        return {}


def labs() -> list[str]:
    """The labs for which something is remembered, sorted."""
    return names(STORE_DIR, ".json")


Record = tuple[str, str, t.Any]  # lab, key, value


def remember(records: t.Sequence[Record]) -> list[Record]:
    """Remember values for labs; None forgets one. A lab's file goes with its last, the directory with the last file.

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
            write_file(_path(lab), json.dumps(values, indent=1) + "\n" if values else None)
    return before


@contextlib.contextmanager
def locked() -> t.Iterator[None]:
    """Alone with the directory, which goes afterwards if it is empty.

    Whoever had it before may have removed it, so it is looked at again once it is ours.
    """
    while True:
        os.makedirs(STORE_DIR, 0o755, exist_ok=True)
        lock = os.open(STORE_DIR, os.O_RDONLY | os.O_CLOEXEC)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if os.path.exists(STORE_DIR) and os.path.samestat(os.fstat(lock), os.stat(STORE_DIR)):
                try:
                    yield
                finally:
                    with contextlib.suppress(OSError):
                        os.rmdir(STORE_DIR)
                return
        finally:
            os.close(lock)


def names(folder: str, suffix: str) -> list[str]:
    """The names of the files in a folder that end so, without that end, sorted; none where there is no folder."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        return sorted(name[: -len(suffix)] for name in os.listdir(folder) if name.endswith(suffix))
    return []


def read_file(path: str) -> str | None:
    """The text of a file; None where there is none."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError), open(path, encoding="utf-8") as stream:
        return stream.read()
    return None


def write_file(path: str, text: str | None) -> None:
    """Replace a file's text in one step; None removes the file."""
    if text is None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        return
    temporary = "{0}.{1}".format(path, os.getpid())
    with open(temporary, "w", encoding="utf-8") as stream:
        stream.write(text)
    os.rename(temporary, path)
