# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""pip installs only packages with a version and a hash that are in this repository."""

from __future__ import annotations

import pathlib
import re

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[3]
LISTS = ["requirements.txt", "tests/unit/requirements.txt", "tools/ansible-test.txt", "tools/uv.txt"]
INPUTS = ["requirements.in", "tests/unit/requirements.in"]


def lines(name: str) -> list[str]:
    """The requirements of a file, each with its options on one line, without comments."""
    text = (ROOT / name).read_text().replace("\\\n", " ")
    return [line for line in map(str.strip, text.splitlines()) if line and not line.startswith("#")]


def versions(name: str) -> dict[str, set[str]]:
    """The versions of each package in a generated list. They may differ by Python version."""
    found: dict[str, set[str]] = {}
    for line in lines(name)[1:]:
        package, version = re.match(r"([a-z0-9-]+)==(\S+) ", line).groups()
        found.setdefault(package, set()).add(version)
    return found


@pytest.mark.parametrize("name", LISTS)
def test_every_line_has_a_hash_and_takes_no_archive_of_sources(name):
    first, *others = lines(name)
    assert first == "--only-binary :all:"
    assert others and [line for line in others if not re.search(r" --hash=sha256:[0-9a-f]{64}\b", line)] == []


@pytest.mark.parametrize("name", INPUTS)
def test_a_list_has_what_its_input_asks_for(name):
    locked = versions(name.replace(".in", ".txt"))
    for line in lines(name):
        package, _sign, version = line.lower().partition("==")
        assert package in locked and (not version or locked[package] == {version}), line


def test_nothing_is_installed_without_its_hash():
    """Each call of pip that downloads something requires hashes. The exception is `make lock`, which writes them."""
    calls = []
    for path in [*(ROOT / "tools").iterdir(), ROOT / "Makefile", *(ROOT / "roles").rglob("*.yml")]:
        if not path.is_file() or path.name == "lock":
            continue
        for command in path.read_text().replace("\\\n", " ").splitlines():
            if re.search(r"pip\"? (install|download|wheel)\b", command):
                calls.append((path.name, "--require-hashes" in command))
    assert {"setup", "test-pythons", "with-pyroute2", "ansible-test-home"} <= {name for name, _hashed in calls}
    assert [name for name, hashed in calls if not hashed] == []
    task = yaml.safe_load((ROOT / "roles/prepare/tasks/wheel.yml").read_text())
    downloads = [each["ansible.builtin.command"]["argv"] for each in task if "pip" in str(each)]
    assert downloads and all("--require-hashes" in command for command in downloads)


def test_the_hashes_of_the_wheels_that_hosts_get():
    sums = dict(line.split()[::-1] for line in (ROOT / "roles/prepare/files/pyroute2.sha256").read_text().splitlines())
    makefile = (ROOT / "Makefile").read_text()
    defaults = yaml.safe_load((ROOT / "roles/prepare/defaults/main.yml").read_text())
    tested = re.search(r"^OLD_PYROUTE2 := (.*)$", makefile, re.MULTILINE).group(1).split()
    for version in [*tested, defaults["prepare_version"]]:
        assert re.fullmatch("[0-9a-f]{64}", sums["pyroute2-{0}-py3-none-any.whl".format(version)])
    # The same wheel for the role and for the tests.
    newest = sums["pyroute2-{0}-py3-none-any.whl".format(defaults["prepare_version"])]
    assert [name for name in LISTS[:2] if newest not in (ROOT / name).read_text()] == []
