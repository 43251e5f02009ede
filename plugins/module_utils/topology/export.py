# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Convert a lab in the kernel, whatever created it, to a topology that builds it again."""

from __future__ import annotations

import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils import fields, rules
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import nftables
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.objects import (
    KERNEL_PROTOCOL,
    MAIN_TABLE,
    Address,
    Link,
)
from ansible_collections.linuxnet.lab.plugins.module_utils.ownership import owns
from ansible_collections.linuxnet.lab.plugins.module_utils.resources import remembered, rule
from ansible_collections.linuxnet.lab.plugins.module_utils.snapshot import PROTOCOL, Namespace, Snapshot, connects
from ansible_collections.linuxnet.lab.plugins.module_utils.topology import schema

Data = dict[str, t.Any]


class _Place(t.NamedTuple):
    """A link, identified by its namespace and name."""

    ref: str
    name: str


def export(snapshot: Snapshot, lab: str) -> Data:
    """The topology of a lab, with all values explicit, and nothing automatic.

    A topology cannot contain what does not belong to the lab itself: addresses on links of others, routes in namespaces
    of others, and anything in namespaces without a name.
    """
    everywhere = snapshot.everywhere()
    own = [namespace for namespace in everywhere if namespace.ref and namespace.lab == lab]
    places = [namespace for namespace in everywhere if not namespace.ref or namespace in own]
    found: Data = {"name": lab, "namespaces": _namespaces(snapshot, lab, own)}
    labels = _labels(places, lab)
    found["bridges"] = {
        labels[_Place(namespace.ref, link.name)]: _bridge(namespace, link)
        for namespace in places
        for link in namespace.links.values()
        if _Place(namespace.ref, link.name) in labels
    }
    found["links"] = _links(snapshot, lab, places, labels)
    found["routes"] = [one for namespace in places for one in _routes(lab, namespace)]
    found["rules"] = [
        {"netns": _title(namespace), **one.options()}
        for namespace in places
        for one in rule.of_lab(snapshot, namespace, lab)
    ]
    found["neighbors"] = [one for namespace in places for one in _neighbors(snapshot, lab, namespace)]
    found["masquerade"] = [one for namespace in places for one in _masquerade(snapshot, lab, namespace)]
    return {key: value for key, value in found.items() if value}


def _title(namespace: Namespace) -> str:
    return namespace.ref or schema.HOST


def _namespaces(snapshot: Snapshot, lab: str, own: list[Namespace]) -> Data:
    found: Data = {}
    for namespace in own:
        said: Data = {"kind": "held", "hostname": namespace.hostname} if namespace.held else {}
        there = [(one, _of_address(one)) for one in namespace.links["lo"].addresses if one.scope != "host"]
        lo = [{"address": one.cidr, **own} if own else one.cidr for one, own in there]
        found[namespace.ref] = {**said, **({"lo": lo} if lo else {})}
    for record in remembered.records(snapshot, lab, "sysctl"):
        name = record["netns"] or schema.HOST
        if "because_of" in record:
            continue  # the kernel adds it with another one
        if name in found or name == schema.HOST:
            found.setdefault(name, {}).setdefault("sysctls", {})[record["name"]] = record["value"]
    return found


def _labels(places: list[Namespace], lab: str) -> dict[_Place, str]:
    """A unique name for each bridge of the lab, because bridges in different namespaces may have the same name."""
    taken = {_title(namespace) for namespace in places} | {schema.HOST}
    found = {}
    for namespace in places:
        for link in namespace.links.values():
            if link.kind == "bridge" and owns(lab, link):
                label = link.name if link.name not in taken else "{0}.{1}".format(link.name, _title(namespace))
                taken.add(label)
                found[_Place(namespace.ref, link.name)] = label
    return found


def _settings(link: Link) -> Data:
    said: Data = {"name": link.name, "mac": link.mac, "mtu": link.mtu}
    addresses = [one for one in link.addresses if not one.learnt and not one.is_link_local]
    options = [_of_address(one) for one in addresses]
    # What all addresses have that can have it stands once.
    for name in [name for name in _common(addresses, options) if name in fields.arguments(fields.ADDRESS)]:
        said[name] = next(one[name] for one in options if name in one)
        for one in options:
            one.pop(name, None)
    said["addresses"] = [
        {"address": one.cidr, **own} if own else one.cidr for one, own in zip(addresses, options)
    ]
    return said


def _of_address(one: Address) -> Data:
    """What an address has that a new one does not have, by the names of :data:`.fields.ADDRESS`."""
    valid, dummy, preferred = one.lifetimes.split()
    usual_scope = rules.scope_of(rules.interface_of(one.cidr))
    found = {
        **{name: value for name, value in one.unusual if name in fields.arguments(fields.ADDRESS)},
        "broadcast": bool(one.broadcast),
        "dad": one.version == 6 and not one.nodad,
        "scope": one.scope if one.version == 4 and one.scope != usual_scope else "",
        "peer": one.remote,
        "valid_lft": valid if valid != "forever" else "",
        "preferred_lft": preferred if preferred != valid else "",
    }
    return {name: value for name, value in found.items() if value}


def _common(addresses: list[Address], options: list[Data]) -> t.Iterator[str]:
    for name in dict.fromkeys(name for one in options for name in one):
        version = {"broadcast": (4,), "scope": (4,), "dad": (6,)}.get(name, (4, 6))
        values = [own.get(name) for one, own in zip(addresses, options) if one.version in version]
        if values and all(value == values[0] for value in values):
            yield name


