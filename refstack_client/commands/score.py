"""``score …``: what a worksheet's capabilities come to, and what would change that."""

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from capabilities import catalogue
from refstack_client.command import Command, Lister, say
from refstack_client.commands import arguments
from refstack_client.errors import EXIT_OK, InputError, UsageError
from refstack_client.files import write_bytes, write_text
from scoring import criteria, must_have, sheet_csv, total, what_if, worksheet
from scoring.criteria import GATE, CriteriaSet
from scoring.total import Standing
from scoring.worksheet import SLOTS, Row, Worksheet

if TYPE_CHECKING:
    from scoring.sensitivity import Firmness

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
        return parser

    @staticmethod
    def load(args: Namespace) -> tuple[CriteriaSet, Worksheet]:
        chosen = criteria.find(args.criteria)
        return chosen, _read(args.worksheet, chosen)


def _add_mode(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--mode",
        choices=(FAITHFUL, EXACT),
        default=EXACT,
        help="as the published script prints totals, or what is known of them (default)",
    )


class Show(_Sheet, Lister):
    """List scores, total and whether a capability qualifies."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        parser = super().get_parser(prog_name)
        _add_mode(parser)
        return parser

    def take_action(self, args: Namespace):
        chosen, sheet = self.load(args)
        return ("capability", *SLOTS, "total", "qualifies"), (
            (row.capability, *(row.cells[slot] for slot in SLOTS), *_judged(row, chosen, args.mode))
            for row in sheet.rows
        )


def _judged(row: Row, chosen: CriteriaSet, mode: str) -> tuple[str, str]:
    if mode == FAITHFUL:
        printed = total.faithful(row, chosen)
        return printed, "yes" if printed.endswith("*") else "no"
    known = total.exact(row, chosen)
    words = {Standing.IN: "yes", Standing.OUT: "no", Standing.OPEN: "open"}
    return _interval(known), words[known.standing]


def _interval(known: total.Exact) -> str:
    return f"{known.low}" if known.low == known.high else f"{known.low} to {known.high}"


class Export(_Sheet, Command):
    """Write a worksheet's scores as CSV, every row with all its columns, or as a spreadsheet."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        parser = super().get_parser(prog_name)
        _add_mode(parser)
        target = parser.add_mutually_exclusive_group(required=True)
        target.add_argument("--csv", metavar="FILE", type=Path, help="a table of cells and totals")
        target.add_argument(
            "--xlsx", metavar="FILE", type=Path, help="a spreadsheet whose totals are live formulas"
        )
        return parser

    def take_action(self, args: Namespace) -> int:
        chosen, sheet = self.load(args)
        if args.xlsx:
            from scoring import sheet_xlsx  # noqa: PLC0415 - only this needs it

            write_bytes(args.xlsx, sheet_xlsx.export(sheet, chosen))
        else:
            totals = {row.capability: _judged(row, chosen, args.mode)[0] for row in sheet.rows}
            write_text(args.csv, sheet_csv.export(sheet, totals))
        say(f"written: {args.xlsx or args.csv}")
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
        chosen, sheet = self.load(args)
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


class WhatIf(_Sheet, Lister):
    """List which capabilities would enter, leave or open under other weights or scores."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "--weight", metavar="CRITERION=N", action="append", default=[], help="may be repeated"
        )
        parser.add_argument("--cutoff", metavar="N", type=int)
        parser.add_argument(
            "--set",
            metavar="CAPABILITY.CRITERION=SCORE",
            dest="cells",
            action="append",
            default=[],
            help="may be repeated",
        )
        return parser

    def take_action(self, args: Namespace):
        chosen, sheet = self.load(args)
        weights = dict(_assignment(each, "--weight", "future=8") for each in args.weight)
        new = what_if.reweighted(
            chosen, {name: _number(value, name) for name, value in weights.items()}, args.cutoff
        )
        cells: dict[str, dict[str, str]] = {}
        for each in args.cells:
            where, value = _assignment(each, "--set", "compute-servers-list.doc=0")
            capability, _, slot = where.rpartition(".")
            cells.setdefault(capability, {})[slot] = value
        changed = what_if.rescored(sheet, cells, chosen.highest)
        return ("capability", "before", "after", "total before", "total after"), (
            (each.capability, each.before.standing, each.after.standing, *_totals(each))
            for each in what_if.compare(sheet.rows, changed, chosen, new)
        )


def _totals(changed: what_if.Changed) -> tuple[str, str]:
    return _interval(changed.before), _interval(changed.after)


def _assignment(text: str, option: str, example: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise UsageError(f"{option} {text}: expected NAME=VALUE", hint=f"as in {option} {example}")
    return name.strip(), value.strip()


def _number(text: str, name: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise UsageError(f"--weight {name}={text}: expected a whole number") from error


class Sensitivity(_Sheet, Lister):
    """List how firmly each capability stands: margin, share of reweightings, smallest flips."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument("--draws", type=int, default=100_000, help="default: %(default)s")
        parser.add_argument("--seed", type=int, default=1, help="default: %(default)s")
        return parser

    def take_action(self, args: Namespace):
        from scoring import sensitivity  # noqa: PLC0415 - pandas is for those who need it

        if args.draws < 1:
            raise UsageError("--draws must be at least 1")
        chosen, sheet = self.load(args)
        found = sensitivity.analyse(sheet.rows, chosen, args.draws, args.seed)
        say(f"{found.draws} random reweightings, seed {found.seed}")
        firm = sensitivity.firmness(found, chosen)
        columns = ("capability", "total", "margin", "share in", "decided by", "smallest flips")
        return columns, (_firmness(row, firm[row.capability], chosen) for row in sheet.rows)


def _firmness(row: Row, firm: "Firmness", chosen: CriteriaSet) -> tuple[str | float, ...]:
    flips = "; ".join(f"{flip.what} to {flip.value}" for flip in what_if.flips(row, chosen))
    decisive = ", ".join(firm.decisive)
    return row.capability, firm.total, firm.margin, round(firm.share, 3), decisive, flips


class MustHave(_Sheet, Lister):
    """List what scores and process recommend for the guideline after one, and why not."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        parser = super().get_parser(prog_name)
        arguments.add_guideline(parser)
        return parser

    def take_action(self, args: Namespace):
        chosen, sheet = self.load(args)
        name = args.guideline or catalogue.default()
        previous = arguments.load_programme(name, args.programme)
        for missing in must_have.required_without_a_row(sheet.rows, previous):
            say(f"required in {previous.guideline.id} and not scored under that name: {missing}")
        found = [must_have.recommend(row, chosen, previous) for row in sheet.rows]
        for each in found:
            if each.sticky:
                was = each.was or "not listed"
                say(f"{each.capability}: sticky should be {each.sticky}: {was} in {name}")
        return ("capability", "total", "before", "recommended", "against"), (
            (
                each.capability,
                _interval(each.total),
                str(each.was or ""),
                str(each.recommended),
                "; ".join(each.against),
            )
            for each in found
        )


class Diff(Lister):
    """List the cells in which two worksheets differ."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument("before", metavar="WORKSHEET", type=Path)
        parser.add_argument("after", metavar="WORKSHEET", type=Path)
        parser.add_argument("--criteria", default="2016.08", metavar="SET")
        return parser

    def take_action(self, args: Namespace):
        chosen = criteria.find(args.criteria)
        before, after = (_read(path, chosen) for path in (args.before, args.after))
        return ("capability", "criterion", "before", "after"), worksheet.differences(before, after)


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
