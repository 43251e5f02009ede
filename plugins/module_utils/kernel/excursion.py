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
    """The kernel refused to return to the original namespace.

    Later steps would change the wrong network. Therefore only code that ends the process may catch this.
    """


@contextlib.contextmanager
def coming_back(kind: str, fd: int | None = None) -> t.Iterator[None]:
    """Restore the thread's namespace of a kind (net, uts) after the body, whatever the body does.

    :arg fd: a namespace that the thread enters before the body.
    :raises PermissionError: the thread could not return, because it lacks CAP_SYS_ADMIN in the user namespace that owns
        its namespace. The body has not run.
    :raises Stranded: the kernel refused to return all the same.
    """
    home = os.open("/proc/thread-self/ns/" + kind, os.O_RDONLY | os.O_CLOEXEC)
    try:
        syscalls.setns(home, _FLAGS[kind])  # the current namespace: this needs the same capability as the return
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
