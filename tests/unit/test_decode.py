# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The decoder reads frames that the tests build: complete, cut short and damaged ones."""

from __future__ import annotations

import random
import socket
import struct

import pytest

from ansible_collections.linuxnet.lab.plugins.module_utils.probe import pcap
from ansible_collections.linuxnet.lab.plugins.module_utils.probe.decode import decode

MAC1, MAC2, ALL = "02:00:00:00:00:01", "02:00:00:00:00:02", "ff:ff:ff:ff:ff:ff"


def ethernet(kind: int, payload: bytes, dst: str = MAC2, tags: str = "") -> bytes:
    """A frame from MAC1. The *tags*, in hex, are between the addresses and the type."""
    macs = bytes.fromhex((dst + MAC1).replace(":", ""))
    return macs + bytes.fromhex(tags) + struct.pack("!H", kind) + payload


def ipv4(protocol: int, payload: bytes, fragment: int = 0, options: bytes = b"", total: int | None = None) -> bytes:
    """A packet from 10.0.0.1 to 10.0.0.2 with TTL 63."""
    size = 20 + len(options)
    length = size + len(payload) if total is None else total
    header = struct.pack("!BBHHHBBH", 0x40 | size // 4, 0, length, 7, fragment, 63, protocol, 0)
    return ethernet(0x0800, header + bytes([10, 0, 0, 1, 10, 0, 0, 2]) + options + payload)


def ipv6(following: int, payload: bytes, dst: str = "fd00::2") -> bytes:
    """A packet from fd00::1 to fd00::2 with hop limit 255."""
    addresses = socket.inet_pton(socket.AF_INET6, "fd00::1") + socket.inet_pton(socket.AF_INET6, dst)
    return ethernet(0x86DD, struct.pack("!IHBB", 0x60000000, len(payload), following, 255) + addresses + payload)


def arp(operation: int) -> bytes:
    """An ARP packet between 10.0.0.1 and 10.0.0.2."""
    macs = [bytes.fromhex(mac.replace(":", "")) for mac in (MAC1, MAC2)]
    body = struct.pack("!HHBBH", 1, 0x0800, 6, 4, operation)
    return body + macs[0] + bytes([10, 0, 0, 1]) + (macs[1] if operation == 2 else bytes(6)) + bytes([10, 0, 0, 2])


ECHO = struct.pack("!BBHHH", 8, 0, 0, 0x1234, 5) + b"payload"
TCP = struct.pack("!HHIIBBHHH", 40000, 80, 1, 2, 0x50, 0x12, 512, 0, 0)
UDP = struct.pack("!HHHH", 5353, 53, 8, 0)
NDP = bytes.fromhex("87000000 00000000 fd000000000000000000000000000002 0101 020000000001")


def said(frame: bytes) -> dict[str, object]:
    """The decoded packet without keys that do not apply to it."""
    return {name: value for name, value in decode(frame).items() if value not in ("", None, [])}


def test_arp_request() -> None:
    assert said(ethernet(0x0806, arp(1), ALL)) == {
        "protocol": "arp", "type": "arp-request", "src_mac": MAC1, "dst_mac": ALL, "src": "10.0.0.1",
        "dst": "10.0.0.2", "sender_mac": MAC1, "target_mac": "00:00:00:00:00:00",
        "summary": "arp who-has 10.0.0.2 tell 10.0.0.1",
    }  # fmt: skip


def test_arp_reply() -> None:
    packet = decode(ethernet(0x0806, arp(2)))
    assert (packet["type"], packet["sender_mac"], packet["target_mac"]) == ("arp-reply", MAC1, MAC2)
    assert packet["summary"] == "arp reply 10.0.0.1 is-at " + MAC1


def test_arp_of_another_hardware_and_with_another_operation() -> None:
    strange = decode(ethernet(0x0806, struct.pack("!HHBBH", 32, 0x0800, 20, 4, 1) + bytes(48)))
    assert (strange["type"], strange["src"], strange["summary"]) == (
        "arp-request", "", "arp for hardware 32 and protocol 0x0800"
    )  # fmt: skip
    assert decode(ethernet(0x0806, arp(9)))["type"] == "arp-9"


def test_icmp_echo() -> None:
    assert said(ipv4(1, ECHO)) == {
        "protocol": "icmp", "type": "echo-request", "src_mac": MAC1, "dst_mac": MAC2, "src": "10.0.0.1",
        "dst": "10.0.0.2", "ttl": 63, "code": 0, "id": 0x1234, "sequence": 5,
        "summary": "10.0.0.1 > 10.0.0.2: icmp echo-request id 4660 sequence 5",
    }  # fmt: skip
    assert decode(ipv4(1, b"\0" + ECHO[1:]))["type"] == "echo-reply"


def test_icmp_errors_and_unknown_types() -> None:
    refused = decode(ipv4(1, struct.pack("!BBHI", 3, 1, 0, 0)))
    assert (refused["type"], refused["code"], refused["id"]) == ("destination-unreachable", 1, None)
    assert decode(ipv4(1, struct.pack("!BBHI", 99, 0, 0, 0)))["type"] == "type-99"


def test_tcp_and_udp() -> None:
    segment = decode(ipv4(6, TCP))
    assert (segment["protocol"], segment["sport"], segment["dport"]) == ("tcp", 40000, 80)
    assert segment["flags"] == ["syn", "ack"]
    assert segment["summary"] == "10.0.0.1:40000 > 10.0.0.2:80: tcp syn,ack"
    datagram = decode(ipv6(17, UDP))
    assert (datagram["protocol"], datagram["sport"], datagram["dport"], datagram["flags"]) == ("udp", 5353, 53, [])
    assert datagram["summary"] == "[fd00::1]:5353 > [fd00::2]:53: udp"


def test_options_and_padding_are_not_taken_for_the_payload() -> None:
    assert decode(ipv4(6, TCP, options=bytes([1] * 8)))["dport"] == 80
    padded = decode(ipv4(1, b"", total=20) + bytes(26))
    assert (padded["type"], padded["summary"]) == ("", "10.0.0.1 > 10.0.0.2: icmp (cut short)")


def test_a_length_of_zero_is_one_that_the_kernel_has_not_divided_yet() -> None:
    assert decode(ipv4(6, TCP, total=0))["dport"] == 80


def test_fragments() -> None:
    """Only the first fragment has a header after that of IP. In IPv6, an extension header marks fragments."""
    assert decode(ipv4(17, UDP, fragment=0x2000))["dport"] == 53
    later = decode(ipv4(17, UDP, fragment=0x00B9))
    assert (later["protocol"], later["dport"], later["summary"]) == (
        "udp", None, "10.0.0.1 > 10.0.0.2: udp, a later fragment"
    )  # fmt: skip
    first = decode(ipv6(44, struct.pack("!BBHI", 17, 0xFF, 1, 9) + UDP))  # the reserved byte has no meaning
    second = decode(ipv6(44, struct.pack("!BBHI", 17, 0, 0x0088, 9) + UDP))
    assert (first["dport"], second["protocol"], second["dport"]) == (53, "udp", None)


def test_ipv6_extension_headers_are_passed() -> None:
    hop_by_hop = bytes([60, 0]) + bytes(6)
    destination = bytes([58, 1]) + bytes(14)
    report = decode(ipv6(0, hop_by_hop + destination + bytes([143, 0]) + bytes(6)))
    assert (report["protocol"], report["type"]) == ("icmp6", "mld-report")


def test_neighbor_solicitation_and_advertisement() -> None:
    asked = decode(ipv6(58, NDP, "ff02::1:ff00:2"))
    assert (asked["type"], asked["target"], asked["lladdr"]) == ("neighbor-solicitation", "fd00::2", MAC1)
    assert asked["summary"] == f"fd00::1 > ff02::1:ff00:2: icmp6 neighbor-solicitation fd00::2 lladdr {MAC1}"
    told = decode(ipv6(58, bytes([136]) + NDP[1:24] + b"\x05\1" + bytes(6) + b"\2\1" + NDP[26:]))
    assert (told["type"], told["lladdr"]) == ("neighbor-advertisement", MAC1)
    assert decode(ipv6(58, NDP[:24]))["lladdr"] == ""


def test_router_solicitation_and_ipv6_echo() -> None:
    router = decode(ipv6(58, bytes([133]) + bytes(7) + NDP[24:]))
    assert (router["type"], router["target"], router["lladdr"]) == ("router-solicitation", "", MAC1)
    echo = decode(ipv6(58, bytes([129]) + ECHO[1:]))
    assert (echo["type"], echo["id"], echo["sequence"], echo["ttl"]) == ("echo-reply", 0x1234, 5, 255)


def test_options_of_length_zero_do_not_hang() -> None:
    """RFC 4861, 4.6: a receiver must discard such a message."""
    assert decode(ipv6(58, NDP[:24] + bytes(64)))["lladdr"] == ""


def test_vlan_tags() -> None:
    """The VLAN is that of the outermost tag, without its three priority bits."""
    tagged = decode(ethernet(0x0806, arp(1), tags="8100600a"))
    assert (tagged["vlan"], tagged["protocol"]) == (10, "arp")
    assert tagged["summary"] == "vlan 10: arp who-has 10.0.0.2 tell 10.0.0.1"
    assert decode(ethernet(0x0806, arp(1), tags="88a80014 8100000a"))["vlan"] == 20
    assert decode(ethernet(0x0806, arp(1), tags="81000000"))["vlan"] == 0


def test_what_is_not_known_is_told_by_number() -> None:
    assert decode(ethernet(0x88CC, b"x"))["summary"] == f"{MAC1} > {MAC2}: ethertype 0x88cc"
    assert decode(ethernet(38, bytes(38)))["summary"] == f"{MAC1} > {MAC2}: 802.3, length 38"
    igmp = decode(ipv4(2, bytes(8)))
    assert (igmp["protocol"], igmp["summary"]) == ("ipv4", "10.0.0.1 > 10.0.0.2: ipv4 protocol 2")


ALL_FRAMES = [
    ethernet(0x0806, arp(1)), ipv4(1, ECHO), ipv4(6, TCP), ipv4(17, UDP), ipv6(58, NDP), ipv6(17, UDP),
    ipv6(0, bytes([58, 0]) + bytes(6) + NDP), ethernet(0x0806, arp(2), tags="8100000a"),
]  # fmt: skip


@pytest.mark.parametrize("frame", ALL_FRAMES)
def test_every_cut_is_told_and_none_crashes(frame: bytes) -> None:
    """A packet that is cut short has all keys, and the same values as the whole packet up to the cut."""
    whole = decode(frame)
    for size in range(len(frame)):
        part = decode(frame[:size])
        assert part.keys() == whole.keys() and part["summary"]
        if size >= 12:
            assert (part["src_mac"], part["dst_mac"]) == (whole["src_mac"], whole["dst_mac"])
    assert decode(b"")["summary"] == "ethernet (cut short)"
    assert decode(frame[:20])["summary"].endswith("(cut short)")


def test_garbage_does_not_crash() -> None:
    """Random damage to packets causes no exception. The damage is the same in each run."""
    chance = random.Random(1)
    for frame in ALL_FRAMES:
        for dummy in range(2000):
            spoiled = bytearray(frame[: chance.randint(12, len(frame))])
            for dummy in range(chance.randint(1, 6)):
                spoiled[chance.randrange(len(spoiled))] = chance.randrange(256)
            assert decode(bytes(spoiled))["summary"]


def test_wrong_versions_and_header_lengths_are_malformed() -> None:
    for position, value in ((14, 0x65), (14, 0x44)):
        frame = bytearray(ipv4(6, TCP))
        frame[position] = value
        assert decode(bytes(frame))["protocol"] == "ipv4" and decode(bytes(frame))["dport"] is None
    frame = bytearray(ipv6(17, UDP))
    frame[14] = 0x40
    assert decode(bytes(frame))["dport"] is None


def test_pcap_is_the_documented_layout() -> None:
    """The file has the magic number for nanoseconds, version 2.4, Ethernet, and for each packet its time, both lengths
    and bytes.
    """
    data = pcap.pcap([(1_700_000_000_123_456_789, 100, b"abcd"), (5, 1, b"e")], 4)
    assert struct.unpack_from("=IHHiIII", data) == (0xA1B23C4D, 2, 4, 0, 0, 4, 1)
    assert struct.unpack_from("=IIII", data, 24) == (1_700_000_000, 123_456_789, 4, 100)
    assert data[40:44] == b"abcd"
    assert struct.unpack_from("=IIII", data, 44) == (0, 5, 1, 1) and data[60:] == b"e"
