# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The resource `route`: one route of a namespace."""

from __future__ import annotations

import dataclasses
import shlex
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils import fields, ownership, rules
from ansible_collections.linuxnet.lab.plugins.module_utils.commands import enter
from ansible_collections.linuxnet.lab.plugins.module_utils.errors import LabError
from ansible_collections.linuxnet.lab.plugins.module_utils.host.records import Remember
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.actions import Operation
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.objects import (
    DEFAULT_TABLE,
    KERNEL_PROTOCOL,
    LOCAL_TABLE,
    MAIN_TABLE,
    Hop,
    Route,
)
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.routes import (
    AddRoute,
    AwaitRoute,
    DeleteRoute,
    PutBackLast,
    PutBackRoute,
    ReplaceRoute,
)
from ansible_collections.linuxnet.lab.plugins.module_utils.plan import Plan, Stage
from ansible_collections.linuxnet.lab.plugins.module_utils.resources import remembered
from ansible_collections.linuxnet.lab.plugins.module_utils.route_table import key
from ansible_collections.linuxnet.lab.plugins.module_utils.snapshot import PROTOCOL, Namespace

_KIND = "route"
_EXPIRES = {"expires": fields.ROUTE_EXTRAS["expires"]}
# What a command names: not the lifetime, which is another one a second later.
_IN_COMMANDS = {**fields.METRICS, **fields.ROUTE_EXTRAS}
del _IN_COMMANDS["expires"]
_TABLES = {"main": MAIN_TABLE, "default": DEFAULT_TABLE}
# rtm_protocol of the routes that are somebody's decision: those of the collection, and those by hand (RTPROT_BOOT,
# RTPROT_STATIC). What the kernel, router advertisements or a routing daemon added is not.
DECIDED = (PROTOCOL, 3, 4)
_WITHOUT_LINK = ("blackhole", "unreachable", "prohibit", "throw")


