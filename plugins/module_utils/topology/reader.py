# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check data against the shapes of :mod:`.schema`. No other file of this folder checks types.

The reader collects all errors and returns all valid values, so that one run lists every error.
"""

from __future__ import annotations

import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils import rules
from ansible_collections.linuxnet.lab.plugins.module_utils.topology import budget, patterns, schema

Data = dict[str, t.Any]

# The approximate number of kernel objects for one item of a shape: a segment is a network and a bridge, and a member
# brings both ends of a link.
_COST = {"namespace": 1, "bridge": 1, "segment": 2, "member": 2, "link": 2, "route": 1, "nexthop": 1, "rule": 1,
         "neighbor": 1, "masquerade": 1, "check": 1}  # fmt: skip
_MOST_DIGITS = 18
_WORDS = ("true", "false", "null")

_TRUE, _FALSE = ("true", "yes", "on"), ("false", "no", "off")


class Reader:
    """Reads data and checks them against shapes.

    :ivar errors: one sentence for each error, which begins with its place. :ivar budget: the remaining budget of the
        topology.
    """

    def __init__(self) -> None:
        self.errors: list[str] = []
        self.budget = budget.Budget(self.errors)

    def item(self, place: str, value: t.Any, shape: str) -> Data:
        """The values of a mapping by key, of the kinds in *shape*, without invalid and null values."""
        keys = schema.SHAPES[shape]
        if not isinstance(value, dict):
            self._wrong(place, value, "a mapping with keys of: {0}".format(", ".join(keys)))
            return {}
        taken = {}
        for name, one in value.items():
            key = keys.get(name)
            if key is None:
                near = rules.nearest(str(name), keys)
                self.errors.append("{0}: there is no such key{1}".format(_join(place, name), near))
                self.budget.objects(_join(place, name), 0)
            elif one is not None:
                result = self._value(_join(place, name), one, key)
                if result is not None:
                    taken[name] = result
        missing = [name for name, key in keys.items() if key.required and value.get(name) is None]
        self.errors += ["{0}: {1} is missing".format(place or "topology", name) for name in missing]
        return taken

    def named(self, place: str, value: t.Any, shape: str) -> t.Iterator[tuple[str, str, Data]]:
        """(name, place, values) for each name in a mapping, in a list or alone, with ranges expanded."""
        if _is_name(value):
            value = [value]
        if isinstance(value, (list, dict)):
            self.budget.objects(place, 0, more=_COST[shape] * len(value))
        if isinstance(value, list):
            for number, name in enumerate(value):
                at = "{0}[{1}]".format(place, number)
                if isinstance(name, dict) and len(name) == 1:
                    yield from self.named(place, name, shape)
                elif _is_name(name):
                    for one in self._expand(at, str(name), _COST[shape]):
                        yield one, at, {}
                else:
                    self._wrong(at, name, "a name, or a name with keys" + _quoted(name))
        elif isinstance(value, dict):
            for name, options in value.items():
                if _is_name(name):
                    yield from self._entry(_join(place, name), str(name), options, shape)
                else:
                    self._wrong(place, name, "a name" + _quoted(name))
        else:
            self._wrong(place, value, "a mapping from names, or a list of names")

    def _entry(self, place: str, name: str, options: t.Any, shape: str) -> t.Iterator[tuple[str, str, Data]]:
        names = self._expand(place, name, _COST[shape])
        if options is None:
            for one in names:
                yield one, place, {}
            return
        # Beside a single name, a range is a list, for example of members.
        spread = self._spread(place, options) if patterns.is_range(name) else [options]
        if len(spread) not in (1, len(names)):
            self.errors.append(
                "{0}: a range in it stands for {1}, the name for {2}".format(place, len(spread), len(names))
            )
            return
        if len(spread) == 1:
            values = self.item(place, spread[0], shape)
            for one in names:
                yield one, place, values
            return
        for one, own in zip(names, spread):
            yield one, place, self.item(place, own, shape)

    def items(self, place: str, value: t.Any, shape: str) -> t.Iterator[tuple[str, Data]]:
        """(place, values) for each mapping of a list, or for one mapping."""
        short = schema.SHORT.get(shape)
        alone = isinstance(value, dict) or (short and isinstance(value, str))
        for number, one in enumerate([value] if alone else value if isinstance(value, list) else []):
            at = place if alone else "{0}[{1}]".format(place, number)
            self.budget.objects(at, _COST[shape])
            if short and isinstance(one, str):
                one = {short: one}
            yield at, self.item(at, one, shape)
        if not alone and not isinstance(value, list):
            self._wrong(place, value, "a list")

    def links(self, place: str, value: t.Any) -> t.Iterator[tuple[str, Data]]:
        """(place, values) for each link of a list, with `ends` as two mappings of the shape `end`."""
        if not isinstance(value, list):
            self._wrong(place, value, "a list of links")
            return
        for number, one in enumerate(value):
            at = "{0}[{1}]".format(place, number)
            for link in self._spread(at, {"ends": one} if isinstance(one, list) else one, _COST["link"]):
                yield at, self.item(at, link, "link")

    def names(self, place: str, texts: list[str]) -> list[str]:
        """Names with their ranges expanded."""
        return [one for text in texts for one in self._expand(place, text)]

    def _expand(self, place: str, text: str, cost: int = 1) -> list[str]:
        try:
            self.budget.objects(place, cost * patterns.size(text))
            return patterns.expand(text)
        except ValueError as exc:
            self.errors.append("{0}: {1}".format(place, exc))
            return []

    def _spread(self, place: str, value: t.Any, cost: int = 0) -> list[t.Any]:
        try:
            count = patterns.length(value) or 1
            self.budget.objects(place, cost * count)
            if count > 1:
                self.budget.values(place, (count - 1) * budget.size(value))
            return patterns.side_by_side(value)
        except ValueError as exc:
            self.errors.append("{0}: {1}".format(place, exc))
            return []

    def _wrong(self, place: str, value: t.Any, wanted: str) -> None:
        self.errors.append("{0}: {1!r} is not {2}".format(place or "topology", value, wanted))

    def _value(self, place: str, value: t.Any, key: schema.Key) -> t.Any:
        """A value of the kind of its key. None, and an error, if it is of another kind. Nested values are not checked.
        """
        if key.kind == schema.TEXT:
            return self._text(place, value, key)
        if key.kind == schema.TEXTS:
            return self._texts(place, value)
        if key.kind == schema.NUMBER:
            return self._number(place, value)
        if key.kind == schema.FLAG:
            return self._flag(place, value)
        if key.kind == schema.SETTINGS:
            return self._settings(place, value)
        if key.kind == schema.ADDRESSES:
            return self._addresses(place, value, key.shape)
        if key.kind == schema.ENDS:
            return self._ends(place, value, key.shape)
        return value

    def _text(self, place: str, value: t.Any, key: schema.Key) -> str | None:
        if isinstance(value, bool) and "yes" in key.choices:
            return "yes" if value else "no"  # what YAML 1.1 makes of the words
        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            self._wrong(place, value, "a text")
            return None
        text = str(value)
        if key.choices and text not in key.choices:
            near = rules.nearest(text, key.choices)
            self._wrong(place, text, "one of {0}{1}".format(", ".join(key.choices), near))
            return None
        return text

    def _addresses(self, place: str, value: t.Any, shape: str) -> list[str] | None:
        """Addresses as texts; those with options of their own as :class:`.rules.Cidr`."""
        if not isinstance(value, (list, dict)) or not any(isinstance(one, dict) for one in value or ()):
            return [self._address(place, value, shape)] if isinstance(value, dict) else self._texts(place, value)
        found: list[str] = []
        for number, one in enumerate(value):
            at = "{0}[{1}]".format(place, number)
            found += [self._address(at, one, shape)] if isinstance(one, dict) else self._texts(at, one) or []
        return found

    def _address(self, place: str, value: Data, shape: str) -> str:
        options = self.item(place, value, shape)
        return rules.Cidr(options.pop("address", ""), options)

    def _texts(self, place: str, value: t.Any) -> list[str] | None:
        values = value if isinstance(value, list) else [value]
        if not all(isinstance(one, (str, int)) and not isinstance(one, bool) for one in values):
            self._wrong(place, value, "a text, or a list of them")
            return None
        return [str(one) for one in values]

    def _number(self, place: str, value: t.Any) -> int | None:
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        if isinstance(value, str) and value.isdecimal() and len(value) <= _MOST_DIGITS:
            return int(value)
        self._wrong(place, value, "a number")
        return None

    def _flag(self, place: str, value: t.Any) -> bool | None:
        word = str(value).lower()
        if isinstance(value, (bool, str)) and word in _TRUE + _FALSE:
            return word in _TRUE
        self._wrong(place, value, "true or false")
        return None

    def _settings(self, place: str, value: t.Any) -> dict[str, str] | None:
        if not isinstance(value, dict):
            self._wrong(place, value, "a mapping from names to values")
            return None
        taken = {}
        for name, one in value.items():
            if isinstance(one, (str, int, float)):
                taken[str(name)] = str(int(one) if isinstance(one, bool) else one)
            elif one is not None:
                self._wrong(_join(place, name), one, "a text")
        return taken

    def _ends(self, place: str, value: t.Any, shape: str) -> list[Data] | None:
        if not isinstance(value, list) or len(value) != 2:
            self._wrong(place, value, "a list of two ends")
            return None
        ends = []
        for number, end in enumerate(value):
            at = "{0}[{1}]".format(place, number)
            if isinstance(end, str):
                node, dummy, link = end.partition(":")
                ends.append({"node": node, **({"name": link} if link else {})})
                continue
            taken = self.item(at, end, shape)
            if taken and ("netns" in taken) == ("bridge" in taken):
                self.errors.append("{0}: an end needs either netns or bridge".format(at))
                taken = {}
            ends.append(taken)
        return ends


def _is_name(value: t.Any) -> bool:
    """Whether a value can be a name. Unquoted words such as `no` and `on` cannot, because YAML reads them as false and
    true.

    On the way to a host, keys become texts, so that the value is the word `true` or `false`.
    """
    return isinstance(value, (str, int)) and not isinstance(value, bool) and value not in _WORDS


def _quoted(name: t.Any) -> str:
    """Advice for a value that is not a name."""
    spoilt = isinstance(name, bool) or name in _WORDS
    return "; YAML reads words such as on and no this way, so write them in quotes" if spoilt else ""


def _join(place: str, name: t.Any) -> str:
    return "{0}.{1}".format(place, name) if place else str(name)
