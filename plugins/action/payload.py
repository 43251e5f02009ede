# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs a module of the collection by the module payload, with the code of all modules in an argument."""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase

from ansible_collections.linuxnet.lab.plugins.plugin_utils import code


class ActionModule(ActionBase):
    """Runs the module that the task names."""

    _supports_check_mode = True
    _supports_async = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Return what the module returns."""
        super().run(tmp, task_vars)
        name = self._task.resolved_action.rpartition(".")[2]
        asked = self._task.args if name == "payload" else {"module": name, "arguments": self._task.args}
        return self._execute_module(
            module_name="linuxnet.lab.payload",
            module_args={**asked, "code": code.text()},
            task_vars=task_vars,
            wrap_async=self._task.async_val and not self._connection.has_native_async,
        )
