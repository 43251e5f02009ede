# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The resource `host_firewall`: a lab's exceptions in other programs' firewalls, or a warning.

The exceptions follow from the snapshot after all other resources have changed it: from the lab's links, from whether
its namespace forwards, and from whether br_netfilter passes bridged packets to the firewall.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import re
import shlex
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils.commands import enter
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import nft_rules, nftables, sysctl
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.firewalls import firewalld
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.firewalls.judge import Flow, Obstacle
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.firewalls.openings import (
    Firewalls,
    Opening,
    Place,
    ReplaceOpenings,
    commands,
    of_namespace,
)
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.objects import MAIN_TABLE, Link, Route
from ansible_collections.linuxnet.lab.plugins.module_utils.plan import ALLOW, LEAVE, Plan, Stage
from ansible_collections.linuxnet.lab.plugins.module_utils.resources import remembered, tables
from ansible_collections.linuxnet.lab.plugins.module_utils.snapshot import Namespace

_FORWARDING = {4: "net.ipv4.ip_forward", 6: "net.ipv6.conf.all.forwarding"}
_BRIDGED = {4: "net.bridge.bridge-nf-call-iptables", 6: "net.bridge.bridge-nf-call-ip6tables"}
_DEFAULT = {4: "0.0.0.0/0", 6: "::/0"}
_MOST = 500  # exceptions in one place, because every packet of the host passes all of them
_KIND = "firewalld"


def plan_all(plan: Plan) -> None:
    """Plan the lab's exceptions in the firewalls of the namespaces that the plan's resources have requested."""
    for ref, choice in plan.crossed.items():
        namespace = plan.snapshot.namespace(ref)
        if namespace and not namespace.new and not plan.is_assumed(namespace):
            _Crossing(plan, namespace, choice).plan()


