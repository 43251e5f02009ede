# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter from_containerlab."""

from __future__ import annotations

import copy
import typing as t

import pytest
import yaml
from ansible.errors import AnsibleFilterError

from ansible_collections.linuxnet.lab.plugins.filter.from_containerlab import from_containerlab

# Two sites with a router each, a switch at one of them, and all settings that hosts and routers can have.
SITES = """
name: two-sites
prefix: ""
mgmt: {network: sites-mgmt, ipv4-subnet: 198.51.100.0/24}
topology:
  defaults:
    kind: linux
    image: debian:12
    sysctls: {net.ipv4.conf.all.rp_filter: 0}
  kinds:
    nokia_srlinux: {type: ixr-d2l, group: cores}
  groups:
    edges:
      sysctls: {net.ipv4.ip_forward: 1, net.ipv4.conf.all.rp_filter: 1}
    cores:
      kind: nokia_srlinux
      sysctls: {net.ipv6.conf.all.forwarding: 1, kernel.domainname: example}
    switches: {kind: bridge}
  nodes:
    east: {group: edges}
    west:
      group: edges
      sysctls: {net.ipv4.conf.all.rp_filter: 2}
      exec: [ip route add default via 10.0.0.1]
    core: {group: cores}
    spare: {kind: nokia_srlinux}
    br-west: {group: switches}
    pc1:
    pc2: {binds: ["./pc2:/etc/pc"]}
    uplink: {kind: host}
  links:
    - endpoints: ["east:eth1", "core:ethernet-1/1"]
      mtu: 9000
    - type: veth
      endpoints:
        - {node: west, interface: eth1, mac: "02:00:00:00:00:0A", ipv4: 10.0.0.2/24, ipv6: "2001:db8::2/64"}
        - {node: core, interface: e1-2, ipv4: 10.0.0.1/24}
      mtu: 1400
      labels: {colour: red}
    - endpoints: ["west:eth2", "br-west:west-port"]
    - endpoints: ["pc1:eth1", "br-west:pc1-port"]
      ipv4: ["10.1.0.11/24", "10.1.0.99/24"]
    - endpoints: ["pc2:eth1", "br-west:pc2-port"]
      ipv4: ["", ""]
      ipv6: ["2001:db8:1::12/64"]
    - type: host
      endpoint: {node: east, interface: eth9}
      host-interface: to-east
    - endpoints: ["west:eth9", "host:to-west"]
    - endpoints: ["uplink:to-core", "core:e1-9"]
    - endpoints: ["mgmt-net:pc1-mgmt", "pc1:eth7"]
    - endpoints: ["pc1:eth8", "macvlan:enp0s3"]
    - {type: dummy, endpoint: {node: pc1, interface: eth5}}
    - {type: vxlan, endpoint: {node: pc1, interface: eth6}, remote: 203.0.113.9, vni: 7, dst-port: 4789}
"""


def small(**topology: t.Any) -> dict[str, t.Any]:
    """A topology of two nodes and their link, with changes."""
    whole = {
        "nodes": {"a": {"kind": "linux"}, "b": {"kind": "linux"}},
        "links": [{"endpoints": ["a:eth1", "b:eth1"]}],
        **topology,
    }
    return {"name": "small", "topology": whole}


def test_sites(laid_out):
    answer = from_containerlab(SITES, with_notes=True)
    topology = answer["topology"]
    assert topology["name"] == "two-sites"
    assert topology["namespaces"] == {
        "east": {"forwarding": True, "sysctls": {"net.ipv4.conf.all.rp_filter": "1"}},
        "west": {"forwarding": True, "sysctls": {"net.ipv4.conf.all.rp_filter": "2"}},
        "core": {"sysctls": {"net.ipv4.conf.all.rp_filter": "0", "net.ipv6.conf.all.forwarding": "1"}},
        "spare": {"sysctls": {"net.ipv4.conf.all.rp_filter": "0", "net.ipv6.conf.all.forwarding": "1"}},
        "pc1": {"sysctls": {"net.ipv4.conf.all.rp_filter": "0"}},
        "pc2": {"sysctls": {"net.ipv4.conf.all.rp_filter": "0"}},
    }
    assert topology["bridges"] == {"br-west": None}
    assert topology["links"] == [
        {"ends": ["east:eth1", "core:ethernet-1-1"], "mtu": 9000},
        {
            "ends": [
                {
                    "netns": "west",
                    "name": "eth1",
                    "mac": "02:00:00:00:00:0a",
                    "addresses": ["10.0.0.2/24", "2001:db8::2/64"],
                },
                {"netns": "core", "name": "e1-2", "addresses": ["10.0.0.1/24"]},
            ],
            "mtu": 1400,
        },
        ["west:eth2", "br-west:west-port"],
        [{"netns": "pc1", "name": "eth1", "addresses": ["10.1.0.11/24"]}, "br-west:pc1-port"],
        [{"netns": "pc2", "name": "eth1", "addresses": ["2001:db8:1::12/64"]}, "br-west:pc2-port"],
        ["east:eth9", "host:to-east"],
        ["west:eth9", "host:to-west"],
        ["host:to-core", "core:e1-9"],
    ]
    lab = laid_out(topology)
    ends = {(end.netns, end.name): end for end in lab.ends()}
    assert ends["core", "ethernet-1-1"].mtu == 9000
    assert ends["", "pc1-port"].bridge is lab.bridges["br-west"]
    assert lab.bridges["br-west"].netns == ""


