# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import typing as t

import pytest

from ansible_collections.linuxnet.lab.plugins.module_utils.errors import KernelError
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import namespaces, nftables
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.nft_rules import Rule, Unknown

from .conftest import tcp_ends

if t.TYPE_CHECKING:
    from .conftest import World

LAB = "bridge_nat"
TABLE = "linuxnet.lab.bridge_nat"

RULESET = nftables.Ruleset(
    {
        "postrouting": nftables.postrouting(
            [
                Rule(src="172.16.0.0/12", not_oif="br0", verdict="masquerade"),
                Rule(src="10.1.0.0/16", dst="10.2.0.7/32", oif="up0", verdict="masquerade"),
                Rule(src="fd00:1::/64", not_oif="br0", verdict="masquerade"),
                Rule(src="fd00:1::/57", dst="fd00:2::7/128", verdict="masquerade"),
                Rule(family=6, iif="br0", verdict="masquerade"),
            ]
        ),
        "guard": nftables.forward(nftables.guarded_forward([4, 6], ["br0", "v1"], ["virbr0"])),
        "forward": nftables.forward(nftables.restricted_forward([("br0", "172.16.0.0/12"), ("br0", "fd00:1::/64")])),
    }
)


@pytest.fixture
def nft(world: World) -> t.Iterator[nftables.Socket]:
    with contextlib.closing(nftables.Socket()) as opened:
        yield opened


def ruleset_json(world: World, handles: bool = False) -> list[t.Any]:
    """All that nft(8) prints, except its own version."""

    def without(value: t.Any) -> t.Any:
        if isinstance(value, dict):
            return {key: without(item) for key, item in value.items() if handles or key != "handle"}
        return [without(item) for item in value] if isinstance(value, list) else value

    return [without(item) for item in world.json("nft -j list ruleset")["nftables"] if "metainfo" not in item]


def current(nft: nftables.Socket) -> nftables.Ruleset:
    found = nftables.read(nft, LAB)
    assert found is not None
    return found


def test_nft_sees_exactly_what_was_asked_for(world: World, nft: nftables.Socket) -> None:
    masquerade = nftables.postrouting([Rule(src="172.16.0.0/12", not_oif="br0", verdict="masquerade")])
    forward = nftables.forward(nftables.restricted_forward([("br0", "10.1.2.0/24")]))
    nftables.replace(nft, LAB, nftables.Ruleset({"postrouting": masquerade, "forward": forward}))

    def match(left: dict[str, t.Any], right: t.Any, op: str = "==") -> dict[str, t.Any]:
        return {"match": {"op": op, "left": left, "right": right}}

    def address(field: str, network: str, length: int) -> dict[str, t.Any]:
        left = {"payload": {"protocol": "ip", "field": field}}
        return match(left, {"prefix": {"addr": network, "len": length}})

    def rule(chain: str, *expressions: t.Any) -> dict[str, t.Any]:
        return {"rule": {"family": "inet", "table": TABLE, "chain": chain, "expr": list(expressions)}}

    def chain(name: str, kind: str, priority: int) -> dict[str, t.Any]:
        base = {"type": kind, "hook": name, "prio": priority, "policy": "accept"}
        return {"chain": {"family": "inet", "table": TABLE, "name": name, **base}}

    assert ruleset_json(world) == [
        {"table": {"family": "inet", "name": TABLE}},
        chain("postrouting", "nat", 100),
        chain("forward", "filter", 0),
        rule(
            "postrouting",
            address("saddr", "172.16.0.0", 12),
            match({"meta": {"key": "oifname"}}, "br0", "!="),
            {"masquerade": None},
        ),
        rule(
            "forward",
            match({"meta": {"key": "nfproto"}}, "ipv4"),
            match({"ct": {"key": "state"}}, ["established", "related"], "in"),
            {"accept": None},
        ),
        rule(
            "forward",
            match({"meta": {"key": "iifname"}}, "br0"),
            address("saddr", "10.1.2.0", 24),
            {"accept": None},
        ),
        rule(
            "forward",
            match({"meta": {"key": "iifname"}}, "br0", "!="),
            match({"meta": {"key": "oifname"}}, "br0"),
            address("daddr", "10.1.2.0", 24),
            {"drop": None},
        ),
    ]


