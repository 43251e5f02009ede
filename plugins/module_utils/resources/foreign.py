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
    Qdisc,
    Rule,
)
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.policy import AddRule, DeleteQdisc, DeleteRule
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.sockets import unless_gone
from ansible_collections.linuxnet.lab.plugins.module_utils.ownership import owns
from ansible_collections.linuxnet.lab.plugins.module_utils.plan import Plan, Stage
from ansible_collections.linuxnet.lab.plugins.module_utils.resources.rule import DECIDED, command
from ansible_collections.linuxnet.lab.plugins.module_utils.snapshot import Namespace, Snapshot


class Foreign(t.NamedTuple):
    """One of these things.

    :ivar kind: ``rule``, ``table`` or ``qdisc``. :ivar text: the thing as ip-rule(8), nft(8) or tc(8) prints it.
    :ivar command: what deletes it. :ivar undo: empty where nothing can bring it back.
    :ivar rule: the policy rule, if it is one that is there.
    """

    namespace: Namespace
    kind: str
    text: str
    command: str
    operations: list[Operation]
    undo: list[Operation]
    rule: Rule | None = None


def find(snapshot: Snapshot, namespace: Namespace, lab: str) -> list[Foreign]:
    """What is in a namespace of the lab's; elsewhere the queueing disciplines of the lab's links alone."""
    nothing: list[Foreign] = []
    if namespace.new:
        return nothing
    own = bool(namespace.ref) and namespace.lab == lab
    found = _rules(namespace, snapshot.rules(namespace)) if own else []
    return found + unless_gone(lambda: snapshot.once(_look, namespace, lab), nothing)


def remove(plan: Plan, namespace: Namespace) -> None:
    """Plan its end, behind all else: most of it cannot be brought back. What is another lab's stays.

    Policy rules can be brought back.
    """
    for one in find(plan.snapshot, namespace, plan.lab):
        if one.kind != "table" or not _is_labs(one.text):
            where = ("foreign", one.kind, one.text)
            stage = Stage.NAT
            if one.rule:  # which goes before the lab's own one like it can come
                plan.snapshot.rules(namespace).remove(one.rule)
                stage = Stage.REMOVE_ROUTE
            plan.add(stage, namespace.ref, one.operations, one.undo, where, one.text, None, [one.command])


def _is_labs(table: str) -> bool:
    return "{0}.".format(table).startswith("inet {0}.".format(nftables.table_name(nftables.SHARED)))


def _look(sockets: t.Any, namespace: Namespace, lab: str) -> list[Foreign]:
    own = bool(namespace.ref) and namespace.lab == lab
    links = {link.index: link.name for link in namespace.links.values() if owns(lab, link)}
    socket = sockets.get(namespace.ref)
    found = []
    if own:
        found += [_table(namespace, *one) for one in nftables.others(sockets, namespace.ref, lab)]
        found += _legacy(sockets, namespace)
    if links:
        found += [_qdisc(namespace, one) for one in rtnetlink.qdiscs(socket, links)]
    return found


def _rules(namespace: Namespace, there: list[Rule]) -> list[Foreign]:
    """The rules that somebody added, and those of a new namespace that somebody deleted."""
    families = {one.family for one in there}  # the kernel may be without IPv6
    usual = [one for one in rtnetlink.usual_rules() if one.family in families]
    found = []
    for rule in [one for one in there if one.protocol in DECIDED]:
        add, delete = AddRule(namespace.ref, rule), DeleteRule(namespace.ref, rule)
        found.append(Foreign(namespace, "rule", rule.text(), command(namespace, "del", rule), [delete], [add], rule))
    for rule in [one for one in usual if one not in there]:
        add, delete = AddRule(namespace.ref, rule), DeleteRule(namespace.ref, rule)
        words = "{0} protocol kernel".format(command(namespace, "add", rule))
        found.append(Foreign(namespace, "rule", "missing {0}".format(rule.text()), words, [add], [delete]))
    return found


def _table(namespace: Namespace, family: str, name: str) -> Foreign:
    words = enter(namespace, "nft delete table {0} {1}".format(family, shlex.quote(name)))
    operations = [nftables.DeleteOthersTable(namespace.ref, family, name)]
    return Foreign(namespace, "table", "{0} {1}".format(family, name), words, [*operations], [])


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
        deletion = enter(namespace, "sh -c {0}".format(shlex.quote(words)))
        operations = [iptables_legacy.ClearTable(namespace.ref, table.variant, table.name)]
        title = "{0} {1}".format(table.variant.command, table.name)
        found.append(Foreign(namespace, "table", title, deletion, [*operations], []))
    return found


def _qdisc(namespace: Namespace, qdisc: Qdisc) -> Foreign:
    title = "{0} {1:x}: dev {2} {3}".format(qdisc.kind, qdisc.handle, qdisc.dev, qdisc.place)
    words = enter(namespace, "tc qdisc del dev {0} {1}".format(shlex.quote(qdisc.dev), qdisc.place))
    return Foreign(namespace, "qdisc", title, words, [DeleteQdisc(namespace.ref, qdisc)], [])
