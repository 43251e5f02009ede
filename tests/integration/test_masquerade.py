# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import subprocess
import typing as t

import pytest

from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import namespaces

if t.TYPE_CHECKING:
    from .conftest import World

LAB = "demo"
TABLE = "inet linuxnet.lab.demo"
POSTROUTING = "type nat hook postrouting priority srcnat; policy accept;"
FORWARD = "type filter hook forward priority filter; policy accept;"
NEAR = " (did you mean 'br0'?)"
FOREIGN = "table ip foreign { chain c { type nat hook postrouting priority 100; ip saddr 10.0.0.0/24 masquerade; }; }"


def chains(world: World, netns: str = "", table: str = TABLE) -> dict[str, list[str]]:
    """The chains of a table and their lines, as nft(8) prints them. Empty if there is no such table."""
    found: dict[str, list[str]] = {}
    for line in world.sh("nft list table {0} 2>/dev/null || true".format(table), netns).splitlines():
        words = line.split()
        if words[:1] == ["chain"]:
            lines = found.setdefault(words[1], [])
        elif words and words[0] not in ("table", "}"):
            lines.append(" ".join(words))
    return found


def restricted(*prefixes: str, link: str = "br0") -> list[str]:
    """The chain `forward` that accepts packets from these prefixes (`ip 10.0.0.0/24`) and answers, and drops others to
    them.
    """
    words = [prefix.split() for prefix in prefixes]
    families = dict.fromkeys({"ip": "ipv4", "ip6": "ipv6"}[pair[0]] for pair in words)
    return [
        FORWARD,
        *("meta nfproto {0} ct state established,related accept".format(family) for family in families),
        *('iifname "{2}" {0} saddr {1} accept'.format(*pair, link) for pair in words),
        *('iifname != "{2}" oifname "{2}" {0} daddr {1} drop'.format(*pair, link) for pair in words),
    ]


@pytest.fixture
def inner(world: World) -> World:
    """A world in which the lab has a bridge br0 with addresses in all networks of these tests."""
    addresses = ["10.0.0.1/24", "10.1.0.1/24", "172.18.0.1/12", "fd00::1/64"]
    world.run("bridge", lab=LAB, name="br0", addresses=addresses)
    return world


@pytest.mark.parametrize(
    ("asked", "rules", "forward"),
    [
        (
            {"src": "10.0.0.0/24", "oif": "eth0"},
            ['iifname "br0" ip saddr 10.0.0.0/24 oifname "eth0" masquerade'],
            restricted("ip 10.0.0.0/24"),
        ),
        (
            {"src": "172.18.0.0/12", "not_oif": "br0"},
            ['iifname "br0" ip saddr 172.16.0.0/12 oifname != "br0" masquerade'],
            restricted("ip 172.16.0.0/12"),
        ),
        (
            {"src": "10.0.0.7", "dst": "192.0.2.0/25"},
            ['iifname "br0" ip saddr 10.0.0.7 ip daddr 192.0.2.0/25 masquerade'],
            restricted("ip 10.0.0.7"),
        ),
        (
            {"src": "fd00:0::7/64", "oif": "eth0"},
            ['iifname "br0" ip6 saddr fd00::/64 oifname "eth0" masquerade'],
            restricted("ip6 fd00::/64"),
        ),
        (
            {"not_oif": "br0", "rules": [{"src": "10.0.0.0/24"}, {"src": "fd00::/64"}, {"src": "10.1.0.0/24"}]},
            [
                'iifname "br0" ip saddr 10.0.0.0/24 oifname != "br0" masquerade',
                'iifname "br0" ip6 saddr fd00::/64 oifname != "br0" masquerade',
                'iifname "br0" ip saddr 10.1.0.0/24 oifname != "br0" masquerade',
            ],
            restricted("ip 10.0.0.0/24", "ip6 fd00::/64", "ip 10.1.0.0/24"),
        ),
        (
            {"src": "10.0.0.0/24", "rules": [{"oif": "eth0"}, {"oif": "eth1"}]},
            [
                'iifname "br0" ip saddr 10.0.0.0/24 oifname "eth0" masquerade',
                'iifname "br0" ip saddr 10.0.0.0/24 oifname "eth1" masquerade',
            ],
            restricted("ip 10.0.0.0/24"),
        ),
        ({"oif": "eth0", "forward": "open"}, ['iifname "br0" oifname "eth0" masquerade'], None),
        ({"dst": "192.0.2.0/24", "forward": "open"}, ['iifname "br0" ip daddr 192.0.2.0/24 masquerade'], None),
    ],
)
def test_exact_rules(inner: World, asked: dict[str, t.Any], rules: list[str], forward: list[str] | None) -> None:
    done = inner.quartet("masquerade", lab=LAB, **asked)
    wanted = {"postrouting": [POSTROUTING, *rules]}
    assert chains(inner) == ({**wanted, "forward": forward} if forward else wanted)
    before = inner.state()[""]["nft"]
    with inner.another() as fresh:
        fresh.sh("\n".join(done["commands"]))
        assert fresh.state()[""]["nft"] == before


