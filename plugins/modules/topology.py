#!/usr/bin/python

# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: topology
short_description: Build, correct and remove a whole lab
description:
  - Makes the kernel match one description of a lab. What is missing is made, what differs is corrected, what the lab
    has and the description does not name goes, and what is right already is not touched.
  - With O(state=absent) everything goes that carries the lab's mark, wherever it is and whatever it was built with.
    That is namespaces, links, routes, its nftables tables. Sysctls get the values back that they had before. It finds
    what there is by the marks in the kernel, so it needs to know nothing but the lab's name.
  - The description is checked as a whole before anything is changed, and everything that is wrong with it is told at
    once.
author:
  - linuxnet.lab contributors (!UNKNOWN)
extends_documentation_fragment:
  - linuxnet.lab.lab
attributes:
  action_group:
    description: It is not in C(group/linuxnet.lab.lab), because the topology itself names its lab.
    membership: []
    support: none
options:
  lab:
    description: The lab. Needed for O(state=absent); otherwise it is the C(name) in O(topology).
    type: str
    aliases: [name]
  topology:
    description:
      - The lab, as a mapping with the keys C(name), C(namespaces), C(bridges), C(links), C(segments), C(routes),
        C(routing), C(neighbors), C(masquerade), C(checks), C(pool), C(mtu), C(host_firewall).
      - The format is described in U(https://github.com/linuxnet/lab/blob/main/docs/topology.md), and by a JSON Schema
        for editors beside it.
      - The C(checks) are for the module M(linuxnet.lab.connectivity), which takes the same description.
    type: dict
  persist:
    description:
      - Whether the lab comes back after a reboot, by a systemd unit that applies the same description before the
        network counts as online; it needs neither Ansible nor the controller. Left out, it stays as it is.
      - O(state=absent) ends it in any case.
    type: bool
  all_commands:
    description:
      - Whether RV(commands) holds all changes. Otherwise it ends after the first 1000, with a comment that counts the
        rest, because the result of a large network would take more memory than all else, on the controller as well.
    type: bool
    default: false
  recheck:
    description:
      - Whether the kernel is read again after changes, and compared with the description once more. The task fails
        with the commands that would still be needed, where something differs.
    type: bool
    default: false
  state:
    description: Whether the lab is to be there.
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
  description: The addresses of each namespace, those that came by themselves included; C(host) is the host's own.
  returned: when state is present, not in check mode
  type: dict
  sample: {router: [10.1.0.1/24, 10.2.0.1/24], server: [10.2.0.215/24]}
commands:
  description: The changes that were made (or would be, in check mode) as shell commands, in their order.
  returned: success
  type: list
  elements: str
  sample: [ip link del dev br0, ip netns del c1]
assumed:
  description: What check mode took to be there already because an earlier task would have made it.
  returned: in check mode, when something was
  type: list
  elements: str
  sample: [namespace c1]
"""

from ansible_collections.linuxnet.lab.plugins.module_utils.python import begin

begin()

from ansible_collections.linuxnet.lab.plugins.module_utils.host.progress import reporting
from ansible_collections.linuxnet.lab.plugins.module_utils.resources.persist import Persist
from ansible_collections.linuxnet.lab.plugins.module_utils.resources.topology import WholeLab
from ansible_collections.linuxnet.lab.plugins.module_utils.run_module import STATE, run_module
from ansible_collections.linuxnet.lab.plugins.module_utils.topology import build as topology

OPTIONS = {
    "lab": {"type": "str", "aliases": ["name"]},
    "topology": {"type": "dict"},
    "persist": {"type": "bool"},
    "all_commands": {"type": "bool", "default": False},
    "recheck": {"type": "bool", "default": False},
    **STATE,
}


def lab_of(params):
    """The lab's name, from either of the two places."""
    return params["lab"] or str((params["topology"] or {}).get("name") or "")


def build(params):
    """The lab as resources, or its end."""
    if params["state"] == "absent":
        return [WholeLab()]
    found = topology.build(params["topology"], params["lab"])
    if params["persist"] is not None:
        found.append(Persist(lambda plan: params["topology"], present=params["persist"]))
    return found


def result(params):
    """The addresses of what is there now."""
    if params["state"] == "absent":
        return {}
    return {"addresses": topology.addresses(params["topology"])}


def main():
    """Be the module."""
    run_module(
        OPTIONS,
        build,
        result,
        lab_of,
        reporting=reporting,
        required_if=[("state", "present", ["topology"]), ("state", "absent", ["lab", "topology"], True)],
    )


if __name__ == "__main__":
    main()
