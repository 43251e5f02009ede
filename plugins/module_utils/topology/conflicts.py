# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is right by itself, and wrong together."""

from __future__ import annotations

import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils import rules
from ansible_collections.linuxnet.lab.plugins.module_utils.topology.draft import Draft

# BR_PORT_BITS of net/bridge/br_private.h: ports are numbered with ten bits, from 1.
MOST_PORTS = 1023


def check_bridges(draft: Draft) -> None:
    """An error for each bridge with too many ports, and for each port that does not suit its bridge."""
    ports: dict[str, int] = {}
    for end in draft.lab.ends():
        if end.bridge is None:
            continue
        ports[end.bridge.label] = ports.get(end.bridge.label, 0) + 1
        mtu = end.bridge.mtu
        if mtu and end.mtu and end.mtu != mtu:
            draft.errors.append(
                "{0}.mtu: {1} on bridge {2!r}, whose MTU is {3}, would lose every packet of a size between".format(
                    end.place, end.mtu, end.bridge.label, mtu
                )
            )
        if end.addresses:
            draft.errors.append(
                "{0}.addresses: a port has none; they are the bridge's ({1!r})".format(
                    end.place, end.bridge.label
                )
            )
    for label, count in ports.items():
        if count > MOST_PORTS:
            draft.errors.append(
                "{0}: {1} ports, a bridge has at most {2}".format(
                    draft.lab.bridges[label].place, count, MOST_PORTS
                )
            )


def check_overlaps(draft: Draft, pool: list[str]) -> None:
    """An error for each two prefixes that overlap; what has addresses of its own is left to its author."""
    known = draft.known + [
        (rules.network_of(text), segment.place + ".prefix")
        for segment in draft.lab.segments.values()
        for text in segment.prefixes
    ]
    known += [(rules.network_of(text), "pool") for text in pool if not rules.check_prefix("pool", text)]
    for version in (4, 6):
        last: tuple[t.Any, str] | None = None
        for prefix, place in sorted(
            ((prefix, place) for prefix, place in known if prefix.version == version),
            key=lambda one: (int(one[0].network_address), one[0].prefixlen),
        ):
            if last and prefix.overlaps(last[0]):
                draft.errors.append("{0}: {1} overlaps {2} of {3}".format(place, prefix, last[0], last[1]))
            if last is None or prefix.broadcast_address > last[0].broadcast_address:
                last = (prefix, place)
