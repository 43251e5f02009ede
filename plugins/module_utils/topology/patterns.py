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

_RANGE = re.compile(r"\[(?:(\d{1,30}):(\d{1,30})|([a-z]):([a-z]))\]")


def size(text: str) -> int:
    """How many strings :func:`expand` makes of a text. ValueError says why none."""
    if "[" not in text:
        return 1
    parts = _RANGE.split(text)
    if len(parts) > 6:
        raise ValueError("{0!r} has more than one range".format(text))
    return 1 if len(parts) == 1 else len(_numbers(text, *parts[1:5]))


def expand(text: str) -> list[str]:
    """The strings that a text with one range stands for; the text alone where it has none. ValueError says why not."""
    if not is_range(text):
        return [text]
    size(text)  # which says why there is none
    parts = _RANGE.split(text)
    return ["".join((parts[0], item, parts[5])) for item in _items(text, *parts[1:5])]


def is_range(text: str) -> bool:
    """Whether a text has a range in it."""
    return "[" in text and bool(_RANGE.search(text))


def _numbers(text: str, low: str, high: str, first: str, last: str) -> range:
    """The numbers of a range, or those of its letters in Unicode."""
    start, end = (int(low), int(high)) if low else (ord(first), ord(last))
    if not start <= end < start + MOST:
        count = max(end - start + 1, 0)
        raise ValueError("the range in {0!r} has {1} items, not 1 to {2}".format(text, count, MOST))
    return range(start, end + 1)


def _items(text: str, low: str, high: str, first: str, last: str) -> list[str]:
    numbers = _numbers(text, low, high, first, last)
    if first:
        return [chr(number) for number in numbers]
    width = len(low) if low.startswith("0") else 0
    return [str(number).zfill(width) for number in numbers]


def length(value: t.Any) -> int:
    """How many values :func:`side_by_side` makes of one; 0 where it has no range. ValueError says why none."""
    lengths: dict[int, str] = {}
    _measure(value, lengths)
    if len(lengths) > 1:
        (one, first), (other, second) = list(lengths.items())[:2]
        raise ValueError("{0!r} stands for {1}, but {2!r} for {3}".format(first, one, second, other))
    return next(iter(lengths), 0)


def side_by_side(value: t.Any) -> list[t.Any]:
    """What a value stands for whose strings, however deep, have ranges: they run side by side, so all are as long.

    ValueError says which are not. Without any range the value alone.
    """
    count = length(value)
    return [_take(value, number) for number in range(count)] if count else [value]


def _measure(value: t.Any, lengths: dict[int, str]) -> None:
    if isinstance(value, str):
        if is_range(value):
            lengths.setdefault(_length(value), value)
    elif isinstance(value, dict):
        for item in value.values():
            _measure(item, lengths)
    elif isinstance(value, list):
        for item in value:
            _measure(item, lengths)


def _length(text: str) -> int:
    """How many strings :func:`_several` makes of a text."""
    parts = _RANGE.split(text)
    found = {len(_numbers(text, *parts[start : start + 4])) for start in range(1, len(parts), 5)}
    if len(found) > 1:
        raise ValueError("the ranges in {0!r} have different lengths".format(text))
    return found.pop()


@functools.lru_cache(maxsize=8)
def _several(text: str) -> list[str]:
    """As :func:`expand`, for a text with several ranges as well."""
    parts = _RANGE.split(text)
    columns = [_items(text, *parts[start : start + 4]) for start in range(1, len(parts), 5)]
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
