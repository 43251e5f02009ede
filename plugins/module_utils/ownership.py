# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whose an object is, and the words of every refusal to change what is not the lab's."""

from __future__ import annotations

from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.objects import Link
from ansible_collections.linuxnet.lab.plugins.module_utils.snapshot import Namespace, lab_of, mark


def owns(lab: str, link: Link) -> bool:
    """Whether a link belongs to a lab: it has the lab's mark, or the plan creates it."""
    return link.born or link.alias == mark(lab)


def belongs(lab: str, owner: str) -> str:
    """Why an object does not belong to *lab*: another lab owns it, or nobody (an empty *owner*)."""
    if owner:
        return "belongs to lab {0!r}, not to {1!r}".format(owner, lab)
    return "does not belong to lab {0!r}".format(lab)


def why_not(lab: str, namespace: Namespace, link: Link) -> str:
    """Why a lab must not change a link of a namespace."""
    text = "exists in {0} and {1}".format(namespace.title, belongs(lab, lab_of(link.alias)))
    if not namespace.ref and any(
        route.dst in ("0.0.0.0/0", "::/0") and any(hop.dev == link.name for hop in route.hops)
        for route in namespace.routes
    ):
        text += "; it carries the host's default route"
    return text


def unless_forced(reason: str, deed: str) -> str:
    """The message that refuses a *deed*, such as `be changed`, unless forced."""
    return "{0}; it will not {1} unless force is true".format(reason, deed)
