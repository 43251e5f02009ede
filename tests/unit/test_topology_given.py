# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Automatic addresses and names of an object do not depend on other objects."""

from __future__ import annotations

import ipaddress
import random
import typing as t

import pytest

from ansible_collections.linuxnet.lab.plugins.module_utils.rules import ALTNAME_LIMIT, LINK_NAME_LIMIT
from ansible_collections.linuxnet.lab.plugins.module_utils.topology import layout

Given = dict[str, list[str]]


def read(data: dict[str, t.Any]) -> t.Any:
    """A lab without errors."""
    lab, errors = layout.read({"name": "demo", **data})
    assert errors == []
    return lab


def given(names: t.Sequence[str], prefix: t.Any = "10.0.0.0/24", members: t.Any = None, **more: t.Any) -> Given:
    """The addresses of the members of one segment."""
    segment = {"prefix": prefix, "members": members or list(names), **more}
    lab = read({"namespaces": list(names), "segments": {"lan": segment}})
    return {ref: addresses for ref, addresses in lab.addresses().items() if ref}


def crowd(seed: int, most: int) -> list[str]:
    """Random names: families with numbers, some of them padded or with gaps, and names without numbers."""
    chance = random.Random(seed)
    words = ["web", "db", "router", "pc-", "a", "zurich", "dns", "mail", "x.y", "fw", "core", "edge"]
    names: dict[str, None] = {}
    while len(names) < most:
        word = chance.choice(words) + chance.choice(["", "-in", "_2x", chance.choice("abcdef")])
        if chance.random() < 0.6:
            start, pad = chance.randint(0, 40), chance.choice(["{0}", "{0:02}"])
            names.update(dict.fromkeys(word + pad.format(start + n) for n in range(chance.randint(1, 9))))
        else:
            names[word] = None
    return list(names)[:most]


# -- addresses --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "prefix", ["10.0.0.0/24", "10.0.0.0/16", "fd00::/64", "fd00::/120", ["10.0.0.0/22", "fd00::/64"]]
)
@pytest.mark.parametrize("seed", range(8))
def test_each_is_alone_and_within(seed: int, prefix: t.Any) -> None:
    names = crowd(seed, 60)
    found = given(names, prefix)
    assert found == given(names, prefix)
    prefixes = [ipaddress.ip_network(one) for one in ([prefix] if isinstance(prefix, str) else prefix)]
    everything = [one for addresses in found.values() for one in addresses]
    assert len(set(everything)) == len(everything) == len(names) * len(prefixes)
    for addresses in found.values():
        for text, network in zip(addresses, prefixes):
            one = ipaddress.ip_interface(text)
            assert one.network == network
            assert one.ip not in (network[0], network[1]), "the network's own, and the gateway's"
            assert network.version == 6 or one.ip != network.broadcast_address


def changes(names: list[str], prefix: str) -> int:
    """How many other names change their address if one is removed or added, as the sum over all names."""
    whole, count = given(names, prefix), 0
    for name in names:
        less = given([one for one in names if one != name], prefix)
        count += sum(whole[one] != address for one, address in less.items())
    return count


@pytest.mark.parametrize("prefix", ["10.0.0.0/16", "fd00::/64"])
@pytest.mark.parametrize("seed", range(6))
def test_nobody_moves_when_others_come_or_go(seed: int, prefix: str) -> None:
    """One family of numbers, and names without numbers: two of these rarely have the same hash, and then one changes.
    """
    plain = [name for name in crowd(seed, 60) if not name[-1].isdigit()][:12]
    assert changes([*plain, *(f"web{number}" for number in range(1, 21))], prefix) == 0


@pytest.mark.parametrize(("prefix", "most"), [("10.0.0.0/22", 0.3), ("10.0.0.0/24", 0.6), ("10.0.0.0/26", 3)])
def test_how_many_move_where_families_clash(prefix: str, most: float) -> None:
    """Families share numbers. The fuller the prefix, the more addresses change with each removed name."""
    counts = [changes(crowd(seed, 40), prefix) / 40 for seed in range(10)]
    assert 0 < sum(counts) / len(counts) < most


