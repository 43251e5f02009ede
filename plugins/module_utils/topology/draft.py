# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The unfinished lab, and what every step of the layout needs."""

from __future__ import annotations

from ansible_collections.linuxnet.lab.plugins.module_utils import fields, rules
from ansible_collections.linuxnet.lab.plugins.module_utils.topology import addressing, schema
from ansible_collections.linuxnet.lab.plugins.module_utils.topology.model import Bridge, Lab
from ansible_collections.linuxnet.lab.plugins.module_utils.topology.reader import Data, Reader


class Draft:
    """The state of the layout.

    :ivar reader: reads the data. :ivar errors: the errors. :ivar lab: the valid part of the lab.
    :ivar mtu: the default MTU of links. :ivar declared: all declared names.
    :ivar known: used prefixes, with their places. :ivar altnames: the name of a link by its namespace and its
        alternative name; None before links have names.
    """

    def __init__(self, name: str, reader: Reader, mtu: int | None) -> None:
        self.reader = reader
        self.errors = reader.errors
        self.lab = Lab(name)
        self.mtu = self.right_mtu("", mtu)
        self.declared: set[str] = {schema.HOST}
        self.known: list[tuple[addressing.Network, str]] = []
        self.altnames: dict[tuple[str, str], str] | None = None

    def netns(self, place: str, name: str | None) -> str | None:
        """The reference of a namespace by its name in the topology. None, and an error, if it does not exist."""
        if name is None or name == schema.HOST:
            return ""
        if name in self.lab.nodes:
            return name
        if name in self.lab.bridges:
            self.errors.append("{0}: {1!r} is a bridge, not a namespace".format(place, name))
        elif name not in self.declared:
            near = rules.nearest(name, self.declared)
            self.lab.strangers.add(name)
            self.errors.append("{0}: there is no namespace {1!r}{2}".format(place, name, near))
        return None

    def right_mtu(self, place: str, mtu: int | None) -> int | None:
        """An MTU that other objects use. None, and a single error, if it is invalid."""
        wrong = rules.check_mtu(place + "mtu", mtu)
        self.errors += wrong
        return None if wrong else mtu

    def addresses(self, place: str, texts: list[str]) -> list[str]:
        """The valid addresses of a link with prefix length, and an error for each invalid one."""
        found = []
        for number, text in enumerate(texts):
            wrong = rules.check_cidr("{0}[{1}]".format(place, number), text)
            self.errors += wrong
            found += [] if wrong else [text]
        return found

    def bridge(self, label: str, place: str, values: Data, name_key: str) -> Bridge | None:
        """A new bridge, whose name is the value of *name_key*. None, and an error, if it is invalid."""
        if label in self.declared:
            self.errors.append("{0}: {1!r} is already the name of something else".format(place, label))
            return None
        self.declared.add(label)
        netns = self.netns(place + ".netns", values.get("netns"))
        if netns is None:
            return None
        bridge = Bridge(
            label,
            place,
            netns,
            name=values.get(name_key, ""),
            addresses=self.addresses(place + ".addresses", values.get("addresses", [])),
            address_options=fields.given(fields.ADDRESS, values),
            mac=values.get("mac"),
            mtu=self.right_mtu(place + ".", values["mtu"]) if "mtu" in values else self.mtu,
            options=fields.given(fields.BRIDGE, values),
        )
        self.lab.bridges[label] = bridge
        return bridge

    def prefixes(self, place: str, texts: list[str]) -> list[str]:
        """Prefixes in the kernel's notation, at most one of each IP version."""
        found: dict[int, str] = {}
        for text in texts:
            wrong = rules.check_prefix(place, text)
            if wrong or "/" not in text:
                self.errors += wrong or ["{0}: {1!r} lacks the prefix length".format(place, text)]
                continue
            network = rules.network_of(text)
            if network.version in found:
                self.errors.append(
                    "{0}: {1} and {2} are both IPv{3}".format(place, found[network.version], network, network.version)
                )
            found.setdefault(network.version, str(network))
        return list(found.values())

    def prefixes_of(self, place: str, text: str) -> list[str]:
        """The prefixes of a segment, or the prefix in a text."""
        if text in self.lab.segments:
            segment = self.lab.segments[text]
            if not segment.prefixes and not any(one.startswith(segment.place + ".prefix") for one in self.errors):
                self.errors.append("{0}: segment {1!r} has no prefix".format(place, text))
            return segment.prefixes
        if rules.check_prefix(place, text):
            near = rules.nearest(text, self.lab.segments)
            self.errors.append("{0}: {1!r} is neither a prefix nor a segment{2}".format(place, text, near))
            return []
        return [text]
