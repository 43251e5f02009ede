# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The reachability contract of a lab as single checks, in the words of the module connectivity."""

from __future__ import annotations

import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils.topology import schema
from ansible_collections.linuxnet.lab.plugins.module_utils.topology.model import Lab

Check = dict[str, t.Any]

# Checks of one pair are alike unless they differ in one of these.
_TOLD_APART = ("protocol", "port", "size", "src")


def checks(lab: Lab) -> list[Check]:
    """Every check of a lab: one for each sender and each address of each target; of two alike, the later.

    A sender is not asked about its own addresses, nor about those of a family of which it has none.
    """
    everything = lab.addresses()
    families = {ref: {":" in one for one in addresses} for ref, addresses in everything.items()}
    targets = {ref: [one.split("/")[0] for one in addresses] for ref, addresses in lab.own_addresses().items()}
    own = {ref: {one.split("/")[0] for one in addresses} for ref, addresses in everything.items()}
    nobody: set[str] = set()
    found: dict[tuple[t.Any, ...], Check] = {}
    for dummy, values in lab.checks:
        rest = {key: value for key, value in values.items() if key not in ("from", "to")}
        for sender in _refs(lab, values["from"]):
            for address in _addresses(lab, values["to"], targets):
                if address in own.get(sender, nobody) or (":" in address) not in families.get(sender, ()):
                    continue
                key = (sender, address, *(rest.get(name) for name in _TOLD_APART))
                found[key] = {"from": sender, "to": address, **rest}
    return list(found.values())


def _refs(lab: Lab, names: list[str]) -> list[str]:
    """Namespaces by their names in the topology; `all` is those of the lab, without the host."""
    found: dict[str, None] = {}
    for name in names:
        if name == schema.ALL:
            found.update(dict.fromkeys(node.ref for node in lab.nodes.values() if node.ref))
        else:
            found["" if name == schema.HOST else name] = None
    return list(found)


def _addresses(lab: Lab, names: list[str], targets: dict[str, list[str]]) -> list[str]:
    found: dict[str, None] = {}
    for name in names:
        known = name in (schema.ALL, schema.HOST) or name in lab.nodes
        for ref in _refs(lab, [name]) if known else []:
            found.update(dict.fromkeys(targets.get(ref, [])))
        if not known:
            found[name] = None
    return list(found)
