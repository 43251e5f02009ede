# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module bridge. ip(8) and ping(8) are the oracles."""

from __future__ import annotations

import time
import typing as t

import pytest

MAC = "02:00:00:00:00:0b"
WHOLE = {
    "lab": "x",
    "name": "br0",
    "mac": MAC,
    "mtu": 1400,
    "addresses": ["10.0.0.1/24", "fd00::1/64"],
    "stp": True,
    "forward_delay": 4,
    "ageing_time": 60,
    "mcast_snooping": False,
}
WHOLE_COMMANDS = [
    f"ip link add name br0 address {MAC} type bridge stp_state 1 forward_delay 400 ageing_time 6000 mcast_snooping 0",
    "ip link set dev br0 mtu 1400",
    "ip addr add 10.0.0.1/24 dev br0",
    "ip addr add fd00::1/64 dev br0 nodad",
    "ip link set dev br0 up",
]


@pytest.fixture
def ports(world: t.Any) -> t.Any:
    """The world with the namespace c1 of lab x, and the lab's pairs p1, e1 and p2, e2: p1 and p2 on the host, e1 and e2
    in c1.
    """
    world.run("netns", lab="x", name=["c1"])
    pairs = [{"name": f"p{n}", "peer": {"name": f"e{n}", "netns": "c1"}} for n in (1, 2)]
    world.run("veth", lab="x", pairs=pairs)
    return world


def options(world: t.Any, netns: str = "", name: str = "br0") -> dict[str, t.Any]:
    """The options of a bridge that `ip -d link` reports, as far as the module sets them."""
    data = world.links(netns)[name]["linkinfo"]["info_data"]
    return {key: data[key] for key in ("stp_state", "forward_delay", "ageing_time", "mcast_snooping")}


def members(world: t.Any, netns: str = "", name: str = "br0") -> list[str]:
    """The ports of a bridge."""
    return sorted(link["ifname"] for link in world.links(netns).values() if link.get("master") == name)


def vlan_filtering(world: t.Any) -> bool:
    """Whether this kernel's bridges support VLAN filtering."""
    return "not supported" not in world.sh(
        "ip link add probe0 type bridge vlan_filtering 1 2>&1 && ip link del probe0", check=False
    )


# New bridges


def test_bridge_with_everything(world: t.Any) -> None:
    """The module converts seconds and booleans to the kernel's units. The commands create the same bridge."""
    done = world.quartet("bridge", **WHOLE)
    link = world.links()["br0"]
    assert (link["address"], link["mtu"], link["ifalias"], "UP" in link["flags"]) == (MAC, 1400, "linuxnet.lab:x", True)
    assert options(world) == {"stp_state": 1, "forward_delay": 400, "ageing_time": 6000, "mcast_snooping": 0}
    assert world.addresses("br0") == ["10.0.0.1/24"] and world.addresses("br0", family="inet6") == ["fd00::1/64"]
    assert done["commands"] == WHOLE_COMMANDS
    assert done["diff"] == {
        "before": {},
        "after": {
            "host": {
                "links": {
                    "br0": {
                        "kind": "bridge",
                        "stp": True,
                        "forward_delay": 4,
                        "ageing_time": 60,
                        "mcast_snooping": False,
                        "addresses": ["10.0.0.1/24", "fd00::1/64"],
                        "up": True,
                    }
                }
            }
        },
    }
    assert world.by_hand(done["commands"]) == world.comparable()


def test_bare_bridge_is_the_kernels_own(world: t.Any) -> None:
    """A bridge without options has the defaults of `ip link add ... type bridge`."""
    done = world.quartet("bridge", lab="x", name="br0")
    assert done["commands"] == ["ip link add name br0 type bridge", "ip link set dev br0 up"]
    assert world.by_hand(done["commands"]) == world.comparable()


def test_bridge_in_a_namespace_switches(ports: t.Any) -> None:
    """Through a bridge in a namespace, the links of two namespaces reach each other. The host does not see the bridge.
    """
    ports.run("netns", lab="x", name=["sw", "c2"])
    pairs = [
        {"name": "a", "netns": "sw", "peer": {"name": "eth0", "netns": "c1", "addresses": ["10.0.0.2/24"]}},
        {"name": "b", "netns": "sw", "peer": {"name": "eth0", "netns": "c2", "addresses": ["10.0.0.3/24"]}},
    ]
    ports.run("veth", lab="x", pairs=pairs)
    done = ports.quartet("bridge", lab="x", name="br1", netns="sw", ports=["a", "b"], forward_delay=0)
    assert done["commands"] == [
        "ip -n sw link add name br1 type bridge forward_delay 0",
        "ip -n sw link set dev a master br1",
        "ip -n sw link set dev b master br1",
        "ip -n sw link set dev br1 up",
    ]
    assert members(ports, "sw", "br1") == ["a", "b"] and "br1" not in ports.links()
    assert ports.ping("c1", "10.0.0.3")


