# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reasons that come from ICMP errors, whose rate kernels limit. The kernel's counters are the oracle."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.linuxnet.lab.plugins.module_utils.probe import turns

from .test_connectivity import build, check, nft

if t.TYPE_CHECKING:
    from .conftest import World

UNROUTED, REJECTED = "198.51.100.{0}", "10.97.0.{0}"
UNROUTED6 = "2001:db8::{0}"


@pytest.fixture
def routed(world: World) -> World:
    """The host is the router of a to f. It has no route to 198.51.100.0/24, and rejects packets to 10.97.0.0/16."""
    build(world, "abcdef")
    world.sh("sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1")
    world.sh("ip link add out type veth peer name nobody; ip link set nobody up; ip link set out up")
    world.sh("ip route add 10.97.0.0/16 dev out")
    for name in "abcdef":
        world.sh("ip route add default via 10.0.0.1; ip -6 route add default via fd00::1", name)
    nft(world, "", "forward", "ip daddr 10.97.0.0/16 reject with icmp type admin-prohibited")
    return world


def errors_sent(world: World, netns: str = "") -> int:
    """How many ICMPv4 errors a namespace has sent."""
    names, values = (line.split() for line in world.sh("grep ^Icmp: /proc/net/snmp", netns).splitlines())
    return int(values[names.index("OutDestUnreachs")])


def test_reasons_stay_precise_for_many_checks(routed: World) -> None:
    """A sender has more checks than a kernel has tokens. Each check still gets the error that it expects."""
    pings = [("a", UNROUTED.format(number), "net_unreachable") for number in range(1, 5)]
    pings += [("b", REJECTED.format(number), "prohibited") for number in range(1, 10)]
    pings += [("c", UNROUTED6.format(number), "net_unreachable") for number in range(1, 10)]
    pings += [("d", f"10.0.0.{number}", "host_unreachable") for number in range(180, 250)]
    datagrams = [("e", "10.0.0.3", "refused")] * 8
    connections = [("f", UNROUTED.format(number), "net_unreachable") for number in range(1, 5)]
    asked = [dict(zip(("from", "to", "expect"), one)) for one in pings]
    for protocol, ones in (("udp", datagrams), ("tcp", connections)):
        asked += [
            dict(zip(("from", "to", "expect"), one), protocol=protocol, port=port) for port, one in enumerate(ones, 1)
        ]
    before = errors_sent(routed)
    results = routed.run("connectivity", checks=asked, timeout=0.5)["results"]
    assert [one["reason"] for one in results] == [one["expect"] for one in asked]
    by = {one["from"]: one["by"] for one in results}
    assert by == {"a": "10.0.0.1", "b": "10.0.0.1", "c": "fd00::1", "d": "10.0.0.5", "e": "10.0.0.3", "f": "10.0.0.1"}
    wanted = 4 + 9 + 4
    assert wanted <= errors_sent(routed) - before < 2 * wanted  # there is a limit: few were sent twice


def test_who_says_nothing_is_still_wrong(routed: World) -> None:
    """A repeated check that gets no reply, an answer or another error is not as expected."""
    nft(routed, "b", "input", "ip saddr 10.0.0.2 icmp type echo-request drop")
    nft(routed, "c", "input", "icmp type echo-request quota until 100 bytes drop")  # 1 request
    asked = [("a", "10.0.0.3"), ("b", "10.0.0.4")]
    asked = [{"from": one, "to": to, "expect": "prohibited"} for one, to in asked]
    done = routed.module("connectivity", checks=asked, timeout=0.3, interval=1)
    assert done["msg"].startswith("2 of 2 checks are not as expected")
    assert [one["reason"] for one in done["results"]] == ["no_reply", "reply"]


@pytest.mark.parametrize(("limit", "value"), [("LONGEST", 2.5), ("MOST_SILENT", 1)])
def test_those_without_a_turn_are_counted(
    routed: World, monkeypatch: pytest.MonkeyPatch, limit: str, value: float
) -> None:
    """A warning counts the checks that were not repeated, because the time was over or the sender never gets an error.
    """
    monkeypatch.setattr(turns, limit, value)
    if limit == "MOST_SILENT":
        nft(routed, "a", "input", "icmp type destination-unreachable drop")
    asked = [{"from": "a", "to": UNROUTED.format(number), "expect": "net_unreachable"} for number in range(1, 8)]
    done = routed.module("connectivity", checks=asked, timeout=0.3, interval=1)
    wrong = sum(one["reason"] == "no_reply" for one in done["results"])
    unasked = wrong - (limit == "MOST_SILENT")
    assert 4 <= unasked <= 6
    (warning,) = done["warnings"]
    assert warning.startswith(f"{unasked} checks that expect an ICMP error got nothing and were not made again:")


def test_a_route_of_its_own_is_not_an_error_of_a_router(routed: World) -> None:
    """The result distinguishes a route of type unreachable from a target that nobody has."""
    routed.sh("ip route add unreachable 10.96.0.0/16; ip -6 route add unreachable fd96::/64", "a")
    expected = [("a", "10.96.0.1", "unreachable_route"), ("a", "fd96::1", "unreachable_route")]
    results = check(routed, *expected, timeout=3600)
    assert {one["errno"] for one in results} == {"EHOSTUNREACH"}
    for protocol in ("tcp", "udp"):
        asked = [dict(zip(("from", "to", "expect"), one), protocol=protocol, port=9) for one in expected]
        routed.run("connectivity", checks=asked, timeout=3600)


def test_a_topology_may_expect_any_reason(world: World) -> None:
    """A topology may expect the errors of a router, and those of the sender's own routes."""
    lab = {
        "name": "x",
        "namespaces": {"a": {}, "r": {"forwarding": True}},
        "segments": {"lan": {"prefix": "10.1.0.0/24", "netns": "r", "gateway": "r", "members": "a"}},
        "routes": [
            {"netns": "a", "dst": "10.96.0.0/16", "type": "unreachable"},
            {"netns": "r", "dst": "10.97.0.0/16", "type": "prohibit"},
        ],
        "checks": [
            {"from": "a", "to": "10.96.0.1", "expect": "unreachable_route"},
            {"from": "a", "to": "10.97.0.1", "expect": "prohibited"},
            {"from": "a", "to": UNROUTED.format(1), "expect": "net_unreachable"},
        ],
    }
    world.run("topology", topology=lab)
    results = world.run("connectivity", topology=lab, timeout=1)["results"]
    assert [one["by"] for one in results] == ["", "10.1.0.1", "10.1.0.1"]
    wrong = {**lab, "checks": {"from": "a", "to": "10.96.0.1", "expect": "link_down"}}
    assert "link_down" in world.refused("topology", topology=wrong)[0]
