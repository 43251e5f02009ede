# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is stored for a reboot; the reboot is a fresh world in which what the unit says is run."""

from __future__ import annotations

import os
import pathlib
import re
import shlex
import subprocess

import pytest

from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import persistence

from .conftest import assert_same
from .test_topology_examples import example


@pytest.fixture
def disk(world, tmp_path, monkeypatch):
    """What survives a reboot."""
    monkeypatch.setattr(persistence, "LAB_DIR", os.fspath(tmp_path / "etc" / "linuxnet.lab"))
    monkeypatch.setattr(persistence, "UNIT_DIR", os.fspath(tmp_path / "etc" / "systemd" / "system"))
    monkeypatch.setattr(persistence, "CODE_DIR", os.fspath(tmp_path / "usr" / "lib"))
    pathlib.Path("/run/systemd/system").mkdir(parents=True)
    return tmp_path


def boot(disk: pathlib.Path, lab: str) -> str:
    """Do what systemd does with the lab's unit."""
    wants = disk / "etc" / "systemd" / "system" / "multi-user.target.wants" / persistence.unit(lab)
    unit = wants.resolve(strict=True).read_text()
    (path,) = shlex.split(re.search("^Environment=(.*)$", unit, re.MULTILINE)[1])
    command = shlex.split(re.search("^ExecStart=(.*)$", unit, re.MULTILINE)[1])
    # The folder of the test's disk instead of /etc is all that it is told beside the unit.
    moved = "import runpy, sys; from {0} import persistence; persistence.LAB_DIR = {1!r}; sys.argv = sys.argv[2:]; "
    moved += "runpy.run_module(sys.argv[0], run_name='__main__')"
    code = moved.format(persistence.__name__.rpartition(".")[0], persistence.LAB_DIR)
    python, minus_m, *rest = command
    assert minus_m == "-m"
    name, value = path.split("=", 1)
    done = subprocess.run(
        [python, "-P", "-c", code, "-m", *rest], env={name: value}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def files(disk: pathlib.Path) -> list[str]:
    """What is on the disk."""
    return sorted(os.fspath(path) for path in disk.rglob("*") if not path.is_dir())


@pytest.mark.parametrize("name", ["bridge_nat", "same_subnet"])
def test_a_topology_comes_back(world, disk, name):
    world.quartet("topology", topology=example(name), persist=True)
    built = world.comparable()
    with world.another() as later:
        assert "ip netns add c1" in boot(disk, name) or name != "bridge_nat"
        assert_same(built, later.comparable(), "something else came back")
        assert later.run("topology", topology=example(name))["commands"] == []
        assert boot(disk, name) == "", "a second time changes nothing"
        assert later.run("connectivity", topology=example(name), timeout=4)["results"]
    world.run("topology", name=name, state="absent")
    assert files(disk) == []
    assert "persist" not in str(world.run("topology", name=name, state="absent")["diff"])


def test_what_modules_made_comes_back(world, disk):
    world.run("netns", lab="demo", name=["c1", "c2"])
    world.run("bridge", lab="demo", name="br0", addresses=["10.0.0.1/24"])
    pairs = [
        {"name": "v" + name, "peer": {"name": "eth0", "netns": name, "addresses": [address]}}
        for name, address in (("c1", "10.0.0.2/24"), ("c2", "10.0.0.3/24"))
    ]
    world.run("veth", lab="demo", master="br0", pairs=pairs)
    world.run("route", lab="demo", netns="c1", dst="default", via="10.0.0.1")
    world.run("sysctl", lab="demo", settings={"net.ipv4.ip_forward": "1"})
    world.run("masquerade", lab="demo", src="10.0.0.0/24", not_oif="br0")
    world.quartet("persist", lab="demo")
    built = world.comparable()
    with world.another() as later:
        boot(disk, "demo")
        assert_same(built, later.comparable(), "something else came back")
        assert later.ping("c1", "10.0.0.3")
    world.run("address", lab="demo", dev="br0", addresses=["10.0.9.1/24"])
    assert world.run("persist", lab="demo")["changed"], "what changed is stored"
    world.run("persist", lab="demo", state="absent")
    assert files(disk) == []
    assert not world.run("persist", lab="demo", state="absent")["changed"]


def test_labs_share_the_code_until_the_last_one_goes(world, disk):
    for name in ("bridge", "arp_lab"):
        world.run("topology", topology=example(name), persist=True)
    world.run("topology", name="bridge", state="absent")
    left = " ".join(files(disk))
    assert "boot.py" in left and "arp_lab.json" in left and "bridge" not in left.replace("resources/bridge.py", "")
    world.run("topology", topology=example("arp_lab"), persist=False)
    assert files(disk) == []
    assert world.ping("ns1", "10.22.33.55"), "the lab itself stays until then"


def test_without_systemd_it_is_refused_before_anything_is_made(world):
    (error,) = world.refused("topology", topology=example("bridge"), persist=True)
    assert "systemd" in error


def test_what_cannot_be_stored_takes_the_lab_back(world, disk):
    (disk / "etc").mkdir()
    (disk / "etc" / "linuxnet.lab").write_text("in the way")
    result = world.module("topology", topology=example("bridge"), persist=True)
    assert result["failed"] and world.sh("ip netns list") == ""
