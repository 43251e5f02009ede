# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The private world in which every test of the kernel runs, and functions to run and observe modules in it."""

from __future__ import annotations

import contextlib
import difflib
import importlib
import importlib.metadata
import io
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import typing as t
import unittest.mock

import pytest
from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.testing import patch_module_args

from ansible_collections.linuxnet.lab.plugins.module_utils.commands import variable
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import namespaces, syscalls
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.held import holders

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Recap(t.NamedTuple):
    """The result of a playbook: its exit code, Ansible's counts for the one host, and the whole output."""

    code: int
    counts: dict[str, int]
    text: str


class World:
    """A network of its own, in which the process of the tests is "the host". The fixture `world` creates and removes
    it.
    """

    def sh(self, command: str, netns: str = "", check: bool = True) -> str:
        """Run shell commands in a namespace of this world, and return their output. They are the oracle, never the
        subject.
        """
        with namespaces.inside_ref(netns):
            done = subprocess.run(
                ["/bin/bash", "-c", command], capture_output=True, text=True, timeout=120, check=False
            )
        if check and done.returncode:
            raise AssertionError("{0!r} in {1!r}: {2}{3}".format(command, netns, done.stdout, done.stderr))
        return done.stdout

    def json(self, command: str, netns: str = "") -> t.Any:
        """The JSON that a command prints (`ip -j ...`, `nft -j ...`)."""
        return json.loads(self.sh(command, netns) or "[]")

    def links(self, netns: str = "") -> dict[str, dict[str, t.Any]]:
        """The links of `ip -d -j link`, by name."""
        return {link["ifname"]: link for link in self.json("ip -d -j link", netns)}

    def addresses(self, dev: str, netns: str = "", family: str = "inet") -> list[str]:
        """The addresses of a link as CIDR strings, in the kernel's order, without link-local ones."""
        found = self.json("ip -j addr show dev {0}".format(dev), netns)
        return [
            "{local}/{prefixlen}".format(**info)
            for link in found
            for info in link.get("addr_info", [])
            if info["family"] == family and info["scope"] != "link"
        ]

    def routes(self, netns: str = "", arguments: str = "") -> list[dict[str, t.Any]]:
        """`ip -j route show` with further arguments."""
        return self.json("ip -j {0} route show".format(arguments), netns)

    def ping(self, netns: str, address: str, count: int = 1) -> bool:
        """Whether ping(8) in the namespace gets an answer."""
        with namespaces.inside_ref(netns):
            done = subprocess.run(
                ["ping", "-n", "-c", str(count), "-i", "0.2", "-W", "3", address],
                capture_output=True,
                timeout=60,
                check=False,
            )
        return done.returncode == 0

    def module(self, name: str, /, check: bool = False, diff: bool = True, **arguments: t.Any) -> dict[str, t.Any]:
        """Run a module of the collection in this process, and return its result, including `failed` and `msg`.

        After a change by the module `topology`, read the kernel again, and fail if it differs from the topology.
        """
        if name == "topology":
            arguments = {"recheck": True, **arguments}
        module = importlib.import_module("ansible_collections.linuxnet.lab.plugins.modules." + name)
        arguments.update(_ansible_check_mode=check, _ansible_diff=diff, _ansible_remote_tmp="/tmp")
        printed = io.StringIO()
        warnings: list[str] = []  # Ansible's own list contains the warnings of all runs in the process
        warn = unittest.mock.patch.object(AnsibleModule, "warn", lambda self, text: warnings.append(text))
        with patch_module_args(arguments), warn, contextlib.redirect_stdout(printed), pytest.raises(SystemExit):
            module.main()
        result = json.loads(printed.getvalue())
        return {**result, "warnings": warnings}

    def run(self, name: str, /, **arguments: t.Any) -> dict[str, t.Any]:
        """Run a module as :meth:`module`, and require that it succeeds."""
        result = self.module(name, **arguments)
        assert not result.get("failed"), result.get("msg")
        return result

    def quartet(self, name: str, /, **arguments: t.Any) -> dict[str, t.Any]:
        """Run a module in check mode, for real, in check mode, and for real. Only the first two runs report a change.

        :returns: the result of the first real run.
        """
        before = self.state()
        predicted = self.run(name, check=True, **arguments)
        assert_same(before, self.state(), "check mode changed something")
        done = self.run(name, **arguments)
        assert predicted["changed"] is done["changed"] is True
        assert predicted["commands"] == done["commands"]
        assert predicted["diff"] == done["diff"]
        after = self.state()
        for check in (True, False):
            again = self.run(name, check=check, **arguments)
            assert (again["changed"], again["commands"]) == (False, [])
            assert_same(after, self.state(), "a second run changed something")
        return done

    @staticmethod
    def playbook(name: str, *arguments: str, path: str | None = None) -> Recap:
        """Run one of the collection's playbooks with ansible-playbook, as a user does. *path* replaces PATH."""
        program = os.path.join(sys.prefix, "bin", "ansible-playbook")
        environment = dict(os.environ, ANSIBLE_HOST_PATTERN_MISMATCH="error", ANSIBLE_NOCOLOR="1")
        if path is not None:
            environment["PATH"] = path
        command = [program, "playbooks/{0}.yml".format(name), *arguments]
        done = subprocess.run(
            command, capture_output=True, text=True, env=environment, cwd=ROOT, timeout=240, check=False
        )
        found = re.search(r"^\S+ +: (ok=.*)$", done.stdout, re.MULTILINE)
        counts = {key: int(number) for key, number in re.findall(r"(\w+)=(\d+)", found.group(1) if found else "")}
        return Recap(done.returncode, counts, done.stdout + done.stderr)

    def played(self, name: str, *arguments: str) -> int:
        """Run a playbook, and require that it succeeds.

        :returns: how many tasks changed something.
        """
        recap = self.playbook(name, *arguments)
        assert recap.code == 0, recap.text
        return recap.counts["changed"]

    @staticmethod
    def another() -> contextlib.AbstractContextManager[World]:
        """A second, empty world, in which to run commands by hand. The body runs in that world."""
        return private_world()

    def refused(self, name: str, /, **arguments: t.Any) -> list[str]:
        """Run a module that must fail, and must change nothing.

        :returns: the errors.
        """
        before = self.state()
        result = self.module(name, **arguments)
        assert result.get("failed"), result
        assert_same(before, self.state(), "what was refused changed something")
        return result["errors"]

    def state(self) -> dict[str, t.Any]:
        """The state that independent tools report: links, addresses, routes, rulesets, forwarding, in all namespaces.
        """
        processes = {holder.name: str(holder.pid) for holder in holders()}
        return self.look({**{ref: ref for ref in ["", *namespaces.named()]}, **processes})

    def look(self, places: dict[str, str]) -> dict[str, t.Any]:
        """The state of some namespaces, given as references by name. For a namespace that a process holds, also its
        hostname.
        """
        commands = {
            "link": ["ip", "-d", "-j", "addr"],
            "route": ["ip", "-j", "route", "show", "table", "all"],
            "route6": ["ip", "-6", "-j", "route", "show", "table", "all"],
            "nft": ["nft", "-j", "list", "ruleset"],
        }
        started: list[tuple[str, str, subprocess.Popen[str]]] = []
        seen: dict[str, t.Any] = {}
        for name, ref in places.items():
            with namespaces.inside_ref(ref):
                for key, command in commands.items():
                    started.append((name, key, subprocess.Popen(command, stdout=subprocess.PIPE, text=True)))
                files = ("/proc/sys/net/ipv4/ip_forward", "/proc/sys/net/ipv6/conf/all/forwarding")
                seen[name] = {"forward": [pathlib.Path(file).read_text().strip() for file in files]}
            if ref.isdigit():
                seen[name]["hostname"] = self.sh("nsenter -t {0} --uts hostname".format(ref)).strip()
        for name, key, process in started:
            text = process.communicate(timeout=60)[0]
            assert process.returncode == 0
            seen[name][key] = _without_noise(json.loads(text or "[]"))
        return seen

    def comparable(self) -> dict[str, t.Any]:
        """The state without values that differ between two worlds with the same lab, for :meth:`by_hand`."""
        return comparable(self.state())

    def as_typed(self) -> dict[str, t.Any]:
        """The state as if it had been typed: :meth:`comparable`, and the collection's routes with ip-route(8)'s
        protocol.

        It does not contain the lab's nftables table, which no documentation of a lab shows.
        """
        seen = self.comparable()
        for state in seen.values():
            state["nft"] = {"nftables": state["nft"]["nftables"][:1]}
            for route in state["route"] + state["route6"]:
                if route.get("protocol") == "76":
                    del route["protocol"]
        return seen

    def by_hand(self, commands: list[str], setup: str = "", held: t.Sequence[str] = ()) -> dict[str, t.Any]:
        """The state that a module's commands produce in a shell, in another world, which is empty or which *setup*
        prepares.

        :arg held: the namespaces for which the commands start processes.
        """
        assert not re.search(r"netns 1\b", "\n".join(commands)), "process 1 is not of this world"
        with private_world() as other, tempfile.TemporaryFile("w+") as output:
            variables = ["echo ${0}".format(variable(name)) for name in held]
            silent = [command.replace("sysctl -w", "sysctl -qw") for command in commands]
            script = "\n".join(["set -e; trap 'kill $(jobs -p)' ERR", setup, *silent, *variables])
            # A file, because the processes that the commands start keep the output open.
            command = ["/bin/bash", "-c", script]
            subprocess.run(command, stdout=output, stderr=subprocess.STDOUT, timeout=60, check=False)
            output.seek(0)
            printed = output.read().split()
            assert all(word.isdigit() for word in printed) and len(printed) == len(variables), printed
            try:
                seen = other.state()
                return comparable({**seen, **other.look(dict(zip(held, printed)))})
            finally:
                for pid in printed:
                    os.kill(int(pid), signal.SIGKILL)


