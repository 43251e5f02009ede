# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Open files and folders that only the current user, which is root, can have written."""

from __future__ import annotations

import errno
import os
import stat

from ansible_collections.linuxnet.lab.plugins.module_utils.errors import LabError

STORE_DIR = "/run/linuxnet.lab"
# The folder in it for compiled code.
CODE = "code"


def check_folder(path: str, narrow: bool = False) -> None:
    """LabError if a folder exists and other users could have written to it.

    :arg narrow: whether to remove the right of others to read it, which they had in earlier versions.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    except OSError as exc:
        if exc.errno not in (errno.ENOTDIR, errno.ELOOP):
            raise
        raise LabError("{0} is not a folder; remove it".format(path)) from exc
    try:
        found = os.fstat(descriptor)
        if found.st_uid != os.geteuid() or found.st_mode & 0o022:
            text = "{0} belongs to user {1} and has mode {2:o}: others may have changed its files; remove it"
            raise LabError(text.format(path, found.st_uid, stat.S_IMODE(found.st_mode)))
        if narrow and stat.S_IMODE(found.st_mode) != 0o700:
            os.fchmod(descriptor, 0o700)
    finally:
        os.close(descriptor)


def open_private(path: str, flags: int, mode: int = 0) -> int:
    """A descriptor of a regular file of the current user's. LabError if the file is something else.

    The call never opens a file that blocks, such as a pipe.
    """
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
