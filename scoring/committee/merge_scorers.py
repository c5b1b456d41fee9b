"""Merge the worksheets of several scorers: a cell they disagree on becomes ``?``.

A scorer's own ``?`` ("needs discussion") is an opinion too, and disagrees with a score.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from scoring.committee.worksheet import SLOTS, UNDECIDED, Worksheet, with_cells
from scoring.errors import ScoringError


@dataclass(frozen=True)
class Disagreement:
    """A cell that scorers disagree on: ``cells`` maps the scorer's name to the cell's text."""

    capability: str
    criterion: str
    cells: Mapping[str, str]


def disagreements(sheets: Mapping[str, Worksheet]) -> tuple[Disagreement, ...]:
    """Return the cells that differ between worksheets, in the order of the first.

    A scorer whose worksheet lacks a row has no opinion on it.

    :param sheets: worksheets by the scorer's name
    :raises ScoringError: a row of another worksheet is not in the first
    """
    first, *others = sheets.items()
    known = {row.capability for row in first[1].rows}
    for name, sheet in others:
        for row in sheet.rows:
            if row.capability not in known:
                raise ScoringError(
                    f"{name}:{row.line}: {row.capability} has no row in {first[0]}",
                    hint=f"add the row to {first[0]}, or correct the name",
                )
    rows = {name: {row.capability: row for row in sheet.rows} for name, sheet in sheets.items()}
    found = []
    for row in first[1].rows:
        scored = {name: own[row.capability] for name, own in rows.items() if row.capability in own}
        for slot in SLOTS:
            texts = {name: own.cells[slot] for name, own in scored.items()}
            if len(set(texts.values())) > 1:
                found.append(Disagreement(row.capability, slot, texts))
    return tuple(found)


def merged(sheet: Worksheet, found: tuple[Disagreement, ...]) -> str:
    """Return the text of the first worksheet with ``?`` in every cell scorers disagree on."""
    cells: dict[str, dict[str, str]] = {}
    for disagreement in found:
        cells.setdefault(disagreement.capability, {})[disagreement.criterion] = UNDECIDED
    return with_cells(sheet, cells)
