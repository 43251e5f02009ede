#!/usr/bin/python

# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: masquerade
short_description: Masquerade the packets of a lab
description:
  - Replaces the source address of outgoing packets by the address of the link through which they leave. The rules are
    in an nftables table of the lab, C(inet linuxnet.lab.LAB). The module needs neither C(nft) nor C(iptables).
  - A lab has one such table in a namespace. A task describes the whole table. If the table differs, the module replaces
    it in one step.
  - The rules trust a source address only if the packet arrives on a link of the lab that leads to that address. They
    masquerade only such packets. They do not change packets that others send with a source address of the lab, packets
    of the router itself, or packets that a bridge passes from port to port.
  - Another program's firewall may still drop forwarded packets. No table of the lab can prevent that. See
    O(host_firewall).
author:
  - linuxnet.lab contributors (!UNKNOWN)
extends_documentation_fragment:
  - linuxnet.lab.lab
  - linuxnet.lab.lab.owner
  - linuxnet.lab.lab.state
  - linuxnet.lab.lab.host_firewall
options:
  netns:
    description: The namespace that is the router, as a name, a PID or a path. Empty for the host.
    type: str
    default: ""
  src: &src
    description: The source network of the packets. Bits beyond its prefix length do not matter.
    type: str
  dst: &dst
    description: The destination network of the packets.
    type: str
  iif: &iif
    description:
      - The link on which the packets arrive.
      - By default, each link of the lab that has an address in O(src), or a route to it. Without O(src), each link of
        the lab except O(oif).
    type: str
  oif: &oif
    description: The link through which the packets leave.
    type: str
  not_oif: &not_oif
    description: A link through which the packets do not leave.
    type: str
  rules:
    description:
      - Several rules in one task, for IPv4 and IPv6, each with its own options.
      - A rule without an option uses the one of the task.
    type: list
    elements: dict
    suboptions:
      src: *src
      dst: *dst
      iif: *iif
      oif: *oif
      not_oif: *not_oif
  forward:
    description:
      - With V(restricted), the networks of O(src) can open connections to the outside through their own links, and
        nobody outside can open a connection to them. The rules do not affect packets of others.
      - With V(restricted), the module refuses a network that contains every address, such as V(0.0.0.0/0), because it
        would restrict nothing.
      - With V(open), the table has no forward rules.
    type: str
    choices: [restricted, open]
    default: restricted
seealso:
  - module: linuxnet.lab.sysctl
"""

EXAMPLES = r"""
- name: Masquerade the lab by the uplink
  linuxnet.lab.masquerade:
    lab: demo
    src: 10.0.0.0/24
    oif: eth0

- name: IPv4 and IPv6, by whatever is not the bridge
  linuxnet.lab.masquerade:
    lab: demo
    not_oif: br0
    rules:
      - src: 172.16.0.0/12
      - src: fd00:0:0:1::/64
"""

RETURN = r"""
commands:
  description: The changes that the task made, or would make without check mode, as shell commands in their order.
  returned: success
  type: list
  elements: str
  sample: [nft add table inet linuxnet.lab.demo]
assumed:
  description: The objects that do not exist, and that check mode expects an earlier task to create.
  returned: in check mode, if there are any
  type: list
  elements: str
  sample: [namespace c1]
"""

from ansible_collections.linuxnet.lab.plugins.module_utils.python import begin

begin()

from ansible_collections.linuxnet.lab.plugins.module_utils.modules.masquerade import main

if __name__ == "__main__":
    main()
