# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The network of one machine, as its startup commands change it step by step.

The code knows what the kernel would refuse, because a refused command has no effect when a startup file runs, but
fails the whole run when a topology contains it.
"""

from __future__ import annotations

import collections
import dataclasses
import re
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils import rules
from ansible_collections.linuxnet.lab.plugins.module_utils.topology import schema

Values = dict[str, t.Any]

_FORWARDING = ("net.ipv4.ip_forward", "net.ipv4.conf.all.forwarding")
# How many commands that delete something a machine may have, because each looks at all of its routes.
_MOST_DELETIONS = 1000
_PER_LINK = re.compile(r"net[./]ipv[46][./](?:conf|neigh)[./](?P<link>.+)[./]\w+\Z")
_NO_IPV6 = "net.ipv6.conf.all.disable_ipv6"


class Unknown(Exception):
    """A command that a topology cannot express."""


class Refused(Unknown):
    """A command that the kernel refuses, with the reason."""


def can(shape: str, key: str) -> bool:
    """Whether the topology format has a key."""
    return key in schema.SHAPES.get(shape, ())


@dataclasses.dataclass
class Address:
    """What is special about an address of a link.

    :ivar broadcast: whether it has the broadcast address of its prefix. :ivar options: keys of
    an address. :ivar network: the network to which it makes the link lead.
    """

    network: rules.Network
    broadcast: bool = False
    options: Values = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class Link:
    """A link of a machine.

    :ivar kind: `wire` for a link that the lab gives the machine, otherwise as in `ip link add type`.
    :ivar parent: the link below it. :ivar peer: the other end of a veth pair inside the machine.
    :ivar settings: keys of an end, and of links of any kind.
    """

    name: str
    kind: str = "wire"
    parent: str = ""
    peer: str = ""
    master: str = ""
    up: bool = True
    settings: Values = dataclasses.field(default_factory=dict)
    addresses: dict[rules.Interface, Address] = dataclasses.field(default_factory=dict)


class Node:
    """The network of a machine.

    Dictionaries make each command cheap, because a file may have thousands of them.

    :ivar links: by name. :ivar rules, masquerades: in the format of a topology, without `netns`. :ivar forwarding:
        whether it is a router; None if nothing says so.
    """

    def __init__(self, wires: t.Iterable[str], forwarding: bool | None = None) -> None:
        self.links = {name: Link(name) for name in ("lo", *wires)}
        self.links["lo"].kind = "lo"
        self._routes: dict[tuple[t.Any, ...], Values] = {}
        self._neighbors: dict[tuple[t.Any, ...], Values] = {}
        self._networks: dict[rules.Network, collections.Counter[str]] = {}  # -> the links that lead there directly
        self._owned: collections.Counter[rules.Address] = collections.Counter()
        self._deletions = _MOST_DELETIONS
        self.rules: list[Values] = []
        self.masquerades: list[Values] = []
        self.forwarding = forwarding
        self.sysctls: dict[str, str] = {}

    def link(self, name: str) -> Link:
        """A link by its name. A name such as `eth0:1` is an alias that net-tools use for a second address."""
        found = self.links.get(name.partition(":")[0])
        if found is None:
            raise Refused("there is no link {0}".format(name))
        return found

    def add_link(self, link: Link) -> None:
        """Create a link. Only links that the lab gives the machine are up from the beginning."""
        if link.name in self.links:
            raise Refused("{0} already exists".format(link.name))
        if rules.check_link_name("", link.name):
            raise Refused("{0!r} is not a link name".format(link.name))
        if link.parent:
            self.link(link.parent)
        self.links[link.name] = dataclasses.replace(link, up=False)

    def delete_link(self, name: str) -> None:
        """Delete a link that a command has created."""
        link = self.link(name)
        if link.kind in ("wire", "lo"):
            raise Unknown
        for gone in [link, *([self.links[link.peer]] if link.peer else [])]:
            self.set_down(gone)
            self._delete_addresses(gone, list(gone.addresses))
            for other in self.links.values():
                if other.master == gone.name:
                    other.master = ""
            del self.links[gone.name]

    def set_down(self, link: Link) -> None:
        """Take a link down. The kernel then deletes the routes through it, and its IPv6 addresses."""
        self._count_deletion()
        for route in [route for route in self.routes if link.name in self._devices(route)]:
            self._drop_route(route)
        for address in [one for one in link.addresses if one.version == 6]:
            self._drop_address(link, address)
        link.up = False

    def set_master(self, link: Link, name: str) -> None:
        """Make a link a port of a bridge, bond or VRF; empty for none."""
        if name and self.link(name).kind not in ("bridge", "bond", "vrf"):
            raise Refused("{0} has no ports".format(name))
        link.master = name

    # -- addresses ----------------------------------------------------------------------------------------------------

    def add_address(self, link: Link, text: str, broadcast: str | None = None, options: Values | None = None) -> None:
        """Add an address; *broadcast* is `+` for the usual one."""
        address = _interface(text)
        if address.version == 6 and self.sysctls.get(_NO_IPV6) == "1":
            raise Refused("IPv6 is disabled")
        if rules.check_cidr("", str(address)):
            raise Unknown
        if broadcast not in (None, "+", str(address.network.broadcast_address)):
            raise Unknown
        if address not in link.addresses:
            options = options or {}
            reached = _interface("{0}/{1}".format(options["peer"], address.network.prefixlen)) if "peer" in options \
                else address
            one = Address(reached.network, bool(broadcast) and address.version == 4, options)
            link.addresses[address] = one
            self._owned[address.ip] += 1
            if not one.options.get("noprefixroute"):
                self._lead(one.network, link.name)

    def delete_address(self, link: Link, text: str) -> None:
        """Delete an address. Routes through gateways in its network stay, as in the kernel."""
        address = _interface(text)
        if address not in link.addresses:
            raise Refused("{0} has no address {1}".format(link.name, text))
        self._delete_addresses(link, [address])

    def flush_addresses(self, link: Link, version: int | None = None) -> None:
        """Delete all addresses of a link."""
        self._delete_addresses(link, [one for one in link.addresses if version in (None, one.version)])

    def replace_first(self, link: Link) -> None:
        """Delete the first IPv4 address, as `ifconfig` does before it sets another one."""
        self._delete_addresses(link, [one for one in link.addresses if one.version == 4][:1])

    def _delete_addresses(self, link: Link, addresses: list[rules.Interface]) -> None:
        if not addresses:
            return
        self._count_deletion()
        hops = [hop for route in self.routes for hop in route.get("nexthops", [route])
                if "via" in hop and not hop.get("onlink") and self._device(hop) == link.name]
        for address in addresses:
            self._drop_address(link, address)
        for hop in hops:
            if not self._device(hop):
                # Otherwise the kernel would refuse the route when it is created anew.
                hop.update({"dev": link.name, "onlink": True})
        for route in self.routes:
            if "src" in route and not self._owned[rules.ip_of(route["src"])]:
                self._drop_route(route)

    def leads_to(self, address: rules.Address) -> list[str]:
        """The links that lead directly to an address."""
        found: dict[str, None] = {}
        for length in range(address.max_prefixlen, -1, -1):
            links = self._networks.get(rules.network_of("{0}/{1}".format(address, length)))
            found.update(dict.fromkeys(name for name in links or () if name in self.links and self.links[name].up))
        return list(found)

    def _drop_address(self, link: Link, address: rules.Interface) -> None:
        one = link.addresses.pop(address)
        self._owned[address.ip] -= 1
        if not one.options.get("noprefixroute"):
            self._lead(one.network, link.name, -1)

    def _lead(self, network: rules.Network, name: str, change: int = 1) -> None:
        """Count the reasons why a link leads to a network: addresses, and routes without a gateway."""
        links = self._networks.setdefault(network, collections.Counter())
        links[name] += change
        if not links[name]:
            del links[name]

    def _count_deletion(self) -> None:
        self._deletions -= 1
        if self._deletions < 0:
            raise Refused("there are more than {0} deletions before it".format(_MOST_DELETIONS))

    # -- routes -------------------------------------------------------------------------------------------------------

    @property
    def routes(self) -> list[Values]:
        """In the format of a topology, without `netns`."""
        return list(self._routes.values())

    @property
    def neighbors(self) -> list[Values]:
        """In the format of a topology, without `netns`."""
        return list(self._neighbors.values())

    def add_route(self, route: Values, replace: bool = False) -> None:
        """Add a route, if the kernel would take it."""
        found = self._routes.get(_key(route))
        if found and not replace:
            raise Refused("there is already a route to {0}".format(route["dst"]))
        self._check_route(route)
        if found:
            self._drop_route(found)
        self._routes[_key(route)] = route
        for network in _direct(route):
            self._lead(network, route["dev"])

    def delete_route(self, dst: str, values: Values) -> None:
        """Delete the first route to a destination with these values."""
        self._count_deletion()
        for route in self.routes:
            if route["dst"] == dst and all(route.get(key) == value for key, value in values.items()):
                self._drop_route(route)
                return
        # The kernel's own routes to prefixes, and the default route of a management network that is not here.
        if dst not in ("default", "::/0"):
            raise Unknown

    def flush_routes(self, table: str, only: tuple[str, ...] = ()) -> None:
        """Delete the routes of a table; with *only*, those to these destinations."""
        self._count_deletion()
        for route in self.routes:
            if str(route.get("table", "main")) == table and (not only or route["dst"] in only):
                self._drop_route(route)

    def add_neighbor(self, entry: Values) -> None:
        """Add a permanent entry of the neighbour table, in place of another one for the same address."""
        self._neighbors[entry["dst"], entry["dev"], entry.get("proxy")] = entry

    def _drop_route(self, route: Values) -> None:
        del self._routes[_key(route)]
        for network in _direct(route):
            self._lead(network, route["dev"], -1)

    def _check_route(self, route: Values) -> None:
        for hop in route.get("nexthops", [route]):
            if "dev" in hop and not self.link(hop["dev"]).up:
                raise Refused("{0} is down".format(hop["dev"]))
            if "via" in hop and not hop.get("onlink") and not self._device(hop):
                raise Refused("no link leads to the gateway {0}".format(hop["via"]))
        if "src" in route and not self._owned[rules.ip_of(route["src"])]:
            raise Refused("the machine does not have the address {0}".format(route["src"]))

    def _device(self, hop: Values) -> str:
        """The link through which a next hop leads; empty if there is none."""
        dev = str(hop.get("dev", ""))
        if "via" not in hop or hop.get("onlink"):
            return dev
        via = rules.ip_of(hop["via"])
        if via.is_link_local and via.version == 6:
            return dev
        found = self.leads_to(via)
        return dev if dev in found else "" if dev else (found or [""])[0]

    def _devices(self, route: Values) -> list[str]:
        return [self._device(hop) for hop in route.get("nexthops", [route])]

    def inside(self, link: Link) -> list[str]:
        """The IPv4 prefixes behind all links but one."""
        found: dict[str, None] = {}
        for other in self.links.values():
            if other is not link and other.kind != "lo":
                found.update({str(one.network): None for one in other.addresses.values() if one.network.version == 4})
        for route in self.routes:
            usual = route["dst"] not in ("default", "0.0.0.0/0", "::/0") and ":" not in route["dst"]
            if usual and "type" not in route and link.name not in self._devices(route):
                found[rules.normal_prefix(route["dst"])] = None
        return list(found)

    # -- sysctls ------------------------------------------------------------------------------------------------------

    def set_sysctl(self, name: str, value: str) -> None:
        """Set a sysctl of the network."""
        if not name.startswith("net.") and not name.startswith("net/"):
            raise Unknown
        per_link = _PER_LINK.match(name)
        if per_link and per_link["link"] not in ("all", "default"):
            self.link(per_link["link"])
        if name in _FORWARDING and value in ("0", "1"):
            self.forwarding = value == "1"
            return
        self.sysctls[name] = value
        if name == _NO_IPV6 and value == "1":
            for link in self.links.values():
                self.flush_addresses(link, 6)


def _key(route: Values) -> tuple[t.Any, ...]:
    """The values by which the kernel tells routes apart."""
    dst = route["dst"]
    whole = dst in ("default", "0.0.0.0/0", "::/0")
    version = 6 if ":" in dst or (dst == "default" and ":" in route.get("via", "")) else 4
    network = ("default", version) if whole else rules.normal_prefix(dst)
    return (network, route.get("metric", 0), route.get("table", "main"))


def _direct(route: Values) -> list[rules.Network]:
    """The network to which a route leads without a gateway, as a list; empty if there is none."""
    if "via" in route or "dev" not in route or "table" in route or route["dst"] in ("default", "::/0"):
        return []
    return [rules.network_of(route["dst"])]


def _interface(text: str) -> rules.Interface:
    try:
        return rules.interface_of(text)
    except ValueError:
        raise Refused("{0!r} is not an address".format(text)) from None
