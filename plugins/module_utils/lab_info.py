# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which labs there are on a machine, what belongs to each, and whether it still is as it was described."""

from __future__ import annotations

import json
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils import engine
from ansible_collections.linuxnet.lab.plugins.module_utils.errors import LabError
from ansible_collections.linuxnet.lab.plugins.module_utils.host import last_applied, recorders
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.sockets import Sockets
from ansible_collections.linuxnet.lab.plugins.module_utils.resources import foreign, remembered
from ansible_collections.linuxnet.lab.plugins.module_utils.snapshot import Namespace, Snapshot, lab_of, mark
from ansible_collections.linuxnet.lab.plugins.module_utils.topology import build

Data = dict[str, t.Any]


def describe(names: list[str] | None, all_commands: bool = False) -> list[Data]:
    """The labs with these names, or all, sorted by name, in the format of `labs` of the module lab_info."""
    with Sockets() as sockets:
        snapshot = Snapshot(sockets)
        everywhere = snapshot.everywhere()
        found = _marks(everywhere) | set(snapshot.remembering()) | set(last_applied.labs())
        found |= {recorder.lab for recorder in recorders.recorders()}
        chosen = [name for name in sorted(found) if names is None or name in names]
        return [_lab(snapshot, everywhere, name, all_commands) for name in chosen]


def _marks(everywhere: list[Namespace]) -> set[str]:
    """The labs whose marks are on links, including `lo` of namespaces."""
    return {lab_of(link.alias) for namespace in everywhere for link in namespace.links.values()} - {""}


def _lab(snapshot: Snapshot, everywhere: list[Namespace], name: str, all_commands: bool) -> Data:
    text = last_applied.recall(name)
    topology = json.loads(text) if text else None
    return {
        "name": name,
        "namespaces": [
            {"name": namespace.ref, "held": namespace.held}
            for namespace in everywhere
            if namespace.ref and namespace.lab == name
        ],
        "links": [
            {"netns": namespace.ref, "name": link.name, "kind": link.kind, "up": link.up}
            for namespace in everywhere
            for link in namespace.links.values()
            if link.alias == mark(name) and link.name != "lo"
        ],
        "sysctls": [
            {key: record[key] for key in ("netns", "name", "value", "old")}
            for record in remembered.records(snapshot, name, "sysctl")
        ],
        "recorders": [
            {"kind": recorder.kind, "name": recorder.name, "pid": recorder.pid}
            for recorder in recorders.recorders(name)
        ],
        "foreign": [
            {"netns": namespace.ref, "kind": one.kind, "text": one.text, "command": one.command}
            for namespace in everywhere
            for one in foreign.find(snapshot, namespace, name)
        ],
        "topology": topology,
        **_drift(name, topology, all_commands),
    }


def _drift(name: str, topology: t.Any, all_commands: bool) -> Data:
    """The changes that would restore the last applied topology of the lab. None if there is none."""
    if topology is None:
        return {"drifted": None, "commands": [], "diff": {}, "errors": []}
    try:
        outcome = engine.run(build.build(topology), name, check=True)
    except LabError as exc:
        return {"drifted": True, "commands": [], "diff": {}, "errors": exc.errors}
    diff = outcome.diff if all_commands or len(outcome.changes) <= engine.MOST_SHOWN else {}
    return {"drifted": outcome.changed, "commands": outcome.shown(all_commands), "diff": diff, "errors": []}
