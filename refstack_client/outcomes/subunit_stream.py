"""Read the subunit stream of a Tempest run, version 1 or 2, into outcomes."""

import io
import os
import re
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

import subunit
import testtools

from capabilities import tempest_id
from refstack_client.errors import InputError
from refstack_client.outcomes import causes
from scoring.conformance.outcomes import Attempt, Cause, CauseKind, ClassOutcome, Outcome, Outcomes

_CLASS_FIXTURE = re.compile(r"setUpClass \((?P<name>[\w.]+)\)")
INTERIM = (None, "exists", "inprogress")
"""Statuses of a test that has not ended."""
_OUTCOMES = {"success": Outcome.PASS, "fail": Outcome.FAIL, "skip": Outcome.SKIP}
# A final status that is none of these counts as a failure.
_NOT_PASSES = {
    "xfail": "expected failure (xfail): counts as a failure",
    "uxsuccess": "unexpected success (uxsuccess): counts as a failure",
}
_PARSER = "subunit.parser"
_V2_SIGNATURE = b"\xb3"
# What subunit's version 1 parser says of a test that was running when the stream ended.
_LOST = "lost connection during test"


def read(path: Path) -> Outcomes:
    """Read the stream in ``path``, as long as it may be.

    :raises InputError: the file cannot be read, is empty, or holds no subunit
    """
    try:
        with path.open("rb") as content:
            return _parse(content, str(path))
    except OSError as error:
        raise InputError(
            f"{path}: {error.strerror}", hint="give a run directory or a subunit file"
        ) from error


def mend(path: Path) -> int:
    """Cut off what a kill or a full disk left half-written; return how many bytes that were.

    What is appended behind half a packet would be taken for its other half.
    """
    if not path.exists():
        return 0
    with path.open("rb+") as content:
        size = os.fstat(content.fileno()).st_size
        whole = whole_packets(content, size)
        if whole < size:
            content.truncate(whole)
    return size - whole


def whole_packets(content: BinaryIO, size: int) -> int:
    """Return where the last whole packet of a version 2 stream ends (subunit's README, Packets)."""
    whole = 0
    while True:
        head = content.read(7)
        # Signature, two bytes of flags, then a length whose first two bits say how long it is.
        if len(head) < 4 or head[:1] != _V2_SIGNATURE:
            return whole
        length_bytes = (head[3] >> 6) + 1
        length = int.from_bytes(head[3 : 3 + length_bytes], "big") & (
            (1 << (8 * length_bytes - 2)) - 1
        )
        if length < 4 or whole + length > size:
            return whole
        whole += length
        content.seek(whole)


def read_appended(path: Path) -> Outcomes:
    """As :func:`read`, of a run's own stream: absent, or without a test, until something ran."""
    if not path.exists() or not path.stat().st_size:
        return Outcomes(())
    with path.open("rb") as content:
        return parse_appended(content)


def parse_appended(content: BinaryIO) -> Outcomes:
    """As :func:`read_appended`, of an open stream."""
    return _collected(content) or Outcomes(())


def parse(content: bytes, source: str) -> Outcomes:
    """As :func:`read`, from bytes; ``source`` names them in messages."""
    return _parse(io.BytesIO(content), source)


def _parse(content: BinaryIO, source: str) -> Outcomes:
    found = _collected(content)
    if found:
        return found
    is_empty = not content.seek(0, io.SEEK_END)
    raise InputError(
        f"{source} is empty" if is_empty else f"{source} is not a subunit stream",
        hint="stestr last --subunit writes one; so does tempest run --subunit",
    )


def _collected(content: BinaryIO) -> Outcomes | None:
    """Return what a stream says, None if it speaks of no test."""
    collector = Collector()
    for replay in (_replay_v2, _replay_v1) if _looks_like_v2(content) else (_replay_v1,):
        content.seek(0)
        try:
            replay(content, collector)
        except (
            ValueError,
            AssertionError,
        ):  # version 1 has no checksum: its parser trips over what is no text
            collector.note_damage()
        if not collector.is_empty:
            return collector.outcomes()
    return None


