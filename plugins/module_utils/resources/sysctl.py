# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The resource `sysctl`: a sysctl, with its old value for the removal of the lab."""

from __future__ import annotations

import dataclasses
import os
import re
import shlex
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils import ownership, rules
from ansible_collections.linuxnet.lab.plugins.module_utils.commands import enter
from ansible_collections.linuxnet.lab.plugins.module_utils.errors import LabError
from ansible_collections.linuxnet.lab.plugins.module_utils.host import lab_files
from ansible_collections.linuxnet.lab.plugins.module_utils.host.records import WriteFile
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import sysctl
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.actions import Operation
from ansible_collections.linuxnet.lab.plugins.module_utils.plan import Plan, Stage
from ansible_collections.linuxnet.lab.plugins.module_utils.resources import guard, remembered
from ansible_collections.linuxnet.lab.plugins.module_utils.snapshot import Namespace

KIND = guard.SYSCTL
_RTPROT_RA = 9
_ALIASES = {"net.ipv4.conf.all.forwarding": sysctl.FORWARDING[4]}


@dataclasses.dataclass
class Sysctl:
    """A sysctl of a namespace.

    :ivar persist: whether a file under /etc/sysctl.d sets it at boot; None keeps the file as it is.
    :ivar remembered: whether to record the old value, which is not necessary in a namespace of the lab.
    :ivar usual: whether the plan skips it if new namespaces have this value anyway.
    :ivar net_only: whether it must be a network sysctl, on the host as well.
    :ivar because_of: the sysctl that requires this one. Both are restored together.
    """

    netns: str
    name: str
    value: str = ""
    persist: bool | None = None
    present: bool = True
    place: str = "name"
    remembered: bool = True
    usual: bool = False
    net_only: bool = False
    because_of: str = ""

    def __post_init__(self) -> None:
        parts = self._parts()
        if all(parts):
            name = sysctl.name_of(parts)  # the same name for all notations of a sysctl
            self.name = _ALIASES.get(name, name)

    def check(self) -> list[str]:
        """Errors in the name, which must stay inside /proc/sys. Only sysctls under `net` belong to a namespace."""
        errors = rules.check_netns("netns", self.netns)
        parts = self._parts()
        if not all(parts) or ".." in parts or "." in parts or len(parts) < 2:
            errors.append("{0}: {1!r} is not the name of a sysctl".format(self.place, self.name))
        elif self.netns and parts[0] != "net":
            errors.append(
                "{0}: {1!r} belongs to the whole machine, only net.* to a namespace".format(self.place, self.name)
            )
        elif self.net_only and parts[0] != "net":
            errors.append(
                "{0}: {1!r} belongs to the whole machine; a topology sets only net.*".format(self.place, self.name)
            )
        if self.persist and self.netns:
            errors.append("persist: only sysctls of the host can be persistent, not those of {0!r}".format(self.netns))
        if self.present and not self.value.strip():
            errors.append("{0}: a value for {1!r} is missing".format(self.place, self.name))
        return errors

    def claims(self) -> list[tuple[str, str, str]]:
        """The sysctl and its namespace."""
        return [("sysctl", "{0} in {1}".format("/".join(self._parts()), self.netns or "the host"), self.place)]

    def plan(self, plan: Plan) -> None:
        """Set it and record the old value, or restore the old value."""
        if not self.present:
            names = [self.name, *(record["name"] for dummy, record in _because_of(plan, self.netns, self.name))]
            give_back(plan, self.netns, self.name)
            for name in names if self.persist is not False and not self.netns else ():
                _persist(plan, name, None)
            return
        namespace = plan.namespace(self.netns, "netns")
        guard.follow(plan, namespace)
        if self.usual and plan.snapshot.once(sysctl.value_in_new, self.name) == sysctl.normal(self.value):
            return
        current = self._current(plan, namespace)
        if current is None and not plan.is_assumed(namespace, self._dev()):
            raise LabError("{0}: {1} has no sysctl {2!r}".format(self.place, namespace.title, self.name))
        link = namespace.links.get(self._dev())
        if current != sysctl.normal(self.value) and not (link and plan.owns(link)):
            plan.demand_netns(namespace, self.place, "get {0}={1}".format(self.name, self.value))
        if current is not None and self.remembered and not namespace.ref and not plan.force:
            self._demand(plan, namespace, current)
        if self.remembered:
            self._keep_learning(plan, namespace)
        self._set(plan, namespace, current)
        if self.persist is not None and not self.netns:
            _persist(plan, self.name, sysctl.normal(self.value) if self.persist else None)

    def forget(self, plan: Plan) -> None:
        """Plan the value of a new namespace, for a sysctl without a record of its old value."""
        namespace = plan.snapshot.namespace(self.netns)
        current = _value(plan, self.netns, self.name)
        new = plan.snapshot.once(sysctl.value_in_new, self._like_new())
        if namespace and current is not None and new is not None:
            change(plan, namespace, self.name, current, new)

    def _current(self, plan: Plan, namespace: Namespace) -> str | None:
        """Its value. An object that the plan creates has the value of a new namespace."""
        dev = self._dev()
        born = self._is_born(namespace)
        names = [self.name]
        if dev not in ("", "all", "default"):
            of_all, of_new = [self._of("*")], [self._of("default")] if born else []
            # A new link copies values that the plan has set for `default`, and loses them if the plan then sets `all`.
            names += of_new + of_all if namespace.new else of_all + of_new
        moved = (plan.moved_sysctls.get((self.netns, name)) for name in names)
        current = next((value for value in moved if value is not None), None)
        try:
            if current is None and namespace.new:
                current = plan.snapshot.once(sysctl.value_in_new, self._like_new())
            elif current is None:
                current = _value(plan, self.netns, self._like_new() if born else self.name)
        except PermissionError as exc:  # sysctls that only trigger an action
            raise LabError("{0}: {1!r} cannot be read in {2}".format(self.place, self.name, namespace.title)) from exc
        if current is None and dev not in ("", "all", "default"):
            plan.link(namespace, dev, self.place)
        return current

    def _is_born(self, namespace: Namespace) -> bool:
        """Whether the plan creates, moves or renames the link of the sysctl."""
        found = namespace.links.get(self._dev())
        return found is not None and (found.born or found.moved)

    def _before(self, plan: Plan, namespace: Namespace, current: str | None) -> str | None:
        """Its value before the plan, for the record. The plan may have changed it through another sysctl."""
        if current is None or namespace.new or self._is_born(namespace):
            return current
        return _value(plan, self.netns, self.name)

    @property
    def breadth(self) -> int:
        """Its scope. Sysctls that change others come first, those of single links come last."""
        dev = self._dev()
        if sysctl.effects(self.name, self.value):
            return 0
        return {"": 1, "all": 1, "default": 2}.get(dev, 3)

    def _parts(self) -> tuple[str, ...]:
        return sysctl.parts_of(self.name)

    def _like_new(self) -> str:
        """The sysctl, or the one from which new links copy theirs."""
        return self._of("default") if self._dev() not in ("", "all") else self.name

    def _of(self, dev: str) -> str:
        """The same sysctl of another link."""
        parts = self._parts()
        return sysctl.name_of([*parts[:3], dev, *parts[4:]])

    def _dev(self) -> str:
        """The link of the sysctl. Empty for none."""
        parts = self._parts()
        return parts[3] if len(parts) == 5 and parts[0] == "net" and parts[2] in ("conf", "neigh") else ""

    def _demand(self, plan: Plan, namespace: Namespace, current: str) -> None:
        """LabError if the host, or somebody on it, relies on what the sysctl would switch off."""
        wanted = sysctl.normal(self.value)
        link = namespace.links.get(self._dev())
        if wanted == current or (link is not None and plan.owns(link)):
            return
        setting = self._parts()[-1]
        if setting == "disable_ipv6" and current == "0":
            self._demand_no_addresses(plan, namespace)
        elif wanted == "0" and (self.name in sysctl.FORWARDING.values() or (self._dev() and setting == "forwarding")):
            self._demand_nobody_forwards(plan, current)

    def _demand_no_addresses(self, plan: Plan, namespace: Namespace) -> None:
        dev = self._dev()
        gone = [
            "{0} of {1}".format(address.cidr, link.name)
            for link in namespace.links.values()
            for address in link.addresses
            if dev in ("all", link.name) and not plan.owns(link)
            if address.version == 6 and address.scope not in ("link", "host")
        ]
        why = ""
        if gone:
            why = "deletes addresses for good ({0})".format(", ".join(gone))
        elif dev == "default":
            why = "leaves every link that the host gets later without IPv6"
        if why:
            reason = "{0}: {1}={2} {3}".format(self.place, self.name, self.value, why)
            raise LabError(ownership.unless_forced(reason, "be set"))

    def _demand_nobody_forwards(self, plan: Plan, current: str) -> None:
        """LabError if forwarding is on and this lab has not switched it on, because others may rely on it."""
        switch = sysctl.FORWARDING[4 if ".ipv4." in "." + ".".join(self._parts()) else 6]
        known_by = remembered.key(plan, KIND, self.netns, switch)
        own = remembered.recall(plan, remembered.key(plan, KIND, self.netns, self.name))
        mine = own or remembered.recall(plan, known_by)
        if any(record["value"] != "0" for record in remembered.recall_others(plan, known_by)):
            who = "another lab"
        elif mine and mine["old"] == "0":
            return
        else:
            who = "whoever set it, such as a container engine,"
        reason = "{0}: {1} is {2} on the host, and {3} relies on it".format(self.place, self.name, current, who)
        raise LabError(ownership.unless_forced(reason, "be set to 0"))

    def _keep_learning(self, plan: Plan, namespace: Namespace) -> None:
        """Plan that links continue to accept router advertisements, which a router ignores by default.

        The kernel deletes their default routes when forwarding of a link goes on (addrconf_fixup_forwarding() of
        net/ipv6/addrconf.c, accept_ra in the kernel's documentation).
        """
        parts = self._parts()
        router = parts[:3] == ("net", "ipv6", "conf") and parts[4:] == ("forwarding",)
        if not router or namespace.new or sysctl.normal(self.value) == "0":
            return
        learning = {link.name for link in namespace.links.values() if any(one.learnt for one in link.addresses)}
        learning |= {route.dev for route in namespace.table(6) if route.protocol == _RTPROT_RA}
        for link in namespace.links.values():
            if link.name not in learning or plan.owns(link):
                continue
            name = sysctl.name_of(["net", "ipv6", "conf", link.name, "accept_ra"])
            if _value(plan, self.netns, name) == "1":
                Sysctl(self.netns, name, "2", self.persist, place=self.place, because_of=self.name).plan(plan)

    def _set(self, plan: Plan, namespace: Namespace, current: str | None) -> None:
        wanted = sysctl.normal(self.value)
        # In a new namespace, set sysctls of the whole namespace before its links use them, and `default` before its
        # links copy it.
        early = namespace.new and self._dev() in ("", "all", "default")
        stage = Stage.NETNS_SYSCTL if early else Stage.SYSCTL
        if not self.remembered and namespace.lab == plan.lab:
            change(plan, namespace, self.name, current, wanted, stage)
            return
        key = remembered.key(plan, KIND, self.netns, self.name)
        mine, others = remembered.recall(plan, key), remembered.recall_others(plan, key)
        operations, undo, commands = [], [], []
        records = {} if mine else _of_others(plan, self.netns, self.name)
        before = self._before(plan, namespace, current)
        old = (mine or (others[0] if others else {"old": before}))["old"]
        if wanted != current:
            if current is not None:
                undo += _restoring(plan, namespace, self.name, current)
                records.update(_overwritten(plan, namespace, self.name, old, wanted, first=not mine and not others))
            operations.append(_write(self.netns, self.name, wanted))
            commands.append(_command(namespace, self.name, wanted))
            _move(plan, self.netns, self.name, wanted)
        elif not mine and not others:
            return  # it already had the value before any lab
        record = {"netns": self.netns, "name": self.name, "old": old, "value": wanted}
        if current not in (None, old, wanted):
            # If a run is killed between record and sysctl, the lab still recognizes the value as its own.
            record[remembered.REPLACED] = current
        if self.because_of:
            record["because_of"] = self.because_of
        if operations or mine is None or mine["value"] != wanted:
            for known_by, one in [(key, record), *records.items()]:
                former = remembered.recall(plan, known_by)
                operations.insert(0, remembered.keep(plan, known_by, one))
                undo.append(remembered.write(plan, known_by, former))
            where = ("sysctl", self.name)
            plan.add(stage, self.netns, operations, undo, where, before, wanted, commands)