@dataclasses.dataclass
class RouteWanted:
    """A route as ip-route(8) describes it; None where it was not said.

    :ivar nexthops: the next hops of a multipath route, each by the names of :data:`.fields.NEXTHOP`. One alone makes an
        ordinary route.
    :ivar metrics: by the names of :data:`.fields.METRICS`.
    :ivar complete: whether nothing but this run makes the lab's links, so that check mode knows them all.
    """

    netns: str
    dst: str
    via: str | None = None
    dev: str | None = None
    src: str | None = None
    metric: int | None = None
    table: str | None = None
    scope: str | None = None
    type: str | None = None
    onlink: bool | None = None
    nexthops: list[dict[str, t.Any]] | None = None
    metrics: dict[str, int] = dataclasses.field(default_factory=dict)
    present: bool = True
    place: str = ""
    complete: bool = False

    @classmethod
    def of(cls, values: t.Mapping[str, t.Any], **others: t.Any) -> RouteWanted:
        """The route that the options of a module, or the keys of a topology, describe; *others* take their place."""
        named = {"nexthops": values.get("nexthops"), **fields.given(fields.ROUTE, values), **others}
        return cls(metrics=fields.given(fields.METRICS, values), **named)

    def check(self) -> list[str]:
        """Addresses, names and numbers; one family; a way out."""
        place = self.place
        errors = rules.check_netns(place + "netns", self.netns)
        if self.dst != "default":
            errors += rules.check_prefix(place + "dst", self.dst)
        for name, value in (("via", self.via), ("src", self.src)):
            errors += rules.check_ip(place + name, value) if value is not None else []
        errors += rules.check_link_name(place + "dev", self.dev) if self.dev is not None else []
        if self.table is not None and _table(self.table) is None:
            errors.append(
                "{0}table: {1!r} is not a table for a lab: main, default, or 1 to 4294967295 but not 255".format(
                    place, self.table
                )
            )
        if self.metric is not None and not 0 <= self.metric < 1 << 32:
            errors.append("{0}metric: {1} is not between 0 and 4294967295".format(place, self.metric))
        errors += fields.check(fields.METRICS, self.metrics, place)
        if self.nexthops is not None:
            errors += self._check_hops()
        if errors:
            return errors
        gateways = [hop.get("via") for hop in self.nexthops] if self.nexthops else [self.via]
        versions = {_version(value) for value in (self.dst, self.src, *gateways) if value and value != "default"}
        if len(versions) > 1:
            errors += self._check_mixture()
        if len(gateways) > 1 and self._family() == 6:
            errors += [
                "{0}nexthops[{1}].via: in IPv6, a next hop beside others needs via".format(place, number)
                for number, gateway in enumerate(gateways)
                if not gateway
            ]
        if self.present and not (self.via or self.dev or self.nexthops or self.type in _WITHOUT_LINK):
            errors.append("{0}dst: a route to {1} needs via, dev or nexthops".format(place, self.dst))
        if self.type in _WITHOUT_LINK and self.nexthops:
            errors.append("{0}type: a route of type {1} cannot have nexthops".format(place, self.type))
        if self.type in _WITHOUT_LINK and (self.via or self.dev):
            errors.append("{0}type: a route of type {1} cannot have via or dev".format(place, self.type))
        if self.onlink and not (self.via and self.dev):
            errors.append("{0}onlink: needs via and dev".format(place))
        return errors

    def _check_hops(self) -> list[str]:
        """Each next hop: its gateway, link and weight."""
        errors = []
        if not self.nexthops:
            errors.append("{0}nexthops: names no next hop".format(self.place))
        for name in ("via", "dev", "onlink"):
            if getattr(self, name) is not None:
                errors.append("{0}{1}: belongs into each of the nexthops".format(self.place, name))
        for number, hop in enumerate(self.nexthops or []):
            place = "{0}nexthops[{1}].".format(self.place, number)
            via, dev = hop.get("via"), hop.get("dev")
            errors += rules.check_ip(place + "via", via) if via is not None else []
            errors += rules.check_link_name(place + "dev", dev) if dev is not None else []
            errors += fields.check(fields.NEXTHOP, fields.given({"weight": fields.NEXTHOP["weight"]}, hop), place)
            if not (via or dev):
                errors.append("{0}via: a next hop needs via or dev".format(place))
            if hop.get("onlink") and not (via and dev):
                errors.append("{0}onlink: needs via and dev".format(place))
        return errors

    def _check_mixture(self) -> list[str]:
        """An error if IPv4 and IPv6 are mixed. The gateway of an IPv4 route can be an IPv6 address."""
        family = self._family()
        said = [(name, value) for name, value in (("dst", self.dst), *self._gateways(), ("src", self.src)) if value]
        said = [(name, value) for name, value in said if value != "default"]
        if all(_version(value) == family or (family, name) == (4, "via") for name, value in said):
            return []
        texts = ", ".join("{0} {1}".format(name, value) for name, value in said)
        return ["{0}dst: IPv4 and IPv6 cannot be mixed: {1}".format(self.place, texts)]

    def _gateways(self) -> list[tuple[str, str | None]]:
        """The gateways with the name of their option."""
        if not self.nexthops:
            return [("via", self.via)]
        return [("via", hop.get("via")) for hop in self.nexthops]

    def _family(self) -> int:
        """4 or 6: that of the destination, of the source, or of the gateways."""
        if self.dst != "default":
            return _version(self.dst)
        if self.src:
            return _version(self.src)
        if not self.nexthops:
            return _version(self.via) if self.via else 4
        return 6 if {_version(hop["via"]) for hop in self.nexthops if hop.get("via")} == {6} else 4

    def _hops(self) -> tuple[Hop, ...]:
        return tuple(
            Hop(
                rules.normal_ip(hop["via"]) if hop.get("via") else "",
                hop.get("dev") or "",
                hop.get("weight") or 1,
                bool(hop.get("onlink")),
            )
            for hop in self.nexthops or ()
        )

    def claims(self) -> list[tuple[str, str, str]]:
        """Its destination in its table, with its metric."""
        route = self.route()
        value = "to {0} metric {1} table {2} in {3}".format(
            route.dst, route.metric, route.table, self.netns or "the host"
        )
        if not self.present:
            value += " by {0} dev {1}".format(
                self._gateways(), self.dev
            )  # several with one destination can be unwanted
        return [("route", value, self.place + "dst")]

    def route(self) -> Route:
        """The route with what was not said filled in as `ip route add` does."""
        family = self._family()
        dst = ("0.0.0.0/0" if family == 4 else "::/0") if self.dst == "default" else rules.normal_prefix(self.dst)
        kind = self.type or "unicast"
        scope = "global"
        hops = self._hops() if self.nexthops else ()
        if len(hops) == 1:  # the kernel makes an ordinary route of it
            via, dev, dummy, onlink = hops[0]
            hops = ()
        else:
            via, dev, onlink = rules.normal_ip(self.via) if self.via else "", self.dev or "", bool(self.onlink)
        if family == 4 and not via and not hops:
            scope = {"unicast": "link", "local": "host", "broadcast": "link"}.get(kind, "global")
        return Route(
            family=family,
            dst=dst,
            via=via,
            dev=dev,
            src=rules.normal_ip(self.src) if self.src else "",
            metric=self.metric or (0 if family == 4 else 1024),  # IPv6's 0 means the default
            table=_table(self.table or "main") or MAIN_TABLE,
            scope=self.scope or scope,
            type=kind,
            protocol=PROTOCOL,
            onlink=onlink,
            nexthops=hops,
            metrics=tuple((name, self.metrics[name]) for name in fields.METRICS if name in self.metrics)
            if self.metrics
            else (),
        )

    def plan(self, plan: Plan) -> None:
        """Add, replace or delete it."""
        if self.present:
            self._ensure(plan, plan.namespace(self.netns, self.place + "netns"))
            return
        namespace = plan.snapshot.namespace(self.netns)
        if namespace is None:
            return
        for route in [one for one in namespace.routes if self._is(one)]:
            _demand(plan, namespace, route, self.place)
            # The same plan may make the link that the kernel's route comes with.
            remove(plan, namespace, route, Stage.ROUTE)

    def _ensure(self, plan: Plan, namespace: Namespace) -> None:
        wanted = self.route()
        if self.dev:
            self._demand_up(plan, namespace, self.dev, self.place + "dev")
        for number, said in enumerate(self.nexthops or ()):
            if said.get("dev"):
                self._demand_up(plan, namespace, said["dev"], "{0}nexthops[{1}].dev".format(self.place, number))
        same_key = namespace.table(wanted.family).like(wanted)
        right = next((one for one in same_key if self._satisfies(one, wanted)), None)
        if right is not None:
            if len(same_key) > 1:
                _remove_beside(plan, namespace, same_key, right)
            return
        for number, hop in enumerate(wanted.hops):
            at = "nexthops[{0}].via".format(number) if self.nexthops else "via"
            self._check_gateway(plan, namespace, hop, self.place + at)
            _await_peer(plan, namespace, hop)
        plan.demand_netns(namespace, self.place + "netns", "get a route")
        for route in same_key:
            _demand(plan, namespace, route, self.place)
        self._check_host(plan, namespace, wanted)
        if len(same_key) == 1 and _can_come_back(plan, namespace, same_key[0]):
            _replace(plan, namespace, same_key[0], wanted)
            return
        for route in same_key:
            remove(plan, namespace, route)
        _add(plan, namespace, wanted)

    def _demand_up(self, plan: Plan, namespace: Namespace, dev: str, place: str) -> None:
        """LabError if a link does not exist or is down."""
        link = plan.link(namespace, dev, place, self.complete)
        if not link.up and (self.complete or not plan.check):
            raise LabError("{0}: {1!r} in {2} is down".format(place, dev, namespace.title))

    def _satisfies(self, there: Route, wanted: Route) -> bool:
        """Whether a route is what was asked for; what was not said may be as it is."""
        if (there.via, there.type) != (wanted.via, wanted.type):
            return False
        if (there.nexthops or wanted.nexthops) and not _same_hops(there.hops, wanted.hops):
            return False
        if there.family == 4 and there.scope != wanted.scope:
            return False
        # What is the lab's, or described as a whole, has nothing that was not said.
        if (there.metrics != wanted.metrics or there.raw) and (self.complete or there.protocol == PROTOCOL):
            return False
        return self._has_what_was_said(there, wanted)

    def _is(self, there: Route) -> bool:
        """Whether a route is the one to delete: everything that was said of it fits."""
        wanted = self.route()
        if (there.family, there.dst, there.table) != (wanted.family, wanted.dst, wanted.table):
            return False
        return self._has_what_was_said(there, wanted)

    def _has_what_was_said(self, there: Route, wanted: Route) -> bool:
        for name in fields.ROUTE if there.family == 4 else fields.ROUTE.keys() - {"scope"}:  # IPv6 knows none
            if getattr(self, name) is not None and getattr(there, name) != getattr(wanted, name):
                return False
        if self.nexthops and not _same_hops(there.hops, wanted.hops):
            return False
        return self.metrics.items() <= dict(there.metrics).items()

    def _check_host(self, plan: Plan, namespace: Namespace, wanted: Route) -> None:
        """LabError where a route of the host's leads away what the host is using."""
        if namespace.ref or plan.force:
            return
        # Not above: most routes are in other namespaces.
        from ansible_collections.linuxnet.lab.plugins.module_utils.host_use import host_use

        reasons = ["{0}dst: {1}".format(self.place, one) for one in host_use(plan.snapshot).why_not_route(wanted)]
        if reasons:
            raise LabError([ownership.unless_forced(reason, "be added") for reason in reasons])

    @staticmethod
    def _check_gateway(plan: Plan, namespace: Namespace, wanted: Hop, place: str) -> None:
        """LabError where a gateway is on no network of the namespace: the kernel would refuse it, less clearly."""
        if not wanted.via or wanted.onlink or plan.is_assumed(namespace, wanted.dev):
            return
        gateway = rules.ip_of(wanted.via)
        if gateway.is_link_local:
            if not wanted.dev:
                raise LabError("{0}: {1} is a link-local address, which needs dev".format(place, gateway))
            return
        table = namespace.table(gateway.version)
        # An address of the link itself is accepted, and means that the destination is on the link.
        own = [link.name for link in namespace.links_with(wanted.via)]
        if any(wanted.dev in ("", dev) for dev in [*own, *(one.dev for one in table.direct_to(gateway))]):
            return
        if plan.check and any(plan.is_assumed(namespace, name) for name in namespace.links):
            return
        direct = {rules.network_of(one.dst) for one in table.direct() if wanted.dev in ("", one.dev)}
        networks = ", ".join(sorted(str(one) for one in direct if not one.is_link_local and not one.is_multicast))
        raise LabError(
            "{0}: gateway {1} is in no network of {2}{3} ({4})".format(
                place,
                gateway,
                namespace.title,
                " dev " + wanted.dev if wanted.dev else "",
                "its networks: " + networks if networks else "it has none",
            )
        )


