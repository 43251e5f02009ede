# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module capture. tcpdump(8), ping(8) and /proc are the oracles."""

from __future__ import annotations

import os
import pathlib
import signal
import socket
import stat
import struct
import subprocess
import sys
import threading
import time
import typing as t

import pytest

from ansible_collections.linuxnet.lab.plugins.module_utils.host import recorders
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import namespaces

RUN = pathlib.Path("/run/linuxnet.lab")
PING = ["arp-request", "arp-reply", "echo-request", "echo-reply"]


@pytest.fixture
def lab(world: t.Any) -> t.Iterator[t.Any]:
    """arp_lab without IPv6, whose packets would disturb: ns1 10.22.33.1 and ns2 10.22.33.55, both eth0 of one pair."""
    world.sh(
        "for n in ns1 ns2; do ip netns add $n; ip netns exec $n sysctl -qw net.ipv6.conf.default.disable_ipv6=1; done;"
        "ip link add eth0 netns ns1 type veth peer name eth0 netns ns2;"
        "ip -n ns1 addr add 10.22.33.1/24 dev eth0; ip -n ns2 addr add 10.22.33.55/24 dev eth0;"
        "ip -n ns1 link set lo up; ip -n ns2 link set lo up; ip -n ns1 link set eth0 up; ip -n ns2 link set eth0 up"
    )
    yield world
    for recorder in recorders.recorders():
        recorders.end(recorder)


def types(result: dict[str, t.Any]) -> list[str]:
    """The types of the packets, as a playbook would query them."""
    return [packet["type"] for packet in result["packets"]]


def mac(world: t.Any, netns: str) -> str:
    """The MAC address of a namespace's eth0, according to ip(8)."""
    return world.links(netns)["eth0"]["address"]


def running() -> list[int]:
    """The PIDs of all recorders in this world, according to /proc, not to the tested code."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                here = os.path.samefile(entry / "ns/mnt", "/proc/thread-self/ns/mnt")
                if here and b"linuxnet.lab\0" in (entry / "cmdline").read_bytes():
                    found.append(int(entry.name))
            except OSError:
                pass
    return found


def open_files(pid: int) -> list[str]:
    """The targets of a process's descriptors, without the numbers of sockets."""
    links = [os.readlink(entry) for entry in pathlib.Path(f"/proc/{pid}/fd").iterdir()]
    return sorted(link.split(":")[0] if link.startswith("socket") else link for link in links)


