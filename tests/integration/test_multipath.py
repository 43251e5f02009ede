# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Multipath routes, and IPv4 routes through IPv6 gateways. ip(8) and real packets are the oracle."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.sockets import Sockets
from ansible_collections.linuxnet.lab.plugins.module_utils.snapshot import Snapshot
from ansible_collections.linuxnet.lab.plugins.module_utils.topology.export import export

if t.TYPE_CHECKING:
    from .conftest import World

# c reaches the addresses on lo of s through a and b.
LAB: dict[str, t.Any] = {
    "name": "x",
    "namespaces": {
        "c": {},
        "a": {"forwarding": True},
        "b": {"forwarding": True},
        "s": {"lo": ["10.9.0.{0}/32".format(number) for number in range(1, 41)] + ["fd09::1/128"]},
    },
    "links": [
        {"ends": ["c:ca", "a:ac"], "prefix": ["10.1.0.0/24", "fd01::/64"]},
        {"ends": ["c:cb", "b:bc"], "prefix": ["10.2.0.0/24", "fd02::/64"]},
        {"ends": ["a:as", "s:sa"], "prefix": ["10.3.0.0/24", "fd03::/64"]},
        {"ends": ["b:bs", "s:sb"], "prefix": ["10.4.0.0/24", "fd04::/64"]},
    ],
    "routes": [
        {"netns": "c", "dst": "10.9.0.0/24", "nexthops": [{"via": "a", "weight": 2}, {"via": "b"}]},
        {"netns": "c", "dst": "fd09::/64", "nexthops": [{"via": "a", "weight": 2}, {"via": "b"}]},
        {"netns": "a", "dst": "10.9.0.0/24", "via": "s"},
        {"netns": "b", "dst": "10.9.0.0/24", "via": "s"},
        {"netns": "a", "dst": "10.2.0.0/24", "via": "c"},
        {"netns": "b", "dst": "10.1.0.0/24", "via": "c"},
        {"netns": "s", "dst": "default", "nexthops": [{"via": "a"}, {"via": "b"}], "mtu": 1400},
    ],
}


@pytest.fixture
def lab(world: World) -> dict[str, t.Any]:
    """The topology of a lab that is built."""
    world.run("topology", topology=LAB)
    return LAB


def ways(world: World, netns: str, dst: str) -> list[tuple[str, str, int]]:
    """The next hops of a route, as ip(8) reports them."""
    version = "-6" if ":" in dst else "-4"
    (route,) = [one for one in world.routes(netns, version) if one["dst"] == dst]
    return [(one["gateway"], one["dev"], one["weight"]) for one in route["nexthops"]]


def looks(world: World) -> t.Any:
    """The state, and the routes of c with all their flags."""
    return world.as_typed(), world.sh("ip -n c route; ip -n c -6 route").replace("proto 76 ", "")


def test_both_paths_carry_packets(world: World, lab: dict[str, t.Any]) -> None:
    """Packets to many addresses pass both routers, and answers come back by both."""
    assert ways(world, "c", "10.9.0.0/24") == [("10.1.0.2", "ca", 2), ("10.2.0.2", "cb", 1)]
    assert ways(world, "c", "fd09::/64") == [("fd01::2", "ca", 2), ("fd02::2", "cb", 1)]
    assert world.routes("s", "-d")[0]["metrics"] == [{"mtu": 1400}]
    assert len(ways(world, "s", "default")) == 2

    def passed(netns: str, dev: str) -> int:
        return int(world.json("ip -j -s link show dev {0}".format(dev), netns)[0]["stats64"]["rx"]["packets"])

    before = passed("a", "ac"), passed("b", "bc")
    targets = ["10.9.0.{0}".format(number) for number in range(1, 41)]
    world.sh("for ip in {0}; do ping -n -c 1 -W 2 $ip >&2 & done; wait".format(" ".join(targets)), "c")
    after = passed("a", "ac"), passed("b", "bc")
    assert after[0] - before[0] > 5 and after[1] - before[1] > 5
    assert all(world.ping("c", target) for target in targets[:3])


