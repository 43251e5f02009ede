# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pathlib
import subprocess
import typing as t

import pytest

if t.TYPE_CHECKING:
    from .conftest import World

LAB = "demo"
# The words of `ip route` for the collection's protocol number.
OURS = "proto 76"


@pytest.fixture
def lab(world: World) -> World:
    """A pair of the lab between the host (h0) and namespace c1 (eth0), and links f0 and f1 of others on the host."""
    world.run("netns", lab=LAB, name=["c1"])
    world.run(
        "veth",
        lab=LAB,
        name="h0",
        addresses=["10.0.0.1/24"],
        peer={"name": "eth0", "netns": "c1", "addresses": ["10.0.0.2/24", "fd00::2/64"]},
    )
    world.sh("ip link add f0 type veth peer name f1; ip addr add 192.0.2.1/24 dev f0")
    world.sh("ip link set f0 up; ip link set f1 up")
    # A tentative address cannot be the source of a route.
    world.sh("ip addr del fd00::2/64 dev eth0; ip addr add fd00::2/64 dev eth0 nodad", "c1")
    return world


def shown(world: World, netns: str = "", of: str = OURS, family: int = 4) -> list[str]:
    """The routes of a namespace that `ip route` prints, in all tables except `local`."""
    lines = world.sh("ip -{0} route show table all {1}".format(family, of), netns).splitlines()
    noise = (OURS, "pref medium", "linkdown")
    for word in noise:
        lines = [line.replace(word, "") for line in lines]
    return sorted(" ".join(line.split()) for line in lines if "table local" not in line)


V4 = [
    ({"dst": "default", "via": "10.0.0.1"}, "default via 10.0.0.1 dev eth0", "default via 10.0.0.1"),
    ({"dst": "0.0.0.0/0", "dev": "eth0"}, "default dev eth0 scope link", "default dev eth0"),
    (
        {"dst": "default", "src": "10.0.0.2", "dev": "eth0"},
        "default dev eth0 scope link src 10.0.0.2",
        "default dev eth0 src 10.0.0.2",
    ),
    ({"dst": "10.9.1.2/16", "via": "10.0.0.1"}, "10.9.0.0/16 via 10.0.0.1 dev eth0", "10.9.0.0/16 via 10.0.0.1"),
    (
        {"dst": "10.9.0.7", "via": "10.0.0.1", "dev": "eth0"},
        "10.9.0.7 via 10.0.0.1 dev eth0",
        "10.9.0.7 via 10.0.0.1 dev eth0",
    ),
    (
        {"dst": "10.9.0.0/16", "dev": "eth0", "metric": 7},
        "10.9.0.0/16 dev eth0 scope link metric 7",
        "10.9.0.0/16 dev eth0 metric 7",
    ),
    (
        {"dst": "10.9.0.0/16", "dev": "eth0", "scope": "global"},
        "10.9.0.0/16 dev eth0",
        "10.9.0.0/16 dev eth0 scope global",
    ),
    (
        {"dst": "10.9.0.0/16", "via": "10.0.0.1", "table": "100"},
        "10.9.0.0/16 via 10.0.0.1 dev eth0 table 100",
        "10.9.0.0/16 via 10.0.0.1 table 100",
    ),
    (
        {"dst": "10.9.0.0/16", "via": "10.0.0.1", "table": "70000"},
        "10.9.0.0/16 via 10.0.0.1 dev eth0 table 70000",
        "10.9.0.0/16 via 10.0.0.1 table 70000",
    ),
    (
        {"dst": "10.9.0.0/16", "via": "10.0.0.1", "table": "default"},
        "10.9.0.0/16 via 10.0.0.1 dev eth0 table default",
        "10.9.0.0/16 via 10.0.0.1 table 253",
    ),
    (
        {"dst": "10.9.0.0/16", "via": "203.0.113.1", "dev": "eth0", "onlink": True},
        "10.9.0.0/16 via 203.0.113.1 dev eth0 onlink",
        "10.9.0.0/16 via 203.0.113.1 dev eth0 onlink",
    ),
    ({"dst": "10.9.0.0/16", "type": "blackhole"}, "blackhole 10.9.0.0/16", "blackhole 10.9.0.0/16"),
    ({"dst": "10.9.0.0/16", "type": "unreachable"}, "unreachable 10.9.0.0/16", "unreachable 10.9.0.0/16"),
    ({"dst": "10.9.0.0/16", "type": "prohibit"}, "prohibit 10.9.0.0/16", "prohibit 10.9.0.0/16"),
    ({"dst": "10.9.0.0/16", "type": "throw"}, "throw 10.9.0.0/16", "throw 10.9.0.0/16"),
    (
        {"dst": "10.9.0.7", "type": "local", "dev": "lo"},
        "local 10.9.0.7 dev lo scope host",
        "local 10.9.0.7 dev lo table main",
    ),
]
V6 = [
    ({"dst": "default", "via": "fd00::1"}, "default via fd00::1 dev eth0 metric 1024", "default via fd00::1"),
    ({"dst": "::/0", "dev": "eth0"}, "default dev eth0 metric 1024", "default dev eth0"),
    (
        {"dst": "fd00:9::/64", "via": "FD00:0::1"},
        "fd00:9::/64 via fd00::1 dev eth0 metric 1024",
        "fd00:9::/64 via fd00::1",
    ),
    (
        {"dst": "fd00:9::7", "via": "fe80::1", "dev": "eth0"},
        "fd00:9::7 via fe80::1 dev eth0 metric 1024",
        "fd00:9::7 via fe80::1 dev eth0",
    ),
    ({"dst": "fd00:9::/64", "dev": "eth0", "metric": 0}, "fd00:9::/64 dev eth0 metric 1024", "fd00:9::/64 dev eth0"),
    (
        {"dst": "default", "dev": "eth0", "src": "fd00::2", "metric": 9, "table": "100"},
        "default dev eth0 table 100 src fd00::2 metric 9",
        "default dev eth0 src fd00::2 metric 9 table 100",
    ),
    ({"dst": "fd00:9::/64", "type": "blackhole"}, "blackhole fd00:9::/64 dev lo metric 1024", "blackhole fd00:9::/64"),
    (
        {"dst": "fd00:9::/64", "type": "unreachable"},
        "unreachable fd00:9::/64 dev lo metric 1024",
        "unreachable fd00:9::/64",
    ),
]
CASES = [(4, *case) for case in V4] + [(6, *case) for case in V6]


