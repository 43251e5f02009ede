# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ARP checks of the module connectivity. ip(8) reports the MAC addresses."""

from __future__ import annotations

import re
import subprocess
import typing as t

import pytest

from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import namespaces


@pytest.fixture
def segment(world: t.Any) -> t.Any:
    """The host with 10.0.0.1 on br0, and on the bridge the namespaces a, 10.0.0.2, and b, 10.0.0.3, with eth0."""
    world.sh("ip link add br0 type bridge mcast_snooping 0; ip link set br0 up; ip addr add 10.0.0.1/24 dev br0")
    for name, number in (("a", 2), ("b", 3)):
        world.sh(
            f"ip netns add {name}; ip link add v-{name} master br0 up type veth peer name eth0 netns {name};"
            f"ip -n {name} link set eth0 address 02:00:00:00:00:0{number} up;"
            f"ip -n {name} addr add 10.0.0.{number}/24 dev eth0"
        )
    return world


def asked(world: t.Any, **options: t.Any) -> dict[str, t.Any]:
    """The result of one ARP check, by default on eth0 of a."""
    done = world.run("connectivity", **{"from": "a", "protocol": "arp", "dev": "eth0", **options})
    return done["results"][0]


def test_who_has(segment: t.Any) -> None:
    """One request gets one answer, with the MAC address of its sender. The asker's neighbour table stays empty."""
    result = asked(segment, to="10.0.0.3")
    (link,) = segment.json("ip -j link show eth0", "b")
    assert result["lladdrs"] == [link["address"]]
    assert (result["reason"], result["by"], result["sent"], result["received"]) == ("reply", "10.0.0.3", 1, 1)
    assert 0 < result["rtt_ms"] < 200
    assert segment.json("ip -j neigh show to 10.0.0.3", "a") == []
    results = segment.run("connectivity", checks=[{"to": f"10.0.0.{n}"} for n in (2, 3)], protocol="arp", dev="br0")
    assert [result["lladdrs"] for result in results["results"]] == [["02:00:00:00:00:02"], ["02:00:00:00:00:03"]]
    assert re.fullmatch(r" *host +10.0.0.2 arp .* reply from 02:00:00:00:00:02 .*", results["table"][1])


def test_the_request_is_a_broadcast_from_the_sender(segment: t.Any) -> None:
    """tcpdump at the other end sees it with the source address of the options, or with the kernel's choice."""
    segment.sh("ip addr add 10.0.0.22/24 dev eth0", "a")
    with namespaces.inside_ref("b"):
        command = ["tcpdump", "-enli", "eth0", "-c", "3", "--immediate-mode", "arp[6:2] == 1"]
        capture = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert capture.stderr is not None
        while "listening on" not in capture.stderr.readline():
            pass
        asked(segment, to="10.0.0.3")
        asked(segment, to="10.0.0.3", src="10.0.0.22")
        asked(segment, to="10.0.0.3", src="10.0.0.99")
        seen = capture.communicate(timeout=20)[0].splitlines()
    finally:
        capture.kill()
    requests = [line for line in seen if "Request who-has 10.0.0.3" in line]
    assert [re.findall(r"tell ([0-9.]+)", line)[0] for line in requests] == ["10.0.0.2", "10.0.0.22", "10.0.0.99"]
    assert all("02:00:00:00:00:02 > ff:ff:ff:ff:ff:ff" in line for line in requests)


def test_two_answers(segment: t.Any) -> None:
    """With a duplicate address or a spoofer, the result has both MAC addresses, whatever `count` is."""
    segment.sh("ip addr add 10.0.0.3/24 dev br0")
    (bridge,) = segment.json("ip -j link show br0")
    result = asked(segment, to="10.0.0.3")
    assert sorted(result["lladdrs"]) == sorted([bridge["address"], "02:00:00:00:00:03"])
    assert (result["sent"], result["received"]) == (1, 1)
    done = segment.module("connectivity", to="10.0.0.3", dev="eth0", protocol="arp", expect="no_reply", **{"from": "a"})
    assert (done["failed"], len(done["results"][0]["lladdrs"])) == (True, 2)


def test_nobody(segment: t.Any) -> None:
    """Nobody answers for an unused address, or for one's own. The result has no MAC addresses."""
    for address in ("10.0.0.250", "10.0.0.2"):
        result = asked(segment, to=address, expect="no_reply", timeout=0.5)
        assert (result["lladdrs"], result["rtt_ms"], result["sent"] > 1) == ([], None, True)
    segment.sh("sysctl -qw net.ipv4.conf.all.arp_ignore=8", "b")
    asked(segment, to="10.0.0.3", expect="unreachable", timeout=0.5)


def test_without_an_address_of_ones_own(segment: t.Any) -> None:
    """An ARP probe without a source address, as before taking an address, gets an answer as well."""
    segment.sh("ip addr flush dev eth0", "a")
    assert asked(segment, to="10.0.0.3")["lladdrs"] == ["02:00:00:00:00:03"]


def test_a_link_that_is_down_and_one_that_comes_up(segment: t.Any) -> None:
    """A link that is down is a reason of its own. If it comes up, the same check succeeds."""
    segment.sh("ip link set eth0 down", "a")
    assert asked(segment, to="10.0.0.3", expect="link_down", timeout=3600)["errno"] == "ENETDOWN"
    with subprocess.Popen(["/bin/sh", "-c", "sleep 0.5; ip -n a link set eth0 up"]):
        assert asked(segment, to="10.0.0.3", timeout=20)["lladdrs"] == ["02:00:00:00:00:03"]


def test_count(segment: t.Any) -> None:
    """The target answers each request."""
    result = asked(segment, to="10.0.0.3", count=3, interval=0.05)
    assert (result["sent"], result["received"], result["lladdrs"]) == (3, 3, ["02:00:00:00:00:03"])


def test_options_that_do_not_go_with_it(segment: t.Any) -> None:
    """ARP needs a device and an IPv4 address."""
    checks = [{"to": "10.0.0.3"}, {"to": "fd00::3", "dev": "br0"}, {"to": "10.0.0.3", "dev": "eth9"}]
    assert segment.module("connectivity", checks=checks, protocol="arp")["errors"] == [
        "checks[0].dev: arp needs a device",
        "checks[1].to: 'fd00::3' is not IPv4, which arp needs",
        "checks[2].dev: there is no interface 'eth9' in the host",
    ]
