# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Invalid input: the modules report all errors at once, with their places, before they change anything."""

from __future__ import annotations

import typing as t

import pytest

LONG = "a-name-too-long0"  # 16 characters


def one(module: str, error: str, **arguments: t.Any) -> t.Any:
    """A case with one error: a module, its arguments, and the error."""
    return pytest.param(module, arguments, error)


MAC = "02:00:00:00:00:01"
PEER = {"name": "v1"}
HALF = "is not an address with a prefix length"


@pytest.mark.parametrize(
    ("module", "arguments", "error"),
    [
        # names
        one("veth", f"name: '{LONG}' has 16 characters, a link name has at most 15", name=LONG, peer=PEER),
        one(
            "veth",
            f"peer.name: '{LONG}' has 16 characters, a link name has at most 15",
            name="v0",
            peer={"name": LONG},
        ),
        one("bridge", f"name: '{LONG}' has 16 characters, a link name has at most 15", name=LONG),
        one("link", f"master: '{LONG}' has 16 characters, a link name has at most 15", name="v0", master=LONG),
        one("address", "dev: 'a/b' is not a link name", dev="a/b", addresses=[]),
        # values that the kernel ignores or refuses with its own message, and combinations that cannot work
        one(
            "address",
            "addresses[0]: 'fe80::2%e1/64' names a link after %, which an address on a link has no need of",
            dev="e1",
            addresses=["fe80::2%e1/64"],
        ),
        one(
            "address",
            "addresses[0]: '10.0.0.1/0' would put every address on the link",
            dev="e1",
            addresses=["10.0.0.1/0"],
        ),
        one(
            "address",
            "addresses[0]: '255.255.255.255/32' is not a link's own address",
            dev="e1",
            addresses=["255.255.255.255/32"],
        ),
        one(
            "neighbor",
            "dst: 224.0.0.5 is not the address of a neighbour",
            dev="e1",
            dst="224.0.0.5",
            lladdr=MAC,
        ),
        *(
            one("neighbor", f"dst: {dst} is not the address of a neighbour", dev="e1", dst=dst, lladdr=MAC)
            for dst in ("::", "0.0.0.0", "ff02::1", "255.255.255.255", "127.0.0.1", "::1")
        ),
        one(
            "neighbor",
            "dst: 'fe80::2%e1' names a link after %; give the address alone",
            dev="e1",
            dst="fe80::2%e1",
            lladdr=MAC,
        ),
        one(
            "neighbor",
            "dev: lo leads to no neighbour; give the link that leads to 10.0.0.9",
            dev="lo",
            dst="10.0.0.9",
            lladdr=MAC,
        ),
        *(
            one(module, f"addresses[0]: '{cidr}' is a loopback address, which lo alone can have", **{key: "e1"}, **more)
            for cidr in ("127.0.0.5/8", "::1/128")
            for module, key in (("address", "dev"), ("bridge", "name"), ("veth", "name"))
            for more in [{"addresses": [cidr], **({"peer": PEER} if module == "veth" else {})}]
        ),
        one("route", "dst: 'fd00::%e1/64' names a link after %; give the prefix alone", dst="fd00::%e1/64", dev="e1"),
        one(
            "topology",
            "segments.lan.gateway.addresses[0]: 'fd00::1%e1' names a link after %; give the address alone",
            topology={"name": "x", "segments": {"lan": {"prefix": "fd00::/64", "gateway": "fd00::1%e1"}}},
        ),
        one(
            "route",
            "via: 'fe80::2%e1' names a link after %; give the address alone",
            dst="fd00::/64",
            via="fe80::2%e1",
            dev="e1",
        ),
        one("bridge", "name: '..' is not a link name", name=".."),
        one("veth", "peer.name: 'v 1' is not a link name", name="v0", peer={"name": "v 1"}),
        one(
            "veth",
            "name: 'ünterführungen' has 16 characters, a link name has at most 15",
            name="ünterführungen",
            peer=PEER,
        ),
        one("veth", "peer.name: the other end of the pair needs a name", name="v0"),
        one("netns", "name[0]: '../c1' is not a namespace name", name=["../c1"]),
        one("netns", "name[0]: '1234' is not a namespace name", name=["1234"]),
        one("netns", "name[0]: '' is not a namespace name", name=[""]),
        one("veth", "netns: 'c 1' is not a namespace name", name="v0", netns="c 1", peer=PEER),
        one(
            "netns", "lab: 'a/b' is not a lab name: letters, digits, '_', '.', '-', at most 63", name=["c1"], lab="a/b"
        ),
        # namespaces
        one(
            "netns",
            "hostname: 'r1' needs held; a namespace in a file has no hostname",
            name=["c1", "c2"],
            hostname="r1",
        ),
        one("netns", "hostname: 'a b' is not a hostname", name=["c1"], held=True, hostname="a b"),
        one(
            "veth",
            "netns: there is no network namespace 'known' (did you mean 'unknown'?)",
            name="v0",
            netns="known",
            peer=PEER,
        ),
        one("bridge", "netns: there is no network namespace '999999999'", name="br0", netns="999999999"),
        one("link", "netns: there is no network namespace '/run/netns/nowhere'", name="v0", netns="/run/netns/nowhere"),
        one("link", "netns: there is no network namespace '/etc/passwd'", name="v0", netns="/etc/passwd"),
        # addresses
        one(
            "bridge",
            "addresses[0]: '10.0.0.1' lacks the prefix length, as in 10.0.0.1/24",
            name="br0",
            addresses=["10.0.0.1"],
        ),
        one(
            "bridge",
            "addresses[0]: 'fd00::1' lacks the prefix length, as in fd00::1/64",
            name="br0",
            addresses=["fd00::1"],
        ),
        one(
            "bridge",
            "addresses[0]: '10.0.0.0/24' is the network address of 10.0.0.0/24, not one of a link",
            name="br0",
            addresses=["10.0.0.0/24"],
        ),
        one(
            "bridge",
            "addresses[0]: '10.0.0.255/24' is the broadcast address of 10.0.0.0/24, not one of a link",
            name="br0",
            addresses=["10.0.0.255/24"],
        ),
        one(
            "bridge", "addresses[0]: '224.0.0.1/24' is not a link's own address", name="br0", addresses=["224.0.0.1/24"]
        ),
        one("bridge", "addresses[0]: '::/64' is not a link's own address", name="br0", addresses=["::/64"]),
        # MACs, MTUs, delays
        one(
            "link",
            "mac: '01:00:5e:00:00:01' is not the MAC address of one link (like 02:00:00:00:00:01)",
            name="v0",
            mac="01:00:5E:00:00:01",
        ),
        one(
            "veth",
            "peer.mac: '00:00:00:00:00:00' is not the MAC address of one link (like 02:00:00:00:00:01)",
            name="v0",
            peer={"name": "v1", "mac": "00:00:00:00:00:00"},
        ),
        one(
            "bridge",
            "mac: '02-00-00-00-00-01' is not the MAC address of one link (like 02:00:00:00:00:01)",
            name="br0",
            mac="02-00-00-00-00-01",
        ),
        one(
            "veth",
            "peer.mtu: 1500 and 1400 at the two ends would lose packets of the sizes in between",
            name="v0",
            mtu=1500,
            peer={"name": "v1", "mtu": 1400},
        ),
        one("link", "mtu: 67 is not an MTU between 68 and 65535", name="v0", mtu=67),
        one(
            "veth",
            "addresses: IPv6 needs an MTU of 1280 or more, not 1279",
            name="v0",
            mtu=1279,
            addresses=["10.0.0.1/24", "fd00::1/64"],
            peer=PEER,
        ),
        one(
            "bridge",
            "addresses: IPv6 needs an MTU of 1280 or more, not 1000",
            name="br0",
            mtu=1000,
            addresses=["fd00::1/64"],
        ),
        one("bridge", "mtu: 65536 is not an MTU between 68 and 65535", name="br0", mtu=65536),
        one(
            "bridge",
            "forward_delay: 1 is too short for STP, which takes 2 to 30 seconds",
            name="br0",
            stp=True,
            forward_delay=1,
        ),
        one("bridge", "forward_delay: 31 is not between 0 and 30 seconds", name="br0", forward_delay=31),
        one("bridge", "ageing_time: -1 is not between 0 and 1000000 seconds", name="br0", ageing_time=-1),
        # combinations that exclude each other
        one("bridge", "ports[0]: 'br0' cannot be its own port", name="br0", ports=["br0"]),
        one("bridge", "ports[1]: port 'p1' in the host is already that of ports[0]", name="br0", ports=["p1", "p1"]),
        one("netns", "name[1]: namespace c1 is already that of name[0]", name=["c1", "c1"]),
        one("veth", "peer.name: link 'v0' in the host is already that of name", name="v0", peer={"name": "v0"}),
        one(
            "veth",
            "peer.addresses[0]: address 10.0.0.1 is already that of addresses[0]",
            name="v0",
            addresses=["10.0.0.1/24"],
            peer={"name": "v1", "addresses": ["10.0.0.1/16"]},
        ),
        one(
            "bridge",
            "addresses[1]: address fd00::1 is already that of addresses[0]",
            name="br0",
            addresses=["fd00::1/64", "FD00:0::1/64"],
        ),
        one(
            "veth",
            "peer.mac: MAC 02:00:00:00:00:0a is already that of mac",
            name="v0",
            mac="02:00:00:00:00:0A",
            peer={"name": "v1", "mac": "02:00:00:00:00:0a"},
        ),
        one(
            "link",
            "links[1].mac: MAC 02:00:00:00:00:0a is already that of links[0].mac",
            mac="02:00:00:00:00:0a",
            links=[{"name": "v0"}, {"name": "v1"}],
        ),
        one(
            "bridge",
            "bridges[1].name: link 'br0' in the host is already that of bridges[0].name",
            bridges=[{"name": "br0"}, {"name": "br0"}],
        ),
        one(
            "address",
            "links[1].addresses[0]: address 10.0.0.1 is already that of links[0].addresses[0]",
            addresses=["10.0.0.1/24"],
            links=[{"dev": "v0"}, {"dev": "v1"}],
        ),
    ],
)
def test_refused(world: t.Any, module: str, arguments: dict[str, t.Any], error: str) -> None:
    """The module reports only this error, with its place, and changes nothing."""
    world.sh("ip netns add unknown; ip link set lo alias linuxnet.lab:x", "")
    assert world.refused(module, **{"lab": "x", **arguments}) == [error]


