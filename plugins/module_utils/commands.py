# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Changes as shell commands, which a learner can type. Sources: ip(8), nsenter(1)."""

from __future__ import annotations

import re
import shlex
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils import fields, rules
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.objects import Address
from ansible_collections.linuxnet.lab.plugins.module_utils.snapshot import Namespace


def variable(name: str) -> str:
    """The shell variable with the PID of the process that holds a namespace.

    Each namespace has its own variable, and no shell uses these variables itself.
    """
    return "pid_" + re.sub(r"[\W_]", lambda found: "__" if found[0] == "_" else "_{0:02x}".format(ord(found[0])), name)


def holder(namespace: Namespace) -> str:
    """The PID of the process that holds a namespace, as a word of a command.

    For an existing process it is the PID itself, which every shell understands.
    """
    return str(namespace.holder.pid) if namespace.holder else "$" + variable(namespace.ref)


def enter(namespace: Namespace, command: str) -> str:
    """The command, run inside the namespace."""
    ref = namespace.ref
    if not ref:
        return command
    if namespace.held:
        return "nsenter -t {0} -n {1}".format(holder(namespace), command)
    if rules.is_name(ref):
        if command.startswith("ip "):
            return "ip -n {0} {1}".format(ref, command[len("ip ") :])
        return "ip netns exec {0} {1}".format(ref, command)
    if ref.isdigit():
        return "nsenter -t {0} -n {1}".format(ref, command)
    return "nsenter --net={0} {1}".format(shlex.quote(ref), command)


def set_hostname(namespace: Namespace, name: str) -> str:
    """The command that sets the hostname in a held namespace. hostname(1) refuses some names that the kernel accepts.
    """
    return "nsenter -t {0} --uts sysctl -w kernel.hostname={1}".format(holder(namespace), name)


def netns_word(namespace: Namespace) -> str:
    """The namespace as the argument of `ip link ... netns`. The host's is that of the shell, which may not be that of
    PID 1.
    """
    if not namespace.ref:
        return "$$"
    return holder(namespace) if namespace.held else shlex.quote(namespace.ref)


def set_command(name: str, values: dict[str, t.Any]) -> str:
    """`ip link set` with these settings, by the names of :data:`.fields.LINK` and :data:`.fields.PORT`."""
    words = ["ip link set dev", shlex.quote(name)]
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


def address_words(address: Address) -> str:
    """An address as arguments of `ip addr add`, with all attributes that differ from the default."""
    values = dict(address.unusual)
    if address.broadcast:
        values["broadcast"] = address.broadcast
    if address.scope != rules.scope_of(rules.interface_of(address.cidr)):
        values["scope"] = address.scope
    return " ".join([_with_peer(address), *fields.words(fields.ADDRESS, values)])


def add_address(dev: str, address: Address) -> str:
    """`ip addr add` for a link."""
    dad = fields.words(fields.ADDRESS, {"dad": False}) if address.nodad else []
    return " ".join(["ip addr add", address_words(address), "dev", shlex.quote(dev), *dad])


def delete_address(dev: str, address: Address) -> str:
    """`ip addr del` for a link."""
    return "ip addr del {0} dev {1}".format(_with_peer(address), shlex.quote(dev))


def _with_peer(address: Address) -> str:
    if not address.remote:
        return address.cidr
    return "{0} peer {1}/{2}".format(address.ip, address.remote, address.cidr.split("/")[1])
