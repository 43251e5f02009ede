# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Errors in a topology are reported all at once, each with its place."""

from __future__ import annotations

import copy
import typing as t

import pytest

from ansible_collections.linuxnet.lab.plugins.module_utils import engine
from ansible_collections.linuxnet.lab.plugins.module_utils.topology import layout, resources, schema
from ansible_collections.linuxnet.lab.plugins.module_utils.topology.reader import Reader


def mistakes(data: t.Any) -> list[str]:
    """All errors that the module would report for a topology."""
    lab, errors = layout.read(data)
    return list(dict.fromkeys(engine._errors([resources.Mistakes(errors), *resources.resources(lab)])))


WRONG = {
    "name": "demo",
    "nmespaces": {},
    "mtu": 20,
    "routing": "statik",
    "pool": ["10.9.0.0/16", "10.1.0.0/16", "10.2.0"],
    "namespaces": {
        "a": {"knd": "held", "kind": "holding", "hostname": "x.example"},
        "b": {"forwarding": "perhaps", "sysctls": {"kernel.hostname": 1, "net.x": [1]}, "lo": ["10.0.0.256", "::/0"]},
        "1": None,
        "all": None,
        "c[1:2]": {"kind": "held", "hostname": "not a name", "lo": "10.5.0.[1:3]"},
        "d[2:1]": None,
        "host": {"lo": "10.0.0.1"},
    },
    "bridges": {
        "br0": {"adresses": "10.1.1.1/24", "addresses": "10.1.1.1", "forward_delay": 31, "stp": "maybe"},
        "a": None,
    },
    "segments": {
        "lan": {
            "prefix": ["10.3.0.0/24", "10.3.1.0/24"],
            "gateway": "10.4.0.1",
            "members": {"a": {"addresses": "10.4.0.2"}, "bb": None, "br0": None, "b": {"mac": "01:00:00:00:00:01"}},
        },
        "wan": {"prefix": "10.3.0.128/25", "members": ["a", "a"], "netns": "z"},
        "dmz": {"prefix": "10.3.0.128/25", "members": ["a", {"b": {"name": "much-too-long-a-name"}}, "a"]},
        "bare": {"gateway": "host", "mtu": "big"},
    },
    "links": [
        ["a", "b", "c1"],
        ["a"],
        {"ends": ["a", {"netns": "b", "bridge": "br0"}], "prefix": "10.6.0.0/32"},
        {"ends": [{"bridge": "br1"}, {"bridge": "br0", "addresses": "10.7.0.1/24"}]},
        {"ends": [{"netns": "a", "mtu": 1400, "name": "x/y"}, {"netns": "b", "mtu": 1500, "addresses": "10.8.0.0/24"}]},
        {"ends": ["a[1:2]", "b[1:3]"]},
        5,
    ],
    "routes": [
        {"netns": "a", "dst": "lna", "via": "10.3.0.1"},
        {"netns": ["a", "q"], "dst": "10.0.0.0/8", "via": "c1"},
        {"netns": "a", "dst": "10.0.0.0/8"},
        {"netns": "a", "dst": "bare", "via": "b"},
        {"dst": "default", "type": "blckhole"},
    ],
    "neighbors": [
        {"netns": "a", "dst": "10.3.0.7", "dev": "lan"},
        {"netns": "a", "dst": "x", "dev": "lan", "lladdr": "zz"},
    ],
    "masquerade": ["lann", {"netns": "b", "oif": "lan", "not_oif": "lan"}, {}],
    "checks": [{"from": "a", "to": "10.0.0", "port": "http"}, {"from": "all", "to": "al"}, "x"],
}
TOLD = """\
nmespaces: there is no such key (did you mean 'namespaces'?)
routing: 'statik' is not one of none, static (did you mean 'static'?)
mtu: 20 is not an MTU between 68 and 65535
namespaces.a.knd: there is no such key (did you mean 'kind'?)
namespaces.a.kind: 'holding' is not one of named, held
namespaces.b.forwarding: 'perhaps' is not true or false
namespaces.b.sysctls.net.x: [1] is not a text
namespaces.b.lo[0]: '10.0.0.256' is not an address with a prefix length ('10.0.0.256' does not appear to be an IPv4 or IPv6 interface)
namespaces.b.lo[1]: '::/0' is not a link's own address
namespaces.1: '1' is not a namespace name
namespaces.all: 'all' is not a namespace name
namespaces.c[1:2]: a range in it stands for 3, the name for 2
namespaces.d[2:1]: the range in 'd[2:1]' has 0 items, not 1 to 65536
namespaces.host.lo: the host can have only forwarding and sysctls
bridges.br0.adresses: there is no such key (did you mean 'addresses'?)
bridges.br0.stp: 'maybe' is not true or false
bridges.br0.addresses[0]: '10.1.1.1' lacks the prefix length, as in 10.1.1.1/24
bridges.a: 'a' is already the name of something else
segments.lan.prefix: 10.3.0.0/24 and 10.3.1.0/24 are both IPv4
segments.lan.members.bb: there is no namespace 'bb' (did you mean 'b'?)
segments.lan.members.br0: 'br0' is a bridge, not a namespace
segments.lan.gateway.addresses[0]: 10.4.0.1 is outside 10.3.0.0/24
segments.wan.netns: there is no namespace 'z'
segments.dmz.members[2]: 'a' is already on dmz
segments.bare.mtu: 'big' is not a number
segments.bare.gateway: a gateway needs a prefix, and bare has none
links[0].ends: ['a', 'b', 'c1'] is not a list of two ends
links[1].ends: ['a'] is not a list of two ends
links[2].ends[1]: an end needs either netns or bridge
links[3].ends[0]: there is no bridge 'br1' (did you mean 'br0'?)
links[4].ends[1].addresses[0]: '10.8.0.0/24' is the network address of 10.8.0.0/24, not one of a link
links[5]: 'a[1:2]' stands for 2, but 'b[1:3]' for 3
links[6]: 5 is not a mapping with keys of: ends, prefix, mtu
segments.lan.members.a.addresses[0]: 10.4.0.2 is outside 10.3.0.0/24
pool: 10.9.0.0/16 and 10.1.0.0/16 are both IPv4
pool: '10.2.0' is not a network ('10.2.0' does not appear to be an IPv4 or IPv6 network)
segments.dmz.prefix: 10.3.0.128/25 overlaps 10.3.0.0/24 of segments.lan.prefix
routes[0].dst: 'lna' is neither a prefix nor a segment (did you mean 'lan'?)
routes[1].via: there is no namespace 'c1' (did you mean '1'?)
routes[1].netns: there is no namespace 'q'
routes[3].dst: segment 'bare' has no prefix
routes[4].type: 'blckhole' is not one of unicast, local, blackhole, unreachable, prohibit, throw (did you mean 'blackhole'?)
routes[4]: netns is missing
masquerade[0].src: 'lann' is neither a prefix nor a segment (did you mean 'lan'?)
checks[0].port: 'http' is not a number
checks[0].to: there is no namespace '10.0.0'
checks[1].to: there is no namespace 'al' (did you mean 'all'?)
checks[2]: 'x' is not a mapping with keys of: from, to, expect, protocol, port, src, count, listen, timeout, size, df
namespaces.a.hostname: 'x.example' needs held; a namespace in a file has no hostname
bridges.br0.forward_delay: 31 is not between 0 and 30 seconds
segments.lan.members.b.mac: '01:00:00:00:00:01' is not the MAC address of one link (like 02:00:00:00:00:01)
segments.dmz.members.b.name: 'much-too-long-a-name' has 20 characters, a link name has at most 15
links[4].ends[0].name: 'x/y' is not a link name
links[4].ends[1].mtu: 1400 and 1500 at the two ends would lose packets of the sizes in between
routes[2].dst: a route to 10.0.0.0/8 needs via, dev or nexthops
neighbors[0].lladdr: an entry for 10.3.0.7 needs the MAC address
neighbors[1].dst: 'x' is not an IP address
neighbors[1].lladdr: 'zz' is not the MAC address of one link (like 02:00:00:00:00:01)
namespaces.b.sysctls.kernel.hostname: 'kernel.hostname' belongs to the whole machine, only net.* to a namespace
masquerade[1].not_oif: 'lan' has no effect beside oif 'lan'
masquerade[1].src: forward: restricted needs the network of the lab
masquerade[2].src: one of src, dst, iif, oif, not_oif is needed
"""  # noqa: E501


