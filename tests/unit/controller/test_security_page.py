# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""docs/security.md promises only what a test proves."""

from __future__ import annotations

import ast
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")


def test_every_test_that_the_page_names_exists():
    named = re.findall(r"`([a-z_/]+\.py)::(\w+)`", PAGE)
    assert named and len(named) == PAGE.count("::") - PAGE.count("`FILE::TEST`")
    functions = {}
    for file, _test in named:
        path = ROOT / "tests" / file
        tree = ast.parse(path.read_text(encoding="utf-8")) if path.exists() else ast.Module([], [])
        functions[file] = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    missing = ["{0}::{1}".format(file, test) for file, test in named if test not in functions[file]]
    assert missing == []


def test_every_bullet_is_shown_by_a_test():
    """Each item of a list is a promise, and names its test. Some name a Molecule scenario, which pytest does not run.
    """
    items = re.findall(r"^- (.*?)(?=^- |^$|\Z)", PAGE, re.MULTILINE | re.DOTALL)
    without = [item for item in items if "::" not in item and "scenario" not in item]
    assert items and without == []
