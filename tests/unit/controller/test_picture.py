# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filters mermaid and dot: what they draw, whether Mermaid and Graphviz accept it, and how playbooks call them."""

from __future__ import annotations

import json
import pathlib
import re
import subprocess
import typing as t
import xml.etree.ElementTree

import pytest
import yaml
from ansible.errors import AnsibleFilterError

from ansible_collections.linuxnet.lab.plugins.filter.dot import dot
from ansible_collections.linuxnet.lab.plugins.filter.mermaid import mermaid
from ansible_collections.linuxnet.lab.plugins.plugin_utils.picture import LABELS, Kind, Picture, draw

EXAMPLES = sorted((pathlib.Path(__file__).resolve().parents[3] / "docs" / "topologies").glob("*.yml"))

OFFICE = {
    "name": "office",
    "namespaces": {"pc[1:2]": None, "server": {"lo": "10.255.0.1"}, "r1": {"forwarding": True}},
    "segments": {
        "desks": {"prefix": "10.1.0.0/24", "gateway": "r1", "members": "pc[1:2]"},
        "cellar": {"prefix": "10.2.0.0/24", "netns": "r1", "gateway": "r1", "members": {"server": {"name": "eth0"}}},
    },
    "links": [
        {
            "ends": [
                {"netns": "r1", "name": "up0", "addresses": "192.0.2.2/30"},
                {"netns": "host", "name": "down0", "addresses": "192.0.2.1/30"},
            ]
        }
    ],
    "masquerade": ["desks", {"netns": "r1", "src": "cellar", "oif": "up0"}],
}

# Characters with a special meaning for Mermaid, Graphviz, HTML or Markdown.
NASTY = 'a"b<i>#quot;&amp;`|;{}]\\nüñ %% end'
STRANGE = {
    "name": "strange",
    "namespaces": {"host": {"forwarding": True}, "end": None, "a.b-c": None, "a_b_c": None, "a.b_c@d": None},
    "bridges": [NASTY, "a.b_c", "node"],
    "links": [["end", NASTY], ["end", "end"], ["a.b-c", "a.b_c"], ["a_b_c", "node"]],
}


def crowd(number: int, **more: t.Any) -> dict[str, t.Any]:
    """A topology whose segment has that many members."""
    name = "web[1:{0}]".format(number)
    return {"name": "c", "namespaces": name, "segments": {"lan": {"prefix": "10.0.0.0/16", "members": name}}, **more}


def boxes(picture: Picture) -> list[list[str]]:
    """The texts of the boxes."""
    return [box.text for box in picture.boxes]


def lines(picture: Picture) -> list[tuple[str, str, list[str]]]:
    """The lines, with their labels."""
    return [(line.start, line.end, line.text) for line in picture.lines]


def test_mermaid():
    assert mermaid(OFFICE) == (
        """\
flowchart LR
    ns_pc1["pc1"]
    ns_pc2["pc2"]
    ns_server["server<br/>10.255.0.1/32"]
    ns_r1{{"r1"}}
    net_desks(["desks<br/>10.1.0.0/24"])
    net_cellar(["cellar<br/>10.2.0.0/24"])
    host[["host"]]
    outside(("outside"))
    net_cellar ---|"10.2.0.1"| ns_r1
    ns_pc1 ---|"10.1.0.2"| net_desks
    ns_pc2 ---|"10.1.0.3"| net_desks
    net_desks ---|"10.1.0.1"| ns_r1
    ns_server ---|"10.2.0.215"| net_cellar
    ns_r1 ---|"192.0.2.2/30 — 192.0.2.1/30"| host
    host -.->|"masquerade<br/>10.1.0.0/24"| outside
    ns_r1 -.->|"masquerade<br/>10.2.0.0/24"| host
    classDef router stroke-width:3px
    class ns_r1 router
"""
    )


def test_dot():
    assert dot({**OFFICE, "segments": {}, "masquerade": {"netns": "r1"}}) == (
        """\
graph {
    rankdir=LR
    ns_pc1 [label="pc1" shape=box]
    ns_pc2 [label="pc2" shape=box]
    ns_server [label="server\\n10.255.0.1/32" shape=box]
    ns_r1 [label="r1" shape=hexagon penwidth=3]
    host [label="host" shape=box peripheries=2]
    outside [label="outside" shape=circle]
    ns_r1 -- host [label="192.0.2.2/30 — 192.0.2.1/30"]
    ns_r1 -- outside [label="masquerade" style=dashed dir=forward]
}
"""
    )


