# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read and change the tables of iptables-legacy, which nftables does not show.

The kernel reads and replaces only whole tables. A table is a sequence of entries, one for each rule, in which a jump is
an offset from the beginning. Here a table is a list of chains, whose rules jump to chains by name.

All functions act in the calling thread's network namespace. Sources: linux/netfilter/x_tables.h,
linux/netfilter_ipv4/ip_tables.h and its IPv6 twin, libiptc of iptables.
"""

from __future__ import annotations

import contextlib
import ctypes
import dataclasses
import errno
import fcntl
import os
import socket
import struct
import time
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.actions import Context, Operation
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.firewalls import judge, xtables
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.firewalls.judge import Answer, Condition, Flow

LOCK = "/run/xtables.lock"  # the lock file of iptables(8)
_PATIENCE = 60  # seconds

_SET_REPLACE, _SET_COUNTERS = 64, 65
_GET_INFO, _GET_ENTRIES = 64, 65
_INFO = struct.Struct("=32sI5I5III")  # name, hooks, their first entries, their policies, number of entries, size
_HOOKS = 5
_ENTRIES_START = 40
_COUNTER = 16
_TRIES = 5

_HEADER = 32  # of a match or target: its length, its name, its revision
_NAME = slice(2, 31)
_ERROR = "ERROR"  # the target that begins a chain, and ends the table
_VERDICTS = {-1: judge.DROP, -2: judge.ACCEPT, -4: judge.UNKNOWN_VERDICT, -5: judge.RETURN}
_ACCEPT, _RETURN = -2, -5

_INVERT_IIF, _INVERT_OIF, _INVERT_SOURCE, _INVERT_DESTINATION, _INVERT_PROTOCOL = 0x01, 0x02, 0x08, 0x10, 0x40

_libc = ctypes.CDLL(None, use_errno=True)


class Variant(t.NamedTuple):
    """iptables or ip6tables.

    :ivar names: the file that lists the tables. :ivar address: the length of an address.
    :ivar links: the offset in an entry of the two link names, which their masks follow.
    :ivar protocol: the offset of the protocol number. :ivar flags: the offset of the flags.
    :ivar goto: the flag of an entry with a goto, from which packets do not return.
    :ivar offsets: the offset of two numbers: the offset of the target, and the length of the entry.
    :ivar counters: the offset of the counters.
    """

    command: str
    version: int
    names: str
    family: int
    level: int
    address: int
    links: int
    protocol: int
    flags: int
    goto: int
    offsets: int
    counters: int

    @property
    def size(self) -> int:
        """The length of an entry without its matches and target."""
        return self.counters + _COUNTER


VARIANTS = {
    4: Variant("iptables-legacy", 4, "ip_tables_names", socket.AF_INET, socket.IPPROTO_IP, 4, 16, 80, 82, 2, 88, 96),
    6: Variant(
        "ip6tables-legacy", 6, "ip6_tables_names", socket.AF_INET6, socket.IPPROTO_IPV6, 16, 64, 128, 131, 4, 140, 152
    ),
}


@dataclasses.dataclass
class Entry:
    """A rule.

    :ivar data: the bytes of the rule. :ivar verdict: the number of its verdict; None for a jump or another target.
    :ivar target: the chain that it jumps to. :ivar was: its number in the table when it was read; -1 for a new rule.
    """

    data: bytes
    verdict: int | None = None
    target: str = ""
    was: int = -1


@dataclasses.dataclass
class Chain:
    """A chain. The last rule of a chain with a hook is its policy.

    :ivar hook: the number of its netfilter hook; -1 for none. :ivar head: the entry before the rules of a chain without
        a hook, which contains the name of the chain.
    """

    name: str
    hook: int = -1
    head: Entry | None = None
    rules: list[Entry] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Table:
    """A table as a list of chains, in the kernel's order.

    :ivar hooks: a bit mask of its hooks. :ivar end: its last entry. :ivar entries: the number of entries when it was
        read.
    """

    variant: Variant
    name: str
    hooks: int
    chains: list[Chain]
    end: Entry
    entries: int


_CHAINS = ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING")
_JUDGED = {0: "prerouting", 2: "forward", 4: "postrouting"}


def table_names(variant: Variant) -> list[str]:
    """The tables in use. Only these may be read, because reading another table would load it."""
    try:
        with open("/proc/thread-self/net/" + variant.names, encoding="ascii") as stream:
            return stream.read().split()
    except (FileNotFoundError, PermissionError):  # in a user namespace, only the machine's root may read the file
        return []


def tables() -> dict[tuple[int, str], judge.Table]:
    """The tables in use, by IP version and name, in the form that :mod:`.judge` evaluates."""
    return {
        (version, name): _judged(read(variant, name))
        for version, variant in VARIANTS.items()
        for name in table_names(variant)
    }


# ---- read


@contextlib.contextmanager
def _raw(variant: Variant) -> t.Iterator[socket.socket]:
    with socket.socket(variant.family, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.IPPROTO_RAW) as raw:
        yield raw


def read(variant: Variant, name: str) -> Table:
    """A table that is in use. OSError if the kernel refuses."""
    key = name.encode().ljust(32, b"\0")
    with _raw(variant) as raw:
        for dummy in range(_TRIES):
            info = _INFO.unpack(_getsockopt(raw, variant.level, _GET_INFO, key.ljust(_INFO.size, b"\0")))
            size = info[13]
            request = struct.pack("=32sI4x", key, size) + bytes(size)
            try:
                entries = _getsockopt(raw, variant.level, _GET_ENTRIES, request)[_ENTRIES_START:]
                break
            except OSError as exc:  # EAGAIN: another process changed the table in between
                if exc.errno != errno.EAGAIN:
                    raise
        else:
            raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN), variant.command)
    hooks, starts, ends = info[1], info[2 : 2 + _HOOKS], info[2 + _HOOKS : 2 + 2 * _HOOKS]
    return _parse(variant, name, hooks, starts, ends, entries)


def _parse(
    variant: Variant, name: str, hooks: int, starts: tuple[int, ...], ends: tuple[int, ...], data: bytes
) -> Table:
    begins = {starts[hook]: hook for hook in range(_HOOKS) if hooks & 1 << hook}
    policies = {ends[hook] for hook in range(_HOOKS) if hooks & 1 << hook}
    chains: list[Chain] = []
    jumps: list[tuple[Entry, int]] = []
    places: dict[int, str] = {}  # chains, by the offset of their first rule
    end = Entry(b"")
    offset = number = 0
    closed = True
    while offset < len(data):
        target_at, length = struct.unpack_from("=HH", data, offset + variant.offsets)
        entry = Entry(data[offset : offset + length], was=number)
        kind, value = _target(entry.data, target_at)
        if offset in begins:
            hook = begins[offset]
            chains.append(Chain(_CHAINS[hook], hook))
            closed = False
        elif kind == _ERROR:
            title = value.split(b"\0")[0].decode(errors="replace")
            if offset + length >= len(data):
                end = entry
                break
            chains.append(Chain(title, head=entry))
            places[offset + length] = title
            offset, number, closed = offset + length, number + 1, False
            continue
        if closed:
            raise OSError(errno.EBADMSG, "a rule outside of all chains", variant.command)
        chain = chains[-1]
        if not kind:
            verdict = struct.unpack_from("=i", value)[0]  # or the offset of a chain
            if verdict < 0:
                entry.verdict = verdict
            elif verdict != offset + length:  # a jump to the next rule stands for a rule without a target
                jumps.append((entry, verdict))
        chain.rules.append(entry)
        closed = offset in policies if chain.hook >= 0 else False
        offset, number = offset + length, number + 1
    for entry, target in jumps:
        entry.target = places[target]
    return Table(variant, name, hooks, chains, end, number + 1)


def _target(data: bytes, start: int) -> tuple[str, bytes]:
    """The name and data of a rule's target. The name is empty for a verdict or a jump."""
    header = data[start : start + _HEADER]
    return header[_NAME].split(b"\0")[0].decode(errors="replace"), data[start + _HEADER :]


