# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module link. ip(8) is the oracle."""

from __future__ import annotations

import typing as t

import pytest

SETUP = (
    "ip netns add c1; ip -n c1 link set lo up;"
    "ip link add v0 address 02:00:00:00:00:01 type veth peer name eth0 netns c1;"
    "ip link set v0 up; ip addr add 10.0.0.1/24 dev v0; ip addr add fd00::1/64 dev v0;"
    "ip -n c1 link set eth0 up; ip link add br0 type bridge"
)


@pytest.fixture
def pair(world: t.Any) -> t.Any:
    """The world with the pair v0, eth0 in c1, both up, and br0. All belong to lab x."""
    world.sh(SETUP)
    world.sh("for link in v0 br0; do ip link set $link alias linuxnet.lab:x; done")
    world.sh("for link in lo eth0; do ip -n c1 link set $link alias linuxnet.lab:x; done")
    return world


# Each case: the options, the command, and the attributes that `ip -j link` then reports.
SETTINGS = {
    "down": ({"name": "v0", "up": False}, "ip link set dev v0 down", "v0", {"flags": []}),
    "mtu": ({"name": "v0", "mtu": 1400}, "ip link set dev v0 mtu 1400", "v0", {"mtu": 1400}),
    "mac": (
        {"name": "v0", "mac": "02:00:00:00:00:AA"},
        "ip link set dev v0 address 02:00:00:00:00:aa",
        "v0",
        {"address": "02:00:00:00:00:aa"},
    ),
    "master": ({"name": "v0", "master": "br0"}, "ip link set dev v0 master br0", "v0", {"master": "br0"}),
    "bridge_up": ({"name": "br0", "up": True}, "ip link set dev br0 up", "br0", {"flags": ["UP"]}),
    "everything": (
        {"name": "v0", "up": False, "mtu": 1400, "mac": "02:00:00:00:00:aa", "master": "br0"},
        "ip link set dev v0 down mtu 1400 address 02:00:00:00:00:aa master br0",
        "v0",
        {"flags": [], "mtu": 1400, "address": "02:00:00:00:00:aa", "master": "br0"},
    ),
}


@pytest.mark.parametrize("setting", SETTINGS)
def test_setting(pair: t.Any, setting: str) -> None:
    """One command sets the option, sent by the module or typed. Settings without an option stay."""
    arguments, command, name, expected = SETTINGS[setting]
    before = shown(pair, name)
    done = pair.quartet("link", lab="x", **arguments)
    assert done["commands"] == [command]
    assert shown(pair, name) == {**before, **expected}
    assert pair.by_hand(done["commands"], SETUP) == pair.comparable()


def shown(world: t.Any, name: str) -> dict[str, t.Any]:
    """The attributes of a link that `ip -j link` reports, as far as the module sets them."""
    link = world.links()[name]
    seen = {key: link[key] for key in ("mtu", "address", "master") if key in link}
    return {**seen, "flags": [flag for flag in link["flags"] if flag == "UP"]}


def test_diff_of_a_change(pair: t.Any) -> None:
    """The diff contains only differences."""
    done = pair.run("link", lab="x", name="v0", up=True, mtu=1400, master="br0")
    assert done["diff"] == {
        "before": {"host": {"links": {"v0": {"mtu": 1500, "master": ""}}}},
        "after": {"host": {"links": {"v0": {"mtu": 1400, "master": "br0"}}}},
    }


def test_master_is_left(pair: t.Any) -> None:
    """An empty master removes the link from its bridge. Without the option, it stays there."""
    pair.run("link", lab="x", name="v0", master="br0")
    assert not pair.run("link", lab="x", name="v0", up=True)["changed"]
    assert pair.quartet("link", lab="x", name="v0", master="")["commands"] == ["ip link set dev v0 nomaster"]
    assert "master" not in pair.links()["v0"]


