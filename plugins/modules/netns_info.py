#!/usr/bin/python

# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: netns_info
short_description: Tell what is in network namespaces
description:
  - Reads the links, addresses, routes and neighbours of namespaces, on the host or in namespaces, by names instead of
    the kernel's indexes.
author:
  - linuxnet.lab contributors (!UNKNOWN)
extends_documentation_fragment:
  - linuxnet.lab.lab.info
options:
  name:
    description:
      - The namespaces to read, each as a name, a PID or a path; empty for the host itself.
      - Left out, all are read; the host, those in C(/run/netns), and those that a lab's process holds.
    type: list
    elements: str
  lab:
    description:
      - Read only the namespaces of this lab, and the host. Without O(name) and this, all are read.
      - What this lab has on the host does not stand in the way of O(candidates).
    type: str
  candidates:
    description:
      - IP addresses that a lab would like to have. RV(free) are those of them that are on no link of the host, in none
        of its networks, and not in use by it.
    type: list
    elements: str
    default: []
  sysctls:
    description: Names of sysctls to read in each namespace.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Look at the host
  linuxnet.lab.netns_info:
    name: [""]
  register: host

- name: Show by which link its default route leaves
  ansible.builtin.debug:
    msg: "{{ (host.namespaces[0].routes | selectattr('dst', 'eq', 'default') | first).dev }}"

- name: Choose an address that nothing on the host uses
  linuxnet.lab.netns_info:
    name: [""]
    lab: demo
    candidates: [203.0.113.8, 198.51.100.8, 192.0.2.8]
  register: choice
  failed_when: not choice.free

- name: Look at everything that the lab demo has
  linuxnet.lab.netns_info:
    lab: demo
    sysctls: [net.ipv4.ip_forward]
  register: demo

- name: Show who knows which MAC address, by JMESPath
  ansible.builtin.debug:
    msg: "{{ demo | linuxnet.lab.jmespath(question) }}"
  vars:
    question: "namespaces[].{netns: name, knows: neighbors[?state=='REACHABLE'].[dst, lladdr]}"
