# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The defaults of the action group, as in the README, together with modules that get their lab elsewhere."""

from __future__ import annotations

import os
import re

import pytest
import yaml

from .conftest import ROOT

pytestmark = pytest.mark.playbook

MORE = """
- linuxnet.lab.netns_info:
- linuxnet.lab.lab_info:
  register: found
- linuxnet.lab.topology:
    topology: {name: other, namespaces: [o1]}
- linuxnet.lab.topology:
    name: other
    state: absent
- ansible.builtin.assert:
    that: found.labs | map(attribute='name') | list == ['demo']
"""


def test_the_play_of_the_readme_with_every_kind_of_module(world, tmp_path):
    readme = (ROOT / "README.md").read_text()
    (text,) = re.findall(r"```yaml\n(- name: Two containers on a bridge\n.*?)```", readme, re.DOTALL)
    (play,) = yaml.safe_load(text)
    play["hosts"] = "localhost"
    play["tasks"] += yaml.safe_load(MORE)
    path = tmp_path / "play.yml"
    path.write_text(yaml.safe_dump([play]))
    recap = world.playbook(os.path.relpath(path.with_suffix(""), ROOT / "playbooks"))
    assert recap.code == 0 and "WARNING" not in recap.text, recap.text
    assert world.ping("c1", "10.0.0.3")
