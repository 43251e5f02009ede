# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From data to a lab: references resolved, names and addresses given, and everything that is wrong found at once."""

from __future__ import annotations

import ipaddress
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils import lab as rules
from ansible_collections.linuxnet.lab.plugins.module_utils.topology import addressing, naming, schema
from ansible_collections.linuxnet.lab.plugins.module_utils.topology.model import (
    Cable,
    Lab,
    Network,
    Node,
    Plug,
    Switch,
    Way,
)
from ansible_collections.linuxnet.lab.plugins.module_utils.topology.reader import Data, Reader
from ansible_collections.linuxnet.lab.plugins.module_utils.topology.routing import add_routes

# BR_PORT_BITS of net/bridge/br_private.h: ports are numbered with ten bits, from 1.
MOST_PORTS = 1023

_OPTIONS = ("stp", "forward_delay", "ageing_time", "mcast_snooping", "vlan_filtering")
_HOST_KEYS = ("forwarding", "sysctls")


def read(data: t.Any) -> tuple[Lab, list[str]]:
    """The lab that a topology describes, and what is wrong with it; as much of the lab as is right."""
    layout = _Layout(data)
    return layout.lab, list(dict.fromkeys(layout.errors))


class _Layout:
    """The steps from data to a lab, each of which adds to `lab` and to `errors`."""

    def __init__(self, data: t.Any) -> None:
        self._reader = Reader()
        self.errors = self._reader.errors
        top = self._reader.item("", data, "topology")
        self.lab = Lab(top.get("name", ""))
        self._declared: set[str] = {schema.HOST}
        self._mtu = top.get("mtu")
        self._on: dict[str, set[str]] = {}  # who is on a segment
        self._followers: dict[str, list[tuple[Plug, str]]] = {}  # who gets a default route by its gateway
        self.errors += rules.check_mtu("mtu", self._mtu)
        self._namespaces(top.get("namespaces", {}))
        self._bridges(top.get("bridges", {}))
        self._segments(top.get("segments", {}))
        self._links(top.get("links", []))
        naming.give_names(self.lab)
        for network in self.lab.networks.values():
            self._address_network(network)
        self._address_links(top.get("pool", []))
        self._check_bridges()
        self._check_overlaps(top.get("pool", []))
        self._routes(top.get("routes", []))
        if top.get("routing") == "static":
            add_routes(self.lab)
        self._neighbors(top.get("neighbors", []))
        self._masquerades(top.get("masquerade", []))
        self._checks(top.get("checks", []))

    # -- namespaces -----------------------------------------------------------------------------------------------

    def _namespaces(self, value: t.Any) -> None:
        for name, place, values in self._reader.named("namespaces", value, "namespace"):
            if name in self.lab.nodes:
                self.errors.append("{0}: there is a namespace {1!r} already".format(place, name))
                continue
            self._declared.add(name)
            if name == schema.HOST:
                for key in values:
                    if key not in _HOST_KEYS:
                        self.errors.append(
                            "{0}.{1}: the host has {2} alone".format(place, key, " and ".join(_HOST_KEYS))
                        )
            elif ":" in name or rules.check_netns_name(place, name):
                self.errors.append("{0}: {1!r} is not a namespace name".format(place, name))
                continue
            self.lab.nodes[name] = Node(
                ref="" if name == schema.HOST else name,
                place=place,
                held=values.get("kind") == "held",
                hostname=values.get("hostname"),
                forwarding=values.get("forwarding", False),
                sysctls=values.get("sysctls", {}),
                lo=[self._own(place + ".lo", one) for one in values.get("lo", [])],
            )

    def _own(self, place: str, text: str) -> str:
        """An address of a `lo`, alone on its network where no length is said."""
        if "/" in text or rules.check_ip(place, text):
            return text
        return "{0}/{1}".format(text, ipaddress.ip_address(text).max_prefixlen)

    def _netns(self, place: str, name: str | None) -> str | None:
        """The reference of a namespace by its name in the topology; None, with an error, where there is none."""
        if name is None or name == schema.HOST:
            return ""
        if name in self.lab.nodes:
            return name
        if name not in self._declared:
            near = rules.nearest(name, self._declared)
            self.errors.append("{0}: there is no namespace {1!r}{2}".format(place, name, near))
        return None

    # -- bridges and segments ---------------------------------------------------------------------------------------

    def _switch(self, label: str, place: str, values: Data, name_key: str) -> Switch | None:
        if label in self._declared:
            self.errors.append("{0}: {1!r} is the name of something else already".format(place, label))
            return None
        self._declared.add(label)
        netns = self._netns(place + ".netns", values.get("netns"))
        if netns is None:
            return None
        switch = Switch(
            label,
            place,
            netns,
            name=values.get(name_key, ""),
            addresses=list(values.get("addresses", [])),
            broadcast=values.get("broadcast", False),
            mac=values.get("mac"),
            mtu=values.get("mtu", self._mtu),
            options={key: int(values[key]) for key in _OPTIONS if key in values},
        )
        self.lab.switches[label] = switch
        return switch

    def _bridges(self, value: t.Any) -> None:
        for label, place, values in self._reader.named("bridges", value, "bridge"):
            # Somebody who names a bridge means the link.
            self._switch(label, place, {"name": label, **values}, "name")

    def _segments(self, value: t.Any) -> None:
        for label, place, values in self._reader.named("segments", value, "segment"):
            switch = self._switch(label, place, values, "bridge")
            if switch is None:
                continue
            network = Network(label, place, switch)
            self.lab.networks[label] = network
            self._on[label], self._followers[label] = set(), []
            network.prefixes = self._prefixes(place + ".prefix", values.get("prefix", []))
            default_route = values.get("default_route", True)
            self._members(network, place, values, default_route)
            if "gateway" in values:
                self._gateway(network, place + ".gateway", values["gateway"])

    def _prefixes(self, place: str, texts: list[str]) -> list[str]:
        """Prefixes in the kernel's form, at most one of each family."""
        found: dict[int, str] = {}
        for text in texts:
            wrong = rules.check_prefix(place, text)
            if wrong or "/" not in text:
                self.errors += wrong or ["{0}: {1!r} lacks the prefix length".format(place, text)]
                continue
            network = rules.network_of(text)
            if network.version in found:
                self.errors.append("{0}: {1} and {2} are both IPv{3}".format(
                    place, found[network.version], network, network.version))
            found.setdefault(network.version, str(network))
        return list(found.values())

    def _members(self, network: Network, place: str, values: Data, default_route: bool) -> None:
        entries = self._reader.named(place + ".members", values.get("members", []), "member")
        for name, at, own in entries:
            netns = self._netns(at, name)
            if netns is None:
                continue
            if netns in self._on[network.label]:
                self.errors.append("{0}: {1!r} is on {2} already".format(at, name, network.label))
                continue
            plug = self._plug_in(network, netns, at, own)
            if own.get("default_route", default_route):
                self._followers[network.label].append((plug, at))

    def _plug_in(self, network: Network, netns: str, place: str, values: Data) -> Plug:
        """A cable from a namespace to a segment's bridge."""
        switch = network.switch
        plug = Plug(
            netns,
            place,
            name=values.get("name", ""),
            addresses=values.get("addresses"),
            broadcast=switch.broadcast,
            mac=values.get("mac"),
            mtu=switch.mtu,
            up=values.get("up", True),
        )
        port = Plug(switch.netns, place + ".port", switch, name=values.get("port", ""), addresses=[], mtu=switch.mtu)
        self.lab.cables.append(Cable((port, plug), place, network.label))
        network.members.append(plug)
        self._on[network.label].add(netns)
        return plug

    def _gateway(self, network: Network, place: str, value: t.Any) -> None:
        if isinstance(value, dict):
            values = self._reader.item(place, value, "gateway")
        elif isinstance(value, str) and not rules.check_ip(place, value.split("/")[0]):
            values = {"addresses": [value]}
        elif isinstance(value, str):
            values = {"netns": value}
        else:
            self.errors.append("{0}: {1!r} is not a namespace, an address, or a mapping".format(place, value))
            return
        at_bridge = network.switch.netns or schema.HOST
        netns = self._netns(place, values.get("netns", at_bridge))
        if netns is None:
            return
        if not network.prefixes:
            self.errors.append("{0}: a gateway needs a prefix, and {1} has none".format(place, network.label))
            return
        network.gateway = netns
        network.gateways = self._gateway_addresses(network, place, values.get("addresses", []))
        if netns == network.switch.netns:
            network.switch.addresses += network.gateways
        elif netns in self._on[network.label]:
            plug = next(one for one in network.members if one.netns == netns)
            if plug.addresses is not None:
                self.errors.append("{0}: the addresses of {1!r} are given as a member's too".format(place, netns))
            plug.addresses = list(network.gateways)
        else:
            plug = self._plug_in(network, netns, place, values)
            plug.addresses = list(network.gateways)

    def _gateway_addresses(self, network: Network, place: str, given: list[str]) -> list[str]:
        """The gateway's addresses: those given, and the first of the prefixes of which none is."""
        found = self._within(network, place, given)
        for text in network.prefixes:
            prefix = rules.network_of(text)
            if not any(ipaddress.ip_interface(one).version == prefix.version for one in found):
                found.append(addressing.address(prefix, 0))
        return found

    def _within(self, network: Network, place: str, given: list[str]) -> list[str]:
        """Addresses of somebody on a segment, with prefix length; an error for each that is outside."""
        found = []
        prefixes = [rules.network_of(text) for text in network.prefixes]
        for number, text in enumerate(given):
            at = "{0}.addresses[{1}]".format(place, number)
            wrong = rules.check_ip(at, text.split("/")[0]) or (rules.check_cidr(at, text) if "/" in text else [])
            if wrong:
                self.errors += wrong
                continue
            ip = ipaddress.ip_address(text.split("/")[0])
            home = next((one for one in prefixes if ip in one), None)
            if home is None and prefixes:
                self.errors.append("{0}: {1} is outside {2}".format(at, text, " and ".join(network.prefixes)))
            elif "/" in text:
                found.append(text)
            elif home is None:
                self.errors.append("{0}: {1!r} lacks the prefix length, and the segment has none".format(at, text))
            else:
                found.append("{0}/{1}".format(text, home.prefixlen))
        return found

    # -- links --------------------------------------------------------------------------------------------------------

    def _links(self, value: t.Any) -> None:
        for place, values in self._reader.links("links", value):
            ends = [
                self._end("{0}.ends[{1}]".format(place, number), end, values)
                for number, end in enumerate(values.get("ends", []))
                if end
            ]
            if len(ends) == 2 and ends[0] and ends[1]:
                cable = Cable((ends[0], ends[1]), place)
                self.lab.cables.append(cable)
                if "prefix" in values:
                    self._address_cable(cable, place + ".prefix", values["prefix"])

    def _end(self, place: str, values: Data, link: Data) -> Plug | None:
        node = values.get("node", values.get("netns", values.get("bridge")))
        switch = None
        if "netns" not in values and node in self.lab.switches:
            switch = self.lab.switches[node]
            netns: str | None = switch.netns
        elif "bridge" in values:
            if node not in self._declared:
                near = rules.nearest(node, self.lab.switches)
                self.errors.append("{0}: there is no bridge {1!r}{2}".format(place, node, near))
            netns = None
        else:
            netns = self._netns(place, node)
        if netns is None:
            return None
        mtu = values.get("mtu", link.get("mtu", switch.mtu if switch else None))
        return Plug(
            netns,
            place,
            switch,
            name=values.get("name", ""),
            addresses=values.get("addresses", [] if switch else None),
            broadcast=values.get("broadcast", False),
            mac=values.get("mac"),
            mtu=self._mtu if mtu is None else mtu,
            up=values.get("up", True),
        )

    # -- addresses ----------------------------------------------------------------------------------------------------

    def _address_network(self, network: Network) -> None:
        """Give every member of a segment its addresses, and its default route."""
        for plug in network.members:
            if plug.addresses is not None:
                plug.addresses = self._within(network, plug.place, plug.addresses)
        self._by_name(network)
        for plug, place in self._followers[network.label]:
            if plug.netns == network.gateway:
                continue
            for gateway in network.gateways:
                via = gateway.split("/")[0]
                version = 6 if ":" in via else 4
                if any((6 if ":" in one else 4) == version for one in plug.addresses or []):
                    dst = "0.0.0.0/0" if version == 4 else "::/0"
                    self.lab.ways.append(Way(plug.netns, dst, place, via=via))

    def _by_name(self, network: Network) -> None:
        given: dict[int, list[ipaddress.IPv4Address | ipaddress.IPv6Address]] = {4: [], 6: []}
        for text in [*network.gateways, *(one for plug in network.members for one in plug.addresses or [])]:
            ip = ipaddress.ip_interface(text).ip
            given[ip.version].append(ip)
        versions = {plug.netns: self._versions(plug) for plug in network.members}
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
                self.errors.append("{0}.prefix: {1} is too small: {2}".format(network.place, prefix, exc))
                continue
            for name, place in chosen.items():
                plug = waiting[name]
                plug.addresses = [*(plug.addresses or []), addressing.address(prefix, place)]
        for plug in network.members:
            plug.addresses = plug.addresses or []

    @staticmethod
    def _versions(plug: Plug) -> set[int | None]:
        """The families of which an end has an address; None among them where it wants none at all."""
        if plug.addresses == []:
            return {None}
        return {6 if ":" in one else 4 for one in plug.addresses or []}

    def _address_cable(self, cable: Cable, place: str, texts: list[str]) -> None:
        if any(plug.switch or plug.addresses is not None for plug in cable.ends):
            self.errors.append("{0}: is for a link between two namespaces that have no addresses on it".format(place))
            return
        for text in self._prefixes(place, texts):
            network = rules.network_of(text)
            if addressing.places(network) < 2:
                self.errors.append("{0}: {1} has no two addresses".format(place, network))
                continue
            self._number(cable, network)

    @staticmethod
    def _number(cable: Cable, network: addressing.Network) -> None:
        for number, plug in enumerate(cable.ends):
            plug.addresses = [*(plug.addresses or []), addressing.address(network, number)]

    def _address_links(self, texts: list[str]) -> None:
        """Give the links that have no addresses some out of the pool."""
        waiting: dict[str, Cable] = {}
        for cable in self.lab.cables:
            if not cable.segment and all(not plug.switch and plug.addresses is None for plug in cable.ends):
                key = " ".join("{0}:{1}".format(plug.netns, plug.name) for plug in cable.ends)
                waiting[key] = cable
        for text in self._prefixes("pool", texts):
            pool = rules.network_of(text)
            try:
                carved = addressing.carve(list(waiting), pool)
            except ValueError as exc:
                self.errors.append("pool: {0} is too small: {1}".format(pool, exc))
                continue
            for key, network in carved.items():
                self._number(waiting[key], network)
        for plug in self.lab.plugs():
            plug.addresses = plug.addresses or []

    # -- what contradicts ---------------------------------------------------------------------------------------------

    def _check_bridges(self) -> None:
        ports: dict[str, int] = {}
        for plug in self.lab.plugs():
            if plug.switch is None:
                continue
            ports[plug.switch.label] = ports.get(plug.switch.label, 0) + 1
            mtu = plug.switch.mtu
            if mtu and plug.mtu and plug.mtu != mtu:
                self.errors.append(
                    "{0}.mtu: {1} on bridge {2!r}, whose MTU is {3}, would lose every packet of a size between".format(
                        plug.place, plug.mtu, plug.switch.label, mtu
                    )
                )
            if plug.addresses:
                self.errors.append(
                    "{0}.addresses: a port has none; they are the bridge's ({1!r})".format(
                        plug.place, plug.switch.label
                    )
                )
        for label, count in ports.items():
            if count > MOST_PORTS:
                self.errors.append(
                    "{0}: {1} ports, a bridge has at most {2}".format(
                        self.lab.switches[label].place, count, MOST_PORTS
                    )
                )

    def _check_overlaps(self, pool: list[str]) -> None:
        """An error for each two prefixes that overlap; what has addresses of its own is left to its author."""
        known = [
            (rules.network_of(text), network.place)
            for network in self.lab.networks.values()
            for text in network.prefixes
        ]
        known += [(rules.network_of(text), "pool") for text in pool if not rules.check_prefix("pool", text)]
        for version in (4, 6):
            last: tuple[t.Any, str] | None = None
            for prefix, place in sorted(
                ((prefix, place) for prefix, place in known if prefix.version == version),
                key=lambda one: (int(one[0].network_address), one[0].prefixlen),
            ):
                if last and prefix.overlaps(last[0]):
                    self.errors.append("{0}: {1} overlaps {2} of {3}".format(place, prefix, last[0], last[1]))
                if last is None or prefix.broadcast_address > last[0].broadcast_address:
                    last = (prefix, place)

    # -- routes and the rest ------------------------------------------------------------------------------------------

    def _routes(self, value: t.Any) -> None:
        for place, values in self._reader.items("routes", value, "route"):
            for name in self._reader.names(place + ".netns", values.get("netns", [])):
                netns = self._netns(place + ".netns", name)
                if netns is not None and "dst" in values:
                    self._route(netns, place, values)

    def _route(self, netns: str, place: str, values: Data) -> None:
        rest = {key: values[key] for key in ("src", "metric", "table", "scope", "type", "onlink") if key in values}
        present = values.get("state") != "absent"
        dst, via = values["dst"], values.get("via")
        targets = self.lab.networks[dst].prefixes if dst in self.lab.networks else [dst]
        node = via is not None and bool(rules.check_ip(place, via))
        for target in targets:
            gateways: list[str | None] = [via]
            if node:
                version = None if target == "default" else 6 if ":" in target else 4
                gateways = list(self._neighbors_at(netns, place, via or "", version))
            for gateway in gateways:
                if dst == target or gateway is None or (":" in gateway) == (":" in target):
                    to = "::/0" if target == "default" and gateway and ":" in gateway else target
                    self.lab.ways.append(Way(netns, to, place, gateway, values.get("dev"), rest, present))

    def _neighbors_at(self, netns: str, place: str, name: str, version: int | None) -> t.Iterator[str]:
        """The first address, of each family, by which a namespace reaches another one directly."""
        other = self._netns(place + ".via", name)
        if other is None:
            return
        addresses = self.lab.addresses()
        networks = [ipaddress.ip_interface(one).network for one in addresses.get(netns, [])]
        found = set()
        for text in addresses.get(other, []):
            ip = ipaddress.ip_interface(text).ip
            if ip.version in found or version not in (None, ip.version):
                continue
            if any(ip in network for network in networks):
                found.add(ip.version)
                yield str(ip)
        if not found:
            self.errors.append("{0}.via: {1!r} is on no network with {2!r}".format(place, name, netns or schema.HOST))

    def _neighbors(self, value: t.Any) -> None:
        for place, values in self._reader.items("neighbors", value, "neighbor"):
            netns = self._netns(place + ".netns", values.get("netns"))
            if netns is not None and {"dst", "dev"} <= set(values):
                self.lab.neighbors.append((place, {**values, "netns": netns}))

    def _masquerades(self, value: t.Any) -> None:
        for place, values in self._reader.items("masquerade", value, "masquerade"):
            netns = self._netns(place + ".netns", values.get("netns"))
            if netns is None:
                continue
            network = self.lab.networks.get(values.get("src", ""))
            if network and "oif" not in values:
                values.setdefault("not_oif", network.switch.name)
            for src in network.prefixes if network else [values.get("src")]:
                target = self.lab.networks.get(values.get("dst", ""))
                for dst in target.prefixes if target else [values.get("dst")]:
                    if not (src and dst) or (":" in src) == (":" in dst) or not (network and target):
                        self.lab.masquerades.append((place, {**values, "netns": netns, "src": src, "dst": dst}))

    def _checks(self, value: t.Any) -> None:
        for place, values in self._reader.items("checks", value, "check"):
            senders = [
                name
                for name in self._reader.names(place + ".from", values.get("from", []))
                if name == schema.ALL or self._netns(place + ".from", name) is not None
            ]
            targets = []
            for name in self._reader.names(place + ".to", values.get("to", [])):
                address = not rules.check_ip(place, name.partition("%")[0])
                if address or name == schema.ALL or self._netns(place + ".to", name) is not None:
                    targets.append(name)
            self.lab.checks.append((place, {**values, "from": senders, "to": targets}))
