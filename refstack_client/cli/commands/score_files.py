"""``score export|import|diff|merge``: convert, compare and merge worksheets."""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from pathlib import Path

from refstack_client.cli.command import Lister, Table, say
from refstack_client.cli.commands.score import EXACT, add_mode
from refstack_client.cli.options import worksheet as worksheet_options
from refstack_client.cli.options.worksheet import interval
from refstack_client.errors import UsageError
from refstack_client.files import read_bytes, write_over
from scoring.committee import decisions, merge_scorers, total, worksheet
from scoring.committee.criteria import CriteriaSet
from scoring.committee.proposal import Proposal, propose
from scoring.committee.worksheet import Worksheet
from scoring.formats import worksheet_csv


def _csv(args: Namespace, proposal: Proposal) -> bytes:
    return worksheet_csv.export(_rows(proposal), _totals(args, proposal)).encode()


def _rst(args: Namespace, proposal: Proposal) -> bytes:
    from scoring.formats import worksheet_rst  # noqa: PLC0415 - pandas is for those who need it

    return worksheet_rst.export(_rows(proposal), _totals(args, proposal)).encode()


def _xlsx(_: Namespace, proposal: Proposal) -> bytes:
    from scoring.formats import xlsx_export  # noqa: PLC0415 - only this needs it

    return xlsx_export.export(proposal)


def _html(args: Namespace, proposal: Proposal) -> bytes:
    from scoring.formats import board_page  # noqa: PLC0415 - plots take a second to load

    return board_page.export(proposal, args.worksheet.name).encode()


_FORMATS: dict[str, tuple[Callable[[Namespace, Proposal], bytes], str]] = {
    "csv": (_csv, "write a CSV table of scores and totals"),
    "rst": (_rst, "write a reStructuredText table of scores and totals"),
    "xlsx": (_xlsx, "write a spreadsheet with formulas for totals"),
    "html": (_html, "write one HTML page with plots"),
}


class Export(Lister):
    """Export a worksheet as CSV, reStructuredText, spreadsheet or HTML page.

    The spreadsheet and the page also contain recommendations and decisions, changes since a
    guideline (--guideline, by default the newest approved one), its flags and open questions.
    """

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Add the options."""
        parser = super().get_parser(prog_name)
        worksheet_options.add_worksheet(parser)
        worksheet_options.add_decisions(parser)
        add_mode(parser)
        for name, (_, words) in _FORMATS.items():
            parser.add_argument(f"--{name}", metavar="FILE", type=Path, help=words)
        return parser

    def take_action(self, args: Namespace) -> Table:
        """Return the columns and rows to list."""
        wanted = {name: getattr(args, name) for name in _FORMATS if getattr(args, name)}
        if not wanted:
            raise UsageError(
                "no file to write", hint=f"give {' or '.join(f'--{name}' for name in _FORMATS)}"
            )
        proposal = _proposal(args)
        for name, path in wanted.items():
            export, _ = _FORMATS[name]
            write_over(path, export(args, proposal))
        rows = len(proposal.recommendations)
        return ("file", "format", "capabilities"), (
            (str(path), name, rows) for name, path in wanted.items()
        )


def _proposal(args: Namespace) -> Proposal:
    chosen, sheet = worksheet_options.load(args)
    return propose(
        sheet.rows,
        chosen,
        worksheet_options.load_previous(args),
        worksheet_options.load_decisions(args),
    )


def _rows(proposal: Proposal) -> tuple[worksheet.Row, ...]:
    return tuple(cell.row for cell in proposal.recommendations)


def _totals(args: Namespace, proposal: Proposal) -> dict[str, str]:
    if args.mode == EXACT:
        return {cell.capability: interval(cell.total) for cell in proposal.recommendations}
    return {row.capability: total.faithful(row, proposal.criteria) for row in _rows(proposal)}


class Import(Lister):
    """List the changes that a CSV or xlsx file makes to a worksheet; --write applies them.

    Scores are written to the worksheet, decisions and notes to the decisions file. Nothing else may
    have changed in a spreadsheet. The previous content of FILE is kept as FILE~.
    """

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Add the options."""
        parser = super().get_parser(prog_name)
        worksheet_options.add_worksheet(parser)
        parser.add_argument("file", metavar="CSV|XLSX", type=Path, help="exported and edited file")
        worksheet_options.add_decisions(parser)
        parser.add_argument(
            "--write", action="store_true", help="apply the changes (default: only list them)"
        )
        return parser

    def take_action(self, args: Namespace) -> Table:
        """Return the columns and rows to list."""
        chosen, sheet = worksheet_options.load(args)
        old = worksheet_options.load_decisions(args)
        cells, new = _imported(args, chosen, sheet, old)
        text = total.with_changed_cells(sheet, cells, chosen)
        changes = [
            (capability, slot, sheet.row(capability).cells[slot], cell)
            for capability, changed in cells.items()
            for slot, cell in changed.items()
        ]
        changes += decisions.differences(old, new)
        if not changes:
            say("no changes")
        elif args.write:
            _write(args, text if cells else None, new if new != old else None)
        else:
            say("nothing written; to apply the changes: --write")
        return ("capability", "what", "before", "after"), changes


