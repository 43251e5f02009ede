# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find a Python that has pyroute2, and run the module with it."""

from __future__ import annotations

import fcntl
import os
import typing as t

from ansible.module_utils import basic
from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.common.respawn import has_respawned, respawn_module

from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import library

# The interpreters for which distributions package Python libraries.
_SYSTEM_PYTHONS = ("/usr/bin/python3", "/usr/libexec/platform-python")
_F_SETPIPE_SZ = 1031  # linux/fcntl.h; Python knows it from 3.10 on
_ROOM = 1 << 16  # bytes, for what Ansible adds to the arguments


def require_library(module: AnsibleModule) -> None:
    """Run the module with a Python that has pyroute2. Without one, end it with a message that names the cure."""
    if not library.IMPORT_ERROR:
        return
    if not has_respawned():
        for python in _SYSTEM_PYTHONS:
            if _can_use(module, python):
                _respawn(python)
    cure = "the role linuxnet.lab.prepare installs pyroute2 {0} or newer".format(library.MINIMUM)
    module.fail_json(msg="{0}; {1}".format(library.PROBLEM, cure), exception=library.IMPORT_ERROR)


def _respawn(python: str) -> t.NoReturn:
    """Run the module with another Python.

    Ansible writes the module's arguments to a pipe before it starts that Python, and a pipe usually has room for 64
    KiB. The arguments contain the code of the collection, or a large topology.
    """
    size, usual = len(repr(basic._ANSIBLE_ARGS)) + _ROOM, os.pipe

    def large() -> tuple[int, int]:
        ends = usual()
        fcntl.fcntl(ends[1], _F_SETPIPE_SZ, size)
        return ends

    os.pipe = large
    try:
        respawn_module(python)
        raise AssertionError("Ansible has returned from another Python")
    finally:
        os.pipe = usual


def _can_use(module: AnsibleModule, python: str) -> bool:
    """Whether another Python finds pyroute2, by the same check as in this one."""
    if not os.access(python, os.X_OK):
        return False
    code = library.__loader__.get_source(library.__name__)  # type: ignore[union-attr]
    return bool(module.run_command([python, "-I", "-c", code + "\nifinfmsg()"])[0] == 0)
