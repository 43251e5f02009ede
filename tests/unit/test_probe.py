# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The parts of the probes that need no network: bytes, options, the table, and the assignment of replies to requests.
"""

from __future__ import annotations

import re
import socket
import struct
import typing as t

import pytest

from ansible_collections.linuxnet.lab.plugins.module_utils.probe import (
    arp,
    checks,
    endpoint,
    icmp,
    neighbor_limit,
    packet,
    run,
    table,
)

V4, V6 = socket.AF_INET, socket.AF_INET6
DEFAULTS = {"count": 1, "interval": 0.2, "timeout": 2.0}


# Bytes


def test_checksum_is_that_of_the_example_in_rfc_1071() -> None:
    """RFC 1071, section 3: 0001 f203 f4f5 f6f7 have the sum ddf2 with the carries added."""
    assert packet.checksum(bytes.fromhex("0001f203f4f5f6f7")) == ~0xDDF2 & 0xFFFF


def test_checksum_of_an_odd_number_of_bytes_and_of_many_carries() -> None:
    """A zero follows a single last byte. The carry of a carry is added as well."""
    assert packet.checksum(b"\x01") == packet.checksum(b"\x01\x00")
    assert packet.checksum(b"\xff\xff" * 300 + b"\x00\x01") == 0xFFFE


def test_echo_request_of_ipv4_as_ping_sends_it() -> None:
    """The packet has type 8, code 0, a checksum with which the sum is zero, identifier, sequence number and payload."""
    data = packet.echo_request(V4, 0x1234, 7, b"abc")
    assert data[:2] == b"\x08\x00"
    assert data[4:] == b"\x12\x34\x00\x07abc"
    assert packet.checksum(data) == 0


def test_echo_request_of_ipv6_leaves_the_checksum_to_the_kernel() -> None:
    """The packet has type 128. RFC 4443 includes the addresses in the checksum."""
    assert packet.echo_request(V6, 1, 2, b"x") == bytes.fromhex("8000 0000 0001 0002 78")


def test_echo_reads_what_echo_request_writes() -> None:
    """Encoding and decoding agree. Too few bytes are no echo."""
    assert packet.echo(packet.echo_request(V4, 3, 4, b"pay")) == packet.Echo(8, 3, 4, b"pay")
    assert packet.echo(b"\x08\x00\x00\x00\x00\x00\x00") is None


def test_icmp_part_skips_an_ipv4_header_with_options_and_no_ipv6_header() -> None:
    """The first byte of an IPv4 header has its length. Raw IPv6 sockets return no header."""
    assert packet.icmp_part(V4, b"\x46" + bytes(23) + b"icmp") == b"icmp"
    assert packet.icmp_part(V6, b"icmp") == b"icmp"
    assert packet.icmp_part(V4, b"") == b""


def _extended_error(origin: int, kind: int, code: int, offender: bytes) -> bytes:
    return struct.pack("=IBBBBII", 113, origin, kind, code, 0, 0, 0) + offender


def test_icmp_error_of_ipv4_names_who_sent_it() -> None:
    """A sockaddr_in follows the sock_extended_err."""
    offender = struct.pack("=H", V4) + bytes(2) + socket.inet_aton("10.0.0.9") + bytes(8)
    error = packet.icmp_error(_extended_error(2, 3, 13, offender))
    assert error == packet.IcmpError(V4, 3, 13, "10.0.0.9")
    assert packet.reason(error) == "prohibited"


def test_icmp_error_of_ipv6_names_who_sent_it() -> None:
    """A sockaddr_in6 follows the sock_extended_err."""
    offender = struct.pack("=H", V6) + bytes(6) + socket.inet_pton(V6, "fd00::9") + bytes(4)
    error = packet.icmp_error(_extended_error(3, 1, 3, offender))
    assert error == packet.IcmpError(V6, 1, 3, "fd00::9")
    assert packet.reason(error) == "host_unreachable"


def test_icmp_error_without_a_sender_or_of_local_origin() -> None:
    """The sender may be unknown. An error of the own kernel (SO_EE_ORIGIN_LOCAL) is no ICMP error."""
    assert packet.icmp_error(_extended_error(2, 3, 1, bytes(16))).by == ""
    assert packet.icmp_error(_extended_error(1, 0, 0, b"")) is None
    assert packet.icmp_error(b"") is None


def test_the_mtu_in_an_error() -> None:
    """The MTU of a router and that of the own kernel count. Other errors may contain any number."""
    assert packet.icmp_error(struct.pack("=IBBBBII", 90, 2, 3, 4, 0, 1400, 0)).mtu == 1400
    assert packet.icmp_error(struct.pack("=IBBBBII", 113, 2, 3, 1, 0, 1400, 0)).mtu == 0
    assert packet.local_mtu(struct.pack("=IBBBBII", 90, 1, 0, 0, 0, 1500, 0)) == 1500
    assert packet.local_mtu(struct.pack("=IBBBBII", 90, 2, 3, 4, 0, 1400, 0)) == 0
    assert packet.local_mtu(b"") == 0


def test_a_closed_port_refuses() -> None:
    """The word `refused` applies to requests to a port, not to ICMP."""
    assert packet.refusal(packet.IcmpError(V4, 3, 3, "")) == packet.refusal(packet.IcmpError(V6, 1, 4, "")) == "refused"
    assert packet.refusal(packet.IcmpError(V4, 3, 13, "")) == "prohibited"


def test_arp_request_as_rfc_826_has_it() -> None:
    """The packet has Ethernet, IPv4, lengths 6 and 4, operation 1, the sender, and the target without its MAC address.
    """
    data = arp.request(bytes.fromhex("020000000001"), socket.inet_aton("10.0.0.1"), socket.inet_aton("10.0.0.2"))
    assert data.hex(" ", 2) == "0001 0800 0604 0001 0200 0000 0001 0a00 0001 0000 0000 0000 0a00 0002"


def test_arp_reply_says_who_is_at_what() -> None:
    """Anything else is no reply: a request, another kind of address, too few bytes."""
    data = bytes.fromhex("0001 0800 0604 0002 0200 0000 0002 0a00 0002 0200 0000 0001 0a00 0001")
    assert arp.reply(data + bytes(18)) == ("10.0.0.2", "02:00:00:00:00:02")
    wrong = [data[:7] + b"\x01" + data[8:], data[:2] + b"\x86\xdd" + data[4:], data[:5] + b"\x10" + data[6:], data[:27]]
    assert [arp.reply(item) for item in wrong] == [None] * 4


@pytest.mark.parametrize(
    ("family", "kind", "code", "word"),
    [
        (V4, 3, 0, "net_unreachable"),
        (V4, 3, 1, "host_unreachable"),
        (V4, 3, 10, "prohibited"),
        (V4, 11, 0, "ttl_exceeded"),
        (V4, 12, 1, "icmp_12_1"),
        (V6, 1, 0, "net_unreachable"),
        (V6, 1, 1, "prohibited"),
        (V6, 2, 77, "packet_too_big"),
        (V6, 3, 0, "ttl_exceeded"),
        (V6, 4, 2, "icmp_4_2"),
    ],
)
def test_reason(family: int, kind: int, code: int, word: str) -> None:
    """The numbers have different meanings in the two IP versions."""
    assert packet.reason(packet.IcmpError(family, kind, code, "")) == word


# Options


def _read(*asked: dict[str, t.Any], **defaults: t.Any) -> tuple[list[checks.Check], list[str]]:
    places = [f"checks[{number}]." for number in range(len(asked))]
    return checks.read(list(asked), places, dict(DEFAULTS, **defaults))


def test_read_fills_in_what_was_not_said() -> None:
    """The default sender is the host, the default expectation `reachable`."""
    found, errors = _read({"to": "10.0.0.2", "from": None, "expect": None, "count": None})
    address = "10.0.0.2"
    wanted = checks.Check("checks[0].", "", address, address, "", V4, False, "reachable", "", "", 1, 0.2, 2.0)
    assert (found, errors) == ([wanted], [])


def test_read_keeps_what_was_said() -> None:
    """The check has its zone, IPv6 in the kernel's spelling, and its own numbers."""
    asked = {
        "from": "c1",
        "to": "FE80:0::1%eth0",
        "expect": "unreachable",
        "src": "FE80::0002",
        "dev": "eth0",
    }
    found, errors = _read(dict(asked, count=3, timeout=0.5))
    assert errors == []
    assert found[0]._replace(place="") == checks.Check(
        place="",
        netns="c1",
        to="FE80:0::1%eth0",
        address="fe80::1",
        zone="eth0",
        family=V6,
        multicast=False,
        expect="unreachable",
        src="fe80::2",
        dev="eth0",
        count=3,
        interval=0.2,
        timeout=0.5,
    )


