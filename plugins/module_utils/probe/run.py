# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run all checks at the same time, from inside network namespaces, in one process and one event loop."""

from __future__ import annotations

import contextlib
import errno
import functools
import heapq
import os
import resource
import selectors
import time
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils.errors import LabError
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import namespaces
from ansible_collections.linuxnet.lab.plugins.module_utils.probe import arp, detection, icmp, reasons, tcp, turns, udp
from ansible_collections.linuxnet.lab.plugins.module_utils.probe.base import Outcome, Probe
from ansible_collections.linuxnet.lab.plugins.module_utils.probe.checks import MOST, Check
from ansible_collections.linuxnet.lab.plugins.module_utils.probe.listener import open_listener
from ansible_collections.linuxnet.lab.plugins.module_utils.probe.neighbor_limit import Watch, clear, make_room

# How many requests to send before reading replies again.
_BURST = 64

# After how many new blind probes to make room in the neighbour table. Each may need two entries: one for its target,
# and one with which its target answers.
_BLIND = 256

_UNASKED = (
    "{0} checks that expect an ICMP error got nothing and were not made again: {1} others of the same sender got "
    "nothing either, or {2:.0f} seconds were over; a kernel sends one address about one error a second "
    "(net.ipv4.icmp_ratelimit)"
)

# If the neighbour table was full: how many checks to repeat at once, at first, and how many seconds to do that.
_AGAIN = 256
_LONGEST = 120.0

_Key = tuple[t.Any, ...]


class Made(t.NamedTuple):
    """The outcomes of a run's checks, in the order of the checks, and warnings."""

    outcomes: list[Outcome]
    warnings: list[str]


def run(checks: list[Check], problems: list[str] | None = None) -> Made:
    """Run the checks, all at the same time. If there are more than :data:`.checks.MOST`, run them in parts.

    Each check sends a request every `interval`, until `count` requests have an answer, or until its `timeout` is over.
    With that many answers, the target is reachable. A check that expects to fail also ends at the first answer, or at
    the second refusal of the expected kind, from the sender's own kernel or by an ICMP error. The `timeout` of a check
    over IPv6 begins when duplicate address detection on this machine is over. A check that expects an ICMP error and
    got nothing sends again when its turn comes (:mod:`.turns`).

    :param problems: errors in other checks, which are reported together with those that this function finds.
    :raises LabError: with *problems*, unknown namespaces and devices, and ports in use. In that case, no check of that
        part has sent anything.
    """
    problems = list(problems or [])
    made = Made([], [])
    for start in range(0, max(len(checks), 1), MOST):
        part = _run(checks[start : start + MOST], problems)
        made.outcomes.extend(part.outcomes)
        made.warnings.extend(warning for warning in part.warnings if warning not in made.warnings)
    return made


def _run(checks: list[Check], problems: list[str]) -> Made:
    """Run the checks of one part, all at the same time."""
    with contextlib.ExitStack() as stack:
        opening = _Opening(stack)
        opening.allow_files(2 * len(checks))
        opening.open_listeners(checks)
        probes = opening.open_probes(checks)
        errors = [*problems, *opening.errors]
        if errors:
            raise LabError(list(dict.fromkeys(errors)))
        queue = [probes[number] for number in range(len(checks))]
        watch = Watch({check.family for check in checks if check.protocol != "arp"})
        _exchange(queue, opening.selector)
        starved = _exchange_in_parts(queue, watch, opening.selector)
        unasked = turns.take(probes.values(), opening.selector)
        unexplained = [probe for probe in probes.values() if probe.unexplained]
        if unexplained:
            states = detection.States()
            for probe in unexplained:
                probe.explain(states.reason(probe.check, probe.refusal))
        for probe in starved:
            probe.explain(reasons.TABLE_FULL, watch.sysctl(probe.check.family))
        outcomes = [probe.outcome() for probe in queue]
        return Made(outcomes, [_UNASKED.format(unasked, turns.MOST_SILENT, turns.LONGEST)] if unasked else [])


