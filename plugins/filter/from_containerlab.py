# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter from_containerlab: a containerlab topology as one of ours."""

from __future__ import annotations

DOCUMENTATION = r"""
name: from_containerlab
short_description: Take the network out of a containerlab topology
description:
  - Turns a topology definition of containerlab into a topology as M(linuxnet.lab.topology) takes it.
  - Nodes of the kind C(linux) become namespaces. So do nodes of all other kinds that are not named here, without what
    runs in them. A kind may come from C(groups) or C(defaults), as in containerlab.
  - Nodes of the kind C(bridge) become bridges. For containerlab they have to be there before; here the lab makes them,
    and M(linuxnet.lab.topology) refuses to take one over that is not the lab's. C(ovs-bridge) becomes a Linux bridge.
  - The kind C(host), and C(host) as the end of a link, are the host itself.
  - Links of the types C(veth), C(veth-stitch) and C(host) are taken in both notations, with interface names, MAC and IP
    addresses and MTU. Left out are links of the types C(mgmt-net), C(macvlan), C(vxlan), C(vxlan-stitch) and C(dummy).
  - Of a node's other settings C(sysctls) are taken as far as they are of the network, and C(network-mode) if it is
    C(container:NODE). C(net.ipv4.ip_forward) makes a node one that forwards. Everything else is left out, above all
    C(image), C(exec) and C(binds).
author:
  - linuxnet.lab contributors (!UNKNOWN)
extends_documentation_fragment:
  - linuxnet.lab.imported
options:
  _input:
    description: The topology definition, as data or as YAML.
    type: raw
    required: true
  host_addresses:
    description:
      - Whether ends of links that are the host's may have IP addresses. Otherwise a definition that gives the host any
        is refused, for it can come from a stranger.
    type: bool
    default: false
notes:
  - YAML aliases are refused in a text, because by them a few lines can stand for gigabytes. Data that Ansible has read,
    as by P(ansible.builtin.from_yaml#filter), may have had some.
  - Links without an MTU have the kernel's 1500 octets here, and 9500 in containerlab.
  - Few links have addresses in containerlab's files. Give the topology a C(pool), and they get some.
"""

EXAMPLES = r"""
- name: Build a containerlab lab out of namespaces
  linuxnet.lab.topology:
    topology: "{{ lookup('ansible.builtin.file', 'office.clab.yml') | linuxnet.lab.from_containerlab }}"

- name: The same with addresses for all links, and routes
  linuxnet.lab.topology:
    topology: "{{ clab | linuxnet.lab.from_containerlab | combine({'pool': '10.254.0.0/16', 'routing': 'static'}) }}"
  vars:
    clab: "{{ lookup('ansible.builtin.file', 'office.clab.yml') | from_yaml }}"

- name: See what has no meaning here
  ansible.builtin.debug:
    msg: "{{ (clab | linuxnet.lab.from_containerlab(with_notes=true)).left_out }}"
  vars:
    clab: "{{ lookup('ansible.builtin.file', 'office.clab.yml') }}"
"""

RETURN = r"""
_value:
  description: The topology; with O(with_notes) a mapping of C(topology) and C(left_out), a list of sentences.
  type: dict
"""

import typing as t

from ansible_collections.linuxnet.lab.plugins.plugin_utils import containerlab
from ansible_collections.linuxnet.lab.plugins.plugin_utils.imported import guarded


@guarded
def from_containerlab(
    data: t.Any, name: str | None = None, with_notes: bool = False, host_addresses: bool = False
) -> dict[str, t.Any]:
    """The topology; AnsibleFilterError names what is wrong with the input."""
    return containerlab.read(data, name).answer(with_notes, host_addresses)


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """By name."""
        return {"from_containerlab": from_containerlab}
