# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What all filters for other formats share: their result, and the list of what they left out."""

from __future__ import annotations

import functools
import typing as t

from ansible.errors import AnsibleFilterError
from ansible.utils.display import Display

from ansible_collections.linuxnet.lab.plugins.module_utils.errors import shortened
from ansible_collections.linuxnet.lab.plugins.module_utils.topology import budget, layout
from ansible_collections.linuxnet.lab.plugins.plugin_utils import names

_F = t.TypeVar("_F", bound=t.Callable[..., t.Any])


def guarded(function: _F) -> _F:
    """A filter that refuses what is more than one topology may be, in one sentence that is not long."""

    @functools.wraps(function)
    def guard(*arguments: t.Any, **options: t.Any) -> t.Any:
        try:
            return function(*arguments, **options)
        except AnsibleFilterError as exc:
            raise AnsibleFilterError(shortened(exc.message)) from None
        except budget.Exceeded as exc:
            raise AnsibleFilterError(str(exc)) from None

    return t.cast("_F", guard)


def limited(place: str, text: str) -> str:
    """The text, if it is not longer than any that describes a lab."""
    if len(text) > budget.IMPORT:
        raise AnsibleFilterError("{0}: {1} characters are more than {2}".format(place, len(text), budget.IMPORT))
    return text


class Imported:
    """A topology in the making.

    :ivar topology: as the module topology takes it.
    """

    def __init__(self, name: t.Any, where: str) -> None:
        """Begin a topology of a name that *where* is to say."""
        if not isinstance(name, str) or not name.strip():
            raise AnsibleFilterError("{0}: {1!r} is not a valid lab name; use the option name".format(where, name))
        self.topology: dict[str, t.Any] = {"name": names.lab(name)}
        self._left_out: dict[str, None] = {}
        self._keys: dict[str, list[str]] = {}
        if self.topology["name"] != name:
            self.leave_out("{0}: the lab {1!r} is named {2} here".format(where, name, self.topology["name"]))

    def leave_out(self, text: str) -> None:
        """Remember what is not in the topology, or is otherwise."""
        self._left_out[shortened(text)] = None

    def leave_out_keys(self, place: str, keys: t.Iterable[t.Any]) -> None:
        """Remember keys of what is at a place; those of the same name become one sentence."""
        for key in keys:
            self._keys.setdefault(str(key), []).append(place)

    def answer(self, with_notes: bool, host_addresses: bool = False) -> dict[str, t.Any]:
        """What a filter returns; AnsibleFilterError where the topology has contradictions in it.

        :arg host_addresses: whether it may give the host addresses; AnsibleFilterError if it does all the same.
        """
        for key, places in self._keys.items():
            self.leave_out("{0}: of {1}".format(key, ", ".join(places)))
        # Routes follow from the rest and cannot be wrong in themselves, and are many.
        lab, errors = layout.read({**self.topology, "routing": "none"})
        if errors:
            raise AnsibleFilterError("this is no topology: {0}".format("; ".join(errors)))
        refused = lab.addresses().get("", [])
        if refused and not host_addresses:
            raise AnsibleFilterError("the host itself would get {0}; host_addresses=true allows it".format(
                ", ".join(refused)))
        if with_notes:
            return {"topology": self.topology, "left_out": self.left_out}
        if self._left_out:
            Display().warning("lab {0}, left out or changed: {1}".format(
                self.topology["name"], "; ".join(self._left_out)))
        return self.topology

    @property
    def left_out(self) -> list[str]:
        """What the topology lacks or has otherwise, a sentence each."""
        return list(self._left_out)


def mapping(place: str, value: t.Any) -> dict[t.Any, t.Any]:
    """A mapping, empty for none; AnsibleFilterError for anything else."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise AnsibleFilterError("{0}: {1!r} is not a mapping".format(place, value))
    return value


def checked(errors: list[str]) -> None:
    """AnsibleFilterError with the first of some errors, if there is any."""
    if errors:
        raise AnsibleFilterError(errors[0])