@pytest.mark.parametrize(
    "cidr",
    ["10.0.0.1/33", "10.0.0/24", "10.0.0.1/-1", "10.0.0.1/", "fd00::1/129", "fd00:::1/64", "c1", "", "10.0.0.1 /24"],
)
def test_address_of_a_wrong_form(world: t.Any, cidr: str) -> None:
    """The error quotes the value and describes the expected form."""
    errors = world.refused("address", lab="x", dev="lo", addresses=[cidr])
    assert len(errors) == 1 and errors[0].startswith(f"addresses[0]: {cidr!r} {HALF}")


def test_everything_wrong_with_a_task_is_said_at_once(world: t.Any) -> None:
    """The module reports the errors of all pairs in the order of the data, each with its place, and does not create the
    valid pair.
    """
    pairs = [
        {"name": "good", "peer": {"name": "good-peer"}},
        {"name": LONG, "mac": "02:00", "peer": {"name": "p1", "addresses": ["10.0.0.1/24", "10.0.0.256/24"]}},
        {"name": "v2", "mtu": 1400, "peer": {"name": "good", "mtu": 1300}},
    ]
    errors = world.refused("veth", lab="x", pairs=pairs)
    assert [error.split(": ")[0] for error in errors] == [
        "pairs[1].name",
        "pairs[1].mac",
        "pairs[1].peer.addresses[1]",
        "pairs[2].peer.mtu",
    ]
    pairs[2]["peer"]["mtu"] = 1400  # the module compares names only among valid pairs
    assert world.refused("veth", lab="x", pairs=pairs)[-1] == (
        "pairs[2].peer.name: link 'good' in the host is already that of pairs[0].name"
    )