def test_everything_is_told_at_once_and_where() -> None:
    assert mistakes(WRONG) == TOLD.splitlines()


def test_nothing_in_it_was_changed() -> None:
    data = copy.deepcopy(WRONG)
    mistakes(data)
    assert data == WRONG


# A valid and an invalid value of each kind.
VALUES: dict[str, tuple[list[t.Any], list[t.Any]]] = {
    schema.TEXT: (["x", 5, 1.5], [True, [], {}, ["x"]]),
    schema.TEXTS: (["x", ["x", "y"], 5, []], [True, {}, [[]], [None], [True]]),
    schema.ADDRESSES: (
        ["x", ["x", "y"], 5, [], {"address": "x"}, ["x", {"address": "y", "peer": "z", "metric": 5}]],
        [True, {}, [[]], [None], [True], [{}], ["x", {"peer": "z"}], {"address": "x", "metric": "y"}],
    ),
    schema.NUMBER: ([5, "5", 0], ["x", 1.5, True, [5], "", "-1"]),
    schema.FLAG: ([True, False, "yes", "Off", "true"], [1, "maybe", [], {}]),
    schema.SETTINGS: ([{}, {"a": 1}, {"a": "b", "c": True}], [5, "a=b", ["a"], {"a": []}, {"a": {}}]),
    schema.NAMED: (["x", ["x"], {"x": None}, {"x": {}}, [{"x": {}}]], [True, 1.5, [[]], [{}], {True: {}}, {"x": 5}]),
    schema.ITEMS: ([[]], [5, True, [5], [[]]]),
    schema.LINKS: ([[]], [5, "x", {}, [5], [{}]]),
    schema.ENDS: ([["x", "y"]], [5, "x", ["x"], ["x", "y", "z"], [5, 6]]),
}


