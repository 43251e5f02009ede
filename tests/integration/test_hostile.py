# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Warnings about a host on which other programs manage a lab's links, or drop its packets."""

from __future__ import annotations

import pathlib

import pytest

from ansible_collections.linuxnet.lab.plugins.module_utils.host import managers

BRIDGE = {"lab": "demo", "name": "br0", "addresses": ["10.0.0.1/24"]}


def note(folder: str, index: int, *lines: str) -> None:
    """Write the file in which a network manager stores the state of a link."""
    pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
    (pathlib.Path(folder) / str(index)).write_text("".join(line + "\n" for line in lines))


@pytest.fixture
def index(world):
    """The index of the lab's bridge."""
    assert world.run("bridge", **BRIDGE)["warnings"] == []
    return world.links()["br0"]["ifindex"]


def test_a_link_that_networkd_manages(world, index):
    file = "NETWORK_FILE=/etc/systemd/network/all.network"
    note(managers.NETWORKD, index, "# private", "ADMIN_STATE=configuring", file)
    note(managers.NETWORKD, 1, "ADMIN_STATE=configured", file)
    for check in (True, False):
        (warning,) = world.run("bridge", check=check, **BRIDGE)["warnings"]
        assert (
            "manages br0," in warning and "/etc/systemd/network/all.network" in warning and "Unmanaged=yes" in warning
        )
    assert world.run("bridge", lab="other", name="br1")["warnings"] == [], "it is none of another lab's"


@pytest.mark.parametrize(
    "lines", [["ADMIN_STATE=unmanaged"], ["ADMIN_STATE=pending"], ["ADMIN_STATE=unmanaged", "NETWORK_FILE=/etc/x"]]
)
def test_a_link_that_networkd_leaves_alone(world, index, lines):
    note(managers.NETWORKD, index, *lines)
    assert world.run("bridge", **BRIDGE)["warnings"] == []


def test_a_link_that_network_manager_manages(world, index):
    note(managers.CONNECTIONS, 1, "[connection]", "uuid=1", "[.nmmeta]", "nm-generated=true")
    note(managers.NETWORK_MANAGER, index, "[device]", "managed=true", "connection-uuid=1")
    (warning,) = world.run("bridge", **BRIDGE)["warnings"]
    assert "nmcli device set br0 managed no" in warning


@pytest.mark.parametrize(
    "lines",
    [
        ["managed=false"],
        ["managed=true"],
        ["managed=false", "connection-uuid=1"],
        ["managed=true", "connection-uuid=2"],
    ],
)
def test_a_link_that_network_manager_leaves_alone(world, index, lines):
    note(managers.CONNECTIONS, 2, "[connection]", "uuid=2", "[.nmmeta]", "external=true")
    note(managers.NETWORK_MANAGER, index, "[device]", *lines)
    assert world.run("bridge", **BRIDGE)["warnings"] == []
