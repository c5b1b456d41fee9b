"""Export a proposal as a spreadsheet with formulas: totals follow when a weight or a cell changes.

*Scores* (capabilities by criteria) and *Must-have* (recommendations, decisions and counts) are
formulas over *Criteria* (weights and cutoff). *Changes*, *Flags* and *Open questions* are text of
the time of export. Each formula is stored with its result: not every program calculates on opening.
"""

import hashlib
import io
from collections import Counter
from collections.abc import Iterable
from dataclasses import astuple

from xlsxwriter import Workbook
from xlsxwriter.utility import xl_col_to_name, xl_rowcol_to_cell
from xlsxwriter.worksheet import Worksheet as Sheet

from capabilities.guideline import Status
from scoring.committee.criteria import CriteriaSet, NotConsidered, criteria
from scoring.committee.decisions import COLUMNS, Decision
from scoring.committee.proposal import Proposal
from scoring.committee.recommendation import Recommendation, Recommended
from scoring.committee.total import Standing, Total
from scoring.committee.worksheet import NOT_CONSIDERED, SLOTS, UNDECIDED
from scoring.formats.xlsx_layout import (
    CHANGES,
    CRITERIA,
    DIGEST,
    FIRST_MUST_HAVE_ROW,
    FIRST_SCORE_ROW,
    FLAGS,
    MUST_HAVE,
    MUST_HAVE_COLUMNS,
    QUESTIONS,
    SCORES,
    SCORES_COLUMNS,
    SHEETS,
)

_GATE_COLUMN = len(SLOTS)
_KNOWN, _POSSIBLE, _STANDING = (_GATE_COLUMN + offset for offset in (1, 2, 3))
# Colour-blind people can distinguish blue, orange and grey; the cell has the word too.
_BLUE, _ORANGE, _GREY = "#9ecae1", "#fdd0a2", "#e0e0e0"
_STANDINGS = {Standing.IN: _BLUE, Standing.OPEN: _ORANGE, Standing.OUT: _GREY}
_STATUSES = {Status.REQUIRED: _BLUE, Status.ADVISORY: "#deebf7", Status.DEPRECATED: _ORANGE}
_RECOMMENDED = {Recommended.YES: _BLUE, Recommended.OPEN: _ORANGE, Recommended.NO: _GREY}


def export(proposal: Proposal) -> bytes:
    """Return the bytes of an xlsx file."""
    out = io.BytesIO()
    # A note that starts with = is text, not a formula.
    book = Workbook(out, {"in_memory": True, "strings_to_formulas": False})
    sheets = {name: book.add_worksheet(name) for name in SHEETS}
    _write_criteria(book, sheets[CRITERIA], proposal.criteria)
    _write_scores(book, sheets[SCORES], proposal)
    _write_must_have(book, sheets[MUST_HAVE], proposal)
    for name, (headings, rows) in static_tables(proposal).items():
        _write_table(book, sheets[name], headings, rows)
    book.set_custom_property(DIGEST, _digest(proposal))
    book.close()
    return out.getvalue()


def _digest(proposal: Proposal) -> str:
    """Return a digest of scores and decisions, by which an import notices later changes."""
    rows = [
        (recommendation.capability, *recommendation.row.cells.values())
        for recommendation in proposal.recommendations
    ]
    decided = [astuple(proposal.decisions[name]) for name in sorted(proposal.decisions)]
    return hashlib.sha256(repr((rows, decided)).encode()).hexdigest()


def static_tables(
    proposal: Proposal,
) -> dict[str, tuple[tuple[str, ...], list[tuple[str, ...]]]]:
    """Return headings and rows of the sheets without formulas, by the name of the sheet."""
    return {
        CHANGES: (("capability", "before", "proposed"), list(proposal.changes())),
        FLAGS: (("capability", "test", "reason", "action", "date"), list(proposal.flags())),
        QUESTIONS: (
            ("capability", "criterion", "question"),
            list(proposal.open_questions()),
        ),
    }


