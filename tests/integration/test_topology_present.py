# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever a lab was before, the kernel then matches the topology, and everything else stays."""

from __future__ import annotations

import copy
import os
import pathlib
import random
import shlex
import signal
import subprocess
import typing as t
import unittest.mock

import pytest

from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import namespaces, sysctl
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.held import holders, release
from ansible_collections.linuxnet.lab.plugins.module_utils.topology import layout

from .conftest import assert_same, from_the_top

if t.TYPE_CHECKING:
    from .conftest import World

SYSCTLS = ("net.ipv4.conf.all.rp_filter", "net.ipv4.tcp_sack", "net.ipv6.conf.default.hop_limit")


class Labs:
    """Random labs. They share a few names, so that the next lab has many objects of the last one in another form."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.parts: dict[str, t.Any] = {}

    def next(self) -> dict[str, t.Any]:
        """A lab that differs from the last one in some of its parts."""
        makers = (self.nodes, self.lan, self.wan, self.bridge, self.cables, self.spare, self.mtu)
        for maker in makers:
            name = maker.__name__
            if name not in self.parts or self.random.random() < 0.4:
                self.parts[name] = maker()
        return self.assembled()

    def maybe(self, value: t.Any, chance: float = 0.5) -> t.Any:
        """The value, or None, which stands for a missing key."""
        return value if self.random.random() < chance else None

    def pick(self, *values: t.Any) -> t.Any:
        """One of some values."""
        return self.random.choice(values)

    # -- parts --------------------------------------------------------------------------------------------------------

    def nodes(self) -> dict[str, t.Any]:
        names = ["c1", "c2", "c3", "r", "a-rather-long-name"]
        chosen = self.random.sample(names, self.random.randint(2, len(names)))
        found = {name: self.node() for name in sorted(chosen)}
        taken = set()
        for node in found.values():
            node["lo"] = None if node["lo"] in taken else node["lo"]
            taken.add(node["lo"])
        found["host"] = {"forwarding": self.pick(True, None), "sysctls": self.maybe({SYSCTLS[0]: self.pick(1, 2)})}
        return found

    def node(self) -> dict[str, t.Any]:
        held = self.maybe("held", 0.3)
        return {
            "kind": held,
            "hostname": self.maybe("other.example") if held else None,
            "forwarding": self.maybe(True),
            "lo": self.maybe("10.255.0.{0}".format(self.random.randint(1, 250)), 0.3),
            "sysctls": self.maybe({self.pick(*SYSCTLS): 2 if self.random.random() < 0.5 else 1}),
        }

    def lan(self) -> dict[str, t.Any]:
        return {
            "prefix": self.pick("10.1.0.0/24", ["10.1.0.0/24", "fd01::/64"], "fd01::/64", "10.1.0.0/16"),
            "gateway": self.pick("host", "r", None, {"netns": "r", "name": "up0"}),
            "netns": self.pick(None, None, "r", "c3"),
            "mtu": self.pick(None, None, 1400),
            "broadcast": self.maybe(True, 0.3),
            "metric": self.maybe(77, 0.3),
            "default_route": self.pick(None, None, False),
            "mac": self.maybe("02:00:00:00:00:0{0}".format(self.random.randint(1, 5)), 0.2),
            "_names": self.maybe("eth0"),
            "_without": self.maybe("c1", 0.3),
            "_address": self.maybe("10.1.0.77", 0.3),
            "_down": self.maybe("c2", 0.2),
        }

    def wan(self) -> dict[str, t.Any] | None:
        return self.maybe({"prefix": "10.2.0.0/24", "members": self.pick(["c1"], ["c2", "r"], ["host", "c3"])})

    def bridge(self) -> dict[str, t.Any] | None:
        return self.maybe(
            {
                "netns": self.pick(None, None, "r"),
                "addresses": self.maybe(self.pick("10.3.0.1/24", ["10.3.0.2/24", "fd03::1/64"])),
                "stp": self.maybe(True),
                "forward_delay": self.maybe(self.pick(4, 20)),
                "ageing_time": self.maybe(60),
                "mcast_snooping": self.maybe(False),
                "mtu": self.maybe(1300, 0.2),
            }
        )

    def cables(self) -> list[t.Any]:
        found = []
        for number in range(self.random.randint(0, 3)):
            ends = self.random.sample(["c1", "c2", "c3", "r", "host", "br0", "a-rather-long-name"], 2)
            found.append(
                {
                    "ends": ends,
                    "prefix": self.maybe("10.4.{0}.0/30".format(number)),
                    "mtu": self.pick(None, None, 1300),
                    "_name": self.maybe("x{0}".format(self.random.randint(0, 2))),
                    "_mac": self.maybe("02:00:00:00:01:0{0}".format(number), 0.3),
                    "_down": self.maybe(True, 0.2),
                }
            )
        return found

    def spare(self) -> dict[str, t.Any]:
        return {
            "routing": self.maybe("static", 0.3),
            "pool": self.pick(None, "10.250.0.0/24", ["10.250.0.0/24", "fd50::/64"]),
            "masquerade": self.pick(None, None, {"src": "lan"}, {"src": "lan", "netns": "r", "forward": "open"}),
            "_blackhole": self.maybe(self.pick("10.66.0.0/16", "10.67.0.0/16")),
            "_via": self.maybe(self.pick("10.77.0.0/16", "10.78.0.0/16")),
            "_neighbor": self.maybe(self.pick("02:00:00:00:00:aa", "02:00:00:00:00:bb")),
            "_proxy": self.maybe(True, 0.2),
            "_absent": self.maybe(True, 0.2),
        }

    def mtu(self) -> int | None:
        return self.pick(None, None, None, 1450)

    # -- the whole ----------------------------------------------------------------------------------------------------

    def assembled(self) -> dict[str, t.Any]:
        """The parts as one lab, without combinations that are invalid."""
        parts = copy.deepcopy(self.parts)
        nodes, lan, bridge, spare = (parts[name] for name in ("nodes", "lan", "bridge", "spare"))
        lab = {"name": "demo", "namespaces": nodes, "segments": {}, "links": [], "mtu": parts["mtu"]}
        lab.update({key: value for key, value in spare.items() if not key.startswith("_")})
        self.add_lan(lab, lan, spare)
        wan = parts["wan"]
        if wan:
            wan["members"] = [one for one in wan["members"] if one in nodes]
            lab["segments"]["wan"] = wan
        if bridge:
            if bridge["netns"] not in nodes:
                bridge["netns"] = None
            lab["bridges"] = {"br0": bridge}
        for cable in parts["cables"]:
            self.add_cable(lab, cable)
        return _without_null(lab)

    def add_lan(self, lab: dict[str, t.Any], lan: dict[str, t.Any], spare: dict[str, t.Any]) -> None:
        nodes = lab["namespaces"]
        own = {key: lan.pop(key) for key in list(lan) if key.startswith("_")}
        gateway = lan["gateway"]["netns"] if isinstance(lan["gateway"], dict) else lan["gateway"]
        if lan["netns"] not in nodes:
            lan["netns"] = None
        if gateway not in nodes or gateway == lan["netns"]:
            lan["gateway"] = gateway = lan["netns"] or "host"
        members = [one for one in nodes if one not in ("host", own["_without"], gateway, lan["netns"])]
        lan["members"] = {one: {"name": own["_names"]} for one in members}
        if own["_address"] and members and "10.1" in str(lan["prefix"]):
            lan["members"][members[-1]]["addresses"] = own["_address"]
        if own["_down"] in members:
            lan["members"][own["_down"]]["up"] = False
            spare = {**spare, "_via": None, "_neighbor": None}
            lan["default_route"] = False
            lab["routing"] = None
        lab["segments"]["lan"] = lan
        four = "10.1" in str(lan["prefix"])
        if lab["masquerade"] and lab["masquerade"].get("netns") not in (None, *nodes):
            lab["masquerade"] = None
        routes = lab["routes"] = []
        if spare["_blackhole"]:
            routes.append({"netns": sorted(nodes)[0], "dst": spare["_blackhole"], "type": "blackhole"})
        if members and four:
            if spare["_via"]:
                routes.append({"netns": members[0], "dst": spare["_via"], "via": "10.1.0.99"})
            if spare["_neighbor"]:
                entry = {"netns": members[0], "dst": "10.1.0.99", "dev": own["_names"] or "lan"}
                lab["neighbors"] = [{**entry, "lladdr": spare["_neighbor"]}]
                if spare["_proxy"]:
                    lab["neighbors"].append({**entry, "dst": "10.1.0.98", "proxy": True})
            # Static routing needs the gateways to which this route leads.
            absent = spare["_absent"] and lan["default_route"] is False and not lab["routing"]
            if absent and members[-1] != members[0]:
                network = "10.1.0.0/16" if "/16" in str(lan["prefix"]) else "10.1.0.0/24"
                routes.append({"netns": members[-1], "dst": network, "state": "absent"})

    @staticmethod
    def add_cable(lab: dict[str, t.Any], cable: dict[str, t.Any]) -> None:
        known = {*lab["namespaces"], *lab.get("bridges", {})}
        one, other = cable["ends"]
        if not {one, other} <= known:
            return
        bridge = "br0" in (one, other)
        first: dict[str, t.Any] = {"bridge" if one == "br0" else "netns": one}
        first.update(name=cable["_name"], mac=cable["_mac"], up=False if cable["_down"] else None)
        link = {"ends": [first, {"bridge" if other == "br0" else "netns": other}], "mtu": cable["mtu"]}
        if bridge:
            link["mtu"] = None
        else:
            link["prefix"] = cable["prefix"]
        if cable["_down"]:
            lab["routing"] = None
        if cable["_name"] in {end.get("name") for there in lab["links"] for end in there["ends"]}:
            first["name"] = None
        lab["links"].append(link)


def _without_null(value: t.Any) -> t.Any:
    if isinstance(value, dict):
        return {key: _without_null(item) for key, item in value.items() if item is not None}
    return [_without_null(item) for item in value] if isinstance(value, list) else value


def places(world: World) -> dict[str, str]:
    """Every namespace as {name: reference}."""
    held = {holder.name: str(holder.pid) for holder in holders()}
    return {**{ref: ref for ref in ["", *namespaces.named()]}, **held}


def seen(world: World, lab: dict[str, t.Any]) -> dict[str, t.Any]:
    """The state that independent tools report, without differences due to history, and with only the MAC addresses of
    the lab.
    """
    found, text = world.comparable(), str(lab)
    look = "ip neigh show nud permanent; ip neigh show proxy; sysctl {0}".format(" ".join(SYSCTLS))
    for name, ref in places(world).items():
        macs = {link: values["address"] for link, values in world.links(ref).items()}
        found[name]["macs"] = {link: mac for link, mac in macs.items() if mac in text and mac[:2] == "02"}
        for link in found[name]["link"]:
            link.get("linkinfo", {}).pop("info_slave_data", None)  # ports have numbers in order of their addition
            for key in ("qdisc", "tso_max_size"):  # these depend on whether the link was ever up, or had a port
                link.pop(key)
        found[name]["more"] = sorted(world.sh(look, ref).splitlines())
    return found


def indexes(world: World) -> dict[tuple[str, str], int]:
    """The index of every link. A link that was deleted and created again has another one."""
    links = {name: world.links(ref) for name, ref in places(world).items()}
    return {(name, link): values["ifindex"] for name, found in links.items() for link, values in found.items()}


def cables(topology: dict[str, t.Any]) -> set[frozenset[tuple[str, str]]]:
    """The pairs of a lab, each as the places and names of its ends."""
    lab, errors = layout.read(topology)
    assert errors == []
    return {frozenset((end.netns, end.name) for end in link.ends) for link in lab.links}


def follow(world: World, before: dict[str, t.Any] | None, lab: dict[str, t.Any]) -> None:
    """Change one lab to the next, and verify the result in several ways."""
    known = indexes(world)
    predicted = world.run("topology", topology=lab, check=True)
    done = world.run("topology", topology=lab)
    assert (predicted["commands"], predicted["diff"]) == (done["commands"], done["diff"])
    there = seen(world, lab)
    again = world.run("topology", topology=lab)
    assert (again["changed"], again["commands"]) == (False, [])
    assert_same(there, seen(world, lab), "a second run changed something")
    with world.another() as other:
        other.run("topology", topology=lab)
        fresh = seen(other, lab)
    assert_same(fresh, there, "it is not what a fresh start leads to")
    for pair in kept(before, lab) if before else ():
        for end in pair:
            assert known[end] == indexes(world)[end], "{0} was made anew for nothing".format(end)


def kept(before: dict[str, t.Any], lab: dict[str, t.Any]) -> set[frozenset[tuple[str, str]]]:
    """The pairs that both labs have, except those in namespaces that are created anew."""
    one, other = (
        {name: (values or {}).get("kind") for name, values in data["namespaces"].items()} for data in (before, lab)
    )
    pairs = cables(before) & cables(lab)
    return {pair for pair in pairs if all(one.get(ref) == other.get(ref) for ref, dummy in pair)}


def end_of(world: World, empty: dict[str, t.Any], name: str = "demo") -> None:
    """Remove a lab by its name, and verify that nothing is left of it."""
    world.run("topology", name=name, state="absent")
    assert_same(empty, world.state(), "something is left")
    assert world.sh("find /run -type f") == ""


@pytest.mark.parametrize("seed", [6, 8, 14])
def test_an_edit_leads_where_a_fresh_start_does(world: World, seed: int) -> None:
    """After the change to the next lab, the kernel is as if only that had been built, without unnecessary changes."""
    empty, labs, before = world.state(), Labs(seed), None
    for dummy in range(3):
        lab = labs.next()
        follow(world, before, lab)
        before = lab
    end_of(world, empty)


def small(lan: dict[str, t.Any] | None = None, **more: t.Any) -> dict[str, t.Any]:
    """A lab of two namespaces on one segment."""
    segment = {"prefix": "10.1.0.0/24", "members": {"a": {"name": "eth0"}, "b": None}, **(lan or {})}
    return {"name": "demo", "namespaces": {"a": None, "b": None}, "segments": {"lan": segment}, **more}


def entry(lladdr: str = "02:00:00:00:00:aa") -> dict[str, t.Any]:
    """A permanent neighbour entry in a."""
    return {"neighbors": {"netns": "a", "dst": "10.1.0.99", "dev": "eth0", "lladdr": lladdr}}


LONG = "a-segment-with-a-long-name"
EDITS = {
    "mtu": (small({"mtu": 1400}), small()),
    "mtu_of_a_port": (small(links=[{"ends": ["a", "lan"], "mtu": 1300}]), small(links=[["a", "lan"]])),
    "options": (small({"stp": True, "forward_delay": 4, "ageing_time": 60, "mcast_snooping": False}), small()),
    "mac_of_another": (
        small({"members": {"a": {"name": "eth0", "mac": "02:00:00:00:00:01"}, "b": None}}),
        small({"members": {"a": {"name": "eth0"}, "b": {"mac": "02:00:00:00:00:01"}}}),
    ),
    "altname": (
        small(links=[{"ends": ["a", {"netns": "b", "name": "x0"}]}], namespaces={"a": None, "b": None, LONG: None}),
        small(links=[{"ends": ["a:x1", {"netns": "b", "name": "x0"}]}], namespaces={"a": None, "b": None, LONG: None}),
    ),
    "long_name_made_short": (
        {"name": "demo", "namespaces": {LONG: None, "b": None}, "links": [[LONG + ":x0", "b"]]},
        {"name": "demo", "namespaces": {LONG: None, "b": None}, "links": [[LONG + ":x0", "b:x1"]]},
    ),
    "neighbor_at_another_prefix": (small(**entry()), small({"prefix": "10.1.0.0/16"}, **entry())),
    "neighbor_at_another_mac": (
        small(**entry()),
        small({"members": {"a": {"name": "eth0", "mac": "02:00:00:00:00:01"}, "b": None}}, **entry()),
    ),
    "neighbor_at_a_link_that_moves": (
        small(**entry()),
        small({"members": {"b": None}}, links=[{"ends": ["a:eth0", "b"], "prefix": "10.1.1.0/30"}], **entry()),
    ),
    "neighbor_gone": (small(**entry()), small()),
    "neighbor_and_its_link_gone": (small(**entry()), small({"members": "b"})),
    "named_and_held": (small(), small(namespaces={"a": {"kind": "held"}, "b": None})),
    "forwarding_off": (
        small(namespaces={"a": {"forwarding": True}, "b": {"sysctls": {SYSCTLS[1]: 0}}}),
        small(namespaces={"a": {"forwarding": False}, "b": None}),
    ),
}


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_of_one_thing(world: World, name: str) -> None:
    """The lab is changed in one place, and changed back."""
    before, after = EDITS[name]
    world.run("topology", topology=before)
    follow(world, before, after)
    follow(world, after, before)


# -- one lab, and what happens to it ----------------------------------------------------------------------------------

LAB: dict[str, t.Any] = {
    "name": "demo",
    "namespaces": {
        "c1": {"sysctls": {"net.ipv4.tcp_sack": 0}, "lo": "10.255.0.1"},
        "c2": {"kind": "held", "hostname": "box"},
        "r": {"forwarding": True},
        "host": {"forwarding": True},
    },
    "segments": {
        "lan": {"bridge": "br0", "prefix": ["10.1.0.0/24", "fd01::/64"], "gateway": "host", "members": ["c1", "c2"]}
    },
    "links": [{"ends": ["c1:x0", "r:x1"], "prefix": "10.2.0.0/30", "mtu": 1400}],
    "routes": [{"netns": "c1", "dst": "10.8.0.0/16", "via": "r"}],
    "neighbors": [{"netns": "c1", "dst": "10.2.0.2", "dev": "x0", "lladdr": "02:00:00:00:00:aa"}],
    "masquerade": "lan",
    "checks": [{"from": "all", "to": "all", "expect": "no"}, {"from": ["c1", "c2"], "to": ["c1", "c2", "host"]}],
}


def edited(**changes: t.Any) -> dict[str, t.Any]:
    """The lab with other values for some keys. A function gets the old value and returns the new one."""
    lab = copy.deepcopy(LAB)
    for key, value in changes.items():
        lab[key] = value(lab[key]) if callable(value) else value
    return lab


DRIFT = [
    ("", "ip link set c1-lan down"),
    ("", "ip link set br0 down"),
    ("", "ip link del c1-lan"),
    ("", "ip link del br0"),
    ("c1", "ip link del x0"),
    ("r", "ip link set x1 down; ip link set x1 netns c1"),
    ("r", "ip link set x1 netns c1 name far"),
    ("c1", "ip link set x0 down; ip link set x0 name y0"),
    ("", "ip link set c1-lan nomaster"),
    ("", "ip link set c1-lan master foreign"),
    ("c1", "ip link set x0 mtu 1300"),
    ("c1", "ip link set lan mtu 1300"),
    ("", "ip link set br0 type bridge ageing_time 100"),
    ("c1", "ip addr del 10.1.0.2/24 dev lan"),
    ("c1", "ip addr add 10.66.0.1/24 dev lan; ip addr add fd66::1/64 dev x0; ip addr add 10.67.0.1/32 dev lo"),
    ("c1", "ip addr flush dev lo; ip link set lo down"),
    ("", "ip addr del fd01::1/64 dev br0"),
    ("c1", "ip route del default"),
    ("c1", "ip -6 route del default; ip route add 10.66.0.0/16 via 10.2.0.2; ip route add blackhole 10.67.0.0/16"),
    ("c1", "ip route replace 10.8.0.0/16 via 10.1.0.1"),
    ("c1", "ip route replace blackhole 10.8.0.0/16"),
    ("c1", "sysctl -qw net.ipv4.tcp_sack=1"),
    ("r", "sysctl -qw net.ipv4.ip_forward=0"),
    ("", "sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0"),
    ("c1", "ip neigh del 10.2.0.2 dev x0"),
    ("c1", "ip neigh replace 10.2.0.2 dev x0 lladdr 02:00:00:00:00:bb nud permanent"),
    ("c1", "ip link set x0 down; ip link set x0 up; ip addr add 10.2.0.1/30 dev x0"),
    ("", "nft flush table inet linuxnet.lab.demo"),
    ("", "nft delete table inet linuxnet.lab.demo"),
    ("", "ip netns del c1; while ip link show c1-lan; do sleep 0.05; done"),
    ("", "ip netns del r; ip netns del c1; while ip link show c1-lan; do sleep 0.05; done"),
]


def test_every_drift_is_repaired(world: World) -> None:
    """All cases run in one world, one after another, so that an incomplete repair affects the next case."""
    empty = world.state()
    world.sh("ip link add foreign type bridge")
    world.run("topology", topology=LAB)
    built = seen(world, LAB)
    for netns, commands in DRIFT:
        world.sh(commands + " 2>/dev/null || true", netns)
        assert seen(world, LAB) != built, commands
        predicted = world.run("topology", topology=LAB, check=True)
        done = world.run("topology", topology=LAB)
        assert predicted["commands"] == done["commands"], commands
        assert_same(built, seen(world, LAB), commands)
        assert world.run("topology", topology=LAB)["changed"] is False, commands
    world.sh("ip link del foreign")
    end_of(world, empty)


def test_a_holder_that_died_and_a_hostname(world: World) -> None:
    empty = world.state()
    world.run("topology", topology=LAB)
    built = seen(world, LAB)
    (holder,) = holders()
    world.sh("nsenter -t {0} --uts hostname other".format(holder.pid))
    assert len(world.run("topology", topology=LAB)["commands"]) == 1
    assert_same(built, seen(world, LAB), "the hostname")
    os.kill(holder.pid, signal.SIGKILL)
    release(holder)
    world.run("topology", topology=LAB)
    assert_same(built, seen(world, LAB), "the holder")
    end_of(world, empty)


@pytest.mark.parametrize(("netns", "link"), [("", "c1-lan"), ("", "br0"), ("c1", "lo")])
def test_what_lost_its_mark_is_taken_over_by_force(world: World, netns: str, link: str) -> None:
    world.run("topology", topology=LAB)
    built, marked = seen(world, LAB), world.state()
    world.sh("ip link set {0} alias ''; ip link set {0} mtu 1280".format(link), netns)
    error = world.refused("topology", topology=LAB)[0]
    assert repr("c1" if netns else link) in error and error.endswith("unless force is true")
    world.run("topology", topology=LAB, force=True)
    if link == "c1-lan":  # the topology does not set the MTUs of the others
        assert_same(built, seen(world, LAB), "forced")
        assert world.state().keys() == marked.keys()
    assert not world.run("topology", topology=LAB)["changed"]
    world.run("topology", name=LAB["name"], state="absent")
    # A veth disappears with its other end. A record says that the namespace belonged to the lab, but there is none for
    # links.
    assert ("br0" in world.links()) is (link == "br0")
    assert "c1" not in world.sh("ip netns list").split()


# -- objects of others ------------------------------------------------------------------------------------------------

FOREIGN = """
ip netns add plain; ip link add f0 type veth peer name f1 netns plain; ip link add fbr type bridge
ip addr add 192.0.2.1/24 dev f0; ip link set f0 up; ip link set fbr up; ip route add 10.77.0.0/16 via 192.0.2.2
ip rule add to 10.99.0.0/16 lookup 99; ip route add 10.99.0.0/16 dev f0 table 99
ip neigh add 192.0.2.9 lladdr 02:00:00:00:00:99 dev f0 nud permanent
nft add table inet linuxnet.lab.demo2; nft add table ip nat; sysctl -qw net.ipv4.conf.f0.rp_filter=2
"""


def foreign(world: World) -> str:
    """Objects of others that the state does not contain."""
    return world.sh("ip rule; ip neigh show nud permanent; sysctl net.ipv4.conf.f0.rp_filter; ip -n plain neigh")


def test_nothing_foreign_is_touched(world: World) -> None:
    world.sh(FOREIGN)
    other = {"name": "other", "namespaces": "o1", "links": [["o1", "host"]], "pool": "10.50.0.0/24"}
    world.run("topology", topology=other)
    before, more, kept_files = world.state(), foreign(world), world.sh("find /run -type f")
    world.run("topology", topology=LAB)
    world.run("topology", topology=edited(links=[], routes=[], neighbors=[], masquerade=[]))
    for ref in ("plain", "o1"):
        assert_same(before[ref], world.state()[ref], ref)
    assert foreign(world) == more
    world.run("topology", name="demo", state="absent")
    assert_same(before, world.state(), "something foreign was touched")
    assert (foreign(world), world.sh("find /run -type f")) == (more, kept_files)


@pytest.mark.parametrize(
    ("setup", "about"),
    [
        ("ip netns add c1", "'c1'"),
        ("ip link add br0 type bridge", "'br0'"),
        ("ip link add c1-lan type veth peer name other", "'c1-lan'"),
        ("ip link add f0 type bridge; ip addr add 10.1.0.1/16 dev f0; ip link set f0 up", "10.1.0.1"),
        ("ip link add f0 type bridge; ip addr add 10.1.0.7/16 dev f0; ip link set f0 up", "10.1.0.0/16"),
    ],
)
def test_what_is_in_the_way_is_told_and_nothing_done(world: World, setup: str, about: str) -> None:
    world.sh(setup)
    errors = world.refused("topology", topology=LAB)
    assert any(about in error for error in errors) and world.sh("ls /run") in ("", "netns\n")


def test_a_daemons_route_stays(world: World) -> None:
    world.run("topology", topology=LAB)
    world.sh("ip route add 10.66.0.0/16 via 10.1.0.1 proto bgp; ip route add 10.67.0.0/16 via 10.1.0.1", "c1")
    done = world.run("topology", topology=LAB)
    assert done["commands"] == ["ip -n c1 route del 10.67.0.0/16 via 10.1.0.1 dev lan"]
    assert world.sh("ip route show proto bgp", "c1").startswith("10.66.0.0/16 via 10.1.0.1")


def test_a_network_of_the_hosts_is_hidden_only_by_force(world: World) -> None:
    world.sh("ip link add f0 type bridge; ip link set f0 up; ip addr add 192.0.2.1/24 dev f0")
    world.sh("ip route add 10.1.0.0/16 via 192.0.2.2")
    errors = world.refused("topology", topology=LAB)
    assert errors == [
        "segments.lan.addresses[0]: 10.1.0.0/24 overlaps the host's route to 10.1.0.0/16 dev f0; "
        "it will not be added unless force is true"
    ]
    world.run("topology", topology=LAB, force=True)
    assert world.addresses("br0") == ["10.1.0.1/24"]
    assert "10.1.0.0/16 via 192.0.2.2" in world.sh("ip route")


# -- check mode, diff and commands ------------------------------------------------------------------------------------


def test_check_mode_predicts_and_the_diff_is_of_what_differs(world: World) -> None:
    world.quartet("topology", topology=LAB)
    done = world.quartet("topology", topology=edited(routes=[{"netns": "c1", "dst": "10.8.0.0/16", "via": "10.1.0.1"}]))
    assert done["diff"] == {
        "before": {"c1": {"routes": {"10.8.0.0/16": "10.8.0.0/16 via 10.2.0.2 dev x0"}}},
        "after": {"c1": {"routes": {"10.8.0.0/16": "10.8.0.0/16 via 10.1.0.1"}}},
    }
    world.quartet("topology", name="demo", state="absent")


def test_the_same_by_hand(world: World) -> None:
    """A shell that types the commands of both runs reaches the same state as the module."""
    others = {"c3": None, **LAB["namespaces"]}
    lan = {**LAB["segments"]["lan"], "members": ["c1", "c2", "c3"], "mtu": 1400}
    rest = {"links": [["c3", "c1:x0"]], "pool": "10.4.0.0/24", "routes": [], "neighbors": []}
    after = edited(namespaces=others, segments={"lan": lan}, **rest)
    commands = world.run("topology", topology=LAB)["commands"]
    commands += from_the_top(world.run("topology", topology=after)["commands"])
    there = world.comparable()
    for route in [one for values in there.values() for one in values["route"] + values["route6"]]:
        if route.get("protocol") == "76":
            del route["protocol"]
    assert_same(world.by_hand(commands, held=["c2"]), there, "a shell gets elsewhere")


def listeners(netns: str) -> list[str]:
    """The netlink sockets of a namespace that have joined groups."""
    with namespaces.inside_ref(netns):
        lines = pathlib.Path("/proc/thread-self/net/netlink").read_text().splitlines()[1:]
    return [line for line in lines if line.split()[3] != "00000000"]


def test_who_has_no_part_in_an_edit_notices_nothing(world: World) -> None:
    world.run("topology", topology=LAB)
    with namespaces.inside_ref("r"):
        watch = subprocess.Popen(["ip", "monitor", "all"], stdout=subprocess.PIPE, text=True)
    while not any(" 0 {0} ".format(watch.pid) in " ".join(line.split()) for line in listeners("r")):
        pass
    lan = {**LAB["segments"]["lan"], "members": ["c1", "c2", "c9"]}
    world.run("topology", topology=edited(namespaces=lambda own: {**own, "c9": None}, segments={"lan": lan}))
    world.sh("ip link set lo mtu 65000", "r")
    assert watch.stdout
    first = watch.stdout.readline()
    watch.kill()
    watch.wait()
    assert "mtu 65000" in first


REFUSED = {"net.ipv4.conf.all.rp_filter": "99999999999999"}


def test_what_the_kernel_refuses_late_takes_everything_back(world: World) -> None:
    bad = edited(namespaces=lambda own: {**own, "r": {"forwarding": True, "sysctls": REFUSED}})
    errors = world.refused("topology", topology=bad)
    assert "rp_filter" in errors[0] and errors[1:] == ["the changes before it were undone"]
    assert world.sh("find /run -type f") == ""

    one = {"name": "demo", "namespaces": "c1", "links": [["c1", "host"]], "pool": "10.4.0.0/24"}
    world.run("topology", topology=one)
    nodes = {"c1": {"sysctls": REFUSED}, "c2": {"kind": "held"}}
    errors = world.refused("topology", topology={**one, "namespaces": nodes, "links": [["c1", "host"], ["c1", "c2"]]})
    assert errors[1:] == ["the changes before it were undone"]
    (known,) = world.run("lab_info")["labs"]
    assert (known["topology"], known["drifted"]) == (one, False)


def test_names_as_long_as_can_be(world: World) -> None:
    empty = world.state()
    long = "n" * 62
    lab = {
        "name": "l" * 63,
        "namespaces": {long + "1": None, long + "2": {"kind": "held"}},
        "segments": {"s" * 63: {"prefix": "10.1.0.0/24", "members": [long + "1", long + "2"], "netns": long + "1"}},
    }
    world.quartet("topology", topology=lab)
    altnames = [name for link in world.links(long + "1").values() for name in link.get("altnames", [])]
    assert sorted(map(len, altnames)) == [63, 63 + 1 + 63, 63 + 1 + 63, 63 + 1 + 63]
    end_of(world, empty, lab["name"])
    errors = world.refused("topology", topology={**lab, "segments": {"s" * 1000: {"members": long + "1"}}})
    assert errors and all("at most 127" in error for error in errors)


# -- packets ----------------------------------------------------------------------------------------------------------


def test_outside_sees_the_hosts_address(world: World) -> None:
    """The internet has no route to the lab, so an answer comes only to packets with the host's address."""
    world.sh(
        "ip netns add internet; ip link add eth9 type veth peer name eth0 netns internet;"
        "ip addr add 198.51.100.1/24 dev eth9; ip link set eth9 up; ip -n internet link set eth0 up;"
        "ip -n internet addr add 198.51.100.2/24 dev eth0; ip -n internet addr add 203.0.113.8/32 dev lo;"
        "ip -n internet link set lo up; ip route add default via 198.51.100.2"
    )
    world.sh(
        "nft 'add table ip t; add chain ip t c { type filter hook input priority 0; };"
        "add rule ip t c ip saddr 198.51.100.1 counter; add rule ip t c ip saddr 10.0.0.0/8 counter'",
        "internet",
    )
    world.run("topology", topology=edited(masquerade=[]))
    assert not world.ping("c1", "203.0.113.8")
    world.sh("nft flush chain ip t c; nft add rule ip t c ip saddr 198.51.100.1 counter", "internet")
    world.run("topology", topology=LAB)
    for ref in places(world).values():
        if ref not in ("", "r", "internet"):
            assert world.ping(ref, "203.0.113.8")
    (rule,) = [one["rule"] for one in world.json("nft -j list chain ip t c", "internet")["nftables"] if "rule" in one]
    assert rule["expr"][-1]["counter"]["packets"] == 2
    assert not world.ping("internet", "10.1.0.2"), "nothing unasked comes in"