def in_order(settings: t.Iterable[Sysctl]) -> list[Sysctl]:
    """The settings in an order in which none overwrites another one."""
    return sorted(settings, key=lambda one: one.breadth)


def _value(plan: Plan, netns: str, name: str) -> str | None:
    """The current value of a sysctl in a namespace. None if the kernel has no such sysctl."""
    return plan.snapshot.once(sysctl.value, netns, name)


def change(
    plan: Plan, namespace: Namespace, name: str, current: str | None, wanted: str, stage: Stage = Stage.SYSCTL
) -> None:
    """Plan another value, without recording the old one."""
    if wanted == current:
        return
    undo = [] if current is None else _restoring(plan, namespace, name, current)
    commands = [_command(namespace, name, wanted)]
    operations = [_write(namespace.ref, name, wanted)]
    plan.add(stage, namespace.ref, operations, undo, ("sysctl", name), current, wanted, commands)
    _move(plan, namespace.ref, name, wanted)


def give_back(plan: Plan, netns: str, name: str) -> None:
    """Plan to restore the old value of a sysctl, unless another lab needs it or somebody else has changed it since.

    This includes the sysctls that it required, and those that the kernel sets together with it.
    """
    namespace = plan.snapshot.namespace(netns)
    key = remembered.key(plan, KIND, netns, name)
    mine, others = remembered.recall(plan, key), remembered.recall_others(plan, key)
    if mine is None or namespace is None:
        return
    guard.follow(plan, namespace)
    followers = _because_of(plan, netns, name)
    current = _value(plan, netns, name)
    if current is None:
        remembered.forget(plan, key, mine)  # it disappeared with its link
        return
    operations: list[Operation] = []
    undo: list[Operation] = [remembered.write(plan, key, mine)]
    commands: list[str] = []
    target = current
    if current in (mine["value"], mine.get(remembered.REPLACED)):
        target = others[-1]["value"] if others else mine["old"]
    elif current not in [mine["old"], *(other["value"] for other in others)]:
        plan.warnings.append(
            "{0} is {1!r} in {2}, not the {3!r} that the lab set, so it stays".format(
                name, current, namespace.title, mine["value"]
            )
        )
    values = {} if others else _values_before(plan, namespace, name, current, target)
    if target != plan.moved_sysctls.get((netns, name), current):
        operations.append(_write(netns, name, target))
        undo += _restoring(plan, namespace, name, current)
        commands.append(_command(namespace, name, target))
        _move(plan, netns, name, target)
    else:
        undo += [_write(netns, one, _value(plan, netns, one)) for one in values]
    for one, value in values.items():
        operations.append(_write(netns, one, value))
        commands.append(_command(namespace, one, value))
        plan.moved_sysctls[netns, one] = value
    # Delete the record last. A run that is killed before that would otherwise lose the old value.
    operations.append(remembered.keep(plan, key, None))
    set_together = _together(plan, namespace, name, current)
    for known_by, record in followers:
        if record["name"] in set_together:
            operations.append(remembered.keep(plan, known_by, None))
            undo.insert(0, remembered.write(plan, known_by, record))
    plan.add(Stage.REMOVE_SYSCTL, netns, operations, undo, ("sysctl", name), current, target, commands)
    for known_by, record in followers:
        if remembered.recall(plan, known_by):
            give_back(plan, netns, record["name"])


