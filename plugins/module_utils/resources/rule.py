# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The resource `rule`: a policy rule of a namespace, which chooses the routing table for some packets."""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils import fields, ownership, rules
from ansible_collections.linuxnet.lab.plugins.module_utils.commands import enter
from ansible_collections.linuxnet.lab.plugins.module_utils.errors import LabError
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.actions import Operation
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.objects import (
    DEFAULT_TABLE,
    KERNEL_PROTOCOL,
    LOCAL_TABLE,
    MAIN_TABLE,
    Rule,
)
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.policy import AddRule, DeleteRule
from ansible_collections.linuxnet.lab.plugins.module_utils.plan import Plan, Stage
from ansible_collections.linuxnet.lab.plugins.module_utils.resources import remembered
from ansible_collections.linuxnet.lab.plugins.module_utils.snapshot import PROTOCOL, Namespace, Snapshot

# FRA_PROTOCOL of the rules that are somebody's decision: RTPROT_UNSPEC, RTPROT_BOOT, RTPROT_STATIC. The kernel's rules
# and those of a routing daemon have other numbers.
DECIDED = (0, 3, 4)
_KIND = "rule"
_ANY = ("all", "any")
_TABLES = {"main": MAIN_TABLE, "default": DEFAULT_TABLE, "local": LOCAL_TABLE}
# What becomes of the packets; the rest of fields.RULE says which packets they are.
_SUPPRESSORS = ("suppress_prefixlength", "suppress_ifgroup")
_MARK = re.compile(r"(0x[0-9a-fA-F]{1,8}|[0-9]{1,10})(?:/(0x[0-9a-fA-F]{1,8}|[0-9]{1,10}))?\Z")
_RANGE = re.compile(r"([0-9]{1,10})(?:-([0-9]{1,10}))?\Z")
_RANGES = {"sport": (1, 65535), "dport": (1, 65535), "uidrange": (0, 0xFFFFFFFE)}


