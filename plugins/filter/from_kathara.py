# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter from_kathara: a Kathará lab as a topology of this collection."""

from __future__ import annotations

DOCUMENTATION = r"""
name: from_kathara
short_description: Convert the network of a Kathará lab
description:
  - Converts a Kathará lab to the format of M(linuxnet.lab.topology). The input is the folder of the lab.
  - Machines become namespaces that forward, as in Kathará, with links named C(eth0), C(eth1) and so on. Collision
    domains become bridges in the host, named after the lab and the domain.
  - Of the options of a machine, the filter converts C(sysctl), C(ipv6) and C(exec). It leaves out all others, and keys
    such as C(LAB_DESCRIPTION).
  - The filter does not run startup files. It takes over the commands whose every word it understands. These are
    commands of C(ip), C(ifconfig), C(route), C(arp), C(brctl), C(sysctl) and C(iptables), and C(echo) to a file in
    C(/proc/sys/net). It leaves out all other commands, loops, conditions, and commands with variables. It also leaves
    out commands that the kernel would refuse. Otherwise they would fail the whole lab.
author:
  - linuxnet.lab contributors (!UNKNOWN)
extends_documentation_fragment:
  - linuxnet.lab.imported
positional: startup
options:
  _input:
    description:
      - The folder of the lab, with the file C(lab.conf) and the startup files. The name of the lab is C(LAB_NAME), or
        else the name of the folder.
      - It can also be the content of C(lab.conf). It then needs C(LAB_NAME) or O(name).
    type: str
    required: true
  startup:
    description: The contents of the startup files, by machine, if the input is the content of C(lab.conf).
    type: dict
"""

EXAMPLES = r"""
- name: Build a Kathará lab out of namespaces
  linuxnet.lab.topology:
    topology: "{{ '/home/me/two-networks' | linuxnet.lab.from_kathara }}"

- name: See what is not in the topology
  ansible.builtin.debug:
    msg: "{{ ('/home/me/two-networks' | linuxnet.lab.from_kathara(with_notes=true)).left_out }}"

- name: Build a lab without a folder
  linuxnet.lab.topology:
    topology: "{{ conf | linuxnet.lab.from_kathara(startup, name='pair') }}"
  vars:
    conf: |
      pc1[0]=A
      pc2[0]=A
    startup:
      pc1: ip address add 10.0.0.1/24 dev eth0
      pc2: ip address add 10.0.0.2/24 dev eth0
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
    source: t.Any, startup: t.Any = None, name: str | None = None, with_notes: bool = False
) -> dict[str, t.Any]:
    """The topology. AnsibleFilterError names the error in the input."""
    return kathara.read(source, startup, name).answer(with_notes)


class FilterModule:
    """Register the filter."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """The filter by its name."""
        return {"from_kathara": from_kathara}
