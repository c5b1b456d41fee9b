"""Read a run, which is a directory with everything about it.

guideline.json   the guideline as it was read (guideline.txt for a list)
plan.json        which tests were to run, where and as whom
tests.txt        every test of the Tempest in use
tempest.conf     as used, without secrets
stream.subunit   the results, appended while tests run
request.json     the options the run was started with
attempts.jsonl   lines at each start and end: number of tests, status, roles in tokens
log              the output of stestr
sbom.json        the packages of the image, for a run in a container
verdict.json     the verdict
report.html      the verdict as a page
tenancy.json     the resources of the run in the cloud, until they are removed
challenge.txt    the challenge of a certifier, if the run answers one
lock             locked by the process that writes the run

:mod:`refstack_client.running.run_recorder` writes these files.
"""

import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from capabilities import flat_list, reader
from capabilities.guideline import Guideline
from refstack_client.errors import InputError
from refstack_client.files import read_bytes
from refstack_client.outcomes import challenge, run_attempts
from refstack_client.outcomes.challenge import SignedChallenge
from refstack_client.outcomes.json_value import JsonValue
from refstack_client.outcomes.plan_record import PlanRecord
from refstack_client.outcomes.run_attempts import Retries, RunAttempt


@dataclass(frozen=True)
class Run:
    """The paths of a run."""

    directory: Path

    @property
    def id(self) -> str:
        """The ID of the run, which is the name of its directory."""
        return self.directory.name

    @property
    def guideline(self) -> Path:
        """The guideline: a JSON file, or a list of tests as text."""
        listed = self.directory / "guideline.txt"
        return listed if listed.exists() else self.directory / "guideline.json"

    @property
    def plan(self) -> Path:
        """The plan (:mod:`plan_record`)."""
        return self.directory / "plan.json"

    @property
    def tests(self) -> Path:
        """The full IDs of every test of the Tempest in use."""
        return self.directory / "tests.txt"

    @property
    def tempest_conf(self) -> Path:
        """The tempest.conf as used, without secrets."""
        return self.directory / "tempest.conf"

    @property
    def stream(self) -> Path:
        """The subunit stream of all attempts."""
        return self.directory / "stream.subunit"

    @property
    def request(self) -> Path:
        """The options the run was started with."""
        return self.directory / "request.json"

    @property
    def lock(self) -> Path:
        """The file that the process in the run has locked."""
        return self.directory / "lock"

    @property
    def attempts(self) -> Path:
        """The lines about each attempt."""
        return self.directory / "attempts.jsonl"

    @property
    def log(self) -> Path:
        """The output of stestr."""
        return self.directory / "log"

    @property
    def tenancy(self) -> Path:
        """The resources of the run in the cloud; there is no such file once they are removed."""
        return self.directory / "tenancy.json"

    @property
    def sbom(self) -> Path:
        """The packages of the image, for a run in a container."""
        return self.directory / "sbom.json"

    @property
    def challenge_file(self) -> Path:
        """The challenge of a certifier, if the run answers one."""
        return self.directory / "challenge.txt"

    @property
    def challenge(self) -> SignedChallenge | None:
        """The challenge that the run answers.

        :raises InputError: the file has another form
        """
        path = self.challenge_file
        return challenge.parse(read_bytes(path), str(path)) if path.exists() else None

    @property
    def name_prefix(self) -> str:
        """The start of the names of what the run creates in the cloud.

        It is short: the name of a project has at most 64 characters, that of a host 63.
        """
        answered = self.challenge
        mark = f"-{answered.mark}" if answered else ""
        return f"refstack-{self.id[-6:]}{mark}"

    @property
    def verdict(self) -> Path:
        """The verdict as JSON."""
        return self.directory / "verdict.json"

    @property
    def report(self) -> Path:
        """The verdict as a page."""
        return self.directory / "report.html"


_GIVE = "give the directory that refstack-client certify printed, or a subunit file"
_ID = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{6}")


def check_id(run: Run) -> None:
    """Check the name of a run directory: names of the resources of the run derive from it.

    :raises InputError: the name is not that of a run
    """
    if not _ID.fullmatch(run.id):
        raise InputError(
            f"{run.directory} is not named like a run (20260131T120000Z-1a2b3c): its resources in "
            "the cloud cannot be distinguished from others",
            hint="rename the directory to the name that certify printed",
        )


def check_own(run: Run) -> None:
    """Check that a run directory is one that this user may continue.

    Another user can put a directory where the results are. What a run records is removed from the
    cloud, and its files are written: they must be no links, pipes or devices.

    :raises InputError: it belongs to another user, or contains something else than files
    """
    try:
        owner = run.directory.stat().st_uid
        entries = sorted(run.directory.iterdir())
        odd = [path for path in entries if not stat.S_ISREG(path.lstat().st_mode)]
    except OSError as error:
        raise InputError(f"{run.directory} is not a run: {error.strerror}", hint=_GIVE) from error
    if owner != os.geteuid():
        raise InputError(
            f"{run.directory} belongs to another user, who may have changed what it records",
            hint="if you trust it, copy it: cp -r --no-preserve=ownership",
        )
    if odd:
        raise InputError(
            f"{odd[0]} is not a regular file, which a run directory has only",
            hint="remove it if you know where it is from",
        )


def read_request(run: Run) -> tuple[Guideline, Mapping[str, Any]]:
    """Return the guideline and the options a run was started with.

    :raises InputError: the directory is not that of a run
    """
    document = _document(run, run.request)
    return _guideline(run, document), document.object()


def retries(run: Run) -> Retries:
    """Return the retries of a run."""
    return run_attempts.retries_of(attempts(run))


def records(run: Run) -> tuple[JsonValue, ...]:
    """Return what ``attempts.jsonl`` records of each attempt, oldest first.

    :raises InputError: it has another form
    """
    try:
        return run_attempts.records_in(
            run.attempts.read_text(encoding="utf-8") if run.attempts.exists() else ""
        )
    except UnicodeDecodeError as error:
        raise InputError(f"{run.attempts} is not in UTF-8") from error


def attempts(run: Run) -> tuple[RunAttempt, ...]:
    """Return every attempt of a run, oldest first."""
    return tuple(map(RunAttempt.from_json, records(run)))


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
            hint=_GIVE,
        )
    return JsonValue.parse(read_bytes(path), str(path))


def _guideline(run: Run, document: JsonValue) -> Guideline:
    if run.guideline.suffix == ".txt":  # the name of a list is not in the list
        text = run.guideline.read_text(encoding="utf-8-sig")
        name = document.member("guideline").member("id").text()
        return flat_list.parse(text, name, str(run.guideline))[0]
    return reader.read(run.guideline)[0]
