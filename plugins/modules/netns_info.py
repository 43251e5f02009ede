#!/usr/bin/python

# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: netns_info
short_description: Show what network namespaces contain
description:
  - Reads the links, addresses, routes and neighbours of the host and of namespaces. The result contains the names of
    links instead of the kernel's indexes.
author:
  - linuxnet.lab contributors (!UNKNOWN)
extends_documentation_fragment:
  - linuxnet.lab.lab.info
options:
  name:
    description:
      - The namespaces to read, each as a name, a PID or a path. Empty for the host.
      - By default, the host, the namespaces in C(/run/netns), and those that a process of a lab holds.
    type: list
    elements: str
  lab:
    description:
      - The lab to read. The result contains only its namespaces and the host.
      - Addresses that this lab already has on the host count as free for O(candidates).
    type: str
  candidates:
    description:
      - IP addresses to test. RV(free) lists those that are on no link of the host, in none of its networks, and not in
        use by it.
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
    - The O(candidates) that the lab O(lab) can use, in their order.
    - The other ones are on a link of the host or of another lab, in a network that the host has a route to, or in use.
      The documentation of O(linuxnet.lab.address#module:force) says what counts as in use.
  returned: success
  type: list
  elements: str
  sample: [203.0.113.8, 192.0.2.8]
namespaces:
  description: The namespaces, in the order of O(name). Without O(name), the host comes first.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Its name, PID or path. Empty for the host.
      type: str
      returned: always
      sample: c1
    lab:
      description: The lab that it belongs to. Empty for none.
      type: str
      returned: always
      sample: demo
    pid:
      description: The PID of the process that holds it for a lab. 0 for none.
      type: int
      returned: always
      sample: 0
    hostname:
      description: The hostname in a namespace that a process holds. Empty for others.
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
          description: Its kind, as the kernel names it. Empty for hardware and C(lo).
          type: str
          returned: always
          sample: veth
        up:
          description: Whether the link is set up.
          type: bool
          returned: always
          sample: true
        mtu:
          description: Its MTU.
          type: int
          returned: always
          sample: 1500
        mac:
          description: Its MAC address.
          type: str
          returned: always
          sample: "02:00:00:00:00:01"
        master:
          description: The bridge that it is a port of. Empty for none.
          type: str
          returned: always
          sample: ""
        lab:
          description: The lab of its mark. Empty for none.
          type: str
          returned: always
          sample: demo
        addresses:
          description: Its IP addresses with prefix length, in the kernel's order.
          type: list
          elements: str
          returned: always
          sample: [10.0.0.2/24]
        addr_info:
          description: What the kernel says of each of these addresses.
          type: list
          elements: dict
          returned: always
          contains:
            address:
              description: The address with prefix length.
              type: str
              returned: always
              sample: 10.0.0.2/24
            peer:
              description: The address of the other end of a point-to-point link. Empty for none.
              type: str
              returned: always
              sample: ""
            broadcast:
              description: The broadcast address. Empty for none.
              type: str
              returned: always
              sample: ""
            scope:
              description: Its scope.
              type: str
              returned: always
              sample: global
            metric:
              description: The metric of the kernel's route to its prefix. 0 for the default.
              type: int
              returned: always
              sample: 0
            noprefixroute:
              description: Whether the kernel makes no route to its prefix.
              type: bool
              returned: always
              sample: false
            nodad:
              description: Whether an IPv6 address was usable at once, without duplicate address detection.
              type: bool
              returned: always
              sample: false
            dadfailed:
              description: Whether duplicate address detection found another owner of an IPv6 address.
              type: bool
              returned: always
              sample: false
            valid_lft:
              description: How many seconds it has left, or V(forever).
              type: str
              returned: always
              sample: forever
            preferred_lft:
              description: How many seconds the kernel uses it for new connections, or V(forever).
              type: str
              returned: always
              sample: forever
        peer:
          description: The other end of a veth.
          type: dict
          returned: for a veth, if the module finds the namespace of its peer
          contains:
            name:
              description: The other end's name.
              type: str
              returned: always
              sample: vethc1
            netns:
              description: The other end's namespace. Empty for the host.
              type: str
              returned: always
              sample: ""
    routes:
      description: Its routes in the kernel's order, without those that the kernel keeps in its table C(local).
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
          description: The gateway. Empty for none.
          type: str
          returned: always
          sample: 10.0.0.1
        dev:
          description: The link. Empty for none.
          type: str
          returned: always
          sample: vethc1-peer
        nexthops:
          description: The next hops of a multipath route. Empty for other routes.
          type: list
          elements: dict
          returned: always
          sample: []
          contains:
            via:
              description: The gateway. Empty for none.
              type: str
              returned: always
              sample: 10.0.1.1
            dev:
              description: The link.
              type: str
              returned: always
              sample: eth1
            weight:
              description: How many packets take this hop in comparison with the others.
              type: int
              returned: always
              sample: 1
            onlink:
              description: Whether the gateway is on the link whatever its address.
              type: bool
              returned: always
              sample: false
        src:
          description: The preferred source address. Empty for none.
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
          description: The protocol number, which says who added the route. 76 is this collection, 2 is the kernel.
          type: int
          returned: always
          sample: 76
    rules:
      description:
        - Its policy rules in the kernel's order, IPv4 first. Beside these values, each has the options of the module
          M(linuxnet.lab.rule) that apply to it.
      type: list
      elements: dict
      returned: always
      contains:
        family:
          description: 4 or 6.
          type: int
          returned: always
          sample: 4
        priority:
          description: Its priority.
          type: int
          returned: always
          sample: 100
        protocol:
          description: The protocol number, which says who added the rule. 76 is this collection, 2 is the kernel.
          type: int
          returned: always
          sample: 76
        text:
          description: The rule as C(ip rule) prints it.
          type: str
          returned: always
          sample: "100: from 10.0.2.2/32 lookup 200"
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
          description: The neighbour's MAC address. Empty if it is not known.
          type: str
          returned: always
          sample: "02:00:00:00:00:01"
        state:
          description: The state of the entry.
          type: str
          returned: always
          sample: REACHABLE
        proxy:
          description: Whether the entry is a proxy entry.
          type: bool
          returned: always
          sample: false
        router:
          description: Whether the neighbour is a router. A router says so in IPv6, and C(ip neigh) sets it.
          type: bool
          returned: always
          sample: false
        extern_learn:
          description: Whether a program other than the kernel has learnt the entry.
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
          description: The port behind which the address is.
          type: str
          returned: always
          sample: vethc1
        master:
          description: The bridge. Empty if the entry does not belong to one.
          type: str
          returned: always
          sample: br0
        vlan:
          description: The VLAN. 0 for none.
          type: int
          returned: always
          sample: 0
        permanent:
          description: Whether the bridge did not learn the entry from a packet.
          type: bool
          returned: always
          sample: false
    sysctls:
      description: The values of O(sysctls) by name. Null if the kernel has no such sysctl.
      type: dict
      returned: always
      sample: {net.ipv4.ip_forward: "1"}
"""

from ansible_collections.linuxnet.lab.plugins.module_utils.python import begin

begin()

from ansible_collections.linuxnet.lab.plugins.module_utils.modules.netns_info import main

if __name__ == "__main__":
    main()
