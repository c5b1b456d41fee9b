"""Judge a cloud: a verdict is a pure function of a programme and the outcomes of a run.

A programme is conformant if every unflagged test of its required capabilities passed, not
conformant if one of them failed, else incomplete. Each test counts once, by idempotent ID. A
damaged stream may lack a failure: with it no product is conformant.
Advisory, deprecated and removed capabilities are shown and never count. The verdict is the one of
RefStack's pages, except for tests with a newer name, which RefStack does not find.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from capabilities.guideline import Capability, Rule, Status, Test
from capabilities.matching import Index, Match, MatchKind, match
from capabilities.programme import Programme
from capabilities.tempest_id import class_of
from scoring.conformance.outcomes import (
    Attempt,
    Cause,
    ClassOutcome,
    OtherFailure,
    Outcome,
    Outcomes,
    deciding,
)


class Conformance(StrEnum):
    """Whether a product conforms to a programme, or a capability is shown."""

    NOT_CONFORMANT = "not-conformant"
    INCOMPLETE = "incomplete"
    CONFORMANT = "conformant"
    VACUOUS = "vacuous"
    """Of a capability only: all its tests are flagged, or it has none."""


@dataclass(frozen=True)
class TestVerdict:
    """The outcome of one test of the guideline; ``attempts`` are all its outcomes, oldest first."""

    __test__ = False  # pytest takes any class called Test… for one of its own

    test: Test
    outcome: Outcome
    reason: str = ""
    attempts: tuple[Outcome, ...] = ()
    cause: Cause | None = None
    """Of the attempt that decides, where it did not pass."""

    retries: int = 0
    """How often it was repeated after a failure; of several scenarios the most."""


@dataclass(frozen=True)
class CapabilityVerdict:
    """Whether the tests of one capability show it."""

    capability: Capability
    status: Status
    conformance: Conformance
    tests: tuple[TestVerdict, ...]


@dataclass(frozen=True)
class Verdict:
    """Whether a product conforms to ``programme``, with the outcome of every test.

    ``required`` are the tests that decide, one per idempotent ID. ``flagged`` is the number of
    tests of required capabilities that are flagged. ``damage`` describes an incomplete stream.
    """

    programme: Programme
    conformance: Conformance
    required: tuple[TestVerdict, ...]
    flagged: int
    capabilities: tuple[CapabilityVerdict, ...]
    damage: str = ""
    bases: tuple["Verdict", ...] = ()
    """Of an add-on: the verdicts on its base programmes. The worst one is the verdict."""
    other_failures: tuple[OtherFailure, ...] = ()
    """Failures that are of no test, such as of the tear-down of a class."""

    def count(self, outcome: Outcome) -> int:
        """Return how many of the deciding tests have that outcome."""
        return sum(test.outcome is outcome for test in self.required)

    @property
    def passed_when_repeated(self) -> tuple[TestVerdict, ...]:
        """The deciding tests that passed after a failure, those of base programmes included."""
        own = (test for test in self.required if test.outcome is Outcome.PASS and test.retries)
        return (*own, *(test for base in self.bases for test in base.passed_when_repeated))

    @property
    def most_retries(self) -> int:
        """How often the deciding test was repeated that was repeated most often."""
        own = [test.retries for test in self.required]
        return max([*own, *(base.most_retries for base in self.bases)], default=0)

    @property
    def vacuous(self) -> tuple[CapabilityVerdict, ...]:
        """The required capabilities without a test that counts."""
        return tuple(
            verdict
            for verdict in self.capabilities
            if verdict.status is Status.REQUIRED and verdict.conformance is Conformance.VACUOUS
        )

    @property
    def refstack_count(self) -> dict[str, int]:
        """RefStack's own figures: each test counts once per required capability that lists it."""
        listed = [
            test
            for capability in self.capabilities
            if capability.status is Status.REQUIRED
            for test in capability.tests
        ]
        return {
            "total": len(listed),
            "passed": sum(test.outcome is Outcome.PASS for test in listed),
            "flagged": sum(test.test.flag is not None for test in listed),
        }


