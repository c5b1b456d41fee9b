"""The command line of a guest, and guests that boot."""

import ipaddress
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import paramiko
import pytest
from hypothesis import given
from hypothesis import strategies as st

from refstack_client.sandbox import guest
from refstack_client.sandbox.programs import qemu

PROGRAMS = Path(qemu.__file__).parent
ADDRESS = "127.100.255.77"
SECONDS = 120
NIC = qemu.Nic("4b0f3b21-a138-497d-b29e-08f9dcf5a914", "fa:16:3e:00:00:01", "10.9.8.7/24")


def machine(**changes) -> qemu.Machine:
    fields = {
        "name": "instance-00000001",
        "vcpus": 2,
        "memory": 64,
        "kernel": Path("/a place/vmlinuz"),
        "ramdisk": Path("/a place/initrd"),
        "root_gigabytes": 1,
        "nics": (NIC,),
        "config": {"hostname": b"server-1"},
    }
    return qemu.Machine(**{**fields, **changes})


def value(arguments: tuple[str, ...], option: str) -> str:
    return arguments[arguments.index(option) + 1]


def settings(backend: str) -> dict[str, str]:
    """Return the settings of a ``-netdev``."""
    return dict(pair.split("=") for pair in backend.split(",")[1:])


def test_a_guest_has_the_hardware_of_its_flavor_but_enough_memory_to_boot():
    arguments = machine().arguments()
    assert value(arguments, "-smp") == "2"
    assert value(arguments, "-m") == str(qemu.LEAST_MEMORY)
    assert value(machine(memory=512).arguments(), "-m") == "512"
    assert value(arguments, "-kernel") == "/a place/vmlinuz"
    assert json.loads(value(arguments, "-blockdev"))["size"] == 1024**3


def test_the_image_decides_about_the_kernel_and_a_volume_replaces_the_disk():
    arguments = machine(kernel=None, ramdisk=None, root_gigabytes=0).arguments()
    assert not {"-kernel", "-append", "-initrd", "-blockdev"} & set(arguments)


def test_content_and_directory_of_the_configuration_are_not_in_the_arguments():
    arguments = machine(config={"user_data": b"secret"}).arguments()
    assert value(arguments, "-fw_cfg") == "name=opt/refstack/user_data,file=user_data"
    assert "secret" not in " ".join(arguments)


@given(st.ip_addresses(v=4), st.integers(8, 32), st.booleans())
def test_the_network_in_qemu_is_that_of_the_port_and_its_ip_addresses_differ(
    ip, prefix, has_gateway
):
    interface = ipaddress.IPv4Interface(f"{ip}/{prefix}")
    gateway = str(interface.network[1]) if has_gateway and prefix < 31 else ""
    nic = qemu.Nic("id", "fa:16:3e:00:00:01", str(interface), gateway)
    found = settings(nic.arguments()[1])
    assert found["restrict"] == "on"
    if "net" not in found:  # too small for the three that QEMU needs
        assert prefix >= 29
        return
    addresses = [found["host"], found["dns"], found["dhcpstart"]]
    assert len(set(addresses)) == 3
    assert all(ipaddress.IPv4Address(address) in interface.network for address in addresses)
    assert found["dhcpstart"] == str(ip)
    assert found["host"] == (gateway if gateway not in {"", str(ip)} else found["host"])


def test_a_port_without_an_ipv4_address_has_a_network_interface_too():
    arguments = qemu.Nic("id", "fa:16:3e:00:00:01").arguments()
    assert "net" not in settings(arguments[1])
    assert "mac=fa:16:3e:00:00:01" in arguments[3]


# -- guests that boot -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def boot_files(tmp_path_factory: pytest.TempPathFactory) -> guest.Guests:
    if missing := guest.missing_programs():
        pytest.skip(f"not on this machine: {', '.join(missing)}")
    root = tmp_path_factory.mktemp("guest")
    return guest.prepare(root, root / "box", lambda line: None)


@pytest.fixture(scope="module")
def key() -> paramiko.RSAKey:
    return paramiko.RSAKey.generate(2048)


def config_of(key: paramiko.PKey, name: bytes) -> dict[str, bytes]:
    return {
        "hostname": name,
        "network": b"fa:16:3e:00:00:01 10.9.8.7/24 10.9.8.1\n",
        "authorized_keys": f"ssh-rsa {key.get_base64()}\n".encode(),
        "user_data": b"#!/bin/sh\necho the user data ran\n",
    }


@pytest.fixture
def new_guest(boot_files, key, tmp_path) -> Iterator[Callable[..., qemu.Guest]]:
    guests: list[qemu.Guest] = []

    def make(**changes) -> qemu.Guest:
        place = tmp_path / str(len(guests))
        made = qemu.Guest(place, tmp_path / f"{place.name}.log")
        files = {"kernel": boot_files.kernel, "ramdisk": boot_files.ramdisk}
        config = config_of(key, b"server-1")
        made.machine = machine(**{**files, "config": config, **changes})
        guests.append(made)
        return made

    yield make
    for made in guests:
        made.stop()


