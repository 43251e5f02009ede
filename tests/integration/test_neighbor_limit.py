# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Labs that are too large for the machine's neighbour table. ip-ntable(8) is the oracle.

The table and its limit belong to the whole machine, and only its first namespace can change the limit. A test that
fills the table would disturb everything else on the machine. Therefore these tests replace the numbers that the kernel
reports.
"""

from __future__ import annotations

import itertools
import re
import socket
import typing as t

import pytest

from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import namespaces, neighbor_cache, neighbor_limits
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.netlink import Netlink

from .test_connectivity import build, check, nft

if t.TYPE_CHECKING:
    from .conftest import World

SYSCTL = "net.ipv4.neigh.default.gc_thresh3"
PAIRS: dict[str, t.Any] = {
    "name": "x",
    "namespaces": {"a[1:3]": {}},
    "links": [["a[1:2]", "a[2:3]"]],
    "pool": "10.9.0.0/24",
}


def limited(monkeypatch: pytest.MonkeyPatch, most: int, fulls: t.Iterable[int]) -> None:
    """Make the kernel report a limit of entries, and how often the tables were full at each call."""
    counts = iter(fulls)
    monkeypatch.setattr(neighbor_limits, "read", lambda *asked: neighbor_limits.Limit(most, next(counts)))


def raised(most: int) -> dict[str, t.Any]:
    """The pairs, in a topology that sets the limit."""
    return {**PAIRS, "namespaces": {**PAIRS["namespaces"], "host": {"sysctls": {SYSCTL: most}}}}


@pytest.mark.parametrize(("family", "name"), [(socket.AF_INET, "arp_cache"), (socket.AF_INET6, "ndisc_cache")])
def test_limit_is_read_in_every_namespace(world: World, family: int, name: str) -> None:
    """The limit is also read in namespaces without the sysctl."""
    shown = world.sh(f"ip -s ntable show name {name}")
    most, fulls = (int(re.findall(rf"{word} (\d+)", shown)[0]) for word in ("thresh3", "table_fulls"))
    assert neighbor_limits.read(Netlink(), family) == (most, fulls)


def test_checks_are_made_again_when_there_is_room(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A check that got no answer while the table was full is repeated. If it still gets none, that is its result."""
    build(world, "abc")
    nft(world, "b", "input", "icmp type echo-request quota until 100 bytes drop")  # drop after 1 request of 84 bytes
    nft(world, "c", "input", "icmp type echo-request drop")
    limited(monkeypatch, 1024, [7, 9, 9, 9])
    checks = [{"from": "a", "to": "10.0.0.3"}, {"from": "a", "to": "10.0.0.4", "expect": "no_reply"}]
    results = world.run("connectivity", checks=checks, timeout=0.5, interval=1)["results"]
    assert [one["reason"] for one in results] == ["reply", "no_reply"]
    assert [one["sent"] for one in results] == [2, 2]


def test_room_is_made_on_every_hop_of_labs(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Routers flush their neighbours as well. Neighbours on other links, and permanent entries, stay."""
    routers = {**PAIRS, "namespaces": {"a[1:3]": {"forwarding": True, "lo": "10.255.0.[1:3]"}}, "routing": "static"}
    world.run("topology", topology=routers)
    world.sh("ip -n a2 link add e9 type bridge; ip -n a2 link set e9 up; ip -n a2 addr add 10.8.0.1/24 dev e9")
    for number, link, state in ((2, "e9", "stale"), (3, "a1", "permanent"), (4, "a1", "stale")):
        world.sh(f"ip neigh add 10.8.0.{number} lladdr 02:00:00:00:00:08 dev {link} nud {state}", "a2")
    nft(world, "a3", "input", "icmp type echo-request quota until 100 bytes drop")  # drop after 1 request of 84 bytes
    limited(monkeypatch, 1024, [0, 1, 1])
    check(world, ("a1", "10.255.0.3"), timeout=0.5, interval=1)
    left = {one["dst"] for one in world.json("ip -j neigh", "a2")}
    assert {one for one in left if one.startswith("10.8.")} == {"10.8.0.2", "10.8.0.3"}
    with namespaces.inside_ref("a2"):
        assert neighbor_cache.forget_of_labs(socket.AF_INET) == len(left) - 2
    assert {one["dst"] for one in world.json("ip -j neigh", "a2")} == {"10.8.0.2", "10.8.0.3"}


def test_a_table_that_stays_full_is_the_reason(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then a missing answer proves nothing, whatever was expected. An answer counts."""
    build(world, "ab")
    nft(world, "b", "input", "icmp type echo-request drop", "icmpv6 type echo-request drop")
    limited(monkeypatch, 1024, itertools.count())
    checks = [{"from": "a", "to": "10.0.0.1"}, *({"from": "a", "to": "10.0.0.3", "expect": one} for one in
              ("reachable", "unreachable", "no_reply"))]  # fmt: skip
    done = world.module("connectivity", checks=checks, timeout=0.3)
    assert [one["ok"] for one in done["results"]] == [True, False, False, False]
    assert {one["reason"] for one in done["results"][1:]} == {"neighbor_table_full"}
    assert {one["sysctl"] for one in done["results"][1:]} == {f"{SYSCTL} = 1024"}
    assert f"neighbor_table_full ({SYSCTL} = 1024)" in done["msg"]


def test_a_lab_that_needs_more_is_warned_of(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lab needs two entries for each link. The warning names the sysctl to set."""
    limited(monkeypatch, 4, itertools.repeat(0))
    assert world.run("topology", topology=PAIRS)["warnings"] == []
    limited(monkeypatch, 3, itertools.repeat(0))
    (warning,) = world.run("topology", topology=PAIRS, check=True)["warnings"]
    assert warning.startswith("the 2 links of this lab take 4 entries of the IPv4 neighbour table")
    assert "room for 3," in warning and f"`sysctls: {{{SYSCTL}: 16}}` of the namespace 'host'" in warning


def test_a_topology_raises_the_limit_while_it_is_there(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lab sets the sysctl of the host, for which the test uses a file. The removal restores the old value."""
    world.sh("mkdir -p /run/neigh/default; echo 3 > /run/neigh/default/gc_thresh3")
    world.sh("mount --bind /run/neigh /proc/sys/net/ipv4/neigh")
    limited(monkeypatch, 3, itertools.repeat(0))
    done = world.run("topology", topology=raised(16))
    assert done["warnings"] == [] and f"sysctl -w {SYSCTL}=16" in done["commands"]
    assert world.sh(f"sysctl -n {SYSCTL}").strip() == "16"
    assert len(world.run("topology", topology=raised(2), check=True)["warnings"]) == 1
    world.run("topology", topology=PAIRS, state="absent")
    assert world.sh(f"sysctl -n {SYSCTL}").strip() == "3"
