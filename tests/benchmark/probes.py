# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All pairs of some namespaces on one bridge: the module's probes against one `ping -c1` process a pair.

Both run in a private world, in turns, so that whatever else the machine does hits both. To be run as root:
`python tests/benchmark/probes.py [namespaces] [rounds]`.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
import typing as t

from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import namespaces, syscalls
from ansible_collections.linuxnet.lab.plugins.module_utils.probe import checks, run


def build(count: int) -> list[tuple[str, str]]:
    """Namespaces on a bridge in a private world; returns (namespace, address) for every pair of them."""
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
    return [(name, address) for name in members for other, address in members.items() if name != other]


def ip(commands: list[str]) -> None:
    """Run ip(8) commands in the current namespace."""
    subprocess.run(["ip", "-batch", "-"], input="\n".join(commands), text=True, check=True)


def with_module(pairs: list[tuple[str, str]]) -> None:
    """Every pair by the module's code."""
    asked = [{"from": name, "to": address} for name, address in pairs]
    wanted, errors = checks.read(asked, [""] * len(asked), {"count": 1, "interval": 0.2, "timeout": 2.0})
    assert not errors
    assert all(outcome.ok for outcome in run.run(wanted))


def with_ping(pairs: list[tuple[str, str]]) -> None:
    """One process a pair, one after another."""
    for name, address in pairs:
        with namespaces.inside_ref(name):
            subprocess.run(["ping", "-n", "-q", "-c", "1", "-W", "2", address], check=True, stdout=subprocess.DEVNULL)


def seconds(work: t.Callable[[list[tuple[str, str]]], None], pairs: list[tuple[str, str]]) -> float:
    """How long the work took."""
    start = time.perf_counter()
    work(pairs)
    return time.perf_counter() - start


def main() -> None:
    """Print the medians and their ratio."""
    count, rounds = (int(argument) for argument in (sys.argv[1:] + ["10", "5"][len(sys.argv) - 1 :]))
    pairs = build(count)
    with_module(pairs)  # so that no round resolves addresses
    taken: dict[str, list[float]] = {"module": [], "ping": []}
    for _dummy in range(rounds):
        taken["module"].append(seconds(with_module, pairs))
        taken["ping"].append(seconds(with_ping, pairs))
    module, ping = (statistics.median(values) for values in taken.values())
    print(f"{len(pairs)} pairs of {count} namespaces, medians of {rounds} rounds")
    print(f"module  {module * 1000:8.1f} ms  {module / len(pairs) * 1e6:6.0f} us a pair")
    print(f"ping    {ping * 1000:8.1f} ms  {ping / len(pairs) * 1e6:6.0f} us a pair")
    print(f"ratio   {ping / module:8.1f}")


if __name__ == "__main__":
    main()