def tcpdump(path: t.Any) -> list[str]:
    """The packets of a pcap file, as lines of tcpdump."""
    command = ["tcpdump", "-n", "-e", "-r", str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


# The story of arp_lab


def test_two_pings_are_one_arp_exchange_and_two_echoes(lab: t.Any) -> None:
    """The packets are a broadcast request, a unicast reply, and two echoes, without a second ARP request."""
    lab.run("capture", state="started", netns="ns1", dev="eth0", filter="arp or icmp")
    assert lab.ping("ns1", "10.22.33.55", count=2)
    result = lab.run("capture", state="stopped")
    assert types(result) == [*PING, "echo-request", "echo-reply"]
    ns1, ns2 = mac(lab, "ns1"), mac(lab, "ns2")
    request, reply, echo, answer, *dummy = result["packets"]
    assert (request["src_mac"], request["dst_mac"], request["direction"]) == (ns1, "ff:ff:ff:ff:ff:ff", "out")
    assert request["summary"] == "arp who-has 10.22.33.55 tell 10.22.33.1"
    assert (reply["src_mac"], reply["dst_mac"], reply["direction"]) == (ns2, ns1, "in")
    assert (reply["src"], reply["sender_mac"], reply["target_mac"]) == ("10.22.33.55", ns2, ns1)
    assert (echo["src"], echo["dst"], echo["sequence"], echo["direction"]) == ("10.22.33.1", "10.22.33.55", 1, "out")
    assert (answer["src"], answer["id"], answer["direction"]) == ("10.22.33.55", echo["id"], "in")
    assert [packet["sequence"] for packet in result["packets"][4:]] == [2, 2]
    times = [packet["time"] for packet in result["packets"]]
    assert times == sorted(times) and abs(time.time() - times[0]) < 30
    assert (result["ended"], result["dropped"], result["changed"]) == ("stopped", 0, True)
    assert {(packet["netns"], packet["dev"]) for packet in result["packets"]} == {("ns1", "eth0")}


def test_tcpdump_beside_it_sees_the_same_packets_at_the_same_times(lab: t.Any, tmp_path: t.Any) -> None:
    """The module and tcpdump record the same packets with the same time stamps, to the microsecond."""
    beside = tmp_path / "beside.pcap"
    with namespaces.inside_ref("ns1"):
        dump = subprocess.Popen(
            ["tcpdump", "-i", "eth0", "-U", "-w", str(beside), "--immediate-mode"], stderr=subprocess.PIPE, text=True
        )
    assert dump.stderr is not None
    for line in dump.stderr:
        if "listening" in line:
            break
    lab.run("capture", state="started", netns="ns1", dev="eth0")
    assert lab.ping("ns1", "10.22.33.55", count=2)
    result = lab.run("capture", state="stopped", pcap=str(tmp_path / "own.pcap"))
    time.sleep(0.3)
    dump.terminate()
    dump.communicate(timeout=30)
    assert result["pcap"] == str(tmp_path / "own.pcap")
    own, other = tcpdump(tmp_path / "own.pcap"), tcpdump(beside)
    assert len(own) == len(result["packets"]) == 6
    assert own == other
    assert stat.S_IMODE(os.stat(tmp_path / "own.pcap").st_mode) == 0o600


def test_the_pcap_has_whole_packets_or_says_what_is_missing(lab: t.Any, tmp_path: t.Any) -> None:
    """The length is that of the original packet, whatever `snaplen` keeps. tcpdump finds no truncated file."""
    lab.run("capture", state="started", netns="ns1", dev="eth0", filter="icmp", snaplen=60, pcap=str(tmp_path / "p"))
    lab.sh("ping -n -c 1 -s 200 10.22.33.55", "ns1")
    result = lab.run("capture", state="stopped")
    assert [packet["length"] for packet in result["packets"]] == [14 + 20 + 8 + 200] * 2
    lines = tcpdump(tmp_path / "p")
    assert len(lines) == 2 and all("length 242: " in line and "ICMP echo" in line for line in lines)
    assert types(result) == ["echo-request", "echo-reply"]


# Recording while the task runs


def test_recorded_ends_at_its_count_and_changes_nothing(lab: t.Any) -> None:
    """The recording ends after three packets, long before its duration is over."""
    pinging = threading.Timer(0.3, os.system, ["ip netns exec ns1 ping -n -c 2 -i 0.2 10.22.33.55 > /dev/null"])
    pinging.start()
    started = time.monotonic()
    result = lab.run("capture", netns="ns2", dev=["eth0"], count=3, duration=60)
    pinging.join()
    assert types(result) == PING[:3]
    assert [packet["direction"] for packet in result["packets"]] == ["in", "out", "in"]
    assert (result["ended"], result["changed"]) == ("count", False)
    assert time.monotonic() - started < 30


def test_recorded_ends_at_its_duration(lab: t.Any) -> None:
    """Without packets, the recording ends after its half second."""
    started = time.monotonic()
    result = lab.run("capture", netns="ns1", duration=0.5)
    assert 0.5 <= time.monotonic() - started < 10
    assert (result["packets"], result["ended"]) == ([], "duration")


def test_several_links_and_any_in_one_order(lab: t.Any) -> None:
    """The recording has the same exchange from both ends, each packet first at its sender."""
    lab.run("capture", state="started", links=[{"netns": "ns1", "dev": "any"}, {"netns": "ns2", "dev": "eth0"}])
    assert lab.ping("ns1", "10.22.33.55")
    assert lab.ping("ns1", "127.0.0.1")
    packets = lab.run("capture", state="stopped")["packets"]
    seen = [(one["type"], one["netns"], one["dev"], one["direction"]) for one in packets]
    expected = []
    for word, first, second in zip(PING, ("ns1", "ns2", "ns1", "ns2"), ("ns2", "ns1", "ns2", "ns1")):
        expected += [(word, first, "eth0", "out"), (word, second, "eth0", "in")]
    expected += [("echo-request", "ns1", "lo", "in"), ("echo-reply", "ns1", "lo", "in")]
    assert seen == expected


def test_a_link_that_is_asked_for_twice_is_recorded_once(lab: t.Any) -> None:
    """A link that the options name twice is recorded once, even if one of them is "any"."""
    links = [{"netns": "ns1", "dev": ["eth0", "eth0"]}, {"netns": "ns1"}, {"netns": "ns2", "dev": "eth0"}]
    lab.run("capture", state="started", links=[*links, links[2]])
    assert lab.ping("ns1", "10.22.33.55")
    packets = lab.run("capture", state="stopped")["packets"]
    assert len(packets) == 8


def test_a_recorder_goes_on_when_its_link_goes_down_and_up(lab: t.Any) -> None:
    """The link may also be down when the recording begins."""
    lab.sh("ip -n ns1 link set eth0 down")
    lab.run("capture", state="started", netns="ns1", dev="eth0", filter="icmp")
    lab.sh("ip -n ns1 link set eth0 up; ip netns exec ns1 ping -n -c 1 -W 5 10.22.33.55")
    lab.sh("ip -n ns1 link set eth0 down; sleep 0.2; ip -n ns1 link set eth0 up")
    lab.sh("ip netns exec ns1 ping -n -c 1 -W 5 10.22.33.55")
    assert types(lab.run("capture", state="stopped")) == ["echo-request", "echo-reply"] * 2


def test_a_recorder_survives_the_end_of_its_link(lab: t.Any) -> None:
    """The packets recorded before the deletion of the link are kept."""
    lab.run("capture", state="started", netns="ns1", dev="eth0", filter="icmp")
    assert lab.ping("ns1", "10.22.33.55")
    lab.sh("ip -n ns1 link del eth0")
    time.sleep(0.2)
    result = lab.run("capture", state="stopped")
    assert (types(result), result["ended"]) == (["echo-request", "echo-reply"], "stopped")


def test_vlan_tags_are_told_and_written(lab: t.Any, tmp_path: t.Any) -> None:
    """The kernel keeps the tag of a received frame separately. The result and the file have it in the frame, as on the
    wire.
    """
    lab.run("capture", state="started", links=[{"netns": "ns1"}, {"netns": "ns2"}], pcap=str(tmp_path / "p"))
    ns1, ns2 = (bytes.fromhex(mac(lab, netns).replace(":", "")) for netns in ("ns1", "ns2"))
    asks = struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1) + ns1 + bytes([10, 9, 0, 1]) + bytes(6) + bytes([10, 9, 0, 2])
    with namespaces.inside_ref("ns1"), socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sender:
        sender.sendto(ns2 + ns1 + bytes.fromhex("8100600a 0806") + asks, ("eth0", 0))
    packets = lab.run("capture", state="stopped")["packets"]
    seen = [(one["netns"], one["type"], one["vlan"], one["length"]) for one in packets]
    assert seen == [("ns1", "arp-request", 10, 46), ("ns2", "arp-request", 10, 46)]
    lines = tcpdump(tmp_path / "p")
    assert len(lines) == 2 and all("vlan 10, p 3" in line and "who-has 10.9.0.2" in line for line in lines)


