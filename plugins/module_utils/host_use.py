# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The networks, addresses and default route that the host uses at this moment, so that no lab diverts them.

An address behind a lab's own links belongs to that lab, and never counts as used.
"""

from __future__ import annotations

import bisect
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils import rules
from ansible_collections.linuxnet.lab.plugins.module_utils.host import in_use, ssh
from ansible_collections.linuxnet.lab.plugins.module_utils.host.in_use import Use
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import rtnetlink
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.objects import (
    DEFAULT_TABLE,
    MAIN_TABLE,
    Link,
    Route,
    Rule,
)
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.sockets import Sockets
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.tcp_connections import established
from ansible_collections.linuxnet.lab.plugins.module_utils.snapshot import PROTOCOL, Namespace, Snapshot, lab_of

# A route with a shorter prefix counts as a default route, also if two halves form it.
DEFAULT_LENGTH = 8
_MOST_NAMED = 3  # maximum number of uses in one message

_Bits = tuple[int, int, int]  # version, prefix length, the bits of the prefix


def _bits(network: rules.Network) -> _Bits:
    version, length = network.version, network.prefixlen
    return (version, length, int(network.network_address) >> _rest(version, length))


def _rest(version: int, length: int) -> int:
    return (32 if version == 4 else 128) - length


def host_use(snapshot: Snapshot) -> HostUse:
    """What the host uses, read on the first call. The links of all labs do not belong to the host.

    It stays the same during a plan: without force the plan does not change it, and with force nobody needs it.
    """
    return snapshot.once(_look, snapshot)


def _look(sockets: Sockets, snapshot: Snapshot) -> HostUse:
    return HostUse(snapshot, lambda link: link.born or bool(lab_of(link.alias)))


def addresses_in_use(sockets: Sockets) -> list[Use]:
    """The addresses that the host talks to, first those from which it is managed. An address may occur twice."""
    known = established()
    why = "from which this host is managed"
    found = [Use(str(rules.ip_of(one)), why) for one in ssh.clients(known)] + in_use.uses(known)
    return [one for one in found if not rules.ip_of(one.address).is_link_local]


def _rules(sockets: Sockets) -> list[Rule]:
    """The host's policy rules."""
    return rtnetlink.rules(sockets.get(""))


