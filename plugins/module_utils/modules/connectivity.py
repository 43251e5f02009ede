# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module `connectivity`: its options, its checks and its result."""

from __future__ import annotations

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.linuxnet.lab.plugins.module_utils import answer
from ansible_collections.linuxnet.lab.plugins.module_utils.errors import LabError
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import refusals
from ansible_collections.linuxnet.lab.plugins.module_utils.probe import matrix
from ansible_collections.linuxnet.lab.plugins.module_utils.probe.checks import MOST, PROTOCOLS, SIZE, Check, read
from ansible_collections.linuxnet.lab.plugins.module_utils.probe.reasons import REACHABLE, WORDS
from ansible_collections.linuxnet.lab.plugins.module_utils.probe.run import run
from ansible_collections.linuxnet.lab.plugins.module_utils.probe.table import (
    MOST_LINES,
    failure,
    first_failed,
    summary,
    table,
)

Item = dict[str, t.Any]

# What a check has of its own, and otherwise takes from the module.
_HOW: dict[str, Item] = {
    "expect": {"type": "str", "choices": list(WORDS)},
    "src": {"type": "str"},
    "dev": {"type": "str"},
    "protocol": {"type": "str", "choices": list(PROTOCOLS)},
    "port": {"type": "int"},
    "listen": {"type": "str"},
    "size": {"type": "int"},
    "df": {"type": "bool"},
    "count": {"type": "int"},
    "timeout": {"type": "float"},
}
_DEFAULTS: Item = {"expect": REACHABLE, "protocol": "icmp", "count": 1, "timeout": 2.0}
_CHECK: dict[str, Item] = {
    "from": {"type": "str", "default": ""},
    "to": {"type": "str", "required": True},
    **_HOW,
}
_MEMBER: dict[str, Item] = {
    "netns": {"type": "str", "default": ""},
    "address": {"type": "str", "required": True},
}
_MATRIX: dict[str, Item] = {
    "from": {"type": "list", "elements": "str"},
    "to": {"type": "list", "elements": "str"},
    "members": {"type": "list", "elements": "dict", "options": _MEMBER},
    "lab": {"type": "str"},
    "rows": {"type": "dict", "default": {}},
}


def _asked(module: AnsibleModule) -> tuple[list[Item], list[str], list[str]]:
    """The checks as options, how an error names each, and what is wrong with them already."""
    params, errors = module.params, list[str]()
    if params["checks"] is not None:
        asked = params["checks"]
        places = [f"checks[{number}]." for number in range(len(asked))]
    elif params["matrix"] is not None:
        pairs, errors = matrix.expect(_pairs(module, params["matrix"]), params["matrix"]["rows"])
        own = {name: params[name] for name in _HOW}
        asked = [{**own, **pair, "expect": pair["expect"] or own["expect"]} for pair in pairs]
        places = ["matrix."] * len(asked)
    elif params["topology"] is not None:
        # Not above: it is large.
        from ansible_collections.linuxnet.lab.plugins.module_utils.topology import contract, layout

        lab, errors = layout.read(params["topology"])
        told = contract.checks(lab)
        return [check for dummy, check in told], [place for place, dummy in told], errors
    else:
        asked, places = [{name: params[name] for name in ("from", "to", *_HOW)}], [""]
    if not asked and not errors:
        raise LabError("{0}: there is nothing to check".format("matrix" if params["checks"] is None else "checks"))
    return asked, places, errors


def _pairs(module: AnsibleModule, options: Item) -> list[Item]:
    """The checks of a matrix, without what they expect."""
    if options["to"] is not None:
        return matrix.product(options["from"], options["to"])
    if options["members"] is not None:
        return matrix.pairs([matrix.Member(**member) for member in options["members"]])
    return matrix.pairs(_addresses(module).of_lab(options["lab"]))


def _addresses(module: AnsibleModule) -> t.Any:
    """What reads addresses; only now, because it needs pyroute2."""
    from ansible_collections.linuxnet.lab.plugins.module_utils.probe import addresses
    from ansible_collections.linuxnet.lab.plugins.module_utils.respawn import require_library

    require_library(module)
    return addresses


