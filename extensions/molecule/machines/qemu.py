# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Start machines as processes of QEMU, wait for them, and stop them."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import select
import signal
import socket
import subprocess
import time
import typing as t

import settings

PROGRAM = "qemu-system-x86_64"
# Seconds to wait for the probe's kernel. Under a KVM that works, it takes less than half a second.
PROBE_SECONDS = 5
BOOT_SECONDS = 400

# udev takes 25 to 50 ms for each link in an emulated machine. The machines do not need it.
_UDEV = ("udevd.service", "udevd-kernel.socket", "udevd-control.socket", "udevd-varlink.socket", "udev-trigger.service")
_WITHOUT_UDEV = " ".join("systemd.mask=systemd-" + unit for unit in _UDEV)


def accelerator(image: pathlib.Path) -> str:
    """The value of LAB_ACCELERATOR. If it is not set, kvm if a kernel runs under it, otherwise tcg.

    The existence of /dev/kvm does not prove that. On some virtual machines it exists, but guests hang.
    """
    if os.environ.get("LAB_ACCELERATOR"):
        return os.environ["LAB_ACCELERATOR"]
    flags = set(pathlib.Path("/proc/cpuinfo").read_text().split())
    if not os.access("/dev/kvm", os.R_OK | os.W_OK) or not flags & {"vmx", "svm"}:
        return "tcg"
    return "kvm" if runs(image, "kvm") else "tcg"


def runs(image: pathlib.Path, accelerator: str) -> bool:
    """Whether the image's kernel starts its first program."""
    command = [PROGRAM, *_machine(accelerator), "-m", "256", "-no-reboot", "-serial", "stdio"]
    command += ["-kernel", str(image / "kernel"), "-initrd", str(image / "probe")]
    command += ["-append", "console=ttyS0 quiet panic=-1 reboot=t"]
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
    )
    assert process.stdout is not None
    output = b""
    end = time.monotonic() + PROBE_SECONDS
    while time.monotonic() < end and b"the kernel runs" not in output:
        if select.select([process.stdout], [], [], end - time.monotonic())[0]:
            more = os.read(process.stdout.fileno(), 4096)
            if not more:
                break
            output += more
    process.kill()
    # A process that hangs in the kernel does not end.
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(2)
    return b"the kernel runs" in output


def _machine(accelerator: str) -> list[str]:
    options = ["-nodefaults", "-no-user-config", "-display", "none", "-M", "q35"]
    if accelerator == "kvm":
        return [*options, "-accel", "kvm", "-cpu", "host"]
    # AVX is slow in an emulated processor. In QEMU 7.2, cmpxchg16b corrupts the flags, which crashes kernels from 6.12
    # on.
    return [*options, "-accel", "tcg,thread=multi", "-cpu", "Nehalem,-cx16"]


def _network(number: int, count: int) -> list[str]:
    """Options for the links: one to the controller, one to the other machines.

    The controller reaches the machine's SSH. The machine reaches neither the controller nor anything beyond it. UNIX
    sockets, which need neither root nor ports, connect the machines. The first machine is the hub.
    """
    options = ["-netdev", "user,id=outside,ipv6=off,restrict=on,hostfwd=tcp:127.0.0.1:0-:22"]
    options += ["-device", "virtio-net-pci,netdev=outside,mac=52:54:00:4c:ff:01,romfile="]
    socket_options = "addr.type=unix,addr.path=link-{0}"
    if number:
        options += ["-netdev", "stream,id=lan,server=off," + socket_options.format(number)]
    else:
        options += ["-netdev", "hubport,id=lan,hubid=1"]
        for other in range(1, count):
            options += ["-netdev", "stream,id=far{0},server=on,".format(other) + socket_options.format(other)]
            options += ["-netdev", "hubport,id=port{0},hubid=1,netdev=far{0}".format(other)]
    return [*options, "-device", "virtio-net-pci,netdev=lan,mac=52:54:00:4c:00:{0:02x},romfile=".format(number + 1)]


