# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Convert a graph, as networkx reads it, to a topology of routers."""

from __future__ import annotations

import collections
import importlib
import re
import types
import typing as t
import xml.etree.ElementTree

from ansible.errors import AnsibleFilterError

from ansible_collections.linuxnet.lab.plugins.module_utils import rules
from ansible_collections.linuxnet.lab.plugins.module_utils.topology import addressing, budget, schema
from ansible_collections.linuxnet.lab.plugins.plugin_utils import names
from ansible_collections.linuxnet.lab.plugins.plugin_utils.imported import Imported, checked, limited

_GML_GRAPH = re.compile(r"^[ \t]*graph\s*\[", re.MULTILINE)
_GML_BRACKETS = re.compile(r'"[^"]*"|#[^\n]*|[\[\]]')
_GML_MULTIGRAPH = re.compile(r"\bmultigraph\s+[01]\b")


def from_gml(text: t.Any) -> t.Any:
    """The graph that a text in GML describes."""
    if isinstance(text, str):
        depth = 0
        for bracket in _GML_BRACKETS.findall(limited("GML", text)):
            depth += {"[": 1, "]": -1}.get(bracket, 0)
            _check_depth("GML", depth)
        # Files of the Topology Zoo have several links between two nodes, without declaring a multigraph. Numbers
        # identify the nodes, because some labels are missing or not unique.
        text = _GML_GRAPH.sub("graph [\nmultigraph 1", _GML_MULTIGRAPH.sub("", text), count=1)
    return _parsed("GML", text, lambda library, text: library.parse_gml(text, label="id"))


def from_graphml(text: t.Any) -> t.Any:
    """The graph that a text in GraphML describes."""
    if isinstance(text, str):
        _check_xml(limited("GraphML", text))
    graph = _parsed("GraphML", text, lambda library, text: library.parse_graphml(text, force_multigraph=True))
    # networkx creates a node for any end of an edge.
    known = {one.get("id") for one in xml.etree.ElementTree.fromstring(text).iter() if one.tag.endswith("}node")}
    for node in graph:
        if node not in known:
            raise AnsibleFilterError("this is not GraphML: an edge leads to {0!r}, which is not a node".format(node))
    return graph


def _check_xml(text: str) -> None:
    depth = 0
    try:
        parser = xml.etree.ElementTree.XMLPullParser(("start", "end"))
        parser.feed(text)
        for event, dummy in parser.read_events():
            depth += 1 if event == "start" else -1
            _check_depth("GraphML", depth)
    except xml.etree.ElementTree.ParseError as exc:
        raise AnsibleFilterError("this is not GraphML: {0}".format(exc)) from exc


def _check_depth(what: str, depth: int) -> None:
    if depth > budget.DEPTH:
        raise AnsibleFilterError("{0}: more than {1} nested elements".format(what, budget.DEPTH))


def _parsed(what: str, text: t.Any, parse: t.Callable[[types.ModuleType, str], t.Any]) -> t.Any:
    if not isinstance(text, str):
        raise AnsibleFilterError("{0!r} is not a text in {1}".format(text, what))
    try:
        # This import is slow, and only these filters need it.
        library = importlib.import_module("networkx")
    except ImportError as exc:
        raise AnsibleFilterError("{0} needs the Python library networkx on the controller".format(what)) from exc
    try:
        graph = parse(library, text)
    except (library.NetworkXException, SyntaxError, ValueError, LookupError, TypeError, AttributeError) as exc:
        raise AnsibleFilterError("this is not {0}: {1}".format(what, exc)) from exc
    budget.Budget([]).objects(what, graph.number_of_nodes() + 2 * graph.number_of_edges())
    return graph


def read(graph: t.Any, name: str | None, lo: str | list[str] | None, pool: str | list[str]) -> Imported:
    """The topology, with what it leaves out. Each node becomes a router that has a route to every other one.

    :arg lo: the prefixes from which each router gets an address on its `lo`, at most one of each IP version.
    :arg pool: the same for links.
    """
    if not pool:
        raise AnsibleFilterError("pool: {0!r} is not a prefix, and links need addresses".format(pool))
    imported = Imported(name or graph.graph.get("label") or graph.graph.get("name"), "label")
    if not graph:
        raise AnsibleFilterError("the graph has no nodes")
    routers = _routers(imported, graph)
    addresses = _addresses(list(routers.values()), _prefixes("lo", lo), _prefixes("pool", pool))
    groups = _groups(graph, routers)
    imported.topology.update(
        {
            "namespaces": {
                router: {"forwarding": True, **({"lo": addresses[router]} if addresses[router] else {})}
                for router in routers.values()
            },
            "links": _links(imported, graph, routers),
            "pool": pool,
            "routing": "static",
            "checks": _checks(imported, groups),
        }
    )
    if len(groups) > 1:
        imported.leave_out("the graph is in {0} parts that do not reach each other; those without {1}: {2}".format(
            len(groups), groups[0][0], "; ".join(", ".join(group) for group in groups[1:])))
    _leave_out_attributes(imported, graph)
    return imported


