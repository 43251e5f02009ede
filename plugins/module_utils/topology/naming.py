# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Automatic link names, which say where the link leads, and are short enough for the kernel."""

from __future__ import annotations

import hashlib

from ansible_collections.linuxnet.lab.plugins.module_utils.rules import LINK_NAME_LIMIT
from ansible_collections.linuxnet.lab.plugins.module_utils.topology.model import Bridge, End, Lab


def give_names(lab: Lab) -> None:
    """Name every link that has no name.

    In a namespace, a link is named after its segment, or after the node that it leads to. A port of a bridge is named
    after its member and the segment, and a bridge after the lab and the segment. A name that is too long is cut and
    ends with a hash. The whole name becomes the alternative name.
    """
    numbers: dict[tuple[str, str], int] = {}
    taken = {(one.netns, one.name) for one in lab.bridges_and_ends() if one.name}
    for bridge in lab.bridges.values():
        if not bridge.name:
            _name(lab, bridge, "{0}-{1}".format(lab.name, bridge.label), taken, numbers)
    for link in lab.links:
        for end, other in (link.ends, link.ends[::-1]):
            if not end.name:
                _name(lab, end, _label(link.segment, end, other), taken, numbers)


def _label(segment: str, end: End, other: End) -> str:
    """The desired name of a link, of any length."""
    if end.bridge:
        return "{0}-{1}".format(title(other), end.bridge.label)
    if other.bridge:
        return segment or other.bridge.label
    return title(other)


def title(end: End) -> str:
    """The node of an end, as in the topology."""
    if end.bridge:
        return end.bridge.label
    return end.netns or "host"


def _name(
    lab: Lab, link: End | Bridge, label: str, taken: set[tuple[str, str]], numbers: dict[tuple[str, str], int]
) -> None:
    """Name a link *label*. If the name exists, append the next number."""
    number = numbers.get((link.netns, label), 1)
    text = label if number == 1 else "{0}-{1}".format(label, number)
    name = _fitting(lab, text)
    while (link.netns, name) in taken:  # a second link between the same two
        number += 1
        text = "{0}-{1}".format(label, number)
        name = _fitting(lab, text)
    numbers[link.netns, label] = number
    taken.add((link.netns, name))
    link.name = name
    link.altname = text if name != text else None


def _fitting(lab: Lab, text: str) -> str:
    if len(text.encode()) <= LINK_NAME_LIMIT:
        return text
    digest = hashlib.sha256("{0} {1}".format(lab.name, text).encode()).hexdigest()[:6]
    start = text.encode()[: LINK_NAME_LIMIT - 7].decode(errors="ignore")  # no partial character
    return "{0}-{1}".format(start, digest)
