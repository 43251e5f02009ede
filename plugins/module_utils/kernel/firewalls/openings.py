# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A lab's rules in the chains that other programs' firewalls have for exceptions.

Docker has the chain `DOCKER-USER`, ufw has `ufw-user-forward`. Neither program changes these chains while it runs. Both
may use iptables-nft or iptables-legacy. A rule of a lab names the lab in its comment.
"""

from __future__ import annotations

import dataclasses
import errno
import shlex
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils.errors import KernelError
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import attributes, netlink
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.actions import Context, Operation
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.firewalls import (
    iptables_legacy,
    judge,
    nft,
    xtables,
)
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.nftables import Socket
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.sockets import Sockets, unless_gone

MARK = "linuxnet.lab:"
_TABLE = "filter"
# The chains by IP version, in the order in which the code tries them.
_CHAINS = {4: ("DOCKER-USER", "ufw-user-forward"), 6: ("DOCKER-USER", "ufw6-user-forward")}
_NFT_FAMILIES = {4: 2, 6: 10}

_NEWRULE, _DELRULE = 6, 8  # NFT_MSG_*
_NESTED = 1 << 15
_IIFNAME, _OIFNAME = 6, 7  # NFT_META_*
_REG_VERDICT, _REG_1 = 0, 1
_ACCEPT = 1


class Place(t.NamedTuple):
    """A chain that a firewall reserves for the rules of others.

    :ivar command: the variant of iptables that changes the chain, such as ``iptables-nft`` or ``ip6tables-legacy``.
    :ivar version: the IP version of the packets that pass the chain, 4 or 6.
    """

    command: str
    version: int
    chain: str

    @property
    def is_legacy(self) -> bool:
        """Whether the chain belongs to iptables-legacy, not to nftables."""
        return self.command.endswith("-legacy")


class Opening(t.NamedTuple):
    """A rule of a lab that accepts packets from one link to another.

    :ivar established: whether it accepts only answers.
    """

    iif: str
    oif: str
    established: bool = False

    def rule(self, lab: str) -> judge.Rule:
        """The rule in the form that :mod:`.judge` evaluates."""
        conditions = [
            lambda flow: judge.within(flow.values(judge.IIFNAME), (_name(self.iif), _name(self.iif))),
            lambda flow: judge.within(flow.values(judge.OIFNAME), (_name(self.oif), _name(self.oif))),
        ]
        if self.established:
            conditions.append(xtables.condition(xtables.established()))
        return judge.Rule(tuple(conditions), judge.ACCEPT, comment=MARK + lab)

    def words(self, lab: str) -> str:
        """The rule as arguments of iptables(8)."""
        words = ["-i", self.iif, "-o", self.oif]
        words += ["-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED"] if self.established else []
        return shlex.join([*words, "-m", "comment", "--comment", MARK + lab, "-j", "ACCEPT"])

    def extensions(self, lab: str) -> list[xtables.Extension]:
        """The matches of the rule. A comment has at most the length that iptables allows."""
        return [*([xtables.established()] if self.established else []), xtables.comment(MARK + lab)]


def _name(name: str) -> bytes:
    return name.encode().ljust(16, b"\0")


@dataclasses.dataclass
class Firewalls:
    """The firewalls of a namespace, as far as forwarded packets pass them, without the rules of labs.

    :ivar tables: the tables of nftables and of iptables-legacy. :ivar places: the chains for the rules of others.
    :ivar openings: the rules of labs in these chains, by place and lab.
    """

    tables: list[judge.Table]
    places: dict[Place, judge.Chain]
    openings: dict[tuple[Place, str], list[Opening]]

    def obstacles(self, flows: t.Iterable[judge.Flow]) -> list[tuple[judge.Obstacle, judge.Flow]]:
        """The chains that drop packets of the flows, or may do so.

        Each comes with one such flow, and a second time with a bridged flow if it drops bridged packets as well.
        """
        found: dict[tuple[str, str, bool], tuple[judge.Obstacle, judge.Flow]] = {}
        for flow in flows:
            for table in self.tables:
                for obstacle in table.obstacles(flow):
                    key = (table.title, obstacle.chain.name, flow.bridged)
                    if key not in found or obstacle.certain > found[key][0].certain:
                        found[key] = obstacle, flow
        return list(found.values())


def read(socket: Socket) -> Firewalls:
    """The firewalls in the namespace of the socket. The calling thread must be in that namespace."""
    found = Firewalls([], {}, {})
    nft_tables = nft.tables(socket)
    found.tables += nft_tables.values()
    for (family, name), table in nft_tables.items():
        version = {number: version for version, number in _NFT_FAMILIES.items()}.get(family)
        if version and name == _TABLE:
            _add(found, "iptables-nft" if version == 4 else "ip6tables-nft", version, table, _raw_nft(socket, family))
    legacy = iptables_legacy.tables()
    found.tables += legacy.values()
    for (version, name), table in legacy.items():
        if name == _TABLE:
            variant = iptables_legacy.VARIANTS[version]
            _add(found, variant.command, version, table, _raw_legacy(variant))
    return found


# A function that returns the rules of labs in a chain, as (comment, opening).
_Raw = t.Callable[[str], list[tuple[str, Opening]]]


def of_namespace(sockets: Sockets, ref: str) -> Firewalls:
    """The firewalls in a namespace, other than the collection's own tables."""

    def look() -> Firewalls:
        with sockets.finder.inside(ref):
            return read(sockets.get(ref, Socket))

    return unless_gone(look, Firewalls([], {}, {}))


