# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run functions with limits of ten seconds of processor time and 200 MB. The kernel ends a process that exceeds them.

An idle machine needs less than two seconds. Without protection, malicious input takes minutes.
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
    """The result of a function as JSON, from a process with these limits."""
    ours, theirs = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            with open("/proc/self/statm", encoding="ascii") as stream:
                used = int(stream.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
            resource.setrlimit(resource.RLIMIT_AS, (used + OCTETS, used + OCTETS))
            resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 1))
            said = json.dumps({"value": work()})
        except BaseException:  # no exception may continue in the parent's code
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
