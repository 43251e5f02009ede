# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""IPv6 addresses that are tentative, duplicate or learnt. ip(8) and ping(8) are the oracles."""

from __future__ import annotations

import socket
import struct
import time
import typing as t

import pytest

from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import namespaces
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.sockets import Sockets
from ansible_collections.linuxnet.lab.plugins.module_utils.snapshot import Snapshot
from ansible_collections.linuxnet.lab.plugins.module_utils.topology.export import export

ROUTERS: dict[str, t.Any] = {
    "name": "x",
    "namespaces": {"r[1:3]": {"forwarding": True, "lo": ["10.255.0.[1:3]", "fd0f::[1:3]"]}},
    "links": [["r[1:2]", "r[2:3]"]],
    "pool": ["10.9.0.0/24", "fd09::/64"],
    "routing": "static",
}
PAIR: dict[str, t.Any] = {
    "name": "x",
    "namespaces": ["a", "b"],
    "links": [{"ends": [{"netns": "a", "name": "eth0", "addresses": ["fd00::1/64"]},
                        {"netns": "b", "name": "eth0", "addresses": ["fd00::2/64"]}]}],
}  # fmt: skip


def shown(world: t.Any, netns: str, dev: str = "eth0") -> dict[str, dict[str, t.Any]]:
    """The IPv6 addresses of a link, with their flags according to ip(8)."""
    return {one["local"]: one for one in world.json(f"ip -6 -j addr show dev {dev}", netns)[0]["addr_info"]}


def with_ends(**options: t.Any) -> dict[str, t.Any]:
    """The pair with further keys at both ends."""
    return {**PAIR, "links": [{"ends": [{**end, **options} for end in PAIR["links"][0]["ends"]]}]}


def test_preferred_source_is_usable_at_once(world: t.Any) -> None:
    """A static route can name an address of `lo` that is created in the same run."""
    done = world.quartet("topology", topology=ROUTERS)
    assert "ip -n r1 addr add fd0f::1/128 dev lo nodad" in done["commands"]
    world.sh("ping -6 -c 1 -w 20 -I fd0f::1 fd0f::3", "r1")  # the routers' link-local addresses are still tentative


def test_first_packet_is_answered(world: t.Any) -> None:
    """After the build, the first packet from one end to the other gets an answer."""
    world.run("topology", topology=PAIR)
    world.sh("ping -6 -c 1 -W 5 fd00::2", "a")


def test_detection_where_it_is_asked_for(world: t.Any) -> None:
    """With `dad`, the kernel looks for another owner of the address first, and finds one."""
    commands = world.quartet("topology", topology=with_ends(dad=True))["commands"]
    assert "ip -n a addr add fd00::1/64 dev eth0" in commands and "nodad" not in shown(world, "a")["fd00::1"]
    world.run("topology", topology=PAIR, state="absent")
    world.quartet("topology", topology=PAIR)
    assert shown(world, "a")["fd00::1"]["nodad"] and not shown(world, "a")["fd00::1"].get("tentative")


@pytest.mark.parametrize("dad", [False, True])
def test_duplicate_address(world: t.Any, dad: bool) -> None:
    """An address that the kernel does not use because of another owner is drift, unless `dad` is set."""
    world.run("topology", topology=with_ends(dad=dad))
    world.sh("ip addr add fd00::1/64 dev eth0 nodad", "b")
    world.sh("ip addr del fd00::1/64 dev eth0; ip addr add fd00::1/64 dev eth0", "a")
    until(lambda: shown(world, "a")["fd00::1"].get("dadfailed"))
    world.sh("ip addr del fd00::1/64 dev eth0", "b")
    done = world.run("topology", topology=with_ends(dad=dad))
    added = ["ip -n a addr del fd00::1/64 dev eth0", "ip -n a addr add fd00::1/64 dev eth0 nodad"]
    assert done["commands"] == ([] if dad else added)
    assert bool(shown(world, "a")["fd00::1"].get("dadfailed")) is dad


def test_address_set_with_detection_before(world: t.Any) -> None:
    """A usable address is no drift, even if it was added with duplicate address detection."""
    world.run("topology", topology=with_ends(dad=True))
    assert not world.run("topology", topology=PAIR)["changed"]


