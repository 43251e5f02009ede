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
import shlex
import struct
import typing as t
from socket import SO_SNDBUF, SOL_SOCKET

from ansible_collections.linuxnet.lab.plugins.module_utils.errors import KernelError
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import netlink, nft_rules
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.actions import Context, Operation
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.attributes import pack, text, to_text, walk
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.netlink import (
    NLM_F_ACK,
    NLM_F_APPEND,
    NLM_F_CREATE,
    Packed,
)
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.nft_rules import Rule, Unknown, nested, number
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.sockets import Sockets, unless_gone

_NETLINK_NETFILTER = 12
_SUBSYSTEM = 10
_BATCH_BEGIN = 0x10
_BATCH_END = 0x11
# NFT_MSG_*
_NEWTABLE, _GETTABLE, _DELTABLE, _NEWCHAIN, _GETCHAIN, _NEWRULE, _GETRULE, _DELRULE = 0, 1, 2, 3, 4, 6, 7, 8
# NFTA_*
_TABLE_NAME, _TABLE_FLAGS, _TABLE_USE = 1, 2, 3
_CHAIN_TABLE, _CHAIN_NAME, _CHAIN_HOOK, _CHAIN_POLICY, _CHAIN_TYPE = 1, 3, 4, 5, 7
_HOOK_NUMBER, _HOOK_PRIORITY = 1, 2
_RULE_TABLE, _RULE_CHAIN, _RULE_EXPRESSIONS, _RULE_USERDATA = 1, 2, 4, 7
_SOL_NETLINK = 270
_NETLINK_NO_ENOBUFS = 5

_UNSPEC = 0
_INET = 1
_FAMILIES = {"inet": _INET, "ip": 2, "arp": 3, "netdev": 5, "bridge": 7, "ip6": 10}
_HOOKS = ("prerouting", "input", "forward", "output", "postrouting")
_POLICIES = ("drop", "accept")
_PRIORITY_NAMES = {("postrouting", 100): "srcnat", ("forward", 0): "filter"}
# Expressions that use a set or an object of the table, beside the rule.
_WITH_COMPANIONS = {"lookup", "dynset", "objref", "flow_offload"}
# Instead of the name of a lab: the table that all labs of a host share.
SHARED = ""


@dataclasses.dataclass(frozen=True)
class Chain:
    """A chain and its rules, in order.

    :ivar type: ``nat`` or ``filter``; "" if only jumps lead to it. Hook and policy are then "", too.
    :ivar hook: ``postrouting``, ``forward`` ...
    :ivar priority: chains of one hook run in this order, lowest first.
    :ivar policy: ``accept`` or ``drop``: the verdict on packets that no rule decides.
    """

    type: str = ""
    hook: str = ""
    priority: int = 0
    policy: str = ""
    rules: tuple[Rule | Unknown, ...] = ()

    def __str__(self) -> str:
        """The text between the braces of `add chain` in nft(8). "" for a chain without a hook."""
        if not self.hook:
            return ""
        priority = _PRIORITY_NAMES.get((self.hook, self.priority), str(self.priority))
        return f"type {self.type} hook {self.hook} priority {priority} ; policy {self.policy} ;"


@dataclasses.dataclass(frozen=True)
class Ruleset:
    """The content of a lab's table. Two are equal if they treat packets in the same way.

    :ivar chains: by name.
    :ivar unknown: one phrase for each other property that no table of a lab has.
    """

    chains: dict[str, Chain]
    unknown: tuple[str, ...] = ()

    def show(self) -> dict[str, list[str]]:
        """The head and the rules of each chain as text for nft(8), and other properties under ``table``."""
        chains = sorted(self.chains.items())
        shown = {name: [str(chain), *map(str, chain.rules)] for name, chain in chains}
        return {"table": list(self.unknown), **shown} if self.unknown else shown


