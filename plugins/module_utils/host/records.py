# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Operations on the records of a lab, by key. :mod:`.lab_files` writes them to `/run/linuxnet.lab`."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils.host import lab_files, last_applied
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.actions import Context, Operation

# The prefix of keys of records about a lab's own namespaces. The identity of the namespace follows.
OWN = "own "


@dataclasses.dataclass(eq=False)
class Remember(Operation):
    """Write a record that belongs to a change. None deletes it.

    It never runs at its place among the operations. A run writes all its records together (`resources/remembered.py`).
    """

    lab: str
    key: str
    value: dict[str, t.Any] | None


@dataclasses.dataclass(eq=False)
class WriteRecords(Operation):
    """Write records of a lab, by key. None deletes one.

    :ivar born: names of namespaces that this run has created. Each gets a record that it belongs to the lab.
    """

    lab: str
    values: dict[str, dict[str, t.Any] | None]
    born: t.Sequence[str] = ()

    def carry_out(self, context: Context) -> None:
        """See the base class."""
        own = {OWN + context.sockets.identity(name): {"netns": name} for name in self.born}
        lab_files.remember([(self.lab, known_by, value) for known_by, value in {**self.values, **own}.items()])


@dataclasses.dataclass(eq=False)
class KeepDescription(Operation):
    """Store the description of the lab. None deletes it."""

    lab: str
    text: str | None

    def carry_out(self, context: Context) -> None:
        """See the base class."""
        last_applied.remember(self.lab, self.text)


@dataclasses.dataclass(eq=False)
class WriteFile(Operation):
    """Write a file of the host that everybody can read. None removes it."""

    path: str
    text: str | None

    def carry_out(self, context: Context) -> None:
        """See the base class."""
        lab_files.write_file(self.path, self.text, 0o644)
