# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Convert data to a lab: resolve references, choose names and addresses, and find all errors."""

from __future__ import annotations

import ipaddress
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils import rules
from ansible_collections.linuxnet.lab.plugins.module_utils.topology import (
    budget,
    conflicts,
    entries,
    links,
    naming,
    schema,
    segments,
)
from ansible_collections.linuxnet.lab.plugins.module_utils.topology.draft import Draft
from ansible_collections.linuxnet.lab.plugins.module_utils.topology.model import Lab, Node
from ansible_collections.linuxnet.lab.plugins.module_utils.topology.reader import Reader
from ansible_collections.linuxnet.lab.plugins.module_utils.topology.routing import add_routes

_HOST_KEYS = ("forwarding", "sysctls")


def read(data: t.Any) -> tuple[Lab, list[str]]:
    """The valid part of the lab that a topology describes, and the errors."""
    reader = Reader()
    try:
        return _read(reader, data), list(dict.fromkeys(reader.errors))
    except budget.Exceeded as exc:
        return Lab(""), exc.errors


def _read(reader: Reader, data: t.Any) -> Lab:
    reader.budget.data("topology", data)
    top = reader.item("", data, "topology")
    draft = Draft(top.get("name", ""), reader, top.get("mtu"))
    draft.lab.host_firewall = top.get("host_firewall", draft.lab.host_firewall)
    draft.lab.foreign = top.get("foreign", draft.lab.foreign)
    _namespaces(draft, top.get("namespaces", {}))
    _bridges(draft, top.get("bridges", {}))
    segments.read(draft, top.get("segments", {}))
    links.read(draft, top.get("links", []))
    naming.give_names(draft.lab)
    segments.give_addresses(draft)
    links.give_addresses(draft, top.get("pool", []))
    conflicts.check_bridges(draft)
    conflicts.check_overlaps(draft, top.get("pool", []))
    entries.routes(draft, top.get("routes", []))
    if top.get("routing") == "static":
        add_routes(draft.lab, reader.budget)
    entries.policy_rules(draft, top.get("rules", []))
    entries.neighbors(draft, top.get("neighbors", []))
    entries.masquerades(draft, top.get("masquerade", []))
    if not draft.errors:
        conflicts.doubt_masquerades(draft.lab)
    entries.checks(draft, top.get("checks", []))
    return draft.lab


def _namespaces(draft: Draft, value: t.Any) -> None:
    for name, place, values in draft.reader.named("namespaces", value, "namespace"):
        if name in draft.lab.nodes:
            draft.errors.append("{0}: there is already a namespace {1!r}".format(place, name))
            continue
        draft.declared.add(name)
        if name == schema.HOST:
            for key in values:
                if key not in _HOST_KEYS:
                    draft.errors.append(
                        "{0}.{1}: the host can have only {2}".format(place, key, " and ".join(_HOST_KEYS))
                    )
        elif ":" in name or name == schema.ALL or rules.check_netns_name(place, name):
            draft.errors.append("{0}: {1!r} is not a namespace name".format(place, name))
            continue
        draft.lab.nodes[name] = Node(
            ref="" if name == schema.HOST else name,
            place=place,
            held=values.get("kind") == "held",
            hostname=values.get("hostname"),
            forwarding=values.get("forwarding"),
            sysctls=values.get("sysctls", {}),
            lo=_lo(draft, place + ".lo", values.get("lo", [])),
        )


def _lo(draft: Draft, place: str, texts: list[str]) -> list[str]:
    """Addresses of a `lo`. The default prefix length is /32 or /128."""
    found = []
    for number, text in enumerate(texts):
        at = "{0}[{1}]".format(place, number)
        if "/" not in text and not rules.check_ip(at, text):
            whole = "{0}/{1}".format(text, ipaddress.ip_address(text).max_prefixlen)
            text = text.of(whole) if isinstance(text, rules.Cidr) else whole
        wrong = rules.check_cidr(at, text)
        draft.errors += wrong
        found += [] if wrong else [text]
    return found


def _bridges(draft: Draft, value: t.Any) -> None:
    for label, place, values in draft.reader.named("bridges", value, "bridge"):
        # A bridge has its key as name in the kernel, if that is a valid name.
        name = {} if rules.check_link_name(place, label) else {"name": label}
        draft.bridge(label, place, {**name, **values}, "name")
