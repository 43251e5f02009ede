# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The state of the kernel from which a plan follows.

The snapshot reads a namespace when a plan first asks for it, and only what the plan asks for. A plan applies its
changes to the snapshot, so that each resource sees the effects of those before it.
"""

from __future__ import annotations

import dataclasses
import functools
import os
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils import rules
from ansible_collections.linuxnet.lab.plugins.module_utils.host import lab_files
from ansible_collections.linuxnet.lab.plugins.module_utils.host.records import OWN
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import held, namespaces, neighbor_table, rtnetlink
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.objects import (
    KERNEL_PROTOCOL,
    Address,
    Forwarding,
    Link,
    Neighbor,
    Route,
    Rule,
)
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.sockets import Sockets, unless_gone
from ansible_collections.linuxnet.lab.plugins.module_utils.route_table import Key, RouteTable, key

MARK = rules.MARK
# rtm_protocol of the routes that the collection adds. linux/rtnetlink.h does not assign this number.
PROTOCOL = 76
_T = t.TypeVar("_T")


@functools.lru_cache(maxsize=1024)
def mark(lab: str) -> str:
    """The alias of a lab's links. The alias of `lo` marks the whole namespace."""
    return MARK + lab


@functools.lru_cache(maxsize=1024)
def lab_of(alias: str) -> str:
    """The lab of a mark. Empty if the alias is not a mark, or contains a name that no lab can have.

    Root in a namespace can give its links any alias.
    """
    lab = alias[len(MARK) :] if alias.startswith(MARK) else ""
    return "" if rules.check_lab("", lab) else lab


def connects(address: Address) -> bool:
    """Whether the kernel creates a route to the network of an address, which it does not for a /32 or /128 alone."""
    return bool((address.remote or address.network.num_addresses > 1) and not address.noprefixroute)


def connected(link: Link, address: Address) -> Route:
    """The route that the kernel creates when a link gets the address, or comes up with it."""
    return Route(
        family=address.version,
        dst=str(address.network),
        dev=link.name,
        src=address.ip if address.version == 4 else "",
        scope="link" if address.version == 4 else "global",
        metric=address.metric or (0 if address.version == 4 else 256),
        protocol=KERNEL_PROTOCOL,
    )


