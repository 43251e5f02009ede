# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Attacks on a lab and on its host with real packets: the lab's table and the guard of the host must drop them."""

from __future__ import annotations

import json
import socket
import struct
import typing as t

import pytest

from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import namespaces

if t.TYPE_CHECKING:
    from .conftest import World

LAB = "demo"
GUARD = "inet linuxnet.lab"

# The lab has two networks, so that it also forwards between them.
TOPOLOGY: dict[str, t.Any] = {
    "name": LAB,
    "namespaces": {"host": {"forwarding": True}, "c1": None},
    "segments": {
        "lan": {
            "bridge": "br0",
            "prefix": ["10.0.0.0/24", "fd00:10::/64"],
            "gateway": "host",
            "members": {"c1": {"addresses": ["10.0.0.2", "fd00:10::2"]}},
        }
    },
    "masquerade": {"src": "lan", "oif": "up0"},
}
# The world around the lab: the outside at up0, and a LAN of the host at lan0. Before the lab, the host does not
# forward.
OUTSIDE = """
ip netns add {0}; ip link add {1} type veth peer name eth0 netns {0}
ip addr add {2}.1/24 dev {1}; ip -6 addr add {3}::1/64 dev {1} nodad; ip link set {1} up
ip -n {0} link set lo up; ip -n {0} addr add {2}.8/24 dev eth0; ip -n {0} -6 addr add {3}::8/64 dev eth0 nodad
ip -n {0} link set eth0 up; ip -n {0} route add default via {2}.1; ip -n {0} -6 route add default via {3}::1
"""
SURROUNDINGS = "".join(
    [
        "for f in all default; do echo 0 > /proc/sys/net/ipv4/conf/$f/rp_filter;"
        "echo 0 > /proc/sys/net/ipv6/conf/$f/accept_dad; done\n",
        OUTSIDE.format("outside", "up0", "203.0.113", "2001:db8:113"),
        OUTSIDE.format("lan", "lan0", "192.0.2", "2001:db8:2"),
    ]
)
OF_C1 = {4: "10.0.0.2", 6: "fd00:10::2"}
OF_LAN = {4: "192.0.2.8", 6: "2001:db8:2::8"}
OF_OUTSIDE = {4: "203.0.113.8", 6: "2001:db8:113::8"}
BOTH = pytest.mark.parametrize("family", [4, 6])


@pytest.fixture
def around(world: World) -> World:
    """A host between an outside and its own LAN, without a lab."""
    world.sh(SURROUNDINGS)
    return world


def build(world: World, topology: dict[str, t.Any] | None = None, **arguments: t.Any) -> dict[str, t.Any]:
    """Build the lab. Its links answer for their IPv6 addresses at once."""
    done = world.run("topology", topology=topology or TOPOLOGY, **arguments)
    world.sh("while ip -6 addr show tentative | grep -q inet6; do sleep 0.05; done")
    world.sh("while ip -6 addr show tentative | grep -q inet6; do sleep 0.05; done", "c1")
    return done


def rules(world: World, table: str = GUARD) -> list[str]:
    """The lines of a table's chains, as nft(8) prints them. Empty if there is no such table."""
    text = world.sh("nft list table {0} 2>/dev/null || true".format(table))
    return [" ".join(line.split()) for line in text.splitlines() if line.startswith("\t\t")]


