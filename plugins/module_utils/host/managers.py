# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find links that systemd-networkd or NetworkManager manages, by the files of these programs.

They do not manage the links of a lab, unless somebody configured them to manage all links.
Source: networkctl(1), systemd.network(5), nmcli(1).
"""

from __future__ import annotations

import os

NETWORKD = "/run/systemd/netif/links"
NETWORK_MANAGER = "/run/NetworkManager/devices"
CONNECTIONS = "/run/NetworkManager/system-connections"


def of_links(links: dict[int, str]) -> list[str]:
    """One warning for each program that manages some of these links of the host.

    :arg links: names by index.
    """
    warnings = []
    matched: dict[str, list[str]] = {}
    for index in _entries(NETWORKD, links):
        state = _values(os.path.join(NETWORKD, str(index)))
        # networkd manages a link sooner or later if a file matches it.
        if state.get("NETWORK_FILE") and state.get("ADMIN_STATE") != "unmanaged":
            matched.setdefault(state["NETWORK_FILE"], []).append(links[index])
    for path, names in sorted(matched.items()):
        text = (
            "systemd-networkd manages {0}, as {1} says, and may remove what the lab configures; "
            "[Match] Name={0} and [Link] Unmanaged=yes in an earlier file prevents that"
        )
        warnings.append(text.format(" ".join(names), path))
    known = _entries(NETWORK_MANAGER, links)
    external = _external_connections() if known else set()
    for index in known:
        state = _values(os.path.join(NETWORK_MANAGER, str(index)))
        if state.get("managed") == "true" and state.get("connection-uuid", "") not in external:
            warnings.append(
                "NetworkManager manages {0} and may remove what the lab configures on it; "
                "`nmcli device set {0} managed no` prevents that".format(links[index])
            )
    return warnings


def _external_connections() -> set[str]:
    """The UUIDs of connections by which NetworkManager only shows links of others, and an empty one for none."""
    files = os.listdir(CONNECTIONS) if os.path.isdir(CONNECTIONS) else []
    connections = [_values(os.path.join(CONNECTIONS, name)) for name in files]
    return {"", *(values.get("uuid", "") for values in connections if values.get("external") == "true")}


def _entries(folder: str, links: dict[int, str]) -> list[int]:
    """The links, by index, that have a file in a folder, which often does not exist."""
    if not links or not os.path.isdir(folder):
        return []
    return sorted(links.keys() & {int(name) for name in os.listdir(folder) if name.isdecimal()})


def _values(path: str) -> dict[str, str]:
    try:
        with open(path, encoding="utf-8") as stream:
            pairs = [line.rstrip("\n").partition("=") for line in stream]
    except FileNotFoundError:
        return {}
    return {key: value for key, equals, value in pairs if equals}
