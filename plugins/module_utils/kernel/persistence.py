# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What brings a lab back after a reboot: its description, a systemd unit, and a copy of the code that applies it.

The unit needs neither Ansible nor the controller. Sources: systemd.unit(5), systemd.service(5), systemd.special(7).
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys

from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import library, store

LAB_DIR = "/etc/linuxnet.lab"
UNIT_DIR = "/etc/systemd/system"
CODE_DIR = "/usr/local/lib/linuxnet.lab/boot"

_ROOT = "ansible_collections.linuxnet.lab.plugins.module_utils"
_WANTS = "multi-user.target.wants"

# The lab is there before anything is told that the network is: services may want to listen on it.
_UNIT = """\
[Unit]
Description=Network lab {lab}
Documentation=file:{description}
After=local-fs.target network-pre.target systemd-modules-load.service systemd-sysctl.service
Before=network-online.target

[Service]
Type=oneshot
RemainAfterExit=yes
Environment={path}
ExecStart={python} -m {program} {lab}
KillMode=process

[Install]
WantedBy=multi-user.target
"""

Files = dict[str, str]


def folders() -> list[str]:
    """The folders in which this writes."""
    return [LAB_DIR, UNIT_DIR]


def unit(lab: str) -> str:
    """The name of a lab's unit."""
    return "linuxnet.lab-{0}.service".format(lab)


def description(lab: str) -> str:
    """The file with what is to be applied at boot."""
    return os.path.join(LAB_DIR, lab + ".json")


def has_systemd() -> bool:
    """Whether this host was booted by systemd: sd_booted(3)."""
    return os.path.isdir("/run/systemd/system")


def labs() -> list[str]:
    """The labs that come back, sorted."""
    return store.names(LAB_DIR, ".json")


def recall(lab: str) -> str | None:
    """What is to be applied at boot; None where the lab does not come back."""
    return store.read_file(description(lab))


def wanted(lab: str, text: str, program: str) -> Files:
    """The files that bring a lab back, by path. The code is that of the running process.

    :arg program: the module of the collection that is run at boot with the lab's name.
    """
    values = {
        "lab": lab,
        "description": description(lab),
        # pyroute2 may lie where this process alone looks for it.
        "path": _quoted("PYTHONPATH=" + os.pathsep.join([CODE_DIR, library.place()])),
        "python": _quoted(sys.executable),
        "program": program,
    }
    return {description(lab): text, os.path.join(UNIT_DIR, unit(lab)): _UNIT.format(**values), **_code()}


def _quoted(word: str) -> str:
    """A word as systemd.syntax(7) takes it, whatever it holds."""
    for character in ("\\", '"'):
        word = word.replace(character, "\\" + character)
    return '"{0}"'.format(word.replace("%", "%%"))


def _code() -> Files:
    """The sources of the collection's modules that are loaded, and empty ones for its packages."""
    found = {}
    for name, module in sorted(sys.modules.items()):
        if not (name + ".").startswith(_ROOT + ".") and not _ROOT.startswith(name + "."):
            continue
        path = os.path.join(CODE_DIR, *name.split("."))
        if hasattr(module, "__path__"):
            found[os.path.join(path, "__init__.py")] = ""
        else:
            found[path + ".py"] = module.__loader__.get_source(name)  # type: ignore[union-attr]
    return found


def differs(lab: str, files: Files) -> bool:
    """Whether something of a lab's files is missing or not as wanted."""
    return not os.path.islink(_link(lab)) or any(store.read_file(path) != text for path, text in files.items())


def install(lab: str, files: Files) -> None:
    """Write a lab's files, and let systemd start its unit at boot."""
    for path, text in files.items():
        os.makedirs(os.path.dirname(path), 0o755, exist_ok=True)
        store.write_file(path, text, 0o644)
    os.makedirs(os.path.dirname(_link(lab)), 0o755, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        os.symlink(os.path.join(UNIT_DIR, unit(lab)), _link(lab))
    _reload()


def uninstall(lab: str) -> None:
    """Remove a lab's files; with the last lab goes the code. No error where they are gone."""
    for path in (_link(lab), os.path.join(UNIT_DIR, unit(lab)), description(lab)):
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            os.unlink(path)
    if not labs():
        shutil.rmtree(CODE_DIR, ignore_errors=True)
        for folder in (LAB_DIR, os.path.dirname(CODE_DIR)):
            with contextlib.suppress(OSError):
                os.rmdir(folder)  # unless somebody else has something in it
    _reload()


def _link(lab: str) -> str:
    return os.path.join(UNIT_DIR, _WANTS, unit(lab))


def _reload() -> None:
    """Let systemd look again, where it runs."""
    systemctl = shutil.which("systemctl")
    if systemctl and has_systemd():
        subprocess.run([systemctl, "daemon-reload"], check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
