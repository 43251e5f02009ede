# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The main loop of recorders: it waits, keeps what arrives, and ends in time.

The recorded items come from a :class:`Source`. Each is a dict that can be written as JSON.
"""

from __future__ import annotations

import json
import selectors
import time
import typing as t

Record = dict[str, t.Any]


class Socket(t.Protocol):
    """An object with a descriptor that a selector can wait for."""

    def fileno(self) -> int:
        """The descriptor."""


class Source(t.Protocol):
    """A source of records. It listens from its creation on. Its creation raises LabError if it cannot listen."""

    def sockets(self) -> t.Sequence[Socket]:
        """The sockets to wait for."""

    def receive(self, ready: t.Any, until: float) -> t.Iterator[Record]:
        """The records that wait in one of the sockets, except those that arrived much later than *until*.

        :param until: in seconds since 1970.
        """

    def dropped(self) -> int:
        """How many records the kernel has dropped since the last call, because its buffer was full."""

    def close(self) -> None:
        """Stop listening."""


Keep = t.Callable[[Record], str]


def limited(records: list[Record], most: int) -> Keep:
    """A function that adds records to a list, up to *most* bytes of JSON."""
    size = 0

    def keep(item: Record) -> str:
        nonlocal size
        size += len(json.dumps(item)) + 1
        if size > most:
            return "max_bytes"
        records.append(item)
        return ""

    return keep


def record(source: Source, keep: Keep, duration: float, count: int, stop: Socket | None = None) -> Record:
    """Pass every record to *keep* until *duration* seconds are over, *count* are kept, or *stop* is readable.

    Records that have arrived by then are kept as well. Then the source is closed.

    :param keep: a function that returns why it has no room for a record; empty if it has kept the record.
    :param count: 0 for any number.
    :returns: a dict of `ended`, which is "duration", "count", "stopped" or the result of *keep*, and `dropped`.
    """
    deadline = time.monotonic() + duration
    kept = 0
    ended = full = ""
    with selectors.DefaultSelector() as selector:
        for socket in [*source.sockets(), *([] if stop is None else [stop])]:
            selector.register(socket, selectors.EVENT_READ)
        while not ended:
            ready = [key.fileobj for key, dummy in selector.select(max(0.0, deadline - time.monotonic()))]
            if stop in ready:
                ended = "stopped"
            elif time.monotonic() >= deadline:
                ended = "duration"
            now = time.time()
            for socket in source.sockets() if ended else t.cast("list[Socket]", ready):
                for item in source.receive(socket, now):
                    full = full or ("count" if count and kept == count else keep(item))
                    if full:
                        break
                    kept += 1
            full = full or ("count" if count and kept == count else "")
            ended = full or ended
    dropped = source.dropped()
    source.close()
    return {"ended": ended, "dropped": dropped}