def give_all_back(plan: Plan, leaving: t.Container[str], kept: t.Container[tuple[str, str]] = ()) -> None:
    """Plan to restore all sysctls that the lab has set, except in the namespaces with the identities *leaving*.

    :arg kept: sysctls that stay as they are, as (namespace, name).
    """
    records = remembered.everything(plan, KIND)
    named = {(record["netns"], record["name"]) for dummy, record in records}
    # First the sysctls with which the kernel sets others, then the others.
    for known_by, record in sorted(records, key=lambda one: not sysctl.effects(one[1]["name"], one[1]["value"])):
        netns, name = record["netns"], record["name"]
        if (netns, name) in kept:
            continue
        exists = known_by == remembered.key(plan, KIND, netns, name)
        if not exists or plan.snapshot.identity(netns) in leaving:
            remembered.forget(plan, known_by, record)  # the namespace disappears with its sysctls
        elif (netns, record.get("because_of")) not in named:
            give_back(plan, netns, name)


# ---- the sysctls that the kernel sets together with another one


def _move(plan: Plan, netns: str, name: str, value: str) -> None:
    """Update the snapshot: the value, and those that the kernel sets with it."""
    for one, made in {name: value, **sysctl.effects(name, value)}.items():
        plan.moved_sysctls[netns, one] = made


