# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import subprocess
import typing as t

import pytest

from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import syscalls, sysctl
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.held import holders

if t.TYPE_CHECKING:
    from .conftest import World

LAB = "demo"
FORWARD = "net.ipv4.ip_forward"
GROUPS = "net.ipv4.ping_group_range"
NO_IPV6 = "net.ipv6.conf.all.disable_ipv6"
KEPT = "/etc/sysctl.d/90-linuxnet.lab-demo.conf"


def value(world: World, name: str, netns: str = "") -> str:
    """The kernel's value of a sysctl. A name with slashes is used as it is."""
    path = name if "/" in name else name.replace(".", "/")
    return " ".join(world.sh("cat /proc/sys/" + path, netns).split())


def files(world: World) -> str:
    """All files of the collection that belong to sysctls, with their folders."""
    look = "find run/linuxnet.lab/* etc/sysctl.d 2>/dev/null | grep -v /held"
    look += "; cat etc/sysctl.d/* run/linuxnet.lab/* 2>/dev/null"
    return world.sh("cd /; {0}; true".format(look))


NO_FILES = "etc/sysctl.d\n"


def put(world: World, lab: str = LAB, **arguments: t.Any) -> dict[str, t.Any]:
    """Set sysctls, and require that this succeeds."""
    return world.run("sysctl", lab=lab, **arguments)


def give_back(world: World, *names: str, lab: str = LAB, **arguments: t.Any) -> dict[str, t.Any]:
    """Restore sysctls, and require that this succeeds."""
    return world.run("sysctl", lab=lab, settings=dict.fromkeys(names), state="absent", **arguments)


def sysctls(done: dict[str, t.Any], title: str) -> dict[str, t.Any]:
    """The sysctls of a namespace before and after a run, from its diff. On the host, the diff also has the guard."""
    return {when: there[title]["sysctl"] for when, there in done["diff"].items()}


@pytest.fixture(params=["host", "named", "held", "pid", "path"])
def place(request: pytest.FixtureRequest, world: World) -> t.Iterator[str]:
    """The host, and a namespace with each kind of reference."""
    process = None
    if request.param in ("named", "held"):
        world.run("netns", lab=LAB, name=["c1"], held=request.param == "held")
    elif request.param == "pid":
        process = subprocess.Popen(["sleep", "60"], preexec_fn=lambda: syscalls.unshare(syscalls.CLONE_NEWNET))
    else:
        world.sh("ip netns add c1")
    yield {"host": "", "pid": str(process and process.pid), "path": "/run/netns/c1"}.get(request.param, "c1")
    if process:
        process.kill()
        process.wait()


def test_set_and_given_back_everywhere(world: World, place: str) -> None:
    """Booleans become numbers, and the blanks between several numbers do not matter."""
    settings = {FORWARD: 1, NO_IPV6: True, GROUPS: "5\t 10"}
    before = [value(world, name, place) for name in settings]
    assert before == ["0", "0", "1 0"]
    done = world.quartet("sysctl", lab=LAB, netns=place, settings=settings)
    assert [value(world, name, place) for name in settings] == ["1", "1", "5 10"]
    old, new = (dict(zip(settings, values)) for values in (before, ["1", "1", "5 10"]))
    title = place or "host"
    assert sysctls(done, title) == {"before": old, "after": new}
    world.sh("sysctl -qw {0}=0".format(NO_IPV6), place)
    done = world.quartet("sysctl", lab=LAB, netns=place, settings=settings)
    assert sysctls(done, title) == {"before": {NO_IPV6: "0"}, "after": {NO_IPV6: "1"}}
    done = world.quartet("sysctl", lab=LAB, netns=place, settings=settings, state="absent")
    assert [value(world, name, place) for name in settings] == before
    assert sysctls(done, title) == {"before": new, "after": old}
    assert "sysctl" not in files(world).replace("etc/sysctl.d", "")


