# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A lab on hosts where the firewalls of other programs drop packets that it forwards and bridges."""

from __future__ import annotations

import pathlib
import pprint
import re
import shlex
import time
import typing as t

import pytest

from . import others
from .conftest import tcp_ends

if t.TYPE_CHECKING:
    from .conftest import World

LAB: dict[str, t.Any] = {
    "name": "demo",
    "namespaces": {"host": {"forwarding": True}, "c[1:2]": {}, "out": {}},
    "segments": {
        "containers": {
            "bridge": "br0",
            "prefix": ["10.0.0.0/24", "fd00::/64"],
            "gateway": "host",
            "members": {"c[1:2]": {"name": "c[1:2]e", "port": "c[1:2]p"}},
        }
    },
    "links": [
        {
            "ends": [
                {"netns": "host", "name": "out0", "addresses": ["10.9.0.1/24", "fd09::1/64"]},
                {"netns": "out", "name": "out1", "addresses": ["10.9.0.2/24", "fd09::2/64"]},
            ]
        }
    ],
    "masquerade": {"src": "containers", "oif": "out0"},
}
MARK = "--comment linuxnet.lab:demo"
BRIDGED = pathlib.Path("/proc/sys/net/bridge/bridge-nf-call-iptables")
FORMS = ["nft", "legacy"]


def connects(client: str, server: str, address: str, expected: bool = True) -> bool:
    """Whether a TCP connection succeeds. ufw, and older versions of firewalld, accept all pings.

    A drop is known at once, because everything happens in this kernel. An expected connection may take some time.
    """
    with tcp_ends(client, server, address) as (dummy, caller):
        caller.settimeout(10 if expected else 0.2)
        try:
            caller.connect((address, 7000))
        except OSError:
            return False
        return True


def addresses(world: World) -> dict[str, tuple[str, str]]:
    """The addresses to which a container connects: another container on its bridge, and the outside, IPv4 and IPv6."""
    found = {}
    for family in ("inet", "inet6"):
        found["bridge " + family] = ("c2", world.addresses("c2e", "c2", family)[0].split("/")[0])
        found["outside " + family] = ("out", world.addresses("out1", "out", family)[0].split("/")[0])
    if not BRIDGED.exists():
        pytest.skip("this kernel has no br_netfilter")
    for netns in ("", "c1", "c2", "out"):  # until duplicate address detection is over
        while world.sh("ip -6 addr show tentative", netns):
            time.sleep(0.05)
    return found


def passes(world: World) -> dict[str, bool]:
    """The addresses to which a connection succeeds."""
    return {name: connects("c1", *place) for name, place in addresses(world).items()}


def rules(world: World, chain: str = "") -> list[str]:
    """The output of `iptables -S` and `ip6tables -S`."""
    command = "iptables -S {0} 2>/dev/null; ip6tables -S {0} 2>/dev/null".format(chain)
    return [line for line in world.sh(command, check=False).splitlines() if not line.startswith("#")]


def build(world: World, **more: t.Any) -> dict[str, t.Any]:
    """Build the lab."""
    return world.run("topology", topology={**LAB, **more})


def assert_works(world: World) -> None:
    """All connections succeed. A second run changes nothing, and gives no warnings."""
    assert passes(world) == dict.fromkeys(addresses(world), True)
    again = build(world)
    assert (again["changed"], again["warnings"]) == (False, [])


def like_docker(world: World, command: str) -> None:
    """The table as Docker creates it, with a rule of somebody else in the chain that Docker reserves for others."""
    world.sh(
        "{0} -N DOCKER-USER; {0} -A DOCKER-USER -s 192.0.2.9 -j DROP; {0} -A DOCKER-USER -j RETURN;"
        "{0} -A FORWARD -j DOCKER-USER; {0} -A FORWARD -i docker0 -p tcp -m tcp --dport 80 -j ACCEPT;"
        "{0} -A OUTPUT -o lo -j ACCEPT; {0} -P FORWARD DROP".format(command).replace(
            "192.0.2.9", "2001:db8::9" if command.startswith("ip6") else "192.0.2.9"
        )
    )


