# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every module does alike: arguments in, one call of the engine, one result out."""

from __future__ import annotations

import contextlib
import os
import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.common.respawn import has_respawned, respawn_module

from ansible_collections.linuxnet.lab.plugins.module_utils import answer, engine
from ansible_collections.linuxnet.lab.plugins.module_utils import lab as rules
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import library, progress, refusals
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.alone import alone
from ansible_collections.linuxnet.lab.plugins.module_utils.resources import host_firewall

Options = dict[str, dict[str, t.Any]]
Item = dict[str, t.Any]

# The documentation fragment `lab` says the same to users.
LAB: Options = {
    "lab": {"type": "str", "default": "default"},
    "force": {"type": "bool", "default": False},
}
# Those for which distributions package Python libraries.
_SYSTEM_PYTHONS = ("/usr/bin/python3", "/usr/libexec/platform-python")

HOST_FIREWALL: Options = {
    "host_firewall": {"type": "str", "choices": list(host_firewall.CHOICES), "default": host_firewall.ALLOW}
}
STATE: Options = {"state": {"type": "str", "choices": ["present", "absent"], "default": "present"}}


def one_or_many(options: Options, many: str, required: t.Sequence[str]) -> Options:
    """The options of a module that takes one object by its own options, or several in a list named *many*.

    What an item leaves out is taken from the module's own options, so that these say it once for all.
    """
    item = {name: {**option, "required": name in required} for name, option in options.items()}
    return {**options, many: {"type": "list", "elements": "dict", "options": item}}


def items(params: Item, options: t.Iterable[str], many: str) -> list[tuple[str, Item]]:
    """The objects asked for, each with the place of its options: ``""``, or ``routes[1].``."""
    own = {name: params[name] for name in options}
    if params[many] is None:
        return [("", own)]
    return [
        ("{0}[{1}].".format(many, number), {name: own[name] if item[name] is None else item[name] for name in own})
        for number, item in enumerate(params[many])
    ]


def run_module(
    options: Options,
    build: t.Callable[[Item], t.Sequence[engine.Resource]],
    result: t.Callable[[Item], Item] | None = None,
    lab: t.Callable[[Item], str] = lambda params: params["lab"],
    watched: bool = False,
    **constraints: t.Any,
) -> None:
    """Be a module: *build* turns its parameters into resources; *result* adds what it returns of its own.

    :arg lab: says which lab acts, where that is not simply the parameter of that name.
    :arg watched: whether it takes so long that it tells how far it is.
    """
    module = AnsibleModule(argument_spec={**LAB, **options}, supports_check_mode=True, **constraints)
    require_library(module)
    params = module.params
    with answer.failing(module, refusals.SYS_ADMIN, refusals.NET_ADMIN):
        with contextlib.ExitStack() as stack:
            acting, report = lab(params), None
            if not module.check_mode:  # which writes nothing that another run could read
                stack.enter_context(alone(acting))
                if watched and not rules.check_lab("lab", acting):
                    report = stack.enter_context(progress.reporting(acting))
            recheck = params.get("recheck", False)
            outcome = engine.run(build(params), acting, params["force"], module.check_mode, report, recheck)
            returned = result(params) if result and not module.check_mode else {}
    for warning in outcome.warnings:
        module.warn(answer.printable(warning))
    returned.update(changed=outcome.changed, commands=outcome.commands)
    if outcome.assumed:
        returned["assumed"] = outcome.assumed
    if module._diff:
        returned["diff"] = outcome.diff
    answer.give(module, **returned)


def require_library(module: AnsibleModule) -> None:
    """Run the module by a Python that has pyroute2, if there is one; otherwise end it with the cure."""
    if not library.IMPORT_ERROR:
        return
    if not has_respawned():
        for python in _SYSTEM_PYTHONS:
            if _can_use(module, python):
                respawn_module(python)
    cure = "the role linuxnet.lab.prepare puts pyroute2 {0} or newer on a host".format(library.MINIMUM)
    module.fail_json(msg="{0}; {1}".format(library.PROBLEM, cure), exception=library.IMPORT_ERROR)


def _can_use(module: AnsibleModule, python: str) -> bool:
    """Whether another Python gets as far as this one should have: what looks for pyroute2 here does so there."""
    if not os.access(python, os.X_OK):
        return False
    code = library.__loader__.get_source(library.__name__)  # type: ignore[union-attr]
    return module.run_command([python, "-I", "-c", code + "\nsys.exit(IMPORT_ERROR is not None)"])[0] == 0
