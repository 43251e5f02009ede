# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plan the removal of objects that the topology no longer has. It comes before all new objects."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils import rules
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.objects import Link, Route
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.sysctl import forwarding_of
from ansible_collections.linuxnet.lab.plugins.module_utils.plan import Plan, Unclaimed
from ansible_collections.linuxnet.lab.plugins.module_utils.resources import (
    adopted,
    crossing,
    foreign,
    guard,
    link,
    masquerade,
    netns,
    route,
    rule,
    sysctl,
)
from ansible_collections.linuxnet.lab.plugins.module_utils.resources.address import Addresses, LinkAddresses
from ansible_collections.linuxnet.lab.plugins.module_utils.resources.neighbor import NeighborWanted
from ansible_collections.linuxnet.lab.plugins.module_utils.resources.rule import RuleWanted
from ansible_collections.linuxnet.lab.plugins.module_utils.route_table import key
from ansible_collections.linuxnet.lab.plugins.module_utils.snapshot import PROTOCOL, Namespace
from ansible_collections.linuxnet.lab.plugins.module_utils.topology.defaults import links_forward_alike
from ansible_collections.linuxnet.lab.plugins.module_utils.topology.model import Lab
from ansible_collections.linuxnet.lab.plugins.module_utils.topology.resources import (
    neighbors,
    policy_rules,
    routes,
    sysctls,
)

# The kernel adds it when `lo` comes up for the first time.
_LOOPBACK = "127.0.0.1/8"

_Place = tuple[str, str]  # namespace, link


