# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Convert a matrix, namespaces (rows) by targets (columns), to single checks, and their results to a matrix."""

from __future__ import annotations

import ipaddress
import itertools
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils.errors import LabError
from ansible_collections.linuxnet.lab.plugins.module_utils.probe import reasons
from ansible_collections.linuxnet.lab.plugins.module_utils.probe.checks import MOST, TOO_MANY

_YES, _NO = "yes", "no"
_CELLS = {_YES: reasons.REACHABLE, _NO: reasons.UNREACHABLE, **{word: word for word in reasons.WORDS}}
_SKIP = "skip"

Asked = dict[str, t.Any]
Result = dict[str, t.Any]


class Member(t.NamedTuple):
    """An address and the namespace whose it is."""

    netns: str
    address: str


def product(senders: list[str], targets: list[str]) -> list[Asked]:
    """Every sender to every target; LabError where they are more than one run can ask."""
    return _limited({"from": netns, "to": one} for netns in dict.fromkeys(senders) for one in dict.fromkeys(targets))


def pairs(members: t.Sequence[Member]) -> list[Asked]:
    """Every namespace to the addresses of all others, as far as it has one of the same family itself.

    LabError where they are more than one run can ask.
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
    found = list(itertools.islice(asked, MOST + 1))
    if len(found) > MOST:
        raise LabError("matrix: {0}".format(TOO_MANY))
    return found


def _version(address: str) -> int:
    """4 or 6; what is no address is found wrong later, as a target."""
    try:
        return ipaddress.ip_address(address.partition("%")[0]).version
    except ValueError:
        return 0


def expect(asked: list[Asked], rows: dict[t.Any, t.Any]) -> tuple[list[Asked], list[str]]:
    """Give the checks of a matrix what its rows say.

    :param rows: sender -> a word for all its targets; or a list of words, one for each of its targets in their order,
        also as a text with spaces between them; or a list of the targets that it reaches, the others being
        unreachable; or target -> word. A word is one of :data:`.reasons.WORDS`, yes, no, or a truth value; - or None
        leaves a check out.
    :returns: the checks with `expect` where a row says it, and everything that is wrong with the rows.
    """
    targets: dict[str, list[str]] = {}
    for item in asked:
        targets.setdefault(item["from"], []).append(item["to"])
    said: dict[tuple[str, str], str] = {}
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
                said[netns, target] = word
    told = [{**item, "expect": said.get((item["from"], item["to"]))} for item in asked]
    return [item for item in told if item["expect"] != _SKIP], errors


def _cells(row: t.Any, targets: list[str]) -> tuple[dict[str, t.Any], str]:
    """What a row says about each target, and what is wrong with it."""
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
    """The results as a matrix: `yes`, `no` where no more was expected, or why not; `!!` before a wrong one."""
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
    """Rows of equally many cells as lines with columns as wide as they have to be."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