def test_addresses_by_router_advertisement_are_not_drift(world: t.Any) -> None:
    """An address from a router advertisement stays. An address of the same prefix that somebody has added is removed.
    """
    world.run("topology", topology=PAIR)
    world.sh("ip link set eth0 addrgenmode none; ip addr add fe80::1/64 dev eth0 nodad", "a")
    world.sh("sysctl -qw net.ipv6.conf.eth0.use_tempaddr=2", "b")
    advertise("a", "fd77::")
    until(lambda: len([one for one in shown(world, "b") if one.startswith("fd77:")]) == 2)
    learnt = {ip for ip in shown(world, "b") if ip.startswith("fd77:")}
    world.sh("ip addr add fd77::8/64 dev eth0 valid_lft 900 preferred_lft 900; ip addr add fd77::9/64 dev eth0", "b")
    world.quartet("topology", topology=PAIR)
    assert {ip for ip in shown(world, "b") if ip.startswith("fd77:")} == learnt
    assert not world.run("address", lab="x", netns="b", dev="eth0", addresses=["fd00::2/64"], exclusive=True)["changed"]
    with Sockets() as sockets:
        assert "fd77:" not in str(export(Snapshot(sockets), "x"))


def until(holds: t.Callable[[], t.Any]) -> None:
    """Wait until a condition holds."""
    for dummy in range(200):
        if holds():
            return
        time.sleep(0.05)
    raise AssertionError("it never came to be so")


def advertise(netns: str, prefix: str) -> None:
    """Send a router advertisement of a prefix (RFC 4861) on eth0."""
    option = struct.pack("!BBBBII4x16s", 3, 4, 64, 0xC0, 3600, 1800, socket.inet_pton(socket.AF_INET6, prefix))
    with namespaces.inside_ref(netns), socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6) as raw:
        index = socket.if_nametoindex("eth0")
        raw.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
        raw.sendto(struct.pack("!BBHBBHII", 134, 0, 0, 64, 0, 1800, 0, 0) + option, ("ff02::1", 0, 0, index))


# Checks


def test_check_waits_for_duplicate_address_detection(world: t.Any) -> None:
    """Right after the build, all checks over IPv6 succeed, also those that need link-local addresses."""
    checks = [{"from": "r1", "to": "r3"}, {"from": "r3", "to": ["r1", "r2"]}]
    lab = {**ROUTERS, "checks": checks}
    world.run("topology", topology=lab)
    assert not world.run("connectivity", topology=lab, timeout=0.5)["changed"]


def test_check_by_link_local_addresses_right_after_the_build(world: t.Any) -> None:
    """A new link-local address answers within any timeout."""
    world.run("topology", topology=PAIR)
    found = next(ip for ip in shown(world, "b") if ip.startswith("fe80:"))
    done = world.run("connectivity", **{"from": "a", "to": found}, dev="eth0", timeout=0.3)
    assert done["results"][0]["reason"] == "reply"


def test_reason_of_a_duplicate_or_tentative_target(world: t.Any) -> None:
    """A duplicate address, and one that stays tentative without a carrier, have their own reasons."""
    world.run("topology", topology=PAIR)
    world.sh("ip addr add fd00::9/64 dev eth0 nodad", "a")
    world.sh("ip addr add fd00::9/64 dev eth0", "b")
    until(lambda: shown(world, "b")["fd00::9"].get("dadfailed"))
    world.sh("ip addr del fd00::9/64 dev eth0", "a")
    world.sh("ip link add v0 type veth peer name v1; ip link set v0 up; ip addr add fd00::8/64 dev v0", "b")
    checks = [
        {"from": "a", "to": "fd00::9", "expect": "duplicate_address"},
        {"from": "a", "to": "fd00::8", "expect": "tentative_address"},
        {"from": "a", "to": "fd00::7", "expect": "unreachable"},
        {"from": "b", "to": "fd00::1", "src": "fd00::9", "expect": "duplicate_address"},
    ]
    world.run("connectivity", checks=checks, timeout=1)
    wrong = [{**check, "expect": "unreachable"} for check in checks]
    results = world.module("connectivity", checks=wrong, timeout=1)["results"]
    assert [one["ok"] for one in results] == [True, True, True, False]  # the last check sent nothing