def arrives(world: World, sender: str, source: str, target: str, receiver: str) -> list[str]:
    """Send UDP datagrams from a namespace, with any source address.

    :returns: the sources that the receiver sees.
    """
    family = socket.AF_INET6 if ":" in target else socket.AF_INET
    if source not in (OF_C1[4], OF_C1[6], OF_OUTSIDE[4], OF_OUTSIDE[6]):
        world.sh("ip addr add {0} dev lo{1}".format(source, " nodad" if ":" in source else ""), sender)
    with namespaces.inside_ref(receiver):
        listener = socket.socket(family, socket.SOCK_DGRAM)
        listener.bind(("::" if ":" in target else "0.0.0.0", 7000))
        last = socket.socket(family, socket.SOCK_DGRAM)
    with namespaces.inside_ref(sender):
        attacker = socket.socket(family, socket.SOCK_DGRAM)
        attacker.bind((source, 0))
    with listener, last, attacker:
        listener.settimeout(10)
        for dummy in range(3):
            attacker.sendto(b"attack", (target, 7000))
        world.sh("sleep 0.3")  # until the sender has answered the host's neighbour solicitation
        last.sendto(b"end", ("::1" if ":" in target else "127.0.0.1", 7000))
        seen = []
        while True:
            data, peer = listener.recvfrom(100)
            if data == b"end":
                return seen
            seen.append(peer[0])


def reaches(world: World, sender: str, target: str) -> bool:
    return world.ping(sender, target)


# The guard


@BOTH
def test_the_host_does_not_become_a_router_between_its_other_links(around: World, family: int) -> None:
    assert not reaches(around, "outside", OF_LAN[family])
    build(around)
    assert not reaches(around, "outside", OF_LAN[family]) and not reaches(around, "lan", OF_OUTSIDE[family])
    assert arrives(around, "outside", OF_OUTSIDE[family], OF_LAN[family], "lan") == []
    assert reaches(around, "c1", OF_OUTSIDE[family]), "the lab's own way out"
    around.run("topology", lab=LAB, state="absent")
    assert rules(around) == []


def test_a_host_that_forwarded_before_goes_on_as_before(around: World) -> None:
    around.sh("sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1")
    for family in (4, 6):
        assert reaches(around, "outside", OF_LAN[family])
    build(around)
    assert rules(around) == []
    for family in (4, 6):
        assert reaches(around, "outside", OF_LAN[family]) and reaches(around, "c1", OF_OUTSIDE[family])


def test_the_guard_is_for_the_family_that_did_not_forward_before(around: World) -> None:
    around.sh("sysctl -qw net.ipv6.conf.all.forwarding=1")
    build(around)
    assert reaches(around, "outside", OF_LAN[6]) and not reaches(around, "outside", OF_LAN[4])
    assert rules(around)[-1] == "meta nfproto ipv4 drop"


def test_the_guard_is_shown_and_the_same_by_hand(around: World) -> None:
    before = around.state()
    predicted = around.run("topology", topology=TOPOLOGY, check=True)
    assert around.state() == before
    done = build(around)
    assert predicted["commands"] == done["commands"] and predicted["diff"] == done["diff"]
    head = "type filter hook forward priority filter ; policy accept ;"
    assert done["diff"]["after"]["host"]["nftables"]["linuxnet.lab"]["forward"][0] == head
    made = around.sh("nft -s list ruleset")
    assert around.run("topology", topology=TOPOLOGY)["changed"] is False
    with around.another() as other:
        other.sh("\n".join(line for line in done["commands"] if line.startswith("nft ")))
        assert other.sh("nft -s list ruleset") == made
    around.run("topology", lab=LAB, state="absent")
    assert around.sh("nft list ruleset") == ""


def test_the_guard_follows_links_whatever_makes_or_ends_them(around: World) -> None:
    around.run("sysctl", lab=LAB, settings={"net.ipv4.ip_forward": 1})
    assert rules(around)[1:] == ['meta iifkind "bridge" meta oifkind "bridge" accept', "meta nfproto ipv4 drop"]
    around.run("netns", lab="other", name="d1")
    peer = {"name": "eth0", "netns": "d1", "addresses": ["10.9.0.2/24"]}
    done = around.run("veth", lab="other", name="v9", addresses=["10.9.0.1/24"], peer=peer)
    assert "nft 'add rule inet linuxnet.lab forward iifname \"v9\" accept'" in done["commands"]
    around.sh("ip route add default via 10.9.0.1", "d1")
    assert reaches(around, "outside", "10.9.0.2"), "the other lab is routed, with nothing that restricts it"
    around.run("veth", lab="other", name="v9", state="absent", peer={"name": "eth0", "netns": "d1"})
    assert not any("v9" in rule for rule in rules(around))
    around.run("sysctl", lab=LAB, settings={"net.ipv4.ip_forward": None}, state="absent")
    assert around.sh("nft list ruleset") == ""


