#!/usr/bin/python

# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: sysctl
short_description: Set sysctls on the host or in a namespace, and restore the old values
description:
  - Sets sysctls in a namespace or on the host.
  - The module stores the old value of a sysctl under C(/run), and restores it with O(state=absent). If several labs set
    the same sysctl, the last of them restores it. The module does not restore a sysctl that somebody else has changed
    since.
  - It does the same for sysctls that the kernel sets together with this one. For example, if C(net.ipv4.ip_forward)
    becomes 1, the kernel sets C(net.ipv4.conf.all.accept_redirects) to 0 and C(forwarding) of every link to 1.
  - A task first sets sysctls that change others, then those of C(default), and last those of single links. So each gets
    the value that you give, whatever their order.
  - An IPv6 router ignores router advertisements by default. If a link has learnt a default route or an address from
    them, the module first sets its C(accept_ra) to 2, so that it continues to accept them.
  - A host that forwards only because of labs must not become a router between its other links. All labs of a host share
    the table C(inet linuxnet.lab), which drops packets that neither arrive on nor leave through a link of a lab. The
    table exists as long as a lab keeps forwarding on that was off before. A host that forwarded before has no such
    table.
  - Unless O(force) is true, the module refuses settings that would break the host. C(disable_ipv6) must not delete
    addresses of the host, and must not apply to its future links. Only the lab that switched forwarding on can switch
    it off.
author:
  - linuxnet.lab contributors (!UNKNOWN)
extends_documentation_fragment:
  - linuxnet.lab.lab
  - linuxnet.lab.lab.owner
  - linuxnet.lab.lab.state
options:
  settings:
    description:
      - The sysctls by name, with their values. With O(state=absent), the values do not matter.
      - If you separate the parts of a name with slashes, a part may contain dots, as in
        V(net/ipv4/conf/eth0.100/forwarding).
    type: dict
    required: true
  netns:
    description: The namespace, as a name, a PID or a path. Empty for the host.
    type: str
    default: ""
  persist:
    description:
      - Whether the host sets them at each boot, by a file of the lab in C(/etc/sysctl.d).
      - By default, such a file stays as it is, except that O(state=absent) removes the sysctls from it.
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
  description: The changes that the task made, or would make without check mode, as shell commands in their order.
  returned: success
  type: list
  elements: str
  sample: [sysctl -w net.ipv4.ip_forward=1]
assumed:
  description: The objects that do not exist, and that check mode expects an earlier task to create.
  returned: in check mode, if there are any
  type: list
  elements: str
  sample: [namespace c1]
"""

from ansible_collections.linuxnet.lab.plugins.module_utils.python import begin

begin()

from ansible_collections.linuxnet.lab.plugins.module_utils.modules.sysctl import main

if __name__ == "__main__":
    main()
