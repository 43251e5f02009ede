# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What other people's firewalls do to the packets that a namespace forwards."""

from __future__ import annotations

import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import nftables
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.firewalls import foreign, iptables_legacy
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.firewalls.foreign import Expression


def forward_obstacles(socket: nftables.Socket, lab: str) -> list[str]:
    """One sentence for each chain outside the lab's table that drops whatever is forwarded and not excepted.

    A packet passes all chains of a hook, and one drop is final: no other table can take it back. The calling
    thread has to be in the namespace of the socket, because iptables-legacy answers only there.
    """
    return [
        "{0} drops forwarded packets before or after this lab's rules accept them{1}".format(dropper, cure(dropper))
        for dropper in droppers(socket, lab)
    ]


def cure(dropper: str) -> str:
    """What to do about one of :func:`droppers`, where that is known; begins with a semicolon."""
    if dropper.startswith("table inet firewalld,"):
        return "; `firewall-cmd --zone=trusted --add-interface=LINK` for each of the lab's links prevents that"
    return ""


def droppers(socket: nftables.Socket, lab: str) -> list[str]:
    """The chains outside the lab's table that drop whatever is forwarded and not excepted; as above."""
    found = []
    for chain in foreign.chains(socket):
        shared = nftables.table_name(nftables.SHARED)
        if chain.family not in foreign.FAMILIES or chain.table in (nftables.table_name(lab), shared):
            continue
        if chain.hook != foreign.FORWARD:
            continue
        end = _end(chain.drops, foreign.rules(socket, chain.family, chain.table, chain.name))
        if end:
            found.append("{0} (hook forward, {1})".format(chain, end))
    return found + [
        "{0}, table filter, chain FORWARD (hook forward, policy drop)".format(command)
        for command in iptables_legacy.forward_drops()
    ]


def _end(drops: bool, rules: list[foreign.ForeignRule]) -> str:
    """What drops the packets that no condition in the chain excepts; "" where they are accepted."""
    for rule in rules:
        deciding = [one for one in rule.expressions if one.name not in ("counter", "log")]
        verdict = _verdict(deciding[0]) if len(deciding) == 1 else ""
        if verdict:
            return "" if verdict == "accept" else "last rule " + verdict
    return "policy drop" if drops else ""


def _verdict(expression: Expression) -> str:
    if expression.rejects:
        return "reject"
    return {foreign.ACCEPT: "accept", foreign.DROP: "drop"}.get(t.cast(int, expression.verdict), "")
