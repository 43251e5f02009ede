# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Matrices of the module connectivity on two L2 segments of one IP subnet. ping(8) is the oracle."""

from __future__ import annotations

import subprocess
import typing as t

import pytest

from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import namespaces
from ansible_collections.linuxnet.lab.plugins.module_utils.modules import connectivity
from ansible_collections.linuxnet.lab.plugins.module_utils.probe import run

SENDERS = ["netns11", "netns12", "netnsR", "netns21", "netns22"]
TARGETS = ["192.168.5." + number for number in ("1", "11", "100", "200", "2", "22")]
ADDRESSES = {"netns11": "1", "netns12": "11", "netns21": "2", "netns22": "22"}

AUTOMATIC = {
    "netns11": "yes yes yes yes no  no",
    "netns12": "yes yes yes yes no  no",
    "netnsR": "yes yes yes yes no  no",
    "netns21": "no  no  no  no  yes yes",
    "netns22": "no  no  no  no  yes yes",
}
BY_HOST = {
    "netns11": "yes yes yes yes no  no",
    "netns12": "yes yes yes yes no  no",
    "netnsR": "yes yes yes yes yes yes",
    "netns21": "no  no  yes yes yes yes",
    "netns22": "no  no  yes yes yes yes",
}
HOST_ROUTES = """
    ip route del 192.168.5.0/24 dev veth1R; ip route del 192.168.5.0/24 dev veth2R
    for host in 1 11; do ip route add 192.168.5.$host/32 via 192.168.5.100 dev veth1R; done
    for host in 2 22; do ip route add 192.168.5.$host/32 via 192.168.5.200 dev veth2R; done
"""


@pytest.fixture
def subnet(world: t.Any) -> t.Any:
    """Bridges in netnsB1 and netnsB2, two hosts on each, and netnsR on both. All addresses are in 192.168.5.0/24."""
    world.sh("for n in B1 11 12 B2 21 22 R; do ip netns add netns$n; ip -n netns$n link set lo up; done")
    for side in "12":
        world.sh(f"ip -n netnsB{side} link add br{side} type bridge mcast_snooping 0")
        ends = {f"netns{side}1": f"veth{side}1", f"netns{side}2": f"veth{side}2", "netnsR": f"veth{side}R"}
        for netns, end in ends.items():
            world.sh(f"ip -n {netns} link add {end} type veth peer name {end}B netns netnsB{side}")
            world.sh(f"ip -n netnsB{side} link set {end}B master br{side} up; ip -n {netns} link set {end} up")
            if netns in ADDRESSES:
                world.sh(f"ip -n {netns} addr add 192.168.5.{ADDRESSES[netns]}/24 broadcast 192.168.5.255 dev {end}")
        world.sh(f"ip -n netnsB{side} link set br{side} up")
    world.sh("for n in 1 2; do ip addr add 192.168.5.${n}00/24 broadcast 192.168.5.255 dev veth${n}R; done", "netnsR")
    return world


def pinged(senders: list[str], targets: list[str]) -> dict[str, list[str]]:
    """The matrix according to ping, for all pairs at the same time."""
    started = {}
    for netns in senders:
        with namespaces.inside_ref(netns):
            for address in targets:
                command = ["ping", "-n", "-q", "-c", "2", "-i", "0.5", "-W", "1", address]
                started[netns, address] = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    return {netns: [("no", "yes")[not started[netns, one].wait(60)] for one in targets] for netns in senders}


@pytest.mark.parametrize(("routes", "table"), [("", AUTOMATIC), (HOST_ROUTES, BY_HOST)], ids=["automatic", "host"])
def test_same_subnet(subnet: t.Any, routes: str, table: dict[str, str]) -> None:
    """Every pair has the result of ping, with automatic routes and with one route for each host."""
    subnet.sh(routes, "netnsR")
    matrix = {"from": SENDERS, "to": TARGETS, "rows": table}
    done = subnet.run("connectivity", matrix=matrix, timeout=1)
    assert done["msg"] == "30 checks, all as expected"
    cells = {netns: row.split() for netns, row in table.items()}
    got = [result["got"] for result in done["results"]]
    assert got == [{"yes": "reachable", "no": "unreachable"}[cell] for netns in SENDERS for cell in cells[netns]]
    assert [line.split() for line in done["matrix"][1:]] == [[netns, *cells[netns]] for netns in SENDERS]
    assert pinged(SENDERS, TARGETS) == cells


