"""Verify a bundle: named checks, and the verdict computed again from the stream."""

import functools
import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from capabilities import catalogue
from capabilities.errors import GuidelineError
from capabilities.matching import Index, match
from capabilities.tempest_id import parse as parse_test
from refstack_client.bundle import archive, contents, sbom, ssh_signature
from refstack_client.bundle.contents import Bundle
from refstack_client.bundle.manifest import FORMAT, OF_RUN, UNOFFICIAL
from refstack_client.errors import ClientError, InputError
from refstack_client.outcomes import attestation, document
from refstack_client.outcomes.json_value import JsonValue
from refstack_client.outcomes.plan_record import PlannedTest
from refstack_client.report import document as report_document
from refstack_client.report import text as report_text
from scoring.conformance.outcomes import Outcomes
from scoring.conformance.verdict import Verdict

OTHER_SHAPE = (AttributeError, IndexError, KeyError, RecursionError, TypeError, ValueError)
"""The errors of code that reads a document of another form."""

_Checks = dict[str, Callable[[Bundle], str]]


@dataclass(frozen=True)
class Check:
    """One check: its name, whether it passed, and a sentence on its result."""

    name: str
    passed: bool
    found: str


@dataclass(frozen=True)
class Verification:
    """All checks; ``outcomes`` and ``verdict`` follow from the stream, None where that failed."""

    checks: tuple[Check, ...]
    verdict: Verdict | None = None
    outcomes: Outcomes | None = None

    @property
    def is_valid(self) -> bool:
        """Return whether every check passed."""
        return all(check.passed for check in self.checks)


class _CheckFailedError(Exception):
    """A check failed, for the reason in the message."""


def verify(path: Path, signers: Path | None, *, any_signer: bool = False) -> Verification:
    """Verify a bundle offline. If a basic check fails, no later one is made.

    :param signers: a file of allowed signers, as ssh-keygen(1) describes it
    :param any_signer: accept a bundle that is unsigned, or signed by any key
    """
    try:
        bundle = Bundle.read(path)
    except archive.ArchiveError as error:
        return Verification((Check("archive", False, str(error)),))
    return verify_bundle(bundle, signers, any_signer=any_signer)


def verify_bundle(
    bundle: Bundle, signers: Path | None, *, any_signer: bool = False
) -> Verification:
    """As :func:`verify`, for an unpacked bundle."""
    checks = [Check("archive", True, f"{len(bundle.members)} members, exactly as they were packed")]
    signature = functools.partial(_signature, signers=signers, any_signer=any_signer)
    basic: _Checks = {"manifest": _manifest, "hashes": _hashes, "signature": signature}
    checks += _results(bundle, basic)
    if not all(check.passed for check in checks if check.name != "signature"):
        return Verification(tuple(checks))
    checks += _results(bundle, {"guideline": _guideline, "tempest-list": _tests})
    try:
        outcomes, verdict = bundle.outcomes, bundle.verdict
    except (ClientError, GuidelineError, *OTHER_SHAPE) as error:
        checks.append(Check("stream", False, f"cannot judge the stream: {error}"))
        return Verification(tuple(checks))
    rest: _Checks = {
        "outcomes": _outcomes,
        "verdict": _verdict,
        "report": _report,
    }
    if bundle.has(contents.SBOM):
        rest["sbom"] = _sbom
    if bundle.has(contents.ATTESTATION):
        rest["attestation"] = functools.partial(_attestation, signers=signers)
    checks += _results(bundle, rest)
    return Verification(tuple(checks), verdict, outcomes)


def _results(bundle: Bundle, checks: _Checks) -> Iterator[Check]:
    for name, check in checks.items():
        try:
            yield Check(name, True, check(bundle))
        except (_CheckFailedError, ClientError, GuidelineError) as error:
            yield Check(name, False, str(error))
        except OTHER_SHAPE as error:
            yield Check(name, False, f"unexpected form: {type(error).__name__}: {error}")


def _manifest(bundle: Bundle) -> str:
    manifest = bundle.manifest
    needed = {*contents.ALWAYS, *(contents.FROM_RUN if manifest.source == OF_RUN else ())}
    listed = manifest.members.keys()
    absent = sorted(needed - listed)
    if absent or len(set(contents.GUIDELINES) & listed) != 1:
        raise _CheckFailedError(f"it does not list {', '.join(absent) or 'one guideline'}")
    unknown = sorted(listed - contents.KNOWN)
    if unknown:
        raise _CheckFailedError(f"it lists {', '.join(unknown)}, which a bundle never has")
    if manifest.label != UNOFFICIAL:
        raise _CheckFailedError(f'its label is not "{UNOFFICIAL}"')
    return f"format {FORMAT}, {manifest.label}"


def _hashes(bundle: Bundle) -> str:
    listed = bundle.manifest.members
    present = bundle.members.keys() - {contents.MANIFEST, contents.SIGNATURE}
    for name in sorted(present ^ listed.keys()):
        state = "listed, but missing" if name in listed else "not listed"
        raise _CheckFailedError(f"{name} is {state}")
    for name, expected in sorted(listed.items()):
        content = bundle.members[name]
        if hashlib.sha256(content).hexdigest() != expected.sha256:
            raise _CheckFailedError(f"{name} has another SHA-256 than the manifest lists")
        if len(content) != expected.size:
            raise _CheckFailedError(f"{name} has another size than the manifest lists")
    return f"{len(listed)} members are those the manifest lists"


