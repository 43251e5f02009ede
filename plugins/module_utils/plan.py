# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A plan: the changes that make the kernel match what is wanted, in the order in which they are safe."""

from __future__ import annotations

import copy
import dataclasses
import enum
import random
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils import ownership, rules
from ansible_collections.linuxnet.lab.plugins.module_utils.errors import LabError
from ansible_collections.linuxnet.lab.plugins.module_utils.host.records import Remember
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.actions import Operation
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.links import GROUPS
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.objects import Link
from ansible_collections.linuxnet.lab.plugins.module_utils.snapshot import Namespace, Snapshot, mark

# The kind of records that a lab has of links that are not its own, and that it has changed.
ADOPTED = "adopted"

# What may be done about other people's firewalls on the way of a lab's packets.
ALLOW, LEAVE = "allow", "leave"
CHOICES = (ALLOW, LEAVE)


class Stage(enum.IntEnum):
    """When a change has its turn. What a killed run has left is taken over first.

    Removals come next, each before what it stands on. Bridges go before their ports, and come up after them: a bridge
    with many ports up floods its own start. The guard has its turn when nothing that it is needed for is on any more,
    or not yet.
    """

    RECOVER = -1
    REMOVE_RECORDER = 0
    REMOVE_NAT = 1
    REMOVE_SYSCTL = 2
    GUARD = 3
    REMOVE_ROUTE = 4
    REMOVE_NEIGHBOR = 5
    REMOVE_ADDRESS = 6
    REMOVE_BRIDGE = 7
    REMOVE_LINK = 8
    REMOVE_NETNS = 9
    REMOVE_PERSIST = 10
    NETNS = 11
    BRIDGE = 12
    NETNS_SYSCTL = 13
    LINK = 14
    CONFIGURE = 15
    BRIDGE_UP = 16
    ROUTE = 17
    NEIGHBOR = 18
    SYSCTL = 19
    NAT = 20
    PERSIST = 21


# What changes links and addresses, on which the routes of a namespace stand.
_BELOW_ROUTES = frozenset(range(Stage.REMOVE_ADDRESS, Stage.ROUTE))

# Waits for the bridges of its own namespace alone: where none has to come up, it goes out with CONFIGURE.
_BEHIND_BRIDGES = (Stage.ROUTE, Stage.NEIGHBOR)
# In these stages the namespaces do not matter to each other: what belongs to one is sent together.
_BY_NAMESPACE = (Stage.CONFIGURE, *_BEHIND_BRIDGES)


@dataclasses.dataclass
class Many:
    """Resources that are made each time that their turn comes: a large lab has hundreds of thousands of some kind."""

    make: t.Callable[[], t.Iterable[t.Any]]


class Unclaimed:
    """A resource that follows from others, or from a lab's name: nothing of its own to check or to claim."""

    def check(self) -> list[str]:
        """No errors."""
        return []

    def claims(self) -> list[tuple[str, str, str]]:
        """No claims."""
        return []


class Planned(t.Protocol):
    """What a plan holds: changes, or what makes the same of little, because there are so many of it."""

    @property
    def stage(self) -> Stage:
        """When it has its turn."""

    @property
    def netns(self) -> str:
        """Reference of the namespace that it is made in."""

    @property
    def operations(self) -> list[Operation]:
        """What the kernel is told."""

    @property
    def undo(self) -> list[Operation]:
        """What takes it back, in the order to be told."""

    @property
    def where(self) -> tuple[str, ...]:
        """Path of the thing in the diff."""

    @property
    def before(self) -> t.Any:
        """Its value now, None where it is not there."""

    @property
    def after(self) -> t.Any:
        """Its value then, None where it is gone."""

    @property
    def commands(self) -> list[str]:
        """The same as shell commands."""

    @property
    def notes(self) -> t.Sequence[Remember]:
        """Records as they were before what the change remembers was written."""


@dataclasses.dataclass
class Change:
    """One change; the fields are those of :class:`Planned`."""

    stage: Stage
    netns: str
    operations: list[Operation]
    undo: list[Operation]
    where: tuple[str, ...]
    before: t.Any
    after: t.Any
    commands: list[str]
    notes: t.Sequence[Remember] = ()


