# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module connectivity. ping(8) and the kernel's counters are the oracles.

If a test has a timeout of an hour (`timeout=3600`), the check must end long before that. Otherwise the time limit ends
the run.
"""

from __future__ import annotations

import errno
import os
import re
import socket
import subprocess
import time
import typing as t

import pytest

from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import namespaces, neighbor_cache
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.held import hold
from ansible_collections.linuxnet.lab.plugins.module_utils.probe import icmp, packet, run

NOBODY = "10.0.0.250"
NOBODY6 = "fd00::250"


@pytest.fixture
def lan(world: t.Any) -> t.Any:
    """A bridge br0 on the host with 10.0.0.1 and fd00::1, and the namespaces a, b, c on it with .2 to .4 on eth0."""
    build(world, "abc")
    return world


def build(world: t.Any, names: str) -> None:
    """A bridge with the host at .1, and a namespace for each letter from .2 on."""
    world.sh(
        "ip link add br0 type bridge mcast_snooping 0; ip link set br0 up;"
        "ip addr add 10.0.0.1/24 dev br0; ip addr add fd00::1/64 dev br0 nodad"
    )
    for number, name in enumerate(names, 2):
        world.sh(
            f"ip netns add {name}; ip -n {name} link set lo up;"
            f"ip link add v-{name} master br0 type veth peer name eth0 netns {name};"
            f"ip -n {name} addr add 10.0.0.{number}/24 dev eth0;"
            f"ip -n {name} addr add fd00::{number}/64 dev eth0 nodad;"
            f"ip link set v-{name} up; ip -n {name} link set eth0 up"
        )


def nft(world: t.Any, netns: str, hook: str, *rules: str) -> None:
    """Add a chain with these rules in a namespace."""
    chain = "\n".join([f"type filter hook {hook} priority 0", *rules])
    world.sh(f"nft -f - <<'END'\ntable inet t {{\nchain c {{\n{chain}\n}}\n}}\nEND", netns)


def check(world: t.Any, *checks: tuple[str, ...], **options: t.Any) -> list[dict[str, t.Any]]:
    """Run checks, written as (from, to) or (from, to, expect), and require that all are as expected."""
    asked = [dict(zip(("from", "to", "expect"), item)) for item in checks]
    return world.run("connectivity", checks=asked, **options)["results"]


def requests_seen(world: t.Any, netns: str) -> int:
    """How many echo requests of both IP versions the namespace has received."""
    seen = world.sh("cat /proc/net/snmp /proc/net/snmp6", netns)
    names, values = (line.split() for line in seen.splitlines() if line.startswith("Icmp:"))
    ipv6 = re.search(r"^Icmp6InEchos\s+(\d+)", seen, re.MULTILINE)
    assert ipv6 is not None
    return int(values[names.index("InEchos")]) + int(ipv6.group(1))


# Reachable


def test_reachable_from_namespace_and_host_in_both_families(lan: t.Any) -> None:
    """The module reaches what ping reaches, with one request each, and without ping on the PATH."""
    pairs = [
        ("a", "10.0.0.3"),
        ("a", "fd00::3"),
        ("", "10.0.0.4"),
        ("", "fd00::4"),
        ("b", "10.0.0.1"),
        ("c", "fd00::4"),
        ("c", "127.0.0.1"),
    ]
    before = requests_seen(lan, "b")
    path, os.environ["PATH"] = os.environ["PATH"], "/nonexistent"
    try:
        results = check(lan, *pairs)
    finally:
        os.environ["PATH"] = path
    assert requests_seen(lan, "b") - before == 2
    for (netns, address), result in zip(pairs, results):
        assert result["rtt_ms"] > 0
        del result["rtt_ms"]
        assert result == {
            "from": netns,
            "to": address,
            "expect": "reachable",
            "got": "reachable",
            "reason": "reply",
            "errno": "",
            "by": address,
            "sent": 1,
            "received": 1,
            "ok": True,
        }
        assert lan.ping(netns, address)


def test_namespaces_by_path_by_pid_and_held_by_a_process(lan: t.Any) -> None:
    """The module accepts every kind of reference to a namespace."""
    pid = hold("d", "lab", "d").pid
    lan.sh("ip link set lo up", str(pid))
    results = check(lan, ("/run/netns/a", "10.0.0.3"), (str(pid), "127.0.0.1"), ("d", "::1"))
    assert [result["reason"] for result in results] == ["reply"] * 3


def test_the_single_form_is_one_check(lan: t.Any) -> None:
    """The options for a single check work without `checks`."""
    done = lan.run("connectivity", **{"from": "a", "to": "10.0.0.3", "lab": "any"})
    assert (done["changed"], done["msg"], len(done["results"])) == (False, "1 check, as expected", 1)
    assert re.fullmatch(r"  a     10.0.0.3  reachable  reachable  reply +[0-9.]+ ms", done["table"][1])


def test_round_trip_time_is_not_longer_for_a_late_look(lan: t.Any) -> None:
    """The round trip does not include the time that an answer waits while the module sends many other requests."""
    with namespaces.inside_ref("a"):
        line = icmp.Endpoint(socket.AF_INET)
    try:
        time.sleep(0.5)  # the kernel starts to stamp packets a moment after the first socket has enabled it
        start = time.monotonic()
        line.send("10.0.0.3", 0, packet.echo_request(socket.AF_INET, 1, 1, b""))
        time.sleep(0.5)
        (heard,) = line.receive()
    finally:
        line.close()
    assert 0 < heard.at - start < 0.4


def test_count_needs_that_many_answers(lan: t.Any) -> None:
    """A check may require more answers than the others."""
    before = requests_seen(lan, "b")
    checks = [{"from": "a", "to": "10.0.0.3", "count": 4}, {"from": "a", "to": "10.0.0.4"}]
    results = lan.run("connectivity", checks=checks, interval=0.01)["results"]
    assert [(result["sent"], result["received"]) for result in results] == [(4, 4), (1, 1)]
    assert requests_seen(lan, "b") - before == 4


def test_too_few_replies(lan: t.Any) -> None:
    """A check fails if fewer requests than `count` are answered."""
    nft(lan, "b", "input", "icmp type echo-request quota over 170 bytes drop")  # 84 bytes each
    done = lan.module("connectivity", **{"from": "a", "to": "10.0.0.3"}, count=3, interval=0.1, timeout=0.5)
    assert done["failed"]
    (result,) = done["results"]
    assert (result["got"], result["reason"], result["received"]) == ("reachable", "too_few_replies", 2)
    assert result["sent"] > 3


# Unreachable, and why


def test_no_route(lan: t.Any) -> None:
    """The sender's routing table has no route. The second error decides, long before the hour is over."""
    pairs = [("a", "198.51.100.8"), ("a", "2001:db8::8")]
    for result in check(lan, *((*pair, "unreachable") for pair in pairs), timeout=3600):
        assert (result["got"], result["reason"], result["errno"]) == (
            "unreachable",
            "no_route",
            "ENETUNREACH",
        )
        assert (result["sent"], result["received"], result["by"], result["rtt_ms"]) == (0, 0, "", None)
    assert not any(lan.ping(*pair) for pair in pairs)


