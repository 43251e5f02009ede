# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Carrying out operations on the kernel: in order, and many rtnetlink ones of a namespace in one send.

An operation says where, what and with what, by names; indexes and descriptors are found here, when it is its turn.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import random
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils.errors import KernelError, LabError
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import (
    applied,
    ending,
    held,
    namespaces,
    nftables,
    persistence,
    recorders,
    rtnetlink,
    store,
    sysctl,
)
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.firewalls import firewalld, openings
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.netlink import AnswerLost, Netlink
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.sockets import Sockets, most_open

# What may be half done when it fails, and can be undone all the same.
_IN_STEPS = ("persist", "unpersist")

# What a removal may meet when the thing went with another one, or by itself, a moment before.
_GONE = {
    "link_del": {errno.ENODEV},
    "veth_del": {errno.ENODEV},
    "address_del": {errno.EADDRNOTAVAIL, errno.ENODEV},
    "route_del": {errno.ESRCH, errno.ENODEV},
    "neighbor_del": {errno.ENOENT, errno.ENODEV},
}

# For tests alone, set from within the process: called with each single change before it is made (False), when it may
# raise what the kernel would, and after it (True). While it is set, messages are sent one by one.
fault: t.Callable[[Operation, bool], None] | None = None


# Keys of what a lab remembers of its own namespaces begin so; what tells one from all others follows.
OWN = "own "


# Groups of links that are chosen by chance: whoever gives links groups by hand takes small numbers.
GROUPS = range(1 << 16, 1 << 31)


class Operation(t.NamedTuple):
    """One operation.

    :ivar netns: reference of the namespace it happens in.
    :ivar action: name of a method of :class:`Operator`, below, without its underscore.
    """

    netns: str
    action: str
    arguments: dict[str, t.Any]


@contextlib.contextmanager
def _single(operation: Operation) -> t.Iterator[None]:
    """The body makes one change."""
    if fault:
        fault(operation, False)
    yield
    if fault:
        fault(operation, True)


class OperationError(Exception):
    """The kernel refused an operation; those listed in `done` were carried out before (or in the same send)."""

    def __init__(self, failed: int, error: Exception, done: list[int]) -> None:
        super().__init__(str(error))
        self.failed = failed
        self.error = error
        self.done = done


class _Doomed(t.NamedTuple):
    """Stands in a batch for the message that deletes a veth."""

    dev: str


Batch = list[tuple[int, t.Any]]  # an operation's number, and its message


def _with_groups(batch: Batch, socket: Netlink) -> t.Iterator[tuple[int, t.Any]]:
    """The batch with messages that delete veths: one after another each takes 20 ms, a group of them takes as long."""
    for doomed, parts in itertools.groupby(batch, lambda part: isinstance(part[1], _Doomed)):
        part = list(parts)
        if not doomed:
            yield from part
            continue
        taken = rtnetlink.groups(socket)
        group = random.choice(GROUPS)
        while group in taken:
            group = random.choice(GROUPS)
        for number, made in part:
            yield number, rtnetlink.link_set(0, name=made.dev, group=group)
        yield part[0][0], rtnetlink.group_del(group)