def test_commands_say_where(world: World, place: str) -> None:
    done = put(world, netns=place, settings={FORWARD: 1, GROUPS: "5 10"})
    enter = {"": "", "c1": "ip netns exec c1 ", "/run/netns/c1": "nsenter --net=/run/netns/c1 "}.get(place)
    if world.state().get("c1", {}).get("hostname"):
        enter = "nsenter -t {0} -n ".format(*[holder.pid for holder in holders()])
    enter = "nsenter -t {0} -n ".format(place) if enter is None else enter
    assert [command for command in done["commands"] if " sysctl " in " " + command] == [
        enter + "sysctl -w net.ipv4.ip_forward=1",
        enter + "sysctl -w 'net.ipv4.ping_group_range=5 10'",
    ]


def test_the_same_by_hand(world: World) -> None:
    world.sh("ip netns add c1")
    commands = put(world, settings={FORWARD: 1, GROUPS: "5 10"}, persist=True)["commands"]
    commands += put(world, netns="c1", settings={GROUPS: "7 8"})["commands"]
    written = world.sh("cat " + KEPT)
    with world.another() as fresh:
        fresh.sh("\n".join(["ip netns add c1", *commands]))
        found = [value(fresh, FORWARD), value(fresh, GROUPS), value(fresh, GROUPS, "c1"), fresh.sh("cat " + KEPT)]
    assert found == ["1", "5 10", "7 8", written]


def test_check_mode_touches_no_file(world: World) -> None:
    put(world, check=True, settings={FORWARD: 1}, persist=True)
    assert (value(world, FORWARD), files(world)) == ("0", NO_FILES)
    put(world, settings={FORWARD: 1}, persist=True)
    before = files(world)
    give_back(world, FORWARD, check=True)
    assert (value(world, FORWARD), files(world)) == ("1", before)


def test_names_with_slashes_may_have_dots_in_their_parts(world: World) -> None:
    world.sh("ip link add eth0.100 type veth peer name p0")
    name = "net/ipv4/conf/eth0.100/rp_filter"
    world.quartet("sysctl", lab=LAB, settings={name: 2})
    assert value(world, name) == "2"
    give_back(world, name)
    assert value(world, name) == "0"
    written = "net.ipv4.conf.eth0/100.rp_filter"  # as sysctl(8) prints it
    world.quartet("sysctl", lab=LAB, settings={written: 1})
    assert world.sh("sysctl -n {0}".format(written)).strip() == "1"
    give_back(world, name)


def test_the_sysctl_of_a_link_with_a_dot_in_a_topology(world: World) -> None:
    """In the notation of sysctl(8) or with slashes, it is set, kept, repaired, and restored."""
    for name in ("net.ipv4.conf.e1/5.rp_filter", "net/ipv4/conf/e1.5/rp_filter"):
        topology: dict[str, t.Any] = {"name": LAB, "namespaces": {"c1": {"sysctls": {name: 2}}, "c2": {}}}
        topology["links"] = [["c1:e1.5", "c2:e2"]]
        world.run("topology", topology=topology)
        assert world.sh("sysctl -n net.ipv4.conf.e1/5.rp_filter", "c1") == "2\n"
        assert not world.run("topology", topology=topology)["changed"]
        world.sh("sysctl -qw net.ipv4.conf.e1/5.rp_filter=1", "c1")
        assert world.run("lab_info")["labs"][0]["drifted"]
        del topology["namespaces"]["c1"]["sysctls"]
        world.run("topology", topology=topology)
        assert world.sh("sysctl -n net.ipv4.conf.e1/5.rp_filter", "c1") == "0\n"


def test_however_a_name_is_written_it_is_one_sysctl(world: World) -> None:
    put(world, settings={FORWARD: 1})
    assert put(world, settings={"net/ipv4/ip_forward": 1})["changed"] is False
    assert world.refused("sysctl", lab=LAB, settings={FORWARD: 1, "net/ipv4/ip_forward": 1}) == [
        "settings: sysctl net/ipv4/ip_forward in the host is already that of settings"
    ]
    give_back(world, "net/ipv4/ip_forward")
    assert value(world, FORWARD) == "0"


