"""What would enter and leave under other weights, another cutoff, other scores."""

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
    """A capability whose standing is another one."""

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
                f"the set {criteria.id} has no criterion called {name}",
                hint=f"it has {', '.join(criteria.weights)}",
            )
        if weight < 0:
            raise ScoringError(f"the weight of {name} cannot be {weight}")
    return replace(
        criteria,
        weights=MappingProxyType({**criteria.weights, **weights}),
        cutoff=criteria.cutoff if cutoff is None else cutoff,
    )


def rescored(
    worksheet: Worksheet, cells: Mapping[str, Mapping[str, str]], highest: int = 1
) -> tuple[Row, ...]:
    """Return the rows with some cells replaced.

    :param highest: the best score a cell may have
    :raises ScoringError: there is no such row or criterion, or what is given is no score
    """
    for capability, changed in cells.items():
        row = worksheet.row(capability)
        for slot, cell in changed.items():
            if slot not in row.cells:
                raise ScoringError(f"{capability} has no cell called {slot}")
            check_cell(cell, slot, capability, highest)
    return tuple(row.with_cells(cells.get(row.capability, {})) for row in worksheet.rows)


def compare(
    before: tuple[Row, ...], after: tuple[Row, ...], old: CriteriaSet, new: CriteriaSet
) -> tuple[Changed, ...]:
    """Return the rows whose standing differs, in the worksheet's order."""
    pairs = (
        Changed(row.capability, exact(row, old), exact(changed, new))
        for row, changed in zip(before, after, strict=True)
    )
    return tuple(each for each in pairs if each.before.standing is not each.after.standing)


@dataclass(frozen=True)
class Flip:
    """The least that changes a row's standing: ``what`` to which value, and by how much."""

    what: str
    value: int | str
    by: float


def flips(row: Row, criteria: CriteriaSet) -> tuple[Flip, ...]:
    """Return the smallest change of one score, of one weight and of the cutoff that flips a row.

    Nothing flips a gated row but its gate; an open row has nothing to flip.
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
    for flip in sorted(found, key=lambda each: each.by):
        smallest.setdefault(flip.what.partition(" ")[0], flip)
    return tuple(smallest.values())


def _cutoff_flip(total: Fraction, inside: bool) -> Flip:
    # The cutoff itself is in: to fall out it must lie above the total.
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
