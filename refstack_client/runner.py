"""Run Tempest through stestr and keep its stream as it comes."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import subunit
import testtools

from refstack_client.redaction import Redactor
from refstack_client.run import Run
from refstack_client.workspace import STESTR, Workspace

_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class Ended:
    """How stestr ended: its status, or that it was interrupted."""

    status: int | None
    interrupted: bool


class _Whole(testtools.StreamResult):
    """Passes on events of whole packets: what a killed stestr leaves half-written is dropped."""

    def __init__(self, target: testtools.StreamResult):
        super().__init__()
        self._target = target

    def status(self, test_id=None, **event):
        if test_id is not None and test_id != "subunit.parser":
            self._target.status(test_id=test_id, **event)


def run(
    workspace: Workspace,
    load_list: Sequence[str],
    concurrency: int,
    made: Run,
    secrets: Sequence[str],
    listener: testtools.StreamResult,
) -> Ended:
    """Run the tests of ``load_list``; append their events, redacted, to the stream.

    Returns on the first interrupt (Ctrl-C, SIGTERM, SIGHUP) with what was done by then kept.
    Tempest's processes are killed rather than asked: a test asked to stop reports a failure.
    """
    wanted = workspace.directory / "load-list"
    wanted.write_text("".join(f"{each}\n" for each in load_list), encoding="utf-8")
    command = [*STESTR, "run", "--subunit", "--load-list", str(wanted)]
    with made.stream.open("ab") as kept, made.log.open("ab") as errors:
        target = testtools.CopyStreamResult([subunit.StreamResultToBytes(kept), listener])
        process = subprocess.Popen(
            [*command, "--concurrency", str(concurrency)],
            cwd=workspace.directory,
            env=workspace.environ(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
        )
        try:
            with _killed_by_signals(process) as signals:
                events = subunit.ByteStreamToStreamResult(process.stdout, non_subunit_name="stdout")
                listener.startTestRun()
                events.run(_Whole(Redactor(target, secrets)))
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
