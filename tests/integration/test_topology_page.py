# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page of the topology format: its examples can be built and pass their checks, and its errors are real."""

from __future__ import annotations

import pathlib
import re
import typing as t

import pytest
import yaml

if t.TYPE_CHECKING:
    from .conftest import World

PAGE = (pathlib.Path(__file__).resolve().parents[2] / "docs" / "topology.md").read_text()
TEXTS = re.findall(r"^```yaml\n(.*?)^```\n(?:\n```text\n(.*?)^```)?", PAGE, re.MULTILINE | re.DOTALL)
EXAMPLES = [yaml.safe_load(text) for text, errors in TEXTS if not errors]


# The benchmark builds a thousand namespaces.
@pytest.mark.parametrize("data", [data for data in EXAMPLES if data["name"] != "crowd"], ids=lambda data: data["name"])
def test_example(world: World, data: dict[str, t.Any]) -> None:
    empty = world.state()
    world.quartet("topology", topology=data)
    if "checks" in data:
        assert all(result["ok"] for result in world.run("connectivity", topology=data, timeout=2)["results"])
    world.run("topology", name=data["name"], state="absent")
    assert world.state() == empty


def test_errors(world: World) -> None:
    shown = {text: errors for text, errors in TEXTS if errors}
    assert shown
    for text, errors in shown.items():
        assert world.module("topology", topology=yaml.safe_load(text))["msg"] + "\n" == errors
    assert world.sh("ip netns") == ""


def test_what_the_page_says_of_long_names(world: World) -> None:
    shown_as = r"lab `(\S+)`, a member of the segment `(\S+)` has\sthe link `(\S+)`, and `(ip link .*?)`"
    found = re.search(shown_as, PAGE)
    assert found
    lab, name, link, shown = found.groups()
    segments = {name: {"prefix": "10.0.0.0/24", "members": "c"}}
    world.run("topology", topology={"name": lab, "namespaces": "c", "segments": segments})
    assert " {0}@".format(link) in world.sh(shown, "c")


def test_what_the_second_run_leaves_alone_and_puts_right(world: World) -> None:
    data = {"name": "d", "namespaces": "c[1:2]", "segments": {"lan": {"prefix": "10.0.0.0/24", "members": "c[1:2]"}}}
    world.run("topology", topology=data)
    # Links without a mark, routes of a daemon, and other things that the topology does not mention.
    world.sh("ip link add v type veth peer name w; ip link set lan address 02:00:00:00:00:08", "c1")
    world.sh("sysctl -qw net.ipv4.ip_forward=1; ip neigh add 10.0.0.9 lladdr 02:00:00:00:00:09 dev lan", "c1")
    world.sh("ip route add 10.8.0.0/16 dev lan proto bird", "c1")
    assert world.run("topology", topology=data)["commands"] == []
    world.sh("ip route add 10.9.0.0/16 dev lan; ip addr add 10.0.0.99/24 dev lan; ip addr add 10.7.0.1/32 dev lo", "c1")
    world.sh("ip addr flush dev lan; ip link del lan", "c2")
    commands = world.run("topology", topology=data)["commands"]
    assert [command for command in commands if "c1" in command] == [
        "ip -n c1 route del 10.9.0.0/16 dev lan",
        "ip -n c1 addr del 10.7.0.1/32 dev lo",
        "ip -n c1 addr del 10.0.0.99/24 dev lan",
    ]
    assert any("peer name lan netns c2" in command for command in commands)
    assert world.run("topology", topology=data)["commands"] == []