def test_several_bridges_in_one_task(world: t.Any) -> None:
    """Options that a bridge omits come from the task."""
    bridges = [{"name": "br0", "addresses": ["10.0.0.1/24"]}, {"name": "br1", "ageing_time": 10}]
    world.quartet("bridge", lab="x", mtu=1300, ageing_time=20, bridges=bridges)
    assert [world.links()[name]["mtu"] for name in ("br0", "br1")] == [1300, 1300]
    assert [options(world, "", name)["ageing_time"] for name in ("br0", "br1")] == [2000, 1000]
    gone = world.quartet("bridge", lab="x", bridges=[{"name": "br0"}, {"name": "br1"}], state="absent")
    assert gone["commands"] == ["ip link del dev br0", "ip link del dev br1"]
    assert set(world.links()) == {"lo"}


@pytest.mark.parametrize("mtu", [1500, 1450])
def test_its_own_mtu_is_not_that_of_its_ports(world: t.Any, mtu: int) -> None:
    world.run("veth", lab="x", name="p0", mtu=1400, peer={"name": "p1"})
    world.quartet("bridge", lab="x", name="br0", mtu=mtu, ports=["p0"])
    assert world.links()["br0"]["mtu"] == mtu
    world.quartet("bridge", lab="x", name="br0", mtu=mtu, ports=[])
    assert world.links()["br0"]["mtu"] == mtu
    world.quartet("bridge", lab="x", name="br1", ports=["p0"])
    assert world.links()["br1"]["mtu"] == 1400, "without an mtu it follows its ports"


def test_vlan_filtering_is_refused_where_the_kernel_has_none(world: t.Any) -> None:
    """The error has the kernel's message and the command that failed. No part of the bridge is left."""
    if vlan_filtering(world):
        pytest.skip("this kernel was built with VLAN filtering")
    errors = world.refused("bridge", lab="x", name="br0", vlan_filtering=True)
    assert errors == ["`ip link add name br0 type bridge vlan_filtering 1` failed: Operation not supported"]
    world.run("bridge", lab="x", name="br0")
    errors = world.refused("bridge", lab="x", name="br0", vlan_filtering=True, mtu=1300)
    assert errors[0] == "`ip link set dev br0 type bridge vlan_filtering 1` failed: Operation not supported"


def test_vlan_filtering(world: t.Any) -> None:
    """VLAN filtering can be switched on and off."""
    if not vlan_filtering(world):
        pytest.skip("this kernel was built without VLAN filtering (CONFIG_BRIDGE_VLAN_FILTERING)")
    for wanted in (True, False):
        world.quartet("bridge", lab="x", name="br0", vlan_filtering=wanted)
        assert world.links()["br0"]["linkinfo"]["info_data"]["vlan_filtering"] == int(wanted)


# Drift. Each case: a change of WHOLE by somebody else, and the commands that repair it.

DRIFTS = {
    "down": ("ip link set br0 down", ["ip addr add fd00::1/64 dev br0 nodad", "ip link set dev br0 up"]),
    "mtu": ("ip link set br0 mtu 1500", ["ip link set dev br0 mtu 1400"]),
    "mac": ("ip link set br0 address 02:00:00:00:00:99", [f"ip link set dev br0 address {MAC}"]),
    "stp": ("ip link set br0 type bridge stp_state 0", ["ip link set dev br0 type bridge stp_state 1"]),
    "forward_delay": (
        "ip link set dev br0 type bridge forward_delay 900",
        ["ip link set dev br0 type bridge forward_delay 400"],
    ),
    "ageing_time": ("ip link set br0 type bridge ageing_time 99", ["ip link set dev br0 type bridge ageing_time 6000"]),
    "mcast_snooping": (
        "ip link set dev br0 type bridge mcast_snooping 1",
        ["ip link set dev br0 type bridge mcast_snooping 0"],
    ),
    "all_options": (
        "ip link set br0 type bridge stp_state 0; ip link set br0 type bridge forward_delay 0 ageing_time 1",
        ["ip link set dev br0 type bridge stp_state 1 forward_delay 400 ageing_time 6000"],
    ),
    "address_missing": ("ip addr del 10.0.0.1/24 dev br0", ["ip addr add 10.0.0.1/24 dev br0"]),
    "address_extra": ("ip addr add 10.9.9.9/32 dev br0", ["ip addr del 10.9.9.9/32 dev br0"]),
    "gone": ("ip link del dev br0", WHOLE_COMMANDS),
}  # fmt: skip