class Namespace:
    """A network namespace in the snapshot.

    :ivar ref: its reference as in :mod:`.kernel.namespaces`. :ivar links: by name, in the kernel's order.
    :ivar held: whether a lab's process holds it; `holder` is that process, if it exists.
    :ivar hostname: the hostname of a held namespace. :ivar recorded: the lab whose records contain it.
    :ivar new: the plan creates it (or, in check mode, an earlier task), so that it is not in the kernel yet.
    """

    def __init__(
        self, ref: str, links: dict[str, Link], load_routes: t.Callable[[int], list[Route]] | None = None
    ) -> None:
        self.ref = ref
        self.links = links
        self.held = False
        self.holder: held.Holder | None = None
        self.hostname = ""
        self.recorded = ""
        self.new = load_routes is None
        self._by_ip: dict[str, list[Link]] | None = None
        self._by_index = {link.index: link for link in links.values()}
        self._load_routes = load_routes
        self._routes: dict[int, RouteTable] = {}
        self._without: set[str] = set()  # links whose routes disappeared before the snapshot read the table
        self.uncertain: set[Key] = set()  # of multipath routes, which the kernel may keep with their other links

    @property
    def title(self) -> str:
        """Its name in messages."""
        return "namespace {0!r}".format(self.ref) if self.ref else "the host's namespace"

    @property
    def lab(self) -> str:
        """The lab that the namespace belongs to; empty for none.

        Root in a namespace can change its mark. Therefore it counts only if a record of the lab contains the namespace.
        """
        return self.recorded if self.is_marked(self.recorded) else ""

    def is_marked(self, lab: str) -> bool:
        """Whether its `lo` has the mark of a lab."""
        return "lo" in self.links and self.links["lo"].alias == mark(lab)

    def link_with(self, index: int) -> Link | None:
        """The link that had this index when the snapshot read the namespace, if it still exists."""
        link = self._by_index.get(index)
        return link if link and self.links.get(link.name) is link else None

    def table(self, family: int) -> RouteTable:
        """Its routes of one IP version, 4 or 6. The first call reads them."""
        if family not in self._routes:
            loaded = self._load_routes(family) if self._load_routes else []
            self._routes[family] = RouteTable(loaded)
            for dev in self._without:
                self._drop(self._routes[family].of_link(dev))
        return self._routes[family]

    @property
    def families(self) -> tuple[int, ...]:
        """The IP versions whose routes matter: 4, and 6 if it has more IPv6 addresses than every link has."""
        for link in self.links.values():
            for address in link.addresses:
                if address.version == 6 and address.scope not in ("link", "host"):
                    return (4, 6)
        return (4,)

    @property
    def routes(self) -> list[Route]:
        """Its routes, in the kernel's order."""
        return [*self.table(4), *self.table(6)]

    def drop_routes(self, dev: str) -> None:
        """Update the snapshot: remove all routes of a link."""
        self._without.add(dev)
        for table in self._routes.values():
            self._drop(table.of_link(dev))

    def _drop(self, routes: list[Route]) -> None:
        for route in routes:
            self._routes[route.family].discard(route)
            if route.nexthops:
                self.uncertain.add(key(route))

    def add_address(self, link: Link, address: Address) -> None:
        """Update the snapshot: add an address, and the route to its prefix that the kernel creates."""
        self.note_address(link, address)
        if link.up:
            self._connect(link, address)

    def note_address(self, link: Link, address: Address) -> None:
        """Update the snapshot: add an address without a route."""
        link.addresses.append(address)
        if self._by_ip is not None:
            self._by_ip.setdefault(address.ip, []).append(link)

    def links_with(self, ip: str) -> list[Link]:
        """The links that have an address, in the kernel's notation."""
        if self._by_ip is None:
            self._by_ip = {}
            for link in self.links.values():
                for address in link.addresses:
                    self._by_ip.setdefault(address.ip, []).append(link)
        # It still contains addresses and links that no longer exist.
        return [
            link
            for link in self._by_ip.get(ip, ())
            if self.links.get(link.name) is link and any(one.ip == ip for one in link.addresses)
        ]

    def _connect(self, link: Link, address: Address) -> None:
        if not connects(address):
            return
        route = connected(link, address)
        alike = self.table(route.family).like(route)
        there = any((one.dev, one.protocol) == (route.dev, KERNEL_PROTOCOL) for one in alike)
        if not there:
            self.table(route.family).add(route)

    def drop_address(self, link: Link, address: Address) -> None:
        """Update the snapshot: remove an address without secondaries, and the routes that disappear with it."""
        link.addresses.remove(address)
        last_of_network = not any(one.network == address.network for one in link.addresses)
        # A link without any IPv4 address loses all its IPv4 routes, including manual ones.
        last_of_all = address.version == 4 and not any(one.version == 4 for one in link.addresses)

        # An IPv4 address with a peer can be on several links.
        nowhere = address.version == 6 or not self.links_with(address.ip)

        def gone(route: Route) -> bool:
            if route.src == address.ip and nowhere:
                return True
            if route.nexthops:
                return last_of_all and any(hop.dev == link.name for hop in route.nexthops)
            if route.dev != link.name:
                return False
            connected = route.protocol == KERNEL_PROTOCOL and route.dst == str(address.network)
            return last_of_all or (last_of_network and connected)

        self._drop([route for route in self.table(address.version) if gone(route)])

    def set_up(self, link: Link, up: bool) -> None:
        """Update the snapshot: a link loses IPv6 addresses and all routes when it goes down, and gets some routes back
        when it comes up.
        """
        link.up = up
        if up:
            for address in link.addresses:
                self._connect(link, address)
        else:
            link.addresses = [one for one in link.addresses if one.version == 4]
            self.drop_routes(link.name)

    def drop_link(self, name: str) -> None:
        """Update the snapshot: remove a link, and everything that disappears with it."""
        dropped = self.links.pop(name)
        self.drop_routes(name)
        for link in self.links.values() if dropped.kind != "veth" else ():  # which is nobody's master
            if link.master == name:
                link.master = ""


def _names(links: dict[str, Link]) -> dict[int, str]:
    """The names of links by index, because other tables of the kernel use indexes."""
    return {link.index: link.name for link in links.values()}