def test_drift_is_seen_and_repaired(world: World, lab: dict[str, t.Any]) -> None:
    """The module and its commands repair a change of each attribute of a next hop, and of the whole route."""
    assert not world.run("topology", topology=lab)["changed"]
    built = looks(world)
    hops = "nexthop via 10.1.0.2 dev ca weight 2 nexthop via 10.2.0.2 dev cb"
    hops6 = hops.replace("10.1.0.2", "fd01::2").replace("10.2.0.2", "fd02::2")
    change = "ip -n c route replace 10.9.0.0/24 proto 76 "
    change6 = "ip -n c -6 route replace fd09::/64 proto 76 "
    for damage in (
        change + hops.replace("weight 2", "weight 3"),
        change + hops.replace("10.2.0.2", "10.2.0.9"),
        change + hops + " onlink",
        change + "nexthop via 10.1.0.2 dev ca weight 2",
        change + hops + " nexthop via 10.2.0.7 dev cb",
        change + "via 10.1.0.2",
        change + "mtu 1300 " + hops,
        "ip -n c route del 10.9.0.0/24",
        change6 + hops6.replace("weight 2", "weight 3"),
        change6 + hops6.replace("fd02::2", "fd02::9"),
        change6 + "via fd01::2",
        "ip -n c -6 route del fd09::/64 nexthop via fd02::2 dev cb",
        "ip -n c -6 route append fd09::/64 proto 76 via fd02::9",
        "ip -n c -6 route del fd09::/64",
    ):
        world.sh(damage)
        assert looks(world) != built, damage
        assert world.run("lab_info")["labs"][0]["drifted"], damage
        done = world.run("topology", topology=lab)
        assert looks(world) == built, damage
        world.sh(damage)
        world.sh("; ".join(done["commands"]))
        assert looks(world) == built, damage


def test_it_survives_what_happens_to_its_links(world: World, lab: dict[str, t.Any]) -> None:
    """A link is down, is deleted, or a run sets it down and up again."""
    built = world.as_typed()
    for damage in (
        "ip -n c link set ca down",
        "ip -n c link del ca",
        "ip -n c addr flush dev ca",
        "ip -n c link set ca down; ip -n c link set cb down",
    ):
        world.sh(damage)
        world.run("topology", topology=lab)
        assert world.as_typed() == built, damage
        assert not world.run("topology", topology=lab)["changed"], damage
    renamed = {**lab, "links": [{**lab["links"][0], "ends": ["c:cz", "a:ac"]}, *lab["links"][1:]]}
    world.run("topology", topology=renamed)
    assert [dev for dummy, dev, dummy in ways(world, "c", "fd09::/64")] == ["cz", "cb"]
    world.run("topology", topology=lab)
    assert world.as_typed() == built


def test_export_typed_and_order(world: World, lab: dict[str, t.Any]) -> None:
    """An export and the typed commands build the same routes, and the order of next hops does not matter."""
    built = world.as_typed()
    with Sockets() as sockets:
        exported = export(Snapshot(sockets), "x")
    assert not [one for one in world.run("topology", topology=exported)["commands"] if " route " in one]
    world.run("topology", topology=lab)
    there = [one["nexthops"] for one in exported["routes"] if one["dst"] == "10.9.0.0/24" and one["netns"] == "c"]
    assert [[one["weight"] for one in hops] for hops in there] == [[2, 1]]
    (shown,) = world.run("netns_info", name=["c"])["namespaces"]
    shown = [one for one in shown["routes"] if one["dst"] == "fd09::/64"]
    assert shown[0]["nexthops"][0] == {"via": "fd01::2", "dev": "ca", "weight": 2, "onlink": False}
    turned = {
        **lab,
        "routes": [{**lab["routes"][0], "nexthops": lab["routes"][0]["nexthops"][::-1]}, *lab["routes"][1:]],
    }
    assert not world.run("topology", topology=turned)["changed"]
    with world.another() as empty:
        done = empty.run("topology", topology=lab)
        empty.run("topology", name="x", state="absent")
        assert empty.by_hand(done["commands"]) == built


def test_the_module(world: World, lab: dict[str, t.Any]) -> None:
    """The module adds, keeps, changes and removes a route, also of IPv6. A refused run restores the old route."""
    route = {"lab": "x", "netns": "c", "dst": "10.8.0.0/16"}
    hops = [{"via": "10.1.0.2"}, {"via": "10.2.0.2", "weight": 4}]
    done = world.quartet("route", **route, nexthops=hops)
    assert done["commands"] == ["ip -n c route add 10.8.0.0/16 nexthop via 10.1.0.2 nexthop via 10.2.0.2 weight 4"]
    assert ways(world, "c", "10.8.0.0/16") == [("10.1.0.2", "ca", 1), ("10.2.0.2", "cb", 4)]
    done = world.run("route", **route, nexthops=[hops[0], {"via": "fd02::2", "dev": "cb"}])
    assert done["commands"] == [
        "ip -n c route replace 10.8.0.0/16 nexthop via 10.1.0.2 nexthop via inet6 fd02::2 dev cb"
    ]
    before = world.as_typed()
    broken = world.module("route", lab="x", netns="c", routes=[
        {"dst": "10.8.0.0/16", "nexthops": hops},
        {"dst": "10.7.0.0/16", "via": "fd01::2", "dev": "ca", "src": "10.2.0.99"},
    ])  # fmt: skip
    assert "the changes before it were undone" in broken["msg"]
    assert world.as_typed() == before
    done = world.run("route", **route, nexthops=[{"via": "10.1.0.2", "weight": 4}])
    assert done["commands"] == ["ip -n c route replace 10.8.0.0/16 via 10.1.0.2"]
    assert not world.run("route", **route, nexthops=[{"via": "10.1.0.2", "weight": 4}])["changed"]
    world.run("route", **route, nexthops=hops)
    assert not world.run("route", **route, nexthops=[{"via": "10.1.0.9"}, hops[1]], state="absent")["changed"]
    world.run("route", **route, nexthops=hops, state="absent")
    assert not [one for one in world.routes("c") if one["dst"] == "10.8.0.0/16"]