@pytest.mark.parametrize(
    ("labels", "cable", "member", "bridge", "nat"),
    [
        ("none", [], [], [], ["masquerade"]),
        ("names", ["up0 — down0"], ["eth0 — server-cellar"], ["office-cellar"], ["masquerade"]),
        ("addresses", ["192.0.2.2/30 — 192.0.2.1/30"], ["10.2.0.215"], ["10.2.0.1"], ["masquerade", "10.2.0.0/24"]),
        (
            "all",
            ["up0 192.0.2.2/30 — down0 192.0.2.1/30"],
            ["eth0 10.2.0.215 — server-cellar"],
            ["office-cellar 10.2.0.1"],
            ["masquerade", "10.2.0.0/24"],
        ),
    ],
)
def test_labels(labels, cable, member, bridge, nat):
    found = lines(draw(OFFICE, labels))
    assert found[0] == ("net_cellar", "ns_r1", bridge)
    assert found[4:6] == [("ns_server", "net_cellar", member), ("ns_r1", "host", cable)]
    assert found[-1][2] == nat


def test_the_length_of_a_prefix_is_left_out_only_where_the_network_says_it():
    data = crowd(1)
    data["segments"]["lan"]["members"] = {"web1": {"addresses": ["10.0.0.9", "10.0.0.10/24", "10.0.0.11/16"]}}
    assert lines(draw(data))[0][2] == ["10.0.0.9 10.0.0.10/24 10.0.0.11"]


def test_long_labels_take_a_line_for_each_end():
    data = {"name": "l", "namespaces": "a[1:2]", "links": [["a1", "a2"]], "pool": ["10.0.0.0/30", "fd00::/120"]}
    (one, other) = lines(draw(data))[0][2]
    assert one.startswith("10.0.0.") and "/31 fd00::" in one and other.startswith("10.0.0.")


def test_a_bridge_without_addresses_says_where_it_is_and_stands_for_its_namespace():
    bridges = {"br[1:2]": {"netns": "sw[1:2]"}}
    data: dict[str, t.Any] = {"name": "b", "namespaces": "sw[1:2]", "bridges": bridges, "links": [["br1", "br2"]]}
    assert boxes(draw(data)) == [["br1", "in sw1"], ["br2", "in sw2"]]
    data["namespaces"] = {"sw1": {"lo": "10.0.0.1"}, "sw2": None, "alone": None, "host": None}
    assert boxes(draw(data))[:2] == [["sw1", "10.0.0.1/32"], ["alone"]]
    assert boxes(draw(data))[-1] == ["host"]


def test_a_crowd_is_one_box():
    picture = draw(crowd(100, namespaces=["web[1:100]", "db1"]))
    assert boxes(picture) == [["web[1:100] (100)"], ["db1"], ["lan", "10.0.0.0/16"]]
    assert lines(picture) == [("ns_web1", "net_lan", ["10.0.0.2 ... 10.0.0.101"])]
    assert lines(draw(crowd(100), "all"))[0][2] == ["lan", "10.0.0.2 ... 10.0.0.101"]
    assert lines(draw(crowd(100), "names"))[0][2] == ["lan"]
    assert lines(draw(crowd(100), "none"))[0][2] == []


@pytest.mark.parametrize(
    ("number", "options", "seen"),
    [(24, {}, 24), (25, {}, 1), (25, {"expand": True}, 25), (3, {"limit": 2}, 1), (3, {"limit": 3}, 3)],
)
def test_how_many_are_a_crowd(number, options, seen):
    assert sum(box.kind is Kind.NAMESPACE for box in draw(crowd(number), **options).boxes) == seen


def test_a_crowd_with_gaps_and_zeros():
    names = ["n001", "n002", "n010"]
    data = {"name": "g", "namespaces": names, "segments": {"lan": {"members": names}}}
    assert boxes(draw(data, limit=2))[0] == ["3 of n[001:010]"]


@pytest.mark.parametrize(
    "more",
    [
        {"namespaces": ["web[1:2]", {"web3": {"forwarding": True}}]},
        {"namespaces": ["web[1:2]", {"web3": {"lo": "10.255.0.1"}}]},
        {"links": [["web3", "host"]]},
        {"bridges": {"br0": {"netns": "web3", "addresses": "10.9.0.1/24"}}},
        {"bridges": "br0", "links": [["web3", "br0"]]},
        {"masquerade": {"netns": "web3"}},
    ],
)
def test_whoever_is_different_is_not_of_the_crowd(more):
    first, second = boxes(draw(crowd(3, **more), limit=1))[:2]
    assert (first, second[0]) == (["web[1:2] (2)"], "web3")


