# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import importlib
import json
import os
import pathlib
import sys
import typing as t

import pytest

pytest.importorskip("ansible.module_utils.basic")

from ansible_collections.linuxnet.lab.plugins import doc_fragments, modules  # noqa: E402
from ansible_collections.linuxnet.lab.plugins.module_utils import engine, payload, respawn, run_module  # noqa: E402
from ansible_collections.linuxnet.lab.plugins.module_utils.errors import LabError  # noqa: E402
from ansible_collections.linuxnet.lab.plugins.module_utils.host import lab_files  # noqa: E402
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import refusals  # noqa: E402
from ansible_collections.linuxnet.lab.plugins.module_utils.plan import Change, Stage  # noqa: E402

PLUGINS = pathlib.Path(run_module.__file__).parents[1]
NAMES = sorted(path.stem for path in (PLUGINS / "modules").glob("[!_]*.py"))


class Spoken(Exception):
    """The end of a module, with its result, or with its argument spec."""


class Face:
    """A replacement for AnsibleModule."""

    given: dict[str, t.Any] = {}
    check_mode = False
    _diff = False

    def __init__(self, argument_spec: dict[str, t.Any], **constraints: t.Any) -> None:
        if self.given is None:
            raise Spoken(argument_spec, constraints)
        self.params = self.given
        self.warned: list[str] = []

    def warn(self, text: str) -> None:
        self.warned.append(text)

    def exit_json(self, **result: t.Any) -> None:
        raise Spoken({**result, "warned": self.warned})

    def fail_json(self, **result: t.Any) -> None:
        raise Spoken({**result, "failed": True})


# One object or many

OPTIONS: run_module.Options = {"dst": {"type": "str"}, "via": {"type": "str", "default": None}, "up": {"type": "bool"}}


def test_one_or_many_takes_the_options_of_one_and_a_list_of_them() -> None:
    spec = run_module.one_or_many(OPTIONS, "routes", required=["dst"])
    assert {name: spec[name] for name in OPTIONS} == OPTIONS
    assert spec["routes"]["type"] == "list"
    assert {name: option["required"] for name, option in spec["routes"]["options"].items()} == {
        "dst": True,
        "via": False,
        "up": False,
    }


def test_items_of_a_single_object() -> None:
    params = {"dst": "d", "via": None, "up": False, "routes": None, "other": 1}
    assert run_module.items(params, OPTIONS, "routes") == [("", {"dst": "d", "via": None, "up": False})]


def test_items_inherit_what_they_leave_out() -> None:
    """False, zero and an empty string are values. An item with them does not inherit."""
    routes = [{"dst": "a", "via": None, "up": None}, {"dst": "b", "via": "", "up": False}]
    params = {"dst": None, "via": "v", "up": True, "routes": routes}
    assert run_module.items(params, OPTIONS, "routes") == [
        ("routes[0].", {"dst": "a", "via": "v", "up": True}),
        ("routes[1].", {"dst": "b", "via": "", "up": False}),
    ]


def test_items_of_an_empty_list() -> None:
    assert run_module.items({"dst": None, "via": None, "up": None, "routes": []}, OPTIONS, "routes") == []


# Results


def result_of(
    monkeypatch: pytest.MonkeyPatch, outcome: t.Any, check: bool = False, diff: bool = False, held: int = -1
) -> t.Any:
    """The result of a module after the engine has returned an outcome or raised an exception."""

    def run(*arguments: t.Any) -> engine.Outcome:
        assert arguments == (["wanted"], "demo", True, check, None, False)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    monkeypatch.setattr(run_module, "AnsibleModule", Face)
    monkeypatch.setattr(Face, "given", {"lab": "demo", "force": True, "x": "wanted"})
    monkeypatch.setattr(Face, "check_mode", check)
    monkeypatch.setattr(Face, "_diff", diff)
    monkeypatch.setattr(engine, "run", run)
    monkeypatch.setattr(run_module, "alone", contextlib.nullcontext)
    monkeypatch.setattr(refusals, "_effective", lambda: held)
    with pytest.raises(Spoken) as caught:
        run_module.run_module({"x": {}}, lambda params: [params["x"]], lambda params: {"own": params["x"]})
    return caught.value.args[0]


def changed(what: str, after: t.Any, command: str) -> Change:
    """A change, of which only the place in the diff and the command matter."""
    return Change(Stage.LINK, "", [], [], (what,), None, after, [command])


DONE = engine.Outcome([changed("a", 1, "ip link")], ["careful"], [])


def test_what_was_done_is_returned(monkeypatch: pytest.MonkeyPatch) -> None:
    assert result_of(monkeypatch, DONE) == {
        "changed": True,
        "commands": ["ip link"],
        "own": "wanted",
        "warned": ["careful"],
    }


def test_the_diff_is_returned_when_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert result_of(monkeypatch, DONE, diff=True)["diff"] == {"before": {}, "after": {"a": 1}}


