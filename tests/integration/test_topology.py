# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import signal
import subprocess
import typing as t

import pytest

from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import syscalls
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.held import holders, release

if t.TYPE_CHECKING:
    from .conftest import World

LAB = "demo"


def files(world: World) -> str:
    """All files of the collection."""
    return world.sh("cd /; find run/linuxnet.lab etc/sysctl.d/* 2>/dev/null; true")


def end(world: World, **arguments: t.Any) -> dict[str, t.Any]:
    """Remove the lab, and require that this succeeds."""
    return world.run("topology", lab=LAB, state="absent", **arguments)


@pytest.fixture
def busy(world: World) -> World:
    """A machine with its own links, routes, tables and namespaces, and with another lab that has one object of each
    kind.
    """
    world.sh("ip netns add plain; ip link add f0 type veth peer name f1 netns plain; ip link add fbr type bridge")
    world.sh("ip addr add 192.0.2.1/24 dev f0; ip link set f0 up; ip link set fbr up; ip route add 10.77.0.0/16 dev f0")
    world.sh("ip link set f1 up; ip addr add 192.0.2.2/24 dev f1; ip route add default via 192.0.2.1", "plain")
    world.sh(
        "nft add table inet linuxnet.lab; nft add table inet linuxnet.lab.demo2; nft add table ip linuxnet.lab.demo"
    )
    build(world, "other", "o", "172.30")
    return world


def build(world: World, lab: str, start: str, prefix: str) -> None:
    """Build one object of each kind, also in namespaces and on links that the lab does not own. Names begin with
    *start*.
    """

    def run(module: str, **arguments: t.Any) -> None:
        world.run(module, lab=lab, **arguments)

    def name(rest: str) -> str:
        return start + rest

    run("netns", name=[name("c1")])
    run("netns", name=[name("held")], held=True)
    run("bridge", name=name("br"), addresses=[prefix + ".0.1/24"])
    peer = {"name": "eth0", "netns": name("c1"), "addresses": [prefix + ".0.2/24"]}
    run("veth", name=name("v1"), master=name("br"), peer=peer)
    run("veth", name=name("v2"), addresses=[prefix + ".1.1/24"], peer={"name": name("p2"), "netns": name("held")})
    run("veth", name=name("v3"), netns="plain", peer={"name": name("p3"), "netns": "plain"})
    run("veth", name=name("v4"), peer={"name": name("p4"), "netns": "plain"})
    run("route", dst="default", via=prefix + ".0.1", netns=name("c1"))
    run("route", dst=prefix + ".8.0/24", via=prefix + ".1.9")
    run("route", dst=prefix + ".9.0/24", dev="f0")
    run("route", dst=prefix + ".9.0/24", dev="f1", netns="plain")
    run("route", dst=prefix + ".10.0/24", type="blackhole")
    run("sysctl", settings={"net.ipv4.ip_forward": 1}, persist=True)
    run("sysctl", settings={"net.ipv6.conf.all.forwarding": 1}, netns="plain")
    run("sysctl", settings={"net.ipv4.ip_forward": 1}, netns=name("c1"))
    run("masquerade", src=prefix + ".0.0/16", oif="f0")
    run("masquerade", src=prefix + ".0.0/16", netns="plain", iif=name("p4"))


def test_everything_of_the_lab_goes_and_nothing_else(busy: World) -> None:
    before, kept = busy.state(), files(busy)
    build(busy, LAB, "d", "10.9")
    (pid,) = [holder.pid for holder in holders() if holder.name == "dheld"]
    done = busy.quartet("topology", lab=LAB, state="absent")
    assert busy.state() == before
    assert files(busy) == kept
    assert done["commands"][-2:] == ["ip netns del dc1", "kill {0}".format(pid)]
    assert not any("dc1 sysctl" in command for command in done["commands"]), "its sysctls end with the namespace"


def test_on_an_empty_host(world: World) -> None:
    before = world.state()
    assert end(world)["changed"] is False
    assert (world.state(), files(world)) == (before, "")


def test_of_a_single_namespace(world: World) -> None:
    world.run("netns", lab=LAB, name=["c1"])
    done = world.quartet("topology", name=LAB, state="absent")
    assert done["commands"] == ["ip netns del c1"]
    assert done["diff"] == {"before": {"c1": {"held": False}}, "after": {}}


def test_the_same_by_hand(busy: World) -> None:
    """Bash removes with the commands what the module built. The commands name the process of the held namespace by its
    PID.
    """
    before = busy.state()
    build(busy, LAB, "d", "10.9")
    commands = end(busy, check=True)["commands"]
    holder = next(holder for holder in holders() if holder.name == "dheld")
    busy.sh("\n".join(["set -e", *commands]))
    release(holder)
    assert busy.state() == before
    assert end(busy)["commands"] == [], "only what the lab remembers is left to be forgotten"
    assert "demo" not in files(busy)


