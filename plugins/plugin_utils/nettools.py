# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Apply the older commands to the network of a machine: `ifconfig`, `route`, `arp`, `brctl`, `sysctl`, `iptables`."""

from __future__ import annotations

import ipaddress
import re
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils import rules
from ansible_collections.linuxnet.lab.plugins.plugin_utils import iproute
from ansible_collections.linuxnet.lab.plugins.plugin_utils.node import Link, Node, Refused, Unknown, Values

_PROC = "/proc/sys/"
_BRCTL = {"setfd": "forward_delay", "setageing": "ageing_time"}


def ifconfig(node: Node, words: list[str]) -> None:
    """Apply one command of `ifconfig`. With an address it also sets the link up."""
    words = [word for word in words if word not in ("-v", "-a")]
    if len(words) < 2:
        return
    name, rest = words[0], words[1:]
    link = node.link(name)
    address = ""
    values: dict[str, str] = {}
    adds = ":" in name
    waiting = iter(rest)
    for word in waiting:
        if word == "up":
            values["up"] = "1"
        elif word == "down":
            values["down"] = "1"
        elif word in ("inet", "inet6"):
            continue
        elif word == "add":
            adds = True
        elif word in ("arp", "-arp"):
            link.settings["arp"] = word == "arp"
        elif word in ("netmask", "broadcast", "mtu"):
            values[word] = next(waiting, "")
        elif word in ("promisc", "-promisc", "allmulti", "-allmulti"):
            continue  # changes what the machine hears, not whom it reaches
        elif word == "hw":
            if next(waiting, "") != "ether":
                raise Unknown
            iproute.ip(node, ["link", "set", link.name, "address", next(waiting, "")])
        elif not address:
            address = word
        else:
            raise Unknown
    if "mtu" in values:
        iproute.ip(node, ["link", "set", link.name, "mtu", values["mtu"]])
    if "down" in values:
        node.set_down(link)
        return
    if address:
        _set_address(node, link, address, values, adds)
    if address or "up" in values:
        link.up = True


def _set_address(node: Node, link: Link, address: str, values: dict[str, str], adds: bool) -> None:
    if address == "0.0.0.0":  # takes the address away
        node.flush_addresses(link, 4)
        return
    if ":" in address:
        node.add_address(link, address)
        return
    cidr = address
    if "netmask" in values:
        cidr = "{0}/{1}".format(address.partition("/")[0], values["netmask"])
    elif "/" not in address:
        cidr = "{0}/{1}".format(address, _class_length(address))
    if not adds:
        node.replace_first(link)
    node.add_address(link, cidr, values.get("broadcast", "+"))


def _class_length(address: str) -> int:
    """The prefix length of the address's class, which `ifconfig` uses if there is no netmask."""
    try:
        first = int(ipaddress.IPv4Address(address)) >> 24
    except ValueError:
        raise Refused("{0!r} is not an address".format(address)) from None
    return 8 if first < 128 else 16 if first < 192 else 24


def route(node: Node, words: list[str]) -> None:
    """Apply one command of `route`."""
    version = 4
    while words and words[0] in ("-A", "-6", "--inet6", "-4", "--inet", "-n", "inet6", "inet"):
        version = 6 if words[0] in ("-6", "--inet6", "inet6") else version
        words = words[1:]
    if not words:
        return
    if words[0] not in ("add", "del"):
        raise Unknown
    verb, rest = words[0], words[1:]
    host = "-host" in rest
    rest = [word for word in rest if word not in ("-net", "-host")]
    if len(rest) > 1 and rest[-1] in node.links and rest[-2] not in ("dev", "gw"):
        rest = [*rest[:-1], "dev", rest[-1]]  # the word dev is optional at the end
    dst, values = iproute.options(rest, (), ("gw", "netmask", "dev", "metric"), ("reject",))
    if dst is None:
        raise Unknown
    if dst not in ("default", "0.0.0.0") and "/" not in dst and ":" not in dst:
        if "netmask" in values:
            dst = "{0}/{1}".format(dst, values["netmask"])
            if not rules.check_prefix("", dst):
                dst = "{0}/{1}".format(dst.partition("/")[0], rules.network_of(dst).prefixlen)
        elif not host and "-net" in words:
            raise Unknown  # the length would follow from the class of the address
    if dst == "0.0.0.0":
        dst = "default"
    said = [verb, *(["unreachable"] if "reject" in values else []), dst]
    for key, word in (("gw", "via"), ("dev", "dev"), ("metric", "metric")):
        if key in values:
            said += [word, values[key]]
    if version == 6 and verb == "add" and "metric" not in values:
        said += ["metric", "1"]  # as `route` does
    iproute.ip(node, ["-{0}".format(version), "route", *said])


