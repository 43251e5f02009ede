# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The engine works on many objects at once: in one send, in one link group, with few descriptors."""

from __future__ import annotations

import os
import pathlib
import random
import resource
import tracemalloc
import typing as t

import pytest

from ansible_collections.linuxnet.lab.plugins.module_utils import engine
from ansible_collections.linuxnet.lab.plugins.module_utils.errors import LabError
from ansible_collections.linuxnet.lab.plugins.module_utils.host import lab_files
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import neighbor_table, syscalls
from ansible_collections.linuxnet.lab.plugins.module_utils.plan import Plan
from ansible_collections.linuxnet.lab.plugins.module_utils.resources.address import Addresses
from ansible_collections.linuxnet.lab.plugins.module_utils.resources.bridge import Bridge
from ansible_collections.linuxnet.lab.plugins.module_utils.resources.link import Settings
from ansible_collections.linuxnet.lab.plugins.module_utils.resources.neighbor import NeighborWanted
from ansible_collections.linuxnet.lab.plugins.module_utils.resources.netns import Netns
from ansible_collections.linuxnet.lab.plugins.module_utils.resources.route import RouteWanted
from ansible_collections.linuxnet.lab.plugins.module_utils.resources.sysctl import Sysctl
from ansible_collections.linuxnet.lab.plugins.module_utils.resources.topology import WholeLab
from ansible_collections.linuxnet.lab.plugins.module_utils.resources.veth import End, Veth
from ansible_collections.linuxnet.lab.plugins.module_utils.topology import build as topology

if t.TYPE_CHECKING:
    from .conftest import World

LAB = "x"


def lab(count: int) -> list[engine.Resource]:
    """Containers on one bridge, each with a default route."""
    found: list[engine.Resource] = [Bridge("", "br0", Settings(up=True), addresses=Addresses(["10.0.0.1/16"]))]
    for n in range(1, count + 1):
        outer = End("", f"v{n}", Settings(up=True, master="br0"), place=f"{n}.outer.")
        inner = End(f"web{n}", "eth0", Settings(up=True), Addresses([f"10.0.1.{n}/16"]), place=f"{n}.inner.")
        found += [Netns(f"web{n}", place=f"{n}.name"), Veth(outer, inner)]
        found.append(RouteWanted(f"web{n}", "default", via="10.0.0.1", place=f"{n}."))
    return found


def build(count: int) -> engine.Outcome:
    """Build the lab."""
    return engine.run(lab(count), LAB)


def remove() -> engine.Outcome:
    """Remove the lab."""
    return engine.run([WholeLab()], LAB)


def test_the_whole_lab(world: World) -> None:
    """The lab is built, kept, extended by one container, and removed, according to independent tools."""
    before = world.state()
    assert build(12).changed
    assert world.addresses("eth0", "web12") == ["10.0.1.12/16"]
    assert world.ping("web12", "10.0.1.1")
    assert not build(12).changed
    assert build(13).commands == [
        "ip netns add web13",
        "ip link add name v13 type veth peer name eth0 netns web13",
        "ip link set dev v13 master br0 up",
        "ip -n web13 link set dev lo up",
        "ip -n web13 link set dev eth0 up",
        "ip -n web13 addr add 10.0.1.13/16 dev eth0",
        "ip -n web13 route add default via 10.0.0.1",
    ]
    assert remove().commands[:2] == ["ip link del dev br0", "ip link del dev v1"]
    assert world.state() == before


def test_rebuilt_at_once_ten_times(world: World) -> None:
    """When a removal returns, the kernel has finished, also for peers in namespaces of others."""
    world.sh("ip netns add other")
    for dummy in range(10):
        build(20)
        world.sh("ip -n web1 link add e0 type veth peer name e1 netns other")
        remove()
        assert list(world.links()) == ["lo"]
        assert list(world.links("other")) == ["lo"]


