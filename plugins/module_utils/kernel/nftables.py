# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A lab's own nftables table, read, replaced and deleted as a whole.

The table belongs to the lab by its name, so nothing is kept about it anywhere else. All functions take a
:class:`Socket` made in the namespace they are about. A change is waited for at the next one, or when the
socket is closed (up to 15 ms), so keep one socket for a sequence of calls.
Sources: nft(8), linux/netfilter/nf_tables.h.
"""

from __future__ import annotations

import dataclasses
import errno
import functools
import shlex
import typing as t
from socket import SO_SNDBUF, SOL_SOCKET

from ansible_collections.linuxnet.lab.plugins.module_utils.errors import KernelError
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import attributes, netlink, nft_rules
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.library import nftsocket
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.nft_rules import Rule, Unknown

_NETLINK_NETFILTER = 12
_SUBSYSTEM = 10
_BATCH_BEGIN = 0x10
_BATCH_END = 0x11
_NLM_F_APPEND = 0x800
_GETTABLE = 1  # NFT_MSG_*
_TABLE_NAME, _TABLE_FLAGS, _TABLE_USE = 1, 2, 3  # NFTA_*
_SOL_NETLINK = 270
_NETLINK_NO_ENOBUFS = 5

_UNSPEC = 0
_INET = 1
_HOOKS = ("prerouting", "input", "forward", "output", "postrouting")
_POLICIES = ("drop", "accept")
_PRIORITY_NAMES = {("postrouting", 100): "srcnat", ("forward", 0): "filter"}
# Expressions that use a set or an object of the table, beside the rule.
_WITH_COMPANIONS = {"lookup", "dynset", "objref", "flow_offload"}


@dataclasses.dataclass(frozen=True)
class Chain:
    """A chain and its rules, in order.

    :ivar type: ``nat`` or ``filter``; "" where packets come only by a jump: hook and policy are "" then, too.
    :ivar hook: the place in the packet's way: ``postrouting``, ``forward`` ...
    :ivar priority: chains of one hook run in this order, lowest first.
    :ivar policy: ``accept`` or ``drop``: the verdict on packets that no rule decides.
    """

    type: str = ""
    hook: str = ""
    priority: int = 0
    policy: str = ""
    rules: tuple[Rule | Unknown, ...] = ()

    def __str__(self) -> str:
        """What is between the braces of nft(8)'s `add chain`; "" for a chain without a hook."""
        if not self.hook:
            return ""
        priority = _PRIORITY_NAMES.get((self.hook, self.priority), str(self.priority))
        return f"type {self.type} hook {self.hook} priority {priority} ; policy {self.policy} ;"


@dataclasses.dataclass(frozen=True)
class Ruleset:
    """What is in a lab's table; equal where it does the same to packets.

    :ivar chains: by name.
    :ivar unknown: one phrase for each other thing in which the table differs from any that a lab needs.
    """

    chains: dict[str, Chain]
    unknown: tuple[str, ...] = ()

    def show(self) -> dict[str, list[str]]:
        """For people: by chain its head and its rules as nft(8) takes them; other things under ``table``."""
        chains = sorted(self.chains.items())
        shown = {name: [str(chain), *map(str, chain.rules)] for name, chain in chains}
        return {"table": list(self.unknown), **shown} if self.unknown else shown


class Socket(netlink.Netlink):
    """A socket for nftables in the network namespace in which the calling thread is when it is made."""

    def __init__(self) -> None:
        super().__init__(_NETLINK_NETFILTER)
        # A transaction is one send. The kernel grants less than this, but room for hundreds of rules.
        self._socket.setsockopt(SOL_SOCKET, SO_SNDBUF, 1 << 22)
        # One wrong rule can make the kernel refuse all that follow it, in more messages than the socket can
        # hold. The first says what is wrong, so the loss of the others is no error.
        self._socket.setsockopt(_SOL_NETLINK, _NETLINK_NO_ENOBUFS, 1)

    def transact(self, requests: list[t.Any]) -> None:
        """Carry out all requests as one change, or none of them; KernelError then."""
        begin, end = (
            netlink.message(nftsocket().nft_gen_msg, kind, 0, {"nfgen_family": _UNSPEC, "res_id": _SUBSYSTEM})
            for kind in (_BATCH_BEGIN, _BATCH_END)
        )
        # A refusal comes for any request, asked for or not: one acknowledgement is enough to know the end.
        requests[-1]["header"]["flags"] |= netlink.NLM_F_ACK
        # In one send, however many they are; request() would part them.
        errors = [error for error in self._send([begin, *requests, end], framed=True) if error]
        if errors:
            self._drain()
            raise errors[0]


def table_name(lab: str) -> str:
    """The name of the lab's table, of family inet: ``linuxnet.lab.<lab>``."""
    return "linuxnet.lab." + lab


