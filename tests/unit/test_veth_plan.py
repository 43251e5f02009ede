# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.linuxnet.lab.plugins.module_utils.errors import LabError
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.links import CreateVeth, DeleteVeth, SetLink
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.objects import Link
from ansible_collections.linuxnet.lab.plugins.module_utils.plan import Plan
from ansible_collections.linuxnet.lab.plugins.module_utils.resources.address import Addresses
from ansible_collections.linuxnet.lab.plugins.module_utils.resources.link import Settings
from ansible_collections.linuxnet.lab.plugins.module_utils.resources.veth import End, Veth

if t.TYPE_CHECKING:
    from .conftest import Drawing


def end(netns: str, name: str, *cidrs: str, place: str = "", **settings: t.Any) -> End:
    addresses = Addresses(list(cidrs)) if cidrs else Addresses()
    return End(netns, name, Settings(**{"up": True, **settings}), addresses, place)


def pair(one: End, other: End) -> Veth:
    other.place = "peer."
    return Veth(one, other)


@pytest.fixture
def ends(draw: Drawing) -> list[Link]:
    """The two ends of a pair of the lab: v1 on the host, eth0 in c1."""
    return [
        draw.link("v1", "10.0.0.1/24", index=5, peer=2, mac="02:00:00:00:00:01"),
        draw.link("eth0", "10.0.0.2/24", index=2, peer=5, mac="02:00:00:00:00:02"),
    ]


@pytest.fixture
def there(draw: Drawing, ends: list[Link]) -> Plan:
    """A plan for a machine on which that pair exists."""
    return draw.plan(draw.netns("", ends[0]), draw.netns("c1", ends[1], lab="demo"), draw.netns("c2", lab="demo"))


def refused(plan: Plan, veth: Veth) -> str:
    with pytest.raises(LabError) as caught:
        veth.plan(plan)
    return str(caught.value)


# New pairs


@pytest.mark.parametrize("swapped", [False, True])
def test_made_with_both_ends_at_home_whichever_is_named_first(draw: Drawing, swapped: bool) -> None:
    """The message goes to the host, because that end can be created up and on its bridge."""
    host = end("", "v1", master="br0", mac="02:00:00:00:00:01", mtu=1400)
    inside = end("c1", "eth0", "10.0.0.2/24", mac="02:00:00:00:00:02")
    br0 = draw.link("br0", kind="bridge")
    plan = draw.plan(draw.netns("", br0), draw.netns("c1", lab="demo"))
    pair(*((inside, host) if swapped else (host, inside))).plan(plan)
    assert draw.commands(plan) == [
        "ip link add name v1 mtu 1400 address 02:00:00:00:00:01 type veth "
        "peer name eth0 mtu 1400 address 02:00:00:00:00:02 netns c1",
        "ip link set dev v1 master br0 up",
        "ip -n c1 link set dev eth0 up",
        "ip -n c1 addr add 10.0.0.2/24 dev eth0",
    ]
    first = plan.changes()[0].operations[0]
    assert isinstance(first, CreateVeth) and (first.netns, first.peer_netns, first.mtu) == ("", "c1", 1400)
    assert isinstance(plan.changes()[0].undo[0], DeleteVeth)


def test_made_between_namespaces_from_the_one_with_the_bridge(draw: Drawing) -> None:
    plan = draw.plan(draw.netns("a", lab="demo"), draw.netns("b", draw.link("br0", kind="bridge"), lab="demo"))
    pair(end("a", "e1"), end("b", "e2", master="br0")).plan(plan)
    assert draw.commands(plan)[:2] == [
        "ip -n b link add name e2 type veth peer name e1 netns a",
        "ip -n b link set dev e2 master br0 up",
    ]


def test_made_in_one_namespace(draw: Drawing) -> None:
    plan = draw.plan()
    pair(end("", "e1"), end("", "e2", up=False)).plan(plan)
    assert draw.commands(plan) == ["ip link add name e1 type veth peer name e2", "ip link set dev e1 up"]


def test_both_ends_are_marked_and_have_a_mac_of_the_labs(draw: Drawing) -> None:
    """udev would soon replace a MAC address that the kernel has chosen."""
    plan = draw.plan(draw.netns("c1", lab="demo"))
    pair(end("", "v1"), end("c1", "eth0")).plan(plan)
    operations = [one for change in plan.changes() for one in change.operations]
    settings = [one for one in operations if isinstance(one, SetLink)]
    marked = {(one.netns, one.dev) for one in settings if one.values.get("alias") == "linuxnet.lab:demo"}
    assert marked == {("", "v1"), ("c1", "eth0")}
    (made,) = [one for one in operations if isinstance(one, CreateVeth)]
    for mac in (made.mac, made.peer_mac):
        assert int(mac[:2], 16) & 3 == 2, "locally administered, and of one link"
    assert made.mac != made.peer_mac


def test_a_bridge_that_is_none(draw: Drawing) -> None:
    plan = draw.plan(draw.netns("", draw.link("h0")))
    assert refused(plan, pair(end("", "v1", master="h0"), end("", "v2"))) == (
        "master: 'h0' in the host's namespace is a veth, not a bridge"
    )
    assert refused(plan, pair(end("", "v1", master="h1"), end("", "v2"))).startswith("master: there is no link 'h1'")


# Existing pairs


def test_right_as_it_is(there: Plan) -> None:
    pair(end("", "v1", "10.0.0.1/24"), end("c1", "eth0", "10.0.0.2/24")).plan(there)
    pair(end("c1", "eth0"), end("", "v1", mac="02:00:00:00:00:01")).plan(there)
    assert there.changes() == []