def test_ipv4_by_ipv6(world: World) -> None:
    """The router has no IPv4 address on the link. The addresses are on lo."""
    topology = {
        "name": "x",
        "namespaces": {"c": {"lo": "10.0.0.1"}, "s": {"lo": "10.0.0.2"}},
        "links": [{"ends": ["c:eth0", "s:eth0"], "prefix": "fd00::/64"}],
        "routes": [
            {"netns": "c", "dst": "10.0.0.2", "via": "fd00::2", "src": "10.0.0.1", "mtu": 1400},
            {"netns": "s", "dst": "0.0.0.0/0", "via": "fd00::1", "src": "10.0.0.2"},
        ],
    }
    done = world.run("topology", topology=topology)
    assert "ip -n c route add 10.0.0.2 via inet6 fd00::2 src 10.0.0.1 mtu 1400" in done["commands"]
    assert world.routes("c")[0]["via"] == {"family": "inet6", "host": "fd00::2"}
    assert world.ping("c", "10.0.0.2")
    built = world.as_typed()
    with Sockets() as sockets:
        assert not world.run("topology", topology=export(Snapshot(sockets), "x"))["changed"]
    world.sh("ip -n c route replace 10.0.0.2 via inet6 fd00::9 dev eth0 proto 76")
    assert world.run("lab_info")["labs"][0]["drifted"]
    world.run("topology", topology=topology)
    assert world.as_typed() == built
    world.run("topology", name="x", state="absent")
    assert world.by_hand(done["commands"]) == built


def test_next_hops_that_cannot_be(world: World, lab: dict[str, t.Any]) -> None:
    """Each mistake gives one error that names the value."""
    def refused(dst: str = "10.8.0.0/16", **options: t.Any) -> list[str]:
        return world.refused("route", lab="x", netns="c", dst=dst, **options)

    good = {"via": "10.1.0.2"}
    assert refused(nexthops=[]) == ["nexthops: names no next hop"]
    assert refused(nexthops=[good, {"weight": 2}]) == ["nexthops[1].via: a next hop needs via or dev"]
    assert refused(nexthops=[good, {"via": "10.1.0.3", "weight": 257}]) == [
        "nexthops[1].weight: 257 is not between 1 and 256"
    ]
    assert refused(nexthops=[good], via="10.1.0.2") == ["via: belongs into each of the nexthops"]
    assert refused(nexthops=[good], type="blackhole") == ["type: a route of type blackhole cannot have nexthops"]
    assert refused("fd08::/64", nexthops=[{"dev": "ca"}, {"via": "fd01::2"}]) == [
        "nexthops[0].via: in IPv6, a next hop beside others needs via"
    ]
    assert refused("fd08::/64", nexthops=[good, {"via": "fd01::2"}]) == [
        "dst: IPv4 and IPv6 cannot be mixed: dst fd08::/64, via 10.1.0.2, via fd01::2"
    ]
    assert refused(nexthops=[good, {"via": "10.77.0.1"}])[0].startswith(
        "nexthops[1].via: gateway 10.77.0.1 is in no network of namespace 'c'"
    )
    assert refused(nexthops=[good, {"via": "fe80::1"}])[0].startswith(
        "nexthops[1].via: fe80::1 is a link-local address"
    )
    routes = [{"netns": "c", "dst": "10.8.0.0/16", "nexthops": [{"via": "a"}, {"via": "q", "weigth": 1}]}]
    errors = world.refused("topology", topology={**lab, "routes": routes})
    assert errors == [
        "routes[0].nexthops[1].weigth: there is no such key (did you mean 'weight'?)",
        "routes[0].nexthops[1].via: there is no namespace 'q'",
    ]
