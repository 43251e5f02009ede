# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs without root's rights, at the limits of resources, and in a user namespace."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import importlib
import json
import os
import pathlib
import resource
import struct
import traceback
import typing as t

import pytest

from ansible_collections.linuxnet.lab.plugins import modules
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import syscalls

_CAPSET = 126  # __NR_capset on x86_64
_VERSION = 0x20080522  # _LINUX_CAPABILITY_VERSION_3
_BITS = {"CAP_NET_ADMIN": 12, "CAP_NET_RAW": 13, "CAP_SYS_ADMIN": 21}
# The capabilities that container engines leave to root by default.
_DEFAULT_CONTAINER = sum(1 << bit for bit in (0, 1, 3, 4, 5, 6, 7, 8, 10, 13, 18, 27, 29, 31))
_CLONE_NEWUSER = 0x10000000
_PR_SET_DUMPABLE = 4
_NOBODY = 65534

_TOPOLOGY = {
    "name": "x",
    "namespaces": {"c1": None, "h1": {"kind": "held"}, "host": {"forwarding": True}},
    "segments": {"lan": {"prefix": "10.77.0.0/24", "gateway": "host", "members": ["c1", "h1"]}},
    "masquerade": [{"src": "lan"}],
}

# Every module, with arguments for something that it can do.
_ASKED: dict[str, dict[str, t.Any]] = {
    "address": {"lab": "x", "dev": "lo", "addresses": ["10.78.0.1/32"]},
    "bridge": {"lab": "x", "name": "br7"},
    "capture": {"duration": 0.1},
    "connectivity": {"from": "c1", "to": "10.77.0.1", "timeout": 0.2},
    "lab_info": {},
    "link": {"lab": "x", "name": "lo", "mtu": 65000},
    "masquerade": {"lab": "x", "src": "10.78.0.0/24"},
    "neighbor": {"lab": "x", "dev": "lo", "dst": "10.78.0.2", "lladdr": "02:00:00:00:00:02"},
    "neighbor_watch": {"duration": 0.1},
    "netns": {"lab": "x", "name": ["c7"]},
    "netns_info": {},
    "persist": {"lab": "x"},
    "route": {"lab": "x", "dst": "10.79.0.0/24", "dev": "lo"},
    "rule": {"lab": "x", "from": "10.79.0.0/24", "table": "100"},
    "sysctl": {"lab": "x", "settings": {"net.ipv4.ip_forward": "1"}},
    "topology": {"topology": _TOPOLOGY},
    "veth": {"lab": "x", "name": "v7", "peer": {"name": "w7"}},
}


def in_child(work: t.Callable[[], t.Any]) -> t.Any:
    """The result of a function in a forked process. Exceptions are raised in the caller."""
    ours, theirs = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            said = {"value": work()}
        except BaseException:  # no exception may continue in the parent's code
            said = {"error": traceback.format_exc()}
        with contextlib.suppress(BaseException), open(theirs, "w", encoding="utf-8", closefd=False) as stream:
            json.dump(said, stream)
        os._exit(0)
    os.close(theirs)
    with open(ours, encoding="utf-8") as stream:
        text = stream.read()
    os.waitpid(pid, 0)
    said = json.loads(text or '{"error": "the process died without a word"}')
    if "error" in said:
        raise AssertionError(said["error"])
    return said["value"]


def keep_rights(mask: int) -> None:
    """Drop every capability that is not in the mask."""
    status = dict(line.split(":") for line in pathlib.Path("/proc/self/status").read_text().splitlines())
    mask &= int(status["CapPrm"], 16)
    low, high = mask & 0xFFFFFFFF, mask >> 32
    header = ctypes.create_string_buffer(struct.pack("=Ii", _VERSION, 0))
    data = ctypes.create_string_buffer(struct.pack("=6I", low, low, 0, high, high, 0))
    if ctypes.CDLL(None, use_errno=True).syscall(_CAPSET, header, data):
        raise OSError(ctypes.get_errno(), "capset")


def be_user() -> None:
    """Become the user nobody."""
    os.setgroups([])
    os.setresgid(_NOBODY, _NOBODY, _NOBODY)
    os.setresuid(_NOBODY, _NOBODY, _NOBODY)
    ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 1, 0, 0, 0)  # otherwise its files in /proc still belong to root


def without(*names: str) -> t.Callable[[], None]:
    """A function that drops some capabilities of the process."""
    return lambda: keep_rights((1 << 41) - 1 & ~sum(1 << _BITS[name] for name in names))


@pytest.fixture
def ready(world: t.Any) -> t.Any:
    """A world with all modules imported, because a user may not be able to read them."""
    for name in _ASKED:
        importlib.import_module("{0}.{1}".format(modules.__name__, name))
    world.run("lab_info")
    return world


