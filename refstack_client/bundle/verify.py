"""Verify a bundle: named checks, and the verdict computed again from the stream."""

import functools
import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from capabilities.errors import GuidelineError
from capabilities.guideline import Guideline
from refstack_client.bundle import (
    archive,
    consistency,
    contents,
    fitness,
    freshness,
    ssh_signature,
)
from refstack_client.bundle import policy as policies
from refstack_client.bundle.checks import (
    OTHER_SHAPE,
    Check,
    CheckFailedError,
    Checks,
    Question,
    State,
    UnknownError,
    results,
)
from refstack_client.bundle.contents import Bundle
from refstack_client.bundle.freshness import Certifiers
from refstack_client.bundle.manifest import FORMAT, OF_RUN, UNOFFICIAL
from refstack_client.bundle.policy import Policy
from refstack_client.errors import ClientError
from refstack_client.outcomes import attestation
from refstack_client.outcomes.attestation import Attestation
from refstack_client.outcomes.challenge import SignedChallenge
from scoring.conformance.outcomes import Outcomes
from scoring.conformance.verdict import Verdict


@dataclass(frozen=True)
class Trust:
    """What a certifier trusts and allows.

    :param signers: a file of allowed signers, as ssh-keygen(1) describes it
    :param any_signer: accept a bundle that is unsigned, or signed by any key
    :param guideline: a guideline that is not shipped with this release
    :param policy: what is required beside the verdict
    :param challenge: the challenge that the run must answer
    :param certifiers: a file of allowed signers of challenges; None for ``signers``
    """

    signers: Path | None = None
    any_signer: bool = False
    guideline: Guideline | None = None
    policy: Policy = field(default_factory=Policy)
    challenge: SignedChallenge | None = None
    certifiers: Path | None = None

    @property
    def of_challenges(self) -> Certifiers:
        """Return whose challenges are accepted."""
        required = self.policy.challenge or self.challenge is not None
        return Certifiers(self.certifiers or self.signers, self.challenge, required)


@dataclass(frozen=True)
class Verification:
    """All checks; ``outcomes`` and ``verdict`` follow from the stream, None where that failed.

    ``attested`` is the attestation, None without one and where a check failed.
    """

    checks: tuple[Check, ...]
    verdict: Verdict | None = None
    outcomes: Outcomes | None = None
    attested: Attestation | None = None

    @property
    def is_valid(self) -> bool:
        """Return whether no check failed."""
        return all(check.passed for check in self.checks)

    def state_of(self, question: Question) -> State:
        """Return the answer to a question: that of its worst check."""
        states = {check.state for check in self.checks if check.question is question}
        for state in (State.FAIL, State.UNKNOWN, State.PASS):
            if state in states:
                return state
        return State.UNKNOWN


def verify(
    path: Path,
    signers: Path | None = None,
    *,
    any_signer: bool = False,
    guideline: Guideline | None = None,
    policy: Policy | None = None,
    challenge: SignedChallenge | None = None,
) -> Verification:
    """Verify a bundle offline. If a basic check fails, no later one is made.

    The parameters are those of :class:`Trust`.
    """
    return verify_file(path, Trust(signers, any_signer, guideline, policy or Policy(), challenge))


def verify_file(path: Path, trust: Trust) -> Verification:
    """As :func:`verify`."""
    try:
        bundle = Bundle.read(path)
    except archive.ArchiveError as error:
        check = Check(Question.INTACT, "archive", State.FAIL, str(error))
        return Verification((check,))
    return verify_bundle(bundle, trust)


