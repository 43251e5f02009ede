# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module netns. ip-netns(8), nsenter(1) and /proc are the oracles."""

from __future__ import annotations

import os
import pathlib
import subprocess
import typing as t

import pytest


def named(world: t.Any) -> list[str]:
    """The names that `ip netns` lists."""
    return sorted(entry["name"] for entry in world.json("ip -j netns list"))


def lo(world: t.Any, netns: str) -> tuple[bool, str]:
    """Whether `lo` of a namespace is up, and its alias."""
    link = world.links(netns)["lo"]
    return "UP" in link["flags"], link["ifalias"]


def hostname(world: t.Any, pid: str) -> str:
    """The hostname that a process sees."""
    return world.sh("nsenter -t {0} -u hostname".format(pid)).strip()


def pid_of(result: dict[str, t.Any], number: int = 0) -> str:
    """The process that holds a namespace, according to /proc/PID/ns/net."""
    return result["namespaces"][number]["path"].split("/")[2]


# Named namespaces


def test_named_ones_are_those_of_ip_netns(world: t.Any) -> None:
    """`ip netns` lists the namespaces, runs programs in them and deletes them. `lo` is up."""
    done = world.quartet("netns", lab="x", name=["c1", "c2"])
    assert named(world) == ["c1", "c2"]
    assert lo(world, "c1") == lo(world, "c2") == (True, "linuxnet.lab:x")
    assert done["namespaces"] == [{"name": name, "path": "/run/netns/" + name} for name in ("c1", "c2")]
    inside = world.sh("ip netns exec c1 readlink /proc/self/ns/net").strip()
    assert inside == "net:[{0}]".format(os.stat("/run/netns/c1").st_ino)
    assert inside != world.sh("readlink /proc/self/ns/net").strip()
    assert world.sh("ip netns exec c1 ping -c1 -W1 127.0.0.1")
    world.sh("ip netns del c2")
    assert named(world) == ["c1"]
    assert world.run("netns", lab="x", name=["c1", "c2"])["commands"] == done["commands"][1:2] + done["commands"][3:]


def test_commands_and_diff_of_a_birth_and_a_death(world: t.Any) -> None:
    """The commands and the diff describe what the module did. A shell with the commands does the same."""
    done = world.run("netns", lab="x", name=["c1"])
    assert done["diff"] == {"before": {}, "after": {"c1": {"held": False, "links": {"lo": {"up": True}}}}}
    assert done["commands"] == ["ip netns add c1", "ip -n c1 link set dev lo up"]
    assert world.by_hand(done["commands"]) == world.comparable()
    gone = world.quartet("netns", lab="x", name=["c1"], state="absent")
    assert gone["diff"] == {"before": {"c1": {"held": False}}, "after": {}}
    assert gone["commands"] == ["ip netns del c1"]
    assert world.by_hand(gone["commands"], "ip netns add c1; ip -n c1 link set lo up") == world.comparable()
    assert named(world) == [] and "namespaces" not in gone


