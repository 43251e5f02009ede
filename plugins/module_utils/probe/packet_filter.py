# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A simple packet filter: terms joined by `and` and `or`, which match decoded packets.

The filter runs in this process, not in the kernel. A lab has few packets. So one filter serves all protocols, including
VLAN tags, and tests compare it with the decoder that produces the result.
"""

from __future__ import annotations

import socket
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils.errors import LabError
from ansible_collections.linuxnet.lab.plugins.module_utils.probe.decode import Packet

Matcher = t.Callable[[Packet], bool]

PROTOCOLS = ("arp", "icmp", "icmp6", "tcp", "udp")
_KNOWN = ", ".join(PROTOCOLS) + ", host ADDRESS, port NUMBER, joined by and, or"


def parse(expressions: t.Sequence[str]) -> Matcher | None:
    """A function that tells whether one of the expressions matches a decoded packet. None without expressions.

    `and` binds more tightly than `or`. LabError if an expression is invalid. It names the word and the known ones.
    """
    errors: list[str] = []
    matchers = []
    for number, expression in enumerate(expressions):
        try:
            matchers.append(_any(expression.split()))
        except ValueError as exc:
            errors.append("filter[{0}]: {1} in {2!r}; known are: {3}".format(number, exc, expression, _KNOWN))
    if errors:
        raise LabError(errors)
    return _one_of(matchers) if matchers else None


def _any(words: list[str]) -> Matcher:
    alternatives: list[list[str]] = [[]]
    for word in words:
        if word == "or":
            alternatives.append([])
        else:
            alternatives[-1].append(word)
    return _one_of([_all(part) for part in alternatives])


def _all(words: list[str]) -> Matcher:
    terms = []
    rest = list(words)
    while True:
        terms.append(_term(rest))
        if not rest:
            return _each_of(terms)
        if rest.pop(0) != "and":
            raise ValueError("{0!r} needs 'and' or 'or' before it".format(words[len(words) - len(rest) - 1]))


def _term(rest: list[str]) -> Matcher:
    """The first term of the words. It is removed from *rest*."""
    if not rest:
        raise ValueError("an expression is missing beside 'and' or 'or'")
    word = rest.pop(0)
    if word in PROTOCOLS:
        return _is_protocol(word)
    if word not in ("host", "port"):
        raise ValueError("{0!r} is not known".format(word))
    if not rest:
        raise ValueError("{0!r} lacks its value".format(word))
    return _has_host(rest.pop(0)) if word == "host" else _has_port(rest.pop(0))


def _is_protocol(word: str) -> Matcher:
    return lambda packet: packet["protocol"] == word


def _has_host(text: str) -> Matcher:
    family = socket.AF_INET6 if ":" in text else socket.AF_INET
    try:
        host = socket.inet_ntop(family, socket.inet_pton(family, text))
    except OSError:
        raise ValueError("{0!r} is not an IP address".format(text)) from None
    return lambda packet: host in (packet["src"], packet["dst"])


def _has_port(text: str) -> Matcher:
    if not (text.isascii() and text.isdigit() and int(text) <= 0xFFFF):
        raise ValueError("{0!r} is not a port number".format(text))
    port = int(text)
    return lambda packet: port in (packet["sport"], packet["dport"])


def _one_of(matchers: list[Matcher]) -> Matcher:
    return lambda packet: any(matches(packet) for matches in matchers)


def _each_of(matchers: list[Matcher]) -> Matcher:
    return lambda packet: all(matches(packet) for matches in matchers)
