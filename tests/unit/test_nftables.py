# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import itertools
import typing as t

import pytest

from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import nft_rules, nftables
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.attributes import items, pack, walk
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.nft_rules import Rule, Unknown


@pytest.mark.parametrize(
    "rule, text",
    [
        (
            Rule(src="172.16.0.0/12", not_oif="br0", verdict="masquerade"),
            'ip saddr 172.16.0.0/12 oifname != "br0" masquerade',
        ),
        (Rule(src="fd00::/57", dst="fd01::/64"), "ip6 saddr fd00::/57 ip6 daddr fd01::/64 accept"),
        (Rule(ct_established=True), "ct state established,related accept"),
        (Rule(iif="a", oif="b", verdict="drop"), 'iifname "a" oifname "b" drop'),
        (
            Rule(not_iif="a", oif="a", dst="10.0.0.0/8", verdict="drop"),
            'iifname != "a" oifname "a" ip daddr 10.0.0.0/8 drop',
        ),
        (Rule(bridged=True), 'meta iifkind "bridge" meta oifkind "bridge" accept'),
        (Rule(family=6, verdict="drop"), "meta nfproto ipv6 drop"),
        (Rule(), "accept"),
    ],
)
def test_rule_reads_as_nft_takes_it(rule: Rule, text: str) -> None:
    assert str(rule) == text


def test_rule_has_one_form_for_one_meaning() -> None:
    assert Rule(src="10.0.0.0/8") == Rule(family=4, src="10.0.0.0/8")
    assert Rule(src="0.0.0.0/0", dst="10.0.0.0/8") == Rule(dst="10.0.0.0/8")
    assert Rule(dst="::/0") == Rule(family=6)
    assert len({Rule(dst="::/0"), Rule(family=6)}) == 1


@pytest.mark.parametrize(
    "fields",
    [{"src": "172.18.0.0/12"}, {"src": "10.0.0.0/8", "dst": "fd00::/8"}, {"family": 6, "dst": "10.0.0.0/8"}],
)
def test_rule_that_could_never_match_is_refused(fields: dict[str, t.Any]) -> None:
    with pytest.raises(ValueError):
        Rule(**fields)


def test_every_rule_survives_encoding() -> None:
    prefixes = [f"128.0.0.0/{n}" for n in range(1, 33)] + [f"8000::/{n}" for n in range(1, 129)]
    for src, dst in [*((prefix, "") for prefix in prefixes), *(("", prefix) for prefix in prefixes)]:
        rule = Rule(src=src, dst=dst)
        assert nft_rules.decode(nft_rules.encode(rule)) == rule
    combinations = itertools.product(
        (0, 4), ("", "10.1.0.0/16"), ("", "10.2.0.0/15"), ("", "in"), ("", "other"), ("", "out"),
        ("", "a-name-of-15-ch"), (False, True), (False, True), ("accept", "drop", "masquerade"),
    )  # fmt: skip
    for fields in combinations:
        rule = Rule(*fields)
        if not (rule.oif and rule.not_oif or rule.iif and rule.not_iif):
            assert nft_rules.decode(nft_rules.encode(rule)) == rule


def test_prefix_is_compared_under_its_own_mask() -> None:
    """10.0.0.0/8 also matches under the mask of a /12, so the test compares the bytes."""
    sent = nft_rules.encode(Rule(src="172.16.0.0/12"))
    assert bytes([255, 240, 0, 0]) in sent
    assert bytes([172, 16, 0, 0]) in sent


def whole() -> list[bytes]:
    """The expressions for a source prefix with a mask."""
    return [pack(1, value) for dummy, value in items(nft_rules.encode(Rule(src="172.16.0.0/12")))]


# Indexes of these expressions.
NFPROTO_CMP, PAYLOAD, BITWISE, CMP, VERDICT = 1, 2, 3, 4, 5


def number(value: int) -> bytes:
    return value.to_bytes(4, "big")


@pytest.mark.parametrize(
    "position, attribute, value",
    [
        (NFPROTO_CMP, 2, number(1)),  # another comparison
        (NFPROTO_CMP, 3, pack(1, b"\x0a")),  # another family
        (PAYLOAD, 2, number(0)),  # another header
        (PAYLOAD, 3, number(13)),  # another offset
        (PAYLOAD, 4, number(3)),  # another length
        (PAYLOAD, 1, number(2)),  # another register
        (BITWISE, 1, number(2)),
        (BITWISE, 2, number(2)),
        (BITWISE, 6, number(1)),  # a shift
        (BITWISE, 4, pack(1, bytes([255, 15, 0, 0]))),  # a mask with gaps
        (BITWISE, 5, pack(1, bytes([1, 0, 0, 0]))),  # inverted bits
        (CMP, 1, number(2)),
        (CMP, 2, number(1)),
        (CMP, 3, pack(1, bytes([172, 18, 0, 0]))),  # bits outside the mask
        (VERDICT, 2, pack(1, bytes(4))),  # a value
    ],
)
def test_other_meaning_is_not_taken_for_a_rule(position: int, attribute: int, value: bytes) -> None:
    expressions = whole()
    name, data = _parts(expressions[position])
    told = {**walk(data), attribute: value}
    changed = b"".join(pack(kind, one) for kind, one in told.items())
    expressions[position] = pack(1, pack(1, name) + pack(2, changed))
    assert nft_rules.decode(b"".join(whole())) == Rule(src="172.16.0.0/12")
    assert nft_rules.decode(b"".join(expressions)) is None