def test_a_refused_run_leaves_no_guard_behind(around: World) -> None:
    settings = {"net.ipv4.ip_forward": 1, "net.ipv4.ping_group_range": "10 nonsense"}
    around.refused("sysctl", lab=LAB, settings=settings)
    assert around.sh("nft list ruleset") == ""


# The lab's table


@BOTH
@pytest.mark.parametrize("forwarded_before", [False, True])
def test_nobody_outside_passes_for_the_lab(around: World, family: int, forwarded_before: bool) -> None:
    """From the outside come datagrams with a container's source address, to the lab and to the host's LAN."""
    if forwarded_before:
        around.sh("sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1")
    build(around, {**TOPOLOGY, "masquerade": {"src": "lan", "not_oif": "br0"}})
    around.sh("for f in up0 lan0 br0; do echo 0 > /proc/sys/net/ipv4/conf/$f/rp_filter; done")
    first, second = {4: ("10.0.0.77", "10.0.0.78"), 6: ("fd00:10::77", "fd00:10::78")}[family]
    assert arrives(around, "outside", first, OF_C1[family], "c1") == []
    host = {4: "192.0.2.1", 6: "2001:db8:2::1"}[family]
    seen = arrives(around, "outside", second, OF_LAN[family], "lan")
    assert host not in seen, "it went on under the host's own address"
    assert forwarded_before or seen == []
    assert arrives(around, "c1", OF_C1[family], OF_LAN[family], "lan") == [host] * 3


@BOTH
def test_two_labs_forward_each_its_own(around: World, family: int) -> None:
    other = {
        "name": "other",
        "namespaces": {"host": {"forwarding": True}, "d1": None},
        "segments": {
            "lan": {"bridge": "br9", "prefix": ["10.9.0.0/24", "fd00:9::/64"], "gateway": "host", "members": "d1"}
        },
        "masquerade": {"src": "lan", "oif": "up0"},
    }
    build(around)
    build(around, other)
    around.sh("while ip -6 addr show tentative | grep -q inet6; do sleep 0.05; done", "d1")
    assert reaches(around, "c1", OF_OUTSIDE[family]) and reaches(around, "d1", OF_OUTSIDE[family])
    assert not reaches(around, "d1", OF_C1[family]), "unsolicited"
    around.run("topology", lab=LAB, state="absent")
    assert reaches(around, "d1", OF_OUTSIDE[family]) and not reaches(around, "outside", OF_LAN[family])
    around.run("topology", lab="other", state="absent")
    assert around.sh("nft list ruleset") == ""


