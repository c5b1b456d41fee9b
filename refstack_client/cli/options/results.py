"""Declare the options about results and how to judge them."""

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from pathlib import Path

from capabilities import catalogue
from refstack_client.bundle import open_results
from refstack_client.bundle.open_results import Results
from refstack_client.cli.options import guideline as guideline_options
from refstack_client.outcomes.attestation import Attestation
from scoring.conformance.verdict import Verdict

PLACES = "RUN|FILE|URL"
HELP_OF_PLACES = "run directory, bundle or subunit stream; or the URL of a result on a collector"


def add_results(parser: ArgumentParser) -> None:
    """Add the results that a command reads, and how to judge them."""
    parser.add_argument(
        "results",
        metavar=PLACES,
        type=place,
        help=HELP_OF_PLACES,
    )
    add_judging(parser)


def place(text: str) -> Path | str:
    """Return where results are: a path, or the URL of a result as it is."""
    return text if text.startswith(("https://", "http://")) else Path(text)


def read(where: Path | str) -> Results:
    """Read results of any form; those at a URL are on a collector.

    :param where: as :func:`place` returns it
    :raises InputError: they have another form, or the user cannot read them
    :raises CloudError: the collector cannot be reached
    """
    if isinstance(where, Path):
        return open_results.read(where)
    # Results in files are judged without the libraries for requests.
    from refstack_client.cli.options import public_results  # noqa: PLC0415

    return public_results.read(where)


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


def attested(results: Results, verdict: Verdict) -> Attestation | None:
    """Return the attestation in results, None if it is for another programme than the verdict's."""
    found, chosen = results.attested, verdict.programme
    if found is None:
        return None
    of_verdict = (chosen.guideline.id, chosen.guideline.digest, chosen.key)
    return found if (found.guideline, found.sha256, found.programme) == of_verdict else None


def number(text: str) -> int:
    """Return a number of 0 or more that an option has.

    :raises ArgumentTypeError: it is not one
    """
    if not text.isdecimal():
        raise ArgumentTypeError(f"expected a whole number of 0 or more, not {text}")
    return int(text)
