# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""If the kernel refuses a change, the earlier changes of the same task are undone."""

from __future__ import annotations

import typing as t

import pytest

TAKEN_BACK = "the changes before it were undone"
NO_IPV6 = "ipv6: IPv6 is disabled on this device"


@pytest.fixture
def poor(world: t.Any) -> t.Any:
    """A lab x with c1 and c2. New links in c2 have no IPv6, so that the kernel refuses IPv6 addresses."""
    world.run("netns", lab="x", name=["c1", "c2"])
    world.sh("echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6", "c2")
    return world


def test_birth_of_pairs(poor: t.Any) -> None:
    """The kernel refuses the address of the last of three pairs. None of them is left."""
    pairs = [
        {"name": "v1", "addresses": ["10.0.1.1/24"], "peer": {"name": "eth0", "netns": "c1"}},
        {"name": "v2", "netns": "c1", "peer": {"name": "eth0", "netns": "c2", "addresses": ["10.0.2.2/24"]}},
        {"name": "v3", "peer": {"name": "eth1", "netns": "c2", "addresses": ["10.0.3.2/24", "fd00::3/64"]}},
    ]
    assert poor.refused("veth", lab="x", pairs=pairs) == [
        f"`ip -n c2 addr add fd00::3/64 dev eth1 nodad` failed: {NO_IPV6}",
        TAKEN_BACK,
    ]


def test_birth_of_bridges(world: t.Any) -> None:
    """The kernel refuses the address of the second bridge. Neither bridge is left."""
    world.sh("echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6")
    bridges = [{"name": "br0", "addresses": ["10.0.0.1/24"]}, {"name": "br1", "addresses": ["fd00::1/64"]}]
    errors = world.refused("bridge", lab="x", bridges=bridges)
    assert errors == [f"`ip addr add fd00::1/64 dev br1 nodad` failed: {NO_IPV6}", TAKEN_BACK]


def test_changes_of_every_setting(poor: t.Any) -> None:
    """Existing links get back their settings, master, addresses and mark."""
    poor.sh(
        "ip link add br0 type bridge ageing_time 1000; ip link add br9 type bridge;"
        "ip link add v0 address 02:00:00:00:00:01 mtu 1300 type veth peer name eth0 netns c2 mtu 1300;"
        "ip link set v0 master br9 alias somebody; ip addr add 10.1.1.1/24 brd 10.1.1.9 dev v0;"
        "ip addr add 10.1.1.2/24 dev v0; ip addr add 10.2.2.2 peer 10.2.2.3/32 dev v0;"
        "ip addr add fd01::1/64 dev v0; ip link set v0 up;"
        "ip route add 10.7.0.0/16 via 10.1.1.7; ip -6 route add fd07::/64 dev v0"
    )
    poor.sh("ip link set eth0 up", "c2")
    end = {"name": "v0", "mtu": 1400, "mac": "02:00:00:00:00:02", "master": "", "addresses": ["10.3.0.1/24"]}
    peer = {"name": "eth0", "netns": "c2", "addresses": ["fd00::1/64"]}
    for up in (True, False):
        errors = poor.refused("veth", lab="x", force=True, **end, up=up, peer=peer)
        assert errors == [f"`ip -n c2 addr add fd00::1/64 dev eth0 nodad` failed: {NO_IPV6}", TAKEN_BACK]


def test_options_and_ports_of_bridges(poor: t.Any) -> None:
    """Options, STP with its delay, and ports are as before, after the second bridge failed."""
    poor.run("veth", lab="x", pairs=[{"name": f"p{n}", "peer": {"name": f"q{n}"}} for n in (1, 2)])
    poor.run("bridge", lab="x", name="br0", stp=True, forward_delay=4, mcast_snooping=False, ports=["p1"])
    poor.run("bridge", lab="x", netns="c2", name="br0")
    bridges = [
        {"name": "br0", "stp": False, "forward_delay": 0, "mcast_snooping": True, "ports": ["p2"], "up": False},
        {"name": "br0", "netns": "c2", "addresses": ["fd00::1/64"]},
    ]
    assert poor.refused("bridge", lab="x", bridges=bridges) == [
        f"`ip -n c2 addr add fd00::1/64 dev br0 nodad` failed: {NO_IPV6}",
        TAKEN_BACK,
    ]


