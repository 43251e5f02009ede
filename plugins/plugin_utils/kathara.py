# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Convert a Kathará lab: the file lab.conf, and the network that the startup files of its machines configure."""

from __future__ import annotations

import os
import re
import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.linuxnet.lab.plugins.module_utils import rules
from ansible_collections.linuxnet.lab.plugins.module_utils.topology import budget
from ansible_collections.linuxnet.lab.plugins.plugin_utils import names, startup
from ansible_collections.linuxnet.lab.plugins.plugin_utils.imported import (
    Folder,
    Imported,
    checked,
    limited,
    mapping,
)
from ansible_collections.linuxnet.lab.plugins.plugin_utils.node import Node

_CONF = "lab.conf"
_STARTUP = ".startup"
# Its startup file is for all machines, and comes first.
_SHARED = "shared"
# Options that give a machine a link to the network of the host.
_TO_THE_OUTSIDE = ("bridged", "port")

_VALUE = r"""=("(?P<double>[^"]*)"\s*|'(?P<single>[^']*)'\s*|(?P<bare>[^"'#]+))(\#.*)?"""
_MACHINE = re.compile(r"(?P<machine>\w+)\[(?P<key>\w+)\]" + _VALUE)
_ABOUT = re.compile(r"(?P<key>LAB_[A-Z]+)" + _VALUE)
_MOST_DIGITS = 9
_DOMAIN = re.compile(r"(?P<domain>\w+)(/(?P<mac>[^/]+))?")


class _Machine:
    """A machine in lab.conf.

    :ivar links: number -> (collision domain, MAC address or None). :ivar options: all other keys with their values. A
        key can occur several times.
    """

    def __init__(self) -> None:
        self.links: dict[int, tuple[str, str | None]] = {}
        self.options: list[tuple[str, str]] = []


def read(source: t.Any, startups: t.Any, name: str | None) -> Imported:
    """The topology of a lab in a folder, or of the content of lab.conf with startup files beside it."""
    if not isinstance(source, str):
        raise AnsibleFilterError("lab.conf: {0!r} is not a text".format(source))
    if "=" in limited(_CONF, source) or not source.strip() or "\n" in source:
        texts = {_startup(machine): text for machine, text in mapping("startup", startups).items()}
        return _read(source, texts, name, None)
    if startups is not None:
        raise AnsibleFilterError("startup: the folder {0} already has the startup files".format(source))
    folder = Folder(source)
    text = folder.read(_CONF)
    if text is None:
        raise AnsibleFilterError("the folder {0} has no file {1}".format(folder.path, _CONF))
    texts = {one: folder.read(one) for one in folder.names() if one.endswith(_STARTUP)}
    return _read(text, texts, name, folder)


def _startup(machine: t.Any) -> str:
    return "{0}{1}".format(machine, _STARTUP)


def _read(text: str, texts: dict[str, t.Any], name: str | None, folder: Folder | None) -> Imported:
    machines, about = _parse(limited(_CONF, text))
    if not machines:
        raise AnsibleFilterError("lab.conf: there is no machine in it")
    told = about.pop("LAB_NAME", None)
    imported = Imported(name or (os.path.basename(folder.path) if folder and not told else told), "LAB_NAME")
    imported.leave_out_keys(about)
    _check_startups(machines, texts, imported, folder)
    nodes = {machine: _node(imported, machine, values, texts) for machine, values in machines.items()}
    _Drawing(imported, machines).draw(nodes)
    if folder:
        _leave_out_files(imported, folder, machines)
    return imported


def _parse(text: str) -> tuple[dict[str, _Machine], dict[str, str]]:
    """The machines by name, and the keys about the lab."""
    machines: dict[str, _Machine] = {}
    about: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        found = _ABOUT.fullmatch(line)
        if found:
            about[found["key"]] = _value(found)
            continue
        found = _MACHINE.fullmatch(line)
        if not found:
            raise AnsibleFilterError("lab.conf, line {0}: {1!r} is not MACHINE[KEY]=VALUE".format(number, line))
        machine = machines.setdefault(found["machine"], _Machine())
        value = _value(found)
        if not found["key"].isdecimal() or len(found["key"]) > _MOST_DIGITS:
            machine.options.append((found["key"], value))
            continue
        wire = _DOMAIN.fullmatch(value)
        place = "lab.conf, line {0}".format(number)
        if not wire:
            raise AnsibleFilterError("{0}: {1!r} is not a collision domain".format(place, value))
        mac = wire["mac"].lower() if wire["mac"] else None
        checked(rules.check_mac(place, mac))
        if int(found["key"]) in machine.links:
            raise AnsibleFilterError("{0}: {1}[{2}] already exists".format(place, found["machine"], found["key"]))
        machine.links[int(found["key"])] = (wire["domain"], mac)
    return machines, about


