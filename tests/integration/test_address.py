# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module address. ip(8) is the oracle."""

from __future__ import annotations

import re
import typing as t

import pytest

SETUP = (
    "ip netns add c1; ip -n c1 link set lo up;"
    "ip link add v0 type veth peer name eth0 netns c1; ip link set v0 up; ip -n c1 link set eth0 up"
)


@pytest.fixture
def pair(world: t.Any) -> t.Any:
    """The world with the pair v0, eth0 in c1 of lab x. Both ends are up and have no addresses."""
    world.sh(SETUP + "; ip link set v0 alias linuxnet.lab:x")
    world.sh("ip link set lo alias linuxnet.lab:x; ip link set eth0 alias linuxnet.lab:x", "c1")
    return world


def both(world: t.Any, dev: str = "v0", netns: str = "") -> list[str]:
    """The addresses of both IP versions, without link-local ones."""
    return world.addresses(dev, netns) + world.addresses(dev, netns, "inet6")


def nodad(command: str) -> str:
    """The end of a command that adds an IPv6 address without duplicate address detection."""
    return " nodad" if re.match(r"add \S*:", command) else ""


# Each case: existing addresses, the desired ones, the commands, and the resulting addresses.
CASES: dict[str, tuple[list[str], dict[str, t.Any], list[str], list[str]]] = {
    "first": (
        [],
        {"addresses": ["10.0.0.1/24", "fd00::1/64"]},
        ["add 10.0.0.1/24", "add fd00::1/64"],
        ["10.0.0.1/24", "fd00::1/64"],
    ),
    "one_more": (["10.0.0.1/24"], {"addresses": ["10.0.1.1/24"]}, ["add 10.0.1.1/24"], ["10.0.0.1/24", "10.0.1.1/24"]),
    "broadcast": (
        [],
        {"addresses": ["192.168.5.9/24"], "broadcast": True},
        ["add 192.168.5.9/24 brd 192.168.5.255"],
        ["192.168.5.9/24"],
    ),
    "no_broadcast_where_there_is_none": (
        [],
        {"addresses": ["10.0.0.0/31", "10.0.1.1/32", "fd00::1/64"], "broadcast": True},
        ["add 10.0.0.0/31", "add 10.0.1.1/32", "add fd00::1/64"],
        ["10.0.0.0/31", "10.0.1.1/32", "fd00::1/64"],
    ),
    "metric": (
        ["10.0.1.1/24 metric 9"],
        {"addresses": ["10.0.0.1/24", "fd00::1/64", "10.0.1.1/24"], "metric": 5},
        ["del 10.0.1.1/24", "add 10.0.0.1/24 metric 5", "add fd00::1/64 metric 5", "add 10.0.1.1/24 metric 5"],
        ["10.0.0.1/24", "fd00::1/64", "10.0.1.1/24"],
    ),
    "noprefixroute": (
        [],
        {"addresses": ["10.0.0.1/24", "fd00::1/64"], "noprefixroute": True},
        ["add 10.0.0.1/24 noprefixroute", "add fd00::1/64 noprefixroute"],
        ["10.0.0.1/24", "fd00::1/64"],
    ),
    "written_otherwise": (
        ["fd00::1/64"],
        {"addresses": ["FD00:0:0::2/64"]},
        ["add fd00::2/64"],
        ["fd00::2/64", "fd00::1/64"],
    ),
    "another_broadcast": (
        ["10.0.0.1/24 brd 10.0.0.9", "10.0.1.1/24"],
        {"addresses": ["10.0.0.1/24"], "broadcast": True},
        ["del 10.0.0.1/24", "add 10.0.0.1/24 brd 10.0.0.255"],
        ["10.0.1.1/24", "10.0.0.1/24"],
    ),
    "another_broadcast_of_a_primary": (
        ["10.0.0.1/24 brd 10.0.0.9", "10.0.0.2/24"],
        {"addresses": ["10.0.0.1/24"]},
        ["del 10.0.0.2/24", "del 10.0.0.1/24", "add 10.0.0.1/24", "add 10.0.0.2/24"],
        ["10.0.0.1/24", "10.0.0.2/24"],
    ),
    "another_prefix_beside_it": (
        ["10.0.0.1/24"],
        {"addresses": ["10.0.0.1/16"]},
        ["add 10.0.0.1/16"],
        ["10.0.0.1/24", "10.0.0.1/16"],
    ),
    "another_prefix_of_an_ipv6_address": (
        ["fd00::1/64"],
        {"addresses": ["fd00::1/48"]},
        ["del fd00::1/64", "add fd00::1/48"],
        ["fd00::1/48"],
    ),
    "exclusive": (
        ["10.0.0.1/24", "10.0.0.2/24", "10.9.9.9/32", "fd00::1/64"],
        {"addresses": ["10.0.0.1/24"], "exclusive": True},
        ["del fd00::1/64", "del 10.0.0.2/24", "del 10.9.9.9/32"],
        ["10.0.0.1/24"],
    ),
    "exclusive_none": (
        ["10.0.0.1/24", "10.0.0.2/24"],
        {"addresses": [], "exclusive": True},
        ["del 10.0.0.2/24", "del 10.0.0.1/24"],
        [],
    ),
    "exclusive_without_the_primary": (
        ["10.0.0.1/24", "10.0.0.2/24", "10.0.0.3/24"],
        {"addresses": ["10.0.0.2/24"], "exclusive": True},
        ["del 10.0.0.3/24", "del 10.0.0.2/24", "del 10.0.0.1/24", "add 10.0.0.2/24"],
        ["10.0.0.2/24"],
    ),
    "absent": (
        ["10.0.0.1/24", "10.0.1.1/24", "fd00::1/64"],
        {"addresses": ["10.0.0.1/24", "fd00::1/64", "10.7.7.7/32"], "state": "absent"},
        ["del fd00::1/64", "del 10.0.0.1/24"],
        ["10.0.1.1/24"],
    ),
    "absent_primary": (
        ["10.0.0.1/24", "10.0.0.2/24"],
        {"addresses": ["10.0.0.1/24"], "state": "absent"},
        ["del 10.0.0.2/24", "del 10.0.0.1/24", "add 10.0.0.2/24"],
        ["10.0.0.2/24"],
    ),
    "absent_secondary": (
        ["10.0.0.1/24", "10.0.0.2/24"],
        {"addresses": ["10.0.0.2/24"], "state": "absent"},
        ["del 10.0.0.2/24"],
        ["10.0.0.1/24"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("promote", [0, 1], ids=["secondaries_go", "secondaries_stay"])
@pytest.mark.parametrize("case", CASES)
def test_addresses(pair: t.Any, case: str, promote: int) -> None:
    """The link has exactly the desired addresses, even if the kernel deletes secondaries together with their primary.
    """
    there, arguments, commands, then = CASES[case]
    damage = [f"echo {promote} > /proc/sys/net/ipv4/conf/v0/promote_secondaries"]
    damage += [f"ip addr add {address} dev v0" for address in there]
    pair.sh("\n".join(damage))
    done = pair.quartet("address", lab="x", dev="v0", **arguments)
    assert done["commands"] == [f"ip addr {command} dev v0{nodad(command)}" for command in commands]
    assert sorted(both(pair)) == sorted(then)
    assert pair.by_hand(done["commands"], "\n".join([SETUP, *damage])) == pair.comparable()


def test_diff_of_each(pair: t.Any) -> None:
    """The diff contains the lists before and after the addition, the replacement and the removal of addresses."""
    address = {"lab": "x", "netns": "c1", "dev": "eth0"}

    def lists(*both_lists: list[str]) -> dict[str, t.Any]:
        names = ("before", "after")
        return {name: {"c1": {"links": {"eth0": {"addresses": one}}}} for name, one in zip(names, both_lists)}

    done = pair.run("address", **address, addresses=["10.0.0.1/24"])
    assert done["diff"] == lists([], ["10.0.0.1/24"])
    done = pair.run("address", **address, addresses=["10.0.1.1/24"], broadcast=True, exclusive=True)
    assert done["diff"] == lists(["10.0.0.1/24"], ["10.0.1.1/24 brd 10.0.1.255"])
    done = pair.run("address", **address, addresses=["10.0.1.1/24"], state="absent")
    assert done["diff"] == lists(["10.0.1.1/24 brd 10.0.1.255"], [])


def test_scopes_are_those_of_ip(pair: t.Any) -> None:
    """The next run recognises loopback, link-local and site-local addresses."""
    pair.quartet("address", lab="x", netns="c1", dev="lo", addresses=["127.0.0.2/8", "10.255.0.1/32"])
    pair.quartet("address", lab="x", dev="v0", addresses=["fe80::1/64", "fec0::1/64", "169.254.1.1/16"])
    scopes = {
        info["local"]: info["scope"]
        for dev, netns in (("lo", "c1"), ("v0", ""))
        for info in pair.json(f"ip -j addr show dev {dev}", netns)[0]["addr_info"]
    }
    assert scopes["127.0.0.2"] == "host" and scopes["10.255.0.1"] == scopes["169.254.1.1"] == "global"
    assert scopes["fe80::1"] == "link" and scopes["fec0::1"] == "site"
    pair.quartet("address", lab="x", dev="v0", addresses=["fe80::1/64"], state="absent")
    assert not pair.run("address", lab="x", dev="v0", addresses=[], exclusive=False)["changed"]


def test_links_own_link_local_address_stays(pair: t.Any) -> None:
    """`exclusive` keeps the link-local address that the kernel created."""
    pair.sh("ip link set v0 addrgenmode none; ip addr add fe80::abcd/64 dev v0 nodad; ip addr add 10.0.0.1/24 dev v0")
    pair.run("address", lab="x", dev="v0", addresses=[], exclusive=True)
    seen = [info["local"] for info in pair.json("ip -j addr show dev v0")[0]["addr_info"]]
    assert [ip for ip in seen if ip == "fe80::abcd" or "." in ip] == ["fe80::abcd"]


def test_same_link_local_address_on_every_link(pair: t.Any) -> None:
    """fe80::1 may be on all links of a router."""
    pair.run("veth", lab="x", name="w0", peer={"name": "w1"})
    links = [{"dev": dev} for dev in ("v0", "w0", "w1")]
    pair.quartet("address", lab="x", addresses=["fe80::1/64"], links=links)
    assert pair.sh("ip -6 -o addr").count("fe80::1/64") == 3


def test_several_links_in_one_task(pair: t.Any) -> None:
    """One task sets both ends. Options that a link omits come from the task."""
    links = [{"dev": "v0", "addresses": ["10.0.0.1/24"]}, {"dev": "eth0", "netns": "c1", "addresses": ["10.0.0.2/24"]}]
    done = pair.quartet("address", lab="x", links=links, broadcast=True)
    assert done["commands"] == [
        "ip addr add 10.0.0.1/24 brd 10.0.0.255 dev v0",
        "ip -n c1 addr add 10.0.0.2/24 brd 10.0.0.255 dev eth0",
    ]
    assert pair.by_hand(done["commands"], SETUP) == pair.comparable()
    pair.quartet("address", lab="x", links=links, state="absent")
    assert both(pair) == both(pair, "eth0", "c1") == []


def test_address_moves_between_links_in_one_task(pair: t.Any) -> None:
    """One task removes an address from a link and adds it to another, in this order."""
    pair.run("veth", lab="x", name="w0", peer={"name": "w1"})
    pair.run("address", lab="x", dev="v0", addresses=["10.0.0.1/24"])
    links = [{"dev": "v0", "addresses": []}, {"dev": "w0", "addresses": ["10.0.0.1/24"]}]
    done = pair.quartet("address", lab="x", links=links, exclusive=True)
    assert done["commands"] == ["ip addr del 10.0.0.1/24 dev v0", "ip addr add 10.0.0.1/24 dev w0"]


def test_absent_where_there_is_nothing(pair: t.Any) -> None:
    """A missing link, namespace or address causes no error and no change."""
    for where in ({"dev": "never"}, {"dev": "eth0", "netns": "never"}, {"dev": "v0"}):
        assert not pair.run("address", lab="x", **where, addresses=["10.0.0.1/24"], state="absent")["changed"]


# Refusals


def test_link_that_is_not_there_or_not_ours(pair: t.Any) -> None:
    """The module reports all errors at once, with the nearest name, and with the kind and owner of the link."""
    pair.sh("ip link add theirs type veth peer name other; ip addr add 10.1.0.1/24 dev theirs; ip link set theirs up")
    pair.sh("ip route add default via 10.1.0.9")
    links = [{"dev": "v00"}, {"dev": "eth0", "netns": "c11"}, {"dev": "theirs"}, {"dev": "v0", "addresses": []}]
    links = [{"addresses": [f"10.5.{number}.1/24"], **link} for number, link in enumerate(links)]
    uplink = "exists in the host's namespace and does not belong to lab 'x'; it carries the host's default route;"
    assert pair.refused("address", lab="x", links=links) == [
        "links[0].dev: there is no link 'v00' in the host's namespace (did you mean 'v0'?)",
        "links[1].netns: there is no network namespace 'c11' (did you mean 'c1'?)",
        f"links[2].dev: link 'theirs' {uplink} it will not get an address unless force is true",
    ]
    assert pair.refused("address", lab="x", dev="theirs", addresses=["10.1.0.1/24"], state="absent") == [
        f"dev: link 'theirs' {uplink} it will not lose an address unless force is true"
    ]
    pair.quartet("address", lab="x", dev="theirs", addresses=["10.5.0.1/24"], force=True)


@pytest.mark.parametrize("address", ["10.1.5.1/24", "10.1.5.1/8", "fd01::5/64", "fd01::5/32"])
def test_overlap_with_a_network_of_the_host(pair: t.Any, address: str) -> None:
    """An address whose network overlaps one that the host already reaches needs force."""
    pair.sh("ip link add theirs type veth peer name other; ip link set theirs up")
    pair.sh("ip addr add 10.1.0.1/16 dev theirs; ip -6 route add fd01::/48 dev theirs")
    there, network = ("10.1.0.0/16", "10.") if "." in address else ("fd01::/48", "fd01")
    errors = pair.refused("address", lab="x", dev="v0", addresses=["10.77.0.1/24", address])
    assert len(errors) == 1 and errors[0].startswith(f"addresses[1]: {network}")
    assert f"overlaps the host's route to {there} dev theirs; it will not be added unless force is true" in errors[0]
    pair.quartet("address", lab="x", dev="v0", addresses=[address], force=True)
    assert both(pair) == [address]


def test_default_route_and_the_labs_own_networks_overlap_nothing(pair: t.Any) -> None:
    """Two links of a lab may be in one subnet. The default route, which overlaps everything, does not count."""
    pair.run("veth", lab="y", name="w0", addresses=["10.0.0.9/24"], peer={"name": "w1"})
    pair.sh("ip link add uplink type veth peer name far; ip link set uplink up")
    pair.sh("ip route add default dev uplink; ip -6 route add default dev uplink")
    pair.run("address", lab="x", dev="v0", addresses=["10.0.0.1/24", "fd00::1/64"])
    assert both(pair) == ["10.0.0.1/24", "fd00::1/64"]


def test_overlap_does_not_matter_inside_a_namespace(pair: t.Any) -> None:
    """Inside a namespace, only the same address on two links is refused."""
    pair.sh("ip link add theirs type veth peer name other; ip link set theirs up", "c1")
    pair.sh("ip addr add 10.1.0.1/16 dev theirs", "c1")
    errors = pair.refused("address", lab="x", dev="eth0", netns="c1", addresses=["10.1.0.1/24", "10.1.0.2/24"])
    assert errors == ["addresses[0]: 10.1.0.1 is already on theirs in namespace 'c1'"]
    pair.quartet("address", lab="x", dev="eth0", netns="c1", addresses=["10.1.0.2/24"])
