# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files that rebuild a lab after a reboot: its description, a systemd unit, and a copy of the code.

The unit needs neither Ansible nor the controller. Sources: systemd.unit(5), systemd.service(5), systemd.special(7).
"""

from __future__ import annotations

import contextlib
import dataclasses
import grp
import io
import os
import pwd
import shutil
import stat
import subprocess
import sys
import sysconfig
import typing as t
import zipfile

from ansible_collections.linuxnet.lab.plugins.module_utils.host import lab_files, sources
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import library
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.actions import Context, Operation

LAB_DIR, UNIT_DIR = lab_files.LAB_DIR, lab_files.UNIT_DIR
CODE = os.path.join(lab_files.CODE_DIR, "boot.pyz")

_WANTS = "multi-user.target.wants"

# The lab is complete before network-online.target, because services may listen on its addresses.
# Its objects must be visible on the whole host. Therefore no setting here may give it its own mount or UTS namespace.
_UNIT = """\
[Unit]
Description=Network lab {lab}
Documentation=file:{description}
After=local-fs.target network-pre.target systemd-modules-load.service systemd-sysctl.service
Before=network-online.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart={command}
KillMode=process
TimeoutStartSec={timeout}
UMask=0077
NoNewPrivileges=yes
CapabilityBoundingSet=CAP_NET_ADMIN CAP_NET_RAW CAP_SYS_ADMIN CAP_SYS_PTRACE
RestrictNamespaces=net uts
RestrictAddressFamilies=AF_NETLINK AF_UNIX AF_INET AF_INET6
IPAddressDeny=any
SystemCallArchitectures=native
SystemCallFilter=@system-service @mount sethostname
SystemCallFilter=~@chown @keyring @memlock
SystemCallErrorNumber=EPERM
DevicePolicy=closed
ProtectClock=yes
LockPersonality=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
KeyringMode=private

[Install]
WantedBy=multi-user.target
"""

# The main program of the archive. Its arguments are the name of the lab, and further folders with Python modules.
_MAIN = """\
import sys

sys.path += sys.argv[2:]

from {package} import {module}

sys.exit({module}.main(sys.argv[1]))
"""

Files = dict[str, bytes]


def unit(lab: str) -> str:
    """The name of a lab's unit."""
    return "linuxnet.lab-{0}.service".format(lab)


def description(lab: str) -> str:
    """The file with the description for the boot."""
    return os.path.join(LAB_DIR, lab + ".json")


def has_systemd() -> bool:
    """Whether this host was booted by systemd: sd_booted(3)."""
    return os.path.isdir("/run/systemd/system")


def labs() -> list[str]:
    """The labs that have a description for the boot, sorted."""
    return lab_files.names(LAB_DIR, ".json")


def recall(lab: str) -> str | None:
    """The description for the boot. None if there is none."""
    return lab_files.read_file(description(lab))


def has_traces(lab: str) -> bool:
    """Whether any of a lab's files exists, even if a killed run has left only a part of them."""
    paths = (description(lab), os.path.join(UNIT_DIR, unit(lab)), _link(lab))
    if any(os.path.lexists(path) for path in paths):
        return True
    folders = [folder for folder in _own_folders() if os.path.isdir(folder)]
    return not labs() and (os.path.lexists(CODE) or not all(os.listdir(folder) for folder in folders))


def _own_folders() -> list[str]:
    return [LAB_DIR, os.path.dirname(CODE)]


# -- what runs at boot ------------------------------------------------------------------------------------------------


def wanted(lab: str, text: str, program: str) -> Files:
    """The desired files, by path.

    :arg program: the module of the collection whose `main` the unit calls at boot with the lab's name.
    """
    command = [sys.executable, "-I", CODE, lab, library.place()]
    values = {
        "lab": lab,
        "description": description(lab),
        "command": " ".join(_quoted(word) for word in command),
        "timeout": 2 * lab_files.PATIENCE,
    }
    unit_text = _UNIT.format(**values).encode()
    return {description(lab): text.encode(), os.path.join(UNIT_DIR, unit(lab)): unit_text, CODE: _code(program)}


def _quoted(word: str) -> str:
    """A word, quoted for systemd.syntax(7) and systemd.service(5)."""
    for character in ("\\", '"'):
        word = word.replace(character, "\\" + character)
    return '"{0}"'.format(word.replace("%", "%%").replace("$", "$$"))


def _code(program: str) -> bytes:
    """An archive with the sources that a module of the collection needs, which Python can run. It is reproducible."""
    package, dummy, module = program.rpartition(".")
    found = {"__main__.py": _MAIN.format(package=package, module=module), **sources.needed_by(program)}
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for path in sorted(found):
            archive.writestr(zipfile.ZipInfo(path), found[path])  # without compression, with the same date (1980)
    return made.getvalue()


def distrusted() -> list[str]:
    """An error for each file that root runs at boot and that others can change."""
    place = library.place()
    package = os.path.join(place, "pyroute2")
    inside = [os.path.join(folder, name) for folder, dummy, names in os.walk(package) for name in names]
    paths = [sys.executable, *map(sysconfig.get_path, ("stdlib", "platstdlib", "purelib", "platlib")), package]
    paths += [*inside, LAB_DIR, UNIT_DIR, os.path.dirname(CODE)]
    seen: set[str] = set()
    text = "persist: {0} {1}, but only root may be able to change what runs at boot"
    return [text.format(*found) for path in paths for found in _loose(path, seen)]


