# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter from_kathara: a Kathará lab as one of our topologies."""

from __future__ import annotations

DOCUMENTATION = r"""
name: from_kathara
short_description: Convert the network of a Kathará lab
description:
  - Converts the file C(lab.conf) of a Kathará lab to the format of M(linuxnet.lab.topology).
  - Machines become namespaces that forward, as in Kathará, with links named C(eth0), C(eth1) and so on. Collision
    domains become bridges in the host, named after the lab and the domain.
  - Of the options of a machine, the filter converts C(sysctl). It leaves out all others, and keys such as
    C(LAB_DESCRIPTION).
author:
  - linuxnet.lab contributors (!UNKNOWN)
extends_documentation_fragment:
  - linuxnet.lab.imported
positional: startup
options:
  _input:
    description: The content of the file C(lab.conf).
    type: str
    required: true
  startup:
    description:
      - The contents of the startup files, by machine.
      - The filter does not run them. It takes addresses from C(ip address add) and C(ifconfig), and routes from C(ip
        route add). It leaves out all other commands, and lines with variables or several commands.
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
  description:
    - The topology. With O(with_notes), a mapping with the keys C(topology) and C(left_out), a list of sentences.
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