def _write_table(
    book: Workbook, sheet: Sheet, headings: tuple[str, ...], rows: Iterable[tuple[str, ...]]
) -> None:
    bold = book.add_format({"bold": True})
    for number, cells in enumerate((headings, *rows)):
        for column, text in enumerate(cells):
            sheet.write_string(number, column, text, None if number else bold)
    sheet.set_column(0, 0, 38)
    sheet.set_column(1, len(headings) - 1, 30)
    sheet.freeze_panes(1, 1)


def _write_criteria(book: Workbook, sheet: Sheet, chosen: CriteriaSet) -> None:
    bold = book.add_format({"bold": True})
    wrapped = book.add_format({"text_wrap": True, "valign": "top"})
    for column, heading in enumerate(("id", "criterion", "group", "weight", "definition")):
        sheet.write_string(0, column, heading, bold)
    for number, criterion in enumerate(criteria(), start=1):
        for column, text in enumerate((criterion.id, criterion.name, criterion.group)):
            sheet.write_string(number, column, text)
        sheet.write_number(number, 3, chosen.weights.get(criterion.id, 0))
        definition = chosen.definitions.get(criterion.id, criterion.definition)
        sheet.write_string(number, 4, definition, wrapped)
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
    sheet.data_validation(
        *(1, 3, len(criteria()), 3),
        {
            "validate": "integer",
            "criteria": "between",
            "minimum": 0,
            "maximum": 100,
            "error_title": "Not a valid weight",
            "error_message": "A weight is a whole number from 0 to 100.",
        },
    )
    sheet.set_column(0, 2, 22)
    sheet.set_column(4, 4, 70)
    sheet.freeze_panes(1, 0)


def _write_scores(book: Workbook, sheet: Sheet, proposal: Proposal) -> None:
    chosen = proposal.criteria
    bold = book.add_format({"bold": True, "rotation": 60})
    plain = book.add_format({"bold": True})
    for column, heading in enumerate(SCORES_COLUMNS):
        sheet.write_string(0, column, heading, bold)
    sheet.write_string(1, 0, "weight", plain)
    for column in range(1, _GATE_COLUMN):
        weight = chosen.weights.get(SLOTS[column - 1], 0)
        sheet.write_formula(1, column, f"=Criteria!$D${column + 1}", plain, weight)
    for number, recommendation in enumerate(proposal.recommendations, start=FIRST_SCORE_ROW):
        sheet.write_string(number, 0, recommendation.capability)
        for column, slot in enumerate(SLOTS, start=1):
            cell = recommendation.row.cells[slot]
            if cell.isdigit():
                sheet.write_number(number, column, int(cell))
            else:
                sheet.write_string(number, column, cell)
        _write_totals(sheet, number, recommendation.total, chosen)
        sheet.write_string(number, _STANDING + 1, recommendation.row.section)
    last = FIRST_SCORE_ROW + len(proposal.recommendations) - 1
    _validate_scores(sheet, last, chosen)
    _colour(book, sheet, (FIRST_SCORE_ROW, _STANDING, last, _STANDING), _STANDINGS.items())
    sheet.set_column(0, 0, 38)
    sheet.set_column(1, _GATE_COLUMN, 5)
    sheet.set_column(_STANDING + 1, _STANDING + 1, 16)
    sheet.freeze_panes(FIRST_SCORE_ROW, 1)


