#!/usr/bin/python

# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: netns
short_description: Create and remove network namespaces
description:
  - Creates network namespaces, and sets their C(lo) up. A named namespace is one of C(ip netns). An unnamed namespace
    is held by a process with its own hostname. The modules of this collection find it by the O(name) that you give
    here.
  - When the kernel removes a namespace, it also removes the links in it, and the other ends of its veth pairs.
author:
  - linuxnet.lab contributors (!UNKNOWN)
extends_documentation_fragment:
  - linuxnet.lab.lab
  - linuxnet.lab.lab.owner
  - linuxnet.lab.lab.state
options:
  name:
    description: The namespaces. All other options apply to each of them.
    type: list
    elements: str
    required: true
  held:
    description: Whether a process with its own UTS namespace holds the namespace, instead of a file in C(/run/netns).
    type: bool
    default: false
  hostname:
    description: The hostname in a namespace that a process holds. By default, the O(name) of the namespace.
    type: str
  lo:
    description: The state of the namespace's C(lo).
    type: str
    choices: [up, down]
    default: up
seealso:
  - module: linuxnet.lab.veth
"""

EXAMPLES = r"""
- name: Two namespaces
  linuxnet.lab.netns:
    lab: demo
    name: [c1, c2]

- name: A namespace without a name in /run/netns, whose hostname is router
  linuxnet.lab.netns:
    lab: demo
    name: [netnsR]
    held: true
    hostname: router

- name: Remove both
  linuxnet.lab.netns:
    lab: demo
    name: [c1, c2]
    state: absent
"""

RETURN = r"""
commands:
  description: The changes that the task made, or would make without check mode, as shell commands in their order.
  returned: success
  type: list
  elements: str
  sample: [ip netns add c1, ip -n c1 link set lo up]
namespaces:
  description: The paths of the namespaces, in the order of O(name).
  returned: success, when not in check mode and O(state=present)
  type: list
  elements: dict
  contains:
    name:
      description: The namespace's name.
      type: str
      returned: always
      sample: c1
    path:
      description: The file of the namespace, for C(nsenter --net=PATH).
      type: str
      returned: always
      sample: /run/netns/c1
assumed:
  description: The objects that do not exist, and that check mode expects an earlier task to create.
  returned: in check mode, if there are any
  type: list
  elements: str
  sample: [namespace c1]
"""

from ansible_collections.linuxnet.lab.plugins.module_utils.python import begin

begin()

from ansible_collections.linuxnet.lab.plugins.module_utils.modules.netns import main

if __name__ == "__main__":
    main()