def postrouting(rules: t.Iterable[Rule]) -> Chain:
    """The chain in which packets get another source address on their way out: rules with ``masquerade``."""
    return Chain("nat", "postrouting", 100, "accept", tuple(rules))


def forward(rules: t.Iterable[Rule]) -> Chain:
    """The chain that all packets pass for which this namespace is a router."""
    return Chain("filter", "forward", 0, "accept", tuple(rules))


def restricted_forward(prefixes: t.Iterable[str]) -> list[Rule]:
    """The rules of ``forward`` that let a lab's prefixes out, answers in, and nothing unsolicited in.

    Traffic that is not the lab's is not decided on.
    """
    prefixes = list(prefixes)
    return [
        Rule(ct_established=True, verdict="accept"),
        *(Rule(src=prefix, verdict="accept") for prefix in prefixes),
        *(Rule(dst=prefix, verdict="drop") for prefix in prefixes),
    ]


# ---- read


def read(socket: Socket, lab: str) -> Ruleset | None:
    """What the kernel has in the lab's table; None where there is no such table."""
    name = table_name(lab)
    table = _table(socket, name)
    if table is None:
        return None
    flags = int.from_bytes(table.get(_TABLE_FLAGS, b""), "big")
    unknown = [f"flags {flags:#x}"] if flags else []  # such as dormant: its chains see no packets
    rules: dict[str, list[Rule | Unknown]] = {}
    for found in _dump_rules(socket, _INET, name):
        rules.setdefault(found.get_attr("NFTA_RULE_CHAIN"), []).append(_rule(found))
    chains = {}
    # Unlike with rules, the kernel gives the chains of all tables.
    found_chains = [found for found in _dump_chains(socket, _INET) if found.get_attr("NFTA_CHAIN_TABLE") == name]
    for found in found_chains:
        chain_name, chain = found.get_attr("NFTA_CHAIN_NAME"), _chain(found)
        if chain is None:
            unknown.append(f"chain {chain_name}")
        else:
            chains[chain_name] = dataclasses.replace(chain, rules=tuple(rules.get(chain_name, ())))
    if int.from_bytes(table.get(_TABLE_USE, b""), "big") != len(found_chains):
        unknown.append("sets or objects")
    return Ruleset(chains, tuple(unknown))


def _table(socket: Socket, name: str) -> dict[int, bytes] | None:
    """The attributes of a table; None where there is none.

    Asked by hand: most namespaces have none, and pyroute2's nftables take longer to load than a small lab to make.
    """
    body = bytes((_INET, 0, 0, 0)) + attributes.text(_TABLE_NAME, name)
    try:
        answer = socket.get(netlink.Packed(_SUBSYSTEM << 8 | _GETTABLE, 0, body))
    except KernelError as exc:
        if exc.errno == errno.ENOENT:
            return None
        raise
    return attributes.walk(answer, 4)


def _dump_chains(socket: Socket, family: int) -> list[t.Any]:
    return socket.dump(_message("CHAIN", "GETCHAIN", netlink.NLM_F_DUMP, family))


def _dump_rules(socket: Socket, family: int, table: str) -> list[t.Any]:
    return socket.dump(_message("RULE", "GETRULE", netlink.NLM_F_DUMP, family, ("TABLE", table)))


def _hook(found: t.Any) -> tuple[int, int]:
    """Number and priority of a base chain's hook."""
    hook = found.get_attr("NFTA_CHAIN_HOOK")
    return hook.get_attr("NFTA_HOOK_HOOKNUM"), hook.get_attr("NFTA_HOOK_PRIORITY")


def _chain(found: t.Any) -> Chain | None:
    """The chain without its rules; None where it is bound to devices, as no chain of a lab is."""
    if not found.get_attr("NFTA_CHAIN_HOOK"):
        return Chain()
    number, priority = _hook(found)
    if number >= len(_HOOKS):
        return None
    policy = _POLICIES[found.get_attr("NFTA_CHAIN_POLICY")]
    return Chain(found.get_attr("NFTA_CHAIN_TYPE"), _HOOKS[number], priority, policy)


def _rule(found: t.Any) -> Rule | Unknown:
    expressions = found.get_attr("NFTA_RULE_EXPRESSIONS") or ()
    rule = nft_rules.decode(expressions)
    if rule is not None:
        return rule
    names = [expression.get_attr("NFTA_EXPR_NAME") for expression in expressions]
    if not _WITH_COMPANIONS.isdisjoint(names):
        return Unknown(", ".join(names))
    raw = _raw_rule_class()(found.data)
    raw.decode()
    userdata = raw.get_attr("NFTA_RULE_USERDATA") or b""
    return Unknown(", ".join(names), bytes(raw.get_attr("NFTA_RULE_EXPRESSIONS") or b""), bytes(userdata))