def from_the_top(commands: list[str]) -> list[str]:
    """Commands that follow others in a shell, with that shell's variables for held namespaces instead of PIDs."""
    text = "\n".join(commands)
    for holder in holders():
        text = re.sub(r"(?<!\S)(-t|netns|kill) {0}\b".format(holder.pid), r"\1 $" + variable(holder.name), text)
    return text.splitlines()


@contextlib.contextmanager
def tcp_ends(client: str, server: str, address: str) -> t.Iterator[tuple[socket.socket, socket.socket]]:
    """A socket in namespace *server* that listens at the address, port 7000, and one in *client* to connect from."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with namespaces.inside_ref(server):
        listener = socket.create_server((address, 7000), family=family)
    with listener:
        with namespaces.inside_ref(client):
            caller = socket.socket(family, socket.SOCK_STREAM)
        with caller:
            yield listener, caller


def assert_same(before: t.Any, after: t.Any, otherwise: str) -> None:
    """Compare two states. A failure shows the differences as a diff."""
    if before != after:
        texts = [json.dumps(state, indent=1, sort_keys=True).splitlines() for state in (before, after)]
        raise AssertionError("\n".join([otherwise, *difflib.unified_diff(*texts, n=8, lineterm="")]))


def comparable(value: t.Any) -> t.Any:
    """A state without the marks of ownership, and without numbers and MAC addresses that the kernel chooses at random.
    """
    chance = {"ifindex", "link_index", "link_netnsid", "ifalias", "address", "bridge_id", "root_id",
              "designated_bridge", "designated_root"}  # fmt: skip
    if isinstance(value, dict):
        return {key: comparable(item) for key, item in value.items() if key not in chance}
    if isinstance(value, list):
        kept = [comparable(item) for item in value]
        return sorted(kept, key=_place) if all(isinstance(item, dict) and "ifname" in item for item in kept) else kept
    return value


def _place(link: dict[str, t.Any]) -> str:
    return link["ifname"]


def _without_noise(value: t.Any) -> t.Any:
    """The state without values that change by themselves: timers, counters, and link-local addresses that are
    tentative.
    """
    moving = {"gc_timer", "hello_timer", "tcn_timer", "topology_change_timer", "tentative", "operstate",
              "valid_life_time", "preferred_life_time", "packets", "bytes", "expires", "state", "fdb_n_learned",
              "topology_change", "topology_change_detected", "message_age_timer", "forward_delay_timer",
              "hold_timer", "handle"}  # fmt: skip
    if isinstance(value, dict):
        kept = {key: _without_noise(item) for key, item in value.items() if key not in moving}
        if kept.get("stp_state"):  # after a change of topology, STP uses another ageing time: net/bridge/br_stp.c
            kept.pop("ageing_time", None)
        if "flags" in kept:  # only flags that are settings, not those that depend on a carrier
            kept["flags"] = [flag for flag in kept["flags"] if flag in ("UP", "NOARP", "MULTICAST")]
        return kept
    if isinstance(value, list):
        kept = [_without_noise(item) for item in value if not _comes_and_goes(item)]
        return kept
    return value


def _comes_and_goes(item: t.Any) -> bool:
    """Whether an entry appears by itself after a link is up: IPv6 link-local, multicast, or of IPv6's local table."""
    if not isinstance(item, dict):
        return False
    if item.get("table") == "local":
        return True
    text = "{0} {1}".format(item.get("dst", ""), item.get("local", ""))
    return "fe80:" in text or "ff00::" in text


