#!/usr/bin/python

# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: neighbor_watch
short_description: Watch neighbour tables for changed MAC addresses
author:
  - linuxnet.lab contributors (!UNKNOWN)
description:
  - Listens to the kernel's notifications about the neighbour tables of namespaces (ARP and IPv6 neighbour discovery).
    Returns which IP addresses got another MAC address, and when. ARP spoofing, a replaced machine and a gratuitous ARP
    announcement look like that.
  - Watches while the task runs, or in the background while other tasks run. For the background, use one task with
    O(state=started) before them and one with O(state=stopped) after them.
extends_documentation_fragment:
  - linuxnet.lab.recorder
requirements:
  - pyroute2 >= 0.7.2 (on the host that executes the module; the role P(linuxnet.lab.prepare#role) installs it)
  - root
options:
  state:
    description:
      - V(watched) watches until O(duration) ends or until it has seen O(count) changes, and returns them.
      - V(started) starts to watch in the background. The task returns when the recorder has read the tables, so that it
        sees all changes by later tasks. If the recorder is already running, the task changes nothing.
      - V(stopped) stops the recorder, and returns the changes, also if the recorder has already ended. It uses only the
        options O(name) and O(lab).
    type: str
    choices: [watched, started, stopped]
    default: watched
  netns:
    description:
      - The network namespaces. Each is a name in C(/run/netns), the name of a namespace that a process of a lab holds,
        the PID of a process, or the path of a namespace file. Empty for the host.
    type: list
    elements: str
    default: [""]
  report:
    description:
      - V(changed) reports entries that had another MAC address before. It also reports an entry that the kernel deletes
        and adds again with another MAC address.
      - V(all) also reports entries whose MAC address was not known when the watch began.
    type: str
    choices: [changed, all]
    default: changed
  count:
    description:
      - The number of reports after which the watch ends.
    type: int
    default: 10000
seealso:
  - module: linuxnet.lab.capture
  - module: linuxnet.lab.netns_info
    description: Shows the current neighbour tables.
  - name: ip-monitor(8)
    description: Shows the same events by hand, with C(ip monitor neigh).
    link: https://man7.org/linux/man-pages/man8/ip-monitor.8.html
"""

EXAMPLES = r"""
- name: Watch the neighbours of ns1
  linuxnet.lab.neighbor_watch:
    state: started
    netns: ns1

- name: Let somebody else take the address, and say so
  linuxnet.lab.address:
    netns: ns3
    dev: eth0
    addresses: [10.22.33.55/24]

- name: See who answers now
  linuxnet.lab.connectivity:
    from: ns3
    to: 10.22.33.1

- name: Look at what was seen
  linuxnet.lab.neighbor_watch:
    state: stopped
  register: seen

- name: It was noticed that 10.22.33.55 has moved
  ansible.builtin.assert:
    that: "'10.22.33.55' in seen.changes | map(attribute='dst')"

- name: Wait at most ten seconds for the first neighbour that changes, on the host or in ns1
  linuxnet.lab.neighbor_watch:
    netns: ["", ns1]
    count: 1
    duration: 10
"""

RETURN = r"""
changes:
  description: The changes in the order in which the kernel reported them.
  returned: if O(state) is V(watched) or V(stopped)
  type: list
  elements: dict
  contains:
    time:
      description: The time of the report, in seconds since 1970.
      type: float
      sample: 1767225600.123456
    netns:
      description: The namespace, as you wrote it.
      type: str
      sample: ns1
    dev:
      description: The link to the neighbour. Empty if the link no longer exists.
      type: str
      sample: eth0
    dst:
      description: The neighbour's IP address.
      type: str
      sample: 10.22.33.55
    old_lladdr:
      description: Its last known MAC address. Empty for none.
      type: str
      sample: "02:00:00:00:00:55"
    new_lladdr:
      description: Its new MAC address.
      type: str
      sample: "02:00:00:00:00:66"
    state:
      description: The state of the entry, such as V(REACHABLE) or V(STALE).
      type: str
      sample: STALE
ended:
  description:
    - Why the watch ended; V(stopped), V(duration), V(count), V(max_bytes), V(space) if the file system had no space
      left, or V(died) if somebody killed the recorder. Empty if there was no recorder.
    - With any value except V(stopped), the watch may have missed the last tasks of a block.
  returned: as RV(changes)
  type: str
  sample: stopped
dropped:
  description:
    - How often the kernel reported that it dropped notifications, because they came faster than the recorder could read
      them.
  returned: as RV(changes)
  type: int
  sample: 0
msg:
  description: What happened, in one sentence.
  returned: always
  type: str
  sample: 1 recorded, until stopped
errors:
  description: All errors in the options. In that case the task started nothing.
  returned: if an option has an error
  type: list
  elements: str
  sample:
    - "netns[1]: there is no network namespace 'ns9'"
"""

from ansible_collections.linuxnet.lab.plugins.module_utils.python import begin

begin()

from ansible_collections.linuxnet.lab.plugins.module_utils.modules.neighbor_watch import main

if __name__ == "__main__":
    main()
