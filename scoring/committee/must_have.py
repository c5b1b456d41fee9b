"""Which capabilities the scores and the process recommend for the next guideline.

A recommendation is computed: a score at the cutoff, no admin rights, advisory or required before
(2017A A3.2), and a test that counts. A decision is the committee's own and is recorded with its
reason; the gap between the two is told. What is proposed follows the decision where there is one.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from capabilities import process_rules
from capabilities.finding import Finding, Severity
from capabilities.guideline import Status
from capabilities.process_rules import MUST_HAVE_BEFORE
from capabilities.programme import Programme
from scoring.committee.criteria import GATE, CriteriaSet
from scoring.committee.decisions import Decision
from scoring.committee.total import Exact, Standing, exact
from scoring.committee.worksheet import UNDECIDED, Row

_STICKY = "sticky"


class Recommended(StrEnum):
    YES = "yes"
    NO = "no"
    OPEN = "open"
    """Undecided scores decide."""


@dataclass(frozen=True)
class Recommendation:
    """``against`` are the reasons, one a rule; ``sticky`` what that cell should say instead.

    ``proposed`` is the status in the next guideline, None where it has no place in it.
    """

    row: Row
    total: Exact
    was: Status | None
    countable_tests: int
    recommended: Recommended
    against: tuple[str, ...]
    sticky: str
    decision: Decision
    proposed: Status | None

    @property
    def capability(self) -> str:
        return self.row.capability


@dataclass(frozen=True)
class Proposal:
    """What follows ``previous``: a recommendation per scored row, and what nobody scored.

    ``unscored`` are capabilities of ``previous`` without a row, with the status proposed.
    """

    previous: Programme
    criteria: CriteriaSet
    recommendations: tuple[Recommendation, ...]
    unscored: Mapping[str, Status]
    decisions: Mapping[str, Decision]
    findings: tuple[Finding, ...]

    @property
    def gated_elsewhere(self) -> tuple[str, ...]:
        """Return what other components of the guideline require though it needs an admin."""
        guideline = self.previous.guideline
        return tuple(
            name
            for component in guideline.components.values()
            for name in component.capabilities.get(Status.REQUIRED, ())
            if name not in self.previous.statuses and guideline.capabilities[name].admin
        )

    @property
    def statuses(self) -> dict[str, Status]:
        """Return every capability of the next guideline with its status."""
        scored = {each.capability: each.proposed for each in self.recommendations}
        return {
            **self.unscored,
            **{name: status for name, status in scored.items() if status is not None},
        }

    def changes(self) -> Iterator[tuple[str, str, str]]:
        """Return capability, status before and status proposed where they differ."""
        for name, status in self.statuses.items():
            was = self.previous.statuses.get(name)
            if was is not status:
                yield name, str(was or ""), str(status)

    def flags(self) -> Iterator[tuple[str, str, str, str, str]]:
        """Return capability, test, reason, action and date of the flags in ``previous``."""
        for name in self.previous.statuses:
            for test in self.previous.guideline.capabilities[name].tests:
                if test.flag:
                    flag = test.flag
                    yield name, test.name, flag.reason, flag.action, flag.date

    def open_questions(self) -> Iterator[tuple[str, str, str]]:
        """Return capability, criterion (or "") and question of what is still to be decided."""
        for each in self.recommendations:
            for slot, cell in each.row.cells.items():
                if cell == UNDECIDED:
                    yield each.capability, slot, "not scored yet, or needs discussion"
        for finding in self.findings:
            if finding.severity is not Severity.NOTE:
                yield finding.pointer, "", finding.message


def propose(
    rows: tuple[Row, ...],
    criteria: CriteriaSet,
    previous: Programme,
    decisions: Mapping[str, Decision],
) -> Proposal:
    """Return what is recommended and decided to follow ``previous``."""
    recommendations = tuple(
        recommend(row, criteria, previous, decisions.get(row.capability)) for row in rows
    )
    scored = {row.capability for row in rows}
    unscored = {
        name: _proposed_unscored(name, was, previous, decisions.get(name))
        for name, was in previous.statuses.items()
        if name not in scored
    }
    findings = (
        *(finding for each in recommendations for finding in _gap(each, previous)),
        *_unscored_gaps(unscored, previous, decisions),
        *_decisions_on_nothing(decisions, scored, previous),
        *below_cutoff(previous),
    )
    return Proposal(previous, criteria, recommendations, unscored, decisions, findings)


def recommend(
    row: Row, criteria: CriteriaSet, previous: Programme, decision: Decision | None = None
) -> Recommendation:
    """Return whether a scored capability should be required after ``previous``."""
    total = exact(row, criteria)
    was = previous.statuses.get(row.capability)
    tests = _countable_tests(row.capability, previous)
    against = tuple(
        reason
        for reason in (
            _score(row, total, criteria),
            _before(was, previous),
            _tests(row.capability, previous) if not tests and was else "",
        )
        if reason
    )
    if not against:
        recommended = Recommended.OPEN if total.standing is Standing.OPEN else Recommended.YES
    else:
        recommended = Recommended.NO
    derived = "1" if was is Status.REQUIRED else "0"
    typed = row.cells[_STICKY]
    decision = decision or Decision(row.capability)
    return Recommendation(
        row=row,
        total=total,
        was=was,
        countable_tests=tests,
        recommended=recommended,
        against=against,
        sticky=derived if typed.isdigit() and typed != derived else "",
        decision=decision,
        proposed=_proposed(row, was, recommended, decision),
    )


def below_cutoff(programme: Programme) -> tuple[Finding, ...]:
    """Return the required capabilities whose recorded achievements are below their own cutoff."""
    guideline = programme.guideline
    found = []
    for capability in programme.capabilities(Status.REQUIRED):
        total = process_rules.below_cutoff(capability, guideline)
        if total is not None:
            message = f"required in {guideline.id} with {total} points, its cutoff is "
            message += str(guideline.cutoff)
            clause = "2017A A7.2"
            found.append(Finding("below-cutoff", Severity.WARNING, capability.id, message, clause))
    return tuple(found)


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


def _proposed_unscored(
    name: str, was: Status, previous: Programme, decision: Decision | None
) -> Status:
    if decision and decision.decision:
        return Status(decision.decision)
    if was is Status.REQUIRED and previous.guideline.capabilities[name].admin:
        return Status.DEPRECATED
    return was


def _score(row: Row, total: Exact, criteria: CriteriaSet) -> str:
    if row.cells[GATE] == "0":
        return "needs an admin"
    if total.standing is Standing.OUT:
        return f"at most {total.high} points, {criteria.cutoff} needed"
    return ""


def _before(was: Status | None, previous: Programme) -> str:
    if was in MUST_HAVE_BEFORE:
        return ""
    return f"{was or 'not listed'} in {previous.guideline.id}: must be advisory first (2017A A3.2)"


def _countable_tests(capability: str, previous: Programme) -> int:
    known = previous.guideline.capabilities.get(capability)
    return sum(test.flag is None for test in known.tests) if known else 0


def _tests(capability: str, previous: Programme) -> str:
    tests = previous.guideline.capabilities[capability].tests
    return "every test is flagged" if tests else "no test that counts"


def _gap(each: Recommendation, previous: Programme) -> Iterator[Finding]:
    """Yield where what is recommended, decided, allowed and typed do not agree."""
    name, decision = each.capability, each.decision
    yield from _broken_rule(name, each.was, decision, previous)
    if decision.decision == Status.REQUIRED and each.recommended is Recommended.NO:
        yield Finding(
            "required-against-the-score",
            Severity.WARNING,
            name,
            f"decided required ({decision.reason}) against: {'; '.join(each.against)}",
            "2017A A7.2",
        )
    elif (
        decision.decision
        and decision.decision != Status.REQUIRED
        and each.recommended is Recommended.YES
    ):
        yield Finding(
            "left-out-against-the-score",
            Severity.WARNING,
            name,
            f"decided {decision.decision} ({decision.reason}) though recommended",
            "2017A A7.2",
        )
    elif not decision.decision and each.was is Status.REQUIRED and each.against:
        fate = "it stays" if each.proposed is Status.REQUIRED else f"proposed {each.proposed}"
        yield Finding(
            "required-and-not-recommended",
            Severity.WARNING,
            name,
            f"required before, now {'; '.join(each.against)}; nothing is decided: {fate}",
            "2017A A7.2",
        )
    if each.sticky:
        yield Finding(
            "sticky-mistyped",
            Severity.NOTE,
            name,
            f"sticky should be {each.sticky}: {each.was or 'not listed'} in "
            f"{previous.guideline.id}",
            "CoreCriteria",
        )


def _broken_rule(
    name: str, was: Status | None, decision: Decision, previous: Programme
) -> Iterator[Finding]:
    before = f"{was or 'not listed'} in {previous.guideline.id}"
    if decision.decision == Status.REQUIRED and was not in MUST_HAVE_BEFORE:
        message = f"decided required, but {before}: must be advisory first"
        yield Finding("required-not-advisory-before", Severity.ERROR, name, message, "2017A A3.2")
    if decision.decision == Status.REMOVED and was in MUST_HAVE_BEFORE:
        message = f"decided removed, but {before}: must be deprecated first"
        severity = Severity.ERROR if was is Status.REQUIRED else Severity.NOTE
        yield Finding("removed-not-deprecated-before", severity, name, message, "2017A A3.1")


def _unscored_gaps(
    unscored: Mapping[str, Status], previous: Programme, decisions: Mapping[str, Decision]
) -> Iterator[Finding]:
    for name, status in unscored.items():
        was = previous.statuses[name]
        decision = decisions.get(name, Decision(name))
        yield from _broken_rule(name, was, decision, previous)
        if was is Status.REQUIRED and not decision.decision:
            if status is Status.DEPRECATED:
                message = "required before and needs an admin: proposed deprecated"
                yield Finding("admin-required", Severity.WARNING, name, message, "CoreCriteria")
            message = f"required in {previous.guideline.id}, not scored under that name"
            yield Finding("required-without-a-row", Severity.NOTE, name, message, "2017A A7.2")


def _decisions_on_nothing(
    decisions: Mapping[str, Decision], scored: set[str], previous: Programme
) -> Iterator[Finding]:
    for name in decisions:
        if name not in scored and name not in previous.statuses:
            message = f"decided, but neither scored nor in {previous.guideline.id}"
            yield Finding("decision-on-nothing", Severity.ERROR, name, message)
