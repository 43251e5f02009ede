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
    assert from_kathara(LAB, with_notes=True)["left_out"] == [
        "observer[bridged]: true",
        "commands that do not configure the network: echo: 1 time",
        "settings that are no part of the network: LAB_DESCRIPTION: 1 time, LAB_VERSION: 1 time, image: 1 time, "
        "sysctl: 1 time, mem: 1 time",
    ]


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
        {
            "netns": "pc2",
            "name": "eth0",
            "mac": "02:00:00:00:00:01",
            "addresses": ["10.0.2.20/24"],
            "broadcast": True,
        },
    ]
    assert topology["routes"] == [
        {"netns": "pc1", "dst": "default", "via": "10.0.1.1", "dev": "eth0"},
        {"netns": "pc1", "dst": "::/0", "via": "2001:db8:1::1"},
        {"netns": "router", "dst": "10.9.0.0/16", "via": "10.0.2.20", "src": "10.0.1.1", "metric": 5},
        {"netns": "router", "dst": "192.0.2.0/24", "type": "blackhole"},
        {"netns": "pc2", "dst": "default", "via": "10.0.2.1"},
    ]
    assert [text for text in answer["left_out"] if "startup" in text] == [
        "startup of pc2, line 3: ip addr add 10.0.3.20/24 dev eth1 (there is no link eth1)",
        "startup of pc2, line 5: ip route add default via 10.0.2.1 nosuchword 7",
    ]
    laid_out(topology)


NO_MEANING = [
    "ip addr add $ADDRESS dev eth0",
    "ip addr add 10.0.0.1/24",
    "ip addr add 10.0.0.1/24 dev eth0 brd 10.9.9.9",
    "ip addr add 10.0.0.0/24 dev eth0",
    "ip link set eth0 name wan",
    "ip link add eth0.7 type unknown",
    "ip netns add other",
    "ip -n other addr add 10.0.0.1/24 dev eth0",
    "route add -net 10.0.0.0 gw 10.0.0.1",
    "iptables -A FORWARD -j DROP",
    "sysctl -p",
    "ip addr add 10.0.0.1/24 dev eth0 'not closed",
    "for i in 1 2; do ip addr add 10.0.0.$i/24 dev eth0; done",
    "systemctl start frr",
    "sysctl -w net.core.rmem_max=1",
    "ip rule add to 10.0.0.1 table blue",
    "ip route add 10.9.0.0/16 dev eth0 table 255",
]
REFUSED = {
    "ip addr add 10.0.0.1/24 dev eth7": "there is no link eth7",
    "ip addr del 10.0.0.1/24 dev eth0": "eth0 has no address 10.0.0.1/24",
    "ip addr add 10.0.0.300/24 dev eth0": "'10.0.0.300/24' is not an address",
    "ifconfig eth0 10.0.0.1 netmask 255.0.255.0": "'10.0.0.1/255.0.255.0' is not an address",
    "ip link set eth0 mtu large": "'large' is not a number",
    "ip link set eth0 master eth0": "eth0 has no ports",
    "ip link set eth0 address 01:00:00:00:00:01": "'01:00:00:00:00:01' is not the MAC address of a link",
    "ip route add 10.0.0.0/8": "it has neither a gateway nor a link",
    "ip route add default via 10.0.0.1": "no link leads to the gateway 10.0.0.1",
    "ip route add default via 10.0.0.1 dev eth7": "there is no link eth7",
    "ip route add default via gateway": "'gateway' is not an IP address",
    "ip route add everywhere via 10.0.0.1": "'everywhere' is not a network",
    "ip route add default via 10.0.0.1 metric low": "'low' is not a number",
    "ip neigh add 10.0.0.9 lladdr 02:00:00:00:00:09 dev eth3": "there is no link eth3",
    "brctl addif br0 eth0": "there is no link br0",
    "sysctl -w net.ipv4.conf.eth5.rp_filter=0": "there is no link eth5",
    "ip addr add 10.0.0.1 peer fd00::1 dev eth0": "'fd00::1' is not the address of a peer",
    "ip addr add 10.0.0.1/24 dev eth0 valid_lft 5 preferred_lft 9": "preferred_lft is more than valid_lft",
    "ip route add 10.0.0.0/8 dev eth0 mtu 9": "mtu 9 is not between 68 and 65535",
    "ip route add blackhole 10.0.0.0/8 dev eth0": "such a route has neither a gateway nor a link of its own",
    "ip route add 10.0.0.0/8 via 10.9.9.9 onlink": "onlink needs a gateway and a link",
    "ip neigh add 224.0.0.1 lladdr 02:00:00:00:00:01 dev eth0": "'224.0.0.1' is not the IP address of a neighbour",
    "ip rule add from 10.0.0.1 to fd00::1 table 5": "IPv4 and IPv6 are mixed",
    "ip rule add fwmark x table 5": "fwmark x is not valid",
    "ip link add br0 type bridge forward_delay 9900": "9900 is too large",
}


@pytest.mark.parametrize("line", [*NO_MEANING, *REFUSED])
def test_a_line_without_effect_is_left_out_with_the_reason(line):
    answer = from_kathara('a[0]="A"', {"a": line}, name="one", with_notes=True)
    why = " ({0})".format(REFUSED[line]) if line in REFUSED else ""
    assert answer["left_out"] == ["startup of a, line 1: {0}{1}".format(line, why)]
    assert answer["topology"] == from_kathara('a[0]="A"', name="one")


