# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The results of checks as a table."""

from __future__ import annotations

import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils.probe.matrix import aligned

# The maximum number of lines of an error. Nobody reads more of a large lab's table.
MOST_LINES = 50

_TITLES = ("", "FROM", "TO", "EXPECTED", "GOT", "REASON", "RTT")


def summary(results: list[dict[str, t.Any]]) -> str:
    """One sentence, such as `2 of 9 checks are not as expected`."""
    count = len(results)
    wrong = sum(not result["ok"] for result in results)
    if wrong:
        return f"{wrong} of {count} checks {'is' if wrong == 1 else 'are'} not as expected"
    return "1 check, as expected" if count == 1 else f"{count} checks, all as expected"


def table(results: list[dict[str, t.Any]]) -> list[str]:
    """The lines of a table, titles first, with `!!` before each check that is not as expected.

    :param results: dicts as the module returns them.
    """
    return aligned([_TITLES, *(_row(result) for result in results)])


def failure(results: list[dict[str, t.Any]], shown: list[str] | None) -> str:
    """The text of an error: the summary and the *shown* lines. If they are None or too many, only the failed checks.

    It has at most :data:`MOST_LINES` lines. The last one counts the failed checks that it omits.
    """
    if shown is not None and len(shown) < MOST_LINES:
        return "\n".join([summary(results), *shown])
    first = first_failed(results)
    left = sum(not result["ok"] for result in results) - len(first)
    more = ["... and {0} more".format(left)] if left > 0 else []
    return "\n".join([summary(results), *table(first), *more])


def first_failed(results: list[dict[str, t.Any]]) -> list[dict[str, t.Any]]:
    """The failed checks for which an error of :data:`MOST_LINES` lines has room."""
    room = MOST_LINES - 3  # the summary, the titles and the count
    return [result for result in results if not result["ok"]][:room]


def _row(result: dict[str, t.Any]) -> tuple[str, ...]:
    return (
        "" if result["ok"] else "!!",
        result["from"] or "host",
        _target(result),
        result["expect"],
        result["got"],
        _why(result),
        "-" if result["rtt_ms"] is None else "{:.3f} ms".format(result["rtt_ms"]),
    )


def _target(result: dict[str, t.Any]) -> str:
    """The target, with the protocol, port and size unless they are the defaults."""
    parts = [result["to"]]
    if "protocol" in result:
        parts.append("/".join([result["protocol"], *(str(result[name]) for name in ["port"] if name in result)]))
    if "size" in result:
        parts.append("size {}".format(result["size"]))
    return " ".join(parts)


def _why(result: dict[str, t.Any]) -> str:
    why: str = result["reason"]
    if result["errno"]:
        why += " ({})".format(result["errno"])
    if result["by"] not in ("", result["to"]):
        why += " by {}".format(result["by"])
    if result["reason"] == "too_few_replies":
        why += " ({} of {} sent)".format(result["received"], result["sent"])
    if result.get("sysctl"):
        why += " ({})".format(result["sysctl"])
    if result.get("mtu"):
        why += " (mtu {})".format(result["mtu"])
    if result.get("lladdrs"):
        why += " from {}".format(", ".join(result["lladdrs"]))
    return why
