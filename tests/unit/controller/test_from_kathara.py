# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter from_kathara."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.linuxnet.lab.plugins.filter.from_kathara import from_kathara

# Two networks and the router between them.
LAB = """\
LAB_NAME="two-networks"
LAB_DESCRIPTION='Routing, with nothing but static routes'
LAB_VERSION=1.2

# the first network
pc1[0]="A"
pc1[image]="kathara/base"

router[0]=A/02:00:00:00:00:AA      # the MAC address matters later
router[1]='B'
router[sysctl]="net.ipv4.conf.all.rp_filter=0"
router[sysctl]="net.ipv4.conf.eth0.proxy_arp=1"

pc2[0]="B"
pc2[sysctl]="kernel.domainname=example"
pc2[mem]="64m"
pc2[exec]="echo it's up > /tmp/log"
observer[bridged]="true"
"""

STARTUP = {
    "pc1": """\
#!/bin/bash
# the first one
ip address add 10.0.1.10/24 dev eth0
ip addr add 2001:db8:1::10/64 dev eth0
ip link set eth0 up
ip route add default via 10.0.1.1 dev eth0
ip -6 route add default via 2001:db8:1::1
systemctl start apache2
""",
    "router": """\
/sbin/ifconfig eth0 10.0.1.1/24 up
ifconfig eth1 10.0.2.1 netmask 255.255.255.0 broadcast 10.0.2.255 up
ip a add 2001:db8:1::1/64 dev eth0
ip address add 10.255.0.1/32 dev lo
ip route add 10.9.0.0/16 via 10.0.2.20 metric 5 src 10.0.1.1
ip r add blackhole 192.0.2.0/24
for i in 1 2; do ping -c 1 10.0.2.$i; done
""",
    "pc2": """\
ip addr add 10.0.2.20/24 brd + dev eth0   # with a broadcast address
ip addr add 10.0.2.20/24 brd + dev eth0
ip addr add 10.0.3.20/24 dev eth1
ip route add default via 10.0.2.1
ip route add default via 10.0.2.1 nosuchword 7
ifconfig eth0 hw ether 02:00:00:00:00:01
""",
}


def test_lab_conf(laid_out):
    topology = from_kathara(LAB, with_notes=True)["topology"]
    assert topology == {
        "name": "two-networks",
        "namespaces": {
            "pc1": {"forwarding": True},
            "router": {
                "forwarding": True,
                "sysctls": {"net.ipv4.conf.all.rp_filter": "0", "net.ipv4.conf.eth0.proxy_arp": "1"},
            },
            "pc2": {"forwarding": True},
            "observer": {"forwarding": True},
        },
        "bridges": {"A": {"name": "two-networks-A"}, "B": {"name": "two-networks-B"}},
        "links": [
            ["pc1:eth0", "A"],
            [{"netns": "router", "name": "eth0", "mac": "02:00:00:00:00:aa"}, "A"],
            ["router:eth1", "B"],
            ["pc2:eth0", "B"],
        ],
    }
    lab = laid_out(topology)
    assert [(end.netns, end.name) for end in lab.ends() if end.bridge is None] == [
        ("pc1", "eth0"),
        ("router", "eth0"),
        ("router", "eth1"),
        ("pc2", "eth0"),
    ]


def test_what_is_left_out_of_lab_conf():
    assert set(from_kathara(LAB, with_notes=True)["left_out"]) == {
        "LAB_DESCRIPTION: of lab.conf",
        "LAB_VERSION: of lab.conf",
        "pc1[image]: kathara/base",
        "pc2[sysctl]: kernel.domainname=example",
        "pc2[mem]: 64m",
        "pc2[exec]: echo it's up > /tmp/log",
        "observer[bridged]: true",
    }


