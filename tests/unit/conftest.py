# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Snapshots of imaginary kernels, from which tests make plans as from a real one. Also new Python processes."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import typing as t

import ansible
import pytest

from ansible_collections.linuxnet.lab.plugins.module_utils import plan as planning
from ansible_collections.linuxnet.lab.plugins.module_utils.host_use import addresses_in_use
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import sysctl
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.objects import Address, Link, Route
from ansible_collections.linuxnet.lab.plugins.module_utils.plan import Plan
from ansible_collections.linuxnet.lab.plugins.module_utils.snapshot import Namespace, Snapshot, mark

LAB = "demo"


class Picture(Snapshot):
    """A snapshot of given namespaces. Everything else does not exist."""

    def __init__(self, *there: Namespace) -> None:
        super().__init__(None)  # type: ignore[arg-type]
        self._namespaces = {namespace.ref: namespace for namespace in there}
        self.sysctls: dict[tuple[str, str], str] = {}
        self.memory: dict[str, dict[str, t.Any]] = {}

    def namespace(self, ref: str) -> Namespace | None:
        return self._namespaces.get(ref)

    def everywhere(self) -> list[Namespace]:
        return [namespace for namespace in self._namespaces.values() if namespace]

    def peer(self, namespace: Namespace, link: Link) -> tuple[Namespace, Link] | None:
        for other in self.everywhere():
            for one in other.links.values():
                if one is not link and one.index == link.peer and one.peer == link.index:
                    return other, one
        return None

    def are_pair(self, namespace: Namespace, link: Link, other: Namespace, peer: Link) -> bool:
        return (link.index, link.peer) == (peer.peer, peer.index)

    def once(self, look: t.Callable[..., t.Any], *arguments: t.Any) -> t.Any:
        if look is sysctl.value:
            return self.sysctls.get(arguments)
        return [] if look is addresses_in_use else super().once(look, *arguments)

    def remembered(self, lab: str) -> dict[str, t.Any]:
        return self.memory.get(lab, {})

    def remembering(self) -> list[str]:
        return list(self.memory)

    def identity(self, ref: str) -> str:
        return ref or "host"


class Drawing:
    """Makes the objects of a snapshot, and plans from it."""

    @staticmethod
    def link(name: str, *addresses: str, lab: str = LAB, **values: t.Any) -> Link:
        """A link that is up. By default, it belongs to the lab."""
        values = {"up": True, "kind": "veth", "alias": mark(lab) if lab else "", **values}
        return Link(name, addresses=[Address(cidr) for cidr in addresses], **values)

    @staticmethod
    def netns(ref: str, *links: Link, routes: t.Sequence[Route] = (), lab: str = "") -> Namespace:
        """A namespace with a `lo` and these links. It has the routes to their networks."""
        lo = Link("lo", up=True, alias=mark(lab) if lab else "")
        drawn = Namespace(ref, {link.name: link for link in (lo, *links)}, lambda family: [])
        drawn.recorded = lab
        for link in links:
            addresses, link.addresses = link.addresses, []
            for address in addresses:
                drawn.add_address(link, address)
        for route in routes:
            drawn.table(route.family).add(route)
        return drawn

    @staticmethod
    def plan(*there: Namespace, lab: str = LAB, **options: t.Any) -> Plan:
        """An empty plan for a machine with these namespaces. Without a host among them, the host has only a `lo`."""
        refs = [namespace.ref for namespace in there]
        host = [] if "" in refs else [Drawing.netns("")]
        return Plan(Picture(*host, *there), lab, **options)

    @staticmethod
    def commands(plan: Plan) -> list[str]:
        """The commands of a plan, in its order."""
        return [command for change in plan.changes() for command in change.commands]

    @staticmethod
    def operations(plan: Plan) -> list[tuple[str, str]]:
        """The operations of a plan with their namespaces, in its order."""
        return [(one.netns, type(one).__name__) for change in plan.changes() for one in change.operations]


@pytest.fixture
def draw() -> type[Drawing]:
    """The maker of snapshots."""
    return Drawing


@pytest.fixture
def new_python() -> t.Callable[..., subprocess.CompletedProcess[str]]:
    """A function that runs this Python with arguments, in a new process that finds the collection in the same place.

    `ansible-test units` tells only its own process where the collection is.
    """
    collection = pathlib.Path(planning.__file__)
    collections = next(folder.parent for folder in collection.parents if folder.name == "ansible_collections")
    places = [os.fspath(collections), os.fspath(pathlib.Path(ansible.__file__).parents[1])]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([*places, *filter(None, [os.environ.get("PYTHONPATH")])]),
        "ANSIBLE_COLLECTIONS_PATH": places[0],
    }

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    return run
