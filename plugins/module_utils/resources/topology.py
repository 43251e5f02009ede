# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The resource `topology` without a description: the removal of a whole lab."""

from __future__ import annotations

import dataclasses

from ansible_collections.linuxnet.lab.plugins.module_utils import ownership
from ansible_collections.linuxnet.lab.plugins.module_utils.host.recorder_end import EndRecorder
from ansible_collections.linuxnet.lab.plugins.module_utils.host.recorders import recorders
from ansible_collections.linuxnet.lab.plugins.module_utils.plan import Plan, Stage, Unclaimed
from ansible_collections.linuxnet.lab.plugins.module_utils.resources import (
    adopted,
    crossing,
    guard,
    link,
    masquerade,
    netns,
    persist,
    remembered,
    route,
    rule,
    sysctl,
)
from ansible_collections.linuxnet.lab.plugins.module_utils.snapshot import Namespace


@dataclasses.dataclass
class WholeLab(Unclaimed):
    """All objects with the mark of the plan's lab, wherever they are. They can only be removed."""

    def plan(self, plan: Plan) -> None:
        """Remove all objects with the lab's mark in all namespaces, and the namespaces in its records."""
        everywhere = plan.snapshot.everywhere()
        everywhere += remembered.places(plan, everywhere)
        crossing.cross(plan, everywhere[0])
        guard.follow(plan, everywhere[0])
        remembered.disown_all(plan)
        leaving = [namespace for namespace in everywhere if namespace.ref and self._is_own(plan, namespace)]
        staying = [namespace for namespace in everywhere if namespace not in leaving]
        _end_recorders(plan)
        for namespace in staying:
            masquerade.remove(plan, namespace)
        if plan.snapshot.remembered(plan.lab):
            sysctl.give_all_back(plan, {plan.snapshot.identity(namespace.ref) for namespace in leaving})
        sysctl.forget_persistent(plan)
        persist.forget(plan)
        route.remove_kept(plan)
        rule.remove_kept(plan)
        adopted.release_all(plan, leaving)
        for namespace in staying:
            _remove_links(plan, namespace)
        for namespace in leaving:
            # Its remaining links lead to other namespaces that the plan removes.
            netns.remove(plan, namespace, links=False)
        plan.description = None

    @staticmethod
    def _is_own(plan: Plan, namespace: Namespace) -> bool:
        """Whether a namespace belongs to the lab. The record decides, because root in the namespace can change its
        mark.
        """
        if namespace.recorded or not namespace.is_marked(plan.lab):
            return namespace.recorded == plan.lab
        if not plan.force:
            reason = "{0} has the mark of lab {1!r}, which has no record of it".format(namespace.title, plan.lab)
            plan.warnings.append(ownership.unless_forced(reason, "be removed"))
        return plan.force


def _end_recorders(plan: Plan) -> None:
    """End the recorders of the lab, because they keep their namespaces alive."""
    for recorder in recorders(plan.lab):
        plan.add(
            Stage.REMOVE_RECORDER,
            "",
            [EndRecorder("", recorder)],
            [],
            ("recorders", "{0} {1}".format(recorder.kind, recorder.name)),
            {"pid": recorder.pid},
            None,
            ["kill {0}".format(recorder.pid)] if recorder.pid else ["rm {0}".format(recorder.path)],
        )


def _remove_links(plan: Plan, namespace: Namespace) -> None:
    for found in list(namespace.links.values()):
        # A veth disappears with its other end, which the loop may have removed before.
        if plan.owns(found) and found.name in namespace.links and found.name != "lo":
            link.remove(plan, namespace, found)
