"""Copy, join, truncate and search subunit streams without judging what is in them."""

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

import testtools

from capabilities import tempest_id
from refstack_client.outcomes.subunit_stream import (
    INTERIM,
    NO_TIME,
    PARSER,
    V2_SIGNATURE,
    attachment_text,
    class_fixture,
    final_outcome,
    looks_like_v2,
    replay_v1,
    replay_v2,
)
from scoring.conformance.outcomes import Outcome

KINDS_OF_ATTACHMENT = ("reason", "traceback", "pythonlogging")
_Event = dict[str, Any]


def truncate_incomplete(path: Path) -> int:
    """Cut an incomplete packet off the end of a version 2 stream; return its number of bytes.

    A killed process or a full disk leaves one. A packet appended behind it would be read as its
    second half.
    """
    if not path.exists():
        return 0
    with path.open("rb+") as content:
        size = os.fstat(content.fileno()).st_size
        complete = length_of_complete_packets(content, size)
        if complete < size:
            content.truncate(complete)
    return size - complete


def length_of_complete_packets(content: BinaryIO, size: int) -> int:
    """Return where the last complete packet of a version 2 stream ends, in bytes.

    The form of a packet is in the README of subunit, section Packets.
    """
    complete = 0
    while True:
        head = content.read(7)
        # Signature, two bytes of flags, then a length whose first two bits are its own size.
        if len(head) < 4 or head[:1] != V2_SIGNATURE:
            return complete
        length_bytes = (head[3] >> 6) + 1
        length = int.from_bytes(head[3 : 3 + length_bytes], "big") & (
            (1 << (8 * length_bytes - 2)) - 1
        )
        if length < 4 or complete + length > size:
            return complete
        complete += length
        content.seek(complete)


def copy(content: BinaryIO, target: testtools.StreamResult) -> None:
    """Pass the events of a stream of either version on to ``target``."""
    replay = replay_v2 if looks_like_v2(content) else replay_v1
    content.seek(0)
    replay(content, target)


def join(parts: Iterable[BinaryIO], target: testtools.StreamResult) -> None:
    """Pass the executions in several version 2 streams on, in the order in which they ended.

    The events of one execution stay together: two streams may hold the same test at the same time.
    """
    executions: list[tuple[datetime, list[_Event]]] = []
    for part in parts:
        collector = _Executions()
        copy(part, collector)
        executions += collector.all()
    for _, events in sorted(executions, key=lambda execution: execution[0]):
        for event in events:
            target.status(**event)


class _Executions(testtools.StreamResult):
    """Collects the events of each execution, with the time of the last."""

    def __init__(self) -> None:
        super().__init__()
        self._ended: list[tuple[datetime, list[_Event]]] = []
        self._open: dict[str, list[_Event]] = defaultdict(list)
        self._now = NO_TIME

    def status(
        self,
        test_id: str | None = None,
        test_status: str | None = None,
        timestamp: datetime | None = None,
        **event: Any,
    ) -> None:
        if test_id is None or test_id == PARSER:
            return
        self._now = timestamp or self._now
        self._open[test_id].append(
            {"test_id": test_id, "test_status": test_status, "timestamp": timestamp, **event}
        )
        if test_status not in INTERIM:
            self._ended.append((self._now, self._open.pop(test_id)))

    def all(self) -> list[tuple[datetime, list[_Event]]]:
        """Return all executions; those without an end are last."""
        return self._ended + [(self._now, events) for events in self._open.values()]


def texts(content: BinaryIO) -> Iterator[tuple[bytes, Outcome | None]]:
    """Yield the id, tags and attachments of each execution as one text, and its outcome.

    The pieces of an attachment are joined. The set-up of a class and what did not end have no
    outcome.
    """
    collector = _Executions()
    copy(content, collector)
    for _, events in collector.all():
        parts: dict[str, bytearray] = defaultdict(bytearray)
        outcome = None
        for event in events:
            parts[event.get("file_name") or ""] += bytes(event.get("file_bytes") or b"")
            parts["tags"] += " ".join(sorted(event.get("test_tags") or ())).encode() + b"\n"
            test, status = event["test_id"], event["test_status"]
            if status not in INTERIM and not class_fixture(test):
                outcome = final_outcome(test, status)
        yield b"\n".join((events[0]["test_id"].encode(), *parts.values())), outcome


def attachments(content: BinaryIO, names: Sequence[str]) -> dict[str, str]:
    """Return the attachments of the attempt of a test that ended last, by kind.

    The attempt may be one of the set-up of the test's class. Of attempts that ended at the same
    time, or at no known time, it is the worst.

    :param names: the names of the test in the guideline, aliases included
    """
    wanted = _Attachments(frozenset(names))
    copy(content, wanted)
    if not wanted.found:
        return {}
    return {kind: attachment_text(wanted.found, kind) for kind in KINDS_OF_ATTACHMENT}


class _Attachments(testtools.StreamResult):
    """Keeps the attachments of the attempt of one test that ended last."""

    def __init__(self, names: frozenset[str]) -> None:
        super().__init__()
        self._names = names
        self._classes = {tempest_id.class_of(name) for name in names}
        self.found: dict[str, bytearray] = {}
        self._last = (NO_TIME, -len(Outcome))
        self._open: dict[str, dict[str, bytearray]] = defaultdict(dict)

    def status(
        self,
        test_id: str | None = None,
        test_status: str | None = None,
        file_name: str | None = None,
        file_bytes: bytes | None = None,
        timestamp: datetime | None = None,
        **_event: Any,
    ) -> None:
        if test_id is None or not self._is_wanted(test_id):
            return
        if test_status == "inprogress":
            self._open.pop(test_id, None)
        if file_name and file_bytes:
            self._open[test_id].setdefault(file_name, bytearray()).extend(file_bytes)
        if test_status not in INTERIM:
            attachments = self._open.pop(test_id, {})
            outcome = final_outcome(test_id, test_status)
            if outcome and (end := (timestamp or NO_TIME, -outcome.badness)) >= self._last:
                self._last, self.found = end, attachments

    def _is_wanted(self, test_id: str) -> bool:
        test = tempest_id.parse(test_id)
        return bool(test and test.name in self._names) or class_fixture(test_id) in self._classes


def mark_damaged(target: testtools.StreamResult, damage: str) -> None:
    """Pass on what subunit's reader reports of a damaged packet, with ``damage`` as the reason."""
    target.status(
        test_id=PARSER,
        test_status="fail",
        file_name="Parser Error",
        file_bytes=damage.encode(),
        mime_type="text/plain;charset=utf8",
        eof=True,
    )


class CompletePackets(testtools.StreamResult):
    """Passes on the events of complete packets; a killed stestr writes incomplete ones too."""

    def __init__(self, target: testtools.StreamResult) -> None:
        """Pass events on to ``target``."""
        super().__init__()
        self._target = target

    def status(self, test_id: str | None = None, **event: Any) -> None:
        """Pass an event on, unless it is the parser's report of bytes outside of packets."""
        if test_id is not None and test_id != PARSER:
            self._target.status(test_id=test_id, **event)
