# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The documented labs as topologies build the same as their shell commands."""

from __future__ import annotations

import pathlib
import typing as t

import pytest
import yaml

from .test_arp_lab import SHELL as ARP_LAB
from .test_bridge_nat import SHELL as BRIDGE_NAT
from .test_labs import SHELL
from .test_same_subnet import NAMES, typed

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "docs" / "topologies"
TYPED = {
    **{name: text.splitlines() for name, text in {**SHELL, "arp_lab": ARP_LAB, "bridge_nat": BRIDGE_NAT}.items()},
    "same_subnet": typed(),
}
# A change that breaks the checks of the lab, and the namespace for it.
DROP = "nft add table ip t; nft add chain ip t c '{ type filter hook input priority 0; policy drop; }'"
BREAKERS = {
    "arp_lab": ("ip neigh replace 10.22.33.55 lladdr 02:00:00:00:00:99 dev eth0 nud permanent", "ns1"),
    "veth_pair": (DROP,),
    "one_container": ("ip route add default via 172.18.0.10", "net0"),
    "route_conflict": ("ip route del 172.16.0.0/12 dev veth0",),
    "bridge": ("ip link set ceth1 down", "net1"),
    "bridge_nat": ("ip link set vethc1 nomaster",),
    "point_to_point": ("ip addr del 192.168.1.1/24 dev veth-red", "red"),
    "same_subnet": ("ip route del 192.168.5.0/24 dev veth1R", "netnsR"),
}


def example(name: str) -> dict[str, t.Any]:
    """The topology of a lab."""
    return yaml.safe_load((EXAMPLES / (name + ".yml")).read_text())


def test_there_is_one_for_every_lab():
    assert {path.stem for path in EXAMPLES.glob("*.yml")} >= set(TYPED) == set(BREAKERS)


@pytest.mark.parametrize("name", sorted(TYPED))
def test_example(world, name):
    empty = world.state()
    lab = example(name)
    assert lab["name"] == name
    world.quartet("topology", topology=lab)
    held = NAMES if name == "same_subnet" else ()
    assert world.as_typed() == world.by_hand(TYPED[name], held=held)
    proved = world.run("connectivity", topology=lab, timeout=4)
    assert len(proved["results"]) >= 2 and all(result["ok"] for result in proved["results"])
    for result in proved["results"][:6]:
        assert world.ping(result["from"], result["to"]) is (result["got"] == "reachable")

    world.sh(*BREAKERS[name])
    broken = world.module("connectivity", topology=lab, timeout=1)
    assert broken["failed"] and "not as expected" in broken["msg"]
    world.sh("nft flush ruleset")

    world.run("topology", name=name, state="absent")
    assert world.state() == empty
    assert world.sh("find /run -type f") == ""
