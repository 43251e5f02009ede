# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Measure what the bridge_nat playbook costs beyond Ansible itself.

The program builds and verifies the lab in a private network. In turns with that, it runs a playbook with the same
number of tasks of a module that does nothing. It prints both times and their ratio, in seconds of the clock and of the
processor. Other load of the machine affects the latter less. Run it as root: .venv/bin/python
tests/benchmark/playbook.py
"""

from __future__ import annotations

import argparse
import os
import pathlib
import re
import resource
import subprocess
import sys
import tempfile
import time
import typing as t

ROOT = pathlib.Path(__file__).resolve().parents[2]
ANSIBLE = os.path.join(sys.prefix, "bin", "ansible-playbook")

EMPTY_MODULE = """#!/usr/bin/python
from ansible.module_utils.basic import AnsibleModule

AnsibleModule(argument_spec={}, supports_check_mode=True).exit_json(changed=False)
"""

# Private namespaces for network and mounts, with an empty /run, so that nothing affects this machine.
PRIVATE = "mount --make-rprivate / && mount -t tmpfs run /run && ip link set lo up && exec \"$@\""


class Taken(t.NamedTuple):
    """Seconds of a command, by the clock and by the processor."""

    clock: float
    processor: float


def run(*command: str) -> tuple[Taken, str]:
    """The times and the output of a command. SystemExit if it fails."""
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    seconds, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit("{0} failed:\n{1}{2}".format(command, done.stdout, done.stderr))
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Taken(seconds, used), done.stdout


def module_tasks(output: str) -> int:
    """How many tasks ran a module: those with a result, except three kinds that run in Ansible's own process."""
    names = re.findall(r"^TASK \[(.*?)\].*\n(?:ok|changed): \[", output, re.MULTILINE)
    return sum(1 for name in names if not re.search("Validating arguments|Make sure|Show who", name))


def measure(rounds: int, directory: str) -> None:
    """Run both playbooks in turns, and print their times."""
    lab = [ANSIBLE, "playbooks/bridge_nat.yml", "-e", "bridge_nat_internet=true"]
    count = module_tasks(run(*lab)[1])
    run(*lab[:2], "-e", "lab_state=absent")

    os.mkdir(os.path.join(directory, "library"))
    pathlib.Path(directory, "library", "nothing.py").write_text(EMPTY_MODULE)
    tasks = "".join("    - {{name: Nothing {0}, nothing: }}\n".format(number) for number in range(count))
    empty = pathlib.Path(directory, "empty.yml")
    empty.write_text("- hosts: localhost\n  gather_facts: false\n  tasks:\n" + tasks)

    ours, theirs = [], []
    for dummy in range(rounds):
        ours.append(run(*lab)[0])
        run(*lab[:2], "-e", "lab_state=absent")
        theirs.append(run(ANSIBLE, str(empty))[0])
    print("module tasks in each playbook: {0}; rounds: {1}; minimum of all rounds".format(count, rounds))
    for by in Taken._fields:
        mine, nothing = min(getattr(one, by) for one in ours), min(getattr(one, by) for one in theirs)
        print("by the {0}:".format(by))
        print("  bridge_nat, built and verified: {0:.2f} s".format(mine))
        print("  as many tasks that do nothing:  {0:.2f} s".format(nothing))
        print("  ratio: {0:.2f}".format(mine / nothing))


def main() -> None:
    """Enter a private network, then measure."""
    parser = argparse.ArgumentParser(description="Compare the bridge_nat playbook with as many empty tasks.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if not arguments.inside:
        again = [sys.executable, __file__, "--inside", "--rounds", str(arguments.rounds)]
        os.execvp("unshare", ["unshare", "--net", "--mount", "bash", "-c", PRIVATE, "--", *again])
    with tempfile.TemporaryDirectory() as directory:
        measure(arguments.rounds, directory)


if __name__ == "__main__":
    main()