def _write_totals(sheet: Sheet, number: int, total: Total, chosen: CriteriaSet) -> None:
    first, last = xl_col_to_name(1), xl_col_to_name(_GATE_COLUMN - 1)
    cells = f"{first}{number + 1}:{last}{number + 1}"
    weights = f"${first}$2:${last}$2"
    gate_cell = xl_rowcol_to_cell(number, _GATE_COLUMN)
    known, possible = (xl_rowcol_to_cell(number, column) for column in (_KNOWN, _POSSIBLE))
    scored = f"SUMPRODUCT({weights},{cells})/best"
    may_count = [UNDECIDED]
    if chosen.not_considered is NotConsidered.OPEN:
        may_count.append(NOT_CONSIDERED)
    undecided = "".join(f'+SUMPRODUCT({weights}*({cells}="{mark}"))' for mark in may_count)
    sheet.write_formula(number, _KNOWN, f"=IF({gate_cell}=1,{scored},0)", None, float(total.low))
    possible_total = f"=IF({gate_cell}=0,0,{scored}{undecided})"
    sheet.write_formula(number, _POSSIBLE, possible_total, None, float(total.high))
    formula = (
        f'=IF({known}>=cutoff,"{Standing.IN}",'
        f'IF({possible}>=cutoff,"{Standing.OPEN}","{Standing.OUT}"))'
    )
    if chosen.cutoff is None:
        formula = f'=IF(cutoff="","{Standing.OPEN}",{formula[1:]})'
    sheet.write_formula(number, _STANDING, formula, None, str(total.standing))


def _write_must_have(book: Workbook, sheet: Sheet, proposal: Proposal) -> None:
    bold = book.add_format({"bold": True})
    for column, heading in enumerate(MUST_HAVE_COLUMNS):
        sheet.write_string(0, column, heading, bold)
    number = FIRST_MUST_HAVE_ROW
    for recommendation in proposal.recommendations:
        _write_recommendation(sheet, number, recommendation)
        number += 1
    for name, status in proposal.unscored.items():
        was = proposal.previous.statuses[name]
        decision = proposal.decisions.get(name, Decision(name))
        _write_unscored(sheet, number, was, status, decision)
        number += 1
    last = number - 1
    sheet.data_validation(
        *(FIRST_MUST_HAVE_ROW, _column("decision"), last, _column("decision")),
        {"validate": "list", "source": [str(status) for status in Status]},
    )
    for name, colours in (
        ("standing", _STANDINGS.items()),
        ("recommended", _RECOMMENDED.items()),
        ("proposed", _STATUSES.items()),
    ):
        area = (FIRST_MUST_HAVE_ROW, _column(name), last, _column(name))
        _colour(book, sheet, area, colours)
    _write_counts(book, sheet, proposal, last)
    sheet.set_column(0, 0, 38)
    sheet.set_column(1, len(MUST_HAVE_COLUMNS), 14)
    sheet.freeze_panes(FIRST_MUST_HAVE_ROW, 1)


def _write_recommendation(sheet: Sheet, number: int, recommendation: Recommendation) -> None:
    row = f"MATCH($A{number + 1},{SCORES}!$A:$A,0)"

    def score(column: int) -> str:
        letter = xl_col_to_name(column)
        return f"INDEX({SCORES}!${letter}:${letter},{row})"

    cell = {name: xl_rowcol_to_cell(number, _column(name)) for name in MUST_HAVE_COLUMNS}
    _write_inputs(sheet, number, recommendation.was, recommendation.decision)
    sheet.write_number(number, _column("countable tests"), recommendation.countable_tests)
    before = f'OR({cell["before"]}="{Status.REQUIRED}",{cell["before"]}="{Status.ADVISORY}")'
    standing = f'IF({cell["standing"]}="{Standing.IN}","{Recommended.YES}","{Recommended.OPEN}")'
    recommended = (
        f'=IF(OR({cell["standing"]}="{Standing.OUT}",NOT({before}),{cell["countable tests"]}=0),'
        f'"{Recommended.NO}",{standing})'
    )
    gated = f'AND({score(_GATE_COLUMN)}=0,{cell["before"]}="{Status.REQUIRED}")'
    proposed = (
        f'=IF({cell["decision"]}<>"",{cell["decision"]},'
        f'IF({cell["recommended"]}="{Recommended.YES}","{Status.REQUIRED}",'
        f'IF({gated},"{Status.DEPRECATED}",{cell["before"]}&"")))'
    )
    for name, formula, value in (
        ("total", f"={score(_KNOWN)}", float(recommendation.total.low)),
        ("standing", f"={score(_STANDING)}", str(recommendation.total.standing)),
        ("recommended", recommended, str(recommendation.recommended)),
        ("proposed", proposed, str(recommendation.proposed or "")),
    ):
        sheet.write_formula(number, _column(name), formula, None, value)
    _write_change(sheet, number, recommendation.was, recommendation.proposed)


