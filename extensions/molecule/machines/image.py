# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Disk images of Debian packages, which stay in the user's cache."""

from __future__ import annotations

import fcntl
import hashlib
import json
import lzma
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import settings

KERNEL = "linux-image-cloud-amd64"
PACKAGES = [
    *("systemd-sysv", "udev", "kmod", "procps", "openssh-server", "sudo", "busybox-static"),
    *("python3", "python3-pyroute2", "iproute2", "iputils-ping", "nftables", "tcpdump"),
    # Their units are masked. The scenario `hostile` starts them.
    *("docker.io", "firewalld", "iptables", "netbase", "network-manager", "ufw"),
]
# The kernel modules that the initial RAM disk loads, with those that they need. Some kernels of Debian have ext4 built
# in, others have it as a module.
MODULES = ["virtio_pci", "virtio_blk", "virtio_net", "virtio_rng", "ext4"]
# An image that no run has used for so many days is removed.
UNUSED_DAYS = 30


def mirror() -> str | None:
    """The mirror of the packages: LAB_MIRROR, or the mirror of this machine. None for mmdebstrap's default."""
    if os.environ.get("LAB_MIRROR"):
        return os.environ["LAB_MIRROR"]
    if shutil.which("apt-get"):
        command = ["apt-get", "indextargets", "--format", "$(LABEL) $(REPO_URI)", "Identifier: Packages"]
        for line in subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines():
            label, _space, address = line.partition(" ")
            if label == "Debian":
                return address
    return None


def place(suite: str) -> pathlib.Path:
    """The folder of the image, even if it does not exist. Its name has a hash of all that the image depends on."""
    digest = hashlib.sha256(json.dumps([suite, mirror(), KERNEL, PACKAGES, MODULES]).encode())
    for path in [pathlib.Path(__file__), *sorted(settings.GUEST.iterdir())]:
        digest.update(path.read_bytes())
    return settings.IMAGES / "{0}-{1}".format(suite, digest.hexdigest()[:12])


def get(suite: str) -> pathlib.Path:
    """The folder of the image, which is built if it does not exist."""
    folder = place(suite)
    settings.IMAGES.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Two runs may need the image at the same time. The second one waits, and then finds it.
    with open(settings.IMAGES / (folder.name + ".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            _tidy()
            unfinished = folder.with_suffix(".unfinished")
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir(mode=0o700)
            _build(suite, unfinished)
            unfinished.rename(folder)
        os.utime(folder)
    return folder


def _tidy() -> None:
    """Remove images that no run has used for :data:`UNUSED_DAYS`."""
    for folder in settings.IMAGES.iterdir():
        if folder.is_dir() and time.time() - folder.stat().st_mtime > UNUSED_DAYS * 86400:
            shutil.rmtree(folder)


def _build(suite: str, folder: pathlib.Path) -> None:
    print("building an image of Debian {0}".format(suite), file=sys.stderr, flush=True)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "lab", "-f", folder / "key"], check=True)
    with tempfile.TemporaryDirectory(prefix="lab-image-", dir=_work_folder(folder)) as name:
        work = pathlib.Path(name)
        _bootstrap(suite, _hooks(work, folder / "key.pub"), folder)
        (work / "tree").mkdir()
        subprocess.run(["tar", "-C", work / "tree", "-xf", folder / "modules"], check=True)
        initrd, probe = _initrds(work / "tree")
    (folder / "modules").unlink()
    (folder / "initrd").write_bytes(initrd)
    (folder / "probe").write_bytes(probe)


def _work_folder(folder: pathlib.Path) -> pathlib.Path | None:
    """The parent folder for the hooks: the image's folder for root, else None for the system's temporary folder.

    mmdebstrap runs the hooks of a normal user in a user namespace, whose root cannot enter a home folder.
    """
    return folder if os.geteuid() == 0 else None


