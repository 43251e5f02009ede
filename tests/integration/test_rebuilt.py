# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A namespace that is deleted and built again is reachable at once. ip(8) and ping(8) are the oracles."""

from __future__ import annotations

import typing as t

INSIDE = {"name": "eth0"}
LAB: dict[str, t.Any] = {
    "name": "x",
    "namespaces": {"r1": {"forwarding": True}, "a": {}, "b": {}, "c": {}},
    "segments": {
        "lan": {"prefix": ["10.0.0.0/24", "fd00::/64"], "gateway": "r1", "members": {"a": INSIDE, "b": INSIDE}},
        "far": {"prefix": "10.1.0.0/24", "gateway": "r1", "members": {"c": INSIDE}},
    },
}


def known(world: t.Any, netns: str) -> dict[str, str]:
    """The neighbours of a namespace as {address: MAC address}, without link-local ones."""
    entries = world.json("ip -j neigh", netns)
    return {one["dst"]: one["lladdr"] for one in entries if "lladdr" in one and not one["dst"].startswith("fe80:")}


def test_rebuilt_namespace_is_reachable_at_once(world: t.Any) -> None:
    """The other namespaces flush its old MAC address, and nothing else."""
    world.run("topology", topology=LAB)
    inside = {name: [one.split("/")[0] for one in world.addresses("eth0", name) +
                     world.addresses("eth0", name, "inet6")] for name in ("a", "b", "c")}  # fmt: skip
    for name in ("a", "b"):
        for ip in inside[name]:
            world.sh(f"ping -c 1 -w 20 {ip}", "r1")
    world.sh(f"ping -c 1 -w 20 {inside['b'][0]}", "a")
    dev = world.json(f"ip -j route get {inside['a'][0]}", "r1")[0]["dev"]
    world.sh(f"ip neigh replace 10.0.0.77 lladdr 02:00:00:00:00:77 dev {dev}", "r1")
    before = known(world, "r1")
    old = [before[ip] for ip in inside["b"]]
    world.sh("ip -n b link del eth0; ip netns del b")
    done = world.quartet("topology", topology=LAB)
    assert {one for one in done["commands"] if " neigh " in one} == {
        *(f"ip -n r1 neigh del {ip} dev {dev}" for ip in inside["b"]),
        f"ip -n a neigh del {inside['b'][0]} dev eth0",
    }
    after = known(world, "r1")
    assert {ip: mac for ip, mac in before.items() if mac not in old}.items() <= after.items()
    for ip in inside["b"]:
        assert after.get(ip) not in old
        world.sh(f"ping -c 1 -W 5 {ip}", "r1")
    world.sh(f"ping -c 1 -W 5 {inside['b'][0]}", "c")


def test_permanent_entry_stays(world: t.Any) -> None:
    """The run does not flush a permanent entry."""
    world.run("topology", topology=LAB)
    ip = world.addresses("eth0", "b")[0].split("/")[0]
    world.sh(f"ip neigh replace {ip} lladdr 02:00:00:00:00:02 dev eth0 nud permanent", "a")
    world.sh("ip -n b link del eth0; ip netns del b")
    world.run("topology", topology=LAB)
    assert known(world, "a")[ip] == "02:00:00:00:00:02"
