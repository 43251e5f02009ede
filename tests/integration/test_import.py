# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Labs of containerlab and Kathará, built with namespaces."""

from __future__ import annotations

from ansible_collections.linuxnet.lab.plugins.filter.from_containerlab import from_containerlab
from ansible_collections.linuxnet.lab.plugins.filter.from_kathara import from_kathara

# A router between a cable and a switch, and the host on its other side.
CONTAINERLAB = """
name: office
topology:
  defaults: {kind: linux, image: debian:12}
  nodes:
    router:
      sysctls: {net.ipv4.ip_forward: 1}
    server:
    desk1:
    desk2:
    br-desks: {kind: bridge}
  links:
    - type: veth
      endpoints:
        - {node: router, interface: eth1, ipv4: 10.1.0.1/24, mac: "02:00:00:00:00:01"}
        - {node: server, interface: eth1, ipv4: 10.1.0.2/24}
      mtu: 1400
    - endpoints: ["router:eth2", "br-desks:p0"]
      ipv4: ["10.2.0.1/24"]
    - endpoints: ["desk1:eth1", "br-desks:p1"]
      ipv4: ["10.2.0.11/24"]
    - endpoints: ["desk2:eth1", "br-desks:p2"]
      ipv4: ["10.2.0.12/24"]
    - type: host
      endpoint: {node: desk1, interface: eth9, ipv4: 192.0.2.2/30}
      host-interface: to-desk1
"""

KATHARA = """
LAB_NAME=chain
pc1[0]="A"
r1[0]="A/02:00:00:00:00:A1"
r1[1]="B"
r2[0]="B"
r2[1]="C"
pc2[0]="C"
"""
STARTUP = {
    "pc1": "ip address add 10.0.1.10/24 dev eth0\nip route add default via 10.0.1.1",
    "r1": "ifconfig eth0 10.0.1.1/24 up\nifconfig eth1 10.0.2.1/24 up\nip route add 10.0.3.0/24 via 10.0.2.2 dev eth1",
    "r2": "ip addr add 10.0.2.2/24 dev eth0\nip addr add 10.0.3.1/24 dev eth1\nip route add 10.0.1.0/24 via 10.0.2.1",
    "pc2": "#!/bin/sh\nip addr add 10.0.3.20/24 dev eth0\nip route add default via 10.0.3.1\nservice ssh start\n",
}


def test_containerlab(world):
    empty = world.state()
    topology = from_containerlab(CONTAINERLAB)
    # The routes through the router, which containerlab sets by `exec`, and which the filter does not import.
    topology["routes"] = [
        {"netns": "server", "dst": "default", "via": "router"},
        {"netns": "desk[1:2]", "dst": "default", "via": "router"},
    ]
    world.quartet("topology", topology=topology)
    assert world.links("router")["eth1"]["address"] == "02:00:00:00:00:01"
    assert world.links("server")["eth1"]["mtu"] == 1400
    assert {name for name, link in world.links().items() if link.get("master") == "br-desks"} == {"p0", "p1", "p2"}
    assert world.ping("desk1", "10.2.0.12"), "over the bridge"
    assert world.ping("desk2", "10.1.0.2"), "through the router"
    assert world.ping("server", "10.2.0.11")
    world.sh("ip addr add 192.0.2.1/30 dev to-desk1")
    assert world.ping("", "192.0.2.2"), "from the host"
    world.sh("ip link set p2 nomaster")
    assert not world.ping("desk2", "10.1.0.2")
    world.run("topology", lab="office", state="absent")
    assert world.state() == empty


def test_kathara(world):
    empty = world.state()
    world.quartet("topology", topology=from_kathara(KATHARA, STARTUP))
    assert world.links("r1")["eth0"]["address"] == "02:00:00:00:00:a1"
    assert {"chain-A", "chain-B", "chain-C"} <= set(world.links())
    assert world.ping("pc1", "10.0.3.20") and world.ping("pc2", "10.0.1.10"), "from end to end"
    hops = world.sh("ping -n -c 1 -R -W 1 10.0.3.20", "pc1").split()
    assert {"10.0.2.1", "10.0.3.1"} <= set(hops), "through both routers"
    world.sh("ip route del 10.0.1.0/24", "r2")
    assert not world.ping("pc1", "10.0.3.20")
    world.run("topology", lab="chain", state="absent")
    assert world.state() == empty
