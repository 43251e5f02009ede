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
  - Sends packets from inside network namespaces by ICMP echo (IPv4 and IPv6), TCP, UDP or ARP, and compares the result
    with the expected one. A check can expect that its target is not reachable, and also why not.
  - The module runs all checks of a task at the same time in one process, so that many checks take no longer than the
    slowest one. More than 65536 checks run one after the other in parts of that size.
  - The module needs neither C(ping) nor C(arping), and pyroute2 only for a few options.
attributes:
  check_mode:
    description: Can run in check mode and return the changed status prediction without modifying the target.
    support: partial
    details:
      - In check mode the module sends nothing, because the lab may not exist yet. Ansible skips the task, unless an
        option has an error.
  diff_mode:
    description: Returns details on what has changed (or would change in check mode), when in diff mode.
    support: N/A
    details:
      - The module changes nothing.
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
  - pyroute2 >= 0.7.2 (on the host that executes the module; the role P(linuxnet.lab.prepare#role) installs it) for
    O(matrix.lab), and for O(listen) with V(auto)
options:
  checks:
    description:
      - The checks to run. For a single check, you can use O(to) and the options beside it instead. O(matrix) and
        O(topology) describe many checks.
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
        choices: [reachable, unreachable, no_reply, no_route, unreachable_route, not_permitted, blackhole,
          host_unreachable, net_unreachable, prohibited, refused, packet_too_big, ttl_exceeded, port_unreachable,
          protocol_unreachable, beyond_scope, no_source_address, tentative_address, duplicate_address, link_down]
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
      - A lab in the format of the module M(linuxnet.lab.topology). The module runs its C(checks).
      - The options of the module are the defaults of each check.
    type: dict
  matrix:
    description:
      - Who must reach what, as a table. Its rows are namespaces, its columns are addresses.
      - Select them with O(matrix.from) and O(matrix.to), or with O(matrix.members), or with O(matrix.lab).
      - The options of the module apply to each of its checks. O(matrix.rows) overrides O(expect).
    type: dict
    suboptions:
      from:
        description: The namespaces to send from, each as O(from). An empty string is the host.
        type: list
        elements: str
      to:
        description: The addresses to send to, each as O(to).
        type: list
        elements: str
      members:
        description:
          - Check all pairs of these. Each namespace sends to the addresses of all others, if it has an address of the
            same IP version.
        type: list
        elements: dict
        suboptions:
          netns:
            description: The namespace. Empty for the host.
            type: str
            default: ""
          address:
            description: Its address. List a namespace with several addresses several times.
            type: str
            required: true
      lab:
        description:
          - Check all pairs of the addresses of this lab. The module reads them from the kernel. They are the addresses
            in the lab's namespaces and on its links in the host, without link-local and loopback addresses.
        type: str
      rows:
        description:
          - The expected results, by sending namespace. For other namespaces, O(expect) applies.
          - A row can be one word for all its targets. It can be a list of words, or words separated by spaces, one for
            each target in their order. It can be a list of the targets that the namespace reaches, so that all others
            are unreachable. Or it can be a dictionary of words by target; O(expect) applies to the other targets.
          - A word is C(yes), C(no), or one of the choices of O(expect). C(-) omits the check.
        type: dict
        default: {}
  from:
    description:
      - The network namespace to send from, as a name in C(/run/netns), the name of a namespace that a process of a lab
        holds, the PID of a process, or the path of a namespace file. Empty for the host.
    type: str
  to:
    description:
      - The IPv4 or IPv6 address to send to.
      - A link-local address needs its link, as in C(fe80::1%eth0) or in O(dev).
    type: str
  expect:
    description:
      - V(reachable) needs O(count) answers within O(timeout). The check ignores errors until then, so that a network
        has time to come up.
      - V(unreachable) fails at the first answer. It passes after O(timeout) without an answer, or after two refused
        requests, by an ICMP error or by the sender's own kernel.
      - The other words are those of RV(results[].reason). Such a check fails at the first answer. It passes after two
        requests that fail with that reason. It fails if requests fail with other reasons until O(timeout).
      - A check that expects an ICMP error and has got nothing by the end of O(timeout) asks again, because kernels
        limit the rate of ICMP errors. The checks of one sender take turns, one every one or two seconds. The first
        error that the check expects then decides. After 20 checks of a sender that got nothing again, or 600 seconds,
        the others have no turn, and a warning counts them.
      - V(no_reply) always takes the whole O(timeout). V(host_unreachable) takes more than 3 seconds if nobody has the
        address.
    type: str
    choices: [reachable, unreachable, no_reply, no_route, unreachable_route, not_permitted, blackhole,
      host_unreachable, net_unreachable, prohibited, refused, packet_too_big, ttl_exceeded, port_unreachable,
      protocol_unreachable, beyond_scope, no_source_address, tentative_address, duplicate_address, link_down]
    default: reachable
  src:
    description:
      - The source address of the requests. The kernel chooses one by default.
      - If the namespace does not have this address, the check fails, unless it expects V(no_source_address). With
        O(protocol=arp), the namespace does not need the address.
    type: str
  dev:
    description:
      - The link through which requests leave and on which answers arrive. By default, the routes decide.
      - V(protocol=arp) needs it.
    type: str
  protocol:
    description:
      - V(icmp) sends echo requests.
      - V(tcp) opens connections to O(port), and closes them as soon as they are established. Until then, the kernel
        repeats its SYN. It does so after 1 and 3 seconds. Linux 6.5 and later do so after each of the first seconds
        (sysctl C(net.ipv4.tcp_syn_linear_timeouts)).
      - V(udp) sends datagrams of 60 octets to O(port). The target is reachable if it answers them. A listener that does
        not answer looks like no listener. Therefore use O(listen), or a service that answers any datagram.
      - V(arp) broadcasts ARP requests for the IPv4 address on the link O(dev). After the first answer, it listens for
        further answers during O(interval).
    type: str
    choices: [icmp, tcp, udp, arp]
    default: icmp
  port:
    description:
      - The port to send to, with V(protocol=tcp) and V(protocol=udp).
    type: int
  listen:
    description:
      - The namespace in which the module listens on O(port) during the checks, on all its addresses. Empty for the
        host. The listener closes every connection, and returns every datagram that the module sent.
      - V(auto) is the namespace that has the address O(to). If a namespace is named C(auto), use its path.
      - By default, the module opens no listener, and checks whether somebody already listens there.
    type: str
  size:
    description:
      - The size of the payload of an ICMP request, in octets. The packet is 28 octets larger with IPv4, and 48 with
        IPv6.
      - 56 by default.
    type: int
  df:
    description:
      - Whether to forbid fragmentation of ICMP requests, by the sender and on the path. A request that is too big fails
        with V(packet_too_big), and RV(results[].mtu) is the largest size that fits.
      - Each request tests the path, whatever path MTU the kernel remembers.
    type: bool
  count:
    description:
      - How many requests need an answer.
    type: int
    default: 1
  interval:
    description:
      - The seconds between two requests of a check.
    type: float
    default: 0.2
  timeout:
    description:
      - How many seconds a check takes at most, counted from its first request.
      - Over IPv6, the time starts when duplicate address detection on this machine ends, one or two seconds after a
        link comes up. A check that gets an answer earlier does not wait for that.
      - The kernel takes about 3 seconds until it gives up an ARP request or neighbour solicitation. With a shorter
        timeout, the reason is V(no_reply) unless the check expects V(host_unreachable). It is always V(no_reply) if
        C(lo) of the sender is down, because its kernel then cannot deliver the error.
    type: float
    default: 2.0
  all_results:
    description:
      - Whether RV(results) and RV(table) of a failed task contain all checks. Otherwise, if the table has 50 lines or
        more, they contain the first 47 failed checks, and RV(matrix) is missing. Ansible prints the whole result of a
        failed task.
      - This also applies to a task that succeeds, if it has more than 65536 checks.
    type: bool
    default: false
  lab:
    description:
      - The lab of the checks. It has no effect. The option exists so that the module accepts the default of the action
        group.
    type: str
notes:
  - A kernel sends one address about one ICMP error a second (sysctl C(net.ipv4.icmp_ratelimit)). If a router refuses
    many requests of one sender, checks that expect V(unreachable) pass, but the reason of some may be V(no_reply).
  - All network namespaces of a machine share one neighbour table for each IP version. It holds 1024 entries by default
    (sysctls C(net.ipv4.neigh.default.gc_thresh3) and C(net.ipv6.neigh.default.gc_thresh3) of the machine's own
    namespace). All pairs of 33 namespaces need more, and so do the hops of a routed network with 513 links.
  - If the table is full, and after every 256 checks with V(protocol=tcp), the module makes the kernel forget the
    neighbours that it is not asking, as C(ip neigh flush) does. It keeps permanent entries.
  - Checks that got nothing while the table was full are made again, 256 at a time and later fewer, for at most 120
    seconds. Before each part, the kernel forgets what it has learnt about neighbours on the links of labs. Checks for
    which there still was no room have the reason V(neighbor_table_full).
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

- name: Check that a firewall prevents all of these from reaching each other
  linuxnet.lab.connectivity:
    expect: prohibited
    matrix:
      members:
        - {netns: red, address: 10.1.0.2}
        - {netns: blue, address: 10.2.0.2}

- name: Check what a firewall lets through, with listeners in c2
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

- name: Find out which hosts on a link have an address
  linuxnet.lab.connectivity:
    from: ns1
    to: 10.22.33.55
    protocol: arp
    dev: eth0
  register: asked

- name: Verify that only one host answers
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
  description: The result of each check, in the order of the checks.
  returned: always, but empty in check mode and missing if an option has an error
  type: list
  elements: dict
  contains:
    from:
      description: The sending namespace. Empty for the host.
      type: str
      sample: net0
    to:
      description: The target, as you wrote it.
      type: str
      sample: 203.0.113.8
    expect:
      description: The expected result.
      type: str
      sample: unreachable
    got:
      description: V(reachable) if at least one request got an answer, otherwise V(unreachable).
      type: str
      sample: unreachable
    reason:
      description:
        - V(reply) - the target answered.
        - V(too_few_replies) - the target answered fewer than O(count) requests.
        - V(no_reply) - the sender sent requests and got no answer.
        - V(no_route) - the sender has no route to the target.
        - V(unreachable_route) - the sender has an unreachable route to the target.
        - V(blackhole) - the sender has a blackhole route to the target.
        - V(not_permitted) - the sender's own firewall or a prohibit route refused the request.
        - V(no_source_address) - the sender does not have the address O(src), or has no address that it can use.
        - V(tentative_address) - duplicate address detection of the IPv6 address of the target or the sender has not
          ended, or waits for the carrier of the link.
        - V(duplicate_address) - duplicate address detection found the IPv6 address of the target or the sender
          elsewhere, so the kernel does not use it.
        - V(neighbor_table_full) - no answer came, and the machine's neighbour table was full meanwhile.
          RV(results[].sysctl) limits it. Such a check always fails.
        - V(send_failed) - the sender's kernel could not send, for the reason in RV(results[].errno). Such a check
          always fails.
        - V(host_unreachable) - no host on the last link answers for the address.
        - V(net_unreachable) - a router has no route to the target.
        - V(prohibited) - a firewall rejected the request.
        - V(ttl_exceeded) - the request exceeded its time to live, usually in a routing loop.
        - V(refused) - nobody listens on the port, or a firewall answers as if nobody did.
        - V(packet_too_big) - the request exceeded the MTU of a link.
        - V(link_down) - the sender's link is down (ARP).
        - V(port_unreachable), V(protocol_unreachable), V(beyond_scope) - as the ICMP error says.
        - V(icmp_TYPE_CODE) - an ICMP error with that type and code.
      type: str
      sample: no_route
    errno:
      description: The error with which the sender's own kernel refused to send. Empty without one.
      type: str
      sample: ENETUNREACH
    by:
      description: The address that sent the answer or the ICMP error. Empty without one.
      type: str
      sample: ""
    rtt_ms:
      description: The shortest round-trip time in milliseconds. Null without an answer.
      type: float
      sample: null
    sent:
      description: How many requests the sender sent. For TCP, how many connections it tried to open.
      type: int
      sample: 0
    received:
      description: How many of them got an answer.
      type: int
      sample: 0
    ok:
      description: Whether the result is the expected one.
      type: bool
      sample: true
    protocol:
      description: The protocol.
      returned: if it is not ICMP
      type: str
      sample: tcp
    port:
      description: The port.
      returned: with TCP and UDP
      type: int
      sample: 80
    size:
      description: The size of the payload in octets.
      returned: if it is not 56, or with O(df)
      type: int
      sample: 1472
    mtu:
      description: The MTU of the link that the request exceeded.
      returned: if the reason is V(packet_too_big) and the MTU is known
      type: int
      sample: 1450
    sysctl:
      description: The sysctl that limits the neighbour table, and its value. It is one of the machine's own namespace.
      returned: if the reason is V(neighbor_table_full)
      type: str
      sample: net.ipv4.neigh.default.gc_thresh3 = 1024
    lladdrs:
      description: The MAC addresses that answered for the address, in the order of their answers.
      returned: with ARP
      type: list
      elements: str
      sample: ["02:00:00:00:00:37"]
table:
  description: The results as the lines of a table, with C(!!) before each check that failed.
  returned: as RV(results)
  type: list
  elements: str
  sample:
    - "    FROM  TO           EXPECTED     GOT          REASON                  RTT"
    - "    net0  172.18.0.20  reachable    reachable    reply                   0.047 ms"
    - "!!  net0  203.0.113.8  reachable    unreachable  no_route (ENETUNREACH)  -"
matrix:
  description:
    - The results as the lines of a matrix, with C(!!) before each check that failed. A cell is C(yes), C(no) if the
      check expects nothing more exact, or the reason.
  returned: with O(matrix), as RV(results)
  type: list
  elements: str
  sample:
    - "FROM     192.168.5.1  192.168.5.100  192.168.5.2"
    - "netns11  yes          yes            no"
    - "netns21  no           !! no_route    yes"
msg:
  description:
    - How many checks passed. On failure, the table follows. With O(matrix), the matrix and the failed rows of the table
      follow.
  returned: always
  type: str
  sample: 9 checks, all as expected
errors:
  description: All errors in the options. In that case the task sent nothing.
  returned: if an option has an error
  type: list
  elements: str
  sample:
    - "checks[2].to: '10.0.0' is not an IP address"
    - "checks[1].from: there is no network namespace 'c9'"
"""

from ansible_collections.linuxnet.lab.plugins.module_utils.python import begin

begin()

from ansible_collections.linuxnet.lab.plugins.module_utils.modules.connectivity import main

if __name__ == "__main__":
    main()