def _together(plan: Plan, namespace: Namespace, name: str, value: str) -> dict[str, str]:
    """The values, by name, that the kernel gives existing other sysctls when this one gets a value."""
    if namespace.new:
        return {}
    found = {}
    for one, made in sysctl.effects(name, value).items():
        parts = sysctl.parts_of(one)
        links = [link.name for link in namespace.links.values() if not link.born] if "*" in parts else [parts[3]]
        for dev in links:
            found[sysctl.name_of([*parts[:3], dev, *parts[4:]])] = made
    return {one: made for one, made in found.items() if _value(plan, namespace.ref, one) is not None}


def _restoring(plan: Plan, namespace: Namespace, name: str, current: str) -> list[Operation]:
    """The operations that undo a change: the current value, and then those of other sysctls that the kernel would not
    restore with it.
    """
    values = {one: _value(plan, namespace.ref, one) for one in _together(plan, namespace, name, current)}
    made = _together(plan, namespace, name, current)
    others = [_write(namespace.ref, one, value) for one, value in values.items() if value != made[one]]
    return [_write(namespace.ref, name, current), *others]


def _overwritten(
    plan: Plan, namespace: Namespace, name: str, old: str, wanted: str, first: bool
) -> dict[str, remembered.Record]:
    """Records, by key, of the values that the kernel would not restore together with the old value of this sysctl.

    :arg first: whether there is no record yet. Later records keep the first values.
    """
    made, back = _together(plan, namespace, name, wanted), _together(plan, namespace, name, old)
    found = {}
    for one, value in made.items():
        known_by = remembered.key(plan, KIND, namespace.ref, one)
        mine, current = remembered.recall(plan, known_by), _value(plan, namespace.ref, one)
        link = namespace.links.get(sysctl.parts_of(one)[3])
        if mine and mine.get("because_of") == name:
            found[known_by] = {**mine, "value": value}
        elif first and mine is None and current != back[one] and not (link and plan.owns(link)):
            record = {"netns": namespace.ref, "name": one, "old": current, "value": value}
            found[known_by] = {**record, "because_of": name}
    return found


