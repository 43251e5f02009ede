# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An unprivileged user's processes pretend to belong to the collection. The modules must not believe them."""

from __future__ import annotations

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time
import typing as t

import pytest

from ansible_collections.linuxnet.lab.plugins.module_utils.host import recorders
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import excursion, held, namespaces, syscalls
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.sockets import Sockets
from ansible_collections.linuxnet.lab.plugins.module_utils.snapshot import Snapshot

from .conftest import World, assert_same

HELD = pathlib.Path("/run/linuxnet.lab/held")


@pytest.fixture
def started() -> t.Iterator[list[subprocess.Popen[str]]]:
    """The processes that a test has started. They end with the test."""
    processes: list[subprocess.Popen[str]] = []
    yield processes
    for process in processes:
        process.kill()
        process.communicate()


def pose(started: list[subprocess.Popen[str]], environment: dict[str, str], unshare: str = "") -> int:
    """Let an unprivileged user run a process with any environment, and return its PID.

    :param unshare: options of unshare(1) for its own namespaces, in which `lo` then gets the lab's mark.
    """
    mark = "ip link set lo alias linuxnet.lab:demo; " if unshare else ""
    command = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
    command += ["unshare", "-Ur", unshare] if unshare else []
    process = subprocess.Popen(
        [*command, "sh", "-c", mark + "echo ready; exec sleep 1000"],
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", **environment},
        stdout=subprocess.PIPE,
        text=True,
        cwd="/",
    )
    started.append(process)
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    return process.pid


