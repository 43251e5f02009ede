# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find the source files of a module of the collection, in a folder or in a task's archive."""

from __future__ import annotations

import ast
import importlib.util
import typing as t

_COLLECTION = "ansible_collections.linuxnet.lab."


def needed_by(name: str) -> dict[str, str]:
    """The text, by path, of a module and of all modules of the collection that it can import.

    The result does not depend on which modules are loaded.
    """
    files: dict[str, str] = {}
    waiting = {name}
    while waiting:
        module = waiting.pop()
        path = module.replace(".", "/") + ".py"
        if path in files:
            continue
        spec = importlib.util.find_spec(module)
        if spec is None or spec.submodule_search_locations is not None:
            continue  # a function, for example, of a module that is already included, or an empty package
        files[path] = spec.loader.get_source(module)  # type: ignore[union-attr]
        waiting.update(_imported(files[path]))
        parts = module.split(".")
        files.update({"/".join([*parts[:end], "__init__.py"]): "" for end in range(1, len(parts))})
    return files


def _imported(source: str) -> t.Iterator[str]:
    """The modules of the collection that a source imports, including modules that it imports from packages."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(_COLLECTION):
            parent = importlib.util.find_spec(node.module or "")
            if parent and parent.submodule_search_locations is not None:
                yield from ("{0}.{1}".format(node.module, alias.name) for alias in node.names)
            else:
                yield node.module or ""
