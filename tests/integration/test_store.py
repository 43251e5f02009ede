# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files of the collection and the lock, with an unprivileged user and a killed run on the same host."""

from __future__ import annotations

import fcntl
import os
import pathlib
import signal
import stat
import subprocess
import sys
import typing as t

import pytest

from ansible_collections.linuxnet.lab.plugins.module_utils.errors import LabError
from ansible_collections.linuxnet.lab.plugins.module_utils.host import lab_files

from .conftest import World

RUN = pathlib.Path("/run/linuxnet.lab")
NOBODY = 65534

# Another run: it takes the lock, reports that, and waits for its input.
OTHER = """
import sys
from ansible_collections.linuxnet.lab.plugins.module_utils.host import lab_files
with lab_files.locked("theirs"):
    lab_files.remember([("theirs", "key", 1)])
    print("mine", flush=True)
    sys.stdin.read()
"""


def other_run() -> subprocess.Popen[str]:
    """A process that holds the lock until its input ends."""
    code = "import sys; sys.path[:] = {0!r}\n{1}".format(sys.path, OTHER)
    started = subprocess.Popen(
        [sys.executable, "-I", "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert started.stdout is not None and started.stdout.readline() == "mine\n"
    return started


def as_nobody(deed: t.Callable[[], None]) -> str:
    """The result of a function that an unprivileged user calls: the name of an exception, or an empty text."""
    result, end = os.pipe()
    child = os.fork()
    if not child:
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
        try:
            deed()
        except BaseException as exc:
            os.write(end, type(exc).__name__.encode())
        os._exit(0)
    os.close(end)
    os.waitpid(child, 0)
    with os.fdopen(result) as stream:
        return stream.read()


@pytest.fixture
def loose() -> t.Iterator[None]:
    """Set a umask that removes no rights."""
    before = os.umask(0)
    yield
    os.umask(before)


def modes(folder: pathlib.Path) -> set[str]:
    """The modes of a folder and of everything in it."""
    return {stat.filemode(path.lstat().st_mode) for path in [folder, *folder.rglob("*")]}


def test_nothing_that_is_remembered_can_be_read_or_written_by_others(world: World, loose: None) -> None:
    topology = {"name": "demo", "namespaces": {"host": {"sysctls": {"net.ipv4.tcp_sack": 0}}, "c1": {}}}
    world.run("topology", topology=topology)
    world.run("capture", state="started")
    assert modes(RUN) == {"drwx------", "-rw-------"}
    world.run("capture", state="stopped")


def test_a_persistent_sysctl_cannot_be_written_by_others(world: World, loose: None) -> None:
    world.run("sysctl", lab="demo", settings={"net.ipv4.tcp_sack": "0"}, persist=True)
    (path,) = pathlib.Path("/etc/sysctl.d").iterdir()
    assert stat.filemode(path.stat().st_mode) == "-rw-r--r--"


def test_nobody_can_stop_all_runs(world: World) -> None:
    """An unprivileged user can lock neither the folder nor a file in it."""
    world.run("sysctl", lab="demo", settings={"net.ipv4.tcp_sack": "0"})

    def lock() -> None:
        fcntl.flock(os.open(RUN, os.O_RDONLY), fcntl.LOCK_EX | fcntl.LOCK_NB)

    assert as_nobody(lock) == "PermissionError"
    world.run("sysctl", lab="demo", settings={"net.ipv4.tcp_sack": "0"}, state="absent")
    assert not RUN.exists()


def test_who_waits_too_long_is_told_for_whom(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lab_files, "PATIENCE", 0.1)
    other = other_run()
    try:
        (error,) = world.module("netns", lab="mine", name=["c1"])["errors"]
        assert "process {0}, lab 'theirs'".format(other.pid) in error and str(RUN / "lock") in error
        assert world.sh("ip netns list") == ""
        world.run("netns", lab="mine", name=["c1"], check=True)
        assert world.run("lab_info")["labs"][0]["name"] == "theirs"
    finally:
        other.communicate("")
    world.run("netns", lab="mine", name=["c1"])


def test_who_waits_goes_on(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A waiting run continues when the other run ends or is killed."""
    waits: list[subprocess.Popen[str]] = []
    other = other_run()
    sleep = lab_files.time.sleep

    def asleep(seconds: float) -> None:
        if not waits:
            waits.append(other)
            other.send_signal(signal.SIGKILL)
            other.wait()
        sleep(seconds)

    monkeypatch.setattr(lab_files.time, "sleep", asleep)
    world.run("bridge", lab="mine", name="br0")
    assert waits, "it did not have to wait"
    assert sorted(path.name for path in RUN.iterdir()) == ["theirs.json"]


def test_the_lock_can_be_taken_again_by_who_has_it(world: World) -> None:
    with lab_files.locked("demo"), lab_files.locked("demo"):
        lab_files.remember([("demo", "key", 1)])
    assert [path.name for path in RUN.iterdir()] == ["demo.json"]
    lab_files.remember([("demo", "key", None)])
    assert not RUN.exists()


@pytest.mark.parametrize("kind", ["fifo", "link", "foreign"])
def test_what_the_collection_did_not_write_is_not_read(world: World, kind: str) -> None:
    path = RUN / "demo.topology"
    RUN.mkdir(0o700)
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "link":
        path.symlink_to("/etc/shadow")
    else:
        path.write_text("{}")
        os.chown(path, NOBODY, NOBODY)
    with pytest.raises(LabError, match="demo.topology is"):
        lab_files.read_file(os.fspath(path))


def test_names_that_no_lab_can_have_are_nobodys(world: World) -> None:
    lab_files.remember([("demo", "key", 1)])
    for name in ("..json", "a b.json", "-x.json", "x" * 64 + ".json"):
        (RUN / name).write_text("{}")
    assert lab_files.labs() == ["demo"]
    assert [lab["name"] for lab in world.run("lab_info")["labs"]] == ["demo"]


@pytest.mark.parametrize("owner", [NOBODY, 0])
def test_a_folder_that_others_can_write_to_is_refused(world: World, owner: int) -> None:
    RUN.mkdir()
    os.chown(RUN, owner, owner)
    RUN.chmod(0o777)
    for check in (True, False):
        result = world.module("sysctl", lab="demo", settings={"net.ipv4.tcp_sack": "0"}, check=check)
        assert result.get("failed") and "/run/linuxnet.lab belongs to user" in result["msg"]
    assert world.sh("cat /proc/sys/net/ipv4/tcp_sack") == "1\n"


def test_the_next_run_clears_what_a_killed_one_was_writing(world: World) -> None:
    child = os.fork()
    if not child:
        os.rename = lambda *dummy: os.kill(os.getpid(), signal.SIGKILL)  # type: ignore[assignment]
        lab_files.remember([("demo", "key", 1)])
    os.waitpid(child, 0)
    assert len(list(RUN.iterdir())) == 2, "the lock and the unfinished file"
    with lab_files.locked():
        pass
    assert not RUN.exists()


def test_what_cannot_be_written_stays_as_it_was(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    lab_files.remember([("demo", "key", 1)])
    world.sh("mount -t tmpfs -o size=4k,nr_inodes=3 small /run/linuxnet.lab; chmod 700 /run/linuxnet.lab")
    with pytest.raises(OSError, match="small.json cannot be written: No space left") as caught:
        lab_files.remember([("small", "key", "x" * 10000)])
    assert caught.value.errno == 28 and list(RUN.iterdir()) == []
    world.sh("umount /run/linuxnet.lab")
    assert lab_files.recall("demo") == {"key": 1}
