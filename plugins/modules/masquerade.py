#!/usr/bin/python

# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: masquerade
short_description: Let a lab out under the address of the way it takes
description:
  - Gives packets that leave the address of the link by which they leave, by nftables, in a table of the lab's own
    (C(inet linuxnet.lab.LAB)). Neither C(nft) nor C(iptables) is needed.
  - The table is the lab's whole share of a namespace's ruleset. A task states all of it; what differs is replaced in
    one step.
  - A packet's source address is believed only where the packet comes in by a link of the lab that leads to it.
    Masquerading is for such packets alone, so it neither touches what others send under an address of the lab, nor
    what the router itself sends, nor what a bridge carries from port to port.
  - A firewall of somebody else's may drop forwarded packets all the same, which no table of the lab's can prevent; see
    O(host_firewall).
author:
  - linuxnet.lab contributors (!UNKNOWN)
extends_documentation_fragment:
  - linuxnet.lab.lab
  - linuxnet.lab.lab.owner
  - linuxnet.lab.lab.state
  - linuxnet.lab.lab.host_firewall
options:
  netns:
    description: The namespace that is the router, as a name, a PID or a path. Empty for the host itself.
    type: str
    default: ""
  src: &src
    description: The network that the packets come from. Bits beyond its prefix length do not matter.
    type: str
  dst: &dst
    description: The network that they go to.
    type: str
  iif: &iif
    description:
      - The link by which they come in.
      - Left out, it is found by itself. It is each link of the lab that has an address in O(src), or a route to it.
        Without O(src), it is every link of the lab but that of O(oif).
    type: str
  oif: &oif
    description: The link by which they leave.
    type: str
  not_oif: &not_oif
    description: A link by which they do not leave.
    type: str
  rules:
    description:
      - Several of them in one task, IPv4 and IPv6, each with the options of one.
      - What one leaves out is taken from the task's own options.
    type: list
    elements: dict
    suboptions:
      src: *src
      dst: *dst
      iif: *iif
      oif: *oif
      not_oif: *not_oif
  forward:
    description:
      - With V(restricted) the lab's networks, those of O(src), can open connections to the outside by their own links,
        and nothing from outside can open one to them. Traffic that is not the lab's is not decided on.
      - A network that holds every address, such as V(0.0.0.0/0), is refused then, because it restricts nothing.
      - With V(open) the table has no rules for forwarded packets.
    type: str
    choices: [restricted, open]
    default: restricted
seealso:
  - module: linuxnet.lab.sysctl
"""

EXAMPLES = r"""
- name: Masquerade the lab by the uplink
  linuxnet.lab.masquerade:
    lab: demo
    src: 10.0.0.0/24
    oif: eth0

- name: IPv4 and IPv6, by whatever is not the bridge
  linuxnet.lab.masquerade:
    lab: demo
    not_oif: br0
    rules:
      - src: 172.16.0.0/12
      - src: fd00:0:0:1::/64
"""

RETURN = r"""
commands:
  description: The changes that were made (or would be, in check mode) as shell commands, in their order.
  returned: success
  type: list
  elements: str
  sample: [nft add table inet linuxnet.lab.demo]
assumed:
  description: What check mode took to be there already because an earlier task would have made it.
  returned: in check mode, when something was
  type: list
  elements: str
  sample: [namespace c1]
"""

from ansible_collections.linuxnet.lab.plugins.module_utils.python import begin

begin()

from ansible_collections.linuxnet.lab.plugins.module_utils.resources.masquerade import Masquerade, Match
from ansible_collections.linuxnet.lab.plugins.module_utils.run_module import (
    HOST_FIREWALL,
    STATE,
    items,
    one_or_many,
    run_module,
)

MATCH = {
    "src": {"type": "str"},
    "dst": {"type": "str"},
    "iif": {"type": "str"},
    "oif": {"type": "str"},
    "not_oif": {"type": "str"},
}
OPTIONS = {
    "netns": {"type": "str", "default": ""},
    "forward": {"type": "str", "choices": ["restricted", "open"], "default": "restricted"},
    **HOST_FIREWALL,
    **STATE,
}


def build(params):
    """The lab's table."""
    present = params["state"] == "present"
    matches = [Match(**item, place=place) for place, item in items(params, MATCH, "rules")] if present else []
    restricted = params["forward"] == "restricted"
    return [Masquerade(params["netns"], matches, restricted, present, host_firewall=params["host_firewall"])]


def main():
    """Be the module."""
    run_module({**OPTIONS, **one_or_many(MATCH, "rules", required=[])}, build)


if __name__ == "__main__":
    main()
