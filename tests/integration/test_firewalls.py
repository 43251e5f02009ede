# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is found of other people's firewalls."""

from __future__ import annotations

import contextlib
import shutil
import typing as t

import pytest

from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import nftables
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.firewalls import obstacles
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.nft_rules import Rule

if t.TYPE_CHECKING:
    from .conftest import World

LAB = "bridge_nat"


@pytest.fixture
def nft(world: World) -> t.Iterator[nftables.Socket]:
    with contextlib.closing(nftables.Socket()) as opened:
        yield opened


SENTENCE = "{0} drops forwarded packets before or after this lab's rules accept them"


def add_chain(world: World, table: str, chain: str, policy: str, *rules: str, hook: str = "forward") -> None:
    braces = f"{{ type filter hook {hook} priority 0 ; policy {policy} ; }}"
    world.sh(f"nft add table {table} ; nft 'add chain {table} {chain} {braces}'")
    for rule in rules:
        world.sh(f"nft 'add rule {table} {chain} {rule}'")


def test_nothing_stands_in_the_way_by_itself(world: World, nft: nftables.Socket) -> None:
    nftables.replace(nft, LAB, nftables.Ruleset({"forward": nftables.forward([Rule(verdict="drop")])}))
    add_chain(world, "ip filter", "in", "drop", hook="input")
    add_chain(world, "ip filter", "FORWARD", "accept", "ip saddr 10.0.0.0/8 drop", "tcp dport 22 reject")
    add_chain(world, "inet end", "FORWARD", "drop", "counter accept")
    add_chain(world, "bridge b", "FORWARD", "drop")
    world.sh("nft add chain ip filter aside && nft add rule ip filter aside drop")
    assert obstacles.forward_obstacles(nft, LAB) == []


@pytest.mark.parametrize("family", ["ip", "ip6", "inet"])
def test_policy_and_last_rule_of_others_are_named(world: World, nft: nftables.Socket, family: str) -> None:
    filter_, other = family + " filter", family + " other"
    add_chain(world, filter_, "FORWARD", "drop", "tcp dport 22 accept")
    add_chain(world, filter_, "second", "accept", "tcp dport 22 accept", "counter drop")
    add_chain(world, other, "third", "accept", "log reject")
    assert obstacles.forward_obstacles(nft, LAB) == [
        SENTENCE.format(f"table {filter_}, chain FORWARD (hook forward, policy drop)"),
        SENTENCE.format(f"table {filter_}, chain second (hook forward, last rule drop)"),
        SENTENCE.format(f"table {other}, chain third (hook forward, last rule reject)"),
    ]


def test_another_lab_with_the_same_prefix_is_no_policy(world: World, nft: nftables.Socket) -> None:
    rules = nftables.restricted_forward(["172.16.0.0/12", "fd00:1::/64"])
    nftables.replace(nft, "other", nftables.Ruleset({"forward": nftables.forward(rules)}))
    assert obstacles.forward_obstacles(nft, LAB) == []


def iptables(world: World, command: str, arguments: str) -> None:
    if not shutil.which(command):
        pytest.skip(f"no {command} here; Debian has it in the package iptables")
    try:
        world.sh(f"{command} {arguments}")
    except AssertionError as exc:
        pytest.skip(f"this kernel has no {command}: {exc}")


def test_reject_of_iptables_nft_is_named(world: World, nft: nftables.Socket) -> None:
    iptables(world, "iptables-nft", "-A FORWARD -j REJECT")
    assert obstacles.forward_obstacles(nft, LAB) == [
        SENTENCE.format("table ip filter, chain FORWARD (hook forward, last rule reject)")
    ]


@pytest.mark.parametrize("command", ["iptables-legacy", "ip6tables-legacy"])
def test_policy_of_iptables_legacy_is_named(world: World, nft: nftables.Socket, command: str) -> None:
    iptables(world, command, "-A FORWARD -i lo -j ACCEPT")
    world.sh(f"{command} -P INPUT DROP && {command} -P OUTPUT DROP && {command} -A INPUT -i lo -j DROP")
    assert obstacles.forward_obstacles(nft, LAB) == []
    world.sh(f"{command} -P FORWARD DROP")
    assert obstacles.forward_obstacles(nft, LAB) == [
        SENTENCE.format(f"{command}, table filter, chain FORWARD (hook forward, policy drop)")
    ]


def test_looking_for_iptables_legacy_does_not_switch_it_on(world: World, nft: nftables.Socket) -> None:
    iptables(world, "iptables-legacy", "-t nat -S")
    assert obstacles.forward_obstacles(nft, LAB) == []
    assert world.sh("cat /proc/net/ip_tables_names").split() == ["nat"]
