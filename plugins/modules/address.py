#!/usr/bin/python

# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: address
short_description: Add IP addresses to links, and remove them
description:
  - Adds IPv4 and IPv6 addresses to links of the lab, and removes them.
  - The modules M(linuxnet.lab.veth) and M(linuxnet.lab.bridge) set all addresses of a link. This module changes single
    ones.
author:
  - linuxnet.lab contributors (!UNKNOWN)
extends_documentation_fragment:
  - linuxnet.lab.lab
  - linuxnet.lab.lab.owner
  - linuxnet.lab.lab.state
options:
  dev: &dev
    description: The link.
    type: str
  netns: &netns
    description: The namespace of the link, as a name, a PID or a path. Empty for the host.
    type: str
  addresses: &addresses
    description:
      - The addresses, with prefix length.
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
  exclusive: &exclusive
    description:
      - Whether to remove all other addresses from the link. Link-local IPv6 addresses stay, and so do addresses that
        the kernel derived from router advertisements.
    type: bool
  links:
    description:
      - Several links in one task, each with its own options.
      - A link without an option uses the one of the task.
    type: list
    elements: dict
    suboptions:
      dev:
        <<: *dev
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
      exclusive: *exclusive
"""

EXAMPLES = r"""
- name: A second address for c1
  linuxnet.lab.address:
    lab: demo
    netns: c1
    dev: vethc1-peer
    addresses: [10.0.0.22/24, "fd00::22/64"]

- name: One end of a point-to-point link, and an address for an hour
  linuxnet.lab.address:
    lab: demo
    netns: r1
    dev: eth0
    addresses:
      - {address: 10.1.1.1/32, peer: 10.1.1.2}
      - {address: 10.2.0.1/24, valid_lft: 3600}

- name: Take the second address of c1 away
  linuxnet.lab.address:
    lab: demo
    netns: c1
    dev: vethc1-peer
    addresses: [10.0.0.22/24]
    state: absent
"""

RETURN = r"""
commands:
  description: The changes that the task made, or would make without check mode, as shell commands in their order.
  returned: success
  type: list
  elements: str
  sample: [ip -n c1 addr add 10.0.0.22/24 dev vethc1-peer]
assumed:
  description: The objects that do not exist, and that check mode expects an earlier task to create.
  returned: in check mode, if there are any
  type: list
  elements: str
  sample: [namespace c1]
"""

from ansible_collections.linuxnet.lab.plugins.module_utils.python import begin

begin()

from ansible_collections.linuxnet.lab.plugins.module_utils.modules.address import main

if __name__ == "__main__":
    main()
