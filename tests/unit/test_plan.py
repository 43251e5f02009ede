# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.linuxnet.lab.plugins.module_utils.errors import LabError
from ansible_collections.linuxnet.lab.plugins.module_utils.host.records import Remember
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.objects import Route
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.sysctl import WriteSysctl
from ansible_collections.linuxnet.lab.plugins.module_utils.plan import Plan, Stage
from ansible_collections.linuxnet.lab.plugins.module_utils.resources.address import Addresses
from ansible_collections.linuxnet.lab.plugins.module_utils.resources.bridge import Bridge
from ansible_collections.linuxnet.lab.plugins.module_utils.resources.link import Settings
from ansible_collections.linuxnet.lab.plugins.module_utils.resources.netns import Netns
from ansible_collections.linuxnet.lab.plugins.module_utils.resources.route import RouteWanted
from ansible_collections.linuxnet.lab.plugins.module_utils.resources.sysctl import Sysctl
from ansible_collections.linuxnet.lab.plugins.module_utils.resources.veth import End, Veth

if t.TYPE_CHECKING:
    from .conftest import Drawing


def add(plan: Plan, stage: Stage, netns: str, name: str) -> None:
    plan.add(stage, netns, [], [], (name,), None, None, [name])


def refusal(function: t.Callable[..., t.Any], *arguments: t.Any) -> str:
    """The message of a refusal."""
    with pytest.raises(LabError) as caught:
        function(*arguments)
    return str(caught.value)


def test_stages_come_in_their_order_whatever_the_order_of_adding(draw: Drawing) -> None:
    plan = draw.plan()
    for stage in reversed(Stage):
        add(plan, stage, "", stage.name)
    order = draw.commands(plan)
    assert order == [stage.name for stage in Stage]
    removals = [name for name in order if name.startswith("REMOVE_")]
    order.remove("GUARD")
    assert order[1 : 1 + len(removals)] == removals, "a name or an address has to be free before it is used again"
    for earlier, later in (
        ("REMOVE_NAT", "REMOVE_LINK"),
        ("REMOVE_ROUTE", "REMOVE_ADDRESS"),
        ("REMOVE_ADDRESS", "REMOVE_LINK"),
        ("REMOVE_BRIDGE", "REMOVE_LINK"),
        ("REMOVE_LINK", "REMOVE_NETNS"),
        ("NETNS", "BRIDGE"),
        ("NETNS", "NETNS_SYSCTL"),
        ("NETNS_SYSCTL", "LINK"),
        ("BRIDGE", "LINK"),
        ("LINK", "CONFIGURE"),
        ("CONFIGURE", "BRIDGE_UP"),
        ("BRIDGE_UP", "ROUTE"),
        ("LINK", "SYSCTL"),
        ("SYSCTL", "NAT"),
    ):
        assert order.index(earlier) < order.index(later)


@pytest.mark.parametrize(
    ("stage", "order"),
    [
        (Stage.CONFIGURE, ["b1", "b2", "a1", "a2"]),
        (Stage.ROUTE, ["b1", "b2", "a1", "a2"]),
        (Stage.LINK, ["b1", "a1", "b2", "a2"]),
    ],
)
def test_what_is_sent_together_is_put_together(draw: Drawing, stage: Stage, order: list[str]) -> None:
    """Addresses and routes are grouped by namespace, in the order of their first appearance, links stay in their order.
    """
    plan = draw.plan()
    for name in ("b1", "a1", "b2", "a2"):
        add(plan, stage, name[0], name)
    assert draw.commands(plan) == order


def test_one_send_for_a_namespace_unless_its_bridge_comes_up_in_between(draw: Drawing) -> None:
    plan = draw.plan()
    for netns in ("a", "r"):
        for stage in (Stage.ROUTE, Stage.NEIGHBOR, Stage.CONFIGURE):
            add(plan, stage, netns, netns + stage.name[0])
    add(plan, Stage.BRIDGE_UP, "r", "rB")
    assert draw.commands(plan) == ["aC", "aR", "aN", "rC", "rB", "rR", "rN"]


def test_a_whole_lab_in_one_plan(draw: Drawing) -> None:
    """Each resource of the list finds in the snapshot what the earlier ones will create."""
    plan = draw.plan(lab="demo")
    peer = End("c1", "eth0", Settings(up=True), Addresses(["10.0.0.2/24"]), "peer.")
    for resource in (
        Netns("c1"),
        Bridge("", "br0", Settings(up=True), addresses=Addresses(["10.0.0.1/24"])),
        Veth(End("", "v1", Settings(up=True, mac="02:00:00:00:00:01", master="br0")), peer),
        RouteWanted("c1", "default", via="10.0.0.1"),
    ):
        resource.plan(plan)
    assert draw.commands(plan) == [
        "ip netns add c1",
        "ip link add name br0 type bridge",
        "ip link add name v1 address 02:00:00:00:00:01 type veth peer name eth0 netns c1",
        "ip link set dev v1 master br0 up",
        "ip -n c1 link set dev lo up",
        "ip -n c1 link set dev eth0 up",
        "ip -n c1 addr add 10.0.0.2/24 dev eth0",
        "ip -n c1 route add default via 10.0.0.1",
        "ip addr add 10.0.0.1/24 dev br0",
        "ip link set dev br0 up",
    ]
    places = {change.stage: change.netns for change in plan.changes()}
    assert places[Stage.BRIDGE_UP] == "" and places[Stage.ROUTE] == "c1"


