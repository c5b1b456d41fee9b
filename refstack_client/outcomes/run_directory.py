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

import contextlib
import json
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import fasteners

from capabilities import flat_list, reader
from capabilities.guideline import Guideline
from capabilities.tempest_id import TestId
from refstack_client.errors import InputError, MachineError
from refstack_client.files import read_json, write_json, write_text
from refstack_client.planning.plan import Plan

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


def keep_request(
    run: Run, options: Mapping[str, Any], guideline: Guideline, guideline_file: bytes
) -> None:
    """Write down what is needed to go on with a run, whatever happens next."""
    kind = "txt" if guideline.schema == flat_list.SCHEMA else "json"
    write_text(run.directory / f"guideline.{kind}", guideline_file.decode("utf-8"))
    write_json(run.request, options)


def read_request(run: Run) -> tuple[Guideline, dict[str, Any]]:
    """Return the guideline and the options a run was started with.

    :raises InputError: the directory is not that of a run
    """
    return _read(run, run.request)


def keep_plan(run: Run, plan: Plan, tests: Iterable[TestId]) -> None:
    """Write down what is to run, and every test there was to choose from."""
    write_text(run.tests, "".join(f"{each.full}\n" for each in sorted(tests, key=_full)))
    write_json(run.plan, plan.as_json())


def _full(test: TestId) -> str:
    return test.full


@contextlib.contextmanager
def locked(run: Run) -> Iterator[None]:
    """Keep other processes out of a run; the lock goes when its process dies, however it dies.

    :raises MachineError: another process is in it
    """
    lock = fasteners.InterProcessLock(run.lock)
    if not lock.acquire(blocking=False):
        raise MachineError(
            f"another process is in the run {run.directory}", hint="wait for it, or stop it"
        )
    try:
        yield
    finally:
        lock.release()


class Mode(StrEnum):
    """What a start asks for."""

    ALL = "all"
    NO_OUTCOME = "no outcome"
    FAILED = "failed"


@dataclass(frozen=True)
class Attempt:
    """A start of a run and, where it came to that, its end; ``asked`` counts its tests.

    ``workspace`` is where Tempest worked; it is gone unless the attempt was cut off.
    """

    number: int
    mode: Mode
    workspace: Path
    retry_budget: int
    asked: int = 0
    started: str = ""
    ended: str = ""

    @property
    def was_cut_off(self) -> bool:
        return not self.ended


@dataclass(frozen=True)
class Retries:
    """How often what failed was run again, and how often it might be."""

    used: int
    budget: int


def retries(run: Run) -> Retries:
    return retries_of(attempts(run))


def retries_of(known: Sequence[Attempt]) -> Retries:
    used = sum(each.mode is Mode.FAILED and bool(each.asked) for each in known)
    return Retries(used, known[-1].retry_budget if known else RETRY_BUDGET)


def keep_attempt(run: Run, record: Mapping[str, Any]) -> None:
    """Append a line about an attempt; what a kill left of the line before stands alone."""
    content = run.attempts.read_bytes() if run.attempts.exists() else b""
    fresh = "" if not content or content.endswith(b"\n") else "\n"
    with run.attempts.open("a", encoding="utf-8") as stream:
        stream.write(f"{fresh}{json.dumps(record, ensure_ascii=False)}\n")


def records(run: Run) -> list[dict[str, Any]]:
    """Return what was written down about each attempt, oldest first."""
    return records_in(run.attempts.read_text(encoding="utf-8") if run.attempts.exists() else "")


def records_in(text: str) -> list[dict[str, Any]]:
    """As :func:`records`, from the content of the file."""
    known: dict[int, dict[str, Any]] = {}
    for line in text.splitlines():
        with contextlib.suppress(ValueError):  # half a line, of a kill
            record = json.loads(line)
            known.setdefault(record.get("attempt", 0), {}).update(record)
    return [each for number, each in sorted(known.items()) if number]


def attempts(run: Run) -> tuple[Attempt, ...]:
    """Return every attempt, oldest first."""
    return tuple(map(_attempt, records(run)))


def attempts_in(text: str) -> tuple[Attempt, ...]:
    """As :func:`attempts`, from the content of the file."""
    return tuple(map(_attempt, records_in(text)))


def _attempt(record: Mapping[str, Any]) -> Attempt:
    return Attempt(
        number=record["attempt"],
        mode=Mode(record["mode"]),
        # A bundle does not tell it.
        workspace=Path(record.get("workspace", "")),
        retry_budget=record["retry_budget"],
        asked=record.get("asked", 0),
        started=record.get("started", ""),
        ended=record.get("ended", ""),
    )


def cut_off(parent: Path) -> tuple[Run, ...]:
    """Return the runs in ``parent`` that died: an attempt has no end and nobody is in the run."""
    return tuple(
        run
        for path in (sorted(parent.iterdir()) if parent.is_dir() else ())
        if path.is_dir() and (run := Run(path)).request.exists() and _is_cut_off(run)
    )


def _is_cut_off(run: Run) -> bool:
    known = attempts(run)
    return bool(known) and known[-1].was_cut_off and not is_in_use(run)


def is_in_use(run: Run) -> bool:
    """Return whether another process is in a run."""
    try:
        with locked(run):
            return False
    except MachineError:
        return True
    except OSError:  # it may only be read here
        return False


def read_plan(run: Run) -> tuple[Guideline, dict[str, Any]]:
    """Return the guideline and the plan of a run; errors as for :func:`read_request`."""
    return _read(run, run.plan)


def _read(run: Run, path: Path) -> tuple[Guideline, dict[str, Any]]:
    document = read_json(path, default=None) if run.directory.is_dir() else None
    if document is None:
        raise InputError(
            f"{run.directory} is not a run: it has no {path.name}",
            hint="give the directory refstack-client certify printed, or a subunit file",
        )
    if run.guideline.suffix == ".txt":  # a list is called by its name, which is not in it
        text = run.guideline.read_text(encoding="utf-8-sig")
        name = document["guideline"]["id"]
        return flat_list.parse(text, name, str(run.guideline))[0], document
    return reader.read(run.guideline)[0], document
