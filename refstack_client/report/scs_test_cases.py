"""SCS-0128 as test cases of the test suite of Sovereign Cloud Stack (SCS), and how they are shown.

A check program of that suite prints a line ``ID: PASS``, ``ID: FAIL`` or ``ID: ABORT`` for each
test case, and log lines that begin with a level. The standard names no test cases yet: the ids are
those of this project.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from capabilities.programme import Programme
from refstack_client.report import text
from scoring.conformance.outcomes import Outcome
from scoring.conformance.verdict import Conformance, TestVerdict, Verdict

LIST = "scs-0128"
"""The id of the guideline and the key of its programme."""
WHOLE = f"{LIST}-e2e"
"""The test case of all tests: its result is that of the standard."""
_API = "tempest.api."


class Result(IntEnum):
    """The result of a test case; the values are those of SCS's reports."""

    FAIL = -1
    ABORT = 0
    """Not known: the tests did not all run, or none of them passed."""
    PASS = 1


class Level(StrEnum):
    """The level with which a log line begins.

    SCS's monitor publishes lines of the levels WARNING and ERROR alone: they have no text of the
    cloud, which may name hosts.
    """

    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"
    CRITICAL = "CRITICAL"


@dataclass(frozen=True)
class LogLine:
    """A log line of a check program."""

    level: Level
    message: str

    def __str__(self) -> str:
        """Return the line."""
        return f"{self.level}: {self.message}"


_OF_CONFORMANCE = {
    Conformance.CONFORMANT: Result.PASS,
    Conformance.NOT_CONFORMANT: Result.FAIL,
    Conformance.INCOMPLETE: Result.ABORT,
}
_LEVELS = {
    Outcome.FAIL: Level.ERROR,
    Outcome.MISSING: Level.WARNING,
    Outcome.NOT_RUN: Level.WARNING,
    Outcome.SKIP: Level.WARNING,
}


def ids(programme: Programme) -> tuple[str, ...]:
    """Return the ids of the test cases: of the whole list, and of the tests of each service."""
    names = (test.name for test in programme.counted_tests())
    return (WHOLE, *sorted({_of_service(name) for name in names}))


def results(verdict: Verdict) -> dict[str, Result]:
    """Return the result of each test case.

    The one of the whole list is the verdict: FAIL if a test failed, and skipped tests do not
    count. It is ABORT if the tests did not all run.
    """
    tests: dict[str, list[Outcome]] = {name: [] for name in ids(verdict.programme)[1:]}
    for test in verdict.required:
        tests[_of_service(test.test.name)].append(test.outcome)
    found = {name: _result(outcomes) for name, outcomes in tests.items()}
    if verdict.damage:  # a failure may be lost
        found = {name: min(result, Result.ABORT) for name, result in found.items()}
    return {WHOLE: _OF_CONFORMANCE[verdict.conformance], **found}


def _of_service(name: str) -> str:
    """Return the id of the test case of a test: its service is part of its name."""
    start = _API if name.startswith(_API) else name.partition(".")[0] + "."
    service = name.removeprefix(start).partition(".")[0]
    return f"{WHOLE}-{service.replace('_', '-')}"


def _result(outcomes: Iterable[Outcome]) -> Result:
    seen = set(outcomes)
    if Outcome.FAIL in seen:
        return Result.FAIL
    return Result.PASS if Outcome.PASS in seen <= {Outcome.PASS, Outcome.SKIP} else Result.ABORT


def lines(found: Mapping[str, Result]) -> Iterator[str]:
    """Yield the lines of a check program with the results of test cases."""
    yield from (f"{name}: {result.name}" for name, result in found.items())


def log(verdict: Verdict) -> Iterator[LogLine]:
    """Yield log lines on a verdict: the counts, and each test that did not pass."""
    guideline = verdict.programme.guideline
    yield LogLine(Level.INFO, f"list {guideline.id}, SHA-256 {guideline.digest}")
    for test in sorted(verdict.required, key=lambda test: test.outcome.badness):
        if test.outcome is not Outcome.PASS:
            yield LogLine(_LEVELS[test.outcome], _what(test))
    if verdict.damage:
        yield LogLine(Level.WARNING, "the stream of the outcomes is damaged")
    repeated = verdict.passed_when_repeated
    if repeated:
        yield LogLine(Level.INFO, text.passed_when_repeated(verdict))
    yield LogLine(Level.INFO, text.headline(verdict))


def _what(test: TestVerdict) -> str:
    """Return outcome and name of a test, with the kind of the cause if it failed."""
    cause = f" ({test.cause.kind})" if test.cause and test.outcome is Outcome.FAIL else ""
    return f"{text.COUNTED[test.outcome]}: {test.test.name}{cause}"


def level_counts(shown: Iterable[str]) -> dict[str, int]:
    """Return how many lines begin with each level, as SCS counts them: in any case."""
    counts = Counter(
        level.lower() for line in shown for level in Level if line.lower().startswith(level.lower())
    )
    return {level.lower(): counts[level.lower()] for level in Level}
