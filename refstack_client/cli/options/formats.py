"""Declare the options of output that several commands share."""

from argparse import ArgumentParser

TEXT, JSON = "text", "json"


def add_format(parser: ArgumentParser) -> None:
    """Add -f, for commands that print text or JSON."""
    parser.add_argument(
        *("-f", "--format"),
        choices=(TEXT, JSON),
        default=TEXT,
        help="output format (default: %(default)s)",
    )
