# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sysctls of a network namespace, read and written in /proc/sys. Source: sysctl(8), proc(5).

What is under /proc/sys/net belongs to the namespace of the thread that opens the file.
"""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import functools
import os
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils.errors import KernelError
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import namespaces, rtnetlink
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.actions import Context, Operation
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.sockets import Sockets

ROOT = "/proc/sys"
# What makes a namespace a router, by family.
FORWARDING = {4: "net.ipv4.ip_forward", 6: "net.ipv6.conf.all.forwarding"}


def path_of(name: str) -> str:
    """The file of a sysctl."""
    return os.path.join(ROOT, *parts_of(name))


@functools.lru_cache(maxsize=4096)
def parts_of(name: str) -> tuple[str, ...]:
    """The parts of a name. As in sysctl(8) the first dot or slash says which of them separates the parts.

    Behind a dot, a slash stands for a dot in a link's name: ``net.ipv4.conf.eth0/100.rp_filter``.
    """
    dot = name.partition("/")[0].find(".") >= 0
    return tuple([part.replace("/", ".") for part in name.split(".")] if dot else name.split("/"))


def name_of(parts: t.Sequence[str]) -> str:
    """The name with these parts: with dots, or, where one of them has a dot itself, with slashes."""
    return ("/" if any("." in part for part in parts) else ".").join(parts)


def forwarding_of(link: str) -> str:
    """The name of the sysctl that says whether a namespace forwards the IPv4 packets that come in by a link."""
    return name_of(("net", "ipv4", "conf", link, "forwarding"))


@functools.lru_cache(maxsize=1024)
def effects(name: str, value: str) -> t.Mapping[str, str]:
    """What else the kernel sets in a namespace when a sysctl gets another value; ``*`` stands for each of its links.

    Source: inet_forward_change() of net/ipv4/devinet.c, addrconf_fixup_forwarding() and addrconf_disable_ipv6() of
    net/ipv6/addrconf.c.
    """
    if name == FORWARDING[4]:
        on = value.strip("+-0") != ""
        links = {"net.ipv4.conf.{0}.forwarding".format(which): value for which in ("default", "*")}
        return {"net.ipv4.conf.all.accept_redirects": str(int(not on)), **links}
    if name == FORWARDING[6]:
        return {"net.ipv6.conf.{0}.forwarding".format(which): value for which in ("default", "*")}
    if name == "net.ipv6.conf.all.disable_ipv6":
        return {"net.ipv6.conf.{0}.disable_ipv6".format(which): value for which in ("default", "*")}
    return {}


def normal(value: str) -> str:
    """A value in the form in which two are compared: several numbers apart by one blank each."""
    return " ".join(value.split())


def read(name: str) -> str:
    """The value of a sysctl; FileNotFoundError where there is none."""
    try:
        with open(path_of(name), "rb", buffering=0) as stream:
            return normal(stream.read().decode())
    except (IsADirectoryError, NotADirectoryError) as exc:
        raise FileNotFoundError(errno.ENOENT, "no such sysctl", name) from exc


def value(sockets: Sockets, ref: str, name: str) -> str | None:
    """The value of a sysctl in a namespace; None where the kernel has none of that name."""
    if name == FORWARDING[4]:  # which is needed of every namespace of a lab
        with contextlib.suppress(KernelError, FileNotFoundError):
            return str(rtnetlink.forwarding(sockets.get(ref)))
    try:
        with sockets.finder.inside(ref):
            return read(name)
    except FileNotFoundError:
        return None


def value_in_new(sockets: Sockets, name: str) -> str | None:
    """The value that a sysctl has in a new namespace; None where the kernel has none of that name."""
    try:
        with namespaces.inside_new():
            return read(name)
    except FileNotFoundError:
        return None


def write(name: str, value: str) -> None:
    """Set a sysctl; OSError in the kernel's words where it refuses."""
    with open(path_of(name), "w", encoding="utf-8") as stream:
        stream.write(value)


@dataclasses.dataclass(eq=False)
class WriteSysctl(Operation):
    """Another value of a sysctl."""

    name: str
    value: str

    def carry_out(self, context: Context) -> None:
        """See the base class."""
        with context.sockets.finder.inside(self.netns):
            write(self.name, self.value)
