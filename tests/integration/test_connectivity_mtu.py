# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The size of requests and the MTU of paths. ping(8) with -M do is the oracle."""

from __future__ import annotations

import typing as t

import pytest

TARGETS = ("10.2.0.2", "fd02::2")
HEADERS = {"10.2.0.2": 28, "fd02::2": 48}


@pytest.fixture
def path(world: t.Any) -> t.Any:
    """The host routes between a (MTU 1500) and b, whose link has an MTU of 1300: 10.1.0.2 and 10.2.0.2, fd01::2 and
    fd02::2.
    """
    world.sh("sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv4.icmp_ratelimit=0")
    for name, number, mtu in (("a", 1, 1500), ("b", 2, 1300)):
        world.sh(
            f"ip netns add {name}; ip link add v-{name} mtu {mtu} type veth peer name eth0 mtu {mtu} netns {name};"
            f"ip link set v-{name} up; ip -n {name} link set eth0 up; ip -n {name} link set lo up;"
            f"ip addr add 10.{number}.0.1/24 dev v-{name}; ip addr add fd0{number}::1/64 dev v-{name} nodad;"
            f"ip -n {name} addr add 10.{number}.0.2/24 dev eth0;"
            f"ip -n {name} addr add fd0{number}::2/64 dev eth0 nodad;"
            f"ip -n {name} route add default via 10.{number}.0.1; ip -n {name} route add default via fd0{number}::1"
        )
    return world


def ping(world: t.Any, address: str, size: int) -> bool:
    """Whether ping gets an answer to a packet that must not be fragmented."""
    return "1 received" in world.sh(f"ping -n -c 1 -W 1 -M do -s {size} {address}", "a", check=False)


@pytest.mark.parametrize("to", TARGETS)
def test_the_mtu_of_the_path(path: t.Any, to: str) -> None:
    """A packet just fits, is too big for the router, or is too big for the sender's link. The result names who refused
    it.
    """
    fits = 1300 - HEADERS[to]
    checks = [{"to": to, "size": size, "expect": "packet_too_big"} for size in (fits + 1, fits + 200, fits + 201)]
    checks = [{"from": "a", **check} for check in [{"to": to, "size": fits}, *checks]]
    results = path.run("connectivity", checks=checks, df=True, timeout=20)["results"]
    router = to.replace("2.0.2", "1.0.1").replace("fd02::2", "fd01::1")
    assert [(result.get("mtu"), result["errno"], result["by"], result["size"]) for result in results] == [
        (None, "", to, fits),
        (1300, "", router, fits + 1),
        (1300, "", router, fits + 200),
        (1500, "EMSGSIZE", "", fits + 201),
    ]
    assert [ping(path, to, size) for size in (fits, fits + 1, fits + 201)] == [True, False, False]


@pytest.mark.parametrize("to", TARGETS)
def test_too_big_is_unreachable_and_the_table_says_why(path: t.Any, to: str) -> None:
    """The table has the reason for a check that expects to reach the target."""
    done = path.module("connectivity", **{"from": "a"}, to=to, size=1400, df=True, timeout=0.5)
    assert done["failed"]
    assert f"{to} size 1400  reachable  unreachable  packet_too_big by" in done["table"][1]
    assert done["table"][1].endswith("(mtu 1300)  -")
    path.run("connectivity", **{"from": "a"}, to=to, size=1400, df=True, expect="unreachable", timeout=3600)


@pytest.mark.parametrize("to", TARGETS)
def test_without_df_it_is_fragmented(path: t.Any, to: str) -> None:
    """The path transports the fragments, and the answer equals the request to the last octet."""
    checks = [{"from": "a", "to": to, "size": size} for size in (0, 1, 1400, 1600, 20000)]
    results = path.run("connectivity", checks=checks, timeout=20)["results"]
    assert [result["size"] for result in results] == [0, 1, 1400, 1600, 20000]
    assert [result["received"] for result in results] == [1] * 5


def test_the_size_is_that_of_the_packet(path: t.Any) -> None:
    """The target accepts only packets of exactly that length."""
    chain = "type filter hook input priority 0\nicmp type echo-request ip length != 1028 drop"
    path.sh(f"nft -f - <<'END'\ntable inet t {{\nchain c {{\n{chain}\n}}\n}}\nEND", "b")
    checks = [{"from": "a", "to": TARGETS[0], "size": size} for size in (1000, 999)]
    checks[1]["expect"] = "no_reply"
    path.run("connectivity", checks=checks, timeout=0.5)


@pytest.mark.parametrize("to", TARGETS)
def test_df_is_of_each_check_alone(path: t.Any, to: str) -> None:
    """Two checks to the same target have different values of `df`."""
    whole = {"from": "a", "to": to, "size": 1400, "df": True, "expect": "packet_too_big"}
    pieces = {"from": "a", "to": to, "size": 1400}
    for checks in ([whole, pieces], [pieces, whole]):
        path.run("connectivity", checks=checks, timeout=20)


def test_sizes_that_do_not_exist(path: t.Any) -> None:
    """The length field of IP limits the size."""
    checks = [{"to": "10.1.0.2", "size": size} for size in (-1, 65508)] + [{"to": "fd01::2", "size": 65528}]
    assert path.module("connectivity", checks=checks)["errors"] == [
        "checks[0].size: -1 is not between 0 and 65507",
        "checks[1].size: 65508 is not between 0 and 65507",
        "checks[2].size: 65528 is not between 0 and 65527",
    ]
    path.run("connectivity", checks=[{"to": "10.1.0.2", "size": 65507}, {"to": "fd01::2", "size": 65527}])
