# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Segments: a bridge, a prefix, and those who are on it with their addresses and default routes."""

from __future__ import annotations

import ipaddress
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils import rules
from ansible_collections.linuxnet.lab.plugins.module_utils.topology import addressing, schema
from ansible_collections.linuxnet.lab.plugins.module_utils.topology.draft import Draft
from ansible_collections.linuxnet.lab.plugins.module_utils.topology.model import Cable, Network, Plug, Way
from ansible_collections.linuxnet.lab.plugins.module_utils.topology.reader import Data


def read(draft: Draft, value: t.Any) -> None:
    """Take the segments of a topology, with their members, but without addresses."""
    for label, place, values in draft.reader.named("segments", value, "segment"):
        switch = draft.switch(label, place, values, "bridge")
        if switch is None:
            continue
        network = Network(label, place, switch)
        draft.lab.networks[label] = network
        network.prefixes = draft.prefixes(place + ".prefix", values.get("prefix", []))
        _members(draft, network, place, values)
        if "gateway" in values:
            _gateway(draft, network, place + ".gateway", values["gateway"])


def _members(draft: Draft, network: Network, place: str, values: Data) -> None:
    for name, at, own in draft.reader.named(place + ".members", values.get("members", []), "member"):
        netns = draft.netns(at, name)
        if netns is None:
            continue
        if netns in network.refs:
            draft.errors.append("{0}: {1!r} is on {2} already".format(at, name, network.label))
            continue
        plug = _plug_in(draft, network, netns, at, own)
        if own.get("default_route", values.get("default_route", True)):
            network.followers.append(plug)


def _plug_in(draft: Draft, network: Network, netns: str, place: str, values: Data) -> Plug:
    """A cable from a namespace to a segment's bridge."""
    switch = network.switch
    plug = Plug(
        netns,
        place,
        name=values.get("name", ""),
        addresses=values.get("addresses"),
        broadcast=switch.broadcast,
        dad=switch.dad,
        mac=values.get("mac"),
        mtu=switch.mtu,
        up=values.get("up", True),
    )
    port = Plug(switch.netns, place + ".port", switch, name=values.get("port", ""), addresses=[], mtu=switch.mtu)
    draft.lab.cables.append(Cable((port, plug), place, network.label))
    network.members.append(plug)
    network.refs.add(netns)
    return plug


def _gateway(draft: Draft, network: Network, place: str, value: t.Any) -> None:
    if isinstance(value, dict):
        values = draft.reader.item(place, value, "gateway")
    elif isinstance(value, str) and not rules.check_ip(place, value.split("/")[0]):
        values = {"addresses": [value]}
    elif isinstance(value, str):
        values = {"netns": value}
    else:
        draft.errors.append("{0}: {1!r} is not a namespace, an address, or a mapping".format(place, value))
        return
    at_bridge = network.switch.netns or schema.HOST
    netns = draft.netns(place, values.get("netns", at_bridge))
    if netns is None:
        return
    if not network.prefixes:
        draft.errors.append("{0}: a gateway needs a prefix, and {1} has none".format(place, network.label))
        return
    network.gateway = netns
    network.gateways = _gateway_addresses(draft, network, place, values.get("addresses", []))
    if netns == network.switch.netns and netns in network.refs:
        draft.errors.append(
            "{0}: {1!r} has the bridge of {2}, and is its gateway by that; it cannot be a member too".format(
                place, netns or schema.HOST, network.label
            )
        )
        return
    if netns == network.switch.netns:
        _refuse_link_keys(draft, place, values, "the bridge itself is the gateway, and the segment has its keys")
        network.switch.addresses += network.gateways
    elif netns in network.refs:
        _refuse_link_keys(draft, place, values, "{0!r} is a member, which has such keys".format(netns))
        plug = next(one for one in network.members if one.netns == netns)
        if plug.addresses is not None:
            draft.errors.append("{0}: the addresses of {1!r} are given as a member's too".format(place, netns))
        plug.addresses = list(network.gateways)
    else:
        plug = _plug_in(draft, network, netns, place, values)
        plug.addresses = list(network.gateways)