def verify_bundle(bundle: Bundle, trust: Trust) -> Verification:
    """As :func:`verify`, for an unpacked bundle."""
    found = f"{len(bundle.members)} members, exactly as they were packed"
    checks = [Check(Question.INTACT, "archive", State.PASS, found)]
    signature = functools.partial(_signature, trust=trust)
    basic: Checks = {"manifest": _manifest, "hashes": _hashes, "signature": signature}
    checks += results(bundle, Question.INTACT, basic)
    if not all(check.passed for check in checks if check.name != "signature"):
        return Verification(tuple(checks))
    read = "attempts"
    try:
        _ = bundle.attempts
        read = "stream"
        outcomes, verdict = bundle.outcomes, bundle.verdict
        if trust.policy.max_retries is not None:
            verdict = bundle.judge(trust.policy.max_retries)
    except (ClientError, GuidelineError, *OTHER_SHAPE) as error:
        found = f"cannot be read: {error}"
        checks.append(Check(Question.CONSISTENT, read, State.FAIL, found))
        return Verification(tuple(checks))
    consistent = dict(consistency.CHECKS)
    if bundle.has(contents.SBOM):
        consistent.update(consistency.OF_IMAGE)
    if bundle.has(contents.ATTESTATION):
        consistent["attestation"] = functools.partial(_attestation, signers=trust.signers)
    checks += results(bundle, Question.CONSISTENT, consistent)
    checks += results(bundle, Question.GENUINE, fitness.GENUINE)
    fit = {
        **fitness.checks(trust.guideline, trust.policy.max_retries),
        **policies.checks(trust.policy),
    }
    placed = any(record.has("challenge") for record in bundle.records)
    if bundle.has(contents.CHALLENGE) or placed or trust.of_challenges.required:
        fit["challenge"] = functools.partial(freshness.check, certifiers=trust.of_challenges)
    checks += results(bundle, Question.FIT, fit)
    checks = [policies.strict(check, trust.policy) for check in checks]
    attested = bundle.attestation if all(check.passed for check in checks) else None
    return Verification(tuple(checks), verdict, outcomes, attested)


def _manifest(bundle: Bundle) -> str:
    manifest = bundle.manifest
    needed = {*contents.ALWAYS, *(contents.FROM_RUN if manifest.source == OF_RUN else ())}
    listed = manifest.members.keys()
    absent = sorted(needed - listed)
    if absent or len(set(contents.GUIDELINES) & listed) != 1:
        raise CheckFailedError(f"it does not list {', '.join(absent) or 'one guideline'}")
    unknown = sorted(listed - contents.KNOWN)
    if unknown:
        raise CheckFailedError(f"it lists {', '.join(unknown)}, which a bundle never has")
    if manifest.label != UNOFFICIAL:
        raise CheckFailedError(f'its label is not "{UNOFFICIAL}"')
    return f"format {FORMAT}, {manifest.label}"


def _hashes(bundle: Bundle) -> str:
    listed = bundle.manifest.members
    present = bundle.members.keys() - {contents.MANIFEST, contents.SIGNATURE}
    for name in sorted(present ^ listed.keys()):
        state = "listed, but missing" if name in listed else "not listed"
        raise CheckFailedError(f"{name} is {state}")
    for name, expected in sorted(listed.items()):
        content = bundle.members[name]
        if hashlib.sha256(content).hexdigest() != expected.sha256:
            raise CheckFailedError(f"{name} has another SHA-256 than the manifest lists")
        if len(content) != expected.size:
            raise CheckFailedError(f"{name} has another size than the manifest lists")
    return f"{len(listed)} members are those the manifest lists"


def _signature(bundle: Bundle, trust: Trust) -> str:
    if not bundle.has(contents.SIGNATURE):
        if trust.any_signer:
            raise UnknownError("not signed")
        raise CheckFailedError("not signed (--any-signer accepts that)")
    manifest, signature = (bundle.member(name) for name in (contents.MANIFEST, contents.SIGNATURE))
    ssh_signature.check_form(signature)
    if trust.signers:
        signer = ssh_signature.verify(manifest, signature, trust.signers, contents.NAMESPACE)
        return f"by {signer.identity}, {signer.key}"
    key = bundle.signer.key if bundle.signer else ""
    if trust.any_signer:
        raise UnknownError(f"by {key}, whose owner was not checked")
    raise CheckFailedError(
        f"by {key}: give the keys you trust with --signers, or accept any with --any-signer"
    )


def _attestation(bundle: Bundle, signers: Path | None) -> str:
    attested = bundle.attestation
    if attested is None:
        raise CheckFailedError(f"the bundle has no {contents.ATTESTATION}")
    attestation.check_of(attested, bundle.guideline, bundle.manifest.programme)
    if not bundle.has(contents.ATTESTATION_SIGNATURE):
        return f"by {attested.by}, without a signature of its own"
    content, signature = (
        bundle.member(name) for name in (contents.ATTESTATION, contents.ATTESTATION_SIGNATURE)
    )
    ssh_signature.check_form(signature)
    if signers:
        signer = ssh_signature.verify(content, signature, signers, attestation.NAMESPACE)
    else:
        signer = ssh_signature.check(content, signature, attestation.NAMESPACE)
    return f"by {attested.by}, signed by {signer.identity or signer.key}"
