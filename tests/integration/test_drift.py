# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every change in what a lab owns is drift, except changes by the kernel or by a routing daemon."""

from __future__ import annotations

import contextlib

import pytest

from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import attributes, namespaces, nftables
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.netlink import NLM_F_CREATE, Packed

LINE = {
    "name": "line",
    "namespaces": {"r1": {"forwarding": True, "lo": "10.255.0.1/32"}, "a": None, "b": None},
    "links": [
        {"ends": [{"netns": "a", "name": "a1"}, {"netns": "r1", "name": "ra"}], "prefix": ["10.1.0.0/24", "fd01::/64"]},
        {"ends": [{"netns": "b", "name": "b1"}, {"netns": "r1", "name": "rb"}], "prefix": ["10.2.0.0/24", "fd02::/64"]},
    ],
    "routes": [
        {"netns": "a", "dst": "10.2.0.0/24", "via": "r1"},
        {"netns": "b", "dst": "10.1.0.0/24", "via": "r1"},
        {"netns": "a", "dst": "fd02::/64", "via": "fd01::2"},
        {"netns": "b", "dst": "fd01::/64", "via": "fd02::2"},
    ],
}


def only(world):
    """The only lab in the result."""
    (found,) = world.run("lab_info")["labs"]
    return found


@pytest.fixture
def line(world):
    """The world in which the lab is built."""
    world.run("topology", topology=LINE)
    return world


def cured(world, built):
    """lab_info reports the drift with its cure. A run of the topology does the same as the cure, and restores the lab.

    :returns: the commands of the cure.
    """
    found = only(world)
    assert found["drifted"] is True and not found["errors"], found
    assert world.run("topology", check=True, topology=LINE)["commands"] == found["commands"]
    assert world.run("topology", topology=LINE)["commands"] == found["commands"]
    assert world.comparable() == built
    assert only(world)["drifted"] is False
    return found["commands"]


# Each case: what somebody types in a namespace, and the command of the cure.
ROUTES = [
    # Before the lab's route, with the same destination and metric.
    ("a", "ip route prepend 10.2.0.0/24 via 10.1.0.9 dev a1",
     "ip -n a route del 10.2.0.0/24 via 10.1.0.9 dev a1"),
    ("a", "ip route append 10.2.0.0/24 via 10.1.0.9 dev a1",
     "ip -n a route del 10.2.0.0/24 via 10.1.0.9 dev a1"),
    ("a", "ip route prepend blackhole 10.2.0.0/24", "ip -n a route del blackhole 10.2.0.0/24"),
    ("a", "ip route add 10.2.0.0/24 via 10.1.0.9 tos 0x10",
     "ip -n a route del 10.2.0.0/24 via 10.1.0.9 dev a1 tos 0x10"),
    # More specific than the lab's route, or in a table with a higher priority.
    ("a", "ip route add 10.2.0.1 via 10.1.0.9", "ip -n a route del 10.2.0.1 via 10.1.0.9 dev a1"),
    ("a", "ip route add 10.2.0.0/24 via 10.1.0.9 table 100",
     "ip -n a route del 10.2.0.0/24 via 10.1.0.9 dev a1 table 100"),
    ("a", "ip route add local 10.2.0.0/24 dev lo table local",
     "ip -n a route del local 10.2.0.0/24 dev lo table local"),
    ("a", "ip -6 route add local fd02::/64 dev lo table local",
     "ip -n a -6 route del local fd02::/64 dev lo table local"),
    # The lab's own route, with other attributes.
    ("a", "ip nexthop add id 5 via 10.1.0.2 dev a1; ip route replace 10.2.0.0/24 nhid 5 proto 76",
     "ip -n a route del 10.2.0.0/24 nhid 5"),
    ("a", "ip route replace 10.2.0.0/24 via 10.1.0.2 tos 0x8 proto 76; "
          "ip route del 10.2.0.0/24 via 10.1.0.2 tos 0",
     "ip -n a route add 10.2.0.0/24 via 10.1.0.2"),
    ("a", "ip route replace 10.2.0.0/24 via 10.1.0.2 proto 76 realm 7",
     "ip -n a route add 10.2.0.0/24 via 10.1.0.2"),
    ("a", "ip -6 route replace fd02::/64 via fd01::2 proto 76 expires 600",
     "ip -n a -6 route add fd02::/64 via fd01::2"),
    ("a", "ip -6 route append fd02::/64 via fd01::9 proto 76",
     "ip -n a -6 route replace fd02::/64 via fd01::2"),
    ("a", "ip -6 route replace fd02::/64 via fd01::2 proto 76 pref low",
     "ip -n a -6 route add fd02::/64 via fd01::2"),
]  # fmt: skip