def _add(found: Firewalls, command: str, version: int, table: judge.Table, raw: _Raw) -> None:
    for name in _CHAINS[version]:
        chain = table.chains.get(name)
        if chain is None:
            continue
        place = Place(command, version, name)
        found.places[place] = chain
        if any(rule.comment.startswith(MARK) for rule in chain.rules):
            for comment, opening in raw(name):
                found.openings.setdefault((place, comment[len(MARK) :]), []).append(opening)
            chain.rules = [rule for rule in chain.rules if not rule.comment.startswith(MARK)]


# ---- nftables


def _raw_nft(socket: Socket, family: int) -> _Raw:
    def raw(chain: str) -> list[tuple[str, Opening]]:
        return [
            (comment, _decoded(rule.expressions))
            for dummy, rule in nft.raw_rules(socket, family, _TABLE, chain)
            for comment in [_comment(rule)]
            if comment.startswith(MARK)
        ]

    return raw


def _extensions(rule: nft.RawRule) -> list[xtables.Extension]:
    return [nft.extension(expression) for expression in rule.expressions if expression.name == "match"]


def _comment(rule: nft.RawRule) -> str:
    return next((text for text in map(xtables.comment_of, _extensions(rule)) if text), "")


def _decoded(expressions: list[nft.Expression]) -> Opening:
    """The opening of a rule with a lab's comment. Its names are empty if somebody has changed the rule."""
    names = {_IIFNAME: "", _OIFNAME: ""}
    key, established, other = 0, False, False
    for expression in expressions:
        if expression.name == "meta":
            key = expression.number(2)
        elif expression.name == "cmp" and key in names and expression.number(2) == 0:
            value = expression.value(3)
            names[key] = value.split(b"\0")[0].decode(errors="replace") if value.endswith(b"\0") else ""
        elif expression.name == "match" and nft.extension(expression)[0] != "comment":
            established = nft.extension(expression) == xtables.established()
            other = other or not established
        elif expression.name not in ("counter", "match", "immediate"):
            other = True
    return Opening("", "") if other else Opening(names[_IIFNAME], names[_OIFNAME], established)


def _expression(name: str, *parts: bytes) -> bytes:
    data = attributes.pack(nft.EXPRESSION_DATA | _NESTED, b"".join(parts))
    return attributes.pack(1 | _NESTED, attributes.text(nft.EXPRESSION_NAME, name) + data)


def _be(kind: int, value: int) -> bytes:
    return attributes.pack(kind, value.to_bytes(4, "big"))


