# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module topology, with a line every second or so on how far it has come."""

from __future__ import annotations

import typing as t

from ansible.utils.display import Display

from ansible_collections.linuxnet.lab.plugins.action import payload
from ansible_collections.linuxnet.lab.plugins.plugin_utils.watcher import Watcher

# As plugins/module_utils/host/progress.py has it, which the controller cannot import: it need not be a Linux.
PROGRESS = "/run/linuxnet.lab/{0}.progress"


class ActionModule(payload.ActionModule):
    """Runs the module and watches it."""

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Return what the module returns."""
        arguments = self._task.args
        described = arguments.get("topology")
        named = described.get("name") if isinstance(described, dict) else None
        lab = str(arguments.get("lab") or arguments.get("name") or named or "")
        host = (task_vars or {}).get("inventory_hostname", "")

        def show(line: str) -> None:
            # On the error channel: what reads a run's output as data is not disturbed.
            Display().display("{0}: {1}: {2}".format(host, lab, line), stderr=True)

        with Watcher(self._connection, PROGRESS.format(lab), show):
            return super().run(tmp, task_vars)
