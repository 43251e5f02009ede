# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Peers, scopes, lifetimes and other options of single addresses. ip-address(8) is the oracle."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.sockets import Sockets
from ansible_collections.linuxnet.lab.plugins.module_utils.snapshot import Snapshot
from ansible_collections.linuxnet.lab.plugins.module_utils.topology.export import export

if t.TYPE_CHECKING:
    from .conftest import World

LAB: dict[str, t.Any] = {
    "name": "x",
    "namespaces": {"a": {"lo": {"address": "10.9.0.1", "metric": 5}, "forwarding": True}, "b": {"forwarding": True}},
    "links": [
        {
            "ends": [
                {
                    "netns": "a",
                    "name": "eth0",
                    "addresses": [
                        {"address": "10.0.0.1/32", "peer": "10.0.0.2"},
                        {"address": "10.1.0.1/24", "scope": "link", "metric": 7},
                        {"address": "10.2.0.1/24", "valid_lft": 3000, "preferred_lft": 2000},
                        {"address": "fd01::1/64", "noprefixroute": True},
                        {"address": "fd00::1/128", "peer": "fd00::2"},
                        "fd02::1/64",
                    ],
                },
                {
                    "netns": "b",
                    "name": "eth0",
                    "addresses": [
                        {"address": "10.0.0.2/32", "peer": "10.0.0.1"},
                        {"address": "fd00::2/128", "peer": "fd00::1"},
                    ],
                },
            ]
        },
        {
            "ends": [
                {"netns": "a", "name": "eth1", "addresses": {"address": "10.0.0.1/32", "peer": "10.0.0.3"}},
                {"netns": "b", "name": "eth1", "valid_lft": 4000, "addresses": ["10.0.0.3/32", "fd03::2/64"]},
            ]
        },
    ],
    "routing": "static",
}


@pytest.fixture
def lab(world: World) -> dict[str, t.Any]:
    """The topology of a lab that is built."""
    world.run("topology", topology=LAB)
    return LAB


def told(world: World, netns: str = "a", dev: str = "eth0") -> dict[str, dict[str, t.Any]]:
    """The addresses that ip(8) reports, without link-local ones. Of a lifetime, only whether it is limited."""
    (link,) = world.json("ip -j addr show dev {0}".format(dev), netns)
    found = {}
    for one in link["addr_info"]:
        if not one["local"].startswith("fe80"):
            left = [one.pop(name) for name in ("valid_life_time", "preferred_life_time")]
            found[one["local"]] = {**one, "ends": [seconds < 100000 for seconds in left]}
    return found


def routes(world: World) -> list[str]:
    """The routes of a in all tables, in any order."""
    lines = world.sh("ip route show table all; ip -6 route show table all", "a").splitlines()
    lines = [line.replace(" proto 76", "") for line in lines if "fe80" not in line and "ff00" not in line]
    return sorted(line.replace(" proto boot", "").split(" expires")[0].strip() for line in lines)


def test_built_as_said(world: World, lab: dict[str, t.Any]) -> None:
    """ip(8) and netns_info show each option, and packets pass the point-to-point links."""
    there = told(world)
    assert (there["10.0.0.1"]["address"], there["10.0.0.1"]["prefixlen"]) == ("10.0.0.2", 32)
    assert (there["10.1.0.1"]["scope"], there["10.1.0.1"]["metric"]) == ("link", 7)
    assert (there["10.2.0.1"]["ends"], there["10.1.0.1"]["ends"]) == ([True, True], [False, False])
    assert there["fd01::1"]["noprefixroute"] and there["fd00::1"]["address"] == "fd00::2"
    assert [one["ends"] for one in told(world, "b", "eth1").values()] == [[True, True]] * 2
    assert told(world, "a", "lo")["10.9.0.1"]["metric"] == 5
    assert world.ping("a", "10.0.0.2") and world.ping("a", "fd00::2") and world.ping("b", "10.9.0.1")
    assert not world.run("topology", topology=lab)["changed"]
    (shown,) = world.run("netns_info", name=["a"])["namespaces"]
    info = {one["address"]: one for link in shown["links"] for one in link["addr_info"]}
    assert info["10.1.0.1/24"]["scope"] == "link" and info["fd00::1/128"]["peer"] == "fd00::2"
    assert 2900 < int(info["10.2.0.1/24"]["valid_lft"]) <= 3000
    assert 1900 < int(info["10.2.0.1/24"]["preferred_lft"]) <= 2000