def _hooks(work: pathlib.Path, key: pathlib.Path) -> pathlib.Path:
    """Copy the hooks, which mmdebstrap runs on this host, so that only their owner can write to them.

    :returns: their folder.
    """
    hooks = work / "hooks"
    hooks.mkdir(mode=0o700)
    for source in [*settings.GUEST.iterdir(), key]:
        copy = hooks / source.name
        # Create the copy as a private file, whatever the umask and the mode of the source are.
        with open(os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(source.read_bytes())
        copy.chmod(0o755)
    hooks.chmod(0o755)
    work.chmod(0o755)
    return hooks


def _bootstrap(suite: str, hooks: pathlib.Path, folder: pathlib.Path) -> None:
    """Run mmdebstrap, which writes disk, kernel and modules to the folder."""
    command = ["mmdebstrap", "--quiet", "--variant=minbase", "--include=" + ",".join([*PACKAGES, KERNEL])]
    command += ['--aptopt=Acquire::Languages "none"', '--aptopt=APT::Install-Recommends "false"']
    command += ["--dpkgopt=path-exclude=/usr/share/{0}/*".format(part) for part in ("man", "doc", "locale")]
    command += ["--customize-hook={0}/{1}".format(hooks, hook) for hook in ("customize", "pack")]
    command += ["--customize-hook=download /out/{0} {1}/{0}".format(p, folder) for p in ("disk", "kernel", "modules")]
    command += [suite, "/dev/null", *filter(None, [mirror()])]
    # This program makes its own initial RAM disk. To make the kernel package's would take ten seconds.
    environment = {**os.environ, "INITRD": "No", "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"}
    for attempts_left in (1, 0):
        done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, stdout=sys.stderr, check=False)
        if done.returncode == 0:
            return
        # A mirror may be unavailable for a moment.
        if attempts_left:
            time.sleep(5)
    raise SystemExit("mmdebstrap could not make an image of Debian {0}".format(suite))


def _initrds(tree: pathlib.Path) -> tuple[bytes, bytes]:
    """The initial RAM disk of machines, and the one of the probe for KVM."""
    folder = next((tree / "lib" / "modules").iterdir())
    needs = {}
    for line in (folder / "modules.dep").read_text().splitlines():
        module, _colon, others = line.partition(":")
        needs[module] = others.split()
    by_name = {pathlib.Path(module).name.partition(".")[0].replace("-", "_"): module for module in needs}
    order: list[str] = []
    for module in filter(None, map(by_name.get, MODULES)):
        order += [each for each in [*reversed(needs[module]), module] if each not in order]
    names = [pathlib.Path(module).name.partition(".")[0] + ".ko" for module in order]

    entries = [(name, 0o40755, b"", (0, 0)) for name in ("bin", "dev", "modules", "proc", "root", "sys")]
    entries += [
        ("dev/console", 0o20600, b"", (5, 1)),
        ("bin/busybox", 0o100755, (tree / "bin" / "busybox").read_bytes(), (0, 0)),
        ("bin/sh", 0o120777, b"busybox", (0, 0)),
        ("init", 0o100755, (settings.GUEST / "init").read_bytes(), (0, 0)),
    ]
    probe = _cpio([*entries, ("probe", 0o100644, b"", (0, 0))])
    entries += [("modules/order", 0o100644, "".join(name + "\n" for name in names).encode(), (0, 0))]
    entries += [("modules/" + n, 0o100644, _unpacked(folder / m), (0, 0)) for n, m in zip(names, order)]
    return _cpio(entries), probe


def _unpacked(module: pathlib.Path) -> bytes:
    body = module.read_bytes()
    if module.suffix == ".xz":
        return lzma.decompress(body)
    if module.suffix == ".zst":
        return subprocess.run(["zstd", "-dcq"], input=body, capture_output=True, check=True).stdout
    return body


def _cpio(entries: list[tuple[str, int, bytes, tuple[int, int]]]) -> bytes:
    """An archive for the kernel. Each entry has a name, a mode, a content and a device number.

    cpio(1) would need a device node on the disk, which only root can create. The archive is not compressed, because
    unpacking takes seconds in an emulated machine.
    """
    archive = bytearray()
    for number, (name, mode, body, device) in enumerate([*entries, ("TRAILER!!!", 0, b"", (0, 0))], 1):
        encoded = name.encode() + b"\0"
        fields = (number, mode, 0, 0, 1, 0, len(body), 0, 0, *device, len(encoded), 0)
        archive += b"070701" + "".join("{0:08X}".format(field) for field in fields).encode() + encoded
        archive += bytes(-len(archive) % 4) + body
        archive += bytes(-len(archive) % 4)
    return bytes(archive)
