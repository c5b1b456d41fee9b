"""Pack a run or a stream into the members of a bundle."""

import functools
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import subunit

from capabilities import catalogue, programme
from capabilities.programme import Programme
from refstack_client.bundle import manifest_of
from refstack_client.bundle.anonymise import Anonymiser
from refstack_client.bundle.contents import (
    ATTEMPTS,
    ATTESTATION,
    ATTESTATION_SIGNATURE,
    CHALLENGE,
    CONF,
    FROM_RUN,
    GUIDELINES,
    MANIFEST,
    NAMESPACE,
    OUTCOMES,
    PLAN,
    REPORT,
    SBOM,
    SIGNATURE,
    STREAM,
    TESTS,
    VERDICT,
    Bundle,
    Members,
)
from refstack_client.bundle.ssh_signature import sign
from refstack_client.errors import InputError
from refstack_client.files import json_text
from refstack_client.outcomes import (
    document,
    run_attempts,
    run_directory,
    stream_file,
    stream_tools,
    subunit_stream,
)
from refstack_client.outcomes.plan_record import PlanRecord
from refstack_client.outcomes.redaction import Redactor, hide
from refstack_client.outcomes.run_attempts import Retries
from refstack_client.outcomes.run_directory import Run
from refstack_client.report import document as report_document
from refstack_client.report import html as report_html
from scoring.conformance.outcomes import Outcomes
from scoring.conformance.verdict import judge


@dataclass(frozen=True)
class Source:
    """A guideline, a stream and, for a run, the other files of its directory by member name."""

    guideline_file: tuple[str, bytes]
    programme: Programme
    stream: bytes
    run_files: Mapping[str, bytes]

    @property
    def plan(self) -> PlanRecord | None:
        """Return the plan of the run, None for a bare stream."""
        content = self.run_files.get(PLAN)
        return PlanRecord.parse(content, PLAN) if content is not None else None

    @property
    def retries(self) -> Retries | None:
        """Return how often failed tests of the run were run again, None for a bare stream."""
        content = self.run_files.get(ATTEMPTS)
        if content is None:
            return None
        return run_attempts.retries_of(run_attempts.attempts_in(content.decode()))

    @functools.cached_property
    def outcomes(self) -> Outcomes:
        """Return what is in the stream, secrets included."""
        return subunit_stream.parse_appended(io.BytesIO(self.stream))


def of_run(run: Run) -> Source:
    """Return the source of the bundle of a run.

    :raises InputError: the directory is not that of a run, or no test of it ended
    """
    guideline, plan = run_directory.read_plan(run)
    files = {
        PLAN: run.plan,
        TESTS: run.tests,
        ATTEMPTS: run.attempts,
        CONF: run.tempest_conf,
        SBOM: run.sbom,
        CHALLENGE: run.challenge_file,
    }
    source = Source(
        guideline_file=(run.guideline.name, run.guideline.read_bytes()),
        programme=catalogue.with_bases(programme.find(guideline, plan.programme)),
        stream=run.stream.read_bytes() if run.stream.exists() else b"",
        run_files={name: path.read_bytes() for name, path in files.items() if path.exists()},
    )
    if missing := [name for name in FROM_RUN if name not in source.run_files]:
        raise InputError(f"{run.directory} lacks the file of {missing[0]}")
    if not _has_outcomes(source.outcomes):
        raise InputError(
            f"{run.directory}: no test of this run ended",
            hint=f"run the tests: refstack-client certify --resume {run.directory}",
        )
    return source


def of_stream(path: Path, chosen: Programme, guideline_file: bytes) -> Source:
    """Return the source of the bundle of a bare stream, to be judged by ``chosen``.

    :raises InputError: the file is not a subunit stream, or no test of it ended
    """
    if not _has_outcomes(subunit_stream.read(path)):
        raise InputError(f"{path}: no test in this stream ended")
    name = GUIDELINES[0] if guideline_file.lstrip()[:1] == b"{" else GUIDELINES[1]
    with stream_file.open_stream(path) as content:
        return Source((name, guideline_file), chosen, content.read(), {})


def of_bundle(bundle: Bundle) -> Source:
    """Return the source of another bundle of the same run or stream.

    :raises InputError: a member of the bundle is missing or has another form
    """
    files = (PLAN, TESTS, ATTEMPTS, CONF, SBOM, CHALLENGE)
    (guideline,) = (name for name in GUIDELINES if bundle.has(name))
    return Source(
        guideline_file=(guideline, bundle.member(guideline)),
        programme=bundle.programme,
        stream=bundle.member(STREAM),
        run_files={name: bundle.member(name) for name in files if bundle.has(name)},
    )


