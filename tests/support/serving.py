"""A server for tests, and its users with keys."""

import base64
import contextlib
import itertools
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
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
from refstack_server.store.schema import new_id
from refstack_server.store.users import NewUser
from support.certifying import CLIENT

SECONDS_TO_START = 30
_DIFFERENT = itertools.count(1)
"""The same body twice is the same result."""
LIMITED = Path(__file__).with_name("limited_server.py")


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

    def log_line(self, text: str) -> str:
        """Wait for the line of the log with a text; it is written after the answer was sent."""
        log = self.data.parent / f"{self.data.name}.log"
        until = time.monotonic() + SECONDS_TO_START
        while time.monotonic() < until:
            lines = [line for line in log.read_text().splitlines() if text in line]
            if lines:
                return lines[-1]
            time.sleep(0.05)
        raise AssertionError(f"the log has no line with {text}")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def upload(self, names: Sequence[str], who: Person | None = None, cpid: str = "cloud") -> str:
        """Upload passes; return the id of the result."""
        body = json.dumps(
            {
                "cpid": cpid,
                "duration_seconds": next(_DIFFERENT),
                "results": [{"name": name} for name in names],
            }
        ).encode()
        headers = who.signed(body) if who else {}
        answer = self.call("POST", "/v1/results", data=body, headers=headers)
        assert answer.status_code == 201, answer.text
        return answer.json()["test_id"]


def vendor_of(server: Server, who: Person, name: str = "") -> str:
    """Add a vendor with a name of its own; return its id."""
    answer = server.call("POST", "/v1/vendors", who, json={"name": name or f"Vendor {new_id()}"})
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def official_vendor_of(server: Server, who: Person, foundation: Person, name: str = "") -> str:
    """Add a vendor, which the Foundation approves; return its id."""
    vendor_id = vendor_of(server, who, name)
    for caller, step in ((who, "register"), (foundation, "approve")):
        answer = server.call("POST", f"/v1/vendors/{vendor_id}/action", caller, json={step: True})
        assert answer.status_code == 200, answer.text
    return vendor_id


def product_of(server: Server, who: Person, vendor_id: str | None = None, **more) -> str:
    """Add a product; return its id."""
    document = {"name": "Product", "product_type": 1, **more}
    if vendor_id:
        document["organization_id"] = vendor_id
    answer = server.call("POST", "/v1/products", who, json=document)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def user_path(vendor_id: str, who: Person) -> str:
    """Return the path of a user of a vendor in RefStack v1's API."""
    encoded = base64.b64encode(who.openid.encode()).decode()
    return f"/v1/vendors/{vendor_id}/users/{encoded}"


def join(server: Server, vendor_id: str, inviting: Person, who: Person) -> None:
    """Let a user of a vendor invite another one, who accepts."""
    assert server.call("PUT", user_path(vendor_id, who), inviting).status_code == 204
    assert server.call("PUT", f"/v2/invitations/{vendor_id}", who).status_code == 204


def add_user(data: Path, who: Person, url: str = "", *, is_foundation: bool = False) -> None:
    """Add a user as ``server user add`` does."""
    data.mkdir(exist_ok=True, mode=0o700)
    engine = database.connect(url or f"sqlite:///{data / DATABASE}")
    database.upgrade(engine)
    name = who.openid.rpartition("/")[2]
    key = rsa_key.public_line(who.key)
    stored_users.add(engine, NewUser(who.openid, f"{name}@example.org", name.title(), key))
    if is_foundation:
        stored_users.add_to_foundation(engine, who.openid)
    engine.dispose()


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@contextlib.contextmanager
def serving(
    data: Path, *options: str, limits: Mapping[str, float] | None = None
) -> Iterator[Server]:
    """Run a server, with other limits than its own if ``limits`` has them."""
    port = free_port()
    program = [sys.executable, LIMITED, json.dumps(limits)] if limits else [CLIENT]
    command = [*program, "server", "--data", data, "--port", str(port), *options]
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
