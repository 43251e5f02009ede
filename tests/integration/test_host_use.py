# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A lab must not take anything that the host uses. Each of these changes would cut the host off, and is refused.

The host has an uplink with a gateway, behind which are its controller, its resolvers and its proxies. It also has a
bridge and a policy rule of somebody else. A TCP connection manages it, as with a tool other than SSH.
"""

from __future__ import annotations

import os
import pathlib
import socket

import pytest

from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import namespaces, syscalls

from .conftest import assert_same, private_world

CONTROLLER, CONTROLLER6 = "198.18.7.7", "fd18::7"
RESOLVER, PROXY, MIRROR = "203.0.113.53", "198.51.100.3", "198.51.100.80"
HOST = """
ip netns add router; ip link add up0 type veth peer name up1 netns router
ip addr add 192.0.2.1/24 dev up0; ip addr add fd07::1/64 dev up0 nodad; ip link set up0 up
ip -n router link set lo up; ip -n router link set up1 up
ip -n router addr add 192.0.2.2/24 dev up1; ip -n router addr add fd07::2/64 dev up1 nodad
ip -n router addr add 198.18.7.7/32 dev lo; ip -n router addr add 203.0.113.53/32 dev lo
ip -n router addr add fd18::7/128 dev lo
ip route add default via 192.0.2.2 metric 100; ip -6 route add default via fd07::2 metric 1024
ip route add 100.64.0.0/16 nexthop via 192.0.2.2 nexthop via 192.0.2.3
ip link add docker0 type bridge; ip addr add 172.17.0.1/16 dev docker0; ip link set docker0 up
ip route add 192.0.2.0/24 dev up0 table 100; ip rule add from 192.0.2.1 lookup 100
"""
FILES = {
    "/etc/resolv.conf": "nameserver 203.0.113.53\nnameserver 127.0.0.53\nnameserver fd18::53%up0\nnameserver none\n",
    "/etc/hosts": "127.0.0.1 localhost\n198.51.100.80 mirror.example proxy.example\n",
}
PROXIES = {"http_proxy": "http://198.51.100.3:3128", "HTTPS_PROXY": "user:secret@proxy.example:8080", "ftp_proxy": "["}


def echo(line: tuple[socket.socket, socket.socket]) -> bool:
    """Whether both ends of a connection still receive each other's data."""
    for one, other in (line, line[::-1]):
        one.sendall(b"still there?")
        other.settimeout(5)
        if other.recv(64) != b"still there?":
            return False
    return True


def connect(netns: str, source: str, target: str) -> tuple[socket.socket, socket.socket]:
    """A TCP connection from an address in a namespace to an address of the host."""
    family = socket.AF_INET6 if ":" in source else socket.AF_INET
    with socket.create_server((target, 0), family=family) as server:
        with namespaces.inside_ref(netns):
            client = socket.create_connection(server.getsockname()[:2], source_address=(source, 0), timeout=10)
        return client, server.accept()[0]


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    """A host in use, with a lab. All tests share one world, because refused runs change nothing."""
    files = tmp_path_factory.mktemp("etc")
    with private_world() as world, pytest.MonkeyPatch.context() as patch:
        world.sh(HOST)
        for path, text in FILES.items():
            (files / pathlib.Path(path).name).write_text(text)
            syscalls.mount(str(files / pathlib.Path(path).name), path, "", syscalls.MS_BIND)
        for name, value in PROXIES.items():
            patch.setenv(name, value)
        patch.delenv("SSH_CONNECTION", raising=False)
        world.run("netns", lab="demo", name="c1")
        world.run("bridge", lab="demo", name="lab0", addresses=["10.0.0.1/24", "fd00::1/64"])
        world.run("veth", lab="demo", name="v1", master="lab0", peer={"name": "e0", "netns": "c1", "addresses": [
            "10.0.0.2/24", "fd00::2/64"]})  # fmt: skip
        lines = [connect("router", CONTROLLER, "192.0.2.1"), connect("router", CONTROLLER6, "fd07::1")]
        yield world, lines, world.look({"": ""})
        for end in (*lines[0], *lines[1]):
            end.close()


def bridge(*addresses, **more):
    """Arguments for another bridge of the lab."""
    return ("bridge", {"name": "br9", "addresses": list(addresses), **more})


def route(dst, via=None, dev=None, **more):
    """Arguments for a route of the host, by default through the lab's link."""
    if not via and not dev and "type" not in more:
        dev = "lab0"
    return ("route", {"dst": dst, "via": via, "dev": dev, **more})


def routes(*dsts, **more):
    """Arguments for several routes of the host in one task."""
    return ("route", {"routes": [{"dst": dst} for dst in dsts], "dev": "lab0", **more})


