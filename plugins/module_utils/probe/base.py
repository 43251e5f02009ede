# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A running check, independent of its protocol: it sends requests until it can decide on the result."""

from __future__ import annotations

import errno
import socket
import time
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils.probe import reasons
from ansible_collections.linuxnet.lab.plugins.module_utils.probe.checks import Check

# A single error may come from a network that is still coming up.
_REFUSALS_THAT_DECIDE = 2


class Outcome(t.NamedTuple):
    """The result of a check.

    :ivar got: "reachable" or "unreachable". :ivar reason: a word such as "reply", "no_route" or "no_reply".
    :ivar errno: the name of the error with which the sender's own kernel refused to send; empty for none.
    :ivar by: the address that replied or sent an ICMP error. :ivar rtt_ms: the fastest round trip in milliseconds; None
        without a reply.
    :ivar sent: the number of requests. :ivar received: the number of answered requests.
    :ivar ok: whether the result is as expected. :ivar extra: additional results of some protocols.
    """

    got: str
    reason: str
    errno: str
    by: str
    rtt_ms: float | None
    sent: int
    received: int
    ok: bool
    extra: dict[str, t.Any]


class Probe:
    """A running check. The subclasses of the protocols send its requests.

    :cvar blind: whether the kernel does not report a full neighbour table.
    """

    blind = False

    def __init__(self, check: Check) -> None:
        self.check = check
        self.decided = False
        self._deadline: float | None = None
        self._sent_at: dict[int, float] = {}
        self._sent = 0
        self._trips: dict[int, float] = {}
        self._reason = reasons.NO_REPLY
        self._errno = ""
        self._by = ""
        self._mtu = 0
        self._sysctl = ""
        self._refusals = 0

    @property
    def crowded(self) -> bool:
        """Whether the kernel had no room for the neighbour or the packet at the last request."""
        return not self.decided and self._errno == errno.errorcode[errno.ENOBUFS]

    @property
    def waiting(self) -> bool:
        """Whether it has sent a request that may still get an answer."""
        return self._sent > 0 and not self.decided

    def step(self, now: float) -> float:
        """Send another request, or give up when the time is over. Return the time of the next step."""
        if self._deadline is None:
            self._deadline = now + self.check.timeout
        if now >= self._deadline:
            self.decided = True
        else:
            self.ask()
        return min(now + self.check.interval, self._deadline)

    @property
    def silent(self) -> bool:
        """Whether it has sent requests over IPv6 without an answer. Then addresses may still be tentative."""
        return self._deadline is not None and self.check.family == socket.AF_INET6 and not self._trips

    def postpone(self, now: float) -> None:
        """Restart its time now."""
        self._deadline = now + self.check.timeout

    @property
    def unexplained(self) -> bool:
        """Whether it is silent for a reason that the state of an address may explain."""
        return self.silent and self._reason in (reasons.NO_REPLY, reasons.HOST_UNREACHABLE, "no_source_address")

    @property
    def unrefused(self) -> bool:
        """Whether it expects an ICMP error, and nothing at all has come."""
        return self.check.expect in reasons.BY_ICMP and self._reason == reasons.NO_REPLY

    @property
    def starved(self) -> bool:
        """Whether nothing has come, perhaps because a neighbour table on the way was full."""
        no_room = self._errno == errno.errorcode[errno.ENOBUFS]
        return not self._trips and (no_room or self._reason == reasons.NO_REPLY)

    def start_over(self) -> None:
        """Reset the errors of requests and the time. Answers to earlier requests still count."""
        self.decided, self._deadline = False, None
        self._reason, self._errno, self._refusals = reasons.NO_REPLY, "", 0

    def reopen(self) -> None:
        """Accept errors and answers again, although the time is over. The first expected one decides."""
        self.decided = False
        self._refusals = _REFUSALS_THAT_DECIDE - 1

    def ask_again(self) -> None:
        """Send another request, and close the connection of an earlier one."""
        self.close()
        self.ask()

    @property
    def refusal(self) -> str:
        """The name of the error with which the sender's own kernel refused to send. Empty without one."""
        return self._errno

    def explain(self, reason: str, sysctl: str = "") -> None:
        """Set the reason unless it is empty, and the sysctl that causes it."""
        self._reason = reason or self._reason
        self._sysctl = sysctl

    def ask(self) -> None:
        """Send a request, and record it."""
        sequence = (self._sent + 1) & 0xFFFF
        at = time.monotonic()
        try:
            self.transmit(sequence)
        except OSError as exc:
            self.refused_locally(exc)
            return
        self._sent += 1
        self._sent_at[sequence] = at
        if self._errno:  # the sender's own kernel no longer refuses, so its earlier error is no longer the reason
            self._reason, self._errno, self._refusals = reasons.NO_REPLY, "", 0

    def transmit(self, sequence: int) -> None:
        """Send the request with this number. OSError if the sender's own kernel refuses it."""
        raise NotImplementedError

    def asked(self, sequence: int) -> bool:
        """Whether an answer to the request with this number still matters."""
        return sequence in self._sent_at and not self.decided

    @property
    def latest(self) -> int:
        """The number of the last request, 0 for none."""
        return self._sent & 0xFFFF

    def answered(self, sequence: int, at: float, by: str) -> None:
        """Record the answer to a request."""
        self._trips.setdefault(sequence, max(0.0, at - self._sent_at[sequence]))
        self._reason, self._errno, self._by = "reply", "", by
        self.decided = self.check.expect != reasons.REACHABLE or self.complete

    @property
    def complete(self) -> bool:
        """Whether enough requests have got an answer."""
        return len(self._trips) >= self.check.count

    def refused_locally(self, exc: OSError) -> None:
        """Record an error with which the sender's own kernel refused to send."""
        number = exc.errno or 0
        reason = reasons.LOCAL.get(number, reasons.SEND_FAILED)
        self.refused(reason, errno.errorcode.get(number, str(exc)))

    def refused(self, reason: str, name: str = "", by: str = "", mtu: int = 0) -> None:
        """Record an error. It decides only a check that expects it, because others may still get an answer."""
        if self._trips:
            return
        self._reason, self._errno, self._by, self._mtu = reason, name, by, mtu
        passing = reason in reasons.PASSING and not (reason == "packet_too_big" and self.check.df)
        if self.check.expect == reason or (self.check.expect == reasons.UNREACHABLE and not passing):
            self._refusals += 1
            self.decided = self._refusals >= _REFUSALS_THAT_DECIDE

    def outcome(self) -> Outcome:
        """The result of a decided check."""
        received = len(self._trips)
        expect, reason = self.check.expect, self._reason
        got = reasons.REACHABLE if received else reasons.UNREACHABLE
        ok = expect in (got, reason)
        if expect == reasons.REACHABLE and received and not self.complete:
            reason, ok = "too_few_replies", False
        no_source = self._errno == errno.errorcode[errno.EADDRNOTAVAIL]
        if reason in (reasons.SEND_FAILED, reasons.TABLE_FULL) or (no_source and self.check.src and expect != reason):
            ok = False  # no packet was sent: a wrong `src`, for example, does not prove that the target is unreachable
        rtt = round(min(self._trips.values()) * 1000, 3) if received else None
        extra = {**self.extra(), **({"sysctl": self._sysctl} if self._sysctl else {})}
        return Outcome(got, reason, self._errno, self._by, rtt, self._sent, received, ok, extra)

    def extra(self) -> dict[str, t.Any]:
        """Additional results of this protocol."""
        return {"mtu": self._mtu} if self._mtu else {}

    def close(self) -> None:
        """Close the resources of this probe."""
