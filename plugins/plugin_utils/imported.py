# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Share code between the filters for other formats: the result, and the list of what a filter left out."""

from __future__ import annotations

import collections
import functools
import os
import typing as t

from ansible.errors import AnsibleFilterError
from ansible.utils.display import Display

from ansible_collections.linuxnet.lab.plugins.module_utils.errors import shortened
from ansible_collections.linuxnet.lab.plugins.module_utils.topology import budget, layout
from ansible_collections.linuxnet.lab.plugins.plugin_utils import names

_F = t.TypeVar("_F", bound=t.Callable[..., t.Any])


def guarded(function: _F) -> _F:
    """Make a filter refuse input that is too large for one topology, with one short sentence."""

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
    """The text. AnsibleFilterError if it is too long for the description of a lab."""
    if len(text) > budget.IMPORT:
        raise AnsibleFilterError("{0}: {1} characters are more than {2}".format(place, len(text), budget.IMPORT))
    return text


class Imported:
    """A topology in the making, and what it lacks.

    :ivar topology: in the format of the module topology.
    """

    def __init__(self, name: t.Any, where: str) -> None:
        """Begin a topology. *where* is the place in the input that should contain the name."""
        if not isinstance(name, str) or not name.strip():
            raise AnsibleFilterError("{0}: {1!r} is not a valid lab name; use the option name".format(where, name))
        self.topology: dict[str, t.Any] = {"name": names.lab(name)}
        self._left_out: dict[str, None] = {}
        self._changed: dict[str, None] = {}
        self._programs: collections.Counter[str] = collections.Counter()
        self._keys: collections.Counter[str] = collections.Counter()
        if self.topology["name"] != name:
            self.change("{0}: the lab {1!r} is named {2} here".format(where, name, self.topology["name"]))

    def leave_out(self, text: str) -> None:
        """Note something that is not in the topology, and that may change who reaches whom."""
        self._left_out[shortened(text)] = None

    def change(self, text: str) -> None:
        """Note something that is different in the topology, such as a name."""
        self._changed[shortened(text)] = None

    def leave_out_program(self, name: str) -> None:
        """Count a command that does not configure the network."""
        self._programs[name] += 1

    def leave_out_keys(self, keys: t.Iterable[t.Any]) -> None:
        """Count keys that are no part of the network."""
        self._keys.update(map(str, keys))

    def answer(self, with_notes: bool, host_addresses: bool = False) -> dict[str, t.Any]:
        """The result of a filter. AnsibleFilterError if the topology contradicts itself.

        :arg host_addresses: whether the topology may give addresses to the host. AnsibleFilterError if it does so
            without permission.
        """
        # Automatic routes are many, and cannot be wrong if the rest is right.
        lab, errors = layout.read({**self.topology, "routing": "none"})
        if errors:
            raise AnsibleFilterError("this is no topology: {0}".format("; ".join(errors)))
        refused = lab.addresses().get("", [])
        if refused and not host_addresses:
            raise AnsibleFilterError("the host itself would get {0}; host_addresses=true allows it".format(
                ", ".join(refused)))
        if with_notes:
            return {"topology": self.topology, "left_out": self.left_out}
        if self.left_out:
            Display().warning("lab {0}, left out or changed: {1}".format(
                self.topology["name"], "; ".join(self.left_out)))
        return self.topology

    @property
    def left_out(self) -> list[str]:
        """What the topology lacks or has otherwise. Sentences about who reaches whom come first, and counts last."""
        return [
            *self._left_out,
            *self._changed,
            *_counted("commands that do not configure the network", self._programs),
            *_counted("settings that are no part of the network", self._keys),
        ]


def _counted(title: str, counts: collections.Counter[str]) -> list[str]:
    """One line for all counts, the highest first; none if there are no counts."""
    parts = ["{0}: {1} time{2}".format(name, count, "s" * (count > 1)) for name, count in counts.most_common()]
    return [shortened("{0}: {1}".format(title, ", ".join(parts)))] if parts else []


def mapping(place: str, value: t.Any) -> dict[t.Any, t.Any]:
    """A mapping. None becomes an empty one; AnsibleFilterError for anything else."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise AnsibleFilterError("{0}: {1!r} is not a mapping".format(place, value))
    return value


def checked(errors: list[str]) -> None:
    """Raise AnsibleFilterError with the first of the errors, if there are any."""
    if errors:
        raise AnsibleFilterError(errors[0])


class Folder:
    """The folder of a lab. A file that a link in it leads to may not be outside, because the lab may be a stranger's.

    :ivar path: the absolute path.
    """

    def __init__(self, path: str) -> None:
        self.path = os.path.realpath(os.path.expanduser(path))
        self._left = budget.IMPORT
        if not os.path.isdir(self.path):
            raise AnsibleFilterError("there is no folder {0!r}".format(path))

    def names(self) -> list[str]:
        """The names of what is in the folder."""
        return sorted(os.listdir(self.path))

    def contains(self, name: str) -> bool:
        """Whether a path is in the folder, also after the links in it."""
        return os.path.realpath(os.path.join(self.path, name)).startswith(self.path + os.sep)

    def read(self, name: str) -> str | None:
        """The content of a file in the folder; None if there is no such file. All files together have a limit."""
        path = os.path.realpath(os.path.join(self.path, name))
        if not self.contains(name):
            raise AnsibleFilterError("{0}: the file is outside the folder {1}".format(name, self.path))
        if not os.path.isfile(path):
            return None
        try:
            with open(path, encoding="utf-8", errors="replace") as file:
                text = file.read(self._left + 1)
        except OSError as exc:
            raise AnsibleFilterError("{0}: {1}".format(path, exc.strerror)) from exc
        self._left -= len(text)
        if self._left < 0:
            raise AnsibleFilterError("{0}: the files have more than {1} characters".format(path, budget.IMPORT))
        return text