def test_however_a_namespace_is_referred_to_it_is_one(world: World) -> None:
    world.sh("ip netns add c1")
    put(world, netns="c1", settings={FORWARD: 1})
    assert put(world, netns="/run/netns/c1", settings={FORWARD: 1})["changed"] is False
    give_back(world, FORWARD, netns="/run/netns/c1")
    assert (value(world, FORWARD, "c1"), files(world)) == ("0", NO_FILES)


def test_a_value_that_was_there_before_is_not_the_labs(world: World) -> None:
    world.sh("sysctl -qw {0}=1".format(FORWARD))
    assert put(world, settings={FORWARD: 1})["changed"] is False
    assert give_back(world, FORWARD)["changed"] is False
    assert value(world, FORWARD) == "1"


# Invalid values and refusals


@pytest.mark.parametrize(
    ("settings", "netns", "reason"),
    [
        ({"net.ipv4.ip_forwarding": 1}, "", "settings: the host's namespace has no sysctl 'net.ipv4.ip_forwarding'"),
        ({"net.ipv4.ip_forwarding": 1}, "c1", "settings: namespace 'c1' has no sysctl 'net.ipv4.ip_forwarding'"),
        (
            {"net.ipv4.conf.veth1.rp_filter": 1},
            "c1",
            "settings: there is no link 'veth1' in namespace 'c1' (did you mean 'veth0'?)",
        ),
        (
            {"kernel.pid_max": 5},
            "c1",
            "settings: 'kernel.pid_max' belongs to the whole machine, only net.* to a namespace",
        ),
        ({"net/../kernel/pid_max": 5}, "c1", "settings: 'net/../kernel/pid_max' is not the name of a sysctl"),
        ({"/etc/passwd": "x"}, "", "settings: '/etc/passwd' is not the name of a sysctl"),
        ({"net": 1}, "", "settings: 'net' is not the name of a sysctl"),
        ({"net.ipv4": 1}, "", "settings: the host's namespace has no sysctl 'net.ipv4'"),
        ({FORWARD: ""}, "", "settings: a value for 'net.ipv4.ip_forward' is missing"),
        ({FORWARD: None}, "", "settings: a value for 'net.ipv4.ip_forward' is missing"),
        ({FORWARD: 1}, "c12", "netns: there is no network namespace 'c12' (did you mean 'c1'?)"),
        ({"net.ipv4.route.flush": 1}, "", "settings: 'net.ipv4.route.flush' cannot be read in the host's namespace"),
    ],
)
def test_one_clear_reason(world: World, settings: dict[str, t.Any], netns: str, reason: str) -> None:
    world.sh("ip netns add c1; ip -n c1 link add veth0 type veth peer name p0")
    assert world.refused("sysctl", lab=LAB, netns=netns, settings=settings) == [reason]


def test_only_the_hosts_can_persist(world: World) -> None:
    world.sh("ip netns add c1")
    assert world.refused("sysctl", lab=LAB, netns="c1", settings={FORWARD: 1, GROUPS: "1 2"}, persist=True) == [
        "persist: only sysctls of the host can be persistent, not those of 'c1'"
    ]


def test_all_reasons_at_once(world: World) -> None:
    reasons = world.refused("sysctl", lab=LAB, settings={FORWARD: 1, "net.a": 1, "net.b": 2, NO_IPV6: 1})
    assert reasons == ["settings: the host's namespace has no sysctl 'net.{0}'".format(name) for name in "ab"]


