# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Links between namespaces and bridges."""

from __future__ import annotations

import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils import fields, rules
from ansible_collections.linuxnet.lab.plugins.module_utils.topology import addressing
from ansible_collections.linuxnet.lab.plugins.module_utils.topology.draft import Draft
from ansible_collections.linuxnet.lab.plugins.module_utils.topology.model import End, Link
from ansible_collections.linuxnet.lab.plugins.module_utils.topology.reader import Data


def read(draft: Draft, value: t.Any) -> None:
    """Read the links of a topology. Links with a prefix get their addresses."""
    for place, values in draft.reader.links("links", value):
        values["mtu"] = draft.right_mtu(place + ".", values.get("mtu"))
        ends = [
            _end(draft, "{0}.ends[{1}]".format(place, number), end, values)
            for number, end in enumerate(values.get("ends", []))
            if end
        ]
        if len(ends) == 2 and ends[0] and ends[1]:
            link = Link((ends[0], ends[1]), place)
            for end in link.ends:  # a bridge's MTU is that of the other end too
                end.mtu = next((mtu for mtu in (end.mtu, link.mtu, draft.mtu) if mtu is not None), None)
            draft.lab.links.append(link)
            if "prefix" in values:
                _address_link(draft, link, place + ".prefix", values["prefix"])


def _end(draft: Draft, place: str, values: Data, of_link: Data) -> End | None:
    node = values.get("node", values.get("netns", values.get("bridge")))
    bridge = None
    if "netns" not in values and node in draft.lab.bridges:
        bridge = draft.lab.bridges[node]
        netns: str | None = bridge.netns
    elif "bridge" in values:
        if node in draft.lab.nodes or node not in draft.declared:
            near = rules.nearest(str(node), draft.lab.bridges)
            draft.errors.append("{0}: there is no bridge {1!r}{2}".format(place, node, near))
        netns = None
    else:
        netns = draft.netns(place, node)
    if netns is None:
        return None
    own = values.get("addresses")
    said = (values.get("mtu"), of_link["mtu"], bridge.mtu if bridge else None)
    mtu = next((one for one in said if one is not None), None)
    return End(
        netns,
        place,
        bridge,
        name=values.get("name", ""),
        addresses=draft.addresses(place + ".addresses", own) if own is not None else [] if bridge else None,
        address_options=fields.given(fields.ADDRESS, values),
        mac=values.get("mac"),
        mtu=mtu,
        up=values.get("up", True),
        more=fields.given(fields.usual(fields.LINK), values),
    )


def _address_link(draft: Draft, link: Link, place: str, texts: list[str]) -> None:
    if any(end.bridge or end.addresses is not None for end in link.ends):
        draft.errors.append(
            "{0}: only a link between two namespaces without explicit addresses can have it".format(place)
        )
        return
    for text in draft.prefixes(place, texts):
        network = rules.network_of(text)
        if addressing.places(network) < 2:
            draft.errors.append("{0}: {1} does not have two addresses".format(place, network))
            continue
        draft.known.append((network, place))
        _number(link, network)


def _number(link: Link, network: addressing.Network) -> None:
    for number, end in enumerate(link.ends):
        end.addresses = [*(end.addresses or []), addressing.address(network, number)]


def give_addresses(draft: Draft, texts: list[str]) -> None:
    """Assign addresses from the pool to links without addresses."""
    waiting: dict[str, Link] = {}
    for link in draft.lab.links:
        if not link.segment and all(not end.bridge and end.addresses is None for end in link.ends):
            key = " ".join("{0}:{1}".format(end.netns, end.name) for end in link.ends)
            waiting[key] = link
    taken = {rules.interface_of(one).ip for addresses in draft.lab.addresses().values() for one in addresses}
    for text in draft.prefixes("pool", texts):
        pool = rules.network_of(text)
        try:
            carved = addressing.carve(list(waiting), pool, taken)
        except ValueError as exc:
            draft.errors.append("pool: {0} is too small: {1}".format(pool, exc))
            continue
        for key, network in carved.items():
            _number(waiting[key], network)
    for end in draft.lab.ends():
        end.addresses = end.addresses or []