def test_read_knows_multicast() -> None:
    """Any host may answer requests to a multicast address."""
    found, errors = _read({"to": "ff02::1%br0"}, {"to": "224.0.0.1"}, {"to": "10.0.0.1"})
    assert ([check.multicast for check in found], errors) == ([True, True, False], [])


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"to": "10.0.0"}, "to: '10.0.0' is not an IP address"),
        ({"to": "10.0.0.1/24"}, "to: '10.0.0.1/24' is not an IP address"),
        ({"to": "10.0.0.1%eth0"}, "to: '10.0.0.1%eth0' is not an IP address"),
        ({"to": "fe80::1%"}, "to: 'fe80::1%' is not an IP address"),
        ({"to": ""}, "to: a target address is needed"),
        ({"to": "::"}, "to: '::' is nobody's address"),
        ({"to": "fe80::1"}, "to: 'fe80::1' needs a device: fe80::1%DEVICE, or dev"),
        ({"to": "ff02::1"}, "to: 'ff02::1' needs a device: ff02::1%DEVICE, or dev"),
        ({"to": "fe80::1%a", "dev": "b"}, "dev: 'b' is not the device of 'fe80::1%a'"),
        ({"to": "10.0.0.1", "src": "ten"}, "src: 'ten' is not an IP address"),
        ({"to": "10.0.0.1", "src": "fd00::1"}, "src: 'fd00::1' is not IPv4 as the target 10.0.0.1 is"),
        ({"to": "10.0.0.1", "timeout": 0.0}, "timeout: 0.0 is not a positive number"),
        ({"to": "10.0.0.1", "timeout": float("inf")}, "timeout: inf is not a positive number"),
        ({"to": "10.0.0.1", "count": 0}, "count: 0 is not a positive number"),
    ],
)
def test_read_refuses(options: dict[str, t.Any], error: str) -> None:
    """The error for each invalid option has its place and value."""
    assert _read(options) == ([], ["checks[0]." + error])


