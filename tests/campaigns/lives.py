# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Labs whose builds, edits and removals the campaigns interrupt, and the state of a machine before and after."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import re
import typing as t

import pytest

from ansible_collections.linuxnet.lab.plugins.module_utils.host import persistence

from ..integration.conftest import World, comparable
from ..integration.test_leaks import seen_from_proc
from ..integration.test_topology_present import FOREIGN, places, seen

_FOLDERS = ("/run", "/etc/sysctl.d", "/etc/linuxnet.lab", "/etc/systemd", "/etc/code")
_VOLATILE = ("nf_conntrack_count", "/stable_secret")


class Life(t.NamedTuple):
    """The phases of a lab's life, each with the function that runs it: build, edit, absent (removal).

    :ivar topology: the topology after the edit, for comparisons.
    """

    build: t.Callable[[World], None]
    edit: t.Callable[[World], None]
    absent: t.Callable[[World], None]
    topology: dict[str, t.Any]


@contextlib.contextmanager
def machine(world: World) -> t.Iterator[None]:
    """Make the world a machine with systemd and its own /etc, on which there were labs before, and which has objects of
    others.
    """
    world.sh("mkdir /run/disk; mount -t tmpfs disk /run/disk; cp -a /etc /run/disk; mount --bind /run/disk/etc /etc")
    world.sh("umount -l /run/disk; rmdir /run/disk; rm -rf /etc/systemd")
    world.sh("mkdir -p /run/systemd/system /etc/systemd/system /etc/code")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(persistence, "CODE", "/etc/code/linuxnet.lab/boot.pyz")
        world.sh(FOREIGN)
        TOPOLOGY.build(world)
        TOPOLOGY.absent(world)
        yield


def machine_state(world: World) -> dict[str, t.Any]:
    """Everything that a lab can change on a machine, as the kernel and the files show it."""
    proc = {name: str(value) for name, value in seen_from_proc(world).items()}
    return {"kernel": world.state(), "more": _more(world), "proc": proc, "files": files()}


def lab_state(world: World, life: Life) -> dict[str, t.Any]:
    """The state of a lab, without what differs between two builds of the same lab."""
    found = seen(world, life.topology)
    mac = re.compile("([0-9a-f]{2}:){5}[0-9a-f]{2}")
    names = {path: mac.sub("", text) for path, text in files().items() if not path.startswith("/run/linuxnet.lab")}
    more = {name: comparable(values) for name, values in _more(world).items()}
    return {"kernel": found, "more": more, "files": names}


def _more(world: World) -> dict[str, t.Any]:
    found = {}
    for name, ref in places(world).items():
        text = world.sh("ip rule; ip -6 rule; ip neigh show nud permanent; ip neigh show proxy", ref)
        found[name] = {"text": sorted(text.splitlines())}
    found["sysctls"] = sysctls()
    return found


def sysctls() -> dict[str, str]:
    """All network sysctls of the namespace."""
    found = {}
    for folder, dummy, names in os.walk("/proc/sys/net"):
        for name in names:
            path = os.path.join(folder, name)
            with contextlib.suppress(OSError):
                if not path.endswith(_VOLATILE):
                    found[path] = pathlib.Path(path).read_text(encoding="utf-8")
    return found


def files() -> dict[str, str]:
    """The files and folders in the folders where a lab stores something, with their modes and texts."""
    found = {}
    for folder in _FOLDERS:
        for path in pathlib.Path(folder).rglob("*"):
            if not str(path).startswith("/run/netns/"):
                text = path.read_text(errors="replace") if path.is_file() and not path.is_symlink() else ""
                if path.suffix == ".json":
                    text = json.dumps(json.loads(text), sort_keys=True)
                found[str(path)] = "{0:o} {1}".format(path.lstat().st_mode, text)
    found["/run/netns"] = " ".join(sorted(os.listdir("/run/netns")))
    return found


# -- a topology with every kind of object -----------------------------------------------------------------------------

_FIRST: dict[str, t.Any] = {
    "name": "demo",
    "namespaces": {
        "c1": {"sysctls": {"net.ipv4.tcp_sack": 0}, "lo": "10.255.0.1"},
        "h1": {"kind": "held", "hostname": "box"},
        "r": {"forwarding": True},
        "host": {"forwarding": True, "sysctls": {"net.ipv4.conf.all.rp_filter": 2}},
    },
    "segments": {
        "lan": {"bridge": "br0", "prefix": ["10.1.0.0/24", "fd01::/64"], "gateway": "host", "members": ["c1", "h1"]},
        "dmz": {"netns": "r", "prefix": "10.3.0.0/24", "gateway": "r", "members": "c1", "default_route": False},
    },
    "links": [{"ends": ["c1:x0", "r:x1"], "prefix": "10.2.0.0/30", "mtu": 1400}],
    "routes": [
        {"netns": "c1", "dst": "10.8.0.0/16", "via": "r"},
        {"netns": "r", "dst": "10.9.0.0/16", "type": "blackhole"},
    ],
    "neighbors": [{"netns": "c1", "dst": "10.2.0.2", "dev": "x0", "lladdr": "02:00:00:00:00:aa"}],
    "masquerade": "lan",
}  # fmt: skip