def test_routes_that_refuse(lan: t.Any) -> None:
    """The sender has an unreachable, a prohibit and a blackhole route."""
    for kind, net in (("unreachable", 1), ("prohibit", 2), ("blackhole", 3)):
        lan.sh(f"ip route add {kind} 10.99.{net}.0/24; ip -6 route add {kind} fd99:{net}::/64", "a")
    targets = [f"10.99.{net}.1" for net in (1, 2, 3)] + [f"fd99:{net}::1" for net in (1, 2, 3)]
    results = check(lan, *(("a", to, "unreachable") for to in targets), timeout=3600)
    expected = [
        ("unreachable_route", "EHOSTUNREACH"),
        ("not_permitted", "EACCES"),
        ("blackhole", "EINVAL"),
    ] * 2
    assert [(result["reason"], result["errno"]) for result in results] == expected


def test_host_unreachable_when_nobody_has_the_address(lan: t.Any) -> None:
    """The sender's own kernel reports that after about three seconds, for ARP and for neighbour discovery."""
    pairs = [("a", NOBODY), ("a", NOBODY6)]
    results = check(lan, *((*pair, "unreachable") for pair in pairs), timeout=3600, interval=1)
    found = [(result["got"], result["reason"], result["by"], result["errno"]) for result in results]
    assert found == [("unreachable", "host_unreachable", by, "") for by in ("10.0.0.2", "fd00::2")]
    assert not any(lan.ping(*pair) for pair in pairs)