def test_a_crowd_on_two_networks_has_two_lines():
    data = crowd(3, bridges="br0", links=[["web[1:3]:second", "br0"]])
    assert lines(draw(data, "names", limit=2)) == [
        ("ns_web1", "net_lan", ["lan"]),
        ("ns_web1", "net_br0", ["second"]),
    ]


# -- the languages ----------------------------------------------------------------------------------------------------

ID = "[a-z][A-Za-z0-9_]*"
TEXT = r'"(?:[^"#;<>`|\\{}&%\n]|#\d+;|<br/>)*"'
SHAPES = [r"\[{0}\]", r"\[\[{0}\]\]", r"\(\[{0}\]\)", r"\(\({0}\)\)", r"\{{\{{{0}\}}\}}"]
NODE = re.compile("    ({0})(?:{1})".format(ID, "|".join(shape.format(TEXT) for shape in SHAPES)))
EDGE = re.compile(r"    ({0}) (?:---|-\.->)(?:\|{1}\|)? ({0})".format(ID, TEXT))
STYLE = re.compile(r"    (?:classDef router stroke-width:3px|class ({0}(?:,{0})*) router)".format(ID))


def check_mermaid(text: str) -> None:
    """Verify the part of Mermaid's syntax that the filter uses, and that lines lead to existing boxes."""
    head, *rest = text.splitlines()
    assert head == "flowchart LR" and text.endswith("\n")
    nodes = [match.group(1) for match in map(NODE.fullmatch, rest) if match]
    assert nodes and len(nodes) == len(set(nodes))
    for line in rest[len(nodes) :]:
        match = EDGE.fullmatch(line) or STYLE.fullmatch(line)
        assert match, line
        assert {key for group in match.groups() if group for key in group.split(",")} <= set(nodes)


def rendered(text: str) -> list[str]:
    """The words in the picture that Graphviz draws."""
    done = subprocess.run(["dot", "-Tsvg"], input=text, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    root = xml.etree.ElementTree.fromstring(done.stdout)
    words = [element.text or "" for element in root.iter() if element.tag.endswith("}text")]
    return [text.replace("\N{NO-BREAK SPACE}", " ") for text in words]


EVERYTHING = [*(yaml.safe_load(path.read_text()) for path in EXAMPLES), OFFICE, STRANGE, crowd(100), crowd(5)]


@pytest.mark.parametrize("labels", LABELS)
@pytest.mark.parametrize("data", EVERYTHING, ids=lambda data: data["name"])
def test_is_of_the_language(data, labels):
    assert len(EXAMPLES) >= 8
    check_mermaid(mermaid(data, labels))
    assert mermaid(json.loads(json.dumps(data)), labels) == mermaid(data, labels)
    picture = draw(data, labels)
    said = [text for one in (*picture.boxes, *picture.lines) for text in one.text]
    assert sorted(rendered(dot(data, labels))) == sorted(said)


def test_names_are_told_apart_and_shown_as_they_are():
    assert len(set(re.findall(r"^    (n\w+)[\[(]", mermaid(STRANGE), re.MULTILINE))) == 7
    assert NASTY in rendered(dot(STRANGE))
    text = next(line for line in mermaid(STRANGE).splitlines() if "#34;" in line).split('"')[1]
    assert re.sub(r"#(\d+);", lambda match: chr(int(match.group(1))), text) == NASTY


# -- as filters -------------------------------------------------------------------------------------------------------


def test_everything_that_is_wrong_is_told():
    for write in (mermaid, dot):
        with pytest.raises(AnsibleFilterError) as caught:
            write({"nam": "x", "namespaces": "a", "links": [["a", "b"]]})
        for wrong in ("topology: name is missing", "(did you mean 'name'?)", "there is no namespace 'b'"):
            assert wrong in str(caught.value)


def test_a_wrong_option_is_named():
    with pytest.raises(AnsibleFilterError, match="labels: 'some' is not one of none, names, addresses, all"):
        draw(OFFICE, "some")


@pytest.mark.parametrize("name", ["mermaid", "dot"])
def test_is_a_filter_of_the_collection(name, new_python):
    message = "msg={{{{ lab | linuxnet.lab.{0}(labels='none', limit=2, expand=false) }}}}".format(name)
    task = ["localhost", "-m", "ansible.builtin.debug", "-a", message, "-e", json.dumps({"lab": crowd(3)})]
    shown = new_python("-m", "ansible.cli.adhoc", *task).stdout
    assert "web[1:3] (3)" in shown and "ns_web1 --" in shown
