# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module `sysctl`: its options, and the resources that they ask for."""

from __future__ import annotations

import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils.resources.sysctl import Sysctl, in_order
from ansible_collections.linuxnet.lab.plugins.module_utils.run_module import STATE, Item, Options, Resources, run_module

OPTIONS: Options = {
    "settings": {"type": "dict", "required": True},
    "netns": {"type": "str", "default": ""},
    "persist": {"type": "bool"},
    **STATE,
}


def word(value: t.Any) -> str:
    """A value as the kernel takes it: YAML's true is 1."""
    return str(int(value)) if isinstance(value, bool) else str(value)


def build(params: Item) -> Resources:
    """The settings asked for."""
    return in_order(
        Sysctl(
            params["netns"],
            str(name),
            "" if value is None else word(value),
            persist=params["persist"],
            present=params["state"] == "present",
            place="settings",
        )
        for name, value in params["settings"].items()
    )


def main() -> None:
    """Be the module."""
    run_module(OPTIONS, build)
