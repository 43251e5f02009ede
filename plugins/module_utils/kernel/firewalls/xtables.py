# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The matches and targets of iptables. iptables-nft and iptables-legacy give the kernel the same bytes for them.

Sources: linux/netfilter/x_tables.h, xt_comment.h, xt_conntrack.h, xt_state.h, xt_physdev.h.
"""

from __future__ import annotations

import struct

from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.firewalls import judge
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.firewalls.judge import Answer, Condition, Flow

# A match or target as the kernel reports it: name, revision, data.
Extension = tuple[str, int, bytes]

_COMMENT_BYTES = 256
_CONNTRACK = (3, 168)  # revision, bytes
_FLAGS_AT, _INVERTED_AT, _STATES_AT = 146, 148, 150
_BY_STATE = 1
_OF_STATE = {1: "=B", 2: "=H", 3: "=H"}  # by revision

_PHYSDEV_AT = 64
_PHYSDEV_IS_BRIDGED = 4

# Matches of properties that a flow does not fix.
_NARROWING = frozenset(
    """addrtype ah bpf cgroup connbytes connlabel connlimit connmark cpu dccp dscp ecn esp frag hashlimit helper hbh hl
    icmp icmp6 ipcomp ipv6header ipvs l2tp length limit mac mark mh multiport nfacct osf owner pkttype policy quota
    realm recent rpfilter rt sctp socket statistic string tcp tcpmss time tos ttl u32 udp udplite""".split()
)
# Targets that do not decide whether a packet passes.
_PASSING = frozenset(
    """AUDIT CHECKSUM CLASSIFY CONNMARK CONNSECMARK CT DSCP ECN HL HMARK IDLETIMER LED LOG MARK NFLOG NOTRACK RATEEST
    SECMARK SET TCPMSS TCPOPTSTRIP TEE TOS TRACE TTL""".split()
)
# Targets that change packets, and accept them.
_REWRITING = frozenset("DNAT DNPT MASQUERADE NETMAP REDIRECT SNAT SNPT SYNPROXY TPROXY".split())


def comment(text: str) -> Extension:
    """`-m comment --comment TEXT`."""
    return "comment", 0, text.encode().ljust(_COMMENT_BYTES, b"\0")


def established() -> Extension:
    """`-m conntrack --ctstate RELATED,ESTABLISHED`."""
    revision, size = _CONNTRACK
    data = bytearray(size)
    struct.pack_into("=H", data, _FLAGS_AT, _BY_STATE)
    struct.pack_into("=H", data, _STATES_AT, judge.CT_ESTABLISHED | judge.CT_RELATED)
    return "conntrack", revision, bytes(data)


def comment_of(extension: Extension) -> str:
    """The text of a comment. Empty for any other match."""
    name, dummy, data = extension
    return data.split(b"\0")[0].decode(errors="replace") if name == "comment" else ""


def condition(extension: Extension) -> Condition:
    """The condition that a match puts on a flow."""
    name, revision, data = extension
    if name == "comment":
        return lambda flow: Answer.ALL
    if name == "state":
        return _states(struct.unpack_from("=I", data)[0], False)
    if name == "conntrack" and revision in _OF_STATE:
        flags, inverted = struct.unpack_from("=HH", data, _FLAGS_AT)
        if flags == _BY_STATE:
            return _states(struct.unpack_from(_OF_STATE[revision], data, _STATES_AT)[0], bool(inverted & _BY_STATE))
        return lambda flow: Answer.SOME
    if name == "physdev":
        inverted, asked = data[_PHYSDEV_AT], data[_PHYSDEV_AT + 1]
        if asked == _PHYSDEV_IS_BRIDGED:
            return lambda flow: Answer.ALL if flow.bridged != bool(inverted) else Answer.NONE
        return lambda flow: Answer.SOME
    return lambda flow: Answer.SOME if name in _NARROWING else Answer.UNKNOWN


def _states(mask: int, inverted: bool) -> Condition:
    def holds(flow: Flow) -> Answer:
        state = judge.CT_ESTABLISHED if flow.established else judge.CT_NEW
        return Answer.ALL if bool(mask & state) != inverted else Answer.NONE

    return holds


def verdict(name: str) -> str:
    """The verdict of a target that is not a built-in verdict, in the words of :class:`judge.Rule`."""
    if name == "REJECT":
        return judge.REJECT
    if name in _PASSING:
        return ""
    return judge.ACCEPT if name in _REWRITING else judge.UNKNOWN_VERDICT
