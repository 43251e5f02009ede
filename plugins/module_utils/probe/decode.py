# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decode a frame to a flat dict: Ethernet with 802.1Q, ARP, IPv4, IPv6, ICMP, ICMPv6, TCP and UDP.

Every dict has all keys, so that users can query each of them for each packet. Nothing raises. If a frame is cut short
or malformed, the dict contains everything up to that point, and `summary` ends in ``(cut short)``.

Sources: IEEE 802.3, IEEE 802.1Q, RFC 826 (ARP), RFC 791, RFC 8200 (IPv6), RFC 792, RFC 4443 (ICMPv6), RFC 4861
(neighbor discovery), RFC 9293 (TCP), RFC 768.
"""

from __future__ import annotations

import socket
import struct
import typing as t

Packet = dict[str, t.Any]

_VLAN_TAGS = (0x8100, 0x88A8)
_IPV4, _ARP, _IPV6 = 0x0800, 0x0806, 0x86DD
_ETHERTYPES_FROM = 0x0600  # a smaller number is the length of an 802.3 frame

_PROTOCOLS = {1: "icmp", 6: "tcp", 17: "udp", 58: "icmp6"}
_FRAGMENT = 44
# Hop-by-hop options, routing, fragment, destination options. Each names the header that follows it.
_EXTENSION_HEADERS = (0, 43, _FRAGMENT, 60)

_ARP_OPERATIONS = {1: "arp-request", 2: "arp-reply"}
_TCP_FLAGS = ("fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr")
_ICMP_TYPES = {
    0: "echo-reply",
    3: "destination-unreachable",
    4: "source-quench",
    5: "redirect",
    8: "echo-request",
    9: "router-advertisement",
    10: "router-solicitation",
    11: "time-exceeded",
    12: "parameter-problem",
    13: "timestamp-request",
    14: "timestamp-reply",
}
_ICMP6_TYPES = {
    1: "destination-unreachable",
    2: "packet-too-big",
    3: "time-exceeded",
    4: "parameter-problem",
    128: "echo-request",
    129: "echo-reply",
    130: "mld-query",
    131: "mld-report",
    132: "mld-done",
    133: "router-solicitation",
    134: "router-advertisement",
    135: "neighbor-solicitation",
    136: "neighbor-advertisement",
    137: "redirect",
    143: "mld-report",
}
# For each message of neighbor discovery that carries a link-layer address: the offset of its options.
_NDP_OPTIONS = {"router-solicitation": 8, "router-advertisement": 16, "neighbor-solicitation": 24}
_NDP_OPTIONS["neighbor-advertisement"] = 24
_NDP_LINK_LAYER_ADDRESS = (1, 2)  # the source's, the target's

# Keys that do not apply to a packet: a number is then None, a text is empty.
_TEXTS = ("protocol", "type", "src_mac", "dst_mac", "src", "dst", "sender_mac", "target_mac", "target", "lladdr")
_NUMBERS = ("vlan", "ttl", "code", "id", "sequence", "sport", "dport")


def decode(frame: bytes) -> Packet:
    """A frame, which begins with its destination MAC address, as a dict.

    :returns: the keys are those that the module capture documents for `packets`, except those that are not part of the
        frame: time, netns, dev, direction, length.
    """
    packet: Packet = dict.fromkeys(_TEXTS, "")
    packet.update(dict.fromkeys(_NUMBERS), flags=[])
    try:
        summary = _ethernet(frame, packet)
    except (struct.error, ValueError, IndexError):
        summary = "{0}{1} (cut short)".format(_way(packet), packet["protocol"] or "ethernet")
    packet["summary"] = summary if packet["vlan"] is None else "vlan {0}: {1}".format(packet["vlan"], summary)
    return packet


def _way(packet: Packet) -> str:
    """The beginning of a summary, `SRC > DST: `. Empty as long as the addresses are unknown."""
    if not packet["dst"] or packet["protocol"] == "arp":
        return ""
    return "{0} > {1}: ".format(_endpoint(packet["src"], packet["sport"]), _endpoint(packet["dst"], packet["dport"]))


def _endpoint(ip: str, port: int | None) -> str:
    if port is None:
        return ip
    return ("[{0}]:{1}" if ":" in ip else "{0}:{1}").format(ip, port)


def _mac(data: bytes) -> str:
    if len(data) != 6:
        raise ValueError("not six bytes")
    return data.hex(":")


def _ethernet(frame: bytes, packet: Packet) -> str:
    packet["dst_mac"] = _mac(frame[:6])
    packet["src_mac"] = _mac(frame[6:12])
    (ethertype,) = struct.unpack_from("!H", frame, 12)
    offset = 14
    while ethertype in _VLAN_TAGS:
        tag, ethertype = struct.unpack_from("!HH", frame, offset)
        if packet["vlan"] is None:
            packet["vlan"] = tag & 0x0FFF
        offset += 4
    rest = frame[offset:]
    if ethertype == _ARP:
        return _arp(rest, packet)
    if ethertype == _IPV4:
        return _ipv4(rest, packet)
    if ethertype == _IPV6:
        return _ipv6(rest, packet)
    packet["protocol"] = "ethernet"
    text = "ethertype 0x{0:04x}" if ethertype >= _ETHERTYPES_FROM else "802.3, length {0}"
    return "{0} > {1}: {2}".format(packet["src_mac"], packet["dst_mac"], text.format(ethertype))


def _arp(data: bytes, packet: Packet) -> str:
    packet["protocol"] = "arp"
    hardware, protocol, hardware_size, protocol_size, operation = struct.unpack_from("!HHBBH", data)
    packet["type"] = _ARP_OPERATIONS.get(operation, "arp-{0}".format(operation))
    if (hardware, protocol, hardware_size, protocol_size) != (1, _IPV4, 6, 4):
        return "arp for hardware {0} and protocol 0x{1:04x}".format(hardware, protocol)
    packet["sender_mac"], packet["target_mac"] = _mac(data[8:14]), _mac(data[18:24])
    packet["src"] = socket.inet_ntop(socket.AF_INET, data[14:18])
    packet["dst"] = socket.inet_ntop(socket.AF_INET, data[24:28])
    if operation == 1:
        return "arp who-has {0} tell {1}".format(packet["dst"], packet["src"])
    return "{0} {1} is-at {2}".format(packet["type"].replace("-", " "), packet["src"], packet["sender_mac"])


def _ipv4(data: bytes, packet: Packet) -> str:
    packet["protocol"] = "ipv4"
    first, total, fragment, packet["ttl"], protocol = struct.unpack_from("!B1xH2xHBB", data)
    packet["src"] = socket.inet_ntop(socket.AF_INET, data[12:16])
    packet["dst"] = socket.inet_ntop(socket.AF_INET, data[16:20])
    header = (first & 0x0F) * 4
    if header < 20 or first >> 4 != 4:
        raise ValueError("not an IPv4 header")
    # Ethernet's padding may follow the packet. The length is 0 in a large packet that the kernel has yet to segment.
    payload = data[header : max(total, header)] if total else data[header:]
    return _transport(protocol, payload, bool(fragment & 0x1FFF), packet)


def _ipv6(data: bytes, packet: Packet) -> str:
    packet["protocol"] = "ipv6"
    length, following, packet["ttl"] = struct.unpack_from("!4xHBB", data)
    packet["src"] = socket.inet_ntop(socket.AF_INET6, data[8:24])
    packet["dst"] = socket.inet_ntop(socket.AF_INET6, data[24:40])
    if data[0] >> 4 != 6:
        raise ValueError("not an IPv6 header")
    payload = data[40 : 40 + length] if length else data[40:]
    later = False
    offset = 0
    while following in _EXTENSION_HEADERS and not later:
        kind, following, size, second = following, *struct.unpack_from("!BBH", payload, offset)
        if kind == _FRAGMENT:
            later = bool(second & 0xFFF8)
            size = 0
        offset += 8 + size * 8
    return _transport(following, payload[offset:], later, packet)


def _transport(protocol: int, data: bytes, later_fragment: bool, packet: Packet) -> str:
    if protocol not in _PROTOCOLS:
        return "{0}{1} protocol {2}".format(_way(packet), packet["protocol"], protocol)
    word = packet["protocol"] = _PROTOCOLS[protocol]
    if later_fragment:  # only the first fragment contains the header
        return "{0}{1}, a later fragment".format(_way(packet), word)
    if word in ("icmp", "icmp6"):
        text = _icmp(data, packet)
    else:
        packet["sport"], packet["dport"] = struct.unpack_from("!HH", data)
        text = ""
        if word == "tcp":
            (bits,) = struct.unpack_from("!13xB", data)
            packet["flags"] = [name for number, name in enumerate(_TCP_FLAGS) if bits & 1 << number]
            text = " " + ",".join(packet["flags"])
    return "{0}{1}{2}".format(_way(packet), word, text)


def _icmp(data: bytes, packet: Packet) -> str:
    kind, packet["code"] = struct.unpack_from("!BB", data)
    words = _ICMP_TYPES if packet["protocol"] == "icmp" else _ICMP6_TYPES
    word = packet["type"] = words.get(kind, "type-{0}".format(kind))
    if word in ("echo-request", "echo-reply"):
        packet["id"], packet["sequence"] = struct.unpack_from("!4xHH", data)
        return " {0} id {1} sequence {2}".format(word, packet["id"], packet["sequence"])
    if packet["protocol"] == "icmp" or word not in _NDP_OPTIONS:
        return " {0} code {1}".format(word, packet["code"])
    text = " " + word
    if word.startswith("neighbor"):
        packet["target"] = socket.inet_ntop(socket.AF_INET6, data[8:24])
        text += " " + packet["target"]
    packet["lladdr"] = _link_layer_address(data[_NDP_OPTIONS[word] :])
    return "{0} lladdr {1}".format(text, packet["lladdr"]) if packet["lladdr"] else text


def _link_layer_address(options: bytes) -> str:
    """The first link-layer address in the options of a message of neighbor discovery. Empty if there is none."""
    offset = 0
    while len(options) - offset >= 8 and options[offset + 1]:
        if options[offset] in _NDP_LINK_LAYER_ADDRESS:
            return _mac(options[offset + 2 : offset + 8])
        offset += options[offset + 1] * 8
    return ""
