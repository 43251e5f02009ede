# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sysctls of a network namespace, read and written in /proc/sys. Source: sysctl(8), proc(5).

What is under /proc/sys/net belongs to the namespace of the thread that opens the file.
"""

from __future__ import annotations

import errno
import os

ROOT = "/proc/sys"
# Where systemd and sysctl(8) look for what holds from the boot on: sysctl.d(5).
PERSIST_DIR = "/etc/sysctl.d"


def path_of(name: str) -> str:
    """The file of a sysctl. As in sysctl(8) a name with slashes is taken as it is, so that link names may have dots."""
    if "/" in name:
        return os.path.join(ROOT, name)
    return os.path.join(ROOT, name.replace(".", "/"))


def normal(value: str) -> str:
    """A value in the form in which two are compared: several numbers apart by one blank each."""
    return " ".join(value.split())


def read(name: str) -> str:
    """The value of a sysctl; FileNotFoundError where there is none."""
    try:
        with open(path_of(name), encoding="utf-8") as stream:
            return normal(stream.read())
    except (IsADirectoryError, NotADirectoryError) as exc:
        raise FileNotFoundError(errno.ENOENT, "no such sysctl", name) from exc


def write(name: str, value: str) -> None:
    """Set a sysctl; OSError in the kernel's words where it refuses."""
    with open(path_of(name), "w", encoding="utf-8") as stream:
        stream.write(value)
