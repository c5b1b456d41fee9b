"""Compare two verdicts by one programme, by test, reason and capability."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from capabilities.guideline import Capability, Status, Test
from refstack_client.report.groups import without_resources
from scoring.conformance.outcomes import Outcome
from scoring.conformance.verdict import Conformance, TestVerdict, Verdict


class Change(StrEnum):
    """How the outcome of a test changed, worst first."""

    NEWLY_FAILING = "newly failing"
    NEWLY_PASSING = "newly passing"
    OTHER = "otherwise different"
    SAME = "same"


@dataclass(frozen=True)
class Compared:
    """The outcomes of a test in both verdicts.

    ``reason`` is that of the second, ``reason_before`` that of the first.
    """

    test: Test
    before: Outcome
    after: Outcome
    reason: str
    reason_before: str = ""

    @property
    def change(self) -> Change:
        """Return how the outcome changed."""
        if self.before is self.after:
            return Change.SAME
        if self.after is Outcome.FAIL:
            return Change.NEWLY_FAILING
        return Change.NEWLY_PASSING if self.after is Outcome.PASS else Change.OTHER

    @property
    def decisive_reason(self) -> str:
        """Why the test does not pass in the second; if it passes, why it did not in the first."""
        return self.reason_before if self.after is Outcome.PASS else self.reason


@dataclass(frozen=True)
class ChangeGroup:
    """Tests whose outcome changed in the same way for the same reason, by name."""

    change: Change
    before: Outcome
    after: Outcome
    reason: str
    tests: tuple[Compared, ...]


@dataclass(frozen=True)
class CapabilityChange:
    """A capability in both verdicts; ``changes`` counts its unflagged tests by how they changed."""

    capability: Capability
    status: Status
    before: Conformance
    after: Conformance
    changes: Mapping[Change, int]


@dataclass(frozen=True)
class CapabilityGroup:
    """Capabilities of a status whose verdict changed in the same way, or only whose tests did."""

    status: Status
    before: Conformance
    after: Conformance
    capabilities: tuple[CapabilityChange, ...]


def compare(before: Verdict, after: Verdict) -> tuple[Compared, ...]:
    """Return every required test of the programme of both verdicts, worst change first."""
    order = list(Change)
    return tuple(
        sorted(
            _compared(before.required, after.required),
            key=lambda compared: (order.index(compared.change), compared.test.name),
        )
    )


def _compared(before: Iterable[TestVerdict], after: Iterable[TestVerdict]) -> Iterator[Compared]:
    """Yield each test of the second verdict; one that the first lacks did not run there."""
    old = {test.test.key: test for test in before}
    for test in after:
        was = old.get(test.test.key, TestVerdict(test.test, Outcome.NOT_RUN))
        yield Compared(test.test, was.outcome, test.outcome, test.reason, was.reason)


def by_reason(tests: Iterable[Compared]) -> tuple[ChangeGroup, ...]:
    """Return the tests whose outcome changed, the worst change first, then the largest group.

    Reasons that differ only in IDs and names of resources are the same.
    """
    found: dict[tuple[Change, Outcome, Outcome, str], list[Compared]] = defaultdict(list)
    for test in tests:
        if test.change is not Change.SAME:
            reason = without_resources(test.decisive_reason)
            found[test.change, test.before, test.after, reason].append(test)
    order = list(Change)
    return tuple(
        ChangeGroup(*key, tuple(sorted(group, key=lambda test: test.test.name)))
        for key, group in sorted(
            found.items(), key=lambda item: (order.index(item[0][0]), -len(item[1]), item[0])
        )
    )


def by_capability(before: Verdict, after: Verdict) -> tuple[CapabilityGroup, ...]:
    """Return the capabilities with another verdict or a changed test.

    They are in the order of statuses, then the worst verdict first.
    """
    found: dict[tuple[Status, Conformance, Conformance], list[CapabilityChange]] = defaultdict(list)
    for changed in _changed_capabilities(before, after):
        found[changed.status, changed.before, changed.after].append(changed)
    statuses, verdicts = list(Status), list(Conformance)
    return tuple(
        CapabilityGroup(*key, tuple(group))
        for key, group in sorted(
            found.items(),
            key=lambda item: (
                statuses.index(item[0][0]),
                item[0][1] is item[0][2],
                verdicts.index(item[0][2]),
                verdicts.index(item[0][1]),
            ),
        )
    )


def _changed_capabilities(before: Verdict, after: Verdict) -> Iterator[CapabilityChange]:
    old = {part.capability.id: part for part in before.capabilities}
    for part in after.capabilities:
        was = old.get(part.capability.id)
        if was is None:
            continue
        tests = (test for test in _compared(was.tests, part.tests) if test.test.flag is None)
        changes = Counter(test.change for test in tests)
        del changes[Change.SAME]
        if changes or was.conformance is not part.conformance:
            counts = {change: changes[change] for change in Change if changes[change]}
            yield CapabilityChange(
                part.capability, part.status, was.conformance, part.conformance, counts
            )
