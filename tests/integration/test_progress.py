# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pathlib
import re
import time

import pytest
from ansible.playbook.play_context import PlayContext
from ansible.plugins.loader import connection_loader

from ansible_collections.linuxnet.lab.plugins.action.topology import PROGRESS
from ansible_collections.linuxnet.lab.plugins.module_utils.host import progress
from ansible_collections.linuxnet.lab.plugins.plugin_utils.watcher import Watcher


@pytest.fixture
def connection():
    """A connection like that of a task."""
    return connection_loader.get("local", PlayContext())


def until(lines, count):
    """Wait until that many lines were shown."""
    end = time.monotonic() + 20
    while len(lines) < count and time.monotonic() < end:
        time.sleep(0.02)


def test_what_a_module_reports_is_shown_while_it_works(world, connection):
    shown = []
    assert PROGRESS.format("crowd") == progress.path("crowd")
    with Watcher(connection, progress.path("crowd"), shown.append, first=0.05, interval=0.05):
        with progress.reporting("crowd") as report:
            report("netns", 10, 500)
            until(shown, 1)
            report("link", 250, 500)
            until(shown, 2)
    assert shown == ["netns, 10 of 500 changes", "link, 250 of 500 changes"]
    assert not pathlib.Path("/run/linuxnet.lab").exists()


def test_it_is_read_as_the_user_that_the_module_becomes(world, connection):
    """Only root can read the file, and the task may connect as another user."""

    class Become:
        """Like sudo(8), but it does not change the user, and asks for no password."""

        _id = ""

        def build_become_command(self, command, shell):
            return "echo BECOME-SUCCESS-xyz; {0}".format(command)

        def expect_prompt(self):
            return False

    shown = []
    connection.become = become = Become()
    with Watcher(connection, progress.path("crowd"), shown.append, first=0.05, interval=0.05):
        with progress.reporting("crowd") as report:
            report("netns", 10, 500)
            until(shown, 1)
    assert shown == ["netns, 10 of 500 changes"]
    assert connection.become is become


def test_nothing_is_shown_of_what_is_quick(world, connection):
    shown = []
    with progress.reporting("crowd") as report:
        report("netns", 10, 500)
        with Watcher(connection, progress.path("crowd"), shown.append, first=5):
            pass
    assert shown == []


def test_nobody_fails_for_want_of_a_line(world, connection):
    shown = []
    with Watcher(None, progress.path("crowd"), shown.append, first=0.01, interval=0.01):
        time.sleep(0.1)
    assert shown == []


def test_the_module_reports_what_it_makes(world, monkeypatch):
    """Each change takes so long that several reports appear."""
    reports, write_file = [], progress.lab_files.write_file

    def write(path, text):
        if path.endswith("office.progress"):
            reports.append(text)
        write_file(path, text)

    monkeypatch.setattr(progress.lab_files, "write_file", write)
    clock = iter(range(0, 100000, 2))
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    segments = {"lan": {"prefix": "10.1.0.0/24", "gateway": "host", "members": "pc[1:3]"}}
    world.run("topology", topology={"name": "office", "namespaces": "pc[1:3]", "segments": segments})
    assert len(reports) > 3 and reports[-1] is None
    numbers = [int(re.fullmatch(r"[a-z ]+, (\d+) of 30 changes\n", text)[1]) for text in reports[:-1]]
    assert numbers == sorted(numbers) and numbers[0] < 3 and numbers[-1] > 20
