# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Links that existed before the lab, and that the lab changes by force.

They never get the lab's mark, and stay when the lab ends. A record for each link stores what the lab changed on it.
When the lab ends, or no longer has the link, a run restores the old values.
"""

from __future__ import annotations

import dataclasses
import shlex
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils import fields
from ansible_collections.linuxnet.lab.plugins.module_utils.commands import (
    add_address,
    delete_address,
    enter,
    set_command,
    set_hostname,
)
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.actions import Operation
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.addresses import AddAddress, DeleteAddress
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.links import (
    AddAltname,
    DeleteAltname,
    SetBridge,
    SetLink,
)
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.netns import SetHostname
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.objects import Address, Link, Route
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.routes import DeleteRoute, put_back
from ansible_collections.linuxnet.lab.plugins.module_utils.plan import ADOPTED, Plan, Stage
from ansible_collections.linuxnet.lab.plugins.module_utils.resources import remembered
from ansible_collections.linuxnet.lab.plugins.module_utils.snapshot import Namespace

Note = tuple[list[Operation], list[Operation]]  # the operations that write a record, and those that undo that


def take_over(plan: Plan, namespace: Namespace, link: Link) -> None:
    """Plan that the lab can change a link from now on without force. The link does not get the lab's mark."""
    record, operations, undo = _open(plan, namespace, link)
    if record["adopted"]:
        return
    record["adopted"] = True
    where = ("links", link.name)
    shown = [{"adopted_by": lab} for lab in ("", plan.lab)]
    plan.add(Stage.CONFIGURE, namespace.ref, operations, undo, where, shown[0], shown[1], [])


def note_settings(plan: Plan, namespace: Namespace, link: Link, before: t.Any, after: t.Any) -> Note:
    """The operations that record settings of a link before the lab changes them. None for a link of the lab."""
    if plan.owns(link):
        return [], []
    record, operations, undo = _open(plan, namespace, link)
    for name, value in after.items():
        record["old"].setdefault(name, before.get(name))
        record["new"][name] = value
    return operations, undo


def note_routes(plan: Plan, namespace: Namespace, link: Link, routes: t.Iterable[Route]) -> None:
    """Record the routes that a link loses through changes of the lab."""
    if not plan.owns(link):
        _open(plan, namespace, link)[0]["routes"] += [dataclasses.asdict(one) for one in routes]


def note_address(plan: Plan, namespace: Namespace, link: Link, address: Address, added: bool) -> Note:
    """The operations that record an address that the lab adds to a link, or removes from it."""
    if plan.owns(link):
        return [], []
    record, operations, undo = _open(plan, namespace, link)
    # An address that the lab removes again after adding it, or adds again, is as before the lab.
    changed, opposite = ("added", "lost") if added else ("lost", "added")
    known = [one for one in record[opposite] if one["cidr"] == address.cidr]
    for one in known:
        record[opposite].remove(one)
    if not known:
        record[changed].append(dataclasses.asdict(address))
    return operations, undo


def added(plan: Plan, namespace: Namespace, link: Link) -> set[str]:
    """The addresses that the lab added to a link of somebody else, as CIDR strings."""
    record = plan.adopted(namespace, link)
    return {one["cidr"] for one in record["added"]} if record else set()


def is_known(plan: Plan, namespace: Namespace, link: Link) -> bool:
    """Whether the lab has changed a link of somebody else, so that it has something to restore."""
    return not plan.owns(link) and plan.adopted(namespace, link) is not None


def release(plan: Plan, namespace: Namespace, link: Link) -> None:
    """Plan to restore what the lab changed on a link, and to release the link."""
    known_by = plan.adopted_key(namespace, link)
    record = remembered.recall(plan, known_by)
    if record:
        _give_back(plan, known_by, record, namespace, link)


def release_all(plan: Plan, leaving: t.Container[Namespace] = (), kept: t.Container[tuple[str, str]] = ()) -> None:
    """Plan to restore and release all such links, except those *kept*, as (namespace, link), and those in removed
    namespaces.
    """
    for known_by, record in remembered.everything(plan, ADOPTED):
        namespace = plan.snapshot.namespace(record["netns"])
        link = namespace.link_with(int(known_by.split()[-1])) if namespace else None
        if namespace in leaving or not link or not namespace or known_by != plan.adopted_key(namespace, link):
            remembered.forget(plan, known_by, record)  # it no longer exists, or the plan removes it
        elif (namespace.ref, link.name) not in kept:
            _give_back(plan, known_by, record, namespace, link)


