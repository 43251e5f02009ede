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
    description: The name of the lab. By default, the name in the input.
    type: str
  with_notes:
    description:
      - Whether to return a list of everything that the filter left out, together with the topology. Otherwise the
        filter prints a warning.
    type: bool
    default: false
notes:
  - The filter makes names valid. It removes accents, replaces other characters by hyphens, cuts names that are too
    long, and adds a number to a name that already exists. The same input always gives the same names.
  - The filter refuses a text of more than 1,048,576 characters, and a network that is larger than a topology may be.
seealso:
  - module: linuxnet.lab.topology
"""

    GRAPH = r"""
notes:
  - Each node becomes a namespace that forwards, named after the label of the node. Each edge becomes a link. The
    routers have static routes to each other along the fewest links. The checks of the lab expect each router to reach
    every other one.
  - Several edges between two nodes become several links. The filter leaves out edges from a node to itself. An edge of
    a directed graph becomes a link in both directions, and two opposite edges become one link.
  - If a graph consists of several parts without an edge between them, the checks expect each router to reach only the
    routers of its own part. A lab with more than 707 routers has no checks, because they would be too many.
  - The filter leaves out all other attributes of the graph, its nodes and its edges.
requirements:
  - networkx (on the controller)
options:
  lo:
    description:
      - The prefix, or a list of one of IPv4 and one of IPv6, from which each router gets an address on its C(lo),
        chosen by its name. Routes lead to these addresses, and the checks are about them.
      - With an empty list, C(lo) gets no addresses, and the routes lead to the links.
    type: raw
    default: 10.255.0.0/16
  pool:
    description: The prefix, or a list of one of IPv4 and one of IPv6, from which links get addresses.
    type: raw
    default: 10.254.0.0/16
"""
