# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""End a module with a message of one line if the host's Python is too old for the collection.

Every Python that Ansible can use on a host has to understand this file, and the files of the modules. Therefore they do
without `from __future__ import annotations`, which Python 3.6 does not know.
"""

import json
import os
import sys
import zipimport

MINIMUM = (3, 9)


def begin():  # type: ignore[no-untyped-def]  # older Pythons read it
    """End the module where Python is older than 3.9; otherwise halve the time that its imports take."""
    if sys.version_info < MINIMUM:
        msg = "linuxnet.lab needs Python 3.9 or newer on the host; {0} is Python {1}. Set ansible_python_interpreter."
        version = ".".join(str(number) for number in sys.version_info[:3])
        sys.stdout.write(json.dumps({"failed": True, "msg": msg.format(sys.executable, version)}) + "\n")
        raise SystemExit(1)
    if isinstance(__loader__, zipimport.zipimporter):  # type: ignore[name-defined]
        _import_by(_Archive, __loader__.archive)  # type: ignore[name-defined,no-untyped-call]


class _Archive(zipimport.zipimporter):
    """The archive of a task. Python's own importer compiles a file twice: to tell its path, and to load it."""

    def get_filename(self, fullname):  # type: ignore[no-untyped-def]
        """The path of a module that the archive has, which is never a compiled one."""
        ending = os.sep + "__init__.py" if self.is_package(fullname) else ".py"
        return os.path.join(self.archive, self.prefix) + fullname.rpartition(".")[2] + ending


def _import_by(importer, archive):  # type: ignore[no-untyped-def]
    """Let all further imports from an archive be by an importer."""

    def hook(path):  # type: ignore[no-untyped-def]
        if not path.startswith(archive):
            raise ImportError(path)
        return importer(path)

    sys.path_hooks.insert(0, hook)
    for path in [path for path in sys.path_importer_cache if path.startswith(archive)]:
        del sys.path_importer_cache[path]
