"""Read and write CSV text that a spreadsheet program can open without running a formula."""

import csv
import io
from collections.abc import Iterable

from scoring.errors import ScoringError

# A spreadsheet program takes a text that starts with one of them for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_QUOTED = ("'", *_FORMULA)


def fields_of(text: str, source: str) -> list[list[str]]:
    """Return the fields of a CSV text, line by line, without a leading byte order mark.

    :param source: name of the file, for messages
    :raises ScoringError: a line is not valid CSV
    """
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
    try:
        return list(reader)
    except csv.Error as error:
        raise ScoringError(
            f"{source}:{reader.line_num}: not valid CSV: {error}",
            hint="save the file as comma-separated text in UTF-8",
        ) from error


def table(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a CSV text with ``columns`` as its first line, in which no cell is a formula."""
    return lines((columns, *(map(neutral, row) for row in rows)))


def lines(rows: Iterable[Iterable[str]]) -> str:
    """Return a CSV text of ``rows`` as they are: the caller calls :func:`neutral` where needed."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()


def neutral(text: str) -> str:
    """Return ``text`` with a leading apostrophe where a spreadsheet would read a formula."""
    if not text.startswith(_QUOTED):  # Most cells: a table has thousands.
        return text
    return f"'{text}" if text.lstrip("'").startswith(_FORMULA) else text


def plain(text: str) -> str:
    """Undo :func:`neutral` and strip surrounding white space."""
    text = text.strip()
    return text[1:] if text.startswith("'") and neutral(text[1:]) == text else text
