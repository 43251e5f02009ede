#!/usr/bin/python

# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: lab_info
short_description: Show the labs of a host, and whether they have drifted
description:
  - Finds the labs on a host by the marks of their objects, and lists the objects of each lab.
  - If M(linuxnet.lab.topology) built a lab, compares the kernel with the last applied description, and lists the
    commands that would correct the differences. It changes nothing.
author:
  - linuxnet.lab contributors (!UNKNOWN)
extends_documentation_fragment:
  - linuxnet.lab.lab.info
attributes:
  action_group:
    description: The module is not in C(group/linuxnet.lab.lab), because it shows all labs.
    membership: []
    support: none
options:
  name:
    description: The labs to show. By default, all labs. The result does not contain a lab that does not exist.
    type: list
    elements: str
  all_commands:
    description:
      - Whether RV(labs[].commands) and RV(labs[].diff) contain all changes. Otherwise the commands end after the first
        1000 changes, with a comment that counts the rest. The diff of a lab with more changes is then empty.
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
      description: Its namespaces, each with its name, and whether a process holds it.
      type: list
      elements: dict
      returned: always
      sample: [{name: c1, held: false}]
    links:
      description: Its links, each with its namespace (empty for the host), name and kind, and whether it is up.
      type: list
      elements: dict
      returned: always
      sample: [{netns: "", name: br0, kind: bridge, up: true}]
    sysctls:
      description: The sysctls that it changed outside its own namespaces, with their old values.
      type: list
      elements: dict
      returned: always
      sample: [{netns: "", name: net.ipv4.ip_forward, value: "1", old: "0"}]
    recorders:
      description: Its recorders of packets or neighbours.
      type: list
      elements: dict
      returned: always
      sample: [{kind: capture, name: wire, pid: 4711}]
    foreign:
      description:
        - Policy rules and firewall tables that somebody else added to the lab's own namespaces, and queueing
          disciplines on the lab's links. They stay, unless the topology says C(foreign=remove).
        - What the kernel or a routing daemon added is not listed. If somebody deleted a rule that every new namespace
          has, it is listed with the word C(missing) before it.
      type: list
      elements: dict
      returned: always
      contains:
        netns:
          description: The namespace. Empty for the host.
          type: str
          returned: always
          sample: c1
        kind:
          description: The kind, V(rule), V(table) or V(qdisc).
          type: str
          returned: always
          sample: rule
        text:
          description: The object as C(ip rule), C(nft) or C(tc) prints it.
          type: str
          returned: always
          sample: "100: from 10.0.0.0/8 blackhole"
        command:
          description: The shell command that deletes it, or restores what is missing.
          type: str
          returned: always
          sample: ip -n c1 rule del pref 100 from 10.0.0.0/8 blackhole
    topology:
      description: The last applied description. Null if only other modules built the lab.
      type: dict
      returned: always
      sample: {name: demo, namespaces: [c1]}
    drifted:
      description: Whether the lab differs from its description. Null if it has none.
      type: bool
      returned: always
      sample: true
    commands:
      description: The shell commands that would correct the differences.
      type: list
      elements: str
      returned: always
      sample: [ip link set dev br0 up]
    diff:
      description: The differences, as C(before) (now) and C(after) (as described).
      type: dict
      returned: always
      sample: {before: {host: {links: {br0: {up: false}}}}, after: {host: {links: {br0: {up: true}}}}}
    errors:
      description: Why M(linuxnet.lab.topology) could not correct the lab.
      type: list
      elements: str
      returned: always
      sample: []
"""

from ansible_collections.linuxnet.lab.plugins.module_utils.python import begin

begin()

from ansible_collections.linuxnet.lab.plugins.module_utils.modules.lab_info import main

if __name__ == "__main__":
    main()
