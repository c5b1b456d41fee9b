"""Whether a run answers the challenge of a certifier: the tests ran after it was issued."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

from refstack_client.bundle import contents, ssh_signature
from refstack_client.bundle.checks import CheckFailedError, UnknownError
from refstack_client.bundle.contents import Bundle
from refstack_client.bundle.ssh_signature import Signer
from refstack_client.outcomes.challenge import (
    CLOCKS_DIFFER,
    NAMESPACE,
    Challenge,
    SignedChallenge,
)
from refstack_client.outcomes.json_value import JsonValue

_MARKED = re.compile(rb"refstack-[0-9a-f]{6}-(c[0-9a-f]{10})-")
"""The start of a name that a run with a challenge gives, and its mark."""


@dataclass(frozen=True)
class Certifiers:
    """Whose challenges are accepted.

    :param signers: a file of allowed signers; None to accept any key
    :param any_signer: accept a key that is not in the file
    :param issued: the very challenge that must be answered; None for any
    """

    signers: Path | None = None
    any_signer: bool = False
    issued: SignedChallenge | None = None


def check(bundle: Bundle, certifiers: Certifiers) -> str:
    """Compare a bundle with the challenge that its run answers."""
    signed = bundle.challenge
    if signed is None:
        raise CheckFailedError("the bundle answers no challenge")
    if certifiers.issued and certifiers.issued.content != signed.content:
        raise CheckFailedError(
            f"the bundle answers another challenge: {_named(signed)}, not "
            f"{_named(certifiers.issued)}"
        )
    signer = _signer(signed, certifiers)
    _check_owner(bundle, signed.challenge, signer)
    _check_placed(bundle, signed)
    _check_times(bundle, signed.challenge)
    names = _check_names(bundle, signed)
    found = (
        f"run after {signed.challenge.issued}, for {signed.challenge.certifier}; the stream has "
        f"{names} names of this challenge"
    )
    if signer.identity or certifiers.issued:
        return f"{found}; signed by {signer.identity or signer.key}"
    raise UnknownError(f"{found}; signed by {signer.key}, whose owner was not checked")


def _named(signed: SignedChallenge) -> str:
    challenge = signed.challenge
    return f"{challenge.nonce} of {challenge.certifier}, issued at {challenge.issued}"


def _signer(signed: SignedChallenge, certifiers: Certifiers) -> Signer:
    """Return who signed the challenge.

    :raises SignatureError: the signature is not valid, or its key is not trusted
    """
    if certifiers.signers:
        try:
            return ssh_signature.verify(
                signed.content, signed.signature, certifiers.signers, NAMESPACE
            )
        except ssh_signature.SignatureError:
            if not certifiers.any_signer:
                raise
    return ssh_signature.check(signed.content, signed.signature, NAMESPACE)


def _check_owner(bundle: Bundle, challenge: Challenge, certifier: Signer) -> None:
    """Check that the bundle is signed with the key that the challenge was issued for.

    A vendor who could sign the challenge, too, could have issued it at any time.
    """
    if not bundle.has(contents.SIGNATURE):
        raise CheckFailedError(
            f"the challenge was issued for the key {challenge.key}, and the bundle is not signed"
        )
    vendor = ssh_signature.check(
        bundle.member(contents.MANIFEST), bundle.member(contents.SIGNATURE), contents.NAMESPACE
    )
    if vendor.fingerprint != challenge.key:
        raise CheckFailedError(
            f"the challenge was issued for the key {challenge.key}, and the bundle is signed with "
            f"{vendor.fingerprint}"
        )
    if vendor.fingerprint == certifier.fingerprint:
        raise CheckFailedError("the challenge is signed with the same key as the bundle")


def _check_placed(bundle: Bundle, signed: SignedChallenge) -> None:
    """Check that each start that ran tests placed the challenge in the cloud."""
    ran = [record for record in bundle.records if record.optional("asked", JsonValue.number, 0)]
    for record in ran:
        placed = record.optional("challenge", _identity, None)
        if placed is None or placed.member("sha256").text() != signed.digest:
            raise CheckFailedError(
                f"start {record.member('attempt').number()} of the run did not place this challenge"
            )
        if not any(request.member("status").number() < 300 for request in _requests(placed)):
            raise CheckFailedError("no service accepted a request with the challenge")


def _identity(value: JsonValue) -> JsonValue:
    return value


def _requests(placed: JsonValue) -> Iterator[JsonValue]:
    return placed.member("requests").items()


def _check_times(bundle: Bundle, challenge: Challenge) -> None:
    """Check that all happened while the challenge was valid, by the clocks of client and cloud."""
    times = [("a test", bundle.outcomes.began), ("a test", bundle.outcomes.ended)]
    for record in bundle.records:
        times.append(("the run", datetime.fromisoformat(record.member("started").text())))
        if placed := record.optional("challenge", _identity, None):
            dates = (request.member("date").text() for request in _requests(placed))
            times += [("a service", parsedate_to_datetime(date)) for date in dates if date]
    for what, time in times:
        if time and time < challenge.issued - CLOCKS_DIFFER:
            raise CheckFailedError(
                f"{what} has the time {time}, before the challenge was issued at {challenge.issued}"
            )
        if time and time > challenge.expires + CLOCKS_DIFFER:
            raise CheckFailedError(
                f"{what} has the time {time}, after the challenge expired at {challenge.expires}"
            )


def _check_names(bundle: Bundle, signed: SignedChallenge) -> int:
    """Return how many names in the stream have the mark of the challenge."""
    found = [match[1].decode() for match in _MARKED.finditer(bundle.member(contents.STREAM))]
    if others := sorted(set(found) - {signed.mark}):
        raise CheckFailedError(
            f"the stream answers another challenge: it has names with the mark {others[0]}, not "
            f"{signed.mark}"
        )
    if not found:
        raise CheckFailedError(
            f"no test of the stream used a name with the mark of the challenge, {signed.mark}"
        )
    return len(found)
