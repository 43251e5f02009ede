# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files for a reboot. The reboot is a new world, in which the test runs the command of the unit."""

from __future__ import annotations

import json
import os
import pathlib
import re
import shlex
import shutil
import stat
import subprocess
import sys

import pytest

from ansible_collections.linuxnet.lab.plugins.module_utils import respawn
from ansible_collections.linuxnet.lab.plugins.module_utils.host import persistence
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import library

from .conftest import assert_same
from .test_topology_examples import example


@pytest.fixture
def disk(world, tmp_path, monkeypatch):
    """The folder that survives a reboot."""
    monkeypatch.setattr(persistence, "LAB_DIR", os.fspath(tmp_path / "etc" / "linuxnet.lab"))
    monkeypatch.setattr(persistence, "UNIT_DIR", os.fspath(tmp_path / "etc" / "systemd" / "system"))
    monkeypatch.setattr(persistence, "CODE", os.fspath(tmp_path / "usr" / "lib" / "boot.pyz"))
    pathlib.Path("/run/systemd/system").mkdir(parents=True)
    return tmp_path


def boot(disk: pathlib.Path, lab: str) -> str:
    """Run the lab's unit as systemd does."""
    wants = disk / "etc" / "systemd" / "system" / "multi-user.target.wants" / persistence.unit(lab)
    unit = wants.resolve(strict=True).read_text()
    python, isolated, archive, *rest = shlex.split(re.search("^ExecStart=(.*)$", unit, re.MULTILINE)[1])
    assert isolated == "-I"
    # The only difference is the test's folder instead of /etc.
    moved = "import runpy, sys; sys.argv = sys.argv[1:]; sys.path.insert(0, sys.argv[0]); from {0} import persistence; "
    moved += "persistence.LAB_DIR = {1!r}; runpy.run_path(sys.argv[0], run_name='__main__')"
    code = moved.format(persistence.__name__.rpartition(".")[0], persistence.LAB_DIR)
    capabilities = re.search("^CapabilityBoundingSet=(.*)$", unit, re.MULTILINE)[1].lower().replace("cap_", "+")
    jail = ["setpriv", "--no-new-privs", "--bounding-set", ",".join(["-all", *capabilities.split()])]
    umask = int(re.search("^UMask=(.*)$", unit, re.MULTILINE)[1], 8)
    command = [*jail, python, "-I", "-c", code, archive, *rest]
    done = subprocess.run(command, env={}, umask=umask, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def files(disk: pathlib.Path) -> list[str]:
    """The files on the disk."""
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
    assert "boot.pyz" in left and "arp_lab.json" in left and "bridge" not in left.replace("resources/bridge.py", "")
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


BRIDGE = {"name": "demo", "bridges": {"br7": {}}}


def test_what_runs_at_boot_can_be_written_by_root_alone(world, disk):
    """The modes do not depend on the caller's umask. Wider modes of earlier versions are corrected."""
    before = os.umask(0)
    try:
        world.run("topology", topology=BRIDGE, persist=True)
    finally:
        os.umask(before)
    assert {stat.filemode(path.lstat().st_mode) for path in disk.rglob("*")} == {
        "-rw-r--r--", "drwxr-xr-x", "lrwxrwxrwx"
    }  # fmt: skip
    for path in disk.rglob("*.*"):
        if path.is_file():
            path.chmod(0o666)
    assert world.run("topology", topology=BRIDGE, persist=True)["changed"]
    assert not any(path.stat().st_mode & 0o022 for path in disk.rglob("*"))


@pytest.mark.parametrize("kind", ["interpreter", "library", "link", "owner", "group"])
def test_what_others_can_change_does_not_run_at_boot(world, disk, kind, monkeypatch):
    """The error names the path that others can change, also a parent folder, or the target of a symbolic link."""
    loose = disk / "home"
    program = loose / "bin" / "python3"
    program.parent.mkdir(parents=True)
    program.symlink_to(os.path.realpath(sys.executable))
    if kind == "library":
        (loose / "pyroute2").mkdir()
        (loose / "pyroute2" / "netlink.py").touch()
        (loose / "pyroute2" / "netlink.py").chmod(0o666)
        monkeypatch.setattr(library, "place", lambda: os.fspath(loose))
        named = loose / "pyroute2" / "netlink.py"
    else:
        monkeypatch.setattr(sys, "executable", os.fspath(program))
        named = loose
    if kind == "interpreter":
        loose.chmod(0o777)
    elif kind == "link":
        (disk / "python3").symlink_to("home/bin/python3")
        monkeypatch.setattr(sys, "executable", os.fspath(disk / "python3"))
        loose.chmod(0o777)
    elif kind == "owner":
        os.chown(loose, 65534, 65534)
    elif kind == "group":
        os.chown(loose, 0, 65534)  # nobody's main group
        loose.chmod(0o775)
    (error,) = world.refused("topology", topology=BRIDGE, persist=True)
    assert error.startswith("persist: {0} ".format(named)) and "only root" in error


def test_force_is_not_what_runs_at_boot(world, disk):
    world.sh("ip link add br7 type bridge")
    world.run("topology", topology=BRIDGE, persist=True, force=True)
    (text,) = [path.read_text() for path in disk.rglob("demo.json")]
    assert json.loads(text) == {"topology": BRIDGE}
    with world.another() as later:
        later.sh("ip link add br7 type bridge")
        with pytest.raises(AssertionError, match="does not belong to lab 'demo'"):
            boot(disk, "demo")


@pytest.mark.parametrize("there", [False, True])
def test_what_cannot_be_stored_is_as_it_was(world, disk, there):
    if there:
        world.run("topology", topology=BRIDGE, persist=True)
    shutil.copytree(disk, disk.with_suffix(".before"), symlinks=True)
    obstacle = pathlib.Path(persistence.UNIT_DIR, persistence.unit("demo"))
    if there:
        obstacle.unlink()
    obstacle.mkdir(parents=True)
    result = world.module("topology", topology={**BRIDGE, "bridges": {"br7": {}, "br8": {}}}, persist=True)
    assert result["failed"] and "br8" not in world.links()
    obstacle.rmdir()
    found = {path: (disk / path).read_bytes() for path in map(pathlib.Path, files(disk)) if not path.is_symlink()}
    before = [path for path in (disk.with_suffix(".before")).rglob("*") if path.is_file() and not path.is_symlink()]
    wanted = {disk / path.relative_to(disk.with_suffix(".before")): path.read_bytes() for path in before}
    wanted.pop(obstacle, None)
    assert found == wanted


def test_what_a_killed_run_has_stored_in_part_goes(world, disk):
    world.run("topology", topology=BRIDGE, persist=True)
    pathlib.Path(persistence.description("demo")).unlink()
    world.quartet("topology", name="demo", state="absent")
    assert files(disk) == []


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="this machine has no systemd-analyze")
def test_the_unit_can_do_little_else(world, disk):
    world.run("topology", topology=BRIDGE, persist=True)
    unit = pathlib.Path(persistence.UNIT_DIR, persistence.unit("demo"))
    command = ["systemd-analyze", "security", "--no-pager", "--offline=true", os.fspath(unit)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if "unrecognized option" in done.stderr:
        pytest.skip("this systemd-analyze is older than 250")
    assert float(re.search(r"Overall exposure level .*: ([0-9.]+)", done.stdout)[1]) <= 5.5, done.stdout
    assert "PrivateMounts=yes" not in unit.read_text() and "\nTimeoutStartSec=600\n" in unit.read_text()


def test_no_python_of_roots_looks_into_the_current_folder(world, tmp_path, monkeypatch):
    """Respawn may run in any folder, and its interpreters must not import modules from there."""
    (tmp_path / "re.py").write_text("open({0!r}, 'w')".format(os.fspath(tmp_path / "ran")))
    monkeypatch.chdir(tmp_path)

    class Module:
        """Runs commands as AnsibleModule does."""

        def run_command(self, command):
            return (subprocess.run(command, capture_output=True, check=False).returncode,)

    respawn._can_use(Module(), sys.executable)
    assert not (tmp_path / "ran").exists()
    roles = pathlib.Path(__file__).resolve().parents[2] / "roles"
    for path in roles.rglob("*.yml"):
        assert not re.search(r"""(python\w*"?|first }}) -[cm] """, path.read_text(encoding="utf-8")), path