KEYS = [(shape, name) for shape, keys in schema.SHAPES.items() for name in keys]
KINDS = (schema.ITEM, schema.NAMED, schema.ITEMS, schema.LINKS)


@pytest.mark.parametrize(("shape", "name"), [one for one in KEYS if schema.SHAPES[one[0]][one[1]].kind not in KINDS])
def test_every_key_takes_what_it_should_and_tells_the_rest(shape: str, name: str) -> None:
    key = schema.SHAPES[shape][name]
    right, wrong = VALUES[key.kind]
    for value in right:
        reader = Reader()
        found = reader.item("at", {name: key.choices[0] if key.choices else value}, shape)
        assert name in found and [one for one in reader.errors if not one.endswith("is missing")] == []
    for value in [*wrong, *(["nonsense"] if key.choices else [])]:
        if key.choices and isinstance(value, bool):  # yes and no of a check, which YAML may read as booleans
            continue
        reader = Reader()
        reader.item("at", {name: value}, shape)
        assert [one for one in reader.errors if one.startswith("at." + name)], value


@pytest.mark.parametrize("kind", [schema.NAMED, schema.ITEMS, schema.LINKS])
def test_lists_and_mappings_of_things(kind: str) -> None:
    keys = {schema.NAMED: "namespaces", schema.ITEMS: "routes", schema.LINKS: "links"}
    right, wrong = VALUES[kind]
    for value in right:
        assert layout.read({"name": "demo", keys[kind]: value})[1] == []
    for value in wrong:
        errors = layout.read({"name": "demo", keys[kind]: value})[1]
        assert errors and all(one.startswith(keys[kind]) for one in errors), value