def _version(text: str) -> int:
    """The IP version of an address or a prefix."""
    return rules.network_of(text).version


def _same_hops(there: tuple[Hop, ...], wanted: tuple[Hop, ...]) -> bool:
    """Whether next hops are those asked for, in any order. A link that was not said may be any."""
    left = list(there)
    for hop in sorted(wanted, key=lambda one: not one.dev):
        found = next((one for one in left if hop in (one, one._replace(dev=""))), None)
        if found is None:
            return False
        left.remove(found)
    return not left


def _table(word: str) -> int | None:
    if word in _TABLES:
        return _TABLES[word]
    return int(word) if word.isdecimal() and 0 < int(word) < 1 << 32 and int(word) != LOCAL_TABLE else None


def _await_peer(plan: Plan, namespace: Namespace, hop: Hop) -> None:
    """Plan to wait for the kernel's route to a gateway that is the peer of an IPv6 address."""
    if ":" in hop.via and namespace.ref in plan.unsettled:
        for route in namespace.table(6).direct_to(rules.ip_of(hop.via)):
            if route.dst == hop.via + "/128" and route.protocol == KERNEL_PROTOCOL:
                wait = [AwaitRoute(namespace.ref, route.dst)]
                plan.add(Stage.ROUTE, namespace.ref, wait, [], ("routes", route.dst), None, None, [])


