# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The resource `sysctl`: a kernel setting, with the value that it had before kept to be given back."""

from __future__ import annotations

import dataclasses
import os
import shlex
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils import lab as rules
from ansible_collections.linuxnet.lab.plugins.module_utils.commands import enter
from ansible_collections.linuxnet.lab.plugins.module_utils.errors import LabError
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import sysctl
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.operations import Operation
from ansible_collections.linuxnet.lab.plugins.module_utils.plan import Plan, Stage
from ansible_collections.linuxnet.lab.plugins.module_utils.resources import memory
from ansible_collections.linuxnet.lab.plugins.module_utils.snapshot import Namespace

_KIND = "sysctl"


@dataclasses.dataclass
class Sysctl:
    """A sysctl of a namespace.

    :ivar persist: whether the host keeps it over a reboot, in a file under /etc/sysctl.d; None leaves that.
    :ivar remembered: whether the lab remembers the old value; not needed in a namespace that begins and ends with it.
    :ivar usual: whether nothing needs to be done where new namespaces have this value anyway.
    """

    netns: str
    name: str
    value: str = ""
    persist: bool | None = None
    present: bool = True
    place: str = "name"
    remembered: bool = True
    usual: bool = False

    def __post_init__(self) -> None:
        parts = self._parts()
        if all(parts) and not any("." in part for part in parts):
            self.name = ".".join(parts)  # one name for one thing, however it was written

    def check(self) -> list[str]:
        """A name that stays inside /proc/sys; only those under `net` belong to a namespace."""
        errors = rules.check_netns("netns", self.netns)
        parts = self._parts()
        if not all(parts) or ".." in parts or "." in parts or len(parts) < 2:
            errors.append("{0}: {1!r} is not the name of a sysctl".format(self.place, self.name))
        elif self.netns and parts[0] != "net":
            errors.append(
                "{0}: {1!r} belongs to the whole machine, only net.* to a namespace".format(self.place, self.name)
            )
        if self.persist and self.netns:
            errors.append("persist: only the host's sysctls can be persistent, not those of {0!r}".format(self.netns))
        if self.present and not self.value.strip():
            errors.append("{0}: a value for {1!r} is missing".format(self.place, self.name))
        return errors

    def claims(self) -> list[tuple[str, str, str]]:
        """The setting."""
        return [("sysctl", "{0} in {1}".format("/".join(self._parts()), self.netns or "the host"), self.place)]

    def plan(self, plan: Plan) -> None:
        """Set it and keep the old value, or give the old value back."""
        if not self.present:
            give_back(plan, self.netns, self.name)
            if self.persist is not False and not self.netns:
                _persist(plan, self.name, None)
            return
        namespace = plan.namespace(self.netns, "netns")
        if self.usual and plan.snapshot.new_sysctl(self.name) == sysctl.normal(self.value):
            return
        current = self._current(plan, namespace)
        if current is None and not plan.is_assumed(namespace, self._dev()):
            raise LabError("{0}: {1} has no sysctl {2!r}".format(self.place, namespace.title, self.name))
        self._set(plan, namespace, current)
        if self.persist is not None and not self.netns:
            _persist(plan, self.name, sysctl.normal(self.value) if self.persist else None)

    def forget(self, plan: Plan) -> None:
        """Plan the value of a new namespace instead: what it was before, where no old value is remembered."""
        namespace = plan.snapshot.namespace(self.netns)
        current = plan.snapshot.sysctl(self.netns, self.name)
        new = plan.snapshot.new_sysctl(self._like_new())
        if namespace and current is not None and new is not None:
            change(plan, namespace, self.name, current, new)

    def _current(self, plan: Plan, namespace: Namespace) -> str | None:
        """Its value: what is made by the same plan has that of any new namespace."""
        dev = self._dev()
        found = namespace.links.get(dev)
        born = found is not None and (found.born or found.moved)
        try:
            if not namespace.new and not born:
                current = plan.snapshot.sysctl(self.netns, self.name)
            else:
                current = plan.snapshot.new_sysctl(self._like_new())
        except PermissionError as exc:  # those that only make something happen
            raise LabError("{0}: {1!r} cannot be read in {2}".format(self.place, self.name, namespace.title)) from exc
        if current is None and dev not in ("", "all", "default"):
            plan.link(namespace, dev, self.place)
        return current

    def _parts(self) -> list[str]:
        return self.name.split("/") if "/" in self.name else self.name.split(".")

    def _like_new(self) -> str:
        """The setting, or that which new links copy theirs from."""
        dev = self._dev()
        return "/".join("default" if part == dev and dev != "all" else part for part in self._parts())

    def _dev(self) -> str:
        """The link that the setting is one of; empty for none."""
        parts = self._parts()
        return parts[3] if len(parts) == 5 and parts[0] == "net" and parts[2] in ("conf", "neigh") else ""

    def _set(self, plan: Plan, namespace: Namespace, current: str | None) -> None:
        wanted = sysctl.normal(self.value)
        # What tells a whole namespace how to behave does so before its links have begun to behave otherwise. New links
        # copy `default`, which is for those that come later.
        early = namespace.new and self._dev() in ("", "all")
        stage = Stage.NETNS_SYSCTL if early else Stage.SYSCTL
        if not self.remembered:
            change(plan, namespace, self.name, current, wanted, stage)
            return
        key = memory.key(plan, _KIND, self.netns, self.name)
        mine, others = memory.recall(plan, key), memory.recall_others(plan, key)
        operations, undo, commands = [], [], []
        if wanted != current:
            operations.append(_write(self.netns, self.name, wanted))
            if current is not None:
                undo.append(_write(self.netns, self.name, current))
            commands.append(_command(namespace, self.name, wanted))
        elif not mine and not others:
            return  # as it was before any lab came
        old = (mine or (others[0] if others else {"old": current}))["old"]
        record = {"netns": self.netns, "name": self.name, "old": old, "value": wanted}
        if current not in (None, old, wanted):
            record["before"] = current  # what the lab finds as its own if the run ends before it is written
        if operations or mine is None or mine["value"] != wanted:
            operations.insert(0, memory.write(plan, key, record))
            undo.append(memory.write(plan, key, mine))
            where = ("sysctl", self.name)
            plan.add(stage, self.netns, operations, undo, where, current, wanted, commands)