def test_check_mode_says_what_it_assumed_and_looks_at_nothing_that_is_not_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said = result_of(monkeypatch, DONE._replace(assumed=["namespace c1"]), check=True)
    assert (said["assumed"], "own" in said) == (["namespace c1"], False)


def test_all_reasons_are_returned(monkeypatch: pytest.MonkeyPatch) -> None:
    said = result_of(monkeypatch, LabError(["one", "two"]))
    assert said == {"failed": True, "msg": "one\ntwo", "errors": ["one", "two"]}


def test_without_root_the_cure_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    said = result_of(monkeypatch, DONE, held=0)
    assert said["failed"] and said["msg"].startswith("CAP_SYS_ADMIN and CAP_NET_ADMIN are missing")
    assert "become: true" in said["msg"] and "\n" not in said["msg"]


def test_what_the_system_refuses_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    said = result_of(monkeypatch, OSError(30, "Read-only file system", "/run/linuxnet.lab"))
    assert said == {"failed": True, "msg": said["msg"], "errors": [said["msg"]]}
    assert said["msg"] == "Read-only file system (/run/linuxnet.lab)"


def test_bytes_that_are_not_utf_8_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """The name of a link may consist of any bytes."""
    named = DONE._replace(changes=[changed("\udcff", ["\ud800"], "ip link del \udcff\udc80ü")])
    said = result_of(monkeypatch, named, diff=True)
    assert said["commands"] == ["ip link del \\xff\\x80ü"]
    assert said["diff"]["after"] == {"\\xff": ["\\ud800"]}