def test_what_the_kernel_refuses_is_told_in_its_words_and_taken_back(world: World) -> None:
    settings = {FORWARD: 1, GROUPS: "10 nonsense"}
    assert world.refused("sysctl", lab=LAB, settings=settings, persist=True) == [
        "`sysctl -w 'net.ipv4.ping_group_range=10 nonsense'` failed: Invalid argument",
        "the changes before it were undone",
    ]
    assert [value(world, FORWARD), value(world, GROUPS), files(world)] == ["0", "1 0", NO_FILES]


def test_check_mode_takes_a_missing_link_to_be_made_by_an_earlier_task(world: World) -> None:
    result = put(world, check=True, settings={"net.ipv4.conf.veth0.rp_filter": 1})
    assert (result["assumed"], result["changed"]) == (["veth0 in the host"], True)


# Owners


def test_the_last_of_two_labs_restores_the_original(world: World) -> None:
    put(world, settings={FORWARD: 1})
    world.quartet("sysctl", lab="other", settings={FORWARD: 1})
    assert give_back(world, FORWARD)["commands"] == []
    assert value(world, FORWARD) == "1"
    give_back(world, FORWARD, lab="other")
    assert (value(world, FORWARD), files(world)) == ("0", NO_FILES)


@pytest.mark.parametrize("first", [LAB, "other"])
def test_two_labs_that_want_different_values(world: World, first: str) -> None:
    """After the removal of one lab, the value of the other one applies. Labs cause no warnings about each other."""
    wanted = {LAB: "5 10", "other": "7 8"}
    for lab, groups in wanted.items():
        put(world, lab=lab, settings={GROUPS: groups})
    assert give_back(world, GROUPS, lab=first)["warnings"] == []
    del wanted[first]
    last = next(iter(wanted))
    assert value(world, GROUPS) == wanted[last]
    give_back(world, GROUPS, lab=last)
    assert (value(world, GROUPS), files(world)) == ("1 0", NO_FILES)


def test_what_somebody_changed_since_is_left_with_a_warning(world: World) -> None:
    put(world, settings={GROUPS: "5 10"})
    world.sh("sysctl -qw {0}='6 11'".format(GROUPS))
    result = give_back(world, GROUPS)
    assert result["warnings"] == [
        GROUPS + " is '6 11' in the host's namespace, not the '5 10' that the lab set, so it stays"
    ]
    assert (value(world, GROUPS), files(world)) == ("6 11", NO_FILES)


@pytest.mark.parametrize("module", ["sysctl", "topology"])
def test_a_recreated_namespace_does_not_get_the_old_ones_value(world: World, module: str) -> None:
    """The kernel reuses inode numbers, so the new namespace can have the name and the inode of the old one."""
    world.sh("ip netns add c1")
    inode = world.sh("stat -c %i /run/netns/c1")
    world.sh("sysctl -qw {0}='5 10'".format(GROUPS), "c1")
    put(world, netns="c1", settings={GROUPS: "7 8"})
    for dummy in range(100):  # a removed namespace ends a moment later, and frees its inode
        world.sh("ip netns del c1; sleep 0.01; ip netns add c1")
        if world.sh("stat -c %i /run/netns/c1") == inode:
            break
    world.sh("sysctl -qw {0}='7 8'".format(GROUPS), "c1")
    if module == "sysctl":
        assert give_back(world, GROUPS, netns="c1")["changed"] is False
    else:
        world.run("topology", lab=LAB, state="absent")
        assert files(world) == NO_FILES
    assert value(world, GROUPS, "c1") == "7 8"


def test_a_sysctl_that_went_with_its_link_is_forgotten(world: World) -> None:
    world.sh("ip link add veth0 type veth peer name p0")
    put(world, settings={"net.ipv4.conf.veth0.rp_filter": 2})
    world.sh("ip link del veth0")
    result = give_back(world, "net.ipv4.conf.veth0.rp_filter")
    assert (result["commands"], result["warnings"], files(world)) == ([], [], NO_FILES)


# Sysctls that the kernel sets together


ONE = "net.ipv4.conf.veth0.forwarding"


