# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The start of a module: one line for a Python that is too old, and each file is compiled once."""

from __future__ import annotations

import ast
import json
import os
import pathlib
import subprocess
import sys
import zipfile

import pytest

from ansible_collections.linuxnet.lab.plugins import modules
from ansible_collections.linuxnet.lab.plugins.module_utils import python
from ansible_collections.linuxnet.lab.plugins.module_utils.host import sources

FILES = sorted(pathlib.Path(modules.__path__[0]).glob("[a-z]*.py"))
# The folder that contains `ansible_collections`.
PLACE = str(pathlib.Path(python.__file__).parents[5])

# Runs each file as a program.
_RUN = """
import runpy, sys
{0}
for path in sys.argv[1:]:
    try:
        runpy.run_path(path, run_name="__main__")
    except SystemExit as exc:
        assert exc.code == 1
"""
_AS_IF = "sys.version_info = (3, 8, 18, 'final', 0)"


def old_pythons() -> list[str]:
    """Pythons 3.6 to 3.8 on this machine, one of each version."""
    places = [pathlib.Path.home() / ".pyenv" / "versions", pathlib.Path("/usr")]
    found = {}
    for version in ("3.6", "3.7", "3.8"):
        for place in places:
            for path in sorted(place.glob(f"{version}.*/bin/python{version}")) + [place / "bin" / f"python{version}"]:
                if os.access(path, os.X_OK):
                    found[version] = str(path)
    return list(found.values())


def said(interpreter: str, pretence: str = "") -> list[str]:
    """The outputs of the modules. Each prints one line of JSON."""
    done = subprocess.run(
        [interpreter, "-c", _RUN.format(pretence), *map(str, FILES)],
        env={"PYTHONPATH": PLACE},
        input="",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(results) == len(FILES) and all(result["failed"] for result in results)
    return [result["msg"] for result in results]


@pytest.mark.parametrize("path", [*FILES, pathlib.Path(python.__file__)], ids=lambda path: path.stem)
def test_an_old_python_understands_the_file(path: pathlib.Path) -> None:
    """The file has no newer syntax than that of 3.6, and no `from __future__ import annotations`."""
    tree = ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 6))
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module == "__future__"]


def test_an_old_python_is_told_as_such() -> None:
    for msg in said(sys.executable, _AS_IF):
        assert msg.startswith("linuxnet.lab needs Python 3.9 or newer on the host; ") and "is Python 3.8.18" in msg


@pytest.mark.skipif(not old_pythons(), reason="this machine has no Python older than 3.9")
@pytest.mark.parametrize("interpreter", old_pythons(), ids=lambda path: pathlib.Path(path).name)
def test_with_really_old_pythons(interpreter: str) -> None:
    for msg in said(interpreter):
        assert "needs Python 3.9" in msg and interpreter in msg


# Starts like a module that Ansible has packed, and prints what Python compiles from then on, and the files that it
# uses.
_PACKED = """
import sys
sys.path.insert(0, sys.argv[1])
from ansible_collections.linuxnet.lab.plugins.module_utils.python import begin
begin()
compiled = []
sys.addaudithook(lambda event, given: event == "compile" and compiled.append(given[1]))
from ansible_collections.linuxnet.lab.plugins.module_utils.resources import veth
print(compiled)
print([getattr(one, "__file__") for name, one in sys.modules.items() if name.startswith("ansible_collections.")])
print([one.__spec__.submodule_search_locations for name, one in sys.modules.items() if name.endswith(".kernel")])
"""


def test_an_archive_is_compiled_once(tmp_path: pathlib.Path) -> None:
    name = python.__name__.replace("python", "resources.veth")
    files = {**sources.needed_by(python.__name__), **sources.needed_by(name)}
    archive = tmp_path / "module.zip"
    with zipfile.ZipFile(archive, "w") as made:
        for path, text in files.items():
            made.writestr(path, text)
    done = subprocess.run(
        [sys.executable, "-c", _PACKED, archive], capture_output=True, text=True, timeout=60, check=True
    )
    compiled, paths, folders = map(ast.literal_eval, done.stdout.splitlines())
    ours = [path for path in compiled if str(path).startswith(str(archive))]
    assert len(ours) > 20 and len(ours) == len(set(ours))
    assert {str(pathlib.Path(path).relative_to(archive)) for path in paths} <= set(files)
    assert folders == [[str(archive / "ansible_collections/linuxnet/lab/plugins/module_utils/kernel")]]
