# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a module does first: end with one line where the host's Python is too old for the rest of the collection.

This file, and the files of the modules, have to be understood by every Python that Ansible talks to a host with. That
is why they do without `from __future__ import annotations`, which 3.6 does not know.
"""

import json
import sys

MINIMUM = (3, 9)


def require_python():  # type: ignore[no-untyped-def]  # older Pythons read it
    """End the module where Python is older than 3.9."""
    if sys.version_info < MINIMUM:
        msg = "linuxnet.lab needs Python 3.9 or newer on the host; {0} is Python {1}. Set ansible_python_interpreter."
        version = ".".join(str(number) for number in sys.version_info[:3])
        sys.stdout.write(json.dumps({"failed": True, "msg": msg.format(sys.executable, version)}) + "\n")
        raise SystemExit(1)
