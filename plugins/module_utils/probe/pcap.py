# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A pcap file, as tcpdump and Wireshark read it. Source: draft-ietf-opsawg-pcap, pcap-savefile(5)."""

from __future__ import annotations

import struct
import typing as t

_MAGIC = 0xA1B23C4D  # times have nanoseconds, and the writer's byte order is the file's
_ETHERNET = 1
_FILE = struct.Struct("=IHHiIII")
_PACKET = struct.Struct("=IIII")


def pcap(packets: t.Iterable[tuple[int, int, bytes]], snaplen: int) -> bytes:
    """The whole file.

    :param packets: for each the time in nanoseconds since 1970, the length that it had, and its first bytes.
    :param snaplen: how many of its bytes a packet may have here.
    """
    parts = [_FILE.pack(_MAGIC, 2, 4, 0, 0, snaplen, _ETHERNET)]
    for time_ns, length, data in packets:
        seconds, nanoseconds = divmod(time_ns, 10**9)
        parts += [_PACKET.pack(seconds, nanoseconds, len(data), length), data]
    return b"".join(parts)
