#!/usr/bin/python

# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: lab_info
short_description: Tell which labs there are, and whether they have drifted
description:
  - Finds the labs on a host by the marks of what they are made of, and tells what belongs to each.
  - For a lab that was made by M(linuxnet.lab.topology), it compares the kernel with the description that was applied
    last, and tells what it would take to make them alike again. It changes nothing.
author:
  - linuxnet.lab contributors (!UNKNOWN)
extends_documentation_fragment:
  - linuxnet.lab.lab.info
attributes:
  action_group:
    description: It is not in C(group/linuxnet.lab.lab), because it tells of all labs.
    membership: []
    support: none
options:
  name:
    description: The labs to tell of. Left out, all. One that does not exist is not in the result.
    type: list
    elements: str
  all_commands:
    description:
      - Whether RV(labs[].commands) and RV(labs[].diff) hold all changes. Otherwise the commands end after the first
        1000 changes, with a comment that counts the rest, and the diff of a lab that differs in more is empty.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Look which labs there are
  linuxnet.lab.lab_info:
  register: found

- name: Make sure that none has drifted
  ansible.builtin.assert:
    that: found.labs | selectattr('drifted') | length == 0
    fail_msg: "{{ found.labs | selectattr('drifted') | map(attribute='commands') | flatten }}"
"""

RETURN = r"""
labs:
  description: The labs, by name.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Its name.
      type: str
      returned: always
      sample: demo
    namespaces:
      description: Its namespaces, each with its name and whether a process holds it.
      type: list
      elements: dict
      returned: always
      sample: [{name: c1, held: false}]
    links:
      description: Its links, each with its namespace (empty for the host), name, kind and whether it is up.
      type: list
      elements: dict
      returned: always
      sample: [{netns: "", name: br0, kind: bridge, up: true}]
    sysctls:
      description: The kernel settings that it changed where it is not at home, with the value from before.
      type: list
      elements: dict
      returned: always
      sample: [{netns: "", name: net.ipv4.ip_forward, value: "1", old: "0"}]
    recorders:
      description: What records packets or neighbours for it.
      type: list
      elements: dict
      returned: always
      sample: [{kind: capture, name: wire, pid: 4711}]
    topology:
      description: The description that was applied last; null where it was made by other modules alone.
      type: dict
      returned: always
      sample: {name: demo, namespaces: [c1]}
    drifted:
      description: Whether it is not as described any more; null where it never was described.
      type: bool
      returned: always
      sample: true
    commands:
      description: What would make it as described again, as shell commands.
      type: list
      elements: str
      returned: always
      sample: [ip link set dev br0 up]
    diff:
      description: What differs, as C(before) (now) and C(after) (as described).
      type: dict
      returned: always
      sample: {before: {host: {links: {br0: {up: false}}}}, after: {host: {links: {br0: {up: true}}}}}
    errors:
      description: Why it cannot be made as described any more.
      type: list
      elements: str
      returned: always
      sample: []
"""

from ansible_collections.linuxnet.lab.plugins.module_utils.python import begin

begin()

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.linuxnet.lab.plugins.module_utils import answer
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.refusals import NET_ADMIN, SYS_ADMIN
from ansible_collections.linuxnet.lab.plugins.module_utils.lab_info import describe
from ansible_collections.linuxnet.lab.plugins.module_utils.respawn import require_library


def main():
    """Be the module."""
    options = {"name": {"type": "list", "elements": "str"}, "all_commands": {"type": "bool", "default": False}}
    module = AnsibleModule(argument_spec=options, supports_check_mode=True)
    require_library(module)
    with answer.failing(module, SYS_ADMIN, NET_ADMIN):
        found = describe(module.params["name"], module.params["all_commands"])
    answer.give(module, changed=False, labs=found)


if __name__ == "__main__":
    main()
