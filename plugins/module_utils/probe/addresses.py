# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find the namespace that has an address. This reads the kernel with pyroute2, which the probes do not need."""

from __future__ import annotations

import ipaddress
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.sockets import Sockets
from ansible_collections.linuxnet.lab.plugins.module_utils.probe.matrix import Member
from ansible_collections.linuxnet.lab.plugins.module_utils.snapshot import Namespace, Snapshot, lab_of


def of_lab(lab: str) -> list[Member]:
    """The addresses of a lab, in its own namespaces and on its own links, without link-local and loopback addresses."""
    with Sockets() as sockets:
        return [
            member
            for namespace in Snapshot(sockets).everywhere()
            for member, marked in _addresses(namespace)
            if lab in (namespace.lab, marked) and not _is_local(member.address)
        ]


def owners(addresses: t.Iterable[str]) -> dict[str, list[str]]:
    """The namespaces that have each of some addresses."""
    wanted: dict[str, list[str]] = {address: [] for address in addresses}
    with Sockets() as sockets:
        for namespace in Snapshot(sockets).everywhere():
            for address in {member.address for member, dummy in _addresses(namespace)}:
                if address in wanted:
                    wanted[address].append(namespace.ref)
    return wanted


def _addresses(namespace: Namespace) -> t.Iterator[tuple[Member, str]]:
    """The addresses of a namespace, and the lab of the link that each is on."""
    for link in namespace.links.values():
        marked = lab_of(link.alias)
        for address in link.addresses:
            yield Member(namespace.ref, address.ip), marked


def _is_local(address: str) -> bool:
    parsed = ipaddress.ip_address(address)
    return parsed.is_link_local or parsed.is_loopback
