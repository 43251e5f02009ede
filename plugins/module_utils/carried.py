# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Import the collection's code from the arguments of a task.

The controller sends all sources as one text (`plugin_utils/code.py`). To compile what a task imports takes Python
longer than the task's own work. Therefore a task that leaves a lab on the host also leaves the compiled code there
(`host/compiled.py`), and later tasks load it.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import importlib.abc
import importlib.machinery
import importlib.util
import json
import marshal
import os
import sys
import types
import typing as t
import zlib

from ansible_collections.linuxnet.lab.plugins.module_utils import private_files
from ansible_collections.linuxnet.lab.plugins.module_utils.errors import LabError

_PREFIX = __package__ + "."
# What compiled code depends on, beside its source.
_PYTHON = "{0} {1} {2}".format(sys.implementation.cache_tag, importlib.util.MAGIC_NUMBER.hex(), sys.flags.optimize)


class Importer(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Finds and loads the modules in a text of the controller's. A key is the name of a module, without the prefix that
    all of them have. The key of a package ends in a dot.

    :ivar text: that text.
    :ivar name: the name of the file with the compiled code. It depends on the text and on this Python.
    :ivar compiled: the compiled modules, each as :func:`marshal.dumps` returns it, by key.
    :ivar is_new: whether the file lacks a module that this task has compiled.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._read: dict[str, str] | None = None
        self.name = hashlib.blake2b((_PYTHON + text).encode(), digest_size=16).hexdigest()
        self.compiled = _load(self.name)
        self.is_new = False

    @property
    def _sources(self) -> dict[str, str]:
        """The sources by key. Most tasks need none of them, because the code is compiled."""
        if self._read is None:
            self._read = json.loads(zlib.decompress(base64.b64decode(self.text)))
        return self._read

    def _key(self, fullname: str) -> str | None:
        """The key of a module. None if the text does not have it."""
        if not fullname.startswith(_PREFIX):
            return None
        name = fullname[len(_PREFIX) :]
        for table in (self.compiled, self._sources):
            for key in (name, name + "."):
                if key in table:
                    return key
        return None

    def find_spec(
        self, fullname: str, path: t.Any = None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """See the base class."""
        key = self._key(fullname)
        if key is None:
            return None
        return importlib.machinery.ModuleSpec(fullname, self, origin=fullname, is_package=key.endswith("."))

    def get_source(self, fullname: str) -> str:
        """See the base class."""
        return self._sources[self._known_key(fullname)]

    def get_code(self, fullname: str) -> types.CodeType:
        """See the base class."""
        key = self._known_key(fullname)
        if key not in self.compiled:
            path = fullname.replace(".", "/") + (".py" if key[-1] != "." else "/__init__.py")
            self.compiled[key] = marshal.dumps(compile(self._sources[key], path, "exec", dont_inherit=True))
            self.is_new = True
        return t.cast(types.CodeType, marshal.loads(self.compiled[key]))

    def exec_module(self, module: types.ModuleType) -> None:
        """See the base class."""
        exec(self.get_code(module.__name__), module.__dict__)

    def _known_key(self, fullname: str) -> str:
        key = self._key(fullname)
        if key is None:
            raise ImportError(fullname)
        return key


def _load(name: str) -> dict[str, bytes]:
    """The compiled code that an earlier task has left. Empty if there is none, or if others could have written it."""
    folder = os.path.join(private_files.STORE_DIR, private_files.CODE)
    with contextlib.suppress(OSError, LabError, EOFError, ValueError, TypeError):
        private_files.check_folder(private_files.STORE_DIR)
        private_files.check_folder(folder)
        with open(private_files.open_private(os.path.join(folder, name), os.O_RDONLY), "rb") as stream:
            return dict(marshal.loads(stream.read()))
    return {}


# The importer of this task. None if Ansible has packed the code with the module.
importer: Importer | None = None


def begin(text: str) -> None:
    """Let all further imports of the collection's code be from a text."""
    global importer
    importer = Importer(text)
    sys.meta_path.insert(0, importer)
