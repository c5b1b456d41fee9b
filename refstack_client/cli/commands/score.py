"""``score show|criteria|what-if|sensitivity``: show scores, and what would change them."""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from refstack_client.cli.command import Lister, Table, say
from refstack_client.cli.options import worksheet as worksheet_options
from refstack_client.cli.options.worksheet import Shown, interval, number
from refstack_client.errors import UsageError
from scoring.committee import total, what_if
from scoring.committee.criteria import FULL, CriteriaSet
from scoring.committee.total import Standing
from scoring.committee.worksheet import SLOTS, Row

if TYPE_CHECKING:
    from scoring.committee.sensitivity import CriterionEffect, Firmness

FAITHFUL, EXACT = "faithful", "exact"
_QUALIFIES = {
    Standing.IN: Shown((True, "yes")),
    Standing.OUT: Shown((False, "no")),
    Standing.OPEN: Shown((None, "open")),
}


class Show(Lister):
    """List the scores of a worksheet, the totals, and which capabilities qualify."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Add the options."""
        parser = super().get_parser(prog_name)
        worksheet_options.add_worksheet(parser)
        add_mode(parser)
        return parser

    def take_action(self, args: Namespace) -> Table:
        """Return the columns and rows to list."""
        chosen, sheet = worksheet_options.load(args)
        totals, judged = _MODES[args.mode]
        return ("capability", *SLOTS, *totals, "qualifies"), (
            (row.capability, *(_cell(row, slot) for slot in SLOTS), *judged(row, chosen))
            for row in sheet.rows
        )


def add_mode(parser: ArgumentParser) -> None:
    """Add --mode."""
    parser.add_argument(
        "--mode",
        choices=(FAITHFUL, EXACT),
        default=EXACT,
        help="faithful: totals as the published script prints them; exact: the range of possible "
        "totals (default: %(default)s)",
    )


def _cell(row: Row, slot: str) -> int | str:
    score = row.score(slot)
    return row.cells[slot] if score is None else score


def _faithful(row: Row, chosen: CriteriaSet) -> tuple[Shown, Shown]:
    printed = total.faithful(row, chosen)
    value = printed.removesuffix("*")
    standing = Standing.IN if value != printed else Standing.OUT
    points = int(value) if value.lstrip("-").isdigit() else float(value)
    return Shown((points, printed)), _QUALIFIES[standing]


def _exact(row: Row, chosen: CriteriaSet) -> tuple[int | float, int | float, Shown]:
    known = total.exact(row, chosen)
    return number(known.low), number(known.high), _QUALIFIES[known.standing]


_MODES = {FAITHFUL: (("total",), _faithful), EXACT: (("total", "possible"), _exact)}


class Criteria(Lister):
    """List the criteria of a set with weight, group and definition."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Add the options."""
        parser = super().get_parser(prog_name)
        worksheet_options.add_criteria(parser)
        return parser

    def take_action(self, args: Namespace) -> Table:
        """Return the columns and rows to list."""
        chosen = worksheet_options.chosen_criteria(args)
        cutoff = f"cutoff {chosen.cutoff}" if chosen.cutoff is not None else "no cutoff on record"
        say(f"{chosen.id}: {cutoff} of {chosen.most}, scores 0 to {chosen.highest}")
        if chosen.note:
            say(chosen.note)
        return ("id", "name", "group", "weight", "definition"), (
            (one.id, one.name, one.group, _weight(chosen, one.id), one.definition)
            for one in chosen.listed()
        )


def _weight(chosen: CriteriaSet, name: str) -> Shown:
    weight = chosen.weights.get(name)
    return Shown((weight, "gate" if weight is None else str(weight)))