def test_what_was_written_is_read(nft: nftables.Socket) -> None:
    assert nftables.read(nft, LAB) is None
    for ruleset in (
        RULESET,
        nftables.Ruleset({"forward": nftables.forward([])}),
        nftables.Ruleset({}),
        RULESET,
    ):
        nftables.replace(nft, LAB, ruleset)
        assert nftables.read(nft, LAB) == ruleset
    assert nftables.read(nft, "bridge") is None


def test_commands_by_hand_make_the_same(world: World, nft: nftables.Socket) -> None:
    nftables.replace(nft, LAB, RULESET)
    ours = ruleset_json(world)
    for command in nftables.commands(LAB, RULESET, None):
        world.sh(command)
    assert ruleset_json(world) == []
    for command in nftables.commands(LAB, None, RULESET):
        world.sh(command)
    assert ruleset_json(world) == ours
    assert nftables.read(nft, LAB) == RULESET


@pytest.mark.parametrize("lab", ["1-b._x", "a--b", "Z.", "x" * 63])
def test_nft_takes_the_name_of_any_lab_s_table(world: World, nft: nftables.Socket, lab: str) -> None:
    nftables.replace(nft, lab, RULESET)
    world.sh("nft list ruleset > /run/saved && nft flush ruleset && nft -f /run/saved")
    assert nftables.read(nft, lab) == RULESET
    world.sh("nft delete table inet " + nftables.table_name(lab))
    assert nftables.read(nft, lab) is None


def test_rules_typed_by_hand_are_understood_by_their_meaning(world: World, nft: nftables.Socket) -> None:
    typed = {
        "ip saddr 10.0.0.0/8 accept": Rule(src="10.0.0.0/8"),
        "ip saddr 172.18.0.0/12 drop": Rule(src="172.16.0.0/12", verdict="drop"),
        "ip saddr & 255.0.0.0 == 10.0.0.0 accept": Rule(src="10.0.0.0/8"),
        "ip saddr 0.0.0.0/0 drop": Rule(family=4, verdict="drop"),
        "ip6 daddr fd00::1 accept": Rule(dst="fd00::1/128"),
        "oifname != br0 ip saddr 10.0.0.0/24 accept": Rule(src="10.0.0.0/24", not_oif="br0"),
        'drop comment "typed by hand"': Rule(verdict="drop"),
        'iifname != "br0" accept': Rule(not_iif="br0"),
        'meta iifkind "bridge" meta oifkind "bridge" accept': Rule(bridged=True),
    }
    world.sh(f"nft add table inet {TABLE} && nft add chain inet {TABLE} typed")
    for text in typed:
        world.sh(f"nft 'add rule inet {TABLE} typed {text}'")
    assert current(nft).chains["typed"].rules == tuple(typed.values())


def test_rules_that_mean_something_else_are_unknown(world: World, nft: nftables.Socket) -> None:
    typed = [
        "ip saddr != 10.0.0.0/8 accept",
        "ip saddr & 255.15.0.0 == 172.2.0.0 accept",
        "ip saddr { 10.0.0.0/8, 11.0.0.0/8 } accept",
        "ip saddr 10.0.0.0-10.0.0.9 accept",
        "ip saddr 10.0.0.0/8 ip saddr 10.1.0.0/16 accept",
        "ct original ip saddr 10.0.0.0/8 accept",
        "ct state established accept",
        "ct state != established,related accept",
        "ct state established,related,new accept",
        'oifname "br*" accept',
        'meta iifkind "bridge" accept',
        'meta iifkind "veth" meta oifkind "bridge" accept',
        "oif lo accept",
        "meta nfproto != ipv4 accept",
        "tcp dport 80 accept",
        "meta l4proto tcp reject",
        "counter accept",
        "notrack",
        'log prefix "x" drop',
        "jump other",
        "return",
        "counter",
    ]
    world.sh(f"nft add table inet {TABLE} && nft add chain inet {TABLE} typed && nft add chain inet {TABLE} other")
    for text in typed:
        world.sh(f"nft 'add rule inet {TABLE} typed {text}'")
    found = current(nft).chains["typed"].rules
    assert [text for text, rule in zip(typed, found) if not isinstance(rule, Unknown)] == []
    assert len(found) == len(typed)
    world.sh(f"nft add chain inet {TABLE} nat '{{ type nat hook postrouting priority 100 ; }}'")
    for text in (
        "masquerade random",
        "meta l4proto tcp masquerade to :1024-65535",
        "ip saddr 10.0.0.1 snat ip to 10.0.0.2",
    ):
        world.sh(f"nft 'add rule inet {TABLE} nat {text}'")
    assert [type(rule) for rule in current(nft).chains["nat"].rules] == [Unknown] * 3