def answers(world: t.Any) -> dict[str, t.Any]:
    """The result of every module, in check mode and without."""
    return {
        f"{name} {check}": world.module(name, check=check, **arguments)
        for name, arguments in _ASKED.items()
        for check in (True, False)
    }


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="the number of capset(2) is known for x86_64 only")
@pytest.mark.parametrize("built", [False, True], ids=["empty", "built"])
@pytest.mark.parametrize(
    ("drop", "missing"),
    [
        (be_user, {"CAP_SYS_ADMIN", "CAP_NET_ADMIN"}),
        (without("CAP_SYS_ADMIN"), {"CAP_SYS_ADMIN"}),
        (without("CAP_NET_ADMIN"), {"CAP_NET_ADMIN"}),
        (lambda: keep_rights(_DEFAULT_CONTAINER), {"CAP_SYS_ADMIN", "CAP_NET_ADMIN"}),
    ],
    ids=["user", "no-sys-admin", "no-net-admin", "container"],
)
def test_every_module_names_the_right_that_is_missing(
    ready: t.Any, drop: t.Callable[[], None], missing: set[str], built: bool
) -> None:
    """The error has one line, with the cure. `connectivity` needs only the rights for its checks."""
    if built:
        ready.run("topology", topology=_TOPOLOGY)
    # The module payload only runs the others.
    assert {*_ASKED, "payload"} == {path.stem for path in pathlib.Path(modules.__path__[0]).glob("[a-z]*.py")}
    before = ready.state()

    def work() -> t.Any:
        drop()
        return answers(ready)

    for what, said in in_child(work).items():
        name = what.split()[0]
        wanted = missing - {"CAP_NET_ADMIN"} if name == "connectivity" else missing
        if not wanted:
            continue
        assert said.get("failed"), (what, said)
        assert len(said["errors"]) == 1 and "\n" not in said["msg"], (what, said)
        assert all(right in said["msg"] for right in wanted) and "become: true" in said["msg"], (what, said)
        others = set(_BITS) - wanted - {"CAP_NET_RAW"}
        assert not any(right in said["msg"] for right in others), (what, said)
    assert ready.state() == before


def enter_user_namespace() -> None:
    """Enter namespaces as `unshare -Urnm` does for a user, with an empty /run."""
    be_user()
    uid, gid = os.getuid(), os.getgid()
    syscalls.unshare(_CLONE_NEWUSER | syscalls.CLONE_NEWNS | syscalls.CLONE_NEWNET)
    for file, text in (("setgroups", "deny"), ("uid_map", f"0 {uid} 1"), ("gid_map", f"0 {gid} 1")):
        pathlib.Path("/proc/self", file).write_text(text, encoding="ascii")
    syscalls.mount("", "/", "none", syscalls.MS_REC | syscalls.MS_PRIVATE)
    syscalls.mount("run", "/run", "tmpfs", 0)
    syscalls.mount("sys", "/sys", "sysfs", 0)


def test_a_lab_in_a_user_namespace(ready: t.Any) -> None:
    """Without real root, a lab is built, kept, edited, checked, recorded and removed, with held namespaces."""

    def work() -> t.Any:
        enter_user_namespace()
        ready.sh("ip link set lo up")
        before = ready.state()
        assert ready.run("topology", topology=_TOPOLOGY)["changed"]
        assert not ready.run("topology", topology=_TOPOLOGY)["changed"]
        assert ready.ping("c1", "10.77.0.1")
        ready.run("connectivity", topology={**_TOPOLOGY, "checks": [{"from": "all", "to": "all"}]})
        check = {"from": "h1", "to": "10.77.0.1", "protocol": "tcp", "port": 80, "listen": ""}
        ready.run("connectivity", checks=[check])
        edited = {**_TOPOLOGY, "namespaces": {"c1": None, "h2": {"kind": "held"}}, "masquerade": []}
        edited["segments"] = {"lan": {**_TOPOLOGY["segments"]["lan"], "members": ["c1", "h2"]}}
        assert ready.run("topology", topology=edited)["changed"]
        assert not ready.run("topology", topology=edited)["changed"]
        ready.run("capture", netns="c1", duration=0.1)  # in the foreground, because a user cannot start root's Python
        ready.run("neighbor_watch", netns=["c1"], duration=0.1)
        assert ready.run("lab_info")["labs"][0]["drifted"] is False
        assert ready.run("topology", lab="x", state="absent")["changed"]
        assert not ready.run("topology", lab="x", state="absent")["changed"]
        return [before, ready.state()]

    before, after = in_child(work)
    assert before == after


