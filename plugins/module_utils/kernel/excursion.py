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


def _open_home(kind: str) -> int:
    """A descriptor of the thread's namespace of a kind, to which the kernel lets the thread return.

    PermissionError if it does not, because the thread lacks CAP_SYS_ADMIN in the user namespace that owns it.
    """
    home = os.open("/proc/thread-self/ns/" + kind, os.O_RDONLY | os.O_CLOEXEC)
    try:
        syscalls.setns(home, _FLAGS[kind])  # the current namespace: this needs the same capability as the return
    except BaseException:
        os.close(home)
        raise
    return home


def _return(kind: str, home: int) -> None:
    try:
        syscalls.setns(home, _FLAGS[kind])
    except OSError as exc:
        text = "the kernel refused to return from another {0} namespace, and the run stopped: {1}"
        raise Stranded(text.format(kind, exc.strerror)) from exc


@contextlib.contextmanager
def coming_back(kind: str, fd: int | None = None) -> t.Iterator[None]:
    """Restore the thread's namespace of a kind (net, uts) after the body, whatever the body does.

    :arg fd: a namespace that the thread enters before the body.
    :raises PermissionError: the thread could not return, see :func:`_open_home`. The body has not run.
    :raises Stranded: the kernel refused to return all the same.
    """
    home = _open_home(kind)
    try:
        try:
            if fd is not None:
                syscalls.setns(fd, _FLAGS[kind])
            yield
        finally:
            _return(kind, home)
    finally:
        os.close(home)


class Home:
    """The network namespace of a thread that makes many excursions from it: opened once, which halves their time."""

    def __init__(self) -> None:
        self._fd: int | None = None
        self._is_away = False

    def close(self) -> None:
        """Close the descriptor. The next excursion opens it again."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    @contextlib.contextmanager
    def away(self, fd: int) -> t.Iterator[None]:
        """Run the body in the network namespace *fd*; see :func:`coming_back`."""
        if self._is_away:  # this excursion begins elsewhere
            with coming_back("net", fd):
                yield
            return
        if self._fd is None:
            self._fd = _open_home("net")
        self._is_away = True
        try:
            syscalls.setns(fd, syscalls.CLONE_NEWNET)
            yield
        finally:
            self._is_away = False
            _return("net", self._fd)
