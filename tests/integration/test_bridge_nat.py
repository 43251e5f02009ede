# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The bridge_nat lab as a user runs it: with ansible-playbook, in a private world. Independent tools are the witnesses.
"""

from __future__ import annotations

import pathlib
import re
import shlex
import socket
import subprocess

import pytest

from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import namespaces, syscalls

from .conftest import ROOT

pytestmark = pytest.mark.playbook

NETWORK_PROGRAMS = re.compile(r"ip|nft|ip6?tables.*|xtables.*|ping[46]?|arping|tc|bridge|sysctl|nsenter|unshare")

# The lab as commands, typed on an empty host.
SHELL = """
ip netns add c1; ip netns add c2
ip -n c1 link set lo up; ip -n c2 link set lo up
ip link add br0 type bridge
ip addr add 10.0.0.1/24 dev br0
ip link add vethc1 type veth peer name vethc1-peer netns c1
ip link add vethc2 type veth peer name vethc2-peer netns c2
ip link set vethc1 master br0; ip link set vethc2 master br0
ip -n c1 addr add 10.0.0.2/24 dev vethc1-peer
ip -n c2 addr add 10.0.0.3/24 dev vethc2-peer
ip link set vethc1 up; ip link set vethc2 up; ip link set br0 up
ip -n c1 link set vethc1-peer up; ip -n c2 link set vethc2-peer up
ip -n c1 route add default via 10.0.0.1 dev vethc1-peer
ip -n c2 route add default via 10.0.0.1 dev vethc2-peer
sysctl -qw net.ipv4.ip_forward=1
"""


def commands_of(file: str) -> list[list[str]]:
    """The arguments that a file shows after the name of the playbook, line by line."""
    lines = re.findall(r"/ansible-playbook playbooks/bridge_nat.yml (.*)$", (ROOT / file).read_text(), re.MULTILINE)
    return [[word for word in shlex.split(line) if word != "$(ARGS)"] for line in lines]


def test_predicts_builds_repeats_and_leaves_no_trace(world):
    """`make bridge_nat` and the commands of the README work: check mode, build, second run, removal."""
    empty = world.state()
    (make,) = commands_of("Makefile")
    again, build, elsewhere, absent = commands_of("README.md")
    recap = world.playbook("bridge_nat", "--check", "--diff", *make)
    assert (recap.code, recap.counts["changed"]) == (0, 10), recap.text
    assert world.state() == empty
    assert world.played("bridge_nat", *make) == 10
    built = world.state()
    assert "--check" in again and elsewhere == [*build, "-i", "inventory.yml"]
    assert world.played("bridge_nat", *again) == world.played("bridge_nat", *build) == 0
    assert world.state() == built
    assert world.played("bridge_nat", *absent) == 1
    assert world.played("bridge_nat", *absent) == 0
    assert world.state() == empty
    assert world.sh("find /run -type f") == ""


def test_builds_what_the_shell_commands_build(world):
    world.played("bridge_nat", "-e", "bridge_nat_uplink=lo")
    assert world.as_typed() == world.by_hand(SHELL.splitlines())


def test_masquerade_is_proved_by_the_stand_in(world):
    world.played("bridge_nat", "-e", "bridge_nat_internet=true")
    capture = subprocess.Popen(
        ["ip", "netns", "exec", "internet", "tcpdump", "-lni", "inet0-peer", "-c", "1", "icmp[icmptype] == icmp-echo"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert capture.stderr is not None
    while "listening on" not in capture.stderr.readline():
        pass
    assert world.ping("c1", "203.0.113.8")
    assert "IP 203.0.113.1 > 203.0.113.8: ICMP echo request" in capture.communicate(timeout=30)[0]
    assert world.ping("c2", "198.51.100.8")
    assert world.ping("c1", "10.0.0.3") and world.ping("c1", "203.0.113.1")
    assert not world.ping("internet", "10.0.0.2")

    # Without masquerading, the echo request arrives with its private source address, and the answer has no way back.
    world.sh("nft delete chain inet linuxnet.lab.bridge_nat postrouting")
    assert not world.ping("c1", "203.0.113.8")
    assert world.played("bridge_nat", "-e", "bridge_nat_internet=true") == 1
    assert world.ping("c1", "203.0.113.8")

    # Even with a route to the containers, the outside cannot open a connection to them.
    world.sh("ip -n internet route add 10.0.0.0/24 via 203.0.113.1")
    assert not world.ping("internet", "10.0.0.2")
    world.played("bridge_nat", "-e", "bridge_nat_internet=true", "-e", "bridge_nat_forward=open")
    assert world.ping("internet", "10.0.0.2")


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ("sysctl -qw net.ipv4.ip_forward=0", "no_reply"),
        ("nft flush chain inet linuxnet.lab.bridge_nat postrouting", "no_reply"),
        ("ip -n c1 route del default", "no_route"),
    ],
)
def test_verification_fails_when_the_lab_is_broken(world, broken, reason):
    world.played("bridge_nat", "-e", "bridge_nat_internet=true")
    world.sh(broken)
    checks = [{"from": "c1", "to": "203.0.113.8"}, {"from": "c1", "to": "10.0.0.1"}]
    result = world.module("connectivity", checks=checks, timeout=0.6)
    assert result["failed"]
    outside, gateway = result["results"]
    assert (outside["got"], outside["reason"]) == ("unreachable", reason)
    assert (gateway["got"], gateway["reason"]) == ("reachable", "reply")


def sources(world, links):
    """The source addresses of the echo requests that leave through each of these links while c1 pings the outside."""
    world.run("capture", state="started", links=links, filter=["icmp and host 203.0.113.8"])
    world.ping("c1", "203.0.113.8")
    packets = world.run("capture", state="stopped")["packets"]
    return {(one["dev"], one["src"]) for one in packets if one["type"] == "echo-request"}


def test_what_is_missing_is_seen_on_the_wire(world):
    world.played("bridge_nat", "-e", "bridge_nat_internet=true")
    links = [{"dev": ["br0"]}, {"dev": ["inet0"]}]
    assert sources(world, links) == {("br0", "10.0.0.2"), ("inet0", "203.0.113.1")}
    world.sh("nft flush chain inet linuxnet.lab.bridge_nat postrouting")
    # A new echo request opens a new connection. It is forwarded with a private source address, to which nobody can
    # answer.
    assert sources(world, links) == {("br0", "10.0.0.2"), ("inet0", "10.0.0.2")}
    world.sh("sysctl -qw net.ipv4.ip_forward=0")
    assert sources(world, links) == {("br0", "10.0.0.2")}, "it is not forwarded"


def test_works_without_any_network_program(world, tmp_path):
    for directory in ("/usr/bin", "/usr/sbin", "/bin", "/sbin"):
        for program in pathlib.Path(directory).iterdir():
            link = tmp_path / program.name
            if not link.exists() and not NETWORK_PROGRAMS.fullmatch(link.name):
                link.symlink_to(program)
    recap = world.playbook("bridge_nat", "-e", "bridge_nat_internet=true", path=str(tmp_path))
    assert recap.code == 0, recap.text
    assert world.ping("c1", "198.51.100.8")


def test_second_form_and_ipv6_are_a_matter_of_variables(world, tmp_path):
    variables = tmp_path / "form.yml"
    variables.write_text(
        """
