# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Policy rules, in the module and in a topology. ip-rule(8) and real packets are the oracle."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.sockets import Sockets
from ansible_collections.linuxnet.lab.plugins.module_utils.snapshot import Snapshot
from ansible_collections.linuxnet.lab.plugins.module_utils.topology.export import export

if t.TYPE_CHECKING:
    from .conftest import World

# c reaches 10.9.0.1 on lo of a or of b, depending on the source address.
LAB: dict[str, t.Any] = {
    "name": "x",
    "namespaces": {"c": {}, "a": {"lo": "10.9.0.1/32"}, "b": {}},
    "segments": {"one": {"prefix": ["10.5.0.0/24", "fd05::/64"], "members": {"c": {"name": "lan"}}}},
    "links": [
        {"ends": ["c:ca", "a:ac"], "prefix": "10.1.0.0/24"},
        {"ends": ["c:cb", "b:bc"], "prefix": "10.2.0.0/24"},
    ],
    "routes": [
        {"netns": "c", "dst": "10.9.0.1", "via": "a"},
        {"netns": "c", "dst": "10.9.0.1", "via": "b", "table": "200"},
    ],
    "rules": [
        {"netns": "c", "priority": 100, "from": "10.2.0.1", "table": "200"},
        {"netns": "c", "priority": 101, "not": True, "to": "10.9.0.0/16", "fwmark": "0x1/0xf", "table": "main",
         "suppress_prefixlength": 0},
        {"netns": "c", "priority": 102, "iif": "lan", "ipproto": "tcp", "dport": "80-90", "sport": "7",
         "type": "prohibit"},
        {"netns": "c", "priority": 103, "oif": "ca", "tos": 16, "uidrange": "7-9", "ipproto": "47", "table": "70000"},
        {"netns": "c", "priority": 104, "from": "one", "fwmark": "7", "type": "blackhole"},
    ],
}  # fmt: skip


@pytest.fixture
def lab(world: World) -> dict[str, t.Any]:
    """The topology of a lab that is built."""
    world.run("topology", topology=LAB)
    return LAB


def listed(world: World, netns: str = "c") -> list[str]:
    """The rules that ip-rule(8) prints, without those of the kernel."""
    lines = world.sh("ip rule; ip -6 rule", netns).splitlines()
    usual = ("0:\tfrom all lookup local", "32766:\tfrom all lookup main", "32767:\tfrom all lookup default")
    return [line.replace(" proto 76", "").strip() for line in lines if line.strip() not in usual]


BUILT = [
    "100:\tfrom 10.2.0.1 lookup 200",
    "101:\tnot from all to 10.9.0.0/16 fwmark 0x1/0xf lookup main suppress_prefixlength 0",
    "102:\tfrom all iif lan ipproto tcp sport 7 dport 80-90 prohibit",
    "103:\tfrom all tos 0x10 oif ca uidrange 7-9 ipproto gre lookup 70000",
    "104:\tfrom 10.5.0.0/24 fwmark 0x7 blackhole",
    "104:\tfrom fd05::/64 fwmark 0x7 blackhole",
]


def test_the_source_address_decides(world: World, lab: dict[str, t.Any]) -> None:
    """b does not have the address and does not forward, so only packets with the first source get answers."""
    there = [line.replace("tos throughput", "tos 0x10").replace("tos 8", "tos 0x10") for line in listed(world)]
    assert there == BUILT
    for ip, dev in (("10.1.0.1", "ca"), ("10.2.0.1", "cb")):
        assert world.json("ip -j route get 10.9.0.1 from {0}".format(ip), "c")[0]["dev"] == dev
    assert "1 received" in world.sh("ping -n -c 1 -W 2 -I 10.1.0.1 10.9.0.1", "c")
    assert " 0 received" in world.sh("ping -n -c 1 -W 1 -I 10.2.0.1 10.9.0.1", "c", check=False)
    world.sh("ip addr add 10.9.0.1/32 dev lo", "b")
    assert "1 received" in world.sh("ping -n -c 1 -W 2 -I 10.2.0.1 10.9.0.1", "c")


