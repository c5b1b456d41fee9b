"""A server for tests, and its users with keys."""

import contextlib
import json
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt
import requests
from cryptography.hazmat.primitives.asymmetric import rsa

from refstack_client.upload import rsa_key
from refstack_server.settings import DATABASE
from refstack_server.store import database
from refstack_server.store import users as stored_users
from refstack_server.store.users import NewUser
from support.certifying import CLIENT

SECONDS_TO_START = 30


@dataclass(frozen=True)
class Person:
    """A user with a key."""

    openid: str
    key: rsa.RSAPrivateKey

    @property
    def token(self) -> dict[str, str]:
        expires = datetime.now(UTC) + timedelta(minutes=5)
        claims = {"user_openid": self.openid, "exp": expires}
        return {"Authorization": f"Bearer {jwt.encode(claims, self.key, algorithm='RS256')}"}

    def signed(self, body: bytes) -> dict[str, str]:
        return {
            "X-Signature": rsa_key.sign(self.key, body),
            "X-Public-Key": rsa_key.public_line(self.key),
        }


def person(name: str) -> Person:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return Person(f"https://id.example.org/{name}", key)


@dataclass(frozen=True)
class Server:
    """A running server and its data directory."""

    url: str
    data: Path
    process: subprocess.Popen

    def call(self, method: str, path: str, who: Person | None = None, **more) -> requests.Response:
        headers = {**(who.token if who else {}), **more.pop("headers", {})}
        return requests.request(method, f"{self.url}{path}", headers=headers, timeout=60, **more)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def upload(self, names: Sequence[str], who: Person | None = None, cpid: str = "cloud") -> str:
        """Upload passes; return the id of the result."""
        body = json.dumps(
            {
                "cpid": cpid,
                "duration_seconds": 10,
                "results": [{"name": name} for name in names],
            }
        ).encode()
        headers = who.signed(body) if who else {}
        answer = self.call("POST", "/v1/results", data=body, headers=headers)
        assert answer.status_code == 201, answer.text
        return answer.json()["test_id"]


def add_user(data: Path, who: Person, url: str = "", *, is_foundation: bool = False) -> None:
    """Add a user as ``server user add`` does."""
    data.mkdir(exist_ok=True, mode=0o700)
    engine = database.connect(url or f"sqlite:///{data / DATABASE}")
    database.upgrade(engine)
    stored_users.add(engine, NewUser(who.openid, key=rsa_key.public_line(who.key)))
    if is_foundation:
        stored_users.add_to_foundation(engine, who.openid)
    engine.dispose()


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@contextlib.contextmanager
def serving(data: Path, *options: str) -> Iterator[Server]:
    """Run a server."""
    port = free_port()
    command = [CLIENT, "server", "--data", data, "--port", str(port), *options]
    log = data.parent / f"{data.name}.log"
    with log.open("ab") as errors, subprocess.Popen(command, stderr=errors) as process:
        try:
            server = Server(f"http://127.0.0.1:{port}", data, process)
            _wait(server, log)
            yield server
        finally:
            if process.poll() is None:  # The test did not kill it.
                process.terminate()
                assert process.wait(SECONDS_TO_START) == 0, log.read_text()


def _wait(server: Server, log: Path) -> None:
    until = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < until and server.process.poll() is None:
        with contextlib.suppress(requests.ConnectionError):
            requests.get(f"{server.url}/v1/guidelines", timeout=5)
            return
        time.sleep(0.05)
    raise AssertionError(f"the server did not start: {log.read_text()}")
