# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Root inside a lab can send to the netlink sockets that modules open there; only the kernel is believed."""

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
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import namespaces, rtnetlink
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.neighbor_events import NeighborEvents
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.netlink import Netlink

_NETLINK_NETFILTER = 12
# For half a minute at most: send zeros, and false news, to every netlink socket of the namespace, and to all groups.
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
    """While the body runs, somebody in the namespace floods and deceives."""
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
    """It ends, and what is there is right."""
    world.run("netns", lab="x", name=["c1"])
    with attack("c1"):
        for number in range(20):
            pair = {"name": "v0", "netns": "c1", "addresses": [f"10.0.{number}.1/24"], "peer": {"name": "w0"}}
            assert world.run("veth", lab="x", **pair)["changed"]
            assert not world.run("veth", lab="x", **pair)["changed"]
        assert [one["name"] for one in world.run("netns_info", name=["c1"])["namespaces"][0]["links"]] == ["lo", "v0"]
    # Only now: ip(8) is deceived by the attack.
    assert world.addresses("v0", "c1") == ["10.0.19.1/24"]


def test_firewall_rules_under_attack(world: t.Any) -> None:
    """The table of a router in a lab is read and replaced."""
    world.run("netns", lab="x", name=["c1"])
    world.run("veth", lab="x", name="v0", netns="c1", peer={"name": "w0"})
    with attack("c1", _NETLINK_NETFILTER):
        for number in range(5):
            rules = {"lab": "x", "netns": "c1", "src": f"10.{number}.0.0/16", "iif": "v0"}
            assert world.run("masquerade", **rules)["changed"]
            assert not world.run("masquerade", **rules)["changed"]


def test_neighbours_that_are_not_the_kernels(world: t.Any) -> None:
    """A group hears those too who are not the kernel; nothing that they say is taken for a change."""
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
    """The kernel says of a dump that links came or went meanwhile: it is read anew, and never believed as it is."""
    commands = []
    for number in range(30):  # large enough for several parts of a dump
        names = " ".join(f"altname {number}-{'n' * 100}-{other}" for other in range(25))
        commands += [f"link add b{number} type bridge", f"link property add dev b{number} {names}"]
    world.sh("ip -b - <<'END'\n" + "\n".join([*commands, "END"]))
    reader = Netlink()
    read, done = Netlink._read, []

    def meanwhile(self: Netlink) -> t.Any:
        """Whenever a part of the answer was read, a link comes or goes."""
        answers = read(self)
        if len(done) < most and len(answers) > 1:
            done.append(world.sh("ip link add n0 type bridge || ip link del n0"))
        return answers

    monkeypatch.setattr(Netlink, "_read", meanwhile)
    most = 3
    found = rtnetlink.links(reader)
    assert len(done) == 3 and found.keys() == world.links().keys()
    most = 1000
    with pytest.raises(KernelError, match="changed each of the 21 times"):
        rtnetlink.links(reader)
    reader.close()