@pytest.mark.parametrize(
    ("family", "route", "line", "words"), CASES, ids=[case[-1].replace(" ", "-") for case in CASES]
)
def test_a_route_comes_and_goes(lab: World, family: int, route: dict[str, t.Any], line: str, words: str) -> None:
    command = "ip -n c1 {0}route {1} {2}".format("-6 " if family == 6 else "", "{0}", words)
    done = lab.quartet("route", lab=LAB, netns="c1", **route)
    assert shown(lab, "c1", family=family) == [line]
    assert done["commands"] == [command.format("add")]
    gone = [lab.run("route", lab=LAB, netns="c1", state="absent", **route)["changed"] for dummy in range(2)]
    assert (gone, shown(lab, "c1", family=family)) == ([True, False], [])


def test_several_in_one_task_and_the_same_by_hand(lab: World) -> None:
    """One task has all kinds of routes, with their common options in the task."""
    routes = [
        {**case[1], "metric": 100 + number} for number, case in enumerate(CASES) if case[1].get("type") != "local"
    ]
    routes.append({"dst": "10.9.0.8", "type": "local", "dev": "lo"})
    done = lab.quartet("route", lab=LAB, netns="c1", routes=routes)
    after = {family: shown(lab, "c1", "", family) for family in (4, 6)}
    with lab.another() as fresh:
        fresh.sh("ip netns add c1; ip link add h0 up type veth peer name eth0 netns c1")
        fresh.sh("ip addr add 10.0.0.2/24 dev eth0; ip addr add fd00::2/64 dev eth0 nodad", "c1")
        fresh.sh("ip link set lo up; ip link set eth0 up", "c1")
        fresh.sh("\n".join(done["commands"]))
        assert {family: shown(fresh, "c1", "", family) for family in (4, 6)} == after
    assert len(done["commands"]) == len(routes)