@dataclasses.dataclass
class RuleWanted:
    """A rule as ip-rule(8) describes it.

    :ivar values: by the names of :data:`.fields.RULE_WORDS` and :data:`.fields.RULE`; None where it was not said.
    :ivar complete: whether nothing but this run makes the lab's links, so that check mode knows them all.
    """

    netns: str
    values: t.Mapping[str, t.Any]
    present: bool = True
    place: str = ""
    complete: bool = False

    def _given(self, name: str) -> t.Any:
        value = self.values.get(name)
        return None if name in ("from", "to") and value in _ANY else value

    def check(self) -> list[str]:
        """Prefixes, names and numbers; one IP version; something to do with the packets."""
        place = self.place
        errors = rules.check_netns(place + "netns", self.netns)
        for name in ("from", "to"):
            value = self._given(name)
            errors += rules.check_prefix(place + name, value) if value is not None else []
        for name in ("iif", "oif"):
            value = self._given(name)
            errors += rules.check_link_name(place + name, value) if value is not None else []
        numbers = {**fields.RULE_WORDS, **fields.RULE}
        given = {name: value for name, value in fields.given(numbers, self.values).items() if isinstance(value, int)}
        errors += fields.check(numbers, given, place)
        errors += self._check_words()
        if self.present and (self._given("table") is None) == (self._given("type") in (None, "unicast")):
            errors.append("{0}table: a rule needs either a table or a type".format(place))
        if not self.present and not any(value is not None for value in self.values.values()):
            errors.append("{0}priority: nothing says which rule".format(place))
        if errors:
            return errors
        said = [(name, self._given(name)) for name in ("from", "to") if self._given(name)]
        versions = {rules.network_of(value).version for dummy, value in said} | {self._family()}
        if len(versions) > 1:
            texts = ["{0} {1}".format(*one) for one in said]
            texts += ["family {0}".format(self._given("family"))] if self._given("family") else []
            errors.append("{0}from: IPv4 and IPv6 cannot be mixed: {1}".format(place, ", ".join(texts)))
        return errors

    def _check_words(self) -> list[str]:
        errors = []
        if self._given("family") not in (None, 4, 6):
            errors.append("{0}family: {1} is neither 4 nor 6".format(self.place, self._given("family")))
        mark = self._given("fwmark")
        if mark is not None and (not _MARK.match(mark) or max(map(_number, mark.split("/"))) > 0xFFFFFFFF):
            errors.append("{0}fwmark: {1!r} is not a mark, as in 0x1 or 0x1/0xff".format(self.place, mark))
        protocol = self._given("ipproto")
        if protocol is not None and protocol not in fields.IP_PROTOCOLS:
            if not (protocol.isdecimal() and protocol.isascii() and 0 < int(protocol) < 256):
                known = ", ".join(fields.IP_PROTOCOLS)
                errors.append("{0}ipproto: {1!r} is neither {2} nor 1 to 255".format(self.place, protocol, known))
        for name, (lowest, highest) in _RANGES.items():
            value = self._given(name)
            found = _RANGE.match(value) if value is not None else None
            first, last = (int(found[1]), int(found[2] or found[1])) if found else (1, 0)
            if value is not None and not lowest <= first <= last <= highest:
                text = "{0}{1}: {2!r} is not a number or a range, as in 80-90, within {3}-{4}"
                errors.append(text.format(self.place, name, value, lowest, highest))
        table = self._given("table")
        if table is not None and _table(table) is None:
            text = "{0}table: {1!r} is not a table: main, default, local, or 1 to 4294967295"
            errors.append(text.format(self.place, table))
        return errors

    def claims(self) -> list[tuple[str, str, str]]:
        """The packets that it is about, at its priority."""
        if not self.present:
            return []
        rule = self.rule()
        value = "{0} {1} {2} in {3}".format(rule.family, rule.priority, rule.packets(), self.netns or "the host")
        return [("rule", value, self.place + "priority")]

    def _family(self) -> int:
        said = self._given("from") or self._given("to")
        return self._given("family") or (rules.network_of(said).version if said else 4)

    def rule(self) -> Rule:
        """The rule as the kernel reports it; its priority is -1 if it was not said."""
        mark, dummy, mask = (self._given("fwmark") or "").partition("/")
        more = {name: self.values[name] for name in fields.RULE if self.values.get(name) is not None}
        for name in _READ_BACK & more.keys():
            codec = fields.RULE[name].codec
            more[name] = codec.read(codec.pack(more[name]))
        action = self._given("type") if self._given("type") not in (None, "unicast") else "lookup"
        priority = self._given("priority")
        return Rule(
            family=self._family(),
            priority=-1 if priority is None else priority,
            action=action,
            table=_table(self._given("table")) or 0 if self._given("table") else 0,
            src=rules.normal_prefix(self._given("from")) if self._given("from") else "",
            dst=rules.normal_prefix(self._given("to")) if self._given("to") else "",
            fwmark="{0:#x}/{1:#x}".format(_number(mark), _number(mask or "0xffffffff")) if mark else "",
            inverted=bool(self._given("not")),
            protocol=PROTOCOL,
            more=tuple((name, value) for name, value in more.items() if value != fields.RULE[name].new),
        )

    def matches(self, there: Rule) -> bool:
        """Whether a rule is what was asked for, whoever added it."""
        wanted = self.rule()
        return _packets(there) == _packets(wanted) and _effect(there) == _effect(wanted) and self._has_priority(there)

    def _has_priority(self, there: Rule) -> bool:
        return self._given("priority") in (None, there.priority)

    def plan(self, plan: Plan) -> None:
        """Add, replace or delete it."""
        if not self.present:
            self._remove(plan)
            return
        namespace = plan.namespace(self.netns, self.place + "netns")
        for name in ("iif", "oif"):
            if self._given(name):
                link = plan.link(namespace, self._given(name), self.place + name, self.complete)
                if not namespace.ref:
                    plan.demand(namespace, link, self.place + name, "get a rule")
        there = plan.snapshot.rules(namespace)
        wanted = self.rule()
        alike = [one for one in there if _packets(one) == _packets(wanted) and self._has_priority(one)]
        former = [one for one in alike if one.protocol == PROTOCOL and _is_labs(plan, namespace, one)]
        right = next((one for one in alike if _effect(one) == _effect(wanted)), None)
        if right is None:
            plan.demand_netns(namespace, self.place + "netns", "get a rule")
            if wanted.priority < 0:
                usual = former[0].priority if former else _next_priority(there, wanted.family)
                wanted = dataclasses.replace(wanted, priority=usual)
            self._check_host(plan, namespace, wanted)
            _put(plan, namespace, wanted, Stage.ROUTE, True)
        # The new one comes first, so that there is no gap.
        for one in former:
            if one is not right:
                _put(plan, namespace, one, Stage.ROUTE, False)

    def _remove(self, plan: Plan) -> None:
        namespace = plan.snapshot.namespace(self.netns)
        for one in list(plan.snapshot.rules(namespace)) if namespace else ():
            if namespace and one.protocol != KERNEL_PROTOCOL and self._is(one):
                if not plan.force and not _is_labs(plan, namespace, one):
                    whose = ownership.belongs(plan.lab, "")
                    reason = "{0}priority: the rule `{1}` in {2} {3}".format(
                        self.place, one.text(), namespace.title, whose
                    )
                    raise LabError(ownership.unless_forced(reason, "be deleted"))
                _put(plan, namespace, one, Stage.REMOVE_ROUTE, False)

    def _is(self, there: Rule) -> bool:
        """Whether a rule is one to delete: everything that was said of it fits."""
        wanted = self.rule()
        if there.family != wanted.family or not self._has_priority(there):
            return False
        names = {"from": "src", "to": "dst", "fwmark": "fwmark", "not": "inverted", "table": "table", "type": "action"}
        if any(self._given(word) is not None and getattr(there, name) != getattr(wanted, name)
               for word, name in names.items()):  # fmt: skip
            return False
        return dict(wanted.more).items() <= dict(there.more).items()

    def _check_host(self, plan: Plan, namespace: Namespace, wanted: Rule) -> None:
        """LabError if a rule of the host's leads away packets of the host itself."""
        if namespace.ref or plan.force:
            return
        # Not above: most rules are in other namespaces.
        from ansible_collections.linuxnet.lab.plugins.module_utils.host_use import host_use

        reasons = ["{0}from: {1}".format(self.place, one) for one in host_use(plan.snapshot).why_not_rule(wanted)]
        if reasons:
            raise LabError([ownership.unless_forced(reason, "be added") for reason in reasons])