def follow(server: qemu.Guest, *addresses: str, is_on: bool = True) -> None:
    server.follow({NIC.port: addresses}, lambda: is_on)


def boot(server: qemu.Guest, *ips: str) -> None:
    """Follow a guest until it answers and the floating IPs lead to it."""

    def is_up() -> bool:
        follow(server, *ips)
        return qemu.ANSWERS in server.console()

    until(is_up)
    follow(server, *ips)


def log_in(key: paramiko.PKey, command: str) -> str:
    """Return what ``command`` prints in the guest, as soon as it answers."""
    deadline = time.monotonic() + SECONDS
    while True:
        with paramiko.SSHClient() as client:
            client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
            try:
                client.connect(ADDRESS, username="root", pkey=key, look_for_keys=False)
                return client.exec_command(command)[1].read().decode()
            except (OSError, EOFError, paramiko.SSHException):
                assert time.monotonic() < deadline
        time.sleep(0.5)


def is_reachable() -> bool:
    try:
        with paramiko.Transport((ADDRESS, qemu.SSH)):
            return True
    except paramiko.SSHException:
        return False


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.2)


@pytest.mark.long
def test_a_guest_is_logged_in_to_at_its_floating_address(new_guest, key):
    server = new_guest()
    follow(server)
    assert not server.is_running, "it makes no difference"
    boot(server, ADDRESS)
    name, processors, address = log_in(
        key, "hostname; grep -c ^processor /proc/cpuinfo; ip -o -4 address show eth0"
    ).splitlines()
    assert (name, processors) == ("server-1", "2")
    assert " 10.9.8.7/24 " in address
    until(lambda: b"the user data ran" in server.console())
    assert b"Pubkey auth succeeded for 'root'" in server.console()

    server.attach("volume", 2)
    until(lambda: "vdb" in log_in(key, "lsblk"))
    assert str(2 * 1024**3) in log_in(key, "lsblk")
    server.detach("volume")
    until(lambda: "vdb" not in log_in(key, "lsblk"))

    follow(server)
    assert not is_reachable()
    follow(server, ADDRESS)
    assert log_in(key, "hostname") == "server-1\n"


@pytest.mark.long
def test_a_floating_ip_moves_to_another_guest(new_guest, key):
    old, new = new_guest(), new_guest(name="new", config=config_of(key, b"server-2"))
    boot(old, ADDRESS)
    assert log_in(key, "hostname") == "server-1\n"
    new.console()
    boot(new)
    with pytest.raises(qemu.MonitorError, match=ADDRESS):
        follow(new, ADDRESS)
    follow(new, ADDRESS)  # the reason is not repeated
    follow(old)
    follow(new, ADDRESS)
    assert log_in(key, "hostname") == "server-2\n"


@pytest.mark.long
def test_a_stopped_guest_starts_again_only_for_a_server_that_is_on(new_guest):
    server = new_guest()
    follow(server, ADDRESS)
    server.stop()
    follow(server, ADDRESS, is_on=False)
    assert not server.is_running
    follow(server, ADDRESS)
    assert server.is_running


@pytest.mark.long
def test_reading_the_console_starts_a_guest(new_guest):
    server = new_guest()
    assert server.console() == b""
    follow(server)
    until(lambda: b"server-1 answers SSH" in server.console())


@pytest.mark.long
def test_a_guest_that_ends_by_itself_is_reported(new_guest, key):
    server = new_guest()
    boot(server, ADDRESS)
    log_in(key, "poweroff -f")
    with pytest.raises(OSError, match="ended by itself"):
        until(lambda: follow(server, ADDRESS) is not None)
    assert not server.is_running


@pytest.mark.long
def test_a_guest_that_cannot_start_is_reported(new_guest):
    server = new_guest(kernel=Path("/nowhere"))
    with pytest.raises(OSError, match=r"QEMU|reset|pipe"):
        follow(server, ADDRESS)
    assert not server.is_running
    assert b"could not open kernel" in server.console()


@pytest.mark.long
def test_a_guest_ends_with_the_process_that_started_it(boot_files, tmp_path):
    program = f"""
import sys, time
sys.path.insert(0, {str(PROGRAMS)!r})
import qemu
from pathlib import Path
server = qemu.Guest(Path("server"), Path("console.log"))
server.machine = qemu.Machine(
    "x", 1, 96, Path({str(boot_files.kernel)!r}), Path({str(boot_files.ramdisk)!r}), 1, (), {{}}
)
server.console()
server.follow({{}}, lambda: True)
print(server._process.pid, flush=True)
time.sleep(600)
"""
    started = subprocess.Popen(
        [sys.executable, "-c", program], cwd=tmp_path, stdout=subprocess.PIPE, text=True
    )
    assert started.stdout
    pid = int(started.stdout.readline())
    started.send_signal(signal.SIGKILL)
    started.wait()
    until(lambda: not is_alive(pid))


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
