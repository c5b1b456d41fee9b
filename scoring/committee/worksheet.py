"""The committee's worksheet: a text for people in which some lines are rows of scores.

A row looks like this. Spaces between the groups, the total and its star are optional::

    network-l2-create:   [1,1,1] [1,1,1] [1,1,0] [1,1,1] [1] [91]*

Everything else (headings, notes, odd spacing) is prose and is never changed: a row has the offsets
of its cells in the text, and writing replaces only these characters and the total.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

from capabilities import file_content
from scoring.committee.criteria import GATE, criteria
from scoring.errors import ScoringError

UNDECIDED = "?"
NOT_CONSIDERED = "*"
SLOTS = (*(criterion.id for criterion in criteria()), GATE)
"""Ids of the criteria in the order of a row's cells, the gate last."""

_LOOKS_LIKE_A_ROW = re.compile(
    r"(?P<name>\S+):[ \t]*\[[^\],\n]{0,50},[^\],\n]{0,50},[^\]\n]{0,200}\]"
)
_UNDERLINE = re.compile(r"-{3,}|={3,}|~{3,}")
_GROUP = r"\[(.),(.),(.)\][ \t]*"
_ROW = re.compile(
    r"(?P<name>\S+):[ \t]*" + _GROUP * 4 + r"\[(.)\](?P<gap>[ \t]*)"
    r"(?P<total>\[(?P<value>-?\d+)\](?P<star>\*?))?"
)


@dataclass(frozen=True)
class Row:
    """The scores of one capability, each a digit, ``?`` (undecided) or ``*`` (not considered).

    ``cells`` maps the ids of the criteria and of the gate to the cell's text, ``places`` to its
    offset in the whole text. ``total_span`` is the span of the total in the whole text. ``printed``
    is the total in the text with its star, "" where there is none. ``section`` is the underlined
    title above the row.
    """

    capability: str
    cells: Mapping[str, str]
    line: int
    places: Mapping[str, int] = field(repr=False)
    total_span: tuple[int, int] = field(repr=False)
    printed: str = ""
    section: str = ""

    def score(self, criterion: str) -> int | None:
        """Return a cell as a number, None where it is undecided or not considered."""
        cell = self.cells[criterion]
        return int(cell) if cell.isdigit() else None

    def with_cells(self, cells: Mapping[str, str]) -> "Row":
        """Return a row with some cells replaced, at the same place in the text."""
        return replace(self, cells=MappingProxyType({**self.cells, **cells}))


@dataclass(frozen=True)
class Worksheet:
    """A text and the rows in it."""

    text: str
    rows: tuple[Row, ...]

    def row(self, capability: str) -> Row:
        """Return the row of ``capability``.

        :raises ScoringError: there is none
        """
        for row in self.rows:
            if row.capability == capability:
                return row
        raise ScoringError(f"the worksheet has no row {capability}")


def read(path: Path, highest: int = 1) -> Worksheet:
    """Read the worksheet in the file ``path``.

    :param highest: the highest score that a cell may have
    :raises ScoringError: as for :func:`read_text` and :func:`parse`
    """
    return parse(read_text(path), str(path), highest)


def read_text(path: Path) -> str:
    """Return the text of a file with its line ends unchanged.

    :raises ScoringError: it cannot be read, or is not UTF-8
    """
    try:
        return file_content.read(path).decode("utf-8")
    except OSError as error:
        raise ScoringError(
            f"{path}: {error.strerror}", hint="give the path of a worksheet"
        ) from error
    except UnicodeDecodeError as error:
        raise ScoringError(
            f"{path}: not UTF-8 text (byte {error.start})", hint="save it as UTF-8"
        ) from error


