#!/usr/bin/python

# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: route
short_description: Add, replace and delete routes
description:
  - Adds and deletes IPv4 and IPv6 routes on the host or in a namespace. It can also delete routes that the kernel
    created.
  - Replaces a route of the lab that has the same destination, metric and table, but another gateway or link.
author:
  - linuxnet.lab contributors (!UNKNOWN)
extends_documentation_fragment:
  - linuxnet.lab.lab
  - linuxnet.lab.lab.owner
  - linuxnet.lab.lab.state
options:
  dst: &dst
    description:
      - The destination, as a prefix, an address, or V(default).
      - V(default) has the IP version of O(src), or else of O(via). Without them, it is the IPv4 default route.
      - V(0.0.0.0/0) is the IPv4 default route, whatever its gateway, and V(::/0) is the IPv6 default route.
    type: str
  netns: &netns
    description: The namespace, as a name, a PID or a path. Empty for the host.
    type: str
  via: &via
    description: The gateway. The gateway of an IPv4 route can be an IPv6 address.
    type: str
  dev: &dev
    description: The link through which the packets leave.
    type: str
  src: &src
    description: The preferred source address of packets that the namespace itself sends over the route.
    type: str
  metric: &metric
    description:
      - The metric. The kernel prefers the route with the lowest metric. By default, 0 for IPv4 and 1024 for IPv6.
    type: int
  table: &table
    description: The routing table, V(main), V(default) or a number. By default, V(main).
    type: str
  scope: &scope
    description: The scope of an IPv4 destination. By default, the module chooses it as C(ip route) does.
    type: str
    choices: [global, site, link, host]
  type: &type
    description: The type of the route. By default, V(unicast).
    type: str
    choices: [unicast, local, blackhole, unreachable, prohibit, throw]
  onlink: &onlink
    description: Whether the gateway is on the link, whatever its address.
    type: bool
  mtu: &mtu
    description: The path MTU, 68 to 65535, if it is smaller than the MTU of the link.
    type: int
  advmss: &advmss
    description: The maximum segment size, 1 to 65535, that TCP advertises in connections over this route.
    type: int
  nexthops: &nexthops
    description:
      - The next hops of a multipath route, in place of O(via), O(dev) and O(onlink). The kernel spreads the packets
        over them. By default, all packets from one address to another take the same one.
      - Their order does not matter. One alone makes an ordinary route.
    type: list
    elements: dict
    version_added: 0.2.0
    suboptions:
      via:
        description: The gateway. Each next hop of an IPv6 route needs one.
        type: str
      dev:
        description: The link through which the packets leave.
        type: str
      weight:
        description: How many packets take this hop in comparison with the others, 1 to 256. By default, 1.
        type: int
      onlink:
        description: Whether the gateway is on the link, whatever its address.
        type: bool
  routes:
    description:
      - Several routes in one task, each with its own options.
      - A route without an option uses the one of the task.
    type: list
    elements: dict
    suboptions:
      dst:
        <<: *dst
        required: true
      netns: *netns
      via: *via
      dev: *dev
      src: *src
      metric: *metric
      table: *table
      scope: *scope
      type: *type
      onlink: *onlink
      mtu: *mtu
      advmss: *advmss
      nexthops: *nexthops
"""

EXAMPLES = r"""
- name: The way out of a namespace
  linuxnet.lab.route:
    lab: demo
    netns: c1
    dst: default
    via: 10.0.0.1

- name: Delete the route that the kernel made, and add two of our own
  linuxnet.lab.route:
    lab: demo
    netns: netnsR
    dst: 192.168.5.0/24
    dev: veth1R
    state: absent

- name: Each host by its own route
  linuxnet.lab.route:
    lab: demo
    netns: netnsR
    routes:
      - {dst: 192.168.5.1, via: 192.168.5.100, dev: veth1R}
      - {dst: 192.168.5.2, via: 192.168.5.200, dev: veth2R}

- name: Two ways out, the first one for two thirds of the packets
  linuxnet.lab.route:
    lab: demo
    netns: c1
    dst: default
    nexthops:
      - {via: 10.0.1.1, weight: 2}
      - {via: 10.0.2.1}

- name: An IPv4 network behind a router that has only IPv6 addresses on the link
  linuxnet.lab.route:
    lab: demo
    netns: r1
    dst: 10.9.0.0/16
    via: "fe80::1"
    dev: eth0
"""

RETURN = r"""
commands:
  description: The changes that the task made, or would make without check mode, as shell commands in their order.
  returned: success
  type: list
  elements: str
  sample: [ip -n c1 route add default via 10.0.0.1]
assumed:
  description: The objects that do not exist, and that check mode expects an earlier task to create.
  returned: in check mode, if there are any
  type: list
  elements: str
  sample: [namespace c1]
"""

from ansible_collections.linuxnet.lab.plugins.module_utils.python import begin

begin()

from ansible_collections.linuxnet.lab.plugins.module_utils.modules.route import main

if __name__ == "__main__":
    main()
