# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.linuxnet.lab.plugins.module_utils.errors import LabError
from ansible_collections.linuxnet.lab.plugins.module_utils.host.records import Remember
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.objects import Hop, Route
from ansible_collections.linuxnet.lab.plugins.module_utils.plan import Plan, Stage
from ansible_collections.linuxnet.lab.plugins.module_utils.resources.route import PROTOCOL, RouteWanted, text

if t.TYPE_CHECKING:
    from .conftest import Drawing


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"dst": "default", "via": "10.0.0.1"}, Route(4, "0.0.0.0/0", "10.0.0.1")),
        ({"dst": "default", "dev": "a"}, Route(4, "0.0.0.0/0", dev="a", scope="link")),
        ({"dst": "default", "via": "fd00::1"}, Route(6, "::/0", "fd00::1", metric=1024)),
        ({"dst": "default", "src": "fd00::2", "dev": "a"}, Route(6, "::/0", dev="a", src="fd00::2", metric=1024)),
        ({"dst": "::/0", "dev": "a", "metric": 5}, Route(6, "::/0", dev="a", metric=5)),
        ({"dst": "10.1.2.3", "dev": "a"}, Route(4, "10.1.2.3/32", dev="a", scope="link")),
        ({"dst": "10.1.2.3/8", "dev": "a", "scope": "host"}, Route(4, "10.0.0.0/8", dev="a", scope="host")),
        (
            {"dst": "10.0.0.0/8", "type": "local", "dev": "lo"},
            Route(4, "10.0.0.0/8", dev="lo", scope="host", type="local"),
        ),
        ({"dst": "10.0.0.0/8", "type": "throw", "table": "7"}, Route(4, "10.0.0.0/8", type="throw", table=7)),
        (
            {"dst": "FD00:0::7", "dev": "a", "table": "default"},
            Route(6, "fd00::7/128", dev="a", metric=1024, table=253),
        ),
    ],
)
def test_what_was_not_said_is_filled_in_as_ip_route_does(asked: dict[str, t.Any], expected: Route) -> None:
    wanted = RouteWanted("", **asked)
    assert wanted.check() == [] or wanted.type == "local"
    fields = {name: getattr(expected, name) for name in Route.__dataclass_fields__ if name != "protocol"}
    assert wanted.route() == Route(**fields, protocol=PROTOCOL)


@pytest.mark.parametrize(
    ("route", "words"),
    [
        (Route(4, "0.0.0.0/0", "10.0.0.1", "a"), "default via 10.0.0.1 dev a"),
        (Route(4, "10.0.0.7/32", dev="a", scope="link"), "10.0.0.7 dev a"),
        (Route(4, "10.0.0.0/8", dev="a", scope="global"), "10.0.0.0/8 dev a scope global"),
        (Route(4, "10.0.0.0/8", "10.9.0.1", "a", scope="link"), "10.0.0.0/8 via 10.9.0.1 dev a scope link"),
        (Route(4, "10.0.0.0/8", dev="a", scope="17"), "10.0.0.0/8 dev a"),
        (Route(4, "10.0.0.0/8", type="blackhole", metric=5), "blackhole 10.0.0.0/8 metric 5"),
        (Route(4, "10.0.0.0/8", dev="lo", type="local", scope="host"), "local 10.0.0.0/8 dev lo table main"),
        (Route(6, "fd00::7/128", dev="a", metric=1024), "fd00::7 dev a"),
        (Route(6, "::/0", dev="a", src="fd00::2", metric=256, table=9), "default dev a src fd00::2 metric 256 table 9"),
        (Route(4, "10.0.0.0/8", "10.9.0.1", "a", onlink=True), "10.0.0.0/8 via 10.9.0.1 dev a onlink"),
    ],
)
def test_text(route: Route, words: str) -> None:
    assert text(route) == words


def test_a_diff_names_a_metric_only_where_the_kernel_did_not_choose_it(plan: Plan) -> None:
    """The kernel gives IPv6 routes without a metric 1024. An IPv4 route has that metric only by somebody's choice."""
    for asked in ({"dst": "fd01::/64", "via": "fd00::1"}, {"dst": "10.9.0.0/16", "via": "10.0.0.1", "metric": 1024}):
        RouteWanted("c1", **asked).plan(plan)
    assert [change.where[-1] for change in plan.changes()] == ["fd01::/64", "10.9.0.0/16 metric 1024"]


@pytest.fixture
def plan(draw: Drawing) -> Plan:
    """The host with an uplink of others and a link of the lab, and a namespace of the lab."""
    uplink = draw.link("up0", "192.0.2.1/24", lab="")
    host = draw.netns("", uplink, draw.link("h0", "10.0.0.1/24"), routes=[Route(4, "0.0.0.0/0", "192.0.2.9", "up0")])
    down = draw.link("e1", lab="", up=False)
    return draw.plan(host, draw.netns("c1", draw.link("e0", "10.0.0.2/24", "fd00::2/64", lab=""), down, lab="demo"))