def test_same_subnet_and_why_not(subnet: t.Any) -> None:
    """Nobody on the sender's own segment answers, or the router hears the request and answers to the other segment."""
    first, second = "yes yes yes yes {0} {0}", "{0} {0} no_reply no_reply yes yes"
    rows = {netns: (second if "2" in netns[5] else first).format("host_unreachable") for netns in SENDERS}
    matrix = {"from": SENDERS, "to": TARGETS, "rows": rows}
    # When netnsR finds that an address does not exist, it sends errors for at most 50 waiting packets of all senders.
    done = subnet.run("connectivity", matrix=matrix, timeout=6, interval=1)
    assert done["matrix"] == [
        "FROM     192.168.5.1       192.168.5.11      192.168.5.100  192.168.5.200  192.168.5.2       192.168.5.22",
        "netns11  yes               yes               yes            yes            host_unreachable  host_unreachable",
        "netns12  yes               yes               yes            yes            host_unreachable  host_unreachable",
        "netnsR   yes               yes               yes            yes            host_unreachable  host_unreachable",
        "netns21  host_unreachable  host_unreachable  no_reply       no_reply       yes               yes",
        "netns22  host_unreachable  host_unreachable  no_reply       no_reply       yes               yes",
    ]


def test_a_wrong_matrix_is_shown_whole_and_its_wrong_checks_in_full(subnet: t.Any) -> None:
    """One cell fails, one fails for another reason than expected, and one is unexpectedly reachable."""
    subnet.sh("ip route add unreachable 192.168.5.2/32", "netns11")
    rows = {"netns11": "yes no_reply", "netns12": "no", "netns21": ["yes", False]}
    matrix = {"from": ["netns11", "netns12", "netns21"], "to": ["192.168.5.1", "192.168.5.2"], "rows": rows}
    done = subnet.module("connectivity", matrix=matrix, timeout=1)
    assert done["failed"]
    assert done["matrix"] == [
        "FROM     192.168.5.1  192.168.5.2",
        "netns11  yes          !! unreachable_route",
        "netns12  !! yes       no",
        "netns21  !! no_reply  !! yes",
    ]
    lines = done["msg"].splitlines()
    assert lines[0] == "4 of 6 checks are not as expected"
    assert lines[1:5] == done["matrix"]
    assert [line.split()[:7] for line in lines[6:]] == [
        ["FROM", "TO", "EXPECTED", "GOT", "REASON", "RTT"],
        ["!!", "netns11", "192.168.5.2", "no_reply", "unreachable", "unreachable_route", "(EHOSTUNREACH)"],
        ["!!", "netns12", "192.168.5.1", "unreachable", "reachable", "reply", lines[8].split()[6]],
        ["!!", "netns21", "192.168.5.1", "reachable", "unreachable", "no_reply", "-"],
        ["!!", "netns21", "192.168.5.2", "unreachable", "reachable", "reply", lines[10].split()[6]],
    ]
    assert len(done["table"]) == 7


def test_of_many_checks_the_first_failed_ones_are_returned(world: t.Any) -> None:
    """Ansible prints the whole result of a failed task, so it is short unless the task asks for all of it."""
    matrix = {"from": [""], "to": [f"127.0.0.{number}" for number in range(1, 61)]}
    wrong = {**matrix, "rows": {"": {"127.0.0.1": "yes", "127.0.0.2": "yes"}}}
    few = world.module("connectivity", matrix=wrong, expect="no_route", timeout=0.3)
    assert few["failed"] and few["msg"].startswith("58 of 60 checks") and "matrix" not in few
    assert len(few["results"]) == 47 and not any(one["ok"] for one in few["results"])
    assert few["msg"].splitlines()[1:-1] == few["table"]
    everything = world.module("connectivity", matrix=wrong, expect="no_route", timeout=0.3, all_results=True)
    assert everything["msg"].splitlines()[0] == few["msg"].splitlines()[0]
    assert len(everything["results"]) == 60 and len(everything["table"]) == 61 and len(everything["matrix"]) == 2
    assert len(world.run("connectivity", matrix=matrix)["results"]) == 60