def test_a_route_in_front_of_the_labs_or_otherwise_than_it_was_made(line):
    built = line.comparable()
    for where, drift, cure in ROUTES:
        line.sh(drift, where)
        assert cure in cured(line, built)
    assert line.ping("a", "10.2.0.1") and line.ping("a", "fd02::1")


IN_A = [
    "ip nexthop add id 5 via 10.1.0.2 dev a1; ip route replace 10.2.0.0/24 nhid 5 proto 76",
    "ip route prepend 10.2.0.0/24 nexthop via 10.1.0.9 nexthop via 10.1.0.8 weight 3",
    "for n in 7 8; do ip route prepend 10.2.0.0/24 via 10.1.0.$n; ip route append 10.2.0.0/24 via 10.1.0.2$n; done",
    "ip route add 10.2.0.0/24 via 10.1.0.9 tos 0x10 mtu 600 realm 7",
    "ip -6 route replace fd02::/64 via fd01::2 proto 76 expires 600",
    "ip -6 route append fd02::/64 via fd01::9 proto 76 mtu 1300",
]


def test_what_was_taken_away_comes_back_as_it_was_where_the_run_fails(line):
    refused = {**LINE, "namespaces": {**LINE["namespaces"], "b": {"sysctls": {"net.ipv4.ip_default_ttl": 0}}}}
    for drift in IN_A:
        line.sh(drift, "a")
        before = line.state()
        assert "ip_default_ttl" in line.refused("topology", topology=refused)[0]
        assert line.state() == before
        line.run("topology", topology=LINE)


# The same, with several commands in the cure.
OF_THE_KERNEL = [
    ("a", "ip route del 10.1.0.0/24", ["ip -n a route append 10.1.0.0/24 dev a1 src 10.1.0.1 proto kernel"]),
    ("r1", "ip -6 route del fd01::/64", ["ip -n r1 -6 route append fd01::/64 dev ra metric 256 proto kernel"]),
    ("r1", "ip route replace 10.1.0.0/24 dev ra src 10.2.0.2",
     ["ip -n r1 route del 10.1.0.0/24 dev ra src 10.2.0.2",
      "ip -n r1 route append 10.1.0.0/24 dev ra src 10.1.0.2 proto kernel"]),
    ("a", "ip addr del 127.0.0.1/8 dev lo", ["ip -n a addr add 127.0.0.1/8 dev lo"]),
    ("a", "ip route flush dev a1 table all; ip -6 route flush dev a1 table all",
     ["ip -n a addr del 10.1.0.1/24 dev a1", "ip -n a addr add 10.1.0.1/24 dev a1",
      "ip -n a addr del fd01::1/64 dev a1", "ip -n a addr add fd01::1/64 dev a1 nodad"]),
    ("r1", "ip addr del 127.0.0.1/8 dev lo; ip link set lo down", ["ip -n r1 link set dev lo up"]),
]  # fmt: skip


