# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The resource `bridge`: a bridge with its options, addresses and ports."""

from __future__ import annotations

import dataclasses
import shlex
import typing as t
from functools import partial

from ansible_collections.linuxnet.lab.plugins.module_utils import fields, rules
from ansible_collections.linuxnet.lab.plugins.module_utils.commands import enter, set_command
from ansible_collections.linuxnet.lab.plugins.module_utils.errors import LabError, each
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.actions import Operation
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.links import (
    CreateBridge,
    DeleteLink,
    SetBridge,
    SetLink,
)
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.objects import Link
from ansible_collections.linuxnet.lab.plugins.module_utils.plan import ALLOW, Plan, Stage
from ansible_collections.linuxnet.lab.plugins.module_utils.resources import address, adopted, crossing, link
from ansible_collections.linuxnet.lab.plugins.module_utils.snapshot import Namespace

_MTU_AT_BIRTH = 1500  # ETH_DATA_LEN of linux/if_ether.h


@dataclasses.dataclass
class Bridge:
    """A bridge.

    :ivar options: by the names of :data:`.fields.BRIDGE`, in the user's units. Other options stay as they are.
    :ivar ports: all ports; None keeps the existing ones.
    :ivar host_firewall: a choice of :mod:`.crossing`.
    :ivar usual_mtu: the MTU without an MTU of its own. If it is set, other options are reset to those of a new bridge.
    """

    netns: str
    name: str
    settings: link.Settings = dataclasses.field(default_factory=link.Settings)
    options: dict[str, t.Any] = dataclasses.field(default_factory=dict)
    addresses: address.Addresses = dataclasses.field(default_factory=address.Addresses)
    ports: list[str] | None = None
    present: bool = True
    place: str = ""
    usual_mtu: int | None = None
    host_firewall: str = ALLOW

    def check(self) -> list[str]:
        """Names, values, addresses."""
        errors = rules.check_netns(self.place + "netns", self.netns)
        errors += rules.check_link_name(self.place + "name", self.name)
        errors += self.settings.check(self.place)
        errors += self.addresses.check(self.place, self.settings.mtu or self.usual_mtu)
        errors += fields.check(fields.BRIDGE, self.options, self.place)
        delay = self.options.get("forward_delay")
        if self.options.get("stp") and delay is not None and delay < 2:
            errors.append(
                "{0}forward_delay: {1} is too short for STP, which takes 2 to 30 seconds".format(self.place, delay)
            )
        for number, port in enumerate(self.ports or []):
            errors += rules.check_link_name("{0}ports[{1}]".format(self.place, number), port)
            if port == self.name:
                errors.append("{0}ports[{1}]: {2!r} cannot be its own port".format(self.place, number, port))
        return errors

    def claims(self) -> list[tuple[str, str, str]]:
        """Its name, its addresses, its ports."""
        ports = [
            ("port", "{0!r} in {1}".format(port, self.netns or "the host"), "{0}ports[{1}]".format(self.place, number))
            for number, port in enumerate(self.ports or [])
        ]
        own = link.link_claim(self.netns, self.name, self.place + "name")
        return [own, *self.addresses.claims(self.place + "addresses"), *ports]

    def plan(self, plan: Plan) -> None:
        """Create, correct or delete it."""
        if not self.present:
            namespace = plan.snapshot.namespace(self.netns)
            found = namespace.links.get(self.name) if namespace else None
            if namespace and found:
                self._demand(plan, namespace, found, "be deleted")
                link.end(plan, namespace, found)
            return
        namespace = plan.namespace(self.netns, self.place + "netns")
        bridge = namespace.links.get(self.name)
        if bridge is None:
            bridge = self._create(plan, namespace)
        self._demand(plan, namespace, bridge)
        back = address.take_away(plan, namespace, bridge, self.addresses)
        # It goes down before it gets addresses, because it would lose them, and comes up last.
        first = dataclasses.replace(self.settings, up=self.settings.up and None)
        if plan.owns(bridge) and not bridge.born:
            first.mtu = first.mtu or self.usual_mtu
        link.configure(plan, namespace, bridge, first, self.place, marked=True)
        self._set_options(plan, namespace, bridge)
        steps = [partial(address.add, plan, namespace, bridge, self.addresses, self.place + "addresses", back)]
        if self.ports is not None:
            steps.append(partial(self._set_ports, plan, namespace, bridge, self.ports))
        steps.append(partial(link.configure, plan, namespace, bridge, link.Settings(up=self.settings.up), self.place))
        each(steps)
        crossing.cross(plan, namespace, self.host_firewall)

    def _demand(self, plan: Plan, namespace: Namespace, found: Link, deed: str = "be changed") -> None:
        plan.demand(namespace, found, self.place + "name", deed)
        if found.kind != "bridge":
            raise LabError(
                "{0}name: {1!r} in {2} is a {3}, not a bridge".format(
                    self.place, self.name, namespace.title, found.kind or "link of its own"
                )
            )

    def _create(self, plan: Plan, namespace: Namespace) -> Link:
        options, mtu = fields.to_kernel(fields.BRIDGE, self.options), self.settings.mtu
        bridge = Link(
            self.name,
            kind="bridge",
            mtu=mtu or _MTU_AT_BIRTH,
            mac=self.settings.mac or "",
            options=dict(options),
            born=True,
        )
        namespace.links[self.name] = bridge
        words = ["ip link add name", shlex.quote(self.name)]
        words += ["address", self.settings.mac] if self.settings.mac else []
        words += ["type bridge", *fields.words(fields.BRIDGE, options)]
        operations: list[Operation] = [CreateBridge(namespace.ref, self.name, self.settings.mac, options)]
        commands = [enter(namespace, " ".join(words))]
        # By itself and before any port comes: a bridge keeps its MTU, whatever that of its ports, if somebody has
        # changed it (br_change_mtu() of br_device.c). The MTU that it is born with has to be another one first.
        steps = [_MTU_AT_BIRTH + 1, mtu] if mtu == _MTU_AT_BIRTH else [mtu]
        for one in steps if mtu else ():
            operations.append(SetLink(namespace.ref, self.name, {"mtu": one}))
            commands.append(enter(namespace, set_command(self.name, {"mtu": one})))
        plan.add(
            Stage.BRIDGE,
            namespace.ref,
            operations,
            [DeleteLink(namespace.ref, self.name)],
            ("links", self.name),
            None,
            {"kind": "bridge", **fields.to_user(fields.BRIDGE, options)},
            commands,
        )
        return bridge

    def _set_options(self, plan: Plan, namespace: Namespace, bridge: Link) -> None:
        if self.usual_mtu and plan.owns(bridge) and not bridge.born:
            # If the kernel was built without an option, the option has its default anyway.
            wanted = {
                name: value for name, value in fields.usual(fields.BRIDGE).items() if name in bridge.options
            }
        else:
            wanted = {}
        wanted.update(fields.to_kernel(fields.BRIDGE, self.options))
        if not bridge.born and "ageing_time" not in bridge.options:  # not during an STP topology change
            wanted.pop("ageing_time", None)
            if "ageing_time" in self.options:
                text = "{0}ageing_time: bridge {1!r} does not show it during an STP topology change; run this again"
                plan.warnings.append(text.format(self.place, self.name))
        differing = {name: value for name, value in wanted.items() if bridge.options.get(name) != value}
        # In one message the kernel takes the delay first, and refuses one that is too short for STP.
        if differing.get("stp") is False:
            self._change_options(plan, namespace, bridge, {"stp": differing.pop("stp")})
        if differing:
            self._change_options(plan, namespace, bridge, differing)

    def _change_options(self, plan: Plan, namespace: Namespace, bridge: Link, differing: dict[str, t.Any]) -> None:
        before = {name: bridge.options[name] for name in differing if name in bridge.options}
        note, forget = adopted.note_settings(plan, namespace, bridge, before, differing)
        bridge.options.update(differing)
        words = " ".join(fields.words(fields.BRIDGE, differing))
        command = "ip link set dev {0} type bridge {1}".format(shlex.quote(self.name), words)
        plan.add(
            Stage.CONFIGURE,
            namespace.ref,
            [*note, SetBridge(namespace.ref, self.name, differing)],
            [SetBridge(namespace.ref, self.name, before), *forget],
            ("links", self.name),
            fields.to_user(fields.BRIDGE, before),
            fields.to_user(fields.BRIDGE, differing),
            [enter(namespace, command)],
        )

    def _set_ports(self, plan: Plan, namespace: Namespace, bridge: Link, ports: list[str]) -> None:
        each(
            partial(self._add_port, plan, namespace, port, "{0}ports[{1}]".format(self.place, number))
            for number, port in enumerate(ports)
        )
        for found in list(namespace.links.values()):
            others = not plan.owns(bridge) and not plan.owns(found)  # both existed before the lab
            if found.master == self.name and found.name not in ports and not others:
                plan.demand(namespace, found, self.place + "ports", "be taken off the bridge")
                link.configure(plan, namespace, found, link.Settings(master=""), self.place)

    def _check_ipv6(self, namespace: Namespace, port: Link, place: str) -> None:
        """LabError if a bridge would take over the MTU of a new port, and lose its IPv6 addresses.

        A bridge keeps its MTU if somebody has changed it (br_mtu_auto_adjust() of br_if.c). The kernel does not report
        that. If a bridge has ports, their MTUs show it.
        """
        bridge = namespace.links[self.name]
        ports = [one.mtu for one in namespace.links.values() if one.master == self.name]
        keeps = self.settings.mtu if bridge.born else ports and min(ports) != bridge.mtu
        lost = [one.cidr for one in bridge.addresses if one.version == 6 and not one.is_link_local]
        if lost and not keeps and port.master != self.name and 0 < port.mtu < rules.IPV6_MIN_MTU:
            text = "{0}: {1!r} has an MTU of {2}, which {3!r} would take over and so lose {4}; give it {5} or more"
            raise LabError(
                text.format(place, port.name, port.mtu, self.name, ", ".join(lost), rules.IPV6_MIN_MTU)
            )

    def _add_port(self, plan: Plan, namespace: Namespace, port: str, place: str) -> None:
        found = plan.link(namespace, port, place)
        plan.demand(namespace, found, place, "become a port")
        self._check_ipv6(namespace, found, place)
        link.configure(plan, namespace, found, link.Settings(master=self.name), place + ".")
