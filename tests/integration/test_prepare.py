# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role prepare uses a wheel only if its hash is right. The scenario prepare tests the role on bare hosts."""

from __future__ import annotations

import hashlib
import os
import pathlib
import subprocess
import sys
import zipfile

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
NAME = "pyroute2-0.9.7-py3-none-any.whl"

pytestmark = pytest.mark.playbook


@pytest.fixture
def wheel(tmp_path):
    """A wheel of somebody else, with the name of a known one."""
    path = tmp_path / "controller" / NAME
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("pyroute2/__init__.py", "raise SystemExit('not what was published')\n")
        archive.writestr("pyroute2-0.9.7.dist-info/METADATA", "Metadata-Version: 2.1\nName: pyroute2\nVersion: 0.9.7\n")
        archive.writestr(
            "pyroute2-0.9.7.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr("pyroute2-0.9.7.dist-info/RECORD", "")
    return path


def carry(tmp_path, environment=None, **variables):
    """Let the role copy a wheel to a host, whose folder is below that of the test.

    :returns: the exit code of ansible-playbook, its output, and the host's folder.
    """
    home = tmp_path / "host"
    variables = {"__prepare_home": os.fspath(home), "ansible_python_interpreter": sys.executable, **variables}
    tasks = [{"ansible.builtin.include_role": {"name": "linuxnet.lab.prepare", "tasks_from": "wheel.yml"}}]
    play = {"hosts": "localhost", "connection": "local", "gather_facts": False, "vars": variables, "tasks": tasks}
    # As extra variables, which override the role's own.
    extra = tmp_path / "variables.yml"
    extra.write_text(yaml.safe_dump(variables))
    playbook = tmp_path / "playbook.yml"
    playbook.write_text(yaml.safe_dump([play]))
    command = [os.path.join(sys.prefix, "bin", "ansible-playbook"), os.fspath(playbook), "-e", "@{0}".format(extra)]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "ANSIBLE_NOCOLOR": "1", **(environment or {})},
        timeout=120,
        check=False,
    )
    return done.returncode, " ".join((done.stdout + done.stderr).split()), home


def test_a_wheel_that_is_not_what_its_name_says(tmp_path, wheel):
    code, text, home = carry(tmp_path, prepare_wheel=os.fspath(wheel))
    assert code != 0 and "instead of" in text and os.fspath(wheel) in text, text
    assert not home.exists()


def test_what_pip_downloads_is_compared(tmp_path, wheel):
    downloads = tmp_path / "downloads"
    index = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": os.fspath(wheel.parent), "PIP_CONFIG_FILE": os.devnull}
    code, text, home = carry(tmp_path, index, prepare_downloads=os.fspath(downloads))
    assert code != 0 and "DO NOT MATCH THE HASHES" in text, text
    assert not home.exists() and not list(downloads.glob("*.whl"))


def test_a_download_that_was_changed_since(tmp_path, wheel):
    code, text, home = carry(tmp_path, prepare_downloads=os.fspath(wheel.parent))
    assert code != 0 and "instead of" in text and "remove it" in text, text
    assert not home.exists()


def test_a_wheel_that_the_collection_does_not_know(tmp_path, wheel):
    own = wheel.rename(wheel.with_name("pyroute2-0.9.7.post1-py3-none-any.whl"))
    code, text, home = carry(tmp_path, prepare_wheel=os.fspath(own))
    assert code != 0 and "The SHA-256 of {0} is not known here; set prepare_sha256".format(own.name) in text, text
    assert not home.exists()

    digest = hashlib.sha256(own.read_bytes()).hexdigest()
    code, text, home = carry(tmp_path, prepare_wheel=os.fspath(own), prepare_sha256=digest)
    assert code == 0, text
    assert (home / "python" / "pyroute2" / "__init__.py").exists()
    assert [path.name for path in home.iterdir()] == ["python"]


def test_the_host_compares_what_it_unpacks(tmp_path, wheel):
    program = yaml.safe_load((ROOT / "roles/prepare/vars/main.yml").read_text())["__prepare_unpack"]
    for digest, unpacked in (("0" * 64, False), (hashlib.sha256(wheel.read_bytes()).hexdigest(), True)):
        target = tmp_path / "unpacked"
        command = [sys.executable, "-I", "-c", program, os.fspath(wheel), digest, os.fspath(target)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.returncode == 0, target.exists()) == (unpacked, unpacked), done.stderr