@dataclasses.dataclass
class _Numbers:
    """A namespace's numbers for other namespaces. Of the namespaces read, the first *asked* have been queried."""

    found: dict[int | None, Namespace]
    asked: int = 0


class Snapshot:
    """The snapshot of a whole machine, read on demand."""

    def __init__(self, sockets: Sockets) -> None:
        self._sockets = sockets
        self._namespaces: dict[str, Namespace | None] = {}
        self._refs: list[str] | None = None
        self._numbers: dict[Namespace, _Numbers] = {}
        self._read_so_far: list[Namespace] = []
        self._first_refs = {os.stat("/proc/thread-self/ns/net").st_ino: ""}
        self._known_numbers: dict[tuple[Namespace, Namespace], int | None] = {}
        self._neighbors: dict[Namespace, dict[tuple[str, str, bool], Neighbor]] = {}
        self._rules: dict[Namespace, list[Rule]] = {}
        self._found: dict[tuple[t.Any, ...], t.Any] = {}
        self._memories: dict[str, dict[str, t.Any]] = {}
        self._owners: dict[str, str] | None = None
        self._freed: set[str] = set()

    def once(self, look: t.Callable[..., _T], *arguments: t.Any) -> _T:
        """The result of *look* with the run's sockets and these arguments. Only the first call runs it.

        Code that needs more than links, addresses and routes reads the rest of the kernel in this way.
        """
        key = (look, *arguments)
        if key not in self._found:
            self._found[key] = look(self._sockets, *arguments)
        return t.cast(_T, self._found[key])

    def namespace(self, ref: str) -> Namespace | None:
        """The namespace with this reference. None if it does not exist."""
        if ref not in self._namespaces:
            self._namespaces[ref] = self._look_up(ref)
        return self._namespaces[ref]

    def _look_up(self, ref: str) -> Namespace | None:
        path = self._sockets.finder.find(ref)
        if path is None:
            return None
        inode = unless_gone(lambda: os.stat(path).st_ino, None)
        if inode is None:
            return None
        # Another reference, from an earlier call or the host's, may mean the same namespace.
        first = self._first_refs.setdefault(inode, ref)
        return self.namespace(first) if first != ref else unless_gone(lambda: self._read(ref), None)

    def put(self, ref: str, namespace: Namespace | None) -> None:
        """Update the snapshot: a namespace that the plan creates or removes."""
        self._namespaces[ref] = namespace

    def name_taken(self, name: str) -> str:
        """Why no namespace can get this name, although no namespace has it. Empty if one can."""
        return "" if name in self._freed or self.namespace(name) else namespaces.taken(name)

    def free_name(self, name: str) -> None:
        """Update the snapshot: remove the file that blocks the name of a namespace."""
        self._freed.add(name)

    def everywhere(self, routes_of: str = "") -> list[Namespace]:
        """The host, all named namespaces, and all that a process of a lab holds.

        :arg routes_of: a lab whose routes will be needed. The snapshot reads them while it is in its namespaces.
        """
        if self._refs is None:
            self._refs = ["", *namespaces.named(), *sorted(self._sockets.finder.holders())]
        found = []
        for ref in self._refs:
            namespace = self.namespace(ref)
            found.append(namespace)
            if routes_of and namespace and namespace.lab == routes_of:
                for family in namespace.families:
                    namespace.table(family)
        return [namespace for namespace in dict.fromkeys(found) if namespace is not None]

    def _read(self, ref: str) -> Namespace:
        links = rtnetlink.links(self._sockets.get(ref))
        names = _names(links)

        def routes(family: int) -> list[Route]:
            return unless_gone(lambda: rtnetlink.routes(self._sockets.get(ref), names, family), [])

        namespace = Namespace(ref, links, routes)
        holder = self._sockets.finder.holder(ref)
        if holder:
            namespace.held = True
            namespace.holder = holder
            namespace.hostname = held.hostname(holder)
        namespace.recorded = holder.lab if holder else self._owner(ref)
        self._read_so_far.append(namespace)
        return namespace

    def _owner(self, ref: str) -> str:
        """The lab whose records contain a namespace. Empty for none."""
        if self._owners is None:
            self._owners = {
                known_by.split(" ")[1]: lab
                for lab in self.remembering()
                for known_by, record in self.remembered(lab).items()
                if known_by.startswith(OWN)
            }
        return self._owners.get(self.identity(ref), "") if ref and self._owners else ""

    def are_pair(self, namespace: Namespace, link: Link, other: Namespace, peer: Link) -> bool:
        """Whether two links, each in its namespace, are the ends of one veth."""
        if not link.index or (link.peer, peer.peer) != (peer.index, link.index):
            return False
        if link.peer_nsid is None or peer.peer_nsid is None:
            return other is namespace and link.peer_nsid is peer.peer_nsid
        return not (namespace.new or other.new) and self._number(namespace, other) == link.peer_nsid

    def peer(self, namespace: Namespace, link: Link) -> tuple[Namespace, Link] | None:
        """The other end of a veth. None if its namespace is unknown."""
        other = namespace if link.peer_nsid is None else self._numbered(namespace, link.peer_nsid)
        found = other.link_with(link.peer) if other else None
        return (other, found) if other and found and found.peer == link.index else None

    def _numbered(self, namespace: Namespace, number: int) -> Namespace | None:
        """The namespace for which another one has a number.

        The host and the namespaces read so far come first, so that the usual case reads no other. Each is queried once.
        """
        if namespace not in self._numbers:
            host = self.namespace("")
            self._numbers[namespace] = _Numbers({self._number(namespace, host): host} if host else {})
        numbers = self._numbers[namespace]
        for look_everywhere in (False, True):
            if look_everywhere and number not in numbers.found:
                self.everywhere()
            while number not in numbers.found and numbers.asked < len(self._read_so_far):
                other = self._read_so_far[numbers.asked]
                numbers.asked += 1
                numbers.found[self._number(namespace, other)] = other
        return numbers.found.get(number)

    def _number(self, namespace: Namespace, other: Namespace) -> int | None:
        if (namespace, other) not in self._known_numbers:
            self._known_numbers[namespace, other] = self._ask_number(namespace, other)
        return self._known_numbers[namespace, other]

    def _ask_number(self, namespace: Namespace, other: Namespace) -> int | None:
        """None for a namespace that no longer exists."""

        def ask() -> int | None:
            fd = self._sockets.finder.open(other.ref)
            try:
                return rtnetlink.nsid(self._sockets.get(namespace.ref), fd)
            finally:
                os.close(fd)

        return unless_gone(ask, None)

    def neighbors(self, namespace: Namespace) -> dict[tuple[str, str, bool], Neighbor]:
        """The neighbour tables of a namespace, by link, address, and whether it is a proxy entry."""
        if namespace not in self._neighbors:
            names = _names(namespace.links)
            nothing: list[Neighbor] = []
            found = unless_gone(lambda: neighbor_table.neighbors(self._sockets.get(namespace.ref), names), nothing)
            self._neighbors[namespace] = {(one.dev, one.dst, one.proxy): one for one in found}
        return self._neighbors[namespace]

    def rules(self, namespace: Namespace) -> list[Rule]:
        """The policy rules of a namespace, which a plan updates."""
        if namespace not in self._rules:
            nothing: list[Rule] = []
            self._rules[namespace] = (
                rtnetlink.usual_rules()
                if namespace.new
                else unless_gone(lambda: rtnetlink.rules(self._sockets.get(namespace.ref)), nothing)
            )
        return self._rules[namespace]

    def forwarding(self, namespace: Namespace) -> list[Forwarding]:
        """The forwarding databases of a namespace's bridges."""
        names = _names(namespace.links)
        return unless_gone(lambda: neighbor_table.forwarding(self._sockets.get(namespace.ref), names), [])

    def read_so_far(self) -> list[Namespace]:
        """The namespaces in the snapshot, including those that the plan creates."""
        return [namespace for namespace in dict.fromkeys(self._namespaces.values()) if namespace is not None]

    def remembered(self, lab: str) -> dict[str, t.Any]:
        """The records of the lab."""
        if lab not in self._memories:
            self._memories[lab] = lab_files.recall(lab)
        return self._memories[lab]

    def remembering(self) -> list[str]:
        """The labs that have records."""
        return lab_files.labs()

    def identity(self, ref: str) -> str:
        """A unique identity of a namespace, independent of the reference. Empty if it does not exist."""
        return self._sockets.identity(ref)