@pytest.mark.parametrize("form", FORMS)
def test_docker(world, monkeypatch, form):
    others.iptables(world, form, monkeypatch)
    with others.docker(world):
        before = rules(world)
        assert "-P FORWARD DROP" in before
        # A host on Docker's own bridge, to which Docker lets nobody connect.
        world.sh(
            "ip netns add box; ip link add box0 master docker0 up type veth peer name box1 netns box;"
            "ip -n box addr add 172.17.0.2/16 dev box1; ip -n box link set box1 up; ip link set docker0 up;"
            "ip -n box route add default via 172.17.0.1"
        )
        done = world.quartet("topology", topology=LAB)
        assert done["warnings"] == []
        there = [line for line in rules(world, "DOCKER-USER") if "linuxnet.lab" in line]
        assert there and all(line.startswith("-A DOCKER-USER -i ") and ":demo" in line for line in there)
        assert [line for line in rules(world) if line not in there] == before
        assert any(line.startswith("iptables-{0} -I DOCKER-USER".format(form)) for line in done["commands"])
        assert done["diff"]["after"]["host"]["host_firewall"]
        assert_works(world)
        assert not connects("c1", "box", "172.17.0.2", expected=False), "Docker's own containers are none of the lab's"
    with others.docker(world):
        assert_works(world)
        world.run("topology", name="demo", state="absent")
        assert rules(world) == before
    world.sh("ip link del docker0; ip netns del box")


@pytest.mark.playbook
def test_readmes_first_command_works_where_docker_runs(world, monkeypatch):
    others.iptables(world, "nft", monkeypatch)
    with others.docker(world):
        before = rules(world)
        assert world.played("bridge_nat", "-e", "bridge_nat_internet=true") > 0
        world.played("bridge_nat", "-e", "bridge_nat_state=absent")
        assert rules(world) == before


def test_firewalld(world):
    others.need(world, "firewalld")
    with others.bus(world):
        _with_firewalld(world)


def _with_firewalld(world):
    with others.firewalld():
        before = world.sh("firewall-cmd --list-all-zones")
        done = build(world)
        assert done["warnings"] == []
        assert [line for line in done["commands"] if "firewall-cmd" in line] == [
            "firewall-cmd --zone=public --add-interface=br0",
            "firewall-cmd --zone=public --add-interface=out0",
        ]
        assert_works(world)
        world.sh("firewall-cmd --reload")
        build(world)
        assert_works(world)
        # Now a link without a zone is the way out. Only a zone that forwards to all links helps.
        world.sh("ip link add up0 type veth peer name up1; ip addr add 10.8.0.1/24 dev up0; ip link set up0 up")
        moved = build(world, masquerade={"src": "containers", "oif": "up0"})
        assert "firewall-cmd --zone=trusted --change-interface=br0" in moved["commands"]
        assert moved["warnings"] == []
        world.run("topology", name="demo", state="absent")
        assert world.sh("firewall-cmd --list-all-zones") == before
        build(world)
    with others.firewalld():
        assert build(world)["changed"]
        assert_works(world)
        left = build(world, host_firewall="leave")
        assert ["firewall-cmd --zone=public --add-interface=" in text for text in left["warnings"]] == [True, True]
        assert world.sh("firewall-cmd --list-all-zones") == before
        again = build(world, host_firewall="leave")
        assert again["warnings"] and all("--zone=trusted --add-interface=LINK" in text for text in again["warnings"])
    world.run("topology", name="demo", state="absent")
    assert not pathlib.Path("/run/linuxnet.lab").exists()


def test_ufw(world):
    others.ufw(world)
    assert world.quartet("topology", topology=LAB)["warnings"] == []
    assert any(MARK.split()[1] in line for line in rules(world, "ufw-user-forward"))
    assert_works(world)
    world.sh("ufw reload")
    before = rules(world)
    assert not any("linuxnet.lab" in line for line in rules(world)), "ufw reads its own files again"
    assert build(world)["warnings"] == []
    assert_works(world)
    world.run("topology", name="demo", state="absent")
    assert rules(world) == before


