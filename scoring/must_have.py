"""Which capabilities the scores and the process recommend for the next guideline.

A recommendation is computed: a score at the cutoff, no admin rights, advisory or required before
(2017A A3.2), and a test that counts. What the committee decides is another matter and its own.
"""

from dataclasses import dataclass
from enum import StrEnum

from capabilities.guideline import Status
from capabilities.programme import Programme
from scoring.criteria import GATE, CriteriaSet
from scoring.total import Exact, Standing, exact
from scoring.worksheet import Row

_STICKY = "sticky"


class Recommended(StrEnum):
    YES = "yes"
    NO = "no"
    OPEN = "open"
    """Undecided scores decide."""


@dataclass(frozen=True)
class Recommendation:
    """``against`` are the reasons, one a rule; ``sticky`` what that cell should say instead."""

    capability: str
    total: Exact
    was: Status | None
    recommended: Recommended
    against: tuple[str, ...]
    sticky: str = ""


def recommend(row: Row, criteria: CriteriaSet, previous: Programme) -> Recommendation:
    """Return whether a scored capability should be required after ``previous``."""
    total = exact(row, criteria)
    was = previous.statuses.get(row.capability)
    against = tuple(
        reason
        for reason in (
            _score(row, total, criteria),
            _before(was, previous),
            _tests(row.capability, previous),
        )
        if reason
    )
    if not against:
        recommended = Recommended.OPEN if total.standing is Standing.OPEN else Recommended.YES
    else:
        recommended = Recommended.NO
    derived = "1" if was is Status.REQUIRED else "0"
    typed = row.cells[_STICKY]
    return Recommendation(
        capability=row.capability,
        total=total,
        was=was,
        recommended=recommended,
        against=against,
        sticky=derived if typed.isdigit() and typed != derived else "",
    )


def required_without_a_row(rows: tuple[Row, ...], previous: Programme) -> tuple[str, ...]:
    """Return the capabilities ``previous`` requires that nobody scored under that name."""
    scored = {row.capability for row in rows}
    required = (each.id for each in previous.capabilities(Status.REQUIRED))
    return tuple(name for name in required if name not in scored)


def _score(row: Row, total: Exact, criteria: CriteriaSet) -> str:
    if row.cells[GATE] == "0":
        return "needs an admin"
    if total.standing is Standing.OUT:
        return f"at most {total.high} points, {criteria.cutoff} needed"
    return ""


def _before(was: Status | None, previous: Programme) -> str:
    if was in (Status.REQUIRED, Status.ADVISORY):
        return ""
    return f"{was or 'not listed'} in {previous.guideline.id}: must be advisory first (2017A A3.2)"


def _tests(capability: str, previous: Programme) -> str:
    known = previous.guideline.capabilities.get(capability)
    if known is None or any(test.flag is None for test in known.tests):
        return ""
    return "no test that counts" if not known.tests else "every test is flagged"