def _value(found: re.Match[str]) -> str:
    return (found["double"] or found["single"] or found["bare"] or "").strip()


def _check_startups(
    machines: dict[str, _Machine], texts: dict[str, t.Any], imported: Imported, folder: Folder | None
) -> None:
    size = 0
    for name, text in texts.items():
        machine = name[: -len(_STARTUP)]
        if machine not in machines and machine != _SHARED:
            why = "startup of {0}: there is no such machine{1}".format(machine, rules.nearest(machine, machines))
            if folder is None:
                raise AnsibleFilterError(why)
            imported.change(why)  # a folder may have files that Kathará does not use either
        if not isinstance(text, str):
            raise AnsibleFilterError("startup of {0}: {1!r} is not a text".format(machine, text))
        size += len(text)
        if size > budget.IMPORT:
            raise AnsibleFilterError("startup: the files have more than {0} characters".format(budget.IMPORT))


def _node(imported: Imported, machine: str, values: _Machine, texts: dict[str, t.Any]) -> Node:
    """The network of a machine after all of its startup commands."""
    # Kathará lets every machine forward, and labs rely on it.
    node = Node(("eth{0}".format(number) for number in sorted(values.links)), forwarding=True)
    for number, (dummy, mac) in values.links.items():
        if mac:
            node.links["eth{0}".format(number)].settings["mac"] = mac
    commands = []
    for key, value in values.options:
        place = "{0}[{1}]".format(machine, key)
        setting, equals, wanted = value.partition("=")
        if key == "sysctl" and equals and setting.strip().startswith("net."):
            node.set_sysctl(setting.strip(), wanted.strip())
        elif key == "ipv6" and value.lower() in ("true", "false"):
            node.set_sysctl("net.ipv6.conf.all.disable_ipv6", "0" if value.lower() == "true" else "1")
        elif key == "exec":
            commands.append((place, value))
        elif key in _TO_THE_OUTSIDE:
            imported.leave_out("{0}: {1}".format(place, value))
        else:
            imported.leave_out_keys([key])
    for name in (_SHARED, machine):
        if _startup(name) in texts:
            commands.append(("startup of {0}".format(name), texts[_startup(name)]))
    for place, text in commands:
        startup.read(imported, place, text, node)
    return node


def _leave_out_files(imported: Imported, folder: Folder, machines: dict[str, _Machine]) -> None:
    """Note what else a folder has that may change the network."""
    text = folder.read("lab.ext")
    for line in (text or "").splitlines():
        if line.strip() and not line.startswith("#"):
            imported.leave_out("lab.ext: {0}, a link to the outside".format(line.strip()))
    found = [name for name in folder.names() if name in machines and os.path.isdir(os.path.join(folder.path, name))]
    if found:
        imported.leave_out("files of the machines {0}, such as configurations of daemons".format(", ".join(found)))


class _Drawing:
    def __init__(self, imported: Imported, machines: dict[str, _Machine]) -> None:
        self._machines = machines
        self._topology = imported.topology
        given = names.nodes()
        self._names = {machine: given.give(machine) for machine in machines}
        domains = dict.fromkeys(domain for one in machines.values() for domain, dummy in one.links.values())
        self._domains = {domain: given.give(domain) for domain in domains}
        self._writer = startup.Writer(imported, given)
        for old, new in [*self._names.items(), *self._domains.items()]:
            if old != new:
                imported.change("{0}: is named {1} here".format(old, new))

    def draw(self, nodes: dict[str, Node]) -> None:
        """Fill the topology."""
        # The bridges are in the host, where another lab may have a domain of the same name.
        in_host = names.links()
        bridges = {
            label: {"name": in_host.give("{0}-{1}".format(self._topology["name"], label))}
            for label in self._domains.values()
        }
        if bridges:
            self._topology["bridges"] = bridges
        self._topology["namespaces"] = {
            self._names[machine]: self._writer.namespace(self._names[machine], node)
            for machine, node in nodes.items()
        }
        links = [
            [self._writer.end(self._names[machine], nodes[machine], "eth{0}".format(number)), self._domains[domain]]
            for machine, values in self._machines.items()
            for number, (domain, dummy) in sorted(values.links.items())
        ]
        if links:
            self._topology["links"] = [*links, *self._topology.get("links", [])]
