# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the addresses and routes from a machine's startup file.

The file is a shell script, and nothing here runs it. The code understands single commands whose every word it knows,
and lists everything else as left out.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import itertools
import os
import re
import shlex
import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.linuxnet.lab.plugins.module_utils import rules
from ansible_collections.linuxnet.lab.plugins.plugin_utils.imported import checked

# With these a line says something else than its words.
_SHELL = re.compile(r"[$`|&;<>(){}*?\\]")

_LONGEST = 1000  # shlex takes very long for more

_TYPES = ("unicast", "blackhole", "unreachable", "prohibit", "throw")


@dataclasses.dataclass
class Startup:
    """What a startup file comes to.

    :ivar addresses: in CIDR form, by link. :ivar broadcast: the links whose addresses have one for broadcasts.
    :ivar routes: in the shape of our routes, without `netns`. :ivar left_out: a sentence for each line that is not
        among these.
    """

    addresses: dict[str, list[str]] = dataclasses.field(default_factory=dict)
    broadcast: set[str] = dataclasses.field(default_factory=set)
    routes: list[dict[str, t.Any]] = dataclasses.field(default_factory=list)
    left_out: list[str] = dataclasses.field(default_factory=list)


class _Unknown(Exception):
    """A command that has no meaning here."""


def read(place: str, text: str, links: t.Iterable[str]) -> Startup:
    """What a startup file says of a machine with these links; AnsibleFilterError where an address in it is none."""
    reading = _Reading(links)
    for number, line in enumerate(text.splitlines(), 1):
        at = "{0}, line {1}".format(place, number)
        try:
            if len(line) > _LONGEST:
                raise _Unknown
            words = shlex.split(line, comments=True)
            if words and _SHELL.search(line.partition(" #")[0]):
                raise _Unknown
            reading.command(at, words)
        except (_Unknown, ValueError):  # ValueError is a quote that is not closed
            reading.found.left_out.append("{0}: {1}".format(at, line.strip()))
    return reading.found


class _Reading:
    def __init__(self, links: t.Iterable[str]) -> None:
        self.found = Startup()
        self._links = {"lo", *links}
        self._given: set[tuple[str, str]] = set()

    def command(self, place: str, words: list[str]) -> None:
        """Take one command."""
        program = os.path.basename(words[0]) if words else ""
        if program == "ip":
            self._ip(place, words[1:])
        elif program == "ifconfig":
            self._ifconfig(place, words[1:])
        elif words:
            raise _Unknown

    def _ip(self, place: str, words: list[str]) -> None:
        version = None
        while words and words[0] in ("-4", "-6"):
            version, words = int(words[0][1]), words[1:]
        if len(words) < 2:
            raise _Unknown
        what, verb, rest = words[0], words[1], words[2:]
        if "address".startswith(what) and "add".startswith(verb):
            self._address(place, rest)
        elif "route".startswith(what) and "add".startswith(verb):
            self._route(place, rest, version)
        elif "link".startswith(what) and "set".startswith(verb):
            # Links are up without being told to.
            rest = [word for word in rest if word != "dev"]
            if len(rest) != 2 or rest[1] != "up":
                raise _Unknown
            self._link(rest[0])
        else:
            raise _Unknown

    def _address(self, place: str, words: list[str]) -> None:
        cidr, values = _options(words, ("local",), ("dev", "broadcast", "brd"))
        if cidr is None or "dev" not in values:
            raise _Unknown
        self._add(place, values["dev"], cidr, values.get("broadcast", values.get("brd")))

    def _ifconfig(self, place: str, words: list[str]) -> None:
        words = [word for word in words if word != "up"]
        if len(words) == 1:
            self._link(words[0])
            return
        if len(words) < 2:
            raise _Unknown
        said = itertools.dropwhile(lambda word: word in ("inet", "inet6", "add"), words[1:])
        cidr, values = _options(list(said), (), ("netmask", "broadcast"))
        if cidr is None:
            raise _Unknown
        if "netmask" in values:
            cidr = "{0}/{1}".format(cidr.partition("/")[0], values["netmask"])
        elif "/" not in cidr:
            raise _Unknown  # the mask would follow from the address's class, which nobody means any more
        self._add(place, words[0], cidr, values.get("broadcast", "+"))

    def _add(self, place: str, dev: str, cidr: str, broadcast: str | None) -> None:
        self._link(dev)
        try:
            interface = ipaddress.ip_interface(cidr)
        except ValueError as exc:
            raise AnsibleFilterError("{0}: {1!r} is not an address ({2})".format(place, cidr, exc)) from exc
        checked(rules.check_cidr(place, str(interface)))
        addresses = self.found.addresses.setdefault(dev, [])
        if broadcast not in (None, "+", str(interface.network.broadcast_address)):
            raise _Unknown
        if (dev, str(interface)) not in self._given:
            self._given.add((dev, str(interface)))
            addresses.append(str(interface))
        if broadcast and interface.version == 4:
            self.found.broadcast.add(dev)

    def _route(self, place: str, words: list[str], version: int | None) -> None:
        route: dict[str, t.Any] = {}
        if words and words[0] in _TYPES:
            route["type"], words = words[0], words[1:]
        words = [word for word in words if word not in ("inet", "inet6")]
        dst, values = _options(words, ("to",), ("via", "dev", "src", "metric"))
        if dst is None or not (values.keys() & {"via", "dev"} or route.get("type")):
            raise _Unknown
        if dst != "default":
            checked(rules.check_prefix(place, dst))
        elif version == 6:
            dst = "::/0"
        for key in ("via", "src"):
            if key in values:
                checked(rules.check_ip(place, values[key]))
        if not values.get("metric", "0").isdecimal():
            raise _Unknown
        if "dev" in values:
            self._link(values["dev"])
        if "metric" in values:
            route["metric"] = int(values["metric"])
        self.found.routes.append({"dst": dst, **{key: values[key] for key in ("via", "dev", "src") if key in values},
                                  **route})

    def _link(self, name: str) -> None:
        if name not in self._links:
            raise _Unknown


def _options(
    words: list[str], lead: tuple[str, ...], keys: tuple[str, ...]
) -> tuple[str | None, dict[str, str]]:
    """The one word that stands alone, or after one of *lead*, and the values of the keys."""
    alone: str | None = None
    values: dict[str, str] = {}
    waiting = iter(words)
    for word in waiting:
        if word in keys:
            value = next(waiting, None)
            if value is None or word in values:
                raise _Unknown
            values[word] = value
        elif alone is None and word in lead:
            alone = next(waiting, None)
        elif alone is None:
            alone = word
        else:
            raise _Unknown
    return alone, values
