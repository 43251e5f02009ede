#!/usr/bin/python

# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: bridge
short_description: Create, correct and remove bridges
description:
  - Creates a bridge, with its options, addresses and ports, on the host or in a namespace.
  - Where the kernel's C(br_netfilter) shows a firewall what bridges carry, as it does on Docker hosts, that firewall
    may drop it; see O(host_firewall).
author:
  - linuxnet.lab contributors (!UNKNOWN)
extends_documentation_fragment:
  - linuxnet.lab.lab
  - linuxnet.lab.lab.owner
  - linuxnet.lab.lab.state
  - linuxnet.lab.lab.host_firewall
options:
  name: &name
    description: The name of the bridge, at most 15 characters.
    type: str
  netns: &netns
    description: The namespace of the bridge, as a name, a PID or a path. Empty for the host itself.
    type: str
  addresses: &addresses
    description:
      - The IP addresses of the bridge, with prefix length; all of them, so that others are taken away. A bridge that
        was there before the lab keeps its own.
      - Left out, they stay as they are.
    type: list
    elements: str
  broadcast: &broadcast
    description: Whether IPv4 addresses get the broadcast address of their prefix. Without it they get none.
    type: bool
  dad: &dad
    description:
      - Whether IPv6 addresses wait for duplicate address detection before they can be used.
      - Without it they are usable at once, as with the C(nodad) of C(ip addr add).
    type: bool
  ports: &ports
    description:
      - The links that are the bridge's ports; all of them, so that others are taken off. A bridge that was there before
        the lab keeps its own.
      - Left out, they stay as they are. A veth may be made a port by its own C(master) as well.
    type: list
    elements: str
  mac: &mac
    description: The hardware address. Without it the kernel takes that of a port.
    type: str
  mtu: &mtu
    description: The MTU, 68 to 65535. Without it the kernel takes the smallest of the ports.
    type: int
  up: &up
    description: Whether the bridge is up. Without it, it is.
    type: bool
  stp: &stp
    description: Whether the bridge speaks the Spanning Tree Protocol.
    type: bool
  forward_delay: &forward_delay
    description:
      - Seconds that a port spends in each of the states listening and learning, 2 to 30. With O(stp=true) a new port
        forwards after twice this time.
      - Without STP a port forwards at once, and 0 to 30 are accepted.
    type: int
  ageing_time: &ageing_time
    description: Seconds for which the bridge keeps the MAC address of a silent station.
    type: int
  mcast_snooping: &mcast_snooping
    description: Whether the bridge forwards multicast only to the ports that asked for it.
    type: bool
  vlan_filtering: &vlan_filtering
    description: Whether the bridge keeps VLANs apart. Fails where the kernel was built without it.
    type: bool
  bridges:
    description:
      - Several bridges in one task, each with the options of one.
      - What a bridge leaves out is taken from the task's own options.
    type: list
    elements: dict
    suboptions:
      name:
        <<: *name
        required: true
      netns: *netns
      addresses: *addresses
      broadcast: *broadcast
      dad: *dad
      ports: *ports
      mac: *mac
      mtu: *mtu
      up: *up
      stp: *stp
      forward_delay: *forward_delay
      ageing_time: *ageing_time
      mcast_snooping: *mcast_snooping
      vlan_filtering: *vlan_filtering
seealso:
  - module: linuxnet.lab.veth
"""

EXAMPLES = r"""
- name: A bridge on the host
  linuxnet.lab.bridge:
    lab: demo
    name: br0
    addresses: [10.0.0.1/24]

- name: A bridge in a namespace, with its ports
  linuxnet.lab.bridge:
    lab: demo
    netns: netnsB1
    name: br1
    ports: [veth11B, veth12B]
    stp: false
    forward_delay: 0
"""

RETURN = r"""
commands:
  description: The changes that were made (or would be, in check mode) as shell commands, in their order.
  returned: success
  type: list
  elements: str
  sample: [ip link add name br0 type bridge, ip addr add 10.0.0.1/24 dev br0, ip link set dev br0 up]
assumed:
  description: What check mode took to be there already because an earlier task would have made it.
  returned: in check mode, when something was
  type: list
  elements: str
  sample: [namespace c1]
"""

from ansible_collections.linuxnet.lab.plugins.module_utils.python import begin

begin()

from ansible_collections.linuxnet.lab.plugins.module_utils import fields
from ansible_collections.linuxnet.lab.plugins.module_utils.resources import bridge
from ansible_collections.linuxnet.lab.plugins.module_utils.resources.address import Addresses
from ansible_collections.linuxnet.lab.plugins.module_utils.resources.link import Settings
from ansible_collections.linuxnet.lab.plugins.module_utils.run_module import (
    HOST_FIREWALL,
    STATE,
    items,
    one_or_many,
    run_module,
)

BRIDGE = {
    "name": {"type": "str"},
    "netns": {"type": "str"},
    "addresses": {"type": "list", "elements": "str"},
    "broadcast": {"type": "bool"},
    "dad": {"type": "bool"},
    "ports": {"type": "list", "elements": "str"},
    **fields.arguments(fields.LINK, "mac", "mtu", "up"),
    **fields.arguments(fields.BRIDGE),
}


def build(params):
    """The bridges asked for."""
    return [
        bridge.Bridge(
            netns=item["netns"] or "",
            name=item["name"],
            settings=Settings.of(item, up=item["up"] is not False),
            options=fields.given(fields.BRIDGE, item),
            addresses=Addresses(item["addresses"], bool(item["broadcast"]), dad=bool(item["dad"])),
            ports=item["ports"],
            present=params["state"] == "present",
            place=place,
            host_firewall=params["host_firewall"],
        )
        for place, item in items(params, BRIDGE, "bridges")
    ]


def main():
    """Be the module."""
    run_module(
        {**one_or_many(BRIDGE, "bridges", required=["name"]), **HOST_FIREWALL, **STATE},
        build,
        mutually_exclusive=[("name", "bridges")],
        required_one_of=[("name", "bridges")],
    )


if __name__ == "__main__":
    main()
