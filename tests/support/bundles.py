"""Bundles of runs, and keys to sign them."""

import subprocess
from pathlib import Path

from refstack_client.bundle import archive, pack, ssh_signature
from support.making import NAMES, make_run

NAMESPACE = "key@refstack-server"


def make_key(path: Path, kind: str = "ed25519") -> Path:
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-f", path], check=True)
    return path


def registered(server, who, key: Path) -> str:
    """Register a key; return its fingerprint."""
    challenge = server.call("GET", "/v2/keys/challenge", who).json()["challenge"]
    answer = server.call("POST", "/v2/keys", who, json=proof(key, challenge))
    assert answer.status_code == 201, answer.text
    return answer.json()["fingerprint"]


def proof(key: Path, challenge: str, namespace: str = NAMESPACE) -> dict[str, str]:
    signature = ssh_signature.sign(challenge.encode(), key, namespace).decode()
    public = key.with_suffix(".pub").read_text()
    return {"key": public, "challenge": challenge, "signature": signature}


def packed(
    tmp_path: Path, key: Path | None = None, failing: int = 0, traceback: str = "E: no"
) -> bytes:
    """Return a bundle of a run of the storage programme."""
    outcome = dict.fromkeys(NAMES[:failing], "fail")
    made = make_run(
        tmp_path / f"runs-{failing}", lambda name: outcome.get(name, "success"), traceback=traceback
    )
    members = pack.make(pack.of_run(made), anonymous=False, attested={})
    if key:
        members = pack.signed(members, key)
    return archive.pack(members)
