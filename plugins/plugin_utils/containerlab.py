# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Convert a containerlab topology to a topology of this collection."""

from __future__ import annotations

import typing as t

import yaml
from ansible.errors import AnsibleFilterError

from ansible_collections.linuxnet.lab.plugins.module_utils import rules
from ansible_collections.linuxnet.lab.plugins.module_utils.topology import budget, schema
from ansible_collections.linuxnet.lab.plugins.plugin_utils import names, shell, startup
from ansible_collections.linuxnet.lab.plugins.plugin_utils.imported import (
    Folder,
    Imported,
    checked,
    limited,
    mapping,
)
from ansible_collections.linuxnet.lab.plugins.plugin_utils.node import Link, Node, Unknown

_NODES = "topology.nodes"
_LEVELS = ("kinds", "groups", "defaults")
_NODE_KEYS = ("kind", "group", "sysctls", "network-mode", "exec")
# Keys that the format cannot express, and that may change who reaches whom.
_TOLD_KEYS = ("startup-config", "ports")
_END_KEYS = ("node", "interface", "mac", "ipv4", "ipv6")
_LINK_KEYS = ("type", "endpoints", "endpoint", "host-interface", "mtu", "ipv4", "ipv6")

_BRIDGES = ("bridge", "ovs-bridge")
_PAIRS = ("veth", "veth-stitch")
# Why a link of a type has no meaning here. In the brief form the first two stand in the place of a node.
_NO_LINKS = {
    "mgmt-net": "there is no management network here",
    "macvlan": "it would be a link of the host's own",
    "vxlan": "it leads to another machine",
    "vxlan-stitch": "it leads to another machine",
    "dummy": "it leads nowhere",
}
# A network-mode that names the node in whose namespace another one is.
_INSIDE = "container:"
_FORWARDING = "net.ipv4.ip_forward"
# Containerlab replaces this by the name of the node.
_OWN_NAME = "__clabNodeName__"


class _End(t.NamedTuple):
    """An end of a link as in the file."""

    node: str
    interface: str
    values: dict[str, t.Any]


class _Wire(t.NamedTuple):
    """An end of a link in a namespace, until all commands of the namespace are known."""

    netns: str
    name: str


def read(data: t.Any, name: str | None, folder: str | None = None) -> Imported:
    """The topology, with what it leaves out; AnsibleFilterError names the value that is wrong.

    :arg folder: the folder of the file, for the scripts that nodes run.
    """
    if isinstance(data, str):
        data = _parsed(limited("this", data))
    budget.Budget([]).data("this", data, longest=budget.IMPORT)
    if not isinstance(data, dict) or not isinstance(data.get("topology"), dict):
        raise AnsibleFilterError("{0:.60}: is not a containerlab topology, a mapping with a mapping topology".format(
            repr(data)))
    reading = _Reading(data, name, Folder(folder) if folder else None)
    reading.nodes()
    reading.links()
    reading.commands()
    reading.write()
    return reading.imported


