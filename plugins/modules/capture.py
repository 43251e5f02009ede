#!/usr/bin/python

# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: capture
short_description: Record packets on links inside network namespaces
author:
  - linuxnet.lab contributors (!UNKNOWN)
description:
  - Records the frames that links receive and send, and returns them as data, on which a playbook can make assertions.
    It can also write them to a file for tcpdump or Wireshark.
  - Records while the task runs, or in the background while other tasks run. For the background, use one task with
    O(state=started) before them and one with O(state=stopped) after them.
  - Decodes Ethernet, 802.1Q, ARP, IPv4, IPv6, ICMP, ICMPv6, and the ports and flags of TCP and UDP. The module needs
    neither C(tcpdump) nor pyroute2.
extends_documentation_fragment:
  - linuxnet.lab.recorder
requirements:
  - root
options:
  state:
    description:
      - V(recorded) records until O(duration) ends or until it has O(count) packets, and returns them.
      - V(started) starts to record in the background. The task returns when the sockets are open, so that the recorder
        sees all packets of later tasks. If the recorder is already running, the task changes nothing.
      - V(stopped) stops the recorder, and returns the packets, also if the recorder has already ended. It uses only the
        options O(name), O(lab) and O(pcap).
    type: str
    choices: [recorded, started, stopped]
    default: recorded
  links:
    description:
      - The links to record on. For a single namespace, you can use O(netns) and O(dev) instead.
    type: list
    elements: dict
    suboptions:
      netns:
        description: As O(netns).
        type: str
        default: ""
      dev:
        description: As O(dev).
        type: list
        elements: str
        default: [any]
  netns:
    description:
      - The network namespace, as a name in C(/run/netns), the name of a namespace that a process of a lab holds, the
        PID of a process, or the path of a namespace file. Empty for the host.
    type: str
    default: ""
  dev:
    description:
      - The links by name, or V(any) for all links of the namespace, including new ones.
      - The module records a packet on each link that it passes. On C(lo), it records a packet once, as received.
    type: list
    elements: str
    default: [any]
  filter:
    description:
      - The packets to record. By default, all packets. With several expressions, a packet must match one of them.
      - The terms are C(arp), C(icmp), C(icmp6), C(tcp), C(udp), C(host ADDRESS) (source or destination, or the sender's
        or target's address in ARP) and C(port NUMBER) (source or destination). You can join them with C(and) and C(or).
        C(and) binds more tightly.
      - The recorder applies the filter, not the kernel. Therefore the filter does not help if other packets come faster
        than the recorder can read them.
    type: list
    elements: str
    default: []
  count:
    description:
      - The number of packets after which the recording ends.
    type: int
    default: 10000
  snaplen:
    description:
      - The number of bytes to record of each packet. The default is more than a whole packet on a link with an MTU of
        1500.
    type: int
    default: 2048
  promiscuous:
    description:
      - Whether the links that O(dev) names also receive frames for other MAC addresses. Use it to see the frames that a
        bridge forwards between its ports. It ends with the recording.
    type: bool
    default: true
  pcap:
    description:
      - A file on the managed host. The task that returns the packets also writes them there. It replaces an existing
        file. Only the owner can read the file, and its times have nanoseconds.
    type: path
seealso:
  - module: linuxnet.lab.neighbor_watch
  - name: tcpdump(8)
    description: Reads the file of O(pcap).
    link: https://www.tcpdump.org/manpages/tcpdump.1.html
"""

EXAMPLES = r"""
- name: Record what ns1 says while it looks for ns2
  linuxnet.lab.capture:
    state: started
    netns: ns1
    dev: eth0
    filter: arp or icmp

- name: Ping
  linuxnet.lab.connectivity:
    from: ns1
    to: 10.22.33.55
    count: 2

- name: Look at what was recorded
  linuxnet.lab.capture:
    state: stopped
  register: seen

- name: An IP address became a MAC address before the first packet, and only once
  ansible.builtin.assert:
    that:
      - seen.packets | map(attribute='type') | list == wanted
      - seen.packets[0].dst_mac == 'ff:ff:ff:ff:ff:ff'
      - seen.packets | selectattr('type', 'eq', 'arp-request') | length == 1
  vars:
    wanted: [arp-request, arp-reply, echo-request, echo-reply, echo-request, echo-reply]

- name: Record the first ten packets on a bridge and on the uplink, side by side
  linuxnet.lab.capture:
    links:
      - {dev: [br0, eth0]}
      - {netns: c1}
    filter: [tcp and port 80, icmp and host 10.0.0.2]
    count: 10
    duration: 5
    pcap: /tmp/lab.pcap
"""

RETURN = r"""
packets:
  description:
    - The packets in the order of their times.
    - Every packet has every key. If a key does not apply, a number is null, and a text or list is empty.
  returned: if O(state) is V(recorded) or V(stopped)
  type: list
  elements: dict
  contains:
    time:
      description: The time when the kernel saw the packet, in seconds since 1970.
      type: float
      sample: 1767225600.123456
    netns:
      description: The namespace, as you wrote it.
      type: str
      sample: ns1
    dev:
      description: The link.
      type: str
      sample: eth0
    direction:
      description: V(out) if the link sent the packet, otherwise V(in).
      type: str
      sample: out
    protocol:
      description:
        - The innermost protocol that the module decodes, one of V(arp), V(icmp), V(icmp6), V(tcp), V(udp), V(ipv4),
          V(ipv6) and V(ethernet).
      type: str
      sample: arp
    type:
      description:
        - V(arp-request) or V(arp-reply); for ICMP and ICMPv6 such as V(echo-request), V(echo-reply),
          V(destination-unreachable), V(time-exceeded), V(redirect), V(neighbor-solicitation),
          V(neighbor-advertisement), V(router-solicitation), V(mld-report), or V(type-N). Empty for other protocols.
      type: str
      sample: arp-request
    src_mac:
      description: The source MAC address.
      type: str
      sample: 02:00:00:00:00:01
    dst_mac:
      description: The destination MAC address.
      type: str
      sample: ff:ff:ff:ff:ff:ff
    vlan:
      description: The VLAN of the outermost 802.1Q or 802.1ad tag.
      type: int
      sample: null
    src:
      description: The source IP address. For ARP, the sender's address.
      type: str
      sample: 10.22.33.1
    dst:
      description: The destination IP address. For ARP, the target's address.
      type: str
      sample: 10.22.33.55
    ttl:
      description: The time to live, or hop limit.
      type: int
      sample: null
    sender_mac:
      description: The sender's MAC address in an ARP packet.
      type: str
      sample: 02:00:00:00:00:01
    target_mac:
      description: The target's MAC address in an ARP packet. Zeros in a request.
      type: str
      sample: 00:00:00:00:00:00
    target:
      description: The target address of a neighbour solicitation or advertisement.
      type: str
      sample: ""
    lladdr:
      description: The MAC address in an IPv6 neighbour discovery message.
      type: str
      sample: ""
    code:
      description: The code of ICMP and ICMPv6.
      type: int
      sample: null
    id:
      description: The identifier of an echo request or reply.
      type: int
      sample: null
    sequence:
      description: The sequence number of an echo request or reply.
      type: int
      sample: null
    sport:
      description: The source port of TCP and UDP.
      type: int
      sample: null
    dport:
      description: The destination port of TCP and UDP.
      type: int
      sample: null
    flags:
      description: The flags of a TCP segment, out of V(fin), V(syn), V(rst), V(psh), V(ack), V(urg), V(ece) and V(cwr).
      type: list
      elements: str
      sample: []
    length:
      description: The size of the frame in bytes, with its Ethernet header and without its checksum.
      type: int
      sample: 42
    summary:
      description: The packet in one line. The line ends in C((cut short)) if the packet is incomplete.
      type: str
      sample: arp who-has 10.22.33.55 tell 10.22.33.1
ended:
  description:
    - Why the recording ended; V(stopped), V(duration), V(count), V(max_bytes), V(space) if the file system had no space
      left, or V(died) if somebody killed the recorder. Empty if there was no recorder.
    - With any value except V(stopped), the recording may have missed the last tasks of a block.
  returned: as RV(packets)
  type: str
  sample: stopped
dropped:
  description: The number of packets that the recorder missed because they came too fast.
  returned: as RV(packets)
  type: int
  sample: 0
pcap:
  description: The file that the task wrote. Empty without O(pcap).
  returned: as RV(packets)
  type: str
  sample: ""
msg:
  description: What happened, in one sentence.
  returned: always
  type: str
  sample: 4 recorded, until stopped
errors:
  description: All errors in the options. In that case the task started nothing.
  returned: if an option has an error
  type: list
  elements: str
  sample:
    - "links[1].dev: there is no interface 'eth9' in namespace 'ns1'"
    - "filter[0]: 'tpc' is not known in 'tpc and port 80'; known are: arp, icmp, icmp6, tcp, udp, ..."
"""

from ansible_collections.linuxnet.lab.plugins.module_utils.python import begin

begin()

from ansible_collections.linuxnet.lab.plugins.module_utils.modules.capture import main

if __name__ == "__main__":
    main()