_SECOND: dict[str, t.Any] = {
    "name": "demo",
    "namespaces": {
        "c1": {"sysctls": {"net.ipv4.tcp_ecn": 0}},
        "c2": None,
        "h1": {"kind": "held", "hostname": "case"},
        "r": {"kind": "held", "forwarding": True},
        "host": {"forwarding": True, "sysctls": {"net.ipv4.conf.all.rp_filter": 1}},
    },
    "segments": {
        "lan": {"bridge": "br0", "prefix": ["10.1.0.0/24", "fd01::/64"], "gateway": "host", "members": ["c1", "c2"],
                "stp": True, "forward_delay": 4},
        "dmz": {"netns": "r", "prefix": "10.3.0.0/16", "gateway": "r", "members": "h1", "default_route": False},
    },
    "links": [{"ends": ["c1:x0", "r:x1"], "prefix": "10.2.0.0/30", "mtu": 1300}],
    "routes": [{"netns": "c1", "dst": "10.7.0.0/16", "via": "r"}],
    "neighbors": [{"netns": "c1", "dst": "10.2.0.2", "dev": "x0", "lladdr": "02:00:00:00:00:bb"}],
    "masquerade": {"src": "lan", "forward": "open"},
}  # fmt: skip

TOPOLOGY = Life(
    lambda world: world.run("topology", topology=_FIRST, persist=True),
    lambda world: world.run("topology", topology=_SECOND, persist=True),
    lambda world: world.run("topology", name="demo", state="absent"),
    _SECOND,
)

# -- bridge_nat, as the role's tasks build it -------------------------------------------------------------------------


def _bridge_nat(world: World, containers: dict[str, int], options: dict[str, t.Any], persist: bool) -> None:
    lab = {"lab": "bridge_nat"}
    world.run("netns", **lab, name=["inet"])
    peer = {"name": "eth0", "netns": "inet", "addresses": ["192.0.3.1/24"]}
    world.run("veth", **lab, name="inet0", addresses=["192.0.3.2/24"], peer=peer)
    world.run("address", **lab, netns="inet", dev="lo", addresses=["203.0.113.8/32"])
    world.run("route", **lab, dst="203.0.113.8", via="192.0.3.1", dev="inet0")
    world.run("netns", **lab, name=list(containers))
    world.run("bridge", **lab, name="br0", addresses=["10.0.0.1/24", "fd00:0:0:10::1/64"])
    pairs, routes = [], []
    for name, number in containers.items():
        own = ["10.0.0.{0}/24".format(number), "fd00:0:0:10::{0}/64".format(number)]
        pairs.append({"name": "veth" + name, "peer": {"name": "up0", "netns": name, "addresses": own}})
        ways = ("10.0.0.1", "fd00:0:0:10::1")
        routes += [{"netns": name, "dst": "default", "via": via, "dev": "up0"} for via in ways]
    world.run("veth", **lab, master="br0", pairs=pairs)
    world.run("route", **lab, routes=routes)
    settings = {"net.ipv4.ip_forward": 1, "net/ipv6/conf/inet0/accept_ra": 2, "net.ipv6.conf.all.forwarding": 1}
    world.run("sysctl", **lab, settings=settings)
    world.run("masquerade", **lab, rules=[{"src": "10.0.0.0/24"}, {"src": "fd00:0:0:10::/64"}], **options)
    if persist:
        world.run("persist", **lab)


def _edit_bridge_nat(world: World) -> None:
    world.run("netns", lab="bridge_nat", name=["c2"], state="absent")
    _bridge_nat(world, {"c1": 7, "c3": 4}, {"not_oif": "br0", "forward": "open"}, persist=True)


BRIDGE_NAT = Life(
    lambda world: _bridge_nat(world, {"c1": 2, "c2": 3}, {"oif": "inet0"}, persist=False),
    _edit_bridge_nat,
    lambda world: world.run("topology", name="bridge_nat", state="absent"),
    {},
)

LIVES = {"bridge_nat": BRIDGE_NAT, "topology": TOPOLOGY}

PHASES = ("build", "edit", "absent")


class Trial:
    """Tries one phase of a lab's life many times in one world.

    :ivar empty: the machine before the lab.
    """

    def __init__(self, world: World, life: Life, phase: str) -> None:
        self.world = world
        self.life = life
        self.phase = phase
        self.empty = machine_state(world)
        self.prepare()

    def prepare(self) -> None:
        """Bring the lab to the state in which the phase begins."""
        if self.phase != "build":
            self.life.build(self.world)
