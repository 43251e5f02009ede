# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Root inside a lab can send to the netlink sockets of modules there. The modules must accept only the kernel's
messages.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import subprocess
import sys
import typing as t

import pytest

from ansible_collections.linuxnet.lab.plugins.module_utils.errors import KernelError
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import attributes, namespaces, netlink, rtnetlink
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.neighbor_events import NeighborEvents
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.netlink import Netlink

_NETLINK_NETFILTER, _NETLINK_SUBSYSTEM = 12, 10
# For at most half a minute: send zeros and false messages to all netlink sockets and groups of the namespace.
_ATTACKER = """
import os, socket, struct, sys, time
ours = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, int(sys.argv[1]))
ours.setblocking(False)
ours.bind((0, 0))
zeros = bytes(16)
refusal = struct.pack("=IHHIIi", 36, 2, 0, 1, 0, -1) + bytes(16)
done = struct.pack("=IHHIIi", 20, 3, 2, 1, 0, 0)
print("ready", flush=True)
end = time.monotonic() + 30
while time.monotonic() < end and os.getppid() == int(sys.argv[2]):
    with open("/proc/thread-self/net/netlink") as table:
        ports = {int(line.split()[2]) for line in table.readlines()[1:]} - {0, ours.getsockname()[0]}
    for port in ports | {int(sys.argv[2])}:
        for data in (zeros, refusal, done, zeros[:7]) * 20:
            for groups in (0, 4):
                try:
                    ours.sendto(data, (port, groups))
                except OSError:
                    pass
"""


@contextlib.contextmanager
def attack(netns: str, protocol: int = socket.NETLINK_ROUTE) -> t.Iterator[None]:
    """During the body, a process in the namespace floods the netlink sockets with false messages."""
    with namespaces.inside_ref(netns):
        command = [sys.executable, "-c", _ATTACKER, str(protocol), str(os.getpid())]
        attacker = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert attacker.stdout and attacker.stdout.readline() == "ready\n"
        yield
        assert attacker.poll() is None, "the attack ended before the test"
    finally:
        attacker.kill()
        attacker.communicate()


def test_a_build_under_attack(world: t.Any) -> None:
    """The build ends, and its result is right."""
    world.run("netns", lab="x", name=["c1"])
    with attack("c1"):
        for number in range(20):
            pair = {"name": "v0", "netns": "c1", "addresses": [f"10.0.{number}.1/24"], "peer": {"name": "w0"}}
            assert world.run("veth", lab="x", **pair)["changed"]
            assert not world.run("veth", lab="x", **pair)["changed"]
        assert [one["name"] for one in world.run("netns_info", name=["c1"])["namespaces"][0]["links"]] == ["lo", "v0"]
    # Only now, because the attack deceives ip(8).
    assert world.addresses("v0", "c1") == ["10.0.19.1/24"]


def test_firewall_rules_under_attack(world: t.Any) -> None:
    """The module reads and replaces the table of a router in a lab."""
    world.run("netns", lab="x", name=["c1"])
    world.run("veth", lab="x", name="v0", netns="c1", peer={"name": "w0"})
    with attack("c1", _NETLINK_NETFILTER):
        for number in range(5):
            rules = {"lab": "x", "netns": "c1", "src": f"10.{number}.0.0/16", "iif": "v0"}
            assert world.run("masquerade", **rules)["changed"]
            assert not world.run("masquerade", **rules)["changed"]