def planned(plan: Plan, netns: str, **asked: t.Any) -> list[str]:
    """The commands for a desired route."""
    wanted = RouteWanted(netns, **asked)
    assert wanted.check() == []
    wanted.plan(plan)
    return [command for change in plan.changes() for command in change.commands]


def refused(plan: Plan, netns: str, **asked: t.Any) -> str:
    with pytest.raises(LabError) as caught:
        planned(plan, netns, **asked)
    assert plan.changes() == []
    return str(caught.value)


def remembers(plan: Plan) -> list[t.Any]:
    """The records that the plan writes or deletes, in its order."""
    operations = [one for change in plan.changes() for one in change.operations]
    return [one.value for one in operations if isinstance(one, Remember)]


def test_added(plan: Plan) -> None:
    assert planned(plan, "c1", dst="default", via="10.0.0.1") == ["ip -n c1 route add default via 10.0.0.1"]
    assert remembers(plan) == []


def test_the_same_twice_is_added_once(plan: Plan) -> None:
    planned(plan, "c1", dst="default", via="10.0.0.1")
    assert len(planned(plan, "c1", dst="0.0.0.0/0", via="10.0.0.1")) == 1


def test_what_was_not_said_may_be_as_it_is(plan: Plan) -> None:
    there = Route(4, "0.0.0.0/0", "10.0.0.1", "e0", src="10.0.0.2", onlink=True)
    namespace = plan.namespace("c1", "")
    namespace.table(4).add(there)
    assert planned(plan, "c1", dst="default", via="10.0.0.1") == []
    assert len(planned(plan, "c1", dst="default", via="10.0.0.1", dev="e0", src="10.0.0.3")) == 1


@pytest.mark.parametrize("said", [{"onlink": True}, {"src": "10.0.0.2"}])
def test_what_was_said_is_to_be_so(plan: Plan, said: dict[str, t.Any]) -> None:
    namespace = plan.namespace("c1", "")
    namespace.table(4).add(Route(4, "0.0.0.0/0", "10.0.0.1", "e0"))
    assert len(planned(plan, "c1", dst="default", via="10.0.0.1", dev="e0", **said)) == 1


@pytest.mark.parametrize(
    ("difference", "steps"),
    [
        ({"type": "prohibit", "via": "", "dev": ""}, ["replace"]),
        ({"scope": "link"}, ["replace"]),
        ({"via": "10.0.0.7"}, ["replace"]),
        # The kernel may not be able to restore such an old route in one step.
        ({"nexthops": (Hop("10.0.0.1", "e0"), Hop("10.0.0.7", "e0")), "raw": "02"}, ["del", "add"]),
        ({"via": "10.7.0.1"}, ["del", "add"]),
    ],
)
def test_replaced_where_it_differs(plan: Plan, difference: dict[str, t.Any], steps: list[str]) -> None:
    namespace = plan.namespace("c1", "")
    there = Route(**{"family": 4, "dst": "0.0.0.0/0", "via": "10.0.0.1", "dev": "e0", **difference})
    namespace.table(4).add(there)
    commands = planned(plan, "c1", dst="default", via="10.0.0.1")
    assert [command.split()[4] for command in commands] == steps


def test_replaced_in_two_steps_where_what_it_stands_on_changes(plan: Plan) -> None:
    namespace = plan.namespace("c1", "")
    namespace.table(4).add(Route(4, "0.0.0.0/0", "10.0.0.1", "e0"))
    plan.add(Stage.CONFIGURE, "c1", [], [], ("links", "e0"), None, None, [])
    commands = planned(plan, "c1", dst="default", via="10.0.0.7")
    assert [command.split()[4] for command in commands] == ["del", "add"]


@pytest.mark.parametrize("key", [{"metric": 7}, {"table": 100}])
def test_another_metric_or_table_is_another_route(plan: Plan, key: dict[str, int]) -> None:
    namespace = plan.namespace("c1", "")
    namespace.table(4).add(Route(4, "0.0.0.0/0", "10.0.0.1", "e0", **key))
    assert planned(plan, "c1", dst="default", via="10.0.0.1") == ["ip -n c1 route add default via 10.0.0.1"]


def test_a_foreign_route_is_refused(plan: Plan) -> None:
    reason = "dst: the route `default via 192.0.2.9 dev up0` in the host's namespace does not belong to lab 'demo'; "
    reason += "it will not be changed unless force is true"
    assert refused(plan, "", dst="default", via="10.0.0.2") == reason
    assert refused(plan, "", dst="default", present=False) == reason
    plan.force = True
    assert planned(plan, "", dst="default", via="10.0.0.2") == ["ip route replace default via 10.0.0.2"]


