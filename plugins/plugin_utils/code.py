# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The code that modules run on a host, as one text.

Ansible itself parses, packs and compresses each file that a module imports, for each module once in a playbook. That
takes 3 ms a file. This text has all files, and a playbook makes it once.
"""

from __future__ import annotations

import base64
import json
import os
import pathlib
import zlib

from ansible import constants

_ROOT = pathlib.Path(__file__).resolve().parents[1] / "module_utils"


def text() -> str:
    """The sources of plugins/module_utils, for `module_utils/carried.py` on the host."""
    # Each task has a process of its own. All tasks of a playbook share this folder, which is private.
    kept = pathlib.Path(constants.DEFAULT_LOCAL_TMP, "linuxnet.lab.code")
    try:
        return kept.read_text(encoding="ascii")
    except FileNotFoundError:
        made = _made()
    own = kept.with_suffix(".{0}".format(os.getpid()))
    own.write_text(made, encoding="ascii")
    own.rename(kept)
    return made


def _made() -> str:
    sources = {_key(path): path.read_text(encoding="utf-8") for path in sorted(_ROOT.rglob("*.py"))}
    return base64.b64encode(zlib.compress(json.dumps(sources).encode())).decode()


def _key(path: pathlib.Path) -> str:
    """The name of a module within module_utils. That of a package ends in a dot."""
    return ".".join(path.relative_to(_ROOT).with_suffix("").parts).removesuffix("__init__")