@pytest.mark.parametrize(
    "line",
    [
        "",
        "  # ip addr add 1.1.1.1/32 dev lo",
        "#!/bin/sh",
        "ip link set dev eth0 up",
        "ip route",
        "ip -6 route show; ip a",
        "ifconfig",
        "ip route del default",
        "route -n",
        "sleep 1; echo done",
        "brctl show",
        "sysctl net.ipv4.ip_forward",
    ],
)
def test_a_line_that_says_nothing_is_not_left_out(line):
    answer = from_kathara('a[0]="A"', {"a": line}, name="one", with_notes=True)
    assert answer["left_out"] == []
    assert answer["topology"] == from_kathara('a[0]="A"', name="one")


@pytest.mark.parametrize(
    ("line", "end"),
    [
        ("ip addr add 10.0.0.1/24 dev eth0 && ip link set eth0 up", {"addresses": ["10.0.0.1/24"]}),
        ("ip addr add 10.0.0.1/24 dev eth0; ip addr flush dev eth0", {}),
        ("ifconfig eth0 10.0.0.1 up", {"addresses": ["10.0.0.1/8"], "broadcast": True}),
        ("ifconfig eth0 10.0.0.1/24; ifconfig eth0 10.0.0.2/24", {"addresses": ["10.0.0.2/24"], "broadcast": True}),
        ("ifconfig eth0:1 10.0.0.1/24", {"addresses": ["10.0.0.1/24"], "broadcast": True}),
        ("ip link set eth0 down", {"up": False}),
        ("ifconfig eth0 down", {"up": False}),
        ("ip l set dev eth0 mtu 1400 up", {"mtu": 1400}),
        ("ifconfig eth0 mtu 1400 -arp", {"mtu": 1400, "arp": False}),
        ("ip link set eth0 address 02:00:00:00:00:0A",
         {"mac": "02:00:00:00:00:0a"}),
        (
            "ip addr add 10.0.0.1/24 dev eth0 metric 7; ip addr add 10.0.0.2/24 brd + dev eth0",
            {"addresses": [
                {"address": "10.0.0.1/24", "metric": 7}, {"address": "10.0.0.2/24", "broadcast": True}
            ]},
        ),
        (
            "ip addr add 10.0.0.1 peer 10.0.0.2/32 dev eth0",
            {"addresses": [{"address": "10.0.0.1/32", "peer": "10.0.0.2"}]},
        ),
    ],
)  # fmt: skip
def test_what_a_line_says_of_a_link(line, end, laid_out):
    answer = from_kathara('a[0]="A"', {"a": line}, name="one", with_notes=True)
    assert answer["left_out"] == []
    ours = answer["topology"]["links"][0][0]
    assert ours == ({"netns": "a", "name": "eth0", **end} if end else "a:eth0")
    laid_out(answer["topology"])


def test_an_address_that_two_machines_have_is_left_out_once(laid_out):
    lines = "ip addr add 10.0.0.1/24 dev eth0\nip route add default via 10.0.0.9"
    answer = from_kathara("a[0]=A\nb[0]=B", {"a": lines, "b": lines}, name="one", with_notes=True)
    assert answer["left_out"] == ["b:eth0: 10.0.0.1/24, which a:eth0 has, too"]
    assert answer["topology"]["routes"][1] == {
        "netns": "b", "dst": "default", "via": "10.0.0.9", "dev": "eth0", "onlink": True
    }  # fmt: skip
    laid_out(answer["topology"])


def test_a_folder(tmp_path, laid_out):
    lab = tmp_path / "my-lab"
    lab.mkdir()
    (lab / "lab.conf").write_text("a[0]=A\nb[0]=A\n")
    (lab / "a.startup").write_text("ip addr add 10.0.0.1/24 dev eth0\n")
    (lab / "shared.startup").write_text("sysctl -w net.ipv4.conf.all.rp_filter=0\n")
    (lab / "c.startup").write_text("ip addr add 10.0.0.3/24 dev eth0\n")
    (lab / "lab.ext").write_text("A enp9s0\n")
    (lab / "a").mkdir()
    answer = from_kathara(str(lab), with_notes=True)
    assert answer["topology"]["name"] == "my-lab"
    assert answer["topology"]["namespaces"]["b"]["sysctls"] == {"net.ipv4.conf.all.rp_filter": "0"}
    assert answer["topology"]["links"][0][0]["addresses"] == ["10.0.0.1/24"]
    assert answer["left_out"] == [
        "lab.ext: A enp9s0, a link to the outside",
        "files of the machines a, such as configurations of daemons",
        "startup of c: there is no such machine",
    ]
    laid_out(answer["topology"])
    assert from_kathara(str(lab), name="other")["name"] == "other"
    (lab / "lab.conf").write_text("LAB_NAME=told\na[0]=A\nb[0]=A\n")
    assert from_kathara(str(lab))["name"] == "told"
    with pytest.raises(AnsibleFilterError, match="already has the startup files"):
        from_kathara(str(lab), {"a": "true"})
    (lab / "b.startup").symlink_to("/etc/hostname")
    with pytest.raises(AnsibleFilterError, match="b.startup: the file is outside the folder"):
        from_kathara(str(lab))
    with pytest.raises(AnsibleFilterError, match="has no file lab.conf"):
        from_kathara(str(tmp_path))
    with pytest.raises(AnsibleFilterError, match="there is no folder"):
        from_kathara(str(tmp_path / "nowhere"))


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
    assert len(warnings) == 1 and "systemctl: 1 time" in warnings[0] and "nosuchword" in warnings[0]


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
