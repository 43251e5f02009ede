# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The commands of random labs, typed into a shell on an empty host, give the same state as the module."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import tempfile
import typing as t

import pytest

from ansible_collections.linuxnet.lab.plugins.module_utils.commands import variable
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import namespaces
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.held import holders

from ..integration.conftest import World, assert_same, comparable, from_the_top
from ..integration.test_topology_present import Labs, places
from .conftest import Campaign
from .lives import sysctls

# Names that are keywords of ip(8), or that have special characters for a shell, sysctl(8) or nft(8).
_WORDS = "a b d h m n t up dev name type master mtu vrf help add set del link netns via to".split()
_LINKS = ["a;b", "$(id)", "`id`", "it's", "*", "up*", "-x", "#x", "~", "x=y", "!1", "{a,b}", "$HOME", "a\\", "&",
          "e1.5", "<x>", "|", "?", "(", "é", "@x", "+", ","]  # fmt: skip
_NETNS = ["PATH", "IFS", "UID", "_", "1a", "a.b", "a-b", "a_b", "a+b", "a@b", "exec", "identify"]


def _renamed(value: t.Any, names: dict[str, str]) -> t.Any:
    if isinstance(value, dict):
        return {names.get(key, key): _renamed(item, names) for key, item in value.items()}
    if isinstance(value, list):
        return [_renamed(item, names) for item in value]
    return names.get(value, value) if isinstance(value, str) else value


def _lab(seed: int) -> dict[str, t.Any]:
    """A random lab with names that are difficult to quote."""
    lab, generator = Labs(seed).next(), random.Random(seed)
    nodes = generator.sample(_WORDS + _NETNS, 5)
    links = generator.sample([word for word in _WORDS + _LINKS if word not in nodes], 8)
    names = dict(zip(["c1", "c2", "c3", "r", "a-rather-long-name"], nodes))
    names.update(zip(["x0", "x1", "x2", "eth0", "up0", "br0", "lan", "wan"], links))
    sysctl = "net/ipv4/conf/{0}/rp_filter".format(names["lan"])
    for name, member in lab["segments"]["lan"]["members"].items():
        if "name" not in member:
            lab["namespaces"][name].setdefault("sysctls", {})[sysctl] = 1
    if "routing" in lab:  # which needs the connected routes
        lab["routes"] = [one for one in lab["routes"] if one.get("state") != "absent"]
    return {**{key: _renamed(value, names) for key, value in lab.items() if key != "name"}, "name": "demo"}


def _look(world: World, where: dict[str, str]) -> dict[str, t.Any]:
    """The state of some namespaces, without the marks of ownership."""
    found = comparable(world.look(where))
    for name, ref in where.items():
        found[name]["neighbors"] = sorted(
            world.sh("ip neigh show nud permanent; ip neigh show proxy", ref).splitlines()
        )
        with namespaces.inside_ref(ref):
            found[name]["sysctls"] = sysctls()
        for route in found[name]["route"] + found[name]["route6"]:
            if route.get("protocol") == "76":
                del route["protocol"]
    return found


def _type(commands: t.Sequence[str], held: t.Sequence[str], pids: t.Sequence[str] = ()) -> list[str]:
    """Type commands into a shell with variables for the PIDs of the processes that hold namespaces.

    :returns: the PIDs in these variables at the end.
    """
    variables = [variable(name) for name in held]
    known = ["{0}={1}".format(*one) for one in zip(variables, pids)]
    print_pids = ["echo pid=${0}".format(one) for one in variables]
    with tempfile.TemporaryFile("w+") as output:  # the processes that it starts keep it open
        script = "\n".join(["set -e", *known, *commands, *print_pids])
        done = subprocess.run(
            ["/bin/bash", "-c", script], stdout=output, stderr=subprocess.STDOUT, timeout=120, check=False
        )
        output.seek(0)
        printed = output.read()
    assert done.returncode == 0, "{0}\n{1}".format(printed, script)
    return [line[len("pid=") :] for line in printed.splitlines() if line.startswith("pid=")]


def _same(world: World, seed: int) -> None:
    """Build a lab with the module and with its commands, and compare. Then type the commands of its removal as well."""
    empty, lab = world.state(), _lab(seed)
    if world.module("topology", topology=lab, check=True).get("failed"):
        lab.pop("masquerade", None)  # its namespace is not a member of the segment
    build = world.run("topology", topology=lab)["commands"]
    held = [holder.name for holder in holders()]
    built = _look(world, places(world))
    end = from_the_top(world.run("topology", name="demo", state="absent", check=True)["commands"])
    with world.another() as other:
        nothing = other.state()
        pids = _type(build, held)
        try:
            typed = _look(other, {**{ref: ref for ref in ["", *namespaces.named()]}, **dict(zip(held, pids))})
            assert_same(built, typed, "the commands give another state")
            _type(end, held, pids)
            assert_same(nothing, other.state(), "the commands leave something")
        finally:
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)
    world.run("topology", name="demo", state="absent")
    assert_same(empty, world.state(), "something is left")


@pytest.mark.timeout(7200)
def test_commands_by_chance(campaign: Campaign) -> None:
    """The commands do the same as the module, whatever the names of links and namespaces are."""
    campaign.hold(_same, campaign.chosen(range(campaign.seed, campaign.seed + 200), 3))