def _imported(
    args: Namespace, chosen: CriteriaSet, sheet: Worksheet, old: dict[str, decisions.Decision]
) -> tuple[worksheet_csv.Cells, dict[str, decisions.Decision]]:
    if args.file.suffix.lower() != ".xlsx":
        text = worksheet.read_text(args.file)
        return worksheet_csv.read(text, str(args.file), sheet, chosen.highest), old
    from scoring.formats import xlsx_import  # noqa: PLC0415 - only this needs it

    changes = xlsx_import.read(read_bytes(args.file), str(args.file), _proposal(args))
    if changes.stale:
        say(f"warning: scores or decisions changed since {args.file} was exported")
        say("hint:  the import reverts those listed")
    return changes.scores, changes.decisions


def _write(args: Namespace, text: str | None, new: dict[str, decisions.Decision] | None) -> None:
    if text is not None:
        write_over(args.worksheet, text.encode())
        say(f"written: {args.worksheet}")
    if new is not None:
        path = worksheet_options.decisions_path(args)
        write_over(path, decisions.write(new.values()).encode())
        say(f"written: {path}")


class Diff(Lister):
    """List the scores that differ between two worksheets."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Add the options."""
        parser = super().get_parser(prog_name)
        for name in ("before", "after"):
            parser.add_argument(name, metavar="WORKSHEET", type=Path, help="path of a worksheet")
        worksheet_options.add_criteria(parser)
        return parser

    def take_action(self, args: Namespace) -> Table:
        """Return the columns and rows to list."""
        chosen = worksheet_options.chosen_criteria(args)
        before, after = (worksheet_options.read(path, chosen) for path in (args.before, args.after))
        return ("capability", "criterion", "before", "after"), worksheet.differences(before, after)


class Merge(Lister):
    """List the scores on which scorers disagree; -o writes a merged worksheet with ? for them.

    Each file is the worksheet of one scorer, who is named as the file. Text other than scores is
    taken from the first.
    """

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Add the options."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "worksheets", metavar="WORKSHEET", type=Path, nargs="+", help="paths of worksheets"
        )
        worksheet_options.add_criteria(parser)
        parser.add_argument(
            "-o", "--output", metavar="FILE", type=Path, help="merged worksheet to write"
        )
        return parser

    def take_action(self, args: Namespace) -> Table:
        """Return the columns and rows to list."""
        chosen = worksheet_options.chosen_criteria(args)
        sheets = {path.stem: worksheet_options.read(path, chosen) for path in args.worksheets}
        if len(sheets) < max(2, len(args.worksheets)):
            raise UsageError(
                "two or more worksheets with different names are needed",
                hint="example: alice.txt bob.txt",
            )
        found = merge_scorers.disagreements(sheets)
        if args.output:
            first = next(iter(sheets.values()))
            changed = {cell.capability for cell in found}
            text = total.with_new_totals(merge_scorers.merged(first, found), changed, chosen)
            write_over(args.output, text.encode())
            say(f"written: {args.output}")
        return ("capability", "criterion", *sheets), (
            (cell.capability, cell.criterion, *(cell.cells.get(name, "") for name in sheets))
            for cell in found
        )