def start(machine: settings.Machine, number: int, count: int, image: pathlib.Path, accelerator: str) -> int:
    """Start the machine, and return the port of this host that leads to its SSH."""
    name, run = machine.name, settings.RUN
    disk = ["qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", str(image / "disk"), name + ".disk"]
    subprocess.run(disk, cwd=run, check=True)
    words = "root=/dev/vda rw console=ttyS0 quiet net.ifnames=0 mitigations=off lab.name={0} lab.address={1}"
    append = words.format(name, machine.address)
    if accelerator != "kvm":
        append += " " + _WITHOUT_UDEV
    command = [PROGRAM, "-name", name, *_machine(accelerator), "-m", "512", *_network(number, count)]
    command += ["-kernel", str(image / "kernel"), "-initrd", str(image / "initrd"), "-append", append]
    command += ["-drive", "file={0}.disk,if=none,id=disk,format=qcow2,cache=unsafe".format(name)]
    command += ["-device", "virtio-blk-pci,drive=disk", "-device", "virtio-rng-pci"]
    command += ["-serial", "file:{0}.console".format(name), "-qmp", "unix:{0}.qmp,server=on,wait=off".format(name)]
    # The full path of the pid file in the arguments identifies the process as a machine of this checkout.
    command += ["-pidfile", str(_pid_file(name))]
    with open(run / (name + ".log"), "w") as log:
        # In a new session, so that an interrupt of this program does not end the machines. `destroy` ends them.
        process = subprocess.Popen(
            command, cwd=run, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    while not (run / (name + ".qmp")).exists():
        if process.poll() is not None:
            raise SystemExit("{0}: {1}".format(name, (run / (name + ".log")).read_text()))
        time.sleep(0.02)
    return _port(name)


def _port(name: str) -> int:
    """Ask QEMU for the free port that it chose."""
    with socket.socket(socket.AF_UNIX) as connection:
        # The path of a socket must be short, but the path of the cache may be long.
        folder = os.open(settings.RUN, os.O_PATH)
        try:
            connection.connect("/proc/self/fd/{0}/{1}.qmp".format(folder, name))
        finally:
            os.close(folder)
        monitor = connection.makefile("rw")
        monitor.readline()
        answer: dict[str, t.Any] = {}
        for command in (
            {"execute": "qmp_capabilities"},
            {"execute": "human-monitor-command", "arguments": {"command-line": "info usernet"}},
        ):
            monitor.write(json.dumps(command) + "\n")
            monitor.flush()
            answer = json.loads(monitor.readline())
            while "event" in answer:
                answer = json.loads(monitor.readline())
    for line in answer["return"].splitlines():
        if "HOST_FORWARD" in line:
            return int(line.split()[3])
    raise SystemExit("{0}: QEMU forwards no port: {1}".format(name, answer))


def wait(name: str, port: int) -> None:
    """Wait until the machine's SSH answers."""
    begin = time.monotonic()
    console = settings.RUN / (name + ".console")
    while (waited := time.monotonic() - begin) < BOOT_SECONDS:
        # QEMU accepts the connection at once, so only the greeting of the machine's SSH server proves that it runs.
        # Each connection costs the machine a process. Therefore the timeout grows. Otherwise a machine on a busy host
        # would only serve connections that have already been closed.
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1) as connection:
            connection.settimeout(0.5 + waited / 5)
            if connection.recv(4) == b"SSH-":
                return
        if not alive(name):
            raise SystemExit("{0}: QEMU has ended: {1}".format(name, (settings.RUN / (name + ".log")).read_text()))
        if "Kernel panic" in console.read_text(errors="replace"):
            break
        time.sleep(0.1)
    text = console.read_text(errors="replace")
    raise SystemExit("{0}: no SSH after {1} s; the end of its console:\n{2}".format(name, BOOT_SECONDS, text[-3000:]))


def _pid_file(name: str) -> pathlib.Path:
    return settings.RUN / (name + ".pid")


@contextlib.contextmanager
def _process(name: str) -> t.Iterator[int | None]:
    """A PID file descriptor of the machine's process. None if it is not running, or not of this checkout."""
    try:
        pid = int(_pid_file(name).read_text())
        handle = os.pidfd_open(pid)
    except (OSError, ValueError):
        yield None
        return
    try:
        arguments = pathlib.Path("/proc/{0}/cmdline".format(pid)).read_bytes().split(b"\0")
        yield handle if os.fsencode(_pid_file(name)) in arguments else None
    except ProcessLookupError:
        yield None
    finally:
        os.close(handle)


def alive(name: str) -> bool:
    """Whether the machine is running."""
    with _process(name) as process:
        return process is not None and not select.select([process], [], [], 0)[0]


def stop(name: str) -> bool:
    """End the machine's process, if it is running.

    :returns: whether it was running.
    """
    with _process(name) as process:
        if process is None:
            return False
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(process, number)
            if select.select([process], [], [], 5)[0]:
                return True
    raise SystemExit("{0}: its process does not end".format(name))


def left() -> list[str]:
    """The machines that have a pid file."""
    return sorted(path.stem for path in settings.RUN.glob("*.pid"))
