# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write the parts of the documentation that follow from the schema of topologies, and from the topologies of the labs.

These are the tables of keys in docs/topology.md, docs/topology.schema.json, the topologies of roles in docs/topologies,
and the pictures in docs/labs/LAB.md. Run it with `make docs`.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import typing as t

import yaml

from ansible_collections.linuxnet.lab.plugins.filter.mermaid import mermaid
from ansible_collections.linuxnet.lab.plugins.module_utils.topology import schema

ROOT = pathlib.Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"

Json = dict[str, t.Any]

_NAME: Json = {"type": ["string", "integer"]}
_WORDS = "[Tt][Rr][Uu][Ee]|[Yy][Ee][Ss]|[Oo][Nn]|[Ff][Aa][Ll][Ss][Ee]|[Nn][Oo]|[Oo][Ff][Ff]"
_PLAIN_KINDS: dict[str, Json] = {
    schema.TEXT: {"type": ["string", "number"]},
    schema.TEXTS: {"oneOf": [_NAME, {"type": "array", "items": _NAME}]},
    schema.NUMBER: {"oneOf": [{"type": "integer"}, {"type": "string", "pattern": "^[0-9]+$"}]},
    schema.FLAG: {"oneOf": [{"type": "boolean"}, {"type": "string", "pattern": "^({0})$".format(_WORDS)}]},
    schema.SETTINGS: {"type": "object", "additionalProperties": {"type": ["string", "number", "boolean", "null"]}},
}

# The description of each kind of value in a table. {0} is a shape, with a link to its own table.
_VALUES = {
    schema.TEXT: "text",
    schema.TEXTS: "text, or a list of them",
    schema.NUMBER: "number",
    schema.FLAG: "true or false",
    schema.SETTINGS: "mapping from names to values",
    schema.NAMED: "names, each with a {0}",
    schema.ITEMS: "list of {0}, or one",
    schema.LINKS: "list of {0}, or of two ends",
    schema.ENDS: "list of two: text, or {0}",
    schema.ADDRESSES: "text or {0}, or a list of them",
    schema.ITEM: "text, or {0}",
}


def words(text: str) -> str:
    """Ansible's markup as Markdown."""
    return re.sub(r"\b[CV]\(([^)]*)\)", r"`\1`", text)


# -- JSON Schema ------------------------------------------------------------------------------------------------------


def json_schema() -> str:
    """The schema of a topology file."""
    whole = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A lab, as the module linuxnet.lab.topology takes it",
        "$ref": "#/$defs/topology",
        "$defs": {name: _object(shape) for name, shape in schema.SHAPES.items()},
    }
    return json.dumps(whole, indent=2) + "\n"


def _object(shape: schema.Shape) -> Json:
    needed = [name for name, key in shape.items() if key.required]
    return {
        "type": "object",
        "properties": {name: {"description": words(key.text), **_of_kind(key)} for name, key in shape.items()},
        **({"required": needed} if needed else {}),
        "additionalProperties": False,
    }


def _of_kind(key: schema.Key) -> Json:
    """The JSON Schema for a value, which accepts the same as :class:`.reader.Reader`."""
    shape = {"$ref": "#/$defs/{0}".format(key.shape)}
    if key.choices:
        # An editor's YAML parser may read yes and no as words or as booleans.
        return {"enum": [*key.choices, *([True, False] if "yes" in key.choices else [])]}
    if key.kind == schema.NAMED:
        named = {"type": "object", "additionalProperties": {"oneOf": [{"type": "null"}, shape]}}
        alone = {**named, "minProperties": 1, "maxProperties": 1}
        return {"oneOf": [named, {"type": "array", "items": {"oneOf": [_NAME, alone]}}, _NAME]}
    if key.kind == schema.ITEMS:
        short = [{"type": "string"}] if key.shape in schema.SHORT else []
        return {"oneOf": [{"type": "array", "items": {"oneOf": [shape, *short]}}, shape, *short]}
    if key.kind == schema.LINKS:
        return {"type": "array", "items": {"oneOf": [shape, _of_kind(schema.SHAPES[key.shape]["ends"])]}}
    if key.kind == schema.ENDS:
        return {"type": "array", "items": {"oneOf": [{"type": "string"}, shape]}, "minItems": 2, "maxItems": 2}
    if key.kind == schema.ADDRESSES:
        return {"oneOf": [_NAME, shape, {"type": "array", "items": {"oneOf": [_NAME, shape]}}]}
    if key.kind == schema.ITEM:
        return {"oneOf": [{"type": "string"}, shape]}
    return _PLAIN_KINDS[key.kind]


# -- pages ------------------------------------------------------------------------------------------------------------


