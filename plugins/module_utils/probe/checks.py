# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks as asked for, made complete or found wrong; nothing here touches the network."""

from __future__ import annotations

import ipaddress
import math
import socket
import typing as t

REACHABLE = "reachable"
UNREACHABLE = "unreachable"


class Check(t.NamedTuple):
    """One probe that is to be made.

    `place` is where it stands in the data (`checks[2].`, empty for the single form), `netns` a namespace
    reference, `to` the target as written, `address` the same without its zone and in the kernel's spelling,
    `family` AF_INET or AF_INET6, `src`, `dev` and `zone` empty where not asked for, `interval` and `timeout`
    in seconds.
    """

    place: str
    netns: str
    to: str
    address: str
    zone: str
    family: int
    multicast: bool
    expect: str
    src: str
    dev: str
    count: int
    interval: float
    timeout: float


def read(asked: list[dict[str, t.Any]], places: list[str], defaults: dict[str, t.Any]) -> tuple[list[Check], list[str]]:
    """Turn the modules' options into checks.

    :param asked: dicts with the keys from, to, expect, src, dev, timeout, count; a missing value is None.
    :param places: for each of them how an error names it.
    :param defaults: count, interval and timeout of the checks that have none of their own.
    :returns: the checks that make sense, and every error of the others.
    """
    errors = _number_errors("", defaults)
    checks = []
    for place, options in zip(places, asked):
        wrong = _number_errors(place, options)
        to = options.get("to") or ""
        address, zone = _target(place, to, wrong)
        src = _source(place, options.get("src"), address, wrong)
        dev = options.get("dev") or ""
        if zone and dev and zone != dev:
            wrong.append(f"{place}dev: {dev!r} is not the device of {to!r}")
        if address is not None and address.version == 6 and not (zone or dev) and _needs_zone(address):
            wrong.append(f"{place}to: {to!r} needs a device: {to}%DEVICE, or dev")
        if wrong or address is None:
            errors += wrong
            continue
        family = socket.AF_INET if address.version == 4 else socket.AF_INET6
        checks.append(
            Check(
                place=place,
                netns=options.get("from") or "",
                to=to,
                address=socket.inet_ntop(family, address.packed),
                zone=zone,
                family=family,
                multicast=address.is_multicast,
                expect=options.get("expect") or REACHABLE,
                src=src,
                dev=dev,
                count=options.get("count") or defaults["count"],
                interval=defaults["interval"],
                timeout=options.get("timeout") or defaults["timeout"],
            )
        )
    return checks, errors


def _number_errors(place: str, options: dict[str, t.Any]) -> list[str]:
    errors = []
    for name in ("count", "interval", "timeout"):
        value = options.get(name)
        if value is not None and not 0 < value < math.inf:
            errors.append(f"{place}{name}: {value} is not a positive number")
    return errors


_Address = t.Union[ipaddress.IPv4Address, ipaddress.IPv6Address]


def _target(place: str, text: str, errors: list[str]) -> tuple[_Address | None, str]:
    """The address and the zone of a target; errors are appended."""
    if not text:
        errors.append(f"{place}to: a target address is needed")
        return None, ""
    literal, percent, zone = text.partition("%")
    try:
        address = ipaddress.ip_address(literal)
    except ValueError:
        errors.append(f"{place}to: {text!r} is not an IP address")
        return None, ""
    if address.is_unspecified:
        errors.append(f"{place}to: {text!r} is nobody's address")
    if percent and (address.version == 4 or not zone):
        errors.append(f"{place}to: {text!r} is not an IP address")
        return None, ""
    return address, zone


def _source(place: str, text: str | None, target: _Address | None, errors: list[str]) -> str:
    """The source address in the kernel's spelling, empty for none; errors are appended."""
    if not text:
        return ""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        errors.append(f"{place}src: {text!r} is not an IP address")
        return ""
    if target is not None and target.version != address.version:
        errors.append(f"{place}src: {text!r} is not IPv{target.version} as the target {target} is")
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    return socket.inet_ntop(family, address.packed)


def _needs_zone(address: _Address) -> bool:
    """Whether an IPv6 address is another one on every link: link-local, or multicast of that scope."""
    return address.is_link_local or (address.is_multicast and address.packed[1] & 0x0F <= 2)