def test_corrected_in_place(draw: Drawing, there: Plan) -> None:
    pair(end("", "v1", mtu=1400), end("c1", "eth0", "10.0.0.3/24", up=False)).plan(there)
    assert draw.commands(there) == [
        "ip -n c1 addr del 10.0.0.2/24 dev eth0",
        "ip link set dev v1 mtu 1400",
        "ip -n c1 link set dev eth0 down mtu 1400",
        "ip -n c1 addr add 10.0.0.3/24 dev eth0",
    ]


@pytest.mark.parametrize(
    ("one", "other", "commands"),
    [
        (("", "v1"), ("c2", "eth0"), ["ip -n c1 link set dev eth0 down", "ip -n c1 link set dev eth0 netns c2"]),
        (("", "v1"), ("c1", "eth7"), ["ip -n c1 link set dev eth0 down", "ip -n c1 link set dev eth0 name eth7"]),
        (("", "v1"), ("c2", "x"), ["ip -n c1 link set dev eth0 down", "ip -n c1 link set dev eth0 name x netns c2"]),
        (("c2", "v1"), ("c1", "eth0"), ["ip link set dev v1 down", "ip link set dev v1 netns c2"]),
    ],
)
def test_an_end_is_moved_and_renamed(
    draw: Drawing, there: Plan, one: tuple[str, str], other: tuple[str, str], commands: list[str]
) -> None:
    pair(end(*one), end(*other)).plan(there)
    assert draw.commands(there)[:2] == commands


@pytest.mark.parametrize(
    ("one", "other", "reason"),
    [
        (("", "h0"), ("c1", "x"), "name: link 'h0' exists in the host's namespace and does not belong to lab 'demo'"),
        (("", "br0"), ("c1", "x"), "name: 'br0' in the host's namespace is a bridge, not a veth"),
        (
            ("", "v1"),
            ("c2", "eth0"),
            "name: 'v1' in the host's namespace is the peer of 'eth0' in namespace 'c1', "
            "not of 'eth0' in namespace 'c2'",
        ),
        (("", "v9"), ("c1", "eth0"), None),
        (
            ("", "lone"),
            ("c1", "x"),
            "name: the peer of 'lone' in the host's namespace is in a namespace that cannot be found",
        ),
    ],
)
def test_what_is_there_stands_in_the_way(
    draw: Drawing, ends: list[Link], one: tuple[str, str], other: tuple[str, str], reason: str | None
) -> None:
    """A link of somebody else, a bridge, ends of two pairs, or a peer that is not visible. Another name alone does not.
    """
    strangers = [
        draw.link("h0", lab="", index=9),
        draw.link("br0", kind="bridge", index=10),
        draw.link("lone", index=7),
    ]
    others = [draw.link("eth0", index=3, peer=4), draw.link("eth1", index=4, peer=3)]
    plan = draw.plan(
        draw.netns("", ends[0], *strangers),
        draw.netns("c1", ends[1], lab="demo"),
        draw.netns("c2", *others, lab="demo"),
    )
    veth = pair(end(*one), end(*other))
    if reason is None:
        veth.plan(plan)
        assert draw.commands(plan)[:2] == ["ip link set dev v1 down", "ip link set dev v1 name v9"]
    else:
        assert refused(plan, veth).startswith(reason)


# Removal


@pytest.mark.parametrize("name", [("", "v1"), ("c1", "eth0")])
def test_removed_by_either_end(draw: Drawing, there: Plan, name: tuple[str, str]) -> None:
    Veth(end(*name), end("", ""), present=False).plan(there)
    assert len(draw.commands(there)) == 1
    assert not there.snapshot.namespace("").links.get("v1")
    assert not there.snapshot.namespace("c1").links.get("eth0")


def test_removal_of_what_is_not_there_and_of_what_is_not_the_labs(draw: Drawing, there: Plan) -> None:
    for missing in (("", "v2"), ("nowhere", "v1")):
        Veth(end(*missing), end("", ""), present=False).plan(there)
    assert there.changes() == []
    foreign = draw.plan(draw.netns("", draw.link("v1", lab="other")))
    assert "belongs to lab 'other', not to 'demo'; it will not be deleted" in refused(
        foreign, Veth(end("", "v1"), end("", ""), present=False)
    )


# Invalid values


def test_both_ends_are_checked_at_once() -> None:
    found = pair(end("a b", "x" * 16, "10.0.0.1", mtu=5, place="pairs[0]."), end("", "a/b", mac="1")).check()
    assert len(found) == 7
    assert sum(reason.startswith("pairs[0].") for reason in found) == 4


def test_one_mtu_for_both() -> None:
    assert pair(end("", "a", mtu=1400), end("", "b")).check() == []
    (reason,) = pair(end("", "a", mtu=1400), end("", "b", mtu=1500)).check()
    assert reason == "peer.mtu: 1400 and 1500 at the two ends would lose packets of the sizes in between"


def test_claims() -> None:
    claims = pair(end("", "a", "10.0.0.1/24", mac="02:00:00:00:00:01"), end("c1", "b", "FD00::1/64")).claims()
    assert claims == [
        ("link", "'a' in the host", "name"),
        ("address", "10.0.0.1", "addresses[0]"),
        ("MAC", "02:00:00:00:00:01", "mac"),
        ("link", "'b' in c1", "peer.name"),
        ("address", "fd00::1", "peer.addresses[0]"),
    ]