def test_what_bridges_carry_is_nobodys_to_drop(around: World) -> None:
    """Packets between two segments pass three routers. With br_netfilter, the firewall sees them on the bridges, and
    must not drop them.
    """
    if not around.sh("cat /proc/sys/net/bridge/bridge-nf-call-iptables 2>/dev/null || true"):
        pytest.skip("there is no br_netfilter")
    around.sh("sysctl -qw net.bridge.bridge-nf-call-iptables=1 net.bridge.bridge-nf-call-ip6tables=1")
    topology = {
        "name": LAB,
        "namespaces": {"r[1:3]": {"forwarding": True}, "pc[1:3]": None, "host": {"forwarding": True}},
        "segments": {
            "office": {"prefix": "10.1.0.0/24", "gateway": "r1", "members": "pc1"},
            "dmz": {"prefix": "10.2.0.0/24", "gateway": "r2", "members": "pc2"},
            "core": {"prefix": "10.3.0.0/24", "members": ["r[1:3]", "pc3"]},
        },
        "routing": "static",
        "routes": [{"netns": "pc3", "dst": "default", "via": "r1"}],
        "masquerade": "office",
        "checks": {"from": "all", "to": "all"},
    }
    around.run("topology", topology=topology)
    around.run("connectivity", topology=topology)
    # A bridge without a lab, which exists before the next run or is created after it.
    for number in (1, 2):
        around.sh(
            "ip link add x{0} type bridge; ip link set x{0} up; for i in 1 2; do ip netns add x{0}$i;"
            "ip link add x{0}p$i master x{0} type veth peer name eth0 netns x{0}$i; ip link set x{0}p$i up;"
            "ip -n x{0}$i addr add 10.7.{0}.$i/24 dev eth0; ip -n x{0}$i link set eth0 up; done".format(number)
        )
        assert reaches(around, "x{0}1".format(number), "10.7.{0}.2".format(number))
        around.run("topology", topology=topology)
        assert reaches(around, "x{0}1".format(number), "10.7.{0}.2".format(number))
    # But the host does not route between them.
    for number in (1, 2):
        around.sh("ip addr add 10.7.{0}.9/24 dev x{0}; ip -n x{0}1 route add default via 10.7.{0}.9".format(number))
    assert not reaches(around, "x11", "10.7.2.1")


def test_a_network_behind_a_router_comes_by_the_link_to_it(around: World) -> None:
    topology = {
        "name": LAB,
        "namespaces": {"host": {"forwarding": True}, "r1": {"forwarding": True}, "c1": None},
        "links": [{"ends": ["host:down", "r1:up"], "prefix": "10.5.0.0/30"}],
        "segments": {"office": {"netns": "r1", "prefix": "10.6.0.0/24", "gateway": "r1", "members": "c1"}},
        "routes": [
            {"netns": "host", "dst": "office", "via": "r1"},
            {"netns": "r1", "dst": "default", "via": "10.5.0.1"},
        ],
        "masquerade": {"src": "office", "oif": "up0"},
    }
    around.run("topology", topology=topology)
    found = rules(around, "inet linuxnet.lab.demo")
    assert 'iifname "down" ip saddr 10.6.0.0/24 oifname "up0" masquerade' in found
    assert reaches(around, "c1", OF_OUTSIDE[4])
    # Somebody renames the link. The rules and the guard follow.
    topology["links"] = [{"ends": ["host:below", "r1:up"], "prefix": "10.5.0.0/30"}]
    around.run("topology", topology=topology)
    assert reaches(around, "c1", OF_OUTSIDE[4])
    assert not any("down" in rule for rule in rules(around) + rules(around, "inet linuxnet.lab.demo"))


# Sysctls of the host


def all_sysctls(world: World) -> dict[str, str]:
    """Every readable sysctl under net, except those that change by themselves."""
    text = world.sh("cd /proc/sys/net; grep -rH . . 2>/dev/null || true")
    pairs = (line.split(":", 1) for line in text.splitlines())
    return {name: value for name, value in pairs if "stable_secret" not in name and "nf_conntrack_count" not in name}


ODD = (
    "conf/all/accept_redirects=0 conf/default/forwarding=1 conf/lan0/forwarding=1 conf/up0/accept_redirects=0"
)


@pytest.mark.parametrize("odd", [False, True])
def test_all_sysctls_are_as_before(around: World, odd: bool) -> None:
    """The kernel sets many sysctls together. All get their old values back, also with a second lab in between."""
    if odd:
        around.sh("for s in {0}; do echo ${{s#*=}} > /proc/sys/net/ipv4/${{s%=*}}; done".format(ODD))
        around.sh("cd /proc/sys/net/ipv6/conf; echo 1 > up0/forwarding; echo 1 > default/forwarding")
    before = all_sysctls(around)
    build(around)
    around.run("sysctl", lab="other", settings={"net.ipv4.ip_forward": 1, "net.ipv6.conf.all.forwarding": 1})
    build(around)
    around.run("topology", lab=LAB, state="absent")
    around.run("topology", lab="other", state="absent")
    assert all_sysctls(around) == before
    assert around.sh("find /run/linuxnet.lab 2>/dev/null || true") == ""


