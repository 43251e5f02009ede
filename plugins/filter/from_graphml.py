# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter from_graphml: convert a network in GraphML, such as of the Topology Zoo, to a topology of routers."""

from __future__ import annotations

DOCUMENTATION = r"""
name: from_graphml
short_description: Convert a network in GraphML to a lab of routers
description:
  - Converts a network in GraphML, such as those of the Internet Topology Zoo, to the format of
    M(linuxnet.lab.topology).
author:
  - linuxnet.lab contributors (!UNKNOWN)
extends_documentation_fragment:
  - linuxnet.lab.imported
  - linuxnet.lab.imported.graph
options:
  _input:
    description: The network as a text in GraphML.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Build a network and check that each of its routers reaches each
  hosts: lab_hosts
  gather_facts: false
  vars:
    network: "{{ lookup('ansible.builtin.file', 'Abilene.graphml') | linuxnet.lab.from_graphml(lo='10.99.0.0/16') }}"
  tasks:
    - name: Build
      linuxnet.lab.topology:
        topology: "{{ network }}"

    - name: Check
      linuxnet.lab.connectivity:
        topology: "{{ network }}"
"""

RETURN = r"""
_value:
  description:
    - The topology. With O(with_notes), a mapping with the keys C(topology) and C(left_out), a list of sentences.
  type: dict
"""

import typing as t

from ansible_collections.linuxnet.lab.plugins.plugin_utils import graph
from ansible_collections.linuxnet.lab.plugins.plugin_utils.imported import guarded


@guarded
def from_graphml(
    text: t.Any,
    name: str | None = None,
    lo: t.Any = "10.255.0.0/16",
    pool: t.Any = "10.254.0.0/16",
    with_notes: bool = False,
) -> dict[str, t.Any]:
    """The topology. AnsibleFilterError names the error in the input."""
    return graph.read(graph.from_graphml(text), name, lo, pool).answer(with_notes)


class FilterModule:
    """Register the filter."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """The filter by its name."""
        return {"from_graphml": from_graphml}
