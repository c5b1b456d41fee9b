"""The report about a bundle that the compliance monitor of Sovereign Cloud Stack (SCS) receives.

It is a document in YAML, several of them in one file, with an SSH signature. The results are those
of one invocation, as of a check program. The members that SCS does not know are below ``evidence``.
"""

import hashlib
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime

import yaml

from refstack_client.bundle import archive, contents
from refstack_client.bundle.contents import Bundle
from refstack_client.errors import InputError
from refstack_client.outcomes.json_value import JsonObject
from refstack_client.report import document as report_document
from refstack_client.report import scs_test_cases
from refstack_client.report.scs_test_cases import Level, LogLine
from scoring.conformance.verdict import Conformance, Verdict

NAMESPACE = "report"
"""The namespace of the signature, as ssh-keygen(1) calls it."""
SCOPE = {
    "name": "SCS-compatible IaaS",
    "uuid": "50393e6f-2ae1-4c5c-a62c-3b75f2abef3f",
    "url": "https://raw.githubusercontent.com/SovereignCloudStack/standards/main/Tests/"
    "scs-compatible-iaas.yaml",
}
_RC = {Conformance.CONFORMANT: 0, Conformance.NOT_CONFORMANT: 1, Conformance.INCOMPLETE: 3}


def check_of_standard(bundle: Bundle, source: str) -> None:
    """Check that a bundle is of a run of SCS-0128.

    :raises InputError: it is not
    """
    hint = "certify with --programme scs-0128; a newer list is named by --guideline FILE besides"
    if bundle.guideline.id != scs_test_cases.LIST:
        raise InputError(
            f"{source} has results of {bundle.guideline.id}, not of {scs_test_cases.LIST}",
            hint=hint,
        )
    if bundle.plan is None:
        raise InputError(f"{source} is made from a stream, and does not record a run", hint=hint)


def uuid_of(bundle: Bundle) -> uuid.UUID:
    """Return the UUID of the report: the same results have the same one, signed or not.

    The monitor refuses a report with a UUID that it has, so that none is counted twice.
    """
    return uuid.uuid5(uuid.UUID(SCOPE["uuid"]), _manifest_sha256(bundle))


def document(bundle: Bundle, verdict: Verdict, subject: str) -> JsonObject:
    """Return the report on a verified bundle.

    :param subject: the cloud, as the monitor knows it
    :raises InputError: the run did not end
    """
    run = uuid_of(bundle)
    ended = _end(bundle)
    cloud = bundle.plan.basis.cloud if bundle.plan else None
    invocation = uuid.uuid5(run, "invocation")
    found = scs_test_cases.results(verdict)
    stdout = list(scs_test_cases.lines(found))
    digest = LogLine(Level.INFO, f"manifest of the bundle, SHA-256 {_manifest_sha256(bundle)}")
    stderr = [str(line) for line in (*scs_test_cases.log(verdict), digest)]
    return {
        "spec": dict(SCOPE),
        "checked_at": ended,
        "reference_date": ended.date(),
        "subject": subject,
        "run": {
            "uuid": str(run),
            "argv": ["refstack-client", "scs", "report"],
            "assignment": {"os_cloud": cloud.name if cloud else ""},
            "sections": None,
            "forced_version": None,
            "forced_tests": None,
            "invocations": {
                str(invocation): {
                    "id": str(invocation),
                    "cmd": f"refstack-client certify --programme {scs_test_cases.LIST}",
                    "results": {name: int(result) for name, result in found.items()},
                    "rc": _RC[verdict.conformance],
                    "stdout": stdout,
                    "stderr": stderr,
                    **scs_test_cases.level_counts((*stdout, *stderr)),
                }
            },
        },
        "evidence": _evidence(bundle, verdict),
    }


def _evidence(bundle: Bundle, verdict: Verdict) -> JsonObject:
    """Return what ties a report to a bundle, and what the bundle shows."""
    manifest = bundle.manifest
    # A bundle that can be read is byte for byte what its members are packed to.
    packed = hashlib.sha256(archive.pack(bundle.members)).hexdigest()
    found: JsonObject = {"sha256": packed, "manifest_sha256": _manifest_sha256(bundle)}
    if bundle.has(contents.SIGNATURE) and bundle.signer:
        found["signed_by"] = bundle.signer.fingerprint
    return {
        "made_by": dict(manifest.made_by),
        "verdict": str(verdict.conformance),
        "tests": report_document.counts(verdict),
        "list": {"id": manifest.guideline, "sha256": verdict.programme.guideline.digest},
        "region": manifest.cloud.region if manifest.cloud else "",
        "roles": list(manifest.roles),
        "versions": dict(manifest.versions),
        "started": manifest.started,
        "ended": manifest.ended,
        "bundle": found,
    }


def _end(bundle: Bundle) -> datetime:
    """Return when the run ended, in UTC without a time zone, as the monitor reads times."""
    text = bundle.manifest.ended
    ended = datetime.fromisoformat(text) if text else bundle.outcomes.ended
    if ended is None:
        raise InputError(
            "the run records no end", hint="resume it: refstack-client certify --resume RUN"
        )
    return ended.astimezone(UTC).replace(tzinfo=None)


def _manifest_sha256(bundle: Bundle) -> str:
    return hashlib.sha256(bundle.member(contents.MANIFEST)).hexdigest()


def yaml_text(documents: Iterable[JsonObject]) -> bytes:
    """Return a file of several documents."""
    return yaml.safe_dump_all(
        documents,
        explicit_start=True,
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=False,
        width=1000,
        encoding="utf-8",
    )
