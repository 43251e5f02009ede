# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The witness on a machine: it verifies labs with ping, ip and nft, without the collection.

remember     record the state of the machine, unless it has been recorded before
compare      fail, and print the differences, unless the machine is in the recorded state
expect PAGE  fail unless the machine is as a lab's page says: who reaches whom, and what the page's commands set

`expect` prints the versions on the machine, as JSON.
"""

from __future__ import annotations

import concurrent.futures
import json
import pathlib
import platform
import re
import subprocess
import sys
import typing as t

MEMORY = pathlib.Path("/var/lib/linuxnet.lab-witness.json")
# Values that change by themselves, whatever a lab does.
VOLATILE = {"valid_life_time", "preferred_life_time", "tentative", "expires", "handle", "metainfo"}
# Sysctls that appear when a kernel module is loaded, counters, and values that depend on the free memory at boot.
OTHER_SYSCTLS = re.compile(
    r"/net/(?:netfilter|nf_conntrack_max|bridge|vrf)\b|/net/core/netdev_rss_key"
    r"|/net/ipv4/(?:(?:tcp_|udp_)[rw]?mem|inet_peer_threshold|tcp_max_(?:orphans|tw_buckets|syn_backlog))\b"
)


def run(*command: str) -> str:
    """The output of a command. SystemExit if it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit("{0}: {1}".format(" ".join(command), done.stderr))
    return done.stdout


def namespaces() -> dict[str, list[str]]:
    """The command prefix that enters each network namespace, by its name, or by its hostname if it has no name."""
    found: dict[str, list[str]] = {"host": []}
    known = {pathlib.Path("/proc/1/ns/net").stat().st_ino}
    folder = pathlib.Path("/run/netns")
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        known.add(path.stat().st_ino)
        found[path.name] = ["ip", "netns", "exec", path.name]
    for path in pathlib.Path("/proc").glob("[0-9]*/ns/net"):
        try:
            number = path.stat().st_ino
        except OSError:
            continue
        if number not in known:
            known.add(number)
            enter = ["nsenter", "--target", path.parts[2], "--uts", "--net"]
            found[run(*enter, "hostname").strip()] = enter
    return found


def settled(data: t.Any) -> t.Any:
    """The data without values that change by themselves."""
    if isinstance(data, dict):
        return {key: settled(value) for key, value in data.items() if key not in VOLATILE}
    if isinstance(data, list):
        return [kept for kept in map(settled, data) if kept != {}]
    return data


def world() -> dict[str, t.Any]:
    """Everything that a lab can change, as a flat dict."""
    state: dict[str, t.Any] = {}
    for name, enter in namespaces().items():
        for what in ("-d link", "addr", "rule", "-6 rule", "route show table all", "-6 route show table all"):
            answer = run(*enter, "ip", "-j", *what.split())
            for entry in settled(json.loads(answer or "[]")):
                key = entry["ifname"] if what in ("-d link", "addr") else json.dumps(entry)
                state["{0}: ip {1}: {2}".format(name, what, key)] = entry
        state[name + ": nft"] = settled(json.loads(run(*enter, "nft", "-j", "list", "ruleset")))
    for path in pathlib.Path("/proc/sys/net").rglob("*"):
        if path.is_file() and not OTHER_SYSCTLS.search(str(path)):
            try:
                state[str(path)] = path.read_text()
            except OSError:
                continue
    for folder in ("/run/linuxnet.lab", "/run/netns"):
        state[folder] = sorted(str(path) for path in pathlib.Path(folder).rglob("*"))
    return state


def remember() -> None:
    """Record the state of the machine, unless it has been recorded before."""
    if not MEMORY.exists():
        MEMORY.write_text(json.dumps(world()))


def compare() -> None:
    """Compare the machine with its recorded state."""
    before, after = json.loads(MEMORY.read_text()), json.loads(json.dumps(world()))
    # Report a new link, but not its hundred sysctls.
    new = {key.rpartition(" ")[2] for key in after.keys() - before.keys() if key.startswith("host: ip -d link: ")}
    wrong = [
        "{0}\n    before: {1}\n    after:  {2}".format(key, before.get(key), after.get(key))
        for key in sorted(before.keys() | after.keys())
        if before.get(key) != after.get(key) and not set(key.split("/")[5:7]) & new
    ]
    if wrong:
        raise SystemExit("\n".join(wrong))


def expect(page: str) -> None:
    """Compare the machine with a page."""
    inside = namespaces()
    wrong = [*wrong_pings(page, inside), *wrong_settings(page, inside)]
    if wrong:
        raise SystemExit("\n".join(wrong))
    print(json.dumps(versions()))


