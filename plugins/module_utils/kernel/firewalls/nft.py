# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the nftables tables of other programs.

The code does without pyroute2, because every run on a host with a firewall needs it, and pyroute2's nftables classes
take longer to load than a small lab to build. Source: linux/netfilter/nf_tables.h, net/netfilter/nft_*.c.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils.errors import KernelError
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import attributes, netlink
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.firewalls import judge, xtables
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.firewalls.judge import Answer, Condition, Flow

FAMILIES = {1: ("inet", (4, 6)), 2: ("ip", (4,)), 10: ("ip6", (6,))}
HOOKS = {0: "prerouting", 2: "forward", 4: "postrouting"}  # those that forwarded packets pass
OWN_TABLES = "linuxnet.lab"
_OF_IPTABLES = {"ip": "iptables-nft", "ip6": "ip6tables-nft"}

SUBSYSTEM = 10 << 8
GETTABLE, GETCHAIN, GETRULE, GETSETELEM = 1, 4, 7, 13  # NFT_MSG_*
_TABLE_NAME, _TABLE_FLAGS, _DORMANT = 1, 2, 1  # NFTA_*
_CHAIN_TABLE, _CHAIN_NAME, _CHAIN_HOOK, _CHAIN_POLICY, _HOOK_NUMBER = 1, 3, 4, 5, 1
RULE_TABLE, RULE_CHAIN, RULE_HANDLE, RULE_EXPRESSIONS, RULE_USERDATA = 1, 2, 3, 4, 7
_SET_TABLE, _SET_NAME, _SET_ELEMENTS = 1, 2, 3
_KEY, _DATA, _FLAGS, _KEY_END = 1, 2, 3, 10
_INTERVAL_END, _CATCH_ALL = 1, 2
_VALUE, _VERDICT, _VERDICT_CODE, _VERDICT_CHAIN = 1, 2, 1, 2
EXPRESSION_NAME, EXPRESSION_DATA = 1, 2

_VERDICTS = {0: judge.DROP, 1: judge.ACCEPT, 3: judge.UNKNOWN_VERDICT, -1: "", -5: judge.RETURN}
_JUMP, _GOTO = -3, -4

_META = {4: judge.IIF, 5: judge.OIF, 6: judge.IIFNAME, 7: judge.OIFNAME, 15: judge.NFPROTO}
_NETWORK_HEADER = 1
# The addresses, with their length, by IP version and offset in the IP header.
_ADDRESSES = {
    (4, 12): (judge.SOURCE, 4),
    (4, 16): (judge.DESTINATION, 4),
    (6, 8): (judge.SOURCE, 16),
    (6, 24): (judge.DESTINATION, 16),
}
_CT_STATE = 0
_CMP_EQ, _CMP_NEQ, _CMP_LT, _CMP_LTE, _CMP_GT, _CMP_GTE = range(6)
# These expressions load a property that a flow does not fix into a register.
_LOADING = frozenset("byteorder exthdr fib hash numgen osf rt socket tunnel xfrm".split())
# Of those, these have the register in their second attribute.
_LOADING_ELSEWHERE = frozenset("byteorder hash socket tunnel".split())
# These do not affect whether a packet passes.
_PASSING = frozenset("counter log notrack dup fwd last ct_helper tproxy flow_offload objref".split())
# These match only some packets of a flow.
_NARROWING = frozenset("connlimit dynset limit quota".split())
# These change packets, and accept them.
_REWRITING = frozenset("masq nat redir synproxy".split())


class Expression(t.NamedTuple):
    """One expression of a rule: its name, and its attributes as bytes."""

    name: str
    data: dict[int, bytes]

    def number(self, kind: int) -> int:
        """An attribute that is a number. 0 if it is missing."""
        return int.from_bytes(self.data.get(kind, b""), "big")

    def value(self, kind: int) -> bytes:
        """An attribute that is a value for a register."""
        return attributes.walk(self.data.get(kind, b"")).get(_VALUE, b"")