def _write_unscored(
    sheet: Sheet, number: int, was: Status, proposed: Status, decision: Decision
) -> None:
    _write_inputs(sheet, number, was, decision)
    sheet.write_string(number, _column("standing"), "not scored")
    cell = xl_rowcol_to_cell(number, _column("decision"))
    undecided = was if decision.decision else proposed
    formula = f'=IF({cell}<>"",{cell},"{undecided}")'
    sheet.write_formula(number, _column("proposed"), formula, None, str(proposed))
    _write_change(sheet, number, was, proposed)


def _write_inputs(sheet: Sheet, number: int, was: Status | None, decision: Decision) -> None:
    sheet.write_string(number, 0, decision.capability)
    sheet.write_string(number, _column("before"), str(was or ""))
    for name in COLUMNS[1:]:
        sheet.write_string(number, _column(name), getattr(decision, name))


def _write_change(sheet: Sheet, number: int, was: Status | None, proposed: Status | None) -> None:
    before, after = (xl_rowcol_to_cell(number, _column(name)) for name in ("before", "proposed"))
    formula = f'=IF({before}={after},"",{before}&" -> "&{after})'
    value = "" if was is proposed else f"{was or ''} -> {proposed or ''}"
    sheet.write_formula(number, _column("change"), formula, None, value)


def _write_counts(book: Workbook, sheet: Sheet, proposal: Proposal, last: int) -> None:
    """Write the counts by standing, recommendation and proposed status beside the table."""
    bold = book.add_format({"bold": True})
    standings = Counter(
        recommendation.total.standing for recommendation in proposal.recommendations
    )
    recommended = Counter(recommendation.recommended for recommendation in proposal.recommendations)
    proposed = Counter(proposal.statuses.values())
    place = len(MUST_HAVE_COLUMNS) + 1
    number = 0
    for name, counts in (
        ("standing", {standing: standings[standing] for standing in Standing}),
        ("recommended", {answer: recommended[answer] for answer in Recommended}),
        ("proposed", {status: proposed[status] for status in Status}),
    ):
        letter = xl_col_to_name(_column(name))
        area = f"${letter}${FIRST_MUST_HAVE_ROW + 1}:${letter}${last + 1}"
        sheet.write_string(number, place, name, bold)
        sheet.write_string(number, place + 1, "capabilities", bold)
        for value, count in counts.items():
            number += 1
            sheet.write_string(number, place, str(value))
            sheet.write_formula(number, place + 1, f'=COUNTIF({area},"{value}")', None, count)
        number += 2


def _validate_scores(sheet: Sheet, last: int, chosen: CriteriaSet) -> None:
    for first_column, last_column, top in (
        (1, _GATE_COLUMN - 1, chosen.highest),
        (_GATE_COLUMN, _GATE_COLUMN, 1),
    ):
        allowed = [*map(str, range(top + 1)), UNDECIDED, NOT_CONSIDERED]
        sheet.data_validation(
            *(FIRST_SCORE_ROW, first_column, last, last_column),
            {
                "validate": "list",
                "source": allowed,
                "error_title": "Not a valid score",
                "error_message": f"A score is one of {', '.join(allowed)}.",
            },
        )


def _colour(
    book: Workbook,
    sheet: Sheet,
    area: tuple[int, int, int, int],
    colours: Iterable[tuple[str, str]],
) -> None:
    for value, colour in colours:
        sheet.conditional_format(
            *area,
            {
                "type": "cell",
                "criteria": "==",
                "value": f'"{value}"',
                "format": book.add_format({"bg_color": colour}),
            },
        )


def _column(name: str) -> int:
    return MUST_HAVE_COLUMNS.index(name)