def test_a_contract_that_does_not_hold_says_where(world: World) -> None:
    checks = [
        {"from": ["all", "host"], "to": ["c1", "c2"]},
        {"from": "r", "to": ["c1", "c2"], "expect": "no"},
        {"from": "c2", "to": "r", "expect": False},
        {"from": "c1", "to": "r", "expect": True},
        {"from": "c2", "to": "c1", "protocol": "tcp", "port": 80},
        {"from": "c2", "to": "c1", "protocol": "udp", "port": 53},
        {"from": "c2", "to": "10.1.0.1", "protocol": "tcp", "port": 81, "listen": False, "expect": "no"},
    ]
    way = {"netns": "host", "dst": "10.255.0.1", "via": "10.1.0.2"}
    lab = edited(checks=checks, neighbors=[], routes=[way])
    world.run("topology", topology=lab)
    held = world.run("connectivity", topology=lab, timeout=5)  # until duplicate address detection is over
    found = {(one["from"], one["to"], one.get("port", 0)): one["got"] == "reachable" for one in held["results"]}
    assert found == {
        ("c1", "10.1.0.3", 0): True,
        ("c1", "fd01::3", 0): True,
        ("c1", "10.2.0.2", 0): True,
        ("c2", "10.255.0.1", 0): True,
        ("c2", "10.2.0.2", 0): False,
        ("c2", "10.255.0.1", 80): True,
        ("c2", "10.255.0.1", 53): True,
        ("c2", "10.1.0.1", 81): False,
        ("r", "10.255.0.1", 0): False,
        ("r", "10.1.0.3", 0): False,
        ("", "10.255.0.1", 0): True,
        ("", "10.1.0.3", 0): True,
        ("", "fd01::3", 0): True,
    }
    world.sh("nft 'add table ip t; add chain ip t c { type filter hook input priority 0; }'", "c1")
    world.sh("nft add rule ip t c udp dport 53 drop", "c1")
    world.sh("ip route add 10.255.0.1 via 10.2.0.1", "r")
    broken = world.module("connectivity", topology=lab, timeout=1)
    told = [line.split()[1:3] for line in broken["msg"].splitlines() if line.startswith("!!")]
    assert broken["failed"] and told == [["r", "10.255.0.1"], ["c2", "10.255.0.1"]]


