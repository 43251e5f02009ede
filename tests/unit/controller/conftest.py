# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Functions that the tests of the importing filters share."""

from __future__ import annotations

import typing as t

import pytest
from ansible.utils.display import Display

from ansible_collections.linuxnet.lab.plugins.module_utils import engine
from ansible_collections.linuxnet.lab.plugins.module_utils.topology import layout, resources
from ansible_collections.linuxnet.lab.plugins.module_utils.topology.model import Lab


@pytest.fixture
def laid_out() -> t.Callable[[t.Any], Lab]:
    """The lab that a topology describes. The module topology would accept the topology as it is."""

    def lay_out(topology: t.Any) -> Lab:
        lab, errors = layout.read(topology)
        claimed = []
        for resource in engine.each(resources.resources(lab)):
            errors += resource.check()
            claimed += [claim[:2] for claim in resource.claims()]
        assert errors == []
        assert len(claimed) == len(set(claimed)), "two of the same name or address"
        return lab

    return lay_out


@pytest.fixture
def warnings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The warnings that Ansible shows from now on."""
    shown: list[str] = []
    monkeypatch.setattr(Display, "warning", lambda self, text: shown.append(text))
    return shown
