"""The worksheet's scores as CSV, and back.

The published script writes gated rows with two fields and, read back, deletes every row. Here each
row has all its columns, and reading never removes anything: it yields the cells that differ.
"""

from collections.abc import Iterable, Mapping

from scoring.committee.criteria import by_heading, names
from scoring.committee.worksheet import SLOTS, Row, Worksheet, check_cell
from scoring.csv_text import fields_of, lines, neutral, plain
from scoring.errors import ScoringError

Cells = dict[str, dict[str, str]]
"""Cells by capability and criterion."""

HEADINGS = ("Capability", *names().values(), "Total")
_TOTAL = "Total"


def export(rows: Iterable[Row], totals: Mapping[str, str]) -> str:
    """Return a CSV text: capability, twelve criteria, Non-Admin, total."""
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
    """Return the cells of a CSV that differ from ``worksheet``, by capability and criterion.

    Headings may be ids or display names; totals are not read; a row of two fields (a name and a
    total, as the published script writes) says nothing. Rows the CSV lacks stay as they are.

    :raises ScoringError: it names a capability or criterion nobody knows, one twice, or holds what
        is no score; file, line and column say where
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
                f"{source}:{number}:1: the worksheet has no row called {name}",
                hint="add the row to the worksheet first",
            )
        if name in seen:
            raise ScoringError(f"{source}:{number}:1: {name} stands in line {seen[name]} already")
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
                f"{source}:1:{column}: there is no criterion called {heading}",
                hint=f"columns are {', '.join(names().values())}",
            )
        if slot in slots:
            raise ScoringError(f"{source}:1:{column}: {heading} stands twice")
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