# -- new objects ------------------------------------------------------------------------------------------------------


def test_a_route_of_the_kernels_that_must_not_be_there(world: World) -> None:
    lab = edited(routes=[{"netns": "c1", "dst": "10.2.0.0/30", "state": "absent"}], neighbors=[])
    world.quartet("topology", topology=lab)
    assert "10.2.0.0/30" not in world.sh("ip route", "c1")


def test_a_link_whose_other_end_took_it_along_is_made_again(world: World) -> None:
    way = {"netns": "a", "dst": "10.9.0.0/16", "via": "10.1.0.9"}
    before = small({"netns": "c", "members": "a"}, namespaces={"a": None, "c": None}, routes=[way])
    world.run("topology", topology=before)
    follow(world, before, small({"members": "a"}))


def test_who_does_not_say_that_it_forwards_does_not(world: World) -> None:
    """That also holds if new namespaces forward because the machine does, which the test simulates."""
    lab = {"name": "office", "namespaces": ["pc"]}
    world.run("topology", topology=lab)
    world.sh("echo 1 > /proc/sys/net/ipv4/ip_forward", "pc")
    with unittest.mock.patch.object(sysctl, "value_in_new", lambda sockets, name: "1"):
        done = world.quartet("topology", topology=lab)
    assert done["commands"] == ["ip netns exec pc sysctl -w net.ipv4.ip_forward=0"]
    assert world.sh("cat /proc/sys/net/ipv4/ip_forward", "pc").strip() == "0"