def _demand(plan: Plan, namespace: Namespace, route: Route, place: str) -> None:
    """LabError where a route is neither the lab's, nor on a link or in a namespace of the lab's."""
    if plan.force or is_labs(plan, namespace, route):
        return
    whose = ownership.belongs(plan.lab, "")
    reason = "{0}dst: the route `{1}` in {2} {3}".format(place, text(route), namespace.title, whose)
    raise LabError(ownership.unless_forced(reason, "be changed"))


def is_labs(plan: Plan, namespace: Namespace, route: Route) -> bool:
    """Whether a route is the lab's, by where it is or by what the lab remembers."""
    return _ends_with_lab(plan, namespace, route) or _remembered(plan, namespace, route) is not None


def _ends_with_lab(plan: Plan, namespace: Namespace, route: Route) -> bool:
    """Whether the route's namespace or its link is the lab's, so that it needs no mark of its own."""
    if namespace.lab == plan.lab:
        return True
    links = [namespace.links.get(hop.dev) for hop in route.hops]
    return all(link is not None and plan.owns(link) for link in links)


def _remembered(plan: Plan, namespace: Namespace, route: Route) -> remembered.Record | None:
    """The lab's record of a route that it added; another one in its place has another protocol."""
    return remembered.recall(plan, _memory(plan, namespace, route)) if route.protocol == PROTOCOL else None


