# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The resource `sysctl`: a kernel setting, with the value that it had before kept to be given back."""

from __future__ import annotations

import dataclasses
import os

from ansible_collections.linuxnet.lab.plugins.module_utils import lab as rules
from ansible_collections.linuxnet.lab.plugins.module_utils.commands import enter
from ansible_collections.linuxnet.lab.plugins.module_utils.errors import LabError
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import sysctl
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.operations import Operation
from ansible_collections.linuxnet.lab.plugins.module_utils.plan import Plan, Stage

PERSIST_DIR = "/etc/sysctl.d"
_PREFIX = "sysctl "


@dataclasses.dataclass
class Sysctl:
    """A sysctl of a namespace.

    :ivar persist: whether the host keeps it over a reboot, in a file of the lab's under /etc/sysctl.d; None leaves that.
    """

    netns: str
    name: str
    value: str = ""
    persist: bool | None = None
    present: bool = True
    place: str = "name"

    def __post_init__(self) -> None:
        parts = self._parts()
        if not any("." in part for part in parts):
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
        current = plan.snapshot.sysctl(self.netns, self.name) if not namespace.new else None
        if current is None and not plan.is_assumed(namespace):
            raise LabError("{0}: {1} has no sysctl {2!r}".format(self.place, namespace.title, self.name))
        self._set(plan, current)
        if self.persist is not None and not self.netns:
            _persist(plan, self.name, self.value.strip() if self.persist else None)

    def _parts(self) -> list[str]:
        return self.name.split("/") if "/" in self.name else self.name.split(".")

    def _set(self, plan: Plan, current: str | None) -> None:
        wanted = sysctl.normal(self.value)
        key = _key(plan, self.netns, self.name)
        mine = plan.snapshot.remembered(plan.lab).get(key)
        others = _others(plan, key)
        operations, undo, commands = [], [], []
        if wanted != current:
            namespace = plan.namespace(self.netns, "netns")
            operations.append(_write(self.netns, self.name, wanted))
            if current is not None:
                undo.append(_write(self.netns, self.name, current))
            commands.append(enter(namespace, "sysctl -w {0}={1}".format(self.name, _quoted(wanted))))
        elif not others:
            return
        old = mine["old"] if mine else others[0]["old"] if others else current
        record = {"old": old, "value": wanted}
        if mine == record and not operations:
            return
        operations.insert(0, Operation("", "remember", {"lab": plan.lab, "key": key, "value": record}))
        undo.append(Operation("", "remember", {"lab": plan.lab, "key": key, "value": mine}))
        where = ("sysctl", self.name)
        plan.add(Stage.SYSCTL, self.netns, operations, undo, where, current, wanted, commands)


def give_back(plan: Plan, netns: str, name: str) -> None:
    """Plan that a sysctl gets its old value back, unless another lab still needs it, or somebody else changed it since."""
    key = _key(plan, netns, name)
    mine = plan.snapshot.remembered(plan.lab).get(key)
    namespace = plan.snapshot.namespace(netns)
    if mine is None or namespace is None:
        return
    current = plan.snapshot.sysctl(netns, name)
    others = _others(plan, key)
    target = others[-1]["value"] if others else mine["old"]
    operations = [Operation("", "remember", {"lab": plan.lab, "key": key, "value": None})]
    undo = [Operation("", "remember", {"lab": plan.lab, "key": key, "value": mine})]
    commands = []
    if current != mine["value"]:
        plan.warnings.append(
            "{0} is {1!r} in {2}, not the {3!r} that the lab set: it is left so".format(
                name, current, namespace.title, mine["value"]
            )
        )
        target = current
    elif current != target:
        operations.append(_write(netns, name, target))
        undo.insert(0, _write(netns, name, current))
        commands.append(enter(namespace, "sysctl -w {0}={1}".format(name, _quoted(target))))
    plan.add(Stage.REMOVE_SYSCTL, netns, operations, undo, ("sysctl", name), current, target, commands)


def remembered(plan: Plan) -> list[tuple[str, str]]:
    """The sysctls that the lab has changed, as (namespace, name)."""
    found = []
    for key in plan.snapshot.remembered(plan.lab):
        if key.startswith(_PREFIX):
            identity, name = key[len(_PREFIX) :].rsplit(" ", 1)
            ref = "" if identity == "host" else identity.rsplit(":", 1)[0]
            found.append((ref, name))
    return found


def forget_persistent(plan: Plan) -> None:
    """Plan the end of the lab's file under /etc/sysctl.d."""
    _write_file(plan, {})


def _key(plan: Plan, netns: str, name: str) -> str:
    return "{0}{1} {2}".format(_PREFIX, plan.snapshot.identity(netns), name)


def _others(plan: Plan, key: str) -> list[dict[str, str]]:
    """What other labs remember of the same setting."""
    labs = [lab for lab in plan.snapshot.remembering() if lab != plan.lab]
    return [record for record in (plan.snapshot.remembered(lab).get(key) for lab in labs) if record]


def _write(netns: str, name: str, value: str | None) -> Operation:
    return Operation(netns, "sysctl_write", {"name": name, "value": value})


def _quoted(value: str) -> str:
    return '"{0}"'.format(value) if " " in value else value


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
    return os.path.join(PERSIST_DIR, "90-linuxnet.lab-{0}.conf".format(plan.lab))


def _persistent(plan: Plan) -> dict[str, str]:
    lines = (plan.snapshot.file(_path(plan)) or "").splitlines()
    pairs = [line.split("=", 1) for line in lines if "=" in line and not line.startswith("#")]
    return {name.strip(): value.strip() for name, value in pairs}


def _write_file(plan: Plan, settings: dict[str, str]) -> None:
    path = _path(plan)
    before = plan.snapshot.file(path)
    lines = ["{0} = {1}".format(name, value) for name, value in settings.items()]
    after = "\n".join(["# Kept for lab {0} by the Ansible collection linuxnet.lab".format(plan.lab), *lines, ""])
    text = after if settings else None
    if text == before:
        return
    command = "rm {0}".format(path) if text is None else "printf '%s\\n' {0} > {1}".format(
        " ".join("'{0}'".format(line) for line in lines), path
    )
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
