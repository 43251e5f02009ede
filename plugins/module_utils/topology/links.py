# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Links: cables from one namespace or bridge to another."""

from __future__ import annotations

import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils import fields, rules
from ansible_collections.linuxnet.lab.plugins.module_utils.topology import addressing
from ansible_collections.linuxnet.lab.plugins.module_utils.topology.draft import Draft
from ansible_collections.linuxnet.lab.plugins.module_utils.topology.model import Cable, Plug
from ansible_collections.linuxnet.lab.plugins.module_utils.topology.reader import Data


def read(draft: Draft, value: t.Any) -> None:
    """Take the links of a topology, those with a prefix of their own with addresses."""
    for place, values in draft.reader.links("links", value):
        values["mtu"] = draft.right_mtu(place + ".", values.get("mtu"))
        ends = [
            _end(draft, "{0}.ends[{1}]".format(place, number), end, values)
            for number, end in enumerate(values.get("ends", []))
            if end
        ]
        if len(ends) == 2 and ends[0] and ends[1]:
            cable = Cable((ends[0], ends[1]), place)
            for plug in cable.ends:  # a bridge's MTU is that of the other end too
                plug.mtu = next((mtu for mtu in (plug.mtu, cable.mtu, draft.mtu) if mtu is not None), None)
            draft.lab.cables.append(cable)
            if "prefix" in values:
                _address_cable(draft, cable, place + ".prefix", values["prefix"])


def _end(draft: Draft, place: str, values: Data, link: Data) -> Plug | None:
    node = values.get("node", values.get("netns", values.get("bridge")))
    switch = None
    if "netns" not in values and node in draft.lab.switches:
        switch = draft.lab.switches[node]
        netns: str | None = switch.netns
    elif "bridge" in values:
        if node in draft.lab.nodes or node not in draft.declared:
            near = rules.nearest(str(node), draft.lab.switches)
            draft.errors.append("{0}: there is no bridge {1!r}{2}".format(place, node, near))
        netns = None
    else:
        netns = draft.netns(place, node)
    if netns is None:
        return None
    own = values.get("addresses")
    said = (values.get("mtu"), link["mtu"], switch.mtu if switch else None)
    mtu = next((one for one in said if one is not None), None)
    return Plug(
        netns,
        place,
        switch,
        name=values.get("name", ""),
        addresses=draft.addresses(place + ".addresses", own) if own is not None else [] if switch else None,
        broadcast=values.get("broadcast", False),
        dad=values.get("dad", False),
        mac=values.get("mac"),
        mtu=mtu,
        up=values.get("up", True),
        more=fields.given(fields.usual(fields.LINK), values),
    )


def _address_cable(draft: Draft, cable: Cable, place: str, texts: list[str]) -> None:
    if any(plug.switch or plug.addresses is not None for plug in cable.ends):
        draft.errors.append("{0}: is for a link between two namespaces that have no addresses on it".format(place))
        return
    for text in draft.prefixes(place, texts):
        network = rules.network_of(text)
        if addressing.places(network) < 2:
            draft.errors.append("{0}: {1} has no two addresses".format(place, network))
            continue
        draft.known.append((network, place))
        _number(cable, network)


def _number(cable: Cable, network: addressing.Network) -> None:
    for number, plug in enumerate(cable.ends):
        plug.addresses = [*(plug.addresses or []), addressing.address(network, number)]


def give_addresses(draft: Draft, texts: list[str]) -> None:
    """Give the links that have no addresses some out of the pool."""
    waiting: dict[str, Cable] = {}
    for cable in draft.lab.cables:
        if not cable.segment and all(not plug.switch and plug.addresses is None for plug in cable.ends):
            key = " ".join("{0}:{1}".format(plug.netns, plug.name) for plug in cable.ends)
            waiting[key] = cable
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
    for plug in draft.lab.plugs():
        plug.addresses = plug.addresses or []