class RawRule(t.NamedTuple):
    """A rule as the kernel reports it: its handle, its expressions, and the data that user space stores with it."""

    handle: int
    expressions: list[Expression]
    userdata: bytes


class _Loaded(t.NamedTuple):
    """The content of a register: a property, or its first bytes, under a mask."""

    name: str  # empty for a property that a flow does not fix
    length: int = 0
    mask: bytes = b""


def tables(socket: netlink.Netlink) -> dict[tuple[int, str], judge.Table]:
    """The tables that forwarded packets pass, by family and name, without the collection's own."""
    found: dict[tuple[int, str], judge.Table] = {}
    hooked: set[tuple[int, str]] = set()
    for body in _dump(socket, GETCHAIN, 0):
        read = attributes.walk(body, 4)
        key = (body[0], attributes.to_text(read[_CHAIN_TABLE]))
        if key[0] not in FAMILIES or key[1] == OWN_TABLES or key[1].startswith(OWN_TABLES + "."):
            continue
        family, versions = FAMILIES[key[0]]
        title = "table {0} {1}".format(family, key[1])
        table = found.setdefault(key, judge.Table(title, versions, _insert(family, key[1])))
        chain = judge.Chain(attributes.to_text(read[_CHAIN_NAME]))
        hook = attributes.walk(read.get(_CHAIN_HOOK, b"")).get(_HOOK_NUMBER)
        if hook:
            chain.hook = HOOKS.get(int.from_bytes(hook, "big"), "")
            chain.policy = _VERDICTS[int.from_bytes(read.get(_CHAIN_POLICY, b"\1"), "big")]
        if chain.hook:
            hooked.add(key)
        table.chains[chain.name] = chain
    if not hooked:
        return {}
    dormant = _dormant(socket)
    for number, name in hooked - dormant:
        _Reader(socket, number, name).fill(found[number, name])
    return {key: table for key, table in found.items() if key in hooked - dormant}


def _insert(family: str, table: str) -> str:
    """The first words of a command that inserts a rule at the beginning of a chain."""
    if family in _OF_IPTABLES and table in ("filter", "mangle", "raw"):
        return _OF_IPTABLES[family] + ("" if table == "filter" else " -t " + table) + " -I"
    return "nft insert rule {0} {1}".format(family, table)


def _dormant(socket: netlink.Netlink) -> set[tuple[int, str]]:
    """The tables with the flag `dormant`, whose chains see no packets."""
    found = set()
    for body in _dump(socket, GETTABLE, 0):
        read = attributes.walk(body, 4)
        if int.from_bytes(read.get(_TABLE_FLAGS, b""), "big") & _DORMANT:
            found.add((body[0], attributes.to_text(read[_TABLE_NAME])))
    return found


def _dump(socket: netlink.Netlink, request: int, family: int, selection: bytes = b"") -> list[bytes]:
    return socket.dump(netlink.Packed(SUBSYSTEM | request, netlink.NLM_F_DUMP, bytes((family, 0, 0, 0)) + selection))


def raw_rules(socket: netlink.Netlink, family: int, table: str, chain: str = "") -> list[tuple[str, RawRule]]:
    """The rules of a table, or of one of its chains, in order, each with the name of its chain."""
    selection = attributes.text(RULE_TABLE, table) + (attributes.text(RULE_CHAIN, chain) if chain else b"")
    found = []
    for body in _dump(socket, GETRULE, family, selection):
        read = attributes.walk(body, 4)
        expressions = []
        for dummy, element in attributes.items(read.get(RULE_EXPRESSIONS, b"")):
            inner = attributes.walk(element)
            data = attributes.walk(inner.get(EXPRESSION_DATA, b""))
            expressions.append(Expression(attributes.to_text(inner[EXPRESSION_NAME]), data))
        handle = int.from_bytes(read.get(RULE_HANDLE, b""), "big")
        found.append((attributes.to_text(read[RULE_CHAIN]), RawRule(handle, expressions, read.get(RULE_USERDATA, b""))))
    return found


