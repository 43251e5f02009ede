# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lookup machines: the hosts that a playbook of the collection is for."""

from __future__ import annotations

DOCUMENTATION = r"""
name: machines
short_description: The hosts for the playbook of a lab
description:
  - With an inventory, the hosts of the group C(lab_hosts). Without an inventory, this machine.
  - The lookup fails if the inventory does not exist or cannot be read, or if C(lab_hosts) is empty. Otherwise a typing
    error in the name of an inventory would build the lab on the controller, or nowhere.
author:
  - linuxnet.lab contributors (!UNKNOWN)
options:
  _terms:
    description: The group to use instead of C(lab_hosts).
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: A lab on the machines of the inventory, or on this one
  hosts: "{{ lookup('linuxnet.lab.machines') }}"
  gather_facts: false
  roles:
    - role: linuxnet.lab.bridge_nat
"""

RETURN = r"""
_raw:
  description: A pattern for C(hosts).
  type: list
  elements: str
"""

import os
import typing as t

from ansible.errors import AnsibleError
from ansible.plugins.lookup import LookupBase

# What Ansible takes when nothing names an inventory; distributions have it there without hosts in it.
_DEFAULT = "/etc/ansible/hosts"


class LookupModule(LookupBase):
    """The lookup."""

    def run(self, terms: list[str], variables: dict[str, t.Any] | None = None, **kwargs: t.Any) -> list[str]:
        """The group, or C(localhost); AnsibleError says what is wrong with the inventory."""
        group = terms[0] if terms else "lab_hosts"
        known = variables or {}
        groups = known.get("groups") or {}
        sources = [str(source) for source in known.get("ansible_inventory_sources") or []]
        given = [source for source in sources if source != _DEFAULT]
        for source in given:
            if "," not in source and not os.access(source, os.R_OK):
                raise AnsibleError("the inventory {0} is not there, or cannot be read".format(source))
        if not given and not groups.get("all"):
            return ["localhost"]
        if not groups.get(group):
            raise AnsibleError("the inventory {0} has no host in the group {1}, for which this playbook is".format(
                ", ".join(sources), group))
        return [group]
