# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Apply commands of iproute2 (`ip` and `bridge`) to the network of a machine."""

from __future__ import annotations

import re

from ansible_collections.linuxnet.lab.plugins.module_utils import rules
from ansible_collections.linuxnet.lab.plugins.plugin_utils.node import Link, Node, Refused, Unknown, Values, can

# In the order in which `ip` looks for an object that a word abbreviates.
_OBJECTS = ("address", "addrlabel", "route", "rule", "neighbor", "neighbour", "link", "tunnel", "tuntap")
_VERBS = ("add", "append", "change", "replace", "delete", "flush", "set", "show", "list", "get")
# Settings that change what a machine hears or how it looks, not whom it reaches. Each has a value.
_HEARING = ("promisc", "allmulticast", "txqueuelen", "qlen", "alias")
_SCOPES = ("global", "site", "link", "host")
_TYPES = ("unicast", "blackhole", "unreachable", "prohibit", "throw")
_NUMBERS = ("metric", "mtu", "advmss", "weight", "priority", "tos", "suppress_prefixlength")
_ALIASES = {"oif": "dev", "priority": "metric", "preference": "metric", "brd": "broadcast", "protocol": "proto"}

_RANGES = {"mtu": (68, 65535), "advmss": (1, 65535), "weight": (1, 256)}

_RULE_VALUES = {
    "fwmark": r"(0x[0-9a-fA-F]{1,8}|\d{1,9})(/(0x[0-9a-fA-F]{1,8}|\d{1,9}))?",
    "priority": r"\d{1,9}", "sport": r"\d{1,5}(-\d{1,5})?", "dport": r"\d{1,5}(-\d{1,5})?",
    "uidrange": r"\d{1,9}(-\d{1,9})?", "ipproto": r"tcp|udp|icmp|\d{1,3}", "suppress_prefixlength": r"\d{1,2}",
    "tos": r"\d{1,2}",
}  # fmt: skip

# What `ip link add type bridge` calls otherwise than a topology, or counts in hundredths of a second.
_BRIDGE = {"stp_state": "stp"}
_HUNDREDTHS = ("forward_delay", "ageing_time", "hello_time", "max_age")
_LONGEST_DELAY = 30
_BRIDGE_FLAGS = ("stp", "vlan_filtering", "mcast_snooping", "mcast_querier")


def ip(node: Node, words: list[str]) -> None:
    """Apply one command of `ip`."""
    version = None
    while words and words[0].startswith("-"):
        if words[0] not in ("-4", "-6"):
            raise Unknown
        version, words = int(words[0][1]), words[1:]
    if not words:
        return
    what = next((one for one in _OBJECTS if one.startswith(words[0])), "")
    verb = next((one for one in _VERBS if one.startswith(words[1])), "") if len(words) > 1 else "show"
    if what and verb in ("show", "list", "get"):
        return
    handler = {
        "address": _address, "route": _route, "rule": _rule, "neighbor": _neighbor, "link": _link,
    }.get(what)  # fmt: skip
    if handler is None or not verb:
        raise Unknown
    handler(node, verb, words[2:], version)


def options(
    words: list[str], lead: tuple[str, ...], keys: tuple[str, ...], flags: tuple[str, ...] = ()
) -> tuple[str | None, dict[str, str]]:
    """The one word that stands alone, or after one of *lead*, and the values of keys and flags."""
    alone: str | None = None
    values: dict[str, str] = {}
    waiting = iter(words)
    for word in waiting:
        key = _ALIASES.get(word, word)
        if word in flags:
            values[word] = "1"
        elif key in keys:
            value = next(waiting, None)
            if value is None or key in values:
                raise Unknown
            values[key] = value
        elif alone is None and word in lead:
            alone = next(waiting, None)
        elif alone is None:
            alone = word
        else:
            raise Unknown
    return alone, values


def number(text: str) -> int:
    """A number in decimal or hexadecimal notation."""
    try:
        return int(text, 0)
    except ValueError:
        raise Refused("{0!r} is not a number".format(text)) from None


# -- addresses --------------------------------------------------------------------------------------------------------


