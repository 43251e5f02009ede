# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The nftables chains and rules of others, read as the kernel has them.

Everything is read by hand: every host with a firewall is asked, and pyroute2's nftables take longer to load than a
small lab to make. Source: linux/netfilter/nf_tables.h.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import attributes, netlink

FAMILIES = {1: "inet", 2: "ip", 10: "ip6"}
FORWARD = 2  # NF_INET_*
DROP, ACCEPT = 0, 1  # NF_*

_SUBSYSTEM = 10 << 8
_GETCHAIN, _GETRULE = 4, 7  # NFT_MSG_*
_CHAIN_TABLE, _CHAIN_NAME, _CHAIN_HOOK, _CHAIN_POLICY = 1, 3, 4, 5  # NFTA_*
_HOOK_NUMBER = 1
_RULE_TABLE, _RULE_CHAIN, _RULE_EXPRESSIONS = 1, 2, 4
_EXPRESSION_NAME, _EXPRESSION_DATA = 1, 2
_IMMEDIATE_DATA, _DATA_VERDICT, _VERDICT_CODE = 2, 2, 1
_TARGET_NAME = 1


class ForeignChain(t.NamedTuple):
    """A chain.

    :ivar family: NFPROTO_*. :ivar hook: the number of the place where packets come to it; None where only jumps lead
        to it. :ivar drops: whether its policy is drop.
    """

    family: int
    table: str
    name: str
    hook: int | None
    drops: bool

    def __str__(self) -> str:
        return "table {0} {1}, chain {2}".format(FAMILIES[self.family], self.table, self.name)


@dataclasses.dataclass(frozen=True)
class Expression:
    """One instruction of a rule: its name, and its attributes as bytes."""

    name: str
    data: dict[int, bytes]

    @property
    def verdict(self) -> int | None:
        """The number of the verdict that the expression is; None where it is none."""
        if self.name != "immediate":
            return None
        verdict = attributes.walk(self.data[_IMMEDIATE_DATA]).get(_DATA_VERDICT)
        return int.from_bytes(attributes.walk(verdict)[_VERDICT_CODE], "big", signed=True) if verdict else None

    @property
    def rejects(self) -> bool:
        """Whether it drops and says so; iptables-nft(8) makes another expression of it than nft(8)."""
        if self.name == "target":
            return attributes.to_text(self.data[_TARGET_NAME]) == "REJECT"
        return self.name == "reject"


class ForeignRule(t.NamedTuple):
    """A rule: its expressions, in order."""

    expressions: list[Expression]


def chains(socket: netlink.Netlink) -> list[ForeignChain]:
    """The chains of all families and tables."""
    found = []
    for body in socket.dump(netlink.Packed(_SUBSYSTEM | _GETCHAIN, netlink.NLM_F_DUMP, bytes(4))):
        read = attributes.walk(body, 4)
        hook = attributes.walk(read.get(_CHAIN_HOOK, b"")).get(_HOOK_NUMBER)
        found.append(
            ForeignChain(
                body[0],
                attributes.to_text(read[_CHAIN_TABLE]),
                attributes.to_text(read[_CHAIN_NAME]),
                int.from_bytes(hook, "big") if hook else None,
                bool(hook) and int.from_bytes(read.get(_CHAIN_POLICY, b"\1"), "big") == DROP,
            )
        )
    return found


def rules(socket: netlink.Netlink, family: int, table: str, chain: str) -> list[ForeignRule]:
    """The rules of a chain, in order."""
    body = bytes((family, 0, 0, 0)) + attributes.text(_RULE_TABLE, table) + attributes.text(_RULE_CHAIN, chain)
    return [
        ForeignRule(_expressions(attributes.walk(read, 4).get(_RULE_EXPRESSIONS, b"")))
        for read in socket.dump(netlink.Packed(_SUBSYSTEM | _GETRULE, netlink.NLM_F_DUMP, body))
    ]


def _expressions(data: bytes) -> list[Expression]:
    found = []
    for dummy, element in attributes.items(data):
        read = attributes.walk(element)
        name = attributes.to_text(read[_EXPRESSION_NAME])
        found.append(Expression(name, attributes.walk(read.get(_EXPRESSION_DATA, b""))))
    return found