@pytest.fixture
def without_library(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """This Python has no pyroute2. The Pythons in the list have it, and may run the module instead."""
    others: list[str] = []

    def run_by(python: str) -> t.NoReturn:
        raise Spoken({"python": python})

    monkeypatch.setattr(respawn.library, "IMPORT_ERROR", "traceback")
    monkeypatch.setattr(respawn.library, "PROBLEM", "python has no pyroute2")
    monkeypatch.setattr(respawn, "_can_use", lambda module, python: python in others)
    monkeypatch.setattr(respawn, "respawn_module", run_by)
    return others


def test_without_the_library_the_cure_is_told(monkeypatch: pytest.MonkeyPatch, without_library: list[str]) -> None:
    said = result_of(monkeypatch, DONE)
    assert said["failed"] and said["exception"] == "traceback" and "\n" not in said["msg"]
    assert said["msg"].startswith("python has no pyroute2; ") and "linuxnet.lab.prepare" in said["msg"]


def test_without_the_library_the_systems_python_takes_over_once(
    monkeypatch: pytest.MonkeyPatch, without_library: list[str]
) -> None:
    without_library.append("/usr/bin/python3")
    assert result_of(monkeypatch, DONE) == {"python": "/usr/bin/python3"}
    monkeypatch.setattr(respawn, "has_respawned", lambda: True)
    assert result_of(monkeypatch, DONE)["failed"]


# Options and documentation


def spec_of(name: str, monkeypatch: pytest.MonkeyPatch) -> tuple[dict[str, t.Any], dict[str, t.Any]]:
    """The argument spec of a module, and its rules for combinations."""
    module = importlib.import_module("{0}.{1}".format(modules.__name__, name))
    monkeypatch.setattr(Face, "given", None)
    for place in (run_module, module, sys.modules[module.main.__module__]):
        if hasattr(place, "AnsibleModule"):
            monkeypatch.setattr(place, "AnsibleModule", Face)
    with pytest.raises(Spoken) as caught:
        module.main()
    return caught.value.args


def documented(name: str) -> dict[str, t.Any]:
    """The documented options of a module, including those of its documentation fragments."""
    yaml = pytest.importorskip("yaml")
    module = importlib.import_module("{0}.{1}".format(modules.__name__, name))
    document = yaml.safe_load(module.DOCUMENTATION)
    options: dict[str, t.Any] = {}
    for fragment in document.get("extends_documentation_fragment", []):
        namespace, collection, file, *part = fragment.split(".")
        assert (namespace, collection) == ("linuxnet", "lab")
        fragments = importlib.import_module("{0}.{1}".format(doc_fragments.__name__, file)).ModuleDocFragment
        options.update(yaml.safe_load(getattr(fragments, "".join(part).upper() or "DOCUMENTATION")).get("options", {}))
    return {**options, **document.get("options", {})}


def plain(options: dict[str, t.Any], inner: str) -> dict[str, t.Any]:
    """Options reduced to what both the argument spec and the documentation contain. *inner* is the key of nested ones.
    """
    return {
        name: {
            "type": option.get("type", "str"),
            "required": option.get("required", False),
            "default": option.get("default"),
            "choices": option.get("choices"),
            "elements": option.get("elements"),
            "aliases": option.get("aliases", []),
            "options": plain(option[inner], inner) if option.get(inner) else None,
        }
        for name, option in options.items()
    }


@pytest.mark.parametrize("name", NAMES)
def test_options_are_those_of_the_documentation(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    spec, dummy = spec_of(name, monkeypatch)
    assert plain(spec, "options") == plain(documented(name), "suboptions")


@pytest.mark.parametrize("name", NAMES)
def test_combinations_speak_of_options_that_there_are(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    spec, constraints = spec_of(name, monkeypatch)
    assert constraints.pop("supports_check_mode") is True
    assert constraints.pop("no_log", False) is (name == "payload")  # the module that it runs has its own no_log
    for option, dummy, needed, *dummy in constraints.pop("required_if", []):
        assert {option, *needed} <= set(spec)
    for group in [group for groups in constraints.values() for group in groups]:
        assert set(group) <= set(spec)


@pytest.mark.parametrize("name", NAMES)
def test_documents_are_yaml(name: str) -> None:
    """The documentation and the description of the return values are valid YAML."""
    yaml = pytest.importorskip("yaml")
    module = importlib.import_module("{0}.{1}".format(modules.__name__, name))
    assert yaml.safe_load(module.DOCUMENTATION)["module"] == name
    assert all("name" in task for task in yaml.safe_load(module.EXAMPLES))
    assert all({"description", "returned", "type"} <= set(field) for field in yaml.safe_load(module.RETURN).values())


# These modules plan nothing, so no resource checks their examples.
READERS = {"capture", "connectivity", "lab_info", "neighbor_watch", "netns_info"}


@pytest.mark.parametrize("name", sorted({*payload.NAMES} - READERS))
def test_examples_are_understood(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    """Ansible's own validator accepts each example of a module, and the resources of the example find no error."""
    yaml = pytest.importorskip("yaml")
    validation = pytest.importorskip("ansible.module_utils.common.arg_spec")
    spec, constraints = spec_of(name, monkeypatch)
    constraints.pop("supports_check_mode")
    module = importlib.import_module("{0}.{1}".format(modules.__name__, name))
    built: list[t.Any] = []
    monkeypatch.setattr(lab_files, "STORE_DIR", os.fspath(tmp_path))  # for the last applied topology
    monkeypatch.setattr(engine, "run", lambda resources, *dummy: built.extend(resources) or DONE)
    for task in [task for task in yaml.safe_load(module.EXAMPLES) if "linuxnet.lab." + name in task]:
        validator = validation.ModuleArgumentSpecValidator(spec, **constraints)
        checked = validator.validate(json.loads(json.dumps(task["linuxnet.lab." + name])))
        assert checked.error_messages == [], task["name"]
        monkeypatch.setattr(Face, "given", checked.validated_parameters)
        with pytest.raises(Spoken):
            module.main()
    assert built
    assert [reason for one in engine.each(built) for reason in one.check()] == []


def runtime() -> dict[str, t.Any]:
    """The collection's meta/runtime.yml."""
    yaml = pytest.importorskip("yaml")
    return yaml.safe_load((PLUGINS.parent / "meta" / "runtime.yml").read_text(encoding="utf-8"))


def members() -> list[str]:
    """The modules in the action group `linuxnet.lab.lab`, which share defaults."""
    return runtime()["action_groups"]["lab"]


def test_the_code_of_all_is_sent_as_one() -> None:
    routed = {name for name, told in runtime()["plugin_routing"]["modules"].items() if "action_plugin" in told}
    imported = {path.stem for path in (PLUGINS / "module_utils" / "modules").glob("[!_]*.py")}
    actions = {path.stem for path in (PLUGINS / "action").glob("[!_]*.py")}
    assert {*payload.NAMES} == imported == (routed | actions) - {"payload"}
    assert imported == set(NAMES) - {"payload"}
    for name in payload.NAMES:
        module = importlib.import_module("{0}.{1}".format(modules.__name__, name))
        assert module.main.__module__ == "{0}.modules.{1}".format(payload.__package__, name)


@pytest.mark.parametrize("name", NAMES)
def test_the_group_has_those_for_which_a_lab_is_a_default(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other modules take no lab, or get its name elsewhere."""
    yaml = pytest.importorskip("yaml")
    if name in ("lab_info", "payload", "topology"):
        document = yaml.safe_load(importlib.import_module("{0}.{1}".format(modules.__name__, name)).DOCUMENTATION)
        assert name not in members() and document["attributes"]["action_group"]["support"] == "none"
    else:
        assert name in members() and "lab" in spec_of(name, monkeypatch)[0]


@pytest.mark.parametrize("name", NAMES)
def test_examples_use_no_reserved_name(name: str) -> None:
    """A variable with the name of one of Ansible's functions (`query`, `lookup`, `q`) would hide it."""
    yaml = pytest.importorskip("yaml")
    module = importlib.import_module("{0}.{1}".format(modules.__name__, name))
    for task in yaml.safe_load(module.EXAMPLES):
        assert not {"query", "lookup", "q"} & set(task.get("vars", {}))
