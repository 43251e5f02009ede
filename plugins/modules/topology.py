#!/usr/bin/python

# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: topology
short_description: Build, correct and remove a whole lab
description:
  - Makes the kernel match the description of a lab. The module creates what is missing, corrects what differs, removes
    what the lab has and the description does not, and leaves alone what is right.
  - With O(state=absent), the module removes the namespaces, links, routes and nftables tables that carry the lab's
    mark, wherever they are and whatever created them. Sysctls get their old values back. The module finds the objects
    by their marks in the kernel, so it needs only the name of the lab.
  - The module checks the whole description before it changes anything, and lists all errors at once.
author:
  - linuxnet.lab contributors (!UNKNOWN)
extends_documentation_fragment:
  - linuxnet.lab.lab
attributes:
  action_group:
    description: The module is not in C(group/linuxnet.lab.lab), because the topology itself names its lab.
    membership: []
    support: none
options:
  lab:
    description: The lab. Required with O(state=absent). By default, the C(name) in O(topology).
    type: str
    aliases: [name]
  topology:
    description:
      - The lab, as a mapping with the keys C(name), C(namespaces), C(bridges), C(links), C(segments), C(routes),
        C(routing), C(neighbors), C(masquerade), C(checks), C(pool), C(mtu), C(host_firewall).
      - U(https://github.com/linuxnet/lab/blob/main/docs/topology.md) describes the format. A JSON Schema for editors is
        beside it.
      - The module M(linuxnet.lab.connectivity) takes the same description, and runs its C(checks).
    type: dict
  persist:
    description:
      - Whether a systemd unit rebuilds the lab after a reboot. The unit applies the same description before
        C(network-online.target), and needs neither Ansible nor the controller. By default, that stays as it is.
      - O(state=absent) always removes the unit.
    type: bool
  all_commands:
    description:
      - Whether RV(commands) contains all changes. Otherwise it ends after the first 1000, with a comment that counts
        the rest, because the result of a large network takes much memory, also on the controller.
    type: bool
    default: false
  recheck:
    description:
      - Whether to read the kernel again after changes, and to compare it with the description. If something still
        differs, the task fails, and lists the commands that would correct it.
    type: bool
    default: false
  state:
    description: V(present) builds or corrects the lab, V(absent) removes it.
    type: str
    choices: [present, absent]
    default: present
seealso:
  - module: linuxnet.lab.connectivity
  - module: linuxnet.lab.lab_info
"""

EXAMPLES = r"""
- name: A thousand containers on one bridge
  linuxnet.lab.topology:
    topology:
      name: crowd
      namespaces: web[1:1000]
      segments: {lan: {prefix: 10.0.0.0/16, gateway: host, members: "web[1:1000]"}}

- name: Two networks and the router between them
  linuxnet.lab.topology:
    topology:
      name: office
      namespaces:
        pc[1:3]:
        server:
        router: {forwarding: true}
      segments:
        desks: {prefix: 10.1.0.0/24, netns: router, gateway: router, members: "pc[1:3]"}
        cellar: {prefix: 10.2.0.0/24, netns: router, gateway: router, members: server}
      checks:
        - {from: all, to: all}

- name: Remove the lab office
  linuxnet.lab.topology:
    name: office
    state: absent
"""

RETURN = r"""
addresses:
  description: The addresses of each namespace, including the automatic ones. C(host) is the host's own namespace.
  returned: when state is present, not in check mode
  type: dict
  sample: {router: [10.1.0.1/24, 10.2.0.1/24], server: [10.2.0.215/24]}
commands:
  description: The changes that the task made, or would make without check mode, as shell commands in their order.
  returned: success
  type: list
  elements: str
  sample: [ip link del dev br0, ip netns del c1]
assumed:
  description: The objects that do not exist, and that check mode expects an earlier task to create.
  returned: in check mode, if there are any
  type: list
  elements: str
  sample: [namespace c1]
"""

from ansible_collections.linuxnet.lab.plugins.module_utils.python import begin

begin()

from ansible_collections.linuxnet.lab.plugins.module_utils.modules.topology import main

if __name__ == "__main__":
    main()