class _RouteChange:
    """A route that comes or goes. A network has hundreds of thousands, so the rest is made when it is asked for."""

    __slots__ = ("_comes", "_namespace", "_route", "stage")

    def __init__(self, stage: Stage, namespace: Namespace, route: Route, comes: bool) -> None:
        self.stage = stage
        self._namespace = namespace
        self._route = route
        self._comes = comes

    @property
    def netns(self) -> str:
        """See :class:`.plan.Planned`, as for the rest."""
        return self._namespace.ref

    @property
    def operations(self) -> list[Operation]:
        """The one operation."""
        return [(AddRoute if self._comes else DeleteRoute)(self._namespace.ref, self._route)]

    @property
    def undo(self) -> list[Operation]:
        """The opposite."""
        return [(DeleteRoute if self._comes else PutBackRoute)(self._namespace.ref, self._route)]

    @property
    def where(self) -> tuple[str, ...]:
        """Among the routes of its namespace."""
        return (self._namespace.ref or "host", "routes", _title(self._route))

    @property
    def before(self) -> str | None:
        """The route if it goes."""
        if self._comes:
            return None
        extras = dict(self._route.metrics)
        return " ".join([text(self._route), *fields.words(_EXPIRES, fields.given(_EXPIRES, extras))])

    @property
    def after(self) -> str | None:
        """The route if it comes."""
        return text(self._route) if self._comes else None

    @property
    def notes(self) -> t.Sequence[Remember]:
        """None: a route that is remembered is another change."""
        return []

    @property
    def commands(self) -> list[str]:
        """By ip-route(8)."""
        deed = "add" if self._comes else "del"
        return [enter(self._namespace, "{0} {1} {2}".format(_command(self._route), deed, text(self._route)))]


class _Replaces(_RouteChange):
    """A route that comes in the place of another one."""

    __slots__ = ("_old",)

    def __init__(self, namespace: Namespace, old: Route, route: Route) -> None:
        super().__init__(Stage.ROUTE, namespace, route, True)
        self._old = old

    @property
    def operations(self) -> list[Operation]:
        """The one operation."""
        return [ReplaceRoute(self._namespace.ref, self._route)]

    @property
    def undo(self) -> list[Operation]:
        """The other one in its place."""
        return [ReplaceRoute(self._namespace.ref, self._old)]

    @property
    def before(self) -> str | None:
        """The other one."""
        return text(self._old)

    @property
    def commands(self) -> list[str]:
        """By ip-route(8)."""
        return [command.replace(" route add ", " route replace ", 1) for command in super().commands]


class _Renews(_RouteChange):
    """A multipath route that comes, of which the kernel may have kept a part."""

    __slots__ = ()

    @property
    def operations(self) -> list[Operation]:
        """The one operation."""
        return [ReplaceRoute(self._namespace.ref, self._route)]

    @property
    def commands(self) -> list[str]:
        """By ip-route(8)."""
        return [command.replace(" route add ", " route replace ", 1) for command in super().commands]


class _GoesFromBehind(_RouteChange):
    """A route that goes from behind another one with its destination, table and metric."""

    __slots__ = ()

    @property
    def undo(self) -> list[Operation]:
        """The route, behind the other one again."""
        return [PutBackLast(self._namespace.ref, self._route)]