def test_everything_that_the_kernel_does_not_have_is_said_at_once(world: t.Any) -> None:
    """The module reports unknown namespaces, masters and links of others, each with its place, and does not create the
    valid pair.
    """
    world.run("netns", lab="x", name=["red"])
    world.sh("ip link add theirs type dummy 2>/dev/null || ip link add theirs type bridge")
    pairs = [
        {"name": "good", "peer": {"name": "good-peer", "netns": "red"}},
        {"name": "v1", "netns": "999999999", "peer": {"name": "p1", "netns": "rd"}},
        {"name": "v2", "master": "br0", "peer": {"name": "p2", "netns": "red"}},
        {"name": "theirs", "peer": {"name": "p3", "netns": "red"}},
    ]
    assert world.refused("veth", lab="x", pairs=pairs) == [
        "pairs[1].netns: there is no network namespace '999999999'",
        "pairs[1].peer.netns: there is no network namespace 'rd' (did you mean 'red'?)",
        "pairs[2].master: there is no link 'br0' in the host's namespace",
        "pairs[3].name: link 'theirs' exists in the host's namespace and does not belong to lab 'x';"
        " it will not be changed unless force is true",
    ]


@pytest.mark.parametrize(
    ("module", "arguments", "words"),
    [
        ("veth", {}, "one of the following is required: name, pairs"),
        ("veth", {"name": "v0", "pairs": []}, "mutually exclusive: name|pairs"),
        ("veth", {"pairs": [{"netns": "c1"}]}, "missing required arguments: name found in pairs"),
        ("veth", {"name": "v0", "peer": {"netns": "c1"}}, "missing required arguments: name found in peer"),
        ("bridge", {"name": "br0", "colour": "red"}, "Unsupported parameters"),
        ("address", {"dev": "v0"}, "one of the following is required: addresses, links"),
        ("link", {"name": "v0", "mtu": "big"}, "mtu"),
        ("netns", {"name": ["c1"], "lo": "sideways"}, "value of lo must be one of: up, down, got: sideways"),
    ],
)
def test_arguments_of_a_wrong_shape(world: t.Any, module: str, arguments: dict[str, t.Any], words: str) -> None:
    """Ansible's own checks report missing and unknown arguments."""
    result = world.module(module, **arguments)
    assert result["failed"] and words in result["msg"]
