"""``guideline list|show|tests|timeline|convert``: what guidelines there are and ask for."""

import json
from argparse import ArgumentParser, Namespace

from capabilities import catalogue, flat_list, programme, reader, timeline
from capabilities.guideline import Status
from capabilities.matching import match
from refstack_client.cli.command import Command, Lister, say
from refstack_client.cli.exit_codes import EXIT_OK
from refstack_client.cli.options import guideline as guideline_options
from refstack_client.cli.options.tempest import add_tempest, load_index
from refstack_client.errors import UsageError
from refstack_client.planning import guideline_source


class List(Lister):
    """List the shipped guidelines."""

    def take_action(self, args: Namespace):
        columns = ("Guideline", "Status", "Programme", "Required tests", "Flagged", "Releases")
        return columns, (row for name in catalogue.shipped() for row in _rows(name))


def _rows(name: str):
    guideline, _ = catalogue.load(name)
    for each in programme.programmes(guideline):
        counted = len(each.counted_tests())
        flagged = len(each.required_tests()) - counted
        yield name, guideline.status, each.key, counted, flagged, " ".join(guideline.releases)


class _Named:
    def get_parser(self, prog_name: str) -> ArgumentParser:
        parser = super().get_parser(prog_name)  # type: ignore[misc]
        parser.add_argument("guideline", metavar="ID|FILE|URL", help="which guideline")
        parser.add_argument(
            "--programme", metavar="NAME", help="default: platform, or the only one"
        )
        return parser


class Show(_Named, Lister):
    """List the capabilities of a programme with status, tests and description."""

    def take_action(self, args: Namespace):
        found = guideline_options.load_programme(args.guideline, args.programme)
        guideline = found.guideline
        say(f"{found.name}, guideline {guideline.id} ({guideline.status or 'no status'})")
        if guideline.note:
            say(f"reconstructed {guideline.note}")
        columns = ("Capability", "Status", "Project", "Tests", "Flagged", "Description")
        return columns, (
            (
                each.id,
                str(status),
                each.project,
                len(each.tests),
                sum(test.flag is not None for test in each.tests),
                each.description,
            )
            for status in Status
            for each in found.capabilities(status)
        )


class Tests(_Named, Command):
    """Print the tests of a programme, one ``name[id-…]`` a line.

    With --tempest they are printed under the full ids the installed Tempest has, attributes
    included: ``tempest run --load-list`` takes no others.
    """

    def get_parser(self, prog_name: str) -> ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "--type",
            default=str(Status.REQUIRED),
            metavar="STATUS[,STATUS]",
            help="required, advisory, deprecated, removed (default: required)",
        )
        parser.add_argument("--aliases", action="store_true", help="also by their other names")
        parser.add_argument("--flagged", action="store_true", help="flagged ones too")
        add_tempest(parser)
        return parser

    def take_action(self, args: Namespace) -> int:
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
            lines = tuple(sorted({each.full for one in wanted for each in one.found}))
        else:
            lines = flat_list.lines(tests, aliases=args.aliases, flagged=args.flagged)
        for line in lines:
            print(line)
        return EXIT_OK


def _statuses(text: str) -> tuple[Status, ...]:
    try:
        return tuple(Status(each.strip()) for each in text.split(","))
    except ValueError as error:
        known = ", ".join(Status)
        raise UsageError(f"--type {text}: {error}", hint=f"choose from {known}") from error


class Timeline(Lister):
    """List when guidelines were drafted and approved, and what became of them since."""

    def take_action(self, args: Namespace):
        events = timeline.events()
        today = max(event.day for event in events)
        return ("Day", "Guideline", "Event", "Status since"), (
            (
                event.day.isoformat(),
                event.guideline,
                event.status,
                timeline.status_on(event.guideline, today),
            )
            for event in events
        )


class Convert(Command):
    """Print a guideline file of any schema as schema 2.0; nothing in it is lost."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument("guideline", metavar="ID|FILE|URL", help="which guideline")
        return parser

    def take_action(self, args: Namespace) -> int:
        document = reader.document(guideline_source.content(args.guideline), args.guideline)
        print(json.dumps(document, indent=2, ensure_ascii=False))
        return EXIT_OK
