#!/usr/bin/python

# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: neighbor_watch
short_description: Watch whose hardware address changes in neighbour tables
author:
  - linuxnet.lab contributors (!UNKNOWN)
description:
  - Listens to what the kernel tells about the neighbour tables (ARP and IPv6 neighbour discovery) of namespaces, and
    returns which IP address moved from which MAC address to which, and when. That is what ARP spoofing, a replaced
    machine, or a gratuitous ARP looks like.
  - Watches while the task runs, or in the background while other tasks run; O(state=started) before them and
    O(state=stopped) after them.
extends_documentation_fragment:
  - linuxnet.lab.recorder
requirements:
  - pyroute2 >= 0.7.2 (on the host that executes the module; the role P(linuxnet.lab.prepare#role) puts it there)
  - root
options:
  state:
    description:
      - V(watched) watches until O(duration) is over or O(count) changes came, and returns them.
      - V(started) starts to watch in the background. It returns when the tables are read, so that no change by a later
        task is missed. A recorder that runs already is left alone.
      - V(stopped) ends that, also when it has ended by itself already, and returns the changes. Of the options only
        O(name) and O(lab) matter then.
    type: str
    choices: [watched, started, stopped]
    default: watched
  netns:
    description:
      - The network namespaces, each as a name in C(/run/netns), the name of a namespace that a process of a lab holds,
        the PID of a process, or the path of a namespace file; the host itself when empty.
    type: list
    elements: str
    default: [""]
  report:
    description:
      - V(changed) reports entries that had another MAC address before. One that is deleted and comes again with
        another counts as well.
      - V(all) reports also those whose MAC address was not known when the watch began.
    type: str
    choices: [changed, all]
    default: changed
  count:
    description:
      - The number of reports after which the watch ends by itself.
    type: int
    default: 10000
seealso:
  - module: linuxnet.lab.capture
  - module: linuxnet.lab.netns_info
    description: Tells what is in the neighbour tables now.
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
  description: The changes in the order in which they were heard of.
  returned: when O(state) is V(watched) or V(stopped)
  type: list
  elements: dict
  contains:
    time:
      description: When it was heard of, in seconds since 1970.
      type: float
      sample: 1767225600.123456
    netns:
      description: The namespace as written.
      type: str
      sample: ns1
    dev:
      description: The link that the neighbour is on; empty where it was gone already.
      type: str
      sample: eth0
    dst:
      description: The neighbour's IP address.
      type: str
      sample: 10.22.33.55
    old_lladdr:
      description: The last MAC address that was known of it; empty where none was.
      type: str
      sample: "02:00:00:00:00:55"
    new_lladdr:
      description: The MAC address that it has now.
      type: str
      sample: "02:00:00:00:00:66"
    state:
      description: What the kernel thinks of the entry, such as V(REACHABLE) or V(STALE).
      type: str
      sample: STALE
ended:
  description:
    - Why the watch ended; V(stopped), V(duration), V(count), V(max_bytes) or V(space) when there was no room for
      more, or V(died) when somebody killed the run_recorder. Empty when there was none.
    - Anything but V(stopped) tells that a block of tasks was not watched as a whole.
  returned: as RV(changes)
  type: str
  sample: stopped
dropped:
  description: How often the kernel said that changes came faster than they could be read, and some were lost.
  returned: as RV(changes)
  type: int
  sample: 0
msg:
  description: What happened, in one sentence.
  returned: always
  type: str
  sample: 1 recorded, until stopped
errors:
  description: Everything that is wrong with the options. Nothing has been started then.
  returned: when an option is wrong
  type: list
  elements: str
  sample:
    - "netns[1]: there is no network namespace 'ns9'"
"""

from ansible_collections.linuxnet.lab.plugins.module_utils.python import begin

begin()

import operator
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.linuxnet.lab.plugins.module_utils import run_recorder
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.refusals import NET_ADMIN, SYS_ADMIN
from ansible_collections.linuxnet.lab.plugins.module_utils.probe.background import Job, Recorded
from ansible_collections.linuxnet.lab.plugins.module_utils.probe.neighbors import Watch
from ansible_collections.linuxnet.lab.plugins.module_utils.respawn import require_library


def _job(params: dict[str, t.Any]) -> tuple[Job, list[str]]:
    """What to watch, and what is wrong with the options."""
    errors = []
    if not params["netns"]:
        errors.append("netns: there is no namespace to watch")
    if params["count"] < 1:
        errors.append("count: {0} is not a positive number".format(params["count"]))
    job = {name: params[name] for name in ("report", "count", "duration", "max_bytes")}
    return {**job, "netns": list(dict.fromkeys(params["netns"]))}, errors


def _result(recorded: Recorded, params: dict[str, t.Any]) -> dict[str, t.Any]:
    """The changes of all namespaces in one order."""
    return {"changes": sorted(recorded.records, key=operator.itemgetter("time"))}


def main() -> None:
    """Be the module."""
    module = AnsibleModule(
        argument_spec={
            **run_recorder.OPTIONS,
            "state": {"type": "str", "choices": ["watched", "started", "stopped"], "default": "watched"},
            "netns": {"type": "list", "elements": "str", "default": [""]},
            "report": {"type": "str", "choices": ["changed", "all"], "default": "changed"},
            "count": {"type": "int", "default": 10000},
        },
        supports_check_mode=True,
    )
    require_library(module)
    run_recorder.run(module, "neighbor_watch", (SYS_ADMIN, NET_ADMIN), Watch, _job, _result)


if __name__ == "__main__":
    main()
