# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Enter other namespaces with the calling thread for a while, and always return."""

from __future__ import annotations

import contextlib
import os
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import syscalls

_FLAGS = {"net": syscalls.CLONE_NEWNET, "uts": syscalls.CLONE_NEWUTS}


class Stranded(BaseException):
    """The kernel refused the way back.

    Every later step would hit the wrong network, so nothing may catch this but what ends the process.
    """


@contextlib.contextmanager
def coming_back(kind: str, fd: int | None = None) -> t.Iterator[None]:
    """Whatever the body does to the thread's namespace of a kind (net, uts), it is as before after it.

    :arg fd: a namespace for the thread to enter before the body.
    :raises PermissionError: the way back would be refused, as it is without CAP_SYS_ADMIN in the user namespace that
        owns the thread's namespace; the body has not been run then.
    :raises Stranded: it was refused all the same.
    """
    home = os.open("/proc/thread-self/ns/" + kind, os.O_RDONLY | os.O_CLOEXEC)
    try:
        syscalls.setns(home, _FLAGS[kind])  # where the thread is already: the kernel asks for what the way back takes
        try:
            if fd is not None:
                syscalls.setns(fd, _FLAGS[kind])
            yield
        finally:
            try:
                syscalls.setns(home, _FLAGS[kind])
            except OSError as exc:
                text = "the kernel refused to return from another {0} namespace, and the run stopped: {1}"
                raise Stranded(text.format(kind, exc.strerror)) from exc
    finally:
        os.close(home)