def test_a_bridge_shows_what_it_forwards_between_others_only_when_promiscuous(lab: t.Any) -> None:
    """The bridge is in a third namespace. Unicast between its ports is not addressed to itself."""
    lab.sh(
        "ip netns add sw; ip netns exec sw sysctl -qw net.ipv6.conf.default.disable_ipv6=1;"
        "ip -n sw link add br0 type bridge;"
        "ip -n ns1 link del eth0; for n in 1 2; do ip link add eth0 netns ns$n type veth peer name p$n netns sw;"
        "ip -n sw link set p$n master br0 up; ip -n ns$n link set eth0 up; done; ip -n sw link set br0 up;"
        "ip -n ns1 addr add 10.22.33.1/24 dev eth0; ip -n ns2 addr add 10.22.33.55/24 dev eth0"
    )
    assert lab.ping("ns1", "10.22.33.55")
    for promiscuous in (False, True):
        lab.run("capture", state="started", netns="sw", dev="br0", filter="icmp", promiscuous=promiscuous)
        assert lab.links("sw")["br0"]["promiscuity"] == int(promiscuous)
        assert lab.ping("ns1", "10.22.33.55")
        seen = types(lab.run("capture", state="stopped"))
        assert seen == (["echo-request", "echo-reply"] if promiscuous else [])
        assert lab.links("sw")["br0"]["promiscuity"] == 0


