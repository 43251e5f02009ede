# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compare the times of whole ansible-playbook runs with those of other programs for the same lab.

The lab has N containers on one bridge, each with an address, a default route, and its link and `lo` up. The host
forwards. Besides a task of the module topology, the program measures `ip -batch` with one `ip -n NAME -batch` for each
namespace, and Mininet with a Linux bridge. Mininet sets no default routes, and its host does not forward. It is
omitted unless the Debian packages mininet and bridge-utils are installed.

No playbook can be faster than one empty task and the compiled program floor.c together.

Run it as root: .venv/bin/python tests/benchmark/topology.py [N ...]. After more than 500, let the machine rest.
"""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

from engine import LAB, USUAL, compiled_floor, drain, lab, nodes, settle

ROOT = pathlib.Path(__file__).resolve().parents[2]
ANSIBLE = os.path.join(sys.prefix, "bin", "ansible-playbook")
PRIVATE = 'mount --make-rprivate / && mount -t tmpfs run /run && mount -t sysfs sys /sys && ip link set lo up && "$@"'
WORLD = ("unshare", "--net", "--mount", "bash", "-c", PRIVATE, "--")
DEBIAN_PYTHON = "/usr/bin/python3"

MININET = """
import sys, time
from mininet.net import Mininet
from mininet.nodelib import LinuxBridge
from mininet.topo import SingleSwitchTopo

start = time.perf_counter()
net = Mininet(topo=SingleSwitchTopo(int(sys.argv[1])), switch=LinuxBridge, controller=None)
net.start()
built = time.perf_counter()
net.stop()
print(built - start, time.perf_counter() - built)
"""

EMPTY = "ansible: one empty task"
# The shortest playbook: one task of a module that does nothing.
EMPTY_MODULE = """#!/usr/bin/python
from ansible.module_utils.basic import AnsibleModule

AnsibleModule(argument_spec={}, supports_check_mode=True).exit_json(changed=False)
"""


def write_inputs(folder: pathlib.Path, count: int) -> None:
    """Write the input files of all programs."""
    tasks = {
        "build": {"linuxnet.lab.topology": {"topology": lab(count)}},
        "add": {"linuxnet.lab.topology": {"topology": lab(count + 1)}},
        "remove": {"linuxnet.lab.topology": {"name": LAB, "state": "absent"}},
        "nothing": {"nothing": {}},
    }
    for name, task in tasks.items():
        play = {"hosts": "localhost", "gather_facts": False, "tasks": [task]}
        (folder / f"{name}.yml").write_text(json.dumps([play]))
    (folder / "library").mkdir()
    (folder / "library" / "nothing.py").write_text(EMPTY_MODULE)
    (folder / "single_switch.py").write_text(MININET)
    write_batches(folder, count)


def write_batches(folder: pathlib.Path, count: int) -> None:
    """Write the lab as files for `ip -batch`, and the script that runs them."""
    host = ["link add br0 type bridge", "addr add 10.0.0.1/16 dev br0"]
    script = ["set -e", f"ip -batch {folder}/host"]
    for n in range(1, count + 1):
        host += [
            f"netns add web{n}",
            f"link add v{n} type veth peer name eth0 netns web{n}",
            f"link set v{n} master br0 up",
        ]
        inside = [
            "link set lo up",
            f"addr add 10.0.{(n + 1) >> 8}.{(n + 1) & 255}/16 dev eth0",
            "link set eth0 up",
            "route add default via 10.0.0.1",
        ]
        (folder / f"web{n}").write_text("\n".join(inside) + "\n")
        script.append(f"ip -n web{n} -batch {folder}/web{n}")
    host.append("link set br0 up")
    (folder / "host").write_text("\n".join(host) + "\n")
    script.append("echo 1 > /proc/sys/net/ipv4/ip_forward")
    (folder / "script").write_text("\n".join(script) + "\n")


def clock(*command: str) -> tuple[float, str]:
    """The seconds and the output of a command. SystemExit if it fails."""
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    taken = time.perf_counter() - start
    if done.returncode:
        sys.exit(f"{command} failed:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return taken, done.stdout


def ansible(folder: pathlib.Path) -> dict[str, float]:
    """The times of whole runs of ansible-playbook, in the world of the caller."""
    taken = {EMPTY: clock(ANSIBLE, f"{folder}/nothing.yml")[0]}
    for title, play in (
        ("build", "build"),
        ("run again", "build"),
        ("add one", "add"),
        ("remove", "remove"),
    ):
        if title == "run again":
            settle()
        taken["topology: " + title] = clock(ANSIBLE, f"{folder}/{play}.yml")[0]
    return taken


def inside(command: str) -> float:
    """The seconds of a shell command in a new private world, without the time to create that world."""
    done = subprocess.run([*WORLD, "bash", "-c", f"time -p {command}"], capture_output=True, text=True, check=True)
    words = done.stderr.split()
    return float(words[words.index("real") + 1])


def contest(folder: pathlib.Path, count: int) -> dict[str, float]:
    """Run each program once, in its own private world, with a pause after each."""
    before = nodes()
    own = clock(*WORLD, sys.executable, __file__, "--ansible", os.fspath(folder))[1]
    drain(before)
    taken = json.loads(own)
    taken["floor: build"] = inside(f"{compiled_floor(os.fspath(folder))} build {count}")
    drain(before)
    taken["ip -batch: build"] = inside(f"bash {folder}/script")
    drain(before)
    if subprocess.run([DEBIAN_PYTHON, "-c", "import mininet"], stderr=subprocess.DEVNULL, check=False).returncode == 0:
        program = [DEBIAN_PYTHON, f"{folder}/single_switch.py", str(count)]
        done = subprocess.run([*WORLD, *program], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
        build, stop = done.stdout.split()[-2:]
        taken["Mininet: build"], taken["Mininet: stop"] = float(build), float(stop)
        drain(before)
    return taken


def main() -> None:
    """Compare, and print seconds and ratios side by side."""
    if sys.argv[1:2] == ["--ansible"]:
        print(json.dumps(ansible(pathlib.Path(sys.argv[2]))))
        return
    columns: dict[int, dict[str, float]] = {}
    counts = [int(argument) for argument in sys.argv[1:]] or USUAL
    for count in counts:
        with tempfile.TemporaryDirectory() as folder:
            write_inputs(pathlib.Path(folder), count)
            one = columns[count] = contest(pathlib.Path(folder), count)
        one["topology / (empty + floor)"] = one["topology: build"] / (one[EMPTY] + one["floor: build"])
        one["run again / empty"] = one["topology: run again"] / one[EMPTY]
        one["remove / build"] = one["topology: remove"] / one["topology: build"]
        one["ip -batch / topology"] = one["ip -batch: build"] / one["topology: build"]
        if "Mininet: build" in one:
            one["Mininet / topology"] = one["Mininet: build"] / one["topology: build"]
    print("{0:28}".format("seconds") + "".join(f"{f'N={count}':>10}" for count in counts))
    for name in columns[counts[0]]:
        print(f"{name:28}" + "".join(f"{columns[count][name]:10.3f}" for count in counts))


if __name__ == "__main__":
    main()
