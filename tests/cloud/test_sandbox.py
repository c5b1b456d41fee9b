"""A real Keystone and Swift on loopback, brought up and down in every way."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import openstack
import pytest

from refstack_client.errors import MachineError, UsageError
from refstack_client.sandbox import daemon, lifecycle
from refstack_client.sandbox.lifecycle import HOST, Sandbox

pytestmark = pytest.mark.cloud
CLIENT = str(Path(sys.executable).with_name("refstack-client"))


def up(sandbox: Sandbox, port_base: int | None = None) -> None:
    lifecycle.up(sandbox, port_base, lambda line: None)


def pids(sandbox: Sandbox) -> dict[str, int | None]:
    return {each.name: each.pid for each in lifecycle.status(sandbox)}


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


def test_up_again_changes_nothing_and_restarts_only_what_died(sandbox):
    before = pids(sandbox)
    up(sandbox)
    assert pids(sandbox) == before
    os.kill(before["swift-object"], signal.SIGKILL)
    up(sandbox)
    after = pids(sandbox)
    assert after.pop("swift-object") != before.pop("swift-object")
    assert after == before
    assert lifecycle.is_up(sandbox)


def test_secrets_are_in_private_files_and_in_no_argument_or_environment(sandbox):
    secrets = lifecycle._settings(sandbox.state)["secrets"].values()
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


def test_several_run_side_by_side_and_one_can_have_a_space_in_its_path(
    sandbox, new_sandbox, monkeypatch
):
    other = new_sandbox()
    other = lifecycle.find(other.root, f"{other.name} with space", "storage")
    try:
        up(other)
        ports = [
            set(lifecycle._settings(each.state)["ports"].values()) for each in (sandbox, other)
        ]
        assert not ports[0] & ports[1]
        assert store_and_read(connect(other, "sandbox-tenant", monkeypatch)) == b"content"
        assert store_and_read(connect(sandbox, "sandbox-tenant", monkeypatch)) == b"content"
    finally:
        lifecycle.wipe(other)


def test_a_start_that_was_killed_half_way_is_finished_by_the_next(new_sandbox, monkeypatch):
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
    assert lifecycle.is_up(sandbox)
    assert store_and_read(connect(sandbox, "sandbox-tenant", monkeypatch)) == b"content"
    assert lifecycle.down(sandbox) == len(sandbox.profile.daemons) + 1  # uwsgi has a master
    assert daemon.marked(sandbox.state) == []


def test_state_outlives_a_stop_even_when_its_ports_were_taken_meanwhile(new_sandbox, monkeypatch):
    sandbox = new_sandbox()
    up(sandbox)
    connect(sandbox, "sandbox", monkeypatch).identity.create_project(name="kept")
    lifecycle.down(sandbox)
    assert not lifecycle.is_up(sandbox)
    old = lifecycle._settings(sandbox.state)["ports"]
    with socket.socket() as thief:
        thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        thief.bind((HOST, old["keystone"]))
        thief.listen()
        up(sandbox)
        new = lifecycle._settings(sandbox.state)["ports"]
        assert new["keystone"] != old["keystone"]
        assert connect(sandbox, "sandbox", monkeypatch).identity.find_project("kept")
        assert store_and_read(connect(sandbox, "sandbox-tenant", monkeypatch)) == b"content"
    with pytest.raises(UsageError, match="is up on other ports"):
        up(sandbox, port_base=20000)
    lifecycle.wipe(sandbox)
    assert not sandbox.state.exists()


def test_a_taken_port_is_named(new_sandbox):
    sandbox = new_sandbox()
    with socket.socket() as thief:
        thief.bind((HOST, 0))
        thief.listen()
        port = thief.getsockname()[1]
        with pytest.raises(MachineError, match=f"the port of keystone, {port} on {HOST}, is taken"):
            up(sandbox, port_base=port)


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(MachineError, match="cannot be written") as caught:
        up(lifecycle.find(tmp_path / "file", "x", "storage"))
    assert "--root" in caught.value.hint


def test_status_lists_every_process_and_its_exit_code_tells_whether_all_is_well(
    sandbox, new_sandbox
):
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