# In the background


def test_nothing_of_a_block_is_lost(lab: t.Any) -> None:
    """The recorder gets all of 400 packets that ping sends as fast as it can."""
    lab.sh("ping -n -c 1 10.22.33.55", "ns1")
    lab.run("capture", state="started", netns="ns1", dev="eth0", filter="icmp")
    lab.sh("ping -n -q -f -c 200 10.22.33.55", "ns1")
    result = lab.run("capture", state="stopped")
    seen = [(packet["type"], packet["sequence"]) for packet in result["packets"]]
    assert seen[0] == ("echo-request", 1) and seen[-1] == ("echo-reply", 200)
    assert sorted(seen) == sorted((word, number) for number in range(1, 201) for word in ("echo-request", "echo-reply"))
    assert result["dropped"] == 0


def test_what_is_left_behind_is_nothing(lab: t.Any) -> None:
    """No process, file, promiscuous link or descriptor is left. While the recorder runs, only root can read its file.
    """
    descriptors = sorted(os.listdir("/proc/self/fd"))
    lab.run("capture", state="started", netns="ns1", dev="eth0")
    assert len(running()) == 1
    assert lab.links("ns1")["eth0"]["promiscuity"] == 1
    files = [path for path in RUN.rglob("*") if path.is_file()]
    assert [str(path) for path in files] == ["/run/linuxnet.lab/capture/default:default"]
    assert stat.S_IMODE(files[0].stat().st_mode) == 0o600 and stat.S_IMODE(files[0].parent.stat().st_mode) == 0o700
    assert lab.ping("ns1", "10.22.33.55")
    lab.run("capture", state="stopped")
    assert running() == [] and not RUN.exists()
    assert lab.links("ns1")["eth0"]["promiscuity"] == 0
    assert sorted(os.listdir("/proc/self/fd")) == descriptors
    lab.run("capture", netns="ns1", dev="eth0", duration=0.1)
    assert sorted(os.listdir("/proc/self/fd")) == descriptors and lab.links("ns1")["eth0"]["promiscuity"] == 0


def test_a_recorder_is_a_process_of_its_own(lab: t.Any) -> None:
    """A recorder keeps only its sockets and its record: no terminal, session or pipe of the task."""
    lab.run("capture", state="started", netns="ns1", dev="eth0")
    (pid,) = running()
    wanted = ["/dev/null"] * 3 + ["/run/linuxnet.lab/capture/default:default", "anon_inode:[eventpoll]"]
    wanted += ["socket"] * 3  # the packet socket, and two that wake the process
    until = time.monotonic() + 10
    while open_files(pid) != wanted and time.monotonic() < until:
        time.sleep(0.01)  # the recorder closes the other descriptors a moment after the task has returned
    assert open_files(pid) == wanted
    assert os.getsid(pid) != os.getsid(0) and os.readlink(f"/proc/{pid}/cwd") == "/"


def test_what_has_arrived_is_recorded_even_by_one_who_was_busy_when_told_to_stop(lab: t.Any) -> None:
    """A stopped process records the packets that arrived meanwhile when the signal to end continues it."""
    assert lab.ping("ns1", "10.22.33.55")
    lab.run("capture", state="started", netns="ns1", dev="eth0", filter="icmp")
    (pid,) = running()
    time.sleep(0.3)
    os.kill(pid, signal.SIGSTOP)
    assert lab.ping("ns1", "10.22.33.55")
    waking = threading.Timer(0.5, os.kill, [pid, signal.SIGCONT])
    waking.start()
    result = lab.run("capture", state="stopped")
    waking.join()
    assert (types(result), result["ended"]) == (["echo-request", "echo-reply"], "stopped")


