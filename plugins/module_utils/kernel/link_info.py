# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Attributes of single kinds of links (IFLA_LINKINFO), encoded and decoded by pyroute2's classes.

A bridge has fifty such attributes of several widths, and a lab has few bridges. The first such link loads pyroute2.
"""

from __future__ import annotations

import struct
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils import fields
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import library
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.attributes import pack

_IFLA_LINKINFO = 18
_NLMSGHDR = struct.Struct("=IHHII")
_IFINFOMSG = bytes(16)
_BRIDGE = {field.attribute: field for field in fields.BRIDGE.values()}


def encode_bridge(options: dict[str, t.Any]) -> bytes:
    """The attribute for a bridge with these options, in the kernel's units."""
    info: list[tuple[str, t.Any]] = [("IFLA_INFO_KIND", "bridge")]
    if options:
        table = fields.BRIDGE
        data = [(table[name].attribute, table[name].codec.pack(value)) for name, value in options.items()]
        info.append(("IFLA_INFO_DATA", {"attrs": data}))
    made = library.ifinfmsg()()
    made["attrs"] = [("IFLA_LINKINFO", {"attrs": info})]
    made.encode()
    return bytes(made.data)[_NLMSGHDR.size + len(_IFINFOMSG) :]


def decode_bridge(info: bytes) -> dict[str, t.Any]:
    """The options in the attribute's value, in the kernel's units.

    The result has no ageing time during an STP topology change: the kernel then uses and reports twice the forward
    delay instead. Source: __br_set_topology_change() of net/bridge/br_stp.c.
    """
    body = _IFINFOMSG + pack(_IFLA_LINKINFO, info)
    header = _NLMSGHDR.pack(_NLMSGHDR.size + len(body), 0, 0, 0, 0)
    message = library.ifinfmsg()(bytearray(header + body))
    message.decode()
    data = message.get_attr("IFLA_LINKINFO").get_attr("IFLA_INFO_DATA")
    found = data["attrs"] if data else ()
    options = {_BRIDGE[name].name: _BRIDGE[name].codec.read(value) for name, value in found if name in _BRIDGE}
    if options.get("stp") and dict(found).get("IFLA_BR_TOPOLOGY_CHANGE"):
        del options["ageing_time"]
    return options
