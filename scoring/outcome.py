"""What became of the tests of a run, before any guideline is held against it."""

from dataclasses import dataclass
from enum import StrEnum

from capabilities.testid import TestId


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


@dataclass(frozen=True)
class Attempt:
    """One execution of a test; ``order`` is its place in the stream, ``seconds`` what it took."""

    test: TestId
    outcome: Outcome
    reason: str
    order: int
    seconds: float | None = None


@dataclass(frozen=True)
class ClassOutcome:
    """A ``setUpClass`` that failed or skipped: the outcome of every test of the class."""

    class_name: str
    outcome: Outcome
    reason: str
    order: int


@dataclass(frozen=True)
class Outcomes:
    """Everything a stream says. ``damage`` is one sentence where the stream itself is not whole."""

    attempts: tuple[Attempt, ...]
    classes: tuple[ClassOutcome, ...] = ()
    unfinished: tuple[TestId, ...] = ()
    """Tests that started and did not end."""
    damage: str = ""
