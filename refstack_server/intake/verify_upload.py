"""What was uploaded, looked at as by the client: bundles are verified, verdicts made again."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from capabilities import catalogue, programme
from capabilities.errors import GuidelineError
from capabilities.programme import Programme
from refstack_client.bundle import contents as bundle_contents
from refstack_client.bundle import ssh_signature
from refstack_client.bundle import verify as bundle_verify
from refstack_client.bundle.contents import Bundle
from refstack_client.bundle.verify import Verification
from refstack_client.errors import ClientError
from refstack_client.outcomes import subunit_stream
from refstack_server.store.blobs import Coming
from refstack_server.store.schema import LONGEST_CPID, Kind
from refstack_server.web.errors import RefusedError, bad_request
from scoring.conformance.outcomes import Outcomes
from scoring.conformance.verdict import Verdict, judge


@dataclass(frozen=True)
class Received:
    """``fingerprint`` is that of the key that signed it, "" for nobody; ``checks`` what held."""

    kind: Kind
    sha256: str
    outcomes: Outcomes
    verdict: Verdict
    cpid: str = ""
    seconds: int = 0
    fingerprint: str = ""
    checks: tuple[bundle_verify.Check, ...] = ()


def read_bundle(coming: Coming) -> Received:
    """Verify a bundle and judge it again.

    :raises RefusedError: 400, it does not hold: the first check that fails is named; or it is by a
        guideline that is not known here, which anybody might have written
    """
    try:
        bundle = Bundle.unpack(coming.content(), "the bundle")
    except ClientError as error:
        raise bad_request("This is no bundle", str(error)) from error
    found = bundle_verify.verify_bundle(bundle, None, any_signer=True)
    broken = next((each for each in found.checks if not each.passed), None)
    if broken or found.verdict is None or found.outcomes is None:
        raise _broken(found, broken)
    guideline = found.verdict.programme.guideline.id
    if guideline not in catalogue.shipped():
        raise _does_not_hold("guideline", f"{guideline} is none that is known here")
    _check_attempts(bundle)
    return Received(
        kind=Kind.BUNDLE,
        sha256=coming.sha256,
        outcomes=found.outcomes,
        verdict=found.verdict,
        cpid=_cpid(bundle),
        seconds=_seconds(found.outcomes),
        fingerprint=_fingerprint(bundle),
        checks=found.checks,
    )


def _broken(found: Verification, broken: bundle_verify.Check | None) -> RefusedError:
    what = broken or found.checks[-1]
    return _does_not_hold(what.name, what.found)


def _does_not_hold(what: str, found: str) -> RefusedError:
    return bad_request("The bundle does not hold", f"{what}: {found}")


def _check_attempts(bundle: Bundle) -> None:
    """Check what no verdict needs, but pages show."""
    try:
        _ = bundle.attempts
    except (ClientError, *bundle_verify.OTHER_SHAPE) as error:
        raise _does_not_hold(bundle_contents.ATTEMPTS, "it is not what a run writes") from error


def _fingerprint(bundle: Bundle) -> str:
    if not bundle.has(bundle_contents.SIGNATURE):
        return ""
    signer = ssh_signature.check(
        bundle.member(bundle_contents.MANIFEST),
        bundle.member(bundle_contents.SIGNATURE),
        bundle_contents.NAMESPACE,
    )
    return signer.key.rpartition(" ")[2]


def _cpid(bundle: Bundle) -> str:
    """Return the id of the cloud, "" where the bundle does not tell it."""
    stated = bundle.manifest.cpid or ""
    if len(stated) > LONGEST_CPID or "\0" in stated:
        raise _does_not_hold("manifest", f"cpid is no text of {LONGEST_CPID} characters at most")
    return stated


def _seconds(outcomes: Outcomes) -> int:
    """Return how long the tests took, as far as a database's integer goes."""
    took = sum(each.seconds or 0.0 for each in outcomes.attempts)
    return round(min(max(took, 0.0), 2**31 - 1))


def read_stream(coming: Coming, chosen: Programme) -> Received:
    """Judge a subunit stream by a programme.

    :raises RefusedError: 400, it is none
    """
    try:
        outcomes = subunit_stream.parse(coming.content(), "the stream")
    except ClientError as error:
        raise bad_request("This is no subunit stream", str(error)) from error
    return Received(
        kind=Kind.STREAM,
        sha256=coming.sha256,
        outcomes=outcomes,
        verdict=judge(chosen, outcomes),
        seconds=_seconds(outcomes),
    )


def shipped_programme(guideline: str, name: str) -> Programme:
    """Return a programme of a shipped guideline: what is named is never taken for a path.

    :raises RefusedError: 404
    """
    if guideline not in catalogue.shipped():
        raise RefusedError(HTTPStatus.NOT_FOUND, f"Guideline {guideline} not found")
    try:
        loaded, _ = catalogue.load(guideline)
        return catalogue.with_bases(programme.find(loaded, name))
    except GuidelineError as error:
        raise RefusedError(HTTPStatus.NOT_FOUND, str(error)) from error


def checks_as_json(checks: tuple[bundle_verify.Check, ...]) -> list[dict[str, Any]]:
    return [{"name": each.name, "holds": each.passed, "found": each.found} for each in checks]
