# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filters from_gml and from_graphml."""

from __future__ import annotations

import ipaddress
import json
import pathlib
import sys

import networkx
import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.linuxnet.lab.plugins.filter.from_gml import from_gml
from ansible_collections.linuxnet.lab.plugins.filter.from_graphml import from_graphml
from ansible_collections.linuxnet.lab.plugins.module_utils.topology import contract

# A network of two dozen routers, in the style of the Topology Zoo.
NETWORK = pathlib.Path(__file__).resolve().parents[2] / "data" / "network.gml"

# A ring of four, in the style of the Topology Zoo: a repeated label, a missing one, two links between the same routers
# without the attribute that allows that, and a link from a router to itself.
RING = """
Creator "by hand"
graph [
  label "Ring"
  GeoLocation "Nowhere"
  node [ id 0 label "São Paulo" Longitude -46.6 ]
  node [ id 1 label "Łódź" Internal 1 ]
  node [ id 5 label "Łódź" ]
  node [ id 7 ]
  edge [ source 0 target 1 LinkSpeed "10" ]
  edge [ source 1 target 5 ]
  edge [ source 5 target 7 ]
  edge [ source 7 target 0 ]
  edge [ source 1 target 0 ]
  edge [ source 7 target 7 ]
]
"""
PARTS = """graph [ directed 0 multigraph 0
  node [ id 0 label "a" ] node [ id 1 label "b" ] node [ id 2 label "c" ] node [ id 3 label "d" ]
  node [ id 4 label "e" ]
  edge [ source 0 target 1 ] edge [ source 2 target 3 ] ]"""

GRAPHML = """<?xml version="1.0" encoding="utf-8"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
  <key id="d0" for="node" attr.name="label" attr.type="string"/>
  <key id="d1" for="edge" attr.name="speed" attr.type="double"/>
  <key id="d2" for="graph" attr.name="label" attr.type="string"/>
  <graph edgedefault="{0}">
    <data key="d2">Line</data>
    <node id="n0"><data key="d0">Genève</data></node>
    <node id="n1"><data key="d0">Bern</data></node>
    <node id="n2"/>
    <edge source="n0" target="n1"><data key="d1">1.5</data></edge>
    <edge source="n1" target="n0"/>
    <edge source="n1" target="n2"/>
  </graph>
</graphml>
"""


def test_ring(laid_out):
    answer = from_gml(RING, with_notes=True)
    topology = answer["topology"]
    assert list(topology["namespaces"]) == ["Sao-Paulo", "Lodz", "Lodz-5", "n7"]
    assert topology["links"] == [
        ["Sao-Paulo", "Lodz"],
        ["Sao-Paulo", "Lodz"],
        ["Sao-Paulo", "n7"],
        ["Lodz", "Lodz-5"],
        ["Lodz-5", "n7"],
    ]
    assert (topology["name"], topology["routing"], topology["pool"]) == ("Ring", "static", "10.254.0.0/16")
    assert topology["checks"] == [{"from": "all", "to": "all"}]
    assert answer["left_out"] == [
        "a link from n7 to itself",
        "node 0: 'São Paulo' is named Sao-Paulo here",
        "node 1: 'Łódź' is named Lodz here",
        "node 5: 'Łódź' is named Lodz-5 here",
        "node 7: '7' is named n7 here",
        "attributes of the network: GeoLocation",
        "attributes of nodes: Internal, Longitude",
        "attributes of links: LinkSpeed",
    ]
    lab = laid_out(topology)
    assert all(node.forwarding for node in lab.nodes.values())
    assert all(len(end.addresses) == 1 for end in lab.ends())
    assert len(contract.checks(lab)) == 4 * 3


@pytest.mark.parametrize("word", ["multigraph 0", "multigraph 1", "directed 0\nmultigraph 0\n"])
def test_edges_may_be_parallel_whatever_is_said(word):
    assert from_gml(RING.replace("graph [", "graph [ " + word)) == from_gml(RING)


def test_every_router_has_an_address_of_its_own(laid_out):
    lab = laid_out(from_gml(RING, lo=["10.9.0.0/24", "2001:db8:9::/64"], pool=["10.8.0.0/24", "2001:db8:8::/64"]))
    prefixes = [ipaddress.ip_network("10.9.0.0/24"), ipaddress.ip_network("2001:db8:9::/64")]
    found = set()
    for node in lab.nodes.values():
        addresses = [ipaddress.ip_interface(text) for text in node.lo]
        assert all(one.ip in prefix for one, prefix in zip(addresses, prefixes, strict=True))
        assert all(one.network.num_addresses == 1 for one in addresses)
        found |= set(addresses)
    assert len(found) == 8
    assert len(contract.checks(lab)) == 2 * 4 * 3


