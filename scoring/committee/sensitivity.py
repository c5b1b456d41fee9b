"""How firmly rows stand: margins, what each criterion is worth, and random reweightings.

pandas is the table, numpy the arithmetic: 100,000 reweightings of 150 rows take about a second.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from scoring.committee.criteria import GATE, CriteriaSet
from scoring.committee.worksheet import Row

DRAWS_AT_ONCE = 10_000
# Scaled totals meet a scaled cutoff but for the last bit.
_LAST_BIT = 1e-9


@dataclass(frozen=True)
class Sensitivity:
    """``table`` has a row per capability: margin, share, one column a criterion left out."""

    table: pd.DataFrame
    seed: int
    draws: int


def scores(rows: tuple[Row, ...], criteria: CriteriaSet) -> pd.DataFrame:
    """Return the considered cells as numbers from 0 to 1, capabilities by criteria.

    Undecided and not considered cells are 0, a gated row is all 0.
    """
    data = {
        row.capability: [
            (row.score(slot) or 0) / criteria.highest if row.cells[GATE] == "1" else 0.0
            for slot in criteria.weights
        ]
        for row in rows
    }
    return pd.DataFrame.from_dict(data, orient="index", columns=list(criteria.weights))


def analyse(
    rows: tuple[Row, ...], criteria: CriteriaSet, draws: int = 100_000, seed: int = 1
) -> Sensitivity:
    """Return, per capability:

    * ``total`` and ``margin``: the total, and how far it lies from the cutoff;
    * ``share``: the part of random reweightings (uniform over all weights of the same sum, the
      cutoff at the same share of it) under which it is in;
    * ``without <criterion>``: whether it is in when that one is left out and the cutoff shrinks
      with the sum of the weights.
    """
    cells = scores(rows, criteria)
    weights = np.array(list(criteria.weights.values()), dtype=float)
    cutoff = float(criteria.cutoff if criteria.cutoff is not None else criteria.most)
    total = cells.to_numpy() @ weights
    table = pd.DataFrame({"total": total, "margin": total - cutoff}, index=cells.index)
    table["share"] = _share(cells.to_numpy(), weights.sum(), cutoff, draws, seed)
    for position, name in enumerate(criteria.weights):
        kept = np.delete(weights, position)
        left = np.delete(cells.to_numpy(), position, axis=1) @ kept
        table[f"without {name}"] = left >= cutoff * kept.sum() / weights.sum() - _LAST_BIT
    return Sensitivity(table, seed, draws)


def swing(row: Row, criteria: CriteriaSet) -> dict[str, tuple[float, float]]:
    """Return what a row's total would lose and gain, by criterion, between worst and best score.

    An undecided cell counts as the worst score; a gated row can gain or lose nothing.
    """
    cells = scores((row,), criteria).iloc[0]
    open_gate = float(row.cells[GATE] == "1")
    return {
        name: (0.0 - float(cells[name]) * weight, (1 - float(cells[name])) * weight * open_gate)
        for name, weight in criteria.weights.items()
    }


def by_criterion(rows: tuple[Row, ...], criteria: CriteriaSet) -> pd.DataFrame:
    """Return, per criterion:

    * ``weight``, and ``met``: the part of the rows that an admin is not needed for which meet it;
    * ``without`` and ``doubled``: how many capabilities are in when its weight is 0, and when it is
      twice what it is, the cutoff at the same share of the sum;
    * ``entering`` and ``leaving``: who crosses the line when it is left out.
    """
    cells = scores(rows, criteria)
    values = cells.to_numpy()
    weights = np.array(list(criteria.weights.values()), dtype=float)
    cutoff = float(criteria.cutoff if criteria.cutoff is not None else criteria.most)
    before = values @ weights >= cutoff
    candidates = np.array([row.cells[GATE] == "1" for row in rows])
    found = {}
    for position, name in enumerate(criteria.weights):
        inside = {}
        for factor in (0, 2):
            changed = weights.copy()
            changed[position] *= factor
            line = cutoff * changed.sum() / weights.sum()
            inside[factor] = values @ changed >= line - _LAST_BIT
        found[name] = {
            "weight": criteria.weights[name],
            "met": float(values[candidates, position].mean()) if candidates.any() else 0.0,
            "without": int(inside[0].sum()),
            "doubled": int(inside[2].sum()),
            "entering": list(cells.index[inside[0] & ~before]),
            "leaving": list(cells.index[~inside[0] & before]),
        }
    return pd.DataFrame.from_dict(found, orient="index")


def _share(cells: np.ndarray, most: float, cutoff: float, draws: int, seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    inside = np.zeros(len(cells))
    for start in range(0, draws, DRAWS_AT_ONCE):
        count = min(DRAWS_AT_ONCE, draws - start)
        # A Dirichlet draw is uniform over all weights that sum to one.
        weights = random.dirichlet(np.ones(cells.shape[1]), size=count) * most
        inside += (cells @ weights.T >= cutoff - _LAST_BIT).sum(axis=1)
    return inside / draws


@dataclass(frozen=True)
class Firmness:
    """How firmly one row stands; ``decisive`` are criteria whose absence alone would flip it."""

    total: float
    margin: float
    share: float
    decisive: tuple[str, ...]


def firmness(found: Sensitivity, criteria: CriteriaSet) -> dict[str, Firmness]:
    """Return the table's rows by capability."""
    return {
        str(name): Firmness(
            total=float(row["total"]),
            margin=float(row["margin"]),
            share=float(row["share"]),
            decisive=tuple(
                slot
                for slot in criteria.weights
                if bool(row[f"without {slot}"]) is not bool(row["margin"] >= 0)
            ),
        )
        for name, row in found.table.to_dict(orient="index").items()
    }
