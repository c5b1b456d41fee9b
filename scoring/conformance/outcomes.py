"""The outcomes of the tests of a run, independent of any guideline."""

import functools
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum

from capabilities.tempest_id import TestId


class Outcome(StrEnum):
    """The outcome of a test, worst first."""

    FAIL = "fail"
    MISSING = "missing"
    """Not in the Tempest that was used."""
    NOT_RUN = "not-run"
    SKIP = "skip"
    PASS = "pass"  # noqa: S105 - no password

    @property
    def badness(self) -> int:
        """The place in the order of outcomes: 0 is the worst."""
        return _BADNESS[self]


_BADNESS = {outcome: place for place, outcome in enumerate(Outcome)}


class CauseKind(StrEnum):
    """The kind of cause why a test did not pass."""

    UNREACHABLE = "cloud unreachable"
    SERVICE_MISSING = "service missing"
    EXTENSION_MISSING = "extension missing"
    CREDENTIAL = "credential"
    QUOTA = "quota"
    CONFIG = "configuration"
    TIMEOUT = "timeout"
    RESOURCE = "resource in error"
    WRONG_RESPONSE = "wrong response"
    TEST = "the test's own bug"


@dataclass(frozen=True)
class Call:
    """The API request at which a test failed, with the HTTP status of the response.

    ``request_id`` is the id under which the service logs the request, "" where it has none.
    """

    method: str
    path: str
    status: int
    request_id: str = ""

    def __str__(self) -> str:
        """Return method, path, status and request id."""
        known = f" ({self.request_id})" if self.request_id else ""
        return f"{self.method} {self.path} answered {self.status}{known}"


@dataclass(frozen=True)
class Cause:
    """Why a test did not pass, as far as its traceback and log show."""

    kind: CauseKind
    call: Call | None = None


@dataclass(frozen=True)
class Attempt:
    """One execution of a test.

    :param order: which of two ended later; see :func:`in_time_order`
    :param seconds: its duration
    :param place: in the stream; None if it is the order
    """

    test: TestId
    outcome: Outcome
    reason: str
    order: int
    seconds: float | None = None
    cause: Cause | None = None
    place: int | None = None


@dataclass(frozen=True)
class ClassOutcome:
    """A ``setUpClass`` that failed or skipped: the outcome of every test of the class.

    :raises ValueError: the outcome is a pass, which only a test can have
    """

    class_name: str
    outcome: Outcome
    reason: str
    order: int
    cause: Cause | None = None
    place: int | None = None

    def __post_init__(self) -> None:
        """Refuse a pass."""
        if self.outcome is Outcome.PASS:
            raise ValueError(f"setUpClass ({self.class_name}) cannot pass the tests of its class")


@dataclass(frozen=True)
class OtherFailure:
    """A failure that is of no test and no ``setUpClass``, such as of a ``tearDownClass``.

    It does not change a verdict, and is shown.
    """

    name: str
    reason: str


Event = Attempt | ClassOutcome
"""What decides a test."""
_NO_TIME = datetime.min.replace(tzinfo=UTC)


def in_time_order(ends: Iterable[tuple[Event, datetime | None]]) -> list[Event]:
    """Return what ended, with ``order`` by the times of the ends; their ``order`` was the place.

    Whoever moves records in a stream must not change what was last. Of ends at the same time the
    worst is the last. If one end has no time, no time counts, so that the worst of all is the last.
    """
    known = list(ends)
    times = [time for _, time in known if time]
    if len(times) < len(known):
        times = [_NO_TIME] * len(known)
    ordered = sorted(
        zip(times, (event for event, _ in known), strict=True),
        key=lambda end: (end[0], -end[1].outcome.badness),
    )
    return [
        replace(event, order=order, place=event.order)
        for order, (_, event) in enumerate(ordered, start=1)
    ]


def deciding(history: Sequence[Event]) -> Event | None:
    """Return what decides a test: the worst since its last attempt that passed or failed.

    An attempt that skips, and a set-up of the class, can make the outcome worse, never better.

    :param history: attempts and set-ups, oldest first
    """
    since: list[Event] = []
    for event in reversed(history):
        since.append(event)
        if isinstance(event, Attempt) and event.outcome is not Outcome.SKIP:
            break
    return min(since, key=lambda event: event.outcome.badness, default=None)


@dataclass(frozen=True)
class Outcomes:
    """All outcomes of a stream. ``damage`` describes in one sentence what is wrong with the stream.

    ``damage`` is "" where the stream is complete.
    """

    attempts: tuple[Attempt, ...]
    classes: tuple[ClassOutcome, ...] = ()
    unfinished: tuple[TestId, ...] = ()
    """Tests that started and did not end."""
    damage: str = ""
    other_failures: tuple[OtherFailure, ...] = ()
    began: datetime | None = field(default=None, compare=False)
    """The first time in the stream."""
    ended: datetime | None = field(default=None, compare=False)
    """The last time in the stream."""

    def history(self, full: str, class_name: str) -> tuple[Event, ...]:
        """Return the attempts of a test and the set-ups of its class, oldest first.

        :param full: the full id of the test, "" for the set-ups alone
        """
        both = (*self._by_key[0].get(full, ()), *self._by_key[1].get(class_name, ()))
        return tuple(sorted(both, key=lambda event: event.order))

    @functools.cached_property
    def _by_key(self) -> tuple[Mapping[str, list[Attempt]], Mapping[str, list[ClassOutcome]]]:
        tests: dict[str, list[Attempt]] = defaultdict(list)
        for attempt in self.attempts:
            tests[attempt.test.full].append(attempt)
        classes: dict[str, list[ClassOutcome]] = defaultdict(list)
        for class_outcome in self.classes:
            classes[class_outcome.class_name].append(class_outcome)
        return tests, classes