def test_no_reply_when_a_firewall_drops(lan: t.Any) -> None:
    """The requests arrive, but no answer comes."""
    nft(lan, "b", "input", "icmp type echo-request drop", "icmpv6 type echo-request drop")
    pairs = [("a", "10.0.0.3"), ("a", "fd00::3")]
    for result in check(lan, *((*pair, "unreachable") for pair in pairs), timeout=1):
        assert (result["got"], result["reason"], result["received"]) == ("unreachable", "no_reply", 0)
        assert result["sent"] > 1
    assert not any(lan.ping(*pair) for pair in pairs)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("admin-prohibited", "prohibited"),
        ("host-unreachable", "host_unreachable"),
        ("net-unreachable", "net_unreachable"),
    ],
)
def test_what_a_firewall_says_when_it_rejects(lan: t.Any, code: str, reason: str) -> None:
    """The reason is that of the ICMP error that quotes the request, with the address of its sender."""
    nft(lan, "b", "input", f"icmp type echo-request reject with icmp type {code}")
    (result,) = check(lan, ("a", "10.0.0.3", "unreachable"), timeout=3600)
    assert (result["reason"], result["by"], result["errno"]) == (reason, "10.0.0.3", "")
    assert result["sent"] == 2


def test_what_a_firewall_says_in_ipv6(lan: t.Any) -> None:
    """The same with the numbers of ICMPv6."""
    nft(lan, "b", "input", "icmpv6 type echo-request reject with icmpv6 type admin-prohibited")
    (result,) = check(lan, ("a", "fd00::3", "unreachable"), timeout=3600)
    assert (result["reason"], result["by"], result["sent"]) == ("prohibited", "fd00::3", 2)


def test_a_router_that_cannot_go_on(lan: t.Any) -> None:
    """A router has no route, or the TTL of the request has expired in a loop."""
    lan.sh("sysctl -qw net.ipv4.ip_forward=1; ip route add 10.98.0.0/24 via 10.0.0.4")
    lan.sh(
        "sysctl -qw net.ipv4.ip_forward=1; ip route add default via 10.0.0.1",
        "c",
    )
    lan.sh("ip route add default via 10.0.0.1", "a")
    results = check(lan, ("a", "198.51.100.8", "unreachable"), ("a", "10.98.0.1", "unreachable"), timeout=3600)
    assert [result["reason"] for result in results] == ["net_unreachable", "ttl_exceeded"]
    assert results[0]["by"] == "10.0.0.1"


def test_not_permitted_by_the_senders_own_firewall(lan: t.Any) -> None:
    """A drop in the sender's output is an error of the sender (EPERM), unlike a drop elsewhere."""
    nft(lan, "a", "output", "meta l4proto { icmp, icmpv6 } drop")
    results = check(lan, ("a", "10.0.0.3", "unreachable"), ("a", "fd00::3", "unreachable"), timeout=3600)
    assert [(result["reason"], result["errno"]) for result in results] == [("not_permitted", "EPERM")] * 2


# Checks that are not as expected


