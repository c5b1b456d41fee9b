"""What the committee decided of capabilities, beside what the scores recommend (2017A A7.2).

A CSV file for people: who decided what, when and why. A line may hold a note alone.
"""

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass, fields

from capabilities.guideline import Status
from scoring.csv_text import fields_of, plain, table
from scoring.errors import ScoringError


@dataclass(frozen=True)
class Decision:
    """``decision`` is a status or empty; ``date`` an ISO date; reason, author and note prose."""

    capability: str
    decision: str = ""
    reason: str = ""
    author: str = ""
    date: str = ""
    note: str = ""

    @property
    def says_something(self) -> bool:
        return any(astuple(self)[1:])


COLUMNS = tuple(each.name for each in fields(Decision))


def read(text: str, source: str) -> dict[str, Decision]:
    """Return decisions by capability.

    :raises ScoringError: with file, line and column, for what is no decision
    """
    lines = fields_of(text, source)
    if not lines:
        return {}
    headings = [each.strip().lower() for each in lines[0]]
    for column, heading in enumerate(headings, start=1):
        if heading not in COLUMNS:
            raise ScoringError(
                f'{source}:1:{column}: there is no column called "{heading}"',
                hint=f"columns are {', '.join(COLUMNS)}",
            )
    if "capability" not in headings:
        raise ScoringError(f"{source}:1: no column is called capability")
    found: dict[str, Decision] = {}
    for number, line in enumerate(lines[1:], start=2):
        if not any(line):
            continue
        if len(line) != len(headings):
            raise ScoringError(
                f"{source}:{number}: {len(line)} fields where the header has {len(headings)}"
            )
        cells = dict(zip(headings, (plain(each) for each in line), strict=True))
        decision = check(Decision(**cells), f"{source}:{number}")
        if decision.capability in found:
            raise ScoringError(f"{source}:{number}: {decision.capability} stands there already")
        found[decision.capability] = decision
    return found


def check(decision: Decision, where: str) -> Decision:
    """Return ``decision`` if it is complete: a known status, a reason, an author and a date.

    :raises ScoringError: it is not; ``where`` says where it stands
    """
    if decision.decision and decision.decision not in set(Status):
        raise ScoringError(
            f'{where}: "{decision.decision}" is no status of a capability',
            hint=f"one of {', '.join(Status)}",
        )
    missing = [name for name in ("reason", "author", "date") if not getattr(decision, name)]
    if decision.decision and missing:
        raise ScoringError(
            f"{where}: the decision on {decision.capability} has no {' and no '.join(missing)}",
            hint="a decision says why, by whom and when (2017A A7.2)",
        )
    if decision.date:
        try:
            datetime.date.fromisoformat(decision.date)
        except ValueError as error:
            raise ScoringError(
                f'{where}: "{decision.date}" is no date', hint="as in 2026-11-30"
            ) from error
    return decision


def write(decisions: Iterable[Decision]) -> str:
    """Return the CSV text of decisions."""
    return table(COLUMNS, map(astuple, decisions))


def differences(
    before: Mapping[str, Decision], after: Mapping[str, Decision]
) -> tuple[tuple[str, str, str, str], ...]:
    """Return capability, column and both texts where decisions differ."""
    found = []
    for name in dict.fromkeys((*before, *after)):
        was, now = (each.get(name, Decision(name)) for each in (before, after))
        for column in COLUMNS:
            old, new = getattr(was, column), getattr(now, column)
            if old != new:
                found.append((name, column, old, new))
    return tuple(found)
