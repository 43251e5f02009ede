# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Ansible packs and sends for the first use of each module: files of this collection, and their size.

`python tests/benchmark/payload.py [MODULE ...]`: of all modules, or of some. Ansible itself packs them. The packages'
`__init__.py` and the module itself are counted; Ansible's own part is not. The seconds are those of the controller's
processor for the packing; Ansible's own files take the first 0.1 of them.

The module payload has the code of those that `plugins/module_utils/payload.py` names, and a playbook packs it instead
of them. The lines of those modules show what each would need by itself.
"""

from __future__ import annotations

import base64
import io
import pathlib
import re
import sys
import time
import zipfile

from ansible.executor import module_common
from ansible.modules import ping
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader
from ansible.template import Templar

COLLECTION = "ansible_collections/linuxnet/lab/"
MODULES = pathlib.Path(__file__).resolve().parents[2] / "plugins" / "modules"
# What each module may carry at most.
BARS = {**dict.fromkeys(("netns", "veth", "bridge", "route", "sysctl", "address", "link"), 28)}
BARS.update(connectivity=47, topology=60)


def packed(name: str, path: pathlib.Path) -> zipfile.ZipFile:
    """The archive that Ansible makes of a module."""
    built = module_common.modify_module(
        module_name=name,
        module_path=str(path),
        module_args={},
        templar=Templar(DataLoader()),
        task_vars={"ansible_python_interpreter": sys.executable},
    )
    texts = re.findall(rb"[A-Za-z0-9+/=\n]{1000,}", built.b_module_data)
    return zipfile.ZipFile(io.BytesIO(base64.b64decode(max(texts, key=len))))


def main() -> None:
    """Print a line for each module."""
    init_plugin_loader()
    names = sys.argv[1:] or sorted(path.stem for path in MODULES.glob("[!_]*.py"))
    packed("ansible.builtin.ping", pathlib.Path(ping.__file__))  # what Ansible itself loads and parses once
    print("{0:16}{1:>8}{2:>8}{3:>8}{4:>10}".format("module", "files", "bar", "KB", "seconds"))
    for name in names:
        start = time.process_time()
        archive = packed("linuxnet.lab." + name, MODULES / (name + ".py"))
        taken = time.process_time() - start
        ours = [one for one in archive.infolist() if one.filename.startswith(COLLECTION)]
        size = sum(one.file_size for one in ours) / 1024
        print(f"{name:16}{len(ours):8}{BARS.get(name, ''):>8}{size:8.0f}{taken:10.3f}")


if __name__ == "__main__":
    main()
