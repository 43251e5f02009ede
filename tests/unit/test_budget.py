# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Small topologies take little time and memory, whatever they expand to. The result is a lab or a few clear errors."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.linuxnet.lab.plugins.module_utils.errors import LabError
from ansible_collections.linuxnet.lab.plugins.module_utils.probe.checks import MOST
from ansible_collections.linuxnet.lab.plugins.module_utils.topology import budget, contract, layout

from .bounded import bounded


def nested(depth: int, value: t.Any = "a") -> t.Any:
    """A value in that many nested lists."""
    for dummy in range(depth):
        value = [value]
    return value


def bomb(depth: int) -> t.Any:
    """The data of YAML aliases: each level contains the one below ten times."""
    value: t.Any = "a"
    for dummy in range(depth):
        value = [value] * 10
    return value


def segments(count: int, size: int) -> dict[str, t.Any]:
    """That many networks with as many namespaces each."""
    return {
        f"s{number}": {"prefix": f"10.{number}.0.0/16", "members": f"n{number}-[1:{size}]"} for number in range(count)
    }


OBJECTS = f"this makes more than {budget.OBJECTS} namespaces, bridges, ends of links and routes in one topology"
MANY = [f"n{number}" for number in range(20_000)]

CASES: dict[str, tuple[t.Callable[[], dict[str, t.Any]], str]] = {
    "many ranges": (lambda: {"namespaces": {f"n{one}-[1:65536]": None for one in range(20)}}, OBJECTS),
    "a list of ranges": (lambda: {"namespaces": [f"n{one}-[1:65536]" for one in range(20)]}, OBJECTS),
    "ranges of networks": (lambda: {"segments": {f"s{one}-[1:65536]": None for one in range(20)}}, OBJECTS),
    "ranges of links": (
        lambda: {"namespaces": "a", "links": [[f"a:x{one}-[1:65536]", f"a:y{one}-[1:65536]"] for one in range(20)]},
        OBJECTS,
    ),
    "65,536 networks": (lambda: {"segments": {f"s{one}": None for one in range(65536)}}, OBJECTS),
    "all to all": (
        lambda: {
            "namespaces": {f"n{one}-[1:1000]": None for one in range(3)},
            "segments": segments(3, 1000),
            "checks": {"from": "all", "to": "all"},
        },
        "checks: this makes more than 1000000 single checks in one topology",
    ),
    "routes to everywhere": (
        lambda: {
            "namespaces": {"r[1:3000]": {"forwarding": True, "lo": "10.0.0.1"}},
            "links": [["r[1:2999]", "r[2:3000]"]],
            "pool": "10.8.0.0/16",
            "routing": "static",
        },
        "routing: this makes more than 1000000 single routes in one topology",
    ),
    "a route by a namespace of many addresses": (
        lambda: {
            "namespaces": {"a": {"lo": [f"10.0.{one // 250}.{one % 250 + 1}" for one in range(5000)]}},
            "routes": {"netns": "a", "dst": "default", "via": "a"},
        },
        "comparisons",
    ),
    "deep": (lambda: {"namespaces": nested(50_000)}, "more than 32 nested lists and mappings"),
    "deep in an unknown key": (lambda: {"what": nested(50_000)}, "more than 32 nested lists and mappings"),
    "aliases": (lambda: {"namespaces": bomb(30)}, f"there are more than {budget.VALUES} values"),
    "a long name": (lambda: {"namespaces": {"a" * 5_000_000: None}}, "a text of 5000000 characters that begins"),
    "a long name of the lab": (lambda: {"name": "[" * 1_000_000}, "a text of 1000000 characters"),
    "a long number": (lambda: {"mtu": "9" * 1000}, "is not a number"),
    "a range of long numbers": (lambda: {"namespaces": "a[{0}:{0}]".format("9" * 400)}, "is not a namespace name"),
    "a range beside a long list": (
        lambda: {"namespaces": {"n[1:10000]": {"lo": ["10.0.[1:10000].1", *["10.0.0.1"] * 1000]}}},
        f"there are more than {budget.VALUES} values",
    ),
    "unknown keys": (lambda: {f"kye{one}": 1 for one in range(60_000)}, "there are more errors;"),
    "unknown names": (
        lambda: {"namespaces": MANY, "routes": [{"netns": "x" + one, "dst": "default"} for one in MANY]},
        "there are more errors;",
    ),
    "twice the same": (lambda: {"namespaces": MANY + MANY}, "there are more errors;"),
    "names that find no place": (
        lambda: {"segments": {"s": {"prefix": "10.0.0.0/18", "members": [one + "x" for one in MANY]}}},
        "there are more errors;",
    ),
    "places near each other": (
        lambda: {
            "namespaces": [one + "x" for one in MANY[:8000]],
            "segments": {"s": {"prefix": "10.0.0.0/18", "members": [one + "x" for one in MANY[:8000]]}},
        },
        "segments.s: 8000 ports, a bridge has at most 1023",
    ),
    "cables side by side": (lambda: {"namespaces": "a", "links": [["a", "a"]] * 8_000, "pool": "10.0.0.0/8"}, ""),
    "bridges in a row": (
        lambda: {
            "bridges": {"b[1:5000]": None},
            "links": [["b[1:4999]", "b[2:5000]"]],
            "routing": "static",
        },
        "",
    ),
    "20,000 namespaces": (lambda: {"namespaces": MANY}, ""),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_small_stays_small(name: str) -> None:
    """The layout ends within the limits, with the expected error, or without one."""
    make, expected = CASES[name]
    data = {"name": "demo", **make()}

    def work() -> list[str]:
        try:
            errors = layout.read(data)[1]
            if errors:
                raise LabError(errors)
            return []
        except LabError as exc:
            return exc.errors

    errors = bounded(work)
    assert bool(errors) == bool(expected), errors[:3]
    assert expected in (errors or [""])[-1]
    assert len(errors) <= 202 and sum(map(len, errors)) < 200_000


def test_a_contract_has_more_checks_than_run_at_the_same_time() -> None:
    data = {"name": "demo", "namespaces": {"n0-[1:900]": None}, "segments": segments(1, 900)}
    lab, errors = layout.read({**data, "checks": {"from": "all", "to": "all"}})
    assert errors == []
    assert len(contract.checks(lab)) == 900 * 899 > MOST
