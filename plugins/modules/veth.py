#!/usr/bin/python

# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: veth
short_description: Create, correct and remove veth pairs
description:
  - Creates a veth pair, two links that pass every packet to each other. The kernel creates both ends directly in their
    namespaces.
  - Corrects a pair that the lab already has. The module moves and renames its ends, and changes their addresses, where
    they differ.
author:
  - linuxnet.lab contributors (!UNKNOWN)
extends_documentation_fragment:
  - linuxnet.lab.lab
  - linuxnet.lab.lab.owner
  - linuxnet.lab.lab.state
options:
  name: &name
    description: The name of this end, at most 15 characters.
    type: str
  netns: &netns
    description: The namespace of this end, as a name, a PID or a path. Empty for the host.
    type: str
  mac: &mac
    description:
      - The MAC address of this end. By default, a new end gets a random one, and an existing end keeps its own.
    type: str
  mtu: &mtu
    description:
      - The MTU of this end, 68 to 65535. If you give it for one end only, both ends get it.
      - A link with IPv6 addresses needs at least 1280. The module refuses less, because the kernel would delete
        the addresses.
    type: int
  master: &master
    description:
      - The bridge that this end is a port of. Empty for none. By default, the end keeps the bridge that it has.
    type: str
  addresses: &addresses
    description:
      - All IP addresses of this end, with prefix length. The module removes other addresses from it.
      - By default, the addresses stay as they are.
      - An address can be a mapping with options of its own, which replace those of the link. The mapping has the key
        C(address), and C(peer) or any of the options from O(broadcast) to O(dad). With C(peer), the address of the
        other end of a point-to-point link, the prefix length is that of the peer.
    type: list
    elements: raw
  broadcast: &broadcast
    description:
      - Whether IPv4 addresses of this end get the broadcast address of their prefix. By default, they get none.
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
      - Whether IPv6 addresses of this end wait for duplicate address detection before the kernel uses them.
      - By default, the kernel uses them at once, as with C(nodad) in C(ip addr add).
    type: bool
  up: &up
    description: Whether this end is up. By default, it is.
    type: bool
  peer: &peer
    description: The other end.
    type: dict
    suboptions:
      name:
        <<: *name
        required: true
      netns: *netns
      mac: *mac
      mtu: *mtu
      master: *master
      addresses: *addresses
      broadcast: *broadcast
      metric: *metric
      scope: *scope
      noprefixroute: *noprefixroute
      valid_lft: *valid_lft
      preferred_lft: *preferred_lft
      dad: *dad
      up: *up
  pairs:
    description:
      - Several pairs in one task, each with its own options.
      - A pair without an option uses the one of the task.
    type: list
    elements: dict
    suboptions:
      name:
        <<: *name
        required: true
      netns: *netns
      mac: *mac
      mtu: *mtu
      master: *master
      addresses: *addresses
      broadcast: *broadcast
      metric: *metric
      scope: *scope
      noprefixroute: *noprefixroute
      valid_lft: *valid_lft
      preferred_lft: *preferred_lft
      dad: *dad
      up: *up
      peer: *peer
seealso:
  - module: linuxnet.lab.bridge
  - module: linuxnet.lab.netns
"""

EXAMPLES = r"""
- name: A cable from the host into a namespace
  linuxnet.lab.veth:
    lab: demo
    name: veth0
    addresses: [172.18.0.10/12]
    peer:
      name: ceth0
      netns: net0
      addresses: [172.18.0.20/12]

- name: Two containers on a bridge, in one task
  linuxnet.lab.veth:
    lab: demo
    master: br0
    pairs:
      - name: vethc1
        peer: {name: vethc1-peer, netns: c1, addresses: [10.0.0.2/24]}
      - name: vethc2
        peer: {name: vethc2-peer, netns: c2, addresses: [10.0.0.3/24]}

- name: Remove a pair, by either end
  linuxnet.lab.veth:
    lab: demo
    name: veth0
    state: absent
"""

RETURN = r"""
commands:
  description: The changes that the task made, or would make without check mode, as shell commands in their order.
  returned: success
  type: list
  elements: str
  sample: [ip link add name veth0 type veth peer name ceth0 netns net0, ip link set dev veth0 up]
assumed:
  description: The objects that do not exist, and that check mode expects an earlier task to create.
  returned: in check mode, if there are any
  type: list
  elements: str
  sample: [namespace c1]
"""

from ansible_collections.linuxnet.lab.plugins.module_utils.python import begin

begin()

from ansible_collections.linuxnet.lab.plugins.module_utils.modules.veth import main

if __name__ == "__main__":
    main()