def _values_before(plan: Plan, namespace: Namespace, name: str, current: str, target: str) -> dict[str, str]:
    """The values to write to other sysctls of the namespace after this one is *target* again.

    They get their old values, unless somebody has changed them since.
    """
    now, then = _together(plan, namespace, name, current), _together(plan, namespace, name, target)
    found = {}
    for one, made in now.items():
        present = t.cast(str, _value(plan, namespace.ref, one))
        after = then[one] if target != current else present  # the value that results without a write
        record = remembered.recall(plan, remembered.key(plan, KIND, namespace.ref, one))
        if present != made:
            value = present
        elif record and record.get("because_of") == name:
            value = record["old"]
        else:
            value = after
        if value != after:
            found[one] = value
    return found


def _because_of(plan: Plan, netns: str, name: str) -> list[tuple[str, remembered.Record]]:
    """The lab's records of sysctls that another one required, or that the kernel set with it."""
    return [
        (known_by, record)
        for known_by, record in remembered.everything(plan, KIND)
        if (record["netns"], record.get("because_of")) == (netns, name)
        if known_by == remembered.key(plan, KIND, netns, record["name"])
    ]


def _of_others(plan: Plan, netns: str, name: str) -> dict[str, remembered.Record]:
    """The same records of another lab, by key, which this lab needs if the other one ends first."""
    found = {}
    for lab in plan.snapshot.remembering():
        for record in remembered.records(plan.snapshot, lab, KIND) if lab != plan.lab else ():
            if record.get("because_of") == name and record["netns"] == netns:
                found[remembered.key(plan, KIND, netns, record["name"])] = record
    return found