def wrong_pings(page: str, inside: dict[str, list[str]]) -> list[str]:
    """The cells that are wrong in the page's first table of who reaches whom."""
    table = re.search(r"^\| from \\ to \|.*\n\|[-|]+\|\n(?:\|.*\n?)+", page, re.MULTILINE)
    if not table:
        return ["the page has no table of who reaches whom"]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.group().splitlines()]
    asked = [
        (name, address, cell)
        for names, *cells in rows[2:]
        for name in names.split(", ")
        for address, cell in zip(rows[0][1:], cells)
        if cell in ("yes", "no")
    ]
    with concurrent.futures.ThreadPoolExecutor(40) as pool:
        got = list(pool.map(lambda item: ping(inside.get(item[0]), item[1]), asked))
    return [
        "{0} to {1}: {2}, not {3}".format(name, address, answer, cell)
        for (name, address, cell), answer in zip(asked, got)
        if answer != cell
    ]


def ping(enter: list[str] | None, address: str) -> str:
    """Whether there is an answer: yes or no."""
    if enter is None:
        return "no such namespace"
    # An emulated machine is slow, so give it time to answer.
    done = subprocess.run([*enter, "ping", "-n", "-c", "1", "-W", "3", address], capture_output=True, check=False)
    return "no" if done.returncode else "yes"


def wrong_settings(page: str, inside: dict[str, list[str]]) -> list[str]:
    """The page's commands whose effects ip and nft do not show."""
    commands = page.partition("<!-- commands: begin -->")[2].partition("<!-- commands: end -->")[0]
    has: set[tuple[str, ...]] = set()
    for name, enter in inside.items():
        for link in json.loads(run(*enter, "ip", "-j", "addr")):
            has |= {(name, link["ifname"], "{local}/{prefixlen}".format(**each)) for each in link["addr_info"] if each}
            has |= {(name, link["ifname"], "master", link["master"])} if "master" in link else set()
            has |= {(name, link["ifname"], "up")} if "UP" in link["flags"] else set()
        for route in json.loads(run(*enter, "ip", "-j", "route")):
            has |= {(name, "route", route["dst"], key, route.get(key, "")) for key in ("gateway", "dev")}
        for entry in json.loads(run(*enter, "nft", "-j", "list", "tables"))["nftables"]:
            if "table" in entry:
                has.add((name, "table", entry["table"]["family"], entry["table"]["name"]))

    wanted: dict[tuple[str, ...], str] = {}
    for line in commands.splitlines():
        # A command names its namespace after `ip -n`, or by a variable with the PID of a process in it.
        within = re.match(r"ip -n (\S+) |nsenter (?:-t|--target)[ =]\$(\w+) ", line)
        name = (within.group(1) or within.group(2)) if within else "host"
        if match := re.search(r"addr add (\S+) .*dev (\S+)", line):
            wanted[(name, match.group(2), match.group(1))] = line
        elif match := re.search(r"link set (\S+) master (\S+)", line):
            wanted[(name, match.group(1), "master", match.group(2))] = line
        elif match := re.search(r"link set (\S+) up", line):
            wanted[(name, match.group(1), "up")] = line
        elif match := re.search(r"route add (\S+)(?: via (\S+))?(?: dev (\S+))?", line):
            for key, value in (("gateway", match.group(2)), ("dev", match.group(3))):
                if value:
                    wanted[(name, "route", match.group(1), key, value)] = line
        elif match := re.match(r"nft add table (\S+) (\S+)", line):
            wanted[("host", "table", match.group(1), match.group(2))] = line
        elif match := re.match(r"sysctl -w (\S+)=(\S+)", line):
            if run("sysctl", "-n", match.group(1)).strip() == match.group(2):
                has.add(("host", "sysctl", line))
            wanted[("host", "sysctl", line)] = line
    return ["not so: " + line for fact, line in wanted.items() if fact not in has]


def versions() -> dict[str, str]:
    """The versions of the software on this machine."""
    release = dict(
        line.replace('"', "").split("=", 1) for line in pathlib.Path("/etc/os-release").read_text().splitlines() if line
    )
    # Look first in the modules' own folder, into which the role prepare unpacks a wheel, then in the system's folders.
    version = "import sys; sys.path.insert(0, '/usr/local/lib/linuxnet.lab/python')\n"
    version += "from importlib.metadata import version; print(version('pyroute2'))"
    return {
        "distribution": "Debian " + (release.get("VERSION_ID") or release["VERSION_CODENAME"]),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "pyroute2": run(sys.executable, "-c", version).strip(),
        "iproute2": run("ip", "-V").split("iproute2-")[1].split(",")[0].strip(),
        "nftables": run("nft", "-v").split()[1].lstrip("v"),
    }


if __name__ == "__main__":
    {"remember": remember, "compare": compare, "expect": expect}[sys.argv[1]](*sys.argv[2:])
