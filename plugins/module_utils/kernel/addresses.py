# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Operations on the addresses of links. :mod:`.rtnetlink` packs their messages."""

from __future__ import annotations

import dataclasses
import errno
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import rtnetlink
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.actions import Context, Message
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.objects import Address


@dataclasses.dataclass(eq=False)
class AddAddress(Message):
    """Add an address to a link, or change an existing one."""

    dev: str
    address: Address

    def message(self, context: Context) -> t.Any:
        """See the base class."""
        return rtnetlink.address_new(context.index(self.netns, self.dev), self.address)


@dataclasses.dataclass(eq=False)
class DeleteAddress(Message):
    """Delete an address of a link."""

    dev: str
    address: Address

    if_gone = (errno.EADDRNOTAVAIL, errno.ENODEV)

    def message(self, context: Context) -> t.Any:
        """See the base class."""
        return rtnetlink.address_del(context.index(self.netns, self.dev), self.address)