# The values that the kernel reports in another form than users may write.
_READ_BACK = {"ipproto", *_RANGES}


def _number(text: str) -> int:
    return int(text, 16 if text.startswith("0x") else 10)


def _table(word: str) -> int | None:
    if word in _TABLES:
        return _TABLES[word]
    return int(word) if word.isdecimal() and word.isascii() and 0 < int(word) < 1 << 32 else None


def _packets(rule: Rule) -> tuple[t.Any, ...]:
    """Which packets a rule is about."""
    more = frozenset(one for one in rule.more if one[0] not in _SUPPRESSORS)
    return (rule.family, rule.src, rule.dst, rule.fwmark, rule.inverted, more)


def _effect(rule: Rule) -> tuple[t.Any, ...]:
    """What becomes of them."""
    return (rule.action, rule.table, frozenset(one for one in rule.more if one[0] in _SUPPRESSORS))


def _next_priority(there: list[Rule], family: int) -> int:
    """The priority that the kernel gives a rule without one: before the second one (fib_default_rule_pref())."""
    priorities = sorted(one.priority for one in there if one.family == family)
    return max(priorities[1] - 1, 0) if len(priorities) > 1 else 0


def _is_labs(plan: Plan, namespace: Namespace, rule: Rule) -> bool:
    """Whether a rule is the lab's, by where it is or by what the lab remembers."""
    if namespace.ref and namespace.lab == plan.lab:
        return rule.protocol in (PROTOCOL, *DECIDED)
    return rule.protocol == PROTOCOL and remembered.recall(plan, _memory(plan, namespace, rule)) is not None


