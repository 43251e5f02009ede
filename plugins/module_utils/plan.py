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

# The kind of records of links that the lab has changed, but that do not belong to it.
ADOPTED = "adopted"

# What to do about other programs' firewalls that a lab's packets pass.
ALLOW, LEAVE = "allow", "leave"
CHOICES = (ALLOW, LEAVE)


class Stage(enum.IntEnum):
    """The order of changes. The objects that a killed run has left come first.

    Removals come next, each before the objects that it depends on. A plan removes bridges before their ports, and sets
    them up after their ports, because a bridge with many ports that are up floods itself. The guard changes while the
    forwarding that needs it is off: after its end, or before its start. A former route goes after the route with
    another metric that takes its place.
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
    FORMER_ROUTE = 18
    NEIGHBOR = 19
    SYSCTL = 20
    NAT = 21
    PERSIST = 22


# The stages that change links and addresses, on which the routes of a namespace depend.
_BELOW_ROUTES = frozenset(range(Stage.REMOVE_ADDRESS, Stage.ROUTE))

# This stage waits only for the bridges of its own namespace. If no bridge has to come up, it is sent with CONFIGURE.
_BEHIND_BRIDGES = (Stage.ROUTE, Stage.FORMER_ROUTE, Stage.NEIGHBOR)
# In these stages namespaces are independent. One send contains all messages of a namespace.
_BY_NAMESPACE = (Stage.CONFIGURE, *_BEHIND_BRIDGES)


@dataclasses.dataclass
class Many:
    """Resources that are created only when their turn comes, because a large lab has hundreds of thousands of some
    kinds.
    """

    make: t.Callable[[], t.Iterable[t.Any]]


class Unclaimed:
    """A resource that follows from others, or from the name of a lab. It has no values to check and no claims."""

    def check(self) -> list[str]:
        """No errors."""
        return []

    def claims(self) -> list[tuple[str, str, str]]:
        """No claims."""
        return []


class Planned(t.Protocol):
    """An item of a plan: a change, or a smaller object with the same properties for very numerous changes."""

    @property
    def stage(self) -> Stage:
        """Its place in the order of changes."""

    @property
    def netns(self) -> str:
        """Reference of its namespace."""

    @property
    def operations(self) -> list[Operation]:
        """Its operations."""

    @property
    def undo(self) -> list[Operation]:
        """The operations that undo it, in their order."""

    @property
    def where(self) -> tuple[str, ...]:
        """Path of the object in the diff."""

    @property
    def before(self) -> t.Any:
        """Its current value. None if it does not exist."""

    @property
    def after(self) -> t.Any:
        """Its new value. None if it will not exist."""

    @property
    def commands(self) -> list[str]:
        """The change as shell commands."""

    @property
    def notes(self) -> t.Sequence[Remember]:
        """The old values of the records that the change writes."""


@dataclasses.dataclass
class Change:
    """One change. The fields are those of :class:`Planned`."""

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
    """An unfinished plan. Resources read its snapshot, and add changes to it.

    :ivar lab: the lab of the run. :ivar force: whether it can change objects that do not belong to the lab.
    :ivar check: whether this is check mode. The plan then expects an earlier task to create a missing namespace or
        link, and lists it in `assumed`.
    :ivar unsettled: references of the namespaces in which the plan changes links or addresses.
    :ivar kept: the records that the plan writes, by key; None for those that it deletes.
    :ivar moved_sysctls: the future values of sysctls, by namespace and name; `*` stands for each link.
    :ivar crossed: the namespaces whose firewalls the lab's packets pass, and what to do about these firewalls, by
        reference; see `resources/crossing.py`.
    :ivar with_tables: references of the namespaces whose nftables tables the plan has read.
    :ivar last_steps: the steps that plan after all resources; see :meth:`at_end`.
    :ivar sign: the group of new links, by which a later run finds those of a killed one.
    :ivar forgotten: the neighbours that the kernel forgets because of the changes so far, see
        :mod:`.resources.neighbor`; None if not computed since the last change of another kind.
    :ivar notes: records to write or delete, whatever else changes.
    :ivar description: the description to store; None to delete it, and empty if it stays as it is.
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
        """Add a change. The fields are those of :class:`Change`, `where` without the namespace."""
        path = (netns or "host", *where)
        self.put(Change(stage, netns, [*operations], [*undo], path, before, after, commands))

    def put(self, change: Planned) -> None:
        """Add a finished :class:`Planned` object."""
        if change.stage not in (Stage.NEIGHBOR, Stage.REMOVE_NEIGHBOR):
            self.forgotten = None
        if change.stage in _BELOW_ROUTES:
            self.unsettled.add(change.netns)
        self._changes.append(change)

    def changes(self) -> list[Planned]:
        """The changes in their order."""
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
        """Call a step once after all resources have planned. It plans what follows from their changes."""
        if step not in self.last_steps:
            self.last_steps.append(step)

    # -- looking things up --------------------------------------------------------------------------------------

    def namespace(self, ref: str, place: str) -> Namespace:
        """The namespace with this reference. LabError if it does not exist."""
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
        """A link of a namespace. LabError if it does not exist.

        :arg complete: whether only this run creates the lab's links, so that check mode assumes none.
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
        """Expect an earlier task to create an object in a namespace. *what* names it in a few words."""
        self._assumed.add((namespace.ref, what))

    def is_assumed(self, namespace: Namespace, dev: str = "") -> bool:
        """Whether a namespace, or a link in it, is only assumed, so that its contents are unknown."""
        return (namespace.ref, "") in self._assumed or (namespace.ref, dev) in self._assumed

    @property
    def assumed(self) -> list[str]:
        """The assumed objects, a few words each."""
        return sorted(
            "{0} in {1}".format(dev, ref or "the host") if dev else "namespace {0}".format(ref)
            for ref, dev in self._assumed
        )

    # -- ownership ----------------------------------------------------------------------------------------------

    def owns(self, link: Link) -> bool:
        """Whether a link belongs to the lab: it has the mark, or the plan creates it."""
        return ownership.owns(self.lab, link)

    def demand(self, namespace: Namespace, link: Link, place: str, deed: str = "be changed") -> None:
        """LabError if a link does not belong to the lab, unless forced."""
        if self.owns(link) or self.force or self.has_adopted(namespace, link):
            return
        reason = "{0}: link {1!r} {2}".format(place, link.name, ownership.why_not(self.lab, namespace, link))
        raise LabError(ownership.unless_forced(reason, deed))

    def demand_netns(self, namespace: Namespace, place: str, deed: str) -> None:
        """LabError if a namespace belongs to another lab, unless forced."""
        if namespace.lab in ("", self.lab) or self.force or self.has_adopted(namespace, namespace.links["lo"]):
            return
        reason = "{0}: {1} {2}".format(place, namespace.title, ownership.belongs(self.lab, namespace.lab))
        raise LabError(ownership.unless_forced(reason, deed))

    def has_adopted(self, namespace: Namespace, link: Link) -> bool:
        """Whether the lab has once changed a link of somebody else by force."""
        record = self.adopted(namespace, link)
        return record is not None and record["adopted"]

    def adopted(self, namespace: Namespace, link: Link) -> dict[str, t.Any] | None:
        """The lab's record of a link of somebody else that it has changed; see :mod:`.resources.adopted`."""
        known_by = self.adopted_key(namespace, link)
        return self._adopted.get(known_by) or self.snapshot.remembered(self.lab).get(known_by)

    def adopt(self, namespace: Namespace, link: Link, record: dict[str, t.Any]) -> dict[str, t.Any]:
        """The record to write for a link: the existing one, or this new one. The caller adds values to it."""
        known_by = self.adopted_key(namespace, link)
        if known_by not in self._adopted:
            self._adopted[known_by] = copy.deepcopy(self.snapshot.remembered(self.lab).get(known_by, record))
        return self._adopted[known_by]

    def adopted_key(self, namespace: Namespace, link: Link) -> str:
        """The key of that record. It contains the index of the link, which a rename does not change."""
        return "{0} {1} {2}".format(ADOPTED, self.snapshot.identity(namespace.ref), link.index)
