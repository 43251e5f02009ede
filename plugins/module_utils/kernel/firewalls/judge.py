# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decide what a firewall does with the packets of a flow, whatever kind of rules the firewall has.

A flow fixes some properties of a packet: the links, the networks, and whether it opens a connection. It leaves others
open: protocol, ports, marks. Therefore a rule matches all packets of a flow, none, or some of them. If the code does
not know a condition, the result is unknown.
"""

from __future__ import annotations

import dataclasses
import enum
import ipaddress
import sys
import typing as t

ACCEPT, DROP, REJECT, RETURN = "accept", "drop", "reject", "return"
UNKNOWN_VERDICT = "unknown"
_ENDS = (ACCEPT, DROP, REJECT, UNKNOWN_VERDICT)
_MOST_JUMPS = 32  # the kernel allows 16

_NFPROTO = {4: b"\2", 6: b"\12"}
_IFNAMSIZ = 16

# The properties that a flow fixes.
IIFNAME, OIFNAME, IIF, OIF, NFPROTO, SOURCE, DESTINATION, CT_STATE = (
    "iifname", "oifname", "iif", "oif", "nfproto", "source", "destination", "ct state",
)  # fmt: skip
CT_INVALID, CT_ESTABLISHED, CT_RELATED, CT_NEW = 1, 2, 4, 8

Interval = tuple[bytes, bytes]  # the lowest and the highest value, both included


class Answer(enum.Enum):
    """How many of a flow's packets a condition holds for."""

    ALL = "all"
    NONE = "none"
    SOME = "some"
    UNKNOWN = "unknown"

    def inverted(self) -> Answer:
        """The answer to the opposite condition."""
        return {Answer.ALL: Answer.NONE, Answer.NONE: Answer.ALL}.get(self, self)


def all_of(answers: t.Iterable[Answer]) -> Answer:
    """The answer to a conjunction: several conditions that must all hold."""
    found = set(answers)
    for answer in (Answer.NONE, Answer.UNKNOWN, Answer.SOME):
        if answer in found:
            return answer
    return Answer.ALL


@dataclasses.dataclass(frozen=True)
class Flow:
    """Packets that a lab needs the firewall to accept.

    :ivar family: 4 or 6. :ivar iif: the incoming link. :ivar oif: the outgoing link.
    :ivar source: the source networks; empty for any. :ivar destination: the destination networks; empty for any.
    :ivar established: whether the packets only answer; otherwise they also open connections.
    :ivar bridged: whether a bridge passes the packets from port to port. The bridge is then both `iif` and `oif`.
    :ivar indexes: the indexes of links, by name.
    """

    family: int
    iif: str
    oif: str
    source: tuple[str, ...] = ()
    destination: tuple[str, ...] = ()
    established: bool = False
    bridged: bool = False
    indexes: dict[str, int] = dataclasses.field(default_factory=dict, compare=False)

    def values(self, name: str) -> list[Interval] | None:
        """The values of a property, as intervals. None if the flow does not fix it."""
        if name in (IIFNAME, OIFNAME):
            return _single((self.iif if name == IIFNAME else self.oif).encode().ljust(_IFNAMSIZ, b"\0"))
        if name in (IIF, OIF):
            index = self.indexes.get(self.iif if name == IIF else self.oif, 0)
            return _single(index.to_bytes(4, sys.byteorder))
        if name == NFPROTO:
            return _single(_NFPROTO[self.family])
        if name in (SOURCE, DESTINATION):
            networks = self.source if name == SOURCE else self.destination
            return [span(network) for network in networks] or None
        if name == CT_STATE:
            return _single((CT_ESTABLISHED if self.established else CT_NEW).to_bytes(4, sys.byteorder))
        return None


def _single(value: bytes) -> list[Interval]:
    return [(value, value)]


def span(network: str) -> Interval:
    """The first and the last address of a network."""
    parsed = ipaddress.ip_network(network, strict=False)
    return parsed.network_address.packed, parsed.broadcast_address.packed


def within(values: list[Interval] | None, interval: Interval) -> Answer:
    """How many of the values lie in an interval. None stands for unknown values, of which some may."""
    if values is None:
        return Answer.SOME
    lowest, highest = interval
    if all(lowest <= low and high <= highest for low, high in values):
        return Answer.ALL
    if all(high < lowest or highest < low for low, high in values):
        return Answer.NONE
    return Answer.SOME