def test_wrong_ones_fail_with_a_table(lan: t.Any) -> None:
    """The table of a failed task has all checks, and marks those of either kind that are not as expected."""
    checks = [
        {"from": "a", "to": "10.0.0.3"},
        {"from": "a", "to": "10.0.0.4", "expect": "unreachable", "timeout": 3600},
        {"to": "198.51.100.8"},
    ]
    done = lan.module("connectivity", checks=checks, timeout=0.5)
    assert (done["failed"], done.get("changed", False)) == (True, False)
    assert [result["ok"] for result in done["results"]] == [True, False, False]
    assert done["msg"].splitlines()[1:] == done["table"]
    lines = [re.sub(r"\d+\.\d+ ms", "N ms", line) for line in done["msg"].splitlines()]
    assert lines == [
        "2 of 3 checks are not as expected",
        "    FROM  TO            EXPECTED     GOT          REASON                  RTT",
        "    a     10.0.0.3      reachable    reachable    reply                   N ms",
        "!!  a     10.0.0.4      unreachable  reachable    reply                   N ms",
        "!!  host  198.51.100.8  reachable    unreachable  no_route (ENETUNREACH)  -",
    ]


def test_an_answer_at_any_time_is_wrong_where_none_is_expected(lan: t.Any) -> None:
    """An answer to a later request counts as well."""
    nft(lan, "b", "input", "icmp type echo-request quota until 250 bytes drop")
    done = lan.module("connectivity", **{"from": "a", "to": "10.0.0.3"}, expect="unreachable", count=3, timeout=3600)
    (result,) = done["results"]
    assert (done["failed"], result["got"], result["received"]) == (True, "reachable", 1)
    assert result["sent"] > 1


# Many at once


def test_all_pairs_at_once(world: t.Any) -> None:
    """Targets answer only after 50 requests, more than one check alone sends in its time."""
    names = "abcdef"
    build(world, names)
    for name in names:
        nft(world, name, "input", "icmp type echo-request quota until 4200 bytes drop")  # drop 50 requests
    pairs = [(one, f"10.0.0.{number}") for one in names for number, two in enumerate(names, 2) if one != two]
    silent = [(name, NOBODY, "unreachable") for name in names]
    results = check(world, *pairs, *silent, interval=0.1, timeout=2.5)
    assert [(result["from"], result["to"]) for result in results] == [*pairs, *(item[:2] for item in silent)]
    assert [result["reason"] for result in results] == ["reply"] * 30 + ["no_reply"] * 6
    # So the five checks of each target must have sent their requests at the same time.
    assert all(1 < result["sent"] < 50 for result in results)


def test_an_error_about_one_target_is_not_taken_for_another(lan: t.Any) -> None:
    """The checks share a socket."""
    lan.sh("sysctl -qw net.ipv4.icmp_ratelimit=0", "b")
    nft(lan, "b", "input", "icmp type echo-request reject with icmp type host-unreachable")
    nft(lan, "c", "input", "icmp type echo-request drop")
    checks = []
    for _dummy in range(20):
        checks.append({"from": "a", "to": "10.0.0.3"})
        checks.append({"from": "a", "to": "10.0.0.4", "expect": "unreachable"})
    lan.ping("a", "10.0.0.3")
    lan.ping("a", "10.0.0.4")
    results = lan.module("connectivity", checks=checks, interval=0.02, timeout=0.5)["results"]
    assert {result["reason"] for result in results[::2]} == {"host_unreachable"}
    assert {(result["reason"], result["errno"]) for result in results[1::2]} == {("no_reply", "")}


def test_silent_targets_do_not_keep_others_from_being_asked(lan: t.Any) -> None:
    """Requests that wait for ARP occupy the socket's send buffer, which must be large enough."""
    lan.sh("ip route add 10.1.0.0/16 dev eth0", "a")
    silent = [("a", f"10.1.0.{number}", "unreachable") for number in range(100)]
    results = check(lan, *silent, interval=0.04, timeout=1.5)
    assert {(result["reason"], result["errno"]) for result in results} == {("no_reply", "")}
    (result,) = check(lan, ("a", "10.0.0.3"))
    assert result["sent"] == 1


def test_replies_of_a_whole_lab_are_not_lost_before_the_first_look(lan: t.Any) -> None:
    """One socket receives the replies of 2,450 pairs."""
    lan.ping("a", "10.0.0.3")
    with namespaces.inside_ref("a"):
        line = icmp.Endpoint(socket.AF_INET)
    try:
        for sequence in range(2450):
            line.send("10.0.0.3", 0, packet.echo_request(socket.AF_INET, 1, sequence, bytes(56)))
        time.sleep(0.2)
        assert [heard.echo.sequence for heard in line.receive()] == list(range(2450))
    finally:
        line.close()


