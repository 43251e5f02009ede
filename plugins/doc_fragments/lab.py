# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """What the modules of the engine have in common: requirements and attributes, and, each by itself, options."""

    DOCUMENTATION = r"""
requirements:
  - pyroute2 >= 0.7.2 (on the host that executes the module; the role P(linuxnet.lab.prepare#role) installs it)
  - root
options:
  force:
    description:
      - Change also objects that do not belong to the lab, and add addresses and routes to the host even if they divert
        paths that the host uses.
      - Without O(force), the module refuses the following before it changes anything, and says what uses the path. A
        prefix that overlaps a network of the host. A prefix or route that diverts the path to a gateway, a resolver, a
        proxy of the environment, or the peer of a TCP connection, such as the one that manages the host. A default
        route that takes precedence over the host's own. A prefix shorter than 8 bits counts as a default route, also if
        several routes form it together.
      - An object that existed before the lab never gets the lab's mark. It keeps its addresses and ports, its namespace
        and its name, and it stays when you remove the lab. Settings, addresses and ports that the lab changed on it get
        their old values when you remove the lab, or when its description no longer has the object. Other options stay
        as they are.
      - A namespace, bridge or veth pair that a run took over needs no force in later runs.
      - With O(force=true) and C(state=absent), a task deletes an object even if the lab has never changed it.
    type: bool
    default: false
attributes:
  check_mode:
    description: Can run in check mode and return the changed status prediction without modifying the target.
    support: full
    details:
      - If a namespace or link does not exist, the module expects an earlier task of the same run to create it, and
        lists it in RV(assumed).
  diff_mode:
    description: Returns details on what has changed (or would change in check mode), when in diff mode.
    support: full
  idempotent:
    description: When run twice in a row outside check mode with the same arguments, the second run changes nothing.
    support: full
  platform:
    description: The systems that the module works on.
    platforms: linux
    support: full
  action_group:
    description: Use C(group/linuxnet.lab.lab) in C(module_defaults) to set defaults for this module.
    membership:
      - linuxnet.lab.lab
    support: full
"""

    OWNER = r"""
options:
  lab:
    description:
      - The lab that owns the objects that the module creates. The module marks each link with the alias
        C(linuxnet.lab:LAB), and each namespace with this alias of its C(lo).
      - Without O(force=true), the module neither changes nor deletes an object without the mark. Nor does it add a
        route or a table to a namespace of another lab, or change a sysctl there.
      - Set it once for a play or a block with C(module_defaults) of C(group/linuxnet.lab.lab).
    type: str
    default: default
"""

    STATE = r"""
options:
  state:
    description: V(present) creates or corrects the object, V(absent) removes it.
    type: str
    choices: [present, absent]
    default: present
"""

    HOST_FIREWALL = r"""
options:
  host_firewall:
    description:
      - What to do if another program's firewall drops packets that the lab forwards, or, with C(br_netfilter), packets
        that its bridges pass from port to port.
      - With V(allow), the lab adds exceptions for its own links, if that firewall has a place for them. Docker and ufw
        have a chain for the rules of others (C(DOCKER-USER), C(ufw-user-forward)), with C(iptables-nft) and
        C(iptables-legacy). The lab's rules there have the comment C(linuxnet.lab:LAB). With firewalld, the lab adds its
        links to a zone. The next run restores exceptions that are missing. They disappear when you remove the lab or
        the link.
      - With V(leave), the lab adds no exceptions, and removes those of an earlier run.
      - If the firewall has no place for exceptions, or with V(leave), a warning names the chain, and a command that
        helps.
    type: str
    choices: [allow, leave]
    default: allow
"""

    # Of modules that only tell.
    INFO = r"""
requirements:
  - pyroute2 >= 0.7.2 (on the host that executes the module; the role P(linuxnet.lab.prepare#role) installs it)
  - root
attributes:
  check_mode:
    description: Can run in check mode and return changed status prediction without modifying target.
    support: full
  diff_mode:
    description: Returns details on what has changed, when in diff mode.
    support: N/A
    details: This module changes nothing.
  platform:
    description: The systems that the module works on.
    platforms: linux
    support: full
  action_group:
    description: Use C(group/linuxnet.lab.lab) in C(module_defaults) to set defaults for this module.
    membership:
      - linuxnet.lab.lab
    support: full
"""