def test_created_and_removed_in_a_namespace(world: World) -> None:
    world.run("netns", lab=LAB, name=["r"])
    world.run("veth", lab=LAB, netns="r", name="e0", addresses=["10.0.0.1/24"], peer={"name": "p0"})
    done = world.quartet("masquerade", lab=LAB, netns="r", src="10.0.0.0/24", forward="open")
    lines = [
        "type nat hook postrouting priority srcnat ; policy accept ;",
        'iifname "e0" ip saddr 10.0.0.0/24 masquerade',
    ]
    shown = {"r": {"nftables": {"linuxnet.lab.demo": {"postrouting": lines}}}}
    assert done["diff"] == {"before": {}, "after": shown}
    assert done["commands"] == [
        "ip netns exec r nft add table inet linuxnet.lab.demo",
        "ip netns exec r nft 'add chain inet linuxnet.lab.demo postrouting "
        "{ type nat hook postrouting priority srcnat ; policy accept ; }'",
        "ip netns exec r nft 'add rule inet linuxnet.lab.demo postrouting "
        "iifname \"e0\" ip saddr 10.0.0.0/24 masquerade'",
    ]
    assert chains(world) == {}
    done = world.quartet("masquerade", lab=LAB, netns="r", state="absent")
    assert done["diff"] == {"before": shown, "after": {}}
    assert done["commands"] == ["ip netns exec r nft delete table inet linuxnet.lab.demo"]
    assert chains(world, "r") == {}


@pytest.mark.parametrize(
    "drift",
    [
        "nft flush chain {0} postrouting",
        "nft delete rule {0} forward handle $(nft -a list chain {0} forward | sed -n 's/.* drop # handle //p')",
        "nft add rule {0} postrouting oifname f0 masquerade",
        "nft insert rule {0} forward accept",
        "nft chain {0} forward '{{ policy drop; }}'",
        "nft add chain {0} more",
        "nft add set {0} s '{{ type ipv4_addr; }}'",
        "nft delete table {0}; nft add table {0}",
        "nft delete table {0}",
        "nft delete chain {0} forward",
    ],
)
def test_drift_is_repaired(inner: World, drift: str) -> None:
    inner.sh("nft '{0}'".format(FOREIGN))
    asked = {"src": "10.0.0.0/24", "oif": "eth0"}
    inner.run("masquerade", lab=LAB, **asked)
    before = inner.state()
    inner.sh(drift.format(TABLE))
    assert inner.state() != before
    inner.quartet("masquerade", lab=LAB, **asked)
    assert chains(inner) == {
        "postrouting": [POSTROUTING, 'iifname "br0" ip saddr 10.0.0.0/24 oifname "eth0" masquerade'],
        "forward": restricted("ip 10.0.0.0/24"),
    }
    assert chains(inner, table="ip foreign")["c"], "another table was touched"


def test_repair_shows_what_differs(inner: World) -> None:
    inner.run("masquerade", lab=LAB, src="10.0.0.0/24", forward="open")
    done = inner.quartet("masquerade", lab=LAB, src="10.1.0.0/24", forward="open")
    head = "type nat hook postrouting priority srcnat ; policy accept ;"

    def shown(prefix: str) -> dict[str, t.Any]:
        lines = [head, 'iifname "br0" ip saddr {0} masquerade'.format(prefix)]
        return {"host": {"nftables": {"linuxnet.lab.demo": {"postrouting": lines}}}}

    assert done["diff"] == {"before": shown("10.0.0.0/24"), "after": shown("10.1.0.0/24")}
    assert done["commands"][0] == "nft flush chain {0} postrouting".format(TABLE)


def test_nothing_else_in_the_ruleset_is_touched(inner: World) -> None:
    """The tables of other programs and of other labs stay."""
    inner.sh("nft '{0}'".format(FOREIGN))
    inner.run("masquerade", lab="other", src="10.1.0.0/24", iif="br0")
    before = inner.state()
    inner.quartet("masquerade", lab=LAB, src="10.0.0.0/24")
    inner.quartet("masquerade", lab=LAB, state="absent")
    assert inner.state() == before