def test_started_twice_is_one_recorder_that_knows_all(lab: t.Any) -> None:
    """A second start finds the running recorder. A start with other arguments is refused, and does not affect it."""
    arguments = {"state": "started", "netns": "ns1", "dev": "eth0", "filter": "icmp"}
    assert lab.run("capture", **arguments)["changed"] is True
    assert lab.ping("ns1", "10.22.33.55")
    before = running()
    assert lab.run("capture", **arguments)["changed"] is False
    result = lab.module("capture", **{**arguments, "filter": "arp", "duration": 30})
    assert result["msg"] == (
        "capture 'default' of lab 'default' is running with another duration, filter: "
        "stop it first, or choose another name"
    )
    assert running() == before and len(before) == 1
    assert types(lab.run("capture", state="stopped")) == ["echo-request", "echo-reply"]


def test_stopped_where_nothing_runs_is_no_change(lab: t.Any, tmp_path: t.Any) -> None:
    """Without a recorder, the module changes nothing, and writes and leaves no file."""
    result = lab.run("capture", state="stopped", pcap=str(tmp_path / "p"))
    assert (result["changed"], result["packets"], result["ended"], result["pcap"]) == (False, [], "", "")
    assert os.listdir(tmp_path) == [] and not RUN.exists()


def test_a_recorder_ends_by_itself_and_its_record_waits(lab: t.Any) -> None:
    """The recorder ends at its duration. Its record can be fetched once."""
    lab.run("capture", state="started", netns="ns1", dev="eth0", filter="icmp", duration=1.5)
    assert lab.ping("ns1", "10.22.33.55")
    until = time.monotonic() + 20
    while running() and time.monotonic() < until:
        time.sleep(0.05)
    assert running() == [] and lab.links("ns1")["eth0"]["promiscuity"] == 0
    assert lab.ping("ns1", "10.22.33.55")
    first, second = (lab.run("capture", state="stopped") for dummy in range(2))
    assert (types(first), first["ended"], first["changed"]) == (["echo-request", "echo-reply"], "duration", True)
    assert (second["packets"], second["changed"]) == ([], False)


def test_a_recorder_ends_at_its_count_and_a_new_one_begins_anew(lab: t.Any) -> None:
    """A second recorder of the same name replaces a record that nobody has fetched."""
    lab.run("capture", state="started", netns="ns1", dev="eth0", count=1)
    assert lab.ping("ns1", "10.22.33.55")
    until = time.monotonic() + 20
    while running() and time.monotonic() < until:
        time.sleep(0.05)
    assert lab.run("capture", state="started", netns="ns1", dev="eth0", filter="icmp")["changed"] is True
    assert lab.ping("ns1", "10.22.33.55")
    assert types(lab.run("capture", state="stopped")) == ["echo-request", "echo-reply"]


def test_two_at_once_in_two_namespaces_do_not_mix(lab: t.Any) -> None:
    """Names and labs distinguish recorders, and each task stops only its own."""
    for name, netns in (("a", "ns1"), ("b", "ns2")):
        lab.run("capture", state="started", name=name, netns=netns, dev="eth0", filter="icmp")
    lab.run("capture", state="started", name="a", lab="other", netns="ns2", dev="eth0", filter="arp")
    assert len(running()) == 3
    assert lab.ping("ns1", "10.22.33.55")
    a = lab.run("capture", state="stopped", name="a")
    assert len(running()) == 2
    b = lab.run("capture", state="stopped", name="b")
    other = lab.run("capture", state="stopped", name="a", lab="other")
    assert [one["direction"] for one in a["packets"]] == ["out", "in"]
    assert [one["direction"] for one in b["packets"]] == ["in", "out"]
    assert types(other)[:2] == PING[:2]


