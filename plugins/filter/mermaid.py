# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter mermaid: draw a topology as a Mermaid diagram."""

from __future__ import annotations

DOCUMENTATION = r"""
name: mermaid
short_description: Draw a topology as a Mermaid diagram
description:
  - Converts a topology in the format of M(linuxnet.lab.topology) to a flowchart in the language of Mermaid. GitHub,
    GitLab and many editors draw it in a Markdown code block of the language C(mermaid).
  - A namespace is a box with its name and the addresses of its C(lo). A router is a hexagon. A bridge or segment has
    round sides, and shows its prefix. The host is a box with double sides. A line is a link. A dashed line is
    masquerading. It leads to a circle, the outside, or to the other end of the outgoing link.
  - The members of a segment are on its left, and its gateway is on its right.
author:
  - linuxnet.lab contributors (!UNKNOWN)
extends_documentation_fragment:
  - linuxnet.lab.picture
seealso:
  - plugin: linuxnet.lab.dot
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Draw a lab into a page
  ansible.builtin.copy:
    content: "```mermaid\n{{ topology | linuxnet.lab.mermaid(labels='all') }}```\n"
    dest: lab.md
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
    Kind.NAMESPACE: ("[", "]"),
    Kind.HOST: ("[[", "]]"),
    Kind.NETWORK: ("([", "])"),
    Kind.OUTSIDE: ("((", "))"),
}
_ROUTER = ("{{", "}}")

# Characters with a meaning in Mermaid, HTML or Markdown become character references.
_PLAIN = " .:/-_+@()[],\N{EM DASH}"


def mermaid(data: t.Any, labels: str = "addresses", expand: bool = False, limit: int = 24) -> str:
    """The diagram. AnsibleFilterError with all errors in the topology."""
    picture = draw(data, labels, expand, limit)
    lines = ["flowchart LR", *map(_box, picture.boxes), *map(_line, picture.lines)]
    routers = [box.key for box in picture.boxes if box.router]
    if routers:
        lines += ["classDef router stroke-width:3px", "class {0} router".format(",".join(routers))]
    return "\n    ".join(lines) + "\n"


def _box(box: Box) -> str:
    left, right = _ROUTER if box.router and box.kind is Kind.NAMESPACE else _SHAPES[box.kind]
    return "{0}{1}{2}{3}".format(box.key, left, _text(box.text), right)


def _line(line: Line) -> str:
    kind = "-.->" if line.dashed else "---"
    text = "|{0}|".format(_text(line.text)) if line.text else ""
    return "{0} {1}{2} {3}".format(line.start, kind, text, line.end)


def _text(lines: list[str]) -> str:
    return '"{0}"'.format("<br/>".join(map(_escaped, lines)))


def _escaped(text: str) -> str:
    return "".join(one if one.isalnum() or one in _PLAIN else "#{0};".format(ord(one)) for one in text)


class FilterModule:
    """Register the filter."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """The filter by its name."""
        return {"mermaid": mermaid}