def test_what_is_left_out():
    assert set(from_containerlab(SITES, with_notes=True)["left_out"]) == {
        "kind nokia_srlinux: core, spare, namespaces without their programs",
        "topology.nodes.br-west: the lab creates it; containerlab expects it to exist",
        "topology.links[0], core:ethernet-1/1: is named ethernet-1-1 here",
        "topology.links[3]: 10.1.0.99/24 of br-west:pc1-port, a port of a bridge",
        "topology.links[8]: to mgmt-net:pc1-mgmt, there is no management network here",
        "topology.links[9]: to macvlan:enp0s3, it would be a link of the host's own",
        "topology.links[10]: type dummy, it leads nowhere",
        "topology.links[11]: type vxlan, it leads to another machine",
        "settings that are no part of the network: sysctl kernel.domainname: 2 times, prefix: 1 time, mgmt: 1 time, "
        "binds: 1 time, type: 1 time, image: 1 time, labels: 1 time",
    }


def test_without_notes_it_is_a_warning(warnings):
    topology = from_containerlab(SITES)
    assert topology == from_containerlab(SITES, with_notes=True)["topology"]
    assert len(warnings) == 1
    assert "image: 1 time" in warnings[0] and "two-sites" in warnings[0]


def test_without_anything_left_out_there_is_no_warning(warnings):
    assert from_containerlab(small()) == {
        "name": "small",
        "namespaces": {"a": None, "b": None},
        "links": [["a:eth1", "b:eth1"]],
    }
    assert warnings == []


def test_data_and_text_are_alike():
    assert from_containerlab(yaml.safe_load(SITES), with_notes=True) == from_containerlab(SITES, with_notes=True)


def test_the_input_stays_as_it_is():
    data = yaml.safe_load(SITES)
    before = copy.deepcopy(data)
    from_containerlab(data, with_notes=True)
    assert data == before


def test_with_a_pool_all_links_have_addresses(laid_out):
    lab = laid_out({**from_containerlab(small()), "pool": "10.254.0.0/16"})
    assert all(end.addresses for end in lab.ends())


def test_bridges_in_a_node(laid_out, warnings):
    """Two nodes have bridges of the same name, and a node shares the namespace of another one."""
    nodes = {
        "br0|a": {"kind": "bridge", "network-mode": "container:a"},
        "br0|b": {"kind": "bridge", "network-mode": "container:b"},
        "a": {"kind": "linux"},
        "b": {"kind": "linux"},
        "sidecar": {"kind": "linux", "network-mode": "container:a"},
    }
    links = [{"endpoints": ["br0|a:p0", "br0|b:p0"]}, {"endpoints": ["sidecar:eth1", "b:eth1"]}]
    topology = from_containerlab(small(nodes=nodes, links=links))
    assert topology["bridges"] == {"br0-a": {"netns": "a", "name": "br0"}, "br0-b": {"netns": "b", "name": "br0"}}
    assert topology["namespaces"] == {"a": None, "b": None}
    assert topology["links"] == [["br0-a:p0", "br0-b:p0"], ["a:eth1", "b:eth1"]]
    assert {bridge.netns for bridge in laid_out(topology).bridges.values()} == {"a", "b"}
    assert "made here" not in warnings[0], "containerlab makes these too"


def test_a_node_in_another_one_s_namespace_says_so_itself():
    """The node's own setting precedes that of its group and the defaults. Each omission is named once."""
    defaults = {"kind": "linux", "network-mode": "none"}
    groups = {"guests": {"network-mode": "container:a"}}
    nodes = {"a": {"network-mode": "host"}, "b": {"group": "guests"}, "c": {"network-mode": "container:b"}}
    links = [{"endpoints": ["b:eth1", "c:eth2"]}]
    answer = from_containerlab(small(defaults=defaults, groups=groups, nodes=nodes, links=links), with_notes=True)
    assert answer["topology"]["namespaces"] == {"a": None}
    assert answer["topology"]["links"] == [["a:eth1", "a:eth2"]]
    assert answer["left_out"] == ["topology.nodes.a: network-mode host"]