def test_all_sysctls_are_as_before_a_refused_run(around: World) -> None:
    around.sh("for s in {0}; do echo ${{s#*=}} > /proc/sys/net/ipv4/${{s%=*}}; done".format(ODD))
    before = all_sysctls(around)
    settings = {
        "net.ipv4.ip_forward": 1,
        "net.ipv6.conf.all.forwarding": 1,
        "net.ipv4.ping_group_range": "10 nonsense",
    }
    around.refused("sysctl", lab=LAB, settings=settings)
    assert all_sysctls(around) == before


def test_what_somebody_changed_since_stays_though_the_kernel_would_set_it(around: World) -> None:
    around.run("sysctl", lab=LAB, settings={"net.ipv4.ip_forward": 1})
    around.sh("echo 0 > /proc/sys/net/ipv4/conf/lan0/forwarding; echo 1 > /proc/sys/net/ipv4/conf/all/accept_redirects")
    around.sh("echo 3 > /proc/sys/net/ipv4/conf/up0/forwarding")
    around.run("sysctl", lab=LAB, settings={"net.ipv4.ip_forward": None}, state="absent")
    assert around.sh("cat /proc/sys/net/ipv4/conf/{lan0,up0}/forwarding").split() == ["0", "3"]


def test_sysctls_of_a_link_win_over_those_of_all(around: World) -> None:
    settings = {"net.ipv4.conf.e0.forwarding": 0}
    topology = {
        "name": LAB,
        "namespaces": {"r": {"forwarding": True, "sysctls": settings}, "c1": None},
        "links": [{"ends": ["r:e0", "c1:e0"], "prefix": "10.0.0.0/24"}],
    }
    around.run("topology", topology=topology)
    assert around.sh("cat /proc/sys/net/ipv4/{ip_forward,conf/e0/forwarding}", "r").split() == ["1", "0"]
    assert around.run("topology", topology=topology)["changed"] is False


@pytest.mark.parametrize("name", ["kernel.core_pattern", "kernel/core_pattern", "fs.suid_dumpable"])
def test_a_topology_sets_nothing_of_the_whole_machine(world: World, name: str) -> None:
    there = world.sh("cat /proc/sys/" + name.replace(".", "/")).strip()  # if a run did set it, nothing would change
    topology = {"name": LAB, "namespaces": {"host": {"sysctls": {name: there}}}}
    shown = name.replace("/", ".")
    assert world.refused("topology", topology=topology) == [
        "namespaces.host.sysctls.{0}: {1!r} belongs to the whole machine; a topology sets only net.*".format(
            name, shown
        )
    ]


@pytest.mark.parametrize("which", ["all", "up0"])
def test_addresses_of_the_host_are_not_deleted(around: World, which: str) -> None:
    name = "net.ipv6.conf.{0}.disable_ipv6".format(which)
    gone = ["2001:db8:113::1/64 of up0", "2001:db8:2::1/64 of lan0"][: 2 if which == "all" else 1]
    assert around.refused("sysctl", lab=LAB, settings={name: 1}) == [
        "settings: {0}=1 deletes addresses for good ({1}); it will not be set unless force is true".format(
            name, ", ".join(gone)
        )
    ]
    around.run("sysctl", lab=LAB, settings={name: 1}, force=True)
    assert around.addresses("up0", family="inet6") == []


