# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of what the filters that draw have in common."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of the filters that draw."""

    DOCUMENTATION = r"""
options:
  _input:
    description: The topology.
    type: dict
    required: true
  labels:
    description:
      - The labels of the lines. V(names) shows link names, V(addresses) shows addresses, V(all) shows both.
      - An address within the prefix of its segment has no prefix length.
    type: str
    choices: [none, names, addresses, all]
    default: addresses
  expand:
    description: Whether each namespace gets its own box, however many are alike.
    type: bool
    default: false
  limit:
    description:
      - The largest number of namespaces that are alike and get a box each. More of them share one box, such as
        C(web[1:100] (100)).
      - Namespaces are alike if their names differ only in the number at the end, they have links to the same bridges
        and segments and no other links, they do not forward, and their C(lo) has no addresses.
    type: int
    default: 24
"""
