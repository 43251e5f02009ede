# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module `persist`: its options, and the resource that they ask for."""

from __future__ import annotations

from ansible_collections.linuxnet.lab.plugins.module_utils.resources.persist import Persist
from ansible_collections.linuxnet.lab.plugins.module_utils.run_module import STATE, Item, Resources, run_module
from ansible_collections.linuxnet.lab.plugins.module_utils.topology.export import export


def build(params: Item) -> Resources:
    """That the lab comes back, or not."""
    return [Persist(lambda plan: export(plan.snapshot, plan.lab), present=params["state"] == "present")]


def main() -> None:
    """Be the module."""
    run_module(STATE, build)
