"""Recommend whether a scored capability is required in the next guideline.

A recommendation is computed: a total at or above the cutoff, no admin rights, advisory or required
in the previous guideline (2017A A3.2), and at least one test that is not flagged.
"""

from dataclasses import dataclass
from enum import StrEnum

from capabilities import process_rules
from capabilities.finding import Finding, Severity
from capabilities.guideline import Status
from capabilities.process_rules import MUST_HAVE_BEFORE
from capabilities.programme import Programme
from scoring.committee.criteria import GATE, CriteriaSet
from scoring.committee.decisions import Decision
from scoring.committee.total import Standing, Total, exact
from scoring.committee.worksheet import Row

_STICKY = "sticky"


class Recommended(StrEnum):
    """Whether a capability is recommended as required."""

    YES = "yes"
    NO = "no"
    OPEN = "open"
    """It depends on scores that are still undecided."""


@dataclass(frozen=True)
class Recommendation:
    """The recommendation for one row of the worksheet, beside the committee's decision.

    ``was`` is the status in the previous guideline, None where it is not listed. ``against`` are
    the reasons not to require it, at most one per rule. ``sticky`` is the correct score for
    "Core in Last Release" where the worksheet has another one, else "". ``proposed`` is the status
    in the next guideline, None where it is not listed there.
    """

    row: Row
    total: Total
    was: Status | None
    countable_tests: int
    recommended: Recommended
    against: tuple[str, ...]
    sticky: str
    decision: Decision
    proposed: Status | None

    @property
    def capability(self) -> str:
        """The id of the capability."""
        return self.row.capability


def recommend(
    row: Row, criteria: CriteriaSet, previous: Programme, decision: Decision | None = None
) -> Recommendation:
    """Return whether a scored capability should be required in the guideline after ``previous``.

    :param decision: what the committee decided; it takes precedence over the recommendation in
        ``proposed``
    """
    total = exact(row, criteria)
    was = previous.statuses.get(row.capability)
    tests = _countable_tests(row.capability, previous)
    against = tuple(
        reason
        for reason in (
            _score_reason(row, total, criteria),
            _status_reason(was, previous),
            _test_reason(row.capability, previous) if not tests and was else "",
        )
        if reason
    )
    if against:
        recommended = Recommended.NO
    else:
        recommended = Recommended.OPEN if total.standing is Standing.OPEN else Recommended.YES
    correct = "1" if was is Status.REQUIRED else "0"
    recorded = row.cells[_STICKY]
    decision = decision or Decision(row.capability)
    return Recommendation(
        row=row,
        total=total,
        was=was,
        countable_tests=tests,
        recommended=recommended,
        against=against,
        sticky=correct if recorded.isdigit() and recorded != correct else "",
        decision=decision,
        proposed=_proposed(row, was, recommended, decision),
    )


def below_cutoff(programme: Programme) -> tuple[Finding, ...]:
    """Return a finding per required capability whose recorded achievements miss the cutoff."""
    guideline = programme.guideline
    findings = []
    for capability in programme.capabilities(Status.REQUIRED):
        total = process_rules.below_cutoff(capability, guideline)
        if total is not None:
            message = f"required in {guideline.id} with {total} points, its cutoff is "
            message += str(guideline.cutoff)
            clause = "2017A A7.2"
            findings.append(
                Finding("below-cutoff", Severity.WARNING, capability.id, message, clause)
            )
    return tuple(findings)


def _proposed(
    row: Row, was: Status | None, recommended: Recommended, decision: Decision
) -> Status | None:
    if decision.decision:
        return Status(decision.decision)
    if recommended is Recommended.YES:
        return Status.REQUIRED
    if row.cells[GATE] == "0" and was is Status.REQUIRED:
        return Status.DEPRECATED
    return was


def _score_reason(row: Row, total: Total, criteria: CriteriaSet) -> str:
    if row.cells[GATE] == "0":
        return "needs an admin"
    if total.standing is Standing.OUT:
        return f"at most {total.high} points, {criteria.cutoff} needed"
    return ""


def _status_reason(was: Status | None, previous: Programme) -> str:
    if was in MUST_HAVE_BEFORE:
        return ""
    return f"{was or 'not listed'} in {previous.guideline.id}: must be advisory first (2017A A3.2)"


def _countable_tests(capability: str, previous: Programme) -> int:
    known = previous.guideline.capabilities.get(capability)
    return sum(test.flag is None for test in known.tests) if known else 0


def _test_reason(capability: str, previous: Programme) -> str:
    tests = previous.guideline.capabilities[capability].tests
    return "every test is flagged" if tests else "it has no test"
