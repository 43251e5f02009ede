# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The arp_lab and its experiments. ip(8) verifies what they leave, and each experiment is made to fail once."""

from __future__ import annotations

import json

import pytest

pytestmark = pytest.mark.playbook

SHELL = """
ip netns add ns1; ip netns add ns2; ip -n ns1 link set lo up; ip -n ns2 link set lo up
ip -n ns1 link add eth0 type veth peer name eth0 netns ns2
ip -n ns1 addr add 10.22.33.1/24 dev eth0; ip -n ns2 addr add 10.22.33.55/24 dev eth0
ip -n ns1 link set eth0 up; ip -n ns2 link set eth0 up
"""


def stories(*names: str, **variables: str) -> list[str]:
    """The arguments of ansible-playbook that choose experiments."""
    return ["-e", json.dumps({"arp_lab_stories": list(names), **variables})]


def test_first_packet(world):
    empty = world.state()
    assert world.played("arp_lab") == 2
    assert world.as_typed() == world.by_hand(SHELL.splitlines())
    learnt = {one["dst"]: one for one in world.json("ip -j neigh", "ns1")}["10.22.33.55"]
    assert learnt["lladdr"] == world.links("ns2")["eth0"]["address"]
    assert world.played("arp_lab") == 0

    # A wrong permanent entry, so that nobody is asked, and nobody answers.
    world.sh("ip -n ns1 neigh replace 10.22.33.55 lladdr 02:00:00:00:00:99 dev eth0 nud permanent")
    assert world.playbook("arp_lab").code != 0

    assert world.played("arp_lab", "-e", "lab_state=absent") == 1
    assert world.state() == empty
    assert world.sh("find /run -type f") == ""


def test_all_stories_leave_the_lab_as_it_was(world):
    everything = stories("first_packet", "stale", "spoofing", "proxy", "broadcasts")
    assert world.played("arp_lab", *everything) == 6
    built = world.state()
    assert world.addresses("eth0", "arp2") == ["10.22.33.55/24"] and world.addresses("eth0", "arp3") == []
    again = world.playbook("arp_lab", *everything)
    assert (again.code, again.counts["changed"]) == (0, 0), again.text
    assert world.state() == built
    said = " ".join(again.text.split())
    for sentence in ("had to be asked", "packets still go to", "went from", "whoever claims it", "is the router"):
        assert sentence in said
    assert world.played("arp_lab", *stories("stale", arp_lab_cure="announce")) == 0


@pytest.mark.parametrize(
    ("story", "broken"),
    [
        # The asker does not reach the newcomer, because their ports are isolated from each other.
        ("stale", "ip netns exec arpsw bridge link set dev p3 isolated on; "
                  "ip netns exec arpsw bridge link set dev p1 isolated on"),
        # The asker ignores the claim, because the entry was made permanent before.
        ("spoofing", "ip -n arp1 neigh replace 10.22.33.55 dev eth0 nud permanent "
                     "lladdr $(ip -n arp2 -j link show eth0 | sed 's/.*\"address\":\"\\([^\"]*\\)\".*/\\1/')"),
        # The router answers for the other host, but does not forward.
        ("proxy", "ip netns exec arpr nft 'add table ip t; "
                  "add chain ip t c { type filter hook forward priority 0; policy drop; }'"),
        # The two sides of the router are bridged to one segment.
        ("broadcasts", "ip -n arpr link add br9 type bridge; ip -n arpr link set br9 up; "
                       "ip -n arpr link set left master br9; ip -n arpr link set right master br9"),
    ],
)  # fmt: skip
def test_a_story_fails_when_its_point_is_gone(world, story, broken):
    world.played("arp_lab", *stories(story))
    world.sh(broken)
    recap = world.playbook("arp_lab", *stories(story))
    assert recap.code != 0 and "Run the experiments" not in recap.text.split("fatal:")[1], recap.text
