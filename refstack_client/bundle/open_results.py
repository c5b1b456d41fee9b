"""Open results of any form: a run directory, a bundle, a stream or RefStack's JSON."""

import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from capabilities import catalogue, programme
from capabilities.guideline import Guideline
from capabilities.programme import Programme
from refstack_client.bundle import contents
from refstack_client.bundle.contents import Bundle
from refstack_client.files import read_bytes
from refstack_client.outcomes import refstack_json, stream_file, subunit_stream
from refstack_client.outcomes.attestation import Attestation
from refstack_client.outcomes.plan_record import PlanRecord
from refstack_client.outcomes.run_attempts import Retries, most_retries
from refstack_client.outcomes.run_directory import Run, read_plan, retries
from scoring.conformance.outcomes import Outcomes
from scoring.conformance.verdict import Verdict, judge


@dataclass(frozen=True)
class Results:
    """Outcomes and, for a run or a bundle, its own guideline, programme and plan.

    ``open_stream`` opens the subunit stream; RefStack's JSON has an empty one.
    """

    outcomes: Outcomes
    open_stream: Callable[[], BinaryIO]
    guideline: Guideline | None = None
    key: str = ""
    """The key of the programme, "" for a bare stream."""
    plan: PlanRecord | None = None
    retries: Retries | None = None
    attested: Attestation | None = None

    def programme(self, name: str | None) -> Programme | None:
        """Return a programme of the own guideline, None for results without a guideline.

        :param name: key of the programme, None for the own one
        :raises GuidelineError: the guideline has no programme of that name
        """
        if not self.guideline:
            return None
        return catalogue.with_bases(programme.find(self.guideline, name or self.key))

    def judge(
        self, chosen: Programme, *, strict: bool = False, max_retries: int | None = None
    ) -> Verdict:
        """Judge the outcomes by a programme.

        :param strict: a required capability without a test that counts is incomplete
        :param max_retries: how often a test may be repeated; None for what the run itself allowed,
            which is unlimited for a bare stream
        """
        matches = self.plan.matches(chosen) if self.plan else None
        counted = most_retries(self.retries, max_retries)
        return judge(chosen, self.outcomes, matches, strict=strict, max_retries=counted)


def read(path: Path) -> Results:
    """Read results of any form. A bundle is not verified.

    :raises InputError: the file is not a run directory, a bundle, a subunit stream or RefStack's
        JSON
    """
    if path.is_dir():
        return _read_run(Run(path))
    stream_file.check_regular(path)
    if zipfile.is_zipfile(path):
        return of_bundle(Bundle.read(path))
    if path.suffix == ".json" and refstack_json.is_refstack(content := read_bytes(path)):
        found = refstack_json.read(content, str(path))
        return Results(found.outcomes(), lambda: io.BytesIO(b""))
    return Results(subunit_stream.read(path), lambda: stream_file.open_stream(path))


def _read_run(run: Run) -> Results:
    guideline, plan = read_plan(run)
    return Results(
        outcomes=subunit_stream.read_appended(run.stream),
        open_stream=lambda: run.stream.open("rb"),
        guideline=guideline,
        key=plan.programme,
        plan=plan,
        retries=retries(run),
    )


def of_bundle(bundle: Bundle) -> Results:
    """Return the results of a bundle, which is not verified."""
    return Results(
        outcomes=bundle.outcomes,
        open_stream=lambda: io.BytesIO(bundle.member(contents.STREAM)),
        guideline=bundle.guideline,
        key=bundle.manifest.programme,
        plan=bundle.plan,
        retries=bundle.retries,
        attested=bundle.attestation,
    )
