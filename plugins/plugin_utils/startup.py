# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the network of a machine from its startup commands, and write it to a topology.

Nothing here runs a command. The code understands commands whose every word it knows, and lists everything else.
"""

from __future__ import annotations

import os
import re
import typing as t

from ansible_collections.linuxnet.lab.plugins.plugin_utils import names, nettools, shell
from ansible_collections.linuxnet.lab.plugins.plugin_utils.imported import Imported
from ansible_collections.linuxnet.lab.plugins.plugin_utils.node import Link, Node, Refused, Unknown, Values

# Finds the content of a file that a machine has.
Scripts = t.Callable[[str], t.Optional[str]]

_SHELLS = ("sh", "bash", "ash", "dash")
_PREFIXES = ("sudo", "exec", "nohup")
# These commands have no effect that anybody could miss here.
_IDLE = ("true", ":", "echo", "sleep", "set", "cd", "wait", "exit", "ls", "cat", "pwd", "hostname", "export",
         "modprobe")  # fmt: skip
# Words of a text that may change who reaches whom.
_NETWORK = re.compile(
    r"\b(ip6?|ifconfig|route|arp|brctl|bridge|vconfig|sysctl|ip6?tables(-\w+)?|nft|ebtables|tc|ethtool|ifup|ifdown|netplan"
    r"|ovs-\w+|wg|wg-quick|ifenslave|teamd|dhclient|dhcpcd|udhcpc|frr|quagga|zebra|bird6?|bgpd|ospf6?d|ripd|ripngd|isisd"
    r"|vtysh|openvpn|ipsec|networking|dnsmasq|isc-dhcp-\w+|pppd|xl2tpd|babeld|olsrd|proc/sys/net)\b"
)


def read(imported: Imported, place: str, text: str, node: Node, scripts: Scripts | None = None) -> None:
    """Apply a startup file to the network of a machine.

    :arg scripts: finds the scripts that commands run.
    """
    for command in shell.commands(text):
        run(imported, "{0}, line {1}".format(place, command.line), command, node, scripts or _no_script)


def run(imported: Imported, place: str, command: shell.Command, node: Node, scripts: Scripts) -> None:
    """Apply one command, or list it as left out."""
    try:
        _apply(imported, place, command, node, scripts)
    except Unknown as exc:
        why = " ({0})".format(exc) if isinstance(exc, Refused) else ""
        if _NETWORK.search(command.text) or (command.words and _script(command.words).startswith("/")):
            imported.leave_out("{0}: {1}{2}".format(place, command.text, why))
        else:
            first = (command.words or command.text.split())[0]
            imported.leave_out_program(os.path.basename(first))


def _apply(
    imported: Imported, place: str, command: shell.Command, node: Node, scripts: Scripts
) -> None:
    words = list(command.words)
    while words and words[0] in _PREFIXES:
        words = words[1:]
    if not words:
        raise Unknown
    program = os.path.basename(words[0])
    if program == "echo" and command.target and len(words) == 2:
        nettools.write(node, words[1], command.target)
    elif program in nettools.PROGRAMS:
        nettools.PROGRAMS[program](node, words[1:])
    elif program in _SHELLS and len(words) == 3 and words[1] in ("-c", "-ec", "-xc", "-lc"):
        for inner in shell.commands(words[2]):
            run(imported, place, inner, node, scripts)
    elif program not in _IDLE or command.target:
        path = _script(words)
        text = scripts(path) if path else None
        if text is None:
            raise Unknown
        # The script finds no other scripts, so that none of them can call itself.
        read(imported, "{0}, {1}".format(place, path), text, node)


def _no_script(dummy: str) -> None:
    """Find no script."""


def _script(words: list[str]) -> str:
    """The path of the script that a command runs; empty if it runs none."""
    if os.path.basename(words[0]) in (*_SHELLS, "source", "."):
        words = [word for word in words[1:] if not word.startswith("-")]
    return words[0] if len(words) == 1 else ""


class Writer:
    """Writes the networks of machines to a topology.

    :arg given: the names of namespaces and bridges, which share one space.
    """

    def __init__(self, imported: Imported, given: names.Names) -> None:
        self._imported = imported
        self._given = given
        self._bridges: dict[tuple[str, str], str] = {}
        self._owners: dict[str, str] = {}  # of addresses and MAC addresses, of which a lab has each only once

    def namespace(self, netns: str, node: Node) -> Values:
        """The keys of a machine's namespace. Its bridges, routes and other entries go to the topology."""
        self._take_away_doubles(netns, node)
        self._write_bridges(netns, node)
        pairs = [(link, node.links[link.peer]) for link in node.links.values() if link.peer and link.name < link.peer]
        for pair in pairs:
            ends = [self.end(netns, node, link.name) for link in pair]
            self.settle_mtu("{0}: {1} and {2}".format(netns, *(link.name for link in pair)), ends)
            self._entries("links", [ends])
        for key, entries in (("routes", node.routes), ("neighbors", node.neighbors), ("rules", node.rules)):
            self._entries(key, [{"netns": netns, **entry} for entry in entries])
        self._entries("masquerade", list(self._masquerades(netns, node)))
        values: Values = {}
        if node.forwarding is not None:
            values["forwarding"] = node.forwarding
        if node.sysctls:
            values["sysctls"] = node.sysctls
        if node.links["lo"].addresses:
            values["lo"] = _listed(node.links["lo"], broadcast=True)
        return values

    def end(self, netns: str, node: Node, name: str) -> t.Any:
        """An end of a link in a machine, as `NETNS:NAME` or with keys."""
        link = node.links[name]
        bridge = self._bridges.get((netns, link.master))
        values = dict(link.settings)
        if not link.up:
            values["up"] = False
        if bridge and link.addresses:
            self._imported.leave_out("{0}:{1}: {2}, because the link is a port of {3}".format(
                netns, name, ", ".join(map(str, link.addresses)), link.master))
        elif not bridge:
            values.update(_addresses(link))
        if not bridge and not values:
            return "{0}:{1}".format(netns, name)
        return {**({"bridge": bridge} if bridge else {"netns": netns}), "name": name, **values}

    def settle_mtu(self, place: str, ends: list[t.Any], mtu: int | None = None) -> int | None:
        """Give both ends of a veth pair the lower MTU, because a topology refuses two. Returns that of the link."""
        told = [end for end in ends if isinstance(end, dict) and "mtu" in end]
        if not told:
            return mtu
        lowest = min([end["mtu"] for end in told] + ([mtu] if mtu else []))
        if len(told) < len(ends) or any(end["mtu"] != lowest for end in told):
            self._imported.change("{0}: both ends have the MTU {1} here".format(place, lowest))
        for end in told:
            end["mtu"] = lowest
        return lowest if mtu else None

    def _take_away_doubles(self, netns: str, node: Node) -> None:
        """Leave out addresses that another link has, because a topology refuses them."""
        for link in node.links.values():
            here = "{0}:{1}".format(netns, link.name)
            for address, one in list(link.addresses.items()):
                alone = str(address.ip)
                if "peer" in one.options or address.is_link_local:
                    continue
                if self._owners.setdefault(alone, here) != here:
                    node.delete_address(link, str(address))
                    self._imported.leave_out("{0}: {1}, which {2} has, too".format(
                        here, address, self._owners[alone]))
            mac = link.settings.get("mac")
            if mac and self._owners.setdefault(mac, here) != here:
                del link.settings["mac"]
                self._imported.leave_out("{0}: {1}, which {2} has, too".format(here, mac, self._owners[mac]))

    def _entries(self, key: str, entries: list[t.Any]) -> None:
        if entries:
            self._imported.topology.setdefault(key, []).extend(entries)

    def _write_bridges(self, netns: str, node: Node) -> None:
        for link in node.links.values():
            if link.kind != "bridge":
                continue
            label = self._given.give("{0}-{1}".format(netns, link.name))
            self._bridges[netns, link.name] = label
            if not link.up:
                self._imported.leave_out("{0}: the bridge {1} is down there, and up here".format(netns, link.name))
            values = {"netns": netns, "name": link.name, **link.settings, **_addresses(link)}
            self._imported.topology.setdefault("bridges", {})[label] = values

    def _masquerades(self, netns: str, node: Node) -> t.Iterator[Values]:
        """An entry for each prefix inside: a router of ours trusts no other source address."""
        for match in node.masquerades:
            outside = node.links.get(match.get("oif", ""), node.links["lo"])
            for src in [match["src"]] if "src" in match else node.inside(outside):
                yield {"netns": netns, **match, "src": src, "forward": "open"}


def _addresses(link: Link) -> Values:
    """The keys for the addresses of a link."""
    if not link.addresses:
        return {}
    # One key for all addresses reads better than one for each of them.
    broadcast = [one.broadcast for address, one in link.addresses.items() if address.version == 4]
    everywhere = bool(broadcast) and all(broadcast)
    return {"addresses": _listed(link, not everywhere), **({"broadcast": True} if everywhere else {})}


def _listed(link: Link, broadcast: bool) -> list[t.Any]:
    """The addresses of a link, each as a text, or with its options; *broadcast* is one of these."""
    found: list[t.Any] = []
    for address, one in link.addresses.items():
        options = {**({"broadcast": True} if broadcast and one.broadcast else {}), **one.options}
        found.append({"address": str(address), **options} if options else str(address))
    return found
