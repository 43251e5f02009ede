# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The resource `masquerade`: a lab's nftables table, which replaces the source address of outgoing packets.

A rule trusts the source address of a packet only on certain links. It names a network, and the links of the lab that
lead to that network.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils import ownership, rules
from ansible_collections.linuxnet.lab.plugins.module_utils.errors import LabError
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import nftables
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.nft_rules import Rule
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.objects import Link, Route
from ansible_collections.linuxnet.lab.plugins.module_utils.plan import ALLOW, Plan
from ansible_collections.linuxnet.lab.plugins.module_utils.resources import crossing, guard, tables
from ansible_collections.linuxnet.lab.plugins.module_utils.snapshot import Namespace

# The name that check mode shows for a link that an earlier task would create.
_SOME_LINK = "LINK"


@dataclasses.dataclass
class Match:
    """Which packets to masquerade. None stands for any.

    :ivar iif: the incoming link; None for the lab's links that lead to *src*.
    """

    src: str | None = None
    dst: str | None = None
    iif: str | None = None
    oif: str | None = None
    not_oif: str | None = None
    place: str = ""

    def check(self) -> list[str]:
        """Networks and names; one family; something to match."""
        errors = []
        for name, value in (("src", self.src), ("dst", self.dst)):
            errors += rules.check_prefix(self.place + name, value) if value is not None else []
        for name, value in (("iif", self.iif), ("oif", self.oif), ("not_oif", self.not_oif)):
            errors += rules.check_link_name(self.place + name, value) if value is not None else []
        if not errors and self.src and self.dst:
            versions = {ipaddress.ip_network(value, strict=False).version for value in (self.src, self.dst)}
            if len(versions) > 1:
                errors.append("{0}dst: {1} and {2} are not of one IP version".format(self.place, self.dst, self.src))
        if self.oif and self.not_oif:
            errors.append("{0}not_oif: {1!r} has no effect beside oif {2!r}".format(self.place, self.not_oif, self.oif))
        if self.is_empty():
            errors.append("{0}src: one of src, dst, iif, oif, not_oif is needed".format(self.place))
        return errors

    def is_empty(self) -> bool:
        """Whether it has no values."""
        return not (self.src or self.dst or self.iif or self.oif or self.not_oif)

    @property
    def prefix(self) -> str:
        """The source network in the kernel's notation. Empty for any."""
        return str(rules.network_of(self.src)) if self.src else ""

    def rule(self, link: str) -> Rule:
        """The rule for packets that arrive on a link."""
        return Rule(
            src=self.prefix,
            dst=str(rules.network_of(self.dst)) if self.dst else "",
            iif=link,
            oif=self.oif or "",
            not_oif=self.not_oif or "",
            verdict="masquerade",
        )