@pytest.mark.parametrize("there", ["00", "01", "10", "11"])
@pytest.mark.parametrize("wanted", ["01", "10"])
def test_one_link_against_all_in_one_task(world: World, there: str, wanted: str) -> None:
    """In any order, each sysctl has its value after the first run, and its old value after the removal."""
    world.sh("ip link add veth0 type veth peer name p0")
    world.sh("sysctl -qw {0}={1}; sysctl -qw {2}={3}".format(FORWARD, there[0], ONE, there[1]))
    settings = {ONE: wanted[1], FORWARD: wanted[0]}
    done = put(world, settings=settings, force=True)
    assert done["changed"] is (there != wanted)
    assert [value(world, FORWARD), value(world, ONE)] == [*wanted]
    assert put(world, settings=settings)["changed"] is False
    give_back(world, ONE, FORWARD)
    assert ([value(world, FORWARD), value(world, ONE)], files(world)) == ([*there], NO_FILES)


@pytest.mark.parametrize("grown", [False, True], ids=["new_namespace", "new_settings"])
@pytest.mark.parametrize(
    ("said", "of_link"),
    [
        ({"forwarding": True, "sysctls": {"net.ipv4.conf.e1.forwarding": "0"}}, None),
        ({"sysctls": {"net.ipv4.conf.e1.forwarding": "0", FORWARD: "1"}}, None),
        ({"sysctls": {"net.ipv6.conf.e1.disable_ipv6": "0", NO_IPV6: "1"}}, None),
        ({"forwarding": True, "sysctls": {"net.ipv4.conf.all.accept_redirects": "1"}}, None),
        ({"forwarding": True, "sysctls": {"net.ipv4.conf.default.forwarding": "0"}}, "0"),
        ({"sysctls": {"net.ipv4.conf.default.rp_filter": "2"}}, "2"),
        ({"sysctls": {"net.ipv6.conf.default.disable_ipv6": "1"}}, "1"),
    ],
)
def test_a_topologys_settings_hold_after_the_first_run(
    world: World, said: dict[str, t.Any], of_link: str | None, grown: bool
) -> None:
    """That includes values that new links copy, because the run sets those before it creates the links."""
    lab = {"name": LAB, "namespaces": {"r": said, "b": {}}, "links": [["r:e1", "b:e1"]], "pool": "10.0.0.0/24"}
    if grown:
        world.run("topology", topology={**lab, "namespaces": ["r", "b"]})
    world.run("topology", topology=lab)
    assert {name: value(world, name, "r") for name in said["sysctls"]} == said["sysctls"]
    if of_link and not grown:
        assert [value(world, name.replace("default", "e1"), "r") for name in said["sysctls"]] == [of_link]
    assert world.run("topology", topology=lab)["changed"] is False


# After a reboot


def test_persist(world: World) -> None:
    """The lab's file has the settings of the task, and disappears with the last one."""
    head = "# Kept for lab demo by the Ansible collection linuxnet.lab\n"
    done = world.quartet("sysctl", lab=LAB, settings={FORWARD: 1, GROUPS: "5  10"}, persist=True)
    both = head + "net.ipv4.ip_forward = 1\nnet.ipv4.ping_group_range = 5 10\n"
    assert world.sh("cat " + KEPT) == both
    assert done["diff"]["after"]["host"]["files"] == {KEPT: both}
    assert world.sh("sysctl -p " + KEPT).splitlines() == both.splitlines()[1:]
    assert put(world, settings={FORWARD: 1})["changed"] is False
    world.quartet("sysctl", lab=LAB, settings={FORWARD: 1}, persist=False)
    assert world.sh("cat " + KEPT) == head + "net.ipv4.ping_group_range = 5 10\n"
    done = world.quartet("sysctl", lab=LAB, settings={FORWARD: None, GROUPS: None}, state="absent")
    assert "rm " + KEPT in done["commands"]
    assert files(world) == NO_FILES