class Plan:
    """A plan in the making: what resources find in the picture, and add to it.

    :ivar lab: the lab that acts. :ivar force: whether what is not the lab's may be changed.
    :ivar check: whether this is only a prediction: a namespace or link that is missing is then taken to be
        made by an earlier task, which in check mode made nothing, and named in `assumed`.
    :ivar unsettled: references of the namespaces in which it changes links or addresses.
    :ivar kept: what the plan makes the lab remember, by key; None for what it forgets.
    :ivar moved_sysctls: the values that sysctls will have, by namespace and name; `*` stands for each link.
    :ivar crossed: the namespaces whose firewalls the lab's packets meet, and what is to be done about these, by
        reference; see `resources/crossing.py`.
    :ivar with_tables: references of the namespaces whose nftables tables were looked at.
    :ivar last_steps: what plans when all resources have; see :meth:`at_end`.
    :ivar sign: the group that links are born in, by which a later run knows those of a killed one.
    :ivar forgotten: the neighbours that the kernel forgets upon the changes so far, see :mod:`.resources.neighbor`;
        None where nobody has asked since the last change that is not about neighbours.
    :ivar notes: what the lab is to remember or forget whatever else changes.
    :ivar description: what the lab is made from, to be kept in this form; None where it is to be forgotten, and empty
        where it stays as it is.
    """

    def __init__(self, snapshot: Snapshot, lab: str, force: bool = False, check: bool = False) -> None:
        self.snapshot = snapshot
        self.lab = lab
        self.force = force
        self.check = check
        self.warnings: list[str] = []
        self.unsettled: set[str] = set()
        self.kept: dict[str, dict[str, t.Any] | None] = {}
        self.moved_sysctls: dict[tuple[str, str], str] = {}
        self.crossed: dict[str, str] = {}
        self.with_tables: set[str] = set()
        self.last_steps: list[t.Callable[[Plan], None]] = []
        self._adopted: dict[str, dict[str, t.Any]] = {}
        self.sign = random.choice(GROUPS)
        self.notes: list[Remember] = []
        self.forgotten: set[tuple[str, str, str]] | None = None
        self.description: str | None = ""
        self._assumed: set[tuple[str, str]] = set()
        self._changes: list[Planned] = []

    def add(
        self,
        stage: Stage,
        netns: str,
        operations: t.Sequence[Operation],
        undo: t.Sequence[Operation],
        where: tuple[str, ...],
        before: t.Any,
        after: t.Any,
        commands: list[str],
    ) -> None:
        """Add a change; the fields are those of :class:`Change`, `where` without the namespace."""
        path = (netns or "host", *where)
        self.put(Change(stage, netns, [*operations], [*undo], path, before, after, commands))

    def put(self, change: Planned) -> None:
        """As :meth:`add`, for a change that is made already."""
        if change.stage not in (Stage.NEIGHBOR, Stage.REMOVE_NEIGHBOR):
            self.forgotten = None
        if change.stage in _BELOW_ROUTES:
            self.unsettled.add(change.netns)
        self._changes.append(change)

    def changes(self) -> list[Planned]:
        """The changes in the order in which they are to be made."""
        order: dict[str, int] = {}
        for change in self._changes:
            order.setdefault(change.netns, len(order))
        bridged = {change.netns for change in self._changes if change.stage is Stage.BRIDGE_UP}

        def turn(change: Planned) -> tuple[int, int, int]:
            early = change.stage in _BEHIND_BRIDGES and change.netns not in bridged
            within = order[change.netns] if change.stage in _BY_NAMESPACE else 0
            return Stage.CONFIGURE if early else change.stage, within, change.stage

        return sorted(self._changes, key=turn)

    def at_end(self, step: t.Callable[[Plan], None]) -> None:
        """Let a step plan what follows from the rest, when all resources have planned; each step has one turn."""
        if step not in self.last_steps:
            self.last_steps.append(step)

    # -- looking things up --------------------------------------------------------------------------------------

    def namespace(self, ref: str, place: str) -> Namespace:
        """The namespace with this reference; LabError where there is none."""
        namespace = self.snapshot.namespace(ref)
        if namespace is None:
            obstacle = self.snapshot.name_taken(ref) if rules.is_name(ref) else ""
            if obstacle:
                raise LabError("{0}: {1}".format(place, obstacle))
            if not (self.check and rules.is_name(ref)):
                known = [one.ref for one in self.snapshot.everywhere() if one.ref]
                raise LabError(
                    "{0}: there is no network namespace {1!r}{2}".format(place, ref, rules.nearest(ref, known))
                )
            namespace = Namespace(ref, {"lo": Link("lo", up=True, mtu=65536, alias=mark(self.lab))})
            namespace.recorded = self.lab
            self.snapshot.put(ref, namespace)
            self._assumed.add((ref, ""))
        return namespace

    def link(self, namespace: Namespace, name: str, place: str, complete: bool = False) -> Link:
        """A link of a namespace; LabError where there is none.

        :arg complete: whether nothing but this run makes the lab's links, so that check mode assumes none.
        """
        link = namespace.links.get(name)
        if link is None:
            if not self.check or complete:
                raise LabError(
                    "{0}: there is no link {1!r} in {2}{3}".format(
                        place, name, namespace.title, rules.nearest(name, namespace.links)
                    )
                )
            link = namespace.links[name] = Link(name, up=True, alias=mark(self.lab))
            self._assumed.add((namespace.ref, name))
        return link

    def assume(self, namespace: Namespace, what: str) -> None:
        """Take something to be in a namespace that an earlier task would have made; *what* says so in a few words."""
        self._assumed.add((namespace.ref, what))

    def is_assumed(self, namespace: Namespace, dev: str = "") -> bool:
        """Whether a namespace, or a link in it, is only assumed, so that nothing follows from what it lacks."""
        return (namespace.ref, "") in self._assumed or (namespace.ref, dev) in self._assumed

    @property
    def assumed(self) -> list[str]:
        """What was taken to be there, a few words each."""
        return sorted(
            "{0} in {1}".format(dev, ref or "the host") if dev else "namespace {0}".format(ref)
            for ref, dev in self._assumed
        )

    # -- whose is it --------------------------------------------------------------------------------------------

    def owns(self, link: Link) -> bool:
        """Whether a link is the lab's: it is marked so, or will be, because this very plan makes it."""
        return ownership.owns(self.lab, link)

    def demand(self, namespace: Namespace, link: Link, place: str, deed: str = "be changed") -> None:
        """LabError where a link is not the lab's, and it was not told to change it all the same."""
        if self.owns(link) or self.force or self.has_adopted(namespace, link):
            return
        reason = "{0}: link {1!r} {2}".format(place, link.name, ownership.why_not(self.lab, namespace, link))
        raise LabError(ownership.unless_forced(reason, deed))

    def demand_netns(self, namespace: Namespace, place: str, deed: str) -> None:
        """LabError where a namespace is another lab's, and this one was not told to change it all the same."""
        if namespace.lab in ("", self.lab) or self.force or self.has_adopted(namespace, namespace.links["lo"]):
            return
        reason = "{0}: {1} {2}".format(place, namespace.title, ownership.belongs(self.lab, namespace.lab))
        raise LabError(ownership.unless_forced(reason, deed))

    def has_adopted(self, namespace: Namespace, link: Link) -> bool:
        """Whether the lab took a link over that is not its own: force was given once."""
        record = self.adopted(namespace, link)
        return record is not None and record["adopted"]

    def adopted(self, namespace: Namespace, link: Link) -> dict[str, t.Any] | None:
        """The lab's record of a link that is not its own and that it has changed; :mod:`.resources.adopted`."""
        known_by = self.adopted_key(namespace, link)
        return self._adopted.get(known_by) or self.snapshot.remembered(self.lab).get(known_by)

    def adopt(self, namespace: Namespace, link: Link, record: dict[str, t.Any]) -> dict[str, t.Any]:
        """The record to be written down for a link: the one that is there, or this new one. Adding to it is its use."""
        known_by = self.adopted_key(namespace, link)
        if known_by not in self._adopted:
            self._adopted[known_by] = copy.deepcopy(self.snapshot.remembered(self.lab).get(known_by, record))
        return self._adopted[known_by]

    def adopted_key(self, namespace: Namespace, link: Link) -> str:
        """The key of that record: a link keeps its index, whatever its name."""
        return "{0} {1} {2}".format(ADOPTED, self.snapshot.identity(namespace.ref), link.index)