def test_open_vswitch_is_a_bridge(laid_out):
    nodes = {"a": {"kind": "linux"}, "sw": {"kind": "ovs-bridge"}}
    answer = from_containerlab(small(nodes=nodes, links=[{"endpoints": ["a:eth1", "sw:p1"]}]), with_notes=True)
    assert list(laid_out(answer["topology"]).bridges) == ["sw"]
    assert "topology.nodes.sw: becomes a Linux bridge, which has no flows" in answer["left_out"]


def test_names_that_are_none_here(laid_out):
    """The ports of both bridges are in one namespace here. A node named all or 1 would mean something else."""
    nodes = {"all": None, "1": None, "sw1": {"kind": "bridge"}, "sw2": {"kind": "bridge"}, "x" * 80: None}
    ends = [["all:eth1", "sw1:p1"], ["1:eth1", "sw2:p1"], ["x" * 80 + ":GigabitEthernet0/0/1", "1:eth2"]]
    links = [{"endpoints": pair} for pair in ends]
    answer = from_containerlab(small(defaults={"kind": "linux"}, nodes=nodes, links=links), with_notes=True)
    topology = answer["topology"]
    first, second, third = topology["namespaces"]
    assert (first, second) == ("all-2", "n1") and len(third) == 63
    assert topology["links"][:2] == [["all-2:eth1", "sw1:p1"], ["n1:eth1", "sw2:p1-2"]]
    assert topology["links"][2][0].startswith(third + ":GigabitE-")
    assert "topology.nodes.all: is named all-2 here" in answer["left_out"]
    laid_out(topology)


def test_the_lab_name():
    assert from_containerlab(small(), name="mine")["name"] == "mine"
    answer = from_containerlab({**small(), "name": "Zürich lab"}, with_notes=True)
    assert answer["topology"]["name"] == "Zurich-lab"
    assert answer["left_out"] == ["name: the lab 'Zürich lab' is named Zurich-lab here"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"links": [{"endpoints": ["a:eth1", "c:eth1"]}]}, "no node 'c'"),
        ({"links": [{"endpoints": ["a:eth1", "b"]}]}, "'b' names no interface"),
        ({"links": [{"endpoints": ["a:eth1"]}]}, r"\['a:eth1'\] is not a list of two"),
        ({"links": [{"endpoints": ["a:eth1", 7]}]}, "7 is neither"),
        ({"links": [{"endpoints": ["a:eth1", "b:eth1"]}] * 2}, "'a:eth1' is already the end of another"),
        ({"links": [{"endpoints": ["a:eth1", "b:eth1"], "mtu": "big"}]}, "'big' is not a number"),
        ({"links": [{"endpoints": ["a:eth1", "b:eth1"], "mtu": 66000}]}, "66000"),
        ({"links": [{"endpoints": ["a:eth1", "b:eth1"], "ipv4": ["10.0.0.300/24"]}]}, "'10.0.0.300/24'"),
        ({"links": [{"endpoints": ["a:eth1", "b:eth1"], "ipv4": "10.0.0.1/24"}]}, "'10.0.0.1/24' is not a list"),
        ({"links": [{"type": "vethh", "endpoints": []}]}, "'vethh' .did you mean 'veth'"),
        ({"links": [{"type": "host", "endpoint": {"node": "a", "interface": "eth1"}}]}, "host-interface: None"),
        ({"links": [{"endpoints": [{"node": "a", "interface": "e", "mac": "01:00:00:00:00:01"}, "b:e"]}]}, "'01:00"),
        ({"links": ["a:eth1 b:eth1"]}, "'a:eth1 b:eth1' is not a mapping"),
        ({"links": {"a": "b"}}, "{'a': 'b'} is not a list"),
        ({"nodes": {}}, "topology.nodes: there are no nodes"),
        ({"nodes": ["a", "b"]}, r"\['a', 'b'\] is not a mapping"),
        ({"nodes": {"a": {"image": "x"}}}, "topology.nodes.a: None is not a kind"),
        ({"nodes": {"a": {"kind": ["x"]}}}, r"topology.nodes.a: \['x'\] is not a kind"),
        ({"nodes": {"br|c": {"kind": "bridge", "network-mode": "container:c"}}}, "'container:c' does not name"),
        (
            {
                "nodes": {
                    "a": {"kind": "linux", "network-mode": "container:b"},
                    "b": {"kind": "linux", "network-mode": "container:a"},
                }
            },
            "refers back",
        ),
    ],
)
def test_what_is_wrong_is_named(change, words):
    with pytest.raises(AnsibleFilterError, match=words):
        from_containerlab(small(**change))


@pytest.mark.parametrize("data", [None, 7, "a: [", "just text", {"name": "x"}, {"name": "x", "topology": []}])
def test_what_is_no_topology_at_all(data):
    with pytest.raises(AnsibleFilterError, match="not YAML|not a containerlab topology"):
        from_containerlab(data)


