# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The layers of module_utils, according to the imports in this checkout. docs/architecture.md names all files.

Imports inside functions count as well, because Ansible sends these files to a host too.
"""

from __future__ import annotations

import ast
import pathlib
import re
import typing as t

import pytest

from ansible_collections.linuxnet.lab.plugins import module_utils
from ansible_collections.linuxnet.lab.plugins.module_utils.host import sources

ROOT = pathlib.Path(module_utils.__path__[0])
PACKAGE = module_utils.__name__
ARCHITECTURE = ROOT.parents[1] / "docs" / "architecture.md"

# From top to bottom. A file may import files of its own layer and of all layers below.
LAYERS = [
    ["payload"],
    ["modules"],
    ["boot", "lab_info", "info", "run_module", "run_recorder"],
    ["respawn", "answer", "engine", "topology"],
    ["resources", "probe"],
    ["plan"],
    ["snapshot", "route_table", "host_use", "commands", "ownership"],
    ["kernel", "host"],
    ["rules"],
    ["carried", "private_files"],
    ["errors", "fields"],
    ["python"],
]
# This import finds the file that runs at boot.
EXCEPTIONS = {("resources/persist.py", "boot.py")}
# The only files that need Ansible.
WITH_ANSIBLE = {"payload.py", "run_module.py", "run_recorder.py", "respawn.py", "answer.py"}


def files() -> list[str]:
    found = sorted(str(path.relative_to(ROOT)) for path in ROOT.rglob("*.py"))
    return [name for name in found if not name.endswith("__init__.py")]


def imported(name: str) -> t.Iterator[str]:
    """The imports of a file: files of module_utils by their paths, other modules by their names."""
    for node in ast.walk(ast.parse((ROOT / name).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if not (module + ".").startswith(PACKAGE + "."):
                yield module
                continue
            folder = module[len(PACKAGE) :].strip(".").replace(".", "/")
            for alias in node.names:
                inner = "/".join([*filter(None, [folder]), alias.name]) + ".py"
                yield inner if (ROOT / inner).exists() else folder + ".py"


def layer(name: str) -> int:
    top = name.split("/")[0].replace(".py", "")
    return next(number for number, members in enumerate(LAYERS) if top in members)


@pytest.mark.parametrize("name", files())
def test_imports_run_downward(name: str) -> None:
    targets = [one for one in imported(name) if one.endswith(".py") and (name, one) not in EXCEPTIONS]
    assert [one for one in targets if layer(one) < layer(name)] == []


def test_no_two_files_import_each_other() -> None:
    imports = {name: {one for one in imported(name) if (name, one) not in EXCEPTIONS} for name in files()}
    # Only for types: the class of operations, and the sockets that they may use.
    imports["kernel/actions.py"].discard("kernel/sockets.py")
    while True:
        ends = {name for name, targets in imports.items() if not targets & imports.keys()}
        if not ends:
            break
        imports = {name: targets for name, targets in imports.items() if name not in ends}
    assert imports == {}


def test_few_files_know_ansible() -> None:
    known = {name for name in files() if any(one.split(".")[0] == "ansible" for one in imported(name))}
    assert {name for name in known if not name.startswith("modules/")} == WITH_ANSIBLE


def test_pyroute2_is_imported_in_one_place() -> None:
    assert not [name for name in files() if any(one.split(".")[0] == "pyroute2" for one in imported(name))]


def test_the_architecture_names_every_file() -> None:
    named = re.findall(r"^- `([\w/]+\.py)`: \S", ARCHITECTURE.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(named) == files()


# Files that the payload of a module must not contain. That includes imports inside functions.
LEAN = {
    "capture": ["engine.py", "snapshot.py", "kernel/rtnetlink.py"],
    "connectivity": ["engine.py", "plan.py", "resources/"],
    "netns_info": ["engine.py", "plan.py", "resources/"],
    "neighbor_watch": ["engine.py", "plan.py", "snapshot.py", "resources/"],
    **dict.fromkeys(["address", "neighbor", "route"], ["kernel/nftables.py", "kernel/sysctl.py", "kernel/firewalls/"]),
    "sysctl": ["kernel/firewalls/", "resources/link.py"],
    **dict.fromkeys(
        ["bridge", "link", "masquerade", "netns", "veth"],
        ["host/persistence.py", "host/recorders.py", "host/progress.py", "resources/sysctl.py", "topology/"],
    ),
}


@pytest.mark.parametrize("module", LEAN)
def test_a_payload_carries_what_can_be_needed(module: str) -> None:
    name = PACKAGE.replace("module_utils", "modules") + "." + module
    folder = PACKAGE.replace(".", "/") + "/"
    needed = [path[len(folder) :] for path in sources.needed_by(name) if path.startswith(folder)]
    assert [path for path in needed if path.startswith(tuple(LEAN[module]))] == []
