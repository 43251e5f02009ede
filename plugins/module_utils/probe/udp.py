# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""UDP probes: numbered datagrams. An echo or any other answer counts. Source: udp(7)."""

from __future__ import annotations

import socket
import struct
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils.probe import packet
from ansible_collections.linuxnet.lab.plugins.module_utils.probe.endpoint import EchoProbe, Heard
from ansible_collections.linuxnet.lab.plugins.module_utils.probe.endpoint import Endpoint as _Endpoint

NUMBERS = struct.Struct("!HH")


class Endpoint(_Endpoint):
    """A UDP socket."""

    probes: dict[int, Probe]  # type: ignore[assignment]

    def __init__(self, family: int, src: str = "", dev: str = "", zone: str = "", df: bool = False) -> None:
        """As the base class, for a family."""
        super().__init__(socket.socket(family, socket.SOCK_DGRAM), src, dev, zone, df)

    def decode(self, data: bytes, quoted: bool) -> packet.Echo:
        """The identifier, the sequence number and the payload. Missing bytes count as 0."""
        ident, sequence = NUMBERS.unpack_from(data.ljust(NUMBERS.size, b"\0"))
        return packet.Echo(0, ident, sequence, data[NUMBERS.size :])

    def whose(self, heard: Heard) -> t.Iterable[EchoProbe]:
        """The probe with the identifier. If an answer is not an echo, all probes get it separately."""
        if heard.error is None and not any(probe.payload == heard.echo.payload for probe in super().whose(heard)):
            for probe in self.probes.values():
                probe.hear_words(heard)
            return []
        return super().whose(heard)


class Probe(EchoProbe):
    """A check by UDP."""

    def transmit(self, sequence: int) -> None:
        """Send a datagram."""
        self.endpoint.send(self.check.address, self.check.port, NUMBERS.pack(self.ident, sequence) + self.payload)

    def hear_words(self, heard: Heard) -> None:
        """Record an answer that is not an echo, if it comes from the target, and if that is not our own listener."""
        from_target = (self.check.address, self.check.port) == (heard.address, heard.port)
        if from_target and self.check.listen is None and self.asked(self.latest):
            self.answered(self.latest, heard.at, heard.address)

    def why(self, error: packet.IcmpError) -> str:
        """As the base class. A port without a listener has the word `refused`."""
        return packet.refusal(error)
