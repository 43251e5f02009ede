# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import itertools
import typing as t

import pytest

from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import nft_rules, nftables
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.library import nftsocket
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.nft_rules import Rule, Unknown


def through_the_library(expressions: list[t.Any]) -> Rule | None:
    """Encode and decode as on the way to the kernel and back."""
    sent = nftsocket().nft_rule_msg()
    sent["attrs"] = [("NFTA_RULE_EXPRESSIONS", expressions)]
    sent.encode()
    received = nftsocket().nft_rule_msg(sent.data)
    received.decode()
    return nft_rules.decode(received.get_attr("NFTA_RULE_EXPRESSIONS"))


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
        assert through_the_library(nft_rules.encode(rule)) == rule
    combinations = itertools.product(
        (0, 4), ("", "10.1.0.0/16"), ("", "10.2.0.0/15"), ("", "in"), ("", "out"), ("", "a-name-of-15-ch"),
        (False, True), ("accept", "drop", "masquerade"),
    )  # fmt: skip
    for fields in combinations:
        rule = Rule(*fields)
        if not (rule.oif and rule.not_oif):
            assert through_the_library(nft_rules.encode(rule)) == rule


def test_prefix_is_compared_under_its_own_mask() -> None:
    """10.0.0.0/8 fits under the mask of a /12 too, so only the bytes show which mask was sent."""
    sent = nftsocket().nft_rule_msg()
    sent["attrs"] = [("NFTA_RULE_EXPRESSIONS", nft_rules.encode(Rule(src="172.16.0.0/12")))]
    sent.encode()
    assert bytes([255, 240, 0, 0]) in bytes(sent.data)
    assert bytes([172, 16, 0, 0]) in bytes(sent.data)


# Positions in what encode() makes of a source prefix under a mask.
NFPROTO_CMP, PAYLOAD, BITWISE, CMP, VERDICT = 1, 2, 3, 4, 5


@pytest.mark.parametrize(
    "position, attribute, value",
    [
        (NFPROTO_CMP, "NFTA_CMP_OP", 1),
        (NFPROTO_CMP, "NFTA_CMP_DATA", {"attrs": [("NFTA_DATA_VALUE", b"\x0a")]}),
        (PAYLOAD, "NFTA_PAYLOAD_BASE", 0),
        (PAYLOAD, "NFTA_PAYLOAD_OFFSET", 13),
        (PAYLOAD, "NFTA_PAYLOAD_LEN", 3),
        (PAYLOAD, "NFTA_PAYLOAD_DREG", 2),
        (BITWISE, "NFTA_BITWISE_SREG", 2),
        (BITWISE, "NFTA_BITWISE_DREG", 2),
        (BITWISE, "NFTA_BITWISE_OP", 1),
        (BITWISE, "NFTA_BITWISE_MASK", {"attrs": [("NFTA_DATA_VALUE", bytes([255, 15, 0, 0]))]}),
        (BITWISE, "NFTA_BITWISE_XOR", {"attrs": [("NFTA_DATA_VALUE", bytes([1, 0, 0, 0]))]}),
        (CMP, "NFTA_CMP_SREG", 2),
        (CMP, "NFTA_CMP_OP", 1),
        (CMP, "NFTA_CMP_DATA", {"attrs": [("NFTA_DATA_VALUE", bytes([172, 18, 0, 0]))]}),
        (VERDICT, "NFTA_IMMEDIATE_DATA", {"attrs": [("NFTA_DATA_VALUE", bytes(4))]}),
    ],
)
def test_other_meaning_is_not_taken_for_a_rule(position: int, attribute: str, value: t.Any) -> None:
    expressions = nft_rules.encode(Rule(src="172.16.0.0/12"))
    attributes = expressions[position]["attrs"][1][1]["attrs"]
    attributes[:] = [*((name, old) for name, old in attributes if name != attribute), (attribute, value)]
    assert through_the_library(expressions) is None


@pytest.mark.parametrize(
    "change",
    ["without family", "twice", "after the verdict", "without verdict", "mask over the family", "two masks"],
)
def test_other_order_is_not_taken_for_a_rule(change: str) -> None:
    whole = nft_rules.encode(Rule(src="172.16.0.0/12"))
    expressions = {
        "without family": whole[2:],
        "twice": whole[:-1] + whole[2:],
        "after the verdict": whole + nft_rules.encode(Rule(iif="in"))[:-1],
        "without verdict": whole[:-1],
        "mask over the family": [*whole[:1], whole[BITWISE], *whole[1:]],
        "two masks": [*whole[: BITWISE + 1], *whole[BITWISE:]],
    }[change]
    assert through_the_library(expressions) is None


def test_unknown_rule_is_like_no_other_but_like_itself_later() -> None:
    assert Unknown("counter, immediate", b"1") == Unknown("counter, immediate", b"2")
    assert Unknown("immediate") != Rule()


def test_restricted_forward_lets_out_and_answers_in() -> None:
    assert [str(rule) for rule in nftables.restricted_forward(["10.0.0.0/24", "fd00::/64"])] == [
        "ct state established,related accept",
        "ip saddr 10.0.0.0/24 accept",
        "ip6 saddr fd00::/64 accept",
        "ip daddr 10.0.0.0/24 drop",
        "ip6 daddr fd00::/64 drop",
    ]


RULESET = nftables.Ruleset(
    {
        "postrouting": nftables.postrouting([Rule(src="172.16.0.0/12", not_oif="br0", verdict="masquerade")]),
        "forward": nftables.forward([Rule(ct_established=True)]),
    }
)


def test_commands_are_for_a_shell() -> None:
    assert nftables.commands("web-1", RULESET) == [
        "nft add table inet linuxnet.lab.web-1",
        "nft 'add chain inet linuxnet.lab.web-1 postrouting"
        " { type nat hook postrouting priority srcnat ; policy accept ; }'",
        "nft 'add rule inet linuxnet.lab.web-1 postrouting ip saddr 172.16.0.0/12 oifname != \"br0\" masquerade'",
        "nft 'add chain inet linuxnet.lab.web-1 forward"
        " { type filter hook forward priority filter ; policy accept ; }'",
        "nft add rule inet linuxnet.lab.web-1 forward ct state established,related accept",
    ]
    assert nftables.commands("web-1", None) == ["nft delete table inet linuxnet.lab.web-1"]


def test_show_is_for_people() -> None:
    odd = nftables.Ruleset({"x": nftables.Chain(rules=(Unknown("notrack"),))}, ("flags 0x1",))
    assert odd.show() == {"table": ["flags 0x1"], "x": ["", "a rule not made for a lab (notrack)"]}
    assert RULESET.show()["forward"] == [
        "type filter hook forward priority filter ; policy accept ;",
        "ct state established,related accept",
    ]
