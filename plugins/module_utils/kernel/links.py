# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Operations on links: veth pairs, bridges, and the settings of any link. :mod:`.rtnetlink` packs their messages."""

from __future__ import annotations

import dataclasses
import errno
import random
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import rtnetlink
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.actions import Batch, Context, Message, Together
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.netlink import Netlink

# The range of random groups. People who assign groups by hand use small numbers.
GROUPS = range(1 << 16, 1 << 31)


@dataclasses.dataclass(eq=False)
class CreateVeth(Message):
    """Create a veth pair: one end in `netns`, the other in `peer_netns`.

    :ivar up: for the first end only, as `master`, the name of its bridge. The kernel ignores both for the other end.
    """

    name: str
    peer: str
    peer_netns: str
    up: bool = False
    mtu: int | None = None
    mac: str | None = None
    master: str = ""
    peer_mtu: int | None = None
    peer_mac: str | None = None

    makes = True

    def message(self, context: Context) -> t.Any:
        """See the base class."""
        master = context.index(self.netns, self.master)
        made = rtnetlink.veth_new(
            self.name,
            self.peer,
            context.descriptor(self.peer_netns),
            up=self.up,
            mtu=self.mtu,
            mac=self.mac,
            master=master,
            peer_mtu=self.peer_mtu,
            peer_mac=self.peer_mac,
            group=context.sign,
        )
        context.born(self.netns, self.name)
        context.born(self.peer_netns, self.peer)
        return made

    def homes(self) -> tuple[str, ...]:
        """The namespaces of both ends."""
        return self.netns, self.peer_netns


@dataclasses.dataclass(eq=False)
class CreateBridge(Message):
    """Create a bridge, which is down. *options* as in :attr:`.objects.Link.options`."""

    name: str
    mac: str | None = None
    options: dict[str, t.Any] = dataclasses.field(default_factory=dict)

    makes = True

    def message(self, context: Context) -> t.Any:
        """See the base class."""
        context.born(self.netns, self.name)
        return rtnetlink.bridge_new(self.name, mac=self.mac, options=self.options, group=context.sign)


@dataclasses.dataclass(eq=False)
class SetBridge(Message):
    """Change options of a bridge, as in :attr:`.objects.Link.options`."""

    dev: str
    options: dict[str, t.Any]

    def message(self, context: Context) -> t.Any:
        """See the base class."""
        return rtnetlink.bridge_set(context.index(self.netns, self.dev), self.options)


@dataclasses.dataclass(eq=False)
class SetLink(Message):
    """Change settings of a link, rename it, or move it to another namespace.

    :ivar values: settings by the names of :data:`.fields.LINK` and :data:`.fields.PORT`; `master` is a name here, too.
    :ivar name: the new name. :ivar to_netns: the reference of its new namespace.
    """

    dev: str
    values: dict[str, t.Any] = dataclasses.field(default_factory=dict)
    name: str | None = None
    to_netns: str | None = None

    def message(self, context: Context) -> t.Any:
        """See the base class."""
        values = dict(self.values)
        if values.get("master") is not None:
            values["master"] = context.index(self.netns, values["master"])
        if "alias" in values and context.is_marked_now(self.netns, self.dev):
            values["group"] = 0
        index, name = 0, self.name
        if name is None:  # by its name, without a look-up
            name = context.settled(self.dev)
        else:
            index = context.index(self.netns, self.dev)
        if self.to_netns is not None:
            values["netns"] = context.descriptor(self.to_netns)
            context.gone(self.netns, self.dev)
        if index:
            context.renamed(self.netns, self.dev, name)
        return rtnetlink.link_set(index, name=name, **values)

    def homes(self) -> tuple[str, ...]:
        """The old and the new namespace."""
        return () if self.to_netns is None else (self.netns, self.to_netns)


@dataclasses.dataclass(eq=False)
class AddAltname(Message):
    """Add an alternative name of a link."""

    dev: str
    altname: str

    def message(self, context: Context) -> t.Any:
        """See the base class."""
        return rtnetlink.altname_new(context.settled(self.dev), self.altname)


@dataclasses.dataclass(eq=False)
class DeleteAltname(Message):
    """Delete an alternative name of a link."""

    dev: str
    altname: str

    def message(self, context: Context) -> t.Any:
        """See the base class."""
        return rtnetlink.altname_del(context.settled(self.dev), self.altname)


@dataclasses.dataclass(eq=False)
class DeleteLink(Message):
    """Delete a link that is not a veth."""

    dev: str

    if_gone = (errno.ENODEV,)

    def message(self, context: Context) -> t.Any:
        """See the base class."""
        index = context.index(self.netns, self.dev)
        context.gone(self.netns, self.dev)
        return rtnetlink.link_del(index)


@dataclasses.dataclass(eq=False)
class DeleteVeth(Message):
    """Delete a veth pair."""

    dev: str

    if_gone = (errno.ENODEV,)

    def message(self, context: Context) -> t.Any:
        """See the base class."""
        context.gone(self.netns, self.dev)
        return _VethToDelete(context.settled(self.dev))


class _VethToDelete(Together):
    """Replace consecutive veth deletions by one group deletion.

    A single deletion takes 20 ms, and so does the deletion of a whole group.
    """

    def __init__(self, dev: str) -> None:
        self.dev = dev

    @classmethod
    def messages(cls, batch: Batch, socket: Netlink) -> t.Iterator[tuple[int, t.Any]]:
        """See the base class."""
        taken = rtnetlink.groups(socket)
        group = random.choice(GROUPS)
        while group in taken:
            group = random.choice(GROUPS)
        for number, made in batch:
            yield number, rtnetlink.link_set(0, name=made.dev, group=group)
        yield batch[0][0], rtnetlink.group_del(group)