def test_what_the_kernel_made_with_the_labs_links(line):
    built = line.comparable()
    for where, drift, cure in OF_THE_KERNEL:
        line.sh(drift, where)
        commands = cured(line, built)
        assert [command for command in cure if command not in commands] == []
    assert line.ping("a", "10.2.0.1") and line.ping("a", "fd02::1") and line.ping("a", "127.0.0.1")


def test_of_two_routes_to_one_network_each_comes_back_to_its_place(world):
    pairs = [["a:v1", "b:w1"], ["a:v2", "b:w2"], ["a:v3", "b:w3"]]
    links = [
        {"ends": [{"netns": "a", "name": f"v{n}", "addresses": [f"10.1.0.{n}/24"]}, {"netns": "b", "name": f"w{n}"}]}
        for n in range(1, len(pairs) + 1)
    ]
    topology = {"name": "same", "namespaces": ["a", "b"], "links": links}
    world.run("topology", topology=topology)
    built = world.comparable()
    for lost in ([1], [2], [3], [1, 2], [2, 3], [1, 3], [1, 2, 3]):
        for number in lost:
            world.sh(f"ip route del 10.1.0.0/24 dev v{number}", "a")
        found = only(world)
        assert len(found["commands"]) >= len(lost)
        world.run("topology", topology=topology)
        assert world.comparable() == built, lost


FORWARDING = [
    ("r1", "sysctl -qw net.ipv4.conf.ra.forwarding=0", "ip netns exec r1 sysctl -w net.ipv4.conf.ra.forwarding=1"),
    ("a", "sysctl -qw net.ipv4.conf.a1.forwarding=1", "ip netns exec a sysctl -w net.ipv4.conf.a1.forwarding=0"),
    ("", "sysctl -qw net.ipv4.conf.up0.forwarding=0", "sysctl -w net.ipv4.conf.up0.forwarding=1"),
]


def test_a_link_forwards_as_its_namespace_does(world):
    topology = {
        **LINE,
        "namespaces": {**LINE["namespaces"], "a": {"forwarding": False}, "host": {"forwarding": True}},
        "links": [*LINE["links"], {"ends": ["host:up0", "b:up1"], "prefix": "10.3.0.0/24"}],
    }
    world.run("topology", topology=topology)
    assert only(world)["drifted"] is False
    for where, drift, cure in FORWARDING:
        world.sh(drift, where)
        found = only(world)
        assert (found["drifted"], found["commands"]) == (True, [cure])
        assert world.run("topology", topology=topology)["commands"] == [cure]
        name, value = cure.rsplit(" ", 1)[1].split("=")
        assert world.sh("sysctl -n " + name, where).strip() == value
    assert world.ping("a", "10.2.0.1") and only(world)["drifted"] is False


def test_a_link_may_forward_otherwise_than_its_namespace_where_the_topology_says_so(world):
    sysctls = {"net.ipv4.conf.ra.forwarding": 0}
    router = {**LINE["namespaces"]["r1"], "sysctls": sysctls}
    topology = {**LINE, "namespaces": {**LINE["namespaces"], "r1": router}}
    world.run("topology", topology=topology)
    assert world.sh("sysctl -n net.ipv4.conf.ra.forwarding", "r1").strip() == "0"
    assert only(world)["drifted"] is False
    assert world.run("topology", topology=LINE)["commands"] == [
        "ip netns exec r1 sysctl -w net.ipv4.conf.ra.forwarding=1"
    ]