def _looks_like_v2(content: BinaryIO) -> bool:
    """Return whether the byte that begins a packet of version 2 stands anywhere."""
    content.seek(0)
    return any(_V2_SIGNATURE in chunk for chunk in iter(lambda: content.read(1 << 20), b""))


def _replay_v2(content: BinaryIO, result: testtools.StreamResult) -> None:
    subunit.ByteStreamToStreamResult(content, non_subunit_name="stdout").run(result)


def _replay_v1(content: BinaryIO, result: testtools.StreamResult) -> None:
    decorated = testtools.ExtendedToStreamDecorator(result)
    decorated.startTestRun()
    subunit.ProtocolTestCase(content, passthrough=io.BytesIO()).run(decorated)
    decorated.stopTestRun()


def copy(content: BinaryIO, target: testtools.StreamResult) -> None:
    """Pass the events of a stream of either version on to ``target``."""
    replay = _replay_v2 if _looks_like_v2(content) else _replay_v1
    content.seek(0)
    replay(content, target)


def join(parts: Sequence[BinaryIO], target: testtools.StreamResult) -> None:
    """Pass the executions in several streams of version 2 on, in the order in which they ended.

    Each is passed on in one piece, for two streams may tell of the same test at the same time.
    """
    executions: list[tuple[datetime, list[dict[str, Any]]]] = []
    for part in parts:
        collector = _Executions()
        copy(part, collector)
        executions += collector.whole()
    for _, events in sorted(executions, key=lambda each: each[0]):
        for event in events:
            target.status(**event)


class _Executions(testtools.StreamResult):
    """Collects the events of each execution, with the time of the last."""

    def __init__(self) -> None:
        super().__init__()
        self._ended: list[tuple[datetime, list[dict[str, Any]]]] = []
        self._open: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self._now = datetime.min.replace(tzinfo=UTC)

    def status(self, test_id=None, test_status=None, timestamp=None, **event):
        if test_id in (None, _PARSER):
            return
        self._now = timestamp or self._now
        self._open[test_id].append(
            {"test_id": test_id, "test_status": test_status, "timestamp": timestamp, **event}
        )
        if test_status not in INTERIM:
            self._ended.append((self._now, self._open.pop(test_id)))

    def whole(self) -> list[tuple[datetime, list[dict[str, Any]]]]:
        """Return all executions; the last are those that came to no end."""
        return self._ended + [(self._now, events) for events in self._open.values()]


def attachments(content: BinaryIO, names: Sequence[str]) -> dict[str, str]:
    """Return what the last attempt of a test, or of its class's set-up, left in a stream, by kind.

    :param names: the names the test goes by
    """
    wanted = _Attachments(frozenset(names))
    copy(content, wanted)
    return {
        name: wanted.text(name) for name in ("reason", "traceback", "pythonlogging") if wanted.found
    }


class _Attachments(testtools.StreamResult):
    """Keeps the attachments of the last attempt of one test."""

    def __init__(self, names: frozenset[str]):
        super().__init__()
        self._names = names
        self._classes = {tempest_id.class_of(name) for name in names}
        self.found: dict[str, bytearray] = {}
        self._open: dict[str, dict[str, bytearray]] = defaultdict(dict)

    def text(self, prefix: str) -> str:
        return _text(self.found, prefix)

    def status(self, test_id=None, test_status=None, file_name=None, file_bytes=None, **event):
        if test_id is None or not self._is_wanted(test_id):
            return
        if test_status == "inprogress":
            self._open.pop(test_id, None)
        if file_name and file_bytes:
            self._open[test_id].setdefault(file_name, bytearray()).extend(file_bytes)
        if test_status not in INTERIM:
            attachments = self._open.pop(test_id, {})
            self.found = attachments if final_outcome(test_id, test_status) else self.found

    def _is_wanted(self, test_id: str) -> bool:
        test = tempest_id.parse(test_id)
        return bool(test and test.name in self._names) or class_fixture(test_id) in self._classes


class Whole(testtools.StreamResult):
    """Passes on events of whole packets: what a killed stestr leaves half-written is dropped."""

    def __init__(self, target: testtools.StreamResult):
        super().__init__()
        self._target = target

    def status(self, test_id=None, **event):
        if test_id is not None and test_id != _PARSER:
            self._target.status(test_id=test_id, **event)