def test_read_finds_all_errors_at_once() -> None:
    """The errors are those of all checks and of the other options. Valid checks are returned."""
    found, errors = _read({"to": "x", "src": "y"}, {"to": "10.0.0.1"}, {"to": "z"}, interval=-1, timeout=0)
    assert [check.place for check in found] == ["checks[1]."]
    assert errors == [
        "interval: -1 is not a positive number",
        "timeout: 0 is not a positive number",
        "checks[0].to: 'x' is not an IP address",
        "checks[0].src: 'y' is not an IP address",
        "checks[2].to: 'z' is not an IP address",
    ]


def test_more_checks_than_there_are_identifiers_run_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two probes with the same identifier at the same time could not be distinguished."""
    parts: list[int] = []

    def made(checks: list[checks.Check], problems: list[str]) -> run.Made:
        parts.append(len(checks))
        return run.Made([check.place for check in checks], ["one", str(len(parts))])  # type: ignore[misc]

    monkeypatch.setattr(run, "_run", made)
    found, dummy = _read({"to": "127.0.0.1"})
    outcomes, warnings = run.run(found * 65537)
    assert parts == [65536, 1] and len(outcomes) == 65537
    assert warnings == ["one", "1", "2"]


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"protocol": "tcp"}, "port: tcp needs one between 1 and 65535"),
        ({"protocol": "udp", "port": 65536}, "port: udp needs one between 1 and 65535"),
        ({"protocol": "arp"}, "dev: arp needs a device"),
        ({"protocol": "tcp", "port": 1, "size": 9}, "size: only icmp can have this, not tcp"),
        ({"df": True, "protocol": "arp", "dev": "a"}, "df: only icmp can have this, not arp"),
        ({"listen": ""}, "listen: only tcp and udp can have this, not icmp"),
        ({"to": "fd00::1", "protocol": "arp", "dev": "a"}, "to: 'fd00::1' is not IPv4, which arp needs"),
        ({"size": 65508}, "size: 65508 is not between 0 and 65507"),
    ],
)
def test_read_refuses_what_does_not_go_with_the_protocol(options: dict[str, t.Any], error: str) -> None:
    """That applies to values of the check itself."""
    assert _read(dict({"to": "10.0.0.1"}, **options)) == ([], ["checks[0]." + error])


def test_read_takes_of_the_defaults_what_the_protocol_has() -> None:
    """Defaults may apply to only some of the checks. A check's own value, even an empty one, overrides them."""
    defaults = {"protocol": "tcp", "port": 80, "listen": "b", "size": 9, "df": True, "src": "10.0.0.9", "to": "x"}
    asked = [{}, {"listen": "", "port": 81}, {"protocol": "icmp"}, {"protocol": "icmp", "df": False, "size": 0}]
    found, errors = _read(*({"to": "10.0.0.1", **item} for item in asked), **defaults)
    assert errors == []
    assert [(one.protocol, one.port, one.listen, one.size, one.df) for one in found] == [
        ("tcp", 80, "b", 56, False),
        ("tcp", 81, "", 56, False),
        ("icmp", 0, None, 9, True),
        ("icmp", 0, None, 0, False),
    ]
    assert {one.src for one in found} == {"10.0.0.9"}


