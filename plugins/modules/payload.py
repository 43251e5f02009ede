#!/usr/bin/python

# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: payload
short_description: Run another module of the collection
description:
  - This module is not for playbooks. A task with one of the modules in O(module) runs this module instead, with an
    action plugin that adds O(code).
  - Ansible packs the code of each module that a playbook uses, which takes up to 0.4 seconds a module. The action
    plugin packs the code of all modules once, in a tenth of that time.
author:
  - linuxnet.lab contributors (!UNKNOWN)
requirements:
  - the requirements of the module that it runs
options:
  module:
    description: The module to run.
    type: str
    choices:
      - address
      - bridge
      - capture
      - connectivity
      - lab_info
      - link
      - masquerade
      - neighbor
      - neighbor_watch
      - netns
      - netns_info
      - persist
      - route
      - rule
      - sysctl
      - topology
      - veth
    required: true
  arguments:
    description: The arguments of that module.
    type: dict
    required: true
  code:
    description: The code of the modules. The action plugin sets it.
    type: str
    required: true
attributes:
  check_mode:
    description: Can run in check mode and return the changed status prediction without modifying the target.
    support: full
  diff_mode:
    description: Returns details on what has changed (or would change in check mode), when in diff mode.
    support: full
  idempotent:
    description: When run twice in a row outside check mode with the same arguments, the second run changes nothing.
    support: full
  platform:
    description: The systems that the module works on.
    platforms: linux
    support: full
  action_group:
    description: The module is not in C(group/linuxnet.lab.lab), because the module that it runs has its own defaults.
    membership: []
    support: none
"""

EXAMPLES = r"""
- name: Create a namespace
  linuxnet.lab.payload:
    module: netns
    arguments:
      lab: demo
      name: [c1]
"""

RETURN = r"""
{}  # the result of the module that it runs
"""

from ansible_collections.linuxnet.lab.plugins.module_utils.python import begin

begin()

from ansible_collections.linuxnet.lab.plugins.module_utils.payload import main

if __name__ == "__main__":
    main()
