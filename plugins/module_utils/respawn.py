# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find a Python that has pyroute2, and run the module with it."""

from __future__ import annotations

import os

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.common.respawn import has_respawned, respawn_module

from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import library

# The interpreters for which distributions package Python libraries.
_SYSTEM_PYTHONS = ("/usr/bin/python3", "/usr/libexec/platform-python")


def require_library(module: AnsibleModule) -> None:
    """Run the module with a Python that has pyroute2. Without one, end it with a message that names the cure."""
    if not library.IMPORT_ERROR:
        return
    if not has_respawned():
        for python in _SYSTEM_PYTHONS:
            if _can_use(module, python):
                respawn_module(python)
    cure = "the role linuxnet.lab.prepare installs pyroute2 {0} or newer".format(library.MINIMUM)
    module.fail_json(msg="{0}; {1}".format(library.PROBLEM, cure), exception=library.IMPORT_ERROR)


def _can_use(module: AnsibleModule, python: str) -> bool:
    """Whether another Python finds pyroute2, by the same check as in this one."""
    if not os.access(python, os.X_OK):
        return False
    code = library.__loader__.get_source(library.__name__)  # type: ignore[union-attr]
    return bool(module.run_command([python, "-I", "-c", code + "\nifinfmsg()"])[0] == 0)
