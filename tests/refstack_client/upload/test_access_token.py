"""Tokens: valid for the library that a collector checks them with, for every type of key."""

import io
import socket
import subprocess
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import load_ssh_public_key
from support.bundles import make_key

from refstack_client.errors import InputError, MachineError
from refstack_client.upload import access_token, ssh_agent
from refstack_client.upload.login import Login

URL, USER = "https://refstack.example.org", "https://id.example.org/alice"
TYPES = {
    "ed25519": ("EdDSA", ("-t", "ed25519")),
    "rsa": ("RS256", ("-t", "rsa", "-b", "2048")),
    "pem": ("RS256", ("-t", "rsa", "-b", "2048", "-m", "PEM")),
    "pkcs8": ("ES256", ("-t", "ecdsa", "-b", "256", "-m", "PKCS8")),
    "p256": ("ES256", ("-t", "ecdsa", "-b", "256")),
    "p384": ("ES384", ("-t", "ecdsa", "-b", "384")),
    "p521": ("ES512", ("-t", "ecdsa", "-b", "521")),
}


def make(path: Path, options: tuple[str, ...]) -> Path:
    subprocess.run(["ssh-keygen", "-q", *options, "-N", "", "-f", path], check=True)
    return path


def verified(token: str, public: Path, algorithm: str) -> dict:
    key = load_ssh_public_key(public.read_bytes())
    return jwt.decode(token, key, algorithms=[algorithm], audience=URL)


@pytest.mark.parametrize("kind", TYPES)
def test_a_token_is_valid_for_its_server_for_minutes(tmp_path, kind):
    algorithm, options = TYPES[kind]
    key = make(tmp_path / "key", options)
    now = datetime.now(UTC)
    authorize = access_token.authorization(Login(URL, USER, key))
    for _ in range(20):  # numbers of ECDSA signatures differ in size
        token = authorize()["Authorization"].removeprefix("Bearer ")
        claims = verified(token, tmp_path / "key.pub", algorithm)
    assert claims.keys() == {"user_openid", "aud", "exp"}
    assert claims["user_openid"] == USER
    assert timedelta(0) < datetime.fromtimestamp(claims["exp"], UTC) - now < timedelta(minutes=6)


def test_each_request_has_a_new_token(tmp_path):
    key = access_token.open_key(make_key(tmp_path / "key"))
    login = Login(URL, USER, tmp_path / "key")
    at = datetime(2026, 1, 1, tzinfo=UTC)
    later = access_token.make(key, login, at + timedelta(minutes=1))
    assert later != access_token.make(key, login, at)


def test_the_agent_signs_with_every_type(tmp_path, monkeypatch):
    place = Path(f"/tmp/agent-{id(tmp_path)}")  # the path of a socket must be short
    command = ["ssh-agent", "-D", "-a", place]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as agent:
        try:
            monkeypatch.setenv("SSH_AUTH_SOCK", str(place))
            while not place.exists():
                assert agent.poll() is None
            for name, (algorithm, options) in TYPES.items():
                key = make(tmp_path / name, options)
                subprocess.run(["ssh-add", "-q", key], check=True)
                key.unlink()
                public = tmp_path / f"{name}.pub"
                login = Login(URL, USER, public)
                for _ in range(20):
                    header = access_token.authorization(login)()["Authorization"]
                    verified(header.removeprefix("Bearer "), public, algorithm)
        finally:
            agent.terminate()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"x",
        b"ssh-ed25519 AAAA",
        b"ssh-ed25519 \xff",
        b"sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAIA==",
        b"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n",
        b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
    ],
)
@pytest.mark.parametrize("name", ["key", "key.pub"])
def test_what_is_not_a_key_is_refused(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError) as raised:
        access_token.open_key(path)
    assert str(path) in str(raised.value)
    assert raised.value.hint


def test_an_encrypted_key_without_a_terminal_is_refused(tmp_path, monkeypatch):
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "secret", "-f", tmp_path / "key"], check=True
    )
    monkeypatch.setattr("sys.stdin", io.StringIO())
    with pytest.raises(InputError, match="is encrypted, and there is no terminal"):
        access_token.open_key(tmp_path / "key")


def test_the_passphrase_of_a_key_is_asked_for(tmp_path, monkeypatch):
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "secret", "-f", tmp_path / "key"], check=True
    )
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("getpass.getpass", lambda prompt: "secret")
    assert access_token.open_key(tmp_path / "key").algorithm == "EdDSA"
    for entered in ("wrong", EOFError()):
        monkeypatch.setattr("getpass.getpass", entering(entered))
        with pytest.raises(InputError, match="cannot be opened with this passphrase"):
            access_token.open_key(tmp_path / "key")


def entering(entered: str | Exception):
    def getpass(prompt: str) -> str:
        if isinstance(entered, Exception):
            raise entered
        return entered

    return getpass


def answer(*strings: bytes) -> bytes:
    """Return what an agent sends for a signature."""
    parts = b"".join(len(text).to_bytes(4, "big") + text for text in strings)
    body = bytes([14]) + len(parts).to_bytes(4, "big") + parts
    return len(body).to_bytes(4, "big") + body


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"\0\0\0\x01",
        b"\xff\xff\xff\xff" + bytes(100),
        answer(b"ssh-rsa", b"SHA-1 signature"),
        answer(b"ecdsa-sha2-nistp256"),
        answer(b"ecdsa-sha2-nistp256", b"\0\0\0\x09short"),
        answer(b"ecdsa-sha2-nistp256", (b"\0\0\0\x28" + b"\xff" * 40) * 2),
    ],
)
def test_an_agent_that_answers_something_else(tmp_path, monkeypatch, sent):
    make_key(tmp_path / "key", "ecdsa")
    place = f"/tmp/agent-{id(tmp_path)}"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(place)
        listening.listen()

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(1 << 16)
                connection.sendall(sent)

        threading.Thread(target=serve, daemon=True).start()
        monkeypatch.setenv("SSH_AUTH_SOCK", place)
        key = ssh_agent.find(tmp_path / "key.pub")
        try:
            with pytest.raises((MachineError, InputError)) as raised:
                key.sign(b"content")
        finally:
            Path(place).unlink()
    assert raised.value.hint
