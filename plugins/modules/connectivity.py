#!/usr/bin/python
# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: connectivity
short_description: Check who reaches whom, from inside network namespaces
author:
  - linuxnet.lab contributors (!UNKNOWN)
description:
  - Asks from inside network namespaces by ICMP echo (IPv4 and IPv6), TCP, UDP or ARP, and compares what comes back with
    what is expected. A check may expect that its target is not reachable, and also why not.
  - All checks of a task are made at the same time in one process, so that many last no longer than the
    slowest one.
  - Neither C(ping) nor C(arping) is needed, nor pyroute2 for most of it.
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
  - pyroute2 >= 0.7.2 (on the host that executes the module; the role P(linuxnet.lab.prepare#role) puts it there)
    for O(matrix.lab), and for O(listen) with V(auto)
options:
  checks:
    description:
      - The checks to make. Instead, O(to) and the options beside it make a single one, and O(matrix) and O(topology)
        make many.
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
        description: As O(expect), which is the default.
        type: str
        choices: [reachable, unreachable, no_reply, no_route, host_unreachable, net_unreachable, prohibited, refused,
          not_permitted, blackhole, packet_too_big, ttl_exceeded, port_unreachable, protocol_unreachable, beyond_scope,
          no_source_address, tentative_address, duplicate_address, link_down]
      src:
        description: As O(src), which is the default.
        type: str
      dev:
        description: As O(dev), which is the default.
        type: str
      protocol:
        description: As O(protocol), which is the default.
        type: str
        choices: [icmp, tcp, udp, arp]
      port:
        description: As O(port), which is the default.
        type: int
      listen:
        description: As O(listen), which is the default.
        type: str
      size:
        description: As O(size), which is the default.
        type: int
      df:
        description: As O(df), which is the default.
        type: bool
      count:
        description: As O(count), which is the default.
        type: int
      timeout:
        description: As O(timeout), which is the default.
        type: float
  topology:
    description:
      - A lab, as the module M(linuxnet.lab.topology) takes it. Its C(checks) are made, if it has any.
      - The options of the module hold for each that does not say otherwise.
    type: dict
  matrix:
    description:
      - Who shall reach what, as a table. Its rows are namespaces, its columns addresses.
      - Either O(matrix.from) and O(matrix.to), or O(matrix.members), or O(matrix.lab) say which.
      - The options of the module hold for every check of it, O(expect) where O(matrix.rows) does not say otherwise.
    type: dict
    suboptions:
      from:
        description: The namespaces to send from, each as O(from); an empty string is the host.
        type: list
        elements: str
      to:
        description: The addresses to send to, each as O(to).
        type: list
        elements: str
      members:
        description:
          - All pairs of these. Every namespace sends to the addresses of all others, as far as it has one of the same
            family itself.
        type: list
        elements: dict
        suboptions:
          netns:
            description: The namespace; the host when empty.
            type: str
            default: ""
          address:
            description: Its address. A namespace with several is named several times.
            type: str
            required: true
      lab:
        description:
          - All pairs of the addresses of this lab, as the kernel has them. These are those in the lab's namespaces and
            on its links in the host, without link-local and loopback ones.
        type: str
      rows:
        description:
          - What is expected, by the namespace that sends. Those that are not named are left to O(expect).
          - A row may be a word for all its targets; words with spaces between them, or a list of words, one for each
            target in their order; a list of the targets that it reaches, all others being unreachable; or a dictionary
            of words by target, the others being left to O(expect).
          - A word is C(yes), C(no), or one of the choices of O(expect). C(-) leaves that check out.
        type: dict
        default: {}
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
      - The other words are those of RV(results[].reason). Such a check is wrong at the first answer, right when
        the requests are refused twice in that way, and wrong again when they fail in another way until O(timeout).
      - V(no_reply) always takes the whole O(timeout); V(host_unreachable) takes more than 3 seconds where it is the
        sender's kernel that finds nobody.
    type: str
    choices: [reachable, unreachable, no_reply, no_route, host_unreachable, net_unreachable, prohibited, refused,
      not_permitted, blackhole, packet_too_big, ttl_exceeded, port_unreachable, protocol_unreachable, beyond_scope,
      no_source_address, tentative_address, duplicate_address, link_down]
    default: reachable
  src:
    description:
      - The source address of the requests. The kernel chooses one by default.
      - A check is not as expected, unless it expects V(no_source_address), when the namespace does not have this
        address. With V(protocol=arp) it need not have it.
    type: str
  dev:
    description:
      - The interface that requests leave and answers arrive by. The routes decide by default.
      - V(protocol=arp) needs it.
    type: str
  protocol:
    description:
      - V(icmp) sends echo requests.
      - V(tcp) opens connections to O(port) and closes them as soon as they stand. While one is being opened, the kernel
        repeats its request. It does so after 1 and 3 seconds; Linux 6.5 and later after each of the first seconds
        (sysctl C(net.ipv4.tcp_syn_linear_timeouts)).
      - V(udp) sends datagrams of 60 octets to O(port). It is reachable when they are answered; silence cannot be told
        from a listener that does not answer, so that it takes O(listen), or a service that answers whatever is sent.
      - V(arp) asks all on the link of O(dev) who has the IPv4 address, and listens for O(interval) after the first
        answer for further ones.
    type: str
    choices: [icmp, tcp, udp, arp]
    default: icmp
  port:
    description:
      - The port to send to, with V(protocol=tcp) and V(protocol=udp).
    type: int
  listen:
    description:
      - The namespace in which the module listens at O(port) while the checks are made, on all its addresses; the host
        when empty. It closes every connection, and sends every datagram of its own back.
      - V(auto) is the namespace that has the address O(to). A namespace of that name is named by its path.
      - Without it, nothing is opened, and it is checked who listens there already.
    type: str
  size:
    description:
      - How many octets of payload an ICMP request has. The packet is 28 octets larger with IPv4, and 48 with IPv6.
      - 56 by default.
    type: int
  df:
    description:
      - Whether ICMP requests must not be fragmented, neither by the sender nor on the way. One that is too big fails
        with V(packet_too_big), and RV(results[].mtu) is what would have fitted.
      - The path is asked anew by every request, whatever the kernel remembers of its MTU.
    type: bool
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
      - Over IPv6 they count from the end of duplicate address detection on this machine, which takes the kernel one or
        two seconds after a link came up. A check that is answered earlier does not wait for it.
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
    host, some of the checks may end in V(no_reply) instead. A longer O(interval) makes them fewer.
  - The kernel's neighbour table is shared by all namespaces of a machine, and holds 1024 entries by default
    (C(net.ipv4.neigh.default.gc_thresh3)); all pairs of 33 namespaces need more. When it is full, and with
    V(protocol=tcp) after every 256 checks, the entries of targets that are not being asked are forgotten, as
    C(ip neigh flush) does; permanent ones are not. If it stays full, checks end in V(send_failed) with ENOBUFS, or,
    where it is the target that has no room, in V(no_reply).
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

- name: Check what a lab's own description says of who reaches whom
  linuxnet.lab.connectivity:
    topology: "{{ lab }}"

- name: Check from the host with a source address of its own
  linuxnet.lab.connectivity:
    to: 10.0.0.2
    src: 10.0.0.1

- name: Check a neighbour by its link-local address, and wait until it is up
  linuxnet.lab.connectivity:
    from: c1
    to: fe80::1%eth0
    timeout: 10

- name: Check a table; yes and no, or why not
  linuxnet.lab.connectivity:
    timeout: 4
    matrix:
      from: [netns11, netnsR, netns21]
      to: [192.168.5.1, 192.168.5.100, 192.168.5.2, 198.51.100.8]
      rows:
        netns11: yes yes no no_route
        netnsR: yes yes host_unreachable no_route
        netns21: no no yes no_route

- name: The same table by what each reaches, everything else being unreachable
  linuxnet.lab.connectivity:
    matrix:
      from: [netns11, netnsR, netns21]
      to: [192.168.5.1, 192.168.5.100, 192.168.5.2, 198.51.100.8]
      rows:
        netns11: [192.168.5.1, 192.168.5.100]
        netnsR: [192.168.5.1, 192.168.5.100]
        netns21: [192.168.5.2]

- name: Check that all pairs of a lab reach each other
  linuxnet.lab.connectivity:
    matrix:
      lab: demo

- name: Check that no two of these reach each other, and that it is a firewall that says so
  linuxnet.lab.connectivity:
    expect: prohibited
    matrix:
      members:
        - {netns: red, address: 10.1.0.2}
        - {netns: blue, address: 10.2.0.2}

- name: Check what a firewall lets through, with listeners opened in c2 for the purpose
  linuxnet.lab.connectivity:
    listen: c2
    checks:
      - {from: c1, to: 10.0.0.3, protocol: tcp, port: 80}
      - {from: c1, to: 10.0.0.3, protocol: tcp, port: 22, expect: no_reply}
      - {from: c1, to: 10.0.0.3, protocol: udp, port: 53}

- name: Check that nobody listens
  linuxnet.lab.connectivity:
    from: c1
    to: 10.0.0.3
    protocol: tcp
    port: 80
    expect: refused

- name: Ask who has an address on a link
  linuxnet.lab.connectivity:
    from: ns1
    to: 10.22.33.55
    protocol: arp
    dev: eth0
  register: asked

- name: See that it is only one
  ansible.builtin.assert:
    that: asked.results[0].lladdrs | length == 1

- name: Check that packets of 1450 octets pass whole, and larger ones do not
  linuxnet.lab.connectivity:
    df: true
    checks:
      - {from: c1, to: 10.0.0.3, size: 1422}
      - {from: c1, to: 10.0.0.3, size: 1423, expect: packet_too_big}
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
        - V(tentative_address) - the kernel still checks the IPv6 address of the target, or of the sender, for
          duplicates, or waits with that for the link's carrier.
        - V(duplicate_address) - the kernel found that another has the IPv6 address of the target, or of the sender,
          and does not use it.
        - V(send_failed) - the sender's kernel could not send for another reason, named by
          RV(results[].errno); this is never as expected.
        - V(host_unreachable) - nobody answers for that address on the last link.
        - V(net_unreachable) - a router has no route to the target.
        - V(prohibited) - a firewall rejected the request.
        - V(ttl_exceeded) - the request went in circles.
        - V(refused) - nobody listens at the port; or a firewall says so.
        - V(packet_too_big) - it did not fit the sender's link, or one on the way.
        - V(link_down) - the sender's link is down (ARP).
        - V(port_unreachable), V(protocol_unreachable), V(beyond_scope) - as the ICMP error says.
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
      description: How many requests left the sender; of TCP, how many connections were begun.
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
    protocol:
      description: The protocol.
      returned: when it is not ICMP
      type: str
      sample: tcp
    port:
      description: The port.
      returned: with TCP and UDP
      type: int
      sample: 80
    size:
      description: The octets of payload.
      returned: when it is not 56, or with O(df)
      type: int
      sample: 1472
    mtu:
      description: The MTU of the link on which the request did not fit.
      returned: when the reason is V(packet_too_big) and the MTU is known
      type: int
      sample: 1450
    lladdrs:
      description: The hardware addresses that claimed to have the address, in the order in which they did.
      returned: with ARP
      type: list
      elements: str
      sample: ["02:00:00:00:00:37"]
table:
  description: The results as the lines of a table, with C(!!) before each check that is not as expected.
  returned: as RV(results)
  type: list
  elements: str
  sample:
    - "    FROM  TO           EXPECTED     GOT          REASON                  RTT"
    - "    net0  172.18.0.20  reachable    reachable    reply                   0.047 ms"
    - "!!  net0  203.0.113.8  reachable    unreachable  no_route (ENETUNREACH)  -"
matrix:
  description:
    - The results as the lines of a matrix, C(!!) before each that is not as expected. It says C(yes), C(no) where no
      more than that was expected, or why not.
  returned: with O(matrix), as RV(results)
  type: list
  elements: str
  sample:
    - "FROM     192.168.5.1  192.168.5.100  192.168.5.2"
    - "netns11  yes          yes            no"
    - "netns21  no           !! no_route    yes"
msg:
  description: How many checks are as expected; on failure with the table below it. Of O(matrix), with the matrix
    and those rows of the table that are not as expected.
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

from ansible_collections.linuxnet.lab.plugins.module_utils.python import begin

begin()

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.linuxnet.lab.plugins.module_utils import answer
from ansible_collections.linuxnet.lab.plugins.module_utils.errors import LabError
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import refusals
from ansible_collections.linuxnet.lab.plugins.module_utils.probe import matrix
from ansible_collections.linuxnet.lab.plugins.module_utils.probe.checks import PROTOCOLS, SIZE, Check, read
from ansible_collections.linuxnet.lab.plugins.module_utils.probe.reasons import REACHABLE, WORDS
from ansible_collections.linuxnet.lab.plugins.module_utils.probe.run import run
from ansible_collections.linuxnet.lab.plugins.module_utils.probe.table import failure, summary, table
from ansible_collections.linuxnet.lab.plugins.module_utils.topology import contract, layout

Item = dict[str, t.Any]

# What a check has of its own, and otherwise takes from the module.
_HOW: dict[str, Item] = {
    "expect": {"type": "str", "choices": list(WORDS)},
    "src": {"type": "str"},
    "dev": {"type": "str"},
    "protocol": {"type": "str", "choices": list(PROTOCOLS)},
    "port": {"type": "int"},
    "listen": {"type": "str"},
    "size": {"type": "int"},
    "df": {"type": "bool"},
    "count": {"type": "int"},
    "timeout": {"type": "float"},
}
_DEFAULTS: Item = {"expect": REACHABLE, "protocol": "icmp", "count": 1, "timeout": 2.0}
_CHECK: dict[str, Item] = {
    "from": {"type": "str", "default": ""},
    "to": {"type": "str", "required": True},
    **_HOW,
}
_MEMBER: dict[str, Item] = {
    "netns": {"type": "str", "default": ""},
    "address": {"type": "str", "required": True},
}
_MATRIX: dict[str, Item] = {
    "from": {"type": "list", "elements": "str"},
    "to": {"type": "list", "elements": "str"},
    "members": {"type": "list", "elements": "dict", "options": _MEMBER},
    "lab": {"type": "str"},
    "rows": {"type": "dict", "default": {}},
}


def _asked(module: AnsibleModule) -> tuple[list[Item], list[str], list[str]]:
    """The checks as options, how an error names each, and what is wrong with them already."""
    params, errors = module.params, []
    if params["checks"] is not None:
        asked = params["checks"]
        places = [f"checks[{number}]." for number in range(len(asked))]
    elif params["matrix"] is not None:
        pairs, errors = matrix.expect(_pairs(module, params["matrix"]), params["matrix"]["rows"])
        own = {name: params[name] for name in _HOW}
        asked = [{**own, **pair, "expect": pair["expect"] or own["expect"]} for pair in pairs]
        places = ["matrix."] * len(asked)
    elif params["topology"] is not None:
        lab, errors = layout.read(params["topology"])
        told = contract.checks(lab)
        return [check for dummy, check in told], [place for place, dummy in told], errors
    else:
        asked, places = [{name: params[name] for name in ("from", "to", *_HOW)}], [""]
    if not asked and not errors:
        raise LabError("{0}: there is nothing to check".format("matrix" if params["checks"] is None else "checks"))
    return asked, places, errors


def _pairs(module: AnsibleModule, options: Item) -> list[Item]:
    """The checks of a matrix, without what they expect."""
    if options["to"] is not None:
        return matrix.product(options["from"], options["to"])
    if options["members"] is not None:
        return matrix.pairs([matrix.Member(**member) for member in options["members"]])
    return matrix.pairs(_addresses(module).of_lab(options["lab"]))


def _addresses(module: AnsibleModule) -> t.Any:
    """What reads addresses; only now, because it needs pyroute2."""
    from ansible_collections.linuxnet.lab.plugins.module_utils.probe import addresses
    from ansible_collections.linuxnet.lab.plugins.module_utils.respawn import require_library

    require_library(module)
    return addresses


def _find_listeners(module: AnsibleModule, checks: list[Check]) -> tuple[list[Check], list[str]]:
    """The checks with the namespace of the target where that was left to the module, and why that is not clear."""
    wanted = {check.address for check in checks if check.listen == "auto"}
    if not wanted:
        return checks, []
    owners = _addresses(module).owners(wanted)
    found, errors = [], []
    for check in checks:
        if check.listen == "auto":
            have = owners[check.address]
            if len(have) != 1:
                who = "no namespace has" if not have else "more than one namespace has"
                errors.append(f"{check.place}listen: {who} the address {check.to}")
                continue
            check = check._replace(listen=have[0])
        found.append(check)
    return found, errors


def _result(check: Check, outcome: t.Any) -> Item:
    result = {"from": check.netns, "to": check.to, "expect": check.expect, **outcome._asdict()}
    result.update(result.pop("extra"))
    if check.protocol != "icmp":
        result["protocol"] = check.protocol
    if check.port:
        result["port"] = check.port
    if check.df or check.size != SIZE:
        result["size"] = check.size
    return result


def _rights(checks: list[Check]) -> list[str]:
    """The capabilities that the checks take: TCP and UDP from the host take none."""
    raw = any(check.protocol in ("icmp", "arp") for check in checks)
    enters = any(check.netns or check.listen for check in checks)
    return [*([refusals.SYS_ADMIN] if enters else []), *([refusals.NET_RAW] if raw else [])]


def _results(module: AnsibleModule) -> list[Item]:
    """Make the checks that the options ask for; LabError where they are wrong."""
    asked, places, errors = _asked(module)
    checks, wrong = read(asked, places, module.params)
    lacking = refusals.missing(_rights(checks))
    if lacking:
        raise LabError(lacking)
    errors += wrong
    if module.check_mode:
        if errors:
            raise LabError(errors)
        return []
    checks, wrong = _find_listeners(module, checks)
    return [_result(check, outcome) for check, outcome in zip(checks, run(checks, errors + wrong))]


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "checks": {"type": "list", "elements": "dict", "options": _CHECK},
            "matrix": {
                "type": "dict",
                "options": _MATRIX,
                "required_one_of": [("to", "members", "lab")],
                "required_together": [("from", "to")],
                "mutually_exclusive": [("to", "members", "lab")],
            },
            "topology": {"type": "dict"},
            "from": {"type": "str"},
            "to": {"type": "str"},
            **{name: {**option, "default": _DEFAULTS.get(name)} for name, option in _HOW.items()},
            "interval": {"type": "float", "default": 0.2},
            "lab": {"type": "str"},
        },
        mutually_exclusive=[("checks", "matrix", "topology", "to"), ("checks", "matrix", "topology", "from")],
        required_one_of=[("checks", "matrix", "topology", "to")],
        supports_check_mode=True,
    )
    with answer.failing(module):
        results = _results(module)
    if module.check_mode:
        answer.give(module, changed=False, skipped=True, msg="Nothing is sent in check mode", results=[], table=[])
    told = {"results": results, "table": table(results)}
    shown = told["table"]
    if module.params["matrix"] is not None:
        told["matrix"] = matrix.lines(results)
        shown = [*told["matrix"], "", *table([result for result in results if not result["ok"]])]
    if not all(result["ok"] for result in results):
        module.fail_json(msg=failure(results, shown), **told)
    answer.give(module, changed=False, msg=summary(results), **told)


if __name__ == "__main__":
    main()
