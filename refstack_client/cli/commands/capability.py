"""``capability list|show|explain``: show capabilities in all guidelines."""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence

from capabilities import catalogue, history, process_rules
from capabilities.errors import UnknownNameError
from capabilities.guideline import Capability, Guideline
from capabilities.history import Entry
from refstack_client.cli.command import Command, Lister, Table, show_lines
from refstack_client.cli.exit_codes import EXIT_OK
from refstack_client.cli.options import guideline as guideline_options


class List(Lister):
    """List all capabilities, with the first and last shipped guideline of each."""

    def take_action(self, args: Namespace) -> Table:
        """Return the columns and rows to list."""
        seen: dict[str, list[str]] = {}
        facts: dict[str, Capability] = {}
        for guideline in _all():
            for capability in guideline.capabilities.values():
                seen.setdefault(capability.id, []).append(guideline.id)
                facts[capability.id] = capability
        return ("Capability", "Project", "First", "Last", "Description"), (
            (name, facts[name].project, where[0], where[-1], facts[name].description)
            for name, where in sorted(seen.items())
        )


class _Named:
    """Have a capability and a guideline as arguments."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Add the options."""
        parser = super().get_parser(prog_name)  # type: ignore[misc]
        parser.add_argument("capability", metavar="CAPABILITY", help="id of the capability")
        guideline_options.add_guideline(parser)
        return parser


class Show(_Named, Lister):
    """List the tests of a capability in one guideline."""

    def take_action(self, args: Namespace) -> Table:
        """Return the columns and rows to list."""
        name = args.guideline or catalogue.default(args.programme)
        guideline = guideline_options.load_programme(name, args.programme).guideline
        if args.capability not in guideline.capabilities:
            raise UnknownNameError(
                f"guideline {guideline.id} has no capability {args.capability}",
                hint="list all: refstack-client capability list",
            )
        return ("Test", "Id", "Aliases", "Flag"), (
            (
                test.name,
                test.idempotent_id or "",
                " ".join(test.aliases),
                f"{test.flag.reason} ({test.flag.date})" if test.flag else "",
            )
            for test in guideline.capabilities[args.capability].tests
        )


class Explain(Command):
    """Show what a capability is, its status in each guideline, and the reasons."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Add the options."""
        parser = super().get_parser(prog_name)
        parser.add_argument("capability", metavar="CAPABILITY", help="id of the capability")
        return parser

    def take_action(self, args: Namespace) -> int:
        """Run the command; return its exit code."""
        show_lines(_lines(args.capability, history.of(args.capability, _all())))
        return EXIT_OK


def _lines(name: str, entries: Sequence[Entry]) -> Iterator[str]:
    latest = entries[-1].capability
    yield f"{name}: {latest.description}"
    yield f"project {latest.project}" + (", needs admin credentials" if latest.admin else "")
    yield ""
    for entry in entries:
        guideline = entry.guideline
        total = process_rules.recorded_score(entry.capability, guideline)
        points = f", {total} points" if total is not None else ""
        cutoff = f" of {guideline.cutoff} needed" if total is not None and guideline.cutoff else ""
        yield (
            f"{guideline.id:<24}{_standing(entry):<34}"
            f"{len(entry.capability.tests)} tests, {entry.flagged} flagged{points}{cutoff}"
        )
    yield ""
    yield from _why(entries[-1])
    for test in latest.tests:
        flag = f"  flagged: {test.flag.reason}" if test.flag else ""
        yield f"  {test.name}{flag}"


def _standing(entry: Entry) -> str:
    parts = (f"{status} in {key}" for key, status in entry.statuses.items())
    return ", ".join(parts) or "in no programme"


def _why(entry: Entry) -> Iterator[str]:
    guideline, name = entry.guideline, entry.capability.id
    yield f"In {guideline.id} it is {_standing(entry)}."
    achieved = entry.capability.achievements
    if achieved:
        missing = sorted(set(guideline.weights) - set(achieved))
        yield f"Criteria met: {', '.join(achieved)}; not met: {', '.join(missing) or 'none'}."
    for finding in process_rules.check(guideline):
        if finding.pointer.startswith(f"/capabilities/{name}/") and finding.clause:
            yield f"Against the process ({finding.clause}): {finding.message}."


def _all() -> tuple[Guideline, ...]:
    return tuple(catalogue.load(name)[0] for name in catalogue.shipped())
