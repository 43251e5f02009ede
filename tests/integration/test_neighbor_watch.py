# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module neighbor_watch. ip(8) and /proc are the oracles."""

from __future__ import annotations

import os
import pathlib
import socket
import struct
import threading
import time
import typing as t

import pytest

from ansible_collections.linuxnet.lab.plugins.module_utils.host import recorders
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import namespaces

RUN = pathlib.Path("/run/linuxnet.lab")
THIEF = "02:00:00:00:00:66"


@pytest.fixture
def lab(world: t.Any) -> t.Iterator[t.Any]:
    """arp_lab without IPv6, whose packets would disturb: ns1 10.22.33.1 and ns2 10.22.33.55, both eth0 of one pair."""
    world.sh(
        "for n in ns1 ns2; do ip netns add $n; ip netns exec $n sysctl -qw net.ipv6.conf.default.disable_ipv6=1; done;"
        "ip link add eth0 netns ns1 type veth peer name eth0 netns ns2;"
        "ip -n ns1 addr add 10.22.33.1/24 dev eth0; ip -n ns2 addr add 10.22.33.55/24 dev eth0;"
        "ip -n ns1 link set eth0 up; ip -n ns2 link set eth0 up"
    )
    yield world
    for recorder in recorders.recorders():
        recorders.end(recorder)


def mac(world: t.Any, netns: str) -> str:
    """The MAC address of a namespace's eth0, according to ip(8)."""
    return world.links(netns)["eth0"]["address"]


def claim(ip: str, lladdr: str) -> None:
    """Send a gratuitous ARP packet from ns2 that claims the address for a MAC address."""
    source, address = bytes.fromhex(lladdr.replace(":", "")), socket.inet_aton(ip)
    body = struct.pack("!HHBBH", 1, 0x0800, 6, 4, 2) + source + address + source + address
    with namespaces.inside_ref("ns2"), socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sender:
        sender.sendto(b"\xff" * 6 + source + b"\x08\x06" + body, ("eth0", 0))


def entry(world: t.Any, dst: str, netns: str = "ns1") -> dict[str, t.Any]:
    """An entry of the neighbour table, according to ip(8)."""
    return next(one for one in world.json("ip -j neigh", netns) if one["dst"] == dst)


def poison(world: t.Any, dst: str) -> dict[str, t.Any]:
    """Claim the address until ns1 has the false entry, and return that entry."""
    for dummy in range(500):
        found = entry(world, dst)
        if found.get("lladdr") == THIEF:
            return found
        time.sleep(0.01)
    raise AssertionError(found)


def steal_once_somebody_watches(dst: str) -> None:
    """Wait for a socket in ns1 that receives notifications about neighbours, then claim the address."""
    neighbors = 1 << 2  # RTMGRP_NEIGH
    with namespaces.inside_ref("ns1"):
        table = pathlib.Path("/proc/thread-self/net/netlink")
        for dummy in range(3000):
            sockets = [line.split() for line in table.read_text().splitlines()[1:]]
            if any(int(fields[3], 16) & neighbors for fields in sockets if fields[1] == "0"):
                break
            time.sleep(0.01)
    claim(dst, THIEF)


def moves(result: dict[str, t.Any]) -> list[tuple[str, str, str, str]]:
    """The changes, each with its address and both MAC addresses."""
    return [(one["netns"], one["dst"], one["old_lladdr"], one["new_lladdr"]) for one in result["changes"]]


def test_spoofing_is_reported_with_old_new_and_when(lab: t.Any) -> None:
    """The module reports the spoofed entry with both MAC addresses and the time. ip(8) confirms the entry."""
    lab.run("neighbor_watch", state="started", netns="ns1")
    assert lab.ping("ns1", "10.22.33.55")
    before = time.time()
    claim("10.22.33.55", THIEF)
    poisoned = poison(lab, "10.22.33.55")
    after = time.time()
    assert poisoned["lladdr"] == THIEF
    result = lab.run("neighbor_watch", state="stopped")
    assert moves(result) == [("ns1", "10.22.33.55", mac(lab, "ns2"), THIEF)]
    change = result["changes"][0]
    assert change["dev"] == "eth0" and [change["state"]] == poisoned["state"]
    assert before <= change["time"] <= after
    assert (result["ended"], result["dropped"], result["changed"]) == ("stopped", 0, True)