@dataclasses.dataclass
class _Crossing:
    """A lab and the firewalls of a namespace.

    :ivar choice: whether to add exceptions; "" keeps those that are still needed, and adds none.
    """

    lab_plan: Plan
    namespace: Namespace
    choice: str

    def plan(self) -> None:
        firewalls = self.lab_plan.snapshot.once(of_namespace, self.namespace.ref)
        flows = {version: self._flows(version) for version in (4, 6)} if firewalls.tables else {4: [], 6: []}
        wanted: dict[Place, list[Opening]] = {}
        blocked: list[tuple[Obstacle, Flow]] = []
        for version, found in flows.items():
            obstacles = firewalls.obstacles(found) if self.choice else []
            if self.choice == ALLOW and obstacles:
                obstacles = self._open(firewalls, version, obstacles, found, wanted)
            blocked += obstacles
        present = {place: rules for (place, lab), rules in firewalls.openings.items() if lab == self.lab_plan.lab}
        if not self.choice:
            needed = {opening for found in flows.values() for opening in _openings(found)}
            wanted = {place: [one for one in rules if one in needed] for place, rules in present.items()}
        for place in {**present, **wanted}:
            self._replace(place, present.get(place, []), wanted.get(place, []))
        if not self.namespace.ref:
            blocked = self._zones(blocked, flows)
        for obstacle, flow in blocked:
            self.lab_plan.warnings.append(self._warning(obstacle, flow))

    def _open(
        self,
        firewalls: Firewalls,
        version: int,
        obstacles: list[tuple[Obstacle, Flow]],
        flows: list[Flow],
        wanted: dict[Place, list[Opening]],
    ) -> list[tuple[Obstacle, Flow]]:
        """Plan exceptions where they help, and return what still drops the lab's packets."""
        rules = _openings(flows)
        for place, chain in firewalls.places.items():
            if place.version != version or not obstacles or len(rules) > _MOST:
                continue
            before = chain.rules
            chain.rules = [*(one.rule(self.lab_plan.lab) for one in rules), *before]
            left = firewalls.obstacles(flows)
            if len(left) < len(obstacles):
                obstacles, wanted[place] = left, rules
            else:
                chain.rules = before
        return obstacles

    def _replace(self, place: Place, present: list[Opening], wanted: list[Opening]) -> None:
        if present == wanted:
            return
        lab, ref = self.lab_plan.lab, self.namespace.ref

        self.lab_plan.add(
            Stage.NAT if wanted else Stage.REMOVE_NAT,
            ref,
            [ReplaceOpenings(ref, place, lab, wanted)],
            [ReplaceOpenings(ref, place, lab, present)],
            ("host_firewall", "{0} {1}".format(place.command, place.chain)),
            [one.words(lab) for one in present] or None,
            [one.words(lab) for one in wanted] or None,
            [enter(self.namespace, command) for command in commands(place, lab, present, wanted)],
        )

    # -- firewalld ----------------------------------------------------------------------------------------------------

    def _zones(self, blocked: list[tuple[Obstacle, Flow]], flows: dict[int, list[Flow]]) -> list[tuple[Obstacle, Flow]]:
        """Plan that the lab's links join or leave a zone that lets them pass, and return what still drops their
        packets.
        """
        by_firewalld = [one for one in blocked if one[0].table.title == firewalld.TABLE]
        crossed = {name for found in flows.values() for flow in found for name in (flow.iif, flow.oif)}
        ours = crossed & {link.name for link in self._links()}
        known = {record["link"]: record for dummy, record in remembered.everything(self.lab_plan, _KIND)}
        for link, record in known.items():
            if self.choice == LEAVE or link not in ours:
                self._leave_zone(link, record)
            if self.choice == LEAVE and link in ours:
                text = "{0} drops packets that the lab forwards through {1} outside zone {2}; `{3}` lets them pass"
                command = firewalld.command(link, record["before"], record["zone"])
                self.lab_plan.warnings.append(text.format(firewalld.TABLE, link, record["zone"], command))
        if not by_firewalld or self.choice != ALLOW or not firewalld.is_here():
            return blocked
        zone = firewalld.zone(crossed - ours)
        if not zone:
            return blocked
        for link in sorted(ours):
            before = firewalld.zone_of(link)
            if before != zone:
                self._enter_zone(link, known.get(link, {}).get("before", before), before, zone)
        return [one for one in blocked if one not in by_firewalld]

    def _key(self, link: str) -> str:
        return remembered.key(self.lab_plan, _KIND, self.namespace.ref, link)

    def _enter_zone(self, link: str, first: str, before: str, zone: str) -> None:
        record = {"link": link, "zone": zone, "before": first}
        old = remembered.recall(self.lab_plan, self._key(link))
        self.lab_plan.add(
            Stage.NAT,
            self.namespace.ref,
            [remembered.write(self.lab_plan, self._key(link), record), _put(link, before, zone)],
            [_put(link, zone, before), remembered.write(self.lab_plan, self._key(link), old)],
            ("host_firewall", "firewalld", link),
            before or None,
            zone,
            [firewalld.command(link, before, zone)],
        )

    def _leave_zone(self, link: str, record: dict[str, t.Any]) -> None:
        key = self._key(link)
        if not firewalld.is_here() or firewalld.zone_of(link) != record["zone"]:
            remembered.forget(self.lab_plan, key, record)
            return
        self.lab_plan.add(
            Stage.REMOVE_NAT,
            self.namespace.ref,
            [_put(link, record["zone"], record["before"]), remembered.write(self.lab_plan, key, None)],
            [remembered.write(self.lab_plan, key, record), _put(link, record["before"], record["zone"])],
            ("host_firewall", "firewalld", link),
            record["zone"],
            record["before"] or None,
            [firewalld.command(link, record["zone"], record["before"])],
        )

    # -- the flows of the lab -----------------------------------------------------------------------------------------

    def _links(self) -> list[Link]:
        """The lab's links that forward or bridge, without ports, which are part of their bridge."""
        return [
            link
            for link in self.namespace.links.values()
            if not link.master and link.name != "lo" and (self.lab_plan.owns(link) or self._is_within())
        ]

    def _is_within(self) -> bool:
        """Whether the namespace itself belongs to the lab."""
        return bool(self.namespace.ref) and self.namespace.lab == self.lab_plan.lab

    def _flows(self, version: int) -> list[Flow]:
        """The flows of one IP version that the lab's links forward."""
        links = self._links()
        numbers = {link.name: link.index for link in self.namespace.links.values()}
        flows = []
        if self.lab_plan.snapshot.once(sysctl.value, self.namespace.ref, _BRIDGED[version]) == "1":
            for link in links:
                networks = _networks(link, version)
                if link.kind == "bridge" and (networks or not self._versions() or version in self._versions()):
                    flows.append(Flow(version, link.name, link.name, networks, networks, bridged=True, indexes=numbers))
        ways = self._ways_out(version)
        if not ways and self._sysctl(_FORWARDING[version]) != "1":
            return flows
        routed = {link.name: self._behind(link, version) for link in links if _networks(link, version)}
        for one, networks in routed.items():
            for other, targets in routed.items():
                if other != one:
                    flows.append(Flow(version, one, other, networks, targets, indexes=numbers))
            for (iif, way), sources in sorted(ways.items()):
                if iif in ("", one) and way not in routed:
                    flows.append(Flow(version, one, way, sources, indexes=numbers))
                    flows.append(Flow(version, way, one, (), sources, established=True, indexes=numbers))
        return flows

    def _versions(self) -> set[int]:
        """The IP versions of all known addresses of the lab."""
        return {
            address.version
            for namespace in self.lab_plan.snapshot.read_so_far()
            for link in namespace.links.values()
            if self.lab_plan.owns(link) or namespace.lab == self.lab_plan.lab
            for address in link.addresses
            if address.scope not in ("link", "host")
        }

    def _ways_out(self, version: int) -> dict[tuple[str, str], tuple[str, ...]]:
        """The networks that the lab lets out, by incoming and outgoing link. An empty list stands for any network.

        "" stands for any link of the lab.
        """
        ruleset = self._ruleset()
        postrouting = ruleset.chains.get("postrouting") if ruleset else None
        found: dict[tuple[str, str], tuple[str, ...]] = {}
        for rule in postrouting.rules if postrouting else ():
            if getattr(rule, "verdict", "") != "masquerade" or rule.family not in (0, version):
                continue
            leading = {rule.oif} if rule.oif else self._links_to(rule.dst or _DEFAULT[version], version)
            for way in leading - {rule.not_oif, ""}:
                known = found.get((rule.iif, way))
                any_source = not rule.src or known == ()
                found[rule.iif, way] = () if any_source else (*(known or ()), rule.src)
        if ruleset and not found and self._sysctl(_FORWARDING[version]) == "1":  # the outside has a route back
            found = {("", way): () for way in self._links_to(_DEFAULT[version], version)}
        return found

    def _behind(self, link: Link, version: int) -> tuple[str, ...]:
        """The networks that a link leads to. None for any."""
        routes = self.namespace.table(version).of_link(link.name)
        found = [one.dst for one in routes if _counts(one) and _is_global(one.dst)]
        return () if _DEFAULT[version] in found else tuple(dict.fromkeys(found)) or _networks(link, version)

    def _links_to(self, network: str, version: int) -> set[str]:
        """The links through which packets to a network leave."""
        wanted = ipaddress.ip_network(network)
        if network == _DEFAULT[version]:
            found = [route for route in self._routes(version) if route.dst == network]
        else:
            found = [one for one in self._routes(version) if ipaddress.ip_network(one.dst).overlaps(wanted)]
        return {hop.dev for route in found for hop in route.hops}

    def _routes(self, version: int) -> list[Route]:
        table = self.namespace.table(version)
        return [route for route in table if _counts(route)]

    def _ruleset(self) -> t.Any:
        """The lab's own table after the plan."""
        for change in self.lab_plan.changes():
            for operation in change.operations:
                if not isinstance(operation, (nftables.ReplaceTable, nftables.DeleteTable)):
                    continue
                if (operation.netns, operation.lab) == (self.namespace.ref, self.lab_plan.lab):
                    return operation.ruleset if isinstance(operation, nftables.ReplaceTable) else None
        return tables.there(self.lab_plan, self.namespace.ref, self.lab_plan.lab)

    def _sysctl(self, name: str) -> str | None:
        """The value of a sysctl after the plan."""
        moved = self.lab_plan.moved_sysctls.get((self.namespace.ref, name))
        return moved or self.lab_plan.snapshot.once(sysctl.value, self.namespace.ref, name)

    # -- warnings -----------------------------------------------------------------------------------------------------

    def _warning(self, obstacle: Obstacle, flow: Flow) -> str:
        drops = "drops" if obstacle.certain else "may drop"
        if flow.bridged:
            text = "{0} {1} packets that the lab's bridges pass from port to port, because of br_netfilter ({2}); {3}"
            return text.format(obstacle, drops, _BRIDGED[flow.family], self._cure(obstacle, flow))
        return "{0} {1} packets that the lab forwards; {2}".format(obstacle, drops, self._cure(obstacle, flow))

    def _cure(self, obstacle: Obstacle, flow: Flow) -> str:
        """The command that lets a flow pass."""
        if obstacle.table.title == firewalld.TABLE:
            return "`{0}` for each of the lab's links lets them pass".format(firewalld.command("LINK", "", "trusted"))
        if obstacle.table.title.endswith(" docker-bridges"):
            return "dockerd's option --ip-forward-no-drop prevents that"
        before, after = obstacle.chain.hook == "prerouting", obstacle.chain.hook == "postrouting"
        names = {"iif": "" if after else flow.iif, "oif": "" if before else flow.oif}
        if obstacle.table.insert.startswith("nft"):
            words = ["{0}name {1}".format(key, _for_nft(name)) for key, name in names.items() if name]
            words += ["ct state established"] if flow.established else []
            command = "{0} {1} {2} accept".format(obstacle.table.insert, obstacle.chain.name, " ".join(words))
        else:
            words = ["-{0} {1}".format(key[0], shlex.quote(name)) for key, name in names.items() if name]
            words += ["-m conntrack --ctstate ESTABLISHED"] if flow.established else []
            command = "{0} {1} {2} -j ACCEPT".format(obstacle.table.insert, obstacle.chain.name, " ".join(words))
        return "`{0}` lets them pass from {1} to {2}".format(enter(self.namespace, command), flow.iif, flow.oif)


def _openings(flows: t.Iterable[Flow]) -> list[Opening]:
    return list(dict.fromkeys(Opening(flow.iif, flow.oif, flow.established) for flow in flows))


def _for_nft(name: str) -> str:
    """The name of a link as an argument of nft(8), which may read a bare name as a keyword."""
    return name if re.fullmatch(r"[A-Za-z][\w.-]*\d[\w.-]*", name) else shlex.quote(nft_rules.quoted(name))


def _is_global(network: str) -> bool:
    """Whether a network is not the link-local one, which every link has."""
    first = ipaddress.ip_network(network).network_address
    return not first.is_link_local and not first.is_multicast


def _networks(link: Link, version: int) -> tuple[str, ...]:
    """The networks of a link's addresses."""
    return tuple(
        dict.fromkeys(
            str(address.network)
            for address in link.addresses
            if address.version == version and address.scope not in ("link", "host")
        )
    )


def _put(link: str, before: str, after: str) -> firewalld.ChangeZone:
    return firewalld.ChangeZone("", link, before, after)


def _counts(route: Route) -> bool:
    """Whether a route tells where packets leave."""
    return route.type == "unicast" and route.table == MAIN_TABLE