def _address(node: Node, verb: str, words: list[str], version: int | None) -> None:
    keys = ("dev", "broadcast", "peer", "scope", "label", "metric", "valid_lft", "preferred_lft")
    cidr, values = options(words, ("local",), keys, ("nodad", "noprefixroute"))
    if verb == "flush":
        name = values.get("dev") or cidr
        if name is None:
            raise Unknown
        node.flush_addresses(node.link(name), version)
        return
    if cidr is None or "dev" not in values:
        raise Unknown
    link = node.link(values["dev"])
    if verb == "delete":
        node.delete_address(link, cidr)
    elif verb in ("add", "replace", "change"):
        given: Values = {"noprefixroute": True} if "noprefixroute" in values else {}
        if "metric" in values:
            given["metric"] = number(values["metric"])
            if not 0 <= given["metric"] <= 0xFFFFFFFF:
                raise Refused("{0} is not a metric".format(values["metric"]))
        if values.get("scope", "global") not in _SCOPES:
            raise Unknown
        for key, usual in (("scope", "global"), ("valid_lft", "forever"), ("preferred_lft", "forever")):
            if values.get(key, usual) != usual:
                given[key] = values[key].removesuffix("sec")
                if key != "scope" and not given[key].isdecimal():
                    raise Refused("{0!r} is not a number of seconds".format(values[key]))
        if _seconds(given, "preferred_lft") > _seconds(given, "valid_lft"):
            raise Refused("preferred_lft is more than valid_lft")
        if "peer" in values:
            given["peer"], slash, length = values["peer"].partition("/")
            mixed = (":" in given["peer"]) != (":" in cidr)
            if mixed or rules.check_ip("", given["peer"]) or given["peer"] == cidr.partition("/")[0]:
                raise Refused("{0!r} is not the address of a peer".format(values["peer"]))
            cidr = "{0}/{1}".format(cidr.partition("/")[0], length) if slash else cidr
        node.add_address(link, cidr, values.get("broadcast"), given)
    else:
        raise Unknown


def _seconds(given: Values, key: str) -> float:
    """A lifetime. The kernel takes a missing valid_lft for infinity."""
    return float(given.get(key, "inf" if key == "valid_lft" else given.get("valid_lft", "inf")))


# -- routes -----------------------------------------------------------------------------------------------------------


def _route(node: Node, verb: str, words: list[str], version: int | None) -> None:
    if verb == "flush":
        dst, values = options(words, (), ("table", "dev"))
        if dst not in (None, "all", "default") or "dev" in values:
            raise Unknown
        node.flush_routes(values.get("table", "main"), ("default", "::/0") if dst == "default" else ())
        return
    route = _read_route(words, version)
    if verb == "delete":
        node.delete_route(route.pop("dst"), route)
    elif verb in ("add", "replace", "append", "change"):
        if not route.keys() & {"via", "dev", "type", "nexthops"}:
            raise Refused("it has neither a gateway nor a link")
        node.add_route(route, replace=verb in ("replace", "change"))
    else:
        raise Unknown


def _read_route(words: list[str], version: int | None) -> Values:
    route: Values = {}
    if words and words[0] in _TYPES:
        route["type"], words = words[0], words[1:]
    words = [word for word in words if word not in ("inet", "inet6")]
    hops = [place for place, word in enumerate(words) if word == "nexthop"]
    head = words[: hops[0]] if hops else words
    keys = ("via", "dev", "src", "metric", "table", "scope", "mtu", "advmss", "proto")
    dst, values = options(head, ("to",), keys, ("onlink",))
    if dst is None:
        raise Unknown
    values.pop("proto", None)
    route = {"dst": _destination(dst, values, version), **_route_values(values), **route}
    if route.get("scope", "global") not in _SCOPES:
        raise Unknown
    if "/" in dst and "via" in route and ":" in dst and ":" not in route["via"]:
        raise Refused("an IPv6 route has no IPv4 gateway")
    if hops:
        route["nexthops"] = []
        for start, end in zip(hops, [*hops[1:], len(words)]):
            alone, hop = options(words[start + 1 : end], (), ("via", "dev", "weight"), ("onlink",))
            if alone is not None:
                raise Unknown
            route["nexthops"].append(_route_values(hop))
    if route.get("type") == "unicast":
        del route["type"]
    if ("type" in route or hops) and route.keys() & {"via", "dev"}:
        raise Refused("such a route has neither a gateway nor a link of its own")
    if any("onlink" in hop and not hop.keys() >= {"via", "dev"} for hop in route.get("nexthops", [route])):
        raise Refused("onlink needs a gateway and a link")
    return route


