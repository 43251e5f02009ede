# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter dot: draw a topology with Graphviz."""

from __future__ import annotations

DOCUMENTATION = r"""
name: dot
short_description: Draw a topology as a Graphviz diagram
description:
  - Converts a topology in the format of M(linuxnet.lab.topology) to the language of Graphviz. Its programs C(dot),
    C(neato) and others draw it.
  - A namespace is a box with its name and the addresses of its C(lo). A router is a hexagon. A bridge or segment is an
    ellipse with its prefix. The host is a box with a double border. A line is a link. A dashed line is masquerading. It
    leads to a circle, the outside, or to the other end of the outgoing link.
  - The members of a segment are on its left, and its gateway is on its right.
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
    """The diagram. AnsibleFilterError with all errors in the topology."""
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
    """A text for Graphviz, which interprets backslashes and HTML entities."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;").replace("\n", " ")


class FilterModule:
    """Register the filter."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """The filter by its name."""
        return {"dot": dot}
