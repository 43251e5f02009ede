# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pages of the labs are right: their commands build the lab, and a reader sees what they show."""

from __future__ import annotations

import concurrent.futures
import functools
import importlib.util
import pathlib
import re
import sys

import pytest

from ansible_collections.linuxnet.lab.plugins.module_utils import commands
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.held import holders

pytestmark = [pytest.mark.playbook, pytest.mark.other_half]

ROOT = pathlib.Path(__file__).resolve().parents[2]

_spec = importlib.util.spec_from_file_location("lab_pages", ROOT / "tools" / "lab_pages.py")
assert _spec is not None and _spec.loader is not None
lab_pages = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(lab_pages)

# Values that differ each time, and the placeholder for them on a page.
CHANCE = [
    (r"(?:[0-9a-f]{2}:){5}[0-9a-f]{2}", "MAC"),
    (r"@if\d+", "@if"),
    (r"\d+\.\d+ ms", "T ms"),
    (r"time \d+ms", "T ms"),
    (r"\b(?:REACHABLE|DELAY|PROBE|STALE)\b", "KNOWN"),
    (r"\b(?:INCOMPLETE|FAILED)\b", "SOUGHT"),
    (r"\s+", " "),
]


def comparable(lines: list[str]) -> list[str]:
    """Lines of output without values that differ each time."""
    kept = []
    for line in lines:
        for pattern, instead in CHANCE:
            line = re.sub(pattern, instead, line)
        if line.strip():
            kept.append(line.strip())
    return kept


def as_typed(world) -> dict:
    """The result of `world.as_typed`, with the lab's nftables table, which the pages do show."""
    with_table = world.comparable()
    return {name: {**state, "nft": with_table[name]["nft"]} for name, state in world.as_typed().items()}


def follow(world, text: str, variables: dict[str, str]) -> None:
    """Follow a page as a reader does: type the commands after a dollar sign, and verify the tables with ping."""
    for console, table in re.findall(r"^```console\n((?:(?!```).*\n)*)|((?:^\|.*\n)+)", text, re.MULTILINE):
        for command, shown in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", console, re.MULTILINE):
            follow_command(world, command, shown.splitlines(), variables)
        rows = [[cell.strip() for cell in row.strip("|").split("|")] for row in table.splitlines()]
        if rows and rows[0][0] == r"from \ to":
            follow_table(world, rows)


def follow_command(world, command: str, shown: list[str], variables: dict[str, str]) -> None:
    """Run a command of a page. `...` on the page stands for omitted lines."""
    setting = re.fullmatch(r"(\w+)=\$\((.*)\)", command)
    program = re.fullmatch(r"\.venv/bin/ansible-playbook playbooks/(\w+)\.yml(.*)", command)
    if setting:
        assert variables[setting.group(1)] == world.sh(setting.group(2)).strip()
    elif program:
        text = world.playbook(program.group(1), *program.group(2).split()).text
        missing = set(comparable(shown)) - {"..."} - set(comparable(text.splitlines()))
        assert not missing, "{0} does not show {1}, but:\n{2}".format(command, missing, text)
    else:
        settings = " ".join("{0}={1};".format(*item) for item in variables.items())
        lines = world.sh("{0} {{ {1}\n}} 2>&1".format(settings, command), check=False).splitlines()
        order = sorted if " neigh " in command else list
        assert order(comparable(lines)) == order(comparable(shown)), command


def follow_table(world, rows: list[list[str]]) -> None:
    """Check all cells of a table at the same time."""
    assert all(len(row) == len(rows[0]) for row in rows), rows
    with concurrent.futures.ThreadPoolExecutor(40) as pool:
        asked = [
            (name, address, cell, pool.submit(world.ping, "" if name == "host" else name, address))
            for names, *cells in rows[2:]
            for name in names.split(", ")
            for address, cell in zip(rows[0][1:], cells)
            if cell != "-"
        ]
    wrong = [item[:3] for item in asked if item[2] != ("yes" if item[3].result() else "no")]
    assert not wrong


@pytest.mark.parametrize("lab", lab_pages.labs())
def test_page(world, lab):
    before, block, after = lab_pages.split((ROOT / "docs" / "labs" / (lab + ".md")).read_text())
    lines = lab_pages.commands(lab_pages.play(lab))
    assert block == lab_pages.block(lines), "run `make docs`"

    held = [holder.name for holder in holders()]
    # Commands that fail on the page, such as a ping without an answer, are right.
    typed = world.by_hand(["exec 3>&1 >/dev/null", *lines, "exec >&3"], held=held)
    assert as_typed(world) == typed

    variables = {commands.variable(holder.name): str(holder.pid) for holder in holders()}
    follow(world, before + after, variables)


def test_make_docs_writes_what_is_out_of_date_and_a_check_says_so(tmp_path, monkeypatch, capsys):
    page = (ROOT / "docs" / "labs" / "veth_pair.md").read_text()
    other = tmp_path / "veth_pair.md"
    other.write_text(page.replace("ip link set dev veth0 up\n", ""))
    monkeypatch.setattr(lab_pages, "PAGES", tmp_path)
    monkeypatch.setattr(lab_pages, "play", functools.cache(lab_pages.play))
    monkeypatch.setattr(sys, "argv", ["lab_pages", "--check"])
    assert lab_pages.main() == 1
    assert "veth_pair.md is out of date" in capsys.readouterr().out
    assert other.read_text() != page

    monkeypatch.setattr(sys, "argv", ["lab_pages"])
    assert lab_pages.main() == 0
    assert other.read_text() == page


def test_every_lab_that_has_a_page_is_in_the_indexes():
    index, readme = (ROOT / "docs" / "labs" / "README.md").read_text(), (ROOT / "README.md").read_text()
    for lab in lab_pages.labs():
        assert "({0}.md)".format(lab) in index
        assert "(roles/{0}/README.md)".format(lab) in readme
        role = (ROOT / "roles" / lab / "README.md").read_text()
        assert "(../../docs/labs/{0}.md)".format(lab) in role