def test_what_was_in_the_table_before_is_the_old(lab: t.Any) -> None:
    """The module reads the table before the first event."""
    assert lab.ping("ns1", "10.22.33.55")
    lab.run("neighbor_watch", state="started", netns="ns1")
    claim("10.22.33.55", THIEF)
    poison(lab, "10.22.33.55")
    claim("10.22.33.55", mac(lab, "ns2"))
    result = lab.run("neighbor_watch", state="stopped")
    owner = mac(lab, "ns2")
    assert moves(result) == [("ns1", "10.22.33.55", owner, THIEF), ("ns1", "10.22.33.55", THIEF, owner)]


def test_a_permanent_entry_makes_the_claim_harmless(lab: t.Any) -> None:
    """With a permanent entry, nothing changes, and nothing is reported."""
    owner = mac(lab, "ns2")
    lab.sh(f"ip -n ns1 neigh add 10.22.33.55 lladdr {owner} dev eth0 nud permanent")
    lab.run("neighbor_watch", state="started", netns="ns1", report="all")
    claim("10.22.33.55", THIEF)
    time.sleep(0.1)
    assert entry(lab, "10.22.33.55")["lladdr"] == owner
    assert lab.run("neighbor_watch", state="stopped")["changes"] == []


def test_new_entries_are_reported_only_when_asked_for(lab: t.Any) -> None:
    """Each new entry is reported once, without an old MAC address, however often its state changes."""
    for name, report in (("a", "all"), ("b", "changed")):
        lab.run("neighbor_watch", state="started", name=name, netns=["ns1", "ns2"], report=report)
    assert lab.ping("ns1", "10.22.33.55")
    lab.sh("ip -n ns1 neigh change 10.22.33.55 dev eth0 nud stale")
    assert lab.ping("ns1", "10.22.33.55")
    everything = lab.run("neighbor_watch", state="stopped", name="a")
    assert sorted(moves(everything)) == [
        ("ns1", "10.22.33.55", "", mac(lab, "ns2")), ("ns2", "10.22.33.1", "", mac(lab, "ns1"))
    ]  # fmt: skip
    assert lab.run("neighbor_watch", state="stopped", name="b")["changes"] == []


def test_an_entry_that_goes_is_remembered(lab: t.Any) -> None:
    """An entry that comes back with the same MAC address is no change. With another one, it is."""
    assert lab.ping("ns1", "10.22.33.55")
    old = mac(lab, "ns2")
    lab.run("neighbor_watch", state="started", netns="ns1", report="all")
    lab.sh("ip -n ns1 neigh del 10.22.33.55 dev eth0")
    assert lab.ping("ns1", "10.22.33.55")
    lab.sh(f"ip -n ns1 neigh flush dev eth0; ip -n ns2 link set eth0 address {THIEF}")
    assert lab.ping("ns1", "10.22.33.55")
    assert moves(lab.run("neighbor_watch", state="stopped")) == [("ns1", "10.22.33.55", old, THIEF)]


def test_watched_ends_at_its_count_or_its_duration(lab: t.Any) -> None:
    """In the foreground, the module ends at its count or duration, and reports no change of the task."""
    assert lab.ping("ns1", "10.22.33.55")
    old = mac(lab, "ns2")
    stealing = threading.Thread(target=steal_once_somebody_watches, args=["10.22.33.55"])
    stealing.start()
    result = lab.run("neighbor_watch", netns="ns1", count=1, duration=60)
    stealing.join()
    assert moves(result) == [("ns1", "10.22.33.55", old, THIEF)]
    assert (result["ended"], result["changed"]) == ("count", False)
    started = time.monotonic()
    result = lab.run("neighbor_watch", netns="ns1", duration=0.5)
    assert (result["changes"], result["ended"]) == ([], "duration") and time.monotonic() - started >= 0.5


