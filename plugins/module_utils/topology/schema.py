# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a topology may say: every key, its kind and its meaning.

The reader checks data against this, and the JSON Schema and the tables of the reference page are written from it, so
that the three cannot differ.
"""

from __future__ import annotations

import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils import fields

TEXT = fields.TEXT  # a string; a number is taken as one
TEXTS = "texts"  # a list of strings, or one string
NUMBER = fields.NUMBER
FLAG = fields.FLAG
SETTINGS = "settings"  # a mapping of strings to strings
NAMED = "named"  # a mapping from names, or patterns, to what `shape` describes; or a list of names; or one name
ITEMS = "items"  # a list of what `shape` describes; or one of them
LINKS = "links"  # a list of what `shape` describes, or of lists of two ends
ENDS = "ends"  # two ends, each a string or what `shape` describes
ITEM = "item"  # what `shape` describes, or a string


# How a check may fail.
FAILURES = ("no_route", "host_unreachable", "no_reply")


class Key(t.NamedTuple):
    """A key.

    :ivar kind: one of the constants above. :ivar text: what it means. :ivar shape: what it holds, for the last five.
    :ivar choices: the values it may have; empty for any.
    """

    kind: str
    text: str
    shape: str = ""
    required: bool = False
    choices: tuple[str, ...] = ()


Shape = dict[str, Key]


def _keys(table: fields.Table) -> Shape:
    """The keys for what users can set."""
    offered = [field for field in table.values() if field.text]
    return {field.name: Key(field.codec.kind, field.text, choices=field.choices) for field in offered}


_BRIDGE = _keys(fields.BRIDGE)
_LINK = _keys(fields.LINK)

_NAME = Key(TEXT, "The link's name; at most 15 characters. Left out, it is found by itself.")
_MAC, _MTU, _UP = _LINK["mac"], _LINK["mtu"], _LINK["up"]
_ADDRESSES = Key(TEXTS, "IP addresses with prefix length; all that the link has. Left out, they come by themselves.")
_BROADCAST = Key(FLAG, "Whether IPv4 addresses get the broadcast address of their prefix. Left out, they get none.")
_DAD = Key(FLAG, "Whether IPv6 addresses wait for duplicate address detection. Left out, they are usable at once.")

SHAPES: dict[str, Shape] = {
    "topology": {
        "name": Key(TEXT, "The lab's name: the owner of all that is made.", required=True),
        "namespaces": Key(NAMED, "The network namespaces, by name; C(host) is the host's own.", "namespace"),
        "bridges": Key(NAMED, "Bridges without a prefix of their own, by a name that links refer to.", "bridge"),
        "links": Key(LINKS, "Cables from one namespace or bridge to another.", "link"),
        "segments": Key(NAMED, "Networks: a bridge, a prefix, and those who are on it, by name.", "segment"),
        "routes": Key(ITEMS, "Routes, beside those that come by themselves.", "route"),
        "routing": Key(
            TEXT,
            "With V(static), every namespace that forwards gets a route to every network that it is not on, by the "
            "fewest links.",
            choices=("none", "static"),
        ),
        "neighbors": Key(ITEMS, "Permanent entries of neighbour tables.", "neighbor"),
        "masquerade": Key(ITEMS, "Networks that leave under the address of the link by which they leave.",
                          "masquerade"),
        "host_firewall": Key(
            TEXT,
            "What happens where somebody else's firewall drops what the lab forwards or bridges. With V(allow), the "
            "lab lets its own links through where that firewall has room for it; with V(leave), it only warns. Left "
            "out, it is V(allow).",
            choices=("allow", "leave"),
        ),
        "checks": Key(ITEMS, "Who reaches whom, and who must not. Of two about the same pair the later wins.",
                      "check"),
        "pool": Key(TEXTS, "Prefixes, one of IPv4 or IPv6 or one of each, out of which links without addresses get "
                    "theirs."),
        "mtu": Key(NUMBER, "The MTU of every link that does not say another."),
    },
    "namespace": {
        "kind": Key(TEXT, "V(named) as C(ip netns) makes it, or V(held) by a process, without a name for others, with "
                    "a hostname of its own.", choices=("named", "held")),
        "hostname": Key(TEXT, "The hostname in a held one. Left out, it is the name."),
        "forwarding": Key(FLAG, "Whether it is a router: forwards IPv4, and IPv6 where the lab has any."),
        "sysctls": Key(SETTINGS, "Kernel settings by name, as of sysctl(8)."),
        "lo": Key(TEXTS, "Addresses of its C(lo), by which others reach it whatever link is down."),
    },
    "bridge": {
        "netns": Key(TEXT, "The namespace that it is in. Left out, the host's."),
        "name": _NAME,
        "addresses": Key(TEXTS, "IP addresses of the bridge itself, with prefix length."),
        "broadcast": _BROADCAST,
        "dad": _DAD,
        "mac": _MAC,
        "mtu": _MTU,
        **_BRIDGE,
    },
    "link": {
        "ends": Key(ENDS, "The two ends; as C(NODE) or C(NODE:LINK), or with keys.", "end", required=True),
        "prefix": Key(TEXTS, "The prefix out of which both ends get an address, the first end the first one."),
        "mtu": _MTU,
    },
    "end": {
        "netns": Key(TEXT, "The namespace that it is in."),
        "bridge": Key(TEXT, "The bridge that it is a port of."),
        "name": _NAME,
        "addresses": _ADDRESSES,
        "broadcast": _BROADCAST,
        "dad": _DAD,
        **{name: key for name, key in _LINK.items() if name != "master"},
    },
    "segment": {
        "prefix": Key(TEXTS, "The prefix, or one of IPv4 and one of IPv6. Left out, nobody gets an address."),
        "gateway": Key(ITEM, "Who leads out of it: a namespace, or an address, which the bridge itself then has; or "
                       "with keys. Members get a default route by it.", "gateway"),
        "members": Key(NAMED, "The namespaces that are on it.", "member"),
        "netns": Key(TEXT, "The namespace that the bridge is in. Left out, the host's."),
        "bridge": Key(TEXT, "The bridge's name. Left out, it is found by itself."),
        "default_route": Key(FLAG, "Whether members get a default route by the gateway. Left out, they do."),
        "broadcast": _BROADCAST,
        "dad": _DAD,
        "mac": Key(TEXT, "The bridge's MAC address. Left out, it is a random one."),
        "mtu": _MTU,
        **_BRIDGE,
    },
    "gateway": {
        "netns": Key(TEXT, "The namespace. Left out, it is the bridge's."),
        "addresses": Key(TEXTS, "Its addresses, within the prefix. Left out, the first of each prefix."),
        "name": _NAME,
        "port": Key(TEXT, "The name of the other end, on the bridge."),
        "mac": _MAC,
    },
    "member": {
        "name": _NAME,
        "port": Key(TEXT, "The name of the other end, on the bridge."),
        "addresses": Key(TEXTS, "Its addresses, within the prefix, with or without prefix length. Left out, they come "
                         "by themselves."),
        "default_route": Key(FLAG, "Whether it gets a default route by the gateway. Left out, as the segment says."),
        "mac": _MAC,
        "up": _UP,
    },
    "route": {
        "netns": Key(TEXTS, "The namespaces that have it.", required=True),
        "dst": Key(TEXT, "A prefix, an address, C(default), or the name of a segment.", required=True),
        **_keys(fields.ROUTE),
        **_keys(fields.METRICS),
        "state": Key(TEXT, "V(absent) for a route that must not be there, such as one of the kernel's making.",
                     choices=("present", "absent")),
    },
    "neighbor": {
        "netns": Key(TEXT, "The namespace that has it.", required=True),
        "dst": Key(TEXT, "The neighbour's IP address.", required=True),
        "dev": Key(TEXT, "The link that it is on.", required=True),
        "lladdr": Key(TEXT, "The neighbour's MAC address."),
        "proxy": Key(FLAG, "Whether the namespace answers for the address instead."),
    },
    "masquerade": {
        "netns": Key(TEXT, "The namespace that is the router. Left out, the host."),
        "src": Key(TEXT, "The network that the packets come from: a prefix, or the name of a segment."),
        "dst": Key(TEXT, "The network that they go to: a prefix, or the name of a segment."),
        "iif": Key(TEXT, "The router's link by which they come in. Left out, those of the lab that lead to C(src)."),
        "oif": Key(TEXT, "The link by which they leave."),
        "not_oif": Key(TEXT, "A link by which they do not leave. With a segment for C(src) and no C(oif), it is the "
                       "router's link to the segment."),
        "forward": Key(TEXT, "V(restricted) lets nothing in that was not asked for from inside; V(open) leaves "
                       "forwarding alone. One for a namespace.", choices=("restricted", "open")),
    },
    "check": {
        "from": Key(TEXTS, "The namespaces that ask; C(all) for all of the lab.", required=True),
        "to": Key(TEXTS, "Whom they ask: namespaces, C(all), or addresses.", required=True),
        "expect": Key(TEXT, "What is to come of it: V(reachable) or V(yes), V(unreachable) or V(no), or exactly how it "
                      "fails.", choices=("reachable", "yes", "unreachable", "no", *FAILURES)),
        "protocol": Key(TEXT, "V(icmp) unless told otherwise.", choices=("icmp", "tcp", "udp")),
        "port": Key(NUMBER, "The port, of TCP and UDP."),
        "src": Key(TEXT, "The source address."),
        "count": Key(NUMBER, "How many packets, of which one answered is enough."),
        "listen": Key(FLAG, "Whether the check itself listens at its target, of TCP and UDP. Left out, it does where "
                      "the target is the lab's."),
        "timeout": Key(NUMBER, "Seconds to wait for an answer."),
        "size": Key(NUMBER, "Octets of payload, of ICMP."),
        "df": Key(FLAG, "Whether packets may not be cut into fragments, of ICMP."),
    },
}  # fmt: skip

# The name under which a topology speaks of the host's own namespace.
HOST = "host"
# The word for every namespace of the lab in a check.
ALL = "all"
# What a single string among a list's items means.
SHORT = {"masquerade": "src"}