bridge_nat_address: 172.18.0.1/12
bridge_nat_match: not_bridge
bridge_nat_internet: true
bridge_nat_ipv6: masquerade
internet_ipv6: true
internet_addresses: [8.8.8.8, 1.1.1.1]
internet_default_route: true
bridge_nat_outside: [8.8.8.8, 1.1.1.1, "2001:db8:0:113::8"]
bridge_nat_containers:
  - name: veth0
    peer: {name: ceth0, netns: net0, addresses: [172.18.0.10/12, "fd00:0:0:10::10/64"]}
  - name: veth1
    peer: {name: ceth1, netns: net1, addresses: [172.18.0.20/12, "fd00:0:0:10::20/64"]}
"""
    )
    empty = world.state()
    assert world.played("bridge_nat", "-e", "@{0}".format(variables)) > 0
    assert world.addresses("br0") == ["172.18.0.1/12"]
    assert world.routes()[0]["dst"] == "default"
    assert world.ping("net0", "8.8.8.8") and world.ping("net1", "172.18.0.10")
    assert world.ping("net1", "2001:db8:0:113::8")
    rules = world.sh("nft list ruleset")
    assert 'ip saddr 172.16.0.0/12 oifname != "br0" masquerade' in rules
    assert 'ip6 saddr fd00:0:0:10::/64 oifname != "br0" masquerade' in rules
    assert world.played("bridge_nat", "-e", "@{0}".format(variables)) == 0
    world.played("bridge_nat", "-e", "lab_state=absent")  # without the variables of the build
    assert world.state() == empty


def test_inventory_says_where(world, tmp_path):
    inventory = tmp_path / "hosts.yml"
    inventory.write_text(
        "lab_hosts: {hosts: {here: {ansible_connection: local, bridge_nat_internet: true,"
        ' ansible_python_interpreter: "{{ ansible_playbook_python }}"}}}\n'
    )
    recap = world.playbook("bridge_nat", "-i", str(inventory))
    assert recap.code == 0, recap.text
    assert "here" in recap.text and "localhost" not in recap.text
    assert world.ping("c1", "203.0.113.8")
    other = tmp_path / "other.yml"
    other.write_text("somebody: {hosts: {elsewhere: {}}}\n")
    assert world.playbook("bridge_nat", "-i", str(other)).code != 0


# A host whose resolver and package mirror have addresses from the ranges for documentation.
MIRROR = """
ip netns add mirror; ip link add up0 type veth peer name up1 netns mirror
ip addr add 192.168.7.1/24 dev up0; ip link set up0 up
ip -n mirror link set lo up; ip -n mirror addr add 192.168.7.2/24 dev up1; ip -n mirror link set up1 up
ip -n mirror addr add 203.0.113.8/32 dev lo; ip -n mirror addr add 198.51.100.8/32 dev lo
ip -n mirror addr add 203.0.113.53/32 dev lo
"""


_IN_THE_THIRD = {"192.0.2.1", "192.0.2.8", "192.0.2.88"}


class Mirror:
    """A mirror that answers by TCP, and a resolver that answers by UDP, with their links on the host."""

    def __init__(self, mirror: str, resolver: str) -> None:
        with namespaces.inside_ref("mirror"):
            self._listener = socket.create_server((mirror, 0))
            self._resolver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self._resolver.bind((resolver, 0))
        self._asker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._line = self._connected()
        for one in (self._resolver, self._asker):
            one.settimeout(5)

    def _connected(self) -> tuple[socket.socket, socket.socket]:
        client = socket.create_connection(self._listener.getsockname(), timeout=5)
        return client, self._listener.accept()[0]

    def answers(self) -> bool:
        """Whether the old connection works, a new one can be opened, and the resolver answers."""
        new = self._connected()
        for one, other in (self._line, self._line[::-1], new, new[::-1]):
            one.sendall(b"?")
            other.settimeout(5)
            assert other.recv(9) == b"?"
        for end in new:
            end.close()
        self._asker.sendto(b"who?", self._resolver.getsockname())
        question, asker = self._resolver.recvfrom(9)
        self._resolver.sendto(b"me", asker)
        return question == b"who?" and self._asker.recv(9) == b"me"

    def close(self) -> None:
        for one in (*self._line, self._listener, self._resolver, self._asker):
            one.close()


@pytest.mark.parametrize(
    ("ways", "mirror", "resolver", "taken"),
    [
        # The default route leads to them. They have the first candidates for the namespace that plays the internet.
        (["default"], "203.0.113.8", "198.51.100.8", {"203.0.113.1", "192.0.2.8", "203.0.113.88"}),
        # Only the ranges for documentation lead to them.
        (["203.0.113.0/24", "198.51.100.0/24"], "198.51.100.8", "203.0.113.53", _IN_THE_THIRD),
    ],
    ids=["the-same-addresses", "the-same-ranges"],
)
def test_the_stand_in_takes_nothing_that_the_host_uses(world, tmp_path, ways, mirror, resolver, taken):
    world.sh(MIRROR)
    for way in ways:
        world.sh("ip route add {0} via 192.168.7.2".format(way))
    resolv = tmp_path / "resolv.conf"
    resolv.write_text("nameserver {0}\n".format(resolver))
    syscalls.mount(str(resolv), "/etc/resolv.conf", "", syscalls.MS_BIND)
    others = Mirror(mirror, resolver)
    empty = world.state()
    try:
        assert others.answers()
        world.played("bridge_nat", "-e", "bridge_nat_internet=true")
        assert others.answers()
        found = {one.split("/")[0] for one in world.addresses("inet0") + world.addresses("inet0-peer", "internet")}
        found |= {one.split("/")[0] for one in world.addresses("lo", "internet")} - {"127.0.0.1"}
        assert found == taken
        for address in taken:
            assert world.ping("c1", address)
        assert world.played("bridge_nat", "-e", "bridge_nat_internet=true") == 0, "it keeps what it took"
        assert others.answers()
        world.played("bridge_nat", "-e", "lab_state=absent")
        assert others.answers()
    finally:
        others.close()
    assert world.state() == empty


def test_the_stand_in_says_when_nothing_is_left(world):
    world.sh("ip link add d0 type bridge; ip link set d0 up; ip addr add 203.0.113.77/24 dev d0")
    world.sh("ip addr add 198.51.100.77/24 dev d0; ip addr add 192.0.2.77/24 dev d0")
    recap = world.playbook("bridge_nat", "-e", "bridge_nat_internet=true")
    assert recap.code != 0 and "The host has or uses too many of internet_candidates" in " ".join(recap.text.split())