def _loose(path: str, seen: set[str]) -> t.Iterator[tuple[str, str]]:
    """The parts of a path, including those of symbolic links, that others than root can change, and how."""
    part = ""
    for name in os.path.abspath(path).split("/")[1:]:
        part = "{0}/{1}".format(part, name)
        if part in seen:
            continue
        seen.add(part)
        try:
            found = os.lstat(part)
        except FileNotFoundError:
            return  # root creates it
        if found.st_uid != os.geteuid():
            yield part, "belongs to user {0}".format(_user(found.st_uid))
        elif stat.S_ISLNK(found.st_mode):
            folder, target = os.path.split(os.path.join(os.path.dirname(part), os.readlink(part)))
            yield from _loose(os.path.join(os.path.realpath(folder), target), seen)
        elif stat.S_ISDIR(found.st_mode) and found.st_mode & stat.S_ISVTX:
            continue  # a folder in which others can create files, but not change those of root
        elif found.st_mode & stat.S_IWOTH:
            yield part, "can be written by everybody"
        elif found.st_mode & stat.S_IWGRP and _has_members(found.st_gid):
            yield part, "can be written by group {0}".format(found.st_gid)


def _user(uid: int) -> str:
    try:
        return "{0} ({1})".format(uid, pwd.getpwuid(uid).pw_name)
    except KeyError:
        return str(uid)


def _has_members(gid: int) -> bool:
    """Whether somebody else than root is in a group. Debian's /usr/local belongs to a group without members."""
    try:
        named = set(grp.getgrgid(gid).gr_mem) - {"root"}
    except KeyError:
        named = set()
    return bool(named) or any(one.pw_gid == gid and one.pw_uid != os.geteuid() for one in pwd.getpwall())


# -- writing it -------------------------------------------------------------------------------------------------------


def differs(lab: str, files: Files) -> bool:
    """Whether one of a lab's files is missing or differs, or others can write to it."""
    return not os.path.islink(_link(lab)) or any(
        lab_files.read_bytes(path) != data or stat.S_IMODE(os.stat(path).st_mode) != 0o644
        for path, data in files.items()
    )


def install(lab: str, files: Files) -> None:
    """Write a lab's files, and enable its unit. If that fails, restore everything."""
    with _whole(lab):
        for path, data in files.items():
            _make_folder(os.path.dirname(path))
            lab_files.write_file(path, data, 0o644)
        _make_folder(os.path.dirname(_link(lab)))
        _set_link(lab, True)
    _reload()


def uninstall(lab: str) -> None:
    """Remove a lab's files and, with the last lab, the code. No error if they do not exist.

    If one of them cannot be removed, restore everything.
    """
    with _whole(lab):
        _set_link(lab, False)
        lab_files.write_file(os.path.join(UNIT_DIR, unit(lab)), None)
        lab_files.write_file(description(lab), None)
        if not labs():
            lab_files.write_file(CODE, None)
    _remove_folders()
    _reload()


@dataclasses.dataclass(eq=False)
class Install(Operation):
    """Write the files that rebuild a lab after a reboot."""

    lab: str
    files: Files

    in_steps = True

    def carry_out(self, context: Context) -> None:
        """See the base class."""
        install(self.lab, self.files)


@dataclasses.dataclass(eq=False)
class Uninstall(Operation):
    """Remove the files that rebuild a lab after a reboot."""

    lab: str

    in_steps = True

    def carry_out(self, context: Context) -> None:
        """See the base class."""
        uninstall(self.lab)


@contextlib.contextmanager
def _whole(lab: str) -> t.Iterator[None]:
    """Undo the body's changes of a lab's files if it fails."""
    before = {path: lab_files.read_bytes(path) for path in (description(lab), os.path.join(UNIT_DIR, unit(lab)), CODE)}
    linked = os.path.lexists(_link(lab))
    try:
        yield
    except BaseException:
        with contextlib.suppress(OSError):
            for path, data in before.items():
                if lab_files.read_bytes(path) != data:
                    lab_files.write_file(path, data, 0o644)
            _set_link(lab, linked)
            _remove_folders()
        raise


def _set_link(lab: str, present: bool) -> None:
    """Enable or disable a lab's unit."""
    with contextlib.suppress(FileExistsError, FileNotFoundError, NotADirectoryError):
        if present:
            os.symlink(os.path.join(UNIT_DIR, unit(lab)), _link(lab))
        else:
            os.unlink(_link(lab))


def _make_folder(path: str) -> None:
    """Create a folder and its parents, which others can read, whatever the caller's umask is."""
    if not os.path.isdir(path):
        _make_folder(os.path.dirname(path))
        os.mkdir(path)
        os.chmod(path, 0o755)


def _remove_folders() -> None:
    """Remove the collection's own folders if they are empty."""
    for folder in _own_folders():
        with contextlib.suppress(OSError):
            os.rmdir(folder)


def _link(lab: str) -> str:
    return os.path.join(UNIT_DIR, _WANTS, unit(lab))


def _reload() -> None:
    """Let systemd reload its units, if it runs."""
    systemctl = shutil.which("systemctl")
    if systemctl and has_systemd():
        subprocess.run([systemctl, "daemon-reload"], check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