# Each case: what somebody adds to a namespace of the lab, the kind and text in lab_info, and the command that removes
# it.
FOREIGN = [
    ("a", "ip rule add from 10.1.0.1/32 fwmark 1/0xff iif lo pref 50 blackhole",
     "rule", "50: from 10.1.0.1/32 fwmark 0x1/0xff iif lo blackhole",
     "ip -n a rule del pref 50 from 10.1.0.1/32 fwmark 0x1/0xff iif lo blackhole"),
    ("a", "ip rule add not to 10.2.0.0/24 ipproto tcp dport 80 pref 60 lookup 100",
     "rule", "60: not from all to 10.2.0.0/24 ipproto tcp dport 80 lookup 100",
     "ip -n a rule del pref 60 not from all to 10.2.0.0/24 ipproto tcp dport 80 lookup 100"),
    ("a", "ip rule add tos 0x10 oif a1 uidrange 1-5 suppress_prefixlength 0 pref 61 lookup main",
     "rule", "61: from all tos 0x10 oif a1 uidrange 1-5 suppress_prefixlength 0 lookup main",
     "ip -n a rule del pref 61 from all tos 0x10 oif a1 uidrange 1-5 suppress_prefixlength 0 lookup main"),
    ("a", "ip rule add pref 62 goto 32766", "rule", "62: from all goto 32766",
     "ip -n a rule del pref 62 from all goto 32766"),
    ("a", "ip -6 rule add from fd01::/64 pref 70 prohibit",
     "rule", "70: from fd01::/64 prohibit", "ip -n a -6 rule del pref 70 from fd01::/64 prohibit"),
    ("a", "ip rule del pref 32766", "rule", "missing 32766: from all lookup main",
     "ip -n a rule add pref 32766 from all lookup main protocol kernel"),
    ("a", "ip -6 rule del pref 0", "rule", "missing 0: from all lookup local",
     "ip -n a -6 rule add pref 0 from all lookup local protocol kernel"),
    ("r1", "nft 'add table inet my; add chain inet my f { type filter hook forward priority 0; policy drop; }'",
     "table", "inet my", "ip netns exec r1 nft delete table inet my"),
    ("r1", "nft add table bridge w", "table", "bridge w", "ip netns exec r1 nft delete table bridge w"),
    ("r1", "tc qdisc add dev ra root handle 7: tbf rate 8bit burst 10k latency 1ms",
     "qdisc", "tbf 7: dev ra root", "ip netns exec r1 tc qdisc del dev ra root"),
    ("r1", "tc qdisc add dev ra ingress", "qdisc", "ingress ffff: dev ra ingress",
     "ip netns exec r1 tc qdisc del dev ra ingress"),
    ("r1", "tc qdisc add dev ra clsact", "qdisc", "clsact ffff: dev ra clsact",
     "ip netns exec r1 tc qdisc del dev ra clsact"),
    ("", "tc qdisc add dev up0 root handle 8: pfifo", "qdisc", "pfifo 8: dev up0 root", "tc qdisc del dev up0 root"),
]  # fmt: skip


LEGACY = [
    ("r1", "iptables-legacy -P FORWARD DROP; iptables-legacy -N x; iptables-legacy -A FORWARD -s 10.1.0.0/24 -j x",
     "table", "iptables-legacy filter",
     "ip netns exec r1 sh -c 'iptables-legacy -t filter -F && iptables-legacy -t filter -X && "
     "iptables-legacy -t filter -P INPUT ACCEPT && iptables-legacy -t filter -P FORWARD ACCEPT && "
     "iptables-legacy -t filter -P OUTPUT ACCEPT'"),
    ("r1", "iptables-legacy -t raw -A PREROUTING -s 10.1.0.0/24 -j DROP",
     "table", "iptables-legacy raw",
     "ip netns exec r1 sh -c 'iptables-legacy -t raw -F && iptables-legacy -t raw -X && "
     "iptables-legacy -t raw -P PREROUTING ACCEPT && iptables-legacy -t raw -P OUTPUT ACCEPT'"),
]  # fmt: skip


def others(world, ref):
    """Policy rules, nftables tables and queueing disciplines of a namespace, as the tools list them."""
    listed = "ip rule; ip -6 rule; nft list tables; tc qdisc show"
    for table in world.sh("cat /proc/net/ip_tables_names", ref).split():  # a table stays once it is loaded
        listed += "; iptables-legacy -t {0} -S | grep -v '^-P .* ACCEPT$' || true".format(table)
    return world.sh(listed, ref)