def _parts(expression: bytes) -> tuple[bytes, bytes]:
    """The name and the data of an expression."""
    found = walk(expression[4:])
    return found[1], found[2]


@pytest.mark.parametrize(
    "change",
    ["without family", "twice", "after the verdict", "without verdict", "mask over the family", "two masks"],
)
def test_other_order_is_not_taken_for_a_rule(change: str) -> None:
    parts = whole()
    expressions = {
        "without family": parts[2:],
        "twice": parts[:-1] + parts[2:],
        "after the verdict": [*parts, nft_rules.encode(Rule(iif="in"))],
        "without verdict": parts[:-1],
        "mask over the family": [*parts[:1], parts[BITWISE], *parts[1:]],
        "two masks": [*parts[: BITWISE + 1], *parts[BITWISE:]],
    }[change]
    assert nft_rules.decode(b"".join(expressions)) is None


def test_half_of_what_is_bridged_is_not_taken_for_a_rule() -> None:
    parts = [pack(1, value) for dummy, value in items(nft_rules.encode(Rule(bridged=True)))]
    assert nft_rules.decode(b"".join(parts)) == Rule(bridged=True)
    assert nft_rules.decode(b"".join(parts[:2] + parts[-1:])) is None


def test_unknown_rule_is_like_no_other_but_like_itself_later() -> None:
    assert Unknown("counter, immediate", b"1") == Unknown("counter, immediate", b"2")
    assert Unknown("immediate") != Rule()


def test_restricted_forward_lets_out_and_answers_in() -> None:
    ways = [("br0", "10.0.0.0/24"), ("br0", "fd00::/64"), ("v1", "10.1.0.0/24"), ("br0", "10.0.0.0/24")]
    assert [str(rule) for rule in nftables.restricted_forward(ways)] == [
        "meta nfproto ipv4 ct state established,related accept",
        "meta nfproto ipv6 ct state established,related accept",
        'iifname "br0" ip saddr 10.0.0.0/24 accept',
        'iifname "br0" ip6 saddr fd00::/64 accept',
        'iifname "v1" ip saddr 10.1.0.0/24 accept',
        'iifname != "br0" oifname "br0" ip daddr 10.0.0.0/24 drop',
        'iifname != "br0" oifname "br0" ip6 daddr fd00::/64 drop',
        'iifname != "v1" oifname "v1" ip daddr 10.1.0.0/24 drop',
    ]


def test_the_guard_lets_pass_what_is_a_labs_and_what_is_bridged() -> None:
    assert [str(rule) for rule in nftables.guarded_forward([4, 6], ["br0", "v1"], ["virbr0"])] == [
        'iifname "br0" accept',
        'iifname "v1" accept',
        'oifname "br0" accept',
        'oifname "v1" accept',
        'meta nfproto ipv4 iifname "virbr0" oifname != "virbr0" drop',
        'meta nfproto ipv6 iifname "virbr0" oifname != "virbr0" drop',
        'meta iifkind "bridge" meta oifkind "bridge" accept',
        "meta nfproto ipv4 drop",
        "meta nfproto ipv6 drop",
    ]


RULESET = nftables.Ruleset(
    {
        "postrouting": nftables.postrouting([Rule(src="172.16.0.0/12", not_oif="br0", verdict="masquerade")]),
        "forward": nftables.forward([Rule(ct_established=True)]),
    }
)


def test_commands_are_for_a_shell() -> None:
    assert nftables.commands("web-1", None, RULESET) == [
        "nft add table inet linuxnet.lab.web-1",
        "nft 'add chain inet linuxnet.lab.web-1 postrouting"
        " { type nat hook postrouting priority srcnat ; policy accept ; }'",
        "nft 'add rule inet linuxnet.lab.web-1 postrouting ip saddr 172.16.0.0/12 oifname != \"br0\" masquerade'",
        "nft 'add chain inet linuxnet.lab.web-1 forward"
        " { type filter hook forward priority filter ; policy accept ; }'",
        "nft add rule inet linuxnet.lab.web-1 forward ct state established,related accept",
    ]
    assert nftables.commands("web-1", RULESET, None) == ["nft delete table inet linuxnet.lab.web-1"]
    assert nftables.commands("web-1", None, None) == []


def test_commands_replace_the_rules_of_chains_that_are_there() -> None:
    wanted = dataclasses.replace(RULESET, chains={**RULESET.chains, "forward": nftables.forward([])})
    rule = nftables.commands("web-1", None, RULESET)[2]
    flush = "nft flush chain inet linuxnet.lab.web-1 "
    assert nftables.commands("web-1", RULESET, wanted) == [flush + "postrouting", rule, flush + "forward"]
    other = nftables.Ruleset({"forward": RULESET.chains["forward"]})
    assert nftables.commands("web-1", other, RULESET)[:2] == [
        "nft delete table inet linuxnet.lab.web-1",
        "nft add table inet linuxnet.lab.web-1",
    ]


def test_show_is_for_people() -> None:
    odd = nftables.Ruleset({"x": nftables.Chain(rules=(Unknown("notrack"),))}, ("flags 0x1",))
    assert odd.show() == {"table": ["flags 0x1"], "x": ["", "a rule not made for a lab (notrack)"]}
    assert RULESET.show()["forward"] == [
        "type filter hook forward priority filter ; policy accept ;",
        "ct state established,related accept",
    ]