def _routers(imported: Imported, graph: t.Any) -> dict[t.Any, str]:
    """The name of each node's namespace."""
    found = {}
    given = names.nodes()
    for node, attributes in graph.nodes(data=True):
        label = str(attributes.get("label", node)).strip()
        found[node] = given.give(label, str(node))
        if found[node] != label:
            imported.change("node {0}: {1!r} is named {2} here".format(node, label, found[node]))
    return found


def _prefixes(option: str, value: t.Any) -> list[addressing.Network]:
    texts = [] if value is None else value if isinstance(value, list) else [value]
    for text in texts:
        if not isinstance(text, str) or "/" not in text:
            raise AnsibleFilterError("{0}: {1!r} is not a prefix".format(option, text))
        checked(rules.check_prefix(option, text))
    return [rules.network_of(text) for text in texts]


def _addresses(
    routers: list[str], prefixes: list[addressing.Network], pools: list[addressing.Network]
) -> dict[str, list[str]]:
    """The addresses of each router's `lo`. They depend on names, so that they stay when other nodes come or go."""
    found: dict[str, list[str]] = {router: [] for router in routers}
    for prefix in prefixes:
        for pool in pools:
            if prefix.version == pool.version and prefix.overlaps(pool):
                raise AnsibleFilterError("lo: {0} overlaps the pool {1}".format(prefix, pool))
        try:
            places = addressing.assign(routers, addressing.places(prefix), ())
        except ValueError as exc:
            raise AnsibleFilterError("lo: {0} is too small: {1}".format(prefix, exc)) from exc
        for router, place in places.items():
            found[router].append(addressing.address(prefix, place).partition("/")[0])
    return found


def _links(imported: Imported, graph: t.Any, routers: dict[t.Any, str]) -> list[list[str]]:
    """The links: as many between two routers as the graph has edges. Each link leads both ways."""
    wires = collections.Counter(graph.edges())
    found: list[list[str]] = []
    for start, end in list(wires):
        there, back = wires.pop((start, end), 0), wires.pop((end, start), 0)
        if start == end:
            imported.leave_out("a link from {0} to itself".format(routers[start]))
            continue
        count = max(there, back) if graph.is_directed() else there + back
        found += [[routers[start], routers[end]]] * count
    if graph.is_directed():
        imported.change("directions: links lead both ways, so two opposite edges are one link")
    return found


def _groups(graph: t.Any, routers: dict[t.Any, str]) -> list[list[str]]:
    """The parts of a graph that no link connects."""
    library = importlib.import_module("networkx")
    parts = list(library.connected_components(graph.to_undirected(as_view=True)))
    group_of = {node: number for number, part in enumerate(parts) for node in part}
    groups: list[list[str]] = [[] for dummy in parts]
    for node, router in routers.items():
        groups[group_of[node]].append(router)
    return groups


def _checks(imported: Imported, groups: list[list[str]]) -> list[dict[str, t.Any]]:
    """Each router reaches all routers of its own part of the graph, and no others."""
    if 2 * sum(map(len, groups)) ** 2 > budget.PAIRS:
        imported.leave_out("checks: there are none, because a check for each pair of routers would be too many")
        return []
    everybody = {"from": schema.ALL, "to": schema.ALL}
    if len(groups) == 1:
        return [everybody]
    return [{**everybody, "expect": "unreachable"}, *({"from": one, "to": one} for one in groups if len(one) > 1)]


def _leave_out_attributes(imported: Imported, graph: t.Any) -> None:
    nodes = [attributes for dummy, attributes in graph.nodes(data=True)]
    links = [attributes for dummy, dummy, attributes in graph.edges(data=True)]
    for what, several in (("the network", [graph.graph]), ("nodes", nodes), ("links", links)):
        keys = {str(key) for attributes in several for key in attributes} - {"node_default", "edge_default"}
        kept = {"label", "name"} if what == "the network" else {"label"} if what == "nodes" else set()
        if keys - kept:
            imported.change("attributes of {0}: {1}".format(what, ", ".join(sorted(keys - kept))))
