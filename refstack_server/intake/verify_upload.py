"""Verification of uploads by the client's code: bundles are verified, verdicts recomputed."""

import functools
from dataclasses import dataclass, replace
from pathlib import Path

from typing_extensions import TypedDict

from capabilities import catalogue, programme
from capabilities.errors import GuidelineError
from capabilities.programme import Programme
from refstack_client.bundle import contents as bundle_contents
from refstack_client.bundle import verify as bundle_verify
from refstack_client.bundle.archive import ArchiveError
from refstack_client.bundle.checks import Check
from refstack_client.bundle.contents import Bundle
from refstack_client.errors import ClientError
from refstack_client.outcomes import subunit_stream
from refstack_client.report import text as report_text
from refstack_server.intake import challenges, statements
from refstack_server.intake.statements import Statements
from refstack_server.settings import Settings
from refstack_server.store import packed_outcomes
from refstack_server.store.errors import InvalidError, NotFoundError
from refstack_server.store.schema import LONGEST_CPID, Kind
from refstack_server.store.text import has_hidden
from scoring.conformance.outcomes import Outcomes
from scoring.conformance.verdict import Verdict, judge

_CACHED_PROGRAMMES = 128
MOST_ENTRIES = 20_000
"""How many outcomes a result may have: many times the tests of all published guidelines."""


@dataclass(frozen=True)
class VerifiedUpload:
    """A verified upload with its verdict.

    ``outcomes`` are packed (:mod:`refstack_server.store.packed_outcomes`), ``headline`` is the
    verdict in one line, ``seconds`` the duration of all tests. All ``checks`` of a bundle passed.
    ``statements`` are those of a bundle, None for a stream.
    """

    kind: Kind
    outcomes: bytes
    guideline: str
    programme: str
    conformance: str
    headline: str
    cpid: str = ""
    seconds: int = 0
    checks: tuple[Check, ...] = ()
    statements: Statements | None = None


class CheckDocument(TypedDict):
    """A check of a bundle as JSON."""

    question: str
    name: str
    holds: bool
    state: str
    found: str


def signer_of(path: Path) -> str:
    """Return the fingerprint of the key that signed a bundle, "" without a signature.

    :raises InvalidError: the file is not a bundle, or the signature is not valid
    """
    try:
        signer = bundle_contents.signer_of(path, "the bundle")
    except ArchiveError as error:
        raise InvalidError("This is not a bundle", str(error)) from error
    except ClientError as error:
        raise _invalid("signature", str(error)) from error
    return signer.fingerprint if signer else ""


def _unpack(path: Path) -> Bundle:
    try:
        return Bundle.unpack(path.read_bytes(), "the bundle")
    except ClientError as error:
        raise InvalidError("This is not a bundle", str(error)) from error


def read_bundle(path: Path, settings: Settings) -> VerifiedUpload:
    """Verify a bundle and recompute its verdict.

    :raises InvalidError: a check failed, which the error names; or the bundle's guideline is not a
        shipped one, so that anyone may have written it
    """
    bundle = _unpack(path)
    own = challenges.signers(settings) if bundle.has(bundle_contents.CHALLENGE) else None
    trust = bundle_verify.Trust(any_signer=True, certifiers=own)
    verification = bundle_verify.verify_bundle(bundle, trust)
    failed = next((check for check in verification.checks if not check.passed), None)
    if failed and failed.name == "guideline" and bundle.guideline.id not in catalogue.shipped():
        raise _invalid("guideline", f"{bundle.guideline.id} is not known to this server")
    if failed or verification.verdict is None or verification.outcomes is None:
        check = failed or verification.checks[-1]
        raise _invalid(check.name, check.found)
    judged = _judged(Kind.BUNDLE, verification.outcomes, verification.verdict)
    stated = statements.of_bundle(bundle)
    return replace(judged, cpid=_cpid(bundle), checks=verification.checks, statements=stated)


def _judged(kind: Kind, outcomes: Outcomes, verdict: Verdict) -> VerifiedUpload:
    entries = packed_outcomes.from_outcomes(outcomes)
    if len(entries) > MOST_ENTRIES:
        raise InvalidError(
            f"There are {len(entries)} outcomes in it, more than {MOST_ENTRIES}",
            "run the tests of one programme",
        )
    return VerifiedUpload(
        kind=kind,
        outcomes=packed_outcomes.pack(entries, outcomes.damage),
        guideline=verdict.programme.guideline.id,
        programme=verdict.programme.key,
        conformance=str(verdict.conformance),
        headline=report_text.headline(verdict),
        seconds=_seconds(outcomes),
    )


def _invalid(name: str, message: str) -> InvalidError:
    return InvalidError("The bundle is not valid", f"{name}: {message}")


def _cpid(bundle: Bundle) -> str:
    """Return the cloud provider id, "" if the manifest has none."""
    cpid = bundle.manifest.cpid or ""
    if len(cpid) > LONGEST_CPID or has_hidden(cpid, ""):
        raise _invalid(
            "manifest", f"cpid must be one line of at most {LONGEST_CPID} visible characters"
        )
    return cpid


def _seconds(outcomes: Outcomes) -> int:
    """Return the duration of all tests, limited to the range of a database's integer."""
    seconds = sum(attempt.seconds or 0.0 for attempt in outcomes.attempts)
    return round(min(max(seconds, 0.0), 2**31 - 1))


def read_stream(path: Path, guideline: str, name: str) -> VerifiedUpload:
    """Judge a subunit stream by a programme of a shipped guideline.

    :raises NotFoundError: there is no such programme
    :raises InvalidError: the upload is not a subunit stream
    """
    chosen = shipped_programme(guideline, name)
    try:
        outcomes = subunit_stream.parse(path.read_bytes(), "the stream")
    except ClientError as error:
        raise InvalidError("This is not a subunit stream", str(error)) from error
    return _judged(Kind.STREAM, outcomes, judge(chosen, outcomes))


@functools.lru_cache(maxsize=_CACHED_PROGRAMMES)
def shipped_programme(guideline: str, name: str) -> Programme:
    """Return a programme of a shipped guideline; the names are never used as paths.

    :raises NotFoundError: there is no such guideline, or it has no such programme
    """
    if guideline not in catalogue.shipped():
        raise NotFoundError(f"Guideline {guideline} not found")
    try:
        loaded, _ = catalogue.load(guideline)
        return catalogue.with_bases(programme.find(loaded, name))
    except GuidelineError as error:
        raise NotFoundError(str(error)) from error


def checks_as_json(checks: tuple[Check, ...]) -> list[CheckDocument]:
    """Return checks as JSON."""
    return [
        {
            "question": check.question,
            "name": check.name,
            "holds": check.passed,
            "state": check.state,
            "found": check.found,
        }
        for check in checks
    ]