def _bridge(namespace: Namespace, link: Link) -> Data:
    options = fields.to_user(fields.BRIDGE, link.options)
    if not options.get("vlan_filtering"):
        options.pop("vlan_filtering", None)  # not every kernel knows it
    said = {"netns": _title(namespace), **_settings(link), **options}
    # A bridge without an MTU of its own has the smallest MTU of its ports (br_mtu_auto_adjust() of the kernel).
    if link.mtu == min((port.mtu for port in namespace.links.values() if port.master == link.name), default=0):
        del said["mtu"]
    return said


def _links(snapshot: Snapshot, lab: str, places: list[Namespace], bridges: dict[_Place, str]) -> list[Data]:
    """The lab's pairs, in the order of their connected routes, because the kernel uses the first of two equal routes.
    """
    found: list[tuple[int, Data]] = []
    seen: set[_Place] = set()
    for namespace in places:
        for link in namespace.links.values():
            place = _Place(namespace.ref, link.name)
            if link.kind != "veth" or not owns(lab, link) or place in seen:
                continue
            other = snapshot.peer(namespace, link)
            if other is None or other[0] not in places:
                continue
            seen.add(_Place(other[0].ref, other[1].name))
            both = sorted(((namespace, link), other), key=lambda one: _rank(*one))
            found.append((_rank(*both[1]), {"ends": [_end(*one, bridges) for one in both]}))
    return [data for dummy, data in sorted(found, key=lambda one: one[0])]


def _end(namespace: Namespace, link: Link, bridges: dict[_Place, str]) -> Data:
    said = {**_settings(link), "up": link.up}
    said.update((name, value) for name, value in link.unusual.items() if name in fields.arguments(fields.LINK))
    label = bridges.get(_Place(namespace.ref, link.master)) if link.master else None
    if label is None:
        return {"netns": _title(namespace), **said}
    del said["addresses"]
    return {"bridge": label, **said}


def _rank(namespace: Namespace, link: Link) -> int:
    routes = [one.dev for one in namespace.routes if one.protocol == KERNEL_PROTOCOL and one.family == 4]
    return routes.index(link.name) if link.name in routes else -1


def _routes(lab: str, namespace: Namespace) -> list[Data]:
    """The routes that the lab added, and as absent the connected routes that are missing."""
    found = [_route(namespace, one) for one in _missing(namespace, lab)]
    for one in namespace.routes:
        links = [namespace.links.get(hop.dev) for hop in one.hops]
        mine = bool(namespace.ref) or all(link is not None and owns(lab, link) for link in links)
        if one.protocol == PROTOCOL and mine:
            found.append(_route(namespace, one))
    return found


def _missing(namespace: Namespace, lab: str) -> t.Iterator[t.Any]:
    there = {(one.dst, one.dev) for one in namespace.routes}
    for link in namespace.links.values():
        for address in link.addresses if link.up and owns(lab, link) and link.name != "lo" else ():
            network = str(address.network)
            if address.version == 4 and connects(address) and (network, link.name) not in there:
                yield _Missing(network, link.name)


class _Missing(t.NamedTuple):
    """A connected route that is missing."""

    dst: str
    dev: str


def _route(namespace: Namespace, one: t.Any) -> Data:
    said: Data = {"netns": _title(namespace), "dst": one.dst, "dev": one.dev}
    if isinstance(one, _Missing):
        return {**said, "state": "absent"}
    for name in ("via", "src", "metric", "onlink"):
        if getattr(one, name):
            said[name] = getattr(one, name)
    hops = [{name: value for name, value in hop._asdict().items() if value} for hop in one.nexthops]
    if hops:
        said["nexthops"] = hops
    said.update(fields.given(fields.arguments(fields.METRICS), dict(one.metrics)))
    if one.table != MAIN_TABLE:
        said["table"] = one.table
    if one.type != "unicast":
        said["type"] = one.type
    if one.family == 4:
        said["scope"] = one.scope
    return {key: value for key, value in said.items() if value != ""}


def _neighbors(snapshot: Snapshot, lab: str, namespace: Namespace) -> list[Data]:
    found = []
    for one in snapshot.neighbors(namespace).values():
        link = namespace.links.get(one.dev)
        if link is None or not owns(lab, link) or not (one.proxy or one.state == "PERMANENT"):
            continue
        how = {name: getattr(one, name) for name in fields.arguments(fields.NEIGHBOR) if getattr(one, name)}
        found.append({"netns": _title(namespace), "dst": one.dst, "dev": one.dev, **how})
    return found


def _masquerade(snapshot: Snapshot, lab: str, namespace: Namespace) -> list[Data]:
    ruleset = snapshot.once(nftables.of_namespace, namespace.ref, lab)
    if ruleset is None or "postrouting" not in ruleset.chains:
        return []
    forward = "restricted" if "forward" in ruleset.chains else "open"
    found = []
    for one in ruleset.chains["postrouting"].rules:
        if getattr(one, "verdict", "") == "masquerade":
            said = {name: getattr(one, name) for name in ("src", "dst", "iif", "oif", "not_oif")}
            said = {name: value for name, value in said.items() if value}
            found.append({"netns": _title(namespace), **said, "forward": forward})
    return found
