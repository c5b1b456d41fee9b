"""Whether a bundle holds: every check by its name, and the verdict made again from the stream."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from capabilities import catalogue
from capabilities.errors import GuidelineError
from refstack_client.bundle import archive, sbom, ssh_signature
from refstack_client.bundle import contents as bundle_contents
from refstack_client.errors import ClientError
from refstack_client.outcomes import attestation
from refstack_client.outcomes.plan_record import PlannedTest
from refstack_client.report import document as report_document
from refstack_client.report import text as report_text
from scoring.conformance.outcomes import Outcomes
from scoring.conformance.verdict import Verdict

OTHER_SHAPE = (AttributeError, IndexError, KeyError, RecursionError, TypeError, ValueError)
"""What goes wrong where a document is JSON and not what it should be."""


@dataclass(frozen=True)
class Check:
    """One thing that was looked at: whether it holds, and what was found."""

    name: str
    holds: bool
    found: str


@dataclass(frozen=True)
class Verification:
    """``outcomes`` and ``verdict`` are made again from the stream, None where that failed."""

    checks: tuple[Check, ...]
    verdict: Verdict | None = None
    outcomes: Outcomes | None = None

    @property
    def holds(self) -> bool:
        return all(each.holds for each in self.checks)


class _FaultError(Exception):
    """Something does not hold; the message says what."""


Members = Mapping[str, bytes]


def verify(path: Path, signers: Path | None, *, any_signer: bool = False) -> Verification:
    """Check a bundle; the first checks that fail end it, for what follows would mean nothing.

    :param signers: a file of allowed signers, as ssh-keygen(1) describes it
    :param any_signer: it need not be signed, nor by anybody known
    """
    try:
        members = archive.read(path)
    except archive.ArchiveError as error:
        return Verification((Check("archive", False, str(error)),))
    return verify_members(members, signers, any_signer=any_signer)


def verify_members(
    members: Members, signers: Path | None, *, any_signer: bool = False
) -> Verification:
    """As :func:`verify`, of what was unpacked."""
    checks = [Check("archive", True, f"{len(members)} members, exactly as they were packed")]
    basic: tuple[tuple[str, Callable[[Members], str]], ...] = (
        ("manifest", _manifest),
        ("hashes", _hashes),
        ("signature", lambda each: _signature(each, signers, any_signer=any_signer)),
    )
    for name, look in basic:
        checks.append(_look(name, look, members))
    if not all(each.holds for each in checks if each.name != "signature"):
        return Verification(tuple(checks))
    checks += [_look("guideline", _guideline, members), _look("tempest-list", _tests, members)]
    try:
        outcomes, verdict = bundle_contents.recompute(members)
    except (ClientError, GuidelineError, *OTHER_SHAPE) as error:
        checks.append(Check("stream", False, f"it cannot be judged: {error}"))
        return Verification(tuple(checks))
    checks += [
        _look(
            "outcomes",
            lambda each: _outcomes(each, bundle_contents.outcomes_document(outcomes)),
            members,
        ),
        _look("verdict", lambda each: _verdict(each, verdict), members),
        _look("report", lambda each: _report(each, verdict), members),
    ]
    if bundle_contents.SBOM in members:
        checks.append(_look("sbom", _sbom, members))
    if bundle_contents.ATTESTATION in members:
        checks.append(_look("attestation", lambda each: _attestation(each, signers), members))
    return Verification(tuple(checks), verdict, outcomes)


def _look(name: str, look: Callable[[Members], str], members: Members) -> Check:
    try:
        return Check(name, True, look(members))
    except _FaultError as fault:
        return Check(name, False, str(fault))
    except (ClientError, GuidelineError) as error:
        return Check(name, False, str(error))
    except OTHER_SHAPE as error:
        return Check(name, False, f"it has another shape: {type(error).__name__}: {error}")


def _manifest(members: Members) -> str:
    if bundle_contents.MANIFEST not in members:
        raise _FaultError("there is none")
    document = bundle_contents.manifest(members)
    if document["format"] != bundle_contents.FORMAT:
        raise _FaultError(
            f"format {document['format']} is not {bundle_contents.FORMAT}, which is read here"
        )
    needed = {
        *bundle_contents.ALWAYS,
        *(bundle_contents.OF_A_RUN if document["source"] == "run" else ()),
    }
    listed = document["members"]
    absent = sorted(needed - listed.keys())
    if absent or len(set(bundle_contents.GUIDELINES) & listed.keys()) != 1:
        raise _FaultError(f"it does not list {', '.join(absent) or 'one guideline'}")
    unknown = sorted(listed.keys() - bundle_contents.KNOWN)
    if unknown:
        raise _FaultError(f"it lists {', '.join(unknown)}, which no bundle has")
    if document["label"] != bundle_contents.UNOFFICIAL:
        raise _FaultError(f'its label is not "{bundle_contents.UNOFFICIAL}"')
    return f"format {bundle_contents.FORMAT}, {document['label']}"


def _hashes(members: Members) -> str:
    listed = bundle_contents.manifest(members)["members"]
    present = members.keys() - {bundle_contents.MANIFEST, bundle_contents.SIGNATURE}
    for name in sorted(present ^ listed.keys()):
        raise _FaultError(f"{name} is {'listed and absent' if name in listed else 'not listed'}")
    for name, expected in sorted(listed.items()):
        if hashlib.sha256(members[name]).hexdigest() != expected["sha256"]:
            raise _FaultError(f"{name} is not the one the manifest lists")
        if len(members[name]) != expected["size"]:
            raise _FaultError(f"{name} has another size than the manifest lists")
    return f"{len(listed)} members are those the manifest lists"


def _signature(members: Members, signers: Path | None, *, any_signer: bool) -> str:
    manifest, signature = members[bundle_contents.MANIFEST], members.get(bundle_contents.SIGNATURE)
    if signature is None:
        if any_signer:
            return "it is not signed"
        raise _FaultError("it is not signed (--any-signer accepts that)")
    if signers:
        signer = ssh_signature.verify(manifest, signature, signers, bundle_contents.NAMESPACE)
        return f"by {signer.identity}, {signer.key}"
    signer = ssh_signature.check(manifest, signature, bundle_contents.NAMESPACE)
    if any_signer:
        return f"by {signer.key}, whoever that is"
    raise _FaultError(f"by {signer.key}: name whom you trust with --signers (--any-signer: nobody)")


def _guideline(members: Members) -> str:
    stated = bundle_contents.manifest(members)["guideline"]
    found = bundle_contents.guideline(members)
    if (found.id, found.digest) != (stated["id"], stated["sha256"]):
        raise _FaultError(f"the manifest states {stated['id']} ({stated['sha256'][:12]})")
    if found.id not in catalogue.shipped():
        return f"{found.id}, which is none that is shipped here"
    if catalogue.load(found.id)[0].digest != found.digest:
        raise _FaultError(f"{found.id} is not the {found.id} that is shipped here")
    return f"{found.id}, as it is shipped here"


def _tests(members: Members) -> str:
    document = bundle_contents.plan(members)
    if document is None:
        return "none: the bundle was made of a stream alone"
    stated = {each.key: _found(each) for each in document.tests}
    due = {each.key: _found(each) for each in bundle_contents.matches(members)}
    for name in sorted(stated.keys() | due.keys()):
        if stated.get(name) != due.get(name):
            raise _FaultError(f"the plan has another test for {name} than Tempest's list gives")
    return f"{len(due)} wanted tests stand for what Tempest's list gives"


def _found(test: PlannedTest) -> tuple[str, str, tuple[str, ...]]:
    return test.name, test.match, tuple(sorted(test.found))


def _outcomes(members: Members, due: list[dict[str, Any]]) -> str:
    stated = json.loads(members[bundle_contents.OUTCOMES])
    for number, (one, other) in enumerate(zip(stated, due, strict=False)):
        # Reasons are worded anew from release to release.
        if (one["test"], one["outcome"]) != (other["test"], other["outcome"]):
            raise _FaultError(f"/{number}: {one['test']} came to {other['outcome']} in the stream")
    if len(stated) != len(due):
        raise _FaultError(f"{len(stated)} are stated, the stream has {len(due)}")
    return f"{len(due)}, as the stream has them"


def _verdict(members: Members, due: Verdict) -> str:
    stated, again = json.loads(members[bundle_contents.VERDICT]), report_document.as_json(due)
    for what in ("guideline", "programme", "verdict", "required"):
        if stated[what] != again[what]:
            raise _FaultError(f"{what} is stated as {stated[what]}, made again it is {again[what]}")
    if list(_judged(stated)) != list(_judged(again)):
        raise _FaultError("a test is stated with another outcome than the stream gives")
    manifest = bundle_contents.manifest(members)
    if manifest["verdict"] != again["verdict"] or manifest["programme"] != again["programme"]:
        raise _FaultError(f"the manifest states {manifest['verdict']}")
    return report_text.headline(due)


def _judged(document: Mapping[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    for capability in document["capabilities"]:
        for test in capability["tests"]:
            yield capability["id"], capability["status"], test["name"], test["outcome"]


def _report(members: Members, due: Verdict) -> str:
    if report_text.headline(due).split("  ")[0] not in members[bundle_contents.REPORT].decode(
        "utf-8"
    ):
        raise _FaultError("the page states another verdict")
    return "the page states the same"


def _sbom(members: Members) -> str:
    stated = bundle_contents.manifest(members)
    return sbom.check(members[bundle_contents.SBOM], stated["images"], stated["versions"])


def _attestation(members: Members, signers: Path | None) -> str:
    document = attestation.read(members[bundle_contents.ATTESTATION], bundle_contents.ATTESTATION)
    attestation.check_of(
        document, bundle_contents.guideline(members), bundle_contents.manifest(members)["programme"]
    )
    signature = members.get(bundle_contents.ATTESTATION_SIGNATURE)
    if signature is None:
        return f"by {document.by}, not signed by itself"
    if signers:
        signer = ssh_signature.verify(
            members[bundle_contents.ATTESTATION], signature, signers, attestation.NAMESPACE
        )
    else:
        signer = ssh_signature.check(
            members[bundle_contents.ATTESTATION], signature, attestation.NAMESPACE
        )
    return f"by {document.by}, signed by {signer.identity or signer.key}"