@dataclasses.dataclass
class Masquerade:
    """All masquerading of a lab in one namespace.

    :ivar restricted: whether the table lets the lab's packets out and answers in, and nothing unsolicited. Otherwise it
        has no forward rules.
    :ivar complete: whether only this run creates the lab's links, so that check mode knows all of them.
    :ivar host_firewall: a choice of :mod:`.crossing`.
    """

    netns: str
    matches: list[Match]
    restricted: bool = True
    present: bool = True
    complete: bool = False
    host_firewall: str = ALLOW

    def check(self) -> list[str]:
        """Errors in each match, and in the lab's prefixes, if the rules depend on them."""
        errors = rules.check_netns("netns", self.netns)
        if self.present and not self.matches:
            errors.append("rules: the list is empty")
        for match in self.matches:
            wrong = match.check()
            errors += wrong
            if not self.present or not self.restricted or match.is_empty():
                continue
            if not match.src:
                errors.append("{0}src: forward: restricted needs the network of the lab".format(match.place))
            elif not wrong and not rules.network_of(match.src).prefixlen:
                errors.append(
                    "{0}src: {1} contains every address, so that forward: restricted restricts nothing; name the lab's "
                    "network, or set forward: open".format(match.place, match.src)
                )
        return errors

    def claims(self) -> list[tuple[str, str, str]]:
        """The lab's table."""
        return [("masquerade", self.netns or "the host", "netns")]

    def ruleset(self, links: list[list[str]]) -> nftables.Ruleset:
        """The lab's table, with these incoming links for each match."""
        both = [(match, link) for match, found in zip(self.matches, links) for link in found]
        chains = {"postrouting": nftables.postrouting(match.rule(link) for match, link in both)}
        if self.restricted:
            ways = [(link, match.prefix) for match, link in both]
            chains["forward"] = nftables.forward(nftables.restricted_forward(ways))
        return nftables.Ruleset(chains)

    def plan(self, plan: Plan) -> None:
        """Replace the table if it differs, or delete it."""
        if not self.present:
            remove(plan, plan.snapshot.namespace(self.netns))
            return
        namespace = plan.namespace(self.netns, "netns")
        wanted = self.ruleset([self._links(plan, namespace, match) for match in self.matches])
        if namespace.new:
            tables.change(plan, namespace, plan.lab, None, wanted)
            return
        there = tables.there(plan, self.netns, plan.lab)
        if there != wanted:
            plan.demand_netns(namespace, "netns", "get a table")
        guard.follow(plan, namespace)
        tables.change(plan, namespace, plan.lab, there, wanted)
        crossing.cross(plan, namespace, self.host_firewall)

    def _links(self, plan: Plan, namespace: Namespace, match: Match) -> list[str]:
        """The incoming links of a match: the explicit one, or the lab's links that lead to its source."""
        if match.iif:
            link = plan.link(namespace, match.iif, match.place + "iif")
            self._check_source(plan, namespace, match, link)
            return [match.iif]
        own = [
            link
            for link in namespace.links.values()
            if link.name not in ("lo", match.oif) and not link.master and _is_labs(plan, namespace, link)
        ]
        if match.src:
            own = _leading_to(namespace, own, rules.network_of(match.src))
        if own:
            return sorted(link.name for link in own)
        what = "a link to {0}".format(match.prefix) if match.src else "a link of the lab"
        if plan.check and not self.complete:
            plan.assume(namespace, what)
            return [_SOME_LINK]
        raise LabError(
            "{0}{1}: lab {2!r} has no link in {3}{4}; name the link on which the packets arrive with iif".format(
                match.place,
                "src" if match.src else "iif",
                plan.lab,
                namespace.title,
                " that leads to {0}".format(match.prefix) if match.src else "",
            )
        )

    @staticmethod
    def _check_source(plan: Plan, namespace: Namespace, match: Match, link: Link) -> None:
        """LabError if a match is for packets of somebody else on the host, on a link that does not belong to the lab.
        """
        if namespace.ref or plan.force or not match.src or _is_labs(plan, namespace, link):
            return
        # Not above: the lab itself sends by most links.
        from ansible_collections.linuxnet.lab.plugins.module_utils.host_use import host_use

        found = host_use(plan.snapshot).why_not_source(rules.network_of(match.src))
        reasons = ["{0}src: {1}".format(match.place, one) for one in found]
        if reasons:
            raise LabError([ownership.unless_forced(reason, "be masqueraded") for reason in reasons])


def _is_labs(plan: Plan, namespace: Namespace, link: Link) -> bool:
    return plan.owns(link) or plan.has_adopted(namespace, link) or (bool(namespace.ref) and namespace.lab == plan.lab)


def _leading_to(namespace: Namespace, links: list[Link], prefix: rules.Network) -> list[Link]:
    """The links with an address in a prefix, or with a route to it or to parts of it. Default routes do not count.

    Without such links, those with the longest prefix that contains it.
    """
    names = {link.name for link in links}
    there = [(address.network, link.name) for link in links for address in link.addresses]
    for route in namespace.table(prefix.version):
        if route.type == "unicast":
            there += [(rules.network_of(route.dst), dev) for dev in _devs(namespace, route) if dev in names]
    of_version = [(network, name) for network, name in there if network.version == prefix.version and network.prefixlen]
    within = {name for network, name in of_version if network.subnet_of(t.cast(t.Any, prefix))}
    around = [(network.prefixlen, name) for network, name in of_version if prefix.subnet_of(t.cast(t.Any, network))]
    longest = max(around, default=(0, ""))[0]
    found = within or {name for length, name in around if length == longest}
    return [link for link in links if link.name in found]


def _devs(namespace: Namespace, route: Route) -> list[str]:
    """The links of a route. If a hop has only a gateway, the links in the network of the gateway."""
    found = []
    for hop in route.hops:
        if hop.dev or not hop.via:
            found.append(hop.dev)
        else:
            gateway = rules.ip_of(hop.via)
            found += [one.dev for one in namespace.table(gateway.version).direct_to(gateway)]
    return found


def remove(plan: Plan, namespace: Namespace | None) -> None:
    """Plan the removal of the lab's table in a namespace."""
    if namespace:
        guard.follow(plan, namespace)
    there = tables.there(plan, namespace.ref, plan.lab) if namespace and not namespace.new else None
    if namespace and there:
        crossing.cross(plan, namespace)
        tables.change(plan, namespace, plan.lab, there, None)
