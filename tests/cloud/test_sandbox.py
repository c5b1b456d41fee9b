"""A real Keystone and Swift on loopback: started, stopped, killed and repaired."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import astuple
from pathlib import Path

import openstack
import pytest
from keystoneauth1.exceptions import ConnectFailure

from refstack_client.errors import MachineError, UsageError
from refstack_client.sandbox import daemon, fault_proxy, lifecycle, services, state
from refstack_client.sandbox.deployment import HOST
from refstack_client.sandbox.faults import Faults
from refstack_client.sandbox.state import Sandbox

pytestmark = pytest.mark.cloud
LONG = pytest.mark.long
CLIENT = str(Path(sys.executable).with_name("refstack-client"))


def up(sandbox: Sandbox, port_base: int | None = None) -> None:
    lifecycle.up(sandbox, port_base, lambda line: None)


def pids(sandbox: Sandbox) -> dict[str, int | None]:
    return {row.name: row.pid for row in services.status(sandbox)}


def connect(sandbox: Sandbox, name: str, monkeypatch) -> openstack.connection.Connection:
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(sandbox.clouds_yaml))
    return openstack.connect(cloud=name)


def store_and_read(connection: openstack.connection.Connection) -> bytes:
    store = connection.object_store
    store.create_container("box")
    store.upload_object(container="box", name="thing", data=b"content")
    content = store.download_object("thing", container="box")
    store.delete_object("thing", container="box")
    store.delete_container("box")
    return content


def test_a_tenant_can_store_and_read_an_object(sandbox, monkeypatch):
    assert store_and_read(connect(sandbox, "sandbox-tenant", monkeypatch)) == b"content"


def test_up_again_restarts_only_what_died(sandbox):
    before, said = pids(sandbox), []
    lifecycle.up(sandbox, None, said.append)
    assert pids(sandbox) == before
    os.kill(before["swift-object"], signal.SIGKILL)
    lifecycle.up(sandbox, None, said.append)
    assert said == ["running: keystone, swift", "starting keystone, swift"]
    after = pids(sandbox)
    assert after.pop("swift-object") != before.pop("swift-object")
    assert after == before
    assert services.is_up(sandbox)


def test_secrets_are_in_private_files_and_in_no_argument_or_environment(sandbox):
    secrets = astuple(state.secrets(sandbox))
    for process in daemon.marked(sandbox.state):
        shown = " ".join(process.cmdline()) + str(process.environ())
        assert not [secret for secret in secrets if secret in shown]
    open_to_others = [
        path
        for path in sandbox.state.rglob("*")
        if path.is_file()
        and path.stat().st_mode & 0o077
        and any(secret.encode() in path.read_bytes() for secret in secrets)
    ]
    assert open_to_others == []
    assert sandbox.state.stat().st_mode & 0o077 == 0


@pytest.mark.long
def test_several_run_side_by_side_and_a_path_can_contain_a_space(sandbox, new_sandbox, monkeypatch):
    other = new_sandbox()
    other = state.find(other.root, f"{other.name} with space", "storage")
    try:
        up(other)
        ports, other_ports = (set(state.ports(running).values()) for running in (sandbox, other))
        assert not ports & other_ports
        assert {sandbox, other} <= set(state.running(sandbox.root))
        assert store_and_read(connect(other, "sandbox-tenant", monkeypatch)) == b"content"
        assert store_and_read(connect(sandbox, "sandbox-tenant", monkeypatch)) == b"content"
    finally:
        lifecycle.wipe(other)


@pytest.mark.long
def test_up_completes_a_start_that_was_killed(new_sandbox, monkeypatch):
    sandbox = new_sandbox()
    arguments = ["--root", str(sandbox.root), "--name", sandbox.name]
    for seconds in (1.5, 3, 4.5):
        starting = subprocess.Popen(
            [CLIENT, "sandbox", "up", *arguments], stderr=subprocess.DEVNULL
        )
        time.sleep(seconds)
        starting.kill()
        starting.wait()
    # The worst case: a process whose pid file was never written.
    for pid_file in (sandbox.state / "run").glob("swift-proxy.pid"):
        pid_file.unlink()
    up(sandbox)
    assert services.is_up(sandbox)
    assert store_and_read(connect(sandbox, "sandbox-tenant", monkeypatch)) == b"content"
    assert lifecycle.down(sandbox) == len(sandbox.profile.daemons) + 1  # uwsgi has a master
    assert daemon.marked(sandbox.state) == []


@LONG
def test_state_survives_a_stop_although_another_process_takes_a_port(new_sandbox, monkeypatch):
    sandbox = new_sandbox()
    up(sandbox)
    connect(sandbox, "sandbox", monkeypatch).identity.create_project(name="kept")
    lifecycle.down(sandbox)
    assert not services.is_up(sandbox)
    old = state.ports(sandbox)
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind((HOST, old["keystone"]))
        other.listen()
        up(sandbox)
        new = state.ports(sandbox)
        assert new["keystone"] != old["keystone"]
        assert connect(sandbox, "sandbox", monkeypatch).identity.find_project("kept")
        assert store_and_read(connect(sandbox, "sandbox-tenant", monkeypatch)) == b"content"
    with pytest.raises(UsageError, match="is running on other ports"):
        up(sandbox, port_base=20000)
    lifecycle.wipe(sandbox)
    assert not sandbox.state.exists()


def test_a_port_that_another_process_uses_is_named(new_sandbox):
    sandbox = new_sandbox()
    with socket.socket() as other:
        other.bind((HOST, 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(
            MachineError, match=f"cannot bind to port {port} on {HOST} for keystone"
        ):
            up(sandbox, port_base=port)


def test_a_directory_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(MachineError, match="cannot write to") as caught:
        up(state.find(tmp_path / "file", "x", "storage"))
    assert "--root" in caught.value.hint


def test_status_lists_every_process_and_exits_with_5_unless_all_are_healthy(sandbox, new_sandbox):
    def status(which: Sandbox) -> subprocess.CompletedProcess:
        command = [CLIENT, "sandbox", "status", "--root", str(which.root), "--name", which.name]
        return subprocess.run(
            [*command, "-f", "csv", "-c", "Process", "-c", "Health"],
            capture_output=True,
            text=True,
            check=False,
        )

    good = status(sandbox)
    assert good.returncode == 0
    assert good.stdout.count('"ok"') == 5
    absent = status(new_sandbox())
    assert absent.returncode == 5
    assert absent.stdout.count('"stopped"') == 5


@LONG
def test_the_fault_proxy_adds_latency_and_injects_faults(new_sandbox, monkeypatch):
    sandbox = new_sandbox()
    latency = 0.3
    lifecycle.up(sandbox, None, lambda line: None, Faults(latency, {"swift": "errors"}))
    connection = connect(sandbox, "sandbox-tenant", monkeypatch)
    before, began = fault_proxy.request_count(sandbox), time.monotonic()
    assert connection.identity.get("/").status_code in (200, 300)
    assert time.monotonic() - began > latency
    assert connection.object_store.get("/").status_code == 500
    time.sleep(0.5)  # the proxy writes the number a few times a second
    assert fault_proxy.request_count(sandbox) > before
    fault_proxy.inject(sandbox, Faults(modes={"swift": "down"}))
    with pytest.raises(ConnectFailure):
        store_and_read(connection)
    fault_proxy.inject(sandbox, Faults())
    assert store_and_read(connection) == b"content"


@pytest.mark.long
def test_a_fault_proxy_that_died_is_reported_and_goes_away_with_the_next_start(
    new_sandbox, monkeypatch
):
    sandbox = new_sandbox()
    lifecycle.up(sandbox, None, lambda line: None, Faults())
    assert services.is_up(sandbox)
    os.kill(pids(sandbox)["fault-proxy"], signal.SIGKILL)
    assert not services.is_up(sandbox)
    with pytest.raises(UsageError, match="runs without a fault proxy"):
        fault_proxy.inject(sandbox, Faults())
    up(sandbox)
    assert services.is_up(sandbox)
    assert "fault-proxy" not in pids(sandbox)
    assert store_and_read(connect(sandbox, "sandbox-tenant", monkeypatch)) == b"content"


@LONG
def test_services_that_died_start_again_beside_their_fault_proxy(new_sandbox, monkeypatch):
    sandbox = new_sandbox()
    lifecycle.up(sandbox, None, lambda line: None, Faults())
    for name, pid in pids(sandbox).items():
        if name != "fault-proxy":
            os.kill(pid, signal.SIGKILL)
    up(sandbox)
    assert services.is_up(sandbox)
    assert store_and_read(connect(sandbox, "sandbox-tenant", monkeypatch)) == b"content"


@pytest.mark.long
def test_down_stops_a_sandbox_whose_directory_was_removed(new_sandbox):
    sandbox = new_sandbox()
    up(sandbox)
    shutil.rmtree(sandbox.state)
    assert sandbox in state.running(sandbox.root)
    assert lifecycle.down(sandbox) >= len(sandbox.profile.daemons)
    assert sandbox not in state.running(sandbox.root)
