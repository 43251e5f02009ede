# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sources of the collection that are stored for the next boot."""

from __future__ import annotations

import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils.host import sources

UTILS = "ansible_collections.linuxnet.lab.plugins.module_utils."


def test_what_is_loaded_makes_no_difference(new_python: t.Any) -> None:
    """Modules that store a lab for the boot write the same archive. Otherwise each would replace that of the other."""
    program = "from {0}host import sources; {1}; print(sorted(sources.needed_by('{0}boot')))"
    few, many = (
        new_python("-c", program.format(UTILS, first)).stdout
        for first in ("pass", "import {0}boot, {0}lab_info, {0}run_recorder".format(UTILS))
    )
    assert few == many and "module_utils/engine.py" in few


def test_all_that_is_imported_is_there(new_python: t.Any) -> None:
    program = "import sys, {0}boot; print([name for name in sys.modules if name.startswith('{0}')])"
    loaded = eval(new_python("-c", program.format(UTILS)).stdout)
    files = sources.needed_by(UTILS + "boot")
    names = {path.replace("/__init__.py", "").replace(".py", "").replace("/", ".") for path in files}
    assert set(loaded) <= names
    assert not any(text for path, text in files.items() if path.endswith("__init__.py"))
    assert "def main(" in files[(UTILS + "boot").replace(".", "/") + ".py"]
