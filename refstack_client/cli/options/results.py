"""Declare the options about results and how to judge them."""

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from pathlib import Path

from capabilities import catalogue
from refstack_client.bundle.open_results import Results
from refstack_client.cli.options import guideline as guideline_options
from scoring.conformance.verdict import Verdict


def add_results(parser: ArgumentParser) -> None:
    """Add the results that a command reads, and how to judge them."""
    parser.add_argument(
        "results",
        metavar="RUN|FILE",
        type=Path,
        help="run directory, bundle or subunit stream",
    )
    add_judging(parser)


def add_judging(parser: ArgumentParser) -> None:
    """Add the options about how to judge results."""
    guideline_options.add_guideline(parser)
    parser.add_argument(
        "--strict",
        action="store_true",
        help="count a required capability with no unflagged test as incomplete",
    )
    parser.add_argument(
        "--max-retries",
        metavar="N",
        type=number,
        help="count a test that passed after more than N failures as failed (default: the "
        "--retry-budget of the run; no limit for a stream)",
    )


def judge(results: Results, guideline: str | None, args: Namespace) -> Verdict:
    """Judge results by their own guideline and programme unless others are named."""
    chosen = None if guideline else results.programme(args.programme)
    if chosen is None:
        name = guideline or catalogue.default(args.programme)
        chosen = guideline_options.load_programme(
            name, args.programme, results.key or guideline_options.PLATFORM
        )
    return results.judge(chosen, strict=args.strict, max_retries=args.max_retries)


def number(text: str) -> int:
    """Return a number of 0 or more that an option has.

    :raises ArgumentTypeError: it is not one
    """
    if not text.isdecimal():
        raise ArgumentTypeError(f"expected a whole number of 0 or more, not {text}")
    return int(text)