def test_ipv6_neighbors_and_links_that_are_born_later(lab: t.Any) -> None:
    """The module reports both IP versions, and links that are created after its start."""
    lab.run("neighbor_watch", state="started", netns="ns1", report="all")
    lab.sh(
        "sysctl -qw net.ipv6.conf.default.disable_ipv6=0; ip link add late type dummy 2>/dev/null ||"
        " ip link add late type veth peer name other; ip link set late up;"
        "ip neigh add fd00::5 lladdr 02:00:00:00:00:05 dev late nud permanent;"
        "ip neigh replace fd00::5 lladdr 02:00:00:00:00:06 dev late nud permanent",
        "ns1",
    )
    changes = [one for one in lab.run("neighbor_watch", state="stopped")["changes"] if one["dst"] == "fd00::5"]
    assert [(one["dev"], one["old_lladdr"], one["new_lladdr"], one["state"]) for one in changes] == [
        ("late", "", "02:00:00:00:00:05", "PERMANENT"),
        ("late", "02:00:00:00:00:05", "02:00:00:00:00:06", "PERMANENT"),
    ]


def test_what_is_no_neighbor_is_not_reported(lab: t.Any) -> None:
    """The MAC addresses of a bridge, and proxy entries, which the same notifications contain, are not reported."""
    lab.run("neighbor_watch", state="started", netns="ns1", report="all")
    lab.sh(
        "ip link add br9 type bridge; ip link set br9 up; ip neigh add proxy 10.22.33.77 dev eth0;"
        "bridge fdb add 02:00:00:00:00:09 dev br9 self",
        "ns1",
    )
    assert "02:00:00:00:00:09" in lab.sh("bridge fdb", "ns1")
    assert lab.run("neighbor_watch", state="stopped")["changes"] == []


def test_it_is_independent_of_a_capture_of_the_same_name_and_leaves_nothing(lab: t.Any) -> None:
    """The kind, the lab and the name together identify a recorder."""
    descriptors = sorted(os.listdir("/proc/self/fd"))
    arguments = {"state": "started", "netns": "ns1"}
    assert lab.run("neighbor_watch", **arguments)["changed"] is True
    assert lab.run("capture", **arguments)["changed"] is True
    assert lab.run("neighbor_watch", **arguments)["changed"] is False
    assert lab.module("neighbor_watch", **{**arguments, "netns": "ns2"})["msg"] == (
        "neighbor_watch 'default' of lab 'default' is running with another netns: stop it first, or choose another name"
    )
    assert [one.kind for one in recorders.recorders("default") if one.pid] == ["capture", "neighbor_watch"]
    assert lab.run("neighbor_watch", state="stopped")["changed"] is True
    assert [one.kind for one in recorders.recorders("default")] == ["capture"]
    assert lab.run("neighbor_watch", state="stopped")["changed"] is False
    lab.run("capture", state="stopped")
    assert recorders.recorders() == [] and not RUN.exists()
    assert sorted(os.listdir("/proc/self/fd")) == descriptors


@pytest.mark.parametrize("state", ["watched", "started"])
def test_wrong_options_are_named_and_nothing_is_started(lab: t.Any, state: str) -> None:
    """The module reports invalid values, then missing namespaces. No descriptor stays open."""
    result = lab.module("neighbor_watch", state=state, netns=[], count=0, duration=0, name="", lab="a:b")
    assert [error.split(":")[0] for error in result["errors"]] == ["lab", "name", "duration", "netns", "count"]
    descriptors = sorted(os.listdir("/proc/self/fd"))
    result = lab.module("neighbor_watch", state=state, netns=["ns1", "ns8", "", "ns9"], duration=1)
    assert result["errors"] == [
        "netns[1]: there is no network namespace 'ns8'", "netns[3]: there is no network namespace 'ns9'"
    ]  # fmt: skip
    assert sorted(os.listdir("/proc/self/fd")) == descriptors
    assert recorders.recorders() == [] and not RUN.exists()


@pytest.mark.parametrize("state", ["watched", "started", "stopped"])
def test_check_mode_watches_nothing(lab: t.Any, state: str) -> None:
    """In check mode, the module returns at once, with the keys that a playbook may query."""
    result = lab.run("neighbor_watch", check=True, state=state, netns="not-yet", duration=60)
    assert (result["skipped"], result["changed"], result["changes"]) == (True, False, [])
    assert recorders.recorders() == [] and not RUN.exists()
