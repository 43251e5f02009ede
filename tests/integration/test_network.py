# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A network from a GML file is built, every pair of routers is connected, and the removal leaves nothing."""

from __future__ import annotations

import pathlib
import random

import networkx

from ansible_collections.linuxnet.lab.plugins.filter.from_gml import from_gml
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel import namespaces
from ansible_collections.linuxnet.lab.plugins.module_utils.topology import contract, layout

NETWORK = pathlib.Path(__file__).resolve().parents[1] / "data" / "network.gml"
ROUTERS = 24
CABLES = 29
SAMPLE = 40


def test_every_pair_of_routers(world):
    topology = from_gml(NETWORK.read_text())
    lab = layout.read(topology)[0]
    assert len(lab.nodes) == ROUTERS and len(lab.links) == CABLES
    before = world.json("ip -d -j link")

    world.run("topology", diff=False, topology=topology)
    assert set(namespaces.named()) == set(lab.nodes)
    pairs = [check for dummy, check in contract.checks(lab)]
    assert len(pairs) == ROUTERS * (ROUTERS - 1)
    done = world.module("connectivity", topology=topology, timeout=30)
    assert [one for one in done["results"] if not one["ok"]] == []
    assert {(one["from"], one["to"]) for one in done["results"]} == {(one["from"], one["to"]) for one in pairs}

    # ping(8) confirms the results, and the TTL of its answers shows as many routers as the graph.
    owner = {node.lo[0].split("/")[0]: ref for ref, node in lab.nodes.items()}
    graph = networkx.Graph(topology["links"])
    for check in random.Random(1).sample(pairs, SAMPLE):
        text = world.sh("ping -n -c 1 -W 5 {0}".format(check["to"]), check["from"])
        hops = networkx.shortest_path_length(graph, check["from"], owner[check["to"]])
        assert "ttl={0} ".format(64 - hops + 1) in text, (check, hops, text)

    # Without one route, two pairs fail, because the way there is also the way back of the other direction.
    victim = pairs[0]
    other = owner[victim["to"]]
    world.sh("ip route replace blackhole {0}".format(victim["to"]), victim["from"])
    near = [check for check in pairs if victim["from"] in (check["from"], owner[check["to"]])]
    done = world.module("connectivity", checks=near, timeout=5)
    lost = {(one["from"], owner[one["to"]]) for one in done["results"] if not one["ok"]}
    assert lost == {(victim["from"], other), (other, victim["from"])}

    world.run("topology", diff=False, lab=topology["name"], state="absent")
    assert namespaces.named() == []
    assert world.json("ip -d -j link") == before
    assert world.sh("find /run -type f") == ""
