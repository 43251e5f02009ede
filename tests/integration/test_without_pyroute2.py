# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Modules run by a Python that has no pyroute2."""

from __future__ import annotations

import json
import os
import pathlib
import shlex
import subprocess
import sys
import venv

import pytest

pytestmark = pytest.mark.playbook


def ran(python: pathlib.Path) -> dict:
    """What a module returns that is run by that Python, as Ansible runs it."""
    command = [os.path.join(sys.prefix, "bin", "ansible"), "localhost", "-m", "linuxnet.lab.netns_info"]
    command += ["-a", "name=''", "-e", "ansible_python_interpreter={0}".format(python)]
    environment = dict(os.environ, ANSIBLE_NOCOLOR="1")
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60, check=False)
    return json.loads(done.stdout.partition("=> ")[2])


@pytest.fixture
def bare(tmp_path):
    """A Python of its own without pyroute2."""
    venv.create(tmp_path / "bare")
    return tmp_path / "bare" / "bin" / "python"


def test_the_systems_python_takes_over_if_it_has_it(world, bare, tmp_path):
    system = tmp_path / "platform-python"
    python = shlex.quote(sys.executable)
    system.write_text('#!/bin/sh\necho "$0" >>{0}/used\nexec {1} "$@"\n'.format(tmp_path, python))
    system.chmod(0o755)
    world.sh("mount --bind {0} /usr/libexec".format(tmp_path))
    assert "namespaces" in ran(bare)
    if subprocess.run(["/usr/bin/python3", "-c", "import pyroute2"], capture_output=True, check=False).returncode:
        assert (tmp_path / "used").read_text() == "/usr/libexec/platform-python\n" * 2, "asked, then used"