# The table


def _result(**changed: t.Any) -> dict[str, t.Any]:
    result = {"from": "c1", "to": "10.0.0.3", "expect": "reachable", "got": "reachable", "reason": "reply"}
    result.update({"errno": "", "by": "10.0.0.3", "rtt_ms": 0.0414, "sent": 1, "received": 1, "ok": True})
    return dict(result, **changed)


def test_table_marks_what_is_wrong_and_says_why() -> None:
    """The columns have the necessary width, without trailing blanks."""
    no_route = {"from": "", "to": "198.51.100.8", "reason": "no_route", "errno": "ENETUNREACH", "by": ""}
    results = [
        _result(),
        _result(**no_route, got="unreachable", rtt_ms=None, ok=False),
        _result(expect="unreachable", got="unreachable", reason="prohibited", by="10.0.0.1", rtt_ms=None),
        _result(reason="too_few_replies", sent=5, received=2, ok=False),
    ]
    assert table.table(results) == [
        "    FROM  TO            EXPECTED     GOT          REASON                         RTT",
        "    c1    10.0.0.3      reachable    reachable    reply                          0.041 ms",
        "!!  host  198.51.100.8  reachable    unreachable  no_route (ENETUNREACH)         -",
        "    c1    10.0.0.3      unreachable  unreachable  prohibited by 10.0.0.1         -",
        "!!  c1    10.0.0.3      reachable    reachable    too_few_replies (2 of 5 sent)  0.041 ms",
    ]
    assert table.summary(results) == "2 of 4 checks are not as expected"


def test_a_failure_shows_what_failed_in_fifty_lines() -> None:
    """The error has a small table, or the failed checks of a large one with the number of those that it omits."""
    right, wrong = _result(), _result(got="unreachable", reason="no_reply", rtt_ms=None, ok=False)
    small = [right, wrong]
    assert table.failure(small, table.table(small)).splitlines()[1:] == table.table(small)
    few = [*[right] * 5000, *[wrong] * 3]
    assert table.failure(few, table.table(few)).splitlines()[1:] == table.table([wrong] * 3)
    many = [*[right] * 9, *[wrong] * 5000]
    lines = table.failure(many, table.table(many)).splitlines()
    assert len(lines) == 50 and lines[0] == "5000 of 5009 checks are not as expected"
    assert [line[:2] for line in lines[2:-1]] == ["!!"] * 47 and lines[-1] == "... and 4953 more"


def test_table_says_how_it_was_asked() -> None:
    """The table has the protocol, port and size unless they are the defaults, and additional results."""
    results = [
        _result(protocol="tcp", port=80),
        _result(protocol="arp", lladdrs=["02:00:00:00:00:01", "02:00:00:00:00:02"]),
        _result(size=1472, got="unreachable", reason="packet_too_big", by="", mtu=1400, rtt_ms=None, ok=False),
    ]
    lines = [re.split("  +", line) for line in table.table(results)[1:]]
    assert [(line[2], line[5]) for line in lines] == [
        ("10.0.0.3 tcp/80", "reply"),
        ("10.0.0.3 arp", "reply from 02:00:00:00:00:01, 02:00:00:00:00:02"),
        ("10.0.0.3 size 1472", "packet_too_big (mtu 1400)"),
    ]


def test_summary_of_one_and_of_many() -> None:
    """The summary is a sentence."""
    right, wrong = _result(), _result(ok=False)
    assert table.summary([right]) == "1 check, as expected"
    assert table.summary([right, right]) == "2 checks, all as expected"
    assert table.summary([right, wrong]) == "1 of 2 checks is not as expected"


