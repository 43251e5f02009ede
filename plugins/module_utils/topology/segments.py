# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Segments: a bridge, a prefix, and members with their addresses and default routes."""

from __future__ import annotations

import ipaddress
import re
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils import rules
from ansible_collections.linuxnet.lab.plugins.module_utils.topology import addressing, schema
from ansible_collections.linuxnet.lab.plugins.module_utils.topology.draft import Draft
from ansible_collections.linuxnet.lab.plugins.module_utils.topology.model import End, Link, Route, Segment
from ansible_collections.linuxnet.lab.plugins.module_utils.topology.reader import Data


def read(draft: Draft, value: t.Any) -> None:
    """Read the segments of a topology with their members, but without addresses."""
    for label, place, values in draft.reader.named("segments", value, "segment"):
        bridge = draft.bridge(label, place, values, "bridge")
        if bridge is None:
            continue
        segment = Segment(label, place, bridge)
        draft.lab.segments[label] = segment
        segment.prefixes = draft.prefixes(place + ".prefix", values.get("prefix", []))
        _members(draft, segment, place, values)
        if "gateway" in values:
            _gateway(draft, segment, place + ".gateway", values["gateway"])


def _members(draft: Draft, segment: Segment, place: str, values: Data) -> None:
    for name, at, own in draft.reader.named(place + ".members", values.get("members", []), "member"):
        netns = draft.netns(at, name)
        if netns is None:
            continue
        if netns in segment.refs:
            draft.errors.append("{0}: {1!r} is already on {2}".format(at, name, segment.label))
            continue
        end = _join(draft, segment, netns, at, own)
        if own.get("default_route", values.get("default_route", True)):
            segment.followers.append(end)


def _join(draft: Draft, segment: Segment, netns: str, place: str, values: Data) -> End:
    """Connect a namespace to a segment's bridge, and return its end of the link."""
    bridge = segment.bridge
    end = End(
        netns,
        place,
        name=values.get("name", ""),
        addresses=values.get("addresses"),
        address_options=bridge.address_options,
        mac=values.get("mac"),
        mtu=bridge.mtu,
        up=values.get("up", True),
    )
    port = End(bridge.netns, place + ".port", bridge, name=values.get("port", ""), addresses=[], mtu=bridge.mtu)
    draft.lab.links.append(Link((port, end), place, segment.label))
    segment.members.append(end)
    segment.refs.add(netns)
    return end


def _gateway(draft: Draft, segment: Segment, place: str, value: t.Any) -> None:
    if isinstance(value, dict):
        values = draft.reader.item(place, value, "gateway")
    elif isinstance(value, str) and not rules.check_ip(place, re.split("[/%]", value)[0]):
        values = {"addresses": [value]}
    elif isinstance(value, str):
        values = {"netns": value}
    else:
        draft.errors.append("{0}: {1!r} is not a namespace, an address, or a mapping".format(place, value))
        return
    at_bridge = segment.bridge.netns or schema.HOST
    netns = draft.netns(place, values.get("netns", at_bridge))
    if netns is None:
        return
    if not segment.prefixes:
        draft.errors.append("{0}: a gateway needs a prefix, and {1} has none".format(place, segment.label))
        return
    segment.gateway = netns
    segment.gateways = _gateway_addresses(draft, segment, place, values.get("addresses", []))
    if netns == segment.bridge.netns and netns in segment.refs:
        draft.errors.append(
            "{0}: {1!r} contains the bridge of {2} and is therefore its gateway, so it cannot be a member".format(
                place, netns or schema.HOST, segment.label
            )
        )
        return
    if netns == segment.bridge.netns:
        _refuse_link_keys(draft, place, values, "the bridge itself is the gateway; use the keys of the segment")
        segment.bridge.addresses += segment.gateways
    elif netns in segment.refs:
        _refuse_link_keys(draft, place, values, "{0!r} is a member; use the keys of the member".format(netns))
        end = next(one for one in segment.members if one.netns == netns)
        if end.addresses is not None:
            draft.errors.append("{0}: {1!r} is a member, whose addresses are already given".format(place, netns))
        end.addresses = list(segment.gateways)
    else:
        end = _join(draft, segment, netns, place, values)
        end.addresses = list(segment.gateways)


