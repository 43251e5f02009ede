# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a Python without pyroute2 looks for it."""

from __future__ import annotations

import pathlib
import subprocess
import sys

import pytest

from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import library


def put(folder: pathlib.Path, version: str, suffix: str = ".dist-info") -> pathlib.Path:
    """Put the files of pyroute2 that the collection checks first into a folder. They report their place."""
    package = folder / "pyroute2" / "netlink" / "rtnl"
    package.mkdir(parents=True)
    (package / "ifinfmsg.py").write_text("ifinfmsg = {0!r}\n".format("{0} {1}".format(folder.name, version)))
    if version:
        (folder / "pyroute2-{0}{1}".format(version, suffix)).mkdir()
    return folder


@pytest.fixture
def loaded(tmp_path):
    """Load library.py with a Python without packages, with the folder `own` on its path. The role's folder is
    `prepared`.
    """

    def load() -> str:
        source = pathlib.Path(library.__file__).read_text().replace(library.PREPARED, str(tmp_path / "prepared"))
        source += "\nprint(PROBLEM or ifinfmsg(), sorted(name for name in sys.modules if 'pyroute2' in name))"
        source = source.replace("import sys\n", "import sys\nsys.path.append({0!r})\n".format(str(tmp_path / "own")), 1)
        done = subprocess.run([sys.executable, "-I", "-S", "-c", source], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        said, nothing_left, dummy = done.stdout.rpartition(" []")
        assert nothing_left, done.stdout
        return said

    return load


@pytest.mark.parametrize("version", ["0.7.2", "0.10", "1", "0.9.7.post1", ""])
def test_pythons_own_is_taken(tmp_path, loaded, version):
    put(tmp_path / "own", version)
    put(tmp_path / "prepared", "0.9.7")
    assert loaded() == "own " + version


@pytest.mark.parametrize("suffix", [".dist-info", ".egg-info"])
def test_the_prepared_one_is_taken_instead_of_one_that_is_too_old(tmp_path, loaded, suffix):
    put(tmp_path / "own", "0.5.14", suffix)
    put(tmp_path / "prepared", "0.9.7")
    assert loaded() == "prepared 0.9.7"


def test_the_prepared_one_is_taken_where_there_is_no_other(tmp_path, loaded):
    put(tmp_path / "prepared", "0.9.7")
    assert loaded() == "prepared 0.9.7"


def test_none_at_all_is_told_in_one_line(loaded):
    assert loaded() == "{0} has no pyroute2".format(sys.executable)


@pytest.mark.parametrize("folder", ["own", "prepared"])
def test_one_that_is_too_old_is_told_in_one_line(tmp_path, loaded, folder):
    put(tmp_path / folder, "0.7.1")
    assert loaded() == "{0} has no pyroute2 but 0.7.1, which is too old".format(sys.executable)