# A network that is not yet up


@pytest.mark.parametrize("src", ["", "fd01::1"])
def test_an_address_under_duplicate_address_detection_is_waited_for(world: t.Any, src: str) -> None:
    """For a second, the sender has no usable address, and the target does not answer."""
    world.sh(
        "ip netns add a; ip link add v type veth peer name eth0 netns a;"
        "ip link set v up addrgenmode none; ip -n a link set eth0 up addrgenmode none;"
        "ip addr add fd01::1/64 dev v; ip -n a addr add fd01::2/64 dev eth0"
    )
    assert "tentative" in world.sh("ip -6 addr show dev v")
    assert "tentative" in world.sh("ip -6 addr show dev eth0", "a")
    (result,) = world.run("connectivity", to="fd01::2", src=src or None, timeout=20)["results"]
    assert (result["reason"], result["errno"]) == ("reply", "")


def test_a_route_that_comes_late_is_waited_for(lan: t.Any) -> None:
    """Errors of the sender's own kernel do not end a check that expects an answer."""
    lan.sh("ip addr add 10.7.0.1/32 dev lo", "b")
    with subprocess.Popen(["/bin/sh", "-c", "sleep 0.5; ip -n a route add 10.7.0.0/24 via 10.0.0.3"]) as late:
        (result,) = check(lan, ("a", "10.7.0.1"), timeout=20)
    assert late.returncode == 0
    assert (result["reason"], result["errno"]) == ("reply", "")


# Source and device


@pytest.mark.parametrize(
    ("to", "src", "rule"),
    [
        ("10.0.0.3", "10.0.0.22", "ip saddr != 10.0.0.22 icmp type echo-request drop"),
        ("fd00::3", "fd00::2", "ip6 saddr != fd00::2 icmpv6 type echo-request drop"),
    ],
)
def test_source_address(lan: t.Any, to: str, src: str, rule: str) -> None:
    """The target accepts only one of the sender's two addresses, and the kernel would choose the other one."""
    lan.sh("ip addr add 10.0.0.22/24 dev eth0; ip addr add fd00::22/64 dev eth0 nodad", "a")
    nft(lan, "b", "input", rule)
    checks = [{"from": "a", "to": to, "src": src}, {"from": "a", "to": to, "expect": "unreachable"}]
    results = lan.run("connectivity", checks=checks, timeout=1)["results"]
    assert [result["reason"] for result in results] == ["reply", "no_reply"]


@pytest.mark.parametrize("expect", ["reachable", "unreachable"])
def test_a_source_address_that_is_not_there_is_never_as_expected(lan: t.Any, expect: str) -> None:
    """A typing error in `src` must not look like a network that drops packets."""
    checks = [
        {"from": "a", "to": "10.0.0.3", "src": "10.0.0.99", "expect": expect},
        {"from": "a", "to": "fd00::3", "src": "fd00::99", "expect": expect},
    ]
    done = lan.module("connectivity", checks=checks, timeout=0.5)
    assert done["msg"].startswith("2 of 2 checks are not as expected")
    for result in done["results"]:
        assert result["got"] == "unreachable"
        assert (result["reason"], result["errno"]) == ("no_source_address", "EADDRNOTAVAIL")


def test_device(lan: t.Any) -> None:
    """No route leads to the link with the address. Only `dev` does."""
    lan.sh(
        "ip netns add d; ip -n a link add eth1 type veth peer name eth0 netns d;"
        "ip -n a link set eth1 up; ip -n d link set eth0 up;"
        f"ip -n d addr add {NOBODY}/24 dev eth0"
    )
    lan.sh("sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.eth1.rp_filter=0", "a")
    checks = [
        {"from": "a", "to": NOBODY, "dev": "eth1"},
        {"from": "a", "to": NOBODY, "dev": "eth0", "expect": "unreachable"},
        {"from": "a", "to": NOBODY, "expect": "unreachable"},
    ]
    results = lan.run("connectivity", checks=checks, timeout=1)["results"]
    assert [result["reason"] for result in results] == ["reply", "no_reply", "no_reply"]


