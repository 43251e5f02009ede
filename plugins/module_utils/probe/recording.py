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
    """Something that can be waited for."""

    def fileno(self) -> int:
        """Its descriptor."""


class Source(t.Protocol):
    """Where records come from. It listens from the moment that it is made, and LabError says why it cannot."""

    def sockets(self) -> t.Sequence[Socket]:
        """What to wait for."""

    def receive(self, ready: t.Any, until: float) -> t.Iterator[Record]:
        """What waits in one of the sockets; nothing that came much later than *until*, in seconds since 1970."""

    def dropped(self) -> int:
        """How many records the kernel has dropped since the last call, because nobody came to fetch them."""

    def close(self) -> None:
        """Listen no longer."""


Keep = t.Callable[[Record], str]


def limited(records: list[Record], most: int) -> Keep:
    """What keeps records in a list until they would be more than so many bytes of JSON."""
    size = 0

    def keep(made: Record) -> str:
        nonlocal size
        size += len(json.dumps(made)) + 1
        if size > most:
            return "max_bytes"
        records.append(made)
        return ""

    return keep


def record(source: Source, keep: Keep, duration: float, count: int, stop: Socket | None = None) -> Record:
    """Hand every record to *keep* until *duration* seconds are over, *count* are kept, or *stop* can be read.

    What had arrived by then is kept too. Then the source is closed.

    :param keep: returns why it has no room for a record; empty where it has kept it.
    :param count: 0 for any number.
    :returns: `ended`, which is `duration`, `count`, `stopped` or why there was no room, and `dropped`.
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
                for made in source.receive(socket, now):
                    full = full or ("count" if count and kept == count else keep(made))
                    if full:
                        break
                    kept += 1
            full = full or ("count" if count and kept == count else "")
            ended = full or ended
    dropped = source.dropped()
    source.close()
    return {"ended": ended, "dropped": dropped}