# Lookups


def test_what_is_missing_is_an_error_with_the_nearest_name(draw: Drawing) -> None:
    c1 = draw.netns("cont1", draw.link("veth1"))
    plan = draw.plan(c1)
    assert refusal(plan.namespace, "cont2", "netns") == (
        "netns: there is no network namespace 'cont2' (did you mean 'cont1'?)"
    )
    assert refusal(plan.link, c1, "veth2", "dev") == (
        "dev: there is no link 'veth2' in namespace 'cont1' (did you mean 'veth1'?)"
    )
    assert plan.namespace("cont1", "netns") is c1
    assert plan.link(c1, "veth1", "dev").name == "veth1"
    assert plan.assumed == []


def test_in_check_mode_it_is_taken_to_be_made_by_an_earlier_task(draw: Drawing) -> None:
    plan = draw.plan(check=True)
    c1 = plan.namespace("c1", "netns")
    eth0 = plan.link(c1, "eth0", "dev")
    br0 = plan.link(plan.namespace("", "netns"), "br0", "dev")
    assert plan.assumed == ["br0 in the host", "eth0 in c1", "namespace c1"]
    assert (c1.lab, c1.new, plan.namespace("c1", "netns")) == ("demo", True, c1)
    assert plan.owns(eth0) and plan.owns(br0)
    assert plan.is_assumed(c1) and plan.is_assumed(c1, "lo") and plan.is_assumed(plan.namespace("", ""), "br0")
    assert not plan.is_assumed(plan.namespace("", "netns"))


@pytest.mark.parametrize("ref", ["1234", "/run/netns/c1"])
def test_a_process_or_a_file_is_made_by_no_task(draw: Drawing, ref: str) -> None:
    assert refusal(draw.plan(check=True).namespace, ref, "netns") == (
        "netns: there is no network namespace {0!r}".format(ref)
    )


def test_nothing_is_assumed_outside_check_mode(draw: Drawing) -> None:
    plan = draw.plan()
    refusal(plan.namespace, "c1", "netns")
    assert plan.assumed == []


# Ownership


def test_a_link_is_the_labs_by_its_mark_or_because_the_plan_makes_it(draw: Drawing) -> None:
    plan = draw.plan()
    assert plan.owns(draw.link("a")) and plan.owns(draw.link("a", lab="", born=True))
    for stranger in ("", "other", "demo2"):
        assert not plan.owns(draw.link("a", lab=stranger))
    assert not plan.owns(draw.link("a", alias="demo"))


@pytest.mark.parametrize(
    ("netns", "lab", "reason"),
    [
        ("", "", "exists in the host's namespace and does not belong to lab 'demo'"),
        ("", "other", "exists in the host's namespace and belongs to lab 'other', not to 'demo'"),
        ("c1", "", "exists in namespace 'c1' and does not belong to lab 'demo'"),
    ],
)
def test_what_is_not_the_labs_is_only_changed_by_force(draw: Drawing, netns: str, lab: str, reason: str) -> None:
    link = draw.link("up0", "192.0.2.1/24", lab=lab)
    there = draw.netns(netns, link)
    said = refusal(draw.plan(there).demand, there, link, "dev", "be moved")
    assert said == "dev: link 'up0' {0}; it will not be moved unless force is true".format(reason)
    draw.plan(there, force=True).demand(there, link, "dev")
    draw.plan(there, lab=lab or "demo", force=not lab).demand(there, link, "dev")


@pytest.mark.parametrize("dst", ["0.0.0.0/0", "::/0"])
def test_the_uplink_is_named_as_such(draw: Drawing, dst: str) -> None:
    link = draw.link("up0", lab="")
    there = draw.netns("", link, routes=[Route(4, dst, dev="up0")])
    assert "; it carries the host's default route; " in refusal(draw.plan(there).demand, there, link, "dev")


# Sysctls: the records of the lab decide


def test_a_sysctl_is_remembered_before_it_is_written(draw: Drawing) -> None:
    """A run that is killed leaves an unnecessary record, but does not lose an old value."""
    plan = draw.plan()
    plan.snapshot.sysctls["", "net.ipv4.ip_forward"] = "0"
    Sysctl("", "net/ipv4/ip_forward", "1").plan(plan)
    (change,) = plan.changes()
    assert [type(one) for one in change.operations] == [Remember, WriteSysctl]
    assert change.operations[0].value == {
        "netns": "",
        "name": "net.ipv4.ip_forward",
        "old": "0",
        "value": "1",
    }
    assert [one.value for one in change.undo] == ["0", None]


def test_a_sysctl_is_given_back_before_it_is_forgotten(draw: Drawing) -> None:
    plan = draw.plan()
    plan.snapshot.sysctls["", "net.ipv4.ip_forward"] = "1"
    record = {"netns": "", "name": "net.ipv4.ip_forward", "old": "0", "value": "1"}
    plan.snapshot.memory["demo"] = {"sysctl host net.ipv4.ip_forward": record}
    Sysctl("", "net.ipv4.ip_forward", present=False).plan(plan)
    (change,) = plan.changes()
    assert [type(one) for one in change.operations] == [WriteSysctl, Remember]
    assert [type(one) for one in change.undo] == [Remember, WriteSysctl]