@functools.cache
def _raw_rule_class() -> t.Any:
    """A message of a rule whose expressions are plain bytes.

    The library's class gives names where the kernel has numbers, and loses what it has no name for.
    """

    class RawRule(nftsocket().nfgen_msg):
        prefix = "NFTA_RULE_"
        nla_map = (
            ("NFTA_RULE_UNSPEC", "none"),
            ("NFTA_RULE_TABLE", "asciiz"),
            ("NFTA_RULE_CHAIN", "asciiz"),
            ("NFTA_RULE_HANDLE", "be64"),
            ("NFTA_RULE_EXPRESSIONS", "cdata"),
            ("NFTA_RULE_COMPAT", "cdata"),
            ("NFTA_RULE_POSITION", "be64"),
            ("NFTA_RULE_USERDATA", "cdata"),
        )

    return RawRule


# ---- change


def _message(what: str, request: str, flags: int, family: int, *told: tuple[str, t.Any], cls: t.Any = None) -> t.Any:
    """A request of the nftables subsystem about a TABLE, CHAIN or RULE."""
    return netlink.message(
        cls or getattr(nftsocket(), f"nft_{what.lower()}_msg"),
        _SUBSYSTEM << 8 | getattr(nftsocket(), "NFT_MSG_" + request),
        flags,
        {"nfgen_family": family},
        [(f"NFTA_{what}_{key}", value) for key, value in told],
    )


def replace(socket: Socket, lab: str, ruleset: Ruleset) -> None:
    """Make the lab's table hold this, whatever it held before, in one step for the packets that pass.

    Also restores what :func:`read` returned earlier, rules not made for a lab included; but not what
    *ruleset.unknown* names, nor rules that use sets or objects.

    :raises KernelError: refused; the table is as it was before.
    :raises OSError: more rules than fit into one message, likewise.
    """
    name = table_name(lab)
    # Deleting what is not there is refused, so it is made first.
    requests = [_new_table(name), _message("TABLE", "DELTABLE", 0, _INET, ("NAME", name)), _new_table(name)]
    requests += [_new_chain(name, chain_name, chain) for chain_name, chain in ruleset.chains.items()]
    for chain_name, chain in ruleset.chains.items():
        requests += [_new_rule(name, chain_name, rule) for rule in chain.rules if _restorable(rule)]
    socket.transact(requests)


def delete(socket: Socket, lab: str) -> None:
    """Delete the lab's table with all that is in it; no error where there is none."""
    try:
        socket.transact([_message("TABLE", "DELTABLE", 0, _INET, ("NAME", table_name(lab)))])
    except KernelError as exc:
        if exc.errno != errno.ENOENT:
            raise


def _restorable(rule: Rule | Unknown) -> bool:
    return isinstance(rule, Rule) or bool(rule.expressions)


def _new_table(name: str) -> t.Any:
    return _message("TABLE", "NEWTABLE", netlink.NLM_F_CREATE, _INET, ("NAME", name))


def _new_chain(table: str, name: str, chain: Chain) -> t.Any:
    told: list[tuple[str, t.Any]] = [("TABLE", table), ("NAME", name)]
    if chain.hook:
        hook = [("NFTA_HOOK_HOOKNUM", _HOOKS.index(chain.hook)), ("NFTA_HOOK_PRIORITY", chain.priority)]
        told += [
            ("HOOK", {"attrs": hook}),
            ("POLICY", _POLICIES.index(chain.policy)),
            ("TYPE", chain.type),
        ]
    return _message("CHAIN", "NEWCHAIN", netlink.NLM_F_CREATE, _INET, *told)


def _new_rule(table: str, chain: str, rule: Rule | Unknown) -> t.Any:
    flags = netlink.NLM_F_CREATE | _NLM_F_APPEND
    told: list[tuple[str, t.Any]] = [("TABLE", table), ("CHAIN", chain)]
    if isinstance(rule, Rule):
        return _message("RULE", "NEWRULE", flags, _INET, *told, ("EXPRESSIONS", nft_rules.encode(rule)))
    told += [("EXPRESSIONS", rule.expressions), ("USERDATA", rule.userdata or None)]
    return _message("RULE", "NEWRULE", flags, _INET, *told, cls=_raw_rule_class())


# ---- the same by hand


def commands(lab: str, ruleset: Ruleset | None) -> list[str]:
    """Shell commands that make the lab's table from nothing, or, for None, delete it.

    The ruleset holds rules of a lab alone. Unlike :func:`replace`, each command takes effect by itself.
    """
    table = "inet " + table_name(lab)
    if ruleset is None:
        return ["nft delete table " + table]
    made = ["nft add table " + table]
    for name, chain in ruleset.chains.items():
        made.append(_command(f"add chain {table} {name} {{ {chain} }}"))
        made += [_command(f"add rule {table} {name} {rule}") for rule in chain.rules]
    return made


def _command(statement: str) -> str:
    words = statement.split()
    return "nft " + (statement if shlex.join(words) == statement else shlex.quote(statement))
