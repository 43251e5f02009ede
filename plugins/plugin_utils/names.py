# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Convert names from other formats to valid and unique names."""

from __future__ import annotations

import hashlib
import re
import typing as t
import unicodedata

from ansible_collections.linuxnet.lab.plugins.module_utils import rules
from ansible_collections.linuxnet.lab.plugins.module_utils.topology import schema

NETNS_NAME_LIMIT = 63

# Letters that are not an ASCII letter with an accent.
_LETTERS = str.maketrans(
    {"ß": "ss", "æ": "ae", "Æ": "Ae", "œ": "oe", "Œ": "Oe", "ø": "o", "Ø": "O", "đ": "d", "Đ": "D", "ð": "d", "Ð": "D",
     "ł": "l", "Ł": "L", "þ": "th", "Þ": "Th", "ı": "i"}
)  # fmt: skip


class Names:
    """Names of one kind of object.

    The first object that asks for a name gets it. Therefore a name depends only on the names before it.

    :arg limit: the maximum length. :arg valid: whether a name is valid without a change.
    :arg fallback: the name of an object if no character of its name is valid. :arg taken: names that no object gets.
    """

    def __init__(self, limit: int, valid: t.Callable[[str], bool], fallback: str, taken: t.Iterable[str] = ()) -> None:
        self._limit = limit
        self._valid = valid
        self._fallback = fallback
        self._taken = set(taken)
        self._numbers: dict[str, int] = {}  # name -> the last number that was tried

    def give(self, text: str, key: str = "") -> str:
        """A name for an object that another format calls *text*. The key distinguishes objects with the same text."""
        name = text if self._valid(text) else plain(text) or self._fallback
        if not self._valid(name[: self._limit]):  # a number alone
            name = self._fallback + name
        endings = ["", *(["-" + plain(key)] if plain(key) else [])]
        for ending in endings:
            found = fitting(name + ending, self._limit)
            if found not in self._taken:
                break
        while found in self._taken:
            self._numbers[name] = self._numbers.get(name, 1) + 1
            found = fitting("{0}-{1}".format(name, self._numbers[name]), self._limit)
        self._taken.add(found)
        return found


def nodes() -> Names:
    """Names of namespaces, bridges and segments, which share one set. It contains the reserved words of the format."""
    return Names(NETNS_NAME_LIMIT, _is_node, "n", taken=(schema.HOST, schema.ALL))


def links() -> Names:
    """Names of links in one namespace."""
    return Names(rules.LINK_NAME_LIMIT, lambda name: not rules.check_link_name("", name), "link", taken=("lo",))


def lab(text: str) -> str:
    """A valid name of a lab that resembles *text*."""
    valid = plain(text).lstrip("_")
    return text if not rules.check_lab("", text) else fitting(valid or "lab", 63)


def plain(text: str) -> str:
    """A text in ASCII letters, digits, dots and underscores. Hyphens replace all other characters."""
    ascii_only = unicodedata.normalize("NFKD", text.translate(_LETTERS)).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9_.]+", "-", ascii_only).strip("-.")


def fitting(text: str, limit: int) -> str:
    """A text cut to a length. A hash of the whole text distinguishes it from others with the same beginning."""
    if len(text) <= limit:
        return text
    return "{0}-{1}".format(text[: limit - 7], hashlib.sha256(text.encode()).hexdigest()[:6])


def _is_node(name: str) -> bool:
    return ":" not in name and not rules.check_netns_name("", name)
