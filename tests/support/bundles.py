"""Bundles of runs, and keys to sign them."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

from refstack_client.bundle import archive, pack, ssh_signature
from refstack_client.outcomes import attestation
from refstack_client.outcomes.attestation import Attestation, Statement
from support.making import NAMES, STORAGE, make_run

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
    tmp_path: Path,
    key: Path | None = None,
    failing: int = 0,
    traceback: str = "E: no",
    attested: Mapping[str, bytes] | None = None,
) -> bytes:
    """Return a bundle of a run of the storage programme.

    :param attested: the members of its attestation
    """
    outcome = dict.fromkeys(NAMES[:failing], "fail")
    made = make_run(
        tmp_path / f"runs-{failing}", lambda name: outcome.get(name, "success"), traceback=traceback
    )
    members = pack.make(pack.of_run(made), anonymous=False, attested=attested)
    if key:
        members = pack.signed(members, key)
    return archive.pack(members)


def attestation_of(
    key: Path | None = None, by: str = "Alice Liddell", **answers: str
) -> dict[str, bytes]:
    """Return the members of an attestation; a section without an answer is attested with yes."""
    sections = {**dict.fromkeys(STORAGE.designated_sections, "yes"), **answers}
    document = Attestation(
        guideline=STORAGE.guideline.id,
        sha256=STORAGE.guideline.digest,
        programme=STORAGE.key,
        product="Hidden Cloud 1",
        by=by,
        date="2026-11-20",
        sections=tuple(Statement(name, answer) for name, answer in sections.items()),
    )
    members = {"attestation.json": document.content()}
    if key:
        signature = ssh_signature.sign(document.content(), key, attestation.NAMESPACE)
        members["attestation.json.sig"] = signature
    return members
