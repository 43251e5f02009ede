# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Operations on the records of a lab, by key. :mod:`.lab_files` writes them to `/run/linuxnet.lab`."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils.host import lab_files, last_applied
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.actions import Context, Operation

# Keys of what a lab remembers of its own namespaces begin so; what tells one from all others follows.
OWN = "own "


@dataclasses.dataclass(eq=False)
class Remember(Operation):
    """A record that belongs to a change; None forgets it.

    It is never carried out where it stands: the records of a run are written together (`resources/remembered.py`).
    """

    lab: str
    key: str
    value: dict[str, t.Any] | None


@dataclasses.dataclass(eq=False)
class WriteRecords(Operation):
    """The records of a lab, by key; None forgets one.

    :ivar born: names of namespaces that were made by this run; of each is remembered that it is the lab's own.
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
    """The description that the lab was made from; None for none."""

    lab: str
    text: str | None

    def carry_out(self, context: Context) -> None:
        """See the base class."""
        last_applied.remember(self.lab, self.text)


@dataclasses.dataclass(eq=False)
class WriteFile(Operation):
    """A file of the host that everybody may read; None removes it."""

    path: str
    text: str | None

    def carry_out(self, context: Context) -> None:
        """See the base class."""
        lab_files.write_file(self.path, self.text, 0o644)
