# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter from_kathara: a Kathará lab as one of our topologies."""

from __future__ import annotations

DOCUMENTATION = r"""
name: from_kathara
short_description: Take the network out of a Kathará lab
description:
  - Turns the file C(lab.conf) of a Kathará lab into a topology as M(linuxnet.lab.topology) takes it.
  - Machines become namespaces that forward, as Kathará's do, with links named C(eth0), C(eth1) and so on. Collision
    domains become bridges in the host, called after the lab and the domain.
  - Of a machine's options C(sysctl) is taken. All others are left out, as are C(LAB_DESCRIPTION) and the like.
author:
  - linuxnet.lab contributors (!UNKNOWN)
extends_documentation_fragment:
  - linuxnet.lab.imported
positional: startup
options:
  _input:
    description: What the file C(lab.conf) says.
    type: str
    required: true
  startup:
    description:
      - What the machines' startup files say, by machine.
      - They are not run. C(ip address add) and C(ifconfig) give addresses, C(ip route add) gives routes. Whatever else
        is in them is left out, and so are lines with variables or several commands.
    type: dict
"""

EXAMPLES = r"""
- name: Build a Kathará lab out of namespaces, with the addresses and routes of its startup files
  linuxnet.lab.topology:
    topology: "{{ lookup('ansible.builtin.file', lab ~ '/lab.conf') | linuxnet.lab.from_kathara(startup) }}"
  vars:
    lab: /home/me/two-networks
    startup:
      pc1: "{{ lookup('ansible.builtin.file', lab ~ '/pc1.startup') }}"
      pc2: "{{ lookup('ansible.builtin.file', lab ~ '/pc2.startup') }}"
      r1: "{{ lookup('ansible.builtin.file', lab ~ '/r1.startup') }}"
"""

RETURN = r"""
_value:
  description: The topology; with O(with_notes) a mapping of C(topology) and C(left_out), a list of sentences.
  type: dict
"""

import typing as t

from ansible_collections.linuxnet.lab.plugins.plugin_utils import kathara
from ansible_collections.linuxnet.lab.plugins.plugin_utils.imported import guarded


@guarded
def from_kathara(
    text: t.Any, startup: t.Any = None, name: str | None = None, with_notes: bool = False
) -> dict[str, t.Any]:
    """The topology; AnsibleFilterError names what is wrong with the input."""
    return kathara.read(text, startup, name).answer(with_notes)


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """By name."""
        return {"from_kathara": from_kathara}
