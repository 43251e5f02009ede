# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab of two L2 segments in one subnet: both of its tables according to ping, and the same lab typed by hand."""

from __future__ import annotations

import concurrent.futures

import pytest

pytestmark = pytest.mark.playbook

HOSTS = {"netns11": "1", "netns12": "11", "netns21": "2", "netns22": "22"}
NAMES = ["netnsB1", "netnsB2", "netnsR", *HOSTS]
ADDRESSES = ["1", "11", "100", "200", "2", "22"]

# The answers, as the lab's documentation shows them. Rows are senders, columns are targets.
AUTOMATIC = {
    "netns11": "yes yes yes yes no no",
    "netns12": "yes yes yes yes no no",
    "netnsR": "yes yes yes yes no no",
    "netns21": "no no no no yes yes",
    "netns22": "no no no no yes yes",
}
MIRRORED = {
    "netns11": "yes yes no no no no",
    "netns12": "yes yes no no no no",
    "netnsR": "no no yes yes yes yes",
    "netns21": "no no yes yes yes yes",
    "netns22": "no no yes yes yes yes",
}
HOST_ROUTES = {
    "netns11": "yes yes yes yes no no",
    "netns12": "yes yes yes yes no no",
    "netnsR": "yes yes yes yes yes yes",
    "netns21": "no no yes yes yes yes",
    "netns22": "no no yes yes yes yes",
}


def cable(near: str, dev: str, far: str, address: str = "") -> list[str]:
    """Shell commands for a pair between two unnamed namespaces, as the lab's documentation shows them."""
    inside = "nsenter -t $pid_{0} -n ip".format(near)
    lines = ["{0} link add {1} type veth peer name {1}B netns $pid_{2}".format(inside, dev, far)]
    lines += ["{0} link set {1} up".format(inside, dev), "nsenter -t $pid_{0} -n ip link set {1}B up".format(far, dev)]
    lines.append("{0} addr add 192.168.5.{1}/24 broadcast 192.168.5.255 dev {2}".format(inside, address, dev))
    return lines


def typed() -> list[str]:
    """The lab as shell commands."""
    lines = [
        "unshare --net --uts sh -c 'hostname {0}; exec sleep infinity' & pid_{0}=$!; sleep 0.2; nsenter -t $pid_{0} -n "
        "ip link set lo up".format(name)
        for name in NAMES
    ]
    for segment in "12":
        for host in ("netns{0}1".format(segment), "netns{0}2".format(segment)):
            lines += cable(host, host.replace("netns", "veth"), "netnsB" + segment, HOSTS[host])
    lines += cable("netnsR", "veth1R", "netnsB1", "100") + cable("netnsR", "veth2R", "netnsB2", "200")
    for segment in "12":
        inside = "nsenter -t $pid_netnsB{0} -n ip".format(segment)
        lines.append("{0} link add br{1} type bridge; {0} link set br{1} up".format(inside, segment))
        for dev in ("veth{0}1B", "veth{0}2B", "veth{0}RB"):
            lines.append("{0} link set {1} master br{2}".format(inside, dev.format(segment), segment))
    return lines


def table(world) -> dict[str, str]:
    """The answers of all pairs according to ping(8), at the same time."""
    command = "ping -n -c 2 -i 0.3 -W 1 192.168.5.{0} > /dev/null && echo yes || echo no"
    with concurrent.futures.ThreadPoolExecutor(30) as pool:
        asked = {
            (name, address): pool.submit(world.sh, command.format(address), name)
            for name in AUTOMATIC
            for address in ADDRESSES
        }
        return {
            name: " ".join(asked[name, address].result().strip() for address in ADDRESSES) for name in AUTOMATIC
        }


@pytest.fixture
def lab(world):
    """The lab with its default variables."""
    world.empty = world.state()
    assert world.played("same_subnet") == 1
    return world


def test_is_what_the_shell_commands_build_and_leaves_no_trace(lab):
    assert lab.as_typed() == lab.by_hand(typed(), held=NAMES)
    built = lab.state()
    assert {built[name]["hostname"] for name in NAMES} == set(NAMES)
    assert lab.sh("ip netns list") == ""
    assert lab.played("same_subnet") == 0
    assert lab.state() == built
    assert lab.played("same_subnet", "-e", "lab_state=absent") == 1
    assert lab.state() == lab.empty
    assert lab.played("same_subnet", "-e", "lab_state=absent") == 0


def test_automatic_routes_then_a_route_to_each_host(lab):
    assert table(lab) == AUTOMATIC
    entries = [entry for entry in lab.json("ip -j neigh", "netnsR") if entry["dst"] == "192.168.5.22"]
    states = {entry["dev"]: (entry.get("lladdr"), entry["state"][0]) for entry in entries}
    assert states["veth2R"][0] == lab.links("netns22")["veth22"]["address"]
    assert states["veth1R"][0] is None and states["veth1R"][1] in ("INCOMPLETE", "FAILED")

    lab.sh("ip route del 192.168.5.0/24 dev veth1R", "netnsR")
    assert table(lab) == MIRRORED

    assert lab.played("same_subnet", "-e", "same_subnet_routes=host") == 1
    assert table(lab) == HOST_ROUTES
    assert lab.played("same_subnet", "-e", "same_subnet_routes=host") == 0
    lab.sh("ip route del 192.168.5.2; ip route add 192.168.5.2 via 192.168.5.100 dev veth1R", "netnsR")
    assert lab.played("same_subnet", "-e", "same_subnet_routes=host") == 1, "a swapped route is put right"
    assert table(lab) == HOST_ROUTES
    lab.sh("nft 'add table ip t; add chain ip t c { type filter hook input priority 0; policy drop; }'", "netns11")
    recap = lab.playbook("same_subnet", "-e", "same_subnet_routes=host")
    assert recap.code != 0 and "not as expected" in recap.text


def test_the_other_address_first_mirrors_it(world):
    world.played("same_subnet", "-e", "same_subnet_first=1", "-e", '{"same_subnet_held": false}')
    assert "netnsR" in world.sh("ip netns list")
    assert table(world) == MIRRORED