def test_on_the_host_by_a_link_of_the_labs(lab: World) -> None:
    done = lab.quartet("route", lab=LAB, dst="10.9.0.0/16", via="10.0.0.2", dev="h0")
    line = "10.9.0.0/16 via 10.0.0.2 dev h0"
    assert done["diff"] == {"before": {}, "after": {"host": {"routes": {"10.9.0.0/16": line}}}}
    assert shown(lab) == [line]
    assert "route" not in lab.sh("cat /run/linuxnet.lab/*.json"), "the link's mark is enough"


def test_another_gateway_replaces_the_labs_route(lab: World) -> None:
    lab.run("route", lab=LAB, netns="c1", dst="default", via="10.0.0.1")
    done = lab.quartet("route", lab=LAB, netns="c1", dst="default", via="10.0.0.3")
    assert shown(lab, "c1") == ["default via 10.0.0.3 dev eth0"]
    assert done["commands"] == ["ip -n c1 route replace default via 10.0.0.3"]
    assert done["diff"] == {
        "before": {"c1": {"routes": {"default": "default via 10.0.0.1 dev eth0"}}},
        "after": {"c1": {"routes": {"default": "default via 10.0.0.3"}}},
    }


# Each route replaces the one before it.
IN_PLACE: list[dict[str, t.Any]] = [
    {"dst": "10.9.0.0/16", "via": "10.0.0.1"},
    {"dst": "10.9.0.0/16", "via": "10.0.0.3"},
    {"dst": "10.9.0.0/16", "via": "10.0.0.3", "mtu": 1400},
    {"dst": "10.9.0.0/16", "dev": "eth0"},
    {"dst": "10.9.0.0/16", "dev": "eth0", "src": "10.0.0.2"},
    {"dst": "10.9.0.0/16", "type": "blackhole"},
    {"dst": "10.9.0.0/16", "via": "203.0.113.1", "dev": "eth0", "onlink": True},
    {"dst": "fd00:9::/64", "via": "fd00::1"},
    {"dst": "fd00:9::/64", "via": "fd00::3"},
    {"dst": "fd00:9::/64", "via": "fd00::3", "mtu": 1400},
    {"dst": "fd00:9::/64", "via": "fe80::1", "dev": "eth0"},
    {"dst": "fd00:9::/64", "dev": "eth0"},
    {"dst": "fd00:9::/64", "dev": "eth0", "src": "fd00::2"},
    {"dst": "fd00:9::/64", "type": "unreachable"},
    {"dst": "fd00:9::/64", "dev": "eth0"},
    {"dst": "fd00:9::/64", "type": "blackhole"},
    {"dst": "fd00:9::/64", "via": "fd00::3"},
]


def test_a_route_is_replaced_without_a_gap(lab: World, tmp_path: pathlib.Path) -> None:
    """The kernel reports no deletion. If it refuses another route of the task, the old route comes back."""
    refused = {"dst": "10.8.0.0/16", "dev": "eth0", "src": "10.0.0.99"}
    heard = tmp_path / "heard"
    command = ["ip", "-n", "c1", "monitor", "route"]
    with heard.open("w") as output, subprocess.Popen(command, stdout=output) as monitor:
        try:
            _wait_until_heard(lab, heard, "198.51.100.1")
            for route in IN_PLACE:
                errors = lab.refused("route", lab=LAB, netns="c1", routes=[route, refused])
                assert "10.8.0.0/16" in errors[0] and errors[1:] == ["the changes before it were undone"]
                done = lab.run("route", lab=LAB, netns="c1", **route)
                is_first = route in (IN_PLACE[0], IN_PLACE[7])
                assert [" route replace " in one for one in done["commands"]] == [not is_first]
                assert not lab.run("route", lab=LAB, netns="c1", **route)["changed"]
                assert len(shown(lab, "c1", "proto 76 " + route["dst"], 6 if ":" in route["dst"] else 4)) == 1
            _wait_until_heard(lab, heard, "198.51.100.2")
        finally:
            monitor.terminate()
    told = [line for line in heard.read_text().splitlines() if "198.51.100." not in line]
    deleted = [line.split()[1] for line in told if line.startswith("Deleted")]
    assert len(told) > 2 * len(IN_PLACE) and deleted == ["10.9.0.0/16", "fd00:9::/64"], "the first ones, taken back"


