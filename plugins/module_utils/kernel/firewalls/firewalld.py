# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Put links into zones of firewalld, because no other program can change firewalld's table.

A link joins a zone of the running firewalld, not of its configuration files. That survives a reload, but not a restart.
Source: firewall-cmd(1).
"""

from __future__ import annotations

import dataclasses
import shlex
import shutil
import subprocess

from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.actions import Context, Operation

TABLE = "table inet firewalld"
# Zones that accept all forwarded packets. NetworkManager adds the first one for links that it shares. That zone accepts
# only the packets to the host itself that such a link needs. The other zone accepts all packets to the host.
_ZONES = ("nm-shared", "trusted")
_PROGRAM = "firewall-cmd"
_TIMEOUT = 30


class FirewalldError(OSError):
    """firewalld refused a request. The message is firewalld's own."""


def is_here() -> bool:
    """Whether firewalld's client program is installed."""
    return shutil.which(_PROGRAM) is not None


def zone(others: set[str]) -> str:
    """The zone for links of a lab that forwards between them and *others*. Empty if firewalld does not answer.

    The default zone is preferred, because it gives the lab's links the fewest rights. It helps only if the other links
    are in that zone too, and if the zone forwards between its links.
    """
    try:
        default = _ask("--get-default-zone").strip()
        if others <= set(_ask("--zone=" + default, "--list-interfaces").split()) and _forwards(default):
            return default
        known = _ask("--get-zones").split()
    except OSError:
        return ""
    return next((name for name in _ZONES if name in known), "")


def _forwards(name: str) -> bool:
    """Whether the links in a zone forward to each other. Versions before 0.9 cannot do that."""
    try:
        return _ask("--zone=" + name, "--query-forward").strip() == "yes"
    except OSError:  # firewall-cmd also fails if the answer is no
        return False


def zone_of(link: str) -> str:
    """The zone that a link was assigned to. Empty for none."""
    try:
        return _ask("--get-zone-of-interface=" + link).strip()
    except OSError:  # firewall-cmd also fails if the link has no zone
        return ""


def _arguments(link: str, before: str, after: str) -> list[str]:
    """The arguments that move a link from one zone to another. An empty string stands for no zone."""
    if not after:
        return ["--zone=" + before, "--remove-interface=" + link]
    return ["--zone=" + after, "--{0}-interface={1}".format("change" if before else "add", link)]


def command(link: str, before: str, after: str) -> str:
    """The shell command that moves a link from one zone to another."""
    return shlex.join([_PROGRAM, *_arguments(link, before, after)])


def put(link: str, before: str, after: str) -> None:
    """Move a link from one zone to another. OSError if firewalld refuses it."""
    _ask(*_arguments(link, before, after))


@dataclasses.dataclass(eq=False)
class ChangeZone(Operation):
    """Move a link of the host from one zone to another. An empty string stands for no zone."""

    link: str
    before: str
    after: str

    def carry_out(self, context: Context) -> None:
        """See the base class."""
        put(self.link, self.before, self.after)


def _ask(*arguments: str) -> str:
    try:
        done = subprocess.run([_PROGRAM, *arguments], capture_output=True, text=True, timeout=_TIMEOUT, check=False)
    except subprocess.TimeoutExpired as exc:
        raise FirewalldError(0, "firewalld does not answer") from exc
    if done.returncode:
        raise FirewalldError(0, (done.stderr or done.stdout).strip())
    return done.stdout