def test_link_local_addresses_and_multicast_name_their_device(lan: t.Any) -> None:
    """A check names the device by a zone, or by `dev`."""
    lan.sh("ip addr add fe80::b/64 dev eth0 nodad", "b")
    lan.sh("ip addr add fe80::a/64 dev eth0 nodad", "a")
    checks = [
        {"from": "a", "to": "fe80::b%eth0", "src": "fe80::a"},
        {"from": "a", "to": "fe80::b", "dev": "eth0"},
        {"from": "a", "to": "ff02::1%eth0"},
        {"from": "a", "to": "fe80::b%lo", "expect": "unreachable"},
    ]
    results = lan.run("connectivity", checks=checks, timeout=1)["results"]
    assert [result["got"] for result in results] == ["reachable"] * 3 + ["unreachable"]


# Errors and side effects


def test_errors_come_all_at_once_and_before_anything_is_sent(lan: t.Any) -> None:
    """The module reports invalid addresses, and missing namespaces and devices, each with its place and value."""
    checks = [
        {"from": "a", "to": "10.0.0.3"},
        {"from": "c9", "to": "10.0.0.3"},
        {"from": "a", "to": "10.0.0"},
        {"from": "a", "to": "10.0.0.3", "src": "fd00::2"},
        {"from": "a", "to": "10.0.0.3", "dev": "eth9"},
        {"from": "", "to": "fe80::1%eth9"},
    ]
    before = requests_seen(lan, "b")
    done = lan.module("connectivity", checks=checks, timeout=-1)
    assert done["failed"]
    assert done["errors"] == done["msg"].splitlines()
    assert sorted(done["errors"]) == [
        "checks[1].from: there is no network namespace 'c9'",
        "checks[2].to: '10.0.0' is not an IP address",
        "checks[3].src: 'fd00::2' is not IPv4 as the target 10.0.0.3 is",
        "checks[4].dev: there is no interface 'eth9' in namespace 'a'",
        "checks[5].to: there is no interface 'eth9' in the host",
        "timeout: -1.0 is not a positive number",
    ]
    assert requests_seen(lan, "b") == before


def test_options_that_do_not_go_together(lan: t.Any) -> None:
    """Options need either one form or the other, and at least one check."""
    both = lan.module("connectivity", checks=[{"to": "10.0.0.3"}], to="10.0.0.3")
    assert "mutually exclusive" in both["msg"]
    assert "required: checks, matrix, to" in lan.module("connectivity", count=1)["msg"]
    assert lan.module("connectivity", checks=[])["errors"] == ["checks: there is nothing to check"]


def test_check_mode_sends_nothing(lan: t.Any) -> None:
    """In check mode, namespaces that do not exist are no error, but invalid options are."""
    before = requests_seen(lan, "b")
    checks = [{"from": "a", "to": "10.0.0.3"}, {"from": "not-yet", "to": "10.0.0.3"}]
    done = lan.run("connectivity", check=True, checks=checks)
    assert (done["changed"], done["skipped"], done["results"], done["table"]) == (False, True, [], [])
    assert requests_seen(lan, "b") == before
    wrong = lan.module("connectivity", check=True, to="10.0.0")
    assert wrong["errors"] == ["to: '10.0.0' is not an IP address"]


def test_no_descriptors_and_no_namespace_are_kept(lan: t.Any) -> None:
    """No descriptor stays open after success, after failure, and after errors that open only some of the sockets."""
    before = (len(os.listdir("/proc/self/fd")), os.stat("/proc/thread-self/ns/net").st_ino)
    check(lan, ("a", "10.0.0.3"), ("b", "fd00::2"), ("", "10.0.0.2"))
    assert lan.module("connectivity", to="198.51.100.8", timeout=0.1)["failed"]
    assert lan.module(
        "connectivity",
        checks=[
            {"from": "a", "to": "10.0.0.3"},
            {"from": "a", "to": "10.0.0.3", "dev": "eth9"},
            {"from": "c9", "to": "10.0.0.3"},
        ],
    )["failed"]
    assert (len(os.listdir("/proc/self/fd")), os.stat("/proc/thread-self/ns/net").st_ino) == before


