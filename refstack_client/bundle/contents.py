"""Everything needed to judge a run again, in one file: the format is in docs/bundle.rst.

The manifest names every other member with its SHA-256 and is what is signed. What a bundle says of
outcomes and verdict is never believed: both are made again from the stream and compared.
"""

import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import subunit

from capabilities import catalogue, flat_list, programme, reader
from capabilities.guideline import Guideline
from capabilities.matching import Index, match
from capabilities.programme import Programme
from capabilities.tempest_id import parse as parse_test
from refstack_client.bundle.anonymise import Anonymiser
from refstack_client.errors import InputError
from refstack_client.files import json_text
from refstack_client.outcomes import cpid, run_directory, stream_tools, subunit_stream
from refstack_client.outcomes.cloud_facts import CloudFacts
from refstack_client.outcomes.plan_record import PlannedTest, PlanRecord
from refstack_client.outcomes.redaction import Redactor, hide
from refstack_client.report import document as report_document
from refstack_client.report import html as report_html
from scoring.conformance.outcomes import Attempt, ClassOutcome, Outcomes
from scoring.conformance.verdict import Verdict, judge

FORMAT = 1
NAMESPACE = "bundle@refstack-client"
UNOFFICIAL = "Unofficial Results – Not Yet Accepted"
"""What results must be called until the Foundation has accepted them (2017A C1.4)."""

MANIFEST, SIGNATURE = "manifest.json", "manifest.json.sig"
GUIDELINES = ("guideline.json", "guideline.txt")
STREAM, OUTCOMES, VERDICT, REPORT = (
    "results.subunit",
    "outcomes.json",
    "verdict.json",
    "report.html",
)
PLAN, TESTS, ATTEMPTS, CONF = "plan.json", "tests.txt", "attempts.jsonl", "tempest.conf"
ATTESTATION, ATTESTATION_SIGNATURE = "attestation.json", "attestation.json.sig"
ALWAYS = (STREAM, OUTCOMES, VERDICT, REPORT)
OF_A_RUN = (PLAN, TESTS, ATTEMPTS, CONF)
SBOM = "sbom.json"
"""Of a run in a container."""
KNOWN = {
    *GUIDELINES,
    *ALWAYS,
    *OF_A_RUN,
    SBOM,
    ATTESTATION,
    ATTESTATION_SIGNATURE,
    MANIFEST,
    SIGNATURE,
}

Members = dict[str, bytes]


@dataclass(frozen=True)
class Source:
    """What a bundle is made of: a guideline, a stream and, of a run, the other files of it."""

    guideline_file: tuple[str, bytes]
    programme: Programme
    stream: bytes
    of_run: Mapping[str, bytes]


def of_run(made: run_directory.Run) -> Source:
    """Return the source of a run's bundle.

    :raises InputError: it is no run, or nothing of it ran
    """
    guideline_model, plan_record = run_directory.read_plan(made)
    outcomes = subunit_stream.read_appended(made.stream)
    if not outcomes.attempts and not outcomes.classes:
        raise InputError(
            f"{made.directory}: no test of this run came to an end",
            hint="go on with it: certify --resume",
        )
    own = programme.find(guideline_model, plan_record.programme)
    files = {
        PLAN: made.plan,
        TESTS: made.tests,
        ATTEMPTS: made.attempts,
        CONF: made.tempest_conf,
        SBOM: made.sbom,
    }
    return Source(
        guideline_file=(made.guideline.name, made.guideline.read_bytes()),
        programme=catalogue.with_bases(own),
        stream=made.stream.read_bytes(),
        of_run={name: path.read_bytes() for name, path in files.items() if path.exists()},
    )


def of_stream(path: Path, chosen: Programme, guideline_file: bytes) -> Source:
    """Return the source of a bundle of a bare stream, judged by ``chosen``."""
    outcomes = subunit_stream.read(path)  # what is no stream is refused here
    if not outcomes.attempts and not outcomes.classes:
        raise InputError(f"{path}: no test came to an end in this stream")
    name = GUIDELINES[0] if guideline_file.lstrip()[:1] == b"{" else GUIDELINES[1]
    return Source((name, guideline_file), chosen, path.read_bytes(), {})


def make(source: Source, *, anonymous: bool = False, attested: Mapping[str, bytes]) -> Members:
    """Return the members of a bundle, unsigned.

    The same source gives the same bytes.

    :param anonymous: put placeholders for names and addresses of hosts, users and projects
    :param attested: the attestation's own members, if there is one
    """
    anonymiser = Anonymiser.of_plan(source.of_run.get(PLAN)) if anonymous else None
    members: Members = {source.guideline_file[0]: source.guideline_file[1], **attested}
    for name, content in source.of_run.items():
        if name == SBOM:  # of the image, not of the cloud; its digest is stated
            members[name] = content
            continue
        hidden = hide(_without_workspaces(content) if name == ATTEMPTS else content)
        members[name] = anonymiser.hide(hidden) if anonymiser and name != TESTS else hidden
    members[STREAM] = _clean(source.stream, anonymiser)
    outcomes = subunit_stream.parse(members[STREAM], STREAM)
    verdict = _judge(source.programme, outcomes, plan(members))
    members[OUTCOMES] = json_text(outcomes_document(outcomes)).encode()
    members[VERDICT] = json_text(report_document.as_json(verdict)).encode()
    members[REPORT] = report_html.page(verdict, plan(members)).encode()
    stated = _manifest(source.programme, verdict, members, anonymous=anonymous)
    members[MANIFEST] = json_text(stated).encode()
    return members


