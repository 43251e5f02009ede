# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Modules whose code comes in an argument behave as if Ansible had packed them."""

from __future__ import annotations

import marshal
import os
import pathlib
import re

import pytest

from .conftest import ROOT

pytestmark = pytest.mark.playbook

PLAY = """
- hosts: localhost
  gather_facts: false
  module_defaults:
    group/linuxnet.lab.lab:
      lab: demo
  tasks:
    - name: A choice that there is not
      linuxnet.lab.payload:
        module: prepare
        arguments: {}
      register: strange
      ignore_errors: true
    - name: An option that there is not
      linuxnet.lab.netns:
        name: c1
        colour: red
      register: wrong
      ignore_errors: true
    - name: A namespace in check mode
      linuxnet.lab.netns: &c1
        name: c1
      check_mode: true
      diff: true
      register: predicted
    - name: A namespace
      linuxnet.lab.netns: *c1
      diff: true
      register: done
    # Ansible runs no module at all in the background with an interpreter that has a blank in its path.
    - name: The same in the background
      when: ansible_playbook_python is not search(' ')
      linuxnet.lab.netns: *c1
      async: 30
      poll: 1
      register: background
    - name: Once more, by the name of what runs it
      linuxnet.lab.payload:
        module: netns
        arguments: {name: [c1], lab: demo}
      register: named
    - ansible.builtin.assert:
        that:
          - "'prepare' in strange.msg and 'netns_info' in strange.msg"
          - wrong.msg is match('Unsupported parameters for .linuxnet.lab.netns. module. colour')
          - predicted.changed and done.changed and predicted.commands == done.commands
          - predicted.diff == done.diff
          - background is skipped or (not background.changed and background.finished)
          - not named.changed
"""


def test_a_module_is_as_if_it_came_by_itself(world, tmp_path):
    path = tmp_path / "play.yml"
    path.write_text(PLAY)
    recap = world.playbook(os.path.relpath(path.with_suffix(""), ROOT / "playbooks"), "-vvv")
    assert recap.code == 0 and "[WARNING]" not in recap.text, recap.text
    used = set(re.findall(r"Using module file .+/plugins/modules/(\w+)\.py", recap.text))
    assert used == {"payload"}
    shown = set(re.findall(r'"module_args": {\s+"(\w+)"', recap.text))
    assert shown == {"arguments", "colour", "force"}, "all but the first task show the module's own"
    assert max(map(len, recap.text.splitlines())) < 10000, "nothing shows the code"
    assert [netns["name"] for netns in world.json("ip -j netns")] == ["c1"]
    store = pathlib.Path("/run/linuxnet.lab")
    (code,) = (store / "code").iterdir()
    assert "modules.netns" in marshal.loads(code.read_bytes())
    world.run("topology", name="demo", state="absent")
    assert not store.exists()