def test_what_somebody_added_is_told_and_removed_only_where_the_topology_says_so(world):
    topology = {**LINE, "links": [*LINE["links"], {"ends": ["host:up0", "b:up1"], "prefix": "10.3.0.0/24"}]}
    world.run("topology", topology=topology)
    foreign = list(FOREIGN)
    with world.another() as other:
        if other.sh("iptables-legacy -S || true"):  # not every kernel has iptables-legacy
            foreign = [*LEGACY, *foreign]
    places = sorted({one[0] for one in foreign})
    clean = [others(world, ref) for ref in places]
    assert only(world)["foreign"] == []
    for where, added, kind, text, command in foreign:
        world.sh(added, where)
        there = others(world, where)
        found = only(world)
        assert found["foreign"] == [{"netns": where, "kind": kind, "text": text, "command": command}]
        assert found["drifted"] is False and world.run("topology", topology=topology)["changed"] is False
        assert others(world, where) == there, "nothing is removed unless the topology says so"
        world.sh(command)
        assert [others(world, ref) for ref in places] == clean
    # A link can have either an ingress or a clsact discipline.
    together = [*foreign[:-2], foreign[-1]]
    for one in together:
        world.sh(one[1], one[0])
    done = world.quartet("topology", topology={**topology, "foreign": "remove"})
    assert sorted(done["commands"]) == sorted(one[-1] for one in together)
    assert [others(world, ref) for ref in places] == clean


def test_with_remove_what_somebody_adds_is_drift(world):
    topology = {**LINE, "foreign": "remove"}
    world.run("topology", topology=topology)
    world.sh("ip rule add from all blackhole pref 9", "r1")
    world.sh("ip rule add from all blackhole pref 9; tc qdisc add dev lo root pfifo; nft add table ip t")
    untouched = others(world, "")
    found = only(world)
    assert (found["drifted"], found["commands"]) == (True, ["ip -n r1 rule del pref 9 from all blackhole"])
    world.run("topology", topology=topology)
    assert world.ping("a", "10.2.0.1") and only(world)["drifted"] is False
    assert others(world, "") == untouched, "the host's own is nobody's"


def test_what_a_routing_daemon_or_another_lab_added_stays(world):
    world.run("topology", topology={**LINE, "foreign": "remove"})
    world.sh("ip rule add from 10.9.0.0/16 lookup 9 pref 9 protocol zebra", "r1")
    world.sh("ip route add 10.9.0.0/24 via 10.1.0.1 proto bird; nft add table inet linuxnet.lab.other", "r1")
    there = others(world, "r1")
    found = only(world)
    assert found["drifted"] is False
    assert [one["text"] for one in found["foreign"]] == ["inet linuxnet.lab.other"]
    assert world.run("topology", topology={**LINE, "foreign": "remove"})["changed"] is False
    assert others(world, "r1") == there


def test_a_rule_comes_back_where_the_run_fails(line):
    line.sh("ip rule add not from 10.9.0.0/16 fwmark 1/0xff ipproto tcp sport 1-9 lookup 77 pref 50", "r1")
    with namespaces.inside_ref("r1"):
        owner = nftables.Socket()
    with contextlib.closing(owner):  # of a table that only its owner can delete
        words = attributes.text(1, "t") + attributes.pack(2, (2).to_bytes(4, "big"))  # NFTA_TABLE_NAME, _FLAGS
        owner.transact([Packed(10 << 8, NLM_F_CREATE, bytes((1, 0, 0, 0)) + words)])
        before = others(line, "r1")
        errors = line.module("topology", topology={**LINE, "foreign": "remove"})["errors"]
        assert "`ip netns exec r1 nft delete table inet t` failed: " in errors[0] and "undone" in errors[1]
        assert others(line, "r1") == before
