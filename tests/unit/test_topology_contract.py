# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The checks of a lab."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.linuxnet.lab.plugins.module_utils.topology import contract, layout

LAB = {
    "name": "demo",
    "namespaces": {"a": None, "b": None, "six": None, "r": {"lo": ["10.255.0.1", "fd00::1"]}, "bare": None},
    "segments": {
        "lan": {"prefix": ["10.0.0.0/24", "fd01::/64"], "gateway": "r", "members": {"a": {"addresses": "10.0.0.8"}}},
        "new": {"prefix": "fd02::/64", "gateway": "r", "members": "six"},
        "old": {"prefix": "10.3.0.0/24", "gateway": "host", "members": {"b": {"addresses": "10.3.0.9"}}},
    },
}


def checks(*asked: dict[str, t.Any]) -> list[dict[str, t.Any]]:
    """The checks that result from some entries of a lab."""
    lab, errors = layout.read({**LAB, "checks": list(asked)})
    assert errors == []
    return [check for dummy, check in contract.checks(lab)]


def asks(*asked: dict[str, t.Any]) -> list[tuple[str, str]]:
    """The pairs of sender and address."""
    return [(check["from"], check["to"]) for check in checks(*asked)]


def test_one_for_each_address_of_each_target() -> None:
    (six,) = asks({"from": "a", "to": "a"}, {"from": "r", "to": "six"})
    assert six[0] == "r" and six[1].startswith("fd02::")
    assert asks({"from": ["b", "host"], "to": ["b", "host"]}) == [("b", "10.3.0.1"), ("", "10.3.0.9")]
    assert asks({"from": "host", "to": "203.0.113.1"}) == [("", "203.0.113.1")]


def test_a_router_is_asked_by_the_addresses_of_its_own() -> None:
    assert asks({"from": "a", "to": "r"}) == [("a", "10.255.0.1"), ("a", "fd00::1")]


def test_all_are_those_of_the_lab() -> None:
    found = asks({"from": "all", "to": "all"})
    assert {sender for sender, dummy in found} == {"a", "b", "six", "r"}, "not the host, nor who has no address"
    assert "10.3.0.1" not in {address for dummy, address in found}


def test_a_family_that_the_sender_lacks_is_not_asked_but_by_its_address() -> None:
    assert all(":" in address for sender, address in asks({"from": "six", "to": "all"}))
    assert all(":" not in address for sender, address in asks({"from": "b", "to": "all"}))
    assert asks({"from": "b", "to": "fd00::1", "expect": "no"}) == [("b", "fd00::1")]


def test_of_two_alike_it_is_the_later() -> None:
    all_of_them = {"from": "all", "to": "all"}
    found = checks(all_of_them, {"from": "b", "to": "a", "expect": "no", "protocol": "icmp"})
    about = [check for check in found if (check["from"], check["to"]) == ("b", "10.0.0.8")]
    assert [check["expect"] for check in about] == ["unreachable"]
    assert len(found) == len(checks(all_of_them))
    other = [{"protocol": "tcp", "port": 80}, {"protocol": "tcp", "port": 22}, {"size": 1400}, {"src": "10.3.0.9"}]
    assert len(asks(*({"from": "b", "to": "a", **one} for one in [{}, *other]))) == 5
    assert len(asks({"from": "b", "to": "a", "size": 56}, {"from": "b", "to": "a"})) == 1


@pytest.mark.parametrize("word", ["yes", True, "reachable", "on"])
def test_yes(word: t.Any) -> None:
    if word == "on":
        errors = layout.read({**LAB, "checks": {"from": "b", "to": "a", "expect": word}})[1]
        assert errors[0].startswith("checks.expect: 'on' is not one of reachable, yes,")
        return
    (check,) = checks({"from": "b", "to": "a", "expect": word})
    assert check["expect"] == "reachable"


@pytest.mark.parametrize("word", ["no", False, "unreachable"])
def test_no(word: t.Any) -> None:
    (check,) = checks({"from": "b", "to": "a", "expect": word})
    assert check["expect"] == "unreachable"


def test_it_listens_where_the_target_is_the_labs() -> None:
    tcp = {"from": "b", "protocol": "tcp", "port": 80}
    listens = [check.get("listen") for check in checks({**tcp, "to": "a"}, {**tcp, "to": "203.0.113.1"})]
    assert listens == ["a", None]
    assert "listen" not in checks({**tcp, "to": "a", "listen": False})[0]
    assert "listen" not in checks({"from": "b", "to": "a", "listen": True})[0], "nobody listens for ICMP"
    assert checks({**tcp, "to": "host"})[0]["listen"] == "", "on the host"


def test_link_local_addresses_are_nobodys_name() -> None:
    ends = [{"netns": "a", "addresses": ["fe80::1/64", "fd09::1/64"]}, {"netns": "b", "addresses": "fd09::2/64"}]
    data = {"name": "demo", "namespaces": ["a", "b"], "links": [ends], "checks": {"from": "b", "to": "a"}}
    assert [check["to"] for dummy, check in contract.checks(layout.read(data)[0])] == ["fd09::1"]


@pytest.mark.parametrize(
    ("check", "error"),
    [
        ({"from": "a", "to": "bare"}, "checks.to: 'bare' has no address to check"),
        ({"from": "a", "to": "c"}, "checks.to: there is no namespace 'c'"),
        ({"from": "lan", "to": "a"}, "checks.from: 'lan' is a bridge, not a namespace"),
        ({"to": "a"}, "checks: from is missing"),
    ],
)
def test_what_checks_nothing_is_told(check: dict[str, t.Any], error: str) -> None:
    assert layout.read({**LAB, "checks": check})[1] == [error]
