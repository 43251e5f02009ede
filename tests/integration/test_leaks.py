# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run leaves nothing behind, and does not disturb others. A run without changes causes no events."""

from __future__ import annotations

import contextlib
import functools
import os
import pathlib
import subprocess
import time
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import namespaces
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.held import holders

LAB = {"lab": "x"}
NETNS = {**LAB, "name": ["c1", "c2"]}
HELD = {**LAB, "name": ["h1"], "held": True}
BRIDGE = {**LAB, "name": "br0", "addresses": ["10.0.0.1/24", "fd00::1/64"], "forward_delay": 0, "mcast_snooping": False}
PAIRS = {
    **LAB,
    "master": "br0",
    "broadcast": True,
    "pairs": [
        {"name": "v1", "peer": {"name": "eth0", "netns": "c1", "addresses": ["10.0.0.2/24", "fd00::2/64"]}},
        {"name": "v2", "peer": {"name": "eth0", "netns": "c2", "addresses": ["10.0.0.3/24"]}},
        {"name": "v3", "mtu": 1400, "peer": {"name": "eth0", "netns": "h1", "addresses": ["10.0.0.4/24"]}},
        {"name": "c1c2", "netns": "c1", "master": "", "peer": {"name": "c2c1", "netns": "c2"}},
    ],
}  # fmt: skip
TASKS = [("netns", NETNS), ("netns", HELD), ("bridge", BRIDGE), ("veth", PAIRS)]
TASKS += [("link", {**LAB, "name": "eth0", "netns": "c2", "mtu": 1300})]
TASKS += [("address", {**LAB, "dev": "c1c2", "netns": "c1", "addresses": ["10.0.2.3/24"]})]


def build(world: t.Any, check: bool = False) -> list[dict[str, t.Any]]:
    """Build a lab with all kinds of objects, and return the results."""
    return [world.run(name, check=check, **arguments) for name, arguments in TASKS]


def remove(world: t.Any) -> None:
    """Remove the whole lab."""
    world.run("bridge", **LAB, name="br0", state="absent")
    world.run("netns", **LAB, name=["c1", "h1", "c2"], state="absent")


# Nothing is left


def seen_from_proc(world: t.Any) -> dict[str, t.Any]:
    """What a run could leave: mounts, links, open files, child processes, and namespaces that processes are in."""
    processes, spaces = set(), set()
    for entry in os.listdir("/proc"):
        with contextlib.suppress(OSError, ValueError):
            if os.stat(f"/proc/{int(entry)}/ns/mnt").st_ino == os.stat("/proc/self/ns/mnt").st_ino:
                processes.add(int(entry))
                spaces.add(os.readlink(f"/proc/{entry}/ns/net"))
    children = ["ps", "--ppid", str(os.getpid()), "-o", "comm="]
    mounts = pathlib.Path("/proc/self/mountinfo").read_text().splitlines()
    return {
        "processes": processes,
        "namespaces": spaces,
        "children": subprocess.run(children, capture_output=True, check=False).stdout,
        "mounts": sorted(line.split(" ", 2)[2] for line in mounts),
        "files": len(os.listdir("/proc/self/fd")),
        "run": sorted(str(path) for path in pathlib.Path("/run").rglob("*")),
        "links": sorted(world.links()),
    }


def test_ten_lives_of_a_lab_leave_nothing(world: t.Any) -> None:
    """After the first build and removal, further ones leave no difference. /run/netns stays, as with ip-netns(8)."""
    build(world)
    remove(world)
    before = seen_from_proc(world)
    for dummy in range(10):
        build(world)
        remove(world)
    assert seen_from_proc(world) == before
    assert before["run"] == ["/run/netns"] and before["links"] == ["lo"]
    # The kernel assigns a number to each namespace to which a link of this one leads.
    assert until(lambda: world.sh("ip netns list-id") == ""), "namespaces live on"


def until(true: t.Callable[[], bool]) -> bool:
    """Whether a condition becomes true within some seconds."""
    for dummy in range(100):
        if true():
            return True
        time.sleep(0.05)
    return False


def test_refusals_leave_nothing(world: t.Any) -> None:
    """Refused runs leave nothing: for invalid input, existing objects, or errors of the kernel."""
    build(world)
    world.sh("echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6", "c2")
    refusals = [
        ("veth", {**LAB, "name": "v9", "peer": {"name": "p9", "netns": "never"}}),
        ("bridge", {**LAB, "name": "lo"}),
        ("netns", {"lab": "y", "name": ["c1"]}),
        ("address", {**LAB, "dev": "eth0", "netns": "c2", "addresses": ["10.8.0.1/24", "fd00::8/64"]}),
        ("veth", {**LAB, "name": "v9", "peer": {"name": "p9", "netns": "c2", "addresses": ["fd00::9/64"]}}),
    ]
    world.refused(refusals[0][0], **refusals[0][1])
    before = seen_from_proc(world)
    for name, arguments in refusals * 3:
        assert world.refused(name, **arguments)
    assert seen_from_proc(world) == before


