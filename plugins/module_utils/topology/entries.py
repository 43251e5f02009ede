# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The entries of a topology that need its links and addresses: routes, neighbours, masquerading, checks."""

from __future__ import annotations

import ipaddress
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils import fields, rules
from ansible_collections.linuxnet.lab.plugins.module_utils.topology import contract, schema
from ansible_collections.linuxnet.lab.plugins.module_utils.topology.draft import Draft
from ansible_collections.linuxnet.lab.plugins.module_utils.topology.model import Route
from ansible_collections.linuxnet.lab.plugins.module_utils.topology.reader import Data


def _kernel_name(draft: Draft, netns: str, name: str) -> str:
    """The kernel's name of a link, given by its name or its alternative name."""
    if len(name.encode(errors="surrogatepass")) <= rules.LINK_NAME_LIMIT:
        return name
    if draft.altnames is None:
        links = reversed(draft.lab.bridges_and_ends())
        draft.altnames = {(one.netns, one.altname or ""): one.name for one in links}
    return draft.altnames.get((netns, name), name)


def routes(draft: Draft, value: t.Any) -> None:
    """Read the routes of a topology, one for each of their namespaces."""
    addresses = draft.lab.addresses()
    for place, values in draft.reader.items("routes", value, "route"):
        if "nexthops" in values:
            values["nexthops"] = list(draft.reader.items(place + ".nexthops", values["nexthops"], "nexthop"))
        for name in draft.reader.names(place + ".netns", values.get("netns", [])):
            netns = draft.netns(place + ".netns", name)
            if netns is not None and "dst" in values:
                _route(draft, netns, place, values, addresses)


def _route(draft: Draft, netns: str, place: str, values: Data, addresses: dict[str, list[str]]) -> None:
    options = {**fields.ROUTE, **fields.METRICS}
    rest = {key: values[key] for key in options if key in values and key not in ("via", "dev")}
    present = values.get("state") != "absent"
    dev = _kernel_name(draft, netns, values["dev"]) if "dev" in values else None
    dst, via = values["dst"], values.get("via")
    targets = [dst] if dst == "default" else draft.prefixes_of(place + ".dst", dst)
    if "nexthops" in values:
        _multipath(draft, Route(netns, dst, place, via, dev, rest, present), targets, values["nexthops"], addresses)
        return
    node = via is not None and bool(rules.check_ip(place, via.partition("%")[0]))
    found = len(draft.lab.routes)
    for target in targets:
        gateways: list[str | None] = [via]
        if node:
            version = None if target == "default" else 6 if ":" in target else 4
            gateways = list(_neighbors_at(draft, netns, place, via or "", version, addresses))
        for gateway in gateways:
            by_ipv6 = targets == [target] and gateway is not None and ":" in gateway and not node
            if dst == target or gateway is None or (":" in gateway) == (":" in target) or by_ipv6:
                to = "::/0" if target == "default" and gateway and ":" in gateway else target
                draft.lab.routes.append(Route(netns, to, place, gateway, dev, rest, present))
    if targets and len(draft.lab.routes) == found and not node:
        draft.errors.append("{0}.via: {1} does not have an IP version of {2!r}".format(place, via, dst))


def _multipath(
    draft: Draft, route: Route, targets: list[str], hops: list[tuple[str, Data]], addresses: dict[str, list[str]]
) -> None:
    """Add a multipath route for each target, with the gateways of its IP version."""
    gateways = [_versions_of(draft, route.netns, at, hop.get("via"), addresses) for at, hop in hops]
    for target in targets if all(gateways) else ():
        if target == "default":
            versions = [version for version in (4, 6) if all(version in ways for ways in gateways)]
            versions = versions[:1] if not any(hop.get("via") for dummy, hop in hops) else versions
        else:
            versions = [6 if ":" in target else 4]
        for version in versions:
            chosen = []
            for (at, hop), ways in zip(hops, gateways):
                via = ways[version] if version in ways else None if set(ways) != {6} else ways[6]
                if via is None and hop.get("via"):
                    draft.errors.append(
                        "{0}.via: {1!r} has no IPv{2} address in a network of {3!r}".format(
                            at, hop["via"], version, route.netns or schema.HOST
                        )
                    )
                dev = {"dev": _kernel_name(draft, route.netns, hop["dev"])} if "dev" in hop else {}
                chosen.append({**hop, "via": via, **dev})
            to = "::/0" if target == "default" and version == 6 else target
            draft.lab.routes.append(route._replace(dst=to, nexthops=chosen))
        if not versions:
            draft.errors.append("{0}.nexthops: they have no IP version in common".format(route.place))


def _versions_of(
    draft: Draft, netns: str, place: str, via: str | None, addresses: dict[str, list[str]]
) -> dict[int, str | None]:
    """The gateway that a next hop names, by IP version. Empty, and an error, if there is none."""
    if via is None:
        return {4: None, 6: None}
    if rules.check_ip(place, via.partition("%")[0]):
        return {6 if ":" in one else 4: one for one in _neighbors_at(draft, netns, place, via, None, addresses)}
    return {6 if ":" in via else 4: via}


def _neighbors_at(
    draft: Draft, netns: str, place: str, name: str, version: int | None, addresses: dict[str, list[str]]
) -> t.Iterator[str]:
    """The first address of each IP version at which a namespace reaches another one directly."""
    other = draft.netns(place + ".via", name)
    if other is None:
        return
    own = addresses.get(netns, [])
    draft.reader.budget.pairs(place, "comparisons", len(own) * len(addresses.get(other, [])))
    networks = [rules.reached(one) for one in own]
    found = set()
    for text in addresses.get(other, []):
        ip = ipaddress.ip_interface(text).ip
        if ip.version in found or version not in (None, ip.version):
            continue
        if any(ip in network for network in networks):
            found.add(ip.version)
            yield str(ip)
    if not found:
        draft.errors.append("{0}.via: {1!r} shares no network with {2!r}".format(place, name, netns or schema.HOST))