def test_several_links_in_one_task(pair: t.Any) -> None:
    """One task sets both ends of a pair in two namespaces. `lo` of a lab's namespace belongs to the lab."""
    links = [{"name": "v0"}, {"name": "eth0", "netns": "c1"}, {"name": "lo", "netns": "c1", "mtu": 60000, "up": False}]
    done = pair.quartet("link", lab="x", mtu=1400, links=links)
    assert done["commands"] == [
        "ip link set dev v0 mtu 1400",
        "ip -n c1 link set dev eth0 mtu 1400",
        "ip -n c1 link set dev lo down mtu 60000",
    ]
    assert pair.by_hand(done["commands"], SETUP) == pair.comparable()


def test_absent(pair: t.Any) -> None:
    """The module deletes the link, and with it the other end of the pair. A missing link is no error."""
    gone = pair.quartet("link", lab="x", links=[{"name": "br0"}, {"name": "eth0", "netns": "c1"}], state="absent")
    assert gone["commands"] == ["ip link del dev br0", "ip -n c1 link del dev eth0"]
    assert gone["diff"] == {
        "before": {
            "host": {"links": {"br0": {"kind": "bridge", "mtu": 1500, "up": False}}},
            "c1": {"links": {"eth0": {"kind": "veth", "mtu": 1500, "up": True}}},
        },
        "after": {},
    }
    assert set(pair.links()) == set(pair.links("c1")) == {"lo"}
    assert not pair.run("link", lab="x", name="eth0", netns="never", state="absent")["changed"]


def test_link_or_bridge_that_is_not_there(pair: t.Any) -> None:
    """The errors have the nearest name, or the kind of a link that is no bridge."""
    links = [{"name": "v00", "mtu": 1400}, {"name": "v0", "master": "br00"}, {"name": "br0", "master": "v0"}]
    assert pair.refused("link", lab="x", links=links) == [
        "links[0].name: there is no link 'v00' in the host's namespace (did you mean 'v0'?)",
        "links[1].master: there is no link 'br00' in the host's namespace (did you mean 'br0'?)",
        "links[2].master: 'v0' in the host's namespace is a veth, not a bridge",
    ]
    assert pair.refused("link", lab="x", name="br0", master="lo") == [
        "master: 'lo' in the host's namespace is a link of its own, not a bridge"
    ]


# Links of others


@pytest.mark.parametrize(
    "arguments", [{"up": False}, {"mtu": 1400}, {"mac": "02:00:00:00:00:aa"}, {"master": "br0"}, {"state": "absent"}]
)
def test_foreign_link_is_left_alone_unless_forced(pair: t.Any, arguments: dict[str, t.Any]) -> None:
    """The error says that the link is the uplink with the default route."""
    pair.sh("ip link set v0 alias ''; ip route add default via 10.0.0.9")
    deed = "be deleted" if "state" in arguments else "be changed"
    assert pair.refused("link", lab="x", name="v0", **arguments) == [
        "name: link 'v0' exists in the host's namespace and does not belong to lab 'x';"
        f" it carries the host's default route; it will not {deed} unless force is true"
    ]
    pair.quartet("link", lab="x", name="v0", force=True, **arguments)


def test_default_route_of_ipv6_counts_too(pair: t.Any) -> None:
    """A link with only an IPv6 default route is an uplink as well."""
    pair.sh("ip link set v0 alias ''; ip -6 route add default via fd00::9")
    assert "it carries the host's default route" in pair.refused("link", lab="x", name="v0", up=False)[0]


def test_default_route_in_a_namespace_is_no_uplink(pair: t.Any) -> None:
    """Only a link of the host is an uplink, because only that can cut the user off."""
    pair.sh("ip link set eth0 alias ''; ip addr add 10.0.0.2/24 dev eth0; ip route add default via 10.0.0.1", "c1")
    assert "default route" not in pair.refused("link", lab="x", name="eth0", netns="c1", up=False)[0]