def test_forwarding_that_somebody_relies_on_is_not_turned_off(around: World) -> None:
    text = "settings: {0} is 1 on the host, and {1} relies on it; it will not be set to 0 unless force is true"
    engine, forward, of_link = "whoever set it, such as a container engine,", *(
        "net.ipv4." + one for one in ("ip_forward", "conf.lan0.forwarding")
    )
    around.sh("sysctl -qw net.ipv4.ip_forward=1")
    for name in (forward, of_link):
        assert around.refused("sysctl", lab=LAB, settings={name: 0}) == [text.format(name, engine)]
    around.sh("sysctl -qw net.ipv4.ip_forward=0")
    around.run("sysctl", lab="other", settings={forward: 1})
    for name in (forward, of_link):
        assert around.refused("sysctl", lab=LAB, settings={name: 0}) == [text.format(name, "another lab")]
    around.run("sysctl", lab="other", settings={of_link: 0})
    around.run("sysctl", lab="other", settings={forward: 0})
    around.run("topology", lab="other", state="absent")
    assert around.sh("cat /proc/sys/net/ipv4/ip_forward") == "0\n"


# Router advertisements

PREFIX = "2001:db8:99::"
# type, code, checksum, hop limit, flags, lifetime, reachable, retrans; prefix option on-link and autonomous.
ADVERTISEMENT = struct.pack("!BBHBBHII", 134, 0, 0, 64, 0, 1800, 0, 0) + struct.pack(
    "!BBBBIII16s", 3, 4, 64, 0xC0, 3600, 3600, 0, socket.inet_pton(socket.AF_INET6, PREFIX)
)


def advertise(world: World) -> None:
    """Send a router advertisement as `outside` would, and wait until the kernel has processed it."""
    with namespaces.inside_ref("outside"):
        sender = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
        index = socket.if_nametoindex("eth0")
    with sender:
        sender.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
        sender.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
        sender.sendto(ADVERTISEMENT, ("ff02::1", 0, 0, index))
    world.sh("sleep 0.2")


def learnt(world: World) -> tuple[int, bool]:
    """How many default routes the host has learnt, and whether it has learnt an address."""
    routes = json.loads(world.sh("ip -6 -j route show default proto ra") or "[]")
    return len(routes), any(one.startswith(PREFIX[:-1]) for one in world.addresses("up0", family="inet6"))


@pytest.fixture
def advertised(around: World) -> World:
    """The host has learnt its default route and an address from the advertisements of `outside`."""
    around.sh("echo 0 > /proc/sys/net/ipv6/conf/eth0/accept_dad; ip -6 route del default", "outside")
    around.sh("while ip -6 addr show dev up0 tentative | grep -q inet6; do sleep 0.05; done")
    around.sh("while ip -6 addr show dev eth0 tentative | grep -q inet6; do sleep 0.05; done", "outside")
    advertise(around)
    assert learnt(around) == (1, True)
    return around


@pytest.mark.parametrize("module", ["sysctl", "topology"])
def test_the_host_keeps_what_it_has_learnt_and_goes_on_learning(advertised: World, module: str) -> None:
    before = all_sysctls(advertised)
    if module == "sysctl":
        done = advertised.run("sysctl", lab=LAB, settings={"net.ipv6.conf.all.forwarding": 1})
        again = advertised.run("sysctl", lab=LAB, settings={"net.ipv6.conf.all.forwarding": 1})
    else:
        done = build(advertised)
        again = advertised.run("topology", topology=TOPOLOGY)
    assert again["changed"] is False
    words = "\n".join(done["commands"])
    assert words.index("net.ipv6.conf.up0.accept_ra=2") < words.index("net.ipv6.conf.all.forwarding=1")
    assert "lan0.accept_ra" not in words
    assert learnt(advertised) == (1, True)
    advertised.sh("ip -6 route del default proto ra")
    advertise(advertised)
    assert learnt(advertised) == (1, True), "it takes no more notice"
    if module == "sysctl":
        advertised.run("sysctl", lab=LAB, settings={"net.ipv6.conf.all.forwarding": None}, state="absent")
    else:
        advertised.run("topology", lab=LAB, state="absent")
    assert all_sysctls(advertised) == before
    assert learnt(advertised) == (1, True)