def extension(expression: Expression) -> xtables.Extension:
    """An expression `match` or `target` as the match or target of iptables that it contains."""
    name, revision, data = (expression.data.get(kind, b"") for kind in (1, 2, 3))
    return attributes.to_text(name), int.from_bytes(revision, "big"), data


@dataclasses.dataclass
class _Reader:
    """Reads the rules of one table."""

    socket: netlink.Netlink
    family: int
    table: str

    def fill(self, table: judge.Table) -> None:
        for chain, raw in raw_rules(self.socket, self.family, self.table):
            if chain in table.chains:  # somebody may have added a chain meanwhile
                table.chains[chain].rules += self.rules(raw.expressions)

    def rules(self, expressions: list[Expression]) -> list[judge.Rule]:
        """A rule of the kernel as rules for the judge. One with a verdict map becomes a rule for each element."""
        registers: dict[int, _Loaded] = {}
        conditions: list[Condition] = []
        comment = ""
        for expression in expressions:
            name = expression.name
            if name in ("meta", "payload", "ct") or name in _LOADING:
                self._load(expression, registers)
            elif name == "bitwise":
                self._mask(expression, registers)
            elif name == "cmp":
                conditions.append(_compared(registers.get(_place(expression.number(1))), expression))
            elif name == "range":
                conditions.append(_ranged(registers.get(_place(expression.number(1))), expression))
            elif name == "lookup":
                if expression.data.get(3) is not None and expression.number(3) == 0:
                    return self._mapped(tuple(conditions), expression, registers)
                if expression.data.get(3) is not None:
                    registers[_place(expression.number(3))] = _Loaded("")
                else:
                    conditions.append(self._member(expression, registers))
            elif name == "match":
                comment = comment or xtables.comment_of(extension(expression))
                conditions.append(xtables.condition(extension(expression)))
            elif name == "immediate":
                verdict = attributes.walk(expression.data.get(2, b"")).get(_VERDICT)
                if verdict is not None:
                    return [self._ending(tuple(conditions), verdict, comment)]
            elif name in ("reject", "queue", "target") or name in _REWRITING:
                verdict_word = _decided(expression)
                if verdict_word:
                    return [judge.Rule(tuple(conditions), verdict_word, comment=comment)]
            elif name in _NARROWING:
                conditions.append(lambda flow: Answer.SOME)
            elif name not in _PASSING:
                conditions.append(lambda flow: Answer.UNKNOWN)
        return [judge.Rule(tuple(conditions), comment=comment)]

    @staticmethod
    def _ending(conditions: tuple[Condition, ...], verdict: bytes, comment: str = "") -> judge.Rule:
        read = attributes.walk(verdict)
        code = int.from_bytes(read[_VERDICT_CODE], "big", signed=True)
        if code in (_JUMP, _GOTO):
            target = attributes.to_text(read[_VERDICT_CHAIN])
            return judge.Rule(conditions, target=target, comes_back=code == _JUMP, comment=comment)
        return judge.Rule(conditions, _VERDICTS.get(code, judge.UNKNOWN_VERDICT), comment=comment)

    @staticmethod
    def _load(expression: Expression, registers: dict[int, _Loaded]) -> None:
        loaded, register = _Loaded(""), 2 if expression.name in _LOADING_ELSEWHERE else 1
        if expression.name == "meta":
            loaded = _Loaded(_META.get(expression.number(2), ""))
        elif expression.name == "ct":
            loaded = _Loaded(judge.CT_STATE if expression.number(2) == _CT_STATE else "", 4)
        elif expression.name == "payload":
            offset, length = expression.number(3), expression.number(4)
            if expression.number(2) == _NETWORK_HEADER:
                loaded = _Loaded("address at {0}".format(offset), length)
        registers[_place(expression.number(register))] = loaded

    @staticmethod
    def _mask(expression: Expression, registers: dict[int, _Loaded]) -> None:
        loaded = registers.get(_place(expression.number(1)), _Loaded(""))
        mask = expression.value(4)
        if loaded.mask or not mask or any(expression.value(5)):
            loaded = _Loaded("")
        registers[_place(expression.number(2))] = loaded._replace(mask=mask)

    # -- sets ---------------------------------------------------------------------------------------------------------

    def _elements(self, name: str) -> list[tuple[list[judge.Interval], bytes | None]]:
        """The elements of a set as (interval, verdict). The catch-all element comes last, without an interval."""
        selection = attributes.text(_SET_TABLE, self.table) + attributes.text(_SET_NAME, name)
        keys: list[tuple[bytes, bytes, bool, bytes | None]] = []
        catch_all: list[tuple[list[judge.Interval], bytes | None]] = []
        for body in _dump(self.socket, GETSETELEM, self.family, selection):
            for dummy, element in attributes.items(attributes.walk(body, 4).get(_SET_ELEMENTS, b"")):
                read = attributes.walk(element)
                flags = int.from_bytes(read.get(_FLAGS, b""), "big")
                verdict = attributes.walk(read.get(_DATA, b"")).get(_VERDICT)
                if flags & _CATCH_ALL:
                    catch_all.append(([], verdict))
                    continue
                key = attributes.walk(read[_KEY])[_VALUE]
                last = attributes.walk(read.get(_KEY_END, b"")).get(_VALUE, b"")
                keys.append((key, last, bool(flags & _INTERVAL_END), verdict))
        if not any(ends for _key, _last, ends, _verdict in keys):
            return [([(key, last or key)], verdict) for key, last, _ends, verdict in keys] + catch_all
        # If one interval ends where the next one begins, the end comes first.
        keys.sort(key=lambda element: (element[0], not element[2]))
        intervals = []
        for number, (key, _last, ends, verdict) in enumerate(keys):
            if not ends:
                following = keys[number + 1][0] if number + 1 < len(keys) else b""
                intervals.append(([(key, _before(following) if following else b"\xff" * len(key))], verdict))
        return intervals + catch_all

    def _in_element(self, fields: list[_Field], interval: list[judge.Interval]) -> Condition:
        if not interval:
            return lambda flow: Answer.ALL
        low, high = interval[0]
        return lambda flow: all_fields(flow, fields, low, high)

    def _member(self, expression: Expression, registers: dict[int, _Loaded]) -> Condition:
        """The condition that the content of a register is in a set."""
        try:
            elements = self._elements(attributes.to_text(expression.data[1]))
        except KernelError:
            return lambda flow: Answer.UNKNOWN
        inverted = bool(expression.number(5) & 1)
        size = len(elements[0][0][0][0]) if elements and elements[0][0] else 0
        fields = _fields(registers, _place(expression.number(2)), size)
        parts = [self._in_element(fields, interval) for interval, dummy in elements]

        def member(flow: Flow) -> Answer:
            answers = {part(flow) for part in parts}
            strongest = (Answer.ALL, Answer.UNKNOWN, Answer.SOME)
            result = next((answer for answer in strongest if answer in answers), Answer.NONE)
            return result.inverted() if inverted else result

        return member

    def _mapped(
        self, conditions: tuple[Condition, ...], expression: Expression, registers: dict[int, _Loaded]
    ) -> list[judge.Rule]:
        """A rule for each element of a verdict map."""
        try:
            elements = self._elements(attributes.to_text(expression.data[1]))
        except KernelError:
            return [judge.Rule((*conditions, lambda flow: Answer.UNKNOWN), judge.UNKNOWN_VERDICT)]
        size = next((len(interval[0][0]) for interval, dummy in elements if interval), 0)
        fields = _fields(registers, _place(expression.number(2)), size)
        return [
            self._ending((*conditions, self._in_element(fields, interval)), verdict)
            for interval, verdict in elements
            if verdict is not None
        ]


