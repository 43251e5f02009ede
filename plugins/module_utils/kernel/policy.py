# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Operations on policy rules and queueing disciplines. :mod:`.rtnetlink` packs their messages."""

from __future__ import annotations

import dataclasses
import errno
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import rtnetlink
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.actions import Context, Message
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.objects import Qdisc, Rule


@dataclasses.dataclass(eq=False)
class AddRule(Message):
    """Add a policy rule."""

    rule: Rule

    def message(self, context: Context) -> t.Any:
        """See the base class."""
        return rtnetlink.rule_new(self.rule)


@dataclasses.dataclass(eq=False)
class DeleteRule(Message):
    """Delete a policy rule."""

    rule: Rule

    if_gone = (errno.ENOENT,)

    def message(self, context: Context) -> t.Any:
        """See the base class."""
        return rtnetlink.rule_del(self.rule)


@dataclasses.dataclass(eq=False)
class DeleteQdisc(Message):
    """Delete a queueing discipline with all its children."""

    qdisc: Qdisc

    if_gone = (errno.ENOENT, errno.EINVAL, errno.ENODEV)

    def message(self, context: Context) -> t.Any:
        """See the base class."""
        return rtnetlink.qdisc_del(context.index(self.netns, self.qdisc.dev), self.qdisc)
