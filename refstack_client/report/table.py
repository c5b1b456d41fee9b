"""A verdict as a table, a line per test and capability: CSV and a spreadsheet."""

import io
from collections.abc import Iterator

import xlsxwriter

from refstack_client.report import document as report_document
from scoring.conformance.verdict import Verdict
from scoring.csv_text import table

COLUMNS = (
    *("capability", "status", "id", "test", "outcome", "flagged", "attempts"),
    *("kind", "reason", "call"),
)


def rows(verdict: Verdict) -> Iterator[tuple[str, ...]]:
    """Yield what :data:`COLUMNS` names, in the order of the report."""
    for capability in verdict.capabilities:
        for each in capability.tests:
            cause = each.cause
            yield (
                capability.capability.id,
                str(capability.status),
                each.test.idempotent_id or "",
                each.test.name,
                str(each.outcome),
                "flagged" if each.test.flag else "",
                " ".join(map(str, each.attempts)),
                str(cause.kind) if cause else "",
                each.reason,
                str(cause.call) if cause and cause.call else "",
            )


def csv_text(verdict: Verdict) -> str:
    return table(COLUMNS, rows(verdict))


def xlsx(verdict: Verdict) -> bytes:
    """Return a spreadsheet: the verdict with its counts, and the table to be filtered."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False})
    bold = book.add_format({"bold": True})
    sheet = book.add_worksheet("Verdict")
    sheet.write_string(0, 0, report_document.headline(verdict), bold)
    document = report_document.as_json(verdict)
    for number, (name, count) in enumerate(document["required"].items(), start=2):
        sheet.write_string(number, 0, name.replace("_", " "))
        sheet.write_number(number, 1, count)
    sheet.set_column(0, 0, 20)
    sheet = book.add_worksheet("Tests")
    for number, cells in enumerate((COLUMNS, *rows(verdict))):
        for column, text in enumerate(cells):
            sheet.write_string(number, column, text, None if number else bold)
    sheet.autofilter(0, 0, number, len(COLUMNS) - 1)
    sheet.freeze_panes(1, 0)
    sheet.set_column(0, len(COLUMNS) - 1, 24)
    book.close()
    return out.getvalue()
