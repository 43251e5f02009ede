# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find where packets of the lab pass other programs' firewalls. This runs when all other plans are complete."""

from __future__ import annotations

from ansible_collections.linuxnet.lab.plugins.module_utils.plan import Plan
from ansible_collections.linuxnet.lab.plugins.module_utils.snapshot import Namespace


def cross(plan: Plan, namespace: Namespace, choice: str = "") -> None:
    """Plan exceptions in the firewalls of a namespace after everything else, by one of the :data:`.plan.CHOICES`.

    Without a choice, remove exceptions that the lab no longer needs.
    """
    plan.crossed[namespace.ref] = choice or plan.crossed.get(namespace.ref, "")
    plan.at_end(_plan_all)


def _plan_all(plan: Plan) -> None:
    # The import is here because most runs do not need this file, which is large.
    from ansible_collections.linuxnet.lab.plugins.module_utils.resources import host_firewall

    host_firewall.plan_all(plan)