@dataclasses.dataclass
class Leftovers(Unclaimed):
    """The objects to remove.

    :ivar lab: the desired lab. :ivar wanted: its resources. :ivar before: the lab of the last applied topology, for
        objects without a mark in the kernel; None if there is none. :ivar text: the topology as text.
    """

    lab: Lab
    wanted: list[t.Any]
    before: Lab | None = None
    text: str = ""
    _former: list[tuple[Namespace, Route]] = dataclasses.field(default_factory=list, init=False)

    def plan(self, plan: Plan) -> None:
        """Plan the removal of all objects that the lab has and its topology does not."""
        plan.at_end(self._remove_former)
        everywhere = plan.snapshot.everywhere(routes_of=plan.lab)
        crossing.cross(plan, everywhere[0], self.lab.host_firewall)
        guard.follow(plan, everywhere[0])
        nodes = {node.ref: node for node in self.lab.nodes.values() if node.ref}
        ours = [one for one in everywhere if one.ref and one.lab == plan.lab]
        leaving = [one for one in ours if one.ref not in nodes or nodes[one.ref].held != one.held]
        kept = {(one.netns, one.name) for one in self.wanted if isinstance(one, sysctl.Sysctl) and not one.usual}
        sysctl.give_all_back(plan, {plan.snapshot.identity(namespace.ref) for namespace in leaving}, kept)
        self._masquerades(plan)
        named = {(one.netns, one.name) for one in self.lab.bridges_and_ends()}
        adopted.release_all(plan, leaving, {*named, *((ref, "lo") for ref in nodes)})
        staying = [one for one in everywhere if one not in leaving] if leaving else everywhere
        self._links(plan, staying)
        self._routes(plan, staying)
        self._rules(plan, staying)
        for namespace in leaving:
            netns.remove(plan, namespace)
        for namespace in ours:
            if namespace.ref in nodes and namespace not in leaving:
                self._lo(plan, namespace, nodes[namespace.ref].lo)
        for namespace in [*ours, everywhere[0]] if self.lab.foreign == "remove" else ():
            if namespace not in leaving:
                foreign.remove(plan, namespace)
        self._neighbors(plan)
        self._sysctls(plan, {one.ref for one in ours if one not in leaving}, kept)
        plan.description = self.text

    # -- links --------------------------------------------------------------------------------------------------------

    def _links(self, plan: Plan, staying: list[Namespace]) -> None:
        bridges = {(bridge.netns, bridge.name) for bridge in self.lab.bridges.values()}
        partners: dict[_Place, _Place] = {}
        for pair in self.lab.links:
            one, other = ((end.netns, end.name) for end in pair.ends)
            partners[one], partners[other] = other, one
        right: set[_Place] = set()  # ends whose other end was looked at
        for namespace in staying:
            for found in list(namespace.links.values()):
                if found.kind not in ("veth", "bridge") or not plan.owns(found):
                    continue
                place = (namespace.ref, found.name)
                if found.name not in namespace.links or place in right:
                    continue  # gone with its other end, or right as that is
                if found.kind == "bridge":
                    unwanted = place not in bridges
                else:
                    unwanted = place in bridges or self._is_other_pair(plan, namespace, found, partners, right)
                if unwanted:
                    link.remove(plan, namespace, found)

    @staticmethod
    def _is_other_pair(
        plan: Plan, namespace: Namespace, found: Link, partners: dict[_Place, _Place], right: set[_Place]
    ) -> bool:
        """Whether a veth cannot become one of the desired pairs: neither of its ends belongs to one, or they belong to
        different ones.

        If one end is right and the place of the other is free, the plan can move that end there.
        """
        place = (namespace.ref, found.name)
        other = plan.snapshot.peer(namespace, found)
        if other is None:
            return True
        far = (other[0].ref, other[1].name)
        if partners.get(place) == far:
            right.add(far)
            return False
        if place in partners and far in partners:
            return True
        near = place if place in partners else far
        if near not in partners:
            return True
        ref, name = partners[near]
        home = plan.snapshot.namespace(ref)
        return home is not None and name in home.links

    # -- routes, addresses, neighbours --------------------------------------------------------------------------------

    def _routes(self, plan: Plan, staying: list[Namespace]) -> None:
        wanted: dict[str, set[tuple[t.Any, ...]]] = {}
        for one in routes(self.lab):
            if one.present:
                wanted.setdefault(one.netns, set()).add(key(one.route()))
        for namespace in staying:
            ours = namespace.lab == plan.lab and namespace.ref
            if not ours and namespace.ref and not plan.has_adopted(namespace, namespace.links["lo"]):
                continue
            keys = wanted.get(namespace.ref, set())
            targets: set[tuple[t.Any, ...]] = set()
            families = {*namespace.families, *(one[0] for one in keys)}
            for there in [one for family in sorted(families) for one in namespace.table(family)]:
                if there.protocol in (route.DECIDED if ours else [PROTOCOL]) and key(there) not in keys:
                    if not route.is_labs(plan, namespace, there):
                        continue
                    targets = targets or {one[:-1] for one in keys}  # without the metric
                    if key(there)[:-1] in targets:
                        self._former.append((namespace, there))
                    else:
                        route.remove(plan, namespace, there)

    def _rules(self, plan: Plan, staying: list[Namespace]) -> None:
        """Remove rules where this or the last applied topology has some. Other namespaces are not read."""
        wanted: dict[str, list[RuleWanted]] = {}
        for one in policy_rules(self.lab):
            wanted.setdefault(one.netns, []).append(one)
        before = {one.netns for one in policy_rules(self.before)} if self.before else set()
        concerned = {*wanted, *before, *rule.where_remembered(plan)}
        for namespace in staying if concerned else ():
            if namespace.ref in concerned:
                rule.remove_unwanted(plan, namespace, wanted.get(namespace.ref, []))

    def _remove_former(self, plan: Plan) -> None:
        for namespace, there in self._former:
            route.remove_former(plan, namespace, there)

    @staticmethod
    def _lo(plan: Plan, namespace: Namespace, wanted: list[str]) -> None:
        named = {rules.normal_cidr(one) for one in wanted}
        there = namespace.links["lo"].addresses
        extra = [one.cidr for one in there if one.scope != "host" and one.cidr not in named]
        if extra:
            LinkAddresses(namespace.ref, "lo", Addresses(extra), present=False).plan(plan)
        if not any(one.cidr == _LOOPBACK for one in there):
            LinkAddresses(namespace.ref, "lo", Addresses([_LOOPBACK], exclusive=False)).plan(plan)

    def _neighbors(self, plan: Plan) -> None:
        """Remove permanent entries of the last applied topology that the topology no longer has. The kernel has no mark
        for them.
        """
        named = {one.claims()[0][:2] for one in self.wanted if isinstance(one, NeighborWanted)}
        for one in neighbors(self.before) if self.before else []:
            if one.claims()[0][:2] not in named:
                dataclasses.replace(one, present=False).plan(plan)

    def _sysctls(self, plan: Plan, refs: set[str], kept: set[tuple[str, str]]) -> None:
        """Reset sysctls that the topology no longer has. In the lab's own namespaces they get the value of a new
        namespace.

        :class:`.defaults.Defaults` plans forwarding of links, if the topology sets it for their namespace.
        """
        decided = {node.ref for node in self.lab.nodes.values() if links_forward_alike(node)}
        for one in sysctls(self.before, usual=False) if self.before else []:
            if one.netns not in refs or (one.netns, one.name) in kept:
                continue
            namespace = plan.snapshot.namespace(one.netns) if one.netns in decided else None
            if not namespace or one.name not in map(forwarding_of, namespace.links):
                one.forget(plan)

    def _masquerades(self, plan: Plan) -> None:
        wanted = {values["netns"] for dummy, values in self.lab.masquerades}
        before = {values["netns"] for dummy, values in self.before.masquerades} if self.before else set()
        for ref in sorted(before - wanted):
            masquerade.remove(plan, plan.snapshot.namespace(ref))