class Socket(netlink.Netlink):
    """A socket for nftables in the calling thread's network namespace at the time of creation."""

    def __init__(self) -> None:
        super().__init__(_NETLINK_NETFILTER)
        # A transaction is one send. The kernel grants less than this, but room for hundreds of rules.
        self._socket.setsockopt(SOL_SOCKET, SO_SNDBUF, 1 << 22)
        # One wrong rule can make the kernel refuse all that follow it, in more messages than the socket can
        # hold. The first says what is wrong, so the loss of the others is no error.
        self._socket.setsockopt(_SOL_NETLINK, _NETLINK_NO_ENOBUFS, 1)

    def transact(self, requests: list[Packed]) -> None:
        """Carry out all requests as one change. KernelError if the kernel refuses them all."""
        frame = struct.pack(">BBH", _UNSPEC, 0, _SUBSYSTEM)
        begin, end = (Packed(kind, 0, frame) for kind in (_BATCH_BEGIN, _BATCH_END))
        # A refusal comes for any request, asked for or not: one acknowledgement is enough to know the end.
        last = requests[-1]._replace(flags=requests[-1].flags | NLM_F_ACK)
        # In one send, however many they are; request() would part them.
        errors = [error for error in self._send([begin, *requests[:-1], last, end], framed=True) if error]
        if errors:
            self._drain()
            raise errors[0]


def table_name(lab: str) -> str:
    """The name of the lab's table, of family inet: ``linuxnet.lab.<lab>``; ``linuxnet.lab`` for the shared one."""
    return "linuxnet.lab." + lab if lab else "linuxnet.lab"


def postrouting(rules: t.Iterable[Rule]) -> Chain:
    """The chain that replaces source addresses of outgoing packets, with rules with ``masquerade``."""
    return Chain("nat", "postrouting", 100, "accept", tuple(rules))


def forward(rules: t.Iterable[Rule]) -> Chain:
    """The chain for all packets that this namespace routes."""
    return Chain("filter", "forward", 0, "accept", tuple(rules))


def restricted_forward(ways: t.Iterable[tuple[str, str]]) -> list[Rule]:
    """The rules of ``forward`` that let a lab's prefixes out and answers in, and nothing unsolicited in.

    The rules trust a prefix only on its own link. With br_netfilter (bridge-nf-call-iptables), packets that a bridge
    passes from port to port have the bridge as both links, so that no rule matches them. No rule matches packets of
    others either.

    :arg ways: pairs of a link and a prefix that it leads to.
    """
    ways = list(dict.fromkeys(ways))
    families = dict.fromkeys(Rule(src=prefix).family for dummy, prefix in ways)
    return [
        *(Rule(family=family, ct_established=True) for family in families),
        *(Rule(iif=link, src=prefix) for link, prefix in ways),
        *(Rule(not_iif=link, oif=link, dst=prefix, verdict="drop") for link, prefix in ways),
    ]


def guarded_forward(families: t.Iterable[int], links: t.Iterable[str], bridges: t.Iterable[str]) -> list[Rule]:
    """The rules of ``forward`` that prevent a host from routing between links that do not belong to a lab.

    They accept packets that a bridge passes from port to port, which br_netfilter shows here. They recognise a later
    bridge by its kind.

    :arg families: the IP versions that the host forwards only for labs. :arg links: the links that lead to labs.
    :arg bridges: the bridges among the other links.
    """
    links, families = list(links), list(families)
    return [
        *(Rule(iif=link) for link in links),
        *(Rule(oif=link) for link in links),
        *(Rule(family=family, iif=one, not_oif=one, verdict="drop") for one in bridges for family in families),
        Rule(bridged=True),
        *(Rule(family=family, verdict="drop") for family in families),
    ]


# ---- read


@netlink.readable
def read(socket: Socket, lab: str) -> Ruleset | None:
    """The content of the lab's table in the kernel. None if it does not exist."""
    name = table_name(lab)
    table = _table(socket, name)
    if table is None:
        return None
    flags = int.from_bytes(table.get(_TABLE_FLAGS, b""), "big")
    unknown = [f"flags {flags:#x}"] if flags else []  # such as dormant: its chains see no packets
    rules: dict[str, list[Rule | Unknown]] = {}
    for found in _dump(socket, _GETRULE, text(_RULE_TABLE, name)):
        rules.setdefault(to_text(found[_RULE_CHAIN]), []).append(_rule(found))
    chains = {}
    # Unlike with rules, the kernel gives the chains of all tables.
    found_chains = [found for found in _dump(socket, _GETCHAIN) if to_text(found[_CHAIN_TABLE]) == name]
    for found in found_chains:
        chain_name, chain = to_text(found[_CHAIN_NAME]), _chain(found)
        if chain is None:
            unknown.append(f"chain {chain_name}")
        else:
            chains[chain_name] = dataclasses.replace(chain, rules=tuple(rules.get(chain_name, ())))
    if int.from_bytes(table.get(_TABLE_USE, b""), "big") != len(found_chains):
        unknown.append("sets or objects")
    return Ruleset(chains, tuple(unknown))


