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
from ansible_collections.linuxnet.lab.plugins.plugin_utils import names
from ansible_collections.linuxnet.lab.plugins.plugin_utils.imported import Imported, checked, limited, mapping

_NODES = "topology.nodes"
_LEVELS = ("kinds", "groups", "defaults")
_NODE_KEYS = ("kind", "group", "sysctls", "network-mode")
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


class _End(t.NamedTuple):
    """An end of a link as it was written."""

    node: str
    interface: str
    values: dict[str, t.Any]


def read(data: t.Any, name: str | None) -> Imported:
    """The topology, with what it leaves out; AnsibleFilterError names the value that is wrong."""
    if isinstance(data, str):
        data = _parsed(limited("this", data))
    budget.Budget([]).data("this", data, longest=budget.IMPORT)
    if not isinstance(data, dict) or not isinstance(data.get("topology"), dict):
        raise AnsibleFilterError("{0:.60}: is not a containerlab topology, a mapping with a mapping topology".format(
            repr(data)))
    reading = _Reading(data, name)
    reading.nodes()
    reading.links()
    return reading.imported


def _parsed(text: str) -> t.Any:
    """The data of a text in YAML without aliases: by these a few lines are gigabytes."""
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
    except (yaml.YAMLError, ValueError) as exc:  # ValueError: a date or a number that there is not
        raise AnsibleFilterError("this is not YAML: {0}".format(exc)) from exc


class _Reading:
    def __init__(self, data: dict[t.Any, t.Any], name: str | None) -> None:
        self.imported = Imported(name or data.get("name"), "name")
        self._topology = mapping("topology", data["topology"])
        self._nodes = {
            str(node): mapping("{0}.{1}".format(_NODES, node), values)
            for node, values in mapping(_NODES, self._topology.get("nodes")).items()
        }
        if not self._nodes:
            raise AnsibleFilterError("topology.nodes: there are none")
        self._names = names.nodes()
        self._owners: dict[str, str] = {}
        self._budget = budget.Budget([])
        self._homes: dict[str, dict[str, str]] = {}  # a node's name -> {netns: ...} or {bridge: ...}
        self._links: dict[str, names.Names] = {}  # the names of links, by namespace
        self._ends: set[tuple[str, str]] = set()
        self.imported.leave_out_keys("the file", [key for key in data if key not in ("name", "topology")])
        known = ("nodes", "links", *_LEVELS)
        self.imported.leave_out_keys("topology", [key for key in self._topology if key not in known])

    # -- nodes --------------------------------------------------------------------------------------------------------

    def nodes(self) -> None:
        """Make a namespace or a bridge of every node."""
        kinds = {node: self._kind(node, values) for node, values in self._nodes.items()}
        namespaces: dict[str, t.Any] = {}
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
            namespaces[name] = self._namespace(node, kind)
            if kind != "linux":
                strange.setdefault(kind, []).append(node)
        self._homes.update({node: self._homes[owner] for node, owner in guests.items()})
        for node, kind in kinds.items():
            if kind in _BRIDGES:
                self._bridge(node, kind)
        self.imported.topology["namespaces"] = namespaces
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
        """What is said for a kind, for a group, or for all nodes."""
        found = mapping("topology." + level, self._topology.get(level))
        if level == "defaults":
            return found
        return mapping("topology.{0}.{1}".format(level, name), found.get(name))

    def _levels(self, node: str, kind: str) -> list[dict[t.Any, t.Any]]:
        """All that is said about a node, the most general first."""
        values, of_kind, defaults = self._nodes[node], self._level("kinds", kind), self._level("defaults")
        group = values.get("group") or of_kind.get("group") or defaults.get("group")
        return [defaults, of_kind, self._level("groups", group), values]

    def _setting(self, node: str, kind: str, key: str) -> t.Any:
        return next((level[key] for level in self._levels(node, kind)[::-1] if level.get(key)), None)

    def _name(self, node: str) -> str:
        name = self._names.give(node)
        if name != node:
            self.imported.leave_out("{0}.{1}: is named {2} here".format(_NODES, node, name))
        return name

    def _owner(self, node: str, kinds: dict[str, str]) -> str:
        """The node in whose namespace a node is; itself where it has one of its own."""
        seen: dict[str, None] = {}
        owner = self._owner_of(node, kinds, seen)
        self._owners.update(dict.fromkeys(seen, owner))
        return owner

    def _owner_of(self, node: str, kinds: dict[str, str], seen: dict[str, None]) -> str:
        """As :meth:`_owner`; *seen* gets all nodes that are in the same namespace on the way to it."""
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

    def _namespace(self, node: str, kind: str) -> dict[str, t.Any] | None:
        values: dict[str, t.Any] = {}
        sysctls: dict[str, str] = {}
        for level in self._levels(node, kind):
            self._budget.values("{0}.{1}.sysctls".format(_NODES, node), len(level.get("sysctls") or ()))
            for key, value in mapping("{0}.{1}.sysctls".format(_NODES, node), level.get("sysctls")).items():
                sysctls[str(key)] = str(value)
        strange = [key for key in sysctls if not key.startswith("net.")]
        self.imported.leave_out_keys("{0}.{1}".format(_NODES, node), ["sysctl " + key for key in strange])
        sysctls = {key: value for key, value in sysctls.items() if key not in strange}
        if sysctls.get(_FORWARDING) == "1":
            values["forwarding"] = True
            del sysctls[_FORWARDING]
        if sysctls:
            values["sysctls"] = sysctls
        return values or None

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
            self.imported.leave_out("{0}: becomes a Linux bridge, which has no flows".format(place))
        if not inside:
            self.imported.leave_out("{0}: the lab creates it; containerlab expects it to exist".format(place))

    def _leave_out_settings(self) -> None:
        places = [("{0}.{1}".format(_NODES, node), values) for node, values in self._nodes.items()]
        for level in ("kinds", "groups"):
            for one, values in mapping("topology." + level, self._topology.get(level)).items():
                place = "topology.{0}.{1}".format(level, one)
                places.append((place, mapping(place, values)))
        places.append(("topology.defaults", self._level("defaults")))
        for place, values in places:
            self.imported.leave_out_keys(place, [key for key in values if key not in _NODE_KEYS])

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
                self.imported.leave_out_keys(place, [key for key in values if key not in _LINK_KEYS])
                found.append(self._link(place, values, ends))
        if found:
            self.imported.topology["links"] = found

    def _pair(self, place: str, link: dict[t.Any, t.Any]) -> list[_End]:
        """Both ends of a link; none for one that has no meaning here."""
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
        self.imported.leave_out_keys(place, [key for key in value if key not in _END_KEYS])
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
        """An end as our format has it."""
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
        values: dict[str, t.Any] = {"name": self._link_name(at, netns, end.interface)}
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
        if len(values) == 1:
            return "{0}:{1}".format(label or netns, values["name"])
        return {**home, **values}

    def _link_name(self, place: str, netns: str, text: str) -> str:
        name = self._links.setdefault(netns, names.links()).give(text)
        if name != text:
            self.imported.leave_out("{0}: is named {1} here".format(place, name))
        return name
