# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The words of the filter, how they are joined, and the errors."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.linuxnet.lab.plugins.module_utils.errors import LabError
from ansible_collections.linuxnet.lab.plugins.module_utils.probe.packet_filter import parse

KNOWN = "; known are: arp, icmp, icmp6, tcp, udp, host ADDRESS, port NUMBER, joined by and, or"


def packet(protocol: str, src: str = "10.0.0.1", dst: str = "10.0.0.2", **ports: int) -> dict[str, t.Any]:
    """A decoded packet, with the keys that a filter uses."""
    return {"protocol": protocol, "src": src, "dst": dst, "sport": None, "dport": None, **ports}


def matches(expression: str, **options: t.Any) -> bool:
    """Whether an expression matches a packet."""
    matcher = parse([expression])
    assert matcher is not None
    return matcher(packet(**options))


@pytest.mark.parametrize("word", ["arp", "icmp", "icmp6", "tcp", "udp"])
def test_a_protocol_matches_itself_alone(word: str) -> None:
    found = [one for one in ("arp", "icmp", "icmp6", "tcp", "udp", "ipv4", "ethernet") if matches(word, protocol=one)]
    assert found == [word]


def test_host_is_source_or_destination_in_any_spelling() -> None:
    assert matches("host 10.0.0.1", protocol="icmp") and matches("host 10.0.0.2", protocol="arp")
    assert not matches("host 10.0.0.11", protocol="icmp")
    assert matches("host FD00:0:0::1", protocol="udp", src="fd00::1")


def test_port_is_source_or_destination() -> None:
    assert matches("port 80", protocol="tcp", sport=80, dport=1)
    assert matches("port 80", protocol="udp", sport=1, dport=80)
    assert not matches("port 80", protocol="tcp", sport=1, dport=8080)
    assert not matches("port 0", protocol="icmp")


def test_and_binds_more_tightly_than_or() -> None:
    expression = "arp or icmp and host 10.0.0.9 or tcp and port 80"
    assert matches(expression, protocol="arp")
    assert not matches(expression, protocol="icmp") and matches(expression, protocol="icmp", src="10.0.0.9")
    assert not matches(expression, protocol="tcp", dport=81) and matches(expression, protocol="tcp", dport=80)
    assert not matches("icmp and host 10.0.0.9 or arp", protocol="tcp", src="10.0.0.9")


def test_one_of_several_expressions_is_enough_and_none_is_all() -> None:
    matcher = parse(["arp", "icmp and host 10.0.0.9"])
    assert matcher is not None
    assert matcher(packet("arp")) and not matcher(packet("icmp")) and matcher(packet("icmp", "10.0.0.9"))
    assert parse([]) is None


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("tpc", "'tpc' is not known"),
        ("arp or tpc and port 80", "'tpc' is not known"),
        ("not arp", "'not' is not known"),
        ("arp icmp", "'icmp' needs 'and' or 'or' before it"),
        ("arp and icmp tcp", "'tcp' needs 'and' or 'or' before it"),
        ("", "an expression is missing beside 'and' or 'or'"),
        ("arp or", "an expression is missing beside 'and' or 'or'"),
        ("and arp", "'and' is not known"),
        ("arp and", "an expression is missing beside 'and' or 'or'"),
        ("host", "'host' lacks its value"),
        ("host and arp", "'and' is not an IP address"),
        ("host 10.0.0", "'10.0.0' is not an IP address"),
        ("host 10.0.0.0/24", "'10.0.0.0/24' is not an IP address"),
        ("port", "'port' lacks its value"),
        ("port http", "'http' is not a port number"),
        ("port 65536", "'65536' is not a port number"),
        ("port -1", "'-1' is not a port number"),
    ],
)
def test_errors_name_the_word_the_expression_and_what_is_known(expression: str, why: str) -> None:
    with pytest.raises(LabError) as caught:
        parse(["arp", expression])
    assert caught.value.errors == [f"filter[1]: {why} in {expression!r}{KNOWN}"]


def test_all_errors_come_at_once() -> None:
    with pytest.raises(LabError) as caught:
        parse(["a", "arp", "b"])
    assert [error[:9] for error in caught.value.errors] == ["filter[0]", "filter[2]"]
