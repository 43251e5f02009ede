# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""TCP and UDP checks of the module connectivity. Python's own sockets and ss(8) are the oracles."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import threading
import typing as t

import pytest

from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import namespaces
from ansible_collections.linuxnet.lab.plugins.module_utils.probe import listener, udp

BOTH = ("10.0.0.2", "fd00::2")


@pytest.fixture
def link(world: t.Any) -> t.Any:
    """A pair between the host, 10.0.0.1 and fd00::1, and eth0 in b, 10.0.0.2 and fd00::2."""
    world.sh(
        "ip netns add b; ip link add v type veth peer name eth0 netns b;"
        "ip -n b link set lo up; ip link set v up; ip -n b link set eth0 up;"
        "ip addr add 10.0.0.1/24 dev v; ip addr add fd00::1/64 dev v nodad;"
        "ip -n b addr add 10.0.0.2/24 dev eth0; ip -n b addr add fd00::2/64 dev eth0 nodad"
    )
    return world


def input_rule(world: t.Any, rule: str) -> None:
    """Filter the packets that b receives."""
    nft(world, f"type filter hook input priority 0\n{rule}")


def nft(world: t.Any, chain: str) -> None:
    """Add a chain in b."""
    world.sh(f"nft -f - <<'END'\ntable inet t {{\nchain c {{\n{chain}\n}}\n}}\nEND", "b")


@contextlib.contextmanager
def service(kind: int, address: str, port: int) -> t.Iterator[socket.socket]:
    """A socket of somebody else at a port of b."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with namespaces.inside_ref("b"):
        sock = socket.socket(family, kind)
    with sock:
        sock.bind((address, port))
        sock.settimeout(10)
        if kind == socket.SOCK_STREAM:
            sock.listen()
        yield sock


def connects(address: str, port: int) -> bool:
    """Whether a connection of Python's own socket succeeds."""
    try:
        socket.create_connection((address, port), timeout=1).close()
    except OSError:
        return False
    return True


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
def test_our_own_listener(link: t.Any, protocol: str) -> None:
    """The port is reachable during the check, in both IP versions and any namespace. Nobody listens before and after
    it.
    """
    checks = [{"to": to, "listen": "b"} for to in BOTH]
    checks += [{"from": "b", "to": to, "listen": ""} for to in ("10.0.0.1", "fd00::1")]
    checks += [{"from": "b", "to": to, "listen": "b"} for to in ("127.0.0.1", "::1")]
    results = link.run("connectivity", checks=checks, protocol=protocol, port=5001)["results"]
    for result in results:
        assert (result["reason"], result["by"], result["received"]) == ("reply", result["to"], 1)
        assert (result["protocol"], result["port"], result["rtt_ms"] > 0) == (protocol, 5001, True)
    for netns in ("", "b"):
        assert ":5001" not in link.sh("ss -Hlntu", netns)
    silent = [{"to": to, "expect": "refused"} for to in BOTH]
    done = link.run("connectivity", checks=silent, protocol=protocol, port=5001, timeout=3600)
    assert [(result["by"], result["sent"], result["errno"]) for result in done["results"]] == [
        (to, 2, "") for to in BOTH
    ]
    line = f"host 10.0.0.2 {protocol}/5001 refused unreachable refused -"
    assert done["table"][1].split() == line.split()
    assert not connects("10.0.0.2", 5001)


def test_the_listener_hangs_up_and_echoes_nothing_foreign(link: t.Any) -> None:
    """Other clients get no data from the listener."""
    with namespaces.inside_ref("b"):
        hangup, echo = (listener.open_listener(protocol, socket.AF_INET, 5001, b"token") for protocol in ("tcp", "udp"))
    with contextlib.closing(hangup), contextlib.closing(echo), socket.socket(type=socket.SOCK_DGRAM) as datagrams:
        with socket.create_connection(("10.0.0.2", 5001), timeout=5) as connection:
            hangup.ready()
            assert connection.recv(1) == b""
        datagrams.settimeout(5)
        for words in (b"1234words", b"1234token"):
            datagrams.sendto(words, ("10.0.0.2", 5001))
        echo.ready()
        assert datagrams.recv(100) == b"1234token"