def parse(text: str, source: str, highest: int = 1) -> Worksheet:
    """Read a worksheet from its text.

    :param source: name of the file, for messages
    :param highest: the highest score that a cell may have
    :raises ScoringError: a row is malformed, a cell is not a valid score, a capability has two
        rows, or there is no row; with file, line and column
    """
    rows: dict[str, Row] = {}
    offset = 0
    section = before = ""
    for number, line in enumerate(text.splitlines(keepends=True), start=1):
        if _UNDERLINE.fullmatch(line.strip()) and before:
            section = before
        before = line.strip()
        if _LOOKS_LIKE_A_ROW.match(line):
            row = replace(_row(line, number, offset, source, highest), section=section)
            if row.capability in rows:
                first = rows[row.capability].line
                raise ScoringError(
                    f"{source}:{number}: {row.capability} already has a row in line {first}",
                    hint="remove one of the two",
                )
            rows[row.capability] = row
        offset += len(line)
    if not rows:
        raise ScoringError(
            f"{source}: no row of scores",
            hint="a row looks like: name: [1,1,1] [1,1,1] [1,1,0] [1,1,1] [1]",
        )
    return Worksheet(text, tuple(rows.values()))


def check_cell(cell: str, slot: str, where: str, highest: int) -> None:
    """Check that ``cell`` is a score, ``?`` or ``*``.

    :param where: file, line and column, for messages
    :raises ScoringError: it is another text
    """
    top = 1 if slot == GATE else highest
    digit = len(cell) == 1 and cell.isascii() and cell.isdigit() and int(cell) <= top
    if not digit and cell not in (UNDECIDED, NOT_CONSIDERED):
        raise ScoringError(
            f'{where}: "{cell}" is not a valid score for {slot}',
            hint=f"a score is 0 to {top}, ? (undecided) or * (not considered)",
        )


def _row(line: str, number: int, offset: int, source: str, highest: int) -> Row:
    match = _ROW.match(line)
    if match is None:
        raise ScoringError(
            f"{source}:{number}:{line.index('[') + 1}: this row does not have 4 groups of 3 scores "
            "and one for Non-Admin",
            hint="name: [1,1,1] [1,1,1] [1,1,0] [1,1,1] [1]",
        )
    places = {slot: match.start(group) for slot, group in zip(SLOTS, range(2, 15), strict=True)}
    for slot, place in places.items():
        check_cell(line[place], slot, f"{source}:{number}:{place + 1}", highest)
    if match["total"]:
        total_span = (offset + match.start("total"), offset + match.end("total"))
    else:
        total_span = (offset + match.start("gap"),) * 2
    return Row(
        capability=match["name"],
        cells=MappingProxyType({slot: line[place] for slot, place in places.items()}),
        line=number,
        places=MappingProxyType({slot: offset + place for slot, place in places.items()}),
        total_span=total_span,
        printed=f"{match['value']}{match['star']}" if match["total"] else "",
    )


def differences(before: Worksheet, after: Worksheet) -> tuple[tuple[str, str, str, str], ...]:
    """Return capability, criterion and both cells where two worksheets differ.

    A row that only one of them has is listed once, with "row" as the criterion.
    """
    old = {row.capability: row for row in before.rows}
    new = {row.capability: row for row in after.rows}
    found = []
    for name in dict.fromkeys((*old, *new)):
        if name not in old or name not in new:
            found.append((name, "row", *(("there", "") if name in old else ("", "there"))))
            continue
        was, now = old[name].cells, new[name].cells
        found += [(name, slot, was[slot], now[slot]) for slot in SLOTS if was[slot] != now[slot]]
    return tuple(found)


def with_totals(worksheet: Worksheet, totals: Mapping[str, str]) -> str:
    """Return the text with the totals replaced (``91*``, by capability), and nothing else."""
    return _replaced(
        worksheet.text,
        (
            (*row.total_span, _printed(totals[row.capability], row.printed))
            for row in worksheet.rows
            if row.capability in totals
        ),
    )


def with_cells(worksheet: Worksheet, cells: Mapping[str, Mapping[str, str]]) -> str:
    """Return the text with cells replaced (by capability, then criterion), and nothing else."""
    return _replaced(
        worksheet.text,
        (
            (row.places[slot], row.places[slot] + 1, cell)
            for row in worksheet.rows
            for slot, cell in cells.get(row.capability, {}).items()
        ),
    )


def _printed(total: str, before: str) -> str:
    value = total.removesuffix("*")
    star = "*" if total.endswith("*") else ""
    return ("" if before else " ") + f"[{value}]{star}"


def _replaced(text: str, changes: Iterable[tuple[int, int, str]]) -> str:
    parts = []
    done = 0
    for start, end, new in sorted(changes):
        parts += [text[done:start], new]
        done = end
    return "".join((*parts, text[done:]))
