# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The main loop of recorders, with bytes in a pipe as records."""

from __future__ import annotations

import socket
import typing as t

import pytest

from ansible_collections.linuxnet.lab.plugins.module_utils.probe.recording import Record, limited, record


class Bytes:
    """A source. Each byte that waits in a socket is a record."""

    def __init__(self) -> None:
        self.here, self.there = socket.socketpair()
        self.here.setblocking(False)
        self.closed = False

    def sockets(self) -> list[socket.socket]:
        return [self.here]

    def receive(self, ready: socket.socket, until: float) -> t.Iterator[Record]:
        while True:
            try:
                yield {"byte": ready.recv(1).decode()}
            except BlockingIOError:
                return

    def dropped(self) -> int:
        assert not self.closed
        return 7

    def close(self) -> None:
        self.closed = True
        self.here.close()
        self.there.close()


def run(waiting: bytes, duration: float, count: int = 0, stopped: bool = False) -> tuple[str, Record]:
    """The kept records of bytes that wait at the start, and how the recording ended."""
    source, kept = Bytes(), []
    source.there.send(waiting)
    stop, signal = socket.socketpair()
    with stop, signal:
        if stopped:
            signal.send(b"!")
        end = record(source, kept.append, duration, count, stop)
    assert source.closed
    return "".join(one["byte"] for one in kept), end


def test_what_waits_when_it_is_stopped_is_kept() -> None:
    assert run(b"abc", 60, stopped=True) == ("abc", {"ended": "stopped", "dropped": 7})


def test_what_waits_when_the_time_is_over_is_kept() -> None:
    assert run(b"abc", 0) == ("abc", {"ended": "duration", "dropped": 7})


@pytest.mark.parametrize("stopped", [False, True])
def test_no_more_than_the_count_is_kept(stopped: bool) -> None:
    assert run(b"abc", 60, 2, stopped) == ("ab", {"ended": "count", "dropped": 7})


def test_a_count_that_is_not_reached_ends_nothing() -> None:
    assert run(b"abc", 0.1, 4) == ("abc", {"ended": "duration", "dropped": 7})


def test_what_has_no_room_ends_it_and_says_so() -> None:
    """A byte is a record of 14 bytes of JSON, including the newline."""
    source, kept = Bytes(), []
    source.there.send(b"abcd")
    stop, signal = socket.socketpair()
    with stop, signal:
        signal.send(b"!")
        end = record(source, limited(kept, 2 * 14), 60, 0, stop)
    assert [one["byte"] for one in kept] == ["a", "b"] and end == {"ended": "max_bytes", "dropped": 7}
