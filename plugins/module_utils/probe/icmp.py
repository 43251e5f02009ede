# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ICMP echo probes. Sources: RFC 792, RFC 4443, raw(7); linux/icmp.h and linux/icmpv6.h for the filters."""

from __future__ import annotations

import socket
import struct

from ansible_collections.linuxnet.lab.plugins.module_utils.probe import packet
from ansible_collections.linuxnet.lab.plugins.module_utils.probe.checks import Check
from ansible_collections.linuxnet.lab.plugins.module_utils.probe.endpoint import EchoProbe
from ansible_collections.linuxnet.lab.plugins.module_utils.probe.endpoint import Endpoint as _Endpoint

_ICMP_FILTER = 1
_ICMP6_FILTER = 1
_SOL_RAW = 255


class Endpoint(_Endpoint):
    """A raw socket that receives only echo replies."""

    def __init__(self, family: int, src: str = "", dev: str = "", zone: str = "", df: bool = False) -> None:
        """As the base class, for a family."""
        protocol = socket.IPPROTO_ICMP if family == socket.AF_INET else socket.IPPROTO_ICMPV6
        super().__init__(socket.socket(family, socket.SOCK_RAW, protocol), src, dev, zone, df)
        # A set bit makes the kernel drop messages of that type.
        blocked = ~(1 << packet.ECHO_REPLY[family])
        if family == socket.AF_INET:
            self._socket.setsockopt(_SOL_RAW, _ICMP_FILTER, struct.pack("=I", blocked & 0xFFFFFFFF))
        else:
            words = [(blocked >> shift) & 0xFFFFFFFF for shift in range(0, 256, 32)]
            self._socket.setsockopt(socket.IPPROTO_ICMPV6, _ICMP6_FILTER, struct.pack("=8I", *words))

    def decode(self, data: bytes, quoted: bool) -> packet.Echo | None:
        """As the base class. The error queue quotes a request from its ICMP header on, for both families."""
        echo = packet.echo(data if quoted else packet.icmp_part(self.family, data))
        expected = packet.ECHO_REQUEST if quoted else packet.ECHO_REPLY
        return echo if echo is not None and echo.type == expected[self.family] else None


class Probe(EchoProbe):
    """A check by ICMP echo."""

    def __init__(self, check: Check, endpoint: Endpoint, ident: int, token: bytes) -> None:
        super().__init__(check, endpoint, ident, token)
        self.payload = (token * (check.size // len(token) + 1))[: check.size]

    def transmit(self, sequence: int) -> None:
        """Send an echo request."""
        request = packet.echo_request(self.check.family, self.ident, sequence, self.payload)
        self.endpoint.send(self.check.address, 0, request)
