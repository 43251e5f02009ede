# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The resource `netns`: a network namespace, named or held by a process."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils import ownership, rules
from ansible_collections.linuxnet.lab.plugins.module_utils.commands import enter, holder, set_hostname, variable
from ansible_collections.linuxnet.lab.plugins.module_utils.errors import LabError
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.actions import Operation
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.links import SetLink
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.netns import (
    CreateNetns,
    HoldNetns,
    ReleaseNetns,
    RemoveNetns,
    SetHostname,
)
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.objects import Address, Link
from ansible_collections.linuxnet.lab.plugins.module_utils.plan import Plan, Stage
from ansible_collections.linuxnet.lab.plugins.module_utils.resources import adopted, remembered
from ansible_collections.linuxnet.lab.plugins.module_utils.resources.link import remove as remove_link
from ansible_collections.linuxnet.lab.plugins.module_utils.snapshot import Namespace, mark


@dataclasses.dataclass
class Netns:
    """A network namespace.

    :ivar held: whether a process with its own UTS namespace holds it, instead of a file in /run/netns.
    :ivar hostname: the hostname in a held namespace; None for its own name.
    :ivar hostname_place: the place of the hostname in the data. :ivar lo_up: whether `lo` is up; None keeps its state.
    """

    name: str
    held: bool = False
    hostname: str | None = None
    lo_up: bool | None = True
    present: bool = True
    place: str = "name"
    hostname_place: str = "hostname"

    def check(self) -> list[str]:
        """Errors in the name, and in the hostname, which only a held namespace can have."""
        errors = rules.check_netns_name(self.place, self.name)
        if self.hostname is not None:
            errors += rules.check_hostname(self.hostname_place, self.hostname)
            if not self.held:
                errors.append(
                    "{0}: {1!r} needs held; a namespace in a file has no hostname".format(
                        self.hostname_place, self.hostname
                    )
                )
        return errors

    def claims(self) -> list[tuple[str, str, str]]:
        """Its name."""
        return [("namespace", self.name, self.place)]

    def plan(self, plan: Plan) -> None:
        """Create, correct or remove it."""
        namespace = plan.snapshot.namespace(self.name)
        if not self.present:
            if namespace is not None:
                self._demand(plan, namespace)
                if adopted.is_known(plan, namespace, namespace.links["lo"]):
                    adopted.release(plan, namespace, namespace.links["lo"])
                else:
                    remove(plan, namespace)
            return
        if namespace is None:
            obstacle = plan.snapshot.name_taken(self.name)
            if obstacle:
                raise LabError("{0}: {1}".format(self.place, obstacle))
            namespace = self._create(plan)
        self._demand(plan, namespace)
        if namespace.held != self.held:
            raise LabError(
                "{0}: {1} exists and is {2} by a process".format(
                    self.place, namespace.title, "held" if namespace.held else "not held"
                )
            )
        self._correct(plan, namespace)

    def _create(self, plan: Plan) -> Namespace:
        namespace = Namespace(self.name, {"lo": Link("lo", index=1, mtu=65536)})
        namespace.held = self.held
        namespace.links["lo"].alias, namespace.recorded = mark(plan.lab), plan.lab
        # Nobody ever finds it without its mark, nor, where the run is killed, does the next one.
        lo = {"alias": mark(plan.lab), **({"up": True} if self.lo_up else {})}
        if self.held:
            namespace.hostname = self.hostname or self.name
            make: Operation = HoldNetns("", self.name, plan.lab, namespace.hostname, lo)
            take_back: Operation = ReleaseNetns("", self.name)
            # The shell has to wait until the namespace is there: unshare(1) does not say when it is, and nsenter(1)
            # would lead into the shell's own.
            commands = [
                "unshare --net --uts sleep infinity & {0}=$!; "
                "while [ /proc/${0}/ns/uts -ef /proc/$$/ns/uts ]; do sleep 0.1; done".format(variable(self.name)),
                set_hostname(namespace, namespace.hostname),
            ]
        else:
            make = CreateNetns("", self.name, lo)
            take_back = RemoveNetns("", self.name)
            commands = ["ip netns add {0}".format(self.name)]
        plan.add(Stage.NETNS, self.name, [make], [take_back], (), None, _shape(namespace), commands)
        plan.snapshot.put(self.name, namespace)
        if self.lo_up:  # by the same operation; by hand, and in the diff, it is a step of its own
            self._set_lo(plan, namespace, [], [])
        return namespace

    def _demand(self, plan: Plan, namespace: Namespace) -> None:
        """LabError if the namespace does not belong to the lab, unless forced."""
        if namespace.lab == plan.lab or plan.force or plan.has_adopted(namespace, namespace.links["lo"]):
            return
        whose = ownership.belongs(plan.lab, namespace.lab)
        reason = "{0}: {1} exists and {2}".format(self.place, namespace.title, whose)
        raise LabError(ownership.unless_forced(reason, "be changed"))

    def _correct(self, plan: Plan, namespace: Namespace) -> None:
        lo = namespace.links["lo"]
        if namespace.lab != plan.lab:  # forced, but the lab must not remove it
            adopted.take_over(plan, namespace, lo)
        if self.held and namespace.hostname != (self.hostname or self.name):
            wanted, before = self.hostname or self.name, namespace.hostname
            note, forget = adopted.note_settings(plan, namespace, lo, {"hostname": before}, {"hostname": wanted})
            plan.add(
                Stage.CONFIGURE,
                self.name,
                [*note, SetHostname("", self.name, wanted)],
                [SetHostname("", self.name, before), *forget],
                ("hostname",),
                before,
                wanted,
                [set_hostname(namespace, wanted)],
            )
            namespace.hostname = wanted
        if self.lo_up is not None and lo.up != self.lo_up:
            there_and_back = [SetLink(self.name, "lo", {"up": up}) for up in (self.lo_up, lo.up)]
            note, forget = adopted.note_settings(plan, namespace, lo, {"up": lo.up}, {"up": self.lo_up})
            self._set_lo(plan, namespace, [*note, there_and_back[0]], [there_and_back[1], *forget])

    def _set_lo(self, plan: Plan, namespace: Namespace, operations: list[Operation], undo: list[Operation]) -> None:
        lo = namespace.links["lo"]
        before, lo.up = lo.up, bool(self.lo_up)
        if lo.up:  # the kernel then adds the addresses of lo
            own = [Address(cidr, scope="host") for cidr in ("127.0.0.1/8", "::1/128")]
            if own[0] not in lo.addresses:  # which stays when lo goes down
                adopted.note_address(plan, namespace, lo, own[0], added=True)
            lo.addresses = [one for one in lo.addresses if one not in own]
            for address in own:
                namespace.note_address(lo, address)
        command = enter(namespace, "ip link set dev lo {0}".format("up" if lo.up else "down"))
        plan.add(Stage.CONFIGURE, self.name, operations, undo, ("links", "lo", "up"), before, lo.up, [command])


def remove(plan: Plan, namespace: Namespace, links: bool = True) -> None:
    """Plan the removal of a namespace and, unless *links* is false, of its links before.

    The kernel removes the links with the namespace, but not while a process is in it. Their other ends must not stay
    because of that.
    """
    for link in list(namespace.links.values()) if links else []:
        if link.name in namespace.links and link.kind in ("veth", "bridge"):
            remove_link(plan, namespace, link)
    if namespace.held:
        end: Operation = ReleaseNetns("", namespace.ref)
        command = "kill {0}".format(holder(namespace))
    else:
        end, command = RemoveNetns("", namespace.ref), "ip netns del {0}".format(namespace.ref)
    plan.add(
        Stage.REMOVE_NETNS,
        namespace.ref,
        [end],
        [],
        (),
        _shape(namespace),
        None,
        [command],
    )
    remembered.disown(plan, namespace)
    plan.snapshot.put(namespace.ref, None)


def _shape(namespace: Namespace) -> dict[str, t.Any]:
    if namespace.held:
        return {"held": True, "hostname": namespace.hostname}
    return {"held": False}