# The assignment of replies


class _Line:
    """A replacement for a socket. It stores requests, and can refuse them."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.refusal: OSError | None = None
        self.probes: dict[int, t.Any] = {}
        self.mtus: dict[str, int] = {}

    def send(self, address: str, port: int, data: bytes) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.sent.append(data)


TOKEN = b"t" * 56


def _probe(**options: t.Any) -> tuple[icmp.Probe, _Line]:
    found, errors = _read(dict({"to": "10.0.0.3"}, **options))
    assert errors == []
    line = _Line()
    return icmp.Probe(found[0], line, 9, TOKEN), line


def _reply(sequence: int = 1, token: bytes = TOKEN, address: str = "10.0.0.3") -> endpoint.Heard:
    return endpoint.Heard(address, 0, packet.Echo(0, 9, sequence, token), None, 0.0)


def _error(sequence: int = 1, token: bytes = TOKEN, address: str = "10.0.0.3") -> endpoint.Heard:
    error = packet.IcmpError(V4, 3, 13, "10.0.0.1")
    return endpoint.Heard(address, 0, packet.Echo(8, 9, sequence, token), error, 0.0)


def test_a_reply_to_our_request_decides() -> None:
    """The identifier, sequence number, payload, address and socket are right."""
    probe, line = _probe()
    probe.step(0.0)
    probe.hear(_reply())
    assert probe.decided
    assert probe.outcome()[:2] == ("reachable", "reply")


@pytest.mark.parametrize(
    "heard",
    [
        _reply(sequence=2),
        _reply(token=b"s" * 56),
        _reply(token=b""),
        _reply(address="10.0.0.4"),
        _error(sequence=2),
        _error(token=b"s" * 20),
        _error(address="10.0.0.4"),
    ],
)
def test_what_is_not_about_our_request_is_not_taken(heard: endpoint.Heard) -> None:
    """Another process may use the same identifier."""
    probe, line = _probe(expect="unreachable")
    probe.step(0.0)
    probe.hear(heard)
    probe.hear(heard)
    assert not probe.decided
    assert probe.outcome()[:2] == ("unreachable", "no_reply")


def test_anybody_may_answer_a_multicast_request() -> None:
    """The reply cannot come from the group's address."""
    probe, line = _probe(to="224.0.0.1")
    probe.step(0.0)
    probe.hear(_reply(address="10.0.0.77"))
    assert probe.outcome()[:4] == ("reachable", "reply", "", "10.0.0.77")


def test_the_same_reply_twice_counts_once() -> None:
    """`count` is the number of answered requests."""
    probe, line = _probe(count=2)
    probe.step(0.0)
    probe.hear(_reply())
    probe.hear(_reply())
    assert not probe.decided
    probe.step(0.2)
    probe.hear(_reply(sequence=2))
    assert probe.decided
    assert probe.outcome().received == 2


def test_an_error_may_quote_only_the_header() -> None:
    """RFC 792 requires only 8 bytes of the request."""
    probe, line = _probe(expect="unreachable")
    probe.step(0.0)
    probe.hear(_error(token=b""))
    assert probe.outcome()[:4] == ("unreachable", "prohibited", "", "10.0.0.1")


def test_errors_decide_only_at_the_second_and_only_what_expects_them() -> None:
    """A single error may come from a network that is not yet up. A target that should be reachable may still answer."""
    for expect in ("reachable", "unreachable"):
        probe, line = _probe(expect=expect)
        probe.step(0.0)
        probe.hear(_error())
        assert not probe.decided
        probe.step(0.2)
        probe.hear(_error(sequence=2))
        assert probe.decided is (expect == "unreachable")
        assert probe.outcome().ok is (expect == "unreachable")


@pytest.mark.parametrize(("expect", "ok"), [("prohibited", True), ("unreachable", True), ("no_reply", False)])
def test_errors_decide_what_expects_just_them(expect: str, ok: bool) -> None:
    """Other checks wait until the end, and are not as expected."""
    probe, dummy = _probe(expect=expect, timeout=1.0)
    for number in (1, 2):
        probe.step(0.0)
        probe.hear(_error(sequence=number))
    assert probe.decided is ok
    probe.step(1.0)
    assert probe.decided
    assert probe.outcome()[:2] == ("unreachable", "prohibited")
    assert probe.outcome().ok is ok