@pytest.mark.parametrize("form", FORMS)
def test_a_rule_lasts_as_long_as_what_it_is_for(world, monkeypatch, form):
    others.iptables(world, form, monkeypatch)
    for command in ("iptables", "ip6tables"):
        like_docker(world, command)
    before = rules(world)
    world.sh("ping -c 1 127.0.0.1")
    counted = world.sh("iptables-save -c | grep OUTPUT.*lo")
    assert build(world)["warnings"] == []
    assert world.sh("iptables-save -c | grep OUTPUT.*lo") == counted, "rules of others keep what they have counted"
    assert_works(world)
    assert [line for line in rules(world) if "linuxnet.lab" not in line] == before
    assert any(line.startswith("-A DOCKER-USER -i br0 -o out0") for line in rules(world)), "of both families"
    # Somebody flushes the chain: the next run repairs it.
    world.sh("iptables -F DOCKER-USER; ip6tables -F DOCKER-USER")
    assert build(world)["changed"]
    assert_works(world)
    # Somebody changes a rule.
    world.sh("iptables -R DOCKER-USER 1 -i other -o br0 -m comment {0} -j ACCEPT".format(MARK))
    assert build(world)["changed"]
    assert not any("-i other" in line for line in rules(world))
    # An edit removes the link, and somebody deletes it.
    without = {key: value for key, value in LAB.items() if key not in ("links", "masquerade")}
    without["namespaces"] = {"host": {"forwarding": True}, "c[1:2]": {}}
    world.run("topology", topology=without)
    assert {line for line in rules(world) if "linuxnet.lab" in line} == {
        '-A DOCKER-USER -i br0 -o br0 -m comment --comment "linuxnet.lab:demo" -j ACCEPT'
    }
    # The rules of another lab stay.
    world.run("bridge", lab="other", name="br9", addresses=["10.99.0.1/24"])
    world.sh("ip link del br0")
    world.run("topology", name="demo", state="absent")
    left = [line for line in rules(world) if "linuxnet.lab" in line]
    assert left == ['-A DOCKER-USER -i br9 -o br9 -m comment --comment "linuxnet.lab:other" -j ACCEPT']
    world.run("bridge", lab="other", name="br9", state="absent")
    assert not any("linuxnet.lab" in line for line in rules(world))


@pytest.mark.parametrize("form", FORMS)
def test_modules_one_by_one(world, monkeypatch, form):
    others.iptables(world, form, monkeypatch)
    like_docker(world, "iptables")
    before = rules(world)
    bridge = {"lab": "demo", "name": "br0", "addresses": ["10.0.0.1/24"]}
    nat = {"lab": "demo", "src": "10.0.0.0/24", "oif": "eth9"}
    world.quartet("bridge", **bridge)
    assert [line.count("-i br0 -o br0") for line in rules(world) if "linuxnet.lab" in line] == [1]
    world.quartet("masquerade", **nat)
    ours = [line for line in rules(world) if "linuxnet.lab" in line]
    assert [line for line in ours if "-i eth9 -o br0" in line and "RELATED,ESTABLISHED" in line]
    assert [line for line in ours if "-i br0 -o eth9" in line]
    assert not world.run("bridge", **bridge)["changed"]
    world.quartet("masquerade", lab="demo", state="absent")
    assert [line.count("-i br0 -o br0") for line in rules(world) if "linuxnet.lab" in line] == [1]
    done = world.run("bridge", host_firewall="leave", **bridge)
    assert done["changed"] and rules(world) == before
    (warning,) = done["warnings"]
    assert "`iptables-{0} -I FORWARD -i br0 -o br0 -j ACCEPT`".format(form) in warning
    world.run("bridge", **bridge)
    world.quartet("bridge", lab="demo", name="br0", state="absent")
    assert rules(world) == before


def test_commands_typed_by_hand_do_the_same(world, monkeypatch):
    others.iptables(world, "nft", monkeypatch)
    like_docker(world, "iptables")
    done = world.run("bridge", lab="demo", name="br0", addresses=["10.0.0.1/24"])
    typed = [line for line in done["commands"] if "DOCKER-USER" in line]
    made = rules(world, "DOCKER-USER")
    world.sh("iptables -F DOCKER-USER")
    like = [line for line in made if "linuxnet.lab" not in line and line.startswith("-A")]
    world.sh("; ".join("iptables " + line for line in like))
    world.sh("; ".join(typed))
    assert rules(world, "DOCKER-USER") == made
    assert not world.run("bridge", lab="demo", name="br0", addresses=["10.0.0.1/24"])["changed"]


