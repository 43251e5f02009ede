# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

OFFICE = {
    "name": "office",
    "namespaces": {"pc[1:2]": None, "host": {"forwarding": True}},
    "segments": {"lan": {"bridge": "br0", "prefix": "10.1.0.0/24", "gateway": "host", "members": "pc[1:2]"}},
}


def only(world, **arguments):
    """The only lab in the result."""
    (found,) = world.run("lab_info", **arguments)["labs"]
    return found


def test_knows_nothing_of_an_empty_host_nor_of_what_is_nobodys(world):
    world.sh("ip netns add plain; ip link add v0 type veth peer name v1 netns plain")
    assert world.run("lab_info")["labs"] == []


def test_tells_what_belongs_to_labs_of_modules(world):
    world.run("netns", lab="one", name=["c1"])
    world.run("netns", lab="two", name=["c2"], held=True)
    world.run("veth", lab="one", name="v0", peer={"name": "eth0", "netns": "c1"})
    one, two = world.run("lab_info")["labs"]
    assert (one["name"], one["namespaces"]) == ("one", [{"name": "c1", "held": False}])
    assert {(link["netns"], link["name"]) for link in one["links"]} == {("", "v0"), ("c1", "eth0")}
    assert (two["name"], two["namespaces"], two["links"]) == ("two", [{"name": "c2", "held": True}], [])
    assert one["drifted"] is None and one["topology"] is None
    assert only(world, name=["two"])["name"] == "two"


@pytest.mark.parametrize(
    ("where", "drift", "cure"),
    [
        ("", "ip link set br0 down", "ip link set dev br0 up"),
        ("pc1", "ip addr del 10.1.0.2/24 dev lan", "ip -n pc1 addr add 10.1.0.2/24 dev lan"),
        ("pc2", "ip route del default", "ip -n pc2 route add default via 10.1.0.1"),
        ("pc2", "ip route add 10.9.0.0/16 via 10.1.0.1", "ip -n pc2 route del 10.9.0.0/16 via 10.1.0.1 dev lan"),
        ("", "sysctl -qw net.ipv4.ip_forward=0", "sysctl -w net.ipv4.ip_forward=1"),
        ("", "ip link del pc1-lan", "ip link add name pc1-lan type veth peer name lan netns pc1"),
        ("", "ip netns del pc2; while ip link show pc2-lan; do sleep 0.05; done", "ip netns add pc2"),
    ],
)
def test_sees_drift(world, where, drift, cure):
    world.run("topology", topology=OFFICE)
    built = world.comparable()
    assert only(world)["drifted"] is False
    assert only(world)["sysctls"] == [{"netns": "", "name": "net.ipv4.ip_forward", "value": "1", "old": "0"}]
    world.sh(drift, where)
    broken = world.state()
    found = only(world)
    assert found["drifted"] is True and cure in found["commands"]
    assert world.state() == broken, "it only looks"
    assert world.run("topology", topology=OFFICE)["commands"] == found["commands"]
    assert world.comparable() == built
    assert only(world)["drifted"] is False
    world.run("topology", name="office", state="absent")
    assert world.run("lab_info")["labs"] == []


def test_a_lab_that_cannot_be_made_again_is_told_with_the_reason(world):
    world.run("topology", topology=OFFICE)
    world.sh("ip netns del pc1; ip netns add pc1")
    found = only(world)
    assert found["drifted"] is True
    assert found["errors"] and "pc1" in found["errors"][0]
