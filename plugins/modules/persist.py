#!/usr/bin/python

# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: persist
short_description: Rebuild a lab after a reboot
description:
  - Reads a lab from the kernel, whatever created it, and stores its description on the host. A systemd unit rebuilds
    the lab at boot, before C(network-online.target). That needs neither Ansible nor the controller.
  - Changes of the lab on links or in namespaces that do not belong to it do not come back. Neither do its changes in
    namespaces without a name.
  - The option C(persist) of the module M(linuxnet.lab.topology) does the same with the description that you give. Its
    C(state=absent) also removes the unit.
author:
  - linuxnet.lab contributors (!UNKNOWN)
extends_documentation_fragment:
  - linuxnet.lab.lab
  - linuxnet.lab.lab.owner
  - linuxnet.lab.lab.state
notes:
  - The host needs systemd.
  - Only root may be able to change what runs at boot. If others can change the Python interpreter, pyroute2, or a
    folder above them, such as a virtual environment in a home folder, the module refuses, and names it.
  - O(force) applies only to this task. At boot, the unit changes no object that does not belong to the lab.
seealso:
  - module: linuxnet.lab.topology
"""

EXAMPLES = r"""
- name: Let the lab demo come back as it is now
  linuxnet.lab.persist:
    lab: demo

- name: Let it go at the next reboot
  linuxnet.lab.persist:
    lab: demo
    state: absent
"""

RETURN = r"""
commands:
  description: The changes that the task made, or would make without check mode, as shell commands in their order.
  returned: success
  type: list
  elements: str
  sample: [systemctl enable linuxnet.lab-demo.service]
assumed:
  description: The objects that do not exist, and that check mode expects an earlier task to create.
  returned: in check mode, if there are any
  type: list
  elements: str
  sample: [namespace c1]
"""

from ansible_collections.linuxnet.lab.plugins.module_utils.python import begin

begin()

from ansible_collections.linuxnet.lab.plugins.module_utils.modules.persist import main

if __name__ == "__main__":
    main()