def filled(page: str, name: str, text: str) -> str:
    """A page with a new text between the two markers of a name."""
    begin, end = ("<!-- {0}: {1} -->\n".format(name, word) for word in ("begin", "end"))
    before, first, rest = page.partition(begin)
    dummy, second, after = rest.partition(end)
    if not first or not second:
        raise RuntimeError("a page needs the two lines {0!r} and {1!r}".format(begin, end))
    return "".join((before, begin, "\n", text, "\n", end, after))


def reference(page: str) -> str:
    """The page of the format with its tables of keys."""
    anchors = {}
    anchor = ""
    for heading, name in re.findall(r"^#+ (.*)|^<!-- (\w+): begin -->$", page, re.MULTILINE):
        if heading:
            anchor = re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
        else:
            anchors[name] = anchor
    for name, shape in schema.SHAPES.items():
        page = filled(page, name, table(shape, anchors))
    return page


def table(shape: schema.Shape, anchors: dict[str, str]) -> str:
    """The keys of a shape."""
    rows = ["| key | value | meaning |", "|---|---|---|"]
    for name, key in shape.items():
        value = _VALUES[key.kind].format("[{0}](#{1})".format(key.shape, anchors.get(key.shape)))
        if key.choices:
            value = ", ".join("`{0}`".format(choice) for choice in key.choices)
        required = " Required." if key.required else ""
        rows.append("| `{0}` | {1} | {2}{3} |".format(name, value, words(key.text), required))
    return "\n".join(rows) + "\n"


def roles() -> list[str]:
    """The roles that build a topology, which is their variable ROLE_topology."""
    defaults = (ROOT / "roles").glob("*/defaults/main.yml")
    loaded = {path.parts[-3]: yaml.safe_load(path.read_text()) for path in defaults}
    return sorted(role for role, variables in loaded.items() if role + "_topology" in variables)


def topology(role: str) -> str:
    """The topology that a role builds by default."""
    folder = ROOT / "roles" / role
    files = [folder / "defaults" / "main.yml", folder / "vars" / "main.yml"]
    given = [word for path in files if path.exists() for word in ("--extra-vars", "@{0}".format(path))]
    with tempfile.TemporaryDirectory() as tree:
        # As a text, because Ansible would return the mapping itself with its keys sorted.
        show = "msg={{{{ {0}_topology | to_json }}}}".format(role)
        program = [os.path.join(sys.prefix, "bin", "ansible"), "localhost", "--tree", tree]
        subprocess.run([*program, *given, "-m", "ansible.builtin.debug", "-a", show], check=True, capture_output=True)
        data = json.loads(json.loads(pathlib.Path(tree, "localhost").read_text())["msg"])
    head = "# yaml-language-server: $schema=../topology.schema.json\n"
    head += "# Written by `make docs` from the defaults of the role {0}; please do not edit.\n".format(role)
    return head + yaml.dump(data, Dumper=_Indented, sort_keys=False, default_flow_style=None, width=110)


class _Indented(yaml.SafeDumper):
    """Writes lists within mappings with an indentation, as yamllint wants them."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        """Never without."""
        super().increase_indent(flow, False)


def lab_page(page: str, lab: str) -> str:
    """A lab's page with the picture of its topology."""
    data = yaml.safe_load((DOCS / "topologies" / (lab + ".yml")).read_text())
    source = "Drawn from [{0}.yml](../topologies/{0}.yml), the lab as the module `topology` takes it.".format(lab)
    return filled(page, "picture", "```mermaid\n{0}```\n\n{1}\n".format(mermaid(data, labels="all"), source))


def files(labs: t.Sequence[str]) -> t.Iterator[tuple[pathlib.Path, str]]:
    """Each file with its current text. Of the pages of labs, only the named ones, or all with a picture."""
    page = DOCS / "topology.md"
    yield page, reference(page.read_text())
    yield DOCS / "topology.schema.json", json_schema()
    for role in roles():
        if not labs or role in labs:
            yield DOCS / "topologies" / (role + ".yml"), topology(role)
    for page in sorted((DOCS / "labs").glob("*.md")):
        text = page.read_text()
        if "<!-- picture: begin -->" in text and (not labs or page.stem in labs):
            yield page, lab_page(text, page.stem)


def main() -> int:
    """Write the files, or compare them.

    :returns: 1 if one is out of date.
    """
    parser = argparse.ArgumentParser(description="Write what follows from the topology format into the documents.")
    parser.add_argument("--check", action="store_true", help="write nothing, and fail if a file is out of date")
    parser.add_argument("labs", nargs="*", metavar="LAB", help="draw these labs alone")
    arguments = parser.parse_args()
    code = 0
    for path, text in files(arguments.labs):
        if path.exists() and path.read_text() == text:
            continue
        name = path.relative_to(DOCS.parent)
        print("{0} {1}".format(name, "is out of date: make docs" if arguments.check else "written"))
        if arguments.check:
            code = 1
        else:
            path.write_text(text)
    return code


if __name__ == "__main__":
    try:
        sys.exit(main())
    except RuntimeError as error:
        sys.exit(str(error))
