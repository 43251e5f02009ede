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
      - What stands beside the lines. V(names) is link names, V(all) is both.
      - An address within its segment's prefix is written without the length of the prefix.
    type: str
    choices: [none, names, addresses, all]
    default: addresses
  expand:
    description: Whether each namespace gets a box of its own, however many are alike.
    type: bool
    default: false
  limit:
    description:
      - How many namespaces that are alike get a box each. More are drawn as one, such as C(web[1:100] (100)).
      - Namespaces are alike if their names differ in the number at the end alone, they are on the same bridges and
        segments, and on no other link, they do not forward, and their C(lo) has no addresses.
    type: int
    default: 24
"""