@pytest.mark.parametrize(
    "destruction",
    [
        "ip link del dv1",
        "ip link del dbr; ip -n plain link del dp4",
        "ip netns del dc1; while ip link show dv1; do sleep 0.01; done",
        "ip netns del plain; while ip link show f0; do sleep 0.01; done",
        "ip netns del dc1; while ip link show dv1; do sleep 0.01; done; ip netns add dc1",
        "ip route del 10.9.9.0/24; ip route del blackhole 10.9.10.0/24",
        "nft delete table inet linuxnet.lab.demo; rm /etc/sysctl.d/*demo.conf",
        "ip link set dv2 down; ip -n dc1 link set eth0 name eth7; ip link set dv1 nomaster",
        "ip link set dv2 netns plain",
    ],
)
def test_after_somebody_destroyed_a_part(busy: World, destruction: str) -> None:
    build(busy, LAB, "d", "10.9")
    busy.sh(destruction)
    busy.quartet("topology", lab=LAB, state="absent")
    marked = "for n in '' $(ip netns list | sed 's/ .*//'); do ip ${n:+-n $n} -d link; done | grep alias | grep demo"
    assert busy.sh(marked + "; nft list tables | grep -x 'table inet linuxnet.lab.demo'; true") == ""
    assert [holder.name for holder in holders()] == ["oheld"]
    assert "demo" not in files(busy)
    assert "10.9." not in busy.sh("ip route show table all")


def test_after_the_holder_was_killed(busy: World) -> None:
    before = busy.state()
    build(busy, LAB, "d", "10.9")
    holder = next(holder for holder in holders() if holder.name == "dheld")
    os.kill(holder.pid, signal.SIGKILL)
    release(holder)
    end(busy)
    assert busy.state() == before


def test_in_a_namespace_that_only_a_process_or_a_path_leads_to(busy: World) -> None:
    """Either reference is enough for the removal, even if another lab or nobody owns the namespace."""
    process = subprocess.Popen(["sleep", "60"], preexec_fn=lambda: syscalls.unshare(syscalls.CLONE_NEWNET))
    busy.sh("touch /run/elsewhere; mount --bind /proc/{0}/ns/net /run/elsewhere".format(process.pid))
    pid = str(process.pid)

    def look() -> tuple[t.Any, ...]:
        inside = busy.sh("ip link; nft list ruleset; cat /proc/sys/net/ipv4/ip_forward", pid)
        return busy.state(), inside, files(busy)

    before = look()
    for ref in (pid, "/run/elsewhere"):
        start = "p" if ref == pid else "e"
        busy.run("veth", lab=LAB, netns=ref, name=start + "0", peer={"name": start + "1", "netns": ref})
        busy.run("veth", lab=LAB, netns=ref, name=start + "2", peer={"name": start + "3"})
        busy.run("sysctl", lab=LAB, netns=ref, settings={"net.ipv4.ip_forward": 1})
        busy.run("masquerade", lab=LAB, netns=ref, src="10.9.0.0/24", iif=start + "1")
        busy.quartet("topology", lab=LAB, state="absent")
        assert look() == before
    process.kill()
    process.wait()


def test_a_table_alone_where_only_a_process_leads_to(busy: World) -> None:
    process = subprocess.Popen(["sleep", "60"], preexec_fn=lambda: syscalls.unshare(syscalls.CLONE_NEWNET))
    pid = str(process.pid)
    busy.run("masquerade", lab=LAB, netns=pid, iif="lo", oif="lo", forward="open")
    assert "masquerade" in busy.sh("nft list ruleset", pid)
    end(busy)
    assert busy.sh("nft list ruleset", pid) == ""
    process.kill()
    process.wait()


def test_a_pair_is_removed_once(busy: World) -> None:
    """Deleting one end deletes both."""
    build(busy, LAB, "d", "10.9")
    commands = end(busy)["commands"]
    assert len(commands) == len(set(commands))
    assert sum("link del" in command for command in commands) == 5


def test_ends_what_still_records(world):
    world.run("netns", lab="l", name=["c1"])
    world.module("capture", lab="l", netns="c1", state="started", duration=300)
    world.module("neighbor_watch", lab="other", netns=["c1"], state="started", duration=300)
    done = world.run("topology", lab="l", state="absent")
    assert any(command.startswith("kill ") for command in done["commands"])
    assert world.module("neighbor_watch", lab="other", state="stopped")["ended"] == "stopped"
    assert world.run("topology", lab="l", state="absent")["changed"] is False
    assert world.sh("find /run -type f") == ""
