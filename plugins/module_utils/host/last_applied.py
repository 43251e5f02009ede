# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The last applied topology of a lab, in a file beside the lab's records (:mod:`.lab_files`)."""

from __future__ import annotations

from ansible_collections.linuxnet.lab.plugins.module_utils.host import lab_files

_SUFFIX = ".topology"


def recall(lab: str) -> str | None:
    """The stored text of a lab. None if there is none."""
    return lab_files.read_file(lab_files.path_of(lab, _SUFFIX))


def remember(lab: str, text: str | None) -> None:
    """Store a text for a lab. None deletes it."""
    with lab_files.locked(lab):
        if recall(lab) != text:
            lab_files.write_file(lab_files.path_of(lab, _SUFFIX), text)


def labs() -> list[str]:
    """The labs that have a stored text, sorted."""
    return lab_files.names(lab_files.STORE_DIR, _SUFFIX)
