"""The guest of a sandbox with guests: a kernel and an initial ramdisk, built on this machine.

It consists of programs that are installed here (busybox, dropbear), the files in ``guest_root``,
and the kernel of Debian's cloud images, which is downloaded and unpacked but not installed. Nothing
of this needs root rights.
"""

import hashlib
import os
import re
import shutil
import socket
import subprocess
import tempfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path

from refstack_client.errors import MachineError
from refstack_client.sandbox.build_cache import build_once, last_line

PACKAGES: Mapping[str, str] = {
    "qemu-system-x86_64": "qemu-system-x86",
    "busybox": "busybox-static",
    "dropbear": "dropbear-bin",
    "cpio": "cpio",
    "setpriv": "util-linux",
    "apt-get": "apt",
}
"""Debian's package of each program that building or running a guest takes."""
SSH_PORT = 22
_LOOPBACK = IPv4Network("127.100.0.0/16")  # answers without any configuration
_SYSTEM_PATH = "/usr/local/sbin:/usr/sbin:/sbin"  # not in the PATH of ordinary users
_ROOT = Path(__file__).parent / "guest_root"
_KERNEL_PACKAGE = "linux-image-cloud-amd64"
_MODULES = (
    # In the order of loading: each needs those before it.
    *("virtio_ring", "virtio", "virtio_pci_modern_dev", "virtio_pci_legacy_dev", "virtio_pci"),
    *("failover", "net_failover", "virtio_net", "virtio_blk", "qemu_fw_cfg"),
)
_DIRECTORIES = (
    *("bin", "usr/sbin", "lib/modules", "etc/dropbear", "root/.ssh"),
    *("proc", "sys", "dev", "tmp", "mnt", "var/run", "var/log"),
)
_FILES: Mapping[str, str] = {
    "etc/modules": "".join(f"{name}\n" for name in _MODULES),
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\n",
    "etc/shadow": "root:*:1::::::\n",
    "etc/shells": "/bin/sh\n",
}


@dataclass(frozen=True)
class Guests:
    """What the guests of a sandbox boot from, and the network of their floating IPs."""

    kernel: Path
    ramdisk: Path
    network: IPv4Network


def missing_programs() -> tuple[str, ...]:
    """Return the programs that guests need and this machine lacks."""
    return tuple(name for name in PACKAGES if not _which(name))


def check_programs() -> None:
    """Check that guests can be built and run here.

    :raises MachineError: a program is missing
    """
    if missing := missing_programs():
        packages = " ".join(dict.fromkeys(PACKAGES[name] for name in missing))
        raise MachineError(
            f"cannot run guests: {', '.join(missing)} not found",
            hint=f"install them (Debian: apt install {packages}), or start the sandbox without "
            "--guests",
        )


def check_port(floating_ip: str) -> None:
    """Check that guests can be reached by SSH.

    :param floating_ip: one of the network of the floating IPs
    :raises MachineError: the port of SSH cannot be used
    """
    try:
        with socket.socket() as listener:
            listener.bind((floating_ip, SSH_PORT))
    except OSError as error:
        raise MachineError(
            f"guests cannot be reached by SSH: cannot bind to {floating_ip}:{SSH_PORT}: "
            f"{error.strerror}",
            hint="if the port takes root rights, allow it: "
            f"sudo sysctl net.ipv4.ip_unprivileged_port_start={SSH_PORT}. If an SSH server has it, "
            "or without sudo, use a network namespace for this command and all that follow: "
            "unshare --map-root-user --net sh -c 'ip link set lo up; exec bash'",
        ) from error


