"""The total of a row: as the published script prints it, or as the interval of possible totals.

:func:`faithful` reproduces ``tabulate_scores.py`` bit for bit, faults included: a row with an
undecided cell has its total negated, and a row with Non-Admin 0 has the total 0. :func:`exact`
returns the interval.
"""

from collections.abc import Container, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from scoring.committee import worksheet
from scoring.committee.criteria import GATE, CriteriaSet, NotConsidered
from scoring.committee.worksheet import NOT_CONSIDERED, UNDECIDED, Row, Worksheet
from scoring.errors import ScoringError


class Standing(StrEnum):
    """On which side of the cutoff a total is."""

    IN = "in"
    OUT = "out"
    OPEN = "open"
    """Undecided cells can move it to either side, or there is no cutoff."""


@dataclass(frozen=True)
class Total:
    """The lowest and the highest total that the undecided cells of a row allow, in points."""

    low: Fraction
    high: Fraction
    standing: Standing


def faithful(row: Row, criteria: CriteriaSet) -> str:
    """Return the total as the published script prints it, with ``*`` at or above the cutoff.

    :raises ScoringError: Non-Admin is undecided, where the script stops with a traceback
    """
    gate = row.score(GATE)
    if gate is None:
        raise ScoringError(
            f"line {row.line}: Non-Admin of {row.capability} is {row.cells[GATE]}: the published "
            "script cannot compute a total",
            hint="score it with 0 or 1, or use --mode exact",
        )
    scores = {slot: row.score(slot) for slot in row.cells if slot != GATE}
    total = gate * sum(
        (score or 0) * criteria.weights.get(slot, 0) for slot, score in scores.items()
    )
    if any(score is None for score in scores.values()):
        total = -total
    star = criteria.cutoff is not None and total >= criteria.cutoff
    return f"{total}*" if star else str(total)


def exact(row: Row, criteria: CriteriaSet) -> Total:
    """Return the interval of possible totals of a row.

    ``?`` counts 0 to the full weight, ``*`` as ``criteria.not_considered`` defines. An undecided
    Non-Admin lowers the interval to 0.
    """
    low = high = Fraction(0)
    may_count = {UNDECIDED}
    if criteria.not_considered is NotConsidered.OPEN:
        may_count.add(NOT_CONSIDERED)
    for slot, weight in criteria.weights.items():
        score = row.score(slot)
        if score is not None:
            low += Fraction(score * weight, criteria.highest)
            high += Fraction(score * weight, criteria.highest)
        elif row.cells[slot] in may_count:
            high += weight
    if row.cells[GATE] == "0":
        return Total(Fraction(0), Fraction(0), Standing.OUT)
    if row.cells[GATE] in (UNDECIDED, NOT_CONSIDERED):
        low = Fraction(0)
    return Total(low, high, _standing(low, high, criteria))


def _standing(low: Fraction, high: Fraction, criteria: CriteriaSet) -> Standing:
    if criteria.cutoff is None:
        return Standing.OPEN
    if low >= criteria.cutoff:
        return Standing.IN
    return Standing.OPEN if high >= criteria.cutoff else Standing.OUT


def with_changed_cells(
    sheet: Worksheet, changes: Mapping[str, Mapping[str, str]], criteria: CriteriaSet
) -> str:
    """Return the text of a worksheet with cells changed, by capability and criterion.

    Totals printed in the changed rows are computed anew.
    """
    return with_new_totals(worksheet.with_cells(sheet, changes), set(changes), criteria)


def with_new_totals(text: str, capabilities: Container[str], criteria: CriteriaSet) -> str:
    """Return the text of a worksheet with the printed totals of some rows computed anew.

    A row without a decided gate keeps its total: it has none yet.
    """
    sheet = worksheet.parse(text, "changed", criteria.highest)
    rows = [row for row in sheet.rows if row.capability in capabilities and row.printed]
    decided = [row for row in rows if row.score(GATE) is not None]
    totals = {row.capability: faithful(row, criteria) for row in decided}
    return worksheet.with_totals(sheet, totals)
