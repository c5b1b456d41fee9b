"""The worksheet's scores as CSV, and back.

The published script writes gated rows with two fields and, read back, deletes every row. Here each
row has all its columns, and reading never removes anything: it yields the cells that differ.
"""

import csv
import io
from collections.abc import Iterable, Mapping

from scoring.committee.criteria import by_heading, names
from scoring.committee.worksheet import SLOTS, Row, Worksheet, check_cell
from scoring.errors import ScoringError

Cells = dict[str, dict[str, str]]
"""Cells by capability and criterion."""

HEADINGS = ("Capability", *names().values(), "Total")
_TOTAL = "Total"
# A spreadsheet takes a text that starts so for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def export(rows: Iterable[Row], totals: Mapping[str, str]) -> str:
    """Return a CSV text: capability, twelve criteria, Non-Admin, total."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEADINGS)
    for row in rows:
        cells = (row.cells[slot] for slot in SLOTS)
        writer.writerow((neutral(row.capability), *cells, totals.get(row.capability, "")))
    return out.getvalue()


def read(
    text: str, source: str, worksheet: Worksheet, highest: int = 1
) -> dict[str, dict[str, str]]:
    """Return the cells of a CSV that differ from ``worksheet``, by capability and criterion.

    Headings may be ids or display names; totals are not read; a row of two fields (a name and a
    total, as the published script writes) says nothing. Rows the CSV lacks stay as they are.

    :raises ScoringError: it names a capability or criterion nobody knows, one twice, or holds what
        is no score; file, line and column say where
    """
    lines = fields_of(text, source)
    if not lines or not lines[0]:
        raise ScoringError(f"{source} is empty", hint="the first line names the columns")
    slots = _slots(lines[0], source)
    rows = {row.capability: row for row in worksheet.rows}
    changes: Cells = {}
    seen: dict[str, int] = {}
    for number, fields in enumerate(lines[1:], start=2):
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


def fields_of(text: str, source: str) -> list[list[str]]:
    """Return the fields of a CSV text, line by line; a byte order mark is no part of them.

    :raises ScoringError: a line is none of CSV
    """
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
    try:
        return list(reader)
    except csv.Error as error:
        raise ScoringError(
            f"{source}:{reader.line_num}: not CSV: {error}", hint="is this the right file?"
        ) from error


def table(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a CSV text in which no cell is a formula."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(map(neutral, row) for row in rows)
    return out.getvalue()


def neutral(text: str) -> str:
    """Return ``text`` such that no spreadsheet takes it for a formula: an apostrophe leads it."""
    return f"'{text}" if text.lstrip("'").startswith(_FORMULA) else text


def plain(text: str) -> str:
    """Undo :func:`neutral`, and drop the space around."""
    text = text.strip()
    return text[1:] if text.startswith("'") and neutral(text[1:]) == text else text
