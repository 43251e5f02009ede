#!/usr/bin/python
# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: connectivity
short_description: Check who reaches whom, from inside network namespaces
author:
  - linuxnet.lab contributors (!UNKNOWN)
description:
  - Sends ICMP echo requests (IPv4 and IPv6) from inside network namespaces and compares what comes back with
    what is expected. A check may expect that its target is not reachable.
  - All checks of a task are made at the same time in one process, so that many last no longer than the
    slowest one.
  - Neither C(ping) nor pyroute2 is needed.
attributes:
  check_mode:
    description: Can run in check mode and return the changed status prediction without modifying the target.
    support: partial
    details:
      - Nothing is sent in check mode, because a lab that is only predicted does not exist. The task is skipped unless
        an option is wrong in itself.
  diff_mode:
    description: Returns details on what has changed (or would change in check mode), when in diff mode.
    support: N/A
    details:
      - Nothing is changed.
  idempotent:
    description: When run twice in a row outside check mode with the same arguments, the second run changes nothing.
    support: full
  platform:
    description: The systems that the module works on.
    platforms: linux
    support: full
  action_group:
    description: Use C(group/linuxnet.lab.lab) in C(module_defaults) to set defaults for this module.
    membership:
      - linuxnet.lab.lab
    support: full
requirements:
  - The right to open raw sockets and to enter namespaces, which root has.
options:
  checks:
    description:
      - The checks to make. Instead, O(to) and the options beside it make a single one.
    type: list
    elements: dict
    suboptions:
      from:
        description: As O(from).
        type: str
        default: ""
      to:
        description: As O(to).
        type: str
        required: true
      expect:
        description: As O(expect).
        type: str
        choices: [reachable, unreachable]
        default: reachable
      src:
        description: As O(src).
        type: str
      dev:
        description: As O(dev).
        type: str
      count:
        description: As O(count), which is the default.
        type: int
      timeout:
        description: As O(timeout), which is the default.
        type: float
  from:
    description:
      - The network namespace to send from. A name in C(/run/netns), the name of a namespace that a process of
        a lab holds, the PID of a process, or the path of a namespace file. The host itself when empty.
    type: str
  to:
    description:
      - The IPv4 or IPv6 address to send to.
      - A link-local one, such as C(fe80::1%eth0), names its device, unless O(dev) does.
    type: str
  expect:
    description:
      - V(reachable) needs O(count) answers within O(timeout), and keeps trying until then whatever errors
        come, so that a network which is still coming up has the time to.
      - V(unreachable) is wrong at the first answer. It is right after O(timeout) without one, or when the
        requests are refused twice, by an ICMP error or by the sender's own kernel.
    type: str
    choices: [reachable, unreachable]
    default: reachable
  src:
    description:
      - The source address of the requests. The kernel chooses one by default.
      - A check is not as expected, whatever it expects, when the namespace does not have this address.
    type: str
  dev:
    description:
      - The interface that requests leave and answers arrive by. The routes decide by default.
    type: str
  count:
    description:
      - How many requests have to be answered.
    type: int
    default: 1
  interval:
    description:
      - Seconds from one request of a check to its next.
    type: float
    default: 0.2
  timeout:
    description:
      - Seconds after which a check ends, counted from its first request.
      - The kernel takes about 3 seconds to find that nobody answers an ARP or neighbour request. A shorter
        timeout ends in the reason V(no_reply) instead of V(host_unreachable); so does a sender whose C(lo) is
        down, because it cannot tell itself.
    type: float
    default: 2.0
  lab:
    description:
      - The lab that the checks belong to. Nothing is marked by a check, so that it serves only to accept the
        default of the action group.
    type: str
notes:
  - Whoever sends ICMP errors limits their rate. When many requests are refused at once by the same router or
    host, some of the checks may end in V(no_reply) instead.
  - The kernel's neighbour table is shared by all namespaces of a machine and holds 1024 entries by default
    (C(net.ipv4.neigh.default.gc_thresh3)). Checks between all pairs of more than about 30 namespaces may need more, and
    end in V(send_failed) with ENOBUFS when the table is full.
seealso:
  - name: ping(8)
    description: Sends ICMP echo requests by hand.
    link: https://man7.org/linux/man-pages/man8/ping.8.html
"""

EXAMPLES = r"""
- name: Check that both containers reach each other and the gateway, and nothing outside
  linuxnet.lab.connectivity:
    checks:
      - {from: net0, to: 172.18.0.20}
      - {from: net1, to: 172.18.0.10}
      - {from: net0, to: 172.18.0.1}
      - {from: net0, to: 203.0.113.8, expect: unreachable}
  register: reached

- name: Show the table
  ansible.builtin.debug:
    var: reached.table

- name: Check from the host with a source address of its own
  linuxnet.lab.connectivity:
    to: 10.0.0.2
    src: 10.0.0.1

- name: Check a neighbour by its link-local address, and wait until it is up
  linuxnet.lab.connectivity:
    from: c1
    to: fe80::1%eth0
    timeout: 10