def _refuse_link_keys(draft: Draft, place: str, values: Data, why: str) -> None:
    """An error for each key of a link that the gateway does not create."""
    draft.errors += ["{0}.{1}: {2}".format(place, key, why) for key in ("name", "port", "mac") if key in values]


def _gateway_addresses(draft: Draft, segment: Segment, place: str, given: list[str]) -> list[str]:
    """The gateway's addresses: the explicit ones, and the first one of each other prefix."""
    found = _within(draft, segment, place, given)
    for text in segment.prefixes:
        prefix = rules.network_of(text)
        if not any(ipaddress.ip_interface(one).version == prefix.version for one in found):
            found.append(addressing.address(prefix, 0))
    return found


def _within(draft: Draft, segment: Segment, place: str, given: list[str]) -> list[str]:
    """Addresses in a segment, with prefix length, and an error for each that is outside."""
    found = []
    prefixes = [rules.network_of(text) for text in segment.prefixes]
    for number, text in enumerate(given):
        at = "{0}.addresses[{1}]".format(place, number)
        wrong = rules.check_ip(at, text.split("/")[0]) or (rules.check_cidr(at, text) if "/" in text else [])
        if wrong:
            draft.errors += wrong
            continue
        ip = ipaddress.ip_address(text.split("/")[0])
        home = next((one for one in prefixes if ip in one), None)
        if home is None and prefixes:
            draft.errors.append("{0}: {1} is outside {2}".format(at, text, " and ".join(segment.prefixes)))
        elif "/" in text:
            found.append(text)
        elif home is None:
            draft.errors.append("{0}: {1!r} lacks the prefix length, and the segment has none".format(at, text))
        else:
            whole = "{0}/{1}".format(text, home.prefixlen)
            found.append(text.of(whole) if isinstance(text, rules.Cidr) else whole)
    return found


def give_addresses(draft: Draft) -> None:
    """Give every member of every segment its addresses, and its default route."""
    for segment in draft.lab.segments.values():
        for end in segment.members:
            if end.addresses is not None:
                end.addresses = _within(draft, segment, end.place, end.addresses)
        _by_name(draft, segment)
        _lead_out(draft, segment)


def _lead_out(draft: Draft, segment: Segment) -> None:
    for end in segment.followers:
        if end.netns == segment.gateway:
            continue
        for gateway in segment.gateways:
            via = gateway.split("/")[0]
            version = 6 if ":" in via else 4
            if any((6 if ":" in one else 4) == version for one in end.addresses or []):
                dst = "0.0.0.0/0" if version == 4 else "::/0"
                draft.lab.routes.append(Route(end.netns, dst, end.place, via=via))


def _by_name(draft: Draft, segment: Segment) -> None:
    given: dict[int, list[ipaddress.IPv4Address | ipaddress.IPv6Address]] = {4: [], 6: []}
    for text in [*segment.gateways, *(one for end in segment.members for one in end.addresses or [])]:
        ip = ipaddress.ip_interface(text).ip
        given[ip.version].append(ip)
    versions = {end.netns: _versions(end) for end in segment.members}
    for text in segment.prefixes:
        prefix = rules.network_of(text)
        waiting = {
            end.netns or schema.HOST: end
            for end in segment.members
            if prefix.version not in versions[end.netns] and None not in versions[end.netns]
        }
        taken = {addressing.place_of(prefix, ip) for ip in given[prefix.version] if ip in prefix}
        taken.add(0)  # reserved for a gateway, even if there is none
        try:
            chosen = addressing.assign(list(waiting), addressing.places(prefix), taken)
        except ValueError as exc:
            draft.errors.append("{0}.prefix: {1} is too small: {2}".format(segment.place, prefix, exc))
            continue
        for name, place in chosen.items():
            end = waiting[name]
            end.addresses = [*(end.addresses or []), addressing.address(prefix, place)]
    for end in segment.members:
        end.addresses = end.addresses or []


def _versions(end: End) -> set[int | None]:
    """The IP versions for which an end needs no automatic address; None among them if it wants no address."""
    if end.addresses == []:
        return {None}
    return {6 if ":" in one else 4 for one in end.addresses or []}