def anonymised(bundle: Bundle) -> dict[str, bytes]:
    """Return the members of the anonymised copy of a bundle, without a signature.

    An attestation stays as it is: its author wrote it for others to read.

    :raises InputError: as for :func:`of_bundle`
    """
    names = (ATTESTATION, ATTESTATION_SIGNATURE)
    attested = {name: bundle.member(name) for name in names if bundle.has(name)}
    return make(of_bundle(bundle), anonymous=True, attested=attested)


def _has_outcomes(outcomes: Outcomes) -> bool:
    return bool(outcomes.attempts or outcomes.classes)


def make(
    source: Source, *, anonymous: bool = False, attested: Mapping[str, bytes] | None = None
) -> dict[str, bytes]:
    """Return the members of an unsigned bundle: the same bytes for the same source.

    :param anonymous: put placeholders for host names and IP addresses
    :param attested: the members of the attestation, if there is one
    :raises InputError: the guideline requires one that is not shipped
    """
    if files := catalogue.base_files(source.programme):
        raise InputError(
            f"{source.programme.guideline.id} requires {files[0]}, which is not shipped; a bundle "
            "contains one guideline",
            hint="use verdict and report with the results themselves",
        )
    plan = source.plan
    anonymiser = Anonymiser(source.programme, plan) if anonymous else None
    name, content = source.guideline_file
    members = {name: content, **(attested or {})}
    for name, content in source.run_files.items():
        if not anonymous or name != SBOM:  # It lists the packages of a private image, too.
            members[name] = _without_secrets(name, content, anonymiser)
    members[STREAM] = _clean_stream(source, anonymiser)
    if plan:  # as it is packed: without secrets, and without names if so asked
        plan = PlanRecord.parse(members[PLAN], PLAN)
    outcomes = subunit_stream.parse(members[STREAM], STREAM)
    matches = plan.matches(source.programme) if plan else None
    counted = run_attempts.most_retries(source.retries)
    verdict = judge(source.programme, outcomes, matches, max_retries=counted)
    listed = document.as_json(document.entries(outcomes))
    members[OUTCOMES] = json_text(listed).encode()
    members[VERDICT] = json_text(report_document.as_json(verdict)).encode()
    members[REPORT] = report_html.page(verdict, plan).encode()
    stated = manifest_of.members(verdict, plan, members, anonymous=anonymous)
    members[MANIFEST] = json_text(stated.as_json()).encode()
    return members


def signed(members: Members, key: Path) -> dict[str, bytes]:
    """Return ``members`` with the signature of the manifest by an SSH key.

    :raises InputError: the key cannot sign
    :raises MachineError: ssh-keygen is not installed
    """
    return {**members, SIGNATURE: sign(members[MANIFEST], key, NAMESPACE)}


def _without_secrets(name: str, content: bytes, anonymiser: Anonymiser | None) -> bytes:
    # The one lists the image, not the cloud; the other is signed by a certifier.
    if name in (SBOM, CHALLENGE):
        return content
    if name == ATTEMPTS:
        content = _portable(content, anonymous=anonymiser is not None)
    hidden = hide(content)
    if anonymiser is None:
        return hidden
    by_member = {
        PLAN: anonymiser.plan,
        TESTS: anonymiser.tests,
        ATTEMPTS: anonymiser.attempts,
        CONF: anonymiser.conf,
    }
    return by_member[name](hidden)


def _clean_stream(source: Source, anonymiser: Anonymiser | None) -> bytes:
    """Return a version 2 stream without secrets, and without names if so asked.

    A damaged stream stays one, though its damaged packets are left out.
    """
    out = io.BytesIO()
    target = subunit.StreamResultToBytes(out)
    through = anonymiser.filter(target) if anonymiser else target
    stream_tools.copy(io.BytesIO(source.stream), stream_tools.CompletePackets(Redactor(through)))
    if source.outcomes.damage:
        stream_tools.mark_damaged(target, source.outcomes.damage)
    return out.getvalue()


def _portable(content: bytes, *, anonymous: bool) -> bytes:
    """Return attempts without the paths of private directories of the machine that ran them.

    :param anonymous: leave out digests by which a cloud can be found, too
    """
    lines = []
    for line in content.decode("utf-8").split("\n"):
        try:
            record = json.loads(line)
        except ValueError:  # half a line, of a killed process
            continue
        if not isinstance(record, dict):
            raise InputError(f"{ATTEMPTS}: a line must be an object")
        record.pop("workspace", None)
        if anonymous and isinstance(placed := record.get("challenge"), dict):
            placed.pop("cloud", None)
        lines.append(json.dumps(record, ensure_ascii=False))
    return "".join(f"{line}\n" for line in lines).encode()
