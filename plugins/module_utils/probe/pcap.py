# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A pcap file, for tcpdump and Wireshark. Source: draft-ietf-opsawg-pcap, pcap-savefile(5)."""

from __future__ import annotations

import struct
import typing as t

_MAGIC = 0xA1B23C4D  # the times have nanoseconds, and the file has the writer's byte order
_ETHERNET = 1
_FILE = struct.Struct("=IHHiIII")
_PACKET = struct.Struct("=IIII")


def pcap(packets: t.Iterable[tuple[int, int, bytes]], snaplen: int) -> bytes:
    """The content of the file.

    :param packets: for each packet, the time in nanoseconds since 1970, its original length, and its first bytes.
    :param snaplen: the maximum number of bytes of a packet in the file.
    """
    parts = [_FILE.pack(_MAGIC, 2, 4, 0, 0, snaplen, _ETHERNET)]
    for time_ns, length, data in packets:
        seconds, nanoseconds = divmod(time_ns, 10**9)
        parts += [_PACKET.pack(seconds, nanoseconds, len(data), length), data]
    return b"".join(parts)
