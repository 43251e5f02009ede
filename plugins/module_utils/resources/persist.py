# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The resource `persist`: the files that rebuild a lab after a reboot."""

from __future__ import annotations

import dataclasses
import json
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils.errors import LabError
from ansible_collections.linuxnet.lab.plugins.module_utils.host import persistence
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.actions import Operation
from ansible_collections.linuxnet.lab.plugins.module_utils.plan import Plan, Stage, Unclaimed

_WHERE = ("persist",)


@dataclasses.dataclass
class Persist(Unclaimed):
    """The files that rebuild a lab after a reboot.

    :ivar topology: a function that returns the description of the lab, from data or from the kernel.
    """

    topology: t.Callable[[Plan], t.Any]
    present: bool = True

    def plan(self, plan: Plan) -> None:
        """Store the files, or remove them."""
        if not self.present:
            forget(plan)
            return
        if not persistence.has_systemd():
            raise LabError("persist: systemd does not run on this host, and so cannot rebuild the lab")
        # Without `force`, because nobody is there at boot to decide.
        text = json.dumps({"topology": self.topology(plan)}, indent=1) + "\n"
        files = _files(plan.lab, text)
        if not persistence.differs(plan.lab, files):
            return
        distrusted = persistence.distrusted()
        if distrusted:
            raise LabError(distrusted)
        former = persistence.recall(plan.lab)
        plan.add(
            Stage.PERSIST,
            "",
            [persistence.Install("", plan.lab, files)],
            [_undo(plan.lab, former)],
            _WHERE,
            json.loads(former) if former else None,
            json.loads(text),
            ["systemctl enable {0}".format(persistence.unit(plan.lab))],
        )


def forget(plan: Plan) -> None:
    """Plan the removal of these files."""
    if not persistence.has_traces(plan.lab):
        return
    former = persistence.recall(plan.lab)
    plan.add(
        Stage.REMOVE_PERSIST,
        "",
        [persistence.Uninstall("", plan.lab)],
        [_undo(plan.lab, former)],
        _WHERE,
        json.loads(former) if former else {},
        None,
        ["systemctl disable {0}".format(persistence.unit(plan.lab))],
    )


def _files(lab: str, text: str) -> persistence.Files:
    # The import is here because export needs the engine, which needs the resources.
    from ansible_collections.linuxnet.lab.plugins.module_utils import boot

    return persistence.wanted(lab, text, boot.__name__)


def _undo(lab: str, former: str | None) -> Operation:
    if former is None:
        return persistence.Uninstall("", lab)
    return persistence.Install("", lab, _files(lab, former))
