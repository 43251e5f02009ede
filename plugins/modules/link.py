#!/usr/bin/python

# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: link
short_description: Change settings of links, and delete links
description:
  - Sets links of the lab up or down, and changes their MTU, MAC address and bridge.
  - Changes a link that does not belong to the lab only with O(force=true). That protects above all the link of the
    default route.
author:
  - linuxnet.lab contributors (!UNKNOWN)
extends_documentation_fragment:
  - linuxnet.lab.lab
  - linuxnet.lab.lab.owner
  - linuxnet.lab.lab.state
options:
  name: &name
    description: The link.
    type: str
  netns: &netns
    description: The namespace of the link, as a name, a PID or a path. Empty for the host.
    type: str
  up: &up
    description: Whether the link is up. By default, that stays as it is.
    type: bool
  mtu: &mtu
    description:
      - The MTU, 68 to 65535. By default, it stays as it is.
      - A link with IPv6 addresses needs at least 1280. The module refuses less, because the kernel would delete
        the addresses.
    type: int
  mac: &mac
    description: The MAC address. By default, it stays as it is.
    type: str
  master: &master
    description: The bridge that the link is a port of. Empty for none. By default, that stays as it is.
    type: str
  arp: &arp
    description:
      - Whether the link resolves addresses by ARP. By default, that stays as it is.
      - With V(false), the link reaches only neighbours with a permanent entry, and answers no ARP request.
    type: bool
  links:
    description:
      - Several links in one task, each with its own options.
      - A link without an option uses the one of the task.
    type: list
    elements: dict
    suboptions:
      name:
        <<: *name
        required: true
      netns: *netns
      up: *up
      mtu: *mtu
      mac: *mac
      master: *master
      arp: *arp
"""

EXAMPLES = r"""
- name: Pull the plug of c1
  linuxnet.lab.link:
    lab: demo
    netns: c1
    name: vethc1-peer
    up: false

- name: A smaller MTU on both ends
  linuxnet.lab.link:
    lab: demo
    mtu: 1400
    links:
      - name: vethc1
      - name: vethc1-peer
        netns: c1
"""

RETURN = r"""
commands:
  description: The changes that the task made, or would make without check mode, as shell commands in their order.
  returned: success
  type: list
  elements: str
  sample: [ip -n c1 link set vethc1-peer down]
assumed:
  description: The objects that do not exist, and that check mode expects an earlier task to create.
  returned: in check mode, if there are any
  type: list
  elements: str
  sample: [namespace c1]
"""

from ansible_collections.linuxnet.lab.plugins.module_utils.python import begin

begin()

from ansible_collections.linuxnet.lab.plugins.module_utils.modules.link import main

if __name__ == "__main__":
    main()
