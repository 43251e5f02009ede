# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The virtual machines of the Molecule scenarios, without QEMU: the owner of a process, and the probe."""

from __future__ import annotations

import argparse
import importlib
import os
import pathlib
import shutil
import stat
import subprocess
import sys
import time

import pytest

FOLDER = pathlib.Path(__file__).resolve().parents[3] / "extensions" / "molecule" / "machines"


@pytest.fixture
def qemu(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(os.fspath(FOLDER))
    names = ("settings", "image", "qemu")
    for name in names:
        monkeypatch.delitem(sys.modules, name, raising=False)
    module = importlib.import_module("qemu")
    monkeypatch.setattr(sys.modules["settings"], "RUN", tmp_path)
    yield module
    for name in names:
        sys.modules.pop(name, None)


@pytest.fixture
def process():
    """Start a sleeping process with further arguments. It ends with the test."""
    started = []

    def start(*arguments: str) -> subprocess.Popen:
        program = "import time; print(flush=True); time.sleep(60)"
        started.append(subprocess.Popen([sys.executable, "-c", program, *arguments], stdout=subprocess.PIPE))
        # /proc may not have the arguments earlier.
        started[-1].stdout.readline()
        return started[-1]

    yield start
    for each in started:
        each.kill()
        each.communicate()


def test_a_machine_of_an_earlier_run_is_found_and_ended(qemu, process, tmp_path):
    pid_file = tmp_path / "debian12.pid"
    machine = process("-pidfile", os.fspath(pid_file))
    pid_file.write_text("{0}\n".format(machine.pid))
    assert qemu.left() == ["debian12"] and qemu.alive("debian12")
    assert qemu.stop("debian12") is True
    assert machine.wait(5) < 0
    assert not qemu.alive("debian12")


def test_a_process_that_got_the_number_of_a_machine_is_left_alone(qemu, process, tmp_path):
    other = process("-pidfile", "/somewhere/else/debian12.pid")
    (tmp_path / "debian12.pid").write_text(str(other.pid))
    assert not qemu.alive("debian12")
    assert qemu.stop("debian12") is False
    assert other.poll() is None


@pytest.mark.parametrize("text", ["", "word", "4194305"])
def test_a_pid_file_that_names_no_process_is_no_machine(qemu, tmp_path, text):
    (tmp_path / "debian12.pid").write_text(text)
    assert qemu.stop("debian12") is False


@pytest.mark.parametrize(
    ("script", "runs"),
    [
        ("echo booting; echo the kernel runs; exec sleep 60", True),
        ("echo no such processor; exit 1", False),
        ("trap '' TERM; echo booting; exec sleep 60", False),
    ],
    ids=["it runs", "it ends", "it hangs"],
)
def test_the_probe_does_not_hang(qemu, monkeypatch, tmp_path, script, runs):
    program = tmp_path / "qemu"
    program.write_text("#!/bin/sh\n{0}\n".format(script))
    program.chmod(0o755)
    monkeypatch.setattr(qemu, "PROGRAM", os.fspath(program))
    monkeypatch.setattr(qemu, "PROBE_SECONDS", 0.5)
    begin = time.monotonic()
    assert qemu.runs(tmp_path, "kvm") is runs
    assert time.monotonic() - begin < 5


def test_machines_on_demand(qemu, monkeypatch):
    settings = sys.modules["settings"]
    assert [machine.suite for machine in settings.wanted()] == ["bookworm", "trixie"]
    monkeypatch.setenv("LAB_MACHINES", "forky debian11")
    assert [machine.name for machine in settings.wanted()] == ["debian11", "forky"]
    monkeypatch.setenv("LAB_MACHINES", "debian9")
    text = "LAB_MACHINES=debian9: the known machines are debian11, debian12, debian13, forky"
    with pytest.raises(SystemExit, match=text):
        settings.wanted()


def test_an_image_is_named_after_what_it_is_made_from(qemu, monkeypatch):
    image = importlib.import_module("image")
    names = {image.place("bookworm"), image.place("trixie")}
    monkeypatch.setattr(image, "PACKAGES", ["other"])
    names.add(image.place("bookworm"))
    monkeypatch.setenv("LAB_MIRROR", "http://mirror.example/debian")
    names.add(image.place("bookworm"))
    assert len(names) == 4


def test_an_archive_is_one_that_cpio_reads(qemu, tmp_path):
    image = importlib.import_module("image")
    files = [("a", 0o100644, b"text", (0, 0)), ("b", 0o120777, b"a", (0, 0))]
    archive = image._cpio(files)
    assert archive.startswith(b"070701") and len(archive) % 4 == 0
    assert archive.count(b"070701") == 3 and b"TRAILER!!!" in archive


def test_only_its_owner_can_write_to_what_runs_on_this_host(qemu, monkeypatch, tmp_path):
    image = importlib.import_module("image")
    # A checkout that was cloned with umask 000.
    guest = tmp_path / "guest"
    shutil.copytree(FOLDER / "guest", guest)
    for path in [guest, *guest.iterdir()]:
        path.chmod(0o777)
    monkeypatch.setattr(sys.modules["settings"], "GUEST", guest)
    seen = {}

    def keygen(command, check):
        pathlib.Path("{0}.pub".format(command[-1])).write_text("a key\n")

    class Seen(Exception):
        pass

    def bootstrap(suite, hooks, folder):
        for path in [*hooks.iterdir(), hooks, *hooks.parents]:
            seen[path] = path.stat()
        raise Seen

    monkeypatch.setattr(image.subprocess, "run", keygen)
    monkeypatch.setattr(image, "_bootstrap", bootstrap)
    unfinished = tmp_path / "unfinished"
    unfinished.mkdir(mode=0o700)
    before = os.umask(0)
    try:
        with pytest.raises(Seen):
            image._build("bookworm", unfinished)
    finally:
        os.umask(before)
    assert {"customize", "pack", "key.pub"} <= {path.name for path in seen}
    # In a sticky folder, only the owner of a file can replace it.
    open_to_all = [
        path for path, status in seen.items() if status.st_mode & 0o022 and not status.st_mode & stat.S_ISVTX
    ]
    assert open_to_all == []
    if os.geteuid() == 0:
        assert unfinished in seen, "root's hooks lie in root's own folder"


def test_a_machine_reaches_neither_the_controller_nor_what_lies_beyond(qemu):
    for number in range(3):
        outside = [option for option in qemu._network(number, 3) if option.startswith("user,")]
        assert len(outside) == 1
        assert {"restrict=on", "ipv6=off", "hostfwd=tcp:127.0.0.1:0-:22"} <= set(outside[0].split(","))


def test_a_mirror_cannot_give_out_packages_that_are_too_old(qemu, monkeypatch, tmp_path):
    image = importlib.import_module("image")
    commands = []
    monkeypatch.setenv("LAB_MIRROR", "http://mirror.example/debian")
    monkeypatch.setattr(
        image.subprocess,
        "run",
        lambda command, **_options: commands.append(command) or argparse.Namespace(returncode=0),
    )
    image._bootstrap("bookworm", tmp_path, tmp_path)
    assert [word for command in commands for word in command if "Valid-Until" in word] == []
