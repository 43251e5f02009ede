# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module neighbor. ip(8) and ping are the witnesses."""

from __future__ import annotations

import pytest

MAC = "02:00:00:00:00:09"


@pytest.fixture
def pair(world):
    """A host and one namespace of the lab, built by the collection's modules."""
    world.run("netns", lab="l", name=["c1"])
    world.run(
        "veth", lab="l", name="v1", addresses=["10.0.0.1/24"],
        peer={"name": "eth0", "netns": "c1", "addresses": ["10.0.0.2/24"]},
    )  # fmt: skip
    return world


def table(world, netns="", arguments=""):
    """The entries of `ip -j neigh` as {dst: (lladdr, state)}, without those that IPv6 creates itself."""
    return {
        entry["dst"]: (entry.get("lladdr"), *entry["state"])
        for entry in world.json("ip -j neigh show {0}".format(arguments), netns)
        if not entry["dst"].startswith("fe80:")
    }


def test_pins_repins_and_removes(pair):
    wanted = {"lab": "l", "netns": "c1", "dev": "eth0", "dst": "10.0.0.9"}
    done = pair.quartet("neighbor", **wanted, lladdr=MAC)
    assert table(pair, "c1")["10.0.0.9"] == (MAC, "PERMANENT")
    assert done["commands"] == ["ip -n c1 neigh replace 10.0.0.9 lladdr {0} dev eth0 nud permanent".format(MAC)]
    assert done["diff"]["after"] == {"c1": {"links": {"eth0": {"neighbors": {"10.0.0.9": MAC + " permanent"}}}}}

    pair.sh("ip -n c1 neigh replace 10.0.0.9 lladdr 02:00:00:00:00:77 dev eth0 nud permanent")
    again = pair.run("neighbor", **wanted, lladdr=MAC)
    assert again["diff"]["before"]["c1"]["links"]["eth0"]["neighbors"] == {"10.0.0.9": "02:00:00:00:00:77 permanent"}
    assert table(pair, "c1")["10.0.0.9"] == (MAC, "PERMANENT")

    pair.quartet("neighbor", **wanted, state="absent")
    assert "10.0.0.9" not in table(pair, "c1")


def test_a_learnt_entry_is_pinned_and_a_wrong_pin_cuts_off(pair):
    assert pair.ping("c1", "10.0.0.1")
    learnt = table(pair, "c1")["10.0.0.1"]
    assert learnt[1] in ("REACHABLE", "DELAY", "STALE")
    assert pair.run("neighbor", lab="l", netns="c1", dev="eth0", dst="10.0.0.1", lladdr=learnt[0])["changed"]
    assert table(pair, "c1")["10.0.0.1"] == (learnt[0], "PERMANENT")
    pair.run("neighbor", lab="l", netns="c1", dev="eth0", dst="10.0.0.1", lladdr=MAC)
    assert not pair.ping("c1", "10.0.0.1")


def test_ipv6_and_several_in_one_task(pair):
    entries = [{"dst": "10.0.0.8", "lladdr": MAC}, {"dst": "fd00:0::8", "lladdr": MAC}]
    pair.quartet("neighbor", lab="l", dev="v1", entries=entries)
    assert table(pair) == {"10.0.0.8": (MAC, "PERMANENT"), "fd00::8": (MAC, "PERMANENT")}


def test_answers_for_another_address(pair):
    pair.quartet("neighbor", lab="l", dev="v1", dst="10.0.0.55", proxy=True)
    assert [one["dst"] for one in pair.json("ip -j neigh show proxy")] == ["10.0.0.55"]
    # A proxy answers only for an address to which it has a route through another link.
    pair.sh("ip link add other type bridge; ip link set other up; ip route add 10.0.0.55/32 dev other")
    pair.sh("sysctl -qw net.ipv4.ip_forward=1 net.ipv4.neigh.v1.proxy_delay=0")
    pair.ping("c1", "10.0.0.55")
    assert table(pair, "c1")["10.0.0.55"][0] == pair.links()["v1"]["address"]
    pair.run("neighbor", lab="l", dev="v1", dst="10.0.0.55", proxy=True, state="absent")
    assert pair.json("ip -j neigh show proxy") == []


def test_flushes_what_was_learnt_and_keeps_what_is_pinned(pair):
    pair.run("neighbor", lab="l", netns="c1", dev="eth0", dst="10.0.0.9", lladdr=MAC)
    assert pair.ping("c1", "10.0.0.1")
    assert pair.run("neighbor", lab="l", netns="c1", state="flushed", nud=["failed"])["changed"] is False
    assert pair.run("neighbor", lab="l", netns="c1", dev="eth0", state="flushed")["changed"]
    assert table(pair, "c1") == {"10.0.0.9": (MAC, "PERMANENT")}
    assert pair.run("neighbor", lab="l", netns="c1", dev="eth0", state="flushed")["changed"] is False


def test_bad_input_and_what_is_not_the_labs(pair):
    bad = pair.refused("neighbor", lab="l", dev="v1", entries=[{"dst": "10.0.0"}, {"dst": "10.0.0.3"}])
    assert bad == [
        "entries[0].dst: '10.0.0' is not an IP address",
        "entries[0].lladdr: an entry for 10.0.0 needs the MAC address",
        "entries[1].lladdr: an entry for 10.0.0.3 needs the MAC address",
    ]
    assert "no link 'v2'" in pair.refused("neighbor", lab="l", dev="v2", dst="10.0.0.3", lladdr=MAC)[0]
    assert "belongs to lab 'l'" in pair.refused("neighbor", lab="other", dev="v1", dst="10.0.0.3", lladdr=MAC)[0]
