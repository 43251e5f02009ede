#!/usr/bin/python

# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: neighbor
short_description: Pin, remove and flush entries of neighbour tables
description:
  - Adds permanent entries to neighbour tables (IPv4 and IPv6), which no ARP reply can change. Adds proxy entries, with
    which a link answers for addresses of others (proxy ARP). Removes such entries, and flushes learnt entries.
  - M(linuxnet.lab.netns_info) shows the tables.
author:
  - linuxnet.lab contributors (!UNKNOWN)
extends_documentation_fragment:
  - linuxnet.lab.lab
  - linuxnet.lab.lab.owner
options:
  dst: &dst
    description: The IP address.
    type: str
  dev: &dev
    description: The link. With O(state=flushed), the default is all links of the namespace.
    type: str
  netns: &netns
    description: The namespace, as a name, a PID or a path. Empty for the host.
    type: str
  lladdr: &lladdr
    description: The MAC address. The entry becomes permanent.
    type: str
  proxy: &proxy
    description:
      - Whether the link answers requests for the address, with its own MAC address.
      - The kernel answers only if the link forwards (sysctl C(net.ipv4.conf.DEV.forwarding), or
        C(net.ipv6.conf.all.forwarding)) and if its route to the address leaves through another link. For IPv6 it also
        needs C(net.ipv6.conf.DEV.proxy_ndp=1).
    type: bool
  entries:
    description:
      - Several entries in one task, each with its own options.
      - An entry without an option uses the one of the task.
    type: list
    elements: dict
    suboptions:
      dst:
        <<: *dst
        required: true
      dev: *dev
      netns: *netns
      lladdr: *lladdr
      proxy: *proxy
  nud:
    description: With O(state=flushed), the states of the entries to remove. By default, all states except V(permanent).
    type: list
    elements: str
    choices: [incomplete, reachable, stale, delay, probe, failed, permanent]
  state:
    description:
      - V(present) adds the entry, V(absent) removes it. V(flushed) removes the entries that a link, or all links, have
        learnt.
    type: str
    choices: [present, absent, flushed]
    default: present
"""

EXAMPLES = r"""
- name: Pin the MAC address of the gateway
  linuxnet.lab.neighbor:
    lab: demo
    netns: c1
    dev: vethc1-peer
    dst: 10.0.0.1
    lladdr: "02:00:00:00:00:01"

- name: Answer for a host on another segment
  linuxnet.lab.neighbor:
    lab: demo
    netns: router
    dev: eth1
    dst: 10.22.33.55
    proxy: true

- name: Forget what was learnt
  linuxnet.lab.neighbor:
    lab: demo
    netns: c1
    dev: vethc1-peer
    state: flushed
"""

RETURN = r"""
commands:
  description: The changes that the task made, or would make without check mode, as shell commands in their order.
  returned: success
  type: list
  elements: str
  sample: [ip -n c1 neigh replace 10.0.0.1 lladdr 02:00:00:00:00:01 dev vethc1-peer nud permanent]
assumed:
  description: The objects that do not exist, and that check mode expects an earlier task to create.
  returned: in check mode, if there are any
  type: list
  elements: str
  sample: [namespace c1]
"""

from ansible_collections.linuxnet.lab.plugins.module_utils.python import begin

begin()

from ansible_collections.linuxnet.lab.plugins.module_utils.modules.neighbor import main

if __name__ == "__main__":
    main()
