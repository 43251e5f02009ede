# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The resource `masquerade`: a lab's nftables table, which gives its packets the address of the way out."""

from __future__ import annotations

import dataclasses
import ipaddress

from ansible_collections.linuxnet.lab.plugins.module_utils import lab as rules
from ansible_collections.linuxnet.lab.plugins.module_utils.commands import enter
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import nftables
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.nft_rules import Rule
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.operations import Operation
from ansible_collections.linuxnet.lab.plugins.module_utils.plan import Plan, Stage
from ansible_collections.linuxnet.lab.plugins.module_utils.snapshot import Namespace


@dataclasses.dataclass
class Match:
    """Which packets leave with another source address; None for any."""

    src: str | None = None
    dst: str | None = None
    oif: str | None = None
    not_oif: str | None = None
    place: str = ""

    def check(self) -> list[str]:
        """Networks and names; one family; something to match."""
        errors = []
        for name, value in (("src", self.src), ("dst", self.dst)):
            errors += rules.check_prefix(self.place + name, value) if value is not None else []
        for name, value in (("oif", self.oif), ("not_oif", self.not_oif)):
            errors += rules.check_link_name(self.place + name, value) if value is not None else []
        if not errors and self.src and self.dst:
            versions = {ipaddress.ip_network(value, strict=False).version for value in (self.src, self.dst)}
            if len(versions) > 1:
                errors.append("{0}dst: {1} and {2} are not of one IP version".format(self.place, self.dst, self.src))
        if self.oif and self.not_oif:
            errors.append("{0}not_oif: {1!r} says nothing beside oif {2!r}".format(self.place, self.not_oif, self.oif))
        if self.is_empty():
            errors.append("{0}src: one of src, dst, oif, not_oif is needed".format(self.place))
        return errors

    def is_empty(self) -> bool:
        """Whether nothing was said."""
        return not (self.src or self.dst or self.oif or self.not_oif)

    def rule(self) -> Rule:
        """As the kernel is told."""
        return Rule(
            src=str(rules.network_of(self.src)) if self.src else "",
            dst=str(rules.network_of(self.dst)) if self.dst else "",
            oif=self.oif or "",
            not_oif=self.not_oif or "",
            verdict="masquerade",
        )


@dataclasses.dataclass
class Masquerade:
    """All masquerading of a lab in one namespace.

    :ivar restricted: whether the lab's packets are let out and answers in, and nothing unsolicited; the other
        choice leaves forwarding as it is.
    """

    netns: str
    matches: list[Match]
    restricted: bool = True
    present: bool = True

    def check(self) -> list[str]:
        """Each match; and the lab's prefixes, where they are what decides."""
        errors = rules.check_netns("netns", self.netns)
        if self.present and not self.matches:
            errors.append("rules: at least one is needed")
        for match in self.matches:
            errors += match.check()
            if self.present and self.restricted and not match.src and not match.is_empty():
                errors.append(
                    "{0}src: forward: restricted needs it, to know what is the lab's".format(match.place)
                )
        return errors

    def claims(self) -> list[tuple[str, str, str]]:
        """The lab's table."""
        return [("masquerade", self.netns or "the host", "netns")]

    def ruleset(self) -> nftables.Ruleset:
        """The lab's table."""
        wanted = [match.rule() for match in self.matches]
        chains = {"postrouting": nftables.postrouting(wanted)}
        if self.restricted:
            prefixes = list(dict.fromkeys(rule.src for rule in wanted))
            chains["forward"] = nftables.forward(nftables.restricted_forward(prefixes))
        return nftables.Ruleset(chains)

    def plan(self, plan: Plan) -> None:
        """Replace the table where it differs, or delete it."""
        if not self.present:
            remove(plan, plan.snapshot.namespace(self.netns))
            return
        namespace = plan.namespace(self.netns, "netns")
        wanted = self.ruleset()
        if namespace.new:
            _replace(plan, namespace, None, wanted)
            return
        there = plan.snapshot.ruleset(self.netns, plan.lab)
        if there != wanted:
            _replace(plan, namespace, there, wanted)
        plan.warnings += plan.snapshot.forward_obstacles(self.netns, plan.lab)


def remove(plan: Plan, namespace: Namespace | None) -> None:
    """Plan the end of the lab's table in a namespace."""
    there = plan.snapshot.ruleset(namespace.ref, plan.lab) if namespace and not namespace.new else None
    if namespace and there:
        _replace(plan, namespace, there, None)


def _replace(plan: Plan, namespace: Namespace, there: nftables.Ruleset | None, wanted: nftables.Ruleset | None) -> None:
    commands = nftables.commands(plan.lab, None) if there else []
    commands += nftables.commands(plan.lab, wanted) if wanted else []
    plan.add(
        Stage.NAT if wanted else Stage.REMOVE_NAT,
        namespace.ref,
        [_operation(namespace, plan.lab, wanted)],
        [_operation(namespace, plan.lab, there)],
        ("nftables", nftables.table_name(plan.lab)),
        there.show() if there else None,
        wanted.show() if wanted else None,
        [enter(namespace, command) for command in commands],
    )


def _operation(namespace: Namespace, lab: str, ruleset: nftables.Ruleset | None) -> Operation:
    if ruleset is None:
        return Operation(namespace.ref, "nft_delete", {"lab": lab})
    return Operation(namespace.ref, "nft_replace", {"lab": lab, "ruleset": ruleset})
