# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Convert a Kathará lab: lab.conf, and the addresses and routes in the startup files of its machines."""

from __future__ import annotations

import re
import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.linuxnet.lab.plugins.module_utils import rules
from ansible_collections.linuxnet.lab.plugins.module_utils.topology import budget
from ansible_collections.linuxnet.lab.plugins.plugin_utils import names, startup
from ansible_collections.linuxnet.lab.plugins.plugin_utils.imported import Imported, checked, limited, mapping

_VALUE = r"""=("(?P<double>[^"]*)"\s*|'(?P<single>[^']*)'\s*|(?P<bare>[^"'#]+))(\#.*)?"""
_MACHINE = re.compile(r"(?P<machine>\w+)\[(?P<key>\w+)\]" + _VALUE)
_ABOUT = re.compile(r"(?P<key>LAB_[A-Z]+)" + _VALUE)
_MOST_DIGITS = 9
_DOMAIN = re.compile(r"(?P<domain>\w+)(/(?P<mac>[^/]+))?")


class _Machine:
    """What lab.conf says of a machine.

    :ivar links: number -> (collision domain, MAC address or none). :ivar options: the others, with those that may be
        there several times.
    """

    def __init__(self) -> None:
        self.links: dict[int, tuple[str, str | None]] = {}
        self.options: list[tuple[str, str]] = []


def read(text: t.Any, startups: t.Any, name: str | None) -> Imported:
    """The topology, with what it leaves out; AnsibleFilterError names the line that is wrong."""
    if not isinstance(text, str):
        raise AnsibleFilterError("lab.conf: {0!r} is not a text".format(text))
    machines, about = _parse(limited("lab.conf", text))
    if not machines:
        raise AnsibleFilterError("lab.conf: there is no machine in it")
    imported = Imported(name or about.pop("LAB_NAME", None), "LAB_NAME")
    imported.leave_out_keys("lab.conf", [key for key in about if key != "LAB_NAME"])
    _Drawing(imported, machines).draw(_startups(machines, startups))
    return imported


def _parse(text: str) -> tuple[dict[str, _Machine], dict[str, str]]:
    """The machines by name, and what is said about the lab."""
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


def _startups(machines: dict[str, _Machine], startups: t.Any) -> dict[str, startup.Startup]:
    """What the startup files say, by machine."""
    found = {}
    size = 0
    for machine, text in mapping("startup", startups).items():
        place = "startup of {0}".format(machine)
        if machine not in machines:
            near = rules.nearest(str(machine), machines)
            raise AnsibleFilterError("{0}: there is no such machine{1}".format(place, near))
        if not isinstance(text, str):
            raise AnsibleFilterError("{0}: {1!r} is not a text".format(place, text))
        size += len(text)
        if size > budget.IMPORT:
            raise AnsibleFilterError("startup: the files have more than {0} characters".format(budget.IMPORT))
        links = ["eth{0}".format(number) for number in machines[machine].links]
        found[machine] = startup.read(place, text, links)
    return found


class _Drawing:
    def __init__(self, imported: Imported, machines: dict[str, _Machine]) -> None:
        self._imported = imported
        self._machines = machines
        self._topology = imported.topology
        given = names.nodes()
        self._names = {machine: given.give(machine) for machine in machines}
        domains = dict.fromkeys(domain for one in machines.values() for domain, dummy in one.links.values())
        self._domains = {domain: given.give(domain) for domain in domains}
        for old, new in [*self._names.items(), *self._domains.items()]:
            if old != new:
                imported.leave_out("{0}: is named {1} here".format(old, new))

    def draw(self, startups: dict[str, startup.Startup]) -> None:
        """Fill the topology."""
        self._topology["namespaces"] = {
            self._names[machine]: self._namespace(machine, values, startups.get(machine))
            for machine, values in self._machines.items()
        }
        # Their links are the host's, where another lab may have a domain of the same name.
        in_host = names.links()
        bridges = {
            label: {"name": in_host.give("{0}-{1}".format(self._topology["name"], label))}
            for label in self._domains.values()
        }
        links = [
            [self._end(machine, number, mac, startups.get(machine)), self._domains[domain]]
            for machine, values in self._machines.items()
            for number, (domain, mac) in sorted(values.links.items())
        ]
        routes = [
            {"netns": self._names[machine], **route} for machine, found in startups.items() for route in found.routes
        ]
        self._topology.update({key: value for key, value in
                               (("bridges", bridges), ("links", links), ("routes", routes)) if value})
        for found in startups.values():
            for text in found.left_out:
                self._imported.leave_out(text)

    def _namespace(self, machine: str, values: _Machine, said: startup.Startup | None) -> dict[str, t.Any]:
        # Kathará lets every machine forward, and labs rely on it.
        namespace: dict[str, t.Any] = {"forwarding": True}
        sysctls = {}
        for key, value in values.options:
            setting, equals, wanted = value.partition("=")
            if key == "sysctl" and equals and setting.startswith("net."):
                sysctls[setting.strip()] = wanted.strip()
            else:
                self._imported.leave_out("{0}[{1}]: {2}".format(machine, key, value))
        if sysctls:
            namespace["sysctls"] = sysctls
        if said and said.addresses.get("lo"):
            namespace["lo"] = said.addresses["lo"]
        return namespace

    def _end(self, machine: str, number: int, mac: str | None, said: startup.Startup | None) -> t.Any:
        name = "eth{0}".format(number)
        values: dict[str, t.Any] = {}
        if mac:
            values["mac"] = mac
        if said and said.addresses.get(name):
            values["addresses"] = said.addresses[name]
        if said and name in said.broadcast:
            values["broadcast"] = True
        if not values:
            return "{0}:{1}".format(self._names[machine], name)
        return {"netns": self._names[machine], "name": name, **values}