"""

RETURN = r"""
results:
  description: What came of each check, in the order asked.
  returned: always, but empty in check mode and missing when an option is wrong
  type: list
  elements: dict
  contains:
    from:
      description: The namespace that was sent from, empty for the host.
      type: str
      sample: net0
    to:
      description: The target as written.
      type: str
      sample: 203.0.113.8
    expect:
      description: What was expected.
      type: str
      sample: unreachable
    got:
      description: V(reachable) when at least one request was answered, V(unreachable) otherwise.
      type: str
      sample: unreachable
    reason:
      description:
        - V(reply) - it was answered.
        - V(too_few_replies) - it was answered, but not as often as wanted.
        - V(no_reply) - requests were sent and nothing came back.
        - V(no_route) - the sender has no route to the target.
        - V(blackhole) - the sender has a route that says so.
        - V(not_permitted) - the sender's own firewall or a prohibiting route kept the request from leaving.
        - V(no_source_address) - the sender does not have O(src), or no address at all that it could use
          (yet).
        - V(send_failed) - the sender's kernel could not send for another reason, named by
          RV(results[].errno); this is never as expected.
        - V(host_unreachable) - nobody answers for that address on the last link.
        - V(net_unreachable) - a router has no route to the target.
        - V(prohibited) - a firewall rejected the request.
        - V(ttl_exceeded) - the request went in circles.
        - V(port_unreachable), V(protocol_unreachable), V(packet_too_big), V(beyond_scope) - as the ICMP error
          says.
        - V(icmp_TYPE_CODE) - an ICMP error with that type and code.
      type: str
      sample: no_route
    errno:
      description: The error with which the sender's own kernel refused to send, empty when it did not.
      type: str
      sample: ENETUNREACH
    by:
      description: The address that replied or that sent the ICMP error, empty without one.
      type: str
      sample: ""
    rtt_ms:
      description: The fastest round trip in milliseconds, null without a reply.
      type: float
      sample: null
    sent:
      description: How many requests left the sender.
      type: int
      sample: 0
    received:
      description: How many of them were answered.
      type: int
      sample: 0
    ok:
      description: Whether it is as expected.
      type: bool
      sample: true
table:
  description: The results as the lines of a table, with C(!!) before each check that is not as expected.
  returned: as RV(results)
  type: list
  elements: str
  sample:
    - "    FROM  TO           EXPECTED     GOT          REASON                  RTT"
    - "    net0  172.18.0.20  reachable    reachable    reply                   0.047 ms"
    - "!!  net0  203.0.113.8  reachable    unreachable  no_route (ENETUNREACH)  -"
msg:
  description: How many checks are as expected; on failure with the table below it.
  returned: always
  type: str
  sample: 9 checks, all as expected
errors:
  description: Everything that is wrong with the options. Nothing has been sent then.
  returned: when an option is wrong
  type: list
  elements: str
  sample:
    - "checks[2].to: '10.0.0' is not an IP address"
    - "checks[1].from: there is no network namespace 'c9'"
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.linuxnet.lab.plugins.module_utils.errors import LabError
from ansible_collections.linuxnet.lab.plugins.module_utils.probe import icmp
from ansible_collections.linuxnet.lab.plugins.module_utils.probe.checks import REACHABLE, UNREACHABLE, read
from ansible_collections.linuxnet.lab.plugins.module_utils.probe.table import summary, table

_EXPECT = {"type": "str", "choices": [REACHABLE, UNREACHABLE], "default": REACHABLE}
_CHECK = {
    "from": {"type": "str", "default": ""},
    "to": {"type": "str", "required": True},
    "expect": _EXPECT,
    "src": {"type": "str"},
    "dev": {"type": "str"},
    "count": {"type": "int"},
    "timeout": {"type": "float"},
}
_SINGLE = ("from", "to", "expect", "src", "dev")


def _results(params: dict[str, t.Any], check_mode: bool) -> list[dict[str, t.Any]]:
    """Make the checks that the options ask for; LabError where they are wrong."""
    asked = params["checks"]
    if asked is None:
        asked, places = [{name: params[name] for name in _SINGLE}], [""]
    else:
        places = [f"checks[{number}]." for number in range(len(asked))]
    if not asked:
        raise LabError("checks: there is nothing to check")
    checks, errors = read(asked, places, params)
    if check_mode:
        if errors:
            raise LabError(errors)
        return []
    outcomes = icmp.run(checks, errors)
    return [
        dict({name: options[name] or "" for name in ("from", "to", "expect")}, **outcome._asdict())
        for options, outcome in zip(asked, outcomes)
    ]


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "checks": {"type": "list", "elements": "dict", "options": _CHECK},
            "from": {"type": "str"},
            "to": {"type": "str"},
            "expect": _EXPECT,
            "src": {"type": "str"},
            "dev": {"type": "str"},
            "count": {"type": "int", "default": 1},
            "interval": {"type": "float", "default": 0.2},
            "timeout": {"type": "float", "default": 2.0},
            "lab": {"type": "str"},
        },
        mutually_exclusive=[("checks", name) for name in _SINGLE],
        required_one_of=[("checks", "to")],
        supports_check_mode=True,
    )
    try:
        results = _results(module.params, module.check_mode)
    except LabError as exc:
        module.fail_json(msg=str(exc), errors=exc.errors)
    if module.check_mode:
        module.exit_json(changed=False, skipped=True, msg="Nothing is sent in check mode", results=[], table=[])
    lines = table(results)
    if not all(result["ok"] for result in results):
        module.fail_json(msg="\n".join([summary(results), *lines]), results=results, table=lines)
    module.exit_json(changed=False, msg=summary(results), results=results, table=lines)


if __name__ == "__main__":
    main()
