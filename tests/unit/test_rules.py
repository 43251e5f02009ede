# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.linuxnet.lab.plugins.module_utils import rules


def reasons(check: t.Callable[[str, t.Any], list[str]], value: t.Any) -> list[str]:
    """The errors of a check, without the place at their beginning."""
    found = check("here", value)
    assert all(reason.startswith("here: ") for reason in found)
    return [reason[len("here: ") :] for reason in found]


RIGHT: list[tuple[t.Callable[..., list[str]], list[t.Any]]] = [
    (rules.check_lab, ["demo", "a", "7", "bridge_nat", "a.b-c", "x" * 63]),
    (rules.check_link_name, ["eth0", "eth0.100", "vethc1-peer", "a" * 15, "ä", "lo@1"]),
    (rules.check_netns_name, ["c1", "net0", "a.b", "x" * 63, "_x", "1a"]),
    (rules.check_netns, ["", "c1", "1234", "/run/netns/c1", "/proc/self/ns/net"]),
    (rules.check_hostname, ["router", "a.b.c", "r-1", "x" * 64]),
    (rules.check_mac, [None, "02:00:00:00:00:01", "00:00:00:00:00:01", "fe:ff:ff:ff:ff:ff"]),
    (rules.check_mtu, [None, 68, 1500, 65535]),
    (
        rules.check_cidr,
        [
            "10.0.0.1/24",
            "10.0.0.0/31",
            "10.0.0.1/31",
            "10.0.0.7/32",
            "172.18.0.20/12",
            "fd00::1/64",
            "fd00::/64",
            "fe80::1/64",
        ],
    ),
    (rules.check_ip, ["10.0.0.1", "fd00::1", "0.0.0.0"]),
    (rules.check_prefix, ["10.0.0.0/8", "172.18.0.0/12", "10.0.0.1", "::/0", "FD00::/8"]),
]
WRONG: list[tuple[t.Callable[..., list[str]], t.Any, str]] = [
    *(
        (rules.check_lab, name, "{0!r} is not a lab name: letters, digits, '_', '.', '-', at most 63".format(name))
        for name in ("", "-a", ".a", "a/b", "a b", "x" * 64, "a\n", "ä")
    ),
    (rules.check_link_name, "default", "'default' is not a link name: sysctls use that name for several links"),
    (rules.check_link_name, "all", "'all' is not a link name: sysctls use that name for several links"),
    (rules.check_link_name, "a" * 16, "'aaaaaaaaaaaaaaaa' has 16 characters, a link name has at most 15"),
    (rules.check_link_name, "ä" * 8, "'ääääääää' has 16 characters, a link name has at most 15"),
    *(
        (rules.check_link_name, name, "{0!r} is not a link name".format(name))
        for name in ("", ".", "..", "a/b", "a:b", "a b", "a\tb", "a\n", "a\0")
    ),
    *(
        (rules.check_link_name, name, repr(name) + " is not a link name: the kernel replaces % by a number")
        for name in ("x%d", "a%b", "%")
    ),
    *(
        (rules.check_netns_name, name, "{0!r} is not a namespace name".format(name))
        for name in ("", "123", "a/b", "-a", "x" * 64, "a b", "..", "a\n")
    ),
    *((rules.check_netns, name, "{0!r} is not a namespace name".format(name)) for name in ("-a", "a b")),
    *(
        (rules.check_hostname, name, "{0!r} is not a hostname".format(name))
        for name in ("", "a b", "x" * 65, "-a", "a\n", "a/b")
    ),
    *(
        (rules.check_mac, mac, "{0!r} is not the MAC address of one link (like 02:00:00:00:00:01)".format(mac))
        for mac in (
            "",
            "02:00:00:00:00",
            "02:00:00:00:00:0G",
            "01:00:5e:00:00:01",
            "00:00:00:00:00:00",
            "ff:ff:ff:ff:ff:ff",
        )
    ),
    *((rules.check_mtu, mtu, "{0} is not an MTU between 68 and 65535".format(mtu)) for mtu in (67, 65536, 0, -1)),
    (rules.check_cidr, "10.0.0.1", "'10.0.0.1' lacks the prefix length, as in 10.0.0.1/24"),
    (rules.check_cidr, "fd00::1", "'fd00::1' lacks the prefix length, as in fd00::1/64"),
    (rules.check_cidr, "10.0.0.0/24", "'10.0.0.0/24' is the network address of 10.0.0.0/24, not one of a link"),
    (rules.check_cidr, "10.0.0.255/24", "'10.0.0.255/24' is the broadcast address of 10.0.0.0/24, not one of a link"),
    (rules.check_cidr, "224.0.0.1/32", "'224.0.0.1/32' is not a link's own address"),
    (rules.check_cidr, "::/128", "'::/128' is not a link's own address"),
    (rules.check_ip, "10.0.0.1/24", "'10.0.0.1/24' is not an IP address"),
    (rules.check_ip, "", "'' is not an IP address"),
    (rules.check_prefix, "fe80::%e1/64", "'fe80::%e1/64' names a link after %; give the prefix alone"),
    (rules.check_ip, "fe80::1%e1", "'fe80::1%e1' names a link after %; give the address alone"),
]


@pytest.mark.parametrize(("check", "value"), [(check, value) for check, values in RIGHT for value in values])
def test_right(check: t.Callable[..., list[str]], value: t.Any) -> None:
    assert check("here", value) == []


@pytest.mark.parametrize(("check", "value", "reason"), WRONG)
def test_wrong(check: t.Callable[..., list[str]], value: t.Any, reason: str) -> None:
    assert reasons(check, value) == [reason]


@pytest.mark.parametrize("check", [rules.check_cidr, rules.check_prefix])
@pytest.mark.parametrize("value", ["", "x", "10.0.0.1/33", "10.0.0/24", "fd00::1/129", "10.0.0.1/", "1.2.3.4/24/24"])
def test_no_address_at_all(check: t.Callable[..., list[str]], value: str) -> None:
    """The error contains the message of the standard library, which differs between Python versions."""
    (reason,) = reasons(check, value)
    assert reason.startswith("{0!r} is not a".format(value))


def test_a_network_is_written_in_one_way() -> None:
    assert str(rules.network_of("172.18.0.0/12")) == "172.16.0.0/12"
    assert str(rules.network_of("10.0.0.1")) == "10.0.0.1/32"
    assert rules.normal_cidr("FD00:0:0::1/64") == "fd00::1/64"


def test_nearest() -> None:
    assert rules.nearest("vethc", ["lo", "vethc1"]) == " (did you mean 'vethc1'?)"
    assert rules.nearest("x", ["lo", "vethc1"]) == rules.nearest("x", []) == ""


@pytest.mark.parametrize("module", ["rules", "topology.layout"])
def test_needs_no_code_that_touches_the_kernel(module: str, new_python) -> None:
    """Filters use the rules on controllers, which need not run Linux."""
    utils = "ansible_collections.linuxnet.lab.plugins.module_utils."
    program = "import sys, {0}{1}; print([name for name in sys.modules if name.startswith('{0}kernel')])"
    assert new_python("-c", program.format(utils, module)).stdout == "[]\n"
