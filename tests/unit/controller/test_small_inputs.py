# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Labs in other formats take little time and memory, whatever they contain. The result is a topology or one clear
error.
"""

from __future__ import annotations

import typing as t

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.linuxnet.lab.plugins.filter.from_containerlab import from_containerlab
from ansible_collections.linuxnet.lab.plugins.filter.from_gml import from_gml
from ansible_collections.linuxnet.lab.plugins.filter.from_graphml import from_graphml
from ansible_collections.linuxnet.lab.plugins.filter.from_kathara import from_kathara

from ..bounded import bounded

CLAB = "name: x\ntopology:\n  nodes:\n"
GML = "graph [\n{0}\n]"
GRAPHML = '<graphml xmlns="http://graphml.graphdrawing.org/xmlns"><graph edgedefault="undirected">{0}</graph></graphml>'
ENTITY = '<!ENTITY e{0} "&e{1};&e{1};&e{1};&e{1};&e{1};&e{1};&e{1};&e{1};">'
DEEP = "nested lists and mappings"
Case = tuple[t.Callable[..., t.Any], t.Callable[[], t.Any], str]


def yaml_bomb() -> str:
    """Nine lines, each of which contains the one before nine times."""
    lines = ["a0: &a0 [x]"]
    for number in range(1, 10):
        lines.append("a{0}: &a{0} [{1}]".format(number, ", ".join(["*a{0}".format(number - 1)] * 9)))
    return "\n".join([CLAB + "    a: {kind: linux}", *lines])


def shared(depth: int) -> t.Any:
    """The same as data that a YAML parser has already read."""
    value: t.Any = "x"
    for dummy in range(depth):
        value = [value] * 9
    return {"name": "x", "topology": {"nodes": {"a": {"kind": "linux"}}, "links": value}}


CASES: dict[str, Case] = {
    "containerlab, aliases": (from_containerlab, yaml_bomb, "the alias *a0 is not allowed"),
    "containerlab, aliases that were read": (from_containerlab, lambda: shared(20), "more than 262144 values"),
    "containerlab, deep": (from_containerlab, lambda: CLAB + "    a: " + "[" * 100_000, DEEP),
    "containerlab, deep data": (from_containerlab, lambda: {"topology": {"nodes": deep()}}, DEEP),
    "containerlab, not YAML": (from_containerlab, lambda: "a: 2026-99-99", "this is not YAML"),
    "containerlab, a long text": (from_containerlab, lambda: "a" * 5_000_000, "5000000 characters are more than"),
    "containerlab, a long value": (
        from_containerlab,
        lambda: {"topology": {"nodes": {"a": {"kind": ["x" * 100] * 10_000}}}, "name": "x"},
        "is not a kind",
    ),
    "containerlab, guests of guests": (
        from_containerlab,
        lambda: {
            "name": "x",
            "topology": {
                "nodes": {
                    "n0": {"kind": "linux"},
                    **{
                        f"n{one}": {"kind": "linux", "network-mode": f"container:n{one - 1}"}
                        for one in range(20_000, 0, -1)
                    },
                }
            },
        },
        "",
    ),
    "containerlab, settings of all": (
        from_containerlab,
        lambda: {
            "name": "x",
            "topology": {
                "defaults": {"kind": "linux", "sysctls": {f"net.x{one}": "1" for one in range(5000)}},
                "nodes": {f"n{one}": None for one in range(5000)},
            },
        },
        "more than 262144 values",
    ),
    "kathara, blanks": (from_kathara, lambda: "a[image]=" + " " * 200_000 + '"', "is not MACHINE[KEY]=VALUE"),
    "kathara, blanks after a quote": (from_kathara, lambda: 'a[image]="b"' + " " * 200_000 + "c", "is not MACHINE"),
    "kathara, a long text": (from_kathara, lambda: "a" * 5_000_000, "5000000 characters are more than"),
    "kathara, a long number": (from_kathara, lambda: "LAB_NAME=x\na[{0}]=b".format("1" * 5000), ""),
    "gml, blank lines": (from_gml, lambda: "\n" * 60_000 + GML.format("label \"x\" node [ id 1 ]"), ""),
    "gml, blank lines alone": (from_gml, lambda: "\n" * 200_000, "this is not GML"),
    "gml, brackets": (from_gml, lambda: GML.format("a [ " * 3000 + "] " * 3000), "nested elements"),
    "gml, a long text": (from_gml, lambda: "[" * 5_000_000, "5000000 characters are more than"),
    "graphml, deep": (from_graphml, lambda: GRAPHML.format("<a>" * 3000 + "</a>" * 3000), "nested elements"),
    "graphml, entities": (
        from_graphml,
        lambda: "<!DOCTYPE x [{0}]><x>&e9;</x>".format("".join(map(ENTITY.format, range(1, 10), range(9)))),
        "this is not GraphML",
    ),
    "graphml, parts": (
        from_graphml,
        lambda: GRAPHML.format("".join('<node id="n{0}"/>'.format(one) for one in range(3000))),
        "",
    ),
    "graphml, nobody has a name": (
        from_graphml,
        lambda: GRAPHML.format("".join('<node id="{0}"/>'.format("é" * one) for one in range(1, 1200))),
        "",
    ),
}


def deep() -> t.Any:
    """Lists that are deeply nested."""
    value: t.Any = []
    for dummy in range(50_000):
        value = [value]
    return value


@pytest.mark.parametrize("name", CASES)
def test_what_is_small_stays_small(name: str) -> None:
    """The filter ends within the limits."""
    if name.startswith("g"):
        pytest.importorskip("networkx")
    function, make, expected = CASES[name]
    data = make()

    def work() -> str:
        try:
            function(data, name="x") if name != "kathara, a long text" else function(data)
        except AnsibleFilterError as exc:
            return str(exc)
        return ""

    said = bounded(work)
    assert bool(said) == bool(expected), said
    assert expected in said and len(said) < 2000
