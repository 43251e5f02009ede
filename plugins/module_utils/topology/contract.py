# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The checks of a lab as single checks, in the format of the module connectivity."""

from __future__ import annotations

import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils import rules
from ansible_collections.linuxnet.lab.plugins.module_utils.probe.checks import SIZE
from ansible_collections.linuxnet.lab.plugins.module_utils.topology import schema
from ansible_collections.linuxnet.lab.plugins.module_utils.topology.model import Lab

Check = dict[str, t.Any]

_PLAINLY = {"yes": "reachable", "no": "unreachable"}

# Two checks are about the same pair unless they differ in one of these.
_TOLD_APART = ("protocol", "port", "size", "src")
_USUAL = {"protocol": "icmp", "size": SIZE}


def checks(lab: Lab) -> list[tuple[str, Check]]:
    """All single checks of a lab with their places: one for each sender and each address of each target.

    If two checks are about the same pair, the later one applies. A sender checks neither itself nor addresses of an IP
    version that it does not have, unless a check contains the address itself.
    """
    if not lab.checks:
        return []
    everything = lab.addresses()
    families = {ref: {":" in one for one in addresses} for ref, addresses in everything.items()}
    owners = {one.split("/")[0]: ref for ref, addresses in everything.items() for one in addresses}
    targets = targets_of(lab)
    found: dict[tuple[t.Any, ...], tuple[str, Check]] = {}
    for place, values in lab.checks:
        rest = {key: value for key, value in values.items() if key not in ("from", "to", "listen")}
        if "expect" in rest:
            rest["expect"] = _PLAINLY.get(rest["expect"], rest["expect"])
        listens = rest.get("protocol") in ("tcp", "udp") and values.get("listen", True)
        for sender in _refs(lab, values["from"]):
            for address, named in _addresses(lab, values["to"], targets).items():
                strange = owners.get(address) == sender or (":" in address) not in families.get(sender, ())
                if strange and not named:
                    continue
                key = (sender, address, *({**_USUAL, **rest}.get(name) for name in _TOLD_APART))
                check = {"from": sender, "to": address, **rest}
                if listens and address in owners:
                    check["listen"] = owners[address]
                found[key] = (place + ".", check)
    return list(found.values())


def targets_of(lab: Lab) -> dict[str, list[str]]:
    """The target addresses of each namespace, without link-local ones, which need the sender's link."""
    return {
        ref: [one.split("/")[0] for one in addresses if not rules.interface_of(one).is_link_local]
        for ref, addresses in lab.own_addresses().items()
    }


def _refs(lab: Lab, names: list[str]) -> list[str]:
    """Namespaces by their names in the topology. `all` is all of the lab, without the host."""
    found: dict[str, None] = {}
    for name in names:
        if name == schema.ALL:
            found.update(dict.fromkeys(node.ref for node in lab.nodes.values() if node.ref))
        else:
            found["" if name == schema.HOST else name] = None
    return list(found)


def _addresses(lab: Lab, names: list[str], targets: dict[str, list[str]]) -> dict[str, bool]:
    """The addresses of names, each with whether the check contains the address itself."""
    found: dict[str, bool] = {}
    for name in names:
        if name in (schema.ALL, schema.HOST) or name in lab.nodes:
            for ref in _refs(lab, [name]):
                found.update(dict.fromkeys(targets.get(ref, []), False))
        else:
            found[name] = True
    return found
