# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Code that comes in the arguments of a task: what Python imports from it, and what an earlier task has compiled."""

from __future__ import annotations

import base64
import importlib
import json
import marshal
import os
import pathlib
import sys
import typing as t
import zlib

import pytest

from ansible_collections.linuxnet.lab.plugins.module_utils import carried, private_files
from ansible_collections.linuxnet.lab.plugins.module_utils.host import compiled, lab_files, sources

SOURCES = {
    "strange.": "",
    "strange.one": "from {0}.strange.two import value\nresult = value + 1\n".format(carried.__package__),
    "strange.two": "value = 1\n",
    "strange.wrong": "value = 1 +\n",
}
ONE = carried.__package__ + ".strange.one"


def packed(sources_of: dict[str, str]) -> str:
    return base64.b64encode(zlib.compress(json.dumps(sources_of).encode())).decode()


@pytest.fixture(autouse=True)
def store(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> t.Iterator[pathlib.Path]:
    """A folder in place of /run/linuxnet.lab, with a record of a lab. Python's state is restored afterwards."""
    folder = tmp_path / "store"
    folder.mkdir(mode=0o700)
    (folder / "demo.json").write_text("{}")
    for place in (private_files, lab_files):
        monkeypatch.setattr(place, "STORE_DIR", os.fspath(folder))
    monkeypatch.setattr(carried, "importer", None)
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path])
    yield folder
    forget()


def forget() -> None:
    """Forget imported modules, as in a new process."""
    for name in [name for name in sys.modules if ".strange" in name]:
        del sys.modules[name]


def imported(sources_of: dict[str, str] | None = None) -> t.Any:
    """The module ONE, from these sources or from the code that an earlier task has compiled from them."""
    forget()
    sys.meta_path[:] = [one for one in sys.meta_path if not isinstance(one, carried.Importer)]
    carried.begin(packed(sources_of or SOURCES))
    return importlib.import_module(ONE)


def files(store: pathlib.Path) -> list[pathlib.Path]:
    return sorted((store / "code").iterdir()) if (store / "code").exists() else []


def test_modules_are_imported_from_the_text() -> None:
    one = imported()
    assert one.result == 2
    assert one.__loader__.get_source(ONE) == SOURCES["strange.one"]
    assert importlib.util.find_spec(ONE).submodule_search_locations is None
    with pytest.raises(ModuleNotFoundError, match="strange.three"):
        importlib.import_module(carried.__package__ + ".strange.three")
    with pytest.raises(SyntaxError, match="invalid syntax") as caught:
        importlib.import_module(carried.__package__ + ".strange.wrong")
    assert caught.value.filename.endswith("module_utils/strange/wrong.py")


def test_the_sources_of_a_module_are_found() -> None:
    """The unit at boot gets an archive with the sources, which is not that of the task."""
    imported()
    found = sources.needed_by(ONE)
    strange = {path: text for path, text in found.items() if "strange" in path and text}
    assert sorted(strange.values()) == sorted([SOURCES["strange.one"], SOURCES["strange.two"]])


def test_a_later_task_compiles_only_what_is_new(store: pathlib.Path) -> None:
    assert imported().result == 2
    compiled.keep()
    (path,) = files(store)
    assert path.stat().st_mode & 0o777 == 0o600 and path.parent.stat().st_mode & 0o777 == 0o700
    # Changed compiled code shows whether it is used.
    code = marshal.loads(path.read_bytes())
    assert set(code) == {"strange.", "strange.one", "strange.two"}
    code["strange.two"] = marshal.dumps(compile("value = 41", "two.py", "exec"))
    path.write_bytes(marshal.dumps(code))
    assert imported().result == 42 and not carried.importer.is_new
    # Other sources, or another Python, must not use it.
    assert imported({**SOURCES, "strange.two": "value = 2\n"}).result == 3


@pytest.mark.parametrize(
    "spoil",
    [
        lambda store, path: os.chmod(store, 0o777),
        lambda store, path: os.chmod(path.parent, 0o770),
        lambda store, path: path.write_bytes(b"no code"),
        lambda store, path: path.write_bytes(path.read_bytes()[:100]),
        lambda store, path: path.rename(store / "elsewhere") and path.symlink_to(store / "elsewhere"),
        lambda store, path: os.unlink(path) or os.mkfifo(path),
    ],
)
def test_code_that_somebody_else_could_have_written_is_not_used(
    store: pathlib.Path, spoil: t.Callable[[pathlib.Path, pathlib.Path], t.Any]
) -> None:
    imported()
    compiled.keep()
    (path,) = files(store)
    code = marshal.loads(path.read_bytes())
    code["strange.two"] = marshal.dumps(compile("value = 41", "two.py", "exec"))
    path.write_bytes(marshal.dumps(code))
    spoil(store, path)
    assert imported().result == 2


def test_code_of_a_few_versions_is_kept(store: pathlib.Path) -> None:
    for number in range(7):
        assert imported({**SOURCES, "strange.two": f"value = {number}\n"}).result == number + 1
        compiled.keep()
        os.utime(files(store)[0].parent / carried.importer.name, (number, number))
    assert len(files(store)) == 4
    assert imported({**SOURCES, "strange.two": "value = 6\n"}).result == 7 and not carried.importer.is_new


def test_code_goes_with_the_last_lab(store: pathlib.Path) -> None:
    imported()
    with lab_files.locked("demo"):
        compiled.keep()
    assert len(files(store)) == 1
    with lab_files.locked("demo"):
        (store / "demo.json").unlink()
        imported({**SOURCES, "strange.two": "value = 2\n"})
        compiled.keep()  # there is no lab, so it does not store anything
    assert not store.exists()


def test_nothing_is_kept_of_a_module_that_ansible_packed(store: pathlib.Path) -> None:
    compiled.keep()
    assert files(store) == []
