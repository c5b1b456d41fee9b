"""Results to be judged, whatever they come in: a run directory, a bundle, a stream."""

import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from capabilities import catalogue, programme
from capabilities.guideline import Guideline
from capabilities.programme import Programme
from refstack_client.bundle import archive
from refstack_client.bundle import contents as bundle_contents
from refstack_client.files import read_bytes
from refstack_client.outcomes import attestation, refstack_json, subunit_stream
from refstack_client.outcomes.attestation import Attestation
from refstack_client.outcomes.plan_record import PlanRecord
from refstack_client.outcomes.run_directory import Retries, Run, read_plan, retries
from scoring.conformance.outcomes import Outcomes
from scoring.conformance.verdict import Verdict, judge


@dataclass(frozen=True)
class Results:
    """What a run or a stream left: a run's own guideline, programme and plan come with it."""

    outcomes: Outcomes
    open_stream: Callable[[], BinaryIO]
    guideline: Guideline | None = None
    key: str = ""
    plan: PlanRecord | None = None
    retries: Retries | None = None
    attested: Attestation | None = None

    def programme(self, name: str | None) -> Programme | None:
        """Return the programme of the run's own guideline; None where there is no run."""
        if not self.guideline:
            return None
        return catalogue.with_bases(programme.find(self.guideline, name or self.key))

    def judge(self, chosen: Programme, *, strict: bool = False) -> Verdict:
        matches = self.plan.matches(chosen) if self.plan else None
        return judge(chosen, self.outcomes, matches, strict=strict)


def read(path: Path) -> Results:
    """Read a run directory, a bundle (as it is: ``bundle verify`` checks it), a subunit stream, or
    results as RefStack has them.

    :raises InputError: it is none of these
    """
    if path.is_dir():
        return _read_run(Run(path))
    if zipfile.is_zipfile(path):
        return _read_bundle(path)
    if path.suffix == ".json" and refstack_json.is_refstack(content := read_bytes(path)):
        found = refstack_json.read(content, str(path))
        return Results(found.outcomes(), lambda: io.BytesIO(b""))
    return Results(subunit_stream.read(path), lambda: path.open("rb"))


def _read_run(run: Run) -> Results:
    guideline, plan = read_plan(run)
    outcomes = subunit_stream.read_appended(run.stream)
    return Results(
        outcomes, lambda: run.stream.open("rb"), guideline, plan.programme, plan, retries(run)
    )


def _read_bundle(path: Path) -> Results:
    members = archive.read(path)
    guideline, plan = bundle_contents.guideline(members), bundle_contents.plan(members)
    content = members[bundle_contents.STREAM]
    outcomes = (
        subunit_stream.parse(content, f"{path}: {bundle_contents.STREAM}")
        if content
        else Outcomes(())
    )
    key = bundle_contents.manifest(members)["programme"]
    attested = None
    if bundle_contents.ATTESTATION in members:
        attested = attestation.read(
            members[bundle_contents.ATTESTATION], bundle_contents.ATTESTATION
        )
    return Results(outcomes, lambda: io.BytesIO(content), guideline, key, plan, attested=attested)
