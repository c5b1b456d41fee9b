"""The file of the login: where it is, who can read it, and what is wrong with it."""

import os
from pathlib import Path

import pytest

from refstack_client.errors import InputError, MachineError, UsageError
from refstack_client.upload import login
from refstack_client.upload.login import Login

LOGIN = Login("https://refstack.example.org", "alice", Path("/keys/alice"), Path("/ca.pem"))


@pytest.fixture
def config(tmp_path: Path, monkeypatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path / "config"


def test_a_login_is_read_as_it_was_saved(config):
    old = os.umask(0)
    try:
        path = login.save(LOGIN)
    finally:
        os.umask(old)
    assert path == config / "refstack-client" / "login.json"
    assert path.stat().st_mode & 0o777 == 0o600
    assert login.read() == LOGIN
    login.save(Login("https://other.example.org", "bob", Path("/keys/bob")))
    assert login.read().cacert is None
    assert list(path.parent.iterdir()) == [path]


def test_without_the_variable_it_is_in_the_home_directory(tmp_path, monkeypatch):
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert login.save(LOGIN) == tmp_path / ".config" / "refstack-client" / "login.json"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"null",
        b"\xff",
        b"{}",
        b'{"url": 1, "user": "a", "key": "b"}',
        b'{"url": "u", "user": "a", "key": null}',
        b"[" * 100_000,
    ],
)
def test_a_damaged_file_is_reported_and_can_be_removed(config, content):
    login.save(LOGIN).write_bytes(content)
    with pytest.raises((InputError, MachineError)) as raised:
        login.find()
    assert "login.json" in str(raised.value)
    assert raised.value.hint
    assert login.remove()
    assert login.find() is None
    assert not login.remove()
    with pytest.raises(UsageError, match="not logged in"):
        login.read()


def test_a_home_that_is_a_file_is_reported(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "file"))
    assert login.find() is None
    with pytest.raises(MachineError, match="cannot be written") as raised:
        login.save(LOGIN)
    assert "XDG_CONFIG_HOME" in raised.value.hint


def test_a_home_that_cannot_be_written_is_reported(monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", "/proc")  # not even root can write there
    assert login.find() is None
    with pytest.raises(MachineError, match="cannot be written: /proc/refstack-client") as raised:
        login.save(LOGIN)
    assert "XDG_CONFIG_HOME" in raised.value.hint