@pytest.mark.parametrize("up", [True, False], ids=["up", "down"])
@pytest.mark.parametrize(
    "journey",
    ["name far", "netns c1", "netns c1 name far", "name far netns c2"],
    ids=lambda words: words.replace(" ", "_"),
)
def test_end_that_was_brought_back(poor: t.Any, journey: str, up: bool) -> None:
    """The end returns to the place from which the run took it, with its name, state, addresses, routes and master."""
    pair = {"lab": "x", "name": "v0", "peer": {"name": "eth0", "netns": "c2"}}
    poor.run("veth", **pair, mac="02:00:00:00:00:01")
    where = "c1" if "c1" in journey else "c2" if "c2" in journey else ""
    name = "far" if "far" in journey else "v0"
    poor.sh(f"ip link set v0 down; ip link set v0 {journey}")
    if up:
        six = "" if where == "c2" else f"ip addr add fd09::9/64 dev {name}; ip -6 route add fd07::/64 dev {name};"
        poor.sh(
            f"ip addr add 10.9.9.9/24 dev {name}; ip link set {name} up; {six} ip route add 10.7.0.0/16 dev {name};"
            f"ip link add br7 type bridge; ip link set {name} master br7",
            where,
        )
    pair["peer"]["addresses"] = ["fd00::1/64"]
    assert poor.refused("veth", **pair, addresses=["10.0.0.1/24"]) == [
        f"`ip -n c2 addr add fd00::1/64 dev eth0 nodad` failed: {NO_IPV6}",
        TAKEN_BACK,
    ]


def test_addresses_with_their_routes(poor: t.Any) -> None:
    """Removed addresses come back, in their order, with the routes that had disappeared with them."""
    poor.run("veth", lab="x", name="v0", peer={"name": "eth0", "netns": "c2"})
    poor.sh(
        "ip addr add 10.1.1.1/24 dev v0; ip addr add 10.1.1.2/24 dev v0; ip addr add 10.1.1.3/24 dev v0;"
        "ip addr add fd01::1/64 dev v0; ip route add 10.7.0.0/16 via 10.1.1.7 src 10.1.1.3 metric 7;"
        "ip route add default via 10.1.1.9; ip route add 10.8.0.0/16 dev v0 table 100"
    )
    links = [{"dev": "v0", "addresses": ["10.5.0.1/24"]}, {"dev": "eth0", "netns": "c2", "addresses": ["fd00::1/64"]}]
    errors = poor.refused("address", lab="x", exclusive=True, links=links)
    assert errors == [f"`ip -n c2 addr add fd00::1/64 dev eth0 nodad` failed: {NO_IPV6}", TAKEN_BACK]


def test_first_change_refused(poor: t.Any) -> None:
    """If nothing was changed before, the error does not mention an undo."""
    poor.run("veth", lab="x", name="v0", peer={"name": "eth0", "netns": "c2"})
    errors = poor.refused("address", lab="x", netns="c2", dev="eth0", addresses=["fd00::1/64"])
    assert errors == [f"`ip -n c2 addr add fd00::1/64 dev eth0 nodad` failed: {NO_IPV6}"]


def test_namespaces(world: t.Any) -> None:
    """Named and held namespaces that a task created before another one failed are removed, with their processes."""
    world.sh("mkdir /run/netns; mount -t tmpfs -o nr_inodes=2 small /run/netns")  # space for one name
    errors = world.refused("netns", lab="x", name=["c1", "c2", "c3"])
    assert errors == ["`ip netns add c2` failed: No space left on device (/run/netns/c2)", TAKEN_BACK]
    assert world.sh("ls /run/netns") == ""


def test_what_cannot_be_taken_back_is_said(poor: t.Any) -> None:
    """A removal cannot be undone. The error names it."""
    poor.run("veth", lab="x", name="v0", peer={"name": "eth0", "netns": "c1"})
    poor.run("bridge", lab="x", name="br0")
    poor.sh("ip link add br7 type bridge; ip link set br7 alias linuxnet.lab:x", "c2")
    links = [{"name": "br0"}, {"name": "lo", "netns": "c1"}]  # the kernel does not delete `lo`
    result = poor.module("link", lab="x", links=links, state="absent")
    assert result["failed"] and result["errors"][0] == "`ip -n c1 link del dev lo` failed: Operation not supported"
    assert result["errors"][1:] == ["`ip link del dev br0` was done and cannot be undone"]
    assert "br0" not in poor.links()
