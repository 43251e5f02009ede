# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter jmespath, called directly and in playbooks."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.linuxnet.lab.plugins.filter.jmespath import query

INFO = {"namespaces": [{"name": "", "routes": []}, {"name": "c1", "routes": [{"dst": "default", "via": "10.0.0.1"}]}]}


def test_selects():
    assert query(INFO, "namespaces[?name=='c1'].routes[].via") == ["10.0.0.1"]
    assert query(INFO, "nothing") is None


def test_a_wrong_expression_is_named():
    with pytest.raises(AnsibleFilterError, match="namespaces"):
        query(INFO, "namespaces[?")


def test_is_a_filter_of_the_collection(new_python):
    message = "msg={{ {'a': [{'b': 7}]} | linuxnet.lab.jmespath('a[].b') }}"
    done = new_python("-m", "ansible.cli.adhoc", "localhost", "-m", "ansible.builtin.debug", "-a", message)
    assert '"msg": [\n        7\n    ]' in done.stdout