def test_the_listener_is_where_the_address_is(link: t.Any) -> None:
    """The module finds the namespace by the address, and refuses an address that nobody or two namespaces have."""
    link.sh("ip addr add 10.0.0.77/32 dev lo; ip -n b addr add 10.0.0.77/32 dev lo")
    checks = [{"to": to} for to in BOTH]
    for protocol in ("tcp", "udp"):
        link.run("connectivity", checks=checks, protocol=protocol, port=5001, listen="auto")
    checks += [{"to": "10.0.0.99"}, {"from": "b", "to": "10.0.0.77"}]
    assert link.module("connectivity", checks=checks, protocol="tcp", port=5001, listen="auto")["errors"] == [
        "checks[2].listen: no namespace has the address 10.0.0.99",
        "checks[3].listen: more than one namespace has the address 10.0.0.77",
    ]


def test_a_tcp_service_that_runs_already(link: t.Any) -> None:
    """A check without `listen` connects to it. A check with `listen` reports that its port is in use."""
    with service(socket.SOCK_STREAM, "10.0.0.2", 80) as sock:
        link.run("connectivity", to="10.0.0.2", protocol="tcp", port=80)
        assert sock.accept()[0].recv(10) == b""  # connected and closed without data
        done = link.module("connectivity", to="10.0.0.2", protocol="tcp", port=80, listen="b")
    (error,) = done["errors"]
    assert (
        error
        == "listen: port 80 is in use in namespace 'b'; without listen, the check uses the program that listens there"
    )


def test_a_udp_service_that_runs_already(link: t.Any) -> None:
    """Silence is no answer, but any datagram of the service is one."""
    for address in BOTH:
        with service(socket.SOCK_DGRAM, address, 53) as sock:
            link.run("connectivity", to=address, protocol="udp", port=53, expect="no_reply", timeout=0.5)
            while True:
                data, sender = sock.recvfrom(100)
                if sender[1] and len(data) == 60:
                    break
            sock.close()
    with service(socket.SOCK_DGRAM, "10.0.0.2", 53) as sock:
        answer = threading.Thread(target=lambda: sock.sendto(b"words", sock.recvfrom(100)[1]))
        answer.start()
        (result,) = link.run("connectivity", to="10.0.0.2", protocol="udp", port=53, timeout=10)["results"]
        answer.join()
    assert (result["reason"], result["by"]) == ("reply", "10.0.0.2")