Condition = t.Callable[[Flow], Answer]


@dataclasses.dataclass(frozen=True)
class Rule:
    """A rule.

    :ivar conditions: the rule matches if all of them hold. :ivar verdict: one of the words above; empty if matching
        packets continue with the next rule.
    :ivar target: the chain that the rule jumps to. :ivar comes_back: whether packets that this chain does not decide
        return to the next rule.
    :ivar comment: the comment that the rule carries.
    """

    conditions: tuple[Condition, ...] = ()
    verdict: str = ""
    target: str = ""
    comes_back: bool = True
    comment: str = ""

    def answer(self, flow: Flow) -> Answer:
        """How many of the flow's packets the rule matches."""
        return all_of(condition(flow) for condition in self.conditions)


@dataclasses.dataclass
class Chain:
    """A chain.

    :ivar hook: the netfilter hook, such as ``forward``; empty if only jumps lead to the chain.
    :ivar policy: the verdict on packets that no rule decides.
    """

    name: str
    rules: list[Rule] = dataclasses.field(default_factory=list)
    hook: str = ""
    policy: str = ACCEPT


class Obstacle(t.NamedTuple):
    """A chain that drops or rejects packets of a flow.

    :ivar table: the table of the chain. :ivar chain: the base chain, which has a hook.
    :ivar end: the rule or policy that drops the packets, in a few words.
    :ivar certain: whether it drops them for certain; otherwise it may.
    """

    table: Table
    chain: Chain
    end: str
    certain: bool

    def __str__(self) -> str:
        return "{0}, chain {1} (hook {2}, {3})".format(self.table.title, self.chain.name, self.chain.hook, self.end)


@dataclasses.dataclass
class Table:
    """A table of a firewall.

    :ivar title: its name in messages. :ivar families: the IP versions of the packets that it sees.
    :ivar insert: the first words of a command that inserts a rule at the beginning of a chain.
    :ivar chains: the chains, by name.
    """

    title: str
    families: tuple[int, ...]
    insert: str
    chains: dict[str, Chain] = dataclasses.field(default_factory=dict)

    def obstacles(self, flow: Flow) -> list[Obstacle]:
        """The chains that drop or reject packets of the flow, or may do so."""
        if flow.family not in self.families:
            return []
        ends = [(chain, *self._judge(chain, flow)) for chain in self.chains.values() if chain.hook]
        return [Obstacle(self, chain, end, certain) for chain, end, certain in ends if end]

    def _judge(self, chain: Chain, flow: Flow) -> tuple[str, bool]:
        """The rule or policy of a chain that drops the flow's packets, empty for none, and whether that is certain."""
        doubts: set[str] = set()
        verdict, place = self._walk(chain, flow, doubts, 0)
        if verdict == RETURN:
            verdict, place = chain.policy, "policy {0}".format(chain.policy)
        if verdict == UNKNOWN_VERDICT:
            return place, False
        if verdict == ACCEPT:
            return ("a rule that the collection does not understand", False) if DROP in doubts else ("", True)
        return place, ACCEPT not in doubts

    def _walk(self, chain: Chain, flow: Flow, doubts: set[str], depth: int) -> tuple[str, str]:
        """The verdict on the packets of the flow, and the rule that decides it.

        Rules that match only some packets are skipped. *doubts* collects the verdicts of rules that the code does not
        understand.
        """
        for number, rule in enumerate(chain.rules, 1):
            answer = rule.answer(flow)
            if answer is Answer.NONE:
                continue
            verdict, place = rule.verdict, self._place(chain, number, rule.verdict)
            if rule.target:
                inner = self.chains.get(rule.target)
                if inner is None or depth == _MOST_JUMPS:
                    continue
                verdict, place = self._walk(inner, flow, doubts, depth + 1)
                if verdict == RETURN and rule.comes_back:
                    continue
            if answer is Answer.ALL and verdict:
                return verdict, place
            if answer is Answer.UNKNOWN and verdict in _ENDS:
                doubts.add(ACCEPT if verdict == ACCEPT else DROP)
        return RETURN, ""

    @staticmethod
    def _place(chain: Chain, number: int, verdict: str) -> str:
        where = "" if chain.hook else " of chain {0}".format(chain.name)
        return "rule {0}{1}: {2}".format(number, where, verdict)