def test_drift_is_seen_and_repaired(world: World, lab: dict[str, t.Any]) -> None:
    """A change of each attribute is repaired. Rules of others stay, unless the topology removes foreign ones."""
    built = listed(world)
    assert not world.run("topology", topology=lab)["changed"]
    rule = "ip -n c rule {0} pref {1} {2}"
    for number, right, wrong in (
        (100, "from 10.2.0.1 lookup 200", "from 10.2.0.1 lookup 201"),
        (100, "from 10.2.0.1 lookup 200", "from 10.2.0.1 blackhole"),
        (100, "from 10.2.0.1 lookup 200", "from 10.2.0.0/24 lookup 200"),
        (101, "not from all to 10.9.0.0/16 fwmark 0x1/0xf lookup main suppress_prefixlength 0",
         "not from all to 10.9.0.0/16 fwmark 0x1/0xf lookup main suppress_prefixlength 8"),
        (101, "not from all to 10.9.0.0/16 fwmark 0x1/0xf lookup main suppress_prefixlength 0",
         "from all to 10.9.0.0/16 fwmark 0x1/0xf lookup main suppress_prefixlength 0"),
        (101, "not from all to 10.9.0.0/16 fwmark 0x1/0xf lookup main suppress_prefixlength 0",
         "not from all to 10.9.0.0/16 fwmark 0x1/0xe lookup main suppress_prefixlength 0"),
        (102, "from all iif lan ipproto tcp sport 7 dport 80-90 prohibit",
         "from all iif lan ipproto udp sport 7 dport 80-90 prohibit"),
        (102, "from all iif lan ipproto tcp sport 7 dport 80-90 prohibit",
         "from all iif lan ipproto tcp sport 8 dport 80-91 prohibit"),
        (102, "from all iif lan ipproto tcp sport 7 dport 80-90 prohibit",
         "from all iif ca ipproto tcp sport 7 dport 80-90 prohibit"),
        (103, "tos 0x10 oif ca uidrange 7-9 ipproto gre lookup 70000", "oif cb uidrange 7-9 ipproto gre lookup 70000"),
        (103, "tos 0x10 oif ca uidrange 7-9 ipproto gre lookup 70000", "tos 0x10 oif ca uidrange 7-8 lookup 70000"),
    ):  # fmt: skip
        wrong += " protocol 76"
        damage = "{0}; {1}".format(rule.format("del", number, right), rule.format("add", number, wrong))
        world.sh(damage)
        assert listed(world) != built, damage
        assert world.run("lab_info")["labs"][0]["drifted"], damage
        done = world.run("topology", topology=lab)
        assert listed(world) == built, damage
        world.sh(damage)
        world.sh("; ".join(done["commands"]))
        assert listed(world) == built, damage
    world.sh("ip -n c rule del pref 104; ip -n c -6 rule del pref 104")
    world.run("topology", topology=lab)
    assert listed(world) == built
    # The same rule, added by somebody else.
    world.sh("ip -n c rule del pref 100; ip -n c rule add pref 100 from 10.2.0.1 lookup 200")
    world.sh("ip -n c rule add pref 99 from 10.77.0.1 lookup 200")
    assert not world.run("topology", topology=lab)["changed"]
    strict = {**lab, "foreign": "remove"}
    world.run("topology", topology=strict)
    assert listed(world) == built
    assert not world.run("topology", topology=strict)["changed"]


