"""Run Tempest through stestr and write its subunit stream while the tests run."""

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, BinaryIO

import subunit
import testtools
from stestr.repository import file as stestr_repository

from refstack_client import interruption
from refstack_client.outcomes.redaction import Redactor
from refstack_client.outcomes.stream_tools import CompletePackets
from refstack_client.tempest.workspace import STESTR, Workspace

SUPERVISOR = (sys.executable, "-m", "refstack_client.tempest.supervisor")
_Events = queue.SimpleQueue[dict[str, Any] | None]


@dataclass(frozen=True)
class Ended:
    """How stestr ended.

    :param status: the first exit code that is not 0, else 0; negative for a signal
    :param interrupted: a signal stopped the run
    """

    status: int | None
    interrupted: bool


@dataclass(frozen=True)
class Job:
    """The tests of one stestr process.

    :param space: the workspace with the tempest.conf for the tests
    :param load_list: full ids of the tests
    :param concurrency: how many test classes run at a time
    :param seconds: estimated duration by test name, by which stestr distributes the classes
    """

    space: Workspace
    load_list: Sequence[str]
    concurrency: int
    seconds: Mapping[str, float]


@dataclass(frozen=True)
class Output:
    """The files to which a run is appended.

    :param stream: the subunit stream, secrets hidden
    :param log: what stestr writes to standard error
    """

    stream: BinaryIO
    log: BinaryIO


def run(
    jobs: Sequence[Job], secrets: Sequence[str], output: Output, listener: testtools.StreamResult
) -> Ended:
    """Run the tests of all ``jobs`` at the same time.

    Ends at the first interrupt (Ctrl-C, SIGTERM, SIGHUP) and keeps the events until then. Tempest's
    processes are killed: a test that is asked to stop reports a failure.

    :param secrets: are hidden in the stream
    :param listener: receives the events too
    :raises OSError: the output cannot be written
    """
    target = testtools.CopyStreamResult([subunit.StreamResultToBytes(output.stream), listener])
    listener.startTestRun()
    try:
        return _read(jobs, output.log, CompletePackets(Redactor(target, secrets)))
    finally:
        listener.stopTestRun()


def _start(job: Job, errors: BinaryIO) -> subprocess.Popen[bytes]:
    space = job.space
    space.load_list.write_text("".join(f"{test}\n" for test in job.load_list), encoding="utf-8")
    _record_durations(job)
    command = [*SUPERVISOR, *STESTR, "run", "--subunit", "--load-list", str(space.load_list)]
    return subprocess.Popen(
        [*command, "--concurrency", str(job.concurrency)],
        cwd=space.directory,
        env=space.environ(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        start_new_session=True,
    )


def _record_durations(job: Job) -> None:
    """Add a run with the estimated durations to stestr's repository.

    stestr distributes classes by the durations of earlier runs. Without them it deals classes in
    turn, and one worker may finish long before another.
    """
    repository = stestr_repository.RepositoryFactory().open(str(job.space.directory))
    inserter = repository.get_inserter()
    inserter.startTestRun()
    started = datetime.now(UTC)
    for name, seconds in job.seconds.items():
        for status, timestamp in (
            ("inprogress", started),
            ("success", started + timedelta(seconds=seconds)),
        ):
            inserter.status(test_id=name, test_status=status, timestamp=timestamp)
    inserter.stopTestRun()


def _read(jobs: Sequence[Job], errors: BinaryIO, target: testtools.StreamResult) -> Ended:
    """Read the stream of every stestr to its end; no process outlives this function."""
    processes: list[subprocess.Popen[bytes]] = []
    events: _Events = queue.SimpleQueue()
    try:
        with _killed_by_signals(processes) as interrupts:
            workers_before = 0
            for job in jobs:
                if not interrupts:
                    processes.append(_start(job, errors))
                    stdout = processes[-1].stdout
                    threading.Thread(target=_follow, args=(stdout, workers_before, events)).start()
                workers_before += job.concurrency
            if interrupts:  # while the last one was starting
                _kill_all(processes)
            for _ in processes:
                for event in iter(events.get, None):
                    target.status(**event)
            statuses = [process.wait() for process in processes]
            return Ended(next(filter(None, statuses), 0), interrupted=bool(interrupts))
    finally:
        _kill_all(processes)


def _follow(stdout: BinaryIO, workers_before: int, events: _Events) -> None:
    """Put the events of one stestr into ``events``, then None.

    :param workers_before: how many workers other processes have; numbers continue after them
    """
    try:
        stream = subunit.ByteStreamToStreamResult(stdout, non_subunit_name="stdout")
        stream.run(_Renumbered(events, workers_before))
    finally:
        events.put(None)


class _Renumbered(testtools.StreamResult):
    """Puts events into a queue; adds ``offset`` to the numbers of stestr's workers."""

    def __init__(self, events: _Events, offset: int):
        super().__init__()
        self._events, self._offset = events, offset

    def status(self, test_tags: set[str] | None = None, **event: Any) -> None:
        tags = {self._renumber(tag) for tag in test_tags} if test_tags else None
        self._events.put({**event, "test_tags": tags})

    def _renumber(self, tag: str) -> str:
        name, _, number = tag.rpartition("-")
        is_worker = name == "worker" and number.isdigit()
        return f"{name}-{int(number) + self._offset}" if is_worker else tag


@contextlib.contextmanager
def _killed_by_signals(processes: Sequence[subprocess.Popen[bytes]]) -> Iterator[list[str]]:
    """Kill ``processes`` at the first interrupt.

    Their streams are still read to their ends, so that no reported outcome is lost.
    Yields a list that is not empty after an interrupt.
    """
    interrupts: list[str] = []

    def kill() -> None:
        interrupts.append("interrupt")
        _kill_all(processes)

    with interruption.on_first(kill):
        yield interrupts


def _kill_all(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    """Kill each stestr and its workers: the process group that it leads."""
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