def judge(
    programme: Programme,
    outcomes: Outcomes,
    matches: Mapping[str, Match] | None = None,
    *,
    strict: bool = False,
    max_retries: int | None = None,
) -> Verdict:
    """Judge ``outcomes`` by ``programme``.

    :param matches: by test key, how each test was found in the Tempest that was used. Without it a
        test is looked up among the tests of the stream, and none is reported as missing.
    :param strict: a required capability without a test that counts makes the verdict incomplete
    :param max_retries: a test that passed after more failures counts as failed; None for no limit
    """
    evidence = _Evidence(outcomes, matches or {}, max_retries)
    bases = tuple(
        judge(base, outcomes, matches, strict=strict, max_retries=max_retries)
        for base in programme.bases
    )
    judged = {test.key: evidence.judge(test) for test in programme.required_tests()}
    capabilities = tuple(
        _capability(programme, capability, status, evidence)
        for status in Status
        for capability in programme.capabilities(status)
    )
    counted = tuple(judged[test.key] for test in programme.counted_tests())
    verdict = Verdict(
        programme=programme,
        conformance=_conformance((test.outcome for test in counted), programme.rule),
        required=counted,
        flagged=len(judged) - len(counted),
        capabilities=capabilities,
        damage=outcomes.damage,
        bases=bases,
        other_failures=outcomes.other_failures,
    )
    doubtful = outcomes.damage or (strict and verdict.vacuous)
    if verdict.conformance is Conformance.VACUOUS or (
        doubtful and verdict.conformance is Conformance.CONFORMANT
    ):
        verdict = replace(verdict, conformance=Conformance.INCOMPLETE)
    worst = min((part.conformance for part in (verdict, *bases)), key=_WORST_FIRST.index)
    return replace(verdict, conformance=worst)


def _capability(
    programme: Programme, capability: Capability, status: Status, evidence: "_Evidence"
) -> CapabilityVerdict:
    tests = tuple(evidence.judge(test) for test in capability.tests)
    counted = (test.outcome for test in tests if test.test.flag is None)
    conformance = _conformance(counted, programme.rule)
    return CapabilityVerdict(capability, status, conformance, tests)


_WORST_FIRST = (Conformance.NOT_CONFORMANT, Conformance.INCOMPLETE, Conformance.CONFORMANT)
SUFFICIENT = {
    Rule.ALL_PASSED: {Outcome.PASS},
    Rule.NONE_FAILED: {Outcome.PASS, Outcome.SKIP},
}
"""Outcomes that a product may have and conform, if a test passed at all."""


def _conformance(outcomes: Iterable[Outcome], rule: Rule) -> Conformance:
    seen = set(outcomes)
    if not seen:
        return Conformance.VACUOUS
    if Outcome.FAIL in seen:
        return Conformance.NOT_CONFORMANT
    if Outcome.PASS in seen and seen <= SUFFICIENT[rule]:
        return Conformance.CONFORMANT
    return Conformance.INCOMPLETE