@pytest.mark.parametrize(
    ("shape", "near", "key"),
    [
        ("topology", "namespace", "namespaces"),
        ("topology", "neighbours", "neighbors"),
        ("namespace", "host_name", "hostname"),
        ("segment", "member", "members"),
        ("end", "addreses", "addresses"),
        ("check", "expected", "expect"),
        ("route", "zzz", None),
    ],
)
def test_the_nearest_key_is_named(shape: str, near: str, key: str | None) -> None:
    reader = Reader()
    reader.item("", {near: 1}, shape)
    assert reader.errors[0] == near + ": there is no such key" + (f" (did you mean {key!r}?)" if key else "")


PAIR = {"name": "demo", "namespaces": "n[1:3]"}


def end(netns: str, **values: t.Any) -> dict[str, t.Any]:
    """An end of a link."""
    return {"netns": netns, **values}


@pytest.mark.parametrize(
    ("more", "errors"),
    [
        (
            {"links": [[end("n1", addresses="10.0.0.1/24"), end("n2", addresses="10.0.0.1/24")]]},
            ["links[0].ends[1].addresses[0]: address 10.0.0.1 is already that of links[0].ends[0].addresses[0]"],
        ),
        (
            {"namespaces": {"n1": {"lo": "10.0.0.1"}}, "segments": {"s": {"prefix": "10.0.0.0/24", "gateway": "n1"}}},
            ["namespaces.n1.lo[0]: address 10.0.0.1 is already that of segments.s.gateway.addresses[0]"],
        ),
        (
            {"links": [[end("n1", mac="02:00:00:00:00:0a"), end("n2", mac="02:00:00:00:00:0A")]]},
            ["links[0].ends[1].mac: MAC 02:00:00:00:00:0a is already that of links[0].ends[0].mac"],
        ),
        (
            {"links": [["n1:x", "n2"], ["n1:x", "n3"]]},
            ["links[1].ends[0].name: link 'x' in n1 is already that of links[0].ends[0].name"],
        ),
        ({"namespaces": ["n1", "n1"]}, ["namespaces[1]: there is already a namespace 'n1'"]),
        ({"bridges": "n1"}, ["bridges[0]: 'n1' is already the name of something else"]),
        ({"bridges": "b", "segments": "b"}, ["segments[0]: 'b' is already the name of something else"]),
        ({"segments": "host"}, ["segments[0]: 'host' is already the name of something else"]),
        (
            {"segments": {"s": {"prefix": "10.0.0.0/24", "members": {"n1": {"addresses": "10.0.0.255"}}}}},
            ["segments.s.members.n1.addresses[0]: '10.0.0.255/24' is the broadcast address of 10.0.0.0/24, "
             "not one of a link"],
        ),
        (
            {"segments": {"s": {"prefix": "10.0.0.0/24", "gateway": {"netns": "n1", "addresses": "10.0.1.1"}}}},
            ["segments.s.gateway.addresses[0]: 10.0.1.1 is outside 10.0.0.0/24"],
        ),
        (
            {"segments": {"s": {"prefix": "10.0.0.0/16"}, "t": {"prefix": "10.0.9.0/24"}}},
            ["segments.t.prefix: 10.0.9.0/24 overlaps 10.0.0.0/16 of segments.s.prefix"],
        ),
        (
            {"segments": {"s": {"prefix": "10.0.0.0/16"}}, "links": [{"ends": ["n1", "n2"], "prefix": "10.0.9.0/30"}]},
            ["links[0].prefix: 10.0.9.0/30 overlaps 10.0.0.0/16 of segments.s.prefix"],
        ),
        (
            {"segments": {"s": {"prefix": "fd00::/64"}}, "pool": "fd00::/48"},
            ["segments.s.prefix: fd00::/64 overlaps fd00::/48 of pool"],
        ),
        (
            {"bridges": {"b": {"mtu": 1500}}, "links": [[{"bridge": "b", "mtu": 1400}, "n1"]]},
            ["links[0].ends[0].mtu: 1400 on bridge 'b', whose MTU is 1500, would lose packets of the sizes in between"],
        ),
        (
            {"links": [[end("n1", mtu=1400), end("n2", mtu=1500)]]},
            ["links[0].ends[1].mtu: 1400 and 1500 at the two ends would lose packets of the sizes in between"],
        ),
        (
            {"segments": {"s": {"prefix": "fd00::/64", "mtu": 1000, "members": "n1"}}},
            ["segments.s.members[0].addresses: IPv6 needs an MTU of 1280 or more, not 1000"],
        ),
        ({"mtu": 9, "segments": {"s": {"members": "n[1:3]"}}}, ["mtu: 9 is not an MTU between 68 and 65535"]),
        ({"segments": {"s": {"mtu": 9, "members": "n1"}}}, ["segments.s.mtu: 9 is not an MTU between 68 and 65535"]),
        ({"links": {"x": 1}}, ["links: {'x': 1} is not a list of links"]),
        (
            {"segments": {"s": {"members": "n1"}}, "masquerade": {"src": "s"}},
            ["masquerade.src: segment 's' has no prefix"],
        ),
        (
            {"segments": {"s": {"prefix": "fd00::/64"}}, "routes": {"netns": "n1", "dst": "s", "via": "10.0.0.1"}},
            ["routes.via: 10.0.0.1 does not have an IP version of 's'"],
        ),
        (
            {"masquerade": [{"src": "10.0.0.0/8", "forward": "open"}, {"src": "10.0.0.0/8", "forward": "restricted"}]},
            ["masquerade[1].forward: masquerade[0] says 'open' for the same namespace"],
        ),
        (
            {"segments": {"s": {"prefix": "10.0.0.0/24", "gateway": "n1", "members": "n2"}},
             "routes": {"netns": "n2", "dst": "default", "via": "n1"}},
            ["routes.dst: route to 0.0.0.0/0 metric 0 table 254 in n2 is already that of segments.s.members[0].dst"],
        ),
    ],
)  # fmt: skip
def test_what_does_not_go_together_is_told(more: dict[str, t.Any], errors: list[str]) -> None:
    assert mistakes({**PAIR, **more}) == errors


@pytest.mark.parametrize("count", [1023, 1024])
def test_a_bridge_has_so_many_ports_and_no_more(count: int) -> None:
    names = "n[1:{0}]".format(count)
    data = {"name": "demo", "namespaces": names, "segments": {"s": {"prefix": "10.0.0.0/16", "members": names}}}
    assert layout.read(data)[1] == (["segments.s: 1024 ports, a bridge has at most 1023"] if count > 1023 else [])


def test_a_link_to_a_bridge_has_its_mtu() -> None:
    data = {**PAIR, "mtu": 1400, "bridges": {"b": {"mtu": 1300}}, "links": [["n1", "b"], ["n2", "n3"]]}
    assert mistakes(data) == []
    assert [end.mtu for end in layout.read(data)[0].ends()] == [1300, 1300, 1400, 1400]


@pytest.mark.parametrize("name", [5, None, ["x"], True, "no/name", ""])
def test_a_lab_needs_a_name(name: t.Any) -> None:
    data = {"name": name, "namespaces": "a"}
    if name == 5:
        assert layout.read(data)[0].name == "5"
    elif name not in ("no/name", ""):  # the engine reports these
        assert [one for one in layout.read(data)[1] if "name" in one]
