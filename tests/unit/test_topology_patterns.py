# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.linuxnet.lab.plugins.module_utils.topology import patterns


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("web", ["web"]),
        ("web[1:3]", ["web1", "web2", "web3"]),
        ("web[3:3].lan", ["web3.lan"]),
        ("n[08:11]", ["n08", "n09", "n10", "n11"]),
        ("n[00:1]", ["n00", "n01"]),
        ("n[0:2]", ["n0", "n1", "n2"]),
        ("n[099:101]", ["n099", "n100", "n101"]),
        ("rack[a:c]-1", ["racka-1", "rackb-1", "rackc-1"]),
        ("[1:2]", ["1", "2"]),
        ("web[1-3]", ["web[1-3]"]),
        ("web[1:c]", ["web[1:c]"]),
        ("web[]", ["web[]"]),
    ],
)
def test_a_range_spreads(text: str, items: list[str]) -> None:
    assert patterns.expand(text) == items
    assert patterns.is_range(text) is (items != [text])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("web[3:1]", "the range in 'web[3:1]' has 0 items, not 1 to 65536"),
        ("web[c:a]", "the range in 'web[c:a]' has 0 items, not 1 to 65536"),
        ("web[1:65537]", "the range in 'web[1:65537]' has 65537 items, not 1 to 65536"),
        ("web[1:99999999999999999999]", "the range in 'web[1:99999999999999999999]' has 99999999999999999999 items"),
        ("a[1:2]b[1:2]", "'a[1:2]b[1:2]' has more than one range"),
    ],
)
def test_a_range_that_cannot_be_is_told(text: str, reason: str) -> None:
    with pytest.raises(ValueError) as caught:
        patterns.expand(text)
    assert str(caught.value).startswith(reason)


def test_the_longest_range() -> None:
    assert len(patterns.expand("web[1:65536]")) == 65536


@pytest.mark.parametrize(
    ("value", "spread"),
    [
        ("a", ["a"]),
        ({"a": 1, "b": [None, True]}, [{"a": 1, "b": [None, True]}]),
        ("r[1:2]:eth[0:1]", ["r1:eth0", "r2:eth1"]),
        (["a[1:2]", {"b": "[x:y]", "c": [5]}], [["a1", {"b": "x", "c": [5]}], ["a2", {"b": "y", "c": [5]}]]),
        ({"a[1:2]": "b"}, [{"a[1:2]": "b"}]),
        ("10.0.[1:2].[01:02]0", ["10.0.1.010", "10.0.2.020"]),
    ],
)
def test_ranges_in_a_value_run_side_by_side(value: t.Any, spread: list[t.Any]) -> None:
    assert patterns.side_by_side(value) == spread


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (["a[1:2]", "b[1:3]"], "'a[1:2]' stands for 2, but 'b[1:3]' for 3"),
        ({"a": {"b": ["c[1:3]"]}, "d": "[a:b]"}, "'c[1:3]' stands for 3, but '[a:b]' for 2"),
        ("[1:2].[1:3]", "the ranges in '[1:2].[1:3]' have different lengths"),
        (["[2:1]"], "the range in '[2:1]' has 0 items, not 1 to 65536"),
    ],
)
def test_ranges_that_cannot_run_side_by_side_are_told(value: t.Any, reason: str) -> None:
    with pytest.raises(ValueError) as caught:
        patterns.side_by_side(value)
    assert str(caught.value) == reason
