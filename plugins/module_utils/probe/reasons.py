# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The words for failures."""

from __future__ import annotations

import errno

REACHABLE = "reachable"
UNREACHABLE = "unreachable"
NO_REPLY = "no_reply"
HOST_UNREACHABLE = "host_unreachable"

# The errors with which the sender's own kernel refuses to send.
LOCAL = {
    errno.ENETUNREACH: "no_route",
    errno.EHOSTUNREACH: "unreachable_route",
    errno.EACCES: "not_permitted",
    errno.EPERM: "not_permitted",
    errno.EINVAL: "blackhole",
    errno.EADDRNOTAVAIL: "no_source_address",
    errno.EMSGSIZE: "packet_too_big",
    errno.ENETDOWN: "link_down",
}

SEND_FAILED = "send_failed"

# No answer came while the neighbour table, which all namespaces of the machine share, was full.
TABLE_FULL = "neighbor_table_full"

# The state of an IPv6 address that the kernel does not use.
TENTATIVE = "tentative_address"
DUPLICATE = "duplicate_address"

# These errors pass without any change (an address under duplicate address detection, a full queue, a path MTU that is
# known afterwards), and prove nothing about the target.
PASSING = ("no_source_address", "packet_too_big", SEND_FAILED)

# The words for ICMP errors. Their senders limit the rate.
BY_ICMP = (
    HOST_UNREACHABLE,
    "net_unreachable",
    "prohibited",
    "refused",
    "packet_too_big",
    "ttl_exceeded",
    "port_unreachable",
    "protocol_unreachable",
    "beyond_scope",
)

# The words that a check may expect instead of plain `unreachable`.
EXPECTED = (
    NO_REPLY,
    "no_route",
    "unreachable_route",
    "not_permitted",
    "blackhole",
    *BY_ICMP,
    "no_source_address",
    "tentative_address",
    "duplicate_address",
    "link_down",
)

# Every word that a check may expect.
WORDS = (REACHABLE, UNREACHABLE, *EXPECTED)
