# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The operation that ends a recorder. It is not in :mod:`.recorders`, because recorders do not need the engine."""

from __future__ import annotations

import dataclasses

from ansible_collections.linuxnet.lab.plugins.module_utils.host.recorders import Recorder, end
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.actions import Context, Operation


@dataclasses.dataclass(eq=False)
class EndRecorder(Operation):
    """End a recorder, and remove its record."""

    recorder: Recorder

    def carry_out(self, context: Context) -> None:
        """See the base class."""
        end(self.recorder)
