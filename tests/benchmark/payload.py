# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a task sends to a host: files of this collection that Ansible packs, their size, and the time for it.

`python tests/benchmark/payload.py [MODULE ...]`: of all modules, or of some. In a playbook, Ansible packs the module
payload alone, and the action plugin adds the code of all modules as one text: the first two lines. The other lines show
what Ansible itself would pack for each module without the action plugin. The packages' `__init__.py` and the module
itself are counted; Ansible's own part is not. The seconds are those of the controller's processor for the packing;
Ansible's own files take the first 0.1 of them.
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
    # Not above: Ansible's loader is to import the collection.
    from ansible_collections.linuxnet.lab.plugins.plugin_utils import code

    names = sys.argv[1:] or sorted(path.stem for path in MODULES.glob("[!_]*.py"))
    packed("ansible.builtin.ping", pathlib.Path(ping.__file__))  # what Ansible itself loads and parses once
    print("{0:16}{1:>8}{2:>8}{3:>10}".format("module", "files", "KB", "seconds"))
    start = time.process_time()
    text = code._made()
    print(f"{'the text':16}{'':>8}{len(text) / 1024:8.0f}{time.process_time() - start:10.3f}")
    for name in ["payload", *(name for name in names if name != "payload")]:
        start = time.process_time()
        archive = packed("linuxnet.lab." + name, MODULES / (name + ".py"))
        taken = time.process_time() - start
        ours = [one for one in archive.infolist() if one.filename.startswith(COLLECTION)]
        size = sum(one.file_size for one in ours) / 1024
        print(f"{name:16}{len(ours):8}{size:8.0f}{taken:10.3f}")


if __name__ == "__main__":
    main()