def _refuse_link_keys(draft: Draft, place: str, values: Data, why: str) -> None:
    """An error for each key that is about a link which the gateway does not bring with it."""
    draft.errors += ["{0}.{1}: {2}".format(place, key, why) for key in ("name", "port", "mac") if key in values]


def _gateway_addresses(draft: Draft, network: Network, place: str, given: list[str]) -> list[str]:
    """The gateway's addresses: those given, and the first of the prefixes of which none is."""
    found = _within(draft, network, place, given)
    for text in network.prefixes:
        prefix = rules.network_of(text)
        if not any(ipaddress.ip_interface(one).version == prefix.version for one in found):
            found.append(addressing.address(prefix, 0))
    return found


def _within(draft: Draft, network: Network, place: str, given: list[str]) -> list[str]:
    """Addresses of somebody on a segment, with prefix length; an error for each that is outside."""
    found = []
    prefixes = [rules.network_of(text) for text in network.prefixes]
    for number, text in enumerate(given):
        at = "{0}.addresses[{1}]".format(place, number)
        wrong = rules.check_ip(at, text.split("/")[0]) or (rules.check_cidr(at, text) if "/" in text else [])
        if wrong:
            draft.errors += wrong
            continue
        ip = ipaddress.ip_address(text.split("/")[0])
        home = next((one for one in prefixes if ip in one), None)
        if home is None and prefixes:
            draft.errors.append("{0}: {1} is outside {2}".format(at, text, " and ".join(network.prefixes)))
        elif "/" in text:
            found.append(text)
        elif home is None:
            draft.errors.append("{0}: {1!r} lacks the prefix length, and the segment has none".format(at, text))
        else:
            found.append("{0}/{1}".format(text, home.prefixlen))
    return found


def give_addresses(draft: Draft) -> None:
    """Give every member of every segment its addresses, and its default route."""
    for network in draft.lab.networks.values():
        for plug in network.members:
            if plug.addresses is not None:
                plug.addresses = _within(draft, network, plug.place, plug.addresses)
        _by_name(draft, network)
        _lead_out(draft, network)


def _lead_out(draft: Draft, network: Network) -> None:
    for plug in network.followers:
        if plug.netns == network.gateway:
            continue
        for gateway in network.gateways:
            via = gateway.split("/")[0]
            version = 6 if ":" in via else 4
            if any((6 if ":" in one else 4) == version for one in plug.addresses or []):
                dst = "0.0.0.0/0" if version == 4 else "::/0"
                draft.lab.ways.append(Way(plug.netns, dst, plug.place, via=via))


def _by_name(draft: Draft, network: Network) -> None:
    given: dict[int, list[ipaddress.IPv4Address | ipaddress.IPv6Address]] = {4: [], 6: []}
    for text in [*network.gateways, *(one for plug in network.members for one in plug.addresses or [])]:
        ip = ipaddress.ip_interface(text).ip
        given[ip.version].append(ip)
    versions = {plug.netns: _versions(plug) for plug in network.members}
    for text in network.prefixes:
        prefix = rules.network_of(text)
        waiting = {
            plug.netns or schema.HOST: plug
            for plug in network.members
            if prefix.version not in versions[plug.netns] and None not in versions[plug.netns]
        }
        taken = {addressing.place_of(prefix, ip) for ip in given[prefix.version] if ip in prefix}
        taken.add(0)  # the gateway's, whether there is one yet or not
        try:
            chosen = addressing.assign(list(waiting), addressing.places(prefix), taken)
        except ValueError as exc:
            draft.errors.append("{0}.prefix: {1} is too small: {2}".format(network.place, prefix, exc))
            continue
        for name, place in chosen.items():
            plug = waiting[name]
            plug.addresses = [*(plug.addresses or []), addressing.address(prefix, place)]
    for plug in network.members:
        plug.addresses = plug.addresses or []


def _versions(plug: Plug) -> set[int | None]:
    """The families of which an end has an address; None among them where it wants none at all."""
    if plug.addresses == []:
        return {None}
    return {6 if ":" in one else 4 for one in plug.addresses or []}
