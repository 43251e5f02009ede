# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of what the filters have in common that take labs from other formats."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of all of them, and of those that take graphs."""

    DOCUMENTATION = r"""
options:
  name:
    description: The lab's name. Left out, it is the one that the input gives it.
    type: str
  with_notes:
    description:
      - Whether to return what was left out beside the topology. Otherwise it becomes a warning.
    type: bool
    default: false
notes:
  - What cannot be a name here becomes one. Accents go, other characters become hyphens, what is too long is cut, and a
    number tells apart what would be called alike. The result is the same whenever the input is.
  - A text of more than 1,048,576 characters is refused, and what is larger than a topology may be.
seealso:
  - module: linuxnet.lab.topology
"""

    GRAPH = r"""
notes:
  - Every node becomes a namespace that forwards, called after the node's label, every edge a link. Routers have static
    routes to one another by the fewest links, and the lab's contract is that each reaches each.
  - Several edges between two nodes are as many links. Edges from a node to itself are left out. Edges of a directed
    graph lead both ways here, and an edge there with one back is one link.
  - In a graph of several parts without an edge between them, the contract is that each router reaches those of its own
    part and no others. For more than 707 routers there is none, because it would be too many checks.
  - All further attributes of the graph, its nodes and its edges are left out.
requirements:
  - networkx (on the controller)
options:
  lo:
    description:
      - The prefix, or a list of one of IPv4 and one of IPv6, out of which every router gets an address of its C(lo), by
        its name. Routes lead to these addresses then, and the contract asks for them.
      - An empty list gives none; routes lead to the links.
    type: raw
    default: 10.255.0.0/16
  pool:
    description: The prefix, or a list of one of IPv4 and one of IPv6, out of which links get addresses.
    type: raw
    default: 10.254.0.0/16
"""