def change(
    plan: Plan, namespace: Namespace, name: str, current: str | None, wanted: str, stage: Stage = Stage.SYSCTL
) -> None:
    """Plan another value, without keeping the old one."""
    if wanted == current:
        return
    undo = [] if current is None else [_write(namespace.ref, name, current)]
    commands = [_command(namespace, name, wanted)]
    operations = [_write(namespace.ref, name, wanted)]
    plan.add(stage, namespace.ref, operations, undo, ("sysctl", name), current, wanted, commands)


def give_back(plan: Plan, netns: str, name: str) -> None:
    """Plan that a sysctl gets its old value back, unless another lab needs it or somebody else changed it since."""
    namespace = plan.snapshot.namespace(netns)
    key = memory.key(plan, _KIND, netns, name)
    mine, others = memory.recall(plan, key), memory.recall_others(plan, key)
    if mine is None or namespace is None:
        return
    current = plan.snapshot.sysctl(netns, name)
    if current is None:
        memory.forget(plan, key, mine)  # gone with its link
        return
    operations, undo, commands = [], [memory.write(plan, key, mine)], []
    target = current
    if current in (mine["value"], mine.get("before")):
        target = others[-1]["value"] if others else mine["old"]
    elif current not in [mine["old"], *(other["value"] for other in others)]:
        plan.warnings.append(
            "{0} is {1!r} in {2}, not the {3!r} that the lab set: it is left so".format(
                name, current, namespace.title, mine["value"]
            )
        )
    if target != current:
        operations.append(_write(netns, name, target))
        undo.append(_write(netns, name, current))
        commands.append(_command(namespace, name, target))
    # Only then: what ends before would otherwise have lost the old value.
    operations.append(memory.write(plan, key, None))
    plan.add(Stage.REMOVE_SYSCTL, netns, operations, undo, ("sysctl", name), current, target, commands)


def give_all_back(plan: Plan, leaving: t.Container[str], kept: t.Container[tuple[str, str]] = ()) -> None:
    """Plan the old values of all sysctls that the lab set, except in the namespaces with the identities *leaving*.

    :arg kept: those that stay as they are, as (namespace, name).
    """
    for known_by, record in memory.everything(plan, _KIND):
        netns, name = record["netns"], record["name"]
        if (netns, name) in kept:
            continue
        there = known_by == memory.key(plan, _KIND, netns, name)
        if there and plan.snapshot.identity(netns) not in leaving:
            give_back(plan, netns, name)
        else:
            memory.forget(plan, known_by, record)  # the namespace is gone, or goes, and its sysctls with it


def forget_persistent(plan: Plan) -> None:
    """Plan the end of the lab's file under /etc/sysctl.d."""
    _write_file(plan, {})


def _write(netns: str, name: str, value: str | None) -> Operation:
    return Operation(netns, "sysctl_write", {"name": name, "value": value})


def _command(namespace: Namespace, name: str, value: str | None) -> str:
    return enter(namespace, "sysctl -w {0}".format(shlex.quote("{0}={1}".format(name, value))))


def _persist(plan: Plan, name: str, value: str | None) -> None:
    """Plan one line of the lab's file under /etc/sysctl.d; None takes it out."""
    settings = _persistent(plan)
    if settings.get(name) == value:
        return
    settings.pop(name, None)
    if value is not None:
        settings[name] = value
    _write_file(plan, settings)


def _path(plan: Plan) -> str:
    return os.path.join(sysctl.PERSIST_DIR, "90-linuxnet.lab-{0}.conf".format(plan.lab))


def _persistent(plan: Plan) -> dict[str, str]:
    lines = (plan.snapshot.file(_path(plan)) or "").splitlines()
    pairs = [line.split("=", 1) for line in lines if "=" in line and not line.startswith("#")]
    return {name.strip(): value.strip() for name, value in pairs}


def _write_file(plan: Plan, settings: dict[str, str]) -> None:
    path = _path(plan)
    before = plan.snapshot.file(path)
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
        [Operation("", "file_write", {"path": path, "text": text})],
        [Operation("", "file_write", {"path": path, "text": before})],
        ("files", path),
        before,
        text,
        [command],
    )
    plan.snapshot.put_file(path, text)