def _encoded(opening: Opening, lab: str) -> bytes:
    """The expressions of the rule, as iptables-nft(8) writes them."""
    packed = b""
    for key, name in ((_IIFNAME, opening.iif), (_OIFNAME, opening.oif)):
        value = attributes.pack(3 | _NESTED, attributes.pack(1, name.encode() + b"\0"))
        packed += _expression("meta", _be(2, key), _be(1, _REG_1))
        packed += _expression("cmp", _be(1, _REG_1), _be(2, 0), value)
    for name, revision, data in opening.extensions(lab):
        padded = data.ljust(-(-len(data) // 8) * 8, b"\0")
        packed += _expression("match", attributes.text(1, name), _be(2, revision), attributes.pack(3, padded))
    packed += _expression("counter")
    verdict = attributes.pack(2 | _NESTED, attributes.pack(2 | _NESTED, _be(1, _ACCEPT)))
    return packed + _expression("immediate", _be(1, _REG_VERDICT), verdict)


def _set_nft(socket: Socket, place: Place, lab: str, wanted: list[Opening]) -> None:
    family = _NFT_FAMILIES[place.version]
    start = bytes((family, 0, 0, 0)) + attributes.text(nft.RULE_TABLE, _TABLE)
    start += attributes.text(nft.RULE_CHAIN, place.chain)
    requests = [
        netlink.Packed(
            nft.SUBSYSTEM | _DELRULE, 0, start + attributes.pack(nft.RULE_HANDLE, rule.handle.to_bytes(8, "big"))
        )
        for dummy, rule in nft.raw_rules(socket, family, _TABLE, place.chain)
        if _comment(rule) == MARK + lab
    ]
    # The kernel inserts each at the beginning of the chain, before those that it inserted earlier.
    requests += [
        netlink.Packed(
            nft.SUBSYSTEM | _NEWRULE,
            netlink.NLM_F_CREATE,
            start + attributes.pack(nft.RULE_EXPRESSIONS | _NESTED, _encoded(opening, lab)),
        )
        for opening in reversed(wanted)
    ]
    if requests:
        socket.transact(requests)


# ---- iptables-legacy


def _raw_legacy(variant: iptables_legacy.Variant) -> _Raw:
    def raw(chain: str) -> list[tuple[str, Opening]]:
        table = iptables_legacy.read(variant, _TABLE)
        return [
            (comment, _decoded_legacy(variant, entry))
            for found in table.chains
            if found.name == chain
            for entry in found.rules
            for comment in [_comment_legacy(variant, entry)]
            if comment.startswith(MARK)
        ]

    return raw


def _comment_legacy(variant: iptables_legacy.Variant, entry: iptables_legacy.Entry) -> str:
    matches = iptables_legacy.matches(variant, entry)
    return next((text for text in map(xtables.comment_of, matches) if text), "")


def _decoded_legacy(variant: iptables_legacy.Variant, entry: iptables_legacy.Entry) -> Opening:
    iif, oif = iptables_legacy.link_names(variant, entry)
    matches = iptables_legacy.matches(variant, entry)
    return Opening(iif, oif, any(match[0] == "conntrack" for match in matches))


def _set_legacy(place: Place, lab: str, wanted: list[Opening]) -> None:
    variant = iptables_legacy.VARIANTS[place.version]

    def change(table: iptables_legacy.Table) -> None:
        chain = next((one for one in table.chains if one.name == place.chain), None)
        if chain is None:
            raise OSError(errno.ENOENT, "there is no chain {0}".format(place.chain), variant.command)
        kept = [entry for entry in chain.rules if _comment_legacy(variant, entry) != MARK + lab]
        made = [iptables_legacy.entry(variant, one.iif, one.oif, one.extensions(lab)) for one in wanted]
        chain.rules = made + kept

    iptables_legacy.edit(variant, _TABLE, change)


# ---- change


def replace(socket: Socket, place: Place, lab: str, wanted: list[Opening]) -> None:
    """Replace all rules of a lab in a place by the wanted ones, in one step. They come first in the chain.

    The calling thread must be in the socket's namespace. KernelError or OSError if the kernel refuses. No error if
    nothing is wanted in a chain that no longer exists.
    """
    try:
        if place.is_legacy:
            _set_legacy(place, lab, wanted)
        else:
            _set_nft(socket, place, lab, wanted)
    except (KernelError, OSError) as exc:
        if wanted or exc.errno != errno.ENOENT:
            raise


@dataclasses.dataclass(eq=False)
class ReplaceOpenings(Operation):
    """Replace the rules of a lab in a place."""

    place: Place
    lab: str
    wanted: list[Opening]

    def carry_out(self, context: Context) -> None:
        """See the base class."""
        with context.sockets.finder.inside(self.netns):
            replace(context.sockets.get(self.netns, Socket), self.place, self.lab, self.wanted)


def commands(place: Place, lab: str, before: list[Opening], wanted: list[Opening]) -> list[str]:
    """The shell commands that replace the rules of a lab in a place."""
    deleted = ["{0} -D {1} {2}".format(place.command, place.chain, one.words(lab)) for one in before]
    return deleted + ["{0} -I {1} {2}".format(place.command, place.chain, one.words(lab)) for one in reversed(wanted)]