def test_numbers_are_places() -> None:
    found = given(["web1", "web7", "web07x", "web0", "n010", "n300"])
    assert found["web1"] == ["10.0.0.2/24"] and found["web7"] == ["10.0.0.8/24"] and found["n010"] == ["10.0.0.11/24"]
    assert found["web0"] == ["10.0.0.254/24"], "the last one, since the first one is the gateway's"
    assert int(found["n300"][0].split(".")[3][:-3]) >= 128, "what has no place goes to the upper half"


def test_a_release_gives_what_the_last_one_gave() -> None:
    """The test contains the addresses and names. An update of the collection must not change those of existing labs."""
    assert given(["router", "web1"]) == {"router": ["10.0.0.226/24"], "web1": ["10.0.0.2/24"]}
    assert [str(one) for one in pooled([("a", "b")])["a", "b"]] == ["10.9.210.142/31"]
    lab = read({"namespaces": ["a", "a-namespace-with-a-long-name"], "links": [["a", "a-namespace-with-a-long-name"]]})
    assert [end.name for end in lab.ends()] == ["a-namesp-31a59d", "a"]


def test_explicit_ones_win_and_move_nobody_else() -> None:
    names = [f"web{number}" for number in range(1, 10)] + ["db"]
    before = given(names)
    after = given(names, members=[*names[:-1], {"db": {"addresses": "10.0.0.5"}}])
    assert after["db"] == ["10.0.0.5/24"]
    assert {name for name in names if before[name] != after[name]} == {"db", "web4"}
    assert given(names, gateway="10.0.0.5")["web4"] == after["web4"]


def test_who_wants_none_gets_none_and_who_has_one_family_gets_the_other() -> None:
    members = {"a": {"addresses": []}, "b": {"addresses": "10.0.0.9"}, "c": None}
    found = given("abc", ["10.0.0.0/24", "fd00::/64"], members)
    assert found["a"] == [] and found["b"][0] == "10.0.0.9/24"
    assert [len(found[name]) for name in "bc"] == [2, 2] and found["b"][1].startswith("fd00::")


@pytest.mark.parametrize(
    ("prefix", "count"), [("10.0.0.0/29", 5), ("10.0.0.0/31", 1), ("fd00::/127", 1), ("fd00::/125", 6)]
)
def test_a_prefix_can_be_filled_and_not_overfilled(prefix: str, count: int) -> None:
    names = [f"node-{letter}" for letter in "abcdefgh"[: count + 1]]
    assert len({addresses[0] for addresses in given(names[:-1], prefix).values()}) == count
    segment = {"prefix": prefix, "members": names}
    errors = layout.read({"name": "demo", "namespaces": names, "segments": {"lan": segment}})[1]
    assert errors == [
        f"segments.lan.prefix: {prefix} is too small: {count + 1} more addresses are needed, but it has only "
        f"{count} left"
    ]


# -- the pool ---------------------------------------------------------------------------------------------------------


def pooled(pairs: list[tuple[str, str]], pool: t.Any = "10.9.0.0/16", **more: t.Any) -> dict[tuple[str, str], t.Any]:
    """The networks of links that get theirs from a pool."""
    names = sorted({name for pair in pairs for name in pair})
    lab = read({"namespaces": names, "links": [list(pair) for pair in pairs], "pool": pool, **more})
    return {
        tuple(end.netns for end in link.ends): [ipaddress.ip_interface(one) for one in link.ends[0].addresses]
        for link in lab.links
    }


PAIRS = [(f"r{one}", f"r{other}") for one in range(1, 9) for other in range(one + 1, 9)]


@pytest.mark.parametrize("pool", ["10.9.0.0/16", "fd09::/64", ["10.9.0.0/20", "fd09::/120"]])
def test_each_link_has_a_network_of_its_own(pool: t.Any) -> None:
    found = pooled(PAIRS, pool)
    networks = [one.network for ends in found.values() for one in ends]
    assert len(set(networks)) == len(PAIRS) * (1 if isinstance(pool, str) else 2)
    assert all(one.num_addresses == 2 for one in networks)
    assert found == pooled(PAIRS, pool)


