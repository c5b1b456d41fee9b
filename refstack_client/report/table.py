"""The verdict as a table with a row per capability and test: CSV and a spreadsheet."""

import io
from collections.abc import Iterator

from refstack_client.report import document, text
from scoring.conformance.verdict import Verdict
from scoring.csv_text import table

COLUMNS = (
    *("capability", "status", "id", "test", "outcome", "flagged", "attempts"),
    *("kind", "reason", "call"),
)


def rows(verdict: Verdict) -> Iterator[tuple[str, ...]]:
    """Yield the cells of :data:`COLUMNS` for each test, in the order of the report."""
    for capability in verdict.capabilities:
        for test in capability.tests:
            cause = test.cause
            yield (
                capability.capability.id,
                str(capability.status),
                test.test.idempotent_id or "",
                test.test.name,
                str(test.outcome),
                "flagged" if test.test.flag else "",
                " ".join(map(str, test.attempts)),
                str(cause.kind) if cause else "",
                test.reason,
                str(cause.call) if cause and cause.call else "",
            )


def csv_text(verdict: Verdict) -> str:
    """Return the table as CSV with a heading."""
    return table(COLUMNS, rows(verdict))


def xlsx(verdict: Verdict) -> bytes:
    """Return a spreadsheet of two sheets: the verdict with its counts, and the table."""
    import xlsxwriter  # noqa: PLC0415 - pages and CSV, which do not need it, are ready sooner

    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False})
    bold = book.add_format({"bold": True})
    sheet = book.add_worksheet("Verdict")
    sheet.write_string(0, 0, text.headline(verdict), bold)
    for number, (name, count) in enumerate(document.counts(verdict).items(), start=2):
        sheet.write_string(number, 0, name.replace("_", " "))
        sheet.write_number(number, 1, count)
    sheet.set_column(0, 0, 20)
    sheet = book.add_worksheet("Tests")
    for number, cells in enumerate((COLUMNS, *rows(verdict))):
        for column, cell in enumerate(cells):
            sheet.write_string(number, column, cell, None if number else bold)
    sheet.autofilter(0, 0, number, len(COLUMNS) - 1)
    sheet.freeze_panes(1, 0)
    sheet.set_column(0, len(COLUMNS) - 1, 24)
    book.close()
    return out.getvalue()
