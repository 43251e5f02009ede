# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A lab that is exported from the kernel as a topology describes what exists, and builds the same lab elsewhere."""

from __future__ import annotations

import pytest

from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.sockets import Sockets
from ansible_collections.linuxnet.lab.plugins.module_utils.snapshot import Snapshot
from ansible_collections.linuxnet.lab.plugins.module_utils.topology import export, layout

from .conftest import assert_same
from .test_topology_examples import TYPED, example

# Objects and attributes that the documented labs do not have.
RICH = {
    "name": "rich",
    "namespaces": {
        "host": {"sysctls": {"net.ipv4.ip_forward": "1"}},
        "r1": {"lo": ["10.255.0.1", "fd00:255::1"]},
        "a": {"kind": "held", "hostname": "alpha"},
        "b": None,
    },
    "bridges": {"br0": {"netns": "r1", "stp": True, "forward_delay": 4, "ageing_time": 10, "addresses": "10.1.0.1/24"}},
    "links": [
        {"ends": ["a:eth0", "br0:pa"], "mtu": 1400},
        {"ends": [{"netns": "b", "name": "eth0", "addresses": ["10.1.0.3/24"], "mac": "02:00:00:00:00:0b"}, "br0"]},
        {"ends": ["r1:up", "host:down"], "prefix": ["192.0.2.0/30", "fd00:1::/64"]},
        {"ends": [{"netns": "a", "name": "d0", "up": False}, "b:d1"]},
        {
            "ends": [
                {"netns": "host", "name": "p0", "addresses": ["203.0.113.7/32"]},
                {"netns": "r1", "name": "p1", "addresses": ["203.0.113.8/32"]},
            ]
        },
    ],
    "routes": [
        {"netns": "b", "dst": "default", "via": "10.1.0.1"},
        {"netns": "b", "dst": "10.9.0.0/16", "type": "unreachable"},
        {"netns": "b", "dst": "10.8.0.0/16", "dev": "eth0", "table": 100, "metric": 7},
        {"netns": "host", "dst": "10.1.0.0/24", "via": "192.0.2.1"},
        {"netns": "host", "dst": "10.255.0.1", "via": "192.0.2.1", "src": "192.0.2.2"},
        {"netns": "host", "dst": "198.51.100.1", "via": "203.0.113.8", "dev": "p0"},
        {"netns": "host", "dst": "203.0.113.8", "dev": "p0"},
    ],
    "neighbors": [
        {"netns": "b", "dst": "10.1.0.9", "dev": "eth0", "lladdr": "02:00:00:00:00:09"},
        {"netns": "r1", "dst": "10.1.0.77", "dev": "br0", "proxy": True},
    ],
    "masquerade": [
        {"src": "10.1.0.0/24", "oif": "eth9", "forward": "open"},
        {"netns": "r1", "src": "10.1.0.0/24", "dst": "192.0.2.0/30"},
    ],
}


def read_back(lab):
    """The topology that is exported from the kernel."""
    with Sockets() as sockets:
        return export.export(Snapshot(sockets), lab)


@pytest.mark.parametrize("name", [*sorted(TYPED), "rich"])
def test_is_what_is_there_and_makes_the_same(world, name):
    lab = RICH if name == "rich" else example(name)
    world.run("topology", topology=lab)
    found = read_back(name)
    assert layout.read(found)[1] == []
    again = world.run("topology", topology=found)
    assert (again["changed"], again["commands"]) == (False, [])
    built = world.comparable()
    with world.another() as other:
        other.run("topology", topology=found)
        assert_same(built, other.comparable(), "it made something else")
        assert read_back(name) == found


def test_what_is_not_the_labs_is_not_in_it(world):
    world.sh("ip netns add plain; ip link add v0 type veth peer name v1 netns plain; ip link add br9 type bridge")
    world.run("topology", topology=example("bridge"))
    world.run("netns", lab="other", name=["c9"])
    found = read_back("bridge")
    assert set(found["namespaces"]) == {"net0", "net1"} and set(found["bridges"]) == {"br0"}
    assert len(found["links"]) == 2
    assert read_back("nobody") == {"name": "nobody"}
