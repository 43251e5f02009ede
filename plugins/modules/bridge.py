#!/usr/bin/python

# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: bridge
short_description: Create, correct and remove bridges
description:
  - Creates a bridge, with its options, addresses and ports, on the host or in a namespace.
  - With the kernel module C(br_netfilter), as on Docker hosts, firewalls also see packets that a bridge forwards
    between its ports, and may drop them. See O(host_firewall).
author:
  - linuxnet.lab contributors (!UNKNOWN)
extends_documentation_fragment:
  - linuxnet.lab.lab
  - linuxnet.lab.lab.owner
  - linuxnet.lab.lab.state
  - linuxnet.lab.lab.host_firewall
options:
  name: &name
    description: The name of the bridge, at most 15 characters.
    type: str
  netns: &netns
    description: The namespace of the bridge, as a name, a PID or a path. Empty for the host.
    type: str
  addresses: &addresses
    description:
      - All IP addresses of the bridge, with prefix length. The module removes other addresses from it, except from a
        bridge that existed before the lab.
      - By default, the addresses stay as they are.
      - An address can be a mapping with options of its own, which replace those of the link. The mapping has the key
        C(address), and C(peer) or any of the options from O(broadcast) to O(dad). With C(peer), the address of the
        other end of a point-to-point link, the prefix length is that of the peer.
    type: list
    elements: raw
  broadcast: &broadcast
    description: Whether IPv4 addresses get the broadcast address of their prefix. By default, they get none.
    type: bool
  metric: &metric
    description:
      - The metric of the kernel's routes to the prefixes of the addresses. Without it, 0 for IPv4 and 256 for IPv6.
    type: int
  scope: &scope
    description: The scope of IPv4 addresses. By default, V(global). The kernel chooses that of IPv6 addresses.
    type: str
    choices: [global, site, link, host]
    version_added: 0.2.0
  noprefixroute: &noprefixroute
    description: Whether the kernel makes no routes to the prefixes of the addresses. Without it, it makes them.
    type: bool
  valid_lft: &valid_lft
    description:
      - How many seconds the addresses exist, or V(forever). By default, V(forever).
      - The kernel counts the seconds down. A run changes an address only if it has more time left than this, or no end.
    type: str
    version_added: 0.2.0
  preferred_lft: &preferred_lft
    description: How many seconds the kernel uses the addresses for new connections. By default, O(valid_lft).
    type: str
    version_added: 0.2.0
  dad: &dad
    description:
      - Whether IPv6 addresses wait for duplicate address detection before the kernel uses them.
      - By default, the kernel uses them at once, as with C(nodad) in C(ip addr add).
    type: bool
  ports: &ports
    description:
      - All ports of the bridge. The module removes other ports from it, except from a bridge that existed before the
        lab.
      - By default, the ports stay as they are. The option C(master) of M(linuxnet.lab.veth) can also make a link a
        port.
    type: list
    elements: str
  mac: &mac
    description: The MAC address. By default, the kernel uses that of a port.
    type: str
  mtu: &mtu
    description: The MTU, 68 to 65535. By default, the kernel uses the smallest MTU of the ports.
    type: int
  up: &up
    description: Whether the bridge is up. By default, it is.
    type: bool
  stp: &stp
    description: Whether the bridge runs the spanning tree protocol (STP).
    type: bool
  forward_delay: &forward_delay
    description:
      - How many seconds a port spends in each of the states listening and learning, 2 to 30. With O(stp=true), a new
        port forwards after twice this time.
      - Without STP, a port forwards at once. The value can then be 0 to 30.
    type: int
  ageing_time: &ageing_time
    description: How many seconds the bridge keeps a MAC address that sends no frames.
    type: int
  mcast_snooping: &mcast_snooping
    description: Whether the bridge forwards multicast only to ports whose hosts asked for it.
    type: bool
  vlan_filtering: &vlan_filtering
    description:
      - Whether the bridge filters frames by VLAN. The task fails if the kernel was built without VLAN filtering.
    type: bool
  bridges:
    description:
      - Several bridges in one task, each with its own options.
      - A bridge without an option uses the one of the task.
    type: list
    elements: dict
    suboptions:
      name:
        <<: *name
        required: true
      netns: *netns
      addresses: *addresses
      broadcast: *broadcast
      metric: *metric
      scope: *scope
      noprefixroute: *noprefixroute
      valid_lft: *valid_lft
      preferred_lft: *preferred_lft
      dad: *dad
      ports: *ports
      mac: *mac
      mtu: *mtu
      up: *up
      stp: *stp
      forward_delay: *forward_delay
      ageing_time: *ageing_time
      mcast_snooping: *mcast_snooping
      vlan_filtering: *vlan_filtering
seealso:
  - module: linuxnet.lab.veth
"""

EXAMPLES = r"""
- name: A bridge on the host
  linuxnet.lab.bridge:
    lab: demo
    name: br0
    addresses: [10.0.0.1/24]

- name: A bridge in a namespace, with its ports
  linuxnet.lab.bridge:
    lab: demo
    netns: netnsB1
    name: br1
    ports: [veth11B, veth12B]
    stp: false
    forward_delay: 0
"""

RETURN = r"""
commands:
  description: The changes that the task made, or would make without check mode, as shell commands in their order.
  returned: success
  type: list
  elements: str
  sample: [ip link add name br0 type bridge, ip addr add 10.0.0.1/24 dev br0, ip link set dev br0 up]
assumed:
  description: The objects that do not exist, and that check mode expects an earlier task to create.
  returned: in check mode, if there are any
  type: list
  elements: str
  sample: [namespace c1]
"""

from ansible_collections.linuxnet.lab.plugins.module_utils.python import begin

begin()

from ansible_collections.linuxnet.lab.plugins.module_utils.modules.bridge import main

if __name__ == "__main__":
    main()