def _find_listeners(module: AnsibleModule, checks: list[Check]) -> tuple[list[Check], list[str]]:
    """The checks with the namespace of the target where that was left to the module, and why that is not clear."""
    wanted = {check.address for check in checks if check.listen == "auto"}
    if not wanted:
        return checks, []
    owners = _addresses(module).owners(wanted)
    found, errors = [], []
    for check in checks:
        if check.listen == "auto":
            have = owners[check.address]
            if len(have) != 1:
                who = "no namespace has" if not have else "more than one namespace has"
                errors.append(f"{check.place}listen: {who} the address {check.to}")
                continue
            check = check._replace(listen=have[0])
        found.append(check)
    return found, errors


def _result(check: Check, outcome: t.Any) -> Item:
    result = {"from": check.netns, "to": check.to, "expect": check.expect, **outcome._asdict()}
    result.update(result.pop("extra"))
    if check.protocol != "icmp":
        result["protocol"] = check.protocol
    if check.port:
        result["port"] = check.port
    if check.df or check.size != SIZE:
        result["size"] = check.size
    return result


def _rights(checks: list[Check]) -> list[str]:
    """The capabilities that the checks take: TCP and UDP from the host take none."""
    raw = any(check.protocol in ("icmp", "arp") for check in checks)
    enters = any(check.netns or check.listen for check in checks)
    return [*([refusals.SYS_ADMIN] if enters else []), *([refusals.NET_RAW] if raw else [])]


def _results(module: AnsibleModule) -> list[Item]:
    """Make the checks that the options ask for; LabError where they are wrong."""
    asked, places, errors = _asked(module)
    checks, wrong = read(asked, places, module.params)
    lacking = refusals.missing(_rights(checks))
    if lacking:
        raise LabError(lacking)
    errors += wrong
    if module.check_mode:
        if errors:
            raise LabError(errors)
        return []
    checks, wrong = _find_listeners(module, checks)
    made = run(checks, errors + wrong)
    for warning in made.warnings:
        module.warn(warning)
    return [_result(check, outcome) for check, outcome in zip(checks, made.outcomes)]


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "checks": {"type": "list", "elements": "dict", "options": _CHECK},
            "matrix": {
                "type": "dict",
                "options": _MATRIX,
                "required_one_of": [("to", "members", "lab")],
                "required_together": [("from", "to")],
                "mutually_exclusive": [("to", "members", "lab")],
            },
            "topology": {"type": "dict"},
            "from": {"type": "str"},
            "to": {"type": "str"},
            **{name: {**option, "default": _DEFAULTS.get(name)} for name, option in _HOW.items()},
            "interval": {"type": "float", "default": 0.2},
            "all_results": {"type": "bool", "default": False},
            "lab": {"type": "str"},
        },
        mutually_exclusive=[("checks", "matrix", "topology", "to"), ("checks", "matrix", "topology", "from")],
        required_one_of=[("checks", "matrix", "topology", "to")],
        supports_check_mode=True,
    )
    with answer.failing(module):
        results = _results(module)
    if module.check_mode:
        answer.give(module, changed=False, skipped=True, msg="Nothing is sent in check mode", results=[], table=[])
    too_long = len(results) > MOST and not module.params["all_results"]  # hundreds of megabytes
    listed = first_failed(results) if too_long else results
    told: Item = {"results": listed, "table": table(listed)}
    shown = told["table"]
    if module.params["matrix"] is not None:
        told["matrix"] = matrix.lines(results)
        shown = [*told["matrix"], "", *table([result for result in results if not result["ok"]])]
    if not all(result["ok"] for result in results):
        message = failure(results, None if too_long else shown)
        if len(shown) >= MOST_LINES and not module.params["all_results"]:  # Ansible prints all of it
            told = {"results": first_failed(results), "table": table(first_failed(results))}
        module.fail_json(msg=message, **told)
    answer.give(module, changed=False, msg=summary(results), **told)