def arp(node: Node, words: list[str]) -> None:
    """Apply one command of `arp`. It finds the link by the addresses, if the command does not name it."""
    if not words or words[0] in ("-n", "-a", "-e", "-an"):
        return
    dev = ""
    if words[:1] == ["-i"] and len(words) > 1:
        dev, words = words[1], words[2:]
    if len(words) < 3 or words[0] not in ("-s", "--set") or len(words) > 3 and words[3:] != ["pub"]:
        raise Unknown
    if rules.check_ip("", words[1]):
        raise Refused("{0!r} is not an IP address".format(words[1]))
    if not dev:
        found = node.leads_to(rules.ip_of(words[1]))
        if not found:
            raise Refused("no link leads to {0}".format(words[1]))
        dev = found[0]
    iproute.add_neighbor(node, words[1], dev, words[2], proxy=len(words) > 3)


def brctl(node: Node, words: list[str]) -> None:
    """Apply one command of `brctl`."""
    if not words or words[0] in ("show", "showmacs", "showstp"):
        return
    verb, rest = words[0], words[1:]
    if verb == "addbr" and len(rest) == 1:
        node.add_link(Link(rest[0], "bridge"))
    elif verb == "delbr" and len(rest) == 1:
        node.delete_link(rest[0])
    elif verb in ("addif", "delif") and len(rest) > 1:
        for name in rest[1:]:
            node.set_master(node.link(name), rest[0] if verb == "addif" else "")
    elif verb == "stp" and len(rest) == 2:
        _bridge(node, rest[0]).settings["stp"] = rest[1] in ("on", "yes", "1", "true")
    elif verb in _BRCTL and len(rest) == 2:
        _bridge(node, rest[0]).settings[_BRCTL[verb]] = iproute.number(rest[1].partition(".")[0])
    else:
        raise Unknown


def _bridge(node: Node, name: str) -> Link:
    link = node.link(name)
    if link.kind != "bridge":
        raise Refused("{0} is not a bridge".format(name))
    return link


def sysctl(node: Node, words: list[str]) -> None:
    """Apply one command of `sysctl`."""
    words = [word for word in words if word not in ("-w", "-q", "-e", "-qw", "--write")]
    text = "=".join(words) if len(words) == 2 and "=" not in words[0] else " ".join(words)
    if text.count("=") == 1:
        name, dummy, value = text.partition("=")
        _set_sysctl(node, name.strip(), value.strip())
        return
    if any("=" not in word or word.startswith("-") for word in words):
        if not any("=" in word or word.startswith(("-p", "--")) for word in words):
            return  # it only reads
        raise Unknown
    for word in words:
        name, dummy, value = word.partition("=")
        _set_sysctl(node, name, value)


def _set_sysctl(node: Node, name: str, value: str) -> None:
    """Set a sysctl of IP. Others belong to the whole machine, or need a module of the kernel."""
    if not re.match(r"net[./]ipv[46][./]", name):
        raise Unknown
    node.set_sysctl(name, value)


def write(node: Node, value: str, path: str) -> None:
    """Write a value to a file, as `echo 1 > /proc/sys/net/ipv4/ip_forward` does."""
    if not path.startswith(_PROC):
        raise Unknown
    name = path[len(_PROC) :]
    # In the notation with dots, a slash stands for a dot in the name of a link.
    _set_sysctl(node, name if "." in name else name.replace("/", "."), value)


def iptables(node: Node, words: list[str]) -> None:
    """Apply one command of `iptables`: only masquerading has an equivalent in a topology."""
    table, chain, target = "filter", "", ""
    match: Values = {}
    if words[:2] == ["-t", "nat"] and words[2:] in (["-F"], ["-F", "POSTROUTING"]):
        node.masquerades = []
        return
    rest = words[2:] if words[:1] == ["-t"] else words
    # A new machine has no rules, and lets all packets pass.
    if rest[:1] in (["-F"], ["-X"], ["-Z"], ["-L"], ["-nvL"]) or (rest[:1] == ["-P"] and rest[2:] == ["ACCEPT"]):
        return
    waiting = iter(words)
    for word in waiting:
        if word in ("-t", "--table"):
            table = next(waiting, "")
        elif word in ("-A", "--append", "-I", "--insert"):
            chain = next(waiting, "")
        elif word in ("-s", "--source", "--src"):
            match["src"] = next(waiting, "")
        elif word in ("-d", "--destination", "--dst"):
            match["dst"] = next(waiting, "")
        elif word in ("-o", "--out-interface"):
            match["oif"] = next(waiting, "")
        elif word in ("-j", "--jump"):
            target = next(waiting, "")
        else:
            raise Unknown
    if (table, chain, target) != ("nat", "POSTROUTING", "MASQUERADE"):
        raise Unknown
    if any(rules.check_prefix("", match[key]) for key in ("src", "dst") if key in match):
        raise Unknown
    if "oif" in match:
        node.link(match["oif"])
    node.masquerades.append(match)


PROGRAMS: dict[str, t.Callable[[Node, list[str]], None]] = {
    "ip": iproute.ip,
    "ifconfig": ifconfig,
    "route": route,
    "arp": arp,
    "brctl": brctl,
    "sysctl": sysctl,
    "iptables": iptables,
}