def _memory(plan: Plan, namespace: Namespace, rule: Rule) -> str:
    """The key under which the lab remembers a rule in a namespace that is not its own."""
    return remembered.key(plan, _KIND, namespace.ref, "{0} {1}".format(rule.family, rule.text()))


def _put(plan: Plan, namespace: Namespace, rule: Rule, stage: Stage, comes: bool) -> None:
    """Plan that a rule comes or goes. Outside of its own namespaces the lab remembers it."""
    there = plan.snapshot.rules(namespace)
    if comes:
        there.append(rule)
    else:
        there.remove(rule)
    add, delete = AddRule(namespace.ref, rule), DeleteRule(namespace.ref, rule)
    operations: list[Operation] = [add if comes else delete]
    undo: list[Operation] = [delete if comes else add]
    if not (namespace.ref and namespace.lab == plan.lab):
        known_by = _memory(plan, namespace, rule)
        known = remembered.recall(plan, known_by)
        record = {"netns": namespace.ref, "rule": rule.text()} if comes else None
        if known or record:
            operations.append(remembered.keep(plan, known_by, record))
            undo.append(remembered.write(plan, known_by, known))
    shown = rule.text()
    where = ("rules" if rule.family == 4 else "rules6", "{0}: {1}".format(rule.priority, rule.packets()))
    commands = [command(namespace, "add" if comes else "del", rule)]
    before, after = (None, shown) if comes else (shown, None)
    plan.add(stage, namespace.ref, operations, undo, where, before, after, commands)


def remove_unwanted(plan: Plan, namespace: Namespace, wanted: t.Sequence[RuleWanted]) -> None:
    """Plan the end of the lab's rules in a namespace that are none of those wanted."""
    for one in list(plan.snapshot.rules(namespace)):
        ours = one.protocol == PROTOCOL and _is_labs(plan, namespace, one)
        if ours and not any(asked.matches(one) for asked in wanted):
            _put(plan, namespace, one, Stage.REMOVE_ROUTE, False)


def remove_kept(plan: Plan) -> None:
    """Plan the end of the rules that the lab remembers to have added."""
    for known_by, record in remembered.everything(plan, _KIND):
        namespace = plan.snapshot.namespace(record["netns"])
        for one in list(plan.snapshot.rules(namespace)) if namespace else ():
            if namespace and one.protocol == PROTOCOL and _memory(plan, namespace, one) == known_by:
                _put(plan, namespace, one, Stage.REMOVE_ROUTE, False)
                break
        else:
            remembered.forget(plan, known_by, record)


def where_remembered(plan: Plan) -> set[str]:
    """References of the namespaces of others in which the lab has rules."""
    return {record["netns"] for dummy, record in remembered.everything(plan, _KIND)}


def of_lab(snapshot: Snapshot, namespace: Namespace, lab: str) -> list[Rule]:
    """The rules that a lab added to a namespace, for code that only reads."""
    there = [one for one in snapshot.rules(namespace) if one.protocol == PROTOCOL]
    if namespace.ref and namespace.lab == lab:
        return there
    texts = [one["rule"] for one in remembered.records(snapshot, lab, _KIND) if one["netns"] == namespace.ref]
    return [one for one in there if one.text() in texts]


def command(namespace: Namespace, deed: str, rule: Rule) -> str:
    """`ip rule add` or `ip rule del`."""
    words = "ip -6 rule" if rule.family == 6 else "ip rule"
    return enter(namespace, "{0} {1} pref {2} {3} {4}".format(words, deed, rule.priority, rule.packets(), rule.what()))
