# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The second look after the changes, and the owner of a namespace with a false mark."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.actions import Context
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.addresses import AddAddress
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.links import SetLink

LAB = {"name": "demo", "namespaces": {"c1": None}, "links": [["c1", "host"]], "pool": "10.4.0.0/24"}


def test_what_still_differs_is_told(world: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel seems to accept an address, but does not have it afterwards."""
    made = AddAddress.message

    def lost(self: AddAddress, context: Context) -> t.Any:
        return SetLink(self.netns, self.dev).message(context) if self.netns else made(self, context)

    monkeypatch.setattr(AddAddress, "message", lost)
    result = world.module("topology", topology=LAB)
    assert result["failed"] and result["errors"][0].startswith("the kernel still differs")
    assert "ip -n c1 addr add 10.4.0." in result["errors"][1]
    monkeypatch.undo()
    assert world.run("topology", topology=LAB)["changed"]


def test_a_mark_alone_makes_no_namespace_the_labs(world: t.Any) -> None:
    """Root in a namespace can set its mark, but gains nothing by the mark of another lab."""
    world.run("topology", topology=LAB)
    world.sh("ip netns add cni-1; ip -n cni-1 link set lo alias linuxnet.lab:demo")
    world.sh("ip -n c1 link set lo alias linuxnet.lab:other")
    gone = world.run("topology", name="demo", state="absent")
    assert world.sh("ip netns list").split() == ["cni-1"]
    assert any("cni-1" in warning and "force" in warning for warning in gone["warnings"])
