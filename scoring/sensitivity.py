"""How firmly rows stand: margins, what each criterion is worth, and random reweightings.

pandas is the table, numpy the arithmetic: 100,000 reweightings of 150 rows take about a second.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from scoring.criteria import GATE, CriteriaSet
from scoring.worksheet import Row

DRAWS_AT_ONCE = 10_000


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
        table[f"without {name}"] = left >= cutoff * kept.sum() / weights.sum()
    return Sensitivity(table, seed, draws)


def _share(cells: np.ndarray, most: float, cutoff: float, draws: int, seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    inside = np.zeros(len(cells))
    for start in range(0, draws, DRAWS_AT_ONCE):
        count = min(DRAWS_AT_ONCE, draws - start)
        # A Dirichlet draw is uniform over all weights that sum to one.
        weights = random.dirichlet(np.ones(cells.shape[1]), size=count) * most
        # Totals of whole rows meet the cutoff but for the last bit.
        inside += (cells @ weights.T >= cutoff - 1e-9).sum(axis=1)
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
