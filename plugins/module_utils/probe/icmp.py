# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ICMP echo probes: many at once, from inside network namespaces, in one process and one event loop.

Sources: RFC 792, RFC 4443, raw(7), ip(7).
"""

from __future__ import annotations

import contextlib
import errno
import heapq
import os
import resource
import selectors
import time
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils.errors import LabError
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import namespaces
from ansible_collections.linuxnet.lab.plugins.module_utils.probe import packet
from ansible_collections.linuxnet.lab.plugins.module_utils.probe.checks import REACHABLE, UNREACHABLE, Check
from ansible_collections.linuxnet.lab.plugins.module_utils.probe.endpoint import Endpoint, Heard

_LOCAL_REASONS = {
    errno.ENETUNREACH: "no_route",
    errno.EHOSTUNREACH: "host_unreachable",
    errno.EACCES: "not_permitted",
    errno.EPERM: "not_permitted",
    errno.EINVAL: "blackhole",
    errno.EADDRNOTAVAIL: "no_source_address",
}

# These pass by themselves (an address under duplicate address detection, a full queue, a path MTU now known)
# and prove nothing about the target.
_PASSING = ("no_source_address", "packet_too_big", "send_failed")

# One refusal may be a network that is still coming up.
_REFUSALS_THAT_DECIDE = 2

# How many requests are sent before replies are looked at again.
_BURST = 64


class Outcome(t.NamedTuple):
    """What came of a check.

    `got` is reachable or unreachable; `reason` a word such as reply, no_route, no_reply; `errno` the name of
    the error with which the sender's own kernel refused, empty where it did not; `by` the address that sent
    an ICMP error, or that replied; `rtt_ms` the fastest round trip in milliseconds, None without a reply;
    `sent` and `received` count requests and the answered ones among them; `ok` says whether it is as
    expected.
    """

    got: str
    reason: str
    errno: str
    by: str
    rtt_ms: float | None
    sent: int
    received: int
    ok: bool


class _Probe:
    """One check while it runs."""

    def __init__(self, check: Check, endpoint: Endpoint, ident: int, token: bytes) -> None:
        self.check = check
        self.endpoint = endpoint
        self.decided = False
        self._ident = ident
        self._token = token
        self._deadline: float | None = None
        self._sent_at: dict[int, float] = {}
        self._sent = 0
        self._trips: dict[int, float] = {}
        self._reason = "no_reply"
        self._errno = ""
        self._by = ""
        self._refusals = 0

    def step(self, now: float) -> float:
        """Send once more, or give up when the time is over. Returns when the next step is due."""
        if self._deadline is None:
            self._deadline = now + self.check.timeout
        if now >= self._deadline:
            self.decided = True
        else:
            self._send()
        return min(now + self.check.interval, self._deadline)

    def _send(self) -> None:
        sequence = (self._sent + 1) & 0xFFFF
        request = packet.echo_request(self.check.family, self._ident, sequence, self._token)
        at = time.monotonic()
        try:
            self.endpoint.send(self.check.address, request)
        except OSError as exc:
            self._refused(
                _LOCAL_REASONS.get(exc.errno or 0, "send_failed"),
                errno.errorcode.get(exc.errno or 0, str(exc)),
                "",
            )
            return
        self._sent += 1
        self._sent_at[sequence] = at
        if self._errno:  # the sender's own kernel refuses no longer, so what it said is no longer the reason
            self._reason, self._errno, self._refusals = "no_reply", "", 0

    def hear(self, heard: Heard, endpoint: Endpoint) -> None:
        """Take a reply or an error that carries this probe's identifier, if it really is this probe's."""
        sequence, check = heard.echo.sequence, self.check
        if endpoint is not self.endpoint or sequence not in self._sent_at or self.decided:
            return
        if heard.error is not None:
            # A quotation may be cut short.
            if heard.address == check.address and self._token.startswith(heard.echo.payload[: len(self._token)]):
                self._refused(packet.reason(heard.error), "", heard.error.by)
        elif heard.echo.payload == self._token and (check.multicast or heard.address == check.address):
            self._trips.setdefault(sequence, max(0.0, heard.at - self._sent_at[sequence]))
            self._reason, self._errno, self._by = "reply", "", heard.address
            self.decided = check.expect == UNREACHABLE or len(self._trips) >= check.count

    def _refused(self, reason: str, name: str, by: str) -> None:
        """Remember a refusal. It decides only a check that expects one: others may still be answered."""
        if self._trips:
            return
        self._reason, self._errno, self._by = reason, name, by
        if reason not in _PASSING:
            self._refusals += 1
        self.decided = self.check.expect == UNREACHABLE and self._refusals >= _REFUSALS_THAT_DECIDE

    def outcome(self) -> Outcome:
        """What came of it, once it is decided."""
        received = len(self._trips)
        got = REACHABLE if received else UNREACHABLE
        reason = self._reason
        ok = got == self.check.expect
        if got == self.check.expect == REACHABLE and received < self.check.count:
            reason, ok = "too_few_replies", False
        if reason == "send_failed" or (reason == "no_source_address" and self.check.src):
            ok = False  # what was asked was not tried: a wrong `src` must not pass for an unreachable target
        rtt = round(min(self._trips.values()) * 1000, 3) if received else None
        return Outcome(got, reason, self._errno, self._by, rtt, self._sent, received, ok)


def run(checks: list[Check], problems: list[str] | None = None) -> list[Outcome]:
    """Make the checks, all at the same time.

    Each sends a request every `interval` until `count` were answered, which is `reachable`, or `timeout` is
    over, which is not. One that expects to fail also ends at the first answer, or when it is refused twice:
    by an ICMP error, or by the sender's own kernel.

    :param problems: what is already known to be wrong with other checks; reported together with what is found
        here.
    :returns: the outcomes in the order of the checks.
    :raises LabError: with `problems`, unknown namespaces and devices; nothing has been sent then.
    """
    with contextlib.ExitStack() as stack:
        endpoints, found = _open(checks, stack)
        errors = (problems or []) + found
        if errors:
            raise LabError(errors)
        first = int.from_bytes(os.urandom(2), "big")
        token = os.urandom(56)
        # By identifier, as the replies name them; a run has fewer checks than there are identifiers.
        probes = {
            (first + number) & 0xFFFF: _Probe(check, endpoints[_key(check)], (first + number) & 0xFFFF, token)
            for number, check in enumerate(checks)
        }
        _exchange(probes, list(endpoints.values()))
        return [probe.outcome() for probe in probes.values()]


_Key = tuple[str, int, str, str, str]


def _key(check: Check) -> _Key:
    """The checks with the same key share a socket."""
    return check.netns, check.family, check.src, check.dev, check.zone


def _open(checks: list[Check], stack: contextlib.ExitStack) -> tuple[dict[_Key, Endpoint], list[str]]:
    """A socket for each key, which the stack closes, and why checks that have none do not."""
    if len(checks) > 0x10000:
        return {}, [f"checks: {len(checks)} are more than the 65536 that one run can tell apart"]
    by_netns: dict[str, dict[_Key, list[Check]]] = {}
    for check in checks:
        by_netns.setdefault(check.netns, {}).setdefault(_key(check), []).append(check)
    _allow_files(sum(len(keys) for keys in by_netns.values()))
    endpoints: dict[_Key, Endpoint] = {}
    errors: list[str] = []
    for netns, keys in by_netns.items():
        try:
            with namespaces.inside_ref(netns):
                for key, members in keys.items():
                    try:
                        endpoints[key] = Endpoint(*key[1:])
                    except OSError as exc:
                        errors += [_no_socket(check, exc) for check in members]
                    else:
                        stack.callback(endpoints[key].close)
        except OSError as exc:
            why = _no_entry(netns, exc)
            errors += [f"{check.place}from: {why}" for members in keys.values() for check in members]
    return endpoints, errors


def _no_entry(netns: str, exc: OSError) -> str:
    if isinstance(exc, FileNotFoundError):
        return f"there is no network namespace {netns!r}"
    return f"network namespace {netns!r} cannot be entered: {exc.strerror or exc}"


def _no_socket(check: Check, exc: OSError) -> str:
    where = f"namespace {check.netns!r}" if check.netns else "the host"
    if exc.errno == errno.ENODEV:
        option, dev = ("to", check.zone) if check.zone else ("dev", check.dev)
        return f"{check.place}{option}: there is no interface {dev!r} in {where}"
    return f"{check.place}from: no raw socket can be opened in {where}: {exc.strerror or exc}"


def _allow_files(wanted: int) -> None:
    """Let this process open that many sockets, as far as the hard limit goes: the usual soft one is 1024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    enough = wanted + 64
    if soft != resource.RLIM_INFINITY and soft < enough:
        limit = enough if hard == resource.RLIM_INFINITY else min(hard, enough)
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))


def _exchange(probes: dict[int, _Probe], endpoints: list[Endpoint]) -> None:
    """Send, listen and wait until every probe is decided."""
    queue = list(probes.values())
    due = [(0.0, number) for number in range(len(queue))]
    with selectors.DefaultSelector() as selector:
        for endpoint in endpoints:
            selector.register(endpoint, selectors.EVENT_READ)
        while True:
            while due and queue[due[0][1]].decided:
                heapq.heappop(due)
            if not due:
                return
            # Listen before judging: an answer that is already here counts, however late we come to read it.
            for key, _dummy in selector.select(max(0.0, due[0][0] - time.monotonic())):
                _listen(t.cast(Endpoint, key.fileobj), probes)
            now = time.monotonic()
            for _dummy in range(_BURST):
                if not due or due[0][0] > now:
                    break
                number = heapq.heappop(due)[1]
                if not queue[number].decided:
                    heapq.heappush(due, (queue[number].step(now), number))


def _listen(endpoint: Endpoint, probes: dict[int, _Probe]) -> None:
    for heard in endpoint.receive():
        probe = probes.get(heard.echo.ident)
        if probe is not None:
            probe.hear(heard, endpoint)