def matches(variant: Variant, entry: Entry) -> list[xtables.Extension]:
    """The matches of a rule."""
    target_at = struct.unpack_from("=H", entry.data, variant.offsets)[0]
    found, offset = [], variant.size
    while offset < target_at:
        length = struct.unpack_from("=H", entry.data, offset)[0]
        header = entry.data[offset : offset + _HEADER]
        name = header[_NAME].split(b"\0")[0].decode(errors="replace")
        found.append((name, header[31], entry.data[offset + _HEADER : offset + length]))
        offset += length
    return found


def link_names(variant: Variant, entry: Entry) -> tuple[str, str]:
    """The incoming and the outgoing link of a rule's packets. Empty for any."""
    at = variant.links
    return tuple(  # type: ignore[return-value]
        entry.data[start : start + 16].split(b"\0")[0].decode(errors="replace") for start in (at, at + 16)
    )


# ---- judge


def _judged(table: Table) -> judge.Table:
    command = table.variant.command
    insert = command + ("" if table.name == "filter" else " -t " + table.name) + " -I"
    found = judge.Table("{0}, table {1}".format(command, table.name), (table.variant.version,), insert)
    for chain in table.chains:
        made = judge.Chain(chain.name, [_rule(table.variant, entry) for entry in chain.rules])
        if chain.hook >= 0:
            made.hook = _JUDGED.get(chain.hook, "")
            made.policy = made.rules.pop().verdict
        found.chains[chain.name] = made
    return found