@pytest.mark.parametrize(
    "drift",
    [
        "add rule inet {0} forward tcp dport 22 accept",
        "insert rule inet {0} forward drop",
        "delete rule inet {0} postrouting handle $(handle postrouting)",
        "replace rule inet {0} postrouting handle $(handle postrouting) ip saddr 172.16.0.0/13 masquerade",
        "flush chain inet {0} forward",
        "delete chain inet {0} forward",
        "add chain inet {0} forward '{{ policy drop ; }}'",
        "add chain inet {0} extra",
        "add chain inet {0} extra '{{ type filter hook ingress device lo priority 0 ; }}'",
        "add set inet {0} extra '{{ type ipv4_addr ; }}'",
        "add table inet {0} '{{ flags dormant ; }}'",
    ],
)
def test_drift_is_seen_and_repaired(world: World, nft: nftables.Socket, drift: str) -> None:
    nftables.replace(nft, LAB, RULESET)
    wanted = ruleset_json(world)
    handle = "handle() {{ nft -a list chain inet {0} $1 | sed -n 's/.*masquerade # handle //p' | head -1; }};"
    world.sh((handle + "nft " + drift).format(TABLE))
    assert nftables.read(nft, LAB) != RULESET
    nftables.replace(nft, LAB, RULESET)
    assert nftables.read(nft, LAB) == RULESET
    assert ruleset_json(world) == wanted


def test_a_refused_change_leaves_what_was_there(world: World, nft: nftables.Socket) -> None:
    bad = nftables.Ruleset({"forward": nftables.forward([Rule(), Rule(verdict="masquerade"), Rule()])})
    with pytest.raises(KernelError) as refused:
        nftables.replace(nft, LAB, bad)
    assert refused.value.text == "Operation not supported"
    assert ruleset_json(world) == []

    nftables.replace(nft, LAB, RULESET)
    before = ruleset_json(world, handles=True)
    with pytest.raises(KernelError):
        nftables.replace(nft, LAB, bad)
    assert ruleset_json(world, handles=True) == before
    assert nftables.read(nft, LAB) == RULESET, "the socket goes on working after a refusal"


def test_more_rules_than_acknowledgements_fit_into_a_socket(nft: nftables.Socket) -> None:
    many = [Rule(src=f"10.{i // 256}.{i % 256}.0/25", verdict="drop") for i in range(800)]
    ruleset = nftables.Ruleset({"forward": nftables.forward(many)})
    nftables.replace(nft, LAB, ruleset)
    assert nftables.read(nft, LAB) == ruleset
    with pytest.raises(KernelError):
        nftables.replace(nft, LAB, nftables.Ruleset({"forward": nftables.forward([Rule(verdict="masquerade"), *many])}))
    assert nftables.read(nft, LAB) == ruleset


def test_previous_rules_come_back_even_foreign_ones(world: World, nft: nftables.Socket) -> None:
    nftables.replace(nft, LAB, RULESET)
    for text in (
        'counter packets 5 bytes 7 ip saddr 1.2.3.4 drop comment "by hand"',
        "tcp dport { 80, 443 } accept",
        'meta l4proto tcp log prefix "x" reject',
        "jump extra",
        "notrack",
    ):
        chains = f"nft add chain inet {TABLE} extra ;"
        world.sh(chains + f"nft 'add rule inet {TABLE} forward {text}'")
    before, previous = ruleset_json(world), current(nft)
    nftables.replace(nft, LAB, RULESET)
    assert ruleset_json(world) != before
    nftables.replace(nft, LAB, previous)
    # A rule with its own set cannot be restored without the set.
    lost = [item for item in before if "443" in str(item)]
    assert len(lost) == 1
    assert ruleset_json(world) == [item for item in before if item not in lost]