def test_links_keep_their_networks() -> None:
    whole = pooled(PAIRS)
    for pair in PAIRS:
        less = pooled([one for one in PAIRS if one != pair])
        assert [one for one in less if less[one] != whole[one]] == []


def test_what_is_taken_is_left_out() -> None:
    """The pool has four networks. One contains the address of a `lo`, another one those of a link with addresses."""
    links = [["a", "b"], ["b", "c"], {"ends": [{"netns": "a", "addresses": "10.9.0.2/30"}, "c"]}]
    data = {"namespaces": {"a": None, "b": None, "c": {"lo": "10.9.0.5"}}, "links": links, "pool": "10.9.0.0/29"}
    lab = read(data)
    found = {one for link in lab.links[:2] for end in link.ends for one in end.addresses}
    assert found == {"10.9.0.0/31", "10.9.0.1/31", "10.9.0.6/31", "10.9.0.7/31"}
    data["links"] = [["a", "c"], *links]
    assert layout.read({"name": "demo", **data})[1] == [
        "pool: 10.9.0.0/29 is too small: 3 links need addresses, but it has enough for only 2"
    ]


# -- names ------------------------------------------------------------------------------------------------------------


def linked(seed: int) -> dict[str, t.Any]:
    """A lab of random names: long ones with the same beginning, several links between the same two, explicit names."""
    chance = random.Random(seed)
    names = ["a", "b", "c1", "a-namespace-with-a-long-name-1", "a-namespace-with-a-long-name-2", "exactly15chars."]
    links = []
    for dummy in range(chance.randint(3, 12)):
        one, other = chance.sample(names, 2)
        links.append([one, other])
    links.append({"ends": [{"netns": "a", "name": "c1"}, "b"]})
    segments = {
        "lan": {"members": names},
        "a-segment-with-a-long-name": {"members": chance.sample(names, 3), "netns": "b"},
        "sëgment-wíth-a-löng-name": {"members": chance.sample(names, 2)},
    }
    return {"namespaces": names, "links": links, "segments": segments, "bridges": ["br0", "a-bridge-with-a-long-name"]}


def links_of(lab: t.Any) -> list[t.Any]:
    """All links."""
    return [*lab.bridges.values(), *lab.ends()]


@pytest.mark.parametrize("seed", range(12))
def test_names_fit_and_are_told_apart(seed: int) -> None:
    found = links_of(read(linked(seed)))
    assert all(0 < len(one.name.encode()) <= LINK_NAME_LIMIT for one in found)
    assert len({(one.netns, one.name) for one in found}) == len(found)
    cut = [one for one in found if one.altname]
    assert cut and all(LINK_NAME_LIMIT < len(one.altname.encode()) <= ALTNAME_LIMIT for one in cut)
    assert len({(one.netns, one.altname) for one in cut}) == len(cut)
    assert all(one.name.split("-")[0] == one.altname[: len(one.name.split("-")[0])] for one in cut)


@pytest.mark.parametrize("seed", range(6))
def test_names_stay_when_others_come_and_go(seed: int) -> None:
    """The removal of a segment removes its own links, and renames no others."""
    data = linked(seed)
    before = {(one.netns, one.name, one.altname) for one in links_of(read(data))}
    for label in data["segments"]:
        rest = {one: values for one, values in data["segments"].items() if one != label}
        assert {(one.netns, one.name, one.altname) for one in links_of(read({**data, "segments": rest}))} < before


def test_a_member_is_named_after_its_segment_and_its_port_after_it() -> None:
    lab = read({"namespaces": ["a", "b"], "segments": {"lan": {"members": "a"}}, "links": [["a", "b"], ["host", "a"]]})
    assert lab.bridges["lan"].name == "demo-lan"
    assert [[(end.netns, end.name) for end in link.ends] for link in lab.links] == [
        [("", "a-lan"), ("a", "lan")],
        [("a", "b"), ("b", "a")],
        [("", "a"), ("a", "host")],
    ]
