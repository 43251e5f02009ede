# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter jmespath: query the result of a module."""

from __future__ import annotations

DOCUMENTATION = r"""
name: jmespath
short_description: Select data with a JMESPath expression
description:
  - Applies an expression of the query language JMESPath to data, such as what M(linuxnet.lab.netns_info) returns.
author:
  - linuxnet.lab contributors (!UNKNOWN)
requirements:
  - jmespath (on the controller)
positional: expression
options:
  _input:
    description: The data.
    type: raw
    required: true
  expression:
    description: The expression, as on U(https://jmespath.org).
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Show who knows which MAC address
  ansible.builtin.debug:
    msg: "{{ info | linuxnet.lab.jmespath('namespaces[].{netns: name, knows: neighbors[].[dst, lladdr]}') }}"
"""

RETURN = r"""
_value:
  description: The data that the expression selects. None if it selects nothing.
  type: raw
"""

import json
import typing as t

from ansible.errors import AnsibleFilterError

try:
    import jmespath
except ImportError:
    jmespath = None


def query(data: t.Any, expression: str) -> t.Any:
    """The selected data. AnsibleFilterError if the expression is wrong, or if the library is missing."""
    if jmespath is None:
        raise AnsibleFilterError("linuxnet.lab.jmespath needs the Python library jmespath on the controller")
    try:
        # The functions of JMESPath do not accept Ansible's own types of strings and lists.
        return jmespath.search(expression, json.loads(json.dumps(data)))
    except jmespath.exceptions.JMESPathError as exc:
        raise AnsibleFilterError("{0!r} is not a JMESPath expression for this: {1}".format(expression, exc)) from exc


class FilterModule:
    """Register the filter."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """The filter by its name."""
        return {"jmespath": query}