class _Field(t.NamedTuple):
    """A part of a concatenated key: its offset, its length, and the property of a packet that it contains."""

    start: int
    length: int
    loaded: _Loaded


def _place(register: int) -> int:
    """The offset of a register. There are four of 16 bytes, which also have numbers as sixteen of 4 bytes."""
    return (register - 8) * 4 if register >= 8 else (register - 1) * 16


def _fields(registers: dict[int, _Loaded], start: int, size: int) -> list[_Field]:
    """The parts of a key: one property after another, each padded to a multiple of four bytes."""
    places = sorted(place for place in registers if start <= place < start + size)
    ends = [*places[1:], start + size]
    return [_Field(place - start, end - place, registers[place]) for place, end in zip(places, ends)]


def all_fields(flow: Flow, fields: list[_Field], low: bytes, high: bytes) -> Answer:
    """Whether each part of a key lies between those of two other keys."""
    answers = []
    for start, length, loaded in fields:
        size = loaded.length or length
        answers.append(_between(flow, loaded, low[start : start + size], high[start : start + size]))
    return judge.all_of(answers) if answers else Answer.SOME


def _before(value: bytes) -> bytes:
    """The value before this one."""
    return (int.from_bytes(value, "big") - 1).to_bytes(len(value), "big") if any(value) else value