class _Connects(_RouteChange):
    """A route of the kernel's that comes back, behind those to the same network by other links."""

    __slots__ = ()

    @property
    def operations(self) -> list[Operation]:
        """The one operation."""
        return [PutBackLast(self._namespace.ref, self._route)]

    @property
    def commands(self) -> list[str]:
        """By ip-route(8), which calls a route its own unless it is told otherwise."""
        return [enter(self._namespace, "{0} append {1} proto kernel".format(_command(self._route), text(self._route)))]


def connect(plan: Plan, namespace: Namespace, wanted: list[Route]) -> None:
    """Plan that the kernel's routes to one network, by several links, are there in this order."""
    table = namespace.table(wanted[0].family) if wanted else ()
    links = {one.dev for one in wanted}
    there = [one for one in table if one.dst == wanted[0].dst and one.dev in links and one.protocol == KERNEL_PROTOCOL]
    right = 0
    while right < len(there) and there[right].dev == wanted[right].dev:
        right += 1
    for route in there[right:]:
        remove(plan, namespace, route)
    for route in wanted[right:]:
        namespace.table(route.family).add(route)
        plan.put(_Connects(Stage.ROUTE, namespace, route, True))


def _add(plan: Plan, namespace: Namespace, route: Route) -> None:
    namespace.table(route.family).add(route)
    kind = _Renews if key(route) in namespace.uncertain else _RouteChange
    change = kind(Stage.ROUTE, namespace, route, True)
    _put(plan, namespace, route, change, None, _record(plan, namespace, route))


def _record(plan: Plan, namespace: Namespace, route: Route) -> remembered.Record | None:
    """What the lab is to remember of a route that it adds; None where the route ends with the lab anyway."""
    return None if _ends_with_lab(plan, namespace, route) else {"netns": namespace.ref, "route": text(route)}


def remove_former(plan: Plan, namespace: Namespace, route: Route) -> None:
    """Plan the end of a route that one with another metric takes over from, when all else is planned.

    It goes after the new one has come, where the kernel would take it back that late.
    """
    if any(one is route for one in namespace.table(route.family).like(route)):  # not gone with its link
        late = _can_come_back(plan, namespace, route)
        remove(plan, namespace, route, Stage.FORMER_ROUTE if late else Stage.REMOVE_ROUTE)


def _can_come_back(plan: Plan, namespace: Namespace, route: Route) -> bool:
    """Whether the kernel would take a route again as long as all else that the plan changes is still changed.

    So a route that is replaced in one step can be put back in one step. Else the old one has to go before everything
    that it stands on, and leaves a gap. A route with a TOS is not replaced by one without.
    """
    if route.raw or namespace.ref in plan.unsettled:
        return False
    return all(_is_direct(namespace, hop) for hop in route.hops)


def _is_direct(namespace: Namespace, hop: Hop) -> bool:
    """Whether a hop stands on nothing but its link and routes of the kernel's."""
    if not hop.via or hop.onlink:
        return True
    gateway = rules.ip_of(hop.via)
    if gateway.is_link_local:
        return True
    return any(one.protocol == KERNEL_PROTOCOL for one in namespace.table(gateway.version).direct_to(gateway))


def _replace(plan: Plan, namespace: Namespace, old: Route, route: Route) -> None:
    """Plan a route in the place of another one."""
    before = _remembered(plan, namespace, old)
    namespace.table(old.family).discard(old)
    namespace.table(route.family).add(route)
    _put(plan, namespace, route, _Replaces(namespace, old, route), before, _record(plan, namespace, route))


def remove(plan: Plan, namespace: Namespace, route: Route, stage: Stage = Stage.REMOVE_ROUTE) -> None:
    """Plan the end of a route."""
    namespace.table(route.family).discard(route)
    record = _remembered(plan, namespace, route)
    _put(plan, namespace, route, _RouteChange(stage, namespace, route, False), record, None)


def _remove_beside(plan: Plan, namespace: Namespace, same_key: list[Route], right: Route) -> None:
    """Plan the end of somebody's routes beside the lab's one, with its destination, table and metric.

    The kernel uses the first of them, and one with a TOS for packets with that.
    """
    unwanted = [
        one for one in same_key if one is not right and one.protocol in DECIDED and _ends_with_lab(plan, namespace, one)
    ]
    behind = [one for one in unwanted if same_key.index(one) > same_key.index(right)]
    for route in [one for one in unwanted if one not in behind]:
        remove(plan, namespace, route)
    for route in reversed(behind):
        namespace.table(route.family).discard(route)
        plan.put(_GoesFromBehind(Stage.REMOVE_ROUTE, namespace, route, False))