def test_persist_of_a_value_that_is_there_writes_the_file_alone(world: World) -> None:
    world.sh("sysctl -qw {0}=1".format(FORWARD))
    done = world.quartet("sysctl", lab=LAB, settings={FORWARD: 1}, persist=True)
    assert list(done["diff"]["after"]["host"]) == ["files"]


def test_the_end_of_the_lab_ends_its_file_and_no_other(world: World) -> None:
    for lab in (LAB, "other"):
        put(world, lab=lab, settings={FORWARD: 1}, persist=True)
    world.quartet("topology", lab=LAB, state="absent")
    assert world.sh("ls /etc/sysctl.d") == "90-linuxnet.lab-other.conf\n"
    assert value(world, FORWARD) == "1"


# A run that dies


def ends_at_a_write(world: World, number: int, **arguments: t.Any) -> None:
    """Run the module in a process that dies before it writes a sysctl for the *number*-th time."""
    pid = os.fork()
    if not pid:
        writes = iter(range(1, number))
        really = sysctl.write

        def write(*told: t.Any) -> None:
            if not next(writes, None):
                os._exit(0)
            really(*told)

        sysctl.write = write
        try:
            world.module("sysctl", lab=LAB, **arguments)
        finally:
            os._exit(1)
    assert os.waitpid(pid, 0)[1] == 0, "it did not come so far"


@pytest.mark.parametrize("number", [1, 2])
def test_the_old_values_outlive_a_run_that_dies(world: World, number: int) -> None:
    """The old values survive, whether the run was about to set, change or restore a value."""
    both = {FORWARD: 1, GROUPS: "5 10"}
    ends_at_a_write(world, number, settings=both)
    assert give_back(world, *both)["warnings"] == []
    assert ([value(world, name) for name in both], files(world)) == (["0", "1 0"], NO_FILES)
    put(world, settings=both)
    ends_at_a_write(world, number, settings={FORWARD: 2, GROUPS: "6 11"})
    assert give_back(world, *both)["warnings"] == []
    assert ([value(world, name) for name in both], files(world)) == (["0", "1 0"], NO_FILES)
    put(world, settings=both)
    ends_at_a_write(world, number, settings=both, state="absent")
    assert give_back(world, *both)["warnings"] == []
    assert ([value(world, name) for name in both], files(world)) == (["0", "1 0"], NO_FILES)


def test_what_cannot_be_given_back_is_not_forgotten(world: World) -> None:
    put(world, settings={FORWARD: 1, GROUPS: "5 10"})
    world.sh("mount --bind /proc/sys /proc/sys; mount -o remount,bind,ro /proc/sys")
    before = files(world)
    assert world.refused("sysctl", lab=LAB, settings={FORWARD: None, GROUPS: None}, state="absent") == [
        "`sysctl -w net.ipv4.ip_forward=0` failed: Read-only file system"
    ]
    assert files(world) == before
    world.sh("umount /proc/sys")
    give_back(world, FORWARD, GROUPS)
    assert (value(world, FORWARD), value(world, GROUPS), files(world)) == ("0", "1 0", NO_FILES)


def test_what_the_kernel_refused_is_not_remembered_where_the_rest_stays(world: World) -> None:
    """No record of a refused sysctl is left, even if an earlier change cannot be undone."""
    lab: dict[str, t.Any] = {"name": LAB, "namespaces": {"a": {}, "b": {}, "host": {}}, "links": [["a", "b"]]}
    world.run("topology", topology=lab)
    lab["namespaces"]["host"] = {"sysctls": {FORWARD: "1", GROUPS: "10 nonsense"}}
    errors = world.module("topology", topology={**lab, "links": []})["errors"]
    assert errors[1:] == ["`ip -n a link del dev b` was done and cannot be undone"]
    assert (value(world, FORWARD), world.run("lab_info")["labs"][0]["sysctls"]) == ("0", [])
