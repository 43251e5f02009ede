# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compare the module's probes with one `ping -c1` process for each pair: all pairs of some namespaces on one bridge.

Both run in a private world, in turns, so that other load of the machine affects both. The neighbour table of the
machine holds 1024 entries, but all pairs of 33 namespaces need more. Therefore ping gets only a sample of the pairs,
and the program scales its time up. Run it as root: `python tests/benchmark/probes.py [namespaces] [rounds]`.
"""

from __future__ import annotations

import random
import socket
import statistics
import subprocess
import sys
import time
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import namespaces, neighbor_cache, syscalls
from ansible_collections.linuxnet.lab.plugins.module_utils.probe import checks, run

# Each pair may need two entries in the neighbour table.
SAMPLE = 200

Pairs = list[tuple[str, str]]


def build(count: int) -> tuple[dict[str, str], Pairs]:
    """Build namespaces on a bridge in a private world.

    :returns: their addresses by name, and (namespace, address) for every pair.
    """
    syscalls.unshare(syscalls.CLONE_NEWNS | syscalls.CLONE_NEWNET)
    syscalls.mount("", "/", "none", syscalls.MS_REC | syscalls.MS_PRIVATE)
    syscalls.mount("run", "/run", "tmpfs", 0)
    members = {f"c{number}": f"10.0.0.{number}" for number in range(1, count + 1)}
    commands = ["link add br0 type bridge"]
    for name in members:
        namespaces.create(name)
        commands.append(f"link add v-{name} master br0 up type veth peer name eth0 netns {name}")
    ip(commands)
    for name, address in members.items():
        with namespaces.inside_ref(name):
            ip([f"addr add {address}/24 dev eth0", "link set eth0 up"])
    ip(["link set br0 up"])
    return members, [(name, address) for name in members for other, address in members.items() if name != other]


def ip(commands: list[str]) -> None:
    """Run ip(8) commands in the current namespace."""
    subprocess.run(["ip", "-batch", "-"], input="\n".join(commands), text=True, check=True)


def forget(members: dict[str, str]) -> None:
    """Flush the neighbour tables, so that each turn resolves addresses, as the first one after a build does."""
    for name in members:
        with namespaces.inside_ref(name):
            neighbor_cache.forget(socket.AF_INET, members.values())


def with_module(pairs: Pairs) -> None:
    """Check every pair with the module's code."""
    asked = [{"from": name, "to": address} for name, address in pairs]
    wanted, errors = checks.read(asked, [""] * len(asked), {"count": 1, "interval": 0.2, "timeout": 2.0})
    if errors or not all(outcome.ok for outcome in run.run(wanted)):
        raise SystemExit("the module does not find that all pairs reach each other")


def with_ping(pairs: Pairs) -> None:
    """Check every pair with its own ping process, one after another."""
    for name, address in pairs:
        with namespaces.inside_ref(name):
            subprocess.run(["ping", "-n", "-q", "-c", "1", "-W", "2", address], check=True, stdout=subprocess.DEVNULL)


def seconds(work: t.Callable[[Pairs], None], pairs: Pairs) -> float:
    """How long the work took."""
    start = time.perf_counter()
    work(pairs)
    return time.perf_counter() - start


def main() -> None:
    """Print the medians and their ratio."""
    count, rounds = (int(argument) for argument in (sys.argv[1:] + ["10", "5"][len(sys.argv) - 1 :]))
    members, pairs = build(count)
    time.sleep(1)  # until the links are ready
    sample = random.Random(1).sample(pairs, min(SAMPLE, len(pairs)))
    scale = len(pairs) / len(sample)
    taken: dict[str, list[float]] = {"module": [], "ping": []}
    for _dummy in range(rounds):
        forget(members)
        taken["module"].append(seconds(with_module, pairs))
        forget(members)
        taken["ping"].append(seconds(with_ping, sample) * scale)
    module, ping = (statistics.median(values) for values in taken.values())
    print(f"{len(pairs)} pairs of {count} namespaces, medians of {rounds} rounds, neighbour tables emptied before each")
    for name, values in taken.items():
        middle = statistics.median(values)
        print(
            f"{name:7} {middle:8.3f} s  {middle / len(pairs) * 1e6:6.0f} us a pair"
            f"  (from {min(values):.3f} to {max(values):.3f} s)"
        )
    if scale > 1:
        print(f"of ping, {len(sample)} pairs were measured, and their time was scaled up by {scale:.2f}")
    print(f"ratio   {ping / module:8.1f}")


if __name__ == "__main__":
    main()