def test_drift_is_seen_and_repaired(world: World, lab: dict[str, t.Any]) -> None:
    """A change of each option is drift. The passing of a lifetime is not."""
    built, addresses = routes(world), told(world)
    change = "ip -n a addr change {0} dev eth0 "
    again = "ip -n a addr del {0} dev eth0; ip -n a addr add {1} dev eth0"
    for damage in (
        again.format("10.0.0.1 peer 10.0.0.2/32", "10.0.0.1 peer 10.0.0.9/32"),
        again.format("10.0.0.1 peer 10.0.0.2/32", "10.0.0.1/32"),
        again.format("10.1.0.1/24", "10.1.0.1/24 metric 7"),
        again.format("10.1.0.1/24", "10.1.0.1/24 scope link"),
        again.format("10.2.0.1/24", "10.2.0.1/24"),
        again.format("fd01::1/64", "fd01::1/64 nodad"),
        again.format("fd00::1/128 peer fd00::2", "fd00::1/128 nodad"),
        change.format("fd02::1/64") + "valid_lft 100 preferred_lft 100",
        "ip -n a addr del 10.2.0.1/24 dev eth0",
    ):
        world.sh(damage)
        assert told(world) != addresses, damage
        assert world.run("lab_info")["labs"][0]["drifted"], damage
        done = world.run("topology", topology=lab)
        assert told(world) == addresses and routes(world) == built, damage
        world.sh(damage)
        world.sh("; ".join(done["commands"]))
        assert told(world) == addresses and routes(world) == built, damage
    for words, changes in (
        ("valid_lft 900 preferred_lft 0", False),
        ("valid_lft 2999 preferred_lft 1000", False),
        ("valid_lft 3500 preferred_lft 1000", True),
        ("valid_lft forever preferred_lft forever", True),
    ):
        world.sh(change.format("10.2.0.1/24") + words)
        assert world.run("topology", topology=lab)["changed"] is changes, words


def test_export_and_typed(world: World, lab: dict[str, t.Any]) -> None:
    """An export and the typed commands build the same addresses. Options disappear with their keys."""
    built = world.as_typed()
    with Sockets() as sockets:
        exported = export(Snapshot(sockets), "x")
    done = world.run("topology", topology=exported)
    assert not [one for one in done["commands"] if " sysctl " not in one]
    assert exported["namespaces"]["a"]["lo"] == [{"address": "10.9.0.1/32", "metric": 5}]
    (end,) = [end for one in exported["links"] for end in one["ends"] if end["name"] == "eth0" and end["netns"] == "a"]
    assert {"address": "10.0.0.1/32", "peer": "10.0.0.2"} in end["addresses"]
    assert {"address": "10.1.0.1/24", "metric": 7, "scope": "link"} in end["addresses"]
    world.run("topology", topology=lab)
    plain = {**lab, "links": [["a:eth0", "b:eth0"], ["a:eth1", "b:eth1"]]}
    world.run("topology", topology=plain)
    assert told(world) == {}
    world.run("topology", topology=lab)
    assert world.as_typed() == built
    with world.another() as empty:
        done = empty.run("topology", topology=lab)
        assert empty.as_typed() == built
        empty.run("topology", name="x", state="absent")
        assert empty.by_hand(done["commands"]) == built