def test_what_a_killed_recorder_has_recorded_is_there(lab: t.Any) -> None:
    """The result contains the packets, and says that the recorder died."""
    lab.run("capture", state="started", netns="ns1", dev="eth0", filter="icmp")
    assert lab.ping("ns1", "10.22.33.55")
    (pid,) = running()
    time.sleep(0.3)
    os.kill(pid, signal.SIGKILL)
    result = lab.run("capture", state="stopped")
    assert (types(result), result["ended"]) == (["echo-request", "echo-reply"], "died")
    assert not RUN.exists()


def test_the_end_of_a_lab_finds_its_recorders_and_what_they_left(lab: t.Any) -> None:
    """The removal of a lab ends its recorders and removes their records. Those of other labs stay."""
    lab.run("capture", state="started", name="a", lab="mine", netns="ns1")
    lab.run("capture", state="started", name="b", lab="mine", netns="ns1", count=1)
    lab.run("capture", state="started", name="a", lab="other", netns="ns1")
    assert lab.ping("ns1", "10.22.33.55")
    until = time.monotonic() + 20
    while len(running()) > 2 and time.monotonic() < until:
        time.sleep(0.05)
    found = recorders.recorders("mine")
    assert [(one.kind, one.name, bool(one.pid)) for one in found] == [("capture", "a", True), ("capture", "b", False)]
    for one in found:
        recorders.end(one)
        recorders.end(one)  # no error if it has already ended
    assert recorders.recorders("mine") == []
    assert [one.lab for one in recorders.recorders()] == ["other"] and len(running()) == 1
    assert [path.name for path in RUN.rglob("*") if path.is_file()] == ["other:a"]


def test_a_file_that_cannot_be_written_loses_no_packets(lab: t.Any, tmp_path: t.Any) -> None:
    """The record stays until a task has returned it."""
    lab.run("capture", state="started", netns="ns1", dev="eth0", filter="icmp")
    assert lab.ping("ns1", "10.22.33.55")
    (tmp_path / "directory").mkdir()
    result = lab.module("capture", state="stopped", pcap=str(tmp_path / "directory"))
    assert result["failed"] and "directory" in result["msg"]
    assert types(lab.run("capture", state="stopped")) == ["echo-request", "echo-reply"]
    assert os.listdir(tmp_path) == ["directory"]


# Options


def test_the_filter_chooses_by_host_and_port(lab: t.Any) -> None:
    """The filter selects one of two pings by its address, and a refused connection by its port."""
    lab.sh("ip -n ns2 addr add 10.22.33.66/24 dev eth0")
    lab.run("capture", state="started", netns="ns1", dev="eth0",
            filter=["icmp and host 10.22.33.66", "tcp and port 7777"])  # fmt: skip
    assert lab.ping("ns1", "10.22.33.55") and lab.ping("ns1", "10.22.33.66")
    lab.sh("for port in 7777 8888; do ! 2>/dev/null echo > /dev/tcp/10.22.33.55/$port; done", "ns1")
    packets = lab.run("capture", state="stopped")["packets"]
    assert [(one["protocol"], one["src"], one["dst"], one["flags"]) for one in packets] == [
        ("icmp", "10.22.33.1", "10.22.33.66", []),
        ("icmp", "10.22.33.66", "10.22.33.1", []),
        ("tcp", "10.22.33.1", "10.22.33.55", ["syn"]),
        ("tcp", "10.22.33.55", "10.22.33.1", ["rst", "ack"]),
    ]
    assert packets[2]["dport"] == packets[3]["sport"] == 7777