def script(world: World, code: str, *prefix: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run Python code with the collection in its own process, through other programs."""
    text = "import sys; sys.path[:] = {0!r}\n{1}".format(sys.path, code)
    command = [*prefix, sys.executable, "-c", text]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **environment})


def module(called: str, /, **arguments: t.Any) -> str:
    """Python code that runs a module of the collection as Ansible does, and prints its result."""
    return "\n".join(
        [
            "import json, os",
            "from ansible.module_utils.testing import patch_module_args",
            "from ansible_collections.linuxnet.lab.plugins.modules import {0} as module".format(called),
            "with patch_module_args({0!r}):".format({**arguments, "_ansible_remote_tmp": "/tmp"}),
            "    module.main()",
        ]
    )


def answer(done: subprocess.CompletedProcess[str]) -> dict[str, t.Any]:
    """The result that a module printed."""
    assert done.stdout.strip(), done
    return json.loads(done.stdout.strip().splitlines()[-1])


# A process that pretends to hold a namespace


@pytest.mark.parametrize("unshare", ["", "-n", "-nu"])
def test_a_stranger_is_no_holder(world: World, started: list[subprocess.Popen[str]], unshare: str) -> None:
    """In the host's namespaces or in its own ones, no process of a user is adopted, changed or ended."""
    pid = pose(started, {"LINUXNET_LAB": "demo", "LINUXNET_NETNS": "h1"}, unshare)
    name = os.uname().nodename
    assert not world.run("netns", lab="demo", name=["h1"], held=True, state="absent")["changed"]
    done = world.run("netns", lab="demo", name=["h1"], held=True)
    assert done["changed"] and done["namespaces"][0]["path"] != "/proc/{0}/ns/net".format(pid)
    world.run("sysctl", lab="demo", netns="h1", settings={"net.ipv4.ip_forward": "1"})
    assert world.sh("cat /proc/sys/net/ipv4/ip_forward") == "0\n"
    assert os.uname().nodename == name
    world.run("topology", name="demo", state="absent")
    assert started[0].poll() is None and not pathlib.Path("/run/linuxnet.lab").exists()


def test_a_stranger_with_a_lower_pid_hides_no_holder(world: World, started: list[subprocess.Popen[str]]) -> None:
    pose(started, {"LINUXNET_LAB": "demo", "LINUXNET_NETNS": "h1"})
    world.run("netns", lab="demo", name=["h1"], held=True)
    (holder,) = held.holders()
    pose(started, {"LINUXNET_LAB": "demo", "LINUXNET_NETNS": "h1"})
    assert held.holders() == [holder] and namespaces.find("h1") == held.file_of(holder)
    world.run("topology", name="demo", state="absent")
    assert world.sh("ps -o stat= -p {0} || true".format(holder.pid)).strip()[:1] in ("", "Z")
    assert [process.poll() for process in started] == [None, None]


def test_a_pid_that_another_process_got_is_not_the_holder(world: World, started: list[subprocess.Popen[str]]) -> None:
    """That holds for the search, and for opening or ending a process that was found a moment before."""
    world.run("netns", lab="demo", name=["h1"], held=True)
    (holder,) = held.holders()
    held.release(holder)
    stranger = pose(started, {})
    HELD.mkdir(0o700, parents=True)
    record = {**holder._asdict(), "pid": stranger}
    (HELD / "h1").write_text(json.dumps(record))
    assert held.holders() == []
    with pytest.raises(FileNotFoundError):
        held.open_netns(holder._replace(pid=stranger))
    held.release(holder._replace(pid=stranger))
    assert started[0].poll() is None
    world.run("netns", lab="demo", name=["h1"], held=True)
    assert [one.name for one in held.holders()] == ["h1"]


def test_a_holder_can_do_nothing(world: World) -> None:
    """It has no capabilities, cannot get any by executing a program, and has nothing of the caller's environment."""
    world.run("netns", lab="demo", name=["h1"], held=True)
    (holder,) = held.holders()
    status = pathlib.Path("/proc/{0}/status".format(holder.pid)).read_text()
    fields = dict(line.split(":\t") for line in status.splitlines() if ":\t" in line)
    assert {fields[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {"0" * 16}
    assert fields["NoNewPrivs"] == "1"
    assert pathlib.Path("/proc/{0}/environ".format(holder.pid)).read_bytes() == b""
    assert pathlib.Path("/proc/{0}/comm".format(holder.pid)).read_text() == "sleep\n"


def assert_nothing_is_left(world: World, done: subprocess.CompletedProcess[str]) -> None:
    """After the script was killed with a record written, the process of the record ends, and `absent` removes
    everything.
    """
    assert done.returncode == -signal.SIGKILL, done
    pid = json.loads(done.stdout)["pid"]
    world.sh("for i in $(seq 500); do [ -d /proc/{0} ] || exit 0; sleep 0.01; done; exit 1".format(pid))
    world.run("topology", name="demo", state="absent")
    assert not pathlib.Path("/run/linuxnet.lab").exists()


def test_a_run_that_is_killed_leaves_no_holder_behind(world: World) -> None:
    """That holds before and after the record is written. The next run removes the record."""
    for moment in ("before", "after"):
        code = """
import os, signal
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import held
from ansible_collections.linuxnet.lab.plugins.module_utils.host import lab_files
write = lab_files.write_file
def fatal(path, text, mode=0o600):
    if "held" in path:
        if {0!r} == "after":
            write(path, text, mode)
        print(text, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    write(path, text, mode)
lab_files.write_file = fatal
held.hold("h1", "demo", "h1")
""".format(moment)
        done = script(world, code)
        assert_nothing_is_left(world, done)


def test_what_is_killed_while_it_makes_a_namespace_leaves_it_marked_or_nothing(world: World) -> None:
    code = """
import os, signal
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import syscalls
mount = syscalls.mount
def fatal(source, *arguments):
    mount(source, *arguments)
    if "thread-self" in source:
        os.kill(os.getpid(), signal.SIGKILL)
syscalls.mount = fatal
"""
    done = script(world, code + module("netns", lab="demo", name=["c1"]))
    assert done.returncode == -signal.SIGKILL, done
    (lo,) = world.json("ip -j link show lo", "c1")
    assert lo["ifalias"] == "linuxnet.lab:demo" and "UP" in lo["flags"]
    world.run("topology", name="demo", state="absent")
    assert namespaces.named() == [] and os.listdir("/run/netns") == []


# Names that the collection reads


def test_names_that_nobody_could_have_given_are_ignored(world: World) -> None:
    """A namespace whose name looks like a PID would refer to that process."""
    world.sh("ip netns add c1; ip netns add 1; ip netns add 'a b'; ip netns add -- -x")
    assert namespaces.named() == ["c1"]
    world.run("netns", lab="demo", name=["h1"], held=True)
    for name in ("1", "a b", ".x"):
        shutil.copy(HELD / "h1", HELD / name)
    assert [holder.name for holder in held.holders()] == ["h1"]


# Limits of the kernel or the environment


def test_without_its_own_proc_nothing_is_looked_up_there(world: World) -> None:
    """In a PID namespace with the machine's /proc, a PID refers to another process."""
    code = module("netns", lab="demo", name=["h1"], held=True)
    result = answer(script(world, code, "unshare", "--pid", "--fork"))
    assert result["failed"] and "/proc belongs to another PID namespace" in result["msg"]
    assert answer(script(world, module("netns_info", name=["1"]), "unshare", "--pid", "--fork"))["failed"]
    assert not pathlib.Path("/run/linuxnet.lab").exists()
    assert answer(script(world, code, "unshare", "--pid", "--fork", "--mount-proc"))["changed"]


def test_without_the_privilege_to_come_back_nothing_is_left(world: World) -> None:
    """The run ends with an error of one line, not with a process that dies without a message."""
    world.run("netns", lab="demo", name=["c1"])
    code = module("netns", lab="demo", name=["c1", "c2"])
    for prefix in (["setpriv", "--bounding-set", "-sys_admin"], ["unshare", "-Ur"]):
        result = answer(script(world, code, *prefix))
        assert result["failed"] and "become: true" in result["msg"], result


def test_the_way_back_that_is_refused_all_the_same_ends_the_run(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run ends with an error of one line, and makes no further step in the wrong network."""
    setns, calls = syscalls.setns, []

    def refuse(fd: int, kind: int) -> None:
        calls.append(os.fstat(fd).st_ino)
        if len(calls) > 2 and calls[-1] == home:
            raise OSError(12, "Cannot allocate memory")
        setns(fd, kind)

    world.run("netns", lab="demo", name=["c1"])
    home = os.stat("/proc/thread-self/ns/net").st_ino
    fd = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    monkeypatch.setattr(syscalls, "setns", refuse)
    result = world.module("netns", lab="demo", name=["c1"], lo="down")
    monkeypatch.undo()
    setns(fd, syscalls.CLONE_NEWNET)
    os.close(fd)
    assert result["failed"] and "the kernel refused to return from another net namespace" in result["msg"], calls
    assert issubclass(excursion.Stranded, BaseException) and not issubclass(excursion.Stranded, Exception)


def test_held_namespaces_come_and_go_in_a_user_namespace(world: World) -> None:
    """In a user namespace, a thread cannot return to the first UTS namespace."""
    topology = {"name": "demo", "namespaces": {"h1": {"kind": "held", "hostname": "alpha"}}}
    code = "import subprocess\nsubprocess.run('mount -t tmpfs run /run', shell=True, check=True)\n"
    code += "for arguments in {0!r}:\n    try:\n{1}\n    except SystemExit:\n        pass"
    runs = [
        {"topology": topology},
        {"topology": {**topology, "namespaces": {"h1": {"kind": "held", "hostname": "beta"}}}},
        {"name": "demo", "state": "absent"},
    ]
    body = module("topology").replace("{'_ansible_remote_tmp': '/tmp'}", "{**arguments, '_ansible_remote_tmp': '/tmp'}")
    done = script(world, code.format(runs, "\n".join(" " * 8 + line for line in body.splitlines())), "unshare", "-Urnm")
    results = [json.loads(line) for line in done.stdout.splitlines() if line]
    assert [result.get("changed") for result in results] == [True, True, True], (results, done.stderr)
    assert re.fullmatch(r"nsenter -t \d+ --uts sysctl -w kernel.hostname=beta", *results[1]["commands"])


def test_no_room_for_another_namespace_is_told(world: World) -> None:
    code = "open('/proc/sys/user/max_net_namespaces', 'w').write('2')\n"  # the limit of the user namespace alone
    code += "import subprocess\nsubprocess.run('mount -t tmpfs run /run', shell=True, check=True)\n"
    done = script(world, code + module("netns", lab="demo", name=["c1", "c2", "c3"]), "unshare", "-Urnm")
    result = answer(done)
    assert result["failed"] and "user.max_*_namespaces" in result["msg"], result


# Objects that disappear during a read


def test_what_goes_while_it_is_looked_at_is_not_there(world: World) -> None:
    """In check mode, which does not wait for other runs, objects of other labs may disappear at any time."""
    world.run("netns", lab="other", name=["c1", "c2"])
    world.run("netns", lab="other", name=["h1"], held=True)
    world.run("veth", lab="other", name="v1", netns="c1", peer={"name": "eth0", "netns": "c2"})
    with Sockets() as sockets:
        snapshot = Snapshot(sockets)
        there = {namespace.ref: namespace for namespace in snapshot.everywhere()}
        with Sockets() as others:
            late = Snapshot(others)
            sockets.forget("c1")
            assert late.everywhere()
            held.release(held.holders()[0])
            namespaces.remove("c1")
            assert snapshot.peer(there["c2"], there["c2"].links["eth0"]) is None
            assert there["c1"].routes == [] and snapshot.neighbors(there["c1"]) == {}
            fresh = Snapshot(sockets)
            assert {one.ref for one in fresh.everywhere()} == {"", "c2"}


# Recorders


@pytest.fixture
def wire(world: World) -> World:
    """c1 and c2 with a pair between them, without IPv6, whose packets would disturb."""
    world.sh(
        "for n in c1 c2; do ip netns add $n; ip netns exec $n sysctl -qw net.ipv6.conf.default.disable_ipv6=1; done;"
        "ip link add eth0 netns c1 type veth peer name eth0 netns c2;"
        "ip -n c1 addr add 10.0.0.1/24 dev eth0; ip -n c2 addr add 10.0.0.2/24 dev eth0;"
        "ip -n c1 link set eth0 up; ip -n c2 link set eth0 up"
    )
    return world


def recorder_of(lab: str, name: str = "default") -> recorders.Recorder:
    """The running recorder of packets with this name."""
    found = recorders.find("capture", lab, name)
    assert found and found.pid
    return found


def test_a_stranger_is_no_recorder(wire: World, started: list[subprocess.Popen[str]]) -> None:
    """Only the real recorder is stopped. A lab's name in the arguments of another process leads to no file."""
    environment = {"LINUXNET_RECORDER": "capture", "LINUXNET_RECORDER_LAB": "demo", "LINUXNET_RECORDER_NAME": "default"}
    pose(started, environment)
    pose(started, {**environment, "LINUXNET_RECORDER_LAB": "/tmp/x"})
    wire.run("capture", lab="demo", state="started", netns="c1")
    real = recorder_of("demo")
    pose(started, environment)
    assert recorder_of("demo") == real
    assert [lab["name"] for lab in wire.run("lab_info")["labs"]] == ["demo"]
    assert wire.ping("c1", "10.0.0.2")
    result = wire.run("capture", lab="demo", state="stopped")
    assert len(result["packets"]) >= 4 and result["ended"] == "stopped"
    assert wire.sh("ps -o stat= -p {0} || true".format(real.pid)).strip()[:1] in ("", "Z")
    assert [process.poll() for process in started] == [None] * 3


def test_a_name_of_a_lab_on_a_link_or_in_the_folder_leads_nowhere(world: World, tmp_path: pathlib.Path) -> None:
    """Root inside a namespace chooses aliases. The modules read only files in their folder because of them."""
    (tmp_path / "x.topology").write_text('{"name": "stolen"}')
    (tmp_path / "x.json").write_text("{}")
    world.run("netns", lab="demo", name=["c1"])
    for alias in ("../../{0}/x".format(tmp_path), "/{0}/x".format(tmp_path), "a b", "", "x" * 70):
        world.sh("ip link set lo alias 'linuxnet.lab:{0}'".format(alias), "c1")
        told = world.run("lab_info")["labs"]
        assert "stolen" not in json.dumps(told)
    folder = pathlib.Path("/run/linuxnet.lab/capture")
    folder.mkdir(0o700, parents=True)
    for name in ("..:x", "demo:..", "demo", "a b:c"):
        (folder / name).write_text("{}")
    assert recorders.recorders() == []


@pytest.mark.parametrize("module_name", ["capture", "neighbor_watch"])
def test_a_recorder_can_do_nothing_but_record(wire: World, module_name: str) -> None:
    wire.run(module_name, lab="demo", state="started", netns="c1")
    (found,) = recorders.recorders()
    status = pathlib.Path("/proc/{0}/status".format(found.pid)).read_text()
    fields = dict(line.split(":\t") for line in status.splitlines() if ":\t" in line)
    assert {fields[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {"0" * 16}
    assert fields["NoNewPrivs"] == "1"
    assert pathlib.Path("/proc/{0}/environ".format(found.pid)).read_bytes() == b""
    assert wire.run(module_name, lab="demo", state="stopped")["ended"] == "stopped"


def test_a_run_that_is_killed_leaves_no_recorder_that_nobody_knows(wire: World) -> None:
    code = """
import os, signal
from ansible_collections.linuxnet.lab.plugins.module_utils.host import lab_files
def fatal(path, text, mode=0o600):
    print(text, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
lab_files.write_file = fatal
"""
    done = script(wire, code + module("capture", lab="demo", state="started", netns="c1"))
    assert_nothing_is_left(wire, done)


def test_a_record_ends_at_its_size_and_says_so(wire: World) -> None:
    for state in ("started", "recorded"):
        arguments = {"lab": "demo", "netns": "c1", "max_bytes": 2000, "filter": "icmp", "duration": 30}
        pinging = subprocess.Popen(["ip", "netns", "exec", "c1", "ping", "-qi", "0.05", "-w", "30", "10.0.0.2"])
        try:
            result = wire.run("capture", state=state, **arguments)
            while state == "started" and recorders.recorders()[0].pid:
                time.sleep(0.05)
        finally:
            pinging.kill()
            pinging.wait()
        result = wire.run("capture", state="stopped", lab="demo") if state == "started" else result
        assert result["ended"] == "max_bytes" and 0 < len(result["packets"]) < 10
    (error,) = wire.module("capture", max_bytes=0)["errors"]
    assert error == "max_bytes: 0 is not a positive number"


@pytest.mark.parametrize("filler", [0, 300])
def test_a_recorder_leaves_room_for_others(wire: World, filler: int) -> None:
    """A recorder, or another program, fills a small /run."""
    pathlib.Path("/run/linuxnet.lab").mkdir(0o700)
    wire.sh("mount -t tmpfs -o size=400k,mode=700 small /run/linuxnet.lab")
    wire.run("capture", lab="demo", state="started", netns="c1")
    if filler:
        wire.sh("dd if=/dev/zero of=/run/linuxnet.lab/filler bs=1k count={0} status=none".format(filler))
    wire.sh("for i in $(seq 40); do ping -nqfc 30 -s 1400 10.0.0.2; done >/dev/null", "c1")
    while recorders.recorders()[0].pid:
        time.sleep(0.05)
    free = os.statvfs("/run/linuxnet.lab")
    assert free.f_bavail * free.f_frsize > (20000 if filler else 100000)
    wire.run("sysctl", lab="demo", settings={"net.ipv4.tcp_sack": "0"})
    result = wire.run("capture", lab="demo", state="stopped")
    assert result["ended"] == "space" and (result["packets"] or filler)
    wire.sh("umount /run/linuxnet.lab")


# Simultaneous runs


def test_a_lock_that_anybody_can_take_is_not_waited_for(world: World, started: list[subprocess.Popen[str]]) -> None:
    """Everybody can lock /run/netns, the lock of ip-netns(8), because everybody can open that folder."""
    world.sh("ip netns add c0")
    command = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "flock", "/run/netns"]
    taken = subprocess.Popen([*command, "-c", "echo taken; exec sleep 1000"], stdout=subprocess.PIPE, text=True)
    started.append(taken)
    assert taken.stdout is not None and taken.stdout.readline() == "taken\n"
    world.run("netns", lab="demo", name=["c1"])
    assert taken.poll() is None and namespaces.named() == ["c0", "c1"]
    world.sh("kill $(pgrep -P {0})".format(taken.pid))


def test_labs_come_and_go_side_by_side(world: World) -> None:
    """All labs need the host to forward, and two runs are for the same lab. All succeed, and at the end the host does
    not forward.
    """
    topologies = [
        {
            "name": "lab{0}".format(number),
            "namespaces": {"n{0}".format(number): None, "host": {"forwarding": True}},
            "segments": {
                "lan{0}".format(number): {
                    "prefix": "10.{0}.0.0/24".format(number),
                    "gateway": "host",
                    "members": "n{0}".format(number),
                }
            },
        }
        for number in range(1, 4)
    ]
    forwarding = world.sh("cat /proc/sys/net/ipv4/ip_forward")
    for again in (False, True):
        runs = [module("topology", topology=topology) for topology in topologies]
        if again:  # every second lab is removed while the others run again
            runs[::2] = [module("topology", name=topology["name"], state="absent") for topology in topologies[::2]]
        results = together([*runs, runs[1]])
        assert not [result for result in results if result.get("failed")], results
        assert sum(result["changed"] for result in results) == (2 if again else 3)
        assert world.sh("cat /proc/sys/net/ipv4/ip_forward") == "1\n"
    results = together([module("topology", name=one["name"], state="absent") for one in topologies[1:]])
    assert [result["changed"] for result in results] == [True, False]
    assert world.sh("cat /proc/sys/net/ipv4/ip_forward") == forwarding == "0\n"
    assert not pathlib.Path("/run/linuxnet.lab").exists() and list(world.links()) == ["lo"]


def together(codes: list[str]) -> list[dict[str, t.Any]]:
    """The results of modules that run at the same time, each in its own process."""
    prefix = "import sys; sys.path[:] = {0!r}\n".format(sys.path)
    processes = [
        subprocess.Popen([sys.executable, "-c", prefix + code], stdout=subprocess.PIPE, text=True) for code in codes
    ]
    printed = [process.communicate(timeout=300)[0] for process in processes]
    return [json.loads(text.strip().splitlines()[-1]) for text in printed]


def test_a_removal_without_room_for_another_namespace_succeeds(world: World) -> None:
    """A removal creates a namespace to wait for the kernel. If that fails, it does not wait."""
    code = "import subprocess\nsubprocess.run('mount -t tmpfs run /run', shell=True, check=True)\n"
    runs = [module("netns", lab="demo", name=["c1", "c2"]), module("topology", name="demo", state="absent")]
    limit = "open('/proc/sys/user/max_net_namespaces', 'w').write('1')\n"
    for number, text in enumerate(runs):
        body = "\n".join("    " + line for line in text.splitlines())
        code += "{0}try:\n{1}\nexcept SystemExit:\n    pass\n".format(limit if number else "", body)
    done = script(world, code, "unshare", "-Urnm")
    results = [json.loads(line) for line in done.stdout.splitlines() if line.strip()]
    assert [result.get("changed") for result in results] == [True, True], (results, done.stderr)


def test_unfinished_files_of_a_killed_run_go_wherever_they_are(world: World) -> None:
    """The next run of any lab removes them."""
    world.run("sysctl", lab="demo", settings={"net.ipv4.tcp_sack": "0"}, persist=True)
    before = sorted(os.listdir("/etc/sysctl.d"))
    code = """
import os, signal
rename = os.rename
def fatal(source, target):
    if "sysctl.d" in target:
        os.kill(os.getpid(), signal.SIGKILL)
    rename(source, target)
os.rename = fatal
"""
    run = module("sysctl", lab="demo", settings={"net.ipv4.tcp_timestamps": "0"}, persist=True)
    assert script(world, code + run).returncode == -signal.SIGKILL
    assert len(os.listdir("/etc/sysctl.d")) == len(before) + 1
    world.run("netns", lab="other", name=["c1"])
    assert sorted(os.listdir("/etc/sysctl.d")) == before


# The namespace of another lab

INTO_C1: list[tuple[str, dict[str, t.Any], str]] = [
    ("route", {"dst": "10.9.0.0/16", "via": "10.0.0.1"}, "netns: {0} get a route"),
    ("masquerade", {"src": "10.0.0.0/24", "iif": "v1"}, "netns: {0} get a table"),
    ("sysctl", {"settings": {"net.ipv4.ip_forward": 1}}, "settings: {0} get net.ipv4.ip_forward=1"),
    ("sysctl", {"settings": {"net.ipv4.conf.v1.rp_filter": 2}}, "settings: {0} get net.ipv4.conf.v1.rp_filter=2"),
]


def test_a_lab_writes_nothing_into_the_namespace_of_another_one(world: World) -> None:
    world.run("netns", lab="demo", name=["c1"])
    peer = {"name": "v1", "netns": "c1", "addresses": ["10.0.0.2/24"]}
    world.run("veth", lab="demo", name="v0", addresses=["10.0.0.1/24"], peer=peer)
    refusal = "namespace 'c1' belongs to lab 'demo', not to 'other'; it will not"
    for name, arguments, reason in INTO_C1:
        asked = {**arguments, "lab": "other", "netns": "c1"}
        assert world.refused(name, **asked) == [reason.format(refusal) + " unless force is true"]
    # Existing settings need no force, and neither does the lab's own link into that namespace.
    assert not world.run("sysctl", lab="other", netns="c1", settings={"net.ipv4.ip_forward": 0})["changed"]
    world.run("veth", lab="other", name="w0", peer={"name": "w1", "netns": "c1"})
    world.run("sysctl", lab="other", netns="c1", settings={"net.ipv4.conf.w1.rp_filter": 2})
    # With force, and back again.
    world.run("topology", lab="other", state="absent")
    before = world.state()
    for name, arguments, dummy in INTO_C1:
        assert world.run(name, lab="other", netns="c1", force=True, **arguments)["changed"]
    world.run("topology", lab="other", state="absent")
    assert_same(before, world.state(), "force left something behind")
