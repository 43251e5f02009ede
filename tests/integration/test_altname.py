# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The alternative names of links."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.linuxnet.lab.plugins.module_utils import engine
from ansible_collections.linuxnet.lab.plugins.module_utils.errors import LabError
from ansible_collections.linuxnet.lab.plugins.module_utils.resources.address import Addresses
from ansible_collections.linuxnet.lab.plugins.module_utils.resources.bridge import Bridge
from ansible_collections.linuxnet.lab.plugins.module_utils.resources.link import LinkSettings, Settings
from ansible_collections.linuxnet.lab.plugins.module_utils.resources.netns import Netns
from ansible_collections.linuxnet.lab.plugins.module_utils.resources.veth import End, Veth

if t.TYPE_CHECKING:
    from .conftest import World

LONG = "the-first-port-of-the-server-in-the-north"


def lab(*further: engine.Resource) -> list[engine.Resource]:
    """A bridge and a pair, all with alternative names."""
    outer = End("", "v0", Settings(up=True, master="br0", altname=LONG + "_outside"), place="outer.")
    inner = End("c1", "eth0", Settings(up=True, altname=LONG), Addresses(["10.0.0.2/24"]), place="inner.")
    return [
        Netns("c1", place="name"),
        Bridge("", "br0", Settings(up=True, altname="x" * 127), place="bridge."),
        Veth(outer, inner),
        *further,
    ]


def altnames(world: World, dev: str, netns: str = "") -> list[str]:
    """The alternative names that ip(8) reports."""
    return world.json(f"ip -j link show dev {dev}", netns)[0].get("altnames", [])


def test_given_once_and_read_back(world: World) -> None:
    predicted = engine.run(lab(), "x", check=True)
    done = engine.run(lab(), "x")
    assert (predicted.changed, predicted.commands, predicted.diff) == (done.changed, done.commands, done.diff)
    assert altnames(world, "br0") == ["x" * 127]
    assert altnames(world, "v0") == [LONG + "_outside"]
    assert altnames(world, "eth0", "c1") == [LONG]
    assert done.diff["after"]["c1"]["links"]["eth0"]["altnames"] == [LONG]
    assert engine.run(lab(), "x").commands == []


def test_the_same_by_hand(world: World) -> None:
    commands = engine.run(lab(), "x").commands
    assert f"ip -n c1 link property add dev eth0 altname {LONG}" in commands
    assert world.by_hand(commands) == world.comparable()


def test_added_beside_others(world: World) -> None:
    """Existing names stay, and the diff contains both."""
    engine.run(lab(), "x")
    done = engine.run([LinkSettings("c1", "eth0", Settings(altname="other"))], "x")
    assert done.diff["before"]["c1"]["links"]["eth0"]["altnames"] == [LONG]
    assert done.diff["after"]["c1"]["links"]["eth0"]["altnames"] == [LONG, "other"]
    assert sorted(altnames(world, "eth0", "c1")) == sorted([LONG, "other"])


def test_its_own_name_is_one(world: World) -> None:
    """The name of the link itself needs no change, because the link already answers to it."""
    engine.run(lab(), "x")
    assert not engine.run([LinkSettings("c1", "eth0", Settings(altname="eth0"))], "x").changed


def test_taken_back(world: World) -> None:
    """The kernel refuses a name that belongs to another link, and the names added before it are removed."""
    engine.run(lab(), "x")
    world.sh("ip link add other type bridge; ip link property add dev other altname taken")
    before = world.state()
    wanted = [LinkSettings("", dev, Settings(altname=name)) for dev, name in (("v0", "free"), ("br0", "taken"))]
    with pytest.raises(LabError) as caught:
        engine.run(wanted, "x")
    assert caught.value.errors[0].startswith("`ip link property add dev br0 altname taken` failed: ")
    assert world.state() == before


@pytest.mark.parametrize("name", ["", "x" * 128, "a b", "a/b", "a\tb"])
def test_refused(name: str) -> None:
    errors = Settings(altname=name).check("links[1].")
    assert len(errors) == 1 and errors[0].startswith("links[1].altname: ")
