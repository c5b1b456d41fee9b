"""Whether a run answers the challenge of a certifier: the tests ran after it was issued."""

import contextlib
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from pathlib import Path

from refstack_client.bundle import contents, ssh_signature
from refstack_client.bundle.checks import CheckFailedError, UnknownError
from refstack_client.bundle.contents import Bundle
from refstack_client.bundle.ssh_signature import Signer
from refstack_client.outcomes import stream_tools
from refstack_client.outcomes.challenge import (
    CLOCKS_DIFFER,
    NAMESPACE,
    Challenge,
    SignedChallenge,
)
from refstack_client.outcomes.json_value import JsonValue
from refstack_client.outcomes.run_attempts import CUT_OFF
from scoring.conformance.outcomes import Outcome

_NAME = re.compile(rb"(?i)(refstack-[0-9a-f]{6}(?:(?:-|%2d)c[0-9a-f]{10})?+)(?![0-9a-z])")
"""The start of a name that a run gives, whose second part is the mark of a challenge."""
_PARTS = 3
"""Of so many tests that passed, one must have used a name: 93 % do of storage, 74 % of platform."""


@dataclass(frozen=True)
class Certifiers:
    """Whose challenges are accepted.

    :param signers: a file of allowed signers; None knows no key
    :param issued: the very challenge that must be answered; None for any
    :param required: whether a challenge of a known key must be answered
    """

    signers: Path | None = None
    issued: SignedChallenge | None = None
    required: bool = False


def check(bundle: Bundle, certifiers: Certifiers) -> str:
    """Compare a bundle with the challenge that its run answers."""
    signed = bundle.challenge
    if signed is None:
        raise CheckFailedError(f"the bundle answers no challenge: it has no {contents.CHALLENGE}")
    if certifiers.issued and certifiers.issued.challenge != signed.challenge:
        raise CheckFailedError(
            f"the bundle answers another challenge: {_named(signed)}, not "
            f"{_named(certifiers.issued)}"
        )
    signer = ssh_signature.check(signed.content, signed.signature, NAMESPACE)
    _check_owner(bundle, signed.challenge, signer)
    _check_placed(bundle, signed)
    _check_times(bundle, signed.challenge)
    passed, used = _check_names(bundle, signed)
    found = (
        f"run after {signed.challenge.issued}, for {signed.challenge.certifier}; {used} of "
        f"{passed} tests that passed used names with its mark"
    )
    if identity := _identity(signed, signer, certifiers):
        return f"{found}; signed by {identity}"
    unknown = f"the key that signed the challenge is not known: {signer.key}"
    if certifiers.required:
        raise CheckFailedError(unknown)
    raise UnknownError(f"{found}; {unknown}")


def _named(signed: SignedChallenge) -> str:
    challenge = signed.challenge
    return f"{challenge.nonce} of {challenge.certifier}, issued at {challenge.issued}"


def _identity(signed: SignedChallenge, signer: Signer, certifiers: Certifiers) -> str:
    """Return who signed a challenge, "" if that is not known."""
    if certifiers.signers:
        with contextlib.suppress(ssh_signature.SignatureError):
            return ssh_signature.verify(
                signed.content, signed.signature, certifiers.signers, NAMESPACE
            ).identity
    if certifiers.issued:
        issued = certifiers.issued
        own = ssh_signature.check(issued.content, issued.signature, NAMESPACE)
        if own.fingerprint == signer.fingerprint:
            return f"{own.key}, as the challenge that was issued"
    return ""


def _check_owner(bundle: Bundle, challenge: Challenge, certifier: Signer) -> None:
    """Check that the bundle is signed with the key that the challenge was issued for.

    A vendor who could sign the challenge, too, could have issued it at any time.
    """
    vendor = bundle.signer
    if vendor is None:
        raise CheckFailedError(
            f"the challenge was issued for the key {challenge.key}, and the bundle is not signed"
        )
    if vendor.fingerprint != challenge.key:
        raise CheckFailedError(
            f"the challenge was issued for the key {challenge.key}, and the bundle is signed with "
            f"{vendor.fingerprint}"
        )
    if vendor.fingerprint == certifier.fingerprint:
        raise CheckFailedError("the challenge is signed with the same key as the bundle")


def _check_placed(bundle: Bundle, signed: SignedChallenge) -> None:
    """Check that each start that ran tests placed the challenge in the cloud, and no other."""
    ran = [record for record in bundle.records if record.optional("asked", JsonValue.number, 0)]
    if not ran:
        raise CheckFailedError("the bundle records no start of a run that ran tests")
    for record in bundle.records:
        number = record.member("attempt").natural()
        placed = _placed(record)
        if placed is None and record not in ran:
            continue
        if placed is None or placed.member("sha256").text() != signed.digest:
            raise CheckFailedError(f"start {number} of the run did not place this challenge")
        if not any(map(_is_accepted, _requests(placed))):
            raise CheckFailedError(
                f"start {number} of the run records no request with the challenge that a service "
                "accepted, and under which id"
            )
        _check_cloud(bundle, placed)


