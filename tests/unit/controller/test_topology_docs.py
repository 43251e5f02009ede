# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page of the topology format, its JSON Schema, and the pictures of the labs agree with the code."""

from __future__ import annotations

import importlib.util
import json
import pathlib
import re
import shutil
import sys
import typing as t

import jsonschema
import pytest
import yaml

from ansible_collections.linuxnet.lab.plugins.module_utils.topology import layout, schema
from ansible_collections.linuxnet.lab.plugins.module_utils.topology.reader import Reader

ROOT = pathlib.Path(__file__).resolve().parents[3]

_spec = importlib.util.spec_from_file_location("topology_docs", ROOT / "tools" / "topology_docs.py")
assert _spec is not None and _spec.loader is not None
topology_docs = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(topology_docs)

PAGE = (ROOT / "docs" / "topology.md").read_text()
SCHEMA = json.loads((ROOT / "docs" / "topology.schema.json").read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)

# A topology of the page, and its resulting addresses if the page shows them.
EXAMPLES = [
    (yaml.safe_load(text), json.loads(shown) if shown else None)
    for text, shown in re.findall(r"^```yaml\n(.*?)^```\n(?:\n```json\n(.*?)^```)?", PAGE, re.MULTILINE | re.DOTALL)
]
FILES = sorted((ROOT / "docs" / "topologies").glob("*.yml"))


# -- generated parts --------------------------------------------------------------------------------------------------


def test_is_what_make_docs_writes():
    for path, text in topology_docs.files([]):
        assert path.read_text() == text, "run `make docs`"


def test_make_docs_writes_what_is_out_of_date_and_a_check_says_so(tmp_path, monkeypatch, capsys):
    docs = tmp_path / "docs"
    shutil.copytree(ROOT / "docs", docs)
    (docs / "topology.schema.json").unlink()
    (docs / "topology.md").write_text(PAGE.replace("| `prefix` |", "| `old` |"))
    monkeypatch.setattr(topology_docs, "DOCS", docs)
    monkeypatch.setattr(sys, "argv", ["topology_docs", "--check"])
    assert topology_docs.main() == 1
    assert capsys.readouterr().out.count("is out of date: make docs") == 2
    assert not (docs / "topology.schema.json").exists()

    monkeypatch.setattr(sys, "argv", ["topology_docs"])
    assert topology_docs.main() == 0
    assert (docs / "topology.md").read_text() == PAGE
    assert json.loads((docs / "topology.schema.json").read_text()) == SCHEMA


def test_every_page_of_a_lab_has_a_picture():
    pages = {path.stem for path in (ROOT / "docs" / "labs").glob("*.md")} - {"README"}
    assert {path.stem for path, dummy in topology_docs.files([])} == pages | {"topology", "topology.schema"}
    written = [path.relative_to(ROOT / "docs").as_posix() for path, dummy in topology_docs.files(["bridge"])]
    assert written == ["topology.md", "topology.schema.json", "topologies/bridge.yml", "labs/bridge.md"]


def test_a_page_needs_its_markers():
    with pytest.raises(RuntimeError, match="link: begin"):
        topology_docs.filled("text", "link", "more")


def test_links_within_the_page_lead_somewhere():
    headings = {line.lower().replace(" ", "-") for line in re.findall(r"^#+ (.*)$", PAGE, re.MULTILINE)}
    assert set(re.findall(r"\]\(#(.*?)\)", PAGE)) <= headings
    for path in re.findall(r"\]\(([^#)]+)\)", PAGE):
        assert (ROOT / "docs" / path).exists(), path


def test_every_key_is_in_a_table_and_no_markup_is_left():
    for shape in schema.SHAPES.values():
        for name in shape:
            assert "\n| `{0}` |".format(name) in PAGE
    assert not re.search(r"\b[A-Z]\(", PAGE)


# -- examples ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("data", "addresses"), EXAMPLES[:-1])
def test_example_of_the_page(data, addresses):
    lab, errors = layout.read(data)
    assert errors == []
    VALIDATOR.validate(data)
    if addresses:
        assert {ref or "host": found for ref, found in lab.addresses().items() if found} == addresses


def test_the_page_has_examples_and_the_last_is_of_mistakes():
    assert len(EXAMPLES) > 10
    assert sum(addresses is not None for dummy, addresses in EXAMPLES) > 3
    assert layout.read(EXAMPLES[-1][0])[1]
    assert not VALIDATOR.is_valid(EXAMPLES[-1][0])


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_topology_file(path):
    assert len(FILES) >= 8
    VALIDATOR.validate(yaml.safe_load(path.read_text()))
    first = path.read_text().splitlines()[0]
    place = re.fullmatch(r"# yaml-language-server: \$schema=(.*)", first)
    assert place and (path.parent / place.group(1)).resolve() == ROOT / "docs" / "topology.schema.json"