def nft(family: str, hook: str, policy: str, body: str = "", more: str = "") -> str:
    """A table of another program, with one chain that sees packets."""
    head = "type filter hook {0} priority 0; policy {1};".format(hook, policy)
    return "nft '{0}'".format("table " + family + " foreign { " + more + " chain f { " + head + body + " }; }")


# By name: commands, whether bridged packets pass, and whether routed packets pass. `I` stands for iptables in one of
# its variants, and `I6` for ip6tables.
RULESETS = {
    "policy": (nft("ip", "forward", "drop"), False, False),
    "policy behind accept": (nft("inet", "forward", "drop", "counter accept;"), True, True),
    "prerouting": (nft("ip", "prerouting", "drop"), False, False),
    "postrouting": (nft("ip", "postrouting", "drop", 'oifname "out0" accept;'), False, False),
    "other family": (nft("ip6", "forward", "drop"), True, True),
    "jump": (nft("ip", "forward", "accept", "jump x;", "chain x { drop; };"), False, False),
    "jump and back": (nft("ip", "forward", "accept", "jump x;", "chain x { return; };"), True, True),
    "goto": (nft("ip", "forward", "drop", "goto x; accept;", "chain x { counter; };"), False, False),
    "link": (nft("inet", "forward", "accept", 'oifname "out0" drop;'), True, False),
    "link in": (nft("inet", "forward", "accept", 'iifname "br0" drop;'), False, False),
    "links by a pattern": (nft("inet", "forward", "accept", 'oifname "out*" drop;'), True, False),
    "links by number": (nft("inet", "forward", "accept", 'iif "br0" oif "out0" drop;'), True, False),
    "links by a set": (nft("inet", "forward", "drop", 'iifname { "br0", "out0" } accept;'), True, True),
    "not a link": (nft("inet", "forward", "accept", 'oifname != "br0" reject;'), True, False),
    "map": (
        nft(
            "ip",
            "forward",
            "drop",
            "oifname vmap @m;",
            'chain x { accept; }; map m { type ifname : verdict; elements = { "br0" : jump x }; };',
        ),
        True,
        False,
    ),
    "pairs": (nft("ip", "forward", "accept", 'iifname . oifname { "br0" . "out0" } drop;'), True, False),
    "networks": (nft("ip", "forward", "drop", "ct state established accept; ip saddr 10.0.0.0/8 accept;"), True, True),
    "networks by a set": (
        nft("ip", "forward", "accept", "ip daddr { 10.9.0.0/16, 192.0.2.0/24 } drop;"),
        True,
        False,
    ),
    "range": (nft("ip", "forward", "accept", "ip daddr 10.9.0.0-10.9.1.9 reject;"), True, False),
    "others' networks": (nft("ip", "forward", "accept", "ip saddr 192.168.0.0/16 drop;"), True, True),
    "states": (nft("ip", "forward", "accept", "ct state established accept; ct state new drop;"), False, False),
    "invalid": (nft("ip", "forward", "accept", "ct state vmap { invalid : drop };"), True, True),
    "ports": (nft("ip", "forward", "accept", "tcp dport 25 drop; meta mark 7 drop;"), True, True),
    "dormant": (nft("ip", "forward", "drop", more="flags dormant;"), True, True),
    "iptables policy": ("I -P FORWARD DROP", False, False),
    "iptables last rule": ("I -A FORWARD -p tcp --dport 25 -j ACCEPT; I -A FORWARD -j REJECT", False, False),
    "iptables drop": ("I -A FORWARD -j DROP", False, False),
    "iptables drop behind one way": ("I -A FORWARD -i br0 -j ACCEPT; I -A FORWARD -j DROP", True, False),
    "iptables answers alone": (
        "I -A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT; I -A FORWARD -j DROP",
        False,
        False,
    ),
    "iptables of another bridge": (  # as libvirt creates it
        "I -N X; I -A X -i virbr0 -o virbr0 -j ACCEPT; I -A X -i virbr0 -j REJECT; I -A X -o virbr0 -j REJECT;"
        "I -A FORWARD -j X",
        True,
        True,
    ),
    "iptables of the other family": ("I6 -P FORWARD DROP; I6 -A FORWARD -j REJECT", True, True),
    "iptables behind accept": ("I -P FORWARD DROP; I -A FORWARD -j ACCEPT", True, True),
    "iptables jump": ("I -N X; I -A X ! -o br0 -j DROP; I -A FORWARD -j X", True, False),
    "iptables goto": (
        "I -N X; I -A X -s 10.1.0.0/16 -j ACCEPT; I -P FORWARD DROP; I -A FORWARD -g X; I -A FORWARD -j ACCEPT",
        False,
        False,
    ),
    "iptables networks": (
        "I -P FORWARD DROP; I -A FORWARD -s 10.0.0.0/8 -j ACCEPT; I -A FORWARD -m state --state ESTABLISHED -j ACCEPT",
        True,
        True,
    ),
    "iptables physdev": ("I -P FORWARD DROP; I -A FORWARD -m physdev --physdev-is-bridged -j ACCEPT", True, False),
    "iptables prerouting": ("I -t raw -A PREROUTING -i br+ -j DROP", False, False),
    "iptables state": ("I -A FORWARD -m conntrack --ctstate NEW -o out0 -j DROP", True, False),
}
CLEARED = (
    "for f in ip ip6 inet; do nft delete table $f foreign; done;"
    "for i in iptables ip6tables; do $i -P FORWARD ACCEPT; for t in filter raw; do $i -t $t -F; $i -t $t -X; done; done"
)


