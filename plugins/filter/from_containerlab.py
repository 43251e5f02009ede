# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter from_containerlab: a containerlab topology as a topology of this collection."""

from __future__ import annotations

DOCUMENTATION = r"""
name: from_containerlab
short_description: Convert the network of a containerlab topology
description:
  - Converts a topology definition of containerlab to the format of M(linuxnet.lab.topology).
  - Nodes of the kind C(linux) become namespaces. So do nodes of all kinds that this page does not name, without their
    programs. A kind may come from C(groups) or C(defaults), as in containerlab.
  - Nodes of the kind C(bridge) become bridges. Containerlab expects them to exist. Here the lab creates them, and
    M(linuxnet.lab.topology) refuses a bridge that does not belong to the lab. C(ovs-bridge) becomes a Linux bridge.
  - The kind C(host), and C(host) as the end of a link, stand for the host.
  - The filter converts links of the types C(veth), C(veth-stitch) and C(host) in both notations, with interface names,
    MAC and IP addresses, and MTU. It leaves out links of the types C(mgmt-net), C(macvlan), C(vxlan), C(vxlan-stitch)
    and C(dummy).
  - Of the other settings of a node, the filter converts network C(sysctls), and C(network-mode) if it is
    C(container:NODE). C(net.ipv4.ip_forward) makes a node a router.
  - Of C(exec), the filter converts the commands that configure the network, such as C(ip address add) and C(ip route
    add), also in C(sh -c) and in scripts that O(folder) has. It runs no command. It leaves out everything else.
author:
  - linuxnet.lab contributors (!UNKNOWN)
extends_documentation_fragment:
  - linuxnet.lab.imported
options:
  _input:
    description: The topology definition, as data or as YAML.
    type: raw
    required: true
  folder:
    description:
      - The folder of the topology definition. The filter reads the scripts that C(exec) runs and that C(binds) takes
        from this folder. By default, it reads no files.
    type: path
    version_added: 0.2.0
  host_addresses:
    description:
      - Whether ends of links in the host may have IP addresses. Otherwise the filter refuses a definition that gives
        the host an address, because it may come from a stranger.
    type: bool
    default: false
notes:
  - The filter refuses YAML aliases in a text, because a few lines with aliases can stand for gigabytes. Data that
    Ansible has already read, such as with P(ansible.builtin.from_yaml#filter), may contain them.
  - The MTU of a link without C(mtu) is 1500 here, and 9500 in containerlab.
  - Few links in files of containerlab have addresses. If you add a C(pool) to the topology, they get some.
"""

EXAMPLES = r"""
- name: Build a containerlab lab out of namespaces
  linuxnet.lab.topology:
    topology: "{{ lookup('ansible.builtin.file', 'office.clab.yml') | linuxnet.lab.from_containerlab }}"

- name: Build a lab whose nodes configure the network by scripts in the folder of the lab
  linuxnet.lab.topology:
    topology: "{{ lookup('ansible.builtin.file', folder ~ '/wan.clab.yml')
      | linuxnet.lab.from_containerlab(folder=folder) }}"
  vars:
    folder: /home/me/wan

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
  description:
    - The topology. With O(with_notes), a mapping with the keys C(topology) and C(left_out), a list of sentences.
  type: dict
"""

import typing as t

from ansible_collections.linuxnet.lab.plugins.plugin_utils import containerlab
from ansible_collections.linuxnet.lab.plugins.plugin_utils.imported import guarded


@guarded
def from_containerlab(
    data: t.Any,
    name: str | None = None,
    with_notes: bool = False,
    host_addresses: bool = False,
    folder: str | None = None,
) -> dict[str, t.Any]:
    """The topology. AnsibleFilterError names the error in the input."""
    return containerlab.read(data, name, folder).answer(with_notes, host_addresses)


class FilterModule:
    """Register the filter."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """The filter by its name."""
        return {"from_containerlab": from_containerlab}