def class_fixture(test_id: str) -> str | None:
    """Return ``module.Class`` where ``test_id`` is that of its ``setUpClass``."""
    match = _CLASS_FIXTURE.fullmatch(test_id)
    return match["name"] if match else None


def final_outcome(test_id: str, test_status: str | None) -> Outcome | None:
    """Return the outcome that an event of a test or of a ``setUpClass`` states, None without one.

    Only a test's own end can pass it: the success of a ``setUpClass`` is not an outcome.
    """
    if test_status in INTERIM:
        return None
    outcome = _OUTCOMES.get(str(test_status), Outcome.FAIL)
    return None if outcome is Outcome.PASS and class_fixture(test_id) else outcome


class Collector(testtools.StreamResult):
    """Collects the events of a stream, live or from a file, into :class:`Outcomes`."""

    def __init__(self) -> None:
        super().__init__()
        self._attempts: list[Attempt] = []
        self._classes: list[ClassOutcome] = []
        self._started: dict[str, datetime | None] = {}
        self._attachments: dict[str, dict[str, bytearray]] = defaultdict(dict)
        self._order = 0
        self._has_ended = False
        self._damage = ""

    @property
    def is_empty(self) -> bool:
        return not (self._has_ended or self._started)

    def note_damage(self) -> None:
        self._damage = self._damage or "the stream is truncated or damaged"

    def outcomes(self) -> Outcomes:
        unfinished = (tempest_id.parse(each) for each in self._started)
        return Outcomes(
            attempts=tuple(self._attempts),
            classes=tuple(self._classes),
            unfinished=tuple(each for each in unfinished if each),
            damage=self._damage,
        )

    def status(
        self,
        test_id=None,
        test_status=None,
        file_name=None,
        file_bytes=None,
        timestamp=None,
        **event,
    ):
        if test_id is None:
            return
        if file_name and file_bytes:
            self._attachments[test_id].setdefault(file_name, bytearray()).extend(file_bytes)
        if test_id == _PARSER:
            self.note_damage()
        elif test_status == "inprogress":
            # What a killed attempt left of its attachments is not this one's.
            self._attachments.pop(test_id, None)
            self._started[test_id] = timestamp
        elif test_status not in INTERIM:
            self._end(test_id, test_status, timestamp)

    def _end(self, test_id: str, status: str, timestamp: datetime | None) -> None:
        self._order += 1
        attachments = self._attachments.pop(test_id, {})
        started = self._started.pop(test_id, None)
        fixture = class_fixture(test_id)
        test = tempest_id.parse(test_id)
        outcome = final_outcome(test_id, status)
        self._has_ended = self._has_ended or bool(fixture or test)
        if _LOST in _text(attachments, "traceback"):
            self._damage = self._damage or "the stream ends in the middle of a test"
            self._started[test_id] = started
        elif fixture and outcome:
            why, cause = _reason(fixture, status, attachments)
            self._classes.append(ClassOutcome(fixture, outcome, why, self._order, cause))
        elif test and outcome:
            why, cause = _reason(test.name, status, attachments)
            seconds = (timestamp - started).total_seconds() if timestamp and started else None
            self._attempts.append(Attempt(test, outcome, why, self._order, seconds, cause))


def _reason(name: str, status: str, attachments: dict[str, bytearray]) -> tuple[str, Cause | None]:
    outcome = _OUTCOMES.get(status)
    if outcome is Outcome.PASS:
        return "", None
    if outcome is Outcome.SKIP:
        return causes.of_skip(_text(attachments, "reason"))
    if outcome is Outcome.FAIL:
        log = _text(attachments, "pythonlogging")
        return causes.of_failure(name, _text(attachments, "traceback"), log)
    unknown = f"unknown status {status}: counts as a failure"
    return _NOT_PASSES.get(status, unknown), Cause(CauseKind.TEST)


def _text(attachments: dict[str, bytearray], prefix: str) -> str:
    """Return the attachments called ``prefix`` and a suffix (``traceback-1``)."""
    parts = [bytes(data) for name, data in attachments.items() if name.startswith(prefix)]
    return b"\n".join(parts).decode("utf-8", errors="replace")
