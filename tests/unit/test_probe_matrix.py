# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Matrices are converted to checks, and results to matrices."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.linuxnet.lab.plugins.module_utils.probe import matrix
from ansible_collections.linuxnet.lab.plugins.module_utils.probe.matrix import Member

A, B = "10.0.0.1", "10.0.0.2"


def cells(rows: dict[t.Any, t.Any], senders: t.Sequence[str] = ("x", "")) -> tuple[list[t.Any], list[str]]:
    """The expectations for two targets and each sender, and the errors."""
    asked, errors = matrix.expect(matrix.product(list(senders), [A, B]), rows)
    return [(item["from"], item["to"], item["expect"]) for item in asked], errors


def test_product_is_every_sender_to_every_target_once() -> None:
    """The checks are in the order of the rows. Repeated senders and targets count once."""
    assert matrix.product(["x", "", "x"], [A, B, A]) == [
        {"from": netns, "to": address} for netns in ("x", "") for address in (A, B)
    ]


def test_pairs_are_all_but_those_of_one_namespace() -> None:
    """A sender gets only targets of an IP version that it has itself."""
    members = [Member("x", A), Member("x", "fd00::1"), Member("y", B), Member("y", "10.0.0.9"), Member("x", A)]
    assert matrix.pairs(members) == [
        {"from": "x", "to": B},
        {"from": "x", "to": "10.0.0.9"},
        {"from": "y", "to": A},
    ]


def test_pairs_leave_what_is_no_address_to_the_checks() -> None:
    """The checks report an invalid address with its place."""
    assert matrix.pairs([Member("x", "ten"), Member("y", "ten")]) == [
        {"from": "x", "to": "ten"},
        {"from": "y", "to": "ten"},
    ]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (True, ["reachable", "reachable"]),
        ("no", ["unreachable", "unreachable"]),
        ("refused", ["refused", "refused"]),
        (["yes", False], ["reachable", "unreachable"]),
        ("yes  no_reply", ["reachable", "no_reply"]),
        (["no_reply", "unreachable"], ["no_reply", "unreachable"]),
        ([B], ["unreachable", "reachable"]),
        ([B, A], ["reachable", "reachable"]),
        ([], ["unreachable", "unreachable"]),
        ({A: "no_route"}, ["no_route", None]),
        ({B: False, A: True}, ["reachable", "unreachable"]),
    ],
)
def test_a_row(row: t.Any, expected: list[str]) -> None:
    """A row has one of its forms. Other rows stay as they are."""
    found, errors = cells({"x": row})
    assert (found, errors) == ([("x", A, expected[0]), ("x", B, expected[1]), ("", A, None), ("", B, None)], [])


def test_nothing_leaves_checks_out() -> None:
    """An empty cell or row omits its checks."""
    assert cells({"x": [None, True], "": None}) == ([("x", B, "reachable")], [])
    assert cells({"x": "- yes", "": "-"}) == ([("x", B, "reachable")], [])


def test_a_row_of_a_process_may_be_a_number() -> None:
    """YAML reads a PID as a number."""
    assert cells({12: True}, ["12"])[0] == [("12", A, "reachable"), ("12", B, "reachable")]


@pytest.mark.parametrize(
    ("rows", "error"),
    [
        ({"z": True}, "matrix.rows['z']: the matrix has no check from this namespace"),
        ({"x": "maybe"}, "matrix.rows['x']: 'maybe' is not yes, no or a reason"),
        ({"x": 1}, "matrix.rows['x']: 1 is not yes, no or a reason"),
        ({"x": {"10.0.0.9": True}}, "matrix.rows['x']: '10.0.0.9' is not one of its targets"),
        ({"x": "yes no no"}, "matrix.rows['x']: 3 cells do not match 2 targets, and not all cells are targets"),
        ({"x": [True]}, "matrix.rows['x']: 1 cells do not match 2 targets, and not all cells are targets"),
        ({"x": [A, "10.0.0.9"]}, "matrix.rows['x']: '10.0.0.1' is not yes, no or a reason"),
    ],
)
def test_a_wrong_row(rows: dict[t.Any, t.Any], error: str) -> None:
    """The error names the row."""
    assert error in cells(rows)[1]


def result(netns: str, to: str, expect: str, reason: str, ok: bool) -> dict[str, t.Any]:
    """A result of the module, with the keys that a matrix uses."""
    got = "reachable" if reason in ("reply", "too_few_replies") else "unreachable"
    return {"from": netns, "to": to, "expect": expect, "got": got, "reason": reason, "ok": ok}


def test_lines() -> None:
    """Expected results show only the expectation, others the reason. A dash stands for an omitted check."""
    results = [
        result("x", A, "reachable", "reply", True),
        result("x", B, "unreachable", "no_reply", True),
        result("", A, "no_route", "no_route", True),
        result("", B, "no_route", "no_reply", False),
        result("y", A, "unreachable", "reply", False),
        result("z", B, "reachable", "too_few_replies", False),
        result("z", A, "reachable", "prohibited", False),
    ]
    assert matrix.lines(results) == [
        "FROM  10.0.0.1       10.0.0.2",
        "x     yes            no",
        "host  no_route       !! no_reply",
        "y     !! yes         -",
        "z     !! prohibited  !! too_few_replies",
    ]