def test_one_made_by_the_module_is_seen_from_every_mount_namespace(world: t.Any) -> None:
    """/run/netns is a shared mount, so that an older mount namespace gets later mounts."""
    world.run("netns", lab="x", name=["c1"])
    mounts = [line for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines() if " /run/netns " in line]
    assert len(mounts) == 1 and " shared:" in mounts[0]
    elsewhere = subprocess.Popen(
        ["unshare", "--mount", "--propagation", "unchanged", "sh", "-c", "echo ready; read x; ip -n c2 -o link"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert elsewhere.stdout is not None and elsewhere.stdout.readline() == "ready\n"
    world.run("netns", lab="x", name=["c2"])
    assert "1: lo: <LOOPBACK,UP,LOWER_UP>" in elsewhere.communicate("go\n", timeout=20)[0]


def test_directory_made_by_ip_netns_is_used_as_it_is(world: t.Any) -> None:
    """After `ip netns add`, there is one mount on /run/netns. The module adds no other one."""
    world.sh("ip netns add theirs")
    world.run("netns", lab="x", name=["ours"])
    assert named(world) == ["ours", "theirs"]
    assert pathlib.Path("/proc/self/mountinfo").read_text().count(" /run/netns ") == 1


def test_plain_file_in_run_netns_stays(world: t.Any) -> None:
    """As with `ip netns add`: the file may be a namespace in another mount namespace, which would end with the file."""
    os.makedirs("/run/netns")
    pathlib.Path("/run/netns/c1").touch()
    assert not world.run("netns", lab="x", name=["c1"], state="absent")["changed"]
    (error,) = world.refused("netns", lab="x", name=["c1"])
    assert "/run/netns/c1 exists and is no namespace here" in error and "`ip netns del c1`" in error
    world.sh("ip netns del c1")
    world.quartet("netns", lab="x", name=["c1"])


def test_namespace_of_another_mount_namespace_is_not_destroyed(world: t.Any) -> None:
    """It also stays if a run is refused for another reason."""
    os.makedirs("/run/netns")
    command = "mount --make-rprivate /; ip netns add c1; ip netns exec c1 ip link set lo alias theirs; echo made"
    command += "; read x; ip -n c1 link show lo"
    inside = subprocess.Popen(
        ["unshare", "--mount", "bash", "-c", command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert inside.stdout and inside.stdout.readline() == "made\n"
    world.refused("netns", lab="x", name=["c1", "c2"])
    assert "theirs" in inside.communicate("go\n")[0]


def test_lo_is_repaired(world: t.Any) -> None:
    """The module sets `lo` up or down, only in the namespace."""
    world.run("netns", lab="x", name=["c1"])
    world.sh("ip link set lo down", "c1")
    done = world.quartet("netns", lab="x", name=["c1"])
    assert done["diff"] == {
        "before": {"c1": {"links": {"lo": {"up": False}}}},
        "after": {"c1": {"links": {"lo": {"up": True}}}},
    }
    assert done["commands"] == ["ip -n c1 link set dev lo up"]
    assert world.by_hand(done["commands"], "ip netns add c1") == world.comparable()
    world.quartet("netns", lab="x", name=["c1"], lo="down")
    assert not lo(world, "c1")[0]
    assert "UP" in world.links()["lo"]["flags"]


def test_new_one_with_lo_down(world: t.Any) -> None:
    """`lo: down` keeps `lo` down in a new namespace."""
    done = world.quartet("netns", lab="x", name=["c1"], lo="down")
    assert done["commands"] == ["ip netns add c1"]
    assert lo(world, "c1") == (False, "linuxnet.lab:x")


def test_removal_takes_links_along_and_the_peers_of_veths(world: t.Any) -> None:
    """When the module returns, the links in the namespace and their peers elsewhere have disappeared."""
    world.run("netns", lab="x", name=["c1", "c2"])
    world.run("bridge", lab="x", netns="c1", name="br0")
    pairs = [
        {"name": "v1", "peer": {"name": "p1", "netns": "c1", "master": "br0"}},
        {"name": "v2", "netns": "c1", "peer": {"name": "p2", "netns": "c2"}},
    ]
    world.run("veth", lab="x", pairs=pairs)
    gone = world.quartet("netns", lab="x", name=["c1"], state="absent")
    assert gone["commands"][-1] == "ip netns del c1"
    assert set(gone["commands"][:-1]) == {"ip -n c1 link del dev " + name for name in ("br0", "p1", "v2")}
    assert set(world.links()) == set(world.links("c2")) == {"lo"}
    world.run("netns", lab="x", name=["c2"], state="absent")
    assert not world.run("netns", lab="x", name=["c1", "c2", "never"], state="absent")["changed"]


# Namespaces that a process holds


def test_held_ones_have_a_process_and_a_hostname_each(world: t.Any) -> None:
    """A held namespace has no file in /run/netns, but its own network and UTS namespaces. Its process keeps nothing
    else.
    """
    outside = os.uname().nodename
    done = world.quartet("netns", lab="x", name=["netnsB1", "netns11"], held=True)
    pids = [pid_of(done, 0), pid_of(done, 1)]
    assert [hostname(world, pid) for pid in pids] == ["netnsB1", "netns11"]
    assert os.uname().nodename == outside
    assert named(world) == []
    assert len({os.stat("/proc/{0}/ns/net".format(pid)).st_ino for pid in [*pids, "self"]}) == 3
    for pid in pids:
        assert lo(world, pid) == (True, "linuxnet.lab:x")
        assert {os.readlink(entry) for entry in pathlib.Path("/proc", pid, "fd").iterdir()} == {"/dev/null"}
        assert os.readlink("/proc/{0}/cwd".format(pid)) == "/"
        assert os.getsid(int(pid)) not in (os.getsid(0), os.getpid())


def test_commands_and_diff_of_a_held_one(world: t.Any) -> None:
    """The process that the commands start has the same network and hostname."""
    done = world.quartet("netns", lab="x", name=["netns-R"], held=True, hostname="router")
    assert done["diff"] == {
        "before": {},
        "after": {"netns-R": {"held": True, "hostname": "router", "links": {"lo": {"up": True}}}},
    }
    by_hand = world.by_hand(done["commands"], held=["netns-R"])
    assert by_hand == world.comparable()
    assert by_hand["netns-R"]["hostname"] == "router"


def test_absent_ends_the_process(world: t.Any) -> None:
    """The process ends, and with it the namespace and the pairs into it. Other holders stay."""
    made = world.run("netns", lab="x", name=["a", "b"], held=True)
    world.run("veth", lab="x", name="v0", peer={"name": "eth0", "netns": "a"})
    gone = world.quartet("netns", lab="x", name=["a"], state="absent")
    pid = pid_of(made, 0)
    assert gone["commands"] == ["nsenter -t {0} -n ip link del dev eth0".format(pid), "kill {0}".format(pid)]
    assert gone["diff"] == {
        "before": {"a": {"held": True, "hostname": "a", "links": {"eth0": {"kind": "veth", "mtu": 1500, "up": True}}}},
        "after": {},
    }
    assert not alive(pid_of(made, 0)) and alive(pid_of(made, 1))
    assert set(world.links()) == {"lo"}


def alive(pid: str) -> bool:
    """Whether a process is running, and is not a zombie."""
    try:
        return pathlib.Path("/proc", pid, "stat").read_text().split()[2] != "Z"
    except OSError:
        return False


def test_hostname_is_repaired(world: t.Any) -> None:
    """The module sets a changed hostname, and nothing else."""
    made = world.run("netns", lab="x", name=["h"], held=True)
    world.sh("nsenter -t {0} -u hostname intruder".format(pid_of(made)))
    done = world.quartet("netns", lab="x", name=["h"], held=True)
    assert done["diff"] == {"before": {"h": {"hostname": "intruder"}}, "after": {"h": {"hostname": "h"}}}
    assert done["commands"] == ["nsenter -t {0} --uts sysctl -w kernel.hostname=h".format(pid_of(made))]
    assert hostname(world, pid_of(made)) == "h"
    world.sh(done["commands"][0].replace("hostname=h", "hostname=by-hand"))
    assert hostname(world, pid_of(made)) == "by-hand"
    world.quartet("netns", lab="x", name=["h"], held=True, hostname="other.example")
    assert hostname(world, pid_of(made)) == "other.example"


def test_held_one_is_found_by_name_from_other_modules(world: t.Any) -> None:
    """veth, bridge, address and link accept its name like that of a named namespace."""
    made = world.run("netns", lab="x", name=["netnsB1", "netns11"], held=True)
    world.quartet("bridge", lab="x", name="br1", netns="netnsB1")
    end = {"name": "veth11", "netns": "netns11", "addresses": ["192.168.5.1/24"]}
    world.quartet("veth", lab="x", **end, peer={"name": "veth11B", "netns": "netnsB1", "master": "br1"})
    world.quartet("address", lab="x", netns="netnsB1", dev="br1", addresses=["192.168.5.2/24"])
    world.quartet("link", lab="x", netns="netns11", name="veth11", mtu=1400)
    assert world.links(pid_of(made, 0))["veth11B"]["master"] == "br1"
    assert world.links(pid_of(made, 1))["veth11"]["mtu"] == 1400
    assert world.ping(pid_of(made, 1), "192.168.5.2")


def test_several_labs_do_not_mix_up_their_holders(world: t.Any) -> None:
    """A holder belongs to one lab. The other lab gets an error, and cannot end it."""
    made = world.run("netns", lab="x", name=["h"], held=True)
    errors = world.refused("netns", lab="y", name=["h"], state="absent")
    assert errors == [
        "name[0]: namespace 'h' exists and belongs to lab 'x', not to 'y'; it will not be changed unless force is true"
    ]
    assert alive(pid_of(made))


# Namespaces of others


@pytest.mark.parametrize("state", ["present", "absent"])
def test_foreign_one_is_refused_and_taken_over_by_force(world: t.Any, state: str) -> None:
    """A namespace that `ip` created causes one clear error without changes. With force, the module uses it."""
    world.sh("ip netns add c1; ip -n c1 link set lo up")
    assert world.refused("netns", lab="x", name=["c1"], state=state) == [
        "name[0]: namespace 'c1' exists and does not belong to lab 'x'; it will not be changed unless force is true"
    ]
    done = world.quartet("netns", lab="x", name=["c1"], state=state, force=True)
    if state == "present":
        assert "ifalias" not in world.links("c1")["lo"]
        shown = [{"c1": {"links": {"lo": {"adopted_by": lab}}}} for lab in ("", "x")]
        assert done["diff"] == {"before": shown[0], "after": shown[1]}
    else:
        assert named(world) == []


def test_one_whose_mark_was_removed_is_not_adopted_silently(world: t.Any) -> None:
    """Without the alias of `lo`, the namespace does not belong to the lab."""
    world.run("netns", lab="x", name=["c1"])
    world.sh("ip link set lo alias ''", "c1")
    assert "does not belong to lab 'x'" in world.refused("netns", lab="x", name=["c1"])[0]


def test_named_and_held_are_told_apart(world: t.Any) -> None:
    """A namespace does not change its kind. The error names the kind."""
    world.run("netns", lab="x", name=["c1"])
    world.run("netns", lab="x", name=["h1"], held=True)
    assert world.refused("netns", lab="x", name=["c1"], held=True) == [
        "name[0]: namespace 'c1' exists and is not held by a process"
    ]
    assert world.refused("netns", lab="x", name=["h1"]) == ["name[0]: namespace 'h1' exists and is held by a process"]
