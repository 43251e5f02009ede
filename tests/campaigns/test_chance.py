# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Random labs: one after another, and many at the same time on one kernel."""

from __future__ import annotations

import os
import typing as t

import pytest

from ..integration.conftest import World, assert_same, private_world
from ..integration.test_topology_present import Labs, end_of, seen
from .conftest import Campaign
from .lives import machine, machine_state

AT_ONCE = 8


def _life(world: World, seed: int) -> None:
    """Build a lab, edit it, and remove it."""
    empty, labs = world.state(), Labs(seed)
    for dummy in range(2):
        lab = labs.next()
        if world.module("topology", topology=lab, check=True).get("failed"):
            lab.pop("masquerade", None)  # its namespace is not a member of the segment
        world.run("topology", topology=lab)
        built = seen(world, lab)
        assert world.run("topology", topology=lab)["changed"] is False, "a second run changes something"
        assert_same(built, seen(world, lab), "a second run changed something")
    end_of(world, empty)


@pytest.mark.timeout(7200)
def test_labs_by_chance(campaign: Campaign) -> None:
    """Each lab can be built, edited and removed, and a second run changes nothing."""
    campaign.hold(_life, campaign.chosen(range(campaign.seed, campaign.seed + 500), 3))


def _lab(number: int, again: bool) -> dict[str, t.Any]:
    """One of several labs, all of which need the host to forward."""
    name, prefix = "class{0}".format(number), "10.{0}.0.0/{1}".format(100 + number, 16 if again else 24)
    nodes: dict[str, t.Any] = {"{0}a".format(name): None, "{0}b".format(name): {"kind": "held"}}
    if again:
        nodes["{0}c".format(name)] = None
    lan = {"bridge": "br{0}".format(number), "prefix": prefix, "gateway": "host", "members": list(nodes)}
    return {"name": name, "namespaces": {**nodes, "host": {"forwarding": True}}, "segments": {"lan": lan}}


def _at_once(world: World, arguments: t.Sequence[dict[str, t.Any]]) -> list[int]:
    """Run the module topology once for each set of arguments, each in its own process, all at the same time.

    :returns: the exit status of each process.
    """
    children = []
    for one in arguments:
        pid = os.fork()
        if pid == 0:
            try:
                world.run("topology", **one)
                os._exit(0)
            except BaseException as exc:
                os.write(2, str(exc).encode())
            finally:
                os._exit(1)
        children.append(pid)
    return [os.waitpid(pid, 0)[1] for pid in children]


def _round(world: World) -> None:
    """Build eight labs at the same time, edit them, run one of them twice at the same time, and remove all of them."""
    empty = machine_state(world)
    for again in (False, True):
        assert not any(_at_once(world, [{"topology": _lab(number, again)} for number in range(AT_ONCE)]))
    assert world.sh("cat /proc/sys/net/ipv4/ip_forward").strip() == "1"
    assert not world.run("topology", topology=_lab(3, True))["changed"]
    assert not any(_at_once(world, [{"topology": _lab(0, False)}] * 2)), "the same lab twice at once"
    assert not any(_at_once(world, [{"name": "class{0}".format(n), "state": "absent"} for n in range(AT_ONCE)]))
    assert_same(empty, machine_state(world), "something is left, or not as it was")


@pytest.mark.timeout(7200)
def test_labs_side_by_side(campaign: Campaign) -> None:
    """All runs succeed, and after the last removal the host is as before, including ip_forward."""
    waiting = campaign.chosen(range(50), 1)
    while waiting:
        with private_world() as world, machine(world):
            while waiting:
                waiting.pop(0)
                if not campaign.holds(_round, world):
                    break
    campaign.end()
