"""Read the subunit stream of a Tempest run, version 1 or 2, into outcomes."""

import io
import re
from collections import defaultdict
from datetime import datetime
from pathlib import Path

import subunit
import testtools

from capabilities import testid
from refstack_client import reason
from refstack_client.errors import InputError
from scoring.outcome import Attempt, ClassOutcome, Outcome, Outcomes

_CLASS_FIXTURE = re.compile(r"setUpClass \((?P<name>[\w.]+)\)")
FINAL = {
    "success": Outcome.PASS,
    "xfail": Outcome.PASS,
    "fail": Outcome.FAIL,
    "uxsuccess": Outcome.FAIL,
    "skip": Outcome.SKIP,
}
_PARSER = "subunit.parser"
_V2_SIGNATURE = b"\xb3"
# What subunit's version 1 parser says of a test that was running when the stream ended.
_LOST = "lost connection during test"


def read(path: Path) -> Outcomes:
    """Read the stream in ``path``.

    :raises InputError: the file cannot be read, is empty, or holds no subunit
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(
            f"{path}: {error.strerror}", hint="give a run directory or a subunit file"
        ) from error
    return parse(content, str(path))


def read_appended(path: Path) -> Outcomes:
    """As :func:`read`, of a run's own stream, which is empty or absent until something ran."""
    return read(path) if path.exists() and path.stat().st_size else Outcomes(())


def parse(content: bytes, source: str) -> Outcomes:
    """As :func:`read`, from bytes; ``source`` names them in messages."""
    collector = Collector()
    for replay in (_replay_v2, _replay_v1) if _V2_SIGNATURE in content else (_replay_v1,):
        replay(content, collector)
        if not collector.is_empty:
            return collector.outcomes()
    raise InputError(
        f"{source} is empty" if not content else f"{source} is not a subunit stream",
        hint="stestr last --subunit writes one; so does tempest run --subunit",
    )


def _replay_v2(content: bytes, result: testtools.StreamResult) -> None:
    subunit.ByteStreamToStreamResult(io.BytesIO(content), non_subunit_name="stdout").run(result)


def _replay_v1(content: bytes, result: testtools.StreamResult) -> None:
    decorated = testtools.ExtendedToStreamDecorator(result)
    decorated.startTestRun()
    subunit.ProtocolTestCase(io.BytesIO(content), passthrough=io.BytesIO()).run(decorated)
    decorated.stopTestRun()


def class_fixture(test_id: str) -> str | None:
    """Return ``module.Class`` where ``test_id`` is that of its ``setUpClass``."""
    match = _CLASS_FIXTURE.fullmatch(test_id)
    return match["name"] if match else None


class Collector(testtools.StreamResult):
    """Collects the events of a stream, live or from a file, into :class:`Outcomes`."""

    def __init__(self) -> None:
        super().__init__()
        self._attempts: list[Attempt] = []
        self._classes: list[ClassOutcome] = []
        self._started: dict[str, datetime | None] = {}
        self._attachments: dict[str, dict[str, bytearray]] = defaultdict(dict)
        self._order = 0
        self._damage = ""

    @property
    def is_empty(self) -> bool:
        return not (self._attempts or self._classes or self._started)

    def outcomes(self) -> Outcomes:
        unfinished = (testid.parse(each) for each in self._started)
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
            self._damage = self._damage or "the stream is truncated or damaged"
        elif test_status == "inprogress":
            self._started[test_id] = timestamp
        elif test_status in FINAL:
            self._end(test_id, FINAL[test_status], timestamp)

    def _end(self, test_id: str, outcome: Outcome, timestamp: datetime | None) -> None:
        self._order += 1
        attachments = self._attachments.pop(test_id, {})
        started = self._started.pop(test_id, None)
        fixture = class_fixture(test_id)
        test = testid.parse(test_id)
        if _LOST in _text(attachments, "traceback"):
            self._damage = self._damage or "the stream ends in the middle of a test"
            self._started[test_id] = started
        elif fixture:
            why = _reason(fixture, outcome, attachments)
            self._classes.append(ClassOutcome(fixture, outcome, why, self._order))
        elif test:
            why = _reason(test.name, outcome, attachments)
            seconds = (timestamp - started).total_seconds() if timestamp and started else None
            self._attempts.append(Attempt(test, outcome, why, self._order, seconds))


def _reason(name: str, outcome: Outcome, attachments: dict[str, bytearray]) -> str:
    if outcome is Outcome.SKIP:
        return reason.of_skip(_text(attachments, "reason"))
    if outcome is Outcome.FAIL:
        log = _text(attachments, "pythonlogging")
        return reason.of_failure(name, _text(attachments, "traceback"), log)
    return ""


def _text(attachments: dict[str, bytearray], prefix: str) -> str:
    """Return the attachments called ``prefix`` and a suffix (``traceback-1``)."""
    parts = [bytes(data) for name, data in attachments.items() if name.startswith(prefix)]
    return b"\n".join(parts).decode("utf-8", errors="replace")