@pytest.mark.parametrize(
    ("route", "expect"),
    [
        ("", "no_route"),
        ("ip route add blackhole default", "blackhole"),
        ("ip route add prohibit default", "not_permitted"),
        ("ip route add unreachable default", "unreachable_route"),
    ],
)
def test_a_check_that_fails_in_another_way_than_expected_is_wrong(world: t.Any, route: str, expect: str) -> None:
    """The expected reason decides at once. With any other one, the check continues until the end."""
    world.sh(route)
    asked = {"to": "198.51.100.8", "expect": expect}
    (result,) = world.run("connectivity", checks=[asked], timeout=3600)["results"]
    assert (result["got"], result["reason"], result["ok"]) == ("unreachable", expect, True)
    for other in {"no_route", "blackhole", "not_permitted", "no_reply", "prohibited", "reachable"} - {expect}:
        done = world.module("connectivity", to="198.51.100.8", expect=other, timeout=0.3)
        assert done["failed"]
        assert [done["results"][0][name] for name in ("got", "reason", "ok")] == ["unreachable", expect, False]
        assert done["table"][1].split()[3:6] == [other, "unreachable", expect]


def test_an_expected_failure_is_waited_for(world: t.Any) -> None:
    """A refusal of another kind may come from a network that is not yet up."""
    with subprocess.Popen(["/bin/sh", "-c", "sleep 0.5; ip route add prohibit 198.51.100.0/24"]) as late:
        (result,) = world.run("connectivity", to="198.51.100.8", expect="not_permitted", timeout=20)["results"]
    assert late.returncode == 0
    assert result["errno"] == "EACCES"


# All pairs


@pytest.fixture
def demo(world: t.Any) -> t.Any:
    """The lab demo has br0 on the host, c1 and c2 on it, and everything in c2. c3 there and eth9 do not belong to it.
    """
    world.run("netns", lab="demo", name=["c1", "c2"])
    world.run("bridge", lab="demo", name="br0", addresses=["10.0.0.1/24"])
    both = {"1": ["10.0.0.2/24", "fd00::1/64"], "2": ["10.0.0.3/24", "fd00::2/64"]}
    pairs = [
        {"name": f"v{n}", "peer": {"name": "eth0", "netns": f"c{n}", "addresses": mine}} for n, mine in both.items()
    ]
    world.run("veth", lab="demo", master="br0", pairs=pairs)
    world.sh(
        "ip netns add c3; ip link add v3 master br0 up type veth peer name eth0 netns c3; ip -n c3 link set eth0 up;"
        "ip -n c3 addr add 10.0.0.4/24 dev eth0; ip link add eth9 type bridge; ip addr add 10.9.0.1/24 dev eth9;"
        "ip -n c2 link add own type bridge; ip -n c2 addr add 10.0.0.9/32 dev own"
    )
    return world


