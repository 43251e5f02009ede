#!/usr/bin/python

# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: sysctl
short_description: Set sysctls on the host or in a namespace, and give the old values back
description:
  - Sets sysctls where they count, in a namespace or on the host, without a shell.
  - The value that one had before is kept, under C(/run), and given back with O(state=absent); not before the last lab
    that set it gives it back, and not where somebody else has changed it since.
  - So are the values of those sysctls that the kernel sets together with this one. Turning C(net.ipv4.ip_forward) on,
    for example, turns C(net.ipv4.conf.all.accept_redirects) off and C(forwarding) of every link on.
  - A task sets sysctls that set others first, then those of C(default), and those of single links last. So each has
    the value that the task gives it, whatever the order.
  - Where a host becomes a router for IPv6, a link that has learnt a default route or an address from a router's
    advertisements goes on to learn. Its C(accept_ra) becomes 2 before.
  - Where a host forwards only because of labs, it must not become a router between its other links. The table
    C(inet linuxnet.lab), which all labs of a host share, drops what neither comes in by a link of a lab nor leaves by
    one. It is there as long as a lab keeps forwarding turned on that was off before. A host that forwarded before has
    no such table.
  - Refuses, unless O(force) is true, what the host or somebody on it relies on. C(disable_ipv6) must not delete
    addresses of the host, nor be for its later links. Forwarding on the host is turned off only by the lab that turned
    it on.
author:
  - linuxnet.lab contributors (!UNKNOWN)
extends_documentation_fragment:
  - linuxnet.lab.lab
  - linuxnet.lab.lab.owner
  - linuxnet.lab.lab.state
options:
  settings:
    description:
      - The sysctls by name, with their values. For O(state=absent) the values do not matter.
      - A name with slashes, as in V(net/ipv4/conf/eth0.100/forwarding), may have dots in its parts.
    type: dict
    required: true
  netns:
    description: The namespace, as a name, a PID or a path. Empty for the host itself.
    type: str
    default: ""
  persist:
    description:
      - Whether the host sets them at every start, by a file of the lab's in C(/etc/sysctl.d).
      - Left out, such a file stays as it is, except that O(state=absent) takes them out of it.
    type: bool
"""

EXAMPLES = r"""
- name: Make the host a router
  linuxnet.lab.sysctl:
    lab: demo
    settings:
      net.ipv4.ip_forward: 1

- name: No IPv6 in a namespace
  linuxnet.lab.sysctl:
    lab: demo
    netns: c1
    settings:
      net.ipv6.conf.all.disable_ipv6: 1
      net.ipv6.conf.default.disable_ipv6: 1
"""

RETURN = r"""
commands:
  description: The changes that were made (or would be, in check mode) as shell commands, in their order.
  returned: success
  type: list
  elements: str
  sample: [sysctl -w net.ipv4.ip_forward=1]
assumed:
  description: What check mode took to be there already because an earlier task would have made it.
  returned: in check mode, when something was
  type: list
  elements: str
  sample: [namespace c1]
"""

from ansible_collections.linuxnet.lab.plugins.module_utils.python import begin

begin()

from ansible_collections.linuxnet.lab.plugins.module_utils.resources.sysctl import Sysctl, in_order
from ansible_collections.linuxnet.lab.plugins.module_utils.run_module import STATE, run_module

OPTIONS = {
    "settings": {"type": "dict", "required": True},
    "netns": {"type": "str", "default": ""},
    "persist": {"type": "bool"},
    **STATE,
}


def word(value):
    """A value as the kernel takes it: YAML's true is 1."""
    return str(int(value)) if isinstance(value, bool) else str(value)


def build(params):
    """The settings asked for."""
    return in_order(
        Sysctl(
            params["netns"],
            str(name),
            "" if value is None else word(value),
            persist=params["persist"],
            present=params["state"] == "present",
            place="settings",
        )
        for name, value in params["settings"].items()
    )


def main():
    """Be the module."""
    run_module(OPTIONS, build)


if __name__ == "__main__":
    main()