def _destination(dst: str, values: dict[str, str], version: int | None) -> str:
    if dst in ("default", "all", "any"):
        return "::/0" if version == 6 or ":" in values.get("via", "") else "default"
    if rules.check_prefix("", dst):
        raise Refused("{0!r} is not a network".format(dst))
    if "/" in dst and ":" not in dst and rules.normal_prefix(dst) != dst and dst.count(".") == 3:
        address, dummy, length = dst.partition("/")
        if rules.normal_prefix(dst).partition("/")[0] != rules.normal_ip(address):
            raise Refused("{0} has bits beyond its prefix length {1}".format(dst, length))
    if dst in ("0.0.0.0/0", "0/0"):
        return "default"
    return dst


def _route_values(values: dict[str, str]) -> Values:
    found: Values = {}
    for key in ("via", "src"):
        if key in values:
            if rules.check_ip("", values[key]):
                raise Refused("{0!r} is not an IP address".format(values[key]))
            found[key] = values[key]
    for key in ("dev", "scope", "table"):
        if key in values:
            found[key] = values[key]
    if found.get("table") == "254":
        found["table"] = "main"
    if found.get("table", "main") == "main":
        found.pop("table", None)
    if "table" in found and not _is_table(found["table"]):
        raise Unknown
    for key in _NUMBERS:
        if key in values:
            lowest, highest = _RANGES.get(key, (0, 0xFFFFFFFF))
            found[key] = number(values[key])
            if not lowest <= found[key] <= highest:
                raise Refused("{0} {1} is not between {2} and {3}".format(key, values[key], lowest, highest))
    if "onlink" in values:
        found["onlink"] = True
    return found


def _is_table(text: str) -> bool:
    """Whether a topology can have a routing table: other names are in files of the machine."""
    return text.isdecimal() and len(text) <= 10 and 0 < int(text) <= 0xFFFFFFFF and text not in ("253", "255")


def _rule(node: Node, verb: str, words: list[str], version: int | None) -> None:
    keys = ("from", "to", "fwmark", "table", "tos", "iif", "uidrange", "ipproto", "sport", "dport",
            "suppress_prefixlength", "metric", "lookup", "pref")  # fmt: skip
    types = [word for word in words if word in ("blackhole", "unreachable", "prohibit")]
    alone, values = options([word for word in words if word not in types], (), keys, ("not",))
    if verb != "add" or alone is not None:
        raise Unknown
    rule: Values = {"family": 6} if version == 6 else {}
    for key, value in values.items():
        # `options` calls priorities metrics, as for routes.
        key = {"metric": "priority", "pref": "priority", "lookup": "table"}.get(key, key)
        rule[key] = number(value) if key in _NUMBERS else True if key == "not" else value
    if rule.get("from") == "all":
        del rule["from"]
    if types:
        rule["type"] = types[0]
    if not _is_table(rule.get("table", "1")) and rule["table"] not in ("main", "default", "local"):
        raise Unknown
    if any(rules.check_prefix("", rule[key]) for key in ("from", "to") if key in rule):
        raise Refused("it has a prefix that is not a network")
    for key, pattern in _RULE_VALUES.items():
        if not re.fullmatch(pattern, str(rule.get(key, "0"))):
            raise Refused("{0} {1} is not valid".format(key, rule[key]))
    if len({":" in rule[key] for key in ("from", "to") if key in rule} | ({True} if version == 6 else set())) > 1:
        raise Refused("IPv4 and IPv6 are mixed")
    if not rule.keys() & {"table", "type"}:
        rule["table"] = "main"
    if not all(can("rule", key) for key in rule):
        raise Unknown
    node.rules.append(rule)


def _neighbor(node: Node, verb: str, words: list[str], version: int | None) -> None:
    proxy = "proxy" in words
    dst, values = options([word for word in words if word != "proxy"], ("to",), ("dev", "lladdr", "nud"))
    if verb not in ("add", "replace", "change") or dst is None or "dev" not in values:
        raise Unknown
    add_neighbor(node, dst, values["dev"], values.get("lladdr"), proxy, values.get("nud", "permanent"))