def _rule(variant: Variant, entry: Entry) -> judge.Rule:
    extensions = matches(variant, entry)
    comment = next((text for text in map(xtables.comment_of, extensions) if text), "")
    conditions = (*_conditions(variant, entry.data), *map(xtables.condition, extensions))
    if entry.target:
        comes_back = not entry.data[variant.flags] & variant.goto
        return judge.Rule(conditions, target=entry.target, comes_back=comes_back, comment=comment)
    if entry.verdict is not None:
        return judge.Rule(conditions, _VERDICTS.get(entry.verdict, judge.UNKNOWN_VERDICT), comment=comment)
    name = _target(entry.data, struct.unpack_from("=H", entry.data, variant.offsets)[0])[0]
    return judge.Rule(conditions, xtables.verdict(name) if name else "", comment=comment)


def _conditions(variant: Variant, data: bytes) -> list[Condition]:
    """The conditions of an entry without its matches: addresses, links, protocol."""
    inverted, width = data[variant.flags + 1], variant.address
    source, destination, source_mask, destination_mask = (data[at * width : (at + 1) * width] for at in range(4))
    at = variant.links
    iif, oif, iif_mask, oif_mask = (data[start : start + 16] for start in range(at, at + 64, 16))
    found = [
        _under_mask(name, value, mask, bool(inverted & flag))
        for name, value, mask, flag in (
            (judge.SOURCE, source, source_mask, _INVERT_SOURCE),
            (judge.DESTINATION, destination, destination_mask, _INVERT_DESTINATION),
            (judge.IIFNAME, iif, iif_mask, _INVERT_IIF),
            (judge.OIFNAME, oif, oif_mask, _INVERT_OIF),
        )
        if any(mask) or inverted & flag
    ]
    if struct.unpack_from("=H", data, variant.protocol)[0]:
        found.append(lambda flow: Answer.SOME)
    return found


def _under_mask(name: str, value: bytes, mask: bytes, inverted: bool) -> Condition:
    """The condition that a property has this value in the bits of the mask."""
    number = int.from_bytes(mask, "big")
    rest = (1 << 8 * len(mask)) - 1 - number
    high = (int.from_bytes(value, "big") | rest).to_bytes(len(mask), "big")
    is_prefix = not rest & (rest + 1)

    def holds(flow: Flow) -> Answer:
        answer = judge.within(flow.values(name), (value, high)) if is_prefix else Answer.SOME
        return answer.inverted() if inverted else answer

    return holds


# ---- change


