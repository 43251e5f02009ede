# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run a module that plans changes: arguments, one call of the engine, one result."""

from __future__ import annotations

import contextlib
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.linuxnet.lab.plugins.module_utils import answer, engine, rules
from ansible_collections.linuxnet.lab.plugins.module_utils.host import compiled
from ansible_collections.linuxnet.lab.plugins.module_utils.host.alone import alone
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import refusals
from ansible_collections.linuxnet.lab.plugins.module_utils.plan import ALLOW, CHOICES
from ansible_collections.linuxnet.lab.plugins.module_utils.respawn import require_library

Options = dict[str, dict[str, t.Any]]
Item = dict[str, t.Any]
Resources = t.Sequence[engine.Resource]
Reporting = t.Callable[[str], contextlib.AbstractContextManager[engine.Progress]]

# The documentation fragment `lab` says the same to users.
LAB: Options = {
    "lab": {"type": "str", "default": "default"},
    "force": {"type": "bool", "default": False},
}
HOST_FIREWALL: Options = {
    "host_firewall": {"type": "str", "choices": list(CHOICES), "default": ALLOW}
}
STATE: Options = {"state": {"type": "str", "choices": ["present", "absent"], "default": "present"}}


def one_or_many(options: Options, many: str, required: t.Sequence[str]) -> Options:
    """The options of a module that takes one object, or several objects in a list named *many*.

    The module's own options are the defaults of the items.
    """
    item = {name: {**option, "required": name in required} for name, option in options.items()}
    return {**options, many: {"type": "list", "elements": "dict", "options": item}}


def items(params: Item, options: t.Iterable[str], many: str) -> list[tuple[str, Item]]:
    """The objects of the task, each with the place of its options: ``""``, or ``routes[1].``."""
    own = {name: params[name] for name in options}
    if params[many] is None:
        return [("", own)]
    return [
        ("{0}[{1}].".format(many, number), {name: own[name] if item[name] is None else item[name] for name in own})
        for number, item in enumerate(params[many])
    ]


def run_module(
    options: Options,
    build: t.Callable[[Item], Resources],
    result: t.Callable[[Item], Item] | None = None,
    lab: t.Callable[[Item], str] = lambda params: params["lab"],
    reporting: Reporting | None = None,
    **constraints: t.Any,
) -> None:
    """Run a module. *build* converts its parameters to resources, *result* adds its own return values.

    :arg lab: returns the lab of the run, if it is not the parameter `lab`.
    :arg reporting: for a long run: the context in which it reports its progress.
    """
    module = AnsibleModule(argument_spec={**LAB, **options}, supports_check_mode=True, **constraints)
    require_library(module)
    params = module.params
    with answer.failing(module, refusals.SYS_ADMIN, refusals.NET_ADMIN):
        with contextlib.ExitStack() as stack:
            acting, report = lab(params), None
            if not module.check_mode:  # which writes nothing that another run could read
                stack.enter_context(alone(acting))
                if reporting and not rules.check_lab("lab", acting):
                    report = stack.enter_context(reporting(acting))
            recheck = params.get("recheck", False)
            outcome = engine.run(build(params), acting, params["force"], module.check_mode, report, recheck)
            returned = result(params) if result and not module.check_mode else {}
            if not module.check_mode:
                compiled.keep()
    for warning in outcome.warnings:
        module.warn(answer.printable(warning))
    returned.update(changed=outcome.changed, commands=outcome.shown(params.get("all_commands", True)))
    if outcome.assumed:
        returned["assumed"] = outcome.assumed
    if module._diff:
        returned["diff"] = outcome.diff
    answer.give(module, **returned)