def test_export_typed_and_removed(world: World, lab: dict[str, t.Any]) -> None:
    """An export and the typed commands build the same rules. A rule disappears with its entry."""
    built = listed(world)
    with Sockets() as sockets:
        exported = export(Snapshot(sockets), "x")
    assert len(exported["rules"]) == 6
    assert not [one for one in world.run("topology", topology=exported)["commands"] if " rule " in one]
    (shown,) = world.run("netns_info", name=["c"])["namespaces"]
    assert shown["rules"][1]["text"] == "100: from 10.2.0.1/32 lookup 200"
    assert {"from": "10.2.0.1/32", "table": "200", "protocol": 76}.items() <= shown["rules"][1].items()
    fewer = {**lab, "rules": lab["rules"][:1]}
    world.run("topology", topology=fewer)
    assert listed(world) == built[:1]
    del fewer["rules"]
    world.sh("ip -n c rule add pref 99 from 10.77.0.1 lookup 200")
    world.run("topology", topology=fewer)
    assert listed(world) == ["99:\tfrom 10.77.0.1 lookup 200"]
    world.sh("ip -n c rule del pref 99")
    done = world.run("topology", topology=lab)
    assert listed(world) == built
    world.sh("ip -n c rule flush; ip -n c rule add pref 32766 lookup main; ip -n c rule add pref 32767 lookup default")
    world.sh("ip -n c -6 rule del pref 104")
    world.sh("\n".join(one for one in done["commands"] if " rule add " in one))
    assert listed(world) == built


def test_the_module(world: World) -> None:
    """The module adds, keeps, replaces and removes rules, also without a priority. A refused run leaves nothing."""
    world.run("netns", lab="x", name=["c"])
    rule = {"lab": "x", "netns": "c", "from": "10.0.0.0/8"}
    done = world.quartet("rule", **rule, table="100")
    assert done["commands"] == ["ip -n c rule add pref 32765 from 10.0.0.0/8 lookup 100"]
    done = world.run("rule", **rule, table="101")
    assert done["commands"] == [
        "ip -n c rule add pref 32765 from 10.0.0.0/8 lookup 101",
        "ip -n c rule del pref 32765 from 10.0.0.0/8 lookup 100",
    ]
    world.run("rule", lab="x", netns="c", family=6, table="7")
    assert listed(world) == ["32765:\tfrom 10.0.0.0/8 lookup 101", "32765:\tfrom all lookup 7"]
    before = listed(world)
    broken = world.module("rule", lab="x", netns="c", rules=[
        {"priority": 5, "from": "10.1.0.0/16", "type": "blackhole"},
        {"priority": 6, "from": "10.1.0.0/16", "table": "9", "tos": 255},
    ])  # fmt: skip
    assert "the changes before it were undone" in broken["msg"]
    assert listed(world) == before
    world.sh("ip -n c rule add pref 9 from 10.7.0.0/16 lookup 9")
    assert not world.run("rule", lab="x", netns="c", table="9", **{"from": "10.7.0.0/16"})["changed"]
    world.run("rule", lab="x", netns="c", priority=32765, state="absent")
    assert not world.run("rule", lab="x", netns="c", priority=32765, state="absent")["changed"]
    world.run("rule", lab="x", netns="c", family=6, table="7", state="absent")
    assert listed(world) == ["9:\tfrom 10.7.0.0/16 lookup 9"]


