# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Leave the compiled code of a task on the host for later tasks, as long as there is a lab.

Only root can access the folder, as all of /run/linuxnet.lab. :mod:`.lab_files` removes it with the last lab.
"""

from __future__ import annotations

import contextlib
import marshal
import os

from ansible_collections.linuxnet.lab.plugins.module_utils import carried
from ansible_collections.linuxnet.lab.plugins.module_utils.host import lab_files
from ansible_collections.linuxnet.lab.plugins.module_utils.private_files import CODE

# Different Pythons and versions of the collection have a file each.
_MOST_FILES = 4


def keep() -> None:
    """Write the code that the file of this task lacks. Nothing happens if that is impossible: it would only save time.

    The caller holds the lock of all runs.
    """
    importer = carried.importer
    if not importer or not importer.is_new:
        return
    with contextlib.suppress(OSError):
        if not any(name.endswith(".json") for name in os.listdir(lab_files.STORE_DIR)):
            return  # no lab has a record, so that the folder disappears with this run
        folder = os.path.join(lab_files.STORE_DIR, CODE)
        with contextlib.suppress(FileExistsError):
            os.mkdir(folder, 0o700)
        others = [os.path.join(folder, name) for name in os.listdir(folder) if name != importer.name]
        for path in sorted(others, key=os.path.getmtime)[: 1 - _MOST_FILES]:
            os.unlink(path)
        lab_files.write_file(os.path.join(folder, importer.name), marshal.dumps(importer.compiled))
