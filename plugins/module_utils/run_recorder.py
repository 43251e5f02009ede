# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run a module that records: in the foreground, or started by one task and stopped by another."""

from __future__ import annotations

import math
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.linuxnet.lab.plugins.module_utils import answer, rules
from ansible_collections.linuxnet.lab.plugins.module_utils.errors import LabError
from ansible_collections.linuxnet.lab.plugins.module_utils.host.recorders import Recorder
from ansible_collections.linuxnet.lab.plugins.module_utils.probe import background
from ansible_collections.linuxnet.lab.plugins.module_utils.probe.background import Job, Recorded
from ansible_collections.linuxnet.lab.plugins.module_utils.probe.recording import Record, Source, limited, record

Params = dict[str, t.Any]
Result = t.Callable[[Recorded, Params], dict[str, t.Any]]

NOTHING = Recorded({}, [], {"ended": "", "dropped": 0})

# The documentation fragment `recorder` says the same to users.
OPTIONS: Params = {
    "name": {"type": "str", "default": "default"},
    "lab": {"type": "str", "default": "default"},
    "duration": {"type": "float", "default": 60.0},
    "max_bytes": {"type": "int", "default": 64 << 20},
}


def check(params: Params) -> list[str]:
    """What is wrong with the options that all modules that record have."""
    errors = rules.check_lab("lab", params["lab"])
    errors += rules.check_recorder("name", params["name"])
    if not 0 < params["duration"] < math.inf:
        errors.append("duration: {0} is not a positive number of seconds".format(params["duration"]))
    if params["max_bytes"] < 1:
        errors.append("max_bytes: {0} is not a positive number".format(params["max_bytes"]))
    return errors


def run(
    module: AnsibleModule,
    kind: str,
    rights: t.Sequence[str],
    source: t.Callable[[Job], Source],
    read: t.Callable[[Params], tuple[Job, list[str]]],
    result: Result,
) -> t.NoReturn:
    """Do what `state` says and end the module: `started`, `stopped`, or anything else for the foreground.

    :param kind: one of :data:`.host.recorders.KINDS`.
    :param rights: the capabilities that it takes; see :mod:`.kernel.refusals`.
    :param source: the class that records.
    :param read: makes the source's job of the parameters (with `duration`, `count` and `max_bytes`), and says what is
        wrong.
    :param result: what the module returns of its own about what was recorded, or about :data:`NOTHING`.
    """
    params = module.params
    with answer.failing(module, *rights):
        job, errors = read(params)
        errors = check(params) + errors
        if errors:
            raise LabError(errors)
        if module.check_mode:
            nothing = {"skipped": True, "msg": "Nothing is recorded in check mode"}
            returned = {"changed": False, **_outcome(NOTHING, params, result), **nothing}
        else:
            returned = _act(params, Recorder(kind, params["lab"], params["name"]), source, job, result)
    answer.give(module, **returned)


def _act(
    params: Params,
    recorder: Recorder,
    source: t.Callable[[Job], Source],
    job: Job,
    result: Result,
) -> dict[str, t.Any]:
    if params["state"] == "started":
        started = background.start(recorder, source, job)
        what = "is started" if started else "runs already"
        return {"changed": started, "msg": "{0} {1}".format(recorder.title, what)}
    if params["state"] == "stopped":
        taken = background.stop(recorder, lambda recorded: _outcome(recorded, params, result))
        if taken is None:
            msg = "There is no {0}".format(recorder.title)
            return {"changed": False, **_outcome(NOTHING, params, result), "msg": msg}
        return {"changed": True, **taken}
    records: list[Record] = []
    end = record(source(job), limited(records, job["max_bytes"]), job["duration"], job["count"])
    return {"changed": False, **_outcome(Recorded(job, records, end), params, result)}


def _outcome(recorded: Recorded, params: Params, result: Result) -> dict[str, t.Any]:
    count = len(recorded.records)
    msg = "{0} recorded, until {1}".format(count, recorded.end["ended"])
    return {"msg": msg, **recorded.end, **result(recorded, params)}
