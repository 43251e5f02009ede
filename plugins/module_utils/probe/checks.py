# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read checks, add defaults, and find errors. Nothing here uses the network."""

from __future__ import annotations

import ipaddress
import math
import socket
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils.probe import reasons

PROTOCOLS = ("icmp", "tcp", "udp", "arp")

# How many checks can run at the same time: requests and their answers carry a number of 16 bits.
MOST = 1 << 16

# Octets of ICMP payload, as many as ping sends.
SIZE = 56

# The largest payload that IP's length field allows.
_LARGEST = {4: 65535 - 20 - 8, 6: 65535 - 8}

# The options that only some protocols have.
_ONLY = {"port": ("tcp", "udp"), "listen": ("tcp", "udp"), "size": ("icmp",), "df": ("icmp",)}


class Check(t.NamedTuple):
    """A valid check.

    :ivar place: its place in the data, for errors (`checks[2].`); empty for the form without a list.
    :ivar netns: the reference of the sender's namespace. :ivar to: the target as written.
    :ivar address: the target without its zone, in the kernel's spelling. :ivar family: AF_INET or AF_INET6.
    :ivar expect: one of :data:`.reasons.WORDS`. :ivar src, dev, zone: empty for none.
    :ivar interval, timeout: in seconds. :ivar port: 0 for none. :ivar listen: the namespace of a listener; None for
        none.
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
    count: int  # type: ignore[assignment]  # instead of the method of tuples
    interval: float
    timeout: float
    protocol: str = "icmp"
    port: int = 0
    listen: str | None = None
    size: int = SIZE
    df: bool = False


def read(asked: list[dict[str, t.Any]], places: list[str], defaults: dict[str, t.Any]) -> tuple[list[Check], list[str]]:
    """Convert the modules' options to checks.

    :param asked: dicts with the keys from, to, expect, src, dev, timeout, count, protocol, port, listen, size, df; a
        missing value is None.
    :param places: the place of each of them, for errors.
    :param defaults: values for checks that do not have their own; at least count, interval and timeout.
    :returns: the valid checks, and all errors of the others.
    """
    errors = _number_errors("", defaults)
    checks = []
    for place, own in zip(places, asked):
        wrong = _number_errors(place, own)
        options = _with_defaults(own, defaults)
        to = options.get("to") or ""
        address, zone = _target(place, to, wrong)
        src = _source(place, options.get("src"), address, wrong)
        dev = options.get("dev") or ""
        if zone and dev and zone != dev:
            wrong.append(f"{place}dev: {dev!r} is not the device of {to!r}")
        if address is not None and address.version == 6 and not (zone or dev) and _needs_zone(address):
            wrong.append(f"{place}to: {to!r} needs a device: {to}%DEVICE, or dev")
        wrong += _protocol_errors(place, own, options, address)
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
                expect=options.get("expect") or reasons.REACHABLE,
                src=src,
                dev=dev,
                count=options["count"],
                interval=options["interval"],
                timeout=options["timeout"],
                protocol=options["protocol"],
                port=options.get("port") or 0,
                listen=options.get("listen"),
                size=options["size"],
                df=options["df"],
            )
        )
    return checks, list(dict.fromkeys(errors))


def _with_defaults(own: dict[str, t.Any], defaults: dict[str, t.Any]) -> dict[str, t.Any]:
    """The options of a check, completed by those defaults that its protocol has."""
    given = {name: value for name, value in own.items() if value is not None}
    for_all = {name: value for name, value in defaults.items() if value is not None and name not in ("from", "to")}
    protocol = {"protocol": "icmp", **for_all, **given}["protocol"]
    for_all = {name: value for name, value in for_all.items() if protocol in _ONLY.get(name, PROTOCOLS)}
    return {"protocol": protocol, "size": SIZE, "df": False, **for_all, **given}


def _protocol_errors(
    place: str, own: dict[str, t.Any], options: dict[str, t.Any], address: _Address | None
) -> list[str]:
    """Errors in options that the protocol of a check does not have, needs, or limits."""
    protocol, size = options["protocol"], options["size"]
    errors = [
        f"{place}{name}: only {' and '.join(protocols)} can have this, not {protocol}"
        for name, protocols in _ONLY.items()
        if own.get(name) is not None and protocol not in protocols
    ]
    if protocol in _ONLY["port"] and not 0 < (options.get("port") or 0) <= 0xFFFF:
        errors.append(f"{place}port: {protocol} needs one between 1 and 65535")
    if protocol == "arp" and not options.get("dev"):
        errors.append(f"{place}dev: arp needs a device")
    if address is not None:
        if protocol == "arp" and address.version != 4:
            errors.append(f"{place}to: {options['to']!r} is not IPv4, which arp needs")
        if protocol != "icmp" and address.is_multicast:
            errors.append(f"{place}to: {options['to']!r} is a multicast address, which only icmp can reach")
        if not 0 <= size <= _LARGEST[address.version]:
            errors.append(f"{place}size: {size} is not between 0 and {_LARGEST[address.version]}")
    return errors


def _number_errors(place: str, options: dict[str, t.Any]) -> list[str]:
    errors = []
    for name in ("count", "interval", "timeout"):
        value = options.get(name)
        if value is not None and not 0 < value < math.inf:
            errors.append(f"{place}{name}: {value} is not a positive number")
    return errors


_Address = t.Union[ipaddress.IPv4Address, ipaddress.IPv6Address]


def _target(place: str, text: str, errors: list[str]) -> tuple[_Address | None, str]:
    """The address and the zone of a target. Errors are appended to *errors*."""
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
    """The source address in the kernel's spelling. Empty for none. Errors are appended to *errors*."""
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
    """Whether an IPv6 address means something else on every link: link-local, or multicast of that scope."""
    return address.is_link_local or (address.is_multicast and address.packed[1] & 0x0F <= 2)