def prepare(root: Path, state: Path, report: Callable[[str], None]) -> Guests:
    """Return the guests of the sandbox in ``state``. Build their image under ``root`` when absent.

    The name of its directory depends on what it is built from, apart from the kernel: a newer one
    is of no use to the tests.

    :param root: directory of the sandboxes
    :param report: receives a line of progress
    :raises MachineError: guests cannot be built or run here
    """
    check_programs()
    network = floating_network(state)
    directory = root / "environments" / f"guest-{_digest()}"
    guests = Guests(directory / "vmlinuz", directory / "initrd", network)

    def build() -> None:
        report("building the guest (first start only)")
        directory.mkdir()
        with tempfile.TemporaryDirectory(dir=directory) as temporary:
            _build(guests, Path(temporary))

    try:
        build_once(directory, build)
    except (subprocess.CalledProcessError, OSError) as error:
        raise MachineError(
            f"cannot build the guest in {directory}: {last_line(error)}",
            hint="check that this machine can download Debian packages: apt-get update, then "
            f"apt-get download {_KERNEL_PACKAGE}",
        ) from error
    # After building: where the port takes a network namespace, nothing can be downloaded inside.
    check_port(str(network[1]))
    return guests


def floating_network(state: Path) -> IPv4Network:
    """Return the network of the floating IPs of the sandbox in ``state``.

    Sandboxes that run at the same time have different ones, most likely.
    """
    networks = list(_LOOPBACK.subnets(new_prefix=22))
    return networks[zlib.crc32(bytes(state)) % len(networks)]


def _digest() -> str:
    digest = hashlib.sha256(repr((_MODULES, _DIRECTORIES, _FILES, _KERNEL_PACKAGE)).encode())
    programs = (Path(_which(name)) for name in ("busybox", "dropbear"))
    for path in (Path(__file__), *sorted(_ROOT.rglob("*")), *programs):
        if path.is_file():
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _build(guests: Guests, temporary: Path) -> None:
    """Write the kernel and the ramdisk of ``guests``, using the directory ``temporary``."""
    kernel, root = temporary / "kernel", temporary / "root"
    _unpack_kernel(kernel)
    for name in _DIRECTORIES:
        (root / name).mkdir(parents=True)
    shutil.copytree(_ROOT, root, dirs_exist_ok=True)
    for name, text in _FILES.items():
        (root / name).write_text(text)
    for name, place in (("busybox", "bin"), ("dropbear", "usr/sbin")):
        _install(Path(_which(name)), root, place)
    for name in _MODULES:
        shutil.copy(next(kernel.rglob(f"{name}.ko")), root / "lib/modules")
    for path in (root / "init", *(root / "bin").iterdir()):
        path.chmod(0o755)
    (root / "root/.ssh").chmod(0o700)
    names = sorted(str(path.relative_to(root)) for path in root.rglob("*"))
    archive = _run(
        *("cpio", "--create", "--format=newc", "--owner=0:0", "--reproducible", "--quiet"),
        cwd=root,
        stdin="\n".join(names),
    )
    guests.ramdisk.write_bytes(archive)
    shutil.copy(next(kernel.glob("boot/vmlinuz-*")), guests.kernel)


def _unpack_kernel(directory: Path) -> None:
    """Download the package that ``_KERNEL_PACKAGE`` depends on, and unpack it."""
    directory.mkdir()
    depends = _run("apt-cache", "depends", "--important", _KERNEL_PACKAGE, cwd=directory)
    package = re.search(rb"Depends: (linux-image-\S+)", depends)
    if not package:
        raise OSError(f"apt knows no package {_KERNEL_PACKAGE}")
    _run("apt-get", "download", "--quiet", package[1].decode(), cwd=directory)
    _run("dpkg", "--extract", str(next(directory.glob("*.deb"))), str(directory), cwd=directory)


def _install(program: Path, root: Path, place: str) -> None:
    """Copy a program and its shared libraries."""
    shutil.copy(program, root / place)
    listed = subprocess.run(["ldd", str(program)], capture_output=True, text=True, check=False)
    for library in re.findall(r"/\S+", listed.stdout):
        target = root / library.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(library, target)


def _run(*argv: str, cwd: Path, stdin: str = "") -> bytes:
    done = subprocess.run(
        argv,
        cwd=cwd,
        input=stdin.encode(),
        capture_output=True,
        check=True,
        env={**os.environ, "LC_ALL": "C"},
    )
    return done.stdout


def _which(name: str) -> str:
    return shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:{_SYSTEM_PATH}") or ""
