# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The documented labs, run as a user runs them, and compared with their shell commands. ping is the witness."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.playbook

# The labs as shell commands, typed on an empty host.
SHELL = {
    "veth_pair": """
ip link add veth0 type veth peer name ceth0
ip addr add 172.18.0.10/12 dev veth0; ip addr add 172.18.0.20/12 dev ceth0
ip link set veth0 up; ip link set ceth0 up
""",
    "one_container": """
ip netns add net0; ip -n net0 link set lo up
ip link add veth0 type veth peer name ceth0 netns net0
ip link set veth0 up; ip addr add 172.18.0.10/12 dev veth0
ip -n net0 link set ceth0 up; ip -n net0 addr add 172.18.0.20/12 dev ceth0
""",
    "route_conflict": """
ip netns add net0; ip -n net0 link set lo up
ip link add veth0 type veth peer name ceth0 netns net0
ip link set veth0 up; ip addr add 172.18.0.100/12 dev veth0
ip -n net0 link set ceth0 up; ip -n net0 addr add 172.18.0.10/12 dev ceth0
ip netns add net1; ip -n net1 link set lo up
ip link add veth1 type veth peer name ceth1 netns net1
ip link set veth1 up; ip addr add 172.18.0.101/12 dev veth1
ip -n net1 link set ceth1 up; ip -n net1 addr add 172.18.0.20/12 dev ceth1
""",
    "bridge": """
ip link add br0 type bridge; ip link set br0 up; ip addr add 172.18.0.1/12 dev br0
for i in 0 1; do
ip netns add net$i; ip -n net$i link set lo up
ip link add veth$i type veth peer name ceth$i netns net$i
ip link set veth$i master br0 up
ip -n net$i link set ceth$i up; ip -n net$i addr add 172.18.0.$((10 + 10 * i))/12 dev ceth$i
ip -n net$i route add default via 172.18.0.1
done
""",
    "point_to_point": """
ip netns add red; ip -n red link set lo up
ip link add veth-host type veth peer name veth-red netns red
ip addr add 192.168.1.2/24 dev veth-host; ip link set veth-host up
ip -n red addr add 192.168.1.1/24 dev veth-red; ip -n red link set veth-red up
ip route add 192.168.1.1/32 dev veth-host scope link
""",
}

# The answers to ping, by (namespace, address).
PINGS = {
    "veth_pair": {("", "172.18.0.10"): True, ("", "172.18.0.20"): True},
    "one_container": {("", "172.18.0.20"): True, ("net0", "172.18.0.10"): True, ("net0", "203.0.113.8"): False},
    "route_conflict": {
        ("", "172.18.0.10"): True,
        ("", "172.18.0.20"): False,
        ("net0", "172.18.0.100"): True,
        ("net0", "172.18.0.101"): True,
        ("net1", "172.18.0.100"): False,
        ("net1", "172.18.0.101"): False,
    },
    "bridge": {
        ("net0", "172.18.0.20"): True,
        ("net1", "172.18.0.10"): True,
        ("net0", "172.18.0.1"): True,
        ("net1", "203.0.113.8"): False,
    },
    "point_to_point": {("", "192.168.1.1"): True, ("red", "192.168.1.2"): True},
}

# A route and a rule of others, which no lab may remove.
BREAKER = "nft add table ip t; nft add chain ip t c '{ type filter hook input priority 0; policy drop; }'"


@pytest.mark.parametrize("lab", SHELL)
def test_lab(world, lab):
    empty = world.state()
    predicted = world.playbook(lab, "--check", "--diff")
    assert predicted.code == 0 and predicted.counts["changed"] > 0, predicted.text
    assert world.state() == empty

    assert world.played(lab) == predicted.counts["changed"]
    assert world.as_typed() == world.by_hand(SHELL[lab].splitlines())
    assert {pair: world.ping(*pair) for pair in PINGS[lab]} == PINGS[lab]
    built = world.state()
    assert world.played(lab) == 0
    assert world.state() == built

    world.sh(BREAKER)
    broken = world.playbook(lab)
    assert broken.code != 0 and "not as expected" in broken.text, broken.text
    world.sh("nft flush ruleset")

    assert world.played(lab, "-e", "lab_state=absent") == 1
    assert world.state() == empty
    assert world.played(lab, "-e", "lab_state=absent") == 0


def test_route_conflict_says_why_and_is_cured(world):
    conflict = world.playbook("route_conflict")
    assert "two equal routes to 172.16.0.0/12: dev veth0" in " ".join(conflict.text.split())
    world.played("route_conflict", "-e", "route_conflict_cure=bridge")
    assert world.ping("", "172.18.0.20") and world.ping("net0", "172.18.0.20")
    world.played("route_conflict", "-e", "route_conflict_cure=subnets")
    assert world.ping("", "172.18.1.20") and world.ping("", "172.18.0.10") and world.ping("net1", "172.18.1.101")
    assert "br0" not in world.links()


def test_point_to_point_wins_over_a_network_that_is_there_already(world):
    world.sh("ip link add other type bridge; ip addr add 192.168.1.77/24 dev other; ip link set other up")
    refused = world.playbook("point_to_point")
    assert refused.code != 0 and "overlaps" in refused.text
    world.played("point_to_point", "-e", '{"point_to_point_force": true}')
    assert world.ping("", "192.168.1.1")
    world.sh("ip route del 192.168.1.1")
    assert not world.ping("", "192.168.1.1"), "without its own route the other link's network comes first"