class HostUse:
    """What the host used when the plan began.

    :arg is_labs: whether a link belongs to a lab.
    """

    def __init__(self, snapshot: Snapshot, is_labs: t.Callable[[Link], bool]) -> None:
        self._snapshot = snapshot
        self._host = host = snapshot.namespace("") or Namespace("", {})
        self._labs_links = {link.name for link in host.links.values() if is_labs(link)}
        self._own_ips = {
            one.ip for link in host.links.values() if link.name not in self._labs_links for one in link.addresses
        }
        self._best: dict[_Bits, Route] = {}
        self._covered: set[_Bits] = set()  # by routes of labs, merged to as few networks as possible
        self.networks: list[tuple[rules.Network, Route]] = []  # that the host has routes to, except default routes
        for route in host.routes:
            if route.table != MAIN_TABLE:
                continue
            network = rules.network_of(route.dst)
            known = self._best.get(_bits(network))
            if known is None or route.metric < known.metric:
                self._best[_bits(network)] = route
            if self._is_labs(route):
                self._cover(network)
            elif network.prefixlen and not network.is_multicast:
                self.networks.append((network, route))
        self._uses: dict[int, list[tuple[int, Use]]] | None = None

    def _is_labs(self, route: Route) -> bool:
        if route.nexthops:
            return all(hop.dev in self._labs_links for hop in route.nexthops)
        return route.dev in self._labs_links if route.dev else route.protocol == PROTOCOL

    # -- what is asked ------------------------------------------------------------------------------------------------

    def why_not_address(self, ip: str, network: rules.Network) -> list[str]:
        """Reasons against an address with this prefix on a link of the host, a few words each."""
        taken = [use for use in self._used(network) if use.address == ip]
        found = ["{0} is {1}".format(*use) for use in taken]
        return found + self._why_not(network, 0, taken)

    def why_not_route(self, route: Route) -> list[str]:
        """Reasons against a route on the host, a few words each."""
        network = rules.network_of(route.dst)
        if route.table != MAIN_TABLE:
            return self._why_not_elsewhere(network, route.table)
        found = self._why_not(network, route.metric)
        for there, other in self.networks if network.prefixlen >= DEFAULT_LENGTH else ():
            if there.version == network.version and network.subnet_of(there):  # type: ignore[arg-type]
                if network.prefixlen > there.prefixlen or route.metric < other.metric:
                    found.append("{0} is part of the host's network {1}".format(network, described(there, other)))
        return found

    def why_not_rule(self, rule: Rule) -> list[str]:
        """Reasons against a policy rule on the host, a few words each: it leads away packets of others."""
        if rule.action == "lookup" and rule.table in (MAIN_TABLE, DEFAULT_TABLE):
            return []
        if dict(rule.more).get("iif", "lo") != "lo":
            return []  # packets that arrive on a link of the lab's
        source = None if rule.inverted or not rule.src else rules.network_of(rule.src)
        target = None if rule.inverted or not rule.dst else rules.network_of(rule.dst)
        if source and not any(rules.ip_of(ip) in source for ip in self._own_ips):
            return self.why_not_source(source)
        if target:
            return self._why_not(target, 0)
        return ["a rule for packets {0} would be for those of the host itself".format(rule.packets())]

    def why_not_source(self, network: rules.Network) -> list[str]:
        """Reasons against masquerading packets from a network of somebody else, or a rule for them."""
        return [
            "{0} overlaps the host's network {1}, which is not a lab's".format(network, described(there, route))
            for there, route in self.networks
            if there.version == network.version and network.overlaps(there)
        ]

    def is_free(self, ip: str) -> bool:
        """Whether an address is free: on no link, in no network, and not in use."""
        network = rules.network_of(ip)
        return (
            ip not in self._own_ips
            and not any(there.version == network.version and network.overlaps(there) for there, dummy in self.networks)
            and not self._used(network)
        )

    # -- how it is found out ------------------------------------------------------------------------------------------

    def _why_not(self, network: rules.Network, metric: int, but: t.Sequence[Use] = ()) -> list[str]:
        """Reasons against a route in the table main to a network."""
        whole = self._cover(network)
        if whole < DEFAULT_LENGTH:
            default = self._best.get((network.version, 0, 0))
            if default is None or self._is_labs(default) or (network.prefixlen == 0 and metric > default.metric):
                return []
            name = "a default route"
            if network.prefixlen:
                rest = "" if whole == network.prefixlen else " (a lab has the rest of a /{0})".format(whole)
                name = "{0} counts as a default route{1}, and".format(network, rest)
            return ["{0} would come before the host's own, {1}".format(name, described(None, default))]
        hit = [use for use in self._used(network) if use not in but and self._would_be_led_away(use, network, metric)]
        if not hit:
            return []
        more = ", and {0} more".format(len(hit) - _MOST_NAMED) if len(hit) > _MOST_NAMED else ""
        named = "; ".join("{0}, {1}".format(*use) for use in hit[:_MOST_NAMED])
        return ["{0} covers {1}{2}".format(network, named, more)]

    def _why_not_elsewhere(self, network: rules.Network, table: int) -> list[str]:
        """Reasons against a route in another table to a network: a policy rule of the host uses the table."""
        for rule in self._snapshot.once(_rules):
            if rule.table == table and rule.family == network.version and self._is_for_host(rule):
                text = "{0}: {1}".format(rule.priority, rule.packets())
                return ["a rule of the host ({0}) looks into table {1}".format(text, table)]
        return []

    def _is_for_host(self, rule: Rule) -> bool:
        """Whether a policy rule can affect packets of the host itself. The table default comes after main."""
        if rule.action != "lookup" or rule.table in (MAIN_TABLE, DEFAULT_TABLE):
            return False
        if dict(rule.more).get("iif", "lo") != "lo":
            return False
        source = rules.network_of(rule.src) if rule.src else None
        return source is None or any(rules.ip_of(ip) in source for ip in self._own_ips)

    def _would_be_led_away(self, use: Use, network: rules.Network, metric: int) -> bool:
        best = None if use.address in self._own_ips else self._route_to(use.address)
        if best is None:
            return use.address not in self._own_ips
        length = rules.network_of(best.dst).prefixlen
        return (network.prefixlen, -metric) >= (length, -best.metric)

    def _route_to(self, ip: str) -> Route | None:
        """The route of the table main that leads to an address."""
        address = rules.ip_of(ip)
        for length in range(address.max_prefixlen, -1, -1):
            route = self._best.get((address.version, length, int(address) >> _rest(address.version, length)))
            if route:
                return route
        return None

    def _used(self, network: rules.Network) -> list[Use]:
        """The used addresses in a network."""
        if self._uses is None:
            self._uses = {4: [], 6: []}
            found = [*self._gateways(), *self._snapshot.once(addresses_in_use)]
            for use in {one.address: one for one in reversed(found)}.values():
                if not self._is_reached_by_lab(use.address):
                    self._uses[rules.ip_of(use.address).version].append((int(rules.ip_of(use.address)), use))
            for uses in self._uses.values():
                uses.sort()
        uses = self._uses[network.version]
        first = bisect.bisect_left(uses, (int(network.network_address),))
        found = []
        for number, use in uses[first:]:
            if number > int(network.broadcast_address):
                break
            found.append(use)
        return found

    def _gateways(self) -> t.Iterator[Use]:
        for route in self._host.routes:
            for gateway in [hop.via for hop in route.hops]:
                if gateway and not self._is_labs(route) and not rules.ip_of(gateway).is_link_local:
                    yield Use(gateway, "the gateway of this host's route to {0}".format(_destination(route)))

    def _is_reached_by_lab(self, ip: str) -> bool:
        if any(link.name in self._labs_links for link in self._host.links_with(ip)):
            return True
        route = None if ip in self._own_ips else self._route_to(ip)
        return route is not None and self._is_labs(route)

    def _cover(self, network: rules.Network) -> int:
        """Add a network to those of the labs' routes.

        :returns: the prefix length of the network that it forms together with its neighbours.
        """
        version, length, bits = _bits(network)
        while length and (version, length, bits ^ 1) in self._covered:
            self._covered.discard((version, length, bits ^ 1))
            length, bits = length - 1, bits >> 1
        self._covered.add((version, length, bits))
        return length


def _destination(route: Route) -> str:
    return "default" if rules.network_of(route.dst).prefixlen == 0 else route.dst


def described(network: rules.Network | None, route: Route) -> str:
    """A route in messages."""
    words = [str(network)] if network else [_destination(route)]
    words += ["dev", route.dev] if route.dev else ["({0})".format(route.type if not route.nexthops else "multipath")]
    words += ["metric", str(route.metric)] if route.metric and network is None else []
    return " ".join(words)