def test_words_are_no_echo_of_our_own_listener(link: t.Any) -> None:
    """A datagram of another program proves that the port is open, but not that our listener is reachable."""
    nft(link, "type nat hook prerouting priority -100\nudp dport 5001 redirect to :7")
    stop = threading.Event()
    with service(socket.SOCK_DGRAM, "10.0.0.2", 7) as sock:
        sock.settimeout(0.05)

        def talk() -> None:
            while not stop.is_set():
                with contextlib.suppress(TimeoutError, socket.timeout):
                    sock.sendto(b"words", sock.recvfrom(100)[1])

        talker = threading.Thread(target=talk)
        talker.start()
        asked = {"to": "10.0.0.2", "protocol": "udp", "port": 5001, "timeout": 0.5}
        results = [link.module("connectivity", **asked, **more)["results"][0] for more in ({}, {"listen": "b"})]
        stop.set()
        talker.join()
    assert [result["reason"] for result in results] == ["reply", "no_reply"]


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ("drop", "no_reply"),
        ("reject with icmpx type admin-prohibited", "prohibited"),
        ("reject with icmpx type host-unreachable", "host_unreachable"),
        ("reject with icmpx type port-unreachable", "refused"),
    ],
)
def test_what_a_firewall_makes_of_it(link: t.Any, protocol: str, rule: str, reason: str) -> None:
    """The ICMP error in the error queue is the reason. Another port of the same host stays reachable."""
    link.sh("sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0", "b")
    input_rule(link, f"{protocol} dport 5001 {rule}")
    checks = [{"to": to, "port": 5001, "expect": reason} for to in BOTH]
    checks += [{"to": to, "port": 5002} for to in BOTH]
    results = link.run("connectivity", checks=checks, protocol=protocol, listen="b", timeout=1)["results"]
    assert [result["by"] for result in results] == [*(to if reason != "no_reply" else "" for to in BOTH), *BOTH]
    assert not connects("10.0.0.2", 5001)


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
def test_local_reasons(link: t.Any, protocol: str) -> None:
    """The sender's own kernel refuses to send, or finds after three seconds that no host has the address."""
    link.sh("ip route add prohibit 10.9.0.0/24; ip route add blackhole 10.8.0.0/24")
    checks = [
        {"to": "198.51.100.8", "expect": "no_route"},
        {"to": "2001:db8::8", "expect": "no_route"},
        {"to": "10.9.0.1", "expect": "not_permitted"},
        {"to": "10.8.0.1", "expect": "blackhole"},
        {"to": "10.0.0.2", "src": "10.0.0.3", "expect": "no_source_address"},
        {"to": "10.0.0.250", "expect": "host_unreachable"},
        {"to": "fd00::250", "expect": "host_unreachable"},
    ]
    results = link.run("connectivity", checks=checks, protocol=protocol, port=80, timeout=20)["results"]
    assert [result["errno"] for result in results] == [
        "ENETUNREACH", "ENETUNREACH", "EACCES", "EINVAL", "EADDRNOTAVAIL", "", "",
    ]  # fmt: skip


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
def test_source_address_and_device(link: t.Any, protocol: str) -> None:
    """The target accepts only one of the sender's addresses, and only the device leads to it."""
    link.sh("ip addr add 10.0.0.22/24 dev v; ip addr add 10.7.0.1/24 dev v; ip -n b route add 10.7.0.0/24 dev eth0")
    input_rule(link, f"ip saddr != 10.0.0.22 {protocol} dport 5001 drop")
    checks = [
        {"to": "10.0.0.2", "src": "10.0.0.22"},
        {"to": "10.0.0.2", "expect": "no_reply"},
        {"to": "10.0.0.2", "src": "10.0.0.22", "dev": "v"},
        {"to": "10.0.0.2", "src": "10.0.0.22", "dev": "lo", "expect": "unreachable"},
    ]
    link.run("connectivity", checks=checks, protocol=protocol, port=5001, listen="b", timeout=0.7)
    missing = {"to": "10.0.0.2", "dev": "eth9", "protocol": protocol, "port": 5001}
    assert link.module("connectivity", **missing)["errors"] == ["dev: there is no interface 'eth9' in the host"]


def test_udp_answers_come_from_the_address_that_was_asked(link: t.Any) -> None:
    """The listener's host has two addresses, and the kernel would answer from the other one."""
    link.sh("ip addr add 10.0.0.5/24 dev eth0; ip addr add fd00::5/64 dev eth0 nodad", "b")
    link.sh("ip route replace 10.0.0.0/24 dev eth0 src 10.0.0.2", "b")
    checks = [{"to": to} for to in ("10.0.0.5", "10.0.0.2", "fd00::5", "fd00::2")]
    link.run("connectivity", checks=checks, protocol="udp", port=5001, listen="b", timeout=1)


