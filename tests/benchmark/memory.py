# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Measure the memory for a routed network: N routers, each with a route to every other one.

Run it as root: `python tests/benchmark/memory.py [--build] [N ...]`. The default numbers are 40, 80 and 160. With
`--build`, it builds the network and runs again. Without it, it only plans the network in check mode. For every N, there
is a process with a private world. Routes need nearly all of the memory. Therefore the last line estimates the memory
for 754 routers from that of each further route.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import typing as t

from engine import enter_world

from ansible_collections.linuxnet.lab.plugins.module_utils import engine
from ansible_collections.linuxnet.lab.plugins.module_utils.resources.topology import WholeLab
from ansible_collections.linuxnet.lab.plugins.module_utils.topology import build

LAB = "benchmark"
USUAL = (40, 80, 160)
LARGE = 754  # the largest network of the Internet Topology Zoo
MORE_LINKS = 6  # every sixth router has a third link, because that network has 899 links


def network(count: int) -> dict[str, t.Any]:
    """A ring of routers with some links across it. Each router has an address on its `lo`."""
    ring = [{"ends": [f"r{n}", f"r{n % count + 1}"]} for n in range(1, count + 1)]
    across = [{"ends": [f"r{n}", f"r{n + count // 2}"]} for n in range(1, count // 2, MORE_LINKS // 2)]
    return {
        "name": LAB,
        "namespaces": {
            f"r{n}": {"forwarding": True, "lo": [f"10.255.{n >> 8}.{n & 255}"]} for n in range(1, count + 1)
        },
        "links": ring + across,
        "pool": "10.0.0.0/16",
        "routing": "static",
    }


def peak() -> float:
    """The maximum memory of this process so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(count: int, for_real: bool) -> None:
    """Print the memory before the run and its maximum, as JSON. Run this in a separate process."""
    enter_world()
    before = peak()
    engine.run(build.build(network(count)), LAB, check=not for_real)
    found = {"before": before, "at most": peak()}
    if for_real:
        engine.run(build.build(network(count)), LAB)
        found["at most"] = peak()
        engine.run([WholeLab()], LAB)
    print(json.dumps(found))


def main() -> None:
    """Print megabytes, and bytes for each route."""
    arguments = sys.argv[1:]
    if arguments[:1] == ["--measure"]:
        measure(int(arguments[1]), arguments[2:] == ["--build"])
        return
    options = [one for one in arguments if one == "--build"]
    counts = [int(one) for one in arguments if one not in options] or list(USUAL)
    found = {}
    for count in counts:
        command = [sys.executable, __file__, "--measure", str(count), *options]
        found[count] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)["at most"]
        print(f"{count:5} routers, {count * (count - 1):7} routes: {found[count]:7.1f} MB")
    if len(counts) > 1:
        first, last = counts[0], counts[-1]
        each = (found[last] - found[first]) / (last * (last - 1) - first * (first - 1))
        print(f"each further route: {each * (1 << 20):.0f} bytes")
        print(f"{LARGE:5} routers would take {found[last] + each * (LARGE * (LARGE - 1) - last * (last - 1)):.0f} MB")


if __name__ == "__main__":
    main()
