# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Apply the stored description of a lab. A systemd unit runs this at boot."""

from __future__ import annotations

import json
import sys

from ansible_collections.linuxnet.lab.plugins.module_utils import engine
from ansible_collections.linuxnet.lab.plugins.module_utils.errors import KernelError, LabError
from ansible_collections.linuxnet.lab.plugins.module_utils.host import persistence
from ansible_collections.linuxnet.lab.plugins.module_utils.host.alone import alone
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import library
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.excursion import Stranded
from ansible_collections.linuxnet.lab.plugins.module_utils.topology import build


def main(lab: str) -> str | None:
    """Make the kernel match the stored description of a lab.

    :returns: the error message; None on success.
    """
    if library.IMPORT_ERROR:
        return library.PROBLEM
    try:
        with alone(lab):
            text = persistence.recall(lab)
            if text is None:
                return "nothing is stored for lab {0!r}".format(lab)
            stored = json.loads(text)
            outcome = engine.run(build.build(stored["topology"]), lab)
    except (KernelError, LabError, OSError, Stranded) as exc:
        return str(exc)
    for line in [*outcome.commands, *outcome.warnings]:
        sys.stdout.write(line + "\n")
    return None
