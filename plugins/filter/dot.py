# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter dot: a topology as a diagram that Graphviz draws."""

from __future__ import annotations

DOCUMENTATION = r"""
name: dot
short_description: Draw a topology as a Graphviz diagram
description:
  - Writes a topology, as M(linuxnet.lab.topology) takes it, in the language of Graphviz, whose programs C(dot),
    C(neato) and others make a picture of it.
  - Namespaces are boxes with their name and the addresses of their C(lo); those that forward are hexagons. Bridges and
    segments are ellipses, and say their prefix. The host is a box with a double border. Lines are links. A dashed one
    is masquerade, and leads to a circle, the outside, or to where the link leads that it is for.
  - Members are drawn on the left of their segment, and its gateway on the right.
author:
  - linuxnet.lab contributors (!UNKNOWN)
extends_documentation_fragment:
  - linuxnet.lab.picture
seealso:
  - plugin: linuxnet.lab.mermaid
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Write a picture of a lab for `dot -Tsvg`
  ansible.builtin.copy:
    content: "{{ topology | linuxnet.lab.dot }}"
    dest: lab.dot
    mode: "0644"
  delegate_to: localhost
  vars:
    topology: "{{ lookup('ansible.builtin.file', 'office.yml') | from_yaml }}"
"""

RETURN = r"""
_value:
  description: The diagram.
  type: str
"""

import typing as t

from ansible_collections.linuxnet.lab.plugins.plugin_utils.picture import Box, Kind, Line, draw

_SHAPES = {
    Kind.NAMESPACE: "shape=box",
    Kind.HOST: "shape=box peripheries=2",
    Kind.NETWORK: "shape=ellipse",
    Kind.OUTSIDE: "shape=circle",
}


def dot(data: t.Any, labels: str = "addresses", expand: bool = False, limit: int = 24) -> str:
    """The diagram; AnsibleFilterError with everything that is wrong with the topology."""
    picture = draw(data, labels, expand, limit)
    body = ["rankdir=LR", *map(_box, picture.boxes), *map(_line, picture.lines)]
    return "graph {{\n{0}}}\n".format("".join("    {0}\n".format(one) for one in body))


def _box(box: Box) -> str:
    shape = _SHAPES[box.kind]
    if box.router:
        shape = "{0} penwidth=3".format("shape=hexagon" if box.kind is Kind.NAMESPACE else shape)
    return "{0} [label={1} {2}]".format(box.key, _text(box.text), shape)


def _line(line: Line) -> str:
    settings = ["label={0}".format(_text(line.text))] if line.text else []
    if line.dashed:
        settings += ["style=dashed", "dir=forward"]
    return "{0} -- {1}{2}".format(line.start, line.end, " [{0}]".format(" ".join(settings)) if settings else "")


def _text(lines: list[str]) -> str:
    return '"{0}"'.format("\\n".join(map(_escaped, lines)))


def _escaped(text: str) -> str:
    """Graphviz knows escapes with a backslash, and those of HTML."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;").replace("\n", " ")


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """By name."""
        return {"dot": dot}
