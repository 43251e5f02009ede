# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A playbook runs on the intended machines, or on none. With a mistyped inventory, it does not run on this machine."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import typing as t

import pytest

from .conftest import ROOT

FILES = {
    "others.yml": "all:\n  hosts:\n    elsewhere:\n",
    "empty.yml": "lab_hosts:\n  hosts:\n",
    "broken": "a: [b\n'''\n",
    "right.yml": "lab_hosts:\n  hosts:\n    far1:\n    far2:\n",
}


def run(folder: pathlib.Path, playbook: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run ansible-playbook in a folder, with the configuration in it, or without one."""
    environment = {key: value for key, value in os.environ.items() if key != "ANSIBLE_CONFIG"}
    command = [os.path.join(sys.prefix, "bin", "ansible-playbook"), playbook, *arguments]
    return subprocess.run(
        command,
        env={**environment, "ANSIBLE_NOCOLOR": "1", "COLUMNS": "500", "HOME": str(folder)},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def inventories(tmp_path: pathlib.Path) -> pathlib.Path:
    """A folder with the inventories, and without a configuration."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    ("inventory", "expected"),
    [
        ("missing.yml", "is not there, or cannot be read"),
        ("others.yml", "has no host in the group lab_hosts"),
        ("empty.yml", "has no host in the group lab_hosts"),
        ("broken", "has no host in the group lab_hosts"),
    ],
)
def test_a_wrong_inventory_is_refused(world: t.Any, inventories: pathlib.Path, inventory: str, expected: str) -> None:
    """The collection is installed and the playbook named, or the checkout's file is used. Nothing is built."""
    before = world.state()
    path = str(inventories / inventory)
    done = run(inventories, "linuxnet.lab.veth_pair", "-i", path)
    assert done.returncode and "PLAY RECAP" not in done.stdout
    assert expected in done.stderr, done.stderr
    done = run(ROOT, "playbooks/veth_pair.yml", "-i", path)
    assert done.returncode and "PLAY RECAP" not in done.stdout
    assert expected in done.stderr or "Completely failed to parse inventory source " + path in done.stderr
    assert world.state() == before


def test_one_wrong_inventory_of_two_is_refused(inventories: pathlib.Path) -> None:
    done = run(inventories, "linuxnet.lab.veth_pair", "-i", "right.yml", "-i", "missing.yml", "--list-hosts")
    assert done.returncode and "missing.yml is not there" in done.stderr


@pytest.mark.parametrize("name", sorted(path.stem for path in (ROOT / "playbooks").glob("*.yml")))
def test_the_hosts_of_each_playbook(inventories: pathlib.Path, name: str) -> None:
    """With an inventory, the hosts are those of the group. All playbooks state that in the same way."""
    text = (ROOT / "playbooks" / (name + ".yml")).read_text()
    assert text.count("""hosts: "{{ lookup('linuxnet.lab.machines') }}"\n""") == text.count("hosts:") == 1
    if name in ("veth_pair", "prepare"):
        done = run(inventories, "linuxnet.lab." + name, "-i", "right.yml", "--list-hosts")
        assert done.returncode == 0 and sorted(done.stdout.split()[-2:]) == ["far1", "far2"]


def test_without_an_inventory_it_is_this_machine(inventories: pathlib.Path) -> None:
    done = run(inventories, "linuxnet.lab.veth_pair", "--list-hosts")
    assert done.returncode == 0 and done.stdout.split()[-1] == "localhost"
