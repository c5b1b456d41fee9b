"""``guideline list|show|tests|timeline|convert``: show guidelines and what they require."""

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator

from capabilities import catalogue, flat_list, programme, reader, timeline
from capabilities.guideline import Status
from capabilities.matching import match
from refstack_client.cli.command import Command, Lister, Table, say, show_lines
from refstack_client.cli.exit_codes import EXIT_OK
from refstack_client.cli.options import guideline as guideline_options
from refstack_client.cli.options.tempest import add_tempest, load_index
from refstack_client.errors import UsageError
from refstack_client.planning import guideline_source


class List(Lister):
    """List the shipped guidelines and their programmes."""

    def take_action(self, args: Namespace) -> Table:
        """Return the columns and rows to list."""
        columns = ("Guideline", "Status", "Programme", "Required tests", "Flagged", "Releases")
        return columns, (row for name in catalogue.shipped() for row in _rows(name))


def _rows(name: str) -> Iterator[tuple[str | int, ...]]:
    guideline, _ = catalogue.load(name)
    for one in programme.programmes(guideline):
        counted = len(one.counted_tests())
        flagged = len(one.required_tests()) - counted
        yield name, str(guideline.status), one.key, counted, flagged, " ".join(guideline.releases)


class _Named:
    """Have a guideline and a programme as arguments."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Add the options."""
        parser = super().get_parser(prog_name)  # type: ignore[misc]
        guideline_options.add_named(parser)
        guideline_options.add_programme(parser)
        return parser


class Show(_Named, Lister):
    """List the capabilities of a programme with status, tests and description."""

    def take_action(self, args: Namespace) -> Table:
        """Return the columns and rows to list."""
        found = guideline_options.load_programme(args.guideline, args.programme)
        guideline = found.guideline
        say(f"{found.name}, guideline {guideline.id} ({guideline.status or 'no status'})")
        if guideline.note:
            say(f"note: reconstructed {guideline.note}")
        columns = ("Capability", "Status", "Project", "Tests", "Flagged", "Description")
        return columns, (
            (
                capability.id,
                str(status),
                capability.project,
                len(capability.tests),
                sum(test.flag is not None for test in capability.tests),
                capability.description,
            )
            for status in Status
            for capability in found.capabilities(status)
        )


class Tests(_Named, Command):
    """Print the tests of a programme, one per line, as name[id-UUID].

    With --tempest, print the full IDs of the installed Tempest, with attributes, as required by
    tempest run --load-list.
    """

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Add the options."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "--type",
            default=str(Status.REQUIRED),
            metavar="STATUS[,STATUS]",
            help="statuses of capabilities: required, advisory, deprecated, removed (default: "
            "%(default)s)",
        )
        parser.add_argument(
            "--aliases", action="store_true", help="also print the aliases of each test"
        )
        parser.add_argument("--flagged", action="store_true", help="also print flagged tests")
        add_tempest(parser)
        return parser

    def take_action(self, args: Namespace) -> int:
        """Run the command; return its exit code."""
        found = guideline_options.load_programme(args.guideline, args.programme)
        tests = (
            test
            for status in _statuses(args.type)
            for capability in found.capabilities(status)
            for test in capability.tests
        )
        index = load_index(args)
        if index:
            wanted = (match(test, index) for test in tests if args.flagged or test.flag is None)
            lines = tuple(sorted({test.full for matched in wanted for test in matched.found}))
        else:
            lines = flat_list.lines(tests, aliases=args.aliases, flagged=args.flagged)
        if lines:
            show_lines(lines)
        return EXIT_OK


def _statuses(text: str) -> tuple[Status, ...]:
    try:
        return tuple(Status(status.strip()) for status in text.split(","))
    except ValueError as error:
        known = ", ".join(Status)
        raise UsageError(f"--type {text}: {error}", hint=f"choose from {known}") from error


class Timeline(Lister):
    """List the dates of drafts and approvals of guidelines, and the status since."""

    def take_action(self, args: Namespace) -> Table:
        """Return the columns and rows to list."""
        return ("Day", "Guideline", "Event", "Status since"), (
            (
                event.day.isoformat(),
                event.guideline,
                event.status,
                timeline.current_status(event.guideline),
            )
            for event in timeline.events()
        )


class Convert(Command):
    """Print a guideline file of any schema as schema 2.0, without losing content."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Add the options."""
        parser = super().get_parser(prog_name)
        guideline_options.add_named(parser)
        return parser

    def take_action(self, args: Namespace) -> int:
        """Run the command; return its exit code."""
        document = reader.document(guideline_source.content(args.guideline), args.guideline)
        print(json.dumps(document, indent=2, ensure_ascii=False))
        return EXIT_OK