def test_neighbours_that_are_not_the_kernels(world: t.Any) -> None:
    """Members of a multicast group also receive messages of processes. None of these counts as a change."""
    world.sh("ip link add v0 type veth peer name v1; ip link set v0 up; ip link set v1 up")
    events = NeighborEvents()
    with attack(""):
        news = struct.pack("=BxxxiHBB", 2, 1, 2, 0, 1)
        news += struct.pack("=HH4sHH6sxx", 8, 1, b"\x0a\0\0\1", 10, 2, b"\2" * 6)
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as liar:
            liar.sendto(struct.pack("=IHHII", 16 + len(news), 28, 0, 0, 0) + news, (0, 4))
        heard = [change.dst for change in events.changes()]
    world.sh("ip neigh add 10.0.0.7 lladdr 02:00:00:00:00:07 dev v0 nud stale")
    while not heard:
        heard += [change.dst for change in events.changes()]
    assert heard == ["10.0.0.7"]
    events.close()


def test_a_dump_that_is_interrupted_again_and_again(world: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the kernel reports that links changed during a dump, the module repeats the dump."""
    commands = []
    for number in range(30):  # enough links for several parts of a dump
        names = " ".join(f"altname {number}-{'n' * 100}-{other}" for other in range(25))
        commands += [f"link add b{number} type bridge", f"link property add dev b{number} {names}"]
    world.sh("ip -b - <<'END'\n" + "\n".join([*commands, "END"]))
    reader = Netlink()
    read, done = Netlink._read, []

    def meanwhile(self: Netlink, how: int = 0) -> t.Any:
        """Add or delete a link each time that the module has read a part of the answer."""
        answers = read(self, how)
        if len(done) < most and len(answers) > 1:
            done.append(world.sh("ip link add n0 type bridge || ip link del n0"))
        return answers

    monkeypatch.setattr(Netlink, "_read", meanwhile)
    most = 3
    found = rtnetlink.links(reader)
    assert len(done) == 3 and found.keys() == world.links().keys()
    most = 1000
    with pytest.raises(KernelError, match="changed during each of 21 reads"):
        rtnetlink.links(reader)
    reader.close()


@pytest.fixture
def deaf(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sockets of modules have room for only a few answers, until one was lost."""
    make, lose = Netlink.__init__, netlink.AnswerLost.__init__
    sockets: list[Netlink] = []

    def small(self: Netlink, protocol: int = socket.NETLINK_ROUTE) -> None:
        make(self, protocol)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        sockets.append(self)

    def lost(self: netlink.AnswerLost, number: int, text: str = "") -> None:
        lose(self, number, text)
        for one in sockets:
            if one.fileno() >= 0:
                one._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 17)

    monkeypatch.setattr(Netlink, "__init__", small)
    monkeypatch.setattr(netlink.AnswerLost, "__init__", lost)


def test_lost_answers_to_changes(world: t.Any, deaf: None) -> None:
    """The kernel refuses so many changes that it loses its answers. The module undoes all changes, and reports the
    first error.
    """
    world.run("netns", lab="x", name=["c1"])
    world.run("veth", lab="x", name="v0", peer={"name": "eth0", "netns": "c1"})
    world.sh("echo 1 > /proc/sys/net/ipv6/conf/eth0/disable_ipv6", "c1")
    links = [
        {"dev": "v0", "addresses": ["10.0.0.1/24"]},
        {"dev": "eth0", "netns": "c1", "addresses": [f"fd00::{number:x}/64" for number in range(1, 101)]},
    ]
    errors = world.refused("address", lab="x", links=links)
    assert errors == [
        "`ip -n c1 addr add fd00::1/64 dev eth0 nodad` failed: ipv6: IPv6 is disabled on this device",
        "the changes before it were undone",
    ]


def test_lost_answers_to_questions(world: t.Any, deaf: None) -> None:
    """If a part of a dump is lost, the module repeats the dump, until it has all of it."""
    world.sh("".join(f"ip addr add 10.0.{number}.1/24 dev lo; " for number in range(100)))
    found = world.run("netns_info", name=[""])["namespaces"][0]["links"][0]["addresses"]
    assert [one for one in found if ":" not in one] == world.addresses("lo") and len(found) > 100