def pytest_report_header() -> str:
    """Print the version of pyroute2 that the tests use."""
    return "pyroute2 {0}".format(importlib.metadata.version("pyroute2"))


@contextlib.contextmanager
def private_world() -> t.Iterator[World]:
    """New network and mount namespaces with an empty /run and their own /sys. They disappear after the body."""
    homes = [
        (os.open("/proc/self/ns/" + kind, os.O_RDONLY | os.O_CLOEXEC), flag)
        for kind, flag in (("mnt", syscalls.CLONE_NEWNS), ("net", syscalls.CLONE_NEWNET))
    ]
    directory = os.getcwd()
    try:
        syscalls.unshare(syscalls.CLONE_NEWNS | syscalls.CLONE_NEWNET)
        syscalls.mount("", "/", "none", syscalls.MS_REC | syscalls.MS_PRIVATE)
        with contextlib.suppress(OSError):  # remove the machine's mounts there; hidden ones would still be in mountinfo
            while True:
                syscalls.umount("/run/netns", syscalls.MNT_DETACH)
        syscalls.mount("run", "/run", "tmpfs", 0)
        syscalls.mount("etc", "/etc/sysctl.d", "tmpfs", 0)
        syscalls.mount("sys", "/sys", "sysfs", 0)
        syscalls.mount("/dev/null", "/etc/resolv.conf", "", syscalls.MS_BIND)  # hide the machine's resolver
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        yield World()
    finally:
        for holder in holders():
            os.kill(holder.pid, signal.SIGKILL)
        while len(os.listdir("/proc/self/task")) > 1:  # a joined thread may still be ending; setns(mnt) needs one
            time.sleep(0.01)
        for home, flag in homes:
            syscalls.setns(home, flag)
            os.close(home)
        os.chdir(directory)


@pytest.fixture
def world() -> t.Iterator[World]:
    """The private world of the test."""
    with private_world() as made:
        yield made