@pytest.mark.parametrize("form", FORMS)
def test_the_judgement_is_that_of_the_kernel(world, monkeypatch, form):
    """For each ruleset, the warnings name exactly what does not pass, and the command in the warning makes it pass."""
    others.iptables(world, form, monkeypatch)
    lab = {**LAB, "host_firewall": "leave"}
    lab["segments"] = {"containers": {**LAB["segments"]["containers"], "prefix": "10.0.0.0/24"}}
    lab["links"] = [{"ends": [{**end, "addresses": end["addresses"][:1]} for end in LAB["links"][0]["ends"]]}]
    assert world.run("topology", topology=lab)["warnings"] == []
    places = {"bridged": ("c2", "10.0.0.3"), "routed": ("out", "10.9.0.2")}
    if not BRIDGED.exists():
        pytest.skip("this kernel has no br_netfilter")
    wrong = {}
    for name, (commands, *passing) in RULESETS.items():
        if form == "legacy" and "iptables" not in name:
            continue
        world.sh(re.sub(r"\bI\b", "iptables", commands).replace("I6 ", "ip6tables "))
        warnings = world.run("topology", topology=lab)["warnings"]
        told = [not any("bridges pass" in text for text in warnings), not warnings]
        seen = [connects("c1", *place, expected) for place, expected in zip(places.values(), passing)]
        if seen != passing or told != [seen[0], all(seen)]:
            wrong[name] = (seen, passing, warnings)
        for dummy in range(4):  # one command for each chain and each pair of links
            typed = [match for text in warnings for match in re.findall("`(.*?)`", text)]
            for line in typed:
                world.sh(line)
            warnings = world.run("topology", topology=lab)["warnings"] if typed else []
        if warnings or not all(connects("c1", *place) for place in places.values()):
            wrong[name + ", cured"] = warnings
        world.sh(CLEARED, check=False)
    assert not wrong, pprint.pformat(wrong)


@pytest.mark.parametrize("form", FORMS)
def test_what_is_not_understood_is_not_guessed(world, monkeypatch, form):
    others.iptables(world, form, monkeypatch)
    assert build(world)["warnings"] == []
    world.sh("iptables -A FORWARD -j NFQUEUE --queue-num 3")
    told = build(world)["warnings"]
    assert len(told) == 2 and all("rule 1: unknown) may drop packets" in text for text in told)
    world.sh("iptables -I FORWARD -j ACCEPT")
    assert build(world)["warnings"] == []


def test_the_cure_for_a_link_whose_name_is_a_pattern_is_for_that_link_alone(world):
    world.sh(nft("inet", "forward", "drop"))
    world.sh("ip link add 'up*' type veth peer name up1; ip link set 'up*' up; ip addr add 10.9.0.1/24 dev 'up*'")
    asked = {"lab": "demo", "src": "10.0.0.0/24", "iif": "br*", "oif": "up*"}
    world.run("bridge", lab="demo", name="br*", addresses=["10.0.0.1/24"])
    for dummy in range(2):  # one way, and the way back
        for warning in world.run("masquerade", **asked)["warnings"]:
            world.sh(re.findall("`(.*)`", warning)[0])
    assert world.run("masquerade", **asked)["warnings"] == []
    accepted = [line.split() for line in world.sh("nft list chain inet foreign f").splitlines() if "accept" in line]
    names = {word for line in accepted for word in line if word.startswith('"')}
    assert names == {'"br\\*"', '"up\\*"'}, "an asterisk alone stands for any letters"


