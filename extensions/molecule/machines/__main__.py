# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Virtual machines for labs.

create      boot the machines that LAB_MACHINES names, and build missing images
destroy     stop the machines of this checkout, also those of earlier runs
accelerator print whether machines use KVM here
inventory   print Ansible's inventory

The program uses only the standard library, so that Ansible's inventory works before anything is installed.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import fcntl
import json
import os
import platform
import shutil
import sys
import time
import typing as t

import image
import qemu
import settings

SSH_OPTIONS = [
    *("StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR", "IdentitiesOnly=yes"),
    # Other algorithms take several times as long in an emulated machine.
    "KexAlgorithms=curve25519-sha256",
    *("ControlMaster=auto", "ControlPersist=120s"),
]
STATE = settings.RUN / "state.json"


@contextlib.contextmanager
def _alone() -> t.Iterator[None]:
    """Wait until no other process starts or stops the machines of this checkout, and keep others from doing so."""
    settings.RUN.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = settings.RUN.with_suffix(".lock").open("w")
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _state() -> dict[str, t.Any]:
    try:
        return json.loads(STATE.read_text())
    except FileNotFoundError:
        return {}


def create() -> None:
    """Boot the machines, unless they are already running."""
    if platform.machine() != "x86_64":
        raise SystemExit("The virtual machines need a host with x86_64, not {0}.".format(platform.machine()))
    begin = time.monotonic()
    machines = settings.wanted()
    with _alone():
        if list(_state()) == [machine.name for machine in machines] and all(map(qemu.alive, _state())):
            print("the machines are already running")
            return
        _stop()
        settings.RUN.mkdir(mode=0o700)
        with concurrent.futures.ThreadPoolExecutor() as pool:
            images = list(pool.map(image.get, [machine.suite for machine in machines]))
            built = time.monotonic()
            accelerator = qemu.accelerator(images[0])
            ports = [
                qemu.start(machine, number, len(machines), folder, accelerator)
                for number, (machine, folder) in enumerate(zip(machines, images))
            ]
            list(pool.map(qemu.wait, [machine.name for machine in machines], ports))
        state = {
            machine.name: {
                "ansible_port": port,
                "ansible_ssh_private_key_file": str(folder / "key"),
                # Its address on the network between the machines.
                "machine_address": machine.address.split("/")[0],
                **machine.variables,
            }
            for machine, folder, port in zip(machines, images, ports)
        }
        STATE.write_text(json.dumps(state))
    took = (built - begin, time.monotonic() - built, accelerator)
    print("images: {0:.1f} s, boot: {1:.1f} s under {2}".format(*took))


def destroy() -> None:
    """Stop the machines of this run and of earlier runs."""
    with _alone():
        stopped = _stop()
    print("stopped: {0}".format(" ".join(stopped)) if stopped else "no machine was running")


def _stop() -> list[str]:
    stopped = [name for name in qemu.left() if qemu.stop(name)]
    shutil.rmtree(settings.RUN)
    return stopped


def inventory() -> dict[str, t.Any]:
    """Ansible's inventory of the machines."""
    state = _state()
    common = {
        "ansible_become": True,
        "ansible_host": "127.0.0.1",
        "ansible_python_interpreter": "/usr/bin/python3",
        "ansible_ssh_common_args": " ".join("-o " + option for option in SSH_OPTIONS),
        "ansible_user": "lab",
    }
    names = list(state) or [machine.name for machine in settings.wanted()]
    return {"_meta": {"hostvars": state}, "lab_hosts": {"hosts": names, "vars": common}}


def main() -> None:
    """Run the command that the command line names."""
    command = sys.argv[1] if len(sys.argv) > 1 else ""
    os.umask(0o022)
    if command == "create":
        create()
    elif command == "destroy":
        destroy()
    elif command == "accelerator":
        print(qemu.accelerator(image.get(settings.wanted()[0].suite)))
    elif command in ("inventory", "--list"):
        print(json.dumps(inventory(), indent=4))
    else:
        raise SystemExit(__doc__)


if __name__ == "__main__":
    main()
