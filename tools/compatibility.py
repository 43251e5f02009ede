# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write the table of what runs where into docs/compatibility.md, from the records of the Molecule scenarios.

The verify step of a scenario writes a record to .cache/compatibility for each machine on which it passed. Run this
program with `make compatibility`, after `make molecule`. Records of machines that run only on demand stay.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
RECORDS = ROOT / ".cache" / "compatibility"
PAGE = ROOT / "docs" / "compatibility.md"
BEGIN, END = "<!-- table: begin -->\n", "<!-- table: end -->\n"

# The rows with versions, and how many parts of each version to show. A kernel's last part, for example, changes every
# few weeks.
VERSIONS = {"kernel": ("Linux", 2), "python": ("Python", 2), "pyroute2": ("pyroute2", 3)}
VERSIONS |= {"iproute2": ("iproute2", 2), "nftables": ("nftables", 3)}
ALWAYS = ("Debian 12", "Debian 13")


def scenarios() -> list[str]:
    """The scenarios that write records."""
    names = [path.parent.name for path in (ROOT / "extensions" / "molecule").glob("*/molecule.yml")]
    return sorted(name for name in names if name != "default")  # which only creates and destroys the machines


def table(records: list[dict[str, str]]) -> list[str]:
    """The lines of the table: a column for each distribution, a row for each version and scenario."""
    # The scenario `prepare` installs another version of pyroute2.
    machines = {record["distribution"]: record for record in records if record["lab"] != "prepare"}
    names = sorted(machines, key=lambda name: (len(name), name))
    missing = [
        "{0} on {1}".format(scenario, name)
        for scenario in scenarios()
        for name in ALWAYS
        if not any((record["lab"], record["distribution"]) == (scenario, name) for record in records)
    ]
    if missing:
        raise RuntimeError("there are no records of {0}; run make molecule".format(", ".join(missing)))
    lines = ["| | {0} |".format(" | ".join(names)), "|---|" + "---|" * len(names)]
    for key, (label, parts) in VERSIONS.items():
        cells = [".".join(machines[name][key].split("-")[0].split(".")[:parts]) for name in names]
        lines.append("| {0} | {1} |".format(label, " | ".join(cells)))
    passed = {(record["lab"], record["distribution"]) for record in records}
    for scenario in scenarios():
        cells = ["passes" if (scenario, name) in passed else "-" for name in names]
        page = "labs/{0}.md".format(scenario)
        label = "[{0}]({1})".format(scenario, page) if (PAGE.parent / page).exists() else scenario
        lines.append("| {0} | {1} |".format(label, " | ".join(cells)))
    return lines


def main() -> int:
    """Write the table, or compare the page with it.

    :returns: 1 if the page is out of date.
    """
    parser = argparse.ArgumentParser(description="Write the table of what runs where.")
    parser.add_argument("--check", action="store_true", help="write nothing, and fail if the page is out of date")
    arguments = parser.parse_args()
    records = [json.loads(path.read_text()) for path in sorted(RECORDS.glob("*.json"))]
    before, begin, rest = PAGE.read_text().partition(BEGIN)
    _old, end, after = rest.partition(END)
    if not begin or not end:
        raise RuntimeError("a page needs the two lines {0!r} and {1!r}".format(BEGIN, END))
    new = before + begin + "\n".join(["", *table(records), "", ""]) + end + after
    if new == PAGE.read_text():
        return 0
    print("docs/compatibility.md {0}".format("is out of date: make compatibility" if arguments.check else "written"))
    if not arguments.check:
        PAGE.write_text(new)
    return int(arguments.check)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except RuntimeError as error:
        sys.exit(str(error))
