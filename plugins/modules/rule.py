#!/usr/bin/python

# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: rule
version_added: 0.2.0
short_description: Add and delete policy rules
description:
  - Adds and deletes policy rules on the host or in a namespace. A rule chooses the routing table for some packets, as
    described in the manual page of C(ip rule). The module M(linuxnet.lab.route) fills the tables.
  - A rule of the lab for the same packets and with the same priority, but with another table or type, is replaced.
    Rules that somebody else added stay.
author:
  - linuxnet.lab contributors (!UNKNOWN)
extends_documentation_fragment:
  - linuxnet.lab.lab
  - linuxnet.lab.lab.owner
  - linuxnet.lab.lab.state
options:
  netns: &netns
    description: The namespace, as a name, a PID or a path. Empty for the host.
    type: str
  family: &family
    description: The IP version, 4 or 6. By default, that of O(from) or O(to), else 4.
    type: int
  priority: &priority
    description:
      - The priority. The kernel tries the rule with the lowest number first.
      - By default, a new rule comes directly before the second one of its IP version, as with C(ip rule add), and
        the module accepts a rule of any priority that is there.
    type: int
  "not": &not
    description: Whether the rule is about all packets but these.
    type: bool
  from: &from
    description: The source of the packets, as a prefix, an address, or V(all).
    type: str
  to: &to
    description: The destination of the packets, as a prefix, an address, or V(all).
    type: str
  fwmark: &fwmark
    description: The mark of the packets, or mark and mask, as in V(0x1/0xff).
    type: str
  table: &table
    description: The routing table to look into, V(main), V(default), V(local) or a number.
    type: str
  type: &type
    description:
      - What becomes of the packets. By default, V(unicast), which needs O(table). The other types need none.
    type: str
    choices: [unicast, blackhole, unreachable, prohibit]
  tos: &tos
    description: The type of service of the packets.
    type: int
  iif: &iif
    description: The link on which the packets arrive. V(lo) stands for packets of the namespace itself.
    type: str
  oif: &oif
    description: The link to which a socket is bound that sends the packets.
    type: str
  uidrange: &uidrange
    description: The users whose packets they are, as in V(0-999).
    type: str
  ipproto: &ipproto
    description:
      - The protocol of the packets, V(tcp), V(udp), V(icmp), V(ipv6-icmp), V(gre), V(sctp) or a number.
    type: str
  sport: &sport
    description: The source port of the packets, or a range, as in V(80-90).
    type: str
  dport: &dport
    description: The destination port of the packets, or a range.
    type: str
  suppress_prefixlength: &suppress_prefixlength
    description:
      - Ignore routes of the table whose prefixes are this long or shorter. V(0) ignores the default route.
    type: int
  rules:
    description:
      - Several rules in one task, each with its own options.
      - A rule without an option uses the one of the task.
    type: list
    elements: dict
    suboptions:
      netns: *netns
      family: *family
      priority: *priority
      "not": *not
      from: *from
      to: *to
      fwmark: *fwmark
      table: *table
      type: *type
      tos: *tos
      iif: *iif
      oif: *oif
      uidrange: *uidrange
      ipproto: *ipproto
      sport: *sport
      dport: *dport
      suppress_prefixlength: *suppress_prefixlength
notes:
  - With O(state=absent), the module deletes all rules that have what the task says. Rules of the kernel stay.
"""

EXAMPLES = r"""
- name: Packets from one address leave by a provider of their own
  linuxnet.lab.rule:
    lab: demo
    netns: c1
    priority: 100
    from: 10.0.2.2
    table: 200

- name: The table that they use
  linuxnet.lab.route:
    lab: demo
    netns: c1
    dst: default
    via: 10.0.2.1
    table: 200

- name: Nobody reaches the mail servers of the world
  linuxnet.lab.rule:
    lab: demo
    netns: r1
    rules:
      - {priority: 50, ipproto: tcp, dport: 25, type: prohibit}
      - {priority: 50, family: 6, ipproto: tcp, dport: 25, type: prohibit}
"""

RETURN = r"""
commands:
  description: The changes that the task made, or would make without check mode, as shell commands in their order.
  returned: success
  type: list
  elements: str
  sample: [ip -n c1 rule add pref 100 from 10.0.2.2/32 lookup 200]
assumed:
  description: The objects that do not exist, and that check mode expects an earlier task to create.
  returned: in check mode, if there are any
  type: list
  elements: str
  sample: [namespace c1]
"""

from ansible_collections.linuxnet.lab.plugins.module_utils.python import begin

begin()

from ansible_collections.linuxnet.lab.plugins.module_utils.modules.rule import main

if __name__ == "__main__":
    main()