@pytest.mark.parametrize("drift", DRIFTS)
def test_drift_is_repaired(world: t.Any, drift: str) -> None:
    """The module repairs the change and nothing else, and its commands do the same."""
    damage, commands = DRIFTS[drift]
    world.run("bridge", **WHOLE)
    whole = world.comparable()
    world.sh(damage)
    done = world.quartet("bridge", **WHOLE)
    assert done["commands"] == commands
    assert world.comparable() == world.by_hand(commands, "\n".join([*WHOLE_COMMANDS, damage])) == whole
    assert world.links()["br0"]["address"] == MAC


def test_diff_of_a_repair(world: t.Any) -> None:
    """The diff uses the module's names and units, and contains only differences."""
    world.run("bridge", **WHOLE)
    world.sh("ip link set br0 mtu 1500; ip link set br0 type bridge forward_delay 900 mcast_snooping 1")
    assert world.run("bridge", **WHOLE)["diff"] == {
        "before": {"host": {"links": {"br0": {"mtu": 1500, "forward_delay": 9, "mcast_snooping": True}}}},
        "after": {"host": {"links": {"br0": {"mtu": 1400, "forward_delay": 4, "mcast_snooping": False}}}},
    }


def test_set_down_it_has_its_addresses_all_the_same(world: t.Any) -> None:
    """A link that goes down loses its IPv6 addresses. The module adds them again."""
    world.run("bridge", **WHOLE)
    done = world.quartet("bridge", **WHOLE, up=False)
    assert done["commands"] == ["ip link set dev br0 down", "ip addr add fd00::1/64 dev br0 nodad"]
    assert world.addresses("br0", family="inet6") == ["fd00::1/64"]


def test_stp_switched_off_with_a_delay_too_short_for_it(world: t.Any) -> None:
    """One task changes from STP with a delay to no STP with a delay of zero, and back."""
    world.run("bridge", lab="x", name="br0", stp=True, forward_delay=15)
    done = world.quartet("bridge", lab="x", name="br0", stp=False, forward_delay=0)
    assert done["commands"] == [
        "ip link set dev br0 type bridge stp_state 0",
        "ip link set dev br0 type bridge forward_delay 0",
    ]
    assert options(world)["forward_delay"] == options(world)["stp_state"] == 0
    world.quartet("bridge", lab="x", name="br0", stp=True, forward_delay=2)
    assert (options(world)["forward_delay"], options(world)["stp_state"]) == (200, 1)


def test_what_is_not_named_is_left_alone(ports: t.Any) -> None:
    """Options, MTU, MAC, addresses and ports that the task does not name stay."""
    ports.run("bridge", lab="x", name="br0")
    ports.sh(
        "ip link set br0 address 02:00:00:00:00:99 mtu 1300 type bridge ageing_time 100;"
        "ip addr add 10.1.1.1/24 dev br0; ip link set p1 master br0"
    )
    before = ports.state()
    assert not ports.run("bridge", lab="x", name="br0")["changed"]
    assert ports.state() == before


# Ports


def test_ports_are_exactly_those_named(ports: t.Any) -> None:
    """The module adds, exchanges and removes ports, and brings back a port that somebody moved to another bridge."""
    assert ports.quartet("bridge", lab="x", name="br0", ports=["p1"])["commands"][-2:] == [
        "ip link set dev p1 master br0",
        "ip link set dev br0 up",
    ]
    assert members(ports) == ["p1"]
    done = ports.quartet("bridge", lab="x", name="br0", ports=["p2"])
    assert done["commands"] == ["ip link set dev p2 master br0", "ip link set dev p1 nomaster"]
    assert done["diff"] == {
        "before": {"host": {"links": {"p2": {"master": ""}, "p1": {"master": "br0"}}}},
        "after": {"host": {"links": {"p2": {"master": "br0"}, "p1": {"master": ""}}}},
    }
    assert members(ports) == ["p2"]
    ports.sh("ip link add br9 type bridge; ip link set p2 master br9")
    assert ports.quartet("bridge", lab="x", name="br0", ports=["p1", "p2"])["commands"] == [
        "ip link set dev p1 master br0",
        "ip link set dev p2 master br0",
    ]
    ports.quartet("bridge", lab="x", name="br0", ports=[])
    assert members(ports) == []


def test_ports_that_cannot_be(ports: t.Any) -> None:
    """The module reports a missing link and one of somebody else at once, and does not create the bridge."""
    ports.sh("ip link add theirs type veth peer name theirs2")
    assert ports.refused("bridge", lab="x", name="br0", ports=["p1", "p11", "theirs"]) == [
        "ports[1]: there is no link 'p11' in the host's namespace (did you mean 'p1'?)",
        "ports[2]: link 'theirs' exists in the host's namespace and does not belong to lab 'x';"
        " it will not become a port unless force is true",
    ]