def test_a_link_whose_name_is_no_utf_8(world: t.Any) -> None:
    """Root inside a lab gives a link such a name. Recorders continue, modules report it, and the next run restores the
    name.
    """
    topology = {"name": "x", "namespaces": ["c1", "c2"], "links": [["c1:eth0", "c2:eth0"], ["c1:eth1", "c2:eth1"]],
                "pool": "10.0.0.0/24"}  # fmt: skip
    assert world.run("topology", topology=topology)["changed"]
    world.run("capture", state="started", lab="x", netns="c1", filter=["icmp"])
    world.run("neighbor_watch", state="started", lab="x", netns=["c1"], report="all")
    for dev in ("eth0", "eth1"):
        address = world.addresses(dev, "c2")[0].partition("/")[0]
        assert world.ping("c1", address)
    world.sh("ip link set eth0 down; ip link set eth0 name $'\\xff\\xfe'; ip link set $'\\xff\\xfe' up", "c1")
    world.sh("ip addr add 10.9.9.1/24 dev $'\\xff\\xfe'", "c1")
    world.sh("ip addr add 10.9.9.2/24 dev eth0; ping -c 2 -i 0.2 -W 1 10.9.9.1", "c2")
    world.sh("ping -c 2 -i 0.2 -W 1 10.9.9.2", "c1")
    links = [link["name"] for link in world.run("netns_info", name=["c1"])["namespaces"][0]["links"]]
    assert "\\xff\\xfe" in links and "eth1" in links
    assert world.run("lab_info")["labs"][0]["drifted"]
    recorded = world.run("capture", state="stopped", lab="x")
    assert recorded["ended"] == "stopped" and {packet["dev"] for packet in recorded["packets"]} >= {"eth0", "eth1"}
    assert recorded["dropped"], "those of the link without a name are counted"
    assert world.run("neighbor_watch", state="stopped", lab="x")["ended"] == "stopped"
    assert world.run("topology", topology=topology, force=True)["changed"]
    assert not world.run("topology", topology=topology)["changed"]
    assert sorted(link["ifname"] for link in world.json("ip -j link", "c1")) == ["eth0", "eth1", "lo"]


def test_firewall_rules_whose_names_are_no_utf_8(world: t.Any) -> None:
    """The lab is built on a host whose firewall has such names, with a warning about the chain that drops its packets.
    """

    def message(kind: int, flags: int, body: bytes) -> netlink.Packed:
        return netlink.Packed(_NETLINK_SUBSYSTEM << 8 | kind, flags, bytes((1, 0, 0, 0)) + body)

    nft = netlink.Netlink(_NETLINK_NETFILTER)
    table = attributes.pack(1, b"\xff\xfe\0")
    hook = attributes.pack(1, struct.pack(">I", 2)) + attributes.pack(2, struct.pack(">i", 0))
    chain = attributes.pack(1, b"\xff\xfe\0") + attributes.pack(3, b"\xfd\0") + attributes.pack(4 | 0x8000, hook)
    chain += attributes.pack(5, struct.pack(">I", 0)) + attributes.pack(7, b"filter\0")
    begin, end = (netlink.Packed(kind, 0, bytes((0, 0)) + struct.pack(">H", 10)) for kind in (0x10, 0x11))
    create = netlink.NLM_F_CREATE
    made = [begin, message(0, create, table), message(3, create | netlink.NLM_F_ACK, chain), end]
    assert nft._send(made, framed=True) == [None] * 4
    nft.close()
    topology = {"name": "x", "namespaces": {"c1": None, "host": {"forwarding": True}},
                "segments": {"lan": {"prefix": "10.0.0.0/24", "gateway": "host", "members": "c1"}},
                "masquerade": "lan"}  # fmt: skip
    done = world.run("topology", topology=topology)
    assert done["changed"] and "\\xff\\xfe" in "".join(done["warnings"]), done["warnings"]
    assert not world.run("topology", topology=topology)["changed"]
    assert world.run("topology", lab="x", state="absent")["changed"]