def test_startup_files(laid_out):
    answer = from_kathara(LAB, STARTUP, with_notes=True)
    topology = answer["topology"]
    assert topology["namespaces"]["router"]["lo"] == ["10.255.0.1/32"]
    assert [end for end, dummy in topology["links"]] == [
        {"netns": "pc1", "name": "eth0", "addresses": ["10.0.1.10/24", "2001:db8:1::10/64"]},
        {
            "netns": "router",
            "name": "eth0",
            "mac": "02:00:00:00:00:aa",
            "addresses": ["10.0.1.1/24", "2001:db8:1::1/64"],
            "broadcast": True,
        },
        {"netns": "router", "name": "eth1", "addresses": ["10.0.2.1/24"], "broadcast": True},
        {"netns": "pc2", "name": "eth0", "addresses": ["10.0.2.20/24"], "broadcast": True},
    ]
    assert topology["routes"] == [
        {"netns": "pc1", "dst": "default", "via": "10.0.1.1", "dev": "eth0"},
        {"netns": "pc1", "dst": "::/0", "via": "2001:db8:1::1"},
        {"netns": "router", "dst": "10.9.0.0/16", "via": "10.0.2.20", "src": "10.0.1.1", "metric": 5},
        {"netns": "router", "dst": "192.0.2.0/24", "type": "blackhole"},
        {"netns": "pc2", "dst": "default", "via": "10.0.2.1"},
    ]
    assert {text for text in answer["left_out"] if "startup" in text} == {
        "startup of pc1, line 8: systemctl start apache2",
        "startup of router, line 7: for i in 1 2; do ping -c 1 10.0.2.$i; done",
        "startup of pc2, line 3: ip addr add 10.0.3.20/24 dev eth1",
        "startup of pc2, line 5: ip route add default via 10.0.2.1 nosuchword 7",
        "startup of pc2, line 6: ifconfig eth0 hw ether 02:00:00:00:00:01",
    }
    laid_out(topology)


@pytest.mark.parametrize(
    "line",
    [
        "ip addr add $ADDRESS dev eth0",
        "ip addr add 10.0.0.1/24 dev eth0 && ip link set eth0 up",
        "ip addr add 10.0.0.1/24",
        "ip addr add 10.0.0.1/24 dev eth7",
        "ip addr add 10.0.0.1/24 dev eth0 brd 10.9.9.9",
        "ip addr del 10.0.0.1/24 dev eth0",
        "ip link set eth0 down",
        "ip link set eth0 mtu 1400",
        "ip route add 10.0.0.0/8",
        "ip route add default via 10.0.0.1 dev eth7",
        "ip route add default via 10.0.0.1 metric low",
        "ip route",
        "ifconfig",
        "ifconfig eth0 10.0.0.1 up",
        "ifconfig eth0 down",
        "echo 'not closed",
        "echo 1 > /proc/sys/net/ipv4/ip_forward",
    ],
)
def test_a_line_of_another_kind_is_left_out_as_a_whole(line):
    answer = from_kathara('a[0]="A"', {"a": line}, name="one", with_notes=True)
    assert answer["left_out"] == ["startup of a, line 1: " + line]
    assert answer["topology"] == from_kathara('a[0]="A"', name="one")


@pytest.mark.parametrize("line", ["", "  # ip addr add 1.1.1.1/32 dev lo", "#!/bin/sh", "ip link set dev eth0 up"])
def test_a_line_that_says_nothing_is_not_left_out(line):
    answer = from_kathara('a[0]="A"', {"a": line}, name="one", with_notes=True)
    assert answer["left_out"] == []
    assert answer["topology"] == from_kathara('a[0]="A"', name="one")


def test_ipv6_has_no_broadcast_address():
    topology = from_kathara('a[0]="A"', {"a": "ifconfig eth0 inet6 add 2001:db8::1/64 up"}, name="one")
    assert topology["links"] == [[{"netns": "a", "name": "eth0", "addresses": ["2001:db8::1/64"]}, "A"]]


def test_an_address_alone_is_a_host_as_for_ip():
    topology = from_kathara('a[0]="A"', {"a": "ip addr add 10.0.0.1 dev eth0"}, name="one")
    assert topology["links"][0][0]["addresses"] == ["10.0.0.1/32"]


