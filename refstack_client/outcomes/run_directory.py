"""A run is a directory; everything about it can be told from what is in it.

guideline.json   the guideline as it was read
plan.json        what was to run, where, as whom
tests.txt        every test of the Tempest that was used
tempest.conf     as used, secrets left out
stream.subunit   what ran, appended to as it came
request.json     the options it was started with
attempts.jsonl   a line per start and one per end: what was asked, how it ended, roles in tokens
log              what stestr said
sbom.json        what was in the image, where it ran in one
verdict.json report.html
tenancy.json     what it made in the cloud, until all its tests are done and that is gone
lock             held by the process that is in the run
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from capabilities import flat_list, reader
from capabilities.guideline import Guideline
from refstack_client.errors import InputError
from refstack_client.outcomes.json_value import JsonValue
from refstack_client.outcomes.plan_record import PlanRecord

RETRY_BUDGET = 3
"""How often what failed may be run again unless asked otherwise; the verdict tells."""


@dataclass(frozen=True)
class Run:
    """The paths of a run."""

    directory: Path

    @property
    def id(self) -> str:
        return self.directory.name

    @property
    def guideline(self) -> Path:
        listed = self.directory / "guideline.txt"
        return listed if listed.exists() else self.directory / "guideline.json"

    @property
    def plan(self) -> Path:
        return self.directory / "plan.json"

    @property
    def tests(self) -> Path:
        return self.directory / "tests.txt"

    @property
    def tempest_conf(self) -> Path:
        return self.directory / "tempest.conf"

    @property
    def stream(self) -> Path:
        return self.directory / "stream.subunit"

    @property
    def request(self) -> Path:
        return self.directory / "request.json"

    @property
    def lock(self) -> Path:
        return self.directory / "lock"

    @property
    def attempts(self) -> Path:
        return self.directory / "attempts.jsonl"

    @property
    def log(self) -> Path:
        return self.directory / "log"

    @property
    def tenancy(self) -> Path:
        """What must be known to remove what the run made; gone when it is removed."""
        return self.directory / "tenancy.json"

    @property
    def sbom(self) -> Path:
        return self.directory / "sbom.json"

    @property
    def verdict(self) -> Path:
        return self.directory / "verdict.json"

    @property
    def report(self) -> Path:
        return self.directory / "report.html"


_ID = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{6}")


def check_id(run: Run) -> None:
    """Check that a directory is called as a run is: names of what it made come from that.

    :raises InputError: it is not
    """
    if not _ID.fullmatch(run.id):
        raise InputError(
            f"{run.directory} is not called as a run is (20260131T120000Z-1a2b3c), so what it made "
            "cannot be told from what others made",
            hint="give the directory the name it was made with",
        )


def read_request(run: Run) -> tuple[Guideline, Mapping[str, Any]]:
    """Return the guideline and the options a run was started with.

    :raises InputError: the directory is not that of a run
    """
    document = _document(run, run.request)
    return _guideline(run, document), document.object()


class Mode(StrEnum):
    """What a start asks for."""

    ALL = "all"
    NO_OUTCOME = "no outcome"
    FAILED = "failed"


@dataclass(frozen=True)
class RunAttempt:
    """A start of a run and its end, "" where it was cut off; ``asked`` counts its tests.

    ``workspace`` is where Tempest worked. It is gone unless the attempt was cut off.
    """

    number: int
    mode: Mode
    workspace: Path
    retry_budget: int
    asked: int = 0
    started: str = ""
    ended: str = ""

    @classmethod
    def from_json(cls, record: JsonValue) -> "RunAttempt":
        """Read what the lines of one attempt record together.

        :raises InputError: it has another form; names file and JSON pointer
        """
        return cls(
            number=record.member("attempt").number(),
            mode=record.member("mode").choice(Mode),
            # A bundle leaves it out.
            workspace=Path(record.optional("workspace", JsonValue.text, "")),
            retry_budget=record.member("retry_budget").number(),
            asked=record.optional("asked", JsonValue.number, 0),
            started=record.optional("started", JsonValue.text, ""),
            ended=record.optional("ended", JsonValue.text, ""),
        )

    @property
    def was_cut_off(self) -> bool:
        """Return whether the attempt died without an end."""
        return not self.ended


@dataclass(frozen=True)
class Retries:
    """How often failed tests were run again, and how often they could be."""

    used: int
    budget: int


def retries(run: Run) -> Retries:
    """Return the retries of a run."""
    return retries_of(attempts(run))


def retries_of(attempts: Sequence[RunAttempt]) -> Retries:
    """Return the retries in ``attempts``, oldest first."""
    used = sum(attempt.mode is Mode.FAILED and bool(attempt.asked) for attempt in attempts)
    return Retries(used, attempts[-1].retry_budget if attempts else RETRY_BUDGET)


def records(run: Run) -> tuple[JsonValue, ...]:
    """Return what ``attempts.jsonl`` records of each attempt, oldest first."""
    return records_in(run.attempts.read_text(encoding="utf-8") if run.attempts.exists() else "")


def records_in(text: str) -> tuple[JsonValue, ...]:
    """As :func:`records`, from the content of the file.

    :raises InputError: a line is JSON, but not an object with a number ``attempt``
    """
    found: dict[int, dict[str, object]] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            content = json.loads(line)
        except RecursionError as error:
            raise InputError(f"attempts.jsonl:{number}: nested too deeply") from error
        except ValueError:  # half a line, of a killed process
            continue
        record = JsonValue(content, f"attempts.jsonl:{number}")
        attempt = record.optional("attempt", JsonValue.number, 0)
        found.setdefault(attempt, {}).update(record.object())
    return tuple(
        JsonValue(found[attempt], f"attempts.jsonl: attempt {attempt}")
        for attempt in sorted(found)
        if attempt
    )


def attempts(run: Run) -> tuple[RunAttempt, ...]:
    """Return every attempt of a run, oldest first."""
    return tuple(map(RunAttempt.from_json, records(run)))


def attempts_in(text: str) -> tuple[RunAttempt, ...]:
    """As :func:`attempts`, from the content of the file."""
    return tuple(map(RunAttempt.from_json, records_in(text)))


def read_plan(run: Run) -> tuple[Guideline, PlanRecord]:
    """Return the guideline and the plan of a run.

    :raises InputError: the directory is not that of a run, or a file in it has another form
    """
    document = _document(run, run.plan)
    return _guideline(run, document), PlanRecord.from_json(document)


def _document(run: Run, path: Path) -> JsonValue:
    if not run.directory.is_dir() or not path.is_file():
        raise InputError(
            f"{run.directory} is not a run: it has no {path.name}",
            hint="give the directory refstack-client certify printed, or a subunit file",
        )
    return JsonValue.parse(path.read_bytes(), str(path))


def _guideline(run: Run, document: JsonValue) -> Guideline:
    if run.guideline.suffix == ".txt":  # the name of a list is not in the list
        text = run.guideline.read_text(encoding="utf-8-sig")
        name = document.member("guideline").member("id").text()
        return flat_list.parse(text, name, str(run.guideline))[0]
    return reader.read(run.guideline)[0]
