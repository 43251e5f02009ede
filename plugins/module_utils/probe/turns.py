# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Repeats checks that expect an ICMP error and got nothing, one request at a time for each sender.

A kernel limits the ICMP errors that it sends to one address. An error costs a token; the address gets a new token every
second and keeps at most six (`inet_peer_xrlim_allow()`, sysctl net.ipv4.icmp_ratelimit). A packet that the routes of an
IPv4 router refuse costs a second token, even if no error follows (`ip_error()`, sysctl net.ipv4.route.error_cost). A
sender that asks more often than every two seconds therefore never gets such an error. Sources: net/ipv4/inetpeer.c,
net/ipv4/route.c, net/ipv4/icmp.c, net/ipv6/icmp.c.
"""

from __future__ import annotations

import heapq
import selectors
import time
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils.probe import reasons
from ansible_collections.linuxnet.lab.plugins.module_utils.probe.base import Probe

# Seconds between two requests of one sender. After the first interval, there is one token, enough for most errors.
# After the second, there are two tokens, which an error of a route costs.
_ONE_TOKEN, _TWO_TOKENS = 1.05, 2.05
# Seconds to wait for an error that a kernel sends immediately.
_ANSWER = 0.9
# Seconds until a kernel has found that no host has an address, and has sent the error.
_NOBODY = 3.5
# Seconds between two requests to hosts that may not exist. A kernel sends at most 50 errors at once
# (net.ipv4.icmp_msgs_burst), including errors to itself.
_APART = 0.02
# If that many checks of a sender got nothing again, the others are not repeated. The rate limit is not the cause then.
MOST_SILENT = 20
# Seconds after which nothing more is sent.
LONGEST = 600.0


class _Sender:
    """The checks of one sender that are repeated.

    :ivar left: the checks that wait for their turn; the next one is the last.
    """

    def __init__(self, probes: list[Probe]) -> None:
        self.left = probes[::-1]
        self._asked: list[Probe] = []
        self._late = any(probe.check.expect == reasons.HOST_UNREACHABLE for probe in probes)
        self._interval = _TWO_TOKENS if self._late else _ONE_TOKEN
        self._hasty = False
        self._pause = 0.0

    @property
    def finished(self) -> bool:
        """Whether no check waits for its turn or for an error."""
        return not self.left and not any(probe.unrefused for probe in self._asked)

    def step(self, now: float) -> float | None:
        """Send the next request, if any is left.

        :returns: the time of the next step; None for no next step.
        """
        if self._pause:
            if not self._late:
                self._asked[-1].close()  # otherwise the kernel would repeat the connection's request, and use a token
            later, self._pause = now + self._pause, 0.0
            return later
        if self._hasty and self._asked[-1].unrefused:  # perhaps an error of a route used the only token
            self.left.append(self._asked.pop())
            self._interval, self._hasty = _TWO_TOKENS, False
            return now + _TWO_TOKENS - _ONE_TOKEN
        self._hasty = bool(self._asked) and self._interval == _ONE_TOKEN
        while self.left and not self.left[-1].unrefused:  # its error has arrived late
            self.left.pop()
        if not self.left or sum(probe.unrefused for probe in self._asked) >= MOST_SILENT:
            return None
        self._asked.append(self.left.pop())
        self._asked[-1].ask_again()
        self._pause = (self._interval if self.left or not self._late else _NOBODY) - _ANSWER
        return now + _ANSWER


def take(probes: t.Collection[Probe], selector: selectors.BaseSelector) -> int:
    """Repeat the checks that expect an ICMP error and got nothing.

    The first request is sent when every sender has been silent long enough to have tokens for an error of a route.

    :returns: how many checks had no turn.
    """
    for probe in probes:
        probe.close()  # a connection that is still being opened uses tokens as well
        if probe.unrefused:
            probe.reopen()
    _ask_for_hosts([probe for probe in probes if probe.unrefused], selector)
    senders: dict[tuple[str, int], list[Probe]] = {}
    for probe in probes:
        if probe.unrefused:
            senders.setdefault((probe.check.netns, probe.check.family), []).append(probe)
    start = time.monotonic()
    waiting = [_Sender(members) for members in senders.values()]
    due = [(start + _TWO_TOKENS, number) for number in range(len(waiting))]
    while due and not all(sender.finished for sender in waiting):
        for key, _dummy in selector.select(max(0.0, due[0][0] - time.monotonic())):
            key.data()
        now = time.monotonic()
        if now > start + LONGEST:
            break
        while due and due[0][0] <= now:
            number = heapq.heappop(due)[1]
            later = waiting[number].step(now)
            if later is not None:
                heapq.heappush(due, (later, number))
    return sum(probe.unrefused for sender in waiting for probe in sender.left)


def _ask_for_hosts(probes: list[Probe], selector: selectors.BaseSelector) -> None:
    """Repeat the checks that expect `host_unreachable`.

    If the sender's own kernel finds that a host does not exist, it limits only the number of errors at once.
    All requests that wait for one host fail at the same time. So first wait until the earlier requests have failed.
    """
    hosts = [probe for probe in probes if probe.check.expect == reasons.HOST_UNREACHABLE]
    _listen(hosts, selector, _NOBODY)
    for probe in hosts:
        if probe.unrefused:
            probe.ask_again()
            _listen([probe], selector, _APART)
    _listen(hosts, selector, _NOBODY)


def _listen(probes: list[Probe], selector: selectors.BaseSelector, seconds: float) -> None:
    """Receive answers and errors for some time, or until none of these probes lacks one."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and any(probe.unrefused for probe in probes):
        for key, _dummy in selector.select(max(0.0, end - time.monotonic())):
            key.data()