def _parsed(text: str) -> t.Any:
    """The data of a text in YAML without aliases, because a few lines with aliases can stand for gigabytes."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    depth = 0
    try:
        for event in yaml.parse(text, Loader=loader):
            if isinstance(event, yaml.AliasEvent):
                raise AnsibleFilterError("line {0}: the alias *{1} is not allowed; write out its value".format(
                    event.start_mark.line + 1, event.anchor))
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > budget.DEPTH:
                raise AnsibleFilterError("line {0}: more than {1} nested lists and mappings".format(
                    event.start_mark.line + 1, budget.DEPTH))
        return yaml.load(text, Loader=loader)  # a safe loader
    except (yaml.YAMLError, ValueError) as exc:  # ValueError: an impossible date or number
        raise AnsibleFilterError("this is not YAML: {0}".format(exc)) from exc


class _Reading:
    def __init__(self, data: dict[t.Any, t.Any], name: str | None, folder: Folder | None) -> None:
        self.imported = Imported(name or data.get("name"), "name")
        self._topology = mapping("topology", data["topology"])
        self._nodes = {
            str(node): mapping("{0}.{1}".format(_NODES, node), values)
            for node, values in mapping(_NODES, self._topology.get("nodes")).items()
        }
        if not self._nodes:
            raise AnsibleFilterError("topology.nodes: there are no nodes")
        self._folder = folder
        self._names = names.nodes()
        self._kinds: dict[str, str] = {}
        self._machines: dict[str, Node] = {}  # by namespace
        self._owners: dict[str, str] = {}
        self._budget = budget.Budget([])
        self._homes: dict[str, dict[str, str]] = {}  # a node's name -> {netns: ...} or {bridge: ...}
        self._links: dict[str, names.Names] = {}  # the names of links, by namespace
        self._ends: set[tuple[str, str]] = set()
        self.imported.leave_out_keys(key for key in data if key not in ("name", "topology"))
        known = ("nodes", "links", *_LEVELS)
        self.imported.leave_out_keys(key for key in self._topology if key not in known)

    # -- nodes --------------------------------------------------------------------------------------------------------

    def nodes(self) -> None:
        """Make a namespace or a bridge of every node."""
        kinds = self._kinds = {node: self._kind(node, values) for node, values in self._nodes.items()}
        guests: dict[str, str] = {}
        strange: dict[str, list[str]] = {}
        for node, kind in kinds.items():
            if kind == "host":
                self._homes[node] = {"netns": schema.HOST}
                continue
            if kind in _BRIDGES:
                continue
            owner = self._owner(node, kinds)
            if owner != node:
                guests[node] = owner
                continue
            name = self._name(node)
            self._homes[node] = {"netns": name}
            self._machines[name] = self._machine(node, kind)
            if kind != "linux":
                strange.setdefault(kind, []).append(node)
        self._homes.update({node: self._homes[owner] for node, owner in guests.items()})
        for node, kind in kinds.items():
            if kind in _BRIDGES:
                self._bridge(node, kind)
        for kind, nodes in strange.items():
            self.imported.leave_out("kind {0}: {1}, namespaces without their programs".format(
                kind, ", ".join(nodes)))
        self._leave_out_settings()

    def _kind(self, node: str, values: dict[t.Any, t.Any]) -> str:
        """A node's kind: its own, or else its group's, or else the default."""
        defaults = self._level("defaults")
        groups = [self._level("groups", one.get("group")) for one in (values, defaults)]
        kind = next((one["kind"] for one in (values, *groups, defaults) if one.get("kind")), None)
        if not isinstance(kind, str):
            raise AnsibleFilterError("{0}.{1}: {2!r} is not a kind".format(_NODES, node, kind))
        return kind

    def _level(self, level: str, name: t.Any = None) -> dict[t.Any, t.Any]:
        """The settings of a kind, of a group, or of all nodes."""
        found = mapping("topology." + level, self._topology.get(level))
        if level == "defaults":
            return found
        return mapping("topology.{0}.{1}".format(level, name), found.get(name))

    def _levels(self, node: str, kind: str) -> list[dict[t.Any, t.Any]]:
        """All settings of a node, the most general ones first."""
        values, of_kind, defaults = self._nodes[node], self._level("kinds", kind), self._level("defaults")
        group = values.get("group") or of_kind.get("group") or defaults.get("group")
        return [defaults, of_kind, self._level("groups", group), values]

    def _setting(self, node: str, kind: str, key: str) -> t.Any:
        return next((level[key] for level in self._levels(node, kind)[::-1] if level.get(key)), None)

    def _name(self, node: str) -> str:
        name = self._names.give(node)
        if name != node:
            self.imported.change("{0}.{1}: is named {2} here".format(_NODES, node, name))
        return name

    def _owner(self, node: str, kinds: dict[str, str]) -> str:
        """The node in whose namespace a node is; the node itself if it has its own namespace."""
        seen: dict[str, None] = {}
        owner = self._owner_of(node, kinds, seen)
        self._owners.update(dict.fromkeys(seen, owner))
        return owner

    def _owner_of(self, node: str, kinds: dict[str, str], seen: dict[str, None]) -> str:
        """As :meth:`_owner`. *seen* gets all nodes on the way, which are in the same namespace."""
        owner = node
        while owner not in self._owners:
            seen[owner] = None
            mode = str(self._setting(owner, kinds[owner], "network-mode") or "")
            other = mode.removeprefix(_INSIDE)
            if other == mode or kinds.get(other, _BRIDGES[0]) in _BRIDGES:
                if mode not in ("", "none", "bridge"):
                    self.imported.leave_out("{0}.{1}: network-mode {2}".format(_NODES, owner, mode))
                return owner
            if other in seen:
                raise AnsibleFilterError("{0}.{1}: network-mode {2!r} refers back to it".format(_NODES, node, mode))
            owner = other
        return self._owners[owner]

    def _machine(self, node: str, kind: str) -> Node:
        place = "{0}.{1}.sysctls".format(_NODES, node)
        machine = Node(())
        sysctls: dict[str, str] = {}
        for level in self._levels(node, kind):
            self._budget.values(place, len(level.get("sysctls") or ()))
            for key, value in mapping(place, level.get("sysctls")).items():
                sysctls[str(key)] = str(value)
        for key, value in sysctls.items():
            if key == _FORWARDING and value == "0":
                continue  # the usual value
            try:
                machine.set_sysctl(key, value)
            except Unknown:
                self.imported.leave_out_keys(["sysctl " + key])
        return machine

    def _bridge(self, node: str, kind: str) -> None:
        place = "{0}.{1}".format(_NODES, node)
        # A bridge in another node's namespace is written BRIDGE|NODE.
        own, inner, dummy = node.partition("|")
        mode = str(self._setting(node, kind, "network-mode") or "")
        inside = self._homes.get(mode.removeprefix(_INSIDE), {}) if mode.startswith(_INSIDE) else {}
        if (inner or mode.startswith(_INSIDE)) and not inside:
            raise AnsibleFilterError("{0}: network-mode {1!r} does not name the node that it is in".format(place, mode))
        label = self._name(node)
        netns = inside.get("netns", schema.HOST)
        name = self._link_name(place, netns, own)
        values = {**inside, **({"name": name} if name != label else {})}
        self.imported.topology.setdefault("bridges", {})[label] = values or None
        self._homes[node] = {"bridge": label}
        if kind == "ovs-bridge":
            self.imported.change("{0}: becomes a Linux bridge, which has no flows".format(place))
        if not inside:
            self.imported.change("{0}: the lab creates it; containerlab expects it to exist".format(place))

    def _leave_out_settings(self) -> None:
        places = [("{0}.{1}".format(_NODES, node), values) for node, values in self._nodes.items()]
        for level in ("kinds", "groups"):
            for one, values in mapping("topology." + level, self._topology.get(level)).items():
                place = "topology.{0}.{1}".format(level, one)
                places.append((place, mapping(place, values)))
        places.append(("topology.defaults", self._level("defaults")))
        for place, values in places:
            known = (*_NODE_KEYS, *_TOLD_KEYS, *(["binds"] if self._folder else []))
            self.imported.leave_out_keys(key for key in values if key not in known)
            for key in _TOLD_KEYS:
                if values.get(key):
                    self.imported.leave_out("{0}: {1}".format(place, key))

    # -- links --------------------------------------------------------------------------------------------------------

    def links(self) -> None:
        """Make a link of every link that leads from one node to another or to the host."""
        links = self._topology.get("links") or []
        if not isinstance(links, list):
            raise AnsibleFilterError("topology.links: {0!r} is not a list".format(links))
        found = []
        for number, link in enumerate(links):
            place = "topology.links[{0}]".format(number)
            values = mapping(place, link)
            ends = self._pair(place, values)
            if ends:
                self.imported.leave_out_keys(key for key in values if key not in _LINK_KEYS)
                found.append(self._link(place, values, ends))
        if found:
            self.imported.topology["links"] = found

    def _pair(self, place: str, link: dict[t.Any, t.Any]) -> list[_End]:
        """Both ends of a link; an empty list for a link that has no equivalent here."""
        kind = str(link.get("type") or "").strip().lower()
        if kind in _NO_LINKS:
            self.imported.leave_out("{0}: type {1}, {2}".format(place, kind, _NO_LINKS[kind]))
            return []
        if kind == "host":
            return [
                self._end(place + ".endpoint", link.get("endpoint")),
                _End(schema.HOST, self._interface(place + ".host-interface", link.get("host-interface")), {}),
            ]
        if kind not in ("", "brief", *_PAIRS):
            near = rules.nearest(kind, (*_NO_LINKS, *_PAIRS, "host"))
            raise AnsibleFilterError("{0}.type: there is no type {1!r}{2}".format(place, kind, near))
        texts = link.get("endpoints")
        if not isinstance(texts, list) or len(texts) != 2:
            raise AnsibleFilterError("{0}.endpoints: {1!r} is not a list of two ends".format(place, texts))
        ends = [self._end("{0}.endpoints[{1}]".format(place, number), one) for number, one in enumerate(texts)]
        for end in ends:
            if end.node in _NO_LINKS and end.node not in self._nodes:
                self.imported.leave_out("{0}: to {1}:{2}, {3}".format(place, *end[:2], _NO_LINKS[end.node]))
                return []
        for family in ("ipv4", "ipv6"):
            addresses = link.get(family) or []
            if not isinstance(addresses, list) or len(addresses) > 2:
                raise AnsibleFilterError("{0}.{1}: {2!r} is not a list of an address for each end".format(
                    place, family, addresses))
            for end, address in zip(ends, addresses):
                end.values[family] = address
        return ends

    def _end(self, place: str, value: t.Any) -> _End:
        if isinstance(value, str):
            node, dummy, interface = value.partition(":")
            return _End(node, self._interface(place, interface, value), {})
        if not isinstance(value, dict):
            raise AnsibleFilterError("{0}: {1!r} is neither NODE:INTERFACE nor a mapping".format(place, value))
        self.imported.leave_out_keys(key for key in value if key not in _END_KEYS)
        interface = self._interface(place + ".interface", value.get("interface"))
        return _End(str(value.get("node")), interface, {key: value[key] for key in _END_KEYS[2:] if key in value})

    @staticmethod
    def _interface(place: str, name: t.Any, whole: t.Any = None) -> str:
        if not isinstance(name, str) or not name:
            raise AnsibleFilterError("{0}: {1!r} names no interface".format(place, name if whole is None else whole))
        return name

    def _link(self, place: str, link: dict[t.Any, t.Any], pair: list[_End]) -> t.Any:
        ends = [self._written(place, end) for end in pair]
        mtu = link.get("mtu") or None
        if mtu is None:
            return ends
        if not isinstance(mtu, int):
            raise AnsibleFilterError("{0}.mtu: {1!r} is not a number".format(place, mtu))
        checked(rules.check_mtu(place + ".mtu", mtu))
        return {"ends": ends, "mtu": mtu}

    def _written(self, place: str, end: _End) -> t.Any:
        """An end in the format of a topology, or a wire that will become one."""
        home = self._homes.get(end.node, {"netns": schema.HOST} if end.node == schema.HOST else None)
        if home is None:
            near = rules.nearest(end.node, self._nodes)
            raise AnsibleFilterError("{0}: there is no node {1!r}{2}".format(place, end.node, near))
        title = "{0}:{1}".format(end.node, end.interface)
        at = "{0}, {1}".format(place, title)
        if (end.node, end.interface) in self._ends:
            raise AnsibleFilterError("{0}: {1!r} is already the end of another link".format(place, title))
        self._ends.add((end.node, end.interface))
        label = home.get("bridge")
        bridge = self.imported.topology["bridges"][label] or {} if label else {}
        netns = bridge.get("netns", schema.HOST) if label else home["netns"]
        name = self._link_name(at, netns, end.interface)
        values: dict[str, t.Any] = {"name": name}
        if end.values.get("mac"):
            values["mac"] = str(end.values["mac"]).lower()
            checked(rules.check_mac(at, values["mac"]))
        addresses = [str(end.values[family]) for family in ("ipv4", "ipv6") if end.values.get(family)]
        for address in addresses:
            checked(rules.check_cidr(at, address))
        if addresses and label:
            self.imported.leave_out("{0}: {1} of {2}, a port of a bridge".format(place, ", ".join(addresses), title))
        elif addresses:
            values["addresses"] = addresses
        if not label and netns in self._machines:
            self._wire(self._machines[netns], values)
            return _Wire(netns, name)
        if len(values) == 1:
            return "{0}:{1}".format(label or netns, values["name"])
        return {**home, **values}

    def _link_name(self, place: str, netns: str, text: str) -> str:
        name = self._links.setdefault(netns, names.links()).give(text)
        if name != text:
            self.imported.change("{0}: is named {1} here".format(place, name))
        return name

    @staticmethod
    def _wire(machine: Node, values: dict[str, t.Any]) -> None:
        link = Link(values["name"], settings={key: values[key] for key in ("mac",) if key in values})
        machine.links[link.name] = link
        for address in values.get("addresses", ()):
            machine.add_address(link, address)

    # -- commands -----------------------------------------------------------------------------------------------------

    def commands(self) -> None:
        """Apply the commands that containerlab executes in the nodes."""
        for node, kind in self._kinds.items():
            machine = self._machines.get(self._homes[node].get("netns", ""))
            scripts = self._scripts(node, kind)
            for number, text in enumerate(self._lists(node, kind, "exec")):
                place = "{0}.{1}.exec[{2}]".format(_NODES, node, number)
                if machine is None:
                    self.imported.leave_out("{0}: {1}, in the host".format(place, text))
                else:
                    startup.run(self.imported, place, shell.single(text), machine, scripts)

    def _lists(self, node: str, kind: str, key: str) -> list[str]:
        """The lists of all levels together."""
        found: list[str] = []
        for level in self._levels(node, kind):
            value = level.get(key) or []
            if not isinstance(value, list):
                raise AnsibleFilterError("{0}.{1}.{2}: {3!r} is not a list".format(_NODES, node, key, value))
            self._budget.values("{0}.{1}.{2}".format(_NODES, node, key), len(value))
            found += map(str, value)
        return found

    def _scripts(self, node: str, kind: str) -> startup.Scripts:
        """What finds the content of a file in a node, if the folder of the lab has that file."""
        binds = [text.replace(_OWN_NAME, node).split(":") for text in self._lists(node, kind, "binds")]

        def find(path: str) -> str | None:
            for source, *inside in binds:
                rest = path[len(inside[0]) :] if inside and path.startswith(inside[0].rstrip("/")) else None
                if self._folder and rest is not None and (not rest or "/" in (rest[0], inside[0][-1])):
                    found = source + "/" + rest.lstrip("/") if rest else source
                    if self._folder.contains(found):
                        return self._folder.read(found)
            return None

        return find

    def write(self) -> None:
        """Write the namespaces, and the ends of links in them, to the topology."""
        writer = startup.Writer(self.imported, self._names)
        wires = list(self.imported.topology.get("links", []))
        self.imported.topology["namespaces"] = {
            netns: writer.namespace(netns, machine) or None for netns, machine in self._machines.items()
        }
        for link in wires:
            ends = link if isinstance(link, list) else link["ends"]
            for place, end in enumerate(ends):
                if isinstance(end, _Wire):
                    ends[place] = writer.end(end.netns, self._machines[end.netns], end.name)
            mtu = writer.settle_mtu(" and ".join(map(_title, ends)), ends, None if ends is link else link["mtu"])
            if mtu:
                link["mtu"] = mtu


def _title(end: t.Any) -> str:
    """An end of a link in a note."""
    return end if isinstance(end, str) else "{0}:{1}".format(end.get("netns", end.get("bridge")), end["name"])
