#!/usr/bin/python

# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: persist
short_description: Let a lab come back after a reboot
description:
  - Reads a lab out of the kernel, whatever made it, and stores it on the host with a systemd unit that makes it again
    at boot, before the network counts as online. Neither Ansible nor the controller is needed for that.
  - What is on foreign links, in foreign namespaces, or in those without a name is not the lab's own, and does not come
    back.
  - The module M(linuxnet.lab.topology) can do the same with the description that it is given. With its C(state=absent)
    the lab does not come back either.
author:
  - linuxnet.lab contributors (!UNKNOWN)
extends_documentation_fragment:
  - linuxnet.lab.lab
  - linuxnet.lab.lab.owner
  - linuxnet.lab.lab.state
notes:
  - The host has to be booted by systemd.
  - What runs at boot may only come from where root alone can write. If others can change the interpreter, the library
    pyroute2, or a folder above them, such as a virtual environment in a home, the module refuses and names it.
  - O(force) holds for the task alone. At boot a lab takes over nothing that is not its own.
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
  description: The changes that were made (or would be, in check mode) as shell commands, in their order.
  returned: success
  type: list
  elements: str
  sample: [systemctl enable linuxnet.lab-demo.service]
assumed:
  description: What check mode took to be there already because an earlier task would have made it.
  returned: in check mode, when something was
  type: list
  elements: str
  sample: [namespace c1]
"""

from ansible_collections.linuxnet.lab.plugins.module_utils.python import begin

begin()

from ansible_collections.linuxnet.lab.plugins.module_utils.resources.persist import Persist
from ansible_collections.linuxnet.lab.plugins.module_utils.run_module import STATE, run_module
from ansible_collections.linuxnet.lab.plugins.module_utils.topology.export import export


def build(params):
    """That the lab comes back, or not."""
    return [Persist(lambda plan: export(plan.snapshot, plan.lab), present=params["state"] == "present")]


def main():
    """Be the module."""
    run_module(STATE, build)


if __name__ == "__main__":
    main()