def test_names_that_are_none_here(laid_out):
    """A machine with a domain in its name, names that the topology format reserves, numbers, and a long name."""
    text = 'host[0]="lan"\nall[0]="lan"\nlan[0]="lan"\n7[0]="backbone_of_the_provider"\n'
    answer = from_kathara(text, {"host": "ip addr add 10.0.0.1/24 dev eth0"}, name="a-lab", with_notes=True)
    topology = answer["topology"]
    assert list(topology["namespaces"]) == ["host-2", "all-2", "lan", "n7"]
    assert topology["links"][0] == [{"netns": "host-2", "name": "eth0", "addresses": ["10.0.0.1/24"]}, "lan-2"]
    assert topology["bridges"]["lan-2"] == {"name": "a-lab-lan-2"}
    assert len(topology["bridges"]["backbone_of_the_provider"]["name"]) == 15
    assert {"host: is named host-2 here", "lan: is named lan-2 here", "7: is named n7 here"} <= set(
        answer["left_out"]
    )
    laid_out(topology)


def test_two_labs_with_the_same_domain_have_two_bridges():
    one, two = (from_kathara('a[0]="A"', name=name)["bridges"]["A"]["name"] for name in ("one", "two"))
    assert one != two


def test_without_notes_it_is_a_warning(warnings):
    assert from_kathara(LAB, STARTUP) == from_kathara(LAB, STARTUP, with_notes=True)["topology"]
    assert len(warnings) == 1 and "systemctl start apache2" in warnings[0] and "pc2[mem]: 64m" in warnings[0]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("pc1[0]", r"line 2: 'pc1\[0\]' is not"),
        ("pc1 [0]=A", "line 2: 'pc1 "),
        ('pc1[1]="B', "line 2: 'pc1"),
        ("pc1[0]=B", r"line 2: pc1\[0\] already exists"),
        ('pc1[1]="two words"', "line 2: 'two words'"),
        ('pc1[1]="B/02:00:00:00:00:zz"', "line 2: '02:00:00:00:00:zz'"),
        ('pc1[1]="B/01:00:00:00:00:01"', "line 2: '01:00:00:00:00:01'"),
        ('pc1[1]="B/C/D"', "line 2: 'B/C/D'"),
        ("LAB=x", "line 2: 'LAB=x'"),
    ],
)
def test_what_is_wrong_is_named(line, words):
    with pytest.raises(AnsibleFilterError, match="lab.conf, " + words):
        from_kathara("pc1[0]=A\n" + line, name="x")


@pytest.mark.parametrize(
    ("startup", "words"),
    [
        ({"pc": "true"}, "startup of pc: there is no such machine .did you mean 'pc1'"),
        ({"pc1": ["ip"]}, r"startup of pc1: \['ip'\] is not a text"),
        ("ip addr add", "startup: 'ip addr add' is not a mapping"),
        ({"pc1": "\nip addr add 10.0.0.300/24 dev eth0"}, "startup of pc1, line 2: '10.0.0.300/24'"),
        ({"pc1": "ip addr add 10.0.0.0/24 dev eth0"}, "'10.0.0.0/24' is the network address"),
        ({"pc1": "ifconfig eth0 10.0.0.1 netmask 255.0.255.0"}, "10.0.0.1/255.0.255.0"),
        ({"pc1": "ip route add default via gateway"}, "'gateway'"),
        ({"pc1": "ip route add everywhere via 10.0.0.1"}, "'everywhere'"),
    ],
)
def test_what_is_wrong_with_startup_files_is_named(startup, words):
    with pytest.raises(AnsibleFilterError, match=words):
        from_kathara("pc1[0]=A", startup, name="x")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "None is not a text"),
        ("", "no machine"),
        ('LAB_NAME="x"', "no machine"),
        ("pc1[0]=A", "LAB_NAME: None"),
        ('LAB_NAME=""\npc1[0]=A', "LAB_NAME: ''"),
    ],
)
def test_what_is_no_lab_at_all(text, words):
    with pytest.raises(AnsibleFilterError, match=words):
        from_kathara(text)