def _clean(content: bytes, anonymiser: Anonymiser | None) -> bytes:
    """Return a stream of version 2 without secrets, and without names if so asked."""
    out = io.BytesIO()
    target = subunit.StreamResultToBytes(out)
    through = anonymiser.filter(target) if anonymiser else target
    stream_tools.copy(io.BytesIO(content), stream_tools.CompletePackets(Redactor(through)))
    return out.getvalue()


def _without_workspaces(content: bytes) -> bytes:
    """Return attempts without the paths of private directories of the machine that ran them."""
    lines = []
    for line in content.decode("utf-8").splitlines():
        try:
            record = json.loads(line)
        except ValueError:  # half a line, of a kill
            continue
        record.pop("workspace", None)
        lines.append(json.dumps(record, ensure_ascii=False))
    return "".join(f"{each}\n" for each in lines).encode()


def _manifest(
    chosen: Programme, verdict: Verdict, members: Members, *, anonymous: bool
) -> dict[str, Any]:
    record = plan(members)
    attempts = [json.loads(line) for line in members.get(ATTEMPTS, b"").splitlines()]
    tokens = [token for each in attempts for token in each.get("tokens", ())]
    images = {json.dumps(each["image"]): each["image"] for each in attempts if "image" in each}
    cloud = record.basis.cloud if record else None
    return {
        "format": FORMAT,
        "label": UNOFFICIAL,
        "made_by": {"refstack-client": metadata.version("refstack-client")},
        "guideline": {"id": chosen.guideline.id, "sha256": chosen.guideline.digest},
        "programme": chosen.key,
        "verdict": str(verdict.conformance),
        "source": "run" if record else "stream",
        "anonymous": anonymous,
        "versions": dict(record.basis.versions) if record else {},
        "images": list(images.values()),
        "started": min((each["started"] for each in attempts if "started" in each), default=None),
        "ended": max((each["ended"] for each in attempts if "ended" in each), default=None),
        "cpid": cpid.of_facts(cloud) if cloud else None,
        "cloud": _stated_cloud(cloud) if cloud else {},
        "roles": sorted({role for token in tokens for role in token["roles"]}),
        "members": {
            name: {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
            for name, content in sorted(members.items())
        },
    }


def _stated_cloud(cloud: CloudFacts) -> dict[str, Any]:
    return {
        "auth_url": cloud.auth_url,
        "region": cloud.region,
        "endpoints": dict(cloud.endpoints),
    }


def outcomes_document(outcomes: Outcomes) -> list[dict[str, Any]]:
    """Return every attempt of a stream in its order, those at setting a class up too."""
    rows: list[tuple[int, str, Attempt | ClassOutcome, float | None]] = [
        (each.order, each.test.full, each, each.seconds) for each in outcomes.attempts
    ]
    rows += [
        (each.order, f"setUpClass ({each.class_name})", each, None) for each in outcomes.classes
    ]
    return [
        {"test": name, "outcome": str(each.outcome), "reason": each.reason, "seconds": seconds}
        for _, name, each, seconds in sorted(rows, key=lambda row: row[0])
    ]


# -- reading --------------------------------------------------------------------------------------


def guideline(members: Mapping[str, bytes]) -> Guideline:
    """Return the guideline of a bundle.

    :raises InputError: it has none or several
    """
    names = [name for name in GUIDELINES if name in members]
    if len(names) != 1:
        raise InputError(f"the bundle has {len(names)} guidelines")
    if names[0].endswith(".txt"):  # a list is called by its name, which is not in it
        name = manifest(members)["guideline"]["id"]
        return flat_list.parse(members[names[0]].decode("utf-8-sig"), name, names[0])[0]
    return reader.parse(members[names[0]], names[0])[0]


def manifest(members: Mapping[str, bytes]) -> dict[str, Any]:
    return json.loads(members[MANIFEST])


def plan(members: Mapping[str, bytes]) -> PlanRecord | None:
    """Return the plan of the run, None for a bundle of a bare stream."""
    return PlanRecord.parse(members[PLAN], PLAN) if PLAN in members else None


def recompute(members: Mapping[str, bytes]) -> tuple[Outcomes, Verdict]:
    """Return outcomes and verdict as they follow from guideline, plan and stream alone."""
    chosen = _programme(members)
    outcomes = subunit_stream.parse(members[STREAM], STREAM) if members[STREAM] else Outcomes(())
    return outcomes, _judge(chosen, outcomes, plan(members))


def matches(members: Mapping[str, bytes]) -> list[PlannedTest]:
    """Return which test stands for which, as it follows from the list of Tempest's tests alone."""
    lines = members[TESTS].decode("utf-8").splitlines()
    index = Index.of(test for line in lines if (test := parse_test(line)))
    return [PlannedTest.of(match(each, index)) for each in _programme(members).wanted_tests()]


def _programme(members: Mapping[str, bytes]) -> Programme:
    key = manifest(members)["programme"]
    return catalogue.with_bases(programme.find(guideline(members), key))


def _judge(chosen: Programme, outcomes: Outcomes, record: PlanRecord | None) -> Verdict:
    return judge(chosen, outcomes, record.matches(chosen) if record else None)