def test_a_lab_without_a_name():
    with pytest.raises(AnsibleFilterError, match="name: None"):
        from_containerlab({"topology": {"nodes": {"a": {"kind": "linux"}}}})


def test_a_contradiction_is_told_whatever_it_is():
    """More ports than a bridge can have: only the reader of the topology format counts them."""
    nodes = {"a": {"kind": "linux"}, "sw": {"kind": "bridge"}}
    links = [{"endpoints": ["a:e{0}".format(number), "sw:p{0}".format(number)]} for number in range(1024)]
    with pytest.raises(AnsibleFilterError, match="1024 ports"):
        from_containerlab(small(nodes=nodes, links=links))


def test_the_host_gets_addresses_only_where_that_is_allowed() -> None:
    """A definition of a stranger could divert 8.8.8.8, or the host's own resolver, into a lab."""
    ends = [{"node": "a", "interface": "e1"}, {"node": "host", "interface": "h1", "ipv4": "8.8.8.1/24"}]
    links = [{"type": "veth", "endpoints": ends}]
    data = {"name": "x", "topology": {"nodes": {"a": {"kind": "linux"}}, "links": links}}
    with pytest.raises(AnsibleFilterError, match=r"the host itself would get 8\.8\.8\.1/24; host_addresses=true"):
        from_containerlab(data)
    assert "8.8.8.1/24" in str(from_containerlab(data, host_addresses=True))
    del ends[1]["ipv4"]
    assert from_containerlab(data)["links"]


def test_scripts(tmp_path, laid_out):
    (tmp_path / "lab").mkdir()
    (tmp_path / "lab" / "a.sh").write_text("ip addr add 10.0.0.1/24 dev eth1\n/other.sh\n")
    (tmp_path / "outside.sh").write_text("ip addr add 10.6.6.6/24 dev eth1")
    (tmp_path / "lab" / "link.sh").symlink_to(tmp_path / "outside.sh")
    nodes = {
        "a": {
            "kind": "linux",
            "binds": ["__clabNodeName__.sh:/start.sh:ro", ".:/all", "../outside.sh:/out.sh"],
            "exec": ["sh /start.sh", "bash -e /all/a.sh", "sh /all/link.sh", "/out.sh", "touch /x", "sh -c 'ip route'"],
        },
        "b": {"kind": "linux", "exec": ["ip addr add 10.0.0.2/24 dev eth1 && true", "vtysh -c 'show run'"]},
        "br": {"kind": "bridge", "exec": ["ip link set br up"]},
    }
    answer = from_containerlab(small(nodes=nodes), folder=str(tmp_path / "lab"), with_notes=True)
    assert answer["topology"]["links"][0][0] == {"netns": "a", "name": "eth1", "addresses": ["10.0.0.1/24"]}
    assert answer["left_out"] == [
        "topology.nodes.a.exec[0], /start.sh, line 2: /other.sh",
        "topology.nodes.a.exec[1], /all/a.sh, line 2: /other.sh",
        "topology.nodes.a.exec[2]: sh /all/link.sh",
        "topology.nodes.a.exec[3]: /out.sh",
        "topology.nodes.b.exec[0]: ip addr add 10.0.0.2/24 dev eth1 && true",
        "topology.nodes.b.exec[1]: vtysh -c 'show run'",
        "topology.nodes.br.exec[0]: ip link set br up, in the host",
        "topology.nodes.br: the lab creates it; containerlab expects it to exist",
        "commands that do not configure the network: touch: 1 time",
    ]
    laid_out(answer["topology"])
    without = from_containerlab(small(nodes=nodes), with_notes=True)
    assert without["topology"]["links"] == [["a:eth1", "b:eth1"]]
    assert "topology.nodes.a.exec[0]: sh /start.sh" in without["left_out"]


@pytest.mark.parametrize(
    ("link", "left", "right", "mtus"),
    [
        ({}, 1400, 1300, [1300, 1300]),
        ({}, 1400, None, [1400, 1400]),
        ({"mtu": 9000}, 1400, None, [1400, 1400]),
        ({"mtu": 1400}, 1400, 1400, [1400, 1400]),
    ],
)
def test_both_ends_of_a_link_get_the_lower_mtu(link, left, right, mtus, laid_out):
    nodes = {
        name: {"kind": "linux", "exec": ["ip link set eth1 mtu {0}".format(mtu)] if mtu else []}
        for name, mtu in (("a", left), ("b", right))
    }
    topology = small(nodes=nodes, links=[{"endpoints": ["a:eth1", "b:eth1"], **link}])
    answer = from_containerlab(topology, with_notes=True)
    note = ["a:eth1 and b:eth1: both ends have the MTU {0} here".format(mtus[0])]
    assert answer["left_out"] == ([] if left == right else note)
    assert [end.mtu for end in laid_out(answer["topology"]).ends()] == mtus
