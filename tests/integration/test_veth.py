# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module veth against the kernel; ip(8) and ping(8) are the oracles."""

from __future__ import annotations

import os
import subprocess
import typing as t

import pytest

from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import namespaces

MINE, THEIRS = "02:00:00:00:00:01", "02:00:00:00:00:02"


@pytest.fixture
def two(world: t.Any) -> t.Any:
    """The world with the namespaces c1 and c2 of lab x."""
    world.run("netns", lab="x", name=["c1", "c2"])
    return world


def cable(**more: t.Any) -> dict[str, t.Any]:
    """A pair from the host to c1, with everything set that can be."""
    peer = {"name": "eth0", "netns": "c1", "mac": THEIRS, "mtu": 1400, "addresses": ["10.0.0.2/24", "fd00::2/64"]}
    mine = {"name": "v0", "mac": MINE, "mtu": 1400, "addresses": ["10.0.0.1/24", "fd00::1/64"]}
    return {"lab": "x", **mine, "peer": peer, **more}


def brief(link: dict[str, t.Any]) -> dict[str, t.Any]:
    """What a test says about a link."""
    seen = {
        "up": "UP" in link["flags"],
        "mtu": link["mtu"],
        "mac": link["address"],
        "alias": link["ifalias"],
        "kind": link["linkinfo"]["info_kind"],
    }
    return {**seen, **({"master": link["master"]} if "master" in link else {})}


# Births


def test_host_to_namespace(two: t.Any) -> None:
    """Both ends are as asked, with all their attributes, and talk in both families."""
    for netns in ("", "c1"):  # no second of waiting for others with the same IPv6 address
        two.sh("cd /proc/sys/net/ipv6/conf; echo 0 | tee all/accept_dad > default/accept_dad", netns)
    done = two.quartet("veth", **cable())
    common = {"up": True, "mtu": 1400, "alias": "linuxnet.lab:x", "kind": "veth"}
    assert brief(two.links()["v0"]) == {**common, "mac": MINE}
    assert brief(two.links("c1")["eth0"]) == {**common, "mac": THEIRS}
    assert two.addresses("v0") == ["10.0.0.1/24"] and two.addresses("v0", family="inet6") == ["fd00::1/64"]
    assert two.addresses("eth0", "c1") == ["10.0.0.2/24"]
    assert two.addresses("eth0", "c1", "inet6") == ["fd00::2/64"]
    assert two.ping("", "10.0.0.2") and two.ping("c1", "10.0.0.1")
    assert two.ping("c1", "fd00::1") and two.ping("", "fd00::2")
    assert done["commands"] == [
        f"ip link add name v0 mtu 1400 address {MINE} type veth peer name eth0 mtu 1400 address {THEIRS} netns c1",
        "ip link set dev v0 up",
        "ip addr add 10.0.0.1/24 dev v0",
        "ip addr add fd00::1/64 dev v0 nodad",
        "ip -n c1 link set dev eth0 up",
        "ip -n c1 addr add 10.0.0.2/24 dev eth0",
        "ip -n c1 addr add fd00::2/64 dev eth0 nodad",
    ]
    assert done["diff"] == {
        "before": {},
        "after": {
            "host": {
                "links": {
                    "v0": {
                        "kind": "veth",
                        "peer": "eth0 in c1",
                        "up": True,
                        "addresses": ["10.0.0.1/24", "fd00::1/64"],
                    }
                }
            },
            "c1": {
                "links": {
                    "eth0": {
                        "kind": "veth",
                        "peer": "v0 in the host",
                        "up": True,
                        "addresses": ["10.0.0.2/24", "fd00::2/64"],
                    }
                }
            },
        },
    }


