#!/usr/bin/python

# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: neighbor
short_description: Pin, remove and flush entries of neighbour tables
description:
  - Pins which MAC address an IP address has (IPv4 and IPv6), so that no ARP reply can change it; makes a link answer
    for addresses of others (proxy ARP); removes such entries; and flushes what was learnt.
  - M(linuxnet.lab.netns_info) tells what is in the tables.
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
    description: The link. With O(state=flushed) it may be left out, for all links of the namespace.
    type: str
  netns: &netns
    description: The namespace, as a name, a PID or a path. Empty for the host itself.
    type: str
  lladdr: &lladdr
    description: The MAC address. The entry is permanent.
    type: str
  proxy: &proxy
    description:
      - Whether the link answers for the address, with its own MAC address, instead of knowing it.
      - The kernel answers only where the link forwards (sysctl C(net.ipv4.conf.DEV.forwarding), or
        C(net.ipv6.conf.all.forwarding)), for IPv6 only with C(net.ipv6.conf.DEV.proxy_ndp=1) as well, and only if the
        kernel's route to the address leaves by another link.
    type: bool
  entries:
    description:
      - Several entries in one task, each with the options of one.
      - What an entry leaves out is taken from the task's own options.
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
    description: With O(state=flushed), the states of the entries to remove. Without it, all but the permanent ones.
    type: list
    elements: str
    choices: [incomplete, reachable, stale, delay, probe, failed, permanent]
  state:
    description: Whether the entry is to be there; V(flushed) removes what a link, or all links, have learnt.
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
  description: The changes that were made (or would be, in check mode) as shell commands, in their order.
  returned: success
  type: list
  elements: str
  sample: [ip -n c1 neigh replace 10.0.0.1 lladdr 02:00:00:00:00:01 dev vethc1-peer nud permanent]
assumed:
  description: What check mode took to be there already because an earlier task would have made it.
  returned: in check mode, when something was
  type: list
  elements: str
  sample: [namespace c1]
"""

from ansible_collections.linuxnet.lab.plugins.module_utils.python import begin

begin()

from ansible_collections.linuxnet.lab.plugins.module_utils.resources.neighbor import Flush, NeighborWanted
from ansible_collections.linuxnet.lab.plugins.module_utils.run_module import items, one_or_many, run_module

NUD = ["incomplete", "reachable", "stale", "delay", "probe", "failed", "permanent"]
ENTRY = {
    "dst": {"type": "str"},
    "dev": {"type": "str"},
    "netns": {"type": "str"},
    "lladdr": {"type": "str"},
    "proxy": {"type": "bool"},
}
OPTIONS = {
    "nud": {"type": "list", "elements": "str", "choices": NUD},
    "state": {"type": "str", "choices": ["present", "absent", "flushed"], "default": "present"},
}


def build(params):
    """The entries asked for, or the tables to flush."""
    if params["state"] == "flushed":
        return [Flush(params["netns"] or "", params["dev"], params["nud"] or [])]
    return [
        NeighborWanted(
            netns=item["netns"] or "",
            dev=item["dev"] or "",
            dst=item["dst"],
            lladdr=item["lladdr"].lower() if item["lladdr"] else None,
            proxy=bool(item["proxy"]),
            present=params["state"] == "present",
            place=place,
        )
        for place, item in items(params, ENTRY, "entries")
    ]


def main():
    """Be the module."""
    run_module(
        {**one_or_many(ENTRY, "entries", required=["dst"]), **OPTIONS},
        build,
        mutually_exclusive=[("dst", "entries")],
        required_if=[("state", state, ("dst", "entries"), True) for state in ("present", "absent")],
    )


if __name__ == "__main__":
    main()
