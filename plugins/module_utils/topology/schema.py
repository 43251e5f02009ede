# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The keys of the topology format: the kind and the meaning of each.

The reader checks data against these tables. `make docs` writes the JSON Schema and the tables of docs/topology.md from
them, so that the three cannot differ.
"""

from __future__ import annotations

import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils import fields
from ansible_collections.linuxnet.lab.plugins.module_utils.probe import reasons

TEXT = fields.TEXT  # a string; a number is taken as one
TEXTS = "texts"  # a list of strings, or one string
NUMBER = fields.NUMBER
FLAG = fields.FLAG
SETTINGS = "settings"  # a mapping of strings to strings
NAMED = "named"  # a mapping from names, or patterns, to what `shape` describes; or a list of names; or one name
ITEMS = "items"  # a list of what `shape` describes; or one of them
LINKS = "links"  # a list of what `shape` describes, or of lists of two ends
ENDS = "ends"  # two ends, each a string or what `shape` describes
ADDRESSES = "addresses"  # a list of strings or of what `shape` describes, or one of them
ITEM = "item"  # what `shape` describes, or a string

# How a check may fail. link_down is a reason of ARP alone, which no check of a topology uses.
_FAILURES = tuple(word for word in reasons.EXPECTED if word != "link_down")


class Key(t.NamedTuple):
    """A key.

    :ivar kind: one of the constants above. :ivar text: its meaning. :ivar shape: the shape of its value, for the last
    five kinds. :ivar choices: the allowed values; empty for any.
    """

    kind: str
    text: str
    shape: str = ""
    required: bool = False
    choices: tuple[str, ...] = ()


Shape = dict[str, Key]


def _keys(table: fields.Table) -> Shape:
    """The keys for those fields of a table that users can set."""
    offered = [field for field in table.values() if field.text]
    return {field.name: Key(field.codec.kind, field.text, choices=field.choices) for field in offered}


_BRIDGE = _keys(fields.BRIDGE)
_LINK = _keys(fields.LINK)

_NAME = Key(TEXT, "The link's name, at most 15 characters. Default: an automatic name.")
_PORT = Key(TEXT, "The name of the link's other end, on the bridge. Default: an automatic name.")
_MAC, _MTU, _UP = _LINK["mac"], _LINK["mtu"], _LINK["up"]
_ADDRESSES = Key(ADDRESSES, "All IP addresses of the link, with prefix length. Default: automatic addresses.",
                 "address")
_OF_ADDRESSES = _keys(fields.ADDRESS)

SHAPES: dict[str, Shape] = {
    "topology": {
        "name": Key(TEXT, "The name of the lab. Every object of the lab is marked with it.", required=True),
        "namespaces": Key(NAMED, "The network namespaces. C(host) is the host's own namespace.", "namespace"),
        "bridges": Key(NAMED, "Bridges without a prefix. Links refer to them by name.", "bridge"),
        "links": Key(LINKS, "Veth pairs between two namespaces, two bridges, or a namespace and a bridge.", "link"),
        "segments": Key(NAMED, "Networks: each is a bridge with a prefix, and a link to each of its members.",
                        "segment"),
        "routes": Key(ITEMS, "Routes, in addition to those that the topology creates automatically.", "route"),
        "routing": Key(
            TEXT,
            "With V(static), each namespace with C(forwarding) gets a route to each network that it has no link in, "
            "along the path with the fewest links. Default: V(none).",
            choices=("none", "static"),
        ),
        "rules": Key(ITEMS, "Policy rules, which choose a routing table for some packets.", "rule"),
        "neighbors": Key(ITEMS, "Permanent entries of neighbour tables.", "neighbor"),
        "masquerade": Key(ITEMS, "Networks whose packets leave with the address of the outgoing link.",
                          "masquerade"),
        "host_firewall": Key(
            TEXT,
            "What to do if another program's firewall drops packets that the lab forwards or bridges. With V(allow), "
            "the lab adds exceptions for its own links, if that firewall has a place for them. With V(leave), the "
            "task only warns. Default: V(allow).",
            choices=("allow", "leave"),
        ),
        "foreign": Key(
            TEXT,
            "What to do with policy rules and firewall tables that somebody else added to the lab's own namespaces, "
            "and with queueing disciplines on its links. With V(keep), they stay, and C(lab_info) lists them. With "
            "V(remove), they count as drift, and the task deletes them. Default: V(keep).",
            choices=("keep", "remove"),
        ),
        "checks": Key(ITEMS, "Who must reach whom, and who must not. If two checks are about the same pair, the later "
                      "one applies.", "check"),
        "pool": Key(TEXTS, "Prefixes from which links without addresses get theirs: one of IPv4, one of IPv6, or one "
                    "of each."),
        "mtu": Key(NUMBER, "The MTU of each link that sets no other."),
    },
    "namespace": {
        "kind": Key(TEXT, "V(named) for a namespace as C(ip netns) creates it, V(held) for one without a name, which a "
                    "process holds and which has its own hostname. Default: V(named).", choices=("named", "held")),
        "hostname": Key(TEXT, "The hostname in a held namespace. Default: the name of the namespace."),
        "forwarding": Key(FLAG, "Whether the namespace is a router. A router forwards IPv4, and also IPv6 if the lab "
                          "has IPv6 addresses."),
        "sysctls": Key(SETTINGS, "Sysctls of the namespace, named as in sysctl(8)."),
        "lo": Key(ADDRESSES, "Addresses of C(lo). They stay reachable if one of several links is down.", "address"),
    },
    "bridge": {
        "netns": Key(TEXT, "The namespace of the bridge. Default: C(host)."),
        "name": Key(TEXT, "The name of the bridge in the kernel, at most 15 characters. Default: the key."),
        "addresses": Key(ADDRESSES, "IP addresses of the bridge itself, with prefix length.", "address"),
        **_OF_ADDRESSES,
        "mac": _MAC,
        "mtu": _MTU,
        **_BRIDGE,
    },
    "link": {
        "ends": Key(ENDS, "The two ends, each as C(NODE), as C(NODE:LINK), or with keys.", "end", required=True),
        "prefix": Key(TEXTS, "The prefix from which both ends get an address. The first end gets the first address."),
        "mtu": _MTU,
    },
    "end": {
        "netns": Key(TEXT, "The namespace of the end."),
        "bridge": Key(TEXT, "The bridge or segment that the end is a port of."),
        "name": _NAME,
        "addresses": _ADDRESSES,
        **_OF_ADDRESSES,
        **{name: key for name, key in _LINK.items() if name != "master"},
    },
    "address": {
        "address": Key(TEXT, "The address, with prefix length.", required=True),
        "peer": Key(TEXT, "The address of the other end of a point-to-point link. The prefix length is then that of "
                    "the peer."),
        **_OF_ADDRESSES,
    },
    "segment": {
        "prefix": Key(TEXTS, "The prefix: one of IPv4, one of IPv6, or one of each. Without a prefix, members get no "
                      "addresses."),
        "gateway": Key(ITEM, "The gateway: a namespace, an address that the bridge itself gets, or a mapping. Members "
                       "get a default route through it.", "gateway"),
        "members": Key(NAMED, "The namespaces with a link to the segment.", "member"),
        "netns": Key(TEXT, "The namespace of the bridge. Default: C(host)."),
        "bridge": Key(TEXT, "The name of the bridge. Default: an automatic name."),
        "default_route": Key(FLAG, "Whether members get a default route through the gateway. Default: yes."),
        **_OF_ADDRESSES,
        "mac": Key(TEXT, "The MAC address of the bridge. Default: a random one."),
        "mtu": _MTU,
        **_BRIDGE,
    },
    "gateway": {
        "netns": Key(TEXT, "The namespace of the gateway. Default: the namespace of the bridge."),
        "addresses": Key(ADDRESSES, "The addresses of the gateway, within the prefix. Default: the first address of "
                         "each prefix.", "address"),
        "name": _NAME,
        "port": _PORT,
        "mac": _MAC,
    },
    "member": {
        "name": _NAME,
        "port": _PORT,
        "addresses": Key(ADDRESSES, "The addresses of the member, within the prefix, with or without prefix length. "
                         "Default: automatic addresses.", "address"),
        "default_route": Key(FLAG, "Whether the member gets a default route through the gateway. Default: the value "
                             "of the segment."),
        "mac": _MAC,
        "up": _UP,
    },
    "route": {
        "netns": Key(TEXTS, "The namespaces that get the route.", required=True),
        "dst": Key(TEXT, "The destination: a prefix, an address, C(default), or the name of a segment.", required=True),
        **_keys(fields.ROUTE),
        **_keys(fields.METRICS),
        "nexthops": Key(ITEMS, "Several next hops that share the packets, in place of C(via), C(dev) and C(onlink).",
                        "nexthop"),
        "state": Key(TEXT, "V(absent) to remove a route, such as one that the kernel created. Default: V(present).",
                     choices=("present", "absent")),
    },
    "nexthop": _keys(fields.NEXTHOP),
    "rule": {
        "netns": Key(TEXTS, "The namespaces that get the rule.", required=True),
        **_keys(fields.RULE_WORDS),
        **_keys(fields.RULE),
    },
    "neighbor": {
        "netns": Key(TEXT, "The namespace that gets the entry.", required=True),
        "dst": Key(TEXT, "The IP address of the neighbour.", required=True),
        "dev": Key(TEXT, "The link to the neighbour.", required=True),
        **_keys(fields.NEIGHBOR),
    },
    "masquerade": {
        "netns": Key(TEXT, "The namespace that is the router. Default: C(host)."),
        "src": Key(TEXT, "The source network of the packets: a prefix, or the name of a segment."),
        "dst": Key(TEXT, "The destination network of the packets: a prefix, or the name of a segment."),
        "iif": Key(TEXT, "The router's link on which the packets arrive. Default: the lab's links that lead to "
                   "C(src)."),
        "oif": Key(TEXT, "The link through which the packets leave."),
        "not_oif": Key(TEXT, "A link through which the packets do not leave. Default, if C(src) is a segment and there "
                       "is no C(oif): the router's link to the segment."),
        "forward": Key(TEXT, "V(restricted) lets packets in only if they answer packets from inside. V(open) adds no "
                       "forward rules. All entries of a namespace share one value. Default: V(restricted).",
                       choices=("restricted", "open")),
    },
    "check": {
        "from": Key(TEXTS, "The namespaces that send. C(all) stands for all namespaces of the lab.", required=True),
        "to": Key(TEXTS, "The targets: namespaces, C(all), or addresses.", required=True),
        "expect": Key(TEXT, "The expected result: V(reachable) or V(yes), V(unreachable) or V(no), or exactly how the "
                      "check fails.", choices=("reachable", "yes", "unreachable", "no", *_FAILURES)),
        "protocol": Key(TEXT, "The protocol. Default: V(icmp).", choices=("icmp", "tcp", "udp")),
        "port": Key(NUMBER, "The port, for TCP and UDP."),
        "src": Key(TEXT, "The source address."),
        "count": Key(NUMBER, "How many packets to send. One answer is enough."),
        "listen": Key(FLAG, "Whether the check itself listens at the target, for TCP and UDP. Default: yes if the "
                      "target belongs to the lab."),
        "timeout": Key(NUMBER, "How many seconds to wait for an answer."),
        "size": Key(NUMBER, "The size of the payload in octets, for ICMP."),
        "df": Key(FLAG, "Whether to forbid fragmentation of the packets, for ICMP."),
    },
}  # fmt: skip

# The name of the host's own namespace in a topology.
HOST = "host"
# The word for every namespace of the lab in a check.
ALL = "all"
# The key that a string stands for, among the items of a list.
SHORT = {"masquerade": "src"}
