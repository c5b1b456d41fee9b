"""In-toto statements about a bundle: what the tests gave, and what its verification gave.

https://github.com/in-toto/attestation describes the statement and the predicate *test result*,
https://slsa.dev/verification_summary/v1 the predicate *verification summary*.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from importlib import metadata
from urllib.parse import quote

from google.protobuf import json_format
from in_toto_attestation.v1.resource_descriptor import ResourceDescriptor
from in_toto_attestation.v1.statement import Statement

from capabilities.guideline import Status
from refstack_client.bundle import contents
from refstack_client.bundle.checks import Question, State
from refstack_client.bundle.contents import Bundle
from refstack_client.bundle.verify import Verification
from scoring.conformance.outcomes import Outcome
from scoring.conformance.verdict import Conformance, TestVerdict, Verdict

TEST_RESULT = "https://in-toto.io/attestation/test-result/v0.1"
VERIFICATION_SUMMARY = "https://slsa.dev/verification_summary/v1"
PASSED, FAILED = "PASSED", "FAILED"
_CONFIGURATION = (*contents.GUIDELINES, contents.PLAN, contents.TESTS, contents.CONF)
"""Members of a bundle that decide which tests run, and how."""


@dataclass(frozen=True)
class Subject:
    """The file that a statement is about.

    :param name: of the file, without its directory
    """

    name: str
    content: bytes

    @property
    def sha256(self) -> str:
        """Return the SHA-256 of the content, in hexadecimal digits."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def package_url(self) -> str:
        """Return the package URL (ECMA-427) of the file."""
        return f"pkg:generic/{quote(self.name)}?checksum=sha256:{self.sha256}"


@dataclass(frozen=True)
class Verifier:
    """Who verified a bundle, and by what.

    :param id: URI of the verifier
    :param policy: the file of the policy; None for the rules of this release
    :param options: what else decided, by the name of the option
    """

    id: str
    time: datetime
    policy: Subject | None = None
    options: Mapping[str, str] = field(default_factory=dict)


def test_result(subject: Subject, bundle: Bundle, verdict: Verdict) -> bytes:
    """Return the statement of the results of a bundle, as JSON.

    A test that passed only when repeated, or is flagged and did not pass, is a warning: neither
    makes a product not conformant. All else that is required and did not pass has failed.
    """
    required = list(_required(verdict))
    passed = [test for test in required if test.outcome is Outcome.PASS]
    repeated = [test for test in passed if test.retries]
    conformant = verdict.conformance is Conformance.CONFORMANT
    predicate = {
        "result": PASSED if conformant else FAILED,
        "configuration": [
            {"name": name, "digest": {"sha256": _sha256(bundle, name)}}
            for name in _CONFIGURATION
            if bundle.has(name)
        ],
        "passedTests": [test.test.name for test in passed if not test.retries],
        "warnedTests": sorted({test.test.name for test in (*repeated, *_flagged(verdict))}),
        "failedTests": [test.test.name for test in required if test.outcome is not Outcome.PASS],
    }
    return _statement(subject, bundle, TEST_RESULT, predicate)


def verification_summary(
    subject: Subject, bundle: Bundle, verification: Verification, verifier: Verifier
) -> bytes:
    """Return the statement of a verification, as JSON.

    It has passed if no check failed and the product is conformant. The levels name the questions
    that the bundle answers with pass, and the programme to which the product conforms.
    """
    verdict = verification.verdict
    levels = [
        question.upper().replace(" ", "_")
        for question in Question
        if verification.state_of(question) is State.PASS
    ]
    conformant = verdict is not None and verdict.conformance is Conformance.CONFORMANT
    passed = verification.is_valid and conformant
    if passed and verdict:
        levels.append(f"CONFORMANT_{verdict.programme.guideline.id}_{verdict.programme.key}")
    release = metadata.version("refstack-client")
    policy = verifier.policy
    rules: dict[str, object] = {"uri": f"pkg:pypi/refstack-client@{release}"}
    if policy:
        rules = {"uri": quote(policy.name), "digest": {"sha256": policy.sha256}}
    if verifier.options:
        rules["annotations"] = dict(verifier.options)
    manifest = bundle.manifest
    predicate = {
        "verifier": {"id": verifier.id, "version": {"refstack-client": release}},
        "timeVerified": verifier.time.isoformat(timespec="seconds"),
        # What a bundle states is known to be true only if no check failed.
        "resourceUri": manifest.cloud.auth_url
        if verification.is_valid and manifest.cloud
        else subject.package_url,
        "policy": rules,
        "inputAttestations": [
            {"uri": name, "digest": {"sha256": _sha256(bundle, name)}}
            for name in (contents.MANIFEST, contents.CHALLENGE, contents.ATTESTATION)
            if bundle.has(name)
        ],
        "verificationResult": PASSED if passed else FAILED,
        "verifiedLevels": levels if passed else [FAILED],
    }
    return _statement(subject, bundle, VERIFICATION_SUMMARY, predicate)


def _statement(
    subject: Subject, bundle: Bundle, predicate_type: str, predicate: Mapping[str, object]
) -> bytes:
    manifest = bundle.manifest
    described = ResourceDescriptor(
        name=subject.name,
        digest={"sha256": subject.sha256},
        media_type="application/zip",
        annotations={"guideline": manifest.guideline, "programme": manifest.programme},
    )
    statement = Statement([described.pb], predicate_type, dict(predicate))
    statement.validate()
    return str(json_format.MessageToJson(statement.pb, sort_keys=True)).encode()


def _sha256(bundle: Bundle, name: str) -> str:
    return hashlib.sha256(bundle.member(name)).hexdigest()


def _required(verdict: Verdict) -> Iterator[TestVerdict]:
    """Yield the tests that decide, those of base programmes included."""
    yield from verdict.required
    for base in verdict.bases:
        yield from _required(base)


def _flagged(verdict: Verdict) -> Iterator[TestVerdict]:
    """Yield the tests of required capabilities that did not pass, and need not."""
    for capability in verdict.capabilities:
        if capability.status is Status.REQUIRED:
            for test in capability.tests:
                if test.test.flag and test.outcome is not Outcome.PASS:
                    yield test