def test_routes_are_the_shortest(laid_out):
    """The other way around the ring is longer."""
    lab = laid_out(from_gml(RING))
    address = {ref: node.lo[0].split("/")[0] for ref, node in lab.nodes.items()}
    neighbors = {end.netns: set() for end in lab.ends()}
    for link in lab.links:
        for one, other in (link.ends, link.ends[::-1]):
            neighbors[one.netns].add(other.addresses[0].split("/")[0])
    ways = {(route.netns, route.dst.split("/")[0]): route.via for route in lab.routes}
    assert len(ways) == 4 * 3
    graph = networkx.Graph(from_gml(RING)["links"])
    owner = {one.split("/")[0]: end.netns for end in lab.ends() for one in end.addresses}
    for (netns, dst), via in ways.items():
        target = next(ref for ref, one in address.items() if one == dst)
        assert via in neighbors[netns]
        left = networkx.shortest_path_length(graph, owner[via], target)
        assert left + 1 == networkx.shortest_path_length(graph, netns, target)


def test_without_addresses_of_their_own(laid_out):
    topology = from_gml(RING, lo=[])
    assert topology["namespaces"]["Lodz"] == {"forwarding": True}
    assert laid_out(topology).routes, "to the links"


def test_names_and_addresses_stay_when_others_come():
    before = from_gml(RING)
    more = RING.replace("  edge", '  node [ id 9 label "New" ]\n  node [ id 10 label "Łódź" ]\n  edge', 1)
    after = from_gml(more)
    assert list(after["namespaces"]) == [*before["namespaces"], "New", "Lodz-10"]
    assert {name: after["namespaces"][name] for name in before["namespaces"]} == before["namespaces"]


def test_parts_that_are_not_connected(laid_out):
    answer = from_gml(PARTS, name="parts", with_notes=True)
    assert answer["topology"]["checks"] == [
        {"from": "all", "to": "all", "expect": "unreachable"},
        {"from": ["a", "b"], "to": ["a", "b"]},
        {"from": ["c", "d"], "to": ["c", "d"]},
    ]
    assert answer["left_out"] == [
        "the graph is in 3 parts that do not reach each other; those without a: c, d; e"
    ]
    checks = [check for dummy, check in contract.checks(laid_out(answer["topology"]))]
    assert len(checks) == 5 * 4
    reached = {check["from"] for check in checks if check.get("expect") != "unreachable"}
    assert reached == {"a", "b", "c", "d"}
    assert len([check for check in checks if check.get("expect") == "unreachable"]) == 5 * 4 - 4


def test_long_and_strange_names(laid_out):
    labels = ["A" * 70 + "1", "A" * 70 + "2", "北京", "東京", "a/b", "a:b", "..", "host", "all", "x[1:3]", "-f", "a b"]
    nodes = "".join('node [ id {0} label "{1}" ] '.format(*one) for one in enumerate(labels))
    lab = laid_out(from_gml("graph [ {0} ]".format(nodes), name="strange"))
    names = list(lab.nodes)
    assert len(set(names)) == len(labels) and all(len(name) <= 63 for name in names)
    assert names[2:] == ["n", "n-3", "a-b", "a-b-5", "n-6", "host-7", "all-8", "x-1-3", "f", "a-b-11"]


def test_graphml(laid_out):
    """In an undirected graph, two edges in both directions are two links. In a directed graph, they are one."""
    answer = from_graphml(GRAPHML.format("directed"), with_notes=True)
    topology = answer["topology"]
    assert topology["name"] == "Line"
    assert list(topology["namespaces"]) == ["Geneve", "Bern", "n2"]
    assert topology["links"] == [["Geneve", "Bern"], ["Bern", "n2"]]
    assert topology["checks"] == [{"from": "all", "to": "all"}]
    assert answer["left_out"] == [
        "node n0: 'Genève' is named Geneve here",
        "directions: links lead both ways, so two opposite edges are one link",
        "attributes of links: speed",
    ]
    laid_out(topology)
    both = from_graphml(GRAPHML.format("undirected"))
    assert both["links"] == [["Geneve", "Bern"], ["Geneve", "Bern"], ["Bern", "n2"]]
    laid_out(both)


