"""A guest under QEMU: what it consists of, its process, and the monitor that controls it."""

import ipaddress
import itertools
import json
import os
import socket
import subprocess
import threading
from dataclasses import dataclass, field
from pathlib import Path

LEAST_MEMORY = 96
"""MB that the guest's kernel needs, whatever the flavor has."""
SECONDS_TO_ANSWER = 60
SSH = 22
ANSWERS = b" answers SSH"
"""What the guest writes to its console once an SSH client can connect."""
_CONSOLE_BYTES = 100_000


class MonitorError(Exception):
    """QEMU refused a command."""


@dataclass(frozen=True)
class Nic:
    """A network interface. Its network ends in QEMU: only forwarded connections reach the guest."""

    port: str
    """The ID of the port in Neutron."""
    mac: str
    address: str = ""
    """The fixed IP address, with the length of the prefix of its subnet."""
    gateway: str = ""

    @property
    def netdev(self):
        """The name of its back end in QEMU."""
        return f"net-{self.port}"

    def arguments(self):
        """Return QEMU's arguments for it."""
        backend = ",".join(
            ("user", f"id={self.netdev}", "restrict=on", "ipv6=off", *self._subnet())
        )
        device = f"virtio-net-pci,netdev={self.netdev},mac={self.mac},romfile="
        return ("-netdev", backend, "-device", device)

    def _subnet(self):
        """Return the IP addresses of QEMU's network: the subnet of Neutron, if it has enough."""
        if not self.address:
            return ()
        interface = ipaddress.IPv4Interface(self.address)
        hosts = (str(host) for host in interface.network.hosts())
        candidates = dict.fromkeys((self.gateway, *itertools.islice(hosts, 4)))
        free = [host for host in candidates if host and host != str(interface.ip)]
        if len(free) < 2 or ipaddress.IPv4Address(free[0]) not in interface.network:
            return ()
        subnet = (f"net={interface.network}", f"host={free[0]}", f"dns={free[1]}")
        return (*subnet, f"dhcpstart={interface.ip}")


@dataclass(frozen=True)
class Machine:
    """The hardware of a guest, and what its first process reads from QEMU."""

    name: str
    vcpus: int
    memory: int
    """MB."""
    kernel: Path | None
    """None for a server whose image names no kernel: nothing boots."""
    ramdisk: Path | None
    root_gigabytes: int
    """0 for a server whose root disk is a volume."""
    nics: tuple[Nic, ...]
    config: dict[str, bytes] = field(hash=False)
    """Content by name."""

    def arguments(self):
        """Return QEMU's arguments; the content of ``config`` is in files with its names."""
        boot = ("-kernel", str(self.kernel), "-append", "console=ttyS0 quiet random.trust_cpu=on")
        root = Disk("root", self.root_gigabytes, "root")
        return (
            *("-name", self.name, "-nodefaults", "-no-user-config", "-display", "none"),
            # Emulated also where there is /dev/kvm: in a virtual machine that often does not work.
            # The translation buffer is small, because many guests run at a time.
            *("-accel", "tcg,tb-size=32", "-cpu", "max"),
            *("-smp", str(self.vcpus), "-m", str(max(self.memory, LEAST_MEMORY))),
            *(boot if self.kernel else ()),
            *(("-initrd", str(self.ramdisk)) if self.ramdisk else ()),
            *(root.arguments() if self.root_gigabytes else ()),
            *(text for nic in self.nics for text in nic.arguments()),
            *(
                text
                for name in self.config
                for text in ("-fw_cfg", f"name=opt/refstack/{name},file={name}")
            ),
        )


@dataclass(frozen=True)
class Disk:
    """A disk that has a size and keeps no data. Attached to a running guest, it is hot-plugged."""

    name: str
    """Of the device in QEMU, at most 31 characters."""
    gigabytes: int
    serial: str

    def backend(self):
        """Return the arguments of ``-blockdev`` and of the monitor's ``blockdev-add``."""
        size = self.gigabytes * 1024**3
        return {"driver": "null-co", "node-name": self.name, "size": size, "read-zeroes": True}

    def device(self):
        """Return the arguments of ``-device`` and of the monitor's ``device_add``."""
        # A serial number of virtio has 20 characters.
        names = {"id": self.name, "drive": self.name, "serial": self.serial[:20]}
        return {"driver": "virtio-blk-pci", **names}

    def arguments(self):
        """Return QEMU's arguments for it."""
        return ("-blockdev", json.dumps(self.backend()), "-device", json.dumps(self.device()))


class Monitor:
    """QEMU's machine protocol over a connected socket."""

    def __init__(self, connection):
        """Wait until QEMU answers."""
        connection.settimeout(SECONDS_TO_ANSWER)
        self._file = connection.makefile("rwb")
        self._file.readline()  # the greeting
        self.execute("qmp_capabilities")

    def execute(self, command, **arguments):
        """Return the result of a command.

        :raises MonitorError: QEMU refused it
        :raises OSError: QEMU ended or does not answer
        """
        request = {"execute": command, **({"arguments": arguments} if arguments else {})}
        self._file.write(json.dumps(request).encode() + b"\n")
        self._file.flush()
        for line in self._file:
            answer = json.loads(line)
            if "error" in answer:
                raise MonitorError(answer["error"]["desc"])
            if "return" in answer:  # else an event
                return answer["return"]
        raise ConnectionError("QEMU ended")

    def forward(self, action, nic, rule):
        """Add or remove ("hostfwd_add", "hostfwd_remove") a forwarded IP address."""
        line = f"{action} {nic.netdev} {rule}"
        # This command has no result but a message.
        message = self.execute("human-monitor-command", **{"command-line": line}).strip()
        if message and not message.endswith("removed"):
            raise MonitorError(message)


