# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The machines, and the folders for their images and processes."""

from __future__ import annotations

import hashlib
import os
import pathlib
import typing as t

CHECKOUT = pathlib.Path(__file__).resolve().parents[3]
GUEST = pathlib.Path(__file__).resolve().parent / "guest"
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "linuxnet.lab"
IMAGES = CACHE / "images"
# The folder for the machines of this checkout. It is outside the checkout, so that `git clean` does not remove the pid
# files of running machines.
RUN = CACHE / "run" / hashlib.sha256(str(CHECKOUT).encode()).hexdigest()[:12]


class Machine(t.NamedTuple):
    """A virtual machine.

    name: its name in the inventory.
    suite: the Debian release that it runs.
    address: its address on the network between the machines.
    variables: further variables in Ansible's inventory.
    """

    name: str
    suite: str
    address: str
    variables: dict[str, t.Any] = {}


ALL = [
    # Its pyroute2 is too old.
    Machine("debian11", "bullseye", "10.77.0.11/24", {"prepare_source": "wheel"}),
    Machine("debian12", "bookworm", "10.77.0.12/24"),
    Machine("debian13", "trixie", "10.77.0.13/24"),
    Machine("forky", "forky", "10.77.0.14/24"),
]


def wanted() -> list[Machine]:
    """The machines that LAB_MACHINES names, by default the two that every run has."""
    names = os.environ.get("LAB_MACHINES", "debian12 debian13").split()
    unknown = set(names) - {machine.name for machine in ALL}
    if unknown or not names:
        known = ", ".join(machine.name for machine in ALL)
        raise SystemExit("LAB_MACHINES={0}: the known machines are {1}".format(" ".join(names), known))
    return [machine for machine in ALL if machine.name in names]