def test_a_namespace_behaves_as_it_was_told_from_its_first_link_on(world: World) -> None:
    """Sysctls of all links, and those that new links copy, are set before the links exist."""
    off, copied = "net.ipv6.conf.all.disable_ipv6", "net.ipv4.conf.default.forwarding"
    topology = small(namespaces={"a": {"sysctls": {off: 1, copied: 1}}, "b": None})
    commands = world.run("topology", topology=topology)["commands"]
    told = [next(number for number, one in enumerate(commands) if word in one) for word in (off, copied, "type veth")]
    assert told == sorted(told)
    assert world.sh(f"ip netns exec a sysctl -n {off} net.ipv6.conf.eth0.disable_ipv6 {copied}").split() == ["1"] * 3
    assert world.sh("ip netns exec a sysctl -n net.ipv4.conf.eth0.forwarding").strip() == "1"
    assert world.sh("ip -n a -6 addr").strip() == "" != world.sh("ip -n b -6 addr").strip()
    assert not world.run("topology", topology=topology)["changed"]


WRONG_DEV = {
    "routes": [{"netns": "c1", "dst": "10.9.0.0/16", "dev": "eth7"}],
    "neighbors": [{"netns": "c1", "dev": "eth8", "dst": "10.0.0.9", "lladdr": "02:00:00:00:00:09"}],
}


