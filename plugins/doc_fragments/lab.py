# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """What the modules of the engine have in common: requirements and attributes, and, each by itself, options."""

    DOCUMENTATION = r"""
requirements:
  - pyroute2 >= 0.7.2 (on the host that executes the module; the role P(linuxnet.lab.prepare#role) puts it there)
  - root
options:
  force:
    description:
      - Change also what is not the lab's, and add addresses and routes to the host that take away what it uses.
      - Without it these are refused before anything changes, with what uses them. A prefix that overlaps a network of
        the host. A prefix or route that leads away the addresses of a gateway, a resolver, a proxy of the
        environment, or the other end of a TCP connection, such as that by which the host is managed. A default route
        that comes before the host's own; a prefix shorter than 8 bits counts as one, also where several routes make
        it up together.
      - What was there before the lab never gets its mark. It keeps its addresses and its ports, it is neither moved nor
        renamed, and it outlives the lab. When the lab ends, or its description does not name the thing any more, what
        the lab changed on it is given back; settings, addresses and ports. Options that nobody named stay as they are.
      - A namespace, bridge or veth pair that was taken over once needs no force in later runs.
      - A task that is told to delete by force what the lab has never changed deletes it.
    type: bool
    default: false
attributes:
  check_mode:
    description: Can run in check mode and return the changed status prediction without modifying the target.
    support: full
    details:
      - A namespace or link that does not exist is taken to be made by an earlier task of the same run, which in check
        mode made nothing; RV(assumed) names it.
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
      - The lab that owns what the module makes. Its mark is on every link (as the alias C(linuxnet.lab:LAB)) and on
        every namespace (as the alias of its C(lo)).
      - What does not carry the mark is neither changed nor deleted, unless O(force=true).
      - Set it once for a play or a block with C(module_defaults) of C(group/linuxnet.lab.lab).
    type: str
    default: default
"""

    STATE = r"""
options:
  state:
    description: Whether it is to be there.
    type: str
    choices: [present, absent]
    default: present
"""

    HOST_FIREWALL = r"""
options:
  host_firewall:
    description:
      - What happens where somebody else's firewall drops what the lab forwards, or what its bridges carry where
        C(br_netfilter) shows it to the firewall.
      - With V(allow), the lab lets its own links through where that firewall has room for it. Docker and ufw keep a
        chain for the rules of others (C(DOCKER-USER), C(ufw-user-forward)), with C(iptables-nft) and
        C(iptables-legacy). The lab's rules there carry the comment C(linuxnet.lab:LAB). With firewalld, the lab's links
        join a zone. The next run puts back what is missing, and all of it goes with the lab, or with the link.
      - With V(leave), these firewalls are not changed, and what an earlier run put there goes.
      - Where there is no room, or with V(leave), a warning names the chain and a command that helps.
    type: str
    choices: [allow, leave]
    default: allow
"""

    # Of modules that only tell.
    INFO = r"""
requirements:
  - pyroute2 >= 0.7.2 (on the host that executes the module; the role P(linuxnet.lab.prepare#role) puts it there)
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
