"""A run is a directory; everything about it can be told from what is in it.

guideline.json   the guideline as it was read
plan.json        what was to run, where, as whom
tempest.conf     as used, secrets left out
stream.subunit   what ran, appended to as it came
attempts.jsonl   a line per start: times, what was asked, how it ended, roles in the tokens
log              what stestr said
verdict.json report.html
"""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from capabilities import reader, testlist
from capabilities.guideline import Guideline
from refstack_client.errors import InputError, MachineError
from refstack_client.files import read_json, write_json, write_text
from refstack_client.plan import Plan


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
    def tempest_conf(self) -> Path:
        return self.directory / "tempest.conf"

    @property
    def stream(self) -> Path:
        return self.directory / "stream.subunit"

    @property
    def attempts(self) -> Path:
        return self.directory / "attempts.jsonl"

    @property
    def log(self) -> Path:
        return self.directory / "log"

    @property
    def verdict(self) -> Path:
        return self.directory / "verdict.json"

    @property
    def report(self) -> Path:
        return self.directory / "report.html"


def new_id(now: datetime) -> str:
    """Return an id that sorts by time and is not met twice: ``20260131T120000Z-1a2b3c``."""
    return f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"


def create(parent: Path, run_id: str) -> Run:
    """Make the directory of a new run.

    :raises MachineError: it cannot be written
    """
    run = Run(parent / run_id)
    try:
        run.directory.mkdir(parents=True)
    except OSError as error:
        raise MachineError(
            f"the run directory {run.directory} cannot be made: {error.strerror}",
            hint="choose a place that can be written with --output DIRECTORY",
        ) from error
    return run


def keep_plan(run: Run, plan: Plan, guideline_file: bytes) -> None:
    kind = "txt" if plan.programme.guideline.schema == testlist.SCHEMA else "json"
    write_text(run.directory / f"guideline.{kind}", guideline_file.decode("utf-8"))
    write_json(run.plan, plan.as_json())


def keep_attempt(run: Run, attempt: Mapping[str, Any]) -> None:
    with run.attempts.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(attempt, ensure_ascii=False) + "\n")


def read_plan(run: Run) -> tuple[Guideline, dict[str, Any]]:
    """Return the guideline and the plan of a run.

    :raises InputError: the directory is not that of a run
    """
    document = read_json(run.plan, default=None) if run.directory.is_dir() else None
    if document is None:
        raise InputError(
            f"{run.directory} is not a run: it has no plan.json",
            hint="give the directory refstack-client certify printed, or a subunit file",
        )
    return reader.read(run.guideline)[0], document
