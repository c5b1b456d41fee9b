"""Export the scores of a worksheet as CSV, and read the changes in such a file.

The published script writes gated rows with two fields and, on import, deletes every row. Here each
row has all its columns, and reading never removes a row: it returns the cells that differ.
"""

from collections.abc import Iterable, Mapping

from scoring.committee.criteria import by_heading, names
from scoring.committee.worksheet import SLOTS, Row, Worksheet, check_cell
from scoring.csv_text import fields_of, lines, neutral, plain
from scoring.errors import ScoringError

Cells = dict[str, dict[str, str]]
"""Text of cells by capability and criterion."""

HEADINGS = ("Capability", *names().values(), "Total")
"""The first line: the display names of the criteria and of the gate."""
_TOTAL = "Total"


def export(rows: Iterable[Row], totals: Mapping[str, str]) -> str:
    """Return a CSV text: capability, twelve criteria, Non-Admin, total.

    :param totals: text of the totals by capability; a missing one is left empty
    """
    # A total is a number and stays one: the faithful mode prints negative ones.
    body = (
        (
            neutral(row.capability),
            *(row.cells[slot] for slot in SLOTS),
            totals.get(row.capability, ""),
        )
        for row in rows
    )
    return lines((HEADINGS, *body))


def read(text: str, source: str, worksheet: Worksheet, highest: int = 1) -> Cells:
    """Return the cells of a CSV text that differ from ``worksheet``, by capability and criterion.

    Headings may be ids or display names. Totals are ignored, and so is a row of two fields (a name
    and a total, as the published script writes gated rows). Rows that the CSV lacks do not change.

    :param source: name of the file, for messages
    :param highest: the highest score that a cell may have
    :raises ScoringError: an unknown or duplicate capability or criterion, or a cell that is not a
        valid score; with file, line and column
    """
    found = fields_of(text, source)
    if not found or not found[0]:
        raise ScoringError(f"{source} is empty", hint="the first line names the columns")
    slots = _slots(found[0], source)
    rows = {row.capability: row for row in worksheet.rows}
    changes: Cells = {}
    seen: dict[str, int] = {}
    for number, fields in enumerate(found[1:], start=2):
        if not any(fields):
            continue
        name = plain(fields[0]).rstrip(":")
        if name not in rows:
            raise ScoringError(
                f"{source}:{number}:1: the worksheet has no row {name}",
                hint="add the row to the worksheet first",
            )
        if name in seen:
            raise ScoringError(f"{source}:{number}:1: {name} is already in line {seen[name]}")
        seen[name] = number
        # Two fields under a wider header are a name and a total, as the script writes gated rows.
        if len(fields) != 2 or len(slots) == 1:
            changed = _changed(fields, slots, rows[name], f"{source}:{number}", highest)
            if changed:
                changes[name] = changed
    return changes


def _slots(headings: list[str], source: str) -> list[str | None]:
    slots: list[str | None] = []
    for column, heading in enumerate(headings[1:], start=2):
        if heading.strip().lower() == _TOTAL.lower():
            slots.append(None)
            continue
        slot = by_heading(heading)
        if slot is None:
            raise ScoringError(
                f"{source}:1:{column}: unknown criterion {heading}",
                hint=f"columns are {', '.join(names().values())}",
            )
        if slot in slots:
            raise ScoringError(f"{source}:1:{column}: duplicate column {heading}")
        slots.append(slot)
    return slots


def _changed(
    fields: list[str], slots: list[str | None], row: Row, where: str, highest: int
) -> dict[str, str]:
    if len(fields) != len(slots) + 1:
        raise ScoringError(f"{where}: {len(fields)} fields where the header has {len(slots) + 1}")
    changed = {}
    for column, (slot, field) in enumerate(zip(slots, fields[1:], strict=True), start=2):
        cell = field.strip()
        if slot is None:
            continue
        check_cell(cell, slot, f"{where}:{column}", highest)
        if cell != row.cells[slot]:
            changed[slot] = cell
    return changed
