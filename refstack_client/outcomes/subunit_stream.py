"""Read the subunit stream of a Tempest run, version 1 or 2, into outcomes."""

import io
import re
import struct
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

import subunit
import testtools

from capabilities import tempest_id
from refstack_client.errors import InputError
from refstack_client.outcomes import causes, stream_file
from scoring.conformance.outcomes import (
    Attempt,
    Cause,
    CauseKind,
    ClassOutcome,
    Event,
    OtherFailure,
    Outcome,
    Outcomes,
    in_time_order,
)

_CLASS_FIXTURE = re.compile(r"setUpClass \((?P<name>[\w.]+)\)")
INTERIM = (None, "exists", "inprogress")
"""Statuses of a test that has not ended."""
_OUTCOMES = {"success": Outcome.PASS, "fail": Outcome.FAIL, "skip": Outcome.SKIP}
# Any other final status counts as a failure.
_NOT_PASSES = {
    "xfail": "expected failure (xfail): counts as a failure",
    "uxsuccess": "unexpected success (uxsuccess): counts as a failure",
}
PARSER = "subunit.parser"
"""Test ID under which subunit reports bytes that are not a packet."""
_DAMAGE = (AssertionError, LookupError, ValueError, struct.error)
"""What subunit's parsers raise besides: version 1 has no checksum, and one of 2 can be forged."""
V2_SIGNATURE = b"\xb3"
"""The first byte of each packet of version 2."""
MOST_BYTES_OUTSIDE = 4 * 1024 * 1024
"""Of other output between the packets of version 2; each byte takes a microsecond."""
_OUTSIDE = "stdout"
"""The name of the file in which subunit reports it."""
NO_TIME = datetime.min.replace(tzinfo=UTC)
"""The time of what a version 1 stream reports before it states a time."""


def read(path: Path) -> Outcomes:
    """Read the stream in ``path`` in little memory, whatever its size.

    It may be compressed with gzip.

    :raises InputError: the file cannot be read, is empty, or holds no subunit
    """
    with stream_file.open_stream(path) as content:
        return _parse(content, str(path))


def read_appended(path: Path) -> Outcomes:
    """As :func:`read`, of the stream of a run, which is absent or empty until a test ran."""
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
    if not found:
        raise stream_file.not_a_stream(content, source)
    return found


def _collected(content: BinaryIO) -> Outcomes | None:
    """Return the outcomes in a stream, None if no test is in it."""
    collector = Collector()
    for replay in (replay_v2, replay_v1) if looks_like_v2(content) else (replay_v1,):
        content.seek(0)
        replay(content, collector)
        if not collector.is_empty:
            if replay is replay_v1:
                collector.note_end()
            return collector.outcomes()
    return None


def looks_like_v2(content: BinaryIO) -> bool:
    """Return whether the signature of a version 2 packet is anywhere in ``content``."""
    content.seek(0)
    return any(V2_SIGNATURE in chunk for chunk in iter(lambda: content.read(1 << 20), b""))


def replay_v2(content: BinaryIO, result: testtools.StreamResult) -> None:
    """Pass the events of a version 2 stream on to ``result``.

    :raises InputError: more than :data:`MOST_BYTES_OUTSIDE` are outside of its packets
    """
    try:
        bounded = _FewBytesOutside(result)
        subunit.ByteStreamToStreamResult(content, non_subunit_name=_OUTSIDE).run(bounded)
    except _DAMAGE:
        result.status(test_id=PARSER, test_status="fail")


class _FewBytesOutside(testtools.StreamResult):
    """Passes events on, unless too many bytes are outside of packets: each is read alone."""

    def __init__(self, target: testtools.StreamResult) -> None:
        super().__init__()
        self._target = target
        self._bytes = 0

    def status(
        self,
        test_id: str | None = None,
        test_status: str | None = None,
        file_name: str | None = None,
        file_bytes: bytes | None = None,
        **event: Any,
    ) -> None:
        if test_id is None and file_name == _OUTSIDE and file_bytes:
            self._bytes += len(file_bytes)
            if self._bytes > MOST_BYTES_OUTSIDE:
                raise InputError(
                    f"more than {MOST_BYTES_OUTSIDE} bytes of the stream are not subunit",
                    hint="remove the other output from the file",
                )
        self._target.status(
            test_id=test_id,
            test_status=test_status,
            file_name=file_name,
            file_bytes=file_bytes,
            **event,
        )


def replay_v1(content: BinaryIO, result: testtools.StreamResult) -> None:
    """Pass the events of a version 1 stream on to ``result``.

    A test that runs when the stream ends has no end. subunit's own reader would report a failure,
    which could not be distinguished from that of a test.
    """
    decorated = testtools.ExtendedToStreamDecorator(result)
    decorated.startTestRun()
    decorated.time(NO_TIME)
    protocol = subunit.TestProtocolServer(decorated, io.BytesIO())
    try:
        for line in content:
            protocol.lineReceived(line)
    except _DAMAGE:
        result.status(test_id=PARSER, test_status="fail")
    decorated.stopTestRun()


