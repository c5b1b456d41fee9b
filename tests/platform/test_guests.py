"""Servers with guests: certifying the platform on real logins, and the life of a guest."""

import json
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import openstack
import paramiko
import psutil
import pytest
from openstack.compute.v2.server import Server
from openstack.connection import Connection
from support.certifying import CLIENT, run, tenants_of

from refstack_client.errors import MachineError
from refstack_client.sandbox import daemon, guest, lifecycle
from refstack_client.sandbox.state import Sandbox

pytestmark = [pytest.mark.cloud, pytest.mark.platform]
SECONDS = 1800
MOST_MEMORY_OF_GUESTS = 1e9
LOGIN = "Pubkey auth succeeded for 'root'"
SERVERS_WITH_LOGIN = 4
"""At least: two of test_create_server or test_server_actions, and two of test_attach_volume."""


@pytest.fixture
def sandbox_with_guests(new_sandbox, monkeypatch) -> Callable[[str], Sandbox]:
    """Return a function that starts a sandbox. Skip the test where guests cannot run."""
    try:
        guest.check_programs()
        guest.check_port("127.100.0.1")
    except MachineError as error:
        pytest.skip(f"{error}. {error.hint}")

    def start(profile: str) -> Sandbox:
        sandbox = new_sandbox(profile, guests=True)
        lifecycle.up(sandbox, None, lambda line: None)
        monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(sandbox.clouds_yaml))
        return sandbox

    return start


def guests_of(sandbox: Sandbox) -> list[psutil.Process]:
    """Return the processes of the guests of a sandbox."""
    processes = daemon.marked(sandbox.state)
    return [process for process in processes if process.name().startswith("qemu-system")]


def until(condition: Callable[[], bool], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.3)


