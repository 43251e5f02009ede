# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs modules by the module payload, so that Ansible packs their code once in a playbook."""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):
    """Runs the module that the task names."""

    _supports_check_mode = True
    _supports_async = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Return what the module returns."""
        super().run(tmp, task_vars)
        name = self._task.resolved_action.rpartition(".")[2]
        arguments = self._task.args
        return self._execute_module(
            module_name="linuxnet.lab.payload",
            module_args=arguments if name == "payload" else {"module": name, "arguments": arguments},
            task_vars=task_vars,
            wrap_async=self._task.async_val and not self._connection.has_native_async,
        )
