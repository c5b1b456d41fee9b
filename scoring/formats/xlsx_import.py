"""Read the changes of scores, notes and decisions in an exported spreadsheet.

Nothing else may have changed: names, headings, weights and formulas are compared with those of a
new export of the same proposal.
"""

import datetime
import io
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import openpyxl
from openpyxl.cell import Cell
from openpyxl.worksheet.worksheet import Worksheet as Sheet

from scoring.committee.decisions import COLUMNS, Decision, check
from scoring.committee.proposal import Proposal
from scoring.committee.worksheet import SLOTS, check_cell
from scoring.errors import ScoringError
from scoring.formats import xlsx_export, xlsx_layout
from scoring.formats.worksheet_csv import Cells

_MOST_BYTES = 8 * 1024 * 1024
"""Of all members of a spreadsheet, unpacked: a board with all criteria has a tenth of it."""
_MOST_ROWS = 10_000
"""More than ten times the capabilities of any worksheet."""
_EXPORTED = "import a file that score export --xlsx wrote"
_NOT_XLSX = (
    *(zipfile.BadZipFile, IndexError, KeyError, OSError, TypeError, ValueError),
    SyntaxError,  # XML that is not well-formed, of either XML library
)
"""What openpyxl raises for another file."""
_SCORES = range(1, 1 + len(SLOTS))
_DECISIONS = tuple(xlsx_layout.MUST_HAVE_COLUMNS.index(name) for name in COLUMNS[1:])


@dataclass(frozen=True)
class Changes:
    """The scores that differ, by capability and criterion, and all decisions in the file.

    ``stale`` is true if scores or decisions changed elsewhere since the export: importing the file
    would revert those changes.
    """

    scores: Cells
    decisions: dict[str, Decision]
    stale: bool = False


def read(content: bytes, source: str, proposal: Proposal) -> Changes:
    """Return the changes in a spreadsheet since it was exported from ``proposal``.

    Rows may be sorted. Rows that the spreadsheet lacks do not change.

    :param source: name of the file, for messages
    :raises ScoringError: it is not such a spreadsheet, or something else was changed; with sheet
        and cell
    """
    edited, fresh = _book(content, source), _book(xlsx_export.export(proposal), source)
    for name in fresh.sheetnames:
        if name not in edited.sheetnames:
            raise ScoringError(
                f"{source}: the sheet {name} is missing",
                hint=_EXPORTED,
            )
    # The other two sheets are derived from scores and decisions.
    for name in (xlsx_layout.CRITERIA, xlsx_layout.FLAGS):
        _check_same(_table(edited[name], fresh[name], source), _cells(fresh[name]), source)
    rows = {
        recommendation.capability: recommendation.row for recommendation in proposal.recommendations
    }
    scores: Cells = {}
    first = xlsx_layout.FIRST_SCORE_ROW
    for name, cells in _edited_rows(edited, fresh, xlsx_layout.SCORES, first, _SCORES, source):
        for slot, cell in zip(SLOTS, cells, strict=True):
            text = _text(cell.value)
            check_cell(text, slot, _where(cell, source), proposal.criteria.highest)
            if text != rows[name].cells[slot]:
                scores.setdefault(name, {})[slot] = text
    decisions = dict(proposal.decisions)
    first = xlsx_layout.FIRST_MUST_HAVE_ROW
    for name, cells in _edited_rows(
        edited, fresh, xlsx_layout.MUST_HAVE, first, _DECISIONS, source
    ):
        texts = (_text(cell.value) for cell in cells)
        decisions[name] = check(Decision(name, *texts), _where(cells[0], source))
    recorded = {name: decision for name, decision in decisions.items() if decision.is_recorded}
    return Changes(scores, recorded, _digest(edited) != _digest(fresh))


def _book(content: bytes, source: str) -> openpyxl.Workbook:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            size = sum(member.file_size for member in packed.infolist())
            if size > _MOST_BYTES:
                raise ScoringError(
                    f"{source}: larger than {_MOST_BYTES} bytes when unpacked", hint=_EXPORTED
                )
            # openpyxl makes a cell of each one that is merged.
            if any(b"<mergeCell " in packed.read(name) for name in packed.namelist()):
                raise ScoringError(f"{source}: it has merged cells", hint=_EXPORTED)
        return openpyxl.load_workbook(io.BytesIO(content))
    except _NOT_XLSX as error:
        raise ScoringError(
            f"{source}: not an xlsx file: {error}", hint="save it as .xlsx (Excel 2007 and later)"
        ) from error