@pytest.mark.parametrize(
    ("guideline", "number"),
    [("2020.06", 273), pytest.param("2022.11", 328, marks=pytest.mark.long)],
)
def test_the_platform_is_conformant(sandbox_with_guests, place: Path, guideline, number):
    sandbox = sandbox_with_guests("platform")
    command = (CLIENT, "certify", "--os-cloud", "sandbox", "--programme", "platform")
    started = subprocess.Popen(
        (*command, "--guideline", guideline), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    most = 0
    while started.poll() is None:
        most = max(most, memory(sandbox))
        time.sleep(1)
    assert started.stdout
    assert started.stdout.read().decode().splitlines()[-1] == (
        f"CONFORMANT  OpenStack Powered Platform  {guideline}  {number}/{number} required tests"
    )
    assert 0 < most < MOST_MEMORY_OF_GUESTS
    logs = (sandbox.state / "data" / "nova" / "consoles").iterdir()
    with_login = [path for path in logs if LOGIN in path.read_text(errors="replace")]
    assert len(with_login) >= SERVERS_WITH_LOGIN
    assert guests_of(sandbox) == []
    assert tenants_of(sandbox) == []


def test_the_check_logs_in_to_a_guest_and_removes_it(sandbox_with_guests, place: Path):
    sandbox = sandbox_with_guests("compute")
    check = (CLIENT, "cloud", "check", "--programme", "compute", "-f", "json")
    done = run(*check, "--os-cloud", "sandbox", "--guests")
    found = {one["name"]: one for one in json.loads(done.stdout)}
    assert (done.returncode, found["guest login"]["level"]) == (0, "ok"), done.stdout
    assert re.match(r"logged in as root@127\.100\.", found["guest login"]["found"])
    assert list(place.glob("**/runs")) == []

    wrong = ("--set", "validation.image_ssh_user=nobody", "--set", "validation.ssh_timeout=15")
    done = run(*check, "--os-cloud", "sandbox", "--guests", *wrong)
    found = {one["name"]: one for one in json.loads(done.stdout)}
    login = found["guest login"]
    assert (done.returncode, login["level"]) == (3, "problem"), done.stdout
    assert re.match(
        r"cannot log in to a guest as nobody@\S+: Authentication failed", login["found"]
    )
    assert "validation.image_ssh_user" in login["remedy"]
    assert len(login["tests"]) == 2
    assert "compute-servers-host" in found["capabilities"]["found"]
    assert guests_of(sandbox) == []
    assert tenants_of(sandbox) == []


def memory(sandbox: Sandbox) -> int:
    """Return what the guests use, shared pages counted once; 0 for those that just ended."""
    total = 0
    for process in guests_of(sandbox):
        try:
            total += process.memory_full_info().pss
        except psutil.Error:
            continue
    return total


def wait_for(cloud: Connection, server: Server, status: str) -> None:
    until(lambda: cloud.compute.get_server(server.id).status == status)


@dataclass(frozen=True)
class Login:
    """A server with a floating IP, and the key of its user."""

    server: Server
    floating_ip: str
    key: paramiko.PKey

    def run(self, command: str) -> str:
        """Return what ``command`` prints in the guest, as soon as it answers."""
        answers: list[str] = []

        def connects() -> bool:
            with paramiko.SSHClient() as client:
                client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
                try:
                    client.connect(
                        self.floating_ip, username="root", pkey=self.key, look_for_keys=False
                    )
                    answers.append(client.exec_command(command)[1].read().decode())
                except (OSError, EOFError, paramiko.SSHException):
                    return False
            return True

        until(connects)
        return answers[0]

    def answers(self) -> bool:
        try:
            paramiko.Transport((self.floating_ip, 22)).close()
        except paramiko.SSHException:
            return False
        return True


@contextmanager
def booted(cloud: Connection, directory: Path) -> Iterator[Login]:
    """Create a server with a floating IP."""
    network = cloud.network.create_network(name="inside")
    subnet = cloud.network.create_subnet(network_id=network.id, ip_version=4, cidr="10.9.8.0/24")
    outside = cloud.network.find_network("public", ignore_missing=False)
    router = cloud.network.create_router(external_gateway_info={"network_id": outside.id})
    cloud.network.add_interface_to_router(router, subnet=subnet.id)
    key = directory / "key"
    key.write_text(cloud.compute.create_keypair(name="key").private_key)
    server = cloud.compute.create_server(
        name="Server 1",
        image_id=cloud.image.find_image("sandbox-image", ignore_missing=False).id,
        flavor_id=cloud.compute.find_flavor("sandbox.nano", ignore_missing=False).id,
        networks=[{"uuid": network.id}],
        key_name="key",
    )
    wait_for(cloud, server, "ACTIVE")
    (port,) = cloud.network.ports(device_id=server.id)
    floating = cloud.network.create_ip(floating_network_id=outside.id, port_id=port.id)
    yield Login(server, floating.floating_ip_address, paramiko.RSAKey.from_private_key_file(key))


def test_a_guest_follows_its_server(sandbox_with_guests, tmp_path):
    sandbox = sandbox_with_guests("compute")
    cloud = openstack.connect(cloud="sandbox")
    with booted(cloud, tmp_path) as login:
        server = login.server
        assert login.run("hostname") == "server-1\n"
        assert len(guests_of(sandbox)) == 1
        assert LOGIN in cloud.compute.get_server_console_output(server)["output"]

        first_boot = login.run("cat /proc/sys/kernel/random/boot_id")
        cloud.compute.reboot_server(server, "HARD")
        wait_for(cloud, server, "ACTIVE")
        assert login.run("cat /proc/sys/kernel/random/boot_id") != first_boot

        cloud.compute.stop_server(server)
        wait_for(cloud, server, "SHUTOFF")
        assert guests_of(sandbox) == []
        assert not login.answers()
        cloud.compute.start_server(server)
        wait_for(cloud, server, "ACTIVE")
        login.run("true")

        larger = cloud.compute.find_flavor("sandbox.micro", ignore_missing=False)
        before = int(login.run("grep MemTotal /proc/meminfo").split()[1])
        cloud.compute.resize_server(server, larger.id)
        wait_for(cloud, server, "VERIFY_RESIZE")
        cloud.compute.confirm_server_resize(server)
        wait_for(cloud, server, "ACTIVE")
        assert int(login.run("grep MemTotal /proc/meminfo").split()[1]) > before

        cloud.compute.rescue_server(server)
        wait_for(cloud, server, "RESCUE")
        cloud.compute.unrescue_server(server)
        wait_for(cloud, server, "ACTIVE")
        login.run("true")

        cloud.network.update_ip(next(cloud.network.ips()), port_id=None)
        until(lambda: not login.answers())

        cloud.compute.delete_server(server)
        cloud.compute.wait_for_delete(server)
        assert guests_of(sandbox) == []


def test_guests_end_with_nova_and_with_the_sandbox(sandbox_with_guests, tmp_path):
    sandbox = sandbox_with_guests("compute")
    cloud = openstack.connect(cloud="sandbox")
    with booted(cloud, tmp_path) as login:
        login.run("true")
        nova = daemon.running(sandbox.pid_file("nova"))
        assert nova
        for process in (nova, *nova.children()):
            process.kill()
        until(lambda: guests_of(sandbox) == [], 10)

        lifecycle.up(sandbox, None, lambda line: None)
        # Nova's fake driver has forgotten the server, as a machine that was switched off.
        cloud.compute.reboot_server(login.server, "HARD")
        login.run("true")
        (process,) = guests_of(sandbox)
        lifecycle.down(sandbox)
        assert not process.is_running()
