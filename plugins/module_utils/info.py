# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Namespaces as plain data, for modules that only read."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils import rules
from ansible_collections.linuxnet.lab.plugins.module_utils.errors import LabError
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import sysctl
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.objects import Address, Link, Route
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.sockets import Sockets
from ansible_collections.linuxnet.lab.plugins.module_utils.snapshot import Namespace, Snapshot, lab_of, mark

Data = dict[str, t.Any]


def describe(refs: list[str] | None, lab: str | None, sysctls: t.Sequence[str] = ()) -> list[Data]:
    """The namespaces with these references, with these sysctls. For None, all namespaces, or the host and those of a
    lab.

    The shape is that of `namespaces` in the documentation of the module netns_info. LabError if one does not exist.
    """
    with Sockets() as sockets:
        snapshot = Snapshot(sockets)
        if refs is None:
            found = [one for one in snapshot.everywhere() if not one.ref or lab in (None, one.lab)]
        else:
            found = [_existing(snapshot, ref, number) for number, ref in enumerate(refs)]
        return [_namespace(snapshot, namespace, sysctls) for namespace in found]


def free(ips: list[str], lab: str) -> list[str]:
    """The addresses that nothing on the host except this lab has or uses, in their order.

    LabError if one is not an address.
    """
    errors = [error for number, ip in enumerate(ips) for error in rules.check_ip("candidates[{0}]".format(number), ip)]
    if errors:
        raise LabError(errors)
    if not ips:
        return []
    # Not above: most tasks name no candidates.
    from ansible_collections.linuxnet.lab.plugins.module_utils.host_use import HostUse

    with Sockets() as sockets:
        use = HostUse(Snapshot(sockets), lambda link: link.alias == mark(lab))
        return [ip for ip in ips if use.is_free(str(rules.ip_of(ip)))]


def _existing(snapshot: Snapshot, ref: str, number: int) -> Namespace:
    namespace = snapshot.namespace(ref)
    if namespace is None:
        raise LabError("name[{0}]: there is no network namespace {1!r}".format(number, ref))
    return namespace


def _namespace(snapshot: Snapshot, namespace: Namespace, sysctls: t.Sequence[str]) -> Data:
    return {
        "name": namespace.ref,
        "lab": namespace.lab,
        "pid": namespace.holder.pid if namespace.holder else 0,
        "hostname": namespace.hostname,
        "links": [_link(snapshot, namespace, link) for link in namespace.links.values()],
        "routes": [_route(route) for route in namespace.routes],
        "rules": [
            {**one.options(), "protocol": one.protocol, "text": one.text()} for one in snapshot.rules(namespace)
        ],
        "neighbors": [dataclasses.asdict(neighbor) for neighbor in snapshot.neighbors(namespace).values()],
        "fdb": [dataclasses.asdict(entry) for entry in snapshot.forwarding(namespace)],
        "sysctls": {name: snapshot.once(sysctl.value, namespace.ref, name) for name in sysctls},
    }


def _link(snapshot: Snapshot, namespace: Namespace, link: Link) -> Data:
    data = {name: getattr(link, name) for name in ("name", "kind", "up", "mtu", "mac", "master")}
    data["lab"] = lab_of(link.alias)
    data["addresses"] = [address.cidr for address in link.addresses]
    data["addr_info"] = [_address(address) for address in link.addresses]
    other = snapshot.peer(namespace, link) if link.kind == "veth" else None
    if other:
        data["peer"] = {"name": other[1].name, "netns": other[0].ref}
    return data


def _address(address: Address) -> Data:
    valid, dummy, preferred = address.lifetimes.split()
    return {
        "address": address.cidr,
        "peer": address.remote,
        "broadcast": address.broadcast,
        "scope": address.scope,
        "metric": address.metric,
        "noprefixroute": address.noprefixroute,
        "nodad": address.nodad,
        "dadfailed": address.failed,
        "valid_lft": valid,
        "preferred_lft": preferred,
    }


def _route(route: Route) -> Data:
    data = dataclasses.asdict(route)
    del data["onlink"], data["metrics"], data["raw"]
    data["nexthops"] = [hop._asdict() for hop in route.nexthops]
    if route.dst in ("0.0.0.0/0", "::/0"):
        data["dst"] = "default"
    return data
