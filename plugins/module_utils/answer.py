# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""End a module with a result, or with error messages. Never with a traceback."""

from __future__ import annotations

import contextlib
import re
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.linuxnet.lab.plugins.module_utils.errors import KernelError, LabError
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import refusals
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.excursion import Stranded

# What stands in a Python string for a byte that is not UTF-8 (PEP 383), as in the name of a link; or for half a
# character of UTF-16, as in somebody's JSON.
_SURROGATE = re.compile("[\ud800-\udfff]")


@contextlib.contextmanager
def failing(module: AnsibleModule, *rights: str) -> t.Iterator[None]:
    """End the module with a message if the body raises an error.

    :arg rights: the capabilities that the module needs; see :mod:`.kernel.refusals`.
    """
    try:
        lacking = refusals.missing(rights)
        if lacking:
            raise LabError(lacking)
        yield
    except LabError as exc:
        errors = exc.errors
    except (KernelError, OSError, Stranded) as exc:
        errors = LabError(refusals.with_place(exc)).errors
    else:
        return
    module.fail_json(**printable({"msg": "\n".join(errors), "errors": errors}))


def give(module: AnsibleModule, **result: t.Any) -> t.NoReturn:
    """End the module with a result."""
    module.exit_json(**printable(result))
    raise AssertionError  # exit_json does not return, but Ansible's types do not say so


def printable(value: t.Any) -> t.Any:
    """The value, with bytes that are not UTF-8 written as ``\xff``, because Ansible cannot transport them."""
    if isinstance(value, str):
        return value if value.isascii() else _SURROGATE.sub(_escaped, value)
    if isinstance(value, dict):
        return {printable(key): printable(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [printable(one) for one in value]
    return value


def _escaped(found: re.Match[str]) -> str:
    number = ord(found[0])
    return "\\x{0:02x}".format(number - 0xDC00) if 0xDC80 <= number <= 0xDCFF else "\\u{0:04x}".format(number)
