# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.objects import Address


@pytest.mark.parametrize(
    ("address", "network"),
    [
        (Address("10.0.0.1/24"), "10.0.0.0/24"),
        (Address("10.0.0.1/24", remote="10.9.0.1"), "10.9.0.0/24"),  # ip address add 10.0.0.1 peer 10.9.0.1/24
        (Address("fd00::1/64"), "fd00::/64"),
    ],
)
def test_the_network_of_an_address_is_that_of_its_peer(address: Address, network: str) -> None:
    assert str(address.network) == network
