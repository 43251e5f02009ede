# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tools of the checkout."""

from __future__ import annotations

import importlib.util
import os
import pathlib
import re
import subprocess

TOOLS = pathlib.Path(__file__).resolve().parents[3] / "tools"


def side_by_side(*commands: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "SIDE_BY_SIDE_SECONDS": "1"}
    command = [os.fspath(TOOLS / "side-by-side"), *commands]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_commands_side_by_side_say_how_far_they_are(tmp_path):
    """The first command waits for the second one, which proves that they run at the same time."""
    flag = tmp_path / "flag"
    wait = "echo 'tests/test_a.py ...   [ 42%]'; until [ -e {0} ]; do sleep 0.1; done; echo the first".format(flag)
    done = side_by_side(wait, "sleep 2; echo the second; touch {0}".format(flag))
    assert done.returncode == 0, done.stderr
    assert "1 at 42%, 2 at 0 lines" in done.stdout
    assert "the first\n" in done.stdout and "the second\n" in done.stdout


def test_one_failure_of_commands_side_by_side_is_a_failure_of_all():
    done = side_by_side("echo right", "echo wrong >&2; exit 3", "echo also right")
    assert done.returncode == 1
    assert {"right", "wrong", "also right"} <= set(done.stdout.splitlines())


def test_the_page_of_compatibility_tells_of_all_scenarios():
    spec = importlib.util.spec_from_file_location("compatibility", TOOLS / "compatibility.py")
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    rows = re.findall(r"^\| \[?(\w+)[^|]*\| passes", tool.PAGE.read_text(), re.MULTILINE)
    assert sorted(rows) == tool.scenarios()