def _signature(bundle: Bundle, signers: Path | None, *, any_signer: bool) -> str:
    if not bundle.has(contents.SIGNATURE):
        if any_signer:
            return "not signed"
        raise _CheckFailedError("not signed (--any-signer accepts that)")
    manifest, signature = (bundle.member(name) for name in (contents.MANIFEST, contents.SIGNATURE))
    if signers:
        signer = ssh_signature.verify(manifest, signature, signers, contents.NAMESPACE)
        return f"by {signer.identity}, {signer.key}"
    signer = ssh_signature.check(manifest, signature, contents.NAMESPACE)
    if any_signer:
        return f"by {signer.key}, whose owner was not checked"
    raise _CheckFailedError(
        f"by {signer.key}: give the keys you trust with --signers, or accept any with --any-signer"
    )


def _guideline(bundle: Bundle) -> str:
    manifest, guideline = bundle.manifest, bundle.guideline
    if (guideline.id, guideline.digest) != (manifest.guideline, manifest.guideline_sha256):
        raise _CheckFailedError(
            f"the manifest states {manifest.guideline} ({manifest.guideline_sha256[:12]})"
        )
    if guideline.id not in catalogue.shipped():
        return f"{guideline.id}, which is not shipped with this release"
    if catalogue.load(guideline.id)[0].digest != guideline.digest:
        raise _CheckFailedError(f"{guideline.id} differs from the {guideline.id} that is shipped")
    return f"{guideline.id}, as it is shipped"


def _tests(bundle: Bundle) -> str:
    if bundle.plan is None:
        return "none: the bundle was made from a stream alone"
    stated = {test.key: _found(test) for test in bundle.plan.tests}
    due = {test.key: _found(test) for test in _matches(bundle)}
    for name in sorted(stated.keys() | due.keys()):
        if stated.get(name) != due.get(name):
            raise _CheckFailedError(
                f"the plan has another match for {name} than the list of Tempest's tests gives"
            )
    return f"{len(due)} tests of the plan match the list of Tempest's tests"


def _matches(bundle: Bundle) -> Iterator[PlannedTest]:
    """Yield the match of each wanted test, as it follows from the list of Tempest's tests alone."""
    lines = bundle.member(contents.TESTS).decode("utf-8").splitlines()
    index = Index.of(test for line in lines if (test := parse_test(line)))
    for wanted in bundle.programme.wanted_tests():
        yield PlannedTest.of(match(wanted, index))


def _found(test: PlannedTest) -> tuple[str, str, tuple[str, ...]]:
    return test.name, test.match, tuple(sorted(test.found))


def _outcomes(bundle: Bundle) -> str:
    stated, due = bundle.stated_outcomes, document.entries(bundle.outcomes)
    for number, (one, other) in enumerate(zip(stated, due, strict=False)):
        # The wording of reasons changes from release to release.
        if (one.test, one.outcome) != (other.test, other.outcome):
            raise _CheckFailedError(
                f"/{number}: {one.test}: the outcome in the stream is {other.outcome}"
            )
    if len(stated) != len(due):
        raise _CheckFailedError(f"{len(stated)} are stated, the stream has {len(due)}")
    return f"{len(due)}, as in the stream"


def _verdict(bundle: Bundle) -> str:
    stated = JsonValue.parse(bundle.member(contents.VERDICT), contents.VERDICT)
    again = JsonValue(json.loads(json.dumps(report_document.as_json(bundle.verdict))), "verdict")
    for what in ("guideline", "programme", "verdict", "required"):
        one, other = (verdict.member(what).value for verdict in (stated, again))
        if one != other:
            raise _CheckFailedError(f"{what} is stated as {one}, but computed as {other}")
    if list(_judged(stated)) != list(_judged(again)):
        raise _CheckFailedError("a test is stated with another outcome than the stream gives")
    manifest, verdict = bundle.manifest, bundle.verdict
    if (manifest.verdict, manifest.programme) != (verdict.conformance, verdict.programme.key):
        raise _CheckFailedError(f"the manifest states {manifest.verdict}")
    return report_text.headline(verdict)


def _judged(verdict: JsonValue) -> Iterator[tuple[str, str, str, str]]:
    """Yield capability, status, test and outcome for each test of a verdict document."""
    for capability in verdict.member("capabilities").items():
        for test in capability.member("tests").items():
            yield (
                capability.member("id").text(),
                capability.member("status").text(),
                test.member("name").text(),
                test.member("outcome").text(),
            )


def _report(bundle: Bundle) -> str:
    # The end of "NOT CONFORMANT" is a verdict too: the whole element must be there.
    words = f">{report_text.WORDS[bundle.verdict.conformance]}</strong>"
    if words not in bundle.member(contents.REPORT).decode("utf-8"):
        raise _CheckFailedError("the page states another verdict")
    return "the page states the same verdict"


def _sbom(bundle: Bundle) -> str:
    manifest = bundle.manifest
    return sbom.check(bundle.member(contents.SBOM), manifest.images, manifest.versions)


def _attestation(bundle: Bundle, signers: Path | None) -> str:
    attested = bundle.attestation
    if attested is None:
        raise InputError(f"the bundle has no {contents.ATTESTATION}")
    attestation.check_of(attested, bundle.guideline, bundle.manifest.programme)
    if not bundle.has(contents.ATTESTATION_SIGNATURE):
        return f"by {attested.by}, without a signature of its own"
    content, signature = (
        bundle.member(name) for name in (contents.ATTESTATION, contents.ATTESTATION_SIGNATURE)
    )
    if signers:
        signer = ssh_signature.verify(content, signature, signers, attestation.NAMESPACE)
    else:
        signer = ssh_signature.check(content, signature, attestation.NAMESPACE)
    return f"by {attested.by}, signed by {signer.identity or signer.key}"