def test_the_protocol_number_alone_does_not_make_a_route_the_labs(plan: Plan) -> None:
    """All labs use the same number."""
    host = plan.namespace("", "")
    host.table(4).add(Route(4, "10.9.0.0/16", dev="up0", scope="link", protocol=PROTOCOL))
    refused(plan, "", dst="10.9.0.0/16", present=False)
    plan.snapshot.memory["demo"] = {"route host 4 254 10.9.0.0/16 0": {"netns": "", "route": "..."}}
    assert planned(plan, "", dst="10.9.0.0/16", present=False) == ["ip route del 10.9.0.0/16 dev up0"]
    assert remembers(plan) == [None]


def test_a_route_is_remembered_where_nothing_of_the_lab_carries_it(plan: Plan) -> None:
    planned(plan, "", dst="10.8.0.0/16", dev="h0")
    planned(plan, "c1", dst="10.8.0.0/16", type="blackhole")
    assert remembers(plan) == []
    planned(plan, "", dst="10.9.0.0/16", dev="up0")
    assert remembers(plan) == [{"netns": "", "route": "10.9.0.0/16 dev up0"}]
    planned(plan, "", dst="10.10.0.0/16", type="blackhole")
    assert len(remembers(plan)) == 2


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"via": "10.1.0.1"}, "gateway 10.1.0.1 is in no network of namespace 'c1' (its networks: 10.0.0.0/24)"),
        ({"via": "10.0.0.1", "dev": "lo"}, "gateway 10.0.0.1 is in no network of namespace 'c1' dev lo (it has none)"),
        ({"via": "fe80::1"}, "fe80::1 is a link-local address, which needs dev"),
        ({"dev": "e1"}, "'e1' in namespace 'c1' is down"),
    ],
)
def test_no_way_out(plan: Plan, asked: dict[str, str], reason: str) -> None:
    place = "via" if "via" in asked else "dev"
    assert refused(plan, "c1", dst="default", **asked) == "{0}: {1}".format(place, reason)


@pytest.mark.parametrize(
    "asked",
    [
        {"via": "10.0.0.2", "dev": "e0"},
        {"via": "fe80::1", "dev": "e0"},
        {"via": "10.1.0.1", "dev": "e0", "onlink": True},
        {"via": "fd00::99"},
    ],
)
def test_a_way_out(plan: Plan, asked: dict[str, t.Any]) -> None:
    """The gateway is an address of the link itself, a link-local one, one with onlink, or one in a network of the link.
    """
    assert len(planned(plan, "c1", dst="default", **asked)) == 1


def test_nothing_follows_from_what_an_assumed_link_lacks(draw: Drawing) -> None:
    plan = draw.plan(check=True)
    assert planned(plan, "c1", dst="default", via="10.0.0.1") == ["ip -n c1 route add default via 10.0.0.1"]
    plan = draw.plan(draw.netns("c1", lab="demo"), check=True)
    assert refused(plan, "c1", dst="default", via="10.0.0.1")
    assert len(planned(plan, "c1", dst="10.9.0.0/16", dev="eth0")) == 1
    assert len(planned(plan, "c1", dst="default", via="10.0.0.1")) == 2


def test_absent_takes_all_that_fit_what_was_said(plan: Plan) -> None:
    namespace = plan.namespace("c1", "")
    routes = [Route(4, "10.9.0.0/16", dev="e0", metric=metric, scope="link") for metric in (0, 5, 6)]
    for route in [*routes, Route(4, "10.9.0.0/16", dev="e0", table=100)]:
        namespace.table(route.family).add(route)
    assert len(planned(plan, "c1", dst="10.9.0.0/16", metric=5, present=False)) == 1
    assert len(planned(plan, "c1", dst="10.9.0.0/16", present=False)) == 3
    assert len(planned(plan, "c1", dst="10.9.0.0/16", via="10.0.0.1", present=False)) == 3
    assert len(planned(plan, "c1", dst="10.9.0.0/16", table="100", present=False)) == 4


def test_absent_where_there_is_no_namespace(plan: Plan) -> None:
    assert planned(plan, "nowhere", dst="default", present=False) == []


def test_claims(plan: Plan) -> None:
    """One route is claimed once, in any notation. Unwanted routes differ in more attributes."""

    def claim(**asked: t.Any) -> str:
        ((kind, value, place),) = RouteWanted("c1", **asked, place="routes[3].").claims()
        assert (kind, place) == ("route", "routes[3].dst")
        return value

    assert claim(dst="default", via="10.0.0.1") == claim(dst="0.0.0.0/0", dev="e0", metric=0, table="main")
    assert claim(dst="default", via="10.0.0.1") != claim(dst="default", via="10.0.0.1", metric=1)
    assert claim(dst="default", dev="a", present=False) != claim(dst="default", dev="b", present=False)
