"""What became of the tests of a run, before any guideline is held against it."""

import functools
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from capabilities.tempest_id import TestId


class Outcome(StrEnum):
    """What a test came to, worst first."""

    FAIL = "fail"
    MISSING = "missing"
    """Not in the Tempest that ran."""
    NOT_RUN = "not-run"
    SKIP = "skip"
    PASS = "pass"  # noqa: S105 - no password

    @property
    def badness(self) -> int:
        """0 is the worst; for sorting."""
        return list(Outcome).index(self)


class CauseKind(StrEnum):
    """What kind of thing kept a test from passing."""

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
    """The request at which a test failed, by its answer; services log the ``request_id``."""

    method: str
    path: str
    status: int
    request_id: str = ""

    def __str__(self) -> str:
        known = f" ({self.request_id})" if self.request_id else ""
        return f"{self.method} {self.path} answered {self.status}{known}"


@dataclass(frozen=True)
class Cause:
    """Why a test did not pass, as far as what it left tells."""

    kind: CauseKind
    call: Call | None = None


@dataclass(frozen=True)
class Attempt:
    """One execution of a test; ``order`` is its place in the stream, ``seconds`` what it took."""

    test: TestId
    outcome: Outcome
    reason: str
    order: int
    seconds: float | None = None
    cause: Cause | None = None


@dataclass(frozen=True)
class ClassOutcome:
    """A ``setUpClass`` that failed or skipped: the outcome of every test of the class.

    :raises ValueError: it passed, which only a test itself can do
    """

    class_name: str
    outcome: Outcome
    reason: str
    order: int
    cause: Cause | None = None

    def __post_init__(self) -> None:
        if self.outcome is Outcome.PASS:
            raise ValueError(f"setUpClass ({self.class_name}) cannot pass the tests of its class")


def deciding(history: Sequence[Attempt | ClassOutcome]) -> Attempt | ClassOutcome | None:
    """Return what decides a test: its last attempt, or the worst set-up of its class since then.

    A set-up that fails or skips later can make a test worse, never better.

    :param history: attempts and outcomes of set-ups, oldest first
    """
    since: list[Attempt | ClassOutcome] = []
    for each in reversed(history):
        since.append(each)
        if isinstance(each, Attempt):
            break
    return min(since, key=lambda each: each.outcome.badness, default=None)


@dataclass(frozen=True)
class Outcomes:
    """Everything a stream says. ``damage`` is one sentence where the stream itself is not whole."""

    attempts: tuple[Attempt, ...]
    classes: tuple[ClassOutcome, ...] = ()
    unfinished: tuple[TestId, ...] = ()
    """Tests that started and did not end."""
    damage: str = ""

    def history(self, full: str, class_name: str) -> tuple[Attempt | ClassOutcome, ...]:
        """Return what became of a test, oldest first: an outcome of its class's set-up is one too.

        :param full: the test's full id
        """
        both = {*self._by_key[0].get(full, ()), *self._by_key[1].get(class_name, ())}
        return tuple(sorted(both, key=lambda each: each.order))

    @functools.cached_property
    def _by_key(self) -> tuple[Mapping[str, list[Attempt]], Mapping[str, list[ClassOutcome]]]:
        tests: dict[str, list[Attempt]] = defaultdict(list)
        for attempt in self.attempts:
            tests[attempt.test.full].append(attempt)
        classes: dict[str, list[ClassOutcome]] = defaultdict(list)
        for each in self.classes:
            classes[each.class_name].append(each)
        return tests, classes
