"""What changes under other weights, another cutoff or other scores."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from types import MappingProxyType

from scoring.committee.criteria import GATE, CriteriaSet
from scoring.committee.total import Standing, Total, exact
from scoring.committee.worksheet import Row, Worksheet, check_cell
from scoring.errors import ScoringError


@dataclass(frozen=True)
class Changed:
    """A capability on another side of the cutoff than before."""

    capability: str
    before: Total
    after: Total


def reweighted(
    criteria: CriteriaSet, weights: Mapping[str, int], cutoff: int | None
) -> CriteriaSet:
    """Return ``criteria`` with some weights, and perhaps the cutoff, replaced.

    :raises ScoringError: a weight is for a criterion that is not considered, or negative
    """
    for name, weight in weights.items():
        if name not in criteria.weights:
            raise ScoringError(
                f"the set {criteria.id} has no criterion {name}",
                hint=f"choose from {', '.join(criteria.weights)}",
            )
        if weight < 0:
            raise ScoringError(f"the weight of {name} cannot be negative: {weight}")
    return replace(
        criteria,
        weights=MappingProxyType({**criteria.weights, **weights}),
        cutoff=criteria.cutoff if cutoff is None else cutoff,
    )


def rescored(
    worksheet: Worksheet, cells: Mapping[str, Mapping[str, str]], highest: int = 1
) -> tuple[Row, ...]:
    """Return the rows with some cells replaced.

    :param cells: text of the changed cells by capability and criterion
    :param highest: the highest score that a cell may have
    :raises ScoringError: there is no such row or criterion, or a cell is not a valid score
    """
    for capability, changed in cells.items():
        row = worksheet.row(capability)
        for slot, cell in changed.items():
            if slot not in row.cells:
                raise ScoringError(f"{capability} has no criterion {slot}")
            check_cell(cell, slot, capability, highest)
    return tuple(row.with_cells(cells.get(row.capability, {})) for row in worksheet.rows)


def compare(
    before: tuple[Row, ...], after: tuple[Row, ...], old: CriteriaSet, new: CriteriaSet
) -> tuple[Changed, ...]:
    """Return the rows on another side of the cutoff, in the worksheet's order."""
    pairs = (
        Changed(row.capability, exact(row, old), exact(changed, new))
        for row, changed in zip(before, after, strict=True)
    )
    return tuple(pair for pair in pairs if pair.before.standing is not pair.after.standing)


@dataclass(frozen=True)
class Flip:
    """The smallest change that moves a row over the cutoff: ``what``, its new value, the step."""

    what: str
    value: int | str
    by: float


def flips(row: Row, criteria: CriteriaSet) -> tuple[Flip, ...]:
    """Return the smallest change of one score, of one weight and of the cutoff that flips a row.

    Empty for a gated row, which only its gate can flip, and for an open row.
    """
    known = exact(row, criteria)
    if row.cells[GATE] == "0" or known.standing is Standing.OPEN or criteria.cutoff is None:
        return ()
    inside = known.standing is Standing.IN
    total = known.low if inside else known.high
    missing = criteria.cutoff - total
    found = [_cutoff_flip(total, inside), *_weight_flips(row, criteria, missing, inside)]
    found += _score_flips(row, criteria, inside)
    smallest: dict[str, Flip] = {}
    for flip in sorted(found, key=lambda flip: flip.by):
        smallest.setdefault(flip.what.partition(" ")[0], flip)
    return tuple(smallest.values())


def _cutoff_flip(total: Fraction, inside: bool) -> Flip:
    # A total at the cutoff is in: to exclude the row, the cutoff must be above its total.
    value = math.floor(total) + 1 if inside else math.floor(total)
    return Flip("cutoff", value, float(abs(value - total)))


def _weight_flips(row: Row, criteria: CriteriaSet, missing: Fraction, inside: bool) -> list[Flip]:
    found = []
    for slot, weight in criteria.weights.items():
        share = Fraction(row.score(slot) or 0, criteria.highest)
        if share:
            change = math.ceil(missing / share) - (1 if inside else 0)
            if weight + change >= 0:
                found.append(Flip(f"weight of {slot}", weight + change, abs(change)))
    return found


def _score_flips(row: Row, criteria: CriteriaSet, inside: bool) -> list[Flip]:
    found = []
    for slot in criteria.weights:
        score = row.score(slot)
        if score is None:
            continue
        values = range(score) if inside else range(score + 1, criteria.highest + 1)
        for value in values:
            after = exact(row.with_cells({slot: str(value)}), criteria)
            if (after.standing is Standing.IN) is not inside:
                found.append(Flip(f"score of {slot}", value, abs(value - score)))
    return found