# Nobody is disturbed


@contextlib.contextmanager
def monitored(world: t.Any, *places: str) -> t.Iterator[list[str]]:
    """The output of `ip monitor` in some namespaces during the body. The list is filled at the end."""
    lines: list[str] = []
    with contextlib.ExitStack() as ends:
        monitors = []
        for ref in places:
            with namespaces.inside_ref(ref):
                command = ["ip", "monitor", *"link address route mroute prefix netconf rule nsid nexthop".split()]
                monitors.append(ends.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE, text=True)))
                ends.callback(monitors[-1].kill)
                assert until(functools.partial(listens, monitors[-1].pid))
        yield lines
        for ref in places:  # `ip monitor` prints this after all earlier events
            world.sh("ip route add blackhole 192.0.2.99 table 99; ip route del blackhole 192.0.2.99 table 99", ref)
        for monitor in monitors:
            assert monitor.stdout is not None
            for line in monitor.stdout:
                if "192.0.2.99" in line:
                    break
                lines.append(line.strip())


def listens(port: int) -> bool:
    """Whether a netlink socket with this number has joined a group."""
    sockets = [line.split() for line in pathlib.Path("/proc/thread-self/net/netlink").read_text().splitlines()]
    return any(line[2] == str(port) and int(line[3], 16) for line in sockets[1:])


def test_second_run_is_not_noticed(world: t.Any) -> None:
    """A second run causes no event in any namespace. A real change causes one."""
    build(world)
    assert until(lambda: "tentative" not in "".join(world.sh("ip -6 addr", ref) for ref in ("", "c1", "c2", "h1")))
    time.sleep(0.2)  # for delayed multicast reports of the kernel
    with monitored(world, "", "c1", "c2", "h1") as lines:
        assert not any(result["changed"] for result in build(world))
        assert not any(result["changed"] for result in build(world, check=True))
    assert lines == []
    with monitored(world, "", "c1") as lines:
        world.run("address", **LAB, dev="eth0", netns="c1", addresses=["10.0.5.1/24"])
        world.run("link", **LAB, name="v1", mtu=1400)
    text = "\n".join(lines)
    assert "inet 10.0.5.1/24" in text and "mtu 1400" in text


def test_check_mode_of_a_change_is_not_noticed(world: t.Any) -> None:
    """Check mode causes no event, and creates no namespace number."""
    build(world)
    assert until(lambda: "tentative" not in world.sh("ip -6 addr") + world.sh("ip -6 addr", "c1"))
    world.sh("ip link set v1 mtu 1300; ip addr del 10.0.0.1/24 dev br0; ip link set v2 nomaster")
    time.sleep(0.2)
    with monitored(world, "", "c1") as lines:
        assert any(result["changed"] for result in build(world, check=True))
    assert lines == []


# Check mode of later tasks without the earlier ones


def test_check_mode_on_an_empty_host_predicts_a_whole_lab(world: t.Any) -> None:
    """Each task assumes what the earlier ones would have created, and reports that."""
    before = world.state()
    predicted = build(world, check=True)
    assert world.state() == before
    assert [result.get("assumed", []) for result in predicted] == [
        [],
        [],
        [],
        ["br0 in the host", "namespace c1", "namespace c2", "namespace h1"],
        ["eth0 in c2", "namespace c2"],
        ["c1c2 in c1", "namespace c1"],
    ]
    assert all(result["changed"] for result in predicted)
    done = build(world)
    for guess, real in zip(predicted[:4], done):
        assert words(guess) == words(real)
    assert not any("assumed" in result for result in done)


def words(result: dict[str, t.Any]) -> list[str]:
    """The commands. Those for an assumed namespace cannot know that a process holds it."""
    text = "\n".join(result["commands"])
    for holder in holders():
        text = text.replace("nsenter -t {0.pid} -n ip".format(holder), "ip -n {0.name}".format(holder))
        text = text.replace("netns {0.pid}".format(holder), "netns {0.name}".format(holder))
    return text.splitlines()


def test_check_mode_assumes_nothing_that_is_there(world: t.Any) -> None:
    """If the lab exists, check mode assumes nothing."""
    build(world)
    assert not any("assumed" in result or result["changed"] for result in build(world, check=True))


def test_removal_in_check_mode_on_an_empty_host(world: t.Any) -> None:
    """Check mode of a removal on an empty host finds nothing, and assumes nothing."""
    for name, arguments in TASKS:
        arguments = {key: value for key, value in arguments.items() if key not in ("held",)}
        result = world.run(name, check=True, **arguments, state="absent")
        assert not result["changed"] and "assumed" not in result
