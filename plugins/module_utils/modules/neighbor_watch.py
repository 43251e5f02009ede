# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module `neighbor_watch`: its options, its job and its result."""

from __future__ import annotations

import operator
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.linuxnet.lab.plugins.module_utils import run_recorder
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.refusals import NET_ADMIN, SYS_ADMIN
from ansible_collections.linuxnet.lab.plugins.module_utils.probe.background import Job, Recorded
from ansible_collections.linuxnet.lab.plugins.module_utils.probe.neighbors import Watch
from ansible_collections.linuxnet.lab.plugins.module_utils.respawn import require_library


def _job(params: dict[str, t.Any]) -> tuple[Job, list[str]]:
    """What to watch, and what is wrong with the options."""
    errors = []
    if not params["netns"]:
        errors.append("netns: there is no namespace to watch")
    if params["count"] < 1:
        errors.append("count: {0} is not a positive number".format(params["count"]))
    job = {name: params[name] for name in ("report", "count", "duration", "max_bytes")}
    return {**job, "netns": list(dict.fromkeys(params["netns"]))}, errors


def _result(recorded: Recorded, params: dict[str, t.Any]) -> dict[str, t.Any]:
    """The changes of all namespaces in one order."""
    return {"changes": sorted(recorded.records, key=operator.itemgetter("time"))}


def main() -> None:
    """Be the module."""
    module = AnsibleModule(
        argument_spec={
            **run_recorder.OPTIONS,
            "state": {"type": "str", "choices": ["watched", "started", "stopped"], "default": "watched"},
            "netns": {"type": "list", "elements": "str", "default": [""]},
            "report": {"type": "str", "choices": ["changed", "all"], "default": "changed"},
            "count": {"type": "int", "default": 10000},
        },
        supports_check_mode=True,
    )
    require_library(module)
    run_recorder.run(module, "neighbor_watch", (SYS_ADMIN, NET_ADMIN), Watch, _job, _result)
