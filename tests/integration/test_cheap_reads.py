# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The fast ways to read the kernel give the same results as the slow ones."""

from __future__ import annotations

import contextlib
import os
import socket
import typing as t

import pytest

from ansible_collections.linuxnet.lab.plugins.module_utils.errors import KernelError
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import namespaces, sysctl, tcp_connections
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.sockets import Sockets


@contextlib.contextmanager
def connection(family: int, listen: str, target: str) -> t.Iterator[None]:
    """A TCP connection to an address of the host, which a socket of this family accepts."""
    with socket.create_server((listen, 0), family=family, dualstack_ipv6=listen == "::") as server:
        with socket.create_connection((target, server.getsockname()[1])), server.accept()[0]:
            yield


def test_tcp_connections_as_in_proc(world: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The results have IPv4, IPv6, and IPv4 through a dual-stack socket, but no listening sockets and no other
    namespaces.
    """
    world.sh("ip link set lo up; ip netns add other; ip -n other link set lo up")
    with contextlib.ExitStack() as stack:
        stack.enter_context(connection(socket.AF_INET, "127.0.0.1", "127.0.0.1"))
        stack.enter_context(connection(socket.AF_INET6, "::1", "::1"))
        stack.enter_context(connection(socket.AF_INET6, "::", "127.0.0.1"))
        with namespaces.inside_ref("other"):
            stack.enter_context(connection(socket.AF_INET, "127.0.0.1", "127.0.0.1"))
        found = tcp_connections.established()
        assert sorted({one.local for one in found}) == ["127.0.0.1", "::1"]
        assert len(found) == 6

        def refuse(*dummy: t.Any) -> t.Any:
            raise KernelError(2)  # ENOENT: a kernel without tcp_diag

        with monkeypatch.context() as patch:
            patch.setattr(tcp_connections.Netlink, "dump", refuse)
            assert sorted(tcp_connections.established()) == sorted(found)


@pytest.mark.parametrize("value", ["0", "1", "7", "-1"])
def test_forwarding_as_in_proc(world: t.Any, value: str) -> None:
    world.sh(f"ip netns add a; ip netns exec a sysctl -qw net.ipv4.ip_forward={value}")
    with Sockets() as sockets, namespaces.inside_ref("a"):
        assert sysctl.read(sysctl.FORWARDING[4]) == value
        assert sysctl.value(sockets, "", sysctl.FORWARDING[4]) == value
    with Sockets() as sockets:
        assert sysctl.value(sockets, "a", sysctl.FORWARDING[4]) == value
        assert sysctl.value(sockets, "missing", sysctl.FORWARDING[4]) is None


def test_excursions_within_excursions_return_to_where_they_began(world: t.Any) -> None:
    world.sh("ip netns add a; ip netns add b")

    def here() -> int:
        return os.stat("/proc/thread-self/ns/net").st_ino

    inodes = {name: os.stat(f"/run/netns/{name}").st_ino for name in "ab"}
    home = here()
    with Sockets() as sockets:
        for dummy in range(2):
            with pytest.raises(ZeroDivisionError), sockets.finder.inside("a"):
                assert here() == inodes["a"]
                with sockets.finder.inside("b"):
                    assert here() == inodes["b"]
                assert here() == inodes["a"]
                raise ZeroDivisionError
            assert here() == home