def entry(variant: Variant, iif: str, oif: str, extensions: list[xtables.Extension], verdict: int = _ACCEPT) -> Entry:
    """A rule for packets from one link to another, with matches and a verdict."""
    data = bytearray(variant.size)
    for at, name in ((variant.links, iif), (variant.links + 16, oif)):
        value = name.encode()
        data[at : at + len(value)] = value
        data[at + 32 : at + 32 + len(value) + 1] = b"\xff" * (len(value) + 1)
    for name, revision, value in extensions:
        padded = value.ljust(-(-len(value) // 8) * 8, b"\0")
        data += struct.pack("=H29sB", _HEADER + len(padded), name.encode(), revision) + padded
    target_at = len(data)
    data += struct.pack("=H29sBi4x", _HEADER + 8, b"", 0, verdict)
    struct.pack_into("=HH", data, variant.offsets, target_at, len(data))
    return Entry(bytes(data), verdict)


@contextlib.contextmanager
def locked() -> t.Iterator[None]:
    """Hold the lock of iptables(8) during the body. OSError if another process holds it for a minute."""
    lock = os.open(LOCK, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    deadline = time.monotonic() + _PATIENCE
    try:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as exc:
                if time.monotonic() >= deadline:
                    text = "another process has held {0} for more than {1} seconds".format(LOCK, _PATIENCE)
                    raise OSError(errno.EAGAIN, text) from exc
                time.sleep(0.02)
        yield
    finally:
        os.close(lock)


def edit(variant: Variant, name: str, change: t.Callable[[Table], None]) -> None:
    """Change a table in one step. Rules that stay keep their counters. OSError if the kernel refuses."""
    with locked():
        for attempt in range(_TRIES):
            table = read(variant, name)
            change(table)
            try:
                _write(table)
                return
            except OSError as exc:  # EAGAIN: a process that does not lock changed the table in between
                if exc.errno != errno.EAGAIN or attempt == _TRIES - 1:
                    raise


def is_empty(table: Table) -> bool:
    """Whether a table has only its built-in chains, without rules and with the policy ACCEPT."""
    return all(chain.hook >= 0 and [rule.verdict for rule in chain.rules] == [_ACCEPT] for chain in table.chains)


def clear(table: Table) -> None:
    """Leave only the built-in chains in a table, without rules and with the policy ACCEPT."""
    table.chains = [chain for chain in table.chains if chain.hook >= 0]
    for chain in table.chains:
        policy = chain.rules[-1]
        data = bytearray(policy.data)
        target_at = struct.unpack_from("=H", data, table.variant.offsets)[0]
        struct.pack_into("=i", data, target_at + _HEADER, _ACCEPT)
        chain.rules = [Entry(bytes(data), _ACCEPT, was=policy.was)]


@dataclasses.dataclass(eq=False)
class ClearTable(Operation):
    """Remove all rules and chains from a table."""

    variant: Variant
    name: str

    def carry_out(self, context: Context) -> None:
        """See the base class."""
        with context.sockets.finder.inside(self.netns):
            edit(self.variant, self.name, clear)


def _write(table: Table) -> None:
    variant = table.variant
    rows: list[Entry] = []
    starts, ends = [0] * _HOOKS, [0] * _HOOKS
    places: dict[str, int] = {}
    offset = 0
    for chain in table.chains:
        if chain.head:
            rows.append(chain.head)
            offset += len(chain.head.data)
        places[chain.name] = offset
        if chain.hook >= 0:
            starts[chain.hook] = offset
        for rule in chain.rules:
            if chain.hook >= 0:
                ends[chain.hook] = offset
            rows.append(rule)
            offset += len(rule.data)
    rows.append(table.end)
    data = bytearray()
    for row in rows:
        packed = bytearray(row.data)
        target_at = struct.unpack_from("=H", packed, variant.offsets)[0]
        if row.target:
            struct.pack_into("=i", packed, target_at + _HEADER, places[row.target])
        elif row.verdict is None and not any(packed[target_at + 2 : target_at + 31]):  # a rule without a target
            struct.pack_into("=i", packed, target_at + _HEADER, len(data) + len(packed))
        data += packed
    key = table.name.encode().ljust(32, b"\0")
    # The kernel returns the counters of the old rules here. The rules that stay get them back.
    counters = ctypes.create_string_buffer(_COUNTER * table.entries)
    head = struct.pack("=32sIII5I5II", key, table.hooks, len(rows), len(data), *starts, *ends, table.entries)
    head += bytes(-len(head) % struct.calcsize("P")) + struct.pack("P", ctypes.addressof(counters))
    with _raw(variant) as raw:
        raw.setsockopt(variant.level, _SET_REPLACE, head + bytes(data))
        counted = b"".join(
            counters.raw[row.was * _COUNTER : (row.was + 1) * _COUNTER] if row.was >= 0 else bytes(_COUNTER)
            for row in rows
        )
        raw.setsockopt(variant.level, _SET_COUNTERS, struct.pack("=32sI4x", key, len(rows)) + counted)


def _getsockopt(raw: socket.socket, level: int, option: int, request: bytes) -> bytes:
    """getsockopt(2) with a buffer that contains the request, which Python's own function cannot pass."""
    buffer = ctypes.create_string_buffer(request, len(request))
    length = ctypes.c_uint32(len(request))
    if _libc.getsockopt(raw.fileno(), level, option, buffer, ctypes.byref(length)):
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), "iptables")
    return buffer.raw