def test_replies_to_other_processes_are_not_taken(lan: t.Any) -> None:
    """A ping to the same target gets answers, while the firewall drops those to the module."""
    nft(lan, "b", "input", "icmp type echo-request ip length 84 drop")
    with namespaces.inside_ref("a"):
        ping = subprocess.Popen(["ping", "-n", "-s", "10", "-i", "0.01", "10.0.0.3"], stdout=subprocess.PIPE, text=True)
    try:
        assert ping.stdout is not None
        while "bytes from" not in ping.stdout.readline():
            pass
        (result,) = check(lan, ("a", "10.0.0.3", "unreachable"), timeout=1)
    finally:
        ping.terminate()
        ping.communicate()
    assert (result["reason"], result["received"]) == ("no_reply", 0)
    assert result["sent"] > 1


# Room in the neighbour table


def test_forgetting_neighbours_leaves_what_others_set(lan: t.Any) -> None:
    """Of the named neighbours, only those that the kernel has learnt are flushed."""
    check(lan, *(("a", f"10.0.0.{number}") for number in (1, 3, 4)), ("a", "fd00::3"))
    lan.sh(f"ip neigh replace 10.0.0.4 lladdr 02:00:00:00:00:04 dev eth0; ip neigh add proxy {NOBODY} dev eth0", "a")
    with namespaces.inside_ref("a"):
        assert neighbor_cache.forget(socket.AF_INET, {"10.0.0.3", "10.0.0.4", NOBODY, "10.0.0.77"}) == 1
        assert neighbor_cache.forget(socket.AF_INET, {"10.0.0.3"}) == 0
    left = {entry["dst"]: entry["state"] for entry in lan.json("ip -j neigh show dev eth0", "a")}
    assert "10.0.0.3" not in left
    assert left["10.0.0.4"] == ["PERMANENT"]
    assert {"10.0.0.1", "fd00::3"} <= set(left)
    with namespaces.inside_ref("a"):
        assert neighbor_cache.forget(socket.AF_INET6, {"fd00::3"}) == 1
    assert "fd00::3" not in lan.sh("ip -6 neigh", "a")
    assert lan.json("ip -j neigh show proxy", "a")


def test_a_full_neighbour_table_gets_room(lan: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the kernel reports a full table, idle neighbours are flushed, and the refused request is sent again at once.

    The second request to 10.0.0.4 is the last one. By then, 10.0.0.3 has answered.
    """
    check(lan, ("a", "10.0.0.3"), ("b", "10.0.0.2"))
    real = icmp.Endpoint.send

    def full(self: icmp.Endpoint, address: str, port: int, data: bytes) -> None:
        if address == "10.0.0.4" and "10.0.0.3" in lan.sh("ip neigh", "a"):
            raise OSError(errno.ENOBUFS, "No buffer space available")
        real(self, address, port, data)

    monkeypatch.setattr(icmp.Endpoint, "send", full)
    results = check(lan, ("a", "10.0.0.3"), ("a", "10.0.0.4"), interval=1, timeout=1.5)
    assert [result["reason"] for result in results] == ["reply", "reply"]
    assert "10.0.0.2 " in lan.sh("ip neigh", "b")  # the neighbours of a namespace without a check stay


def test_what_cannot_tell_that_the_table_is_full_makes_room_in_time(
    lan: t.Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TCP gets no error if the table is full, so the module makes room before that."""
    monkeypatch.setattr(run, "_BLIND", 2)
    made = []
    monkeypatch.setattr(run, "make_room", made.append)
    checks = [{"from": "a", "to": "10.0.0.3", "protocol": "tcp", "port": port, "listen": "b"} for port in range(1, 201)]
    lan.run("connectivity", checks=checks)
    assert 200 / 64 <= len(made) <= 100
    made.clear()
    check(lan, *[("a", "10.0.0.3")] * 200)
    assert made == []