class _Opening:
    """Opens the sockets of the checks, each in its namespace. The stack closes them.

    :ivar errors: an error for each check without a socket.
    """

    def __init__(self, stack: contextlib.ExitStack) -> None:
        self.errors: list[str] = []
        self.selector = stack.enter_context(selectors.DefaultSelector())
        self._stack = stack
        self._first = int.from_bytes(os.urandom(2), "big")
        self._token = os.urandom(56)

    @staticmethod
    def allow_files(wanted: int) -> None:
        """Raise the soft limit of open files, which usually is 1024, to that many, but not above the hard limit."""
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        enough = wanted + 64
        if soft != resource.RLIM_INFINITY and soft < enough:
            limit = enough if hard == resource.RLIM_INFINITY else min(hard, enough)
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))

    def open_listeners(self, checks: list[Check]) -> None:
        """Open a listener for each namespace, protocol, family and port with `listen`."""
        wanted: dict[_Key, list[Check]] = {}
        for check in checks:
            if check.listen is not None:
                wanted.setdefault((check.protocol, check.family, check.port), []).append(check)
        for key, members in wanted.items():
            self._enter(members, "listen", functools.partial(self._listen, key))

    def _listen(self, key: _Key, netns: str, numbered: list[tuple[int, Check]]) -> None:
        try:
            self._watch(open_listener(key[0], key[1], key[2], token=self._token))
        except OSError as exc:
            self.errors += [f"{check.place}listen: {_no_listener(check, netns, exc)}" for dummy, check in numbered]

    def open_probes(self, checks: list[Check]) -> dict[int, Probe]:
        """The probes, by the numbers of their checks."""
        probes: dict[int, Probe] = {}
        self._enter(checks, "netns", functools.partial(self._open_probes, probes))
        return probes

    def _open_probes(self, probes: dict[int, Probe], netns: str, numbered: list[tuple[int, Check]]) -> None:
        lines: dict[_Key, t.Any] = {}
        for number, check in numbered:
            key = (check.protocol, check.family, check.src, check.dev, check.zone, check.df)
            try:
                if key not in lines:
                    lines[key] = self._open_line(check)
            except OSError as exc:
                self.errors.append(_no_socket(check, netns, exc))
            else:
                probes[number] = self._probe(number, check, lines[key])
                self._stack.callback(probes[number].close)

    def _enter(self, checks: list[Check], option: str, work: t.Callable[[str, list[tuple[int, Check]]], None]) -> None:
        """Call *work* in each namespace that an option of the checks names, with these checks and their numbers."""
        groups: dict[str, list[tuple[int, Check]]] = {}
        for number, check in enumerate(checks):
            groups.setdefault(getattr(check, option), []).append((number, check))
        for netns, numbered in groups.items():
            try:
                with namespaces.inside_ref(netns):
                    work(netns, numbered)
            except OSError as exc:
                why, name = _no_entry(netns, exc), {"netns": "from"}.get(option, option)
                self.errors += [f"{check.place}{name}: {why}" for dummy, check in numbered]

    def _open_line(self, check: Check) -> t.Any:
        """The socket or dialer that the checks with the same namespace, protocol, source and device share."""
        line: t.Any
        if check.protocol == "tcp":
            line = tcp.Dialer(check.family, check.src, check.dev, check.zone, self.selector)
            self._stack.callback(line.close)
        elif check.protocol == "arp":
            line = self._watch(arp.Endpoint(check.dev))
        else:
            kind = {"icmp": icmp.Endpoint, "udp": udp.Endpoint}[check.protocol]
            line = self._watch(kind(check.family, check.src, check.dev, check.zone, check.df))
        return line

    def _watch(self, line: t.Any) -> t.Any:
        self._stack.callback(line.close)
        self.selector.register(line, selectors.EVENT_READ, line.ready)
        return line

    def _probe(self, number: int, check: Check, line: t.Any) -> Probe:
        if check.protocol == "tcp":
            return tcp.Probe(check, line)
        if check.protocol == "arp":
            return arp.Probe(check, line)
        kind = {"icmp": icmp.Probe, "udp": udp.Probe}[check.protocol]
        return kind(check, line, (self._first + number) & 0xFFFF, self._token)


def _no_entry(netns: str, exc: OSError) -> str:
    if isinstance(exc, FileNotFoundError):
        return f"there is no network namespace {netns!r}"
    return f"network namespace {netns!r} cannot be entered: {exc.strerror or exc}"


def _where(netns: str) -> str:
    return f"namespace {netns!r}" if netns else "the host"


def _no_socket(check: Check, netns: str, exc: OSError) -> str:
    where = _where(netns)
    if exc.errno == errno.ENODEV:
        option, dev = ("to", check.zone) if check.zone else ("dev", check.dev)
        return f"{check.place}{option}: there is no interface {dev!r} in {where}"
    return f"{check.place}from: no socket can be opened in {where}: {exc.strerror or exc}"


def _no_listener(check: Check, netns: str, exc: OSError) -> str:
    where = _where(netns)
    if exc.errno == errno.EADDRINUSE:
        return f"port {check.port} is in use in {where}; without listen, the check uses the program that listens there"
    return f"nothing can listen at port {check.port} in {where}: {exc.strerror or exc}"


def _exchange(queue: list[Probe], selector: selectors.BaseSelector) -> None:
    """Send requests and receive answers until every probe is decided."""
    due = [(0.0, number) for number in range(len(queue))]
    blind = 0
    detecting = detection.Detection()
    while True:
        while due and queue[due[0][1]].decided:
            heapq.heappop(due)
        if not due:
            return
        # Receive before deciding: an answer that has arrived counts, even if this process reads it late.
        for key, _dummy in selector.select(max(0.0, due[0][0] - time.monotonic())):
            key.data()
        now = time.monotonic()
        crowded = []
        for _dummy in range(_BURST):
            if not due or due[0][0] > now:
                break
            number = heapq.heappop(due)[1]
            probe = queue[number]
            if probe.decided:
                continue
            blind += probe.blind and not probe.waiting
            if probe.silent and detecting.is_running(now):
                probe.postpone(now)
            heapq.heappush(due, (probe.step(now), number))
            if probe.crowded:
                crowded.append(probe)
        if crowded or blind >= _BLIND:
            blind = 0
            if make_room(queue):
                for probe in crowded:
                    probe.ask()


def _starved(probes: list[Probe], full: set[int]) -> list[Probe]:
    """The probes that may have no answer because of a full neighbour table.

    :arg full: the families whose table was full.
    """
    return [probe for probe in probes if probe.check.family in full and probe.starved]


def _exchange_in_parts(queue: list[Probe], watch: Watch, selector: selectors.BaseSelector) -> list[Probe]:
    """Repeat the checks that may have no answer because of a full neighbour table, so few at once that there is room.

    :returns: the probes for which there was no room within :data:`_LONGEST` seconds.
    """
    rest = _starved(queue, watch.full())
    end = time.monotonic() + _LONGEST
    size = _AGAIN
    while rest and size:
        left: list[Probe] = []
        for start in range(0, len(rest), size):
            if time.monotonic() > end:
                return left + rest[start:]
            part = rest[start : start + size]
            clear(part)
            for probe in part:
                probe.start_over()
            _exchange(part, selector)
            left += _starved(part, watch.full())
        if len(left) > len(rest) // 2:
            size //= 4
        rest = left
    return rest