@pytest.mark.parametrize("check", [True, False])
def test_check_mode_refuses_a_dev_that_no_link_of_the_lab_has(world: World, check: bool) -> None:
    """The topology is complete, so that check mode does not assume other links."""
    lab = {"name": "x", "namespaces": ["c1"], "links": [["c1", "host"]], **WRONG_DEV}
    before = world.state()
    errors = world.module("topology", topology=lab, check=check)["errors"]
    assert [error.split(":")[0] for error in errors] == ["routes[0].dev", "neighbors[0].dev"]
    assert all("there is no link 'eth" in error for error in errors)
    assert_same(before, world.state(), "refused")


def test_a_namespace_that_exists_and_is_foreign_is_said_to_be(world: World) -> None:
    world.sh("ip netns add h1")
    errors = world.refused("topology", topology={"name": "x", "namespaces": ["c1"], "links": [["c1", "h1"]]})
    assert "namespaces: 'h1' exists on this host, but not in the topology, so it does not belong to the lab" in errors


def test_commands_quote_the_names_of_links(world: World) -> None:
    """A shell reads each name as one word, whatever its characters are. The commands build the same as the module."""
    bridge, port, peer = "a;touch x", "$(id)'", '"q`id`'
    bridge = bridge.replace(" ", "_")
    done = [world.run("netns", lab="x", name="c1"), world.run("bridge", lab="x", name=bridge, mtu=1400)]
    done.append(world.run("veth", lab="x", name=port, master=bridge, mac="02:00:00:00:00:01", peer={
        "name": peer, "netns": "c1", "addresses": ["10.0.0.2/24"], "mac": "02:00:00:00:00:02"}))  # fmt: skip
    done.append(world.run("route", lab="x", netns="c1", dst="10.9.0.0/16", dev=peer))
    done.append(world.run("neighbor", lab="x", netns="c1", dev=peer, dst="10.0.0.9", lladdr="02:00:00:00:00:09"))
    done.append(world.run("link", lab="x", name=bridge, mtu=1300))
    commands = [command for one in done for command in one["commands"]]
    assert world.by_hand(commands)[""]["link"] == world.comparable()[""]["link"]
    assert set(world.links("c1")) == {"lo", peer}
    for command in world.run("topology", name="x", state="absent")["commands"]:
        shlex.split(command)