def test_a_masquerade_of_both_families_has_its_way_out(world, monkeypatch):
    """A masquerade rule without a prefix applies to IPv4 and IPv6."""
    others.iptables(world, "nft", monkeypatch)
    like_docker(world, "iptables")
    world.run("bridge", lab="demo", name="br0", addresses=["10.0.0.1/24"])
    world.run("masquerade", lab="demo", iif="br0", oif="eth9", forward="open")
    assert [line for line in rules(world) if "linuxnet.lab" in line and "-i br0 -o eth9" in line]


def test_looking_for_iptables_legacy_does_not_switch_it_on(world, monkeypatch):
    others.iptables(world, "nft", monkeypatch)
    world.sh("iptables-legacy -t nat -S")
    build(world)
    assert world.sh("cat /proc/net/ip_tables_names").split() == ["nat"]


def test_other_labs_are_no_firewall(world):
    build(world)
    world.sh("ip link add eth9 type veth peer name eth8; ip link set eth9 up")
    nat = {"src": "10.98.0.0/24", "iif": "br8", "oif": "eth9"}
    world.run("bridge", lab="other", name="br8", addresses=["10.98.0.1/24"])
    assert world.run("masquerade", lab="other", **nat)["warnings"] == []
    assert_works(world)


def test_a_namespace_of_the_lab_with_a_firewall_of_its_own(world):
    world.run("netns", lab="demo", name="sw")
    world.run("bridge", lab="demo", netns="sw", name="br0", addresses=["10.0.0.1/24"])
    world.sh(nft("ip", "forward", "drop"), "sw")
    (warning,) = world.run("bridge", lab="demo", netns="sw", name="br0")["warnings"]
    typed = re.findall("`(.*)`", warning)[0]
    assert shlex.split(typed)[:4] == ["ip", "netns", "exec", "sw"]
    world.sh(typed)
    assert world.run("bridge", lab="demo", netns="sw", name="br0")["warnings"] == []


# The ruleset of dockerd 29 with --firewall-backend=nftables.
DOCKER_29 = """table ip docker-bridges {
  map filter-forward-in-jumps { type ifname : verdict; elements = { "docker0" : jump filter-forward-in__docker0 }; }
  map filter-forward-out-jumps { type ifname : verdict; elements = { "docker0" : jump filter-forward-out__docker0 }; }
  chain filter-FORWARD { type filter hook forward priority filter; policy %s;
    oifname vmap @filter-forward-in-jumps
    iifname vmap @filter-forward-out-jumps
  }
  chain nat-PREROUTING { type nat hook prerouting priority dstnat; policy accept;
    fib daddr type local counter jump nat-prerouting-and-output
  }
  chain nat-prerouting-and-output { }
  chain raw-PREROUTING { type filter hook prerouting priority raw; policy accept;
    ip daddr 172.17.0.2 iifname != { "docker0" } counter drop comment "DROP DIRECT ACCESS"
  }
  chain filter-forward-in__docker0 {
    ct state established,related counter accept
    meta mark 1 counter accept comment "ALLOW FW MARK"
    iifname "docker0" counter accept comment "ICC"
    counter drop comment "UNPUBLISHED PORT DROP"
  }
  chain filter-forward-out__docker0 {
    ct state established,related counter accept
    counter accept comment "OUTGOING"
  }
}"""


@pytest.mark.parametrize("policy", ["accept", "drop"])
def test_dockers_own_nftables_tables(world, policy):
    world.sh("nft -f - <<'END'\n{0}\nEND".format(DOCKER_29 % policy))
    warnings = build(world)["warnings"]
    if policy == "accept":  # as of version 29
        assert warnings == []
        assert passes(world) == dict.fromkeys(addresses(world), True)
    else:  # as of a preview in version 28
        assert warnings and all("--ip-forward-no-drop" in text for text in warnings)