class _Evidence:
    """The outcomes of a run, indexed to judge the tests of a guideline."""

    def __init__(self, outcomes: Outcomes, matches: Mapping[str, Match], max_retries: int | None):
        self._matches = matches
        self._max_retries = max_retries
        self._index = Index.of(attempt.test for attempt in outcomes.attempts)
        self._unfinished = Index.of(outcomes.unfinished)
        self._outcomes = outcomes
        self._judged: dict[Test, TestVerdict] = {}

    def judge(self, test: Test) -> TestVerdict:
        """Return the verdict on a test, which several capabilities may list."""
        judged = self._judged.get(test)
        if judged is None:
            judged = self._judged[test] = self._judge(test)
        return judged

    def _judge(self, test: Test) -> TestVerdict:
        planned = self._matches.get(test.key)
        if planned and planned.kind is MatchKind.MISSING:
            return TestVerdict(test, Outcome.MISSING, "not in the Tempest that was used")
        found = match(test, self._index)
        # Scenarios of one test, and all tests of an ambiguous id, count each: the worst decides.
        parts = [self._history(test, same.full, same.name) for same in found.found]
        is_other = found.kind in (MatchKind.RENAMED, MatchKind.AMBIGUOUS)
        if not is_other and len(parts) == 1:  # Most tests.
            return _explained(parts[0])
        names = {same.name for same in planned.found} if planned else set(test.names)
        if is_other and self._is_reported_elsewhere(test, names, planned, parts):
            # What ran under this id is a twin (a subclass inherits the id), not the wanted test.
            is_other, parts = False, []
        parts = parts or [self._class_history(test, names)]
        worst = min(parts, key=lambda part: part.outcome.badness)
        retries = max(part.retries for part in parts)
        if worst.retries != retries:
            worst = replace(worst, retries=retries)
        if worst.outcome is Outcome.NOT_RUN:
            return replace(worst, reason=self._why_not_run(test))
        if is_other:
            where = ", ".join(sorted({same.name for same in found.found}))
            return replace(worst, reason=f"{worst.reason} (ran as {where})".strip())
        return _explained(worst)

    def _limited(self, verdict: TestVerdict) -> TestVerdict:
        """Return a verdict that is a failure if the test passed only after too many retries."""
        most = self._max_retries
        if most is None or verdict.outcome is not Outcome.PASS or verdict.retries <= most:
            return verdict
        retries = "no retry counts" if not most else f"at most {most} retries count"
        reason = f"passed only at attempt {len(verdict.attempts)}; {retries}"
        return replace(verdict, outcome=Outcome.FAIL, reason=reason)

    def _is_reported_elsewhere(
        self, test: Test, names: set[str], planned: Match | None, twins: Iterable[TestVerdict]
    ) -> bool:
        """Return whether the wanted test exists beside its twins though it has no outcome."""
        if planned:
            return not names & set(self._index.by_name)
        if names & set(self._unfinished.by_name):
            return True
        own = self._class_history(test, names)
        # A class that skipped must not hide that a twin failed.
        worst = min(twin.outcome.badness for twin in twins)
        return bool(own.attempts) and own.outcome.badness <= worst

    def _history(self, test: Test, full: str, name: str) -> TestVerdict:
        return self._limited(_last(test, self._outcomes.history(full, class_of(name))))

    def _class_history(self, test: Test, names: set[str]) -> TestVerdict:
        classes = {class_of(name) for name in names}
        fixtures = (fixture for name in classes for fixture in self._outcomes.history("", name))
        return _last(test, fixtures)

    def _why_not_run(self, test: Test) -> str:
        started = match(test, self._unfinished).found
        return "started, but the run ended before it did" if started else "the run did not reach it"


def _explained(verdict: TestVerdict) -> TestVerdict:
    """Return a verdict with the attempt at which the test passed, if another failed before."""
    if verdict.outcome is Outcome.PASS and Outcome.FAIL in verdict.attempts:
        return replace(verdict, reason=f"passed at attempt {len(verdict.attempts)}")
    return verdict


def _last(test: Test, attempts: Iterable[Attempt | ClassOutcome]) -> TestVerdict:
    """Return the verdict on ``test`` by the attempt that decides, with the outcomes of all."""
    ordered = sorted(attempts, key=lambda attempt: attempt.order)
    decides = ordered[0] if len(ordered) == 1 else deciding(ordered)
    if not decides:
        return TestVerdict(test, Outcome.NOT_RUN)
    outcomes = tuple(attempt.outcome for attempt in ordered)
    retries = outcomes[:-1].count(Outcome.FAIL)
    return TestVerdict(test, decides.outcome, decides.reason, outcomes, decides.cause, retries)