def test_foreign_port_is_not_taken_off(ports: t.Any) -> None:
    """A link of somebody else stays on the lab's bridge without force."""
    ports.run("bridge", lab="x", name="br0")
    ports.sh("ip link add theirs type veth peer name theirs2; ip link set theirs master br0")
    assert ports.refused("bridge", lab="x", name="br0", ports=[]) == [
        "ports: link 'theirs' exists in the host's namespace and does not belong to lab 'x';"
        " it will not be taken off the bridge unless force is true"
    ]
    ports.quartet("bridge", lab="x", name="br0", ports=[], force=True)
    assert members(ports) == []


# Removal


def test_removal_leaves_the_ports(ports: t.Any) -> None:
    """The bridge and its addresses disappear. The ports stay, without a master."""
    ports.run("bridge", lab="x", name="br0", ports=["p1"], addresses=["10.0.0.1/24"])
    gone = ports.quartet("bridge", lab="x", name="br0", state="absent")
    assert gone["commands"] == ["ip link del dev br0"]
    shown = {"kind": "bridge", "mtu": 1500, "up": True, "addresses": ["10.0.0.1/24"]}
    assert gone["diff"] == {
        "before": {"host": {"links": {"br0": shown}}},
        "after": {},
    }
    assert set(ports.links()) == {"lo", "p1", "p2"} and "master" not in ports.links()["p1"]
    assert not ports.run("bridge", lab="x", name="br0", netns="never", state="absent")["changed"]


# Objects of others


NOT_OURS = {
    "bridge": ("ip link add name br0 type bridge", "does not belong to lab 'x'"),
    "veth": ("ip link add name br0 type veth peer name v1", "does not belong to lab 'x'"),
    "other_lab": (
        "ip link add br0 type bridge; ip link set br0 alias linuxnet.lab:y",
        "belongs to lab 'y', not to 'x'",
    ),
    "uplink": (
        "ip link add br0 type bridge; ip link set br0 up; ip addr add 10.1.0.1/24 dev br0;"
        "ip route add default via 10.1.0.9",
        "does not belong to lab 'x'; it carries the host's default route",
    ),
}  # fmt: skip


@pytest.mark.parametrize("state", ["present", "absent"])
@pytest.mark.parametrize("case", NOT_OURS)
def test_foreign_link_of_the_same_name_is_refused(world: t.Any, case: str, state: str) -> None:
    """The module reports one error, which describes the link, and changes nothing."""
    setup, whose = NOT_OURS[case]
    world.sh(setup)
    deed = "be changed" if state == "present" else "be deleted"
    assert world.refused("bridge", lab="x", name="br0", state=state) == [
        f"name: link 'br0' exists in the host's namespace and {whose}; it will not {deed} unless force is true"
    ]


@pytest.mark.parametrize("state", ["present", "absent"])
def test_force_takes_a_foreign_bridge(world: t.Any, state: str) -> None:
    """With force, the module configures the bridge without a mark, or deletes it."""
    world.sh("ip link add br0 type bridge")
    done = world.quartet("bridge", lab="x", name="br0", state=state, force=True)
    if state == "present":
        assert "ifalias" not in world.links()["br0"]
        assert done["diff"]["before"] == {"host": {"links": {"br0": {"adopted_by": "", "up": False}}}}
        assert not world.run("bridge", lab="x", name="br0")["changed"]
    else:
        assert "br0" not in world.links()


def test_force_makes_no_bridge_of_something_else(world: t.Any) -> None:
    """The module neither turns a veth into a bridge nor deletes it as one."""
    world.sh("ip link add br0 type veth peer name v1")
    for state in ("present", "absent"):
        errors = world.refused("bridge", lab="x", name="br0", state=state, force=True)
        assert errors == ["name: 'br0' in the host's namespace is a veth, not a bridge"]


def test_bridge_whose_mark_was_removed_is_not_adopted_silently(world: t.Any) -> None:
    """A bridge without its alias does not belong to the lab."""
    world.run("bridge", lab="x", name="br0")
    world.sh("ip link set br0 alias ''")
    assert "does not belong to lab 'x'" in world.refused("bridge", lab="x", name="br0", mtu=1300)[0]


def test_the_ageing_time_during_a_change_of_topology(world: t.Any) -> None:
    """During a change of topology, the kernel reports twice the forward delay as ageing time. That is not drift."""
    bridge = {"lab": "x", "name": "br0", "stp": True, "forward_delay": 2, "ageing_time": 60}
    world.run("bridge", **bridge)
    world.run("veth", lab="x", name="p0", master="br0", peer={"name": "p1"})
    end = time.monotonic() + 30
    data: dict[str, t.Any] = {}
    while not data.get("topology_change"):
        assert time.monotonic() < end, data
        time.sleep(0.2)
        (link,) = world.json("ip -j -d link show br0")
        data = link["linkinfo"]["info_data"]
    assert data["ageing_time"] == 400
    again = world.run("bridge", **bridge)
    assert not again["changed"] and "ageing_time" in again["warnings"][0]
