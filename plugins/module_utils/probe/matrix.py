# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Convert a matrix of namespaces (rows) and targets (columns) to single checks, and their results to a matrix."""

from __future__ import annotations

import ipaddress
import itertools
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils.errors import LabError
from ansible_collections.linuxnet.lab.plugins.module_utils.probe import reasons
from ansible_collections.linuxnet.lab.plugins.module_utils.probe.checks import MOST

_YES, _NO = "yes", "no"
_CELLS = {_YES: reasons.REACHABLE, _NO: reasons.UNREACHABLE, **{word: word for word in reasons.WORDS}}
_SKIP = "skip"

Asked = dict[str, t.Any]
Result = dict[str, t.Any]


class Member(t.NamedTuple):
    """An address and its namespace."""

    netns: str
    address: str


def product(senders: list[str], targets: list[str]) -> list[Asked]:
    """Checks from every sender to every target. LabError if they are too many for a matrix."""
    return _limited({"from": netns, "to": to} for netns in dict.fromkeys(senders) for to in dict.fromkeys(targets))


def pairs(members: t.Sequence[Member]) -> list[Asked]:
    """Checks from every namespace to the addresses of all others, if it has an address of the same IP version itself.

    LabError if they are too many for a matrix.
    """
    families = {(member.netns, _version(member.address)) for member in members}
    senders = list(dict.fromkeys(member.netns for member in members))
    return _limited(
        {"from": netns, "to": address}
        for netns in senders
        for owner, address in dict.fromkeys(members)
        if owner != netns and (netns, _version(address)) in families
    )


def _limited(asked: t.Iterator[Asked]) -> list[Asked]:
    checks = list(itertools.islice(asked, MOST + 1))
    if len(checks) > MOST:
        raise LabError("matrix: there are more than {0} checks".format(MOST))
    return checks


def _version(address: str) -> int:
    """4 or 6. 0 for an invalid address, which :mod:`.checks` reports later."""
    try:
        return ipaddress.ip_address(address.partition("%")[0]).version
    except ValueError:
        return 0


def expect(asked: list[Asked], rows: dict[t.Any, t.Any]) -> tuple[list[Asked], list[str]]:
    """Set the expectations of a matrix's checks from its rows.

    :param rows: by sender, one of these forms: a word for all its targets; a list of words, one for each of its targets
        in their order, also as a text with spaces between the words; a list of the targets that it reaches, so that the
        others are unreachable; a dict of words by target. A word is one of :data:`.reasons.WORDS`, yes, no, or a
        boolean. - or None omits the check.
    :returns: the checks, with `expect` if a row sets it, and all errors in the rows.
    """
    targets: dict[str, list[str]] = {}
    for item in asked:
        targets.setdefault(item["from"], []).append(item["to"])
    expected: dict[tuple[str, str], str] = {}
    errors = []
    for key, row in rows.items():
        netns, place = str(key), f"matrix.rows[{str(key)!r}]"
        if netns not in targets:
            errors.append(f"{place}: the matrix has no check from this namespace")
            continue
        cells, problem = _cells(row, targets[netns])
        if problem:
            errors.append(f"{place}{problem}")
        for target, cell in cells.items():
            word = _word(cell)
            if word is None:
                errors.append(f"{place}: {cell!r} is not yes, no or a reason")
            elif target not in targets[netns]:
                errors.append(f"{place}: {target!r} is not one of its targets")
            else:
                expected[netns, target] = word
    checks = [{**item, "expect": expected.get((item["from"], item["to"]))} for item in asked]
    return [item for item in checks if item["expect"] != _SKIP], errors


def _cells(row: t.Any, targets: list[str]) -> tuple[dict[str, t.Any], str]:
    """The cells of a row, by target, and its error. Empty for none."""
    if isinstance(row, dict):
        return {str(target): cell for target, cell in row.items()}, ""
    if isinstance(row, str) and len(row.split()) > 1:
        row = row.split()
    if not isinstance(row, list):
        return {target: row for target in targets}, ""
    if all(isinstance(item, str) and item in targets for item in row):
        return {target: target in row for target in targets}, ""
    if len(row) == len(targets):
        return dict(zip(targets, row)), ""
    return {}, f": {len(row)} cells do not match {len(targets)} targets, and not all cells are targets"


def _word(cell: t.Any) -> str | None:
    if cell in (None, "-"):
        return _SKIP
    if isinstance(cell, bool):
        return _CELLS[_YES if cell else _NO]
    return _CELLS.get(cell) if isinstance(cell, str) else None


def lines(results: list[Result]) -> list[str]:
    """The results as a matrix. A cell is `yes`, `no` if plain `unreachable` was expected, or the reason.

    `!!` marks results that are not as expected.
    """
    senders = list(dict.fromkeys(result["from"] for result in results))
    targets = list(dict.fromkeys(result["to"] for result in results))
    cells = {(result["from"], result["to"]): _cell(result) for result in results}
    rows = [["FROM", *targets]]
    rows += [[netns or "host", *(cells.get((netns, target), "-") for target in targets)] for netns in senders]
    return aligned(rows)


def _cell(result: Result) -> str:
    wrong = "" if result["ok"] else "!! "
    if result["got"] == reasons.REACHABLE and result["reason"] == "reply":
        return wrong + _YES
    return _NO if result["ok"] and result["expect"] == reasons.UNREACHABLE else wrong + result["reason"]


def aligned(rows: t.Sequence[t.Sequence[str]]) -> list[str]:
    """Rows with the same number of cells as lines with aligned columns."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