class Guest:
    """The guest of one server.

    Only one thread may call ``follow``: a guest ends with the thread that started it. All other
    methods can be called by any thread.
    """

    def __init__(self, directory, console):
        """Name the places of its configuration and of its console log; nothing is started."""
        self.machine = None
        self.is_observed = False
        self._directory = directory
        self._console = console
        self._disks = {}
        self._numbers = itertools.count(1)
        self._process = self._monitor = None
        self._forwarded = {}
        self._errors = []
        self._log_start = 0
        self._is_up = False
        self._lock = threading.RLock()

    @property
    def is_running(self):
        """Whether it has been started and not stopped."""
        return self._process is not None

    def follow(self, floating_ips, is_on):
        """Start the guest of a server that is on, once it can be noticed, and forward its ports.

        Most servers of a test run live for a second, without a floating IP, and their console log
        is not read: whether they have a guest makes no difference. They get none.

        :param floating_ips: lists by port
        :param is_on: a function; whether the server is on
        :raises OSError: the guest ended by itself, or did not start
        :raises MonitorError: an IP address cannot be forwarded; once for each reason
        """
        with self._lock:
            if not is_on():
                return
            wanted = {
                address: nic
                for nic in self.machine.nics
                for address in floating_ips.get(nic.port, ())
            }
            if not self.is_running and (wanted or self.is_observed):
                self._start()
            if not self.is_running:
                return
            if self._process.poll() is not None:
                self.stop()
                raise ChildProcessError("the guest ended by itself")
            # A connection that QEMU accepted earlier would hang until the client loses patience.
            self._forward(wanted if self._answers() else {})

    def stop(self):
        """End the guest, at once as by a power switch."""
        with self._lock:
            if self.is_running:
                self._process.kill()
                self._process.wait()
            self._process = self._monitor = None
            self._forwarded = {}
            self._is_up = False

    def attach(self, key, gigabytes):
        """Attach a disk under the name ``key``, also to the running guest."""
        with self._lock:
            disk = Disk(f"disk{next(self._numbers)}", gigabytes, key)
            self._disks[key] = disk
            if self._monitor:
                self._monitor.execute("blockdev-add", **disk.backend())
                self._monitor.execute("device_add", **disk.device())

    def detach(self, key):
        """Remove the disk ``key``; a guest that is not up yet keeps it until its next start."""
        with self._lock:
            disk = self._disks.pop(key, None)
            if disk and self._monitor:
                self._monitor.execute("device_del", id=disk.name)

    def freeze(self, command):
        """Halt ("stop") or continue ("cont") the processors of the guest, if it runs."""
        with self._lock:
            if self._monitor:
                self._monitor.execute(command)

    def console(self):
        """Return the end of what the guest has written to its console."""
        self.is_observed = True
        return self._log()

    def _log(self, start=0):
        """Return the end of the console log, of the part that begins at ``start``."""
        if not self._console.exists():
            return b""
        with self._console.open("rb") as log:
            log.seek(max(start, log.seek(0, os.SEEK_END) - _CONSOLE_BYTES))
            return log.read()

    def _answers(self):
        """Return whether the guest answers SSH since it was started."""
        if not self._is_up:
            self._is_up = ANSWERS in self._log(self._log_start)
        return self._is_up

    def _start(self):
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name, content in self.machine.config.items():
            (self._directory / name).write_bytes(content)
        ours, theirs = socket.socketpair()
        with theirs:
            arguments = (
                *self.machine.arguments(),
                *(text for disk in self._disks.values() for text in disk.arguments()),
                *("-chardev", f"socket,id=monitor,fd={theirs.fileno()}"),
                *("-mon", "chardev=monitor,mode=control"),
                *("-serial", "stdio"),
            )
            with self._console.open("ab") as output:
                self._log_start = output.tell()
                self._process = subprocess.Popen(
                    ("setpriv", "--pdeathsig", "KILL", "qemu-system-x86_64", *arguments),
                    cwd=self._directory,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    pass_fds=(theirs.fileno(),),
                )
        try:
            self._monitor = Monitor(ours)
        except OSError:
            self.stop()
            raise

    def _forward(self, wanted):
        """Let the IP addresses of ``wanted``, and no others, lead to the guest's SSH server.

        What fails is tried again at the next call: a floating IP may still lead to another guest.
        """
        errors = []
        for address in self._forwarded.keys() - wanted.keys():
            nic = self._forwarded.pop(address)
            self._monitor.forward("hostfwd_remove", nic, f"tcp:{address}:{SSH}")
        for address in wanted.keys() - self._forwarded.keys():
            try:
                self._monitor.forward("hostfwd_add", wanted[address], f"tcp:{address}:{SSH}-:{SSH}")
                self._forwarded[address] = wanted[address]
            except MonitorError as error:
                errors.append(f"{address}: {error}")
        before, self._errors = self._errors, errors
        if errors and errors != before:
            raise MonitorError("; ".join(errors))