def forget_persistent(plan: Plan) -> None:
    """Plan the removal of the lab's file under /etc/sysctl.d."""
    _write_file(plan, {})


def _write(netns: str, name: str, value: str | None) -> Operation:
    return sysctl.WriteSysctl(netns, name, value or "")


def _command(namespace: Namespace, name: str, value: str | None) -> str:
    if re.search(r"[^\w./:@-]", name):  # sysctl(8) gives some characters of link names a meaning of its own
        command = "echo {0} > {1}".format(shlex.quote(str(value)), shlex.quote(sysctl.path_of(name)))
        return enter(namespace, "sh -c {0}".format(shlex.quote(command)))
    return enter(namespace, "sysctl -w {0}".format(shlex.quote("{0}={1}".format(name, value))))


def _persist(plan: Plan, name: str, value: str | None) -> None:
    """Plan one line of the lab's file under /etc/sysctl.d. None removes it."""
    settings = _persistent(plan)
    if settings.get(name) == value:
        return
    settings.pop(name, None)
    if value is not None:
        settings[name] = value
    _write_file(plan, settings)


def _path(plan: Plan) -> str:
    return os.path.join(lab_files.SYSCTL_DIR, "90-linuxnet.lab-{0}.conf".format(plan.lab))


@dataclasses.dataclass
class _File:
    """A file in the snapshot. None if it does not exist."""

    text: str | None


def _file(sockets: t.Any, path: str) -> _File:
    return _File(lab_files.read_file(path))


def _persistent(plan: Plan) -> dict[str, str]:
    lines = (plan.snapshot.once(_file, _path(plan)).text or "").splitlines()
    pairs = [line.split("=", 1) for line in lines if "=" in line and not line.startswith("#")]
    return {name.strip(): value.strip() for name, value in pairs}


def _write_file(plan: Plan, settings: dict[str, str]) -> None:
    path = _path(plan)
    file = plan.snapshot.once(_file, path)
    before = file.text
    lines = ["# Kept for lab {0} by the Ansible collection linuxnet.lab".format(plan.lab)]
    lines += ["{0} = {1}".format(name, value) for name, value in settings.items()]
    text = "\n".join([*lines, ""]) if settings else None
    if text == before:
        return
    command = "rm {0}".format(path)
    if text is not None:
        command = "printf '%s\\n' {0} > {1}".format(shlex.join(lines), path)
    plan.add(
        Stage.REMOVE_SYSCTL if text is None else Stage.SYSCTL,
        "",
        [WriteFile("", path, text)],
        [WriteFile("", path, before)],
        ("files", path),
        before,
        text,
        [command],
    )
    file.text = text