def test_without_notes_it_is_a_warning(warnings):
    from_gml(RING)
    assert len(warnings) == 1 and "a link from n7 to itself" in warnings[0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "None is not a text in GML"),
        ("", "this is not GML"),
        ("graph [ node [ id 0 ]", "this is not GML"),
        ("graph [ node [ label 5 ] ]", "this is not GML: .*id"),
        ("graph [ node [ id 0 ] edge [ source 0 target 8 ] ]", "this is not GML: .*8"),
        ("graph [ node [ id 0 ] node [ id 0 ] ]", "this is not GML: .*0"),
        ("graph [ label 5 ! ]", "this is not GML"),
        ('graph [ label "x" ]', "no node"),
        ("graph [ node [ id 0 ] ]", "label: None"),
    ],
)
def test_what_is_no_gml_is_named(text, words):
    with pytest.raises(AnsibleFilterError, match=words):
        from_gml(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ({}, "{} is not a text in GraphML"),
        ("", "this is not GraphML"),
        ("<graphml>", "this is not GraphML"),
        ("<html/>", "this is not GraphML"),
        (GRAPHML.format("directed").replace('target="n2"', 'target="n9"'), "leads to 'n9'"),
        (GRAPHML.format("directed").replace('target="n2"', ""), "leads to 'None'"),
        (GRAPHML.format("directed").replace(">1.5<", ">fast<"), "this is not GraphML: .*fast"),
        (GRAPHML.format("directed").replace('<data key="d2">Line</data>', ""), "label: None"),
    ],
)
def test_what_is_no_graphml_is_named(text, words):
    with pytest.raises(AnsibleFilterError, match=words):
        from_graphml(text)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"lo": "10.255.0.0"}, "lo: '10.255.0.0'"),
        ({"lo": "10.255.0.300/24"}, "lo: '10.255.0.300/24'"),
        ({"lo": 7}, "lo: 7"),
        ({"lo": "10.255.0.0/30"}, "lo: 10.255.0.0/30 is too small"),
        ({"lo": "10.254.7.0/24"}, "lo: 10.254.7.0/24 overlaps the pool 10.254.0.0/16"),
        ({"pool": "10.254.0.0/30"}, "pool: 10.254.0.0/30 is too small"),
        ({"pool": []}, r"pool: \[\]"),
    ],
)
def test_what_is_wrong_with_an_option_is_named(options, words):
    with pytest.raises(AnsibleFilterError, match=words):
        from_gml(RING, **options)


def test_without_networkx(monkeypatch):
    monkeypatch.setitem(sys.modules, "networkx", None)
    for text, read in ((RING, from_gml), (GRAPHML, from_graphml)):
        with pytest.raises(AnsibleFilterError, match="networkx on the controller"):
            read(text)


def test_networkx_is_loaded_only_when_it_is_needed(new_python):
    code = """
import sys
import ansible_collections.linuxnet.lab.plugins.filter.from_gml as one
import ansible_collections.linuxnet.lab.plugins.filter.from_containerlab as another
another.from_containerlab({"name": "x", "topology": {"nodes": {"a": {"kind": "linux"}}}})
sys.exit("networkx" in sys.modules or any(".module_utils.kernel" in name for name in sys.modules))
"""
    new_python("-c", code)


def test_a_whole_network(laid_out):
    text = NETWORK.read_text(encoding="utf-8")
    topology = from_gml(text)
    assert len(topology["namespaces"]) == text.count("node [")
    loops = sum(note.startswith("a link from") for note in from_gml(text, with_notes=True)["left_out"])
    assert len(topology["links"]) + loops == text.count("edge [")
    lab = laid_out(topology)
    assert len(lab.routes) == len(contract.checks(lab)) == len(lab.nodes) * (len(lab.nodes) - 1)


FILTERS = {
    "from_gml": RING,
    "from_graphml": GRAPHML.format("directed"),
    "from_kathara": 'LAB_NAME="Ring"\npc1[0]="A"\npc1[mem]="64m"\n',
    "from_containerlab": "name: Ring\ntopology: {nodes: {pc1: {kind: linux, image: x}}}",
}


@pytest.mark.parametrize("name", FILTERS)
def test_are_filters_of_the_collection(name, tmp_path, new_python):
    """Playbooks call them with Ansible's own strings and mappings, options by name, and a warning."""
    (tmp_path / "input").write_text(FILTERS[name])
    text = "lookup('ansible.builtin.file', '{0}/input')".format(tmp_path)
    message = "msg={{{{ {0} | linuxnet.lab.{1} }}}}".format(text, name)
    done = new_python("-m", "ansible.cli.adhoc", "localhost", "-m", "ansible.builtin.debug", "-a", message)
    topology = json.loads(done.stdout[done.stdout.index("{") :])["msg"]
    assert topology["name"] in ("Ring", "Line")
    assert "left out" in done.stderr
