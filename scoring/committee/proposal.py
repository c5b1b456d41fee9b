"""What is proposed to follow a guideline: recommendations, the committee's decisions, the gap.

A decision is the committee's own and is recorded with its reason. The proposal follows the decision
where there is one. Where decision, recommendation and the rules of the process differ, a finding
reports it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from capabilities.finding import Finding, Severity
from capabilities.guideline import Status
from capabilities.process_rules import MUST_HAVE_BEFORE
from capabilities.programme import Programme
from scoring.committee.criteria import CriteriaSet
from scoring.committee.decisions import Decision
from scoring.committee.recommendation import (
    Recommendation,
    Recommended,
    below_cutoff,
    recommend,
)
from scoring.committee.worksheet import UNDECIDED, Row


@dataclass(frozen=True)
class Proposal:
    """What is proposed to follow ``previous``: a recommendation per row of the worksheet.

    ``unscored`` maps the capabilities of ``previous`` without a row to the status proposed.
    """

    previous: Programme
    criteria: CriteriaSet
    recommendations: tuple[Recommendation, ...]
    unscored: Mapping[str, Status]
    decisions: Mapping[str, Decision]
    findings: tuple[Finding, ...]

    @property
    def gated_elsewhere(self) -> tuple[str, ...]:
        """The admin capabilities that only other components of the guideline require."""
        guideline = self.previous.guideline
        return tuple(
            name
            for component in guideline.components.values()
            for name in component.capabilities.get(Status.REQUIRED, ())
            if name not in self.previous.statuses and guideline.capabilities[name].admin
        )

    @property
    def statuses(self) -> dict[str, Status]:
        """The proposed status of every capability of the next guideline."""
        scored = {
            recommendation.capability: recommendation.proposed
            for recommendation in self.recommendations
        }
        return {
            **self.unscored,
            **{name: status for name, status in scored.items() if status is not None},
        }

    def changes(self) -> Iterator[tuple[str, str, str]]:
        """Yield capability, status before and status proposed where they differ."""
        for name, status in self.statuses.items():
            was = self.previous.statuses.get(name)
            if was is not status:
                yield name, str(was or ""), str(status)

    def flags(self) -> Iterator[tuple[str, str, str, str, str]]:
        """Yield capability, test, reason, action and date of the flags in ``previous``."""
        for name in self.previous.statuses:
            for test in self.previous.guideline.capabilities[name].tests:
                if test.flag:
                    flag = test.flag
                    yield name, test.name, flag.reason, flag.action, flag.date

    def open_questions(self) -> Iterator[tuple[str, str, str]]:
        """Yield capability, criterion (or "") and question for what is still to be decided."""
        for recommendation in self.recommendations:
            for slot, cell in recommendation.row.cells.items():
                if cell == UNDECIDED:
                    yield recommendation.capability, slot, "not scored yet, or needs discussion"
        for finding in self.findings:
            if finding.severity is not Severity.NOTE:
                yield finding.pointer, "", finding.message


def propose(
    rows: tuple[Row, ...],
    criteria: CriteriaSet,
    previous: Programme,
    decisions: Mapping[str, Decision],
) -> Proposal:
    """Return the proposal that follows ``previous``.

    :param rows: the scored rows of the worksheet
    :param decisions: the committee's decisions by capability id
    """
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
        *(
            finding
            for recommendation in recommendations
            for finding in _gap(recommendation, previous)
        ),
        *_unscored_gaps(unscored, previous, decisions),
        *_unknown_capabilities(decisions, scored, previous),
        *below_cutoff(previous),
    )
    return Proposal(previous, criteria, recommendations, unscored, decisions, findings)


def _proposed_unscored(
    name: str, was: Status, previous: Programme, decision: Decision | None
) -> Status:
    if decision and decision.decision:
        return Status(decision.decision)
    if was is Status.REQUIRED and previous.guideline.capabilities[name].admin:
        return Status.DEPRECATED
    return was


def _gap(recommendation: Recommendation, previous: Programme) -> Iterator[Finding]:
    """Yield a finding where recommendation, decision, process rules and cells disagree."""
    name, decision, was = recommendation.capability, recommendation.decision, recommendation.was
    reasons = "; ".join(recommendation.against)
    yield from _broken_rule(name, was, decision, previous)
    if decision.decision == Status.REQUIRED and recommendation.recommended is Recommended.NO:
        yield Finding(
            "required-against-the-score",
            Severity.WARNING,
            name,
            f"decided as required ({decision.reason}) although: {reasons}",
            "2017A A7.2",
        )
    elif (
        decision.decision
        and decision.decision != Status.REQUIRED
        and recommendation.recommended is Recommended.YES
    ):
        yield Finding(
            "left-out-against-the-score",
            Severity.WARNING,
            name,
            f"decided as {decision.decision} ({decision.reason}) although recommended as required",
            "2017A A7.2",
        )
    elif not decision.decision and was is Status.REQUIRED and recommendation.against:
        proposed = recommendation.proposed
        result = "it stays required" if proposed is Status.REQUIRED else f"proposed {proposed}"
        yield Finding(
            "required-and-not-recommended",
            Severity.WARNING,
            name,
            f"required before, now {reasons}; no decision is recorded: {result}",
            "2017A A7.2",
        )
    if recommendation.sticky:
        yield Finding(
            "sticky-mistyped",
            Severity.NOTE,
            name,
            f"sticky should be {recommendation.sticky}: {was or 'not listed'} in "
            f"{previous.guideline.id}",
            "CoreCriteria",
        )


def _broken_rule(
    name: str, was: Status | None, decision: Decision, previous: Programme
) -> Iterator[Finding]:
    before = f"{was or 'not listed'} in {previous.guideline.id}"
    if decision.decision == Status.REQUIRED and was not in MUST_HAVE_BEFORE:
        message = f"decided as required, but {before}: must be advisory first"
        yield Finding("required-not-advisory-before", Severity.ERROR, name, message, "2017A A3.2")
    if decision.decision == Status.REMOVED and was in MUST_HAVE_BEFORE:
        message = f"decided as removed, but {before}: must be deprecated first"
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
                message = "required before and needs an admin: proposed as deprecated"
                yield Finding("admin-required", Severity.WARNING, name, message, "CoreCriteria")
            message = f"required in {previous.guideline.id}, the worksheet has no row for it"
            yield Finding("required-without-a-row", Severity.NOTE, name, message, "2017A A7.2")


def _unknown_capabilities(
    decisions: Mapping[str, Decision], scored: set[str], previous: Programme
) -> Iterator[Finding]:
    for name in decisions:
        if name not in scored and name not in previous.statuses:
            message = f"decided, but neither in the worksheet nor in {previous.guideline.id}"
            yield Finding("decision-on-nothing", Severity.ERROR, name, message)
