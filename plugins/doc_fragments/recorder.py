# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """What the modules have in common that record: options of the recorder and attributes."""

    DOCUMENTATION = r"""
options:
  name:
    description:
      - The name of the recorder, by which O(state=stopped) finds what O(state=started) has started.
      - Needed only where a lab has several at once.
    type: str
    default: default
  lab:
    description:
      - The lab that the recorder belongs to; its end is the recorder's too.
    type: str
    default: default
  duration:
    description:
      - Seconds after which the recording ends by itself, also in the background.
    type: float
    default: 60.0
  max_bytes:
    description:
      - The size of the record in bytes at which the recording ends. A recorded packet takes about 150 bytes and two for
        each of its own.
      - In the background it also ends when the record has become as large as what it leaves free of C(/run).
    type: int
    default: 67108864
attributes:
  check_mode:
    description: Can run in check mode and return the changed status prediction without modifying the target.
    support: partial
    details:
      - Nothing is recorded in check mode, because a lab that is only predicted has no traffic. The task is skipped
        unless an option is wrong in itself, and what it returns is empty.
  diff_mode:
    description: Returns details on what has changed (or would change in check mode), when in diff mode.
    support: N/A
    details:
      - The network is not changed.
  idempotent:
    description: When run twice in a row outside check mode with the same arguments, the second run changes nothing.
    support: full
    details:
      - With O(state=started) the second run finds the recorder running; one with other arguments is an error. With
        O(state=stopped) it finds nothing to stop.
  platform:
    description: The systems that the module works on.
    platforms: linux
    support: full
  action_group:
    description: Use C(group/linuxnet.lab.lab) in C(module_defaults) to set defaults for this module.
    membership:
      - linuxnet.lab.lab
    support: full
notes:
  - What is started is a process of its own, which needs nothing of the task that started it, and ends after O(duration)
    at the latest. What it has recorded stays until O(state=stopped) fetches it, the lab ends, or a recorder of the same
    name is started anew, in a file under C(/run/linuxnet.lab) that only root can read.
  - A recorder keeps the namespaces alive that it listens in. Stop it before they are removed.
"""
