"""``score show|export|import``: what a worksheet's capabilities come to."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from refstack_client.command import Command, Lister, say
from refstack_client.errors import EXIT_OK, InputError
from refstack_client.files import write_text
from scoring import criteria, sheet_csv, total, worksheet
from scoring.criteria import GATE, CriteriaSet
from scoring.total import Standing
from scoring.worksheet import SLOTS, Row, Worksheet

FAITHFUL, EXACT = "faithful", "exact"


class _Sheet:
    def get_parser(self, prog_name: str) -> ArgumentParser:
        parser = super().get_parser(prog_name)  # type: ignore[misc]
        parser.add_argument("worksheet", metavar="WORKSHEET", type=Path)
        parser.add_argument(
            "--criteria",
            default="2016.08",
            metavar="SET",
            help=f"weights and cutoff: {', '.join(criteria.sets())} (default: %(default)s)",
        )
        parser.add_argument(
            "--mode",
            choices=(FAITHFUL, EXACT),
            default=EXACT,
            help="as the published script prints totals, or what is known of them (default)",
        )
        return parser


class Show(_Sheet, Lister):
    """List scores, total and whether a capability qualifies."""

    def take_action(self, args: Namespace):
        chosen = criteria.find(args.criteria)
        sheet = _read(args.worksheet, chosen)
        return ("capability", *SLOTS, "total", "qualifies"), (
            (row.capability, *(row.cells[slot] for slot in SLOTS), *_judged(row, chosen, args.mode))
            for row in sheet.rows
        )


def _judged(row: Row, chosen: CriteriaSet, mode: str) -> tuple[str, str]:
    if mode == FAITHFUL:
        printed = total.faithful(row, chosen)
        return printed, "yes" if printed.endswith("*") else "no"
    known = total.exact(row, chosen)
    interval = f"{known.low}" if known.low == known.high else f"{known.low} to {known.high}"
    words = {Standing.IN: "yes", Standing.OUT: "no", Standing.OPEN: "open"}
    return interval, words[known.standing]


class Export(_Sheet, Command):
    """Write a worksheet's scores as CSV, every row with all its columns."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument("--csv", metavar="FILE", type=Path, required=True)
        return parser

    def take_action(self, args: Namespace) -> int:
        chosen = criteria.find(args.criteria)
        sheet = _read(args.worksheet, chosen)
        totals = {row.capability: _judged(row, chosen, args.mode)[0] for row in sheet.rows}
        write_text(args.csv, sheet_csv.export(sheet, totals))
        say(f"written: {args.csv}")
        return EXIT_OK


class Import(_Sheet, Command):
    """Take changed scores from a CSV into a worksheet; shows them, and asks for --write."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument("csv", metavar="CSV", type=Path)
        parser.add_argument(
            "--write", action="store_true", help="change the worksheet (default: only show)"
        )
        return parser

    def take_action(self, args: Namespace) -> int:
        chosen = criteria.find(args.criteria)
        sheet = _read(args.worksheet, chosen)
        changes = sheet_csv.read(_text(args.csv), str(args.csv), sheet, chosen.highest)
        for capability, cells in changes.items():
            before = sheet.row(capability).cells
            for slot, cell in cells.items():
                print(f"{capability}.{slot}: {before[slot]} -> {cell}")
        if args.write and changes:
            write_text(args.worksheet, _changed_text(sheet, changes, chosen))
            say(f"written: {args.worksheet}")
        elif changes:
            say("nothing was written: --write does")
        else:
            say("no score differs")
        return EXIT_OK


def _changed_text(sheet: Worksheet, changes: sheet_csv.Cells, chosen: CriteriaSet) -> str:
    """Return the worksheet's text with the cells changed, and the totals that were printed."""
    changed = worksheet.parse(worksheet.with_cells(sheet, changes), "changed", chosen.highest)
    rows = [row for row in changed.rows if row.capability in changes and row.printed]
    decided = [row for row in rows if row.score(GATE) is not None]
    totals = {row.capability: total.faithful(row, chosen) for row in decided}
    return worksheet.with_totals(changed, totals)


def _read(path: Path, chosen: CriteriaSet) -> Worksheet:
    return worksheet.parse(_text(path), str(path), chosen.highest)


def _text(path: Path) -> str:
    """Return a file's text with its line ends as they are."""
    try:
        return path.read_bytes().decode("utf-8")
    except OSError as error:
        raise InputError(
            f"{path}: {error.strerror}", hint="give the path of a worksheet"
        ) from error
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path}: not UTF-8 text (byte {error.start})", hint="save it as UTF-8"
        ) from error
