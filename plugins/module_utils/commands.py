# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a change reads as a shell command, so that a learner can type it himself. Sources: ip(8), nsenter(1)."""

from __future__ import annotations

import re
import shlex
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils import fields, rules
from ansible_collections.linuxnet.lab.plugins.module_utils.snapshot import Namespace


def variable(name: str) -> str:
    """The shell variable that the commands keep a holder process's PID in."""
    return re.sub(r"\W", "_", name)


def enter(namespace: Namespace, command: str) -> str:
    """The command, run inside the namespace."""
    ref = namespace.ref
    if not ref:
        return command
    if namespace.held:
        return "nsenter -t ${0} -n {1}".format(variable(ref), command)
    if rules.is_name(ref):
        if command.startswith("ip "):
            return "ip -n {0} {1}".format(ref, command[len("ip ") :])
        return "ip netns exec {0} {1}".format(ref, command)
    if ref.isdigit():
        return "nsenter -t {0} -n {1}".format(ref, command)
    return "nsenter --net={0} {1}".format(shlex.quote(ref), command)


def netns_word(namespace: Namespace) -> str:
    """The namespace as the argument of `ip link ... netns`; the host's is the shell's, which may not be process 1's."""
    if not namespace.ref:
        return "$$"
    return "${0}".format(variable(namespace.ref)) if namespace.held else shlex.quote(namespace.ref)


def set_command(name: str, values: dict[str, t.Any]) -> str:
    """`ip link set` with these settings, by the names of :data:`.fields.LINK` and :data:`.fields.PORT`."""
    words = ["ip link set", shlex.quote(name)]
    for setting, value in values.items():
        if setting == "up":
            words.append("up" if value else "down")
        elif setting == "master" and not value:
            words.append("nomaster")
        elif setting in fields.LINK:
            words += map(shlex.quote, fields.words(fields.LINK, {setting: value}))
        elif setting not in fields.PORT:
            words += [setting, shlex.quote(str(value))]
    port = fields.words(fields.PORT, values)
    return " ".join([*words, "type bridge_slave", *port] if port else words)
