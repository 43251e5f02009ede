# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The connection that manages the host: a TCP connection from a namespace that plays the controller."""

from __future__ import annotations

import os
import shlex
import socket
import subprocess
import sys

import pytest

from ansible_collections.linuxnet.lab.plugins.module_utils.host import ssh
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import namespaces

CONTROLLER, HOST = "198.18.7.7", "192.0.2.1"
LAB = {
    "name": "wide",
    "namespaces": ["c1"],
    "segments": {"lan": {"prefix": "198.18.0.0/16", "gateway": "host", "members": "c1"}},
}


@pytest.fixture
def line(world):
    """A world whose default route leads to the controller. The value is that of SSH_CONNECTION for the connection."""
    world.sh("ip netns add controller; ip link add up0 type veth peer name up1 netns controller")
    world.sh("ip addr add 192.0.2.1/24 dev up0; ip link set up0 up; ip route add default via 192.0.2.2")
    world.sh("ip link set up1 up; ip addr add 192.0.2.2/24 dev up1; ip addr add 198.18.7.7/32 dev lo", "controller")
    world.sh("ip link set lo up; ip route add default via 192.0.2.1", "controller")
    with socket.create_server((HOST, 0)) as server:
        with namespaces.inside_ref("controller"):
            client = socket.create_connection(server.getsockname(), source_address=(CONTROLLER, 0))
        with client, server.accept()[0]:
            yield "{0} {1} {2} {3}".format(*client.getsockname(), *server.getsockname())


def test_a_prefix_that_covers_the_controller_is_refused_unless_forced(world, line, monkeypatch):
    monkeypatch.setenv("SSH_CONNECTION", line)
    (error,) = world.refused("topology", topology=LAB)
    assert "198.18.0.0/16 covers 198.18.7.7, from which this host is managed" in error
    (error,) = world.refused("bridge", lab="other", name="br0", addresses=["198.18.1.1/16"])
    assert "198.18.7.7" in error
    world.run("topology", topology={**LAB, "segments": {"lan": {**LAB["segments"]["lan"], "prefix": "10.0.0.0/16"}}})
    world.run("topology", topology=LAB, force=True)


def test_a_route_to_the_controller_is_refused_too(world, line, monkeypatch):
    monkeypatch.setenv("SSH_CONNECTION", line)
    world.run("bridge", lab="demo", name="br0", addresses=["10.0.0.1/24"])
    (error,) = world.refused("route", lab="demo", dst="198.18.7.0/24", via="10.0.0.9")
    assert "dst: 198.18.7.0/24 covers 198.18.7.7, from which this host is managed" in error
    world.run("route", lab="demo", dst="198.18.8.0/24", via="10.0.0.9")
    world.run("route", lab="demo", dst="198.18.7.0/24", via="10.0.0.9", force=True)


def test_a_connection_of_another_network_is_not_the_line_by_which_the_host_is_managed(world, line, monkeypatch):
    monkeypatch.setenv("SSH_CONNECTION", line.replace(CONTROLLER, "198.18.7.8"))
    assert ssh.clients() == []


def test_it_is_known_below_sudo_too(world, line):
    """Only the environment of an ancestor has the variable."""
    code = "from ansible_collections.linuxnet.lab.plugins.module_utils.host import ssh; print(ssh.clients())"
    inner = "env -u SSH_CONNECTION {0} -c '{1}'; true".format(shlex.quote(sys.executable), code)
    found = subprocess.run(
        ["bash", "-c", inner], env={**os.environ, "SSH_CONNECTION": line}, capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == str([CONTROLLER]), found.stderr
    assert ssh.clients() == []


def test_ipv6(world, monkeypatch):
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as server:
        client = socket.create_connection(server.getsockname()[:2])
        with client, server.accept()[0]:
            names = (*client.getsockname()[:2], *server.getsockname()[:2])
            monkeypatch.setenv("SSH_CONNECTION", "{0} {1} {2} {3}".format(*names))
            assert ssh.clients() == ["::1"]
