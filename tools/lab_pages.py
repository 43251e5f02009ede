# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write the shell commands of each lab into its page, docs/labs/LAB.md, between the two markers.

The program builds each lab with its default variables on an empty host: private namespaces in which it neither sees nor
changes anything of this machine. The block consists of the `commands` that the tasks return. Run it as root, with
`make docs`.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import re
import subprocess
import sys

from ansible_collections.linuxnet.lab.plugins.module_utils.commands import variable as variable_of

ROOT = pathlib.Path(__file__).resolve().parents[1]
PAGES = ROOT / "docs" / "labs"
BEGIN, END = "<!-- commands: begin -->\n", "<!-- commands: end -->\n"

# Further arguments for a lab on an empty host. bridge_nat needs a namespace that plays the internet.
ARGUMENTS = {"bridge_nat": ["-e", "bridge_nat_internet=true"]}

# Private namespaces for network, mounts and processes, with an empty /run. All processes in them end with the command.
EMPTY_HOST = [
    *("unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "bash", "-c"),
    'mount -t tmpfs run /run && ip link set lo up && exec "$@"',
    "--",
]


def labs() -> list[str]:
    """The labs that have a page."""
    return sorted(page.stem for page in PAGES.glob("*.md") if page.stem != "README")


def play(lab: str, *within: str) -> str:
    """The output of a lab's playbook.

    :arg within: a command that provides an empty host for it. Without it, the playbook runs on this host.
    """
    program = os.path.join(sys.prefix, "bin", "ansible-playbook")
    command = [*within, program, "playbooks/{0}.yml".format(lab), "-v", *ARGUMENTS.get(lab, [])]
    environment = {
        **os.environ,
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.default",
        "ANSIBLE_CALLBACK_RESULT_FORMAT": "json",
        "ANSIBLE_CALLBACK_FORMAT_PRETTY": "false",
    }
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT, check=False)
    if done.returncode:
        raise RuntimeError("the playbook of {0} failed:\n{1}{2}".format(lab, done.stdout, done.stderr))
    return done.stdout


def commands(output: str) -> list[str]:
    """The commands in a playbook's verbose output. A comment with the name of the task precedes its commands.

    They are for one shell. They name processes by the shell's variables instead of the PIDs of this run.
    """
    lines: list[str] = []
    started: dict[str, str] = {}
    task = ""
    for line in output.splitlines():
        heading = re.match(r"TASK \[(?:\S+ : )?(.*)\] \**$", line)
        result = re.match(r"changed: \[\S+\] => (?:\(item=.*\) => )?(\{.*)", line)
        if heading:
            task = heading.group(1)
        elif result:
            returned = json.loads(result.group(1))
            text = "\n".join(returned.get("commands", []))
            for pid, variable in started.items():
                text = re.sub(r"(?<!\S)(-t|netns) {0}\b".format(pid), r"\1 $" + variable, text)
            if text:
                lines += [*([""] if lines else []), "# " + task, *text.splitlines()]
            for namespace in returned.get("namespaces", []):
                pid = re.fullmatch(r"/proc/(\d+)/ns/net", namespace["path"])
                if pid:
                    started[pid.group(1)] = variable_of(namespace["name"])
    return lines


def split(page: str) -> tuple[str, str, str]:
    """A page's text up to the first marker, including it, between the markers, and from the second marker on."""
    before, begin, rest = page.partition(BEGIN)
    between, end, after = rest.partition(END)
    if not begin or not end:
        raise RuntimeError("a page needs the two lines {0!r} and {1!r}".format(BEGIN, END))
    return before + begin, between, end + after


def block(lines: list[str]) -> str:
    """The text between the markers."""
    return "\n".join(["", "```sh", *lines, "```", "", ""])


def main() -> int:
    """Write the pages, or compare them.

    :returns: 1 if a page is out of date.
    """
    parser = argparse.ArgumentParser(description="Write the commands of the labs into their pages.")
    parser.add_argument("--check", action="store_true", help="write nothing, and fail if a page is out of date")
    parser.add_argument("labs", nargs="*", metavar="LAB", help="the labs; all that have a page, if none is named")
    arguments = parser.parse_args()
    code = 0
    for lab in arguments.labs or labs():
        page = PAGES / (lab + ".md")
        before, old, after = split(page.read_text())
        new = block(commands(play(lab, *EMPTY_HOST)))
        if new == old:
            continue
        print("docs/labs/{0}.md {1}".format(lab, "is out of date: make docs" if arguments.check else "written"))
        if arguments.check:
            code = 1
        else:
            page.write_text(before + new + after)
    return code


if __name__ == "__main__":
    try:
        sys.exit(main())
    except RuntimeError as error:
        sys.exit(str(error))