def of_namespace(sockets: Sockets, ref: str, lab: str) -> Ruleset | None:
    """The ruleset of a lab in a namespace. None if it has none."""
    return unless_gone(lambda: read(sockets.get(ref, Socket), lab), None)


def others(sockets: Sockets, ref: str, lab: str) -> list[tuple[str, str]]:
    """Family and name of each table in a namespace that does not belong to the lab."""
    try:
        socket = sockets.get(ref, Socket)
        bodies = socket.dump(_message(_GETTABLE, netlink.NLM_F_DUMP, family=_UNSPEC))
    except OSError as exc:
        if exc.errno in (errno.EPROTONOSUPPORT, errno.EOPNOTSUPP, errno.EINVAL):
            return []  # a kernel without nftables
        raise
    names = {number: family for family, number in _FAMILIES.items()}
    with netlink.readable:
        found = [(names.get(body[0], str(body[0])), to_text(walk(body, 4)[_TABLE_NAME])) for body in bodies]
    return [(family, name) for family, name in found if (family, name) != ("inet", table_name(lab))]


def _table(socket: Socket, name: str) -> dict[int, bytes] | None:
    """The attributes of a table. None if it does not exist."""
    try:
        answer = socket.get(_message(_GETTABLE, 0, text(_TABLE_NAME, name)))
    except KernelError as exc:
        if exc.errno == errno.ENOENT:
            return None
        raise
    return walk(answer, 4)


def _dump(socket: Socket, request: int, *attributes: bytes) -> list[dict[int, bytes]]:
    return [walk(body, 4) for body in socket.dump(_message(request, netlink.NLM_F_DUMP, *attributes))]


def _chain(found: dict[int, bytes]) -> Chain | None:
    """The chain without its rules. None if it is bound to devices, which no chain of a lab is."""
    if _CHAIN_HOOK not in found:
        return Chain()
    hook = walk(found[_CHAIN_HOOK])
    hook_number, priority = (int.from_bytes(hook[key], "big", signed=True) for key in (_HOOK_NUMBER, _HOOK_PRIORITY))
    if hook_number >= len(_HOOKS):
        return None
    policy = _POLICIES[int.from_bytes(found[_CHAIN_POLICY], "big")]
    return Chain(to_text(found[_CHAIN_TYPE]), _HOOKS[hook_number], priority, policy)


def _rule(found: dict[int, bytes]) -> Rule | Unknown:
    expressions = found.get(_RULE_EXPRESSIONS, b"")
    rule = nft_rules.decode(expressions)
    if rule is not None:
        return rule
    names = nft_rules.names(expressions)
    if not _WITH_COMPANIONS.isdisjoint(names):
        return Unknown(", ".join(names))
    return Unknown(", ".join(names), expressions, found.get(_RULE_USERDATA, b""))


# ---- change


def _message(request: int, flags: int, *attributes: bytes, family: int = _INET) -> Packed:
    """A request of the nftables subsystem about tables, chains or rules."""
    return Packed(_SUBSYSTEM << 8 | request, flags, bytes((family, 0, 0, 0)) + b"".join(attributes))


def replace(socket: Socket, lab: str, ruleset: Ruleset) -> None:
    """Replace the content of the lab's table in one step.

    If the chains are the same, replace only their rules. This also restores a result of :func:`read`, including rules
    of others, but not *ruleset.unknown*, nor rules that use sets or objects.

    :raises KernelError: the kernel refused the change, and the table stays as it was.
    :raises OSError: more rules than fit into one message, likewise.
    """
    name = table_name(lab)
    there = read(socket, lab)
    if there and _same_chains(there, ruleset):
        # The table stays in its place among the others.
        requests = [_no_rules(name, chain_name) for chain_name in ruleset.chains]
    else:
        requests = [] if there is None else [_delete_table(name)]
        requests.append(_new_table(name))
        requests += [_new_chain(name, chain_name, chain) for chain_name, chain in ruleset.chains.items()]
    for chain_name, chain in ruleset.chains.items():
        requests += [_new_rule(name, chain_name, rule) for rule in chain.rules if _restorable(rule)]
    socket.transact(requests)


