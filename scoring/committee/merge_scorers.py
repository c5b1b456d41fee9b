"""Several scorers' worksheets as one: where they agree their score, else ``?`` and who said what.

A scorer's own ``?`` is a view too ("needs discussion"): it does not give way to another's score.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from scoring.committee.worksheet import SLOTS, UNDECIDED, Worksheet, with_cells
from scoring.errors import ScoringError


@dataclass(frozen=True)
class Disagreement:
    """What each scorer, by name, has in one cell."""

    capability: str
    criterion: str
    said: Mapping[str, str]


def disagreements(sheets: Mapping[str, Worksheet]) -> tuple[Disagreement, ...]:
    """Return the cells that differ between worksheets, in the order of the first.

    A scorer who has no such row says nothing about it.

    :param sheets: worksheets by the name of who scored
    :raises ScoringError: a row stands in a later worksheet and not in the first
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
            said = {name: each.cells[slot] for name, each in scored.items()}
            if len(set(said.values())) > 1:
                found.append(Disagreement(row.capability, slot, said))
    return tuple(found)


def merged(sheet: Worksheet, found: tuple[Disagreement, ...]) -> str:
    """Return the text of the first worksheet with ``?`` wherever scorers disagree."""
    cells: dict[str, dict[str, str]] = {}
    for each in found:
        cells.setdefault(each.capability, {})[each.criterion] = UNDECIDED
    return with_cells(sheet, cells)