def test_another_metric_comes_before_the_former_goes(world: World, tmp_path: pathlib.Path) -> None:
    topology: dict[str, t.Any] = {
        "name": LAB,
        "namespaces": ["c1", "c2"],
        "links": [{"ends": ["c1:eth0", "c2:eth0"], "prefix": ["10.0.0.0/24", "fd00::/64"]}],
    }
    metrics = {"10.9.0.0/16": (10, 20, 5), "fd00:9::/64": (10, 20, 5)}

    def with_metric(number: int, *more: dict[str, t.Any]) -> dict[str, t.Any]:
        routes = [{"netns": "c1", "dst": dst, "via": "c2", "metric": found[number]} for dst, found in metrics.items()]
        return {**topology, "routes": [*routes, *more]}

    world.run("topology", topology=with_metric(0))
    heard = tmp_path / "heard"
    with heard.open("w") as output, subprocess.Popen(["ip", "-n", "c1", "monitor", "route"], stdout=output) as monitor:
        try:
            _wait_until_heard(world, heard, "198.51.100.1")
            for number in (1, 2):
                refused = {"netns": "c1", "dst": "10.8.0.0/16", "dev": "eth0", "src": "10.0.0.99", "metric": 7}
                assert len(world.refused("topology", topology=with_metric(number, refused))) == 2
                world.quartet("topology", topology=with_metric(number))
            _wait_until_heard(world, heard, "198.51.100.2")
        finally:
            monitor.terminate()
    told = [line.split() for line in heard.read_text().splitlines() if "198.51.100." not in line]
    for dst in metrics:
        there, least = {"10"}, 1
        for words in [one for one in told if dst in one]:
            metric = words[words.index("metric") + 1]
            (there.discard if words[0] == "Deleted" else there.add)(metric)
            least = min(least, len(there))
        assert (there, least) == ({"5"}, 1), told
    # The address that the route needs changes as well, so the route is deleted first. It comes back if the run fails.
    topology["links"][0]["prefix"] = ["10.1.0.0/24", "fd00::/64"]
    assert len(world.refused("topology", topology=with_metric(0, refused))) == 2
    world.quartet("topology", topology=with_metric(0))


def _wait_until_heard(world: World, heard: pathlib.Path, ip: str) -> None:
    """Add and delete a route until the monitor has printed it, and thus all earlier events."""
    while ip not in heard.read_text():
        world.sh("ip route add {0} dev eth0; ip route del {0} dev eth0; sleep 0.05".format(ip), "c1")


def test_removal_shows_what_was_there(lab: World) -> None:
    lab.run("route", lab=LAB, netns="c1", dst="default", via="10.0.0.1")
    done = lab.quartet("route", lab=LAB, netns="c1", dst="default", state="absent")
    assert done["diff"] == {"before": {"c1": {"routes": {"default": "default via 10.0.0.1 dev eth0"}}}, "after": {}}
    assert done["commands"] == ["ip -n c1 route del default via 10.0.0.1 dev eth0"]


@pytest.mark.parametrize(
    "drift",
    [
        "ip route del 10.9.0.0/16",
        "ip route change 10.9.0.0/16 via 10.0.0.99",
        "ip route change 10.9.0.0/16 dev eth0 scope link",
        "ip route del 10.9.0.0/16; ip route add blackhole 10.9.0.0/16",
        "ip route del 10.9.0.0/16; ip route add 10.9.0.0/16 nexthop via 10.0.0.3 nexthop via 10.0.0.4",
        "ip link set eth0 down; ip link set eth0 up",
    ],
)
def test_drift_is_repaired(lab: World, drift: str) -> None:
    wanted = {"netns": "c1", "dst": "10.9.0.0/16", "via": "10.0.0.1", "src": "10.0.0.2"}
    lab.run("route", lab=LAB, **wanted)
    lab.sh(drift, "c1")
    lab.quartet("route", lab=LAB, **wanted)
    assert shown(lab, "c1", "10.9.0.0/16") == ["10.9.0.0/16 via 10.0.0.1 dev eth0 src 10.0.0.2"]