@pytest.mark.parametrize("damage", [
    "ip link del v3; ip link del v4",
    "ip -n web2 addr flush dev eth0; ip -n web3 link set eth0 down",
    "ip -n web4 route del default; ip link set v1 nomaster; ip link set br0 down",
    "ip netns del web5; while ip link show v5; do sleep 0.01; done",
])  # fmt: skip
def test_drift_is_repaired(world: World, damage: str) -> None:
    build(5)
    before = world.comparable()
    world.sh(damage)
    assert build(5).changed
    assert world.comparable() == before


def test_foreign_links_are_not_in_the_group(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pairs are deleted by their group. The group is unused, even if the first choice is in use."""
    world.sh("ip link add f0 group 70000 type veth peer name f1; ip link add f2 type veth peer name f3")
    build(5)
    chosen = [80000, 70000, 70001]  # the plan uses the first one for the new links
    monkeypatch.setattr(random, "choice", lambda *limits: chosen.pop(0))
    remove()
    assert chosen == []
    assert sorted(world.links()) == ["f0", "f1", "f2", "f3", "lo"]


def test_refused_in_the_middle_of_a_send(world: World) -> None:
    """The changes before and after a refused one in the same send are undone."""
    world.run("netns", lab=LAB, name=["web9"])
    world.sh("ip -n web9 link add eth0 type bridge; ip -n web9 link set eth0 name eth7")
    world.sh("ip -n web9 link property add dev eth7 altname eth0")
    before = world.state()
    with pytest.raises(LabError) as caught:
        build(20)
    assert caught.value.errors == [
        "`ip link add name v9 type veth peer name eth0 netns web9; ip link set dev v9 master br0 up` failed:"
        " File exists",
        "the changes before it were undone",
    ]
    assert world.state() == before


def test_a_name_that_is_a_foreign_links_further_one(world: World) -> None:
    """The pair is refused. No message for it reaches the link with that alternative name."""
    world.sh("ip link add foreign type bridge; ip link property add dev foreign altname v2")
    before = world.state()
    with pytest.raises(LabError, match="type veth"):
        build(3)
    assert world.state() == before


def test_few_files(world: World) -> None:
    """Far fewer descriptors than namespaces are enough, and none stays open."""
    files = os.listdir("/proc/self/fd")
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(files) + 40, limits[1]))
    try:
        assert build(40).changed
        assert not build(40).changed
        assert remove().changed
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert len(os.listdir("/proc/self/fd")) == len(files)
    assert list(world.links()) == ["lo"]


def test_sysctls_are_remembered_in_one_go(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """All sysctls are recorded at once. Sysctls that the run does not reach are not recorded."""
    written: list[t.Any] = []
    remember = lab_files.remember
    monkeypatch.setattr(lab_files, "remember", lambda records: written.append(records) or remember(records))
    names = [f"net.ipv4.conf.{dev}.{name}" for dev in ("all", "default") for name in ("forwarding", "proxy_arp")]
    engine.run([Sysctl("", name, "1") for name in names], LAB)
    assert len(written[0]) == 4 and len(written) <= 2, "before the first change, and after the last"
    kept = pathlib.Path("/run/linuxnet.lab/x.json").read_text(encoding="utf-8")
    wrong = [Sysctl("", "net.ipv4.ip_local_port_range", value) for value in ("1 0",)]
    with pytest.raises(LabError):
        engine.run([Sysctl("", "net.ipv4.tcp_syncookies", "0"), *wrong, Sysctl("", "net.ipv4.tcp_sack", "0")], LAB)
    assert pathlib.Path("/run/linuxnet.lab/x.json").read_text(encoding="utf-8") == kept
    assert world.sh("cat /proc/sys/net/ipv4/tcp_syncookies").strip() == "1"


def test_neighbors_are_looked_up_in_one_reading(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run dumps the tables, and walks its changes, once for all entries."""
    build(1)
    asked: list[str] = []
    for owner, name in ((neighbor_table, "neighbors"), (Plan, "changes")):
        ask = getattr(owner, name)
        monkeypatch.setattr(owner, name, lambda *given, ask=ask, name=name: asked.append(name) or ask(*given))

    def entries(mac: str) -> list[engine.Resource]:
        return [
            NeighborWanted("web1", "eth0", f"10.0.2.{n}", {"lladdr": f"02:00:00:00:{mac}:{n:02x}"})
            for n in range(1, 51)
        ]

    for mac, changed in (("01", True), ("01", False), ("02", True)):
        asked.clear()
        assert engine.run(entries(mac), LAB).changed is changed
        assert asked.count("neighbors") == 1
        assert asked.count("changes") <= 2
    found = {one["dst"]: one["lladdr"] for one in world.json("ip -j neigh show nud permanent", "web1")}
    assert found == {f"10.0.2.{n}": f"02:00:00:00:02:{n:02x}" for n in range(1, 51)}


def test_namespaces_are_unmounted_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name on which somebody has mounted its namespace again is also removed, with one unmount for each mount."""
    build(5)
    world.sh("mount --bind /run/netns/web2 /run/netns/web2")
    unmounted: list[str] = []
    umount = syscalls.umount
    monkeypatch.setattr(syscalls, "umount", lambda path, flags: unmounted.append(path) or umount(path, flags))
    remove()
    names = ("web1", "web2", "web2", "web3", "web4", "web5")
    assert sorted(unmounted) == [f"/run/netns/{name}" for name in names]
    assert os.listdir("/run/netns") == []


def ring(count: int) -> dict[str, t.Any]:
    """Routers in a ring, each with a route to every other one."""
    return {
        "name": LAB,
        "namespaces": {f"r{n}": {"forwarding": True, "lo": [f"10.255.0.{n}"]} for n in range(1, count + 1)},
        "links": [{"ends": [f"r{n}", f"r{n % count + 1}"]} for n in range(1, count + 1)],
        "pool": "10.0.0.0/16",
        "routing": "static",
    }


def test_a_further_route_takes_little_memory(world: World) -> None:
    """A network of 754 routers has 568,000 routes. With a kilobyte for each, it needs 600 MB."""
    peaks = []
    for count in (20, 50):
        tracemalloc.start()
        assert engine.run(topology.build(ring(count)), LAB, check=True).changed
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert (peaks[1] - peaks[0]) / (50 * 49 - 20 * 19) < 1500, "what the routers and their links take included"


def test_many_routes_are_added_and_taken_back(world: World) -> None:
    assert engine.run(topology.build(ring(8)), LAB).changed
    routes = [one for one in world.json("ip -j route", "r1") if one.get("protocol") == "76"]
    assert sorted(one["dst"] for one in routes) == [f"10.255.0.{n}" for n in range(2, 9)]
    assert world.ping("r1", "10.255.0.5")
    assert not engine.run(topology.build(ring(8)), LAB).changed
    outcome = engine.run(topology.build({**ring(8), "routing": "none"}), LAB)
    assert len([one for one in outcome.commands if " route del " in one]) == 8 * 7
    assert [one for one in world.json("ip -j route", "r1") if one.get("protocol") == "76"] == []
    assert remove().changed


def test_of_many_changes_the_first_commands_are_returned(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The result has all commands only on request. A comment counts the others, so that it stays a shell script."""
    monkeypatch.setattr(engine, "MOST_SHOWN", 5)
    everything = world.run("topology", topology=ring(3), all_commands=True, check=True)["commands"]
    some = world.run("topology", topology=ring(3))["commands"]
    assert some[:-1] == everything[: len(some) - 1] and len(everything) > len(some)
    assert some[-1].startswith("# and ") and some[-1].endswith(" more changes; all_commands shows them")
    world.sh("for n in 1 2 3; do ip -n r$n addr flush dev lo scope global; ip -n r$n route flush proto 76; done")
    (told,) = world.run("lab_info", name=[LAB])["labs"]
    assert told["drifted"] and told["commands"][-1].startswith("# and ") and told["diff"] == {}
    (told,) = world.run("lab_info", name=[LAB], all_commands=True)["labs"]
    assert len(told["commands"]) > 6 and told["diff"]["before"]