def _digest(book: openpyxl.Workbook) -> str:
    properties = book.custom_doc_props.props  # type: ignore[attr-defined]
    return next((item.value for item in properties if item.name == xlsx_layout.DIGEST), "")


def _edited_rows(
    edited: openpyxl.Workbook,
    fresh: openpyxl.Workbook,
    name: str,
    first_row: int,
    editable: Sequence[int],
    source: str,
) -> Iterator[tuple[str, tuple[Cell, ...]]]:
    """Yield the capability and the editable cells of each row, after checking the other cells."""
    expected = _cells(fresh[name])
    found = _table(edited[name], fresh[name], source)
    _check_same(found[:first_row], expected[:first_row], source)
    known = {_text(row[0].value): row for row in expected[first_row:]}
    seen: dict[str, str] = {}
    for row in found[first_row:]:
        capability = _text(row[0].value)
        if not any(cell.value is not None for cell in row[: len(_headed(expected))]):
            continue
        if capability not in known:
            raise ScoringError(
                f"{_where(row[0], source)}: unknown capability {capability}",
                hint="add rows in the worksheet, not in the spreadsheet",
            )
        if capability in seen:
            raise ScoringError(
                f"{_where(row[0], source)}: {capability} is already in {seen[capability]}"
            )
        seen[capability] = row[0].coordinate
        own = known[capability]
        for column, cell in enumerate(row[: len(own)]):
            # Sorting the rows does not move the counts beside the table.
            if column not in editable and column < len(_headed(expected)):
                _check_cell_same(cell, own[column], source)
        yield capability, tuple(row[column] for column in editable)


def _headed(rows: Sequence[tuple[Cell, ...]]) -> tuple[Cell, ...]:
    """Return the headings of the table: the cells of the first row up to the first empty one."""
    for column, cell in enumerate(rows[0]):
        if cell.value is None:
            return rows[0][:column]
    return rows[0]


def _cells(sheet: Sheet, columns: int | None = None) -> list[tuple[Cell, ...]]:
    """Return all cells of the first columns: one far cell would make a sheet of millions."""
    return list(sheet.iter_rows(max_col=columns))  # type: ignore[arg-type]


def _table(sheet: Sheet, fresh: Sheet, source: str) -> list[tuple[Cell, ...]]:
    """Return the cells of a sheet as far as the exported one has columns.

    :raises ScoringError: it has too many rows
    """
    if sheet.max_row > _MOST_ROWS:
        raise ScoringError(
            f"{source}: {sheet.title}: there is a cell in row {sheet.max_row}; a table has at most "
            f"{_MOST_ROWS} rows",
            hint="delete the rows below the table",
        )
    return _cells(sheet, fresh.max_column)


def _check_same(
    edited: Sequence[tuple[Cell, ...]], fresh: Sequence[tuple[Cell, ...]], source: str
) -> None:
    for row, own in zip(edited, fresh, strict=False):
        for cell, expected in zip(row, own, strict=False):
            _check_cell_same(cell, expected, source)


def _check_cell_same(cell: Cell, expected: Cell, source: str) -> None:
    if expected.data_type == "f":
        # Programs write a formula in different ways: any formula is accepted.
        if cell.data_type != "f":
            raise ScoringError(
                f"{_where(cell, source)}: a formula was replaced by {cell.value}",
                hint="only scores, notes and decisions may change: undo this change",
            )
    elif _text(cell.value) != _text(expected.value):
        raise ScoringError(
            f'{_where(cell, source)}: "{_text(expected.value)}" became "{_text(cell.value)}"',
            hint="only scores, notes and decisions may change: undo this change",
        )


def _where(cell: Cell, source: str) -> str:
    return f"{source}: {cell.parent.title}!{cell.coordinate}"


def _text(value: object) -> str:
    if isinstance(value, datetime.datetime):
        return value.date().isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None else str(value).strip()