"""

RETURN = r"""
free:
  description:
    - Those of O(candidates) that the lab O(lab) may have, in their order.
    - The others are on a link of the host or another lab's, in a network that the host has a route to, or in use. The
      documentation of O(linuxnet.lab.address#module:force) says what is in use.
  returned: success
  type: list
  elements: str
  sample: [203.0.113.8, 192.0.2.8]
namespaces:
  description: The namespaces, in the order asked for; all of them with the host first.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Its name, PID or path; empty for the host.
      type: str
      returned: always
      sample: c1
    lab:
      description: The lab that it belongs to; empty for none.
      type: str
      returned: always
      sample: demo
    pid:
      description: The process that holds it; 0 where none does for a lab.
      type: int
      returned: always
      sample: 0
    hostname:
      description: The hostname in a namespace that a process holds; empty for others.
      type: str
      returned: always
      sample: ""
    links:
      description: Its links.
      type: list
      elements: dict
      returned: always
      contains:
        name:
          description: Its name.
          type: str
          returned: always
          sample: vethc1-peer
        kind:
          description: What it is, as the kernel names it; empty for hardware and C(lo).
          type: str
          returned: always
          sample: veth
        up:
          description: Whether it is set up.
          type: bool
          returned: always
          sample: true
        mtu:
          description: Its MTU.
          type: int
          returned: always
          sample: 1500
        mac:
          description: Its hardware address.
          type: str
          returned: always
          sample: "02:00:00:00:00:01"
        master:
          description: The bridge that it is a port of; empty for none.
          type: str
          returned: always
          sample: ""
        lab:
          description: The lab that it is marked as belonging to; empty for none.
          type: str
          returned: always
          sample: demo
        addresses:
          description: Its IP addresses with prefix length, in the kernel's order.
          type: list
          elements: str
          returned: always
          sample: [10.0.0.2/24]
        peer:
          description: The other end of a veth.
          type: dict
          returned: for a veth whose peer is in a namespace that can be found
          contains:
            name:
              description: The other end's name.
              type: str
              returned: always
              sample: vethc1
            netns:
              description: The other end's namespace; empty for the host.
              type: str
              returned: always
              sample: ""
    routes:
      description: Its routes, without those that the kernel keeps in its table C(local), in the kernel's order.
      type: list
      elements: dict
      returned: always
      contains:
        family:
          description: 4 or 6.
          type: int
          returned: always
          sample: 4
        dst:
          description: The destination in CIDR form, or V(default).
          type: str
          returned: always
          sample: default
        via:
          description: The gateway; empty for none.
          type: str
          returned: always
          sample: 10.0.0.1
        dev:
          description: The link; empty for none.
          type: str
          returned: always
          sample: vethc1-peer
        src:
          description: The source address that it prefers; empty for none.
          type: str
          returned: always
          sample: ""
        metric:
          description: Its metric.
          type: int
          returned: always
          sample: 0
        table:
          description: The number of its table.
          type: int
          returned: always
          sample: 254
        scope:
          description: Its scope.
          type: str
          returned: always
          sample: global
        type:
          description: Its type.
          type: str
          returned: always
          sample: unicast
        protocol:
          description: Who made it, as the number that the kernel keeps; 76 for this collection, 2 for the kernel.
          type: int
          returned: always
          sample: 76
    neighbors:
      description: Its neighbour table.
      type: list
      elements: dict
      returned: always
      contains:
        dst:
          description: The neighbour's IP address.
          type: str
          returned: always
          sample: 10.0.0.1
        dev:
          description: The link.
          type: str
          returned: always
          sample: vethc1-peer
        lladdr:
          description: The neighbour's hardware address; empty while it is not known.
          type: str
          returned: always
          sample: "02:00:00:00:00:01"
        state:
          description: What the kernel thinks of it.
          type: str
          returned: always
          sample: REACHABLE
        proxy:
          description: Whether this namespace answers for it.
          type: bool
          returned: always
          sample: false
    fdb:
      description: The forwarding databases of its bridges.
      type: list
      elements: dict
      returned: always
      contains:
        mac:
          description: A MAC address.
          type: str
          returned: always
          sample: "02:00:00:00:00:01"
        dev:
          description: The port behind which it is.
          type: str
          returned: always
          sample: vethc1
        master:
          description: The bridge; empty where it is not a bridge's.
          type: str
          returned: always
          sample: br0
        vlan:
          description: The VLAN; 0 for none.
          type: int
          returned: always
          sample: 0
        permanent:
          description: Whether it was not learnt from packets.
          type: bool
          returned: always
          sample: false
    sysctls:
      description: The values of O(sysctls) by name; null where the kernel has none of that name.
      type: dict
      returned: always
      sample: {net.ipv4.ip_forward: "1"}
"""

from ansible_collections.linuxnet.lab.plugins.module_utils.python import begin

begin()

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.linuxnet.lab.plugins.module_utils import answer
from ansible_collections.linuxnet.lab.plugins.module_utils.info import describe, free
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.refusals import NET_ADMIN, SYS_ADMIN
from ansible_collections.linuxnet.lab.plugins.module_utils.respawn import require_library


def main():
    """Be the module."""
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "list", "elements": "str"},
            "lab": {"type": "str"},
            "candidates": {"type": "list", "elements": "str", "default": []},
            "sysctls": {"type": "list", "elements": "str", "default": []},
        },
        supports_check_mode=True,
    )
    require_library(module)
    with answer.failing(module, SYS_ADMIN, NET_ADMIN):
        found = describe(module.params["name"], module.params["lab"], module.params["sysctls"])
        choice = free(module.params["candidates"], module.params["lab"] or "")
    answer.give(module, changed=False, namespaces=found, free=choice)


if __name__ == "__main__":
    main()