def test_the_modules(world: World) -> None:
    """The modules add, keep, change and remove options, also in veth and bridge. A refused run restores the old
    address.
    """
    world.run("netns", lab="x", name=["c"])
    peer = {"name": "eth0", "netns": "c", "addresses": [{"address": "10.0.0.2/32", "peer": "10.0.0.1"}]}
    pair = {"lab": "x", "name": "h0", "addresses": [{"address": "10.0.0.1/32", "peer": "10.0.0.2"}], "peer": peer}
    world.quartet("veth", **pair)
    assert world.ping("", "10.0.0.2")
    world.quartet("bridge", lab="x", netns="c", name="br0", addresses=[{"address": "10.7.0.1/24", "scope": "host"}])
    assert told(world, "c", "br0")["10.7.0.1"]["scope"] == "host"
    link = {"lab": "x", "netns": "c", "dev": "eth0"}
    world.quartet("address", **link, addresses=["10.3.0.1/24", {"address": "10.4.0.1/24", "valid_lft": 500}])
    assert told(world, "c")["10.4.0.1"]["ends"] == [True, True]
    assert told(world, "c")["10.3.0.1"]["ends"] == [False, False]
    done = world.run("address", **link, addresses=[{"address": "10.0.0.2/32", "peer": "10.0.0.9"}])
    assert done["commands"] == [
        "ip -n c addr del 10.0.0.2 peer 10.0.0.1/32 dev eth0",
        "ip -n c addr add 10.0.0.2 peer 10.0.0.9/32 dev eth0",
    ]
    before = told(world, "c")
    world.sh("echo 1 > /proc/sys/net/ipv6/conf/eth0/disable_ipv6", "c")
    broken = world.module("address", **link, addresses=["10.3.0.1/24", "fd00::9/64"], exclusive=True)
    assert "the changes before it were undone" in broken["msg"]
    assert told(world, "c") == before
    other = {"address": "10.0.0.2/32", "peer": "10.0.0.1"}
    assert not world.run("address", **link, addresses=[other], state="absent")["changed"]
    world.run("address", **link, addresses=[{**other, "peer": "10.0.0.9"}], state="absent")
    world.run("address", **link, addresses=["10.3.0.1/24", "10.4.0.1/24"], state="absent")
    assert told(world, "c") == {}


def test_options_that_cannot_be(world: World, lab: dict[str, t.Any]) -> None:
    """Each mistake gives one error that names the value."""
    def refused(**address: t.Any) -> list[str]:
        addresses = [{"address": "10.5.0.1/32", **address}]
        return world.refused("address", lab="x", netns="a", dev="eth0", addresses=addresses)

    at = "addresses[0]."
    assert refused(pear="10.0.0.2") == [at + "pear: there is no such option (did you mean 'peer'?)"]
    assert refused(peer="fd00::2") == [at + "peer: fd00::2 cannot be the peer of 10.5.0.1"]
    assert refused(peer="10.5.0.1") == [at + "peer: 10.5.0.1 cannot be the peer of 10.5.0.1"]
    assert refused(peer="10.5.0.2/32") == [at + "peer: '10.5.0.2/32' is not an IP address"]
    assert refused(scope="lnik") == [at + "scope: 'lnik' is not one of global, site, link, host"]
    assert refused(metric="x") == [at + "metric: 'x' is not of the type int"]
    assert refused(metric=-1) == [at + "metric: -1 is not between 0 and 4294967295"]
    assert refused(valid_lft="1h") == [at + "valid_lft: '1h' is neither a number of seconds nor forever"]
    assert refused(valid_lft=0) == [at + "valid_lft: an address for 0 seconds never exists"]
    assert refused(valid_lft=5, preferred_lft=6) == [at + "preferred_lft: 6 is more than valid_lft, 5"]
    assert world.refused("address", lab="x", netns="a", dev="eth0", addresses=[{"peer": "10.5.0.1"}])
    (error,) = world.refused("address", lab="x", netns="a", dev="eth0", addresses=["10.5.0.1/24"], preferred_lft=5,
                             valid_lft=4)  # fmt: skip
    assert error == "preferred_lft: 5 is more than valid_lft, 4"
    ends = ["b", {"netns": "a", "addresses": [{"address": "10.5.0.1/32", "peer": "10.5.0", "metrik": 5}]}]
    errors = world.refused("topology", topology={"name": "y", "namespaces": ["a", "b"], "links": [ends]})
    assert errors == [
        "links[0].ends[1].addresses[0].metrik: there is no such key (did you mean 'metric'?)",
        "links[0].ends[1].addresses[0].peer: '10.5.0' is not an IP address",
    ]