def test_ipv6_neighbor_discovery_is_told(lab: t.Any) -> None:
    """The recording has the solicitation to the multicast group and the advertisement to the asker."""
    for netns, last in (("ns1", 1), ("ns2", 2)):
        lab.sh(f"sysctl -qw net.ipv6.conf.eth0.disable_ipv6=0; ip addr add fd00::{last}/64 dev eth0 nodad", netns)
    lab.run("capture", state="started", netns="ns1", dev="eth0", filter="icmp6 and host fd00::1")
    assert lab.ping("ns1", "fd00::2")
    packets = lab.run("capture", state="stopped")["packets"][:4]
    assert [one["type"] for one in packets] == [
        "neighbor-solicitation", "neighbor-advertisement", "echo-request", "echo-reply"
    ]  # fmt: skip
    asked, told = packets[:2]
    assert (asked["dst"], asked["target"], asked["lladdr"]) == ("ff02::1:ff00:2", "fd00::2", mac(lab, "ns1"))
    assert asked["dst_mac"] == "33:33:ff:00:00:02"
    assert (told["dst"], told["target"], told["lladdr"]) == ("fd00::1", "fd00::2", mac(lab, "ns2"))


@pytest.mark.parametrize("state", ["recorded", "started"])
def test_every_wrong_option_is_named_and_nothing_is_started(lab: t.Any, state: str) -> None:
    """The module first reports all invalid values at once, then all missing links and namespaces."""
    result = lab.module("capture", state=state, filter=["tpc"], count=0, snaplen=3, duration=-1, name="a/b",
                        lab="a b", pcap="/nowhere/p", links=[])  # fmt: skip
    places = [error.split(":")[0] for error in result["errors"]]
    assert places == ["lab", "name", "duration", "links", "filter[0]", "count", "snaplen", "pcap"]
    result = lab.module("capture", state=state, duration=1, links=[
        {"netns": "ns9"}, {"netns": "ns1", "dev": ["eth0", "eth9"]}, {"dev": "a-name-much-too-long-for-a-link"},
    ])  # fmt: skip
    assert result["errors"] == [
        "links[0].netns: there is no network namespace 'ns9'",
        "links[1].dev: there is no interface 'eth9' in namespace 'ns1'",
        "links[2].dev: there is no interface 'a-name-much-too-long-for-a-link' in the host",
    ]
    assert running() == [] and not RUN.exists() and lab.links("ns1")["eth0"]["promiscuity"] == 0


def test_links_and_a_single_one_exclude_each_other(lab: t.Any) -> None:
    """That also holds for an option with a default."""
    assert "mutually exclusive" in lab.module("capture", links=[{"netns": "ns1"}], dev="eth0")["msg"]


@pytest.mark.parametrize("state", ["recorded", "started", "stopped"])
def test_check_mode_records_nothing(lab: t.Any, state: str) -> None:
    """In check mode, the module returns at once, with the keys that a playbook may query."""
    result = lab.run("capture", check=True, state=state, netns="not-yet", duration=60)
    assert (result["skipped"], result["changed"], result["packets"]) == (True, False, [])
    assert running() == [] and not RUN.exists()
    assert lab.module("capture", check=True, state=state, filter=["tpc"])["failed"]


def test_in_a_playbook_with_what_ansible_leaves_of_the_task(lab: t.Any, tmp_path: t.Any) -> None:
    """The recorder works after the task, when Ansible has removed the module's files."""
    (tmp_path / "play.yml").write_text(
        """
- hosts: localhost
  gather_facts: false
  module_defaults:
    group/linuxnet.lab.lab:
      lab: demo
  tasks:
    - linuxnet.lab.capture: {state: started, netns: ns1, dev: eth0, filter: arp or icmp}
    - ansible.builtin.command: ip netns exec ns1 ping -n -c 1 10.22.33.55
    - linuxnet.lab.capture: {state: stopped}
      register: seen
    - ansible.builtin.assert:
        that:
          - seen.packets | map(attribute='type') | list == wanted
          - seen.packets | selectattr('protocol', 'eq', 'arp') | length == 2
          - seen.packets | selectattr('flags', 'contains', 'syn') | length == 0
          - seen.packets | selectattr('dport', 'eq', 80) | length == 0
      vars:
        wanted: [arp-request, arp-reply, echo-request, echo-reply]
"""
    )
    command = [str(pathlib.Path(sys.executable).with_name("ansible-playbook")), str(tmp_path / "play.yml")]
    environment = {**os.environ, "ANSIBLE_HOME": str(tmp_path), "ANSIBLE_REMOTE_TMP": str(tmp_path / "remote")}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "failed=0" in done.stdout
    assert running() == []