def _put(
    plan: Plan,
    namespace: Namespace,
    route: Route,
    change: _RouteChange,
    before: remembered.Record | None,
    after: remembered.Record | None,
) -> None:
    """Plan a change, and that the lab's record of the route is another one *after* it."""
    if before is after is None:
        plan.put(change)
        return
    known_by = _memory(plan, namespace, route)
    operations = [*change.operations, remembered.write(plan, known_by, after)]
    undo = [*change.undo, remembered.write(plan, known_by, before)]
    plan.add(
        change.stage,
        namespace.ref,
        operations,
        undo,
        change.where[1:],
        change.before,
        change.after,
        change.commands,
    )


def _memory(plan: Plan, namespace: Namespace, route: Route) -> str:
    """The key under which the lab remembers a route of somebody else's namespace and link."""
    return remembered.key(plan, _KIND, namespace.ref, "{0} {1} {2} {3}".format(*key(route)))


def remove_kept(plan: Plan) -> None:
    """Plan the end of the routes that the lab remembers to have added."""
    for known_by, record in remembered.everything(plan, _KIND):
        namespace = plan.snapshot.namespace(record["netns"])
        there = namespace.routes if namespace else []
        for route in [one for one in there if one.protocol == PROTOCOL]:
            if namespace and _memory(plan, namespace, route) == known_by:
                remove(plan, namespace, route)
                break
        else:
            remembered.forget(plan, known_by, record)


def _title(route: Route) -> str:
    words = [_destination(route)]
    if route.metric not in (0, 1024 if route.family == 6 else 0):
        words.append("metric {0}".format(route.metric))
    if route.table != MAIN_TABLE:
        words.append("table {0}".format(route.table))
    return " ".join(words)


def _destination(route: Route) -> str:
    network = rules.network_of(route.dst)
    if network.prefixlen == 0:
        return "default"
    return str(network.network_address) if network.prefixlen == network.max_prefixlen else route.dst


def text(route: Route) -> str:
    """A route as `ip route` takes it."""
    words = [route.type] if route.type != "unicast" else []
    words.append(_destination(route))
    more = dict(route.metrics)
    if "nhid" not in more:  # which says by itself where the route leads
        words += _way(route, Hop(route.via, route.dev))
    if route.src:
        words += ["src", route.src]
    if route.metric and not (route.family == 6 and route.metric == 1024):
        words += ["metric", str(route.metric)]
    if route.table == LOCAL_TABLE:
        words += ["table", "local"]
    elif route.table != MAIN_TABLE:
        words += ["table", str(route.table)]
    elif route.type == "local":
        words += ["table", "main"]  # ip-route(8) would put it into the table local
    if route.family == 4 and route.scope in fields.SCOPES and route.scope != _usual_scope(route):
        words += ["scope", route.scope]
    if route.onlink:
        words.append("onlink")
    words += fields.words(_IN_COMMANDS, more)
    for hop in route.nexthops if "nhid" not in more else ():
        words += ["nexthop", *_way(route, hop)]
    return " ".join(words)


def _command(route: Route) -> str:
    """`ip route`, which takes the IP version of a default route from its gateway."""
    if route.family == 6:
        return "ip -6 route"
    by_ipv6 = _destination(route) == "default" and any(":" in hop.via for hop in route.hops)
    return "ip -4 route" if by_ipv6 else "ip route"


def _way(route: Route, hop: Hop) -> list[str]:
    """A hop as `ip route` takes it."""
    words = ["via", *(["inet6"] if route.family == 4 and ":" in hop.via else []), hop.via] if hop.via else []
    words += ["dev", shlex.quote(hop.dev)] if hop.dev else []
    words += ["weight", str(hop.weight)] if hop.weight != 1 else []
    return [*words, "onlink"] if hop.onlink else words


def _usual_scope(route: Route) -> str:
    """The scope that `ip route add` chooses by itself."""
    if route.type == "local":
        return "host"
    return "link" if route.type in ("unicast", "broadcast") and not route.via and not route.nexthops else "global"
