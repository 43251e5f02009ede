# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module `link`: its options, and the resources that they ask for."""

from __future__ import annotations

from ansible_collections.linuxnet.lab.plugins.module_utils import fields
from ansible_collections.linuxnet.lab.plugins.module_utils.resources.link import LinkSettings, Settings
from ansible_collections.linuxnet.lab.plugins.module_utils.run_module import (
    STATE,
    Item,
    Resources,
    items,
    one_or_many,
    run_module,
)

LINK = {
    "name": {"type": "str"},
    "netns": {"type": "str"},
    **fields.arguments(fields.LINK),
}


def build(params: Item) -> Resources:
    """The links asked for."""
    return [
        LinkSettings(
            netns=item["netns"] or "",
            name=item["name"],
            settings=Settings.of(item),
            present=params["state"] == "present",
            place=place,
        )
        for place, item in items(params, LINK, "links")
    ]


def main() -> None:
    """Be the module."""
    run_module(
        {**one_or_many(LINK, "links", required=["name"]), **STATE},
        build,
        mutually_exclusive=[("name", "links")],
        required_one_of=[("name", "links")],
    )
