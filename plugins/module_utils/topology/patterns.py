# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ranges in names: `web[1:3]` is web1, web2, web3; `rack[a:c]` is racka, rackb, rackc; `n[01:10]` keeps its zeros."""

from __future__ import annotations

import functools
import re
import typing as t

# More than anybody needs on one machine. The limit protects its memory from typing errors.
MOST = 65536

_RANGE = re.compile(r"\[(?:(\d{1,30}):(\d{1,30})|([a-z]):([a-z]))\]")


def size(text: str) -> int:
    """The number of strings that :func:`expand` returns for a text. ValueError with the reason if the range is invalid.
    """
    if "[" not in text:
        return 1
    parts = _RANGE.split(text)
    if len(parts) > 6:
        raise ValueError("{0!r} has more than one range".format(text))
    return 1 if len(parts) == 1 else len(_numbers(text, *parts[1:5]))


def expand(text: str) -> list[str]:
    """The strings that a text with one range stands for, or the text itself without one. ValueError with the reason if
    the range is invalid.
    """
    if not is_range(text):
        return [text]
    size(text)  # raises the error
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
    """The number of values that :func:`side_by_side` returns for a value, 0 without a range. ValueError with the reason
    if a range is invalid.
    """
    lengths: dict[int, str] = {}
    _measure(value, lengths)
    if len(lengths) > 1:
        (one, first), (other, second) = list(lengths.items())[:2]
        raise ValueError("{0!r} stands for {1}, but {2!r} for {3}".format(first, one, second, other))
    return next(iter(lengths), 0)


def side_by_side(value: t.Any) -> list[t.Any]:
    """The values that a value with ranges in its strings, at any depth, stands for. The ranges run in parallel, so they
    need the same length.

    ValueError names two that differ. Without a range, the value itself.
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
    """The number of strings that :func:`_several` returns for a text."""
    parts = _RANGE.split(text)
    found = {len(_numbers(text, *parts[start : start + 4])) for start in range(1, len(parts), 5)}
    if len(found) > 1:
        raise ValueError("the ranges in {0!r} have different lengths".format(text))
    return found.pop()


@functools.lru_cache(maxsize=8)
def _several(text: str) -> list[str]:
    """As :func:`expand`, also for a text with several ranges."""
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
