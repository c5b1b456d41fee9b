"""Compare two verdicts by one programme, test by test."""

from dataclasses import dataclass
from enum import StrEnum

from capabilities.guideline import Test
from scoring.conformance.outcomes import Outcome
from scoring.conformance.verdict import Verdict


class Change(StrEnum):
    """How the outcome of a test changed, worst first."""

    NEWLY_FAILING = "newly failing"
    NEWLY_PASSING = "newly passing"
    OTHER = "otherwise different"
    SAME = "same"


@dataclass(frozen=True)
class Compared:
    """The outcomes of a required test in both verdicts; ``reason`` is that of the second."""

    test: Test
    before: Outcome
    after: Outcome
    reason: str

    @property
    def change(self) -> Change:
        """Return how the outcome changed."""
        if self.before is self.after:
            return Change.SAME
        if self.after is Outcome.FAIL:
            return Change.NEWLY_FAILING
        return Change.NEWLY_PASSING if self.after is Outcome.PASS else Change.OTHER


def compare(before: Verdict, after: Verdict) -> tuple[Compared, ...]:
    """Return every required test of the programme of both verdicts, worst change first."""
    old = {test.test.key: test.outcome for test in before.required}
    found = [
        Compared(test.test, old[test.test.key], test.outcome, test.reason)
        for test in after.required
    ]
    order = list(Change)
    return tuple(
        sorted(found, key=lambda compared: (order.index(compared.change), compared.test.name))
    )
