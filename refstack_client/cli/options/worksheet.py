"""Declare the options about worksheets, criteria and decisions, and read their files."""

from argparse import ArgumentParser, Namespace
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from cliff.columns import FormattableColumn

from capabilities import catalogue
from capabilities.programme import Programme
from refstack_client.cli.options import guideline as guideline_options
from refstack_client.planning import guideline_source
from scoring.committee import criteria, decisions, worksheet
from scoring.committee.criteria import CriteriaSet, NotConsidered
from scoring.committee.decisions import Decision
from scoring.committee.total import Total
from scoring.committee.worksheet import Worksheet

_DEFAULT = "2016.08"


def add_worksheet(parser: ArgumentParser) -> None:
    """Add the worksheet that a command reads, and its criteria."""
    parser.add_argument("worksheet", metavar="WORKSHEET", type=Path, help="path of the worksheet")
    add_criteria(parser)


def add_criteria(parser: ArgumentParser) -> None:
    """Add the options about criteria."""
    parser.add_argument(
        "--criteria",
        metavar="SET|FILE",
        help=f"set of weights and cutoff: {', '.join(criteria.sets())} or a .json file "
        f"(default: that of --guideline if given, else {_DEFAULT})",
    )
    parser.add_argument(
        "--not-considered",
        choices=tuple(NotConsidered),
        default=NotConsidered.ZERO,
        help="how a * (not considered) counts: as zero, or as undecided (default: %(default)s)",
    )
    guideline_options.add_guideline(parser)


def add_decisions(parser: ArgumentParser) -> None:
    """Add --decisions."""
    parser.add_argument(
        "--decisions",
        metavar="FILE",
        type=Path,
        help="CSV file of decisions (default: WORKSHEET.decisions.csv if it exists)",
    )


def chosen_criteria(args: Namespace) -> CriteriaSet:
    """Return the criteria that the options select.

    :raises ScoringError, GuidelineError: they do not exist or are not valid
    """
    if args.criteria or not args.guideline:
        found = criteria.find(args.criteria or _DEFAULT)
    else:
        found = criteria.of_guideline(guideline_source.load(args.guideline)[0])
    return replace(found, not_considered=NotConsidered(args.not_considered))


def load(args: Namespace) -> tuple[CriteriaSet, Worksheet]:
    """Return the criteria and the worksheet that the options select."""
    chosen = chosen_criteria(args)
    return chosen, read(args.worksheet, chosen)


def load_previous(args: Namespace) -> Programme:
    """Return the programme that the next guideline succeeds."""
    return guideline_options.load_programme(args.guideline or catalogue.default(), args.programme)


def decisions_path(args: Namespace) -> Path:
    """Return the path of the decisions file."""
    default = args.worksheet.with_name(f"{args.worksheet.stem}.decisions.csv")
    return args.decisions or default


def load_decisions(args: Namespace) -> dict[str, Decision]:
    """Return the decisions by capability; empty without a file."""
    path = decisions_path(args)
    if not args.decisions and not path.exists():
        return {}
    return decisions.read(worksheet.read_text(path), str(path))


def read(path: Path, chosen: CriteriaSet) -> Worksheet:
    """Read a worksheet."""
    return worksheet.read(path, chosen.highest)


def number(value: Fraction) -> int | float:
    """Return a total as a number for people and JSON."""
    return int(value) if value.denominator == 1 else round(float(value), 2)


def interval(known: Total) -> str:
    """Return a total, or the range it is in, as text."""
    low, high = number(known.low), number(known.high)
    return f"{low}" if low == high else f"{low} to {high}"


class Shown(FormattableColumn):
    """Hold a value with another text for people: ``Shown((value, text))``."""

    def human_readable(self) -> str:
        """Return the text."""
        return self._value[1]

    def machine_readable(self) -> object:
        """Return the value."""
        return self._value[0]
