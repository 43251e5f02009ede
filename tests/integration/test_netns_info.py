# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module netns_info reports the same as ip(8)."""

from __future__ import annotations


def by_name(entries, name):
    """The entry of a list with this name."""
    return next(entry for entry in entries if entry["name"] == name)


def test_tells_links_with_peers_and_masters_addresses_routes_and_neighbors(world):
    world.sh(
        "ip netns add c1; ip link add br0 type bridge; ip link set br0 up; ip addr add 10.0.0.1/24 dev br0;"
        "ip link add v1 mtu 1400 type veth peer name eth0 netns c1; ip link set v1 master br0 up;"
        "ip -n c1 link set eth0 up; ip -n c1 addr add 10.0.0.2/24 dev eth0;"
        "ip -n c1 route add default via 10.0.0.1;"
        "ip -n c1 neigh add 10.0.0.9 lladdr 02:00:00:00:00:09 dev eth0 nud permanent"
    )
    host, c1 = world.run("netns_info")["namespaces"]
    assert (host["name"], c1["name"]) == ("", "c1")
    v1, eth0 = by_name(host["links"], "v1"), by_name(c1["links"], "eth0")
    assert (v1["master"], v1["mtu"], v1["kind"], v1["up"]) == ("br0", 1400, "veth", True)
    assert v1["peer"] == {"name": "eth0", "netns": "c1"} and eth0["peer"] == {"name": "v1", "netns": ""}
    assert eth0["mac"] == world.links("c1")["eth0"]["address"]
    assert [one for one in eth0["addresses"] if ":" not in one] == ["10.0.0.2/24"]
    routes = [(one["dst"], one["via"], one["dev"]) for one in c1["routes"] if one["family"] == 4]
    assert routes == [("default", "10.0.0.1", "eth0"), ("10.0.0.0/24", "", "eth0")]
    pinned = {"dst": "10.0.0.9", "dev": "eth0", "lladdr": "02:00:00:00:00:09", "state": "PERMANENT"}
    pinned.update(proxy=False, router=False, extern_learn=False)
    assert pinned in c1["neighbors"]


def test_tells_whose_a_thing_is(world):
    world.run("netns", lab="mine", name=["c1"])
    world.run("netns", lab="mine", name=["held1"], held=True, hostname="box")
    world.run("veth", lab="mine", name="v1", peer={"name": "eth0", "netns": "c1"})
    world.sh("ip netns add other")
    named = {one["name"]: one for one in world.run("netns_info")["namespaces"]}
    whose = {name: one["lab"] for name, one in named.items()}
    assert whose == {"": "", "c1": "mine", "held1": "mine", "other": ""}
    assert named["held1"]["hostname"] == "box"
    assert world.sh("hostname", "held1") != "box", "the hostname belongs to the holder's UTS namespace"
    assert world.sh("nsenter -t {0} --uts hostname".format(named["held1"]["pid"])) == "box\n"
    assert by_name(named[""]["links"], "v1")["lab"] == "mine"
    assert [one["name"] for one in world.run("netns_info", lab="mine")["namespaces"]] == ["", "c1", "held1"]


def test_a_namespace_that_is_not_there_is_an_error(world):
    result = world.module("netns_info", name=["", "nowhere"])
    assert result["failed"] and result["msg"] == "name[1]: there is no network namespace 'nowhere'"


def test_tells_what_a_bridge_has_learnt_and_sysctls(world):
    world.sh(
        "ip netns add c1; ip link add br0 type bridge; ip link set br0 up; ip addr add 10.0.0.1/24 dev br0;"
        "ip link add v1 type veth peer name eth0 netns c1; ip link set v1 master br0 up;"
        "ip -n c1 link set eth0 up; ip -n c1 addr add 10.0.0.2/24 dev eth0; sysctl -qw net.ipv4.ip_forward=1"
    )
    assert world.ping("c1", "10.0.0.1")
    host = world.run("netns_info", name=[""], sysctls=["net.ipv4.ip_forward", "net.no.such"])["namespaces"][0]
    assert host["sysctls"] == {"net.ipv4.ip_forward": "1", "net.no.such": None}
    learnt = {(one["mac"], one["dev"], one["master"]) for one in host["fdb"] if not one["permanent"]}
    expected = {(one["mac"], one["ifname"], one["master"]) for one in world.json("bridge -j fdb") if one["state"] == ""}
    assert learnt == expected == {(world.links("c1")["eth0"]["address"], "v1", "br0")}
