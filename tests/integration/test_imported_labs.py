# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Imported labs have the same network as the startup commands of the lab, typed into a shell with the real `ip`."""

from __future__ import annotations

import json
import pathlib
import shlex
import typing as t

import pytest
import yaml

from ansible_collections.linuxnet.lab.plugins.filter.from_containerlab import from_containerlab
from ansible_collections.linuxnet.lab.plugins.filter.from_kathara import from_kathara

DATA = pathlib.Path(__file__).resolve().parents[1] / "data"
KATHARA = sorted(path.name for path in (DATA / "kathara").iterdir() if not (path / "VM").exists())
CONTAINERLAB = sorted(path.name for path in (DATA / "containerlab").glob("*.clab.yml"))

# Replacements for commands that this machine may lack: those of bridge-utils, and iptables, which other tests verify.
SHIMS = {
    "brctl": """#!/bin/sh
case $1 in
    addbr) ip link add $2 type bridge ;;
    addif) ip link set $3 master $2 ;;
    stp) [ $3 = on ] && state=1 || state=0; ip link set $2 type bridge stp_state $state ;;
    *) exit 1 ;;
esac
""",
    "iptables": "#!/bin/sh\n",
}


def run(world: t.Any, netns: str, command: str) -> None:
    """Run a command as a startup file does, which ignores failures."""
    world.sh("PATH=/run/shims:$PATH sh -c {0} >/dev/null 2>&1".format(shlex.quote(command)), netns, check=False)


def prepare(world: t.Any) -> None:
    world.sh("mkdir -p /run/shims")
    for name, text in SHIMS.items():
        path = pathlib.Path("/run/shims", name)
        world.sh("printf %s {0} > {1}; chmod +x {1}".format(shlex.quote(text), path))


def kathara_by_hand(world: t.Any, folder: pathlib.Path) -> None:
    """Build a lab in the same way as Kathará."""
    prepare(world)
    startups = [folder / "shared.startup"]
    machines: dict[str, list[str]] = {}
    for line in (folder / "lab.conf").read_text().splitlines():
        name, bracket, rest = line.partition("[")
        if not bracket:
            continue
        key, value = rest.split("]=")
        value = value.strip('"')
        if name not in machines:
            machines[name] = []
            world.sh("ip netns add {0}; ip -n {0} link set lo up".format(name))
            world.sh("sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1", name)
        if key.isdecimal():
            domain, slash, mac = value.partition("/")
            world.sh("ip link add d-{0} type bridge; ip link set d-{0} up".format(domain), check=False)
            world.sh("ip link add p{0}-{1} type veth peer name eth{1} netns {0} {2}".format(
                name, key, "address " + mac if slash else ""))
            world.sh("ip link set p{0}-{1} master d-{2} up; ip -n {0} link set eth{1} up".format(name, key, domain))
        elif key == "ipv6" and value == "false":
            world.sh("sysctl -qw net.ipv6.conf.all.disable_ipv6=1", name)
        elif key == "sysctl":
            world.sh("sysctl -qw " + value, name)
        elif key == "exec":
            machines[name].append(value)
    for name, commands in machines.items():
        for path in (*startups, folder / (name + ".startup")):
            if path.exists():
                commands.append(path.read_text())
        # First the execs of lab.conf, then the startup files.
        for command in commands:
            run(world, name, command)


def containerlab_by_hand(world: t.Any, path: pathlib.Path) -> None:
    """Build a lab in the same way as containerlab, without Docker and its management network."""
    prepare(world)
    topology = yaml.safe_load(path.read_text())["topology"]
    defaults, groups, kinds = (topology.get(key, {}) for key in ("defaults", "groups", "kinds"))
    homes: dict[str, str] = {}
    for name, node in topology["nodes"].items():
        inside = (node or {}).get("network-mode", "").partition(":")[2]
        kind = (node or {}).get("kind", defaults.get("kind"))
        homes[name] = inside or ("" if kind == "bridge" else name)
        if kind == "bridge":
            bridge = name.partition("|")[0]
            world.sh("ip link add {0} type bridge; ip link set {0} up".format(bridge), inside)
        elif not inside:
            world.sh("ip netns add {0}; ip -n {0} link set lo up".format(name))
    for number, link in enumerate(topology["links"]):
        world.sh("ip link add t0 type veth peer name t1")
        for side, end in enumerate(link["endpoints"]):
            name, port = end.split(":") if isinstance(end, str) else (end["node"], end["interface"])
            extended = {} if isinstance(end, str) else end
            addresses = [extended.get(key) or (link.get(key, []) + ["", ""])[side] for key in ("ipv4", "ipv6")]
            netns = homes[name]
            world.sh("ip link set t{0} name x{1}{0}".format(side, number))
            where = "x{1}{0}".format(side, number)
            if netns:
                world.sh("ip link set {0} netns {1}".format(where, netns))
            world.sh("ip link set {0} name {1} {2}; ip link set {1} up".format(
                where, port, "address " + extended["mac"] if "mac" in extended else ""), netns)
            if (topology["nodes"][name] or {}).get("kind") == "bridge":
                world.sh("ip link set {0} master {1}".format(port, name.partition("|")[0]), netns)
            for address in filter(None, addresses):
                world.sh("ip addr add {0} dev {1}".format(address, port), netns)
    for name, node in topology["nodes"].items():
        node = node or {}
        kind = node.get("kind", defaults.get("kind"))
        levels = [defaults, kinds.get(kind, {}), groups.get(node.get("group"), {}), node]
        if node.get("kind") == "bridge":
            continue
        for level in levels:
            for key, value in level.get("sysctls", {}).items():
                world.sh("sysctl -qw {0}={1}".format(key, value), homes[name])
        binds = [bind.replace("__clabNodeName__", name) for level in levels for bind in level.get("binds", [])]
        for command in [command for level in levels for command in level.get("exec", [])]:
            for bind in binds:
                source, inside = bind.split(":")[:2]
                command = command.replace(inside, shlex.quote(str(path.parent / source)))
            run(world, homes[name], command)


