# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The topology that a lab was last made from, kept beside what the lab remembers (:mod:`.store`)."""

from __future__ import annotations

import os

from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import store

_SUFFIX = ".topology"


def _path(lab: str) -> str:
    return os.path.join(store.STORE_DIR, lab + _SUFFIX)


def recall(lab: str) -> str | None:
    """The text that is kept for a lab; None where there is none."""
    return store.read_file(_path(lab))


def remember(lab: str, text: str | None) -> None:
    """Keep a text for a lab; None forgets it, and the directory goes with the last file."""
    if recall(lab) == text:
        return
    with store.locked():
        store.write_file(_path(lab), text)


def labs() -> list[str]:
    """The labs for which a text is kept, sorted."""
    return store.names(store.STORE_DIR, _SUFFIX)