# -- the schema -------------------------------------------------------------------------------------------------------


def test_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$defs"]["end"]["properties"]["up"]["description"] == "Whether the link is up. Default: yes."


@pytest.mark.parametrize(
    "data",
    [
        {},
        [],
        {"name": "x", "namespace": "a"},
        {"name": "x", "namespaces": {"a": {"hostnam": "b"}}},
        {"name": "x", "namespaces": {"a": "b"}},
        {"name": "x", "namespaces": [{"a": None, "b": None}]},
        {"name": "x", "namespaces": True},
        {"name": "x", "links": ["a", "b"]},
        {"name": "x", "links": [["a"]]},
        {"name": "x", "links": [["a", "b", "c"]]},
        {"name": "x", "links": [{"prefix": "10.0.0.0/30"}]},
        {"name": "x", "links": [["a", {"netns": "b", "adresses": "10.0.0.1/24"}]]},
        {"name": "x", "links": {"ends": ["a", "b"]}},
        {"name": "x", "segments": {"lan": {"prefix": {"a": "b"}}}},
        {"name": "x", "segments": {"lan": {"gateway": ["10.0.0.1"]}}},
        {"name": "x", "segments": {"lan": {"mtu": "large"}}},
        {"name": "x", "segments": {"lan": {"stp": "perhaps"}}},
        {"name": "x", "routing": "ospf"},
        {"name": "x", "routes": [{"netns": "a"}]},
        {"name": "x", "routes": "a"},
        {"name": "x", "checks": [{"from": "a", "to": "b", "expect": "maybe"}]},
        {"name": "x", "checks": {"from": "all"}},
    ],
)
def test_mistake_is_no_valid_topology(data):
    assert not VALIDATOR.is_valid(data)
    assert layout.read(data)[1]


# Values that could be anywhere. The reader and the schema must agree on whether they are valid.
VALUES: list[t.Any] = [
    *("text", "7", "07", 7, 0, 1.5, True, False, "yes", "No", "oN", "", "reachable", "static", "open", "tcp", "held"),
    *([], ["a"], [1, "a"], [True], [1.5], [None], [["a", "b"]], ["a", "b"], [["a", 1]], [[]], ["a", ["b"]]),
    *({}, {"a": "b"}, {"a": None}, {"a": {}}, {"a": 1}, {"a": [1]}, [{}], [{"a": {}}], [{"a": None}], [{"a": 1}]),
    *([{"a": {}, "b": {}}], [{"ends": ["a", "b"]}], [{"ends": "a"}], [[{"netns": "a"}, {"bridge": "b"}]]),
    *({"src": "a"}, [{"src": "a"}], ["a", {"src": "a"}], {"netns": "a", "addresses": ["10.0.0.1", 5]}, {"netns": True}),
    *({"from": "all", "to": ["all"]}, [{"from": "all", "to": "all"}], {"netns": "a", "dst": "b", "dev": "c"}),
]


def read(key: schema.Key, value: t.Any) -> list[str]:
    """The reader's errors for a value, which it checks as deeply as the schema does."""
    reader = Reader()
    taken = reader._value("here", value, key)
    if key.kind == schema.NAMED:
        list(reader.named("here", taken, key.shape))
    elif key.kind == schema.ITEMS:
        list(reader.items("here", taken, key.shape))
    elif key.kind == schema.LINKS:
        list(reader.links("here", taken))
    elif key.kind == schema.ITEM and not isinstance(taken, str):
        reader.item("here", taken, key.shape)
    # A shape cannot express which of two keys an end must have.
    return [error for error in reader.errors if "either netns or bridge" not in error]


@pytest.mark.parametrize(("shape", "name"), [(shape, name) for shape, keys in schema.SHAPES.items() for name in keys])
def test_the_schema_takes_what_the_reader_takes(shape, name):
    part = {**SCHEMA, "$ref": "#/$defs/{0}/properties/{1}".format(shape, name)}
    validator = jsonschema.Draft202012Validator(part)
    key = schema.SHAPES[shape][name]
    assert {repr(one): validator.is_valid(one) for one in VALUES} == {repr(one): not read(key, one) for one in VALUES}
