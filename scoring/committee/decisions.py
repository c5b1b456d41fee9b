"""Read and write the committee's decisions on capabilities (2017A A7.2).

The file is CSV: the decision, its reason, author and date. A line may have a note alone.
"""

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass, fields

from capabilities.guideline import Status
from scoring.csv_text import fields_of, plain, table
from scoring.errors import ScoringError


@dataclass(frozen=True)
class Decision:
    """A decision on one capability: ``decision`` is a status or "", ``date`` an ISO date."""

    capability: str
    decision: str = ""
    reason: str = ""
    author: str = ""
    date: str = ""
    note: str = ""

    @property
    def is_recorded(self) -> bool:
        """Whether anything beside the capability is filled in."""
        return any(astuple(self)[1:])


COLUMNS = tuple(field.name for field in fields(Decision))
"""The columns of the CSV file."""


def read(text: str, source: str) -> dict[str, Decision]:
    """Return the decisions in a CSV text, by capability.

    :param source: name of the file, for messages
    :raises ScoringError: an unknown column, a duplicate capability, or an incomplete decision
    """
    lines = fields_of(text, source)
    if not lines:
        return {}
    headings = [heading.strip().lower() for heading in lines[0]]
    for column, heading in enumerate(headings, start=1):
        if heading not in COLUMNS:
            raise ScoringError(
                f'{source}:1:{column}: unknown column "{heading}"',
                hint=f"columns are {', '.join(COLUMNS)}",
            )
    if "capability" not in headings:
        raise ScoringError(f"{source}:1: the column capability is missing")
    found: dict[str, Decision] = {}
    for number, line in enumerate(lines[1:], start=2):
        if not any(line):
            continue
        if len(line) != len(headings):
            raise ScoringError(
                f"{source}:{number}: {len(line)} fields where the header has {len(headings)}"
            )
        cells = dict(zip(headings, (plain(cell) for cell in line), strict=True))
        decision = check(Decision(**cells), f"{source}:{number}")
        if decision.capability in found:
            raise ScoringError(f"{source}:{number}: duplicate decision on {decision.capability}")
        found[decision.capability] = decision
    return found


def check(decision: Decision, where: str) -> Decision:
    """Return ``decision`` if it is complete: a valid status, a reason, an author and a date.

    :param where: file and line, for messages
    :raises ScoringError: it is not complete
    """
    if decision.decision and decision.decision not in set(Status):
        raise ScoringError(
            f'{where}: "{decision.decision}" is not a valid status of a capability',
            hint=f"one of {', '.join(Status)}",
        )
    missing = [name for name in ("reason", "author", "date") if not getattr(decision, name)]
    if decision.decision and missing:
        raise ScoringError(
            f"{where}: the decision on {decision.capability} has no {' and no '.join(missing)}",
            hint="record why, by whom and when it was decided (2017A A7.2)",
        )
    if decision.date:
        try:
            datetime.date.fromisoformat(decision.date)
        except ValueError as error:
            raise ScoringError(
                f'{where}: "{decision.date}" is not a valid date', hint="write it as 2026-11-30"
            ) from error
    return decision


def write(decisions: Iterable[Decision]) -> str:
    """Return the CSV text of decisions."""
    return table(COLUMNS, map(astuple, decisions))


def differences(
    before: Mapping[str, Decision], after: Mapping[str, Decision]
) -> tuple[tuple[str, str, str, str], ...]:
    """Return capability, column, text before and text after where decisions differ."""
    found = []
    for name in dict.fromkeys((*before, *after)):
        was, now = (decisions.get(name, Decision(name)) for decisions in (before, after))
        for column in COLUMNS:
            old, new = getattr(was, column), getattr(now, column)
            if old != new:
                found.append((name, column, old, new))
    return tuple(found)