class WhatIf(Lister):
    """List the capabilities whose standing changes with other weights, cutoff or scores."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Add the options."""
        parser = super().get_parser(prog_name)
        worksheet_options.add_worksheet(parser)
        parser.add_argument(
            "--weight",
            metavar="CRITERION=N",
            action="append",
            default=[],
            help="another weight, a whole number (may be repeated)",
        )
        parser.add_argument(
            "--cutoff",
            metavar="N",
            type=int,
            help="another cutoff (default: in proportion to weights)",
        )
        parser.add_argument(
            "--set",
            metavar="CAPABILITY.CRITERION=SCORE",
            dest="cells",
            action="append",
            default=[],
            help="another score, such as compute-servers-list.doc=0 (may be repeated)",
        )
        return parser

    def take_action(self, args: Namespace) -> Table:
        """Return the columns and rows to list."""
        chosen, sheet = worksheet_options.load(args)
        weights = dict(_assignment(text, "--weight", "future=8") for text in args.weight)
        new = what_if.reweighted(
            chosen, {name: _number(value, name) for name, value in weights.items()}, args.cutoff
        )
        if new.most != chosen.most:
            say(f"the weights add up to {new.most}, not {chosen.most}; the cutoff is {new.cutoff}")
        cells: dict[str, dict[str, str]] = {}
        for cell in args.cells:
            where, value = _assignment(cell, "--set", "compute-servers-list.doc=0")
            capability, _, slot = where.rpartition(".")
            cells.setdefault(capability, {})[slot] = value
        changed = what_if.rescored(sheet, cells, chosen.highest)
        return ("capability", "before", "after", "total before", "total after"), (
            (row.capability, row.before.standing, row.after.standing, *_totals(row))
            for row in what_if.compare(sheet.rows, changed, chosen, new)
        )


def _totals(changed: what_if.Changed) -> tuple[str, str]:
    return interval(changed.before), interval(changed.after)


def _assignment(text: str, option: str, example: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise UsageError(
            f"{option} {text}: expected NAME=VALUE", hint=f"example: {option} {example}"
        )
    return name.strip(), value.strip()


def _number(text: str, name: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise UsageError(f"--weight {name}={text}: expected a whole number") from error


class Sensitivity(Lister):
    """List how sensitive the standing of each capability is to weights and scores."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Add the options."""
        parser = super().get_parser(prog_name)
        worksheet_options.add_worksheet(parser)
        parser.add_argument(
            "--draws",
            type=int,
            default=100_000,
            help="number of random sets of weights (default: %(default)s)",
        )
        parser.add_argument(
            "--seed", type=int, default=1, help="seed of the random numbers (default: %(default)s)"
        )
        parser.add_argument(
            "--by-criterion",
            action="store_true",
            help="list criteria instead: what changes without each, and with double weight",
        )
        return parser

    def take_action(self, args: Namespace) -> Table:
        """Return the columns and rows to list."""
        from scoring.committee import sensitivity  # noqa: PLC0415 - numpy is an extra

        if args.draws < 1:
            raise UsageError("--draws must be at least 1")
        chosen, sheet = worksheet_options.load(args)
        if args.by_criterion:
            return _by_criterion(sensitivity.by_criterion(sheet.rows, chosen))
        found = sensitivity.analyse(sheet.rows, chosen, args.draws, args.seed)
        say(f"{found.draws} random reweightings, seed {found.seed}")
        columns = ("capability", "total", "margin", "share in", "decided by", "smallest flips")
        return (*columns, "swing"), (
            (
                *_firmness(row, found.rows[row.capability], chosen),
                _swing(sensitivity.swing(row, chosen)),
            )
            for row in sheet.rows
        )


def _by_criterion(effects: "Mapping[str, CriterionEffect]") -> Table:
    columns = ("criterion", "weight", "met by %", "in without", "in if doubled")
    return (*columns, "entering without", "leaving without"), (
        (
            name,
            effect.weight,
            round(FULL * effect.met),
            effect.without,
            effect.doubled,
            _names(effect.entering),
            _names(effect.leaving),
        )
        for name, effect in effects.items()
    )


def _firmness(row: Row, firm: "Firmness", chosen: CriteriaSet) -> tuple[object, ...]:
    flips = what_if.flips(row, chosen)
    text = "; ".join(f"{flip.what} to {flip.value}" for flip in flips)
    smallest = Shown(({flip.what: flip.value for flip in flips}, text))
    share, decisive = round(firm.share, 3), _names(firm.decisive)
    return row.capability, firm.total, firm.margin, share, decisive, smallest


def _swing(found: dict[str, tuple[float, float]]) -> Shown:
    loses = sum(1 for low, _ in found.values() if low)
    gains = sum(1 for _, high in found.values() if high)
    machine = {name: {"loses": low, "gains": high} for name, (low, high) in found.items()}
    return Shown((machine, f"{loses} down, {gains} up"))


def _names(names: Iterable[str]) -> Shown:
    listed = list(names)
    return Shown((listed, ", ".join(listed)))