def _property(loaded: _Loaded, flow: Flow) -> str:
    """The name of the property in a register, for a packet of the flow's IP version."""
    if loaded.name.startswith("address at "):
        found, size = _ADDRESSES.get((flow.family, int(loaded.name.rsplit(" ", 1)[1])), ("", 0))
        return found if loaded.length <= size else ""
    return loaded.name


def _between(flow: Flow, loaded: _Loaded, low: bytes, high: bytes) -> Answer:
    values = flow.values(_property(loaded, flow))
    if values is None:
        return Answer.SOME
    if loaded.mask:
        return _masked(values, loaded.mask, low, high)
    # If the bounds are shorter than the value, the rest of the value does not matter.
    width = len(values[0][0])
    return judge.within(values, (low.ljust(width, b"\0")[:width], high.ljust(width, b"\xff")[:width]))


def _masked(values: list[judge.Interval], mask: bytes, low: bytes, high: bytes) -> Answer:
    if all(lowest == highest for lowest, highest in values):
        masked = [bytes(byte & bits for byte, bits in zip(value, mask)) for value, dummy in values]
        return judge.within([(value, value) for value in masked], (low, high))
    number = int.from_bytes(mask, "big")
    rest = (1 << 8 * len(mask)) - 1 - number
    if low != high or rest & (rest + 1):  # not the mask of a prefix
        return Answer.SOME
    last = (int.from_bytes(low, "big") | rest).to_bytes(len(mask), "big")
    return judge.within([(lowest[: len(mask)], highest[: len(mask)]) for lowest, highest in values], (low, last))


def _compared(loaded: _Loaded | None, expression: Expression) -> Condition:
    operation, value = expression.number(2), expression.value(3)

    lowest, highest = bytes(len(value)), b"\xff" * len(value)
    low, high, inverted = {
        _CMP_LT: (value, highest, True),
        _CMP_LTE: (lowest, value, False),
        _CMP_GT: (lowest, value, True),
        _CMP_GTE: (value, highest, False),
    }.get(operation, (value, value, operation == _CMP_NEQ))

    def compare(flow: Flow) -> Answer:
        answer = _between(flow, loaded, low, high) if loaded else Answer.SOME
        return answer.inverted() if inverted else answer

    return compare


def _ranged(loaded: _Loaded | None, expression: Expression) -> Condition:
    operation, low, high = expression.number(2), expression.value(3), expression.value(4)

    def compare(flow: Flow) -> Answer:
        answer = _between(flow, loaded, low, high) if loaded else Answer.SOME
        return answer if operation == _CMP_EQ else answer.inverted()

    return compare


def _decided(expression: Expression) -> str:
    """The verdict of an expression. Empty if it decides nothing."""
    if expression.name == "target":
        return xtables.verdict(extension(expression)[0])
    if expression.name == "reject":
        return judge.REJECT
    return judge.UNKNOWN_VERDICT if expression.name == "queue" else judge.ACCEPT
