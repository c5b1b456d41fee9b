"""Run Tempest through stestr and keep its stream as it comes."""

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, BinaryIO

import subunit
import testtools
from stestr.repository import file as stestr_repository

from capabilities import tempest_id
from refstack_client.errors import MachineError
from refstack_client.outcomes.redaction import Redactor
from refstack_client.outcomes.run_directory import Run
from refstack_client.outcomes.stream_tools import CompletePackets
from refstack_client.planning import durations
from refstack_client.tempest.concurrency import Workers
from refstack_client.tempest.workspace import STESTR, Workspace

LEASH = (sys.executable, "-m", "refstack_client.tempest.supervisor")
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class Ended:
    """How stestr ended: its status, or that it was interrupted."""

    status: int | None
    interrupted: bool


@dataclass(frozen=True)
class Job:
    """What one stestr runs: which tests, by which configuration, how many at a time."""

    space: Workspace
    load_list: Sequence[str]
    workers: Workers


def run(
    jobs: Sequence[Job], secrets: Sequence[str], made: Run, listener: testtools.StreamResult
) -> Ended:
    """Run the tests of all ``jobs`` at once; append their events, without secrets, to the stream.

    Returns on the first interrupt (Ctrl-C, SIGTERM, SIGHUP) with what was done by then kept.
    Tempest's processes are killed rather than asked: a test asked to stop reports a failure.
    """
    try:
        with made.stream.open("ab") as kept, made.log.open("ab") as errors:
            target = testtools.CopyStreamResult([subunit.StreamResultToBytes(kept), listener])
            listener.startTestRun()
            try:
                return _read(jobs, errors, CompletePackets(Redactor(target, secrets)))
            finally:
                listener.stopTestRun()
    except OSError as error:
        raise MachineError(
            f"the run cannot be written to {made.directory}: {error.strerror}",
            hint=f"make room, then go on with: refstack-client certify --resume {made.directory}",
        ) from error


def _start(job: Job, errors: BinaryIO) -> subprocess.Popen[bytes]:
    space = job.space
    space.load_list.write_text("".join(f"{each}\n" for each in job.load_list), encoding="utf-8")
    _tell_durations(job)
    command = [*LEASH, *STESTR, "run", "--subunit", "--load-list", str(space.load_list)]
    return subprocess.Popen(
        [*command, "--concurrency", str(job.workers.count)],
        cwd=space.directory,
        env=space.environ(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        start_new_session=True,
    )


def _tell_durations(job: Job) -> None:
    """Give stestr's repository what its partitioner goes by: a run in which tests took their time.

    Without it classes are dealt in turn, and a worker may have done half a run before the others.
    """
    repository = stestr_repository.RepositoryFactory().open(str(job.space.directory))
    tests = (tempest_id.parse(full) for full in job.load_list)
    inserter = repository.get_inserter()
    inserter.startTestRun()
    begun = datetime.now(UTC)
    names = (test.name for test in tests if test)
    for name, seconds in durations.by_test(names, job.workers.away).items():
        for status, timestamp in (
            ("inprogress", begun),
            ("success", begun + timedelta(seconds=seconds)),
        ):
            inserter.status(test_id=name, test_status=status, timestamp=timestamp)
    inserter.stopTestRun()


def _read(jobs: Sequence[Job], errors: BinaryIO, target: testtools.StreamResult) -> Ended:
    """Read what every stestr writes to its end; whatever happens, none outlives this."""
    processes: list[subprocess.Popen[bytes]] = []
    events: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
    try:
        with _killed_by_signals(processes) as signals:
            before = 0
            for job in jobs:
                if not signals:
                    processes.append(_start(job, errors))
                    stdout = processes[-1].stdout
                    threading.Thread(target=_follow, args=(stdout, before, events)).start()
                before += job.workers.count
            for _ in processes:
                for event in iter(events.get, None):
                    target.status(**event)
            statuses = [each.wait() for each in processes]
            return Ended(next(filter(None, statuses), 0), interrupted=bool(signals))
    finally:
        for each in processes:
            _kill(each)


def _follow(stdout: BinaryIO, before: int, events: queue.SimpleQueue) -> None:
    """Pass on the events of one stestr, then None.

    :param before: how many workers others have: theirs are numbered first
    """
    try:
        reading = subunit.ByteStreamToStreamResult(stdout, non_subunit_name="stdout")
        reading.run(_Numbered(events, before))
    finally:
        events.put(None)


class _Numbered(testtools.StreamResult):
    """Puts events into a queue; stestr's workers are numbered from ``before``."""

    def __init__(self, events: queue.SimpleQueue, before: int):
        super().__init__()
        self._events, self._before = events, before

    def status(self, test_tags=None, **event):
        tags = {self._number(each) for each in test_tags} if test_tags else None
        self._events.put({**event, "test_tags": tags})

    def _number(self, tag: str) -> str:
        name, _, number = tag.rpartition("-")
        is_worker = name == "worker" and number.isdigit()
        return f"{name}-{int(number) + self._before}" if is_worker else tag


@contextlib.contextmanager
def _killed_by_signals(processes: Sequence[subprocess.Popen[bytes]]) -> Iterator[list[int]]:
    """Let Ctrl-C, SIGTERM (docker stop) and SIGHUP (a lost terminal) end ``processes``.

    Their streams are then read to their ends as ever, so that nothing that was reported is lost.
    Yields the list of signals that came.
    """
    came: list[int] = []

    def interrupt(number, frame):
        came.append(number)
        for each in processes:
            _kill(each)

    before = {number: signal.signal(number, interrupt) for number in _STOP_SIGNALS}
    try:
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End stestr and its workers: they are the process group it leads."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
