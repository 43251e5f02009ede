# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What somebody else added to a lab's own namespaces: policy rules, firewall tables, queueing disciplines.

These objects stay, and the module lab_info shows them, unless the topology says that a run removes them.
"""

from __future__ import annotations

import shlex
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils.commands import enter
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import nftables, rtnetlink
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.actions import Operation
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.firewalls import iptables_legacy
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.objects import (
    DEFAULT_TABLE,
    LOCAL_TABLE,
    MAIN_TABLE,
    Qdisc,
    Rule,
)
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.policy import AddRule, DeleteQdisc, DeleteRule
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.sockets import unless_gone
from ansible_collections.linuxnet.lab.plugins.module_utils.ownership import owns
from ansible_collections.linuxnet.lab.plugins.module_utils.plan import Plan, Stage
from ansible_collections.linuxnet.lab.plugins.module_utils.snapshot import Namespace, Snapshot

# FRA_PROTOCOL of the rules that are somebody's decision: RTPROT_UNSPEC, RTPROT_BOOT, RTPROT_STATIC. The kernel's rules
# and those of a routing daemon have other numbers.
_DECIDED = (0, 3, 4)
# Family, priority and table of the rules of a new namespace. fib_default_rules_init() of the kernel's file
# net/ipv4/fib_rules.c, fib6_rules_net_init() of net/ipv6/fib6_rules.c.
_USUAL = (
    (4, 0, LOCAL_TABLE),
    (4, 32766, MAIN_TABLE),
    (4, 32767, DEFAULT_TABLE),
    (6, 0, LOCAL_TABLE),
    (6, 32766, MAIN_TABLE),
)


class Foreign(t.NamedTuple):
    """One of these things.

    :ivar kind: ``rule``, ``table`` or ``qdisc``. :ivar text: the thing as ip-rule(8), nft(8) or tc(8) prints it.
    :ivar command: what deletes it. :ivar undo: empty where nothing can bring it back.
    """

    namespace: Namespace
    kind: str
    text: str
    command: str
    operations: list[Operation]
    undo: list[Operation]


def find(snapshot: Snapshot, namespace: Namespace, lab: str) -> list[Foreign]:
    """What is in a namespace of the lab's; elsewhere the queueing disciplines of the lab's links alone."""
    nothing: list[Foreign] = []
    return unless_gone(lambda: snapshot.once(_look, namespace, lab), nothing) if not namespace.new else nothing


def remove(plan: Plan, namespace: Namespace) -> None:
    """Plan its end, behind all else: most of it cannot be brought back. What is another lab's stays."""
    for one in find(plan.snapshot, namespace, plan.lab):
        if one.kind != "table" or not _is_labs(one.text):
            where = ("foreign", one.kind, one.text)
            plan.add(Stage.NAT, namespace.ref, one.operations, one.undo, where, one.text, None, [one.command])


def _is_labs(table: str) -> bool:
    return "{0}.".format(table).startswith("inet {0}.".format(nftables.table_name(nftables.SHARED)))


def _look(sockets: t.Any, namespace: Namespace, lab: str) -> list[Foreign]:
    own = bool(namespace.ref) and namespace.lab == lab
    links = {link.index: link.name for link in namespace.links.values() if owns(lab, link)}
    socket = sockets.get(namespace.ref)
    found = []
    if own:
        found += _rules(namespace, rtnetlink.rules(socket))
        found += [_table(namespace, *one) for one in nftables.others(sockets, namespace.ref, lab)]
        found += _legacy(sockets, namespace)
    if links:
        found += [_qdisc(namespace, one) for one in rtnetlink.qdiscs(socket, links)]
    return found


def _rules(namespace: Namespace, there: list[Rule]) -> list[Foreign]:
    """The rules that somebody added, and those of a new namespace that somebody deleted."""
    families = {one.family for one in there}  # the kernel may be without IPv6
    usual = [rtnetlink.usual_rule(*one) for one in _USUAL if one[0] in families]
    found = []
    for rule in [one for one in there if one.protocol in _DECIDED]:
        add, delete = AddRule(namespace.ref, rule), DeleteRule(namespace.ref, rule)
        found.append(Foreign(namespace, "rule", _text(rule), _command(namespace, "del", rule), [delete], [add]))
    for rule in [one for one in usual if one not in there]:
        add, delete = AddRule(namespace.ref, rule), DeleteRule(namespace.ref, rule)
        command = "{0} protocol kernel".format(_command(namespace, "add", rule))
        found.append(Foreign(namespace, "rule", "missing {0}".format(_text(rule)), command, [add], [delete]))
    return found


def _text(rule: Rule) -> str:
    return "{0}: {1} {2}".format(rule.priority, rule.packets(), rule.what())


def _command(namespace: Namespace, deed: str, rule: Rule) -> str:
    words = "ip -6 rule" if rule.family == 6 else "ip rule"
    return enter(namespace, "{0} {1} pref {2} {3} {4}".format(words, deed, rule.priority, rule.packets(), rule.what()))


def _table(namespace: Namespace, family: str, name: str) -> Foreign:
    command = enter(namespace, "nft delete table {0} {1}".format(family, shlex.quote(name)))
    operations = [nftables.DeleteOthersTable(namespace.ref, family, name)]
    return Foreign(namespace, "table", "{0} {1}".format(family, name), command, [*operations], [])


def _legacy(sockets: t.Any, namespace: Namespace) -> list[Foreign]:
    """The tables of the older iptables that hold anything."""
    with sockets.finder.inside(namespace.ref):
        tables = [
            iptables_legacy.read(variant, name)
            for variant in iptables_legacy.VARIANTS.values()
            for name in iptables_legacy.table_names(variant)
        ]
    found = []
    for table in [one for one in tables if not iptables_legacy.is_empty(one)]:
        start = "{0} -t {1}".format(table.variant.command, table.name)
        steps = ["-F", "-X", *("-P {0} ACCEPT".format(chain.name) for chain in table.chains if chain.hook >= 0)]
        words = " && ".join("{0} {1}".format(start, step) for step in steps)
        command = enter(namespace, "sh -c {0}".format(shlex.quote(words)))
        operations = [iptables_legacy.ClearTable(namespace.ref, table.variant, table.name)]
        text = "{0} {1}".format(table.variant.command, table.name)
        found.append(Foreign(namespace, "table", text, command, [*operations], []))
    return found


def _qdisc(namespace: Namespace, qdisc: Qdisc) -> Foreign:
    text = "{0} {1:x}: dev {2} {3}".format(qdisc.kind, qdisc.handle, qdisc.dev, qdisc.place)
    command = enter(namespace, "tc qdisc del dev {0} {1}".format(shlex.quote(qdisc.dev), qdisc.place))
    return Foreign(namespace, "qdisc", text, command, [DeleteQdisc(namespace.ref, qdisc)], [])
