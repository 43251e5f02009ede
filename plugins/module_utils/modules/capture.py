# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module `capture`: its options, its job and its result."""

from __future__ import annotations

import contextlib
import operator
import os
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.linuxnet.lab.plugins.module_utils import run_recorder
from ansible_collections.linuxnet.lab.plugins.module_utils.errors import LabError
from ansible_collections.linuxnet.lab.plugins.module_utils.kernel.refusals import NET_ADMIN, NET_RAW, SYS_ADMIN
from ansible_collections.linuxnet.lab.plugins.module_utils.probe import packet_filter
from ansible_collections.linuxnet.lab.plugins.module_utils.probe.background import Job, Recorded
from ansible_collections.linuxnet.lab.plugins.module_utils.probe.decode import decode
from ansible_collections.linuxnet.lab.plugins.module_utils.probe.pcap import pcap
from ansible_collections.linuxnet.lab.plugins.module_utils.probe.sniff import ANY, Sniffer

_LINK = {
    "netns": {"type": "str", "default": ""},
    "dev": {"type": "list", "elements": "str", "default": [ANY]},
}
_SNAPLENS = range(14, 262145)


def _job(params: dict[str, t.Any]) -> tuple[Job, list[str]]:
    """What to record, and what is wrong with the options."""
    errors = []
    asked: dict[str, dict[str, str]] = {}
    if params["links"] is None:
        places = [("", params)]
    else:
        places = [("links[{0}].".format(number), link) for number, link in enumerate(params["links"])]
    for place, link in places:
        asked.setdefault(link["netns"], {}).update((dev, place) for dev in link["dev"])
    links = [
        {"place": place, "netns": netns, "dev": dev}
        for netns, devs in asked.items()
        for dev, place in devs.items()
        if dev == ANY or ANY not in devs  # what all links record, one of them need not
    ]
    if not links:
        errors.append("links: there is no link to record on")
    try:
        packet_filter.parse(params["filter"])
    except LabError as exc:
        errors += exc.errors
    if params["count"] < 1:
        errors.append("count: {0} is not a positive number".format(params["count"]))
    if params["snaplen"] not in _SNAPLENS:
        errors.append("snaplen: {0} is not between {1} and {2}".format(params["snaplen"], _SNAPLENS[0], _SNAPLENS[-1]))
    if params["pcap"] and not os.path.isdir(os.path.dirname(os.path.abspath(params["pcap"]))):
        errors.append("pcap: there is no directory for {0!r}".format(params["pcap"]))
    names = ("filter", "count", "duration", "max_bytes", "snaplen", "promiscuous", "pcap")
    job = {name: params[name] for name in names}
    return {**job, "links": links}, errors


def _result(recorded: Recorded, params: dict[str, t.Any]) -> dict[str, t.Any]:
    """The packets in the order of their times, and the file."""
    records = sorted(recorded.records, key=operator.itemgetter("time_ns"))
    path = (params["pcap"] or recorded.job.get("pcap") or "") if recorded.end["ended"] else ""
    if path:
        _write(path, records, recorded.job["snaplen"])
    packets = []
    for record in records:
        where = {name: record[name] for name in ("netns", "dev", "direction", "length")}
        packets.append({"time": record["time_ns"] / 1e9, **where, **decode(bytes.fromhex(record["data"]))})
    return {"packets": packets, "pcap": path}


def _write(path: str, records: list[dict[str, t.Any]], snaplen: int) -> None:
    data = pcap(((one["time_ns"], one["length"], bytes.fromhex(one["data"])) for one in records), snaplen)
    temporary = "{0}.{1}".format(path, os.getpid())
    try:
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as stream:
            stream.write(data)
        os.rename(temporary, path)
    except OSError:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise


def main() -> None:
    """Be the module."""
    module = AnsibleModule(
        argument_spec={
            **run_recorder.OPTIONS,
            **_LINK,
            "state": {"type": "str", "choices": ["recorded", "started", "stopped"], "default": "recorded"},
            "links": {"type": "list", "elements": "dict", "options": _LINK},
            "filter": {"type": "list", "elements": "str", "default": []},
            "count": {"type": "int", "default": 10000},
            "snaplen": {"type": "int", "default": 2048},
            "promiscuous": {"type": "bool", "default": True},
            "pcap": {"type": "path"},
        },
        mutually_exclusive=[("links", "netns"), ("links", "dev")],
        supports_check_mode=True,
    )
    run_recorder.run(module, "capture", (SYS_ADMIN, NET_ADMIN, NET_RAW), Sniffer, _job, _result)
