"""Run Tempest through stestr and keep its stream as it comes."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import subunit
import testtools
from stestr.repository import file as stestr_repository

from capabilities import testid
from refstack_client import durations
from refstack_client.errors import MachineError
from refstack_client.redaction import Redactor
from refstack_client.run import Run
from refstack_client.stream import Whole
from refstack_client.workspace import STESTR, Workspace

LEASH = (sys.executable, "-m", "refstack_client.leash")
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class Ended:
    """How stestr ended: its status, or that it was interrupted."""

    status: int | None
    interrupted: bool

    def then(self, later: "Ended") -> "Ended":
        """Return how both came out; a status other than 0 stays."""
        return Ended(self.status or later.status, self.interrupted or later.interrupted)


@dataclass(frozen=True)
class Job:
    """What to run, how many tests at a time, and which secrets to keep out of the stream."""

    load_list: Sequence[str]
    concurrency: int
    secrets: Sequence[str] = field(repr=False)


def run(workspace: Workspace, job: Job, made: Run, listener: testtools.StreamResult) -> Ended:
    """Run the tests of ``job``; append their events, redacted, to the stream.

    Returns on the first interrupt (Ctrl-C, SIGTERM, SIGHUP) with what was done by then kept.
    Tempest's processes are killed rather than asked: a test asked to stop reports a failure.
    """
    workspace.load_list.write_text("".join(f"{each}\n" for each in job.load_list), encoding="utf-8")
    _tell_durations(workspace, job.load_list)
    command = [*LEASH, *STESTR, "run", "--subunit", "--load-list", str(workspace.load_list)]
    command += ["--concurrency", str(job.concurrency)]
    try:
        with made.stream.open("ab") as kept, made.log.open("ab") as errors:
            target = testtools.CopyStreamResult([subunit.StreamResultToBytes(kept), listener])
            process = subprocess.Popen(
                command,
                cwd=workspace.directory,
                env=workspace.environ(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
            )
            return _read(process, Redactor(target, job.secrets), listener)
    except OSError as error:
        raise MachineError(
            f"the run cannot be written to {made.directory}: {error.strerror}",
            hint=f"make room, then go on with: refstack-client certify --resume {made.directory}",
        ) from error


def _tell_durations(workspace: Workspace, load_list: Sequence[str]) -> None:
    """Give stestr's repository what its partitioner goes by: a run in which tests took their time.

    Without it classes are dealt in turn, and a worker may have done half a run before the others.
    """
    repository = stestr_repository.RepositoryFactory().open(str(workspace.directory))
    tests = (testid.parse(full) for full in load_list)
    inserter = repository.get_inserter()
    inserter.startTestRun()
    begun = datetime.now(UTC)
    for name, seconds in durations.by_test(test.name for test in tests if test).items():
        for status, timestamp in (
            ("inprogress", begun),
            ("success", begun + timedelta(seconds=seconds)),
        ):
            inserter.status(test_id=name, test_status=status, timestamp=timestamp)
    inserter.stopTestRun()


def _read(
    process: subprocess.Popen, target: testtools.StreamResult, listener: testtools.StreamResult
) -> Ended:
    """Read what stestr writes to its end; whatever happens, it does not outlive this."""
    try:
        with _killed_by_signals(process) as signals:
            events = subunit.ByteStreamToStreamResult(process.stdout, non_subunit_name="stdout")
            listener.startTestRun()
            events.run(Whole(target))
            return Ended(process.wait(), interrupted=bool(signals))
    finally:
        _kill(process)
        listener.stopTestRun()


@contextlib.contextmanager
def _killed_by_signals(process: subprocess.Popen) -> Iterator[list[int]]:
    """Let Ctrl-C, SIGTERM (docker stop) and SIGHUP (a lost terminal) end ``process``.

    Its stream is then read to its end as ever, so that nothing that was reported is lost. Yields
    the list of signals that came.
    """
    came: list[int] = []

    def interrupt(number, frame):
        came.append(number)
        _kill(process)

    before = {number: signal.signal(number, interrupt) for number in _STOP_SIGNALS}
    try:
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _kill(process: subprocess.Popen) -> None:
    """End stestr and its workers: they are the process group it leads."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