def topology(**parts):
    """Arguments for a whole lab."""
    return ("topology", {"lab": None, "topology": {"name": "demo2", "namespaces": ["d1"], **parts}})


def segment(prefix):
    """Arguments for a lab with a segment whose gateway is the host."""
    return topology(segments={"lan": {"prefix": prefix, "gateway": "host", "members": "d1", "bridge": "br9"}})


OWN = "before the host's own, default dev up0 metric"
PART = "is part of the host's network"
WAYS = {
    # Addresses, and the routes to their prefixes that the kernel creates.
    "the controller's network": (bridge("198.18.7.1/24"), "covers 198.18.7.7, the other end of a TCP connection"),
    "a larger one around it": (bridge("198.18.0.1/15"), "covers 198.18.7.7"),
    "the controller's address": (bridge("198.18.7.7/32"), "198.18.7.7 is the other end of a TCP connection"),
    "the resolver's address": (bridge("203.0.113.53/32"), "203.0.113.53 is this host's resolver (/etc/resolv.conf)"),
    "the resolver's network": (bridge("203.0.113.1/24"), "covers 203.0.113.53, this host's resolver"),
    "the resolver's address, with its network": (bridge("203.0.113.53/24"), "is this host's resolver"),
    "the proxy's network": (bridge("198.51.100.65/25"), "198.51.100.3, this host's proxy (http_proxy)"),
    "the address of a proxy by name": (bridge("198.51.100.80/32"), "is this host's proxy (HTTPS_PROXY)"),
    "the gateway's address": (bridge("192.0.2.2/32"), "192.0.2.2 is the gateway of this host's route to default"),
    "a further hop's address": (bridge("192.0.2.3/32"), "is the gateway of this host's route to 100.64.0.0/16"),
    "the uplink's network": (bridge("192.0.2.9/24"), "192.0.2.0/24 covers 192.0.2.2, the gateway"),
    "half of the uplink's network": (bridge("192.0.2.129/25"), "overlaps the host's route to 192.0.2.0/24 dev up0"),
    "the other half, with the gateway": (bridge("192.0.2.9/25"), "covers 192.0.2.2, the gateway"),
    "the host's own address": (bridge("192.0.2.1/32"), "is already on up0"),
    "a piece of another bridge's network": (bridge("172.17.5.1/24"), "overlaps the host's route to 172.17.0.0/16"),
    "a network around another bridge's": (bridge("172.16.0.1/12"), "overlaps the host's route to 172.17.0.0/16"),
    "half of all addresses": (bridge("10.9.9.9/1"), "0.0.0.0/1 counts as a default route, and would come " + OWN),
    "the other half": (bridge("130.0.0.1/1"), "128.0.0.0/1 counts as a default route"),
    "by a veth's end": (("veth", {"name": "w0", "addresses": ["198.18.7.9/24"], "peer": {"name": "w1"}}), "198.18.7.7"),
    "by its other end": (("veth", {"name": "w0", "peer": {"name": "w1", "addresses": ["203.0.113.9/24"]}}), RESOLVER),
    "by an address of the lab's link": (("address", {"dev": "lab0", "addresses": ["203.0.113.9/24"]}), RESOLVER),
    "the controller's network, IPv6": (bridge("fd18::1/64"), "covers fd18::"),
    "the resolver's address, IPv6": (bridge("fd18::53/128"), "fd18::53 is this host's resolver"),
    "the gateway's address, IPv6": (bridge("fd07::2/128"), "fd07::2 is the gateway of this host's route to default"),
    "the uplink's network, IPv6": (bridge("fd07::9/64"), "covers fd07::2"),
    "all that is routed, IPv6": (bridge("2000::1/3"), "2000::/3 counts as a default route"),
    # Default routes.
    "a default route": (route("default"), "a default route would come " + OWN),
    "one by a gateway": (route("default", via="10.0.0.2", metric=50), "a default route would come " + OWN),
    "one, IPv6": (route("::/0", via="fd00::2", metric=50), "a default route would come " + OWN),
    "a blackhole for everything": (route("default", type="blackhole"), "a default route would come " + OWN),
    "all unreachable": (route("0.0.0.0/0", type="unreachable"), "a default route would come " + OWN),
    "all prohibited": (route("default", type="prohibit", metric=99), "a default route would come " + OWN),
    "a blackhole for everything, IPv6": (route("::/0", type="blackhole", metric=1), OWN),
    "one half": (route("0.0.0.0/1"), "0.0.0.0/1 counts as a default route"),
    "the other one": (route("128.0.0.0/1", via="10.0.0.2"), "128.0.0.0/1 counts as a default route"),
    "both halves": (routes("0.0.0.0/1", "128.0.0.0/1"), "128.0.0.0/1 counts as a default route"),
    "both halves, whatever the metric": (routes("0.0.0.0/1", "128.0.0.0/1", metric=4000), "counts as a default route"),
    "eight times an eighth": (routes(*("{0}.0.0.0/3".format(n * 32) for n in range(8))), "counts as a default route"),
    "many small ones together": (routes(*("{0}.0.0.0/8".format(n) for n in range(64, 72))), "(a lab has the rest of a"),
    "unreachable halves": (route("128.0.0.0/1", type="unreachable"), "counts as a default route"),
    "all that is routed, IPv6, by a route": (route("2000::/3", dev="lab0"), "counts as a default route"),
    # Other routes.
    "the gateway": (route("192.0.2.2/32"), "192.0.2.2/32 covers 192.0.2.2, the gateway of this host's route to"),
    "half of the gateway's network": (route("192.0.2.0/25"), PART + " 192.0.2.0/24 dev up0"),
    "the half without the gateway": (route("192.0.2.128/25"), PART),
    "a blackhole in it": (route("192.0.2.0/30", type="blackhole"), PART),
    "its network by another metric": (route("192.0.2.0/24"), "does not belong to lab 'demo'"),
    "the resolver": (route(RESOLVER, via="10.0.0.2"), "203.0.113.53/32 covers 203.0.113.53, this host's resolver"),
    "no way to the resolver": (route("203.0.113.0/24", type="blackhole"), "covers 203.0.113.53"),
    "the proxy": (route("198.51.100.0/24"), "covers 198.51.100.3, this host's proxy (http_proxy); 198.51.100.80, this"),
    "the controller": (route(CONTROLLER), "covers 198.18.7.7"),
    "the controller prohibited": (route("198.18.0.0/16", type="prohibit"), "covers 198.18.7.7"),
    "the controller thrown away": (route(CONTROLLER, type="throw"), "covers 198.18.7.7"),
    "the controller as the host itself": (route(CONTROLLER, dev="lab0", type="local"), "covers 198.18.7.7"),
    "the controller, IPv6": (route("fd18::/48", via="fd00::2"), "covers fd18::7, the other end"),
    "a piece of another bridge's network, by a route": (route("172.17.5.0/24"), PART + " 172.17.0.0/16 dev docker0"),
    "what a rule of the host's looks up": (route("default", table="100"), "a rule of the host (32765: from 192.0.2.1"),
    "no way where a rule looks": (route(CONTROLLER, type="blackhole", table="100"), "looks into table 100"),
    "another bridge's packets rewritten": (
        ("masquerade", {"src": "172.17.0.0/16", "iif": "docker0", "oif": "up0"}),
        "172.17.0.0/16 overlaps the host's network 172.17.0.0/16 dev docker0, which is not a"),
    "those of a part of its network": (
        ("masquerade", {"src": "172.17.9.0/24", "iif": "docker0", "not_oif": "docker0"}), "which is not a lab's"),
    "those, by whatever link": (("masquerade", {"src": "172.17.0.0/16", "oif": "up0"}), "has no link in the host"),
    # The same in a topology.
    "a segment around the controller": (segment("198.18.0.0/16"), "covers 198.18.7.7"),
    "a segment of the resolver's": (segment("203.0.113.48/28"), "covers 203.0.113.53"),
    "a segment of half the world": (segment("128.0.0.0/2"), "counts as a default route"),
    "a default route by a namespace": (
        topology(segments={"lan": {"prefix": "10.8.0.0/24", "gateway": "d1", "members": ["host"], "bridge": "br9"}}),
        "a default route would come " + OWN,
    ),
    "a host end of a cable": (
        topology(links=[{"ends": [{"netns": "host", "addresses": "198.18.7.1/24"}, "d1"]}]), "covers 198.18.7.7"),
    # Changes of existing objects.
    "the uplink down": (("link", {"name": "up0", "up": False}), "it carries the host's default route"),
    "the uplink on the lab's bridge": (("link", {"name": "up0", "master": "lab0"}), "it carries the host's default"),
    "the uplink as a port": (("bridge", {"name": "lab0", "ports": ["v1", "up0"]}), "will not become a port"),
    "the uplink smaller": (("link", {"name": "up0", "mtu": 576}), "will not be changed"),
    "the uplink gone": (("link", {"name": "up0", "state": "absent"}), "will not be deleted"),
    "the uplink without its address": (
        ("address", {"dev": "up0", "addresses": ["192.0.2.1/24"], "state": "absent"}), "will not lose an address"),
    "the default route gone": (("route", {"dst": "default", "state": "absent"}), "does not belong to lab"),
    "the uplink's route gone": (("route", {"dst": "192.0.2.0/24", "state": "absent"}), "does not belong to lab"),
    "the gateway by a wrong MAC": (
        ("neighbor", {"dev": "up0", "dst": "192.0.2.2", "lladdr": "02:00:00:00:00:09"}), "will not get an entry"),
    "another's bridge as the lab's": (bridge("10.8.0.1/24", name="docker0"), "will not be changed"),
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_a_way_to_cut_the_host_off_is_refused(host, way):
    world, lines, before = host
    (module, arguments), words = WAYS[way]
    result = world.module(module, **{"lab": "demo", **arguments})
    assert result.get("failed"), result.get("commands")
    assert words in result["msg"], result["msg"]
    assert "br9" not in world.links() and "d1" not in os.listdir("/run/netns")
    assert_same(before, world.look({"": ""}), "what was refused changed something")
    assert all(echo(line) for line in lines)


def test_there_are_more_than_fifty_ways():
    print("{0} ways to cut a host off".format(len(WAYS)))
    assert len(WAYS) > 50


def test_all_that_is_used_is_told_at_once(host):
    world = host[0]
    parts = segment("198.18.7.0/24")[1]["topology"]
    parts["links"] = [{"ends": [{"netns": "host", "addresses": "203.0.113.1/24"}, "d1"]}]
    parts["routes"] = [{"netns": "host", "dst": "0.0.0.0/1", "dev": "br9"}]
    errors = world.module("topology", topology=parts)["errors"]
    assert [CONTROLLER in one or RESOLVER in one or "0.0.0.0/1" in one for one in errors] == [True] * 3
    assert all("unless force is true" in one for one in errors)


HARMLESS = [
    bridge("203.0.113.8/32", "198.51.100.8/32", "10.7.0.1/16", "fd08::1/64"),
    route("203.0.113.8", via="10.0.0.2"),
    route("198.51.100.128/25"),
    route("192.0.0.0/16"),  # the uplink's own network has a longer prefix
    route("default", metric=200),
    route("::/0", via="fd00::2", metric=2048),
    route("default", table="200"),
    route("10.0.0.0/8"),
    route("10.0.0.0/25"),  # a network of the lab itself
]


@pytest.mark.parametrize("harmless", HARMLESS, ids=str)
def test_what_the_host_does_not_use_is_to_be_had(host, harmless):
    world, lines, before = host
    module, arguments = harmless
    # Connections of the lab itself do not count.
    own = connect("c1", "10.0.0.2", "10.0.0.1")
    world.run(module, **{"lab": "passing", **arguments})
    assert not world.run(module, **{"lab": "passing", **arguments})["changed"]
    assert all(echo(line) for line in (*lines, own))
    world.run("topology", name="passing", state="absent")
    for end in own:
        end.close()
    assert_same(before, world.look({"": ""}), "it is gone")


def test_force_overrules(host):
    world, dummy, before = host
    for module, arguments in (bridge("203.0.113.53/24"), route("128.0.0.0/1"), route("198.51.100.3", type="blackhole")):
        world.run(module, **{"lab": "passing", "force": True, **arguments})
    world.run("topology", name="passing", state="absent")
    assert_same(before, world.look({"": ""}), "it is gone")


def test_a_host_without_a_way_out_may_get_one_of_a_lab(world):
    world.run("bridge", lab="demo", name="lab0", addresses=["10.0.0.1/24"])
    world.run("route", lab="demo", dst="default", via="10.0.0.9")
    world.run("route", lab="demo", routes=[{"dst": "0.0.0.0/1"}, {"dst": "128.0.0.0/1"}], dev="lab0")


def test_which_addresses_are_free(host):
    world = host[0]
    free = ["203.0.113.8", "10.77.0.1", "2001:db8:0:113::8"]
    taken = [RESOLVER, PROXY, MIRROR, CONTROLLER, "192.0.2.1", "192.0.2.200", "172.17.0.5", "fd07::77", "fd18:0::7"]
    labs = ["10.0.0.1", "10.0.0.77", "fd00::5"]
    asked = {"name": [""], "candidates": [*taken, *free, *labs]}
    assert world.run("netns_info", **asked, lab="other")["free"] == free
    assert world.run("netns_info", **asked, lab="demo")["free"] == [*free, *labs], "what it has, it may keep"
    assert "candidates[0]: 'x' is not an IP address" in world.module("netns_info", candidates=["x"])["msg"]