def test_an_error_about_one_target_does_not_keep_another_from_being_asked(link: t.Any) -> None:
    """The checks share a socket, which keeps the error until the next send."""
    with contextlib.closing(udp.Endpoint(socket.AF_INET)) as line, service(socket.SOCK_DGRAM, "10.0.0.2", 53) as sock:
        line.send("10.0.0.2", 9, b"closed")
        pending = select.poll()
        pending.register(line, 0)
        assert pending.poll(5000) == [(line.fileno(), select.POLLERR)]
        line.send("10.0.0.2", 53, b"open")
        assert sock.recv(100) == b"open"
        (heard,) = line.receive()
        assert (heard.address, heard.port, heard.error is None) == ("10.0.0.2", 9, False)


def test_count_is_of_connections_and_of_echoes(link: t.Any) -> None:
    """The check opens connections, or sends datagrams, one after another."""
    for protocol in ("tcp", "udp"):
        options = {"to": "10.0.0.2", "protocol": protocol, "port": 5001, "listen": "b", "count": 3, "interval": 0.01}
        (result,) = link.run("connectivity", **options)["results"]
        assert (result["sent"], result["received"]) == (3, 3)


def test_a_service_that_comes_late_is_waited_for(link: t.Any) -> None:
    """Refusals do not end a check that expects an answer."""

    def late() -> None:
        with service(socket.SOCK_STREAM, "10.0.0.2", 80) as sock:
            sock.accept()[0].close()

    timer = threading.Timer(0.5, late)
    timer.start()
    (result,) = link.run("connectivity", to="10.0.0.2", protocol="tcp", port=80, timeout=20)["results"]
    timer.join()
    assert (result["reason"], result["sent"] > 1) == ("reply", True)


def test_all_protocols_at_once(link: t.Any) -> None:
    """One task has checks of all protocols."""
    checks = [
        {"to": "10.0.0.2"},
        {"to": "10.0.0.2", "protocol": "tcp", "port": 80},
        {"to": "10.0.0.2", "protocol": "udp"},
        {"to": "10.0.0.2", "protocol": "arp", "dev": "v"},
    ]
    done = link.run("connectivity", checks=checks, port=53, listen="b")
    assert [line.split()[2] for line in done["table"][1:]] == ["reachable", "tcp/80", "udp/53", "arp"]


def test_options_that_do_not_go_together(link: t.Any) -> None:
    """The module names each invalid option."""
    checks = [
        {"to": "10.0.0.2", "protocol": "tcp"},
        {"to": "10.0.0.2", "protocol": "udp", "port": 70000},
        {"to": "10.0.0.2", "port": 80},
        {"to": "10.0.0.2", "listen": "b"},
        {"to": "10.0.0.2", "protocol": "tcp", "port": 80, "df": True},
        {"to": "224.0.0.1", "protocol": "udp", "port": 80},
        {"to": "10.0.0.2", "protocol": "tcp", "port": 80, "listen": "c9"},
    ]
    assert link.module("connectivity", checks=checks)["errors"] == [
        "checks[0].port: tcp needs one between 1 and 65535",
        "checks[1].port: udp needs one between 1 and 65535",
        "checks[2].port: only tcp and udp can have this, not icmp",
        "checks[3].listen: only tcp and udp can have this, not icmp",
        "checks[4].df: only icmp can have this, not tcp",
        "checks[5].to: '224.0.0.1' is a multicast address, which only icmp can reach",
        "checks[6].listen: there is no network namespace 'c9'",
    ]


def test_nothing_stays_open(link: t.Any) -> None:
    """No socket stays open after success, or if only some of the listeners could be opened."""
    before = (len(os.listdir("/proc/self/fd")), os.stat("/proc/thread-self/ns/net").st_ino)
    good = [{"to": "10.0.0.2", "protocol": protocol, "port": 5001, "listen": "b"} for protocol in ("tcp", "udp")]
    link.run("connectivity", checks=good)
    assert link.module("connectivity", checks=[*good, {**good[0], "listen": "c9"}])["failed"]
    assert link.module("connectivity", to="10.0.0.250", protocol="tcp", port=1, timeout=0.2)["failed"]
    assert (len(os.listdir("/proc/self/fd")), os.stat("/proc/thread-self/ns/net").st_ino) == before
