# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The zones of firewalld, which lets no other program change its table.

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
# Zones that let pass whatever is forwarded. NetworkManager brings the first one, for links that it shares: of what is
# for the host itself, it lets pass only what such a link needs. The other one lets all of that pass, too.
_ZONES = ("nm-shared", "trusted")
_PROGRAM = "firewall-cmd"
_TIMEOUT = 30


class FirewalldError(OSError):
    """firewalld refused a request, in its own words."""


def is_here() -> bool:
    """Whether firewalld can be spoken to."""
    return shutil.which(_PROGRAM) is not None


def zone(others: set[str]) -> str:
    """The zone for links of a lab that forwards between them and some others; "" where firewalld does not answer.

    The zone that links are in by default is preferred, as the lab gains least there: only links in one zone forward to
    each other. To forward to links that are in no zone, it has to be another one.
    """
    try:
        default = _ask("--get-default-zone").strip()
        if others <= set(_ask("--zone=" + default, "--list-interfaces").split()) and _forwards(default):
            return default
        there = _ask("--get-zones").split()
    except OSError:
        return ""
    return next((name for name in _ZONES if name in there), "")


def _forwards(name: str) -> bool:
    """Whether the links in a zone forward to each other, which firewalld knows from 0.9 on."""
    try:
        return _ask("--zone=" + name, "--query-forward").strip() == "yes"
    except OSError:  # it says no by failing
        return False


def zone_of(link: str) -> str:
    """The zone that a link was put into; "" for none."""
    try:
        return _ask("--get-zone-of-interface=" + link).strip()
    except OSError:  # says that there is none by failing
        return ""


def _arguments(link: str, before: str, after: str) -> list[str]:
    """The arguments that put a link from one zone into another; "" stands for none."""
    if not after:
        return ["--zone=" + before, "--remove-interface=" + link]
    return ["--zone=" + after, "--{0}-interface={1}".format("change" if before else "add", link)]


def command(link: str, before: str, after: str) -> str:
    """The same as a shell command."""
    return shlex.join([_PROGRAM, *_arguments(link, before, after)])


def put(link: str, before: str, after: str) -> None:
    """Put a link from one zone into another; OSError where firewalld refuses it."""
    _ask(*_arguments(link, before, after))


@dataclasses.dataclass(eq=False)
class ChangeZone(Operation):
    """Another zone of a link of the host; "" stands for none."""

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
