# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module `rule`: its options, and the resources that they ask for."""

from __future__ import annotations

from ansible_collections.linuxnet.lab.plugins.module_utils import fields
from ansible_collections.linuxnet.lab.plugins.module_utils.resources.rule import RuleWanted
from ansible_collections.linuxnet.lab.plugins.module_utils.run_module import (
    STATE,
    Item,
    Resources,
    items,
    one_or_many,
    run_module,
)

_WORDS = {**fields.arguments(fields.RULE_WORDS), **fields.arguments(fields.RULE)}
RULE = {"netns": {"type": "str"}, **_WORDS}


def build(params: Item) -> Resources:
    """The rules asked for."""
    return [
        RuleWanted(
            item["netns"] or "", {name: item[name] for name in _WORDS}, params["state"] == "present", place=place
        )
        for place, item in items(params, RULE, "rules")
    ]


def main() -> None:
    """Be the module."""
    run_module({**one_or_many(RULE, "rules", required=[]), **STATE}, build)