class Operator:
    """Carries out operations with the sockets of one run.

    :ivar sign: the group that links are born in, and leave with the message that marks them as a lab's.
    """

    def __init__(self, sockets: Sockets, sign: int = 0) -> None:
        self._sockets = sockets
        self._indexes: dict[tuple[str, str], int] = {}
        self._batch: Batch = []
        self._batch_netns = ""
        self._names: set[str] = set()
        self._descriptors: list[int] = []
        self._most = most_open(0.1)
        self._ending = False
        self._operations: t.Sequence[Operation] = ()
        self._done: list[int] = []
        self._sign = sign
        self._unmarked: set[tuple[str, str]] = set()

    def apply(self, operations: t.Sequence[Operation], watch: t.Callable[[int], None] | None = None) -> None:
        """Carry out operations in their order; OperationError at the first that the kernel refuses.

        When namespaces were removed, this returns when the kernel is done with them.
        :arg watch: is called with the number of every operation whose turn comes.
        """
        self._operations, self._done, self._ending = operations, [], False
        try:
            self._apply(watch)
        finally:
            if self._ending:
                ending.wait()

    def _apply(self, watch: t.Callable[[int], None] | None) -> None:
        for number, operation in enumerate(self._operations):
            if watch:
                watch(number)
            try:
                self._take(number, operation)
            except (KernelError, LabError, OSError) as exc:
                if getattr(exc, "errno", None) in _GONE.get(operation.action, ()):
                    self._done.append(number)
                    continue
                self._abandon()
                perhaps = operation.action in _IN_STEPS or isinstance(exc, AnswerLost)
                raise OperationError(number, exc, [*self._done, *([number] if perhaps else [])]) from exc
        self._flush()

    def _take(self, number: int, operation: Operation) -> None:
        """Put an operation's message to the others that wait, or, where it is none, carry it out."""
        build = getattr(self, "_message_" + operation.action, None)
        if build is None:
            self._flush()
            with _single(operation):
                getattr(self, "_do_" + operation.action)(operation.netns, **operation.arguments)
            self._done.append(number)
            return
        if operation.netns != self._batch_netns:
            self._flush()
            self._batch_netns = operation.netns
        made = build(operation.netns, **operation.arguments)  # which may send what waits
        self._batch.append((number, made))

    def _flush(self) -> None:
        """Send the waiting messages."""
        batch, self._batch, self._names = self._batch, [], set()
        if not batch:
            return
        try:
            socket = self._sockets.get(self._batch_netns)
            batch = list(_with_groups(batch, socket))
            results = self._send(socket, batch)
        except (KernelError, OSError) as exc:  # before anything was sent
            raise OperationError(batch[0][0], exc, self._done) from exc
        finally:
            self._close_descriptors()
        failed = None
        for (number, dummy), error in zip(batch, results):
            if error is None or error.errno in _GONE.get(self._operations[number].action, ()):
                self._done.append(number)
                continue
            if isinstance(error, AnswerLost):
                self._done.append(number)  # perhaps
            failed = failed or (number, error)
        if failed:
            raise OperationError(failed[0], failed[1], self._done)

    def _send(self, socket: Netlink, batch: Batch) -> list[KernelError | None]:
        """Send a batch, and return for each of its messages None or the kernel's refusal."""
        if fault is None:
            return socket.request([made for dummy, made in batch])
        results: list[KernelError | None] = []
        for number, made in batch:
            try:
                with _single(self._operations[number]):
                    results += socket.request([made])
            except KernelError as exc:
                results.append(exc)
        return results

    def _abandon(self) -> None:
        """Forget what was built and not sent."""
        self._batch = []
        self._close_descriptors()

    def _close_descriptors(self) -> None:
        for fd in self._descriptors:
            os.close(fd)
        self._descriptors = []

    def _index(self, netns: str, name: str) -> int:
        """The index of a link."""
        if not name:
            return 0
        if (netns, name) not in self._indexes:
            self._indexes[netns, name] = rtnetlink.link_index(self._sockets.get(netns), self._named(name))
        return self._indexes[netns, name]

    def _named(self, name: str) -> str:
        """The name of a link, once no message waits that gives a link this name.

        Were such a message refused, what follows would hit another link.
        """
        if name in self._names:
            self._flush()
        return name

    def _descriptor(self, ref: str) -> int:
        """A descriptor of a namespace that stays open until the message that names it is sent."""
        if len(self._descriptors) >= self._most:
            self._flush()
        fd = self._sockets.finder.open(ref)
        self._descriptors.append(fd)
        return fd

    # -- messages: sent together --------------------------------------------------------------------------------

    def _message_veth_new(self, netns: str, peer_netns: str, master: str = "", **arguments: t.Any) -> t.Any:
        index = self._index(netns, master) if master else None
        arguments["group"] = self._sign
        made = rtnetlink.veth_new(peer_netns=self._descriptor(peer_netns), master=index, **arguments)
        self._born(netns, arguments["name"])
        self._born(peer_netns, arguments["peer"])
        return made

    def _message_bridge_new(self, netns: str, **arguments: t.Any) -> t.Any:
        self._born(netns, arguments["name"])
        return rtnetlink.bridge_new(group=self._sign, **arguments)

    def _born(self, netns: str, name: str) -> None:
        """A link is made; one of that name may have gone before, with its other end or its namespace."""
        self._names.add(name)
        self._unmarked.add((netns, name))
        self._indexes.pop((netns, name), None)

    def _message_link_set(
        self, netns: str, dev: str, master: str | None = None, to_netns: str | None = None, **arguments: t.Any
    ) -> t.Any:
        if master is not None:
            arguments["master"] = self._index(netns, master)
        if "alias" in arguments and (netns, dev) in self._unmarked:
            self._unmarked.discard((netns, dev))
            arguments["group"] = 0
        if "name" in arguments:
            index = self._index(netns, dev)
        else:  # by its name, which needs no look-up
            index, arguments["name"] = 0, self._named(dev)
        if to_netns is not None:
            arguments["netns"] = self._descriptor(to_netns)
        if to_netns is not None or index:
            self._indexes.pop((netns, dev), None)
        if index:
            self._names.add(arguments["name"])
        return rtnetlink.link_set(index, **arguments)

    def _message_bridge_set(self, netns: str, dev: str, options: dict[str, int]) -> t.Any:
        return rtnetlink.bridge_set(self._index(netns, dev), options)

    def _message_altname_new(self, netns: str, dev: str, altname: str) -> t.Any:
        return rtnetlink.altname_new(self._named(dev), altname)

    def _message_altname_del(self, netns: str, dev: str, altname: str) -> t.Any:
        return rtnetlink.altname_del(self._named(dev), altname)

    def _message_link_del(self, netns: str, dev: str) -> t.Any:
        index = self._index(netns, dev)
        del self._indexes[netns, dev]
        return rtnetlink.link_del(index)

    def _message_veth_del(self, netns: str, dev: str) -> t.Any:
        self._indexes.pop((netns, dev), None)
        return _Doomed(self._named(dev))

    def _message_address_new(self, netns: str, dev: str, address: t.Any) -> t.Any:
        return rtnetlink.address_new(self._index(netns, dev), address)

    def _message_address_del(self, netns: str, dev: str, address: t.Any) -> t.Any:
        return rtnetlink.address_del(self._index(netns, dev), address)

    def _message_route_new(self, netns: str, route: t.Any) -> t.Any:
        return rtnetlink.route_new(self._index(netns, route.dev), route)

    def _message_route_del(self, netns: str, route: t.Any) -> t.Any:
        return rtnetlink.route_del(self._index(netns, route.dev), route)

    def _message_neighbor_new(self, netns: str, neighbor: t.Any) -> t.Any:
        return rtnetlink.neighbor_new(self._index(netns, neighbor.dev), neighbor)

    def _message_neighbor_del(self, netns: str, neighbor: t.Any) -> t.Any:
        return rtnetlink.neighbor_del(self._index(netns, neighbor.dev), neighbor)

    # -- the rest: one by one -----------------------------------------------------------------------------------

    def _do_netns_create(self, netns: str, name: str, lo: dict[str, t.Any]) -> None:
        self._sockets.create(name, lo)

    def _do_netns_remove(self, netns: str, name: str, leftover: bool = False) -> None:
        self._sockets.forget(name)
        namespaces.remove(name, leftover)
        self._ending = True

    def _do_netns_hold(self, netns: str, name: str, lab: str, hostname: str, lo: dict[str, t.Any]) -> None:
        self._sockets.hold(name, lab, hostname, lo)

    def _do_netns_release(self, netns: str, name: str) -> None:
        self._sockets.forget(name)
        self._sockets.finder.release(name)
        self._ending = True

    def _do_hostname(self, netns: str, name: str, hostname: str) -> None:
        held.set_hostname(self._sockets.finder.holders()[name], hostname)

    def _do_sysctl_write(self, netns: str, name: str, value: str) -> None:
        with self._sockets.finder.inside(netns):
            sysctl.write(name, value)

    def _do_nft_replace(self, netns: str, lab: str, ruleset: t.Any) -> None:
        nftables.replace(self._sockets.nft(netns), lab, ruleset)

    def _do_nft_delete(self, netns: str, lab: str) -> None:
        nftables.delete(self._sockets.nft(netns), lab)

    def _do_host_firewall(self, netns: str, place: openings.Place, lab: str, wanted: list[t.Any]) -> None:
        with self._sockets.finder.inside(netns):
            openings.replace(self._sockets.nft(netns), place, lab, wanted)

    def _do_firewalld(self, netns: str, link: str, before: str, after: str) -> None:
        firewalld.put(link, before, after)

    def _do_recorder_end(self, netns: str, recorder: recorders.Recorder) -> None:
        recorders.end(recorder)

    def _do_persist(self, netns: str, lab: str, files: persistence.Files) -> None:
        persistence.install(lab, files)

    def _do_unpersist(self, netns: str, lab: str) -> None:
        persistence.uninstall(lab)

    def _do_file_write(self, netns: str, path: str, text: str | None) -> None:
        store.write_file(path, text, 0o644)

    # -- records ------------------------------------------------------------------------------------------------

    def _do_record(self, netns: str, lab: str, values: dict[str, t.Any], born: list[str]) -> None:
        """Write the lab's records; None forgets one. Of what was *born* it is remembered that it is the lab's own."""
        own = {OWN + self._sockets.identity(name): {"netns": name} for name in born}
        store.remember([(lab, known_by, value) for known_by, value in {**values, **own}.items()])

    def _do_keep(self, netns: str, lab: str, text: str | None) -> None:
        applied.remember(lab, text)
