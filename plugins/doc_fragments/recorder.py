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
      - The name of the recorder. O(state=stopped) stops the recorder that O(state=started) started with the same name.
      - You need it only for several recorders of a lab at the same time.
    type: str
    default: default
  lab:
    description:
      - The lab that the recorder belongs to. When you remove the lab, the recorder ends.
    type: str
    default: default
  duration:
    description:
      - How many seconds to record at most, also in the background.
    type: float
    default: 60.0
  max_bytes:
    description:
      - The size of the record, in bytes, at which the recording ends. A recorded packet takes about 150 bytes, and two
        more for each byte of the packet.
      - In the background, the recording also ends when the record is as large as the free space that is left in
        C(/run).
    type: int
    default: 67108864
attributes:
  check_mode:
    description: Can run in check mode and return the changed status prediction without modifying the target.
    support: partial
    details:
      - In check mode the module records nothing, because a lab that does not exist yet has no traffic. Ansible skips
        the task, unless an option has an error. The results are empty.
  diff_mode:
    description: Returns details on what has changed (or would change in check mode), when in diff mode.
    support: N/A
    details:
      - The module does not change the network.
  idempotent:
    description: When run twice in a row outside check mode with the same arguments, the second run changes nothing.
    support: full
    details:
      - With O(state=started), the second run finds the recorder running. If it has other arguments, the task fails.
        With O(state=stopped), the second run finds nothing to stop.
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
  - O(state=started) starts a separate process, which ends after O(duration) at the latest. It writes its record to a
    file under C(/run/linuxnet.lab) that only root can read. The file stays until O(state=stopped) fetches it, you
    remove the lab, or you start another recorder with the same name.
  - A recorder keeps its namespaces alive. Stop it before you remove them.
"""