# Each: the pair, and (namespace, link) of both ends.
BIRTHS = {
    "both_in_the_host": ({"name": "veth0", "peer": {"name": "ceth0"}}, ("", "veth0"), ("", "ceth0")),
    "both_in_one_namespace": (
        {"name": "veth0", "netns": "c1", "peer": {"name": "ceth0", "netns": "c1"}},
        ("c1", "veth0"),
        ("c1", "ceth0"),
    ),
    "in_two_namespaces": (
        {"name": "v1", "netns": "c1", "peer": {"name": "v2", "netns": "c2"}},
        ("c1", "v1"),
        ("c2", "v2"),
    ),
    "same_name_at_both_ends": (
        {"name": "eth0", "netns": "c1", "peer": {"name": "eth0", "netns": "c2"}},
        ("c1", "eth0"),
        ("c2", "eth0"),
    ),
    "namespace_first_then_host": ({"name": "v1", "netns": "c1", "peer": {"name": "v2"}}, ("c1", "v1"), ("", "v2")),
    "masters_at_both_ends": (
        {"name": "v1", "master": "br0", "peer": {"name": "v2", "netns": "c2", "master": "br2"}},
        ("", "v1"),
        ("c2", "v2"),
    ),
    "master_at_the_peer_alone": (
        {"name": "v1", "netns": "c1", "peer": {"name": "v2", "netns": "c2", "master": "br2"}},
        ("c1", "v1"),
        ("c2", "v2"),
    ),
    "mtu_given_for_one_end": (
        {"name": "v1", "mtu": 1300, "peer": {"name": "v2", "netns": "c2"}},
        ("", "v1"),
        ("c2", "v2"),
    ),
    "down": ({"name": "v1", "up": False, "peer": {"name": "v2", "netns": "c2", "up": False}}, ("", "v1"), ("c2", "v2")),
    "broadcast": (
        {"name": "v1", "broadcast": True, "addresses": ["192.168.5.1/24"], "peer": {"name": "v2", "netns": "c2"}},
        ("", "v1"),
        ("c2", "v2"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("birth", BIRTHS)
def test_birth(two: t.Any, birth: str) -> None:
    """Each end is where it should be, is the other's peer, and the commands by hand give the same state."""
    arguments, *ends = BIRTHS[birth]
    bridges = "ip link add br0 type bridge; ip -n c2 link add br2 type bridge" if "master" in birth else ""
    two.sh(bridges or ":")
    done = two.quartet("veth", lab="x", **arguments)
    for (netns, name), options, (far, far_name) in zip(ends, (arguments, arguments["peer"]), reversed(ends)):
        link = two.links(netns)[name]
        assert brief(link) == {
            "up": options.get("up", True),
            "mtu": arguments.get("mtu", 1500),
            "mac": link["address"],
            "alias": "linuxnet.lab:x",
            "kind": "veth",
            **({"master": options["master"]} if "master" in options else {}),
        }
        peer_index = link.get("link_index") or two.links(far)[link["link"]]["ifindex"]
        assert two.links(far)[far_name]["ifindex"] == peer_index
        assert ("link_netnsid" in link) is (far != netns)
    setup = "ip netns add c1; ip netns add c2; ip -n c1 link set lo up; ip -n c2 link set lo up;"
    assert two.by_hand(done["commands"], setup + bridges) == two.comparable()
    if birth == "broadcast":
        shown = two.json("ip -4 -j addr show dev v1")[0]["addr_info"]
        assert [info["broadcast"] for info in shown] == ["192.168.5.255"]


def test_macs_not_given_are_unique_and_local(two: t.Any) -> None:
    """Ends without a MAC get different ones, unicast and locally administered."""
    two.run("veth", lab="x", pairs=[{"name": f"v{n}", "peer": {"name": f"p{n}", "netns": "c1"}} for n in range(3)])
    macs = [
        link["address"] for netns in ("", "c1") for name, link in two.links(netns).items() if name != "lo"
    ]
    assert len(set(macs)) == 6
    assert {int(mac[:2], 16) & 3 for mac in macs} == {2}


def test_several_pairs_in_one_task(two: t.Any) -> None:
    """What a pair leaves out is the task's own; a chain host - c1 - c2 and a second cable to c1."""
    pairs = [
        {
            "name": "v1",
            "addresses": ["10.0.1.1/24"],
            "peer": {"name": "up", "netns": "c1", "addresses": ["10.0.1.2/24"]},
        },
        {
            "name": "down",
            "netns": "c1",
            "addresses": ["10.0.2.1/24"],
            "peer": {"name": "up", "netns": "c2", "addresses": ["10.0.2.2/24"]},
        },
        {"name": "v2", "mtu": 1500, "peer": {"name": "side", "netns": "c1"}},
    ]
    two.quartet("veth", lab="x", mtu=1400, pairs=pairs)
    assert {name: link["mtu"] for name, link in two.links("c1").items()} == {
        "lo": 65536,
        "up": 1400,
        "down": 1400,
        "side": 1500,
    }
    assert two.ping("", "10.0.1.2") and two.ping("c1", "10.0.2.2")
    gone = two.quartet("veth", lab="x", pairs=pairs, state="absent")
    assert gone["commands"] == ["ip link del dev v1", "ip -n c1 link del dev down", "ip link del dev v2"]
    assert set(two.links()) == set(two.links("c1")) == set(two.links("c2")) == {"lo"}


@pytest.mark.parametrize("reference", ["pid", "path"])
def test_namespace_by_pid_or_path(world: t.Any, reference: str) -> None:
    """A namespace that nobody named, such as a container's, is meant by a PID or by a path."""
    with subprocess.Popen(["unshare", "--net", "sleep", "60"]) as process:
        wait_for_namespace(process.pid)
        netns = str(process.pid) if reference == "pid" else f"/proc/{process.pid}/ns/net"
        pair = {"name": "v0", "addresses": ["10.0.0.1/24"], "peer": {"name": "eth0", "netns": netns}}
        done = world.quartet("veth", lab="x", **pair)
        assert brief(world.links(str(process.pid))["eth0"])["up"]
        world.quartet("address", lab="x", dev="eth0", netns=netns, addresses=["10.0.0.2/24"])
        assert world.ping("", "10.0.0.2")
        world.quartet("bridge", lab="x", name="br0", netns=netns, ports=["eth0"])
        assert world.links(str(process.pid))["eth0"]["master"] == "br0"
        world.quartet("veth", lab="x", name="v0", state="absent")
        world.sh(done["commands"][0])
        assert "eth0" in world.links(str(process.pid))
        process.kill()


def wait_for_namespace(pid: int) -> None:
    """Until unshare(1) has done its work."""
    for dummy in range(1000):
        if os.stat(f"/proc/{pid}/ns/net").st_ino != os.stat("/proc/self/ns/net").st_ino:
            return
        subprocess.run(["sleep", "0.01"], check=True)


def test_references_to_one_namespace_are_one(two: t.Any) -> None:
    """A pair made by name is the same pair when a task names the namespace by its path, or both ways."""
    two.run("veth", **cable())
    pairs = [
        {"name": f"v{n}", "peer": {"name": f"p{n}", "netns": netns}} for n, netns in enumerate(("c1", "/run/netns/c1"))
    ]
    pairs[0]["name"] = "w0"
    two.quartet("veth", lab="x", pairs=pairs)
    two.quartet("veth", lab="x", pairs=pairs[1:], netns="/proc/self/ns/net", state="absent")
    for path in ("/run/netns/c1", "/var/run/netns/../netns/c1"):
        again = cable()
        again["peer"]["netns"] = path
        assert not two.run("veth", **again)["changed"]
    assert not two.run("veth", **cable(netns="/proc/self/ns/net"))["changed"]


# Drift. Each: what happens from outside, and the commands that mend it; {macs} are those of `cable`.

DRIFTS = {
    "down": ("ip link set v0 down", ["ip link set dev v0 up", "ip addr add fd00::1/64 dev v0 nodad"]),
    "peer_down": (
        "ip -n c1 link set dev eth0 down",
        ["ip -n c1 link set dev eth0 up", "ip -n c1 addr add fd00::2/64 dev eth0 nodad"],
    ),
    "mtu": ("ip link set dev v0 mtu 1500", ["ip link set dev v0 mtu 1400"]),
    "peer_mtu": ("ip -n c1 link set dev eth0 mtu 1300", ["ip -n c1 link set dev eth0 mtu 1400"]),
    "mac": ("ip link set dev v0 address 02:00:00:00:00:99", [f"ip link set dev v0 address {MINE}"]),
    "peer_mac": ("ip -n c1 link set eth0 address 02:00:00:00:00:99", [f"ip -n c1 link set dev eth0 address {THEIRS}"]),
    "several_at_once": (
        "ip link set v0 mtu 1500 address 02:00:00:00:00:99; ip addr del 10.0.0.1/24 dev v0",
        [f"ip link set dev v0 mtu 1400 address {MINE}", "ip addr add 10.0.0.1/24 dev v0"],
    ),
    "address_missing": ("ip addr del 10.0.0.1/24 dev v0", ["ip addr add 10.0.0.1/24 dev v0"]),
    "address6_missing": ("ip -n c1 addr del fd00::2/64 dev eth0", ["ip -n c1 addr add fd00::2/64 dev eth0 nodad"]),
    "address_extra": ("ip addr add 10.9.9.9/32 dev v0", ["ip addr del 10.9.9.9/32 dev v0"]),
    "address6_extra": ("ip addr add fd00::9/128 dev v0 nodad", ["ip addr del fd00::9/128 dev v0"]),
    "secondary_extra": ("ip addr add 10.0.0.9/24 dev v0", ["ip addr del 10.0.0.9/24 dev v0"]),
    "prefix_wrong": (
        "ip addr del 10.0.0.1/24 dev v0; ip addr add 10.0.0.1/16 dev v0",
        ["ip addr del 10.0.0.1/16 dev v0", "ip addr add 10.0.0.1/24 dev v0"],
    ),
    "prefix6_wrong": (
        "ip addr del fd00::1/64 dev v0; ip addr add fd00::1/48 dev v0 nodad",
        ["ip addr del fd00::1/48 dev v0", "ip addr add fd00::1/64 dev v0 nodad"],
    ),
    "broadcast_wrong": (
        "ip addr del 10.0.0.1/24 dev v0; ip addr add 10.0.0.1/24 brd 10.0.0.99 dev v0",
        ["ip addr del 10.0.0.1/24 dev v0", "ip addr add 10.0.0.1/24 dev v0"],
    ),
    "remote_address": (
        "ip addr del 10.0.0.1/24 dev v0; ip addr add 10.0.0.1 peer 10.5.0.5/24 dev v0",
        ["ip addr del 10.0.0.1 peer 10.5.0.5/24 dev v0", "ip addr add 10.0.0.1/24 dev v0"],
    ),
    "enslaved_elsewhere": ("ip link add br9 type bridge; ip link set v0 master br9", ["ip link set dev v0 nomaster"]),
}  # fmt: skip


@pytest.mark.parametrize("drift", DRIFTS)
def test_drift_is_repaired(two: t.Any, drift: str) -> None:
    """What was changed from outside is changed back, and nothing else; by hand as well."""
    damage, commands = DRIFTS[drift]
    made = two.run("veth", **cable(master=""))
    whole = two.comparable()
    two.sh(damage)
    done = two.quartet("veth", **cable(master=""))
    assert done["commands"] == commands
    setup = "ip netns add c1; ip netns add c2; ip -n c1 link set lo up; ip -n c2 link set lo up;"
    by_hand = two.by_hand(commands, "\n".join([setup, *made["commands"], damage]))
    assert by_hand == two.comparable()
    if drift == "enslaved_elsewhere":
        two.sh("ip link del br9")
    assert two.comparable() == whole
    macs = two.links()["v0"]["address"], two.links("c1")["eth0"]["address"]
    assert macs == (MINE, THEIRS)


def test_set_down_it_has_its_addresses_all_the_same(two: t.Any) -> None:
    """A link that goes down loses its IPv6 addresses: they are given to it after that."""
    two.run("veth", **cable())
    done = two.quartet("veth", **cable(up=False))
    assert done["commands"] == ["ip link set dev v0 down", "ip addr add fd00::1/64 dev v0 nodad"]
    assert two.addresses("v0", family="inet6") == ["fd00::1/64"]


def test_diff_of_a_repair(two: t.Any) -> None:
    """Before and after hold what differs, and nothing else."""
    two.run("veth", **cable())
    two.sh("ip link set v0 mtu 1500; ip -n c1 addr del 10.0.0.2/24 dev eth0; ip -n c1 addr add 10.0.0.3/24 dev eth0")
    assert two.run("veth", **cable())["diff"] == {
        "before": {
            "host": {"links": {"v0": {"mtu": 1500}}},
            "c1": {"links": {"eth0": {"addresses": ["10.0.0.3/24", "fd00::2/64"]}}},
        },
        "after": {
            "host": {"links": {"v0": {"mtu": 1400}}},
            "c1": {"links": {"eth0": {"addresses": ["fd00::2/64", "10.0.0.2/24"]}}},
        },
    }


@pytest.mark.parametrize("change", ["changed", "removed", "added"])
def test_master_is_repaired(two: t.Any, change: str) -> None:
    """A port is put back on its bridge, from another one or from none; a former port is taken off."""
    two.sh("ip link add br0 type bridge; ip link add br9 type bridge")
    two.run("veth", **cable(master="" if change == "added" else "br0"))
    two.sh({"changed": "ip link set v0 master br9", "removed": "ip link set v0 nomaster"}.get(change, ":"))
    done = two.quartet("veth", **cable(master="br0"))
    assert done["commands"] == ["ip link set dev v0 master br0"]
    assert two.links()["v0"]["master"] == "br0"
    two.quartet("veth", **cable(master=""))
    assert "master" not in two.links()["v0"]


def test_what_is_not_named_is_left_alone(two: t.Any) -> None:
    """MTU, MAC, master and addresses that the task does not name stay, even at an end that is moved."""
    two.sh("ip link add br9 type bridge")
    bare = {"lab": "x", "name": "v0", "peer": {"name": "eth0", "netns": "c1"}}
    two.run("veth", **bare)
    two.sh("ip link set v0 mtu 1300 address 02:00:00:00:00:99 master br9; ip addr add 10.1.1.1/24 dev v0")
    before = two.state()
    assert not two.run("veth", **bare)["changed"]
    assert two.state() == before


# Where an end has gone, from outside: the commands, and the one that brings it back to eth0 in c1.

JOURNEYS = {
    "to_another_named_one": ("ip -n c1 link set dev eth0 netns c2", "ip -n c2 link set dev eth0 netns c1"),
    "to_one_that_the_task_does_not_name": (
        "ip netns add far; ip -n c1 link set eth0 netns far",
        "ip -n far link set dev eth0 netns c1",
    ),
    "to_the_host": ("ip -n c1 link set dev eth0 netns $$; true", "ip link set dev eth0 netns c1"),
    "renamed": ("ip -n c1 link set dev eth0 name other", "ip -n c1 link set dev other name eth0"),
    "renamed_and_moved": ("ip -n c1 link set dev eth0 name x1 netns c2", "ip -n c2 link set dev x1 name eth0 netns c1"),
}


@pytest.mark.parametrize("up_there", [False, True], ids=["down", "up"])
@pytest.mark.parametrize("journey", JOURNEYS)
def test_end_is_brought_back(two: t.Any, journey: str, up_there: bool) -> None:
    """An end that was moved, renamed, or both is found by its other end, and set up again as it was."""
    made = two.run("veth", **cable())
    whole = two.comparable()
    damage, back = JOURNEYS[journey]
    if up_there:  # and in use
        there, name = back.split(" link set dev ")[0], back.split(" link set dev ")[1].split()[0]
        damage += f"; {there} link set {name} up; {there} addr add 10.7.7.7/24 dev {name}"
        damage += f"; {there} addr add fd07::7/64 dev {name} nodad"
    two.sh(damage)
    done = two.quartet("veth", **cable())
    assert back in done["commands"]
    setup = "ip netns add c1; ip netns add c2; ip -n c1 link set lo up; ip -n c2 link set lo up;"
    by_hand = two.by_hand(done["commands"], "\n".join([setup, *made["commands"], damage]))
    assert by_hand == two.comparable()
    assert {key: value for key, value in two.comparable().items() if key != "far"} == whole
    assert two.links("c1")["eth0"]["address"] == THEIRS
    assert two.ping("c1", "10.0.0.1")


def test_end_is_brought_back_to_the_host(two: t.Any) -> None:
    """The host's end, moved away, comes home; so does its address."""
    made = two.run("veth", **cable())
    whole = two.comparable()
    two.sh("ip link set v0 netns c2")
    done = two.quartet("veth", **cable())
    assert "ip -n c2 link set dev v0 netns $$" in done["commands"]
    setup = "ip netns add c1; ip netns add c2; ip -n c1 link set lo up; ip -n c2 link set lo up;"
    assert two.by_hand(done["commands"], "\n".join([setup, *made["commands"], "ip link set dev v0 netns c2"])) == whole
    assert two.comparable() == whole


def test_diff_of_a_move(two: t.Any) -> None:
    """A move is told from where to where."""
    two.run("veth", lab="x", name="v0", peer={"name": "eth0", "netns": "c1"})
    two.sh("ip -n c1 link set eth0 name e9 netns c2")
    diff = two.run("veth", lab="x", name="v0", peer={"name": "eth0", "netns": "c1"})["diff"]
    assert diff["before"]["c2"]["links"]["e9"] == {"name": "e9", "netns": "c2"}
    assert diff["after"]["c2"]["links"]["e9"] == {"name": "eth0", "netns": "c1"}


def test_end_in_a_namespace_that_nobody_knows(two: t.Any) -> None:
    """Where it cannot be found the error says whose peer is missing, and nothing is made anew."""
    two.run("veth", lab="x", name="v0", peer={"name": "eth0", "netns": "c1"})
    with subprocess.Popen(["unshare", "--net", "sleep", "60"]) as process:
        wait_for_namespace(process.pid)
        two.sh(f"ip -n c1 link set eth0 netns {process.pid}")
        errors = two.refused("veth", lab="x", name="v0", peer={"name": "eth0", "netns": "c1"})
        assert errors == [
            "name: the peer of 'v0' in the host's namespace is in a namespace that cannot be found"
        ]
        process.kill()


def test_moving_a_pair_by_asking_for_another_place(two: t.Any) -> None:
    """An end asked for elsewhere, or by another name, is moved and renamed: the pair is the same one."""
    pair = {"lab": "x", "name": "v0", "peer": {"name": "eth0", "netns": "c1"}}
    two.run("veth", **pair)
    index = two.links()["v0"]["ifindex"]
    two.quartet("veth", **{**pair, "peer": {"name": "lan", "netns": "c2"}})
    assert set(two.links("c1")) == {"lo"} and "lan" in two.links("c2")
    assert two.links()["v0"]["ifindex"] == index


def test_ends_of_two_pairs_are_not_taken_for_one(two: t.Any) -> None:
    """Two cables crossed by mistake: the error says which end is whose peer."""
    pairs = [{"name": f"v{n}", "peer": {"name": f"p{n}", "netns": "c1"}} for n in (1, 2)]
    two.run("veth", lab="x", pairs=pairs)
    assert two.refused("veth", lab="x", name="v1", peer={"name": "p2", "netns": "c1"}) == [
        "name: 'v1' in the host's namespace is the peer of 'p1' in namespace 'c1', not of 'p2' in namespace 'c1'"
    ]


def test_pair_renamed_at_both_ends_is_not_made_twice(two: t.Any) -> None:
    """By its names it cannot be found: its addresses tell where it is."""
    two.run("veth", **cable())
    two.sh("ip link set v0 name w0; ip -n c1 link set eth0 name w1")
    assert two.refused("veth", **cable()) == [
        "addresses[0]: 10.0.0.1 is already on w0 in the host's namespace",
        "addresses[1]: fd00::1 is already on w0 in the host's namespace",
        "peer.addresses[0]: 10.0.0.2 is already on w1 in namespace 'c1'",
        "peer.addresses[1]: fd00::2 is already on w1 in namespace 'c1'",
    ]


# Removal


@pytest.mark.parametrize("by", ["host", "namespace", "peer", "both"])
def test_removal_by_either_end(two: t.Any, by: str) -> None:
    """One end is enough to name the pair, and it need not be the first."""
    two.run("veth", lab="x", name="v0", peer={"name": "eth0", "netns": "c1"})
    end = {
        "host": {"name": "v0"},
        "namespace": {"name": "eth0", "netns": "c1"},
        "peer": {"name": "never", "peer": {"name": "eth0", "netns": "c1"}},
        "both": {"name": "v0", "peer": {"name": "eth0", "netns": "c1"}},
    }[by]
    gone = two.quartet("veth", lab="x", state="absent", **end)
    assert set(two.links()) == set(two.links("c1")) == {"lo"}
    if by in ("host", "both"):
        assert gone["commands"] == ["ip link del dev v0"]
        assert gone["diff"] == {
            "before": {"host": {"links": {"v0": {"kind": "veth", "mtu": 1500, "up": True}}}},
            "after": {},
        }


def test_removal_where_there_is_no_namespace(two: t.Any) -> None:
    """What is gone with its namespace is no error."""
    end = {"name": "v0", "peer": {"name": "eth0", "netns": "gone"}}
    assert not two.run("veth", lab="x", state="absent", **end)["changed"]


# Not ours


FOREIGN = "ip link add v0 type veth peer name eth0 netns c1"
NOT_OURS = {
    "veth": (FOREIGN, "does not belong to lab 'x'"),
    "bridge": ("ip link add name v0 type bridge", "does not belong to lab 'x'"),
    "other_lab": (FOREIGN + "; ip link set v0 alias linuxnet.lab:y", "belongs to lab 'y', not to 'x'"),
    "uplink": (
        FOREIGN + "; ip link set v0 up; ip addr add 10.1.0.1/24 dev v0; ip route add default via 10.1.0.9",
        "does not belong to lab 'x'; it carries the host's default route",
    ),
}


@pytest.mark.parametrize("case", NOT_OURS)
@pytest.mark.parametrize("state", ["present", "absent"])
def test_foreign_link_of_the_same_name_is_refused(two: t.Any, case: str, state: str) -> None:
    """One error, which says what it is; nothing changes."""
    setup, whose = NOT_OURS[case]
    two.sh(setup)
    deed = "be changed" if state == "present" else "be deleted"
    pair = {"name": "v0", "peer": {"name": "other", "netns": "c2"}}
    assert two.refused("veth", lab="x", state=state, **pair) == [
        f"name: link 'v0' exists in the host's namespace and {whose}; it will not {deed} unless force is true"
    ]


def test_link_of_another_kind_is_refused_even_with_force(two: t.Any) -> None:
    """Force takes over a veth; it makes no veth of a bridge."""
    two.sh("ip link add v0 type bridge")
    errors = two.refused("veth", lab="x", force=True, name="v0", peer={"name": "eth0", "netns": "c1"})
    assert errors == ["name: 'v0' in the host's namespace is a bridge, not a veth"]


def test_force_takes_a_foreign_pair_over(two: t.Any) -> None:
    """Both ends get what is asked for, and no mark."""
    two.sh(FOREIGN)
    two.quartet("veth", force=True, **cable())
    one, other = two.links()["v0"], two.links("c1")["eth0"]
    assert (one["mtu"], one["address"], "UP" in one["flags"]) == (1400, MINE, True)
    assert "ifalias" not in one and "ifalias" not in other
    assert not two.run("veth", **cable())["changed"]


@pytest.mark.parametrize("end", ["v0", "eth0"])
def test_pair_whose_mark_was_removed_is_not_adopted_silently(two: t.Any, end: str) -> None:
    """The mark of either end is enough to refuse."""
    two.run("veth", **cable())
    netns = "" if end == "v0" else "c1"
    two.sh(f"ip link set {end} alias ''", netns)
    errors = two.refused("veth", **cable())
    assert len(errors) == 1 and f"link '{end}' exists in" in errors[0] and "does not belong to lab 'x'" in errors[0]


def test_namespaces_sockets_stay_with_their_namespaces(two: t.Any) -> None:
    """The process that ran the module is where it was."""
    home = os.stat("/proc/self/ns/net").st_ino
    two.run("veth", **cable())
    assert os.stat("/proc/self/ns/net").st_ino == os.stat("/proc/thread-self/ns/net").st_ino == home
    assert namespaces.named() == ["c1", "c2"]


@pytest.mark.parametrize("where", [{"name": "w0"}, {"name": "v0", "netns": "c2"}], ids=["renamed", "moved"])
def test_addresses_left_out_stay_on_the_way_to_a_name_or_place(world: t.Any, where: dict[str, str]) -> None:
    """Neither the going down nor another namespace takes them, and the diff does not leave them out."""
    world.run("netns", lab="x", name=["c1", "c2"])
    peer = {"name": "eth0", "netns": "c1"}
    world.run("veth", lab="x", name="v0", addresses=["10.0.0.1/24", "fd00::1/64"], peer=peer)
    world.quartet("veth", lab="x", **where, peer=peer)
    name, netns = where["name"], where.get("netns", "")
    found = world.addresses(name, netns) + world.addresses(name, netns, "inet6")
    assert found == ["10.0.0.1/24", "fd00::1/64"]
