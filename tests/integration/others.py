# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real firewalls of other programs in a private world: Docker, firewalld, ufw.

If a program is not installed, it comes from the folder into which `make test-tools` unpacks packages. The folder is
mounted over the world's own /usr and /etc. A test is skipped if the program is in neither place.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import shlex
import shutil
import subprocess
import tempfile
import time
import typing as t

import pytest

from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import syscalls

from .conftest import ROOT, World

UNPACKED = ROOT / ".cache" / "firewalls" / "root"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_PATIENCE = 60  # seconds until a daemon must be ready

# By default, only root may own a name on a system bus. No package here contains the file that allows it.
_BUS = """<busconfig><type>system</type><listen>unix:path=/run/dbus/system_bus_socket</listen><auth>EXTERNAL</auth>
<policy context="default"><allow user="*"/><allow own="*"/><allow send_type="method_call"/><allow eavesdrop="false"/>
<allow send_destination="*"/><allow receive_sender="*"/></policy></busconfig>
"""


def need(world: World, program: str) -> None:
    """Make an unpacked program available in the private world, if it is not installed. Skip the test if there is
    neither.
    """
    if not pathlib.Path("/run/etc/work").exists():
        for folder in ("upper", "work"):
            pathlib.Path("/run/etc", folder).mkdir(parents=True)
        if UNPACKED.exists():
            lower = "lowerdir={0}/usr:/usr".format(UNPACKED)
            world.sh("mount -t overlay usr -o {0} /usr".format(shlex.quote(lower)))
        lower = "{0}/etc:/etc".format(UNPACKED) if UNPACKED.exists() else "/etc"
        etc = "lowerdir={0},upperdir=/run/etc/upper,workdir=/run/etc/work".format(lower)
        world.sh("mount -t overlay etc -o {0} /etc".format(shlex.quote(etc)))
        syscalls.mount("etc", "/etc/sysctl.d", "tmpfs", 0)
    if not shutil.which(program, path=PATH):
        pytest.skip("no {0} here; `make test-tools` unpacks it".format(program))


def iptables(world: World, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make `iptables` and `ip6tables` the variant *form*, `nft` or `legacy`. Skip the test if it is missing."""
    need(world, "iptables-" + form)
    try:
        world.sh("iptables-{0} -S && ip6tables-{0} -S".format(form))
    except AssertionError as exc:
        pytest.skip("this kernel has no iptables-{0}: {1}".format(form, exc))
    folder = pathlib.Path("/run/iptables")
    folder.mkdir()
    for name in ("iptables", "ip6tables"):
        for suffix in ("", "-save", "-restore"):
            (folder / (name + suffix)).symlink_to("/usr/sbin/xtables-{0}-multi".format(form))
    monkeypatch.setenv("PATH", "{0}:{1}".format(folder, PATH))


@contextlib.contextmanager
def _running(command: list[str], log: str, is_up: t.Callable[[], bool]) -> t.Iterator[None]:
    """Run a daemon during the body."""
    with open(log, "wb") as stream:
        process = subprocess.Popen(command, stdout=stream, stderr=stream, stdin=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + _PATIENCE
        while not is_up():
            said = pathlib.Path(log).read_text(encoding="utf-8", errors="replace")[-2000:]
            assert process.poll() is None and time.monotonic() < deadline, said
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(_PATIENCE)


def _succeeds(command: list[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@contextlib.contextmanager
def docker(world: World, *arguments: str) -> t.Iterator[None]:
    """Run dockerd, with a bridge and without an image."""
    need(world, "dockerd")
    need(world, "iptables")
    groups = pathlib.Path("/sys/fs/cgroup")
    if not os.path.ismount(groups):
        try:
            world.sh("mount -t cgroup2 cgroup2 /sys/fs/cgroup")
        except AssertionError as exc:
            pytest.skip("no control groups here: {0}".format(exc))
    with tempfile.TemporaryDirectory(prefix="docker.") as folder:
        command = ["dockerd", "--storage-driver=vfs", "--host=unix://{0}/socket".format(folder)]
        command += ["--{0}={1}/{0}".format(name, folder) for name in ("data-root", "exec-root", "pidfile")]
        asked = ["docker", "--host=unix://{0}/socket".format(folder), "info"]
        with _running([*command, *arguments], folder + "/log", lambda: _succeeds(asked)):
            yield


@contextlib.contextmanager
def bus(world: World) -> t.Iterator[None]:
    """Run the bus through which programs talk to firewalld."""
    need(world, "dbus-daemon")
    pathlib.Path("/run/dbus").mkdir()
    pathlib.Path("/run/bus.conf").write_text(_BUS, encoding="utf-8")
    command = ["dbus-daemon", "--config-file=/run/bus.conf", "--nofork", "--nopidfile"]
    with _running(command, "/run/bus.log", lambda: pathlib.Path("/run/dbus/system_bus_socket").exists()):
        yield


@contextlib.contextmanager
def firewalld() -> t.Iterator[None]:
    """Run firewalld with its default settings."""
    command = ["/usr/bin/python3", "/usr/sbin/firewalld", "--nofork", "--nopid"]
    asked = ["firewall-cmd", "--state"]
    with _running(command, "/run/firewalld.log", lambda: _succeeds(asked)):
        yield


def ufw(world: World) -> None:
    """Run ufw with its default settings, enabled."""
    need(world, "ufw")
    need(world, "iptables")
    world.sh(
        "mkdir -p /etc/ufw; cp -n /usr/share/ufw/iptables/*.rules /etc/ufw/; cp -n /usr/share/ufw/ufw.conf /etc/ufw/;"
        "ufw --force enable"
    )