def test_delete_leaves_nothing_of_ours_and_all_of_others(world: World, nft: nftables.Socket) -> None:
    world.sh(f"nft add table ip {TABLE} && nft add table inet other && nft add chain inet other c")
    nftables.replace(nft, "bridge_nat2", RULESET)
    foreign = ruleset_json(world, handles=True)
    nftables.delete(nft, LAB)
    for _dummy in range(2):
        nftables.replace(nft, LAB, RULESET)
    assert nftables.read(nft, LAB) == RULESET
    assert [item for item in ruleset_json(world, handles=True) if item in foreign] == foreign
    for _dummy in range(2):
        nftables.delete(nft, LAB)
        assert ruleset_json(world, handles=True) == foreign


def test_socket_stays_with_its_namespace(world: World) -> None:
    world.sh("ip netns add client")
    with namespaces.inside_ref("client"):
        client = nftables.Socket()
    with contextlib.closing(client):
        nftables.replace(client, LAB, RULESET)
        assert nftables.read(client, LAB) == RULESET
    assert ruleset_json(world) == []
    assert TABLE in world.sh("nft list tables", "client")


# ---- packets


def sees(world: World, client: str, server: str, address: str) -> str:
    """The address from which the server sees a TCP connection. Empty if there is no connection."""
    with tcp_ends(client, server, address) as (listener, caller):
        caller.settimeout(0.5)
        try:
            caller.connect((address, 7000))
        except OSError:
            return ""
        accepted, peer = listener.accept()
        accepted.close()
        return peer[0]


@pytest.mark.parametrize("prefix, outside", [("172.16.0.0/12", "198.51.100.{0}/24"), ("fd00::/57", "2001:db8::{0}/64")])
def test_packets_are_translated_and_none_comes_in_unasked(
    world: World, nft: nftables.Socket, prefix: str, outside: str
) -> None:
    inside = {"172.16.0.0/12": "172.18.0.{0}/12", "fd00::/57": "fd00:0:0:5::{0}/57"}[prefix]
    # The router cannot look for a neighbour while its own link-local addresses are tentative.
    unchecked = "echo 0 > /proc/sys/net/ipv6/conf/default/accept_dad"
    world.sh(unchecked)
    for name, addresses in (("client", inside), ("server", outside)):
        world.sh(f"ip netns add {name}")
        world.sh(unchecked, name)
        world.sh(f"ip link add {name}0 type veth peer name eth0 netns {name}")
        world.sh(f"ip addr add {addresses.format(1)} dev {name}0 nodad && ip link set {name}0 up")
        world.sh(f"ip addr add {addresses.format(2)} dev eth0 nodad && ip link set eth0 up", name)
    world.sh("echo 1 > /proc/sys/net/ipv4/ip_forward && echo 1 > /proc/sys/net/ipv6/conf/all/forwarding")
    gateway, client, router, server = (
        pattern.format(number).split("/")[0] for pattern in (inside, outside) for number in (1, 2)
    )
    world.sh(f"ip route add default via {gateway}", "client")
    assert sees(world, "client", "server", server) == "", "the server has no route back"

    masquerade = nftables.postrouting([Rule(src=prefix, not_oif="client0", verdict="masquerade")])
    nftables.replace(nft, LAB, nftables.Ruleset({"postrouting": masquerade}))
    assert sees(world, "client", "server", server) == router
    assert sees(world, "client", "", gateway) == client, "not through the interface that is excepted"

    world.sh(f"ip route add default via {router}", "server")
    assert sees(world, "server", "client", client) == server
    forward = nftables.forward(nftables.restricted_forward([("client0", prefix)]))
    nftables.replace(nft, LAB, nftables.Ruleset({"postrouting": masquerade, "forward": forward}))
    assert sees(world, "server", "client", client) == ""
    assert sees(world, "client", "server", server) == router
