# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Operations on the neighbour tables. :mod:`.neighbor_table` packs their messages."""

from __future__ import annotations

import dataclasses
import errno
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import neighbor_table
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.actions import Context, Message
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.objects import Neighbor


@dataclasses.dataclass(eq=False)
class AddNeighbor(Message):
    """Add an entry, or replace the one for the same address."""

    neighbor: Neighbor

    def message(self, context: Context) -> t.Any:
        """See the base class."""
        return neighbor_table.neighbor_new(context.index(self.netns, self.neighbor.dev), self.neighbor)


@dataclasses.dataclass(eq=False)
class DeleteNeighbor(Message):
    """Delete an entry."""

    neighbor: Neighbor

    if_gone = (errno.ENOENT, errno.ENODEV)

    def message(self, context: Context) -> t.Any:
        """See the base class."""
        return neighbor_table.neighbor_del(context.index(self.netns, self.neighbor.dev), self.neighbor)