def test_an_answer_decides_what_expects_any_failure() -> None:
    """The result is not as expected."""
    probe, dummy = _probe(expect="prohibited", count=3)
    probe.step(0.0)
    probe.hear(_reply())
    assert probe.decided
    assert not probe.outcome().ok


@pytest.mark.parametrize("df", [False, True])
def test_too_big_decides_only_what_must_stay_whole(df: bool) -> None:
    """Without `df`, the next request is fragmented."""
    probe, line = _probe(expect="unreachable", df=df)
    line.refusal = OSError(90, "Message too long")
    line.mtus["10.0.0.3"] = 1400
    probe.step(0.0)
    probe.step(0.2)
    assert probe.decided is df
    assert probe.outcome()[1:3] == ("packet_too_big", "EMSGSIZE")
    assert probe.outcome().extra == {"mtu": 1400}


def test_a_source_address_that_is_not_there_may_be_expected() -> None:
    """But only with its own word."""
    for expect, ok in (("no_source_address", True), ("unreachable", False), ("no_reply", False)):
        probe, line = _probe(expect=expect, src="10.0.0.9")
        line.refusal = OSError(99, "Cannot assign requested address")
        probe.step(0.0)
        assert probe.outcome().ok is ok


def test_a_full_neighbour_table_is_told_from_other_refusals() -> None:
    """Then the run makes room, and sends the request at once."""
    probe, line = _probe()
    for number, crowded in ((101, False), (105, True)):
        line.refusal = OSError(number, "")
        probe.step(0.0)
        assert (probe.crowded, probe.waiting) == (crowded, False)
    line.refusal = None
    probe.ask()
    assert (probe.crowded, probe.waiting) == (False, True)
    probe.hear(_reply())
    assert not probe.waiting


def test_room_is_made_of_what_is_not_being_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The neighbours of decided probes, and of those that have not begun, are flushed, by IP version."""
    forgotten: dict[int, set[str]] = {}
    cache = neighbor_limit.neighbor_cache
    monkeypatch.setattr(cache, "forget", lambda family, asked: len(forgotten.setdefault(family, asked)))
    over, line = _probe(to="10.0.0.3")
    over.step(0.0)
    over.hear(_reply())
    waiting, dummy = _probe(to="10.0.0.4")
    waiting.step(0.0)
    assert neighbor_limit.make_room([over, waiting, _probe(to="fd00::5")[0]])
    assert forgotten == {V4: {"10.0.0.3"}, V6: {"fd00::5"}}
    assert not neighbor_limit.make_room([waiting])


def test_a_local_refusal_that_passes_is_forgotten() -> None:
    """First there is no route, then a route without an answer. The reason is `no_reply`."""
    probe, line = _probe(expect="unreachable")
    line.refusal = OSError(101, "Network is unreachable")
    probe.step(0.0)
    assert probe.outcome()[1:3] == ("no_route", "ENETUNREACH")
    line.refusal = None
    probe.step(0.2)
    assert probe.outcome()[1:3] == ("no_reply", "")
    line.refusal = OSError(101, "Network is unreachable")
    probe.step(0.4)
    assert not probe.decided
    probe.step(0.6)
    assert probe.decided


@pytest.mark.parametrize(("number", "name"), [(105, "ENOBUFS"), (11, "EAGAIN")])
def test_what_could_not_be_sent_proves_nothing(number: int, name: str) -> None:
    """If the queue is full, the probe tries again. A check that expects silence does not succeed by that."""
    probe, line = _probe(expect="unreachable")
    line.refusal = OSError(number, "")
    for now in (0.0, 0.2, 0.4):
        probe.step(now)
    assert not probe.decided
    assert probe.outcome()[:3] == ("unreachable", "send_failed", name)
    assert not probe.outcome().ok


def test_the_time_runs_from_the_first_request() -> None:
    """The next step is one interval later, but not later than the end."""
    probe, line = _probe(timeout=0.5)
    assert [probe.step(now) for now in (100.0, 100.2, 100.4)] == [100.2, 100.4, 100.5]
    assert not probe.decided
    probe.step(100.5)
    assert probe.decided
    assert len(line.sent) == 3


def test_the_module_does_without_pyroute2(new_python) -> None:
    """The import of pyroute2 takes 0.15 s, and a machine that only runs checks may not have it."""
    code = """
import sys
sys.modules["pyroute2"] = None
import ansible_collections.linuxnet.lab.plugins.modules.connectivity
"""
    new_python("-c", code)