def add_neighbor(
    node: Node, dst: str, dev: str, lladdr: str | None, proxy: bool = False, state: str = "permanent"
) -> None:
    """Add a permanent entry of the neighbour table."""
    if state != "permanent" or not (proxy or lladdr):
        raise Unknown
    if rules.check_ip("", dst) or rules.ip_of(dst).is_multicast:
        raise Refused("{0!r} is not the IP address of a neighbour".format(dst))
    if node.link(dev).kind == "lo":
        raise Unknown
    if not node.link(dev).up:
        raise Refused("{0} is down".format(dev))
    entry: Values = {"dst": dst, "dev": node.link(dev).name}
    entry.update({"proxy": True} if proxy else {"lladdr": _mac(str(lladdr))})
    node.add_neighbor(entry)


# -- links ------------------------------------------------------------------------------------------------------------


def _link(node: Node, verb: str, words: list[str], version: int | None) -> None:
    if verb == "add":
        _add_link(node, words)
    elif verb == "set":
        _set_link(node, words)
    elif verb == "delete":
        words = [word for word in words if word != "dev"]
        if len(words) > 1 and words[1] != "type":
            raise Unknown
        node.delete_link(words[0] if words else "")
    else:
        raise Unknown


def _add_link(node: Node, words: list[str]) -> None:
    if "type" not in words:
        raise Unknown
    place = words.index("type")
    name, values = options(words[:place], ("name", "dev"), ("link", "address", "mtu"))
    kind, rest = (words[place + 1 :] or [""])[0], words[place + 2 :]
    if name is None:
        raise Unknown
    link = Link(name, kind, parent=values.get("link", ""))
    if "address" in values:
        link.settings["mac"] = _mac(values["address"])
    if "mtu" in values:
        link.settings["mtu"] = number(values["mtu"])
    if kind == "bridge":
        link.settings.update(_bridge_options(rest))
        node.add_link(link)
    elif kind == "veth" and rest[:2] == ["peer", "name"] and len(rest) == 3 and rest[2] not in node.links:
        node.add_link(Link(name, kind, settings=link.settings, peer=rest[2]))
        node.add_link(Link(rest[2], kind, peer=name))
    else:
        raise Unknown


def _set_link(node: Node, words: list[str]) -> None:
    if "dev" in words[:-1]:
        place = words.index("dev")
        words = [words[place + 1], *words[:place], *words[place + 2 :]]
    if not words:
        raise Unknown
    if words[0] in ("up", "down"):  # before the name
        words = [*words[1:], words[0]]
    link = node.link(words[0])
    waiting = iter(words[1:])
    for word in waiting:
        if word == "up":
            link.up = True
        elif word == "down":
            node.set_down(link)
        elif word == "nomaster":
            node.set_master(link, "")
        elif word == "type":
            _set_kind(link, list(waiting))
        elif word in _HEARING:
            next(waiting, "")
        elif word in ("address", "mtu", "master", "vrf", "arp"):
            _set_value(node, link, word, next(waiting, ""))
        else:
            raise Unknown


def _set_value(node: Node, link: Link, word: str, value: str) -> None:
    if word in ("master", "vrf"):
        node.set_master(link, value)
    elif word == "address":
        link.settings["mac"] = _mac(value)
    elif word == "mtu":
        mtu = number(value)
        if rules.check_mtu("", mtu):
            raise Unknown
        link.settings["mtu"] = mtu
    else:
        link.settings["arp"] = value == "on"


def _set_kind(link: Link, words: list[str]) -> None:
    if words[:1] != ["bridge"] or link.kind != "bridge":
        raise Unknown
    link.settings.update(_bridge_options(words[1:]))


def _bridge_options(words: list[str]) -> Values:
    found: Values = {}
    for word, text in zip(words[::2], words[1::2]):
        key, value = _BRIDGE.get(word, word), number(text)
        if not can("bridge", key):
            raise Unknown
        found[key] = bool(value) if key in _BRIDGE_FLAGS else value // 100 if word in _HUNDREDTHS else value
        if key == "forward_delay" and not 0 <= found[key] <= _LONGEST_DELAY:
            raise Refused("{0} is too large".format(text))
    if len(words) % 2:
        raise Unknown
    return found


def _mac(text: str) -> str:
    mac = text.lower()
    if rules.check_mac("", mac):
        raise Refused("{0!r} is not the MAC address of a link".format(text))
    return mac