def test_on_the_host(world: World) -> None:
    """A record identifies the lab's rules on the host. The removal deletes them. They must not divert the host's
    packets.
    """
    world.sh("ip link add f0 type veth peer name f1; ip addr add 192.0.2.1/24 dev f0; ip link set f0 up")
    world.sh("ip link set f1 up; ip route add default via 192.0.2.2; ip rule add pref 9 from 10.9.0.0/16 lookup 9")
    before = listed(world, "")
    world.run("netns", lab="x", name=["c"])
    world.run("veth", lab="x", name="h0", addresses=["10.0.0.1/24"], peer={"name": "eth0", "netns": "c"})
    world.run("rule", lab="x", priority=50, table="100", **{"from": "10.3.0.0/16"})
    world.run("rule", lab="x", priority=51, table="100", iif="h0")
    assert len(listed(world, "")) == 3
    for options, reason in (
        ({"priority": 1}, "a rule for packets from all would be for those of the host itself"),
        ({"from": "192.0.2.0/25"}, "a rule for packets from 192.0.2.0/25 would be for those of the host itself"),
        ({"to": "192.0.2.2"}, "192.0.2.2/32 covers 192.0.2.2, the gateway of this host's route to default"),
        ({"iif": "f0"}, "link 'f0' exists in the host's namespace"),
    ):
        (error,) = world.refused("rule", lab="x", table="100", **options)
        assert reason in error and "unless force is true" in error
    (error,) = world.refused("rule", lab="x", priority=9, state="absent")
    assert "does not belong to lab 'x'; it will not be deleted unless force is true" in error
    (error,) = world.refused("rule", lab="y", priority=50, state="absent")
    assert "does not belong to lab 'y'" in error
    world.run("topology", name="x", state="absent")
    assert listed(world, "") == before
    topology = {"name": "z", "namespaces": ["c"], "links": [["c", "host:h0"]],
                "rules": {"netns": "host", "priority": 50, "iif": "h0", "table": "100"}}  # fmt: skip
    world.run("topology", topology=topology)
    assert len(listed(world, "")) == 2
    del topology["rules"]
    world.run("topology", topology=topology)
    assert listed(world, "") == before


def test_rules_that_cannot_be(world: World, lab: dict[str, t.Any]) -> None:
    """Each mistake gives one error that names the value."""
    for options, reason in (
        ({"from": "10.0.0.0/8"}, "table: a rule needs either a table or a type"),
        ({"table": "7", "type": "prohibit"}, "table: a rule needs either a table or a type"),
        ({"table": "mian"}, "table: 'mian' is not a table: main, default, local, or 1 to 4294967295"),
        ({"table": "7", "from": "10.0.0.300"}, "from: '10.0.0.300' is not a network"),
        ({"table": "7", "from": "10.0.0.0/8", "to": "fd00::/8"}, "from: IPv4 and IPv6 cannot be mixed: from 10.0."),
        ({"table": "7", "from": "10.0.0.0/8", "family": 6}, "from: IPv4 and IPv6 cannot be mixed: from 10.0.0.0/8, "),
        ({"table": "7", "family": 5}, "family: 5 is neither 4 nor 6"),
        ({"table": "7", "priority": -1}, "priority: -1 is not between 0 and 4294967295"),
        ({"table": "7", "fwmark": "0x1/"}, "fwmark: '0x1/' is not a mark, as in 0x1 or 0x1/0xff"),
        ({"table": "7", "sport": "90-80"}, "sport: '90-80' is not a number or a range, as in 80-90, within 1-65535"),
        ({"table": "7", "dport": "70000"}, "dport: '70000' is not a number or a range, as in 80-90, within 1-65535"),
        ({"table": "7", "uidrange": "a"}, "uidrange: 'a' is not a number or a range"),
        ({"table": "7", "ipproto": "tpc"}, "ipproto: 'tpc' is neither icmp, tcp, udp, gre, ipv6-icmp, "),
        ({"table": "7", "suppress_prefixlength": 129}, "suppress_prefixlength: 129 is not between 0 and 128"),
        ({"table": "7", "tos": 256}, "tos: 256 is not between 0 and 255"),
        ({"table": "7", "iif": "lna"}, "iif: there is no link 'lna' in namespace 'c' (did you mean 'lan'?)"),
    ):
        (error,) = world.refused("rule", lab="x", netns="c", **options)
        assert error.startswith(reason), error
    assert world.refused("rule", lab="x", netns="c", state="absent") == ["priority: nothing says which rule"]
    errors = world.refused("topology", topology={**lab, "rules": [{"netns": "q", "from": "oen", "tabel": 7}]})
    assert errors == [
        "rules[0].tabel: there is no such key (did you mean 'table'?)",
        "rules[0].netns: there is no namespace 'q'",
    ]