@pytest.mark.parametrize("reference", ["/proc/self/ns/net", "pid"])
def test_host_by_another_reference_is_the_host(pair: t.Any, reference: str) -> None:
    """The protection of the host also applies if a path or PID refers to it."""
    pair.sh("ip link set v0 alias ''; ip route add default via 10.0.0.9")
    netns = pair.sh("echo $PPID").strip() if reference == "pid" else reference
    errors = pair.refused("link", lab="x", name="v0", netns=netns, up=False)
    assert "it carries the host's default route" in errors[0]


def test_unforced_no_change_to_a_foreign_link_is_refused_too(pair: t.Any) -> None:
    """A link of others is refused, even if it already has the desired settings."""
    pair.sh("ip link set v0 alias linuxnet.lab:y")
    assert pair.refused("link", lab="x", name="v0", up=True) == [
        "name: link 'v0' exists in the host's namespace and belongs to lab 'y', not to 'x';"
        " it will not be changed unless force is true"
    ]


# IPv6 needs an MTU of 1280


def addresses_of(world: t.Any, dev: str) -> list[str]:
    return sorted(world.addresses(dev, family="inet6"))


def test_an_mtu_that_would_end_ipv6_is_refused(world: t.Any) -> None:
    """With a small MTU, the kernel removes the IPv6 addresses of a link, and does not restore them with a larger one.
    """
    world.run("veth", lab="x", name="v0", addresses=["10.0.0.1/24", "fd00::1/64"], peer={"name": "v1"})
    reason = "mtu: IPv6 needs an MTU of 1280 or more; with 1279, 'v0' in the host's namespace would lose fd00::1/64"
    for arguments in ({}, {"force": True}):
        assert world.refused("link", lab="x", name="v0", mtu=1279, **arguments) == [reason + ": delete it first"]
    peer = {"name": "v1", "addresses": ["fd01::1/64"]}
    assert len(world.refused("veth", lab="x", name="v0", mtu=1279, peer={"name": "v1"})) == 1
    world.quartet("link", lab="x", name="v0", mtu=1280)
    assert addresses_of(world, "v0") == ["fd00::1/64"]
    # Without addresses, the MTU is accepted. After that, IPv6 addresses are refused with a clear error.
    world.quartet("veth", lab="x", name="v0", mtu=1279, addresses=["10.0.0.1/24"], peer={"name": "v1"})
    too_small = "addresses: IPv6 needs an MTU of 1280 or more, not 1279"
    assert world.refused("address", lab="x", dev="v0", addresses=["fd00::1/64"]) == [too_small]
    assert world.refused("veth", lab="x", name="v0", peer=peer) == ["peer." + too_small]


def test_a_port_that_would_end_ipv6_on_its_bridge_is_refused(world: t.Any) -> None:
    """A bridge without its own MTU takes the smallest MTU of its ports."""
    world.run("veth", lab="x", name="p0", mtu=1000, peer={"name": "p1"})
    world.run("bridge", lab="x", name="br0", addresses=["fd00::1/64"])
    reason = "ports[0]: 'p0' has an MTU of 1000, which 'br0' would take over and so lose fd00::1/64;"
    reason += " give it 1280 or more"
    assert world.refused("bridge", lab="x", name="br0", ports=["p0"]) == [reason]
    assert world.refused("bridge", lab="x", name="br1", ports=["p0"], addresses=["fd01::1/64"]) == [
        reason.replace("br0", "br1").replace("fd00", "fd01")
    ]
    world.quartet("bridge", lab="x", name="br1", mtu=1500, ports=["p0"], addresses=["fd01::1/64"])
    assert addresses_of(world, "br1") == ["fd01::1/64"]
    end = {"netns": "c1", "mtu": 1000}
    topology = {"name": "y", "namespaces": "c1", "bridges": {"br2": {"addresses": ["fd02::1/64"]}}}
    (error,) = world.refused("topology", topology={**topology, "links": [["br2", end]]})
    assert error == "bridges.br2.addresses: IPv6 needs an MTU of 1280 or more, not 1000"