def _open(plan: Plan, namespace: Namespace, link: Link) -> tuple[remembered.Record, list[Operation], list[Operation]]:
    """The record of a link, to which the caller adds values, and the operations that write it and undo that.

    All changes of a plan share a record. Whichever comes first writes the old values for all of them.
    """
    known_by = plan.adopted_key(namespace, link)
    new = {"netns": namespace.ref, "dev": link.name, "adopted": False, "old": {}, "new": {}}
    record = plan.adopt(namespace, link, {**new, "added": [], "lost": [], "routes": []})
    before = remembered.recall(plan, known_by)
    return record, [remembered.write(plan, known_by, record)], [remembered.write(plan, known_by, before)]


def _give_back(plan: Plan, known_by: str, record: remembered.Record, namespace: Namespace, link: Link) -> None:
    """Plan one change that restores settings that still have the lab's values, addresses and routes, and deletes the
    record.
    """
    current = {name: getattr(link, name) for name in (*fields.LINK, *fields.PORT)}
    current.update(link.options, hostname=namespace.hostname)
    back = {
        name: old
        for name, old in record["old"].items()
        if current.get(name) == record["new"][name] != old
        and not (name == "master" and old not in ("", *namespace.links))
    }
    operations: list[Operation] = []
    undo: list[Operation] = []
    for make, values in (
        (_hostname, {name: value for name, value in back.items() if name == "hostname"}),
        (_options, {name: value for name, value in back.items() if name in link.options}),
        (_settings, {name: value for name, value in back.items() if name not in ("hostname", *link.options)}),
    ):
        if values:
            operations.append(make(namespace, link, values))
            undo.append(make(namespace, link, {name: current[name] for name in values}))
    cidrs = {one.cidr: one for one in link.addresses}
    if back.get("up") is False:  # a link that goes down loses IPv6 addresses, also those that it had before the lab
        added_cidrs = {one["cidr"] for one in record["added"]}
        lost = [one for one in link.addresses if one.version == 6 and one.scope != "host"]
        for address in [one for one in lost if one.cidr not in added_cidrs and not one.is_link_local]:
            operations.append(AddAddress(namespace.ref, link.name, address))
    for one in record["added"]:
        if one["cidr"] in cidrs:
            operations.append(DeleteAddress(namespace.ref, link.name, cidrs[one["cidr"]]))
            undo.append(AddAddress(namespace.ref, link.name, cidrs[one["cidr"]]))
    for one in record["lost"]:
        if one["cidr"] not in cidrs:
            operations.append(AddAddress(namespace.ref, link.name, Address.of(one)))
            undo.append(DeleteAddress(namespace.ref, link.name, Address.of(one)))
    for one in record["routes"]:
        route = Route.of(one)
        if route not in namespace.table(route.family).like(route):
            operations.append(put_back(namespace.ref, route))
            undo.append(DeleteRoute(namespace.ref, route))
    for altname in [one for one in record["new"].get("altnames", []) if one in link.altnames]:
        operations.append(DeleteAltname(namespace.ref, link.name, altname))
        undo.append(AddAltname(namespace.ref, link.name, altname))
    plan.add(
        Stage.CONFIGURE,
        namespace.ref,
        [*operations, remembered.write(plan, known_by, None)],
        [*undo, remembered.write(plan, known_by, record)],
        ("links", link.name),
        {"adopted_by": plan.lab, **{name: current[name] for name in back}},
        {"adopted_by": "", **back},
        _commands(namespace, link, back, operations),
    )


def _settings(namespace: Namespace, link: Link, values: dict[str, t.Any]) -> Operation:
    return SetLink(namespace.ref, link.name, values)


def _options(namespace: Namespace, link: Link, values: dict[str, t.Any]) -> Operation:
    return SetBridge(namespace.ref, link.name, values)


def _hostname(namespace: Namespace, link: Link, values: dict[str, t.Any]) -> Operation:
    return SetHostname("", namespace.ref, values["hostname"])


def _commands(namespace: Namespace, link: Link, back: dict[str, t.Any], operations: list[Operation]) -> list[str]:
    """The change as shell commands."""
    found = []
    name = shlex.quote(link.name)
    if "hostname" in back:
        found.append(set_hostname(namespace, back["hostname"]))
    options = fields.words(fields.BRIDGE, back)
    if options:
        found.append(enter(namespace, "ip link set dev {0} type bridge {1}".format(name, " ".join(options))))
    settings = {one: value for one, value in back.items() if one not in ("hostname", *link.options)}
    if settings:
        found.append(enter(namespace, set_command(link.name, settings)))
    for one in operations:
        if isinstance(one, AddAddress):
            found.append(enter(namespace, add_address(link.name, one.address)))
        elif isinstance(one, DeleteAddress):
            found.append(enter(namespace, delete_address(link.name, one.address)))
    return found
