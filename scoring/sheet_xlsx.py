"""The worksheet as a spreadsheet that calculates: change a weight or a cell and totals follow.

Three sheets: *Scores* (capabilities by criteria), *Criteria* (weights and cutoff, which the
formulas read) and *Must-have* (what is in, out and open, counted). Each formula carries its result
too: not every program calculates when it opens a file.
"""

import io
from collections import Counter
from typing import Any

import xlsxwriter
from xlsxwriter.utility import xl_col_to_name, xl_rowcol_to_cell

from scoring.criteria import CriteriaSet, criteria
from scoring.total import Exact, Standing, exact
from scoring.worksheet import NOT_CONSIDERED, SLOTS, UNDECIDED, Worksheet

_FIRST_ROW = 2
_GATE_COLUMN = len(SLOTS)
_KNOWN, _POSSIBLE, _STANDING = (_GATE_COLUMN + offset for offset in (1, 2, 3))
# Blue, orange and grey are told apart by the colour-blind; the word stands there too.
_COLOURS = {Standing.IN: "#9ecae1", Standing.OPEN: "#fdd0a2", Standing.OUT: "#e0e0e0"}


def export(worksheet: Worksheet, chosen: CriteriaSet) -> bytes:
    """Return an xlsx file with live formulas."""
    out = io.BytesIO()
    # Texts stay texts: a note that starts with = is no formula.
    book = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False})
    scores, weights, summary = (
        book.add_worksheet(name) for name in ("Scores", "Criteria", "Must-have")
    )
    _write_criteria(book, weights, chosen)
    _write_scores(book, scores, worksheet, chosen)
    standings = Counter(exact(row, chosen).standing for row in worksheet.rows)
    _write_summary(book, summary, standings)
    book.close()
    return out.getvalue()


def _write_criteria(book: Any, sheet: Any, chosen: CriteriaSet) -> None:
    bold = book.add_format({"bold": True})
    for column, heading in enumerate(("id", "criterion", "group", "weight")):
        sheet.write_string(0, column, heading, bold)
    for number, each in enumerate(criteria(), start=1):
        for column, text in enumerate((each.id, each.name, each.group)):
            sheet.write_string(number, column, text)
        sheet.write_number(number, 3, chosen.weights.get(each.id, 0))
    last = len(criteria()) + 1
    sheet.write_string(last, 2, "sum", bold)
    sheet.write_formula(last, 3, f"=SUM(D2:D{last})", bold, chosen.most)
    sheet.write_string(last + 1, 2, "cutoff", bold)
    if chosen.cutoff is not None:
        sheet.write_number(last + 1, 3, chosen.cutoff)
    sheet.write_string(last + 2, 2, "best score", bold)
    sheet.write_number(last + 2, 3, chosen.highest)
    book.define_name("cutoff", f"=Criteria!$D${last + 2}")
    book.define_name("best", f"=Criteria!$D${last + 3}")
    sheet.set_column(0, 2, 22)
    sheet.freeze_panes(1, 0)


def _write_scores(book: Any, sheet: Any, worksheet: Worksheet, chosen: CriteriaSet) -> None:
    bold = book.add_format({"bold": True, "rotation": 60})
    plain = book.add_format({"bold": True})
    names = {each.id: each.name for each in criteria()}
    headings = ("Capability", *(names.get(slot, "Non-Admin") for slot in SLOTS))
    for column, heading in enumerate((*headings, "Known total", "Possible total", "Standing")):
        sheet.write_string(0, column, heading, bold)
    sheet.write_string(1, 0, "weight", plain)
    for column in range(1, _GATE_COLUMN):
        weight = chosen.weights.get(SLOTS[column - 1], 0)
        sheet.write_formula(1, column, f"=Criteria!$D${column + 1}", plain, weight)
    for number, row in enumerate(worksheet.rows, start=_FIRST_ROW):
        sheet.write_string(number, 0, row.capability)
        for column, slot in enumerate(SLOTS, start=1):
            cell = row.cells[slot]
            if cell.isdigit():
                sheet.write_number(number, column, int(cell))
            else:
                sheet.write_string(number, column, cell)
        _write_totals(sheet, number, exact(row, chosen))
    last = _FIRST_ROW + len(worksheet.rows) - 1
    _validate(sheet, last, chosen)
    for standing, colour in _COLOURS.items():
        sheet.conditional_format(
            *(_FIRST_ROW, _STANDING, last, _STANDING),
            {
                "type": "cell",
                "criteria": "==",
                "value": f'"{standing}"',
                "format": book.add_format({"bg_color": colour}),
            },
        )
    sheet.set_column(0, 0, 38)
    sheet.set_column(1, _GATE_COLUMN, 5)
    sheet.freeze_panes(_FIRST_ROW, 1)


def _write_totals(sheet: Any, number: int, total: Exact) -> None:
    first, last = xl_col_to_name(1), xl_col_to_name(_GATE_COLUMN - 1)
    cells = f"{first}{number + 1}:{last}{number + 1}"
    weights = f"${first}$2:${last}$2"
    gate = xl_rowcol_to_cell(number, _GATE_COLUMN)
    known, possible = (xl_rowcol_to_cell(number, each) for each in (_KNOWN, _POSSIBLE))
    scored = f"SUMPRODUCT({weights},{cells})/best"
    undecided = f'SUMPRODUCT({weights}*({cells}="{UNDECIDED}"))'
    sheet.write_formula(number, _KNOWN, f"=IF({gate}=1,{scored},0)", None, float(total.low))
    possible_total = f"=IF({gate}=0,0,{scored}+{undecided})"
    sheet.write_formula(number, _POSSIBLE, possible_total, None, float(total.high))
    sheet.write_formula(
        number,
        _STANDING,
        f'=IF({known}>=cutoff,"{Standing.IN}",'
        f'IF({possible}>=cutoff,"{Standing.OPEN}","{Standing.OUT}"))',
        None,
        str(total.standing),
    )


def _validate(sheet: Any, last: int, chosen: CriteriaSet) -> None:
    for first_column, last_column, top in (
        (1, _GATE_COLUMN - 1, chosen.highest),
        (_GATE_COLUMN, _GATE_COLUMN, 1),
    ):
        allowed = [*map(str, range(top + 1)), UNDECIDED, NOT_CONSIDERED]
        sheet.data_validation(
            *(_FIRST_ROW, first_column, last, last_column),
            {
                "validate": "list",
                "source": allowed,
                "error_title": "No score",
                "error_message": f"A score is one of {', '.join(allowed)}.",
            },
        )


def _write_summary(book: Any, sheet: Any, standings: Counter[Standing]) -> None:
    bold = book.add_format({"bold": True})
    column = xl_col_to_name(_STANDING)
    where = f"Scores!${column}${_FIRST_ROW + 1}:${column}${_FIRST_ROW + standings.total()}"
    sheet.write_string(0, 0, "Standing", bold)
    sheet.write_string(0, 1, "Capabilities", bold)
    for number, standing in enumerate(Standing, start=1):
        sheet.write_string(number, 0, str(standing))
        count = f'=COUNTIF({where},"{standing}")'
        sheet.write_formula(number, 1, count, None, standings[standing])
    sheet.set_column(0, 1, 16)
