"""The guest of a sandbox: what it takes to build and to reach it."""

import socket
from ipaddress import IPv4Network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refstack_client.errors import MachineError
from refstack_client.sandbox import guest


def test_missing_programs_are_named_with_the_packages_to_install(monkeypatch):
    monkeypatch.setattr(guest, "PACKAGES", {"absent-1": "one", "sh": "dash", "absent-2": "two"})
    with pytest.raises(MachineError, match="cannot run guests: absent-1, absent-2 not found") as e:
        guest.check_programs()
    assert "apt install one two" in e.value.hint


def test_a_port_that_an_ssh_server_has_is_named(monkeypatch):
    with socket.socket() as server:
        server.bind(("0.0.0.0", 0))
        server.listen()
        monkeypatch.setattr(guest, "SSH_PORT", server.getsockname()[1])
        with pytest.raises(MachineError, match=r"cannot bind to 127\.100\.0\.1:\d+: Address") as e:
            guest.check_port("127.100.0.1")
    assert "ip_unprivileged_port_start" in e.value.hint
    assert "unshare" in e.value.hint


@given(st.text(min_size=1))
def test_the_floating_addresses_of_a_sandbox_lie_on_loopback_and_stay_the_same(name):
    state = Path("/root") / name.replace("\0", "").encode(errors="ignore").decode()
    network = guest.floating_network(state)
    assert network.subnet_of(IPv4Network("127.100.0.0/16"))
    assert network == guest.floating_network(state)


@pytest.mark.cloud
@pytest.mark.long
def test_the_guest_is_built_once_and_again_when_its_inputs_change(tmp_path, monkeypatch):
    if missing := guest.missing_programs():
        pytest.skip(f"not on this machine: {', '.join(missing)}")
    lines: list[str] = []
    first = guest.prepare(tmp_path, tmp_path / "box", lines.append)
    assert guest.prepare(tmp_path, tmp_path / "other", lines.append).kernel == first.kernel
    assert len(lines) == 1
    monkeypatch.setattr(guest, "_FILES", {**guest._FILES, "etc/motd": "new"})
    second = guest.prepare(tmp_path, tmp_path / "box", lines.append)
    assert second.ramdisk != first.ramdisk
    assert len(lines) == 2
    names = {path.name for path in second.ramdisk.parent.iterdir()}
    assert names == {"vmlinuz", "initrd", "complete"}


def test_a_kernel_that_cannot_be_downloaded_is_named(tmp_path, monkeypatch):
    if missing := guest.missing_programs():
        pytest.skip(f"not on this machine: {', '.join(missing)}")
    monkeypatch.setattr(guest, "_KERNEL_PACKAGE", "linux-image-of-nobody")
    with pytest.raises(MachineError, match="cannot build the guest in") as caught:
        guest.prepare(tmp_path, tmp_path / "box", lambda line: None)
    assert "apt-get update" in caught.value.hint
    assert not list(tmp_path.glob("environments/*/complete"))
