# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether iptables in its older form, which nftables does not show, drops what is forwarded.

Sources: linux/netfilter_ipv4/ip_tables.h and its IPv6 twin; struct ipt_getinfo, ipt_get_entries, ipt_entry.
"""

from __future__ import annotations

import ctypes
import os
import socket
import struct
import typing as t

_GET_INFO = 64
_GET_ENTRIES = 65
_FORWARD = 2
_DROP = -1  # a verdict is stored as -verdict-1, and NF_DROP is 0
_TABLE = b"filter".ljust(32, b"\0")
_ENTRIES_START = 40
_TARGET_HEADER = 32

_libc = ctypes.CDLL(None, use_errno=True)


class _Variant(t.NamedTuple):
    command: str
    tables: str
    family: int
    level: int
    target_offset: int  # of the field in struct ipt_entry that says where the rule's target begins


_VARIANTS = (
    _Variant("iptables-legacy", "ip_tables_names", socket.AF_INET, socket.IPPROTO_IP, 88),
    _Variant("ip6tables-legacy", "ip6_tables_names", socket.AF_INET6, socket.IPPROTO_IPV6, 140),
)


def forward_drops() -> list[str]:
    """The commands whose FORWARD chain in the calling thread's network namespace has the policy DROP."""
    return [variant.command for variant in _VARIANTS if _in_use(variant) and _policy(variant) == _DROP]


def _in_use(variant: _Variant) -> bool:
    """Asking for a table that is not there would load it, so look first."""
    try:
        with open("/proc/thread-self/net/" + variant.tables, encoding="ascii") as stream:
            return "filter" in stream.read().split()
    except (FileNotFoundError, PermissionError):  # in a user namespace, only root outside may read it
        return False


def _policy(variant: _Variant) -> int:
    """The verdict of the rule that the kernel keeps at the end of the chain for its policy."""
    with socket.socket(variant.family, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.IPPROTO_RAW) as raw:
        # name, valid_hooks, hook_entry[5], underflow[5], num_entries, size
        info = struct.unpack("=32s13I", _getsockopt(raw, variant.level, _GET_INFO, _TABLE.ljust(84, b"\0")))
        underflow, size = info[7 : 7 + 5], info[13]
        request = struct.pack("=32sI4x", _TABLE, size) + bytes(size)
        entries = _getsockopt(raw, variant.level, _GET_ENTRIES, request)[_ENTRIES_START:]
    entry = underflow[_FORWARD]
    target = entry + struct.unpack_from("=H", entries, entry + variant.target_offset)[0]
    return struct.unpack_from("=i", entries, target + _TARGET_HEADER)[0]


def _getsockopt(raw: socket.socket, level: int, option: int, request: bytes) -> bytes:
    """getsockopt(2) with a filled buffer, which Python's own does not pass on."""
    buffer = ctypes.create_string_buffer(request, len(request))
    length = ctypes.c_uint32(len(request))
    if _libc.getsockopt(raw.fileno(), level, option, buffer, ctypes.byref(length)):
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), "iptables")
    return buffer.raw
