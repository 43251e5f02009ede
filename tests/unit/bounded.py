# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Work that may take ten seconds of a processor and 200 MB: more, and the kernel ends it.

An idle machine needs less than two seconds; attacks took minutes.
"""

from __future__ import annotations

import json
import os
import resource
import traceback
import typing as t

SECONDS = 10
OCTETS = 200 << 20


def bounded(work: t.Callable[[], t.Any]) -> t.Any:
    """What the function returns, as JSON has it, in a process with these limits."""
    ours, theirs = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            with open("/proc/self/statm", encoding="ascii") as stream:
                used = int(stream.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
            resource.setrlimit(resource.RLIMIT_AS, (used + OCTETS, used + OCTETS))
            resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 1))
            said = json.dumps({"value": work()})
        except BaseException:  # nothing returns from here into the parent's code
            said = json.dumps({"error": traceback.format_exc()[-2000:]})
        with open(theirs, "w", encoding="utf-8", closefd=False) as stream:
            stream.write(said)
        os._exit(0)
    os.close(theirs)
    with open(ours, encoding="utf-8") as stream:
        text = stream.read()
    status = os.waitpid(pid, 0)[1]
    assert text, "it took more than {0} s (status {1})".format(SECONDS, status)
    said = json.loads(text)
    assert "error" not in said, said["error"]
    return said["value"]