def test_the_modules_of_bridge_nat_in_a_user_namespace(ready: t.Any) -> None:
    """The single modules create namespaces, a bridge, pairs, routes, sysctls and masquerading."""

    def work() -> None:
        enter_user_namespace()
        ready.sh("ip link set lo up")
        tasks: list[tuple[str, dict[str, t.Any]]] = [
            ("netns", {"name": ["c1"]}),
            ("netns", {"name": ["c2"], "held": True}),
            ("bridge", {"name": "br0", "addresses": ["10.77.0.1/24"]}),
            ("sysctl", {"settings": {"net.ipv4.ip_forward": "1"}}),
            ("masquerade", {"src": "10.77.0.0/24"}),
        ]
        for number in (1, 2):
            peer = {"name": "eth0", "netns": f"c{number}", "addresses": [f"10.77.0.{number + 1}/24"]}
            tasks.append(("veth", {"name": f"v{number}", "master": "br0", "peer": peer}))
            tasks.append(("route", {"netns": f"c{number}", "dst": "default", "via": "10.77.0.1"}))
        for expected in (True, False):
            for name, arguments in tasks:
                assert ready.run(name, lab="x", **arguments)["changed"] is expected, name
        assert ready.ping("c1", "10.77.0.3")
        assert ready.run("topology", lab="x", state="absent")["changed"]
        assert ready.sh("cat /proc/sys/net/ipv4/ip_forward").strip() == "0"
        assert list(ready.links()) == ["lo"]

    in_child(work)


@contextlib.contextmanager
def limit(what: int, value: int) -> t.Iterator[None]:
    """Lower a limit of this process during the body."""
    before = resource.getrlimit(what)
    resource.setrlimit(what, (value, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(what, before)


def test_few_open_files(ready: t.Any) -> None:
    """64 open files are enough for a lab. If 20 are not, the error names the limit."""
    with limit(resource.RLIMIT_NOFILE, 64):
        ready.run("topology", topology=_TOPOLOGY)
        assert not ready.run("topology", topology=_TOPOLOGY)["changed"]
    used = len(os.listdir("/proc/self/fd"))
    with limit(resource.RLIMIT_NOFILE, used + 1):
        said = ready.module("netns_info")
    assert said["failed"] and "\n" not in said["msg"], said
    assert "RLIMIT_NOFILE" in said["msg"], said


def test_few_processes(ready: t.Any) -> None:
    """The error names the process for a held namespace, and all earlier changes are undone."""

    def work() -> t.Any:
        enter_user_namespace()  # because the limit does not apply to root otherwise
        before = ready.state()
        with limit(resource.RLIMIT_NPROC, 0):
            said = ready.module("topology", topology=_TOPOLOGY)
        assert ready.state() == before
        return said

    said = in_child(work)
    assert said["failed"] and "RLIMIT_NPROC" in said["msg"], said


@pytest.mark.parametrize(("kind", "code"), [("full", errno.ENOSPC), ("read-only", errno.EROFS)])
def test_run_takes_nothing_more(ready: t.Any, kind: str, code: int) -> None:
    """If /run is full or read-only, the error names the path and the reason, and nothing is left."""
    before = ready.state()
    ready.sh("mount -o remount,ro /run" if kind == "read-only" else "mount -o remount,nr_inodes=2 /run")
    said = ready.module("topology", topology=_TOPOLOGY)
    assert said["failed"] and "Traceback" not in said["msg"]
    assert "/run/" in said["msg"] and os.strerror(code) in said["msg"], said
    ready.sh("mount -o remount,rw,nr_inodes=1000 /run")
    assert ready.state() == before
    assert not os.path.exists("/run/linuxnet.lab")


def test_run_fills_up_at_the_end(ready: t.Any) -> None:
    """The error names the file that does not fit. The next run, with space, completes the lab."""
    ready.run("netns", lab="y", name=["y1"])
    before = ready.state()
    for room in range(0, 60, 12):
        used = int(ready.sh("df --output=iused /run | tail -1"))
        ready.sh(f"mount -o remount,nr_inodes={used + 1 + room // 12} /run")
        said = ready.module("topology", topology=_TOPOLOGY)
        ready.sh("mount -o remount,nr_inodes=1000 /run")
        if said.get("failed"):
            assert os.strerror(errno.ENOSPC) in said["msg"] and "/run/" in said["msg"], said
            assert ready.state() == before or "/run/linuxnet.lab/x.topology" in said["msg"], said
        ready.run("topology", topology=_TOPOLOGY)
        assert not ready.run("topology", topology=_TOPOLOGY)["changed"]
        ready.run("topology", lab="x", state="absent")
        assert ready.state() == before
