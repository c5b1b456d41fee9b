"""Write a run directory: what :mod:`refstack_client.outcomes.run_directory` reads."""

import contextlib
import json
import secrets
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import fasteners

from capabilities import catalogue, flat_list
from capabilities.guideline import Guideline
from capabilities.programme import Programme
from capabilities.tempest_id import TestId
from refstack_client.errors import InputError, MachineError
from refstack_client.files import read_bytes, write_bytes, write_json, write_text
from refstack_client.outcomes.plan_record import PlanRecord
from refstack_client.outcomes.run_directory import Run, attempts, check_own, retries
from refstack_client.report import document as report_document
from refstack_client.report import html as report_html
from scoring.conformance.verdict import Verdict


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


def keep_bases(run: Run, programme: Programme) -> None:
    """Copy the guidelines that an add-on requires and that are not shipped.

    They are found there again as beside the file of the add-on (:mod:`capabilities.catalogue`).
    """
    for path in catalogue.base_files(programme):
        write_bytes(run.directory / path.name, read_bytes(path))


def keep_plan(run: Run, plan: PlanRecord, tests: Iterable[TestId]) -> None:
    """Write down what is to run, and every test there was to choose from."""
    write_text(run.tests, "".join(f"{test.full}\n" for test in sorted(tests, key=_full)))
    write_json(run.plan, plan.as_json())


def _full(test: TestId) -> str:
    return test.full


def keep_attempt(run: Run, record: Mapping[str, Any]) -> None:
    """Append a line about an attempt; a line that a kill cut off is ended first."""
    content = run.attempts.read_bytes() if run.attempts.exists() else b""
    fresh = "" if not content or content.endswith(b"\n") else "\n"
    with run.attempts.open("a", encoding="utf-8") as stream:
        stream.write(f"{fresh}{json.dumps(record, ensure_ascii=False)}\n")


def keep_verdict(run: Run, verdict: Verdict, plan: PlanRecord) -> None:
    """Write ``verdict.json`` and ``report.html`` into the run directory."""
    write_json(run.verdict, report_document.as_json(verdict))
    write_text(run.report, report_html.page(verdict, plan, retries(run)))


@contextlib.contextmanager
def locked(run: Run) -> Iterator[None]:
    """Keep other processes out of a run; the lock goes when its process dies, however it dies.

    :raises MachineError: another process uses the run
    :raises InputError: the file of the lock is a link
    """
    if run.lock.is_symlink():  # it may lead to any file, which would be created
        raise InputError(f"{run.lock} is a link", hint="remove it if you know where it is from")
    lock = fasteners.InterProcessLock(run.lock)
    if not lock.acquire(blocking=False):
        raise MachineError(
            f"another process uses the run {run.directory}", hint="wait for it, or stop it"
        )
    try:
        yield
    finally:
        lock.release()


def cut_off(parent: Path) -> tuple[Run, ...]:
    """Return the runs in ``parent`` that died: an attempt has no end, and no process uses it.

    Directories of other users, and what is not a run, are left out.
    """
    return tuple(
        run
        for path in (sorted(parent.iterdir()) if parent.is_dir() else ())
        if path.is_dir() and _is_cut_off(run := Run(path))
    )


def _is_cut_off(run: Run) -> bool:
    try:
        check_own(run)
        known = attempts(run) if run.request.exists() else ()
    except (InputError, OSError, ValueError):
        return False
    return bool(known) and known[-1].was_cut_off and not is_in_use(run)


def is_in_use(run: Run) -> bool:
    """Return whether another process uses a run."""
    try:
        with locked(run):
            return False
    except MachineError:
        return True
    except OSError:  # it may only be read here
        return False