def test_changed_metric_is_another_route(lab: World) -> None:
    """For the kernel, routes with other metrics are other routes. The old one stays until a task removes it."""
    lab.run("route", lab=LAB, netns="c1", dst="default", via="10.0.0.1", metric=5)
    lab.sh("ip route del default; ip route add default via 10.0.0.1 metric 6", "c1")
    lab.quartet("route", lab=LAB, netns="c1", dst="default", via="10.0.0.1", metric=5)
    assert [route["metric"] for route in lab.routes("c1") if route["dst"] == "default"] == [5, 6]
    lab.quartet("route", lab=LAB, netns="c1", dst="default", state="absent")
    assert [route for route in lab.routes("c1") if route["dst"] == "default"] == []


def test_routes_of_the_kernel_give_way_to_host_routes(world: World) -> None:
    """Two links in one subnet: remove both /24 routes, and add a route to each host via an address of its link."""
    world.run("netns", lab=LAB, name=["r", "a", "b"])
    for link, other, address in (("r1", "a", "100"), ("r2", "b", "200")):
        peer = {"name": "e0", "netns": other, "addresses": ["192.168.5.{0}/24".format(int(address) // 100)]}
        address = "192.168.5.{0}/24".format(address)
        world.run("veth", lab=LAB, name=link, netns="r", addresses=[address], peer=peer)
    assert not world.ping("r", "192.168.5.2")
    routes = [{"dst": "192.168.5.0/24", "dev": "r1"}, {"dst": "192.168.5.0/24", "dev": "r2"}]
    done = world.quartet("route", lab=LAB, netns="r", routes=routes, state="absent")
    assert shown(world, "r", "") == []
    assert done["commands"] == [
        "ip -n r route del 192.168.5.0/24 dev r1 src 192.168.5.100",
        "ip -n r route del 192.168.5.0/24 dev r2 src 192.168.5.200",
    ]
    routes = [
        {"dst": "192.168.5.1", "via": "192.168.5.100", "dev": "r1"},
        {"dst": "192.168.5.2", "via": "192.168.5.200", "dev": "r2"},
    ]
    world.quartet("route", lab=LAB, netns="r", routes=routes)
    assert shown(world, "r") == [
        "192.168.5.1 via 192.168.5.100 dev r1",
        "192.168.5.2 via 192.168.5.200 dev r2",
    ]
    assert world.ping("r", "192.168.5.1")
    assert world.ping("r", "192.168.5.2")


# Owners


FOREIGN = "ip route add 10.9.0.0/16 via 192.0.2.9 dev f0"


def test_a_foreign_route_is_not_replaced_unless_forced(lab: World) -> None:
    lab.sh(FOREIGN)
    assert lab.refused("route", lab=LAB, dst="10.9.0.0/16", via="10.0.0.2") == [
        "dst: the route `10.9.0.0/16 via 192.0.2.9 dev f0` in the host's namespace does not belong to lab 'demo'; "
        "it will not be changed unless force is true"
    ]
    lab.quartet("route", lab=LAB, dst="10.9.0.0/16", via="10.0.0.2", force=True)
    assert shown(lab, "", "10.9.0.0/16") == ["10.9.0.0/16 via 10.0.0.2 dev h0"]


def test_a_foreign_route_is_not_deleted_unless_forced(lab: World) -> None:
    lab.sh(FOREIGN)
    assert len(lab.refused("route", lab=LAB, dst="10.9.0.0/16", state="absent")) == 1
    assert len(lab.refused("route", lab=LAB, dst="192.0.2.0/24", dev="f0", state="absent")) == 1
    lab.quartet("route", lab=LAB, dst="10.9.0.0/16", state="absent", force=True)
    assert shown(lab, "", "10.9.0.0/16") == []


@pytest.mark.parametrize("link", ["h0", "f0"])
def test_the_route_of_another_lab_is_foreign(lab: World, link: str) -> None:
    """That holds on that lab's link and on a link of others."""
    lab.run("route", lab=LAB, dst="10.9.0.0/16", dev=link)
    lab.refused("route", lab="other", dst="10.9.0.0/16", type="blackhole")
    lab.refused("route", lab="other", dst="10.9.0.0/16", state="absent")


def test_a_route_on_a_foreign_link_is_the_labs_until_somebody_replaces_it(lab: World) -> None:
    """A record identifies the route. A route that somebody puts in its place does not belong to the lab."""
    route = {"dst": "10.9.0.0/16", "dev": "f0"}
    lab.quartet("route", lab=LAB, **route)
    assert lab.sh("ls /run/linuxnet.lab") == "demo.json\n"
    lab.quartet("route", lab=LAB, state="absent", **route)
    assert "route" not in lab.sh("cat /run/linuxnet.lab/demo.json")
    lab.run("route", lab=LAB, **route)
    lab.sh("ip route del 10.9.0.0/16; ip route add 10.9.0.0/16 dev f0 scope link")
    lab.refused("route", lab=LAB, state="absent", **route)
    lab.run("topology", lab=LAB, state="absent")
    assert shown(lab, "", "10.9.0.0/16") == ["10.9.0.0/16 dev f0 scope link"]
    assert lab.sh("ls /run") == "netns\n"


# Errors


def test_no_scope_is_listed_that_the_kernel_refuses(world: World) -> None:
    world.sh("ip link add f0 type veth peer name f1; ip link set f0 up")
    for scope in ("global", "site", "link", "host"):
        world.run("route", lab=LAB, dst="10.9.0.0/16", dev="f0", scope=scope)
        assert shown(world, "", "10.9.0.0/16")[0].split()[3:] in ([], ["scope", scope])
    told = world.module("route", lab=LAB, dst="10.9.0.0/16", dev="f0", scope="nowhere")["msg"]
    assert told == "value of scope must be one of: global, site, link, host, got: nowhere"


@pytest.mark.parametrize(
    ("route", "reason"),
    [
        (
            {"dst": "default", "via": "10.1.0.1"},
            "via: gateway 10.1.0.1 is in no network of namespace 'c1' (its networks: 10.0.0.0/24)",
        ),
        (
            {"dst": "default", "via": "fd01::1", "dev": "eth0"},
            "via: gateway fd01::1 is in no network of namespace 'c1' dev eth0 (its networks: fd00::/64)",
        ),
        (
            {"dst": "default", "via": "10.0.0.1", "dev": "lo"},
            "via: gateway 10.0.0.1 is in no network of namespace 'c1' dev lo (it has none)",
        ),
        ({"dst": "default", "via": "fe80::1"}, "via: fe80::1 is a link-local address, which needs dev"),
        (
            {"dst": "fd09::/64", "via": "10.0.0.1"},
            "dst: IPv4 and IPv6 cannot be mixed: dst fd09::/64, via 10.0.0.1",
        ),
        (
            {"dst": "default", "via": "10.0.0.1", "src": "fd00::2"},
            "dst: IPv4 and IPv6 cannot be mixed: via 10.0.0.1, src fd00::2",
        ),
        (
            {"dst": "10.9.0.0/16", "dev": "eht0"},
            "dev: there is no link 'eht0' in namespace 'c1' (did you mean 'eth0'?)",
        ),
        (
            {"dst": "10.9.0.0/16", "via": "10.0.0.1", "dev": "eth9"},
            "dev: there is no link 'eth9' in namespace 'c1' (did you mean 'eth0'?)",
        ),
        ({"dst": "10.9.0.0/16", "via": "10.0.0.300"}, "via: '10.0.0.300' is not an IP address"),
        ({"dst": "x", "dev": "eth0"}, "dst: 'x' is not a network ('x' does not appear to be an IPv4 or IPv6 network)"),
        ({"dst": "10.9.0.0/16"}, "dst: a route to 10.9.0.0/16 needs via, dev or nexthops"),
        (
            {"dst": "10.9.0.0/16", "type": "blackhole", "dev": "eth0"},
            "type: a route of type blackhole cannot have via or dev",
        ),
        ({"dst": "10.9.0.0/16", "via": "10.0.0.1", "onlink": True}, "onlink: needs via and dev"),
        ({"dst": "10.9.0.0/16", "dev": "eth0", "metric": -1}, "metric: -1 is not between 0 and 4294967295"),
        *(
            (
                {"dst": "10.9.0.0/16", "dev": "eth0", "table": table},
                "table: {0!r} is not a table for a lab: main, default, or 1 to 4294967295 but not 255".format(table),
            )
            for table in ("mian", "0", "4294967296", "255", "²")
        ),
    ],
)
def test_one_clear_reason(lab: World, route: dict[str, t.Any], reason: str) -> None:
    assert lab.refused("route", lab=LAB, netns="c1", **route) == [reason]


def test_a_link_that_is_down(lab: World) -> None:
    lab.sh("ip link set eth0 down", "c1")
    assert lab.refused("route", lab=LAB, netns="c1", dst="default", dev="eth0") == [
        "dev: 'eth0' in namespace 'c1' is down"
    ]


def test_an_unknown_namespace(lab: World) -> None:
    reasons = lab.refused("route", lab=LAB, netns="c12", dst="default", via="10.0.0.1")
    assert reasons == ["netns: there is no network namespace 'c12' (did you mean 'c1'?)"]


def test_all_reasons_at_once_and_nothing_is_done(lab: World) -> None:
    """The module first reports all invalid values, then everything that does not match the kernel's objects."""
    right = {"dst": "10.8.0.0/16", "via": "10.0.0.1"}
    wrong = [
        right,
        {"dst": "x", "via": "y"},
        {"dst": "10.8.0.0/16", "dev": "eth0"},
        {"dst": "10.7.0.0/16", "table": "z"},
    ]
    assert lab.refused("route", lab=LAB, netns="c1", routes=wrong) == [
        "routes[1].dst: 'x' is not a network ('x' does not appear to be an IPv4 or IPv6 network)",
        "routes[1].via: 'y' is not an IP address",
        "routes[2].dst: route to 10.8.0.0/16 metric 0 table 254 in c1 is already that of routes[0].dst",
        "routes[3].table: 'z' is not a table for a lab: main, default, or 1 to 4294967295 but not 255",
    ]
    misfits = [right, {"dst": "10.7.0.0/16", "via": "10.5.0.1"}, {"dst": "10.6.0.0/16", "dev": "eth1"}]
    assert lab.refused("route", lab=LAB, netns="c1", routes=misfits) == [
        "routes[1].via: gateway 10.5.0.1 is in no network of namespace 'c1' (its networks: 10.0.0.0/24)",
        "routes[2].dev: there is no link 'eth1' in namespace 'c1' (did you mean 'eth0'?)",
    ]


def test_what_the_kernel_refuses_is_told_in_its_words_and_taken_back(lab: World) -> None:
    """Only the kernel knows that the namespace does not have the source address."""
    routes = [{"dst": "10.8.0.0/16", "via": "10.0.0.1"}, {"dst": "10.7.0.0/16", "via": "10.0.0.1", "src": "10.0.0.77"}]
    assert lab.refused("route", lab=LAB, netns="c1", routes=routes) == [
        "`ip -n c1 route add 10.7.0.0/16 via 10.0.0.1 src 10.0.0.77` failed: Invalid prefsrc address",
        "the changes before it were undone",
    ]


def test_check_mode_takes_what_is_missing_to_be_made_by_earlier_tasks(world: World) -> None:
    wanted = {"dst": "default", "via": "10.0.0.1", "dev": "eth0"}
    result = world.run("route", check=True, lab=LAB, netns="c1", **wanted)
    assert result["assumed"] == ["eth0 in c1", "namespace c1"]
    assert result["commands"] == ["ip -n c1 route add default via 10.0.0.1 dev eth0"]
    result = world.run("route", check=True, lab=LAB, **wanted)
    assert (result["assumed"], result["changed"]) == (["eth0 in the host"], True)
