# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each attribute of the tables in fields.py: a change by somebody else is seen, reported, and repaired. ip(8) is the
oracle.
"""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.linuxnet.lab.plugins.module_utils import fields
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.sockets import Sockets
from ansible_collections.linuxnet.lab.plugins.module_utils.snapshot import Snapshot
from ansible_collections.linuxnet.lab.plugins.module_utils.topology.export import export

LAB = {
    "name": "x",
    "namespaces": ["c1"],
    "segments": {"lan": {"bridge": "br0", "prefix": "10.0.0.0/24", "gateway": "host", "members": ["c1"]}},
}
PORT = {"dev": "c1", "netns": ""}
# Each case: a namespace and a link, and the change, in the words of ip-link(8).
DRIFT = {
    "arp": "ip -n c1 link set dev eth0 arp off",
    "arp_of_the_bridge": "ip link set dev br0 arp off",
    "multicast": "ip -n c1 link set dev eth0 multicast off",
    "txqueuelen": "ip link set dev p1 txqueuelen 7",
    **{
        name: "ip link set dev p1 type bridge_slave {0} {1}".format(
            name, 8 if field.codec.kind == fields.NUMBER else "off" if field.new else "on"
        )
        for name, field in fields.PORT.items()
    },
    "stp": "ip link set dev br0 type bridge stp_state 1",
    "forward_delay": "ip link set dev br0 type bridge forward_delay 777",
    "ageing_time": "ip link set dev br0 type bridge ageing_time 12345",
    "mcast_snooping": "ip link set dev br0 type bridge mcast_snooping 0",
}

# By the name of the attribute: a command that changes the default route of c1, in the words of ip-route(8).
ROUTES = {
    name: "ip -n c1 route change default via 10.0.0.1 dev eth0 proto 76 {0} 1".format(name)
    if name != "mtu"
    else "ip -n c1 route replace default via 10.0.0.1 dev eth0 mtu 500"
    for name in fields.METRICS
}

# By the name of the attribute: the words of ip-address(8) that change an address of c1, and further differences.
ADDRESSES = {
    **{
        "{0} of {1}".format(name, ip): "ip -n c1 addr change {0} dev eth0 {1}".format(ip, words)
        for ip in ("10.0.0.2/24", "fd00::2/64")
        for name, words in (
            ("metric", "metric 5"),
            ("lifetimes", "valid_lft 1000 preferred_lft 500"),
            ("lifetimes without preference", "valid_lft forever preferred_lft 0"),
            ("noprefixroute", "noprefixroute"),
            ("home", "home"),
            ("mngtmpaddr", "mngtmpaddr"),
        )
        if ":" in ip or name not in ("noprefixroute", "home", "mngtmpaddr")  # IPv4 has it below, or never
    },
    **{
        name: "ip -n c1 addr del 10.0.0.2/24 dev eth0; ip -n c1 addr add 10.0.0.2/24 dev eth0 " + words
        for name, words in (
            ("noprefixroute of IPv4", "noprefixroute"),
            ("scope", "scope link"),
            ("broadcast", "brd 10.0.0.255"),
            ("everything", "brd 10.0.0.9 metric 7 scope site noprefixroute valid_lft 1000 preferred_lft 0"),
        )
    },
}


@pytest.fixture
def lab(world: t.Any) -> dict[str, t.Any]:
    """The topology of a lab that is built: br0 with the port p1, whose other end is eth0 in c1."""
    segment = {**LAB["segments"]["lan"], "members": {"c1": {"name": "eth0", "port": "p1"}}}  # type: ignore[index]
    topology = {**LAB, "segments": {"lan": segment}}
    world.run("topology", topology=topology)
    return topology


def drifted(world: t.Any) -> bool:
    """The drift that lab_info reports."""
    return world.run("lab_info")["labs"][0]["drifted"]


def test_drift(world: t.Any, lab: dict[str, t.Any]) -> None:
    """Each change is seen, and one command repairs it, sent by the module or typed in a shell."""
    assert {*fields.usual(fields.LINK), *fields.PORT} <= set(DRIFT), "a new line of the table needs one here"
    built = world.state()
    assert not drifted(world)
    for name, command in DRIFT.items():
        world.sh(command)
        changed = world.state()
        assert changed != built, name
        assert drifted(world), name
        done = world.run("topology", topology=lab)
        assert len(done["commands"]) == 1, name
        assert world.state() == built, name
        world.sh(command)
        world.sh(done["commands"][0])
        assert world.state() == built, name
        assert not drifted(world), name


def test_routes_that_differ(world: t.Any, lab: dict[str, t.Any]) -> None:
    """Each change is seen, and the module and its commands replace the route."""
    built = world.as_typed()
    for name, command in ROUTES.items():
        world.sh(command)
        assert world.as_typed() != built, name
        assert drifted(world), name
        done = world.run("topology", topology=lab)
        assert world.as_typed() == built, name
        world.sh(command)
        world.sh("; ".join(done["commands"]))
        assert world.as_typed() == built, name


def told(world: t.Any) -> list[dict[str, t.Any]]:
    """The addresses of c1 that ip-address(8) reports, without link-local ones."""
    (link,) = world.json("ip -j addr show dev eth0", "c1")
    return [one for one in link["addr_info"] if one["scope"] != "link" or "." in one["local"]]


def test_addresses_that_differ(world: t.Any, lab: dict[str, t.Any]) -> None:
    """Each change is seen, and the module and its commands repair the address, its routes, and routes that depend on
    it.
    """
    assert {*fields.usual(fields.ADDRESS), "broadcast", "scope"} <= {name.split()[0] for name in ADDRESSES}
    lab["segments"]["lan"]["prefix"] = ["10.0.0.0/24", "fd00::/64"]
    world.run("topology", topology=lab)
    built, addresses = world.as_typed(), told(world)
    for name, command in ADDRESSES.items():
        world.sh(command)
        assert told(world) != addresses, name
        assert drifted(world), name
        done = world.run("topology", topology=lab)
        assert (world.as_typed(), told(world)) == (built, addresses), name
        world.sh(command)
        world.sh("; ".join(done["commands"]))
        assert (world.as_typed(), told(world)) == (built, addresses), name
        assert not drifted(world), name


NEIGHBORS = [
    {"netns": "c1", "dev": "eth0", "dst": "10.0.0.9", "lladdr": "02:00:00:00:00:09"},
    {"netns": "c1", "dev": "eth0", "dst": "fd00::9", "lladdr": "02:00:00:00:00:09"},
    {"netns": "c1", "dev": "eth0", "dst": "10.0.0.8", "proxy": True},
    {"netns": "c1", "dev": "eth0", "dst": "fd00::8", "proxy": True},
]


def entries(world: t.Any) -> list[str]:
    """The entries of c1 that ip-neighbour(8) prints, without those that the kernel has learnt."""
    found = world.sh("ip -n c1 neigh; ip -n c1 neigh show proxy; ip -n c1 -6 neigh show proxy").splitlines()
    return sorted({line.strip() for line in found if "PERMANENT" in line or "proxy" in line})


def test_neighbors_that_differ(world: t.Any, lab: dict[str, t.Any]) -> None:
    """Each attribute of permanent entries and proxies, with both IP versions, is repaired. The diff names the
    differences.
    """
    lab = {**lab, "neighbors": NEIGHBORS}
    world.run("topology", topology=lab)
    built = entries(world)
    assert len(built) == 4
    with Sockets() as sockets:
        exported = export(Snapshot(sockets), "x")["neighbors"]
    assert sorted(exported, key=str) == sorted(NEIGHBORS, key=str)
    pin = "ip -n c1 neigh replace {dst} lladdr {mac} dev eth0 nud permanent"
    drift = {
        "lladdr": (pin.replace("{mac}", "02:00:00:00:00:77"), "02:00:00:00:00:77 permanent"),
        "router": (pin + " router", "02:00:00:00:00:09 permanent router"),
        "extern_learn": (pin + " extern_learn", "02:00:00:00:00:09 permanent extern_learn"),
        "state": (pin.replace("permanent", "stale"), "02:00:00:00:00:09 stale"),
        "proxy": ("ip -n c1 neigh del proxy {dst} dev eth0", ""),
        "router of a proxy": ("ip -n c1 neigh replace proxy {dst} dev eth0 router", "proxy router"),
    }
    assert set(fields.NEIGHBOR) <= drift.keys()
    for name, (command, shown) in drift.items():
        dsts = ["10.0.0.8", "fd00::8"] if "proxy" in name else ["10.0.0.9", "fd00::9"]
        damage = "; ".join(command.format(dst=dst, mac="02:00:00:00:00:09") for dst in dsts)
        world.sh(damage)
        assert drifted(world), name
        done = world.run("topology", topology=lab)
        before = {"proxies" if "proxy" in name else "neighbors": dict.fromkeys(dsts, shown)}
        assert done["diff"]["before"] == ({"c1": {"links": {"eth0": before}}} if shown else {}), name
        assert entries(world) == built, name
        world.sh(damage)
        world.sh("; ".join(done["commands"]))
        assert entries(world) == built, name
        assert not drifted(world), name


def test_addresses_with_options(world: t.Any, lab: dict[str, t.Any]) -> None:
    """Addresses with options are added, kept, exported, typed, repaired, and lose the options with the keys."""
    lan = {**lab["segments"]["lan"], "prefix": ["10.0.0.0/24", "fd00::/64"], "default_route": False}
    plain = {**lab, "segments": {"lan": lan}}
    world.run("topology", topology=plain)
    for option, value, shown in (
        ("metric", 77, {"metric": 77}),
        ("noprefixroute", True, {"noprefixroute": True}),
        ("broadcast", True, {"broadcast": "10.0.0.255"}),
    ):
        optioned = {**plain, "segments": {"lan": {**lan, option: value}}}
        done = world.run("topology", topology=optioned)
        for info in told(world)[: 1 if option == "broadcast" else 2]:
            assert shown.items() <= info.items(), info
        prefixes = [one for one in world.routes("c1") + world.routes("c1", "-6") if one["dst"].endswith(("/24", "/64"))]
        metrics = {one.get("metric") for one in prefixes if not one["dst"].startswith("fe80")}
        assert metrics == {"metric": {77}, "noprefixroute": set(), "broadcast": {None, 256}}[option]
        assert any(option in command or "brd" in command for command in done["commands"])
        assert not world.run("topology", topology=optioned)["changed"] and not drifted(world)
        with Sockets() as sockets:
            exported = export(Snapshot(sockets), "x")
        assert [end[option] for one in exported["links"] for end in one["ends"] if end.get("addresses")] == [value]
        assert exported["bridges"]["br0"][option] == value
        assert not world.run("topology", topology=exported)["changed"]
        world.run("topology", topology=plain)
        assert not any(shown.items() <= info.items() for info in told(world))


def test_a_refused_run_puts_an_address_back_with_all_that_it_had(world: t.Any, lab: dict[str, t.Any]) -> None:
    """The kernel refuses the IPv6 address after the run has removed the other address."""
    words = "brd 10.0.1.9 metric 7 scope site noprefixroute valid_lft 40000 preferred_lft 30000"
    world.sh("ip addr flush dev eth0; ip addr add 10.0.1.1/24 {0} dev eth0".format(words), "c1")
    world.sh("echo 1 > /proc/sys/net/ipv6/conf/eth0/disable_ipv6", "c1")
    before = told(world)
    wanted = {"lab": "x", "netns": "c1", "dev": "eth0", "addresses": ["10.0.2.1/24", "fd00::9/64"], "exclusive": True}
    assert "the changes before it were undone" in world.module("address", **wanted)["msg"]
    (after,) = told(world)
    for name, seconds in (("valid_life_time", 40000), ("preferred_life_time", 30000)):
        assert seconds - 60 < after.pop(name) <= before[0].pop(name) <= seconds
    assert [after] == before


def test_a_metric_of_an_address_that_cannot_be(world: t.Any) -> None:
    """The range of the metric is checked in every place."""
    reason = "metric: {0} is not between 0 and 4294967295"
    world.sh("ip link add v0 type bridge")
    for metric in (-1, 1 << 32):
        errors = world.refused("address", lab="x", dev="v0", addresses=["10.0.0.1/24"], metric=metric)
        assert errors == [reason.format(metric)]
    topology = {"name": "x", "bridges": {"b": {"addresses": "10.0.0.1/24", "metric": -1}}}
    assert world.refused("topology", topology=topology) == ["bridges.b." + reason.format(-1)]


def test_a_route_with_an_mtu(world: t.Any, lab: dict[str, t.Any]) -> None:
    """The MTU is set, kept, repaired, exported, and removed with the key. lab_info reports its removal as drift."""
    routes = [{"netns": "c1", "dst": "10.9.0.0/16", "via": "10.0.0.1", "mtu": 1400, "advmss": 1000}]
    done = world.run("topology", topology={**lab, "routes": routes})
    assert done["commands"] == ["ip -n c1 route add 10.9.0.0/16 via 10.0.0.1 mtu 1400 advmss 1000"]
    assert world.routes("c1", "-d")[-1]["metrics"] == [{"mtu": 1400, "advmss": 1000}]
    assert not world.run("topology", topology={**lab, "routes": routes})["changed"]
    with Sockets() as sockets:
        exported = [one for one in export(Snapshot(sockets), "x")["routes"] if one["dst"] == "10.9.0.0/16"]
    assert (exported[0]["mtu"], exported[0]["advmss"]) == (1400, 1000)
    world.sh("ip -n c1 route change 10.9.0.0/16 via 10.0.0.1 proto 76")
    assert drifted(world)
    del routes[0]["mtu"], routes[0]["advmss"]
    world.run("topology", topology={**lab, "routes": routes})
    assert "metrics" not in world.routes("c1", "-d")[-1]


def test_an_mtu_that_cannot_be(world: t.Any) -> None:
    """The range of the MTU is checked."""
    reasons = world.refused("route", lab="x", dst="10.9.0.0/16", dev="lo", mtu=60)
    assert reasons == ["mtu: 60 is not between 68 and 65535"]


def test_everything_at_once(world: t.Any, lab: dict[str, t.Any]) -> None:
    """The plan has one change for the link, one for the link as a port, and one for the bridge."""
    built = world.state()
    world.sh("; ".join(DRIFT.values()))
    done = world.run("topology", topology=lab)
    assert world.state() == built
    assert len(done["commands"]) <= 6


def test_flags_in_the_header_are_in_the_state(world: t.Any, lab: dict[str, t.Any]) -> None:
    """The module switches ARP of a link off and on, and `arp` is in the state."""
    assert world.ping("", "10.0.0.2")
    done = world.run("link", lab="x", netns="c1", name="eth0", arp=False)
    assert done["commands"] == ["ip -n c1 link set dev eth0 arp off"]
    assert done["diff"]["after"] == {"c1": {"links": {"eth0": {"arp": False}}}}
    assert "NOARP" in world.links("c1")["eth0"]["flags"]
    assert not world.run("link", lab="x", netns="c1", name="eth0", arp=False)["changed"]
    world.run("link", lab="x", netns="c1", name="eth0", arp=True)
    assert "NOARP" not in world.links("c1")["eth0"]["flags"]


def test_a_topology_without_arp(world: t.Any) -> None:
    """A link without ARP is built, is no drift, is exported, and gets ARP with the removal of the key."""
    ends = [{"netns": "c1", "name": "a", "arp": False}, {"netns": "c2", "name": "b"}]
    topology = {"name": "x", "namespaces": ["c1", "c2"], "links": [ends]}
    world.run("topology", topology=topology)
    assert "NOARP" in world.links("c1")["a"]["flags"] and "NOARP" not in world.links("c2")["b"]["flags"]
    assert not drifted(world)
    with Sockets() as sockets:
        exported = export(Snapshot(sockets), "x")
    assert [end.get("arp") for end in exported["links"][0]["ends"]] == [False, None]
    assert not world.run("topology", topology=exported)["changed"]
    del ends[0]["arp"]
    world.run("topology", topology=topology)
    assert "NOARP" not in world.links("c1")["a"]["flags"]


def test_a_new_port_begins_with_the_usual_settings(world: t.Any, lab: dict[str, t.Any]) -> None:
    """A port loses its settings when it leaves its bridge. If the run fails, it gets back both."""
    world.sh("ip link set dev p1 type bridge_slave isolated on; ip link add br1 type bridge")
    world.sh("ip link set br1 alias linuxnet.lab:x")
    world.sh("echo 1 > /proc/sys/net/ipv6/conf/eth0/disable_ipv6", "c1")
    peer = {"name": "eth0", "netns": "c1", "addresses": ["10.0.0.2/24", "fd00::1/64"]}
    assert world.module("veth", lab="x", name="p1", master="br1", peer=peer)["failed"]
    p1 = world.links()["p1"]
    assert (p1["master"], p1["linkinfo"]["info_slave_data"]["isolated"]) == ("br0", True)
    world.run("link", lab="x", name="p1", master="br1")
    assert world.links()["p1"]["linkinfo"]["info_slave_data"]["isolated"] is False
    assert not world.run("link", lab="x", name="p1", master="br1")["changed"]


def test_a_link_that_is_not_the_labs_keeps_its_settings(world: t.Any) -> None:
    """The lab does not change settings of a link that it does not own."""
    world.sh("ip link add eth9 type veth peer name peer9; ip link set dev eth9 arp off up; ip link set peer9 up")
    topology = {"name": "x", "namespaces": ["c1"], "links": [["c1", "host"]]}
    before = world.links()["eth9"]
    world.run("topology", topology=topology)
    assert world.links()["eth9"]["flags"] == before["flags"]