def class_fixture(test_id: str) -> str | None:
    """Return ``module.Class`` if ``test_id`` is that of its ``setUpClass``, else None."""
    match = _CLASS_FIXTURE.fullmatch(test_id) if test_id.startswith("setUpClass") else None
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
        """Start without events."""
        super().__init__()
        self._ends: list[tuple[Event, datetime | None]] = []
        self._other_failures: list[OtherFailure] = []
        self._started: dict[str, datetime | None] = {}
        self._attachments: dict[str, dict[str, bytearray]] = defaultdict(dict)
        self._has_ended = False
        self._damage = ""
        self._began: datetime | None = None
        self._last: datetime | None = None

    @property
    def is_empty(self) -> bool:
        """Return whether no test and no set-up of a class started or ended."""
        return not (self._has_ended or self._started)

    def note_damage(self) -> None:
        """Record that the stream is truncated or damaged."""
        self._damage = self._damage or "the stream is truncated or damaged"

    def note_end(self) -> None:
        """Record that the stream ended, where only a cut-off one ends in the middle of a test."""
        if self._started:
            self._damage = self._damage or "the stream ends in the middle of a test"

    def outcomes(self) -> Outcomes:
        """Return the outcomes of all events so far."""
        unfinished = (tempest_id.parse(test_id) for test_id in self._started)
        ordered = in_time_order(self._ends)
        return Outcomes(
            attempts=tuple(event for event in ordered if isinstance(event, Attempt)),
            classes=tuple(event for event in ordered if isinstance(event, ClassOutcome)),
            unfinished=tuple(test for test in unfinished if test),
            damage=self._damage,
            other_failures=tuple(self._other_failures),
            began=self._began,
            ended=self._last,
        )

    def status(
        self,
        test_id: str | None = None,
        test_status: str | None = None,
        file_name: str | None = None,
        file_bytes: bytes | None = None,
        timestamp: datetime | None = None,
        **_event: Any,
    ) -> None:
        """Take one event; what a test means follows from its last one."""
        if timestamp and timestamp != NO_TIME:
            self._began = min(timestamp, self._began or timestamp)
            self._last = max(timestamp, self._last or timestamp)
        if test_id is None:
            return
        if file_name and file_bytes:
            self._attachments[test_id].setdefault(file_name, bytearray()).extend(file_bytes)
        if test_id == PARSER:
            self.note_damage()
        elif test_status == "inprogress":
            # Attachments of a killed attempt do not belong to this one.
            self._attachments.pop(test_id, None)
            self._started[test_id] = timestamp
        elif test_status not in INTERIM:
            self._end(test_id, test_status, timestamp)

    def _end(self, test_id: str, status: str, timestamp: datetime | None) -> None:
        attachments = self._attachments.pop(test_id, {})
        started = self._started.pop(test_id, None)
        ended = None if timestamp == NO_TIME else timestamp
        fixture = class_fixture(test_id)
        test = tempest_id.parse(test_id)
        outcome = final_outcome(test_id, status)
        self._has_ended = self._has_ended or bool(fixture or test)
        place = len(self._ends) + 1
        if fixture and outcome:
            why, cause = _reason(fixture, status, attachments)
            self._ends.append((ClassOutcome(fixture, outcome, why, place, cause), ended))
        elif test and outcome:
            why, cause = _reason(test.name, status, attachments)
            seconds = (ended - started).total_seconds() if ended and started else None
            self._ends.append((Attempt(test, outcome, why, place, seconds, cause), ended))
        elif outcome is Outcome.FAIL:
            why, _ = _reason(test_id, status, attachments)
            self._other_failures.append(OtherFailure(test_id, why))


def _reason(name: str, status: str, attachments: dict[str, bytearray]) -> tuple[str, Cause | None]:
    outcome = _OUTCOMES.get(status)
    if outcome is Outcome.PASS:
        return "", None
    if outcome is Outcome.SKIP:
        return causes.of_skip(attachment_text(attachments, "reason"))
    if outcome is Outcome.FAIL:
        log = attachment_text(attachments, "pythonlogging")
        return causes.of_failure(name, attachment_text(attachments, "traceback"), log)
    unknown = f"unknown status {status}: counts as a failure"
    return _NOT_PASSES.get(status, unknown), Cause(CauseKind.TEST)


def attachment_text(attachments: dict[str, bytearray], prefix: str) -> str:
    """Return the attachments called ``prefix`` and a suffix (``traceback-1``)."""
    parts = [bytes(data) for name, data in attachments.items() if name.startswith(prefix)]
    return b"\n".join(parts).decode("utf-8", errors="replace")
