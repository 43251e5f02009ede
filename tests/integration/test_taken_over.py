# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Objects that a lab uses by force, and that existed before it, keep their settings and stay after its removal."""

from __future__ import annotations

import pytest

from .conftest import assert_same

# A bridge of somebody else with addresses and a port, and a pair with addresses, whose other end is in a namespace.
THEIRS = """
ip link add br0 type bridge stp_state 1 forward_delay 700; ip link set br0 mtu 1400
ip addr add 10.1.0.1/24 dev br0; ip addr add fd01::1/64 dev br0
ip link add p0 type veth peer name p1; ip link set p0 master br0; ip link set p0 up; ip link set p1 up
ip netns add c1; ip link add v0 type veth peer name eth0 netns c1
ip addr add 10.2.0.1/24 dev v0; ip addr add fd02::1/64 dev v0; ip link set v0 up
ip -n c1 addr add 10.2.0.2/24 dev eth0; ip -n c1 link set eth0 up; ip -n c1 route add 10.9.0.0/16 via 10.2.0.1
ip route add 10.3.0.0/16 via 10.2.0.2 dev v0
"""
PAIR = {"name": "v0", "peer": {"name": "eth0", "netns": "c1"}}
WITH = [
    ("bridge", {"name": "br0", "addresses": ["10.8.0.1/24"], "ports": [], "mtu": 1300, "stp": False, "up": True}),
    ("bridge", {"name": "br0", "addresses": [], "mac": "02:00:00:00:00:77", "ageing_time": 7, "up": False}),
    ("veth", {**PAIR, "addresses": ["10.8.0.1/24"], "mtu": 1300, "mac": "02:00:00:00:00:78", "up": False}),
    ("veth", {**PAIR, "master": "br0", "addresses": []}),
    ("link", {"name": "v0", "up": False}),
    ("link", {"name": "p1", "master": "br0", "mtu": 1400}),
    ("address", {"dev": "v0", "addresses": ["10.8.0.1/24", "fd08::1/64"]}),
    ("address", {"dev": "v0", "addresses": ["10.8.0.1/24"], "exclusive": True}),
    ("address", {"dev": "v0", "addresses": ["10.2.0.1/24"], "state": "absent"}),
    ("netns", {"name": "c1"}),
    (
        "topology",
        {
            "lab": None,
            "topology": {
                "name": "demo",
                "namespaces": {"c1": {"sysctls": {"net.ipv4.ip_forward": 1}}, "c2": {}},
                "bridges": {"br0": {"addresses": "10.8.0.1/24"}},
                "links": [{"ends": [{"bridge": "br0"}, "c2"]}],
            },
        },
    ),
]


def state(world):
    """The state of the world without the queueing disciplines, which links get when they first go up."""
    return _without_queues(world.state())


def _without_queues(value):
    if isinstance(value, dict):
        return {key: _without_queues(item) for key, item in value.items() if key != "qdisc"}
    return [_without_queues(item) for item in value] if isinstance(value, list) else value


def theirs(world):
    """The addresses of the links above."""
    return {
        (netns, dev): world.addresses(dev, netns) + world.addresses(dev, netns, "inet6")
        for netns, dev in (("", "br0"), ("", "v0"), ("c1", "eth0"))
    }


@pytest.mark.parametrize(("module", "arguments"), WITH, ids=[str(number) for number in range(len(WITH))])
def test_what_was_there_keeps_what_it_had_and_outlives_the_lab(world, module, arguments):
    world.sh(THEIRS)
    empty, before = state(world), theirs(world)
    arguments = {"lab": "demo", **arguments}
    world.refused(module, **arguments)
    world.run(module, force=True, **arguments)
    built = state(world)
    assert_same(empty.keys(), empty.keys() & built.keys(), "something is gone")
    assert {"p0", "p1", "br0", "v0"} <= world.links().keys()
    if not arguments.get("exclusive") and "state" not in arguments:
        for place, had in before.items():
            down = "UP" not in world.links(place[0])[place[1]]["flags"]
            assert {one for one in had if not (down and ":" in one)} <= set(theirs(world)[place]), place
    assert not world.run(module, force=True, **arguments)["changed"]
    world.run("topology", name="demo", state="absent")
    assert_same(empty, state(world), "not as before the lab")
    assert world.sh("find /run -type f -not -path '/run/netns/*'") == ""


def test_a_port_stays_on_its_bridge(world):
    world.sh(THEIRS)
    world.run("bridge", lab="demo", name="br0", ports=["p1"], force=True)
    assert [world.links()[port]["master"] for port in ("p0", "p1")] == ["br0", "br0"]
    world.run("topology", name="demo", state="absent")
    assert [world.links()[port].get("master") for port in ("p0", "p1")] == ["br0", None]


def test_what_an_edit_no_longer_names_is_given_back(world):
    world.sh(THEIRS)
    before = state(world)
    lab = WITH[-1][1]["topology"]
    world.run("topology", topology=lab, force=True)
    assert not world.run("topology", topology=lab)["changed"], "force is needed once"
    edited = {**lab, "bridges": {"br0": {"addresses": "10.8.1.1/24"}}}
    world.run("topology", topology=edited)
    assert world.addresses("br0") == ["10.1.0.1/24", "10.8.1.1/24"]
    world.run("topology", topology={"name": "demo", "namespaces": ["c2"]})
    assert_same(before, {ref: seen for ref, seen in state(world).items() if ref != "c2"}, "given back")


def test_what_others_changed_since_is_left_so(world):
    world.sh(THEIRS)
    world.run("bridge", lab="demo", name="br0", addresses=["10.8.0.1/24"], mtu=1300, force=True)
    world.sh("ip link set br0 mtu 1200; ip addr del 10.8.0.1/24 dev br0")
    world.run("bridge", lab="demo", name="br0", state="absent")
    assert (world.links()["br0"]["mtu"], world.addresses("br0")) == (1200, ["10.1.0.1/24"])
    assert not world.run("topology", name="demo", state="absent")["changed"]


def test_an_end_of_somebodys_is_neither_moved_nor_renamed(world):
    world.sh(THEIRS)
    end = {"name": "v0", "peer": {"name": "eth9", "netns": "c1"}}
    (error,) = world.refused("veth", lab="demo", force=True, **end)
    assert "'eth0' in namespace 'c1' was there before lab 'demo'" in error


def test_a_refusal_takes_the_record_back_too(world):
    world.sh(THEIRS)
    before = state(world)
    links = [{"name": "v0", "mtu": 1300}, {"name": "lo", "master": "br0"}]  # which the kernel refuses
    result = world.module("link", lab="demo", force=True, links=links)
    assert result["failed"]
    assert_same(before, state(world), "taken back")
    assert not world.run("topology", name="demo", state="absent")["changed"]


def test_an_address_is_given_back_with_all_that_it_had(world):
    """The lab removes an address by force and records it. The module and its command restore it."""
    world.sh("ip link add p0 type bridge; ip link set p0 up")
    had = "10.3.0.1/24 brd 10.3.0.255 metric 5 scope link noprefixroute"
    world.sh("ip addr add {0} dev p0; ip addr add 10.4.0.1 peer 10.4.0.2/32 dev p0".format(had))
    before = world.json("ip -j addr show dev p0")
    world.run("address", lab="demo", dev="p0", addresses=[], exclusive=True, force=True)
    assert world.addresses("p0") == []
    done = world.run("topology", name="demo", state="absent")
    assert world.json("ip -j addr show dev p0") == before
    world.sh("ip -4 addr flush dev p0; " + "; ".join(done["commands"]))
    assert world.json("ip -j addr show dev p0") == before