def delete(socket: Socket, lab: str) -> None:
    """Delete the lab's table. No error if it does not exist."""
    try:
        socket.transact([_delete_table(table_name(lab))])
    except KernelError as exc:
        if exc.errno != errno.ENOENT:
            raise


def _same_chains(there: Ruleset, wanted: Ruleset) -> bool:
    """Whether it is enough to replace the rules."""
    heads = [
        {name: dataclasses.replace(chain, rules=()) for name, chain in ruleset.chains.items()}
        for ruleset in (there, wanted)
    ]
    return not there.unknown and heads[0] == heads[1]


def _no_rules(table: str, chain: str) -> Packed:
    return _message(_DELRULE, 0, text(_RULE_TABLE, table), text(_RULE_CHAIN, chain))


def _restorable(rule: Rule | Unknown) -> bool:
    return isinstance(rule, Rule) or bool(rule.expressions)


def _new_table(name: str) -> Packed:
    return _message(_NEWTABLE, NLM_F_CREATE, text(_TABLE_NAME, name))


def _delete_table(name: str) -> Packed:
    return _message(_DELTABLE, 0, text(_TABLE_NAME, name))


def _new_chain(table: str, name: str, chain: Chain) -> Packed:
    told = [text(_CHAIN_TABLE, table), text(_CHAIN_NAME, name)]
    if chain.hook:
        hook = (number(_HOOK_NUMBER, _HOOKS.index(chain.hook)), number(_HOOK_PRIORITY, chain.priority))
        told += [
            nested(_CHAIN_HOOK, *hook),
            number(_CHAIN_POLICY, _POLICIES.index(chain.policy)),
            text(_CHAIN_TYPE, chain.type),
        ]
    return _message(_NEWCHAIN, NLM_F_CREATE, *told)


def _new_rule(table: str, chain: str, rule: Rule | Unknown) -> Packed:
    told = [text(_RULE_TABLE, table), text(_RULE_CHAIN, chain)]
    if isinstance(rule, Rule):
        told.append(nested(_RULE_EXPRESSIONS, nft_rules.encode(rule)))
    else:
        told.append(nested(_RULE_EXPRESSIONS, rule.expressions))
        told += [pack(_RULE_USERDATA, rule.userdata)] if rule.userdata else []
    return _message(_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, *told)


# ---- as operations


@dataclasses.dataclass(eq=False)
class ReplaceTable(Operation):
    """Change the content of a lab's table."""

    lab: str
    ruleset: Ruleset

    makes = True

    def carry_out(self, context: Context) -> None:
        """See the base class."""
        replace(context.sockets.get(self.netns, Socket), self.lab, self.ruleset)


@dataclasses.dataclass(eq=False)
class DeleteTable(Operation):
    """Delete a lab's table."""

    lab: str

    def carry_out(self, context: Context) -> None:
        """See the base class."""
        delete(context.sockets.get(self.netns, Socket), self.lab)


@dataclasses.dataclass(eq=False)
class DeleteOthersTable(Operation):
    """Delete a table that does not belong to the lab."""

    family: str
    name: str

    def carry_out(self, context: Context) -> None:
        """See the base class."""
        message = _message(_DELTABLE, 0, text(_TABLE_NAME, self.name), family=_FAMILIES[self.family])
        context.sockets.get(self.netns, Socket).transact([message])


# ---- the same by hand


def commands(lab: str, there: Ruleset | None, wanted: Ruleset | None) -> list[str]:
    """Shell commands that change the lab's table from *there* to *wanted*. None stands for no table.

    Unlike :func:`replace`, each command takes effect separately, and commands cannot restore rules of others.
    """
    table = "inet " + table_name(lab)
    if wanted is None:
        return ["nft delete table " + table] if there else []
    same = there is not None and _same_chains(there, wanted)
    made = ["nft delete table " + table] if there and not same else []
    made += [] if same else ["nft add table " + table]
    for name, chain in wanted.chains.items():
        made.append(_command(f"flush chain {table} {name}" if same else f"add chain {table} {name} {{ {chain} }}"))
        made += [_command(f"add rule {table} {name} {rule}") for rule in chain.rules]
    return made


def _command(statement: str) -> str:
    words = statement.split()
    return "nft " + (statement if shlex.join(words) == statement else shlex.quote(statement))