def state(world: t.Any, names: t.Iterable[str], topology: t.Any) -> dict[str, t.Any]:
    """What decides who reaches whom, in namespaces; MAC addresses and sysctls as far as the topology has any."""
    return {name: namespace(world, name, topology) for name in names}


def namespace(world: t.Any, name: str, topology: t.Any) -> dict[str, t.Any]:
    ends = [end for link in topology.get("links", []) for end in (link if isinstance(link, list) else link["ends"])]
    with_mac = {end["name"] for end in ends if isinstance(end, dict) and end.get("netns") == name and "mac" in end}
    links, addresses = [], []
    for link in world.json("ip -j -d addr", name):
        if link["ifname"] == "lo" and "UP" not in link["flags"]:
            continue
        links.append({
            "name": link["ifname"], "mtu": link["mtu"],
            "up": "UP" in link["flags"], "arp": "NOARP" not in link["flags"],
            "master": link.get("master"), "kind": link.get("linkinfo", {}).get("info_kind"),
            "mac": link["address"] if link["ifname"] in with_mac else None,
            "stp": link.get("linkinfo", {}).get("info_data", {}).get("stp_state"),
            "ageing": link.get("linkinfo", {}).get("info_data", {}).get("ageing_time"),
        })  # fmt: skip
        for one in link["addr_info"]:
            if not one["local"].startswith("fe80:"):
                keys = ("local", "prefixlen", "address", "broadcast", "scope", "metric", "noprefixroute")
                addresses.append({"dev": link["ifname"], **{key: one.get(key) for key in keys}})
    routes = []
    for version in (4, 6):
        for route in world.json("ip -{0} -j route show table all".format(version), name):
            if version == 6 and (route.get("type") in ("local", "anycast", "multicast") or route["dst"] == "fe80::/64"):
                continue
            ignored = ("protocol", "flags", "pref")
            hops = [{**hop, "flags": []} for hop in route.get("nexthops", [])]
            route = {key: value for key, value in route.items() if key not in ignored}
            routes.append({"version": version, **route, **({"nexthops": hops} if hops else {})})
    entries = world.json("ip -j neigh show nud permanent", name) + world.json("ip -j neigh show proxy", name)
    sysctls = dict((topology["namespaces"][name] or {}).get("sysctls", {}))
    read = {key: world.sh("sysctl -n " + key, name).strip() for key in ("net.ipv4.ip_forward", *sysctls)}
    parts = {"links": links, "addresses": addresses, "routes": routes, "neighbors": entries, "sysctls": [read],
             "rules": world.json("ip -j rule", name)}  # fmt: skip
    for rule in parts["rules"]:
        rule.pop("protocol", None)
    return {key: sorted(value, key=lambda one: json.dumps(one, sort_keys=True)) for key, value in parts.items()}


def compare(world: t.Any, topology: t.Any, by_hand: t.Callable[[t.Any], None]) -> None:
    world.quartet("topology", topology=topology)
    built = state(world, topology["namespaces"], topology)
    with world.another() as other:
        by_hand(other)
        expected = state(other, topology["namespaces"], topology)
    for name, parts in expected.items():
        for part, values in parts.items():
            assert built[name][part] == values, "{0} of {1}".format(part, name)


@pytest.mark.parametrize("name", KATHARA)
def test_kathara(world: t.Any, name: str) -> None:
    folder = DATA / "kathara" / name
    compare(world, from_kathara(str(folder)), lambda other: kathara_by_hand(other, folder))
    if name == "nat":
        assert world.ping("home", "203.0.113.2"), "the server has no route back"
        assert not world.ping("server", "192.168.0.2")


@pytest.mark.parametrize("name", CONTAINERLAB)
def test_containerlab(world: t.Any, name: str) -> None:
    path = DATA / "containerlab" / name
    topology = from_containerlab(path.read_text(), folder=str(path.parent))
    compare(world, topology, lambda other: containerlab_by_hand(other, path))
