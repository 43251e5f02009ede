# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Measure many permanent neighbour entries on one link. Twice as many should take about twice as long.

Run it as root: `python tests/benchmark/neighbors.py [N ...]`. The default numbers are 100, 200 and 400. It measures the
processor time of the engine alone, including that in the kernel.
"""

from __future__ import annotations

import statistics
import sys
import time

from engine import LAB, enter_world, lab, run

from ansible_collections.linuxnet.lab.plugins.module_utils import engine
from ansible_collections.linuxnet.lab.plugins.module_utils.resources.neighbor import NeighborWanted

USUAL = (100, 200, 400)
ROUNDS = 5


def entries(count: int, version: int) -> list[NeighborWanted]:
    """Permanent entries on the link of the only container. Another *version* has other MAC addresses."""
    return [
        NeighborWanted(
            "web1",
            "lan",
            f"10.0.{1 + n // 250}.{n % 250 + 1}",
            {"lladdr": f"02:00:{version:02x}:{n.to_bytes(3, 'big').hex(':')}"},
        )
        for n in range(count)
    ]


def measure(count: int, version: int, changed: bool) -> float:
    """The processor time of one run, in seconds."""
    wanted = entries(count, version)
    start = time.process_time()
    outcome = engine.run(wanted, LAB)
    taken = time.process_time() - start
    if outcome.changed is not changed:
        raise SystemExit("the engine did not do what this program measures")
    return taken


def main() -> None:
    """Print processor time, and its growth from each number to the next."""
    counts = [int(argument) for argument in sys.argv[1:]] or USUAL
    enter_world()
    run(lab(1), changed=True)
    table: dict[str, list[float]] = {"added or changed": [], "unchanged": []}
    for number, count in enumerate(counts):
        rounds = range(number * ROUNDS, (number + 1) * ROUNDS)
        taken = [(measure(count, version, True), measure(count, version, False)) for version in rounds]
        for values, title in zip(zip(*taken), table):
            table[title].append(statistics.median(values))
    run(None, changed=True)
    print("{0:24}".format("processor seconds") + "".join(f"{f'N={count}':>10}" for count in counts))
    for title, found in table.items():
        print(f"{title:24}" + "".join(f"{value:10.3f}" for value in found))
        growth = [later / earlier for earlier, later in zip(found, found[1:])]
        print(f"{'  ratio to the one before':24}" + " " * 10 + "".join(f"{value:10.2f}" for value in growth))


if __name__ == "__main__":
    main()
