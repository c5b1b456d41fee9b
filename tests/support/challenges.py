"""Challenges, and runs that answer them."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from refstack_client.bundle import ssh_public_key, ssh_signature
from refstack_client.files import write_bytes
from refstack_client.outcomes import challenge
from refstack_client.outcomes.challenge import SignedChallenge
from refstack_client.outcomes.run_directory import Run
from refstack_client.running import run_recorder
from support.making import BEGIN, make_run


def issued(
    key: Path,
    vendor: Path,
    *,
    at: datetime = BEGIN - timedelta(hours=1),
    days: int = 30,
    certifier: str = "Foundation",
) -> SignedChallenge:
    """Issue a challenge, by default an hour before the tests of a run."""
    fingerprint = ssh_public_key.read(vendor).fingerprint
    text = challenge.new(certifier, fingerprint, at, timedelta(days=days)).content
    return challenge.parse(text + ssh_signature.sign(text, key, challenge.NAMESPACE), "challenge")


def placed(answered: SignedChallenge, at: datetime = BEGIN, **changes: object) -> dict[str, object]:
    """Return what a run records of a challenge that it placed in the cloud."""
    request = {
        "method": "PUT",
        "url": f"http://192.0.2.7:8080/v1/AUTH_x/refstack-1a2b3c-{answered.mark}-challenge",
        "status": 201,
        "request_id": "tx01",
        "date": at.isoformat(),
    }
    cloud = {"auth_url": "https://keystone.example.org:5000/v3", "certificate_sha256": "ab" * 32}
    return {
        "sha256": answered.digest,
        "prefix": f"refstack-1a2b3c-{answered.mark}",
        "cloud": cloud,
        "requests": [request | changes],
    }


def answering(
    parent: Path,
    answered: SignedChallenge,
    *,
    record: Callable[[SignedChallenge, datetime], object] = placed,
    mark: str = "",
    started: datetime = BEGIN,
) -> Run:
    """Make a run that answers a challenge.

    :param mark: the mark in the names of the stream, if it is another
    """
    name = f"refstack-1a2b3c-{mark or answered.mark}-container-1"
    log = f"201 PUT http://192.0.2.7:8080/v1/AUTH_x/{name}"
    run = make_run(parent, started=started, pythonlogging=log)
    write_bytes(run.challenge_file, answered.file)
    run_recorder.keep_attempt(run, {"attempt": 1, "challenge": record(answered, started)})
    return run
