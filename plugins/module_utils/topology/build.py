# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Convert a topology, as somebody wrote it, to the resources of a run."""

from __future__ import annotations

import json
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils import rules
from ansible_collections.linuxnet.lab.plugins.module_utils.host import last_applied
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import namespaces
from ansible_collections.linuxnet.lab.plugins.module_utils.topology import layout, resources, schema
from ansible_collections.linuxnet.lab.plugins.module_utils.topology.model import Lab
from ansible_collections.linuxnet.lab.plugins.module_utils.topology.removal import Leftovers


def build(data: t.Any, name: str | None = None) -> list[t.Any]:
    """The resources that make the kernel match a topology, and remove what it no longer has.

    The check of the resources returns the errors of the topology, together with their own.

    :arg name: the name of the lab, if the task gives it in addition to the topology.
    """
    lab, errors = _read(data)
    errors = [*errors]
    if name and lab.name and name != lab.name:
        errors.append("name: {0!r} is not the {1!r} of the topology".format(name, lab.name))
    errors += [
        "namespaces: {0!r} exists on this host, but not in the topology, so it does not belong to the lab".format(one)
        for one in sorted(lab.strangers.intersection(namespaces.named() if lab.strangers else ()))
    ]
    before = _last_applied(lab, data)
    found = resources.resources(lab, before)
    return [resources.Mistakes(errors, lab.warnings), Leftovers(lab, found, before, json.dumps(data)), *found]


def addresses(data: t.Any) -> dict[str, list[str]]:
    """The addresses of each namespace of a topology, by its name in the topology."""
    lab, dummy = _read(data)
    return {ref or schema.HOST: found for ref, found in lab.addresses().items() if found}


# The last topology that was read, and its lab: a task needs both twice, and a large one takes long to read.
_last: list[tuple[t.Any, tuple[Lab, list[str]]]] = []


def _read(data: t.Any) -> tuple[Lab, list[str]]:
    if not _last or _last[0][0] is not data:
        _last[:] = [(data, layout.read(data))]
    return _last[0][1]


def _last_applied(lab: Lab, data: t.Any) -> Lab | None:
    """The lab of the last applied topology on this host. None if there is none."""
    text = None if rules.check_lab("name", lab.name) else last_applied.recall(lab.name)
    if text is None:
        return None
    return lab if text == json.dumps(data) else layout.read(json.loads(text))[0]