def test_needs_no_program(inner: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as bare:
        bare.setenv("PATH", "")
        inner.run("masquerade", lab=LAB, src="10.0.0.0/24")
    assert sorted(chains(inner)) == ["forward", "postrouting"]


@pytest.mark.parametrize(
    ("asked", "reasons"),
    [
        ({}, ["src: one of src, dst, iif, oif, not_oif is needed"]),
        ({"oif": "eth0"}, ["src: forward: restricted needs the network of the lab"]),
        ({"src": "10.0.0.0/24", "dst": "fd00::/64"}, ["dst: fd00::/64 and 10.0.0.0/24 are not of one IP version"]),
        ({"src": "10.0.0.0/24", "oif": "a b"}, ["oif: 'a b' is not a link name"]),
        (
            {"src": "10.0.0.0/24", "netns": "r2d2"},
            ["netns: there is no network namespace 'r2d2' (did you mean 'r2d'?)"],
        ),
        (
            {"rules": [{"src": "x"}, {"src": "10.0.0.0/24"}, {"oif": "a/b"}]},
            [
                "rules[0].src: 'x' is not a network ('x' does not appear to be an IPv4 or IPv6 network)",
                "rules[2].oif: 'a/b' is not a link name",
                "rules[2].src: forward: restricted needs the network of the lab",
            ],
        ),
        ({"rules": []}, ["rules: the list is empty"]),
        (
            {"src": "10.5.0.0/16"},
            [
                "src: lab 'demo' has no link in the host's namespace that leads to 10.5.0.0/16; "
                "name the link on which the packets arrive with iif"
            ],
        ),
        ({"src": "10.5.0.0/16", "iif": "br1"}, ["iif: there is no link 'br1' in the host's namespace{0}".format(NEAR)]),
        (
            {"rules": [{"src": "0.0.0.0/0"}, {"src": "1::/0"}]},
            [
                "rules[{0}].src: {1} contains every address, so that forward: restricted restricts nothing; "
                "name the lab's network, or set forward: open".format(*one)
                for one in ((0, "0.0.0.0/0"), (1, "1::/0"))
            ],
        ),
        (
            {"src": "10.0.0.0/24", "oif": "e0", "rules": [{}, {"not_oif": "e1"}]},
            ["rules[1].not_oif: 'e1' has no effect beside oif 'e0'"],
        ),
    ],
)
def test_all_reasons_at_once(inner: World, asked: dict[str, t.Any], reasons: list[str]) -> None:
    inner.sh("ip netns add r2d")
    assert inner.refused("masquerade", lab=LAB, **asked) == reasons


# Packets


@pytest.fixture
def routed(world: World) -> World:
    """The client c1 (10.0.0.2), the host, and the server s (203.0.113.8), which has no route to 10.0.0.0/24."""
    world.run("netns", lab=LAB, name=["c1"])
    peer = {"name": "eth0", "netns": "c1", "addresses": ["10.0.0.2/24"]}
    world.run("veth", lab=LAB, name="h0", addresses=["10.0.0.1/24"], peer=peer)
    world.run("route", lab=LAB, netns="c1", dst="default", via="10.0.0.1")
    world.run("sysctl", lab=LAB, settings={"net.ipv4.ip_forward": 1})
    world.sh("ip netns add s; ip link add up0 type veth peer name eth0 netns s")
    world.sh("ip addr add 203.0.113.1/24 dev up0; ip link set up0 up")
    world.sh("ip addr add 203.0.113.8/24 dev eth0; ip link set eth0 up", "s")
    return world


def ping_seen(world: World) -> tuple[bool, str]:
    """Whether the client's ping to the server gets an answer, and the source address that tcpdump sees at the server.
    """
    with namespaces.inside_ref("s"):
        command = ["tcpdump", "-lnn", "-c1", "--immediate-mode", "-ieth0", "icmp[icmptype]==icmp-echo"]
        dump = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while "listening on" not in dump.stderr.readline():
        assert dump.poll() is None
    answered = world.ping("c1", "203.0.113.8")
    return answered, dump.communicate(timeout=10)[0].split()[2]


def test_the_outside_sees_the_host_and_answers(routed: World) -> None:
    assert ping_seen(routed) == (False, "10.0.0.2"), "the server was told a way back"
    routed.run("masquerade", lab=LAB, src="10.0.0.0/24", oif="up0")
    assert ping_seen(routed) == (True, "203.0.113.1")


def test_restricted_lets_nothing_unsolicited_in_and_open_does(routed: World) -> None:
    routed.sh("ip route add 10.0.0.0/24 via 203.0.113.1", "s")
    assert routed.ping("s", "10.0.0.2"), "without the lab's table the host is a plain router"
    routed.run("masquerade", lab=LAB, src="10.0.0.0/24", oif="up0")
    assert not routed.ping("s", "10.0.0.2")
    assert routed.ping("c1", "203.0.113.8")
    routed.run("masquerade", lab=LAB, src="10.0.0.0/24", oif="up0", forward="open")
    assert routed.ping("s", "10.0.0.2")


def test_a_masquerade_that_no_packet_comes_through_is_warned_of(world):
    """The gateway of `office` is r1. Packets do not pass the host, which only has the bridge."""
    topology = {
        "name": "demo",
        "namespaces": {"r1": {"forwarding": True}, "pc1": None, "host": {"forwarding": True}},
        "segments": {"office": {"prefix": "10.1.0.0/24", "gateway": "r1", "members": "pc1"}},
        "masquerade": "office",
    }
    told = "masquerade: no route leads packets from 10.1.0.0/24 through 'host', so that nothing is masqueraded there"
    for check in (True, False, False):
        assert world.run("topology", topology=topology, check=check)["warnings"] == [told]
    topology["segments"]["office"]["gateway"] = "host"
    assert world.run("topology", topology=topology)["warnings"] == []
    assert world.sh("ip route show default", "pc1").startswith("default via 10.1.0.1 ")