def test_a_contract_of_any_size_runs_in_parts(world: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    parts: list[int] = []
    whole = run._run
    monkeypatch.setattr(run, "_run", lambda checks, problems: (parts.append(len(checks)), whole(checks, problems))[1])
    for module in (run, connectivity):
        monkeypatch.setattr(module, "MOST", 5)
    lab = {
        "name": "parts",
        "namespaces": "n[1:4]",
        "segments": {"lan": {"prefix": "10.0.0.0/24", "members": "n[1:4]"}},
        "checks": {"from": "all", "to": "all"},
    }
    world.run("topology", topology=lab)
    answer = world.run("connectivity", topology=lab)
    assert parts == [5, 5, 2] and "12" in answer["msg"], answer["msg"]
    assert answer["results"] == [], "those of a large contract are not of interest if all are right"
    assert len(world.run("connectivity", topology=lab, all_results=True)["results"]) == 12
    world.sh("ip link set lan down", "n4")
    answer = world.module("connectivity", topology=lab)
    assert answer["failed"] and len(answer["results"]) == 6
    assert {one["from"] for one in answer["results"] if one["to"] != "10.0.0.5"} == {"n4"}


def test_all_pairs_of_a_lab(demo: t.Any) -> None:
    """The pairs are those of objects with the lab's mark, with the kernel's addresses. The host has no IPv6 address of
    the lab.
    """
    results = demo.run("connectivity", matrix={"lab": "demo"}, timeout=20)["results"]
    assert {(result["from"], result["to"]) for result in results} == {
        ("", "10.0.0.2"), ("", "10.0.0.3"), ("", "10.0.0.9"),
        ("c1", "10.0.0.1"), ("c1", "10.0.0.3"), ("c1", "10.0.0.9"), ("c1", "fd00::2"),
        ("c2", "10.0.0.1"), ("c2", "10.0.0.2"), ("c2", "fd00::1"),
    }  # fmt: skip
    assert all(demo.ping(result["from"], result["to"]) for result in results)


def test_a_lab_without_addresses_is_no_success(demo: t.Any) -> None:
    """A typing error in the lab's name must not look like a network that works."""
    assert demo.module("connectivity", matrix={"lab": "demos"})["errors"] == ["matrix: there is nothing to check"]


def test_all_pairs_of_some_addresses(demo: t.Any) -> None:
    """The option sets the expectation for all pairs, the rows for some."""
    chain = "type filter hook input priority 0\nip saddr 10.0.0.2 drop"
    demo.sh(f"nft -f - <<'END'\ntable inet t {{\nchain c {{\n{chain}\n}}\n}}\nEND", "c3")
    members = [{"netns": "c1", "address": "10.0.0.2"}, {"netns": "c2", "address": "10.0.0.3"}]
    members.append({"netns": "c3", "address": "10.0.0.4"})
    rows = {"c1": {"10.0.0.4": "no_reply"}, "c3": {"10.0.0.2": None}}
    done = demo.run("connectivity", matrix={"members": members, "rows": rows}, timeout=1)
    assert done["matrix"] == [
        "FROM  10.0.0.3  10.0.0.4  10.0.0.2",
        "c1    yes       no_reply  -",
        "c2    -         yes       yes",
        "c3    yes       -         -",
    ]
    assert demo.module("connectivity", matrix={"members": members}, expect="unreachable", timeout=1)["matrix"] == [
        "FROM  10.0.0.3  10.0.0.4  10.0.0.2",
        "c1    !! yes    no        -",
        "c2    -         !! yes    !! yes",
        "c3    !! yes    -         no",
    ]


def test_wrong_options_of_a_matrix_come_all_at_once(world: t.Any) -> None:
    """The module reports each error once, before it sends anything."""
    matrix = {"from": ["", "c9"], "to": ["127.0.0.1", "ten"], "rows": {"c9": [True], "c8": True, "": "perhaps"}}
    done = world.module("connectivity", matrix=matrix)
    assert done["errors"] == [
        "matrix.rows['c9']: 1 cells do not match 2 targets, and not all cells are targets",
        "matrix.rows['c8']: the matrix has no check from this namespace",
        "matrix.rows['']: 'perhaps' is not yes, no or a reason",
        "matrix.to: 'ten' is not an IP address",
        "matrix.from: there is no network namespace 'c9'",
    ]
    for wrong in ({"from": [""]}, {"to": ["10.0.0.1"]}, {"lab": "x", "members": []}, {}):
        assert world.module("connectivity", matrix=wrong)["failed"]
    assert "mutually exclusive" in world.module("connectivity", matrix={"lab": "x"}, to="10.0.0.1")["msg"]
