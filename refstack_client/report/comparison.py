"""Two runs, or two clouds, side by side."""

from dataclasses import dataclass
from enum import StrEnum

from capabilities.guideline import Test
from scoring.conformance.outcomes import Outcome
from scoring.conformance.verdict import Verdict


class Change(StrEnum):
    NEWLY_FAILING = "newly failing"
    NEWLY_PASSING = "newly passing"
    OTHER = "otherwise different"
    SAME = "same"


@dataclass(frozen=True)
class Compared:
    """What a required test came to in both; ``reason`` is that of the second."""

    test: Test
    before: Outcome
    after: Outcome
    reason: str

    @property
    def change(self) -> Change:
        if self.before is self.after:
            return Change.SAME
        if self.after is Outcome.FAIL:
            return Change.NEWLY_FAILING
        return Change.NEWLY_PASSING if self.after is Outcome.PASS else Change.OTHER


def compare(before: Verdict, after: Verdict) -> tuple[Compared, ...]:
    """Return every required test of a programme both were judged by, worst change first."""
    old = {each.test.key: each.outcome for each in before.required}
    found = [
        Compared(each.test, old[each.test.key], each.outcome, each.reason)
        for each in after.required
    ]
    return tuple(sorted(found, key=lambda each: (list(Change).index(each.change), each.test.name)))