def _placed(record: JsonValue) -> JsonValue | None:
    """Return what a start of the run recorded when it placed a challenge, None if it did not."""
    return record.member("challenge") if record.has("challenge") else None


def _requests(placed: JsonValue) -> Iterator[JsonValue]:
    return placed.member("requests").items()


def _is_accepted(request: JsonValue) -> bool:
    """Return whether a service created something by a request, and logged it under an id."""
    status = request.member("status").number()
    return (
        request.member("method").text() in ("POST", "PUT")
        and HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES
        and bool(request.member("request_id").text())
    )


def _check_cloud(bundle: Bundle, placed: JsonValue) -> None:
    """Check that the challenge was placed in the cloud of the plan; an anonymous one is unknown."""
    if bundle.manifest.anonymous or not bundle.plan or not bundle.plan.basis.cloud:
        return
    planned = bundle.plan.basis.cloud.auth_url
    if (found := placed.member("cloud").member("auth_url").text()) != planned:
        raise CheckFailedError(f"the challenge was placed in {found}, the tests ran in {planned}")


def _check_times(bundle: Bundle, challenge: Challenge) -> None:
    """Check that all happened while the challenge was valid, by the clocks of client and cloud."""
    outcomes = bundle.outcomes
    if any(attempt.seconds is None for attempt in outcomes.attempts):
        raise CheckFailedError("not every test of the stream has a time")
    times = [("a test", outcomes.began), ("a test", outcomes.ended)]
    for record in bundle.records:
        started = datetime.fromisoformat(record.member("started").text())
        ended = record.optional("ended", JsonValue.text, CUT_OFF)
        last = started if ended == CUT_OFF else datetime.fromisoformat(ended)
        times += [("the run", started), ("the run", last)]
        if placed := _placed(record):
            dates = (request.member("date").text() for request in _requests(placed))
            answered = [datetime.fromisoformat(date) for date in dates if date]
            times += [("a service", time) for time in answered]
            if any(time < started - CLOCKS_DIFFER for time in answered):
                raise CheckFailedError("a service accepted the challenge before the run started")
            if ended != CUT_OFF and any(time > last + CLOCKS_DIFFER for time in answered):
                raise CheckFailedError("a service accepted the challenge after the run had ended")
    for what, time in times:
        if time and time < challenge.issued - CLOCKS_DIFFER:
            raise CheckFailedError(
                f"{what} has the time {time}, before the challenge was issued at {challenge.issued}"
            )
        if time and time > challenge.expires + CLOCKS_DIFFER:
            raise CheckFailedError(
                f"{what} has the time {time}, after the challenge expired at {challenge.expires}"
            )


def _check_names(bundle: Bundle, signed: SignedChallenge) -> tuple[int, int]:
    """Check the names that the run gave: each test uses its own, besides those that it finds.

    :returns: how many tests passed, and how many of them used a name of the run
    """
    own = frozenset(_prefixes(bundle, signed))
    for name in (contents.ATTEMPTS, contents.CONF):
        if others := _names(bundle.members.get(name, b"")) - own:
            raise CheckFailedError(f"{name} has names of another run: {_first(others)}-…")
    used, passed = 0, 0
    for text, outcome in stream_tools.texts(io.BytesIO(bundle.member(contents.STREAM))):
        names = _names(text)
        if names and names.isdisjoint(own):
            raise CheckFailedError(
                "the stream answers another challenge, or none: a test used names as "
                f"{_first(names)}-…, and none as {_first(own)}-…"
            )
        passed += outcome is Outcome.PASS
        used += outcome is Outcome.PASS and bool(names)
    if used * _PARTS < passed or not used:
        raise CheckFailedError(
            f"{used} of {passed} tests that passed used names with the mark {signed.mark}; at "
            f"least one in {_PARTS} must"
        )
    return passed, used


def _prefixes(bundle: Bundle, signed: SignedChallenge) -> Iterator[bytes]:
    """Yield the start of the names of each run in the bundle."""
    for record in bundle.records:
        if placed := _placed(record):
            prefix = placed.member("prefix").text().encode()
            if _names(prefix) != {prefix} or not prefix.endswith(signed.mark.encode()):
                raise CheckFailedError("names of the run do not have the mark of the challenge")
            yield prefix


def _names(text: bytes) -> set[bytes]:
    """Return the different starts of names of runs in a text."""
    return {match[1] for match in _NAME.finditer(text)}


def _first(names: Iterable[bytes]) -> str:
    return min(names).decode()
