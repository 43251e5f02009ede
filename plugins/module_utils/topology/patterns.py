# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ranges in names: `web[1:3]` is web1, web2, web3; `rack[a:c]` is racka, rackb, rackc; `n[01:10]` keeps its zeros."""

from __future__ import annotations

import functools
import re
import typing as t

# As many as anybody will want on one machine; a slip of the hand should not eat its memory.
MOST = 65536

_RANGE = re.compile(r"\[(?:(\d+):(\d+)|([a-z]):([a-z]))\]")


def expand(text: str) -> list[str]:
    """The strings that a text with one range stands for; the text alone where it has none. ValueError says why not."""
    parts = _RANGE.split(text)
    if len(parts) == 1:
        return [text]
    if len(parts) > 6:
        raise ValueError("{0!r} has more than one range".format(text))
    return ["".join((parts[0], item, parts[5])) for item in _items(text, *parts[1:5])]


def is_range(text: str) -> bool:
    """Whether a text has a range in it."""
    return "[" in text and bool(_RANGE.search(text))


def _items(text: str, low: str, high: str, first: str, last: str) -> list[str]:
    start, end = (int(low), int(high)) if low else (ord(first), ord(last))
    if not start <= end < start + MOST:
        count = max(end - start + 1, 0)
        raise ValueError("the range in {0!r} is of {1} items, not of 1 to {2}".format(text, count, MOST))
    numbers = range(start, end + 1)
    if first:
        return [chr(number) for number in numbers]
    width = len(low) if low.startswith("0") else 0
    return [str(number).zfill(width) for number in numbers]


def side_by_side(value: t.Any) -> list[t.Any]:
    """What a value stands for whose strings, however deep, have ranges: they run side by side, so all are as long.

    ValueError says which are not. Without any range the value alone.
    """
    lengths: dict[int, str] = {}
    _measure(value, lengths)
    if len(lengths) > 1:
        (one, first), (other, second) = list(lengths.items())[:2]
        raise ValueError("{0!r} stands for {1}, but {2!r} for {3}".format(first, one, second, other))
    for length in lengths:
        return [_take(value, number) for number in range(length)]
    return [value]


def _measure(value: t.Any, lengths: dict[int, str]) -> None:
    if isinstance(value, str):
        if is_range(value):
            lengths.setdefault(len(_several(value)), value)
    elif isinstance(value, dict):
        for item in value.values():
            _measure(item, lengths)
    elif isinstance(value, list):
        for item in value:
            _measure(item, lengths)


@functools.lru_cache(maxsize=256)
def _several(text: str) -> list[str]:
    """As :func:`expand`, for a text with several ranges as well."""
    columns = []
    parts = _RANGE.split(text)
    for start in range(1, len(parts), 5):
        columns.append(_items(text, *parts[start : start + 4]))
    if len({len(column) for column in columns}) > 1:
        raise ValueError("the ranges in {0!r} are not as long as each other".format(text))
    fixed = parts[::5]
    return [
        "".join(word for pair in zip(fixed, (*items, "")) for word in pair) for items in zip(*columns)
    ]


def _take(value: t.Any, number: int) -> t.Any:
    if isinstance(value, str):
        return _several(value)[number] if is_range(value) else value
    if isinstance(value, dict):
        return {key: _take(item, number) for key, item in value.items()}
    if isinstance(value, list):
        return [_take(item, number) for item in value]
    return value
