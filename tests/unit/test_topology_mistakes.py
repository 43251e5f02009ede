# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Mistakes in topologies that could be ignored silently."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.linuxnet.lab.plugins.module_utils.topology import layout

AT_BRIDGE = "the bridge itself is the gateway; use the keys of the segment"
QUOTES = "; YAML reads words such as on and no this way, so write them in quotes"
LAN: dict[str, t.Any] = {"prefix": "10.0.0.0/24", "members": "a"}


@pytest.mark.parametrize(
    ("more", "errors"),
    [
        ({"namespaces": True}, ["namespaces: True is not a mapping from names, or a list of names"]),
        ({"namespaces": ["a", False]}, ["namespaces[1]: False is not a name, or a name with keys" + QUOTES]),
        ({"namespaces": {"a": None, False: None}}, ["namespaces: False is not a name" + QUOTES]),
        ({"namespaces": {"a": None, "true": None}}, ["namespaces: 'true' is not a name" + QUOTES]),
        ({"namespaces": ["a", "all"]}, ["namespaces[1]: 'all' is not a namespace name"]),
        ({"namespaces": {"a": {"sysctls": {"b.c": [1]}}}}, ["namespaces.a.sysctls.b.c: [1] is not a text"]),
        (
            {"segments": {"s": {"prefix": "10.0.0.0/24", "netns": "a", "gateway": {"name": "e", "mac": "m"}}}},
            ["segments.s.gateway.name: " + AT_BRIDGE, "segments.s.gateway.mac: " + AT_BRIDGE],
        ),
        (
            {"segments": {"s": {**LAN, "gateway": {"netns": "a", "port": "p"}}}},
            ["segments.s.gateway.port: 'a' is a member; use the keys of the member"],
        ),
        (
            {"bridges": "br", "segments": {"s": {"members": "br"}}},
            ["segments.s.members[0]: 'br' is a bridge, not a namespace"],
        ),
        ({"links": [{"ends": [{"bridge": "a"}, "a"]}]}, ["links[0].ends[0]: there is no bridge 'a'"]),
    ],
)
def test_is_told(more: dict[str, t.Any], errors: list[str]) -> None:
    assert layout.read({"name": "demo", "namespaces": "a", **more})[1] == errors


def test_what_is_empty_counts_as_not_there() -> None:
    data = {"name": "demo", "namespaces": {"a": {"sysctls": {"b.c": None, "b.d": 0}, "hostname": None}}, "links": None}
    lab, errors = layout.read(data)
    assert errors == []
    assert lab.nodes["a"].sysctls == {"b.d": "0"}


@pytest.mark.parametrize(("router", "link"), [("r", "in0"), ("host", "demo-lan"), ("a", "lan"), ("b", None)])
def test_masquerade_is_for_what_leaves_by_any_link_but_the_routers_own_to_the_segment(
    router: str, link: str | None
) -> None:
    gateway = {"netns": "r", "name": "in0"}
    masquerade = {"src": "lan", "netns": router}
    data = {"name": "demo", "namespaces": ["a", "b", "r"], "segments": {"lan": {**LAN, "gateway": gateway}}}
    lab, errors = layout.read({**data, "masquerade": masquerade})
    assert errors == []
    assert [values.get("not_oif") for dummy, values in lab.masquerades] == [link]


def test_a_long_automatic_name_is_understood_as_it_was_meant():
    long = "a-segment-with-a-long-name"
    topology = {
        "name": "long",
        "namespaces": ["a", "b"],
        "segments": {long: {"prefix": "10.0.0.0/24", "gateway": "a", "members": "b"}},
        "routes": {"netns": "b", "dst": "10.9.0.0/16", "dev": long},
        "neighbors": {"netns": "b", "dst": "10.0.0.1", "dev": long, "lladdr": "02:00:00:00:00:01"},
        "masquerade": {"netns": "b", "src": "10.9.0.0/16", "oif": long},
    }
    lab, errors = layout.read(topology)
    (name,) = (end.name for end in lab.ends() if end.netns == "b")
    assert errors == [] and len(name) == 15
    assert [route.dev for route in lab.routes if route.dev] == [name]
    assert lab.neighbors[0][1]["dev"] == lab.masquerades[0][1]["oif"] == name
