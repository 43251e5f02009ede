# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role topology as a user runs it: with a file, and with variables of an inventory."""

from __future__ import annotations

import os
import sys

import pytest
import yaml

pytestmark = pytest.mark.playbook


def test_a_file(world):
    empty = world.state()
    arguments = ["-e", "topology_file=docs/topologies/bridge_nat.yml"]
    predicted = world.playbook("topology", "--check", "--diff", *arguments)
    assert (predicted.code, predicted.counts["changed"]) == (0, 1), predicted.text
    assert world.state() == empty
    assert world.played("topology", *arguments) == 1
    assert world.ping("c1", "10.0.0.3")
    assert world.played("topology", *arguments) == 0
    world.sh("ip link set vethc2 down")
    assert world.played("topology", *arguments) == 1
    assert world.ping("c1", "10.0.0.3")
    assert world.played("topology", *arguments, "-e", "lab_state=absent") == 1
    assert world.state() == empty
    assert world.sh("find /run -type f") == ""


def test_an_inventory_with_many_labs(world, tmp_path):
    """Variables of a group apply to all hosts, those of a host override them, and a lab is removed from a host."""

    def lab(name, network):
        member = name + "1"
        return {
            "name": name,
            "namespaces": [member],
            "segments": {name: {"prefix": network, "gateway": "host", "members": member}},
            "checks": [{"from": "host", "to": member}, {"from": member, "to": "host"}],
        }

    hosts = {"here": {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}}
    (tmp_path / "hosts.yml").write_text(yaml.safe_dump({"lab_hosts": {"hosts": hosts}}))
    (tmp_path / "group_vars").mkdir()
    group = tmp_path / "group_vars" / "lab_hosts.yml"
    group.write_text(yaml.safe_dump({"topology_labs": [lab("red", "10.1.0.0/24"), lab("blue", "10.2.0.0/24")]}))
    inventory = ["-i", os.fspath(tmp_path / "hosts.yml")]
    recap = world.playbook("topology", *inventory)
    assert recap.code == 0 and set(world.sh("ip netns list").split()) >= {"red1", "blue1"}, recap.text
    assert world.ping("", world.addresses("red", "red1")[0].split("/")[0])

    group.write_text(yaml.safe_dump({"topology_labs": [lab("red", "10.1.0.0/24")], "topology_absent": ["blue"]}))
    recap = world.playbook("topology", *inventory)
    assert recap.code == 0 and "blue" not in world.sh("ip netns list") + world.sh("ip -br link"), recap.text

    wrong = lab("red", "10.1.0.0/24")
    wrong["checks"].append({"from": "red1", "to": "host", "expect": "unreachable"})
    group.write_text(yaml.safe_dump({"topology_labs": [wrong]}))
    recap = world.playbook("topology", *inventory)
    assert recap.code != 0 and "not as expected" in recap.text
