# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Make the runs that change labs on a host take turns."""

from __future__ import annotations

import contextlib
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils.host import lab_files
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import held


@contextlib.contextmanager
def alone(lab: str) -> t.Iterator[None]:
    """Keep other runs from changing anything while the body runs. First remove unfinished files of killed runs.

    A run holds this from its first read of the kernel to its last record.

    :raises LabError: another run takes too long, see :func:`.lab_files.locked`.
    """
    with lab_files.locked(lab):
        held.forget_gone()
        for folder in lab_files.FOLDERS:
            lab_files.clear(folder)
        yield