def policy_rules(draft: Draft, value: t.Any) -> None:
    """Read the policy rules, one for each of their namespaces. A segment stands for its prefixes."""
    for place, values in draft.reader.items("rules", value, "rule"):
        for name in draft.reader.names(place + ".netns", values.get("netns", [])):
            netns = draft.netns(place + ".netns", name)
            if netns is not None:
                links: Data = {key: _kernel_name(draft, netns, values[key]) for key in ("iif", "oif") if key in values}
                for prefixes in _prefixes_of_rule(draft, place, values):
                    draft.lab.rules.append((place, {**values, "netns": netns, **links, **prefixes}))


def _prefixes_of_rule(draft: Draft, place: str, values: Data) -> t.Iterator[Data]:
    """The pairs of `from` and `to` of one IP version."""
    ends: dict[str, list[str | None]] = {}
    for key in ("from", "to"):
        text = values.get(key)
        ends[key] = [text] if text in (None, "all", "any") else [*draft.prefixes_of("{0}.{1}".format(place, key), text)]
    alone = len(ends["from"]) == len(ends["to"]) == 1
    for src in ends["from"]:
        for dst in ends["to"]:
            versions = {6 if ":" in one else 4 for one in (src, dst) if one and one not in ("all", "any")}
            if alone or (len(versions) < 2 and values.get("family") in (None, *versions)):
                yield {"from": src, "to": dst}


def neighbors(draft: Draft, value: t.Any) -> None:
    """Read the permanent entries of neighbour tables."""
    for place, values in draft.reader.items("neighbors", value, "neighbor"):
        netns = draft.netns(place + ".netns", values.get("netns"))
        if netns is not None and {"dst", "dev"} <= set(values):
            dev = _kernel_name(draft, netns, values["dev"])
            draft.lab.neighbors.append((place, {**values, "netns": netns, "dev": dev}))


def masquerades(draft: Draft, value: t.Any) -> None:
    """Read the entries of `masquerade`. A segment stands for its prefixes."""
    for place, values in draft.reader.items("masquerade", value, "masquerade"):
        netns = draft.netns(place + ".netns", values.get("netns"))
        if netns is None:
            continue
        for key in ("iif", "oif", "not_oif"):
            if key in values:
                values[key] = _kernel_name(draft, netns, values[key])
        segment = draft.lab.segments.get(values.get("src", ""))
        inside = segment.link_of(netns) if segment else None
        if inside and "oif" not in values:
            values.setdefault("not_oif", inside)
        if inside:
            values.setdefault("iif", inside)
        sources: list[t.Any] = draft.prefixes_of(place + ".src", values["src"]) if "src" in values else [None]
        targets: list[t.Any] = draft.prefixes_of(place + ".dst", values["dst"]) if "dst" in values else [None]
        found = len(draft.lab.masquerades)
        for src in sources:
            for dst in targets:
                # If two segments have prefixes of both IP versions, combine only prefixes of the same version.
                if not (src and dst) or (":" in src) == (":" in dst) or len(sources) == len(targets) == 1:
                    draft.lab.masquerades.append((place, {**values, "netns": netns, "src": src, "dst": dst}))
        if sources and targets and len(draft.lab.masquerades) == found:
            draft.errors.append("{0}.dst: {src!r} and {dst!r} are not of one IP version".format(place, **values))
    _agree_on_forwarding(draft)


def _agree_on_forwarding(draft: Draft) -> None:
    """An error if two entries set different values for one namespace."""
    said: dict[str, tuple[str, str]] = {}
    for place, values in draft.lab.masquerades:
        if "forward" in values:
            word, first = said.setdefault(values["netns"], (values["forward"], place))
            if word != values["forward"]:
                draft.errors.append("{0}.forward: {1} says {2!r} for the same namespace".format(place, first, word))


def checks(draft: Draft, value: t.Any) -> None:
    """Read the checks. This verifies the names in them, and does not resolve them."""
    asked = contract.targets_of(draft.lab)
    everybody = {schema.ALL: sum(bool(node.ref) for node in draft.lab.nodes.values())}
    everything = {schema.ALL: sum(map(len, asked.values())), schema.HOST: len(asked.get("", []))}
    for place, values in draft.reader.items("checks", value, "check"):
        senders = [
            name
            for name in draft.reader.names(place + ".from", values.get("from", []))
            if name == schema.ALL or draft.netns(place + ".from", name) is not None
        ]
        targets = []
        for name in draft.reader.names(place + ".to", values.get("to", [])):
            address = not rules.check_ip(place, name.partition("%")[0])
            netns = None if address or name == schema.ALL else draft.netns(place + ".to", name)
            if address or name == schema.ALL or netns is not None:
                targets.append(name)
            if netns is not None and not asked.get(netns) and not draft.errors:
                draft.errors.append("{0}.to: {1!r} has no address to check".format(place, name))
        count = sum(everybody.get(name, 1) for name in dict.fromkeys(senders)) * sum(
            everything.get(name, len(asked.get(name, [""]))) for name in dict.fromkeys(targets)
        )
        draft.reader.budget.pairs(place, "checks", count)
        draft.lab.checks.append((place, {**values, "from": senders, "to": targets}))
