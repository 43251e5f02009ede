# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compare the engine with a program that sends only the necessary messages: N containers on one bridge.

Run it as root: `python tests/benchmark/engine.py [N ...]`. For every N, there is a process with a private world, in
which the compiled program (floor.c) and the engine take turns. So other load of the machine affects both. The times
include everything from the topology as data to the matching state of the kernel: names, addresses, checks, snapshot,
plan, apply. They do not include the start of the interpreter and its imports.
"""

from __future__ import annotations

import json
import os
import pathlib
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils import engine
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import syscalls
from ansible_collections.linuxnet.lab.plugins.module_utils.resources.topology import WholeLab
from ansible_collections.linuxnet.lab.plugins.module_utils.topology import build

LAB = "benchmark"
USUAL = (10, 100, 500)
# Each removed interface leaves about 130 sysfs nodes, which the kernel frees slowly. If there are tens of thousands of
# them, the deletion of a bridge blocks all network calls of the machine.
SLAB = "kernfs_node_cache"
FEW_NODES = 5000
# After a build, every link sends IPv6 multicast packets to all others, which keeps a processor busy for a while.
IDLE = 0.9
LONGEST_GREETING = 60  # seconds

Times = dict[str, float]


def lab(count: int) -> dict[str, t.Any]:
    """The topology of the measurements: that many containers on one bridge, with the host as their router."""
    members = f"web[1:{count}]"
    return {
        "name": LAB,
        "namespaces": {members: None, "host": {"forwarding": True}},
        "segments": {"lan": {"prefix": "10.0.0.0/16", "gateway": "host", "members": members}},
    }


def enter_world() -> None:
    """Move this process to a private world, so that it does not affect the machine's network and mounts."""
    syscalls.unshare(syscalls.CLONE_NEWNS | syscalls.CLONE_NEWNET)
    syscalls.mount("", "/", "none", syscalls.MS_REC | syscalls.MS_PRIVATE)
    syscalls.mount("run", "/run", "tmpfs", 0)
    syscalls.mount("sys", "/sys", "sysfs", 0)


def run(topology: dict[str, t.Any] | None, changed: bool) -> float:
    """The seconds that it takes to make the kernel match a topology. None removes the lab.

    :arg changed: whether the run should change something. SystemExit if it does the opposite.
    """
    start = time.perf_counter()
    outcome = engine.run([WholeLab()] if topology is None else build.build(topology), LAB)
    taken = time.perf_counter() - start
    if outcome.changed is not changed:
        raise SystemExit(f"the engine did not do what is measured: {outcome.commands[:3]}")
    return taken


def turn(count: int, floor: str) -> Times:
    """One round of all measurements."""
    taken = {}
    before = nodes()
    for action in ("build", "remove"):
        start = time.perf_counter()
        subprocess.run([floor, action, str(count)], check=True)
        taken["floor " + action] = time.perf_counter() - start
    drain(before)
    small, larger = lab(count), lab(count + 1)
    taken["build"] = run(small, changed=True)
    settle()
    taken["re-run"] = run(small, changed=False)
    taken["add one"] = run(larger, changed=True)
    taken["remove"] = run(None, changed=True)
    # If the removal returned before the kernel had finished, this time would be longer.
    taken["build again"] = run(small, changed=True)
    taken["remove again"] = run(None, changed=True)
    drain(before)
    return taken


def settle() -> None:
    """Wait until the machine has little else to do."""
    deadline = time.monotonic() + LONGEST_GREETING
    idle = 0.0
    while idle < IDLE and time.monotonic() < deadline:
        before = ticks()
        time.sleep(2)
        passed = [after - then for then, after in zip(before, ticks())]
        idle = passed[3] / sum(passed)


def ticks() -> list[int]:
    """The times of the processors so far, by kind. The fourth is idle time (proc_stat(5))."""
    first = pathlib.Path("/proc/stat").read_text(encoding="ascii").splitlines()[0]
    return [int(word) for word in first.split()[1:9]]


def drain(before: int) -> None:
    """Wait until the kernel has freed the sysfs nodes of removed links."""
    time.sleep(0.5)
    while nodes() > before + FEW_NODES:
        time.sleep(0.5)


def nodes() -> int:
    """The number of sysfs nodes in the kernel."""
    found = re.search(rf"^{SLAB} +(\d+)", pathlib.Path("/proc/slabinfo").read_text(encoding="ascii"), re.MULTILINE)
    return int(found.group(1)) if found else 0


def measure(count: int, rounds: int, floor: str) -> None:
    """Print the medians, and the memory and open files of this process, as JSON. Run this in a separate process."""
    enter_world()
    files = len(os.listdir("/proc/self/fd"))
    turns = [turn(count, floor) for dummy in range(rounds)]
    found = {name: statistics.median(one[name] for one in turns) for name in turns[0]}
    found["memory"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    found["files"] = len(os.listdir("/proc/self/fd")) - files
    print(json.dumps(found))


def compare(counts: t.Sequence[int], floor: str) -> None:
    """Measure, and print times and ratios side by side."""
    columns: dict[int, Times] = {}
    for count in counts:
        rounds = 5 if count <= 100 else 3 if count <= 500 else 1
        command = [sys.executable, __file__, "--measure", str(count), str(rounds), floor]
        columns[count] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
        one = columns[count]
        one["build / floor"] = one["build"] / one["floor build"]
        one["re-run / build"] = one["re-run"] / one["build"]
        one["add one / re-run"] = one["add one"] / one["re-run"]
        one["remove / build"] = one["remove"] / one["build"]
        one["build, ms a node"] = one["build"] / count * 1000
    print("{0:18}".format("seconds, medians") + "".join(f"{f'N={count}':>10}" for count in counts))
    for name in columns[counts[0]]:
        print(f"{name:18}" + "".join(f"{columns[count][name]:10.3f}" for count in counts))


def compiled_floor(folder: str) -> str:
    """The path of the compiled floor.c."""
    program = os.path.join(folder, "floor")
    source = pathlib.Path(__file__).with_name("floor.c")
    subprocess.run(["gcc", "-O2", "-Wall", "-Werror", "-o", program, str(source)], check=True)
    return program


def main() -> None:
    """Compile floor.c, and compare."""
    if sys.argv[1:2] == ["--measure"]:
        measure(int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
        return
    counts = [int(argument) for argument in sys.argv[1:]] or USUAL
    with tempfile.TemporaryDirectory() as folder:
        compare(counts, compiled_floor(folder))


if __name__ == "__main__":
    main()
