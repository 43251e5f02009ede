#!/usr/bin/python

# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: topology
short_description: Remove a whole lab
description:
  - Removes everything that carries the lab's mark, wherever it is and whatever it was built with. That is namespaces,
    links, routes, its nftables tables. Sysctls get the values back that they had before.
  - It finds what there is by the marks in the kernel, so it needs to know nothing but the lab's name.
author:
  - linuxnet.lab contributors (!UNKNOWN)
extends_documentation_fragment:
  - linuxnet.lab.lab
options:
  lab:
    description: The lab.
    type: str
    required: true
    aliases: [name]
  state:
    description: The lab is to be gone.
    type: str
    choices: [absent]
    required: true
"""

EXAMPLES = r"""
- name: Remove the lab demo
  linuxnet.lab.topology:
    name: demo
    state: absent
"""

RETURN = r"""
commands:
  description: The changes that were made (or would be, in check mode) as shell commands, in their order.
  returned: success
  type: list
  elements: str
  sample: [ip link del br0, ip netns del c1]
assumed:
  description: What check mode took to be there already because an earlier task would have made it.
  returned: in check mode, when something was
  type: list
  elements: str
  sample: [namespace c1]
"""

from ansible_collections.linuxnet.lab.plugins.module_utils.face import run_module
from ansible_collections.linuxnet.lab.plugins.module_utils.resources.topology import WholeLab

OPTIONS = {
    "lab": {"type": "str", "required": True, "aliases": ["name"]},
    "state": {"type": "str", "choices": ["absent"], "required": True},
}


def main():
    """Be the module."""
    run_module(OPTIONS, lambda params: [WholeLab()])


if __name__ == "__main__":
    main()
